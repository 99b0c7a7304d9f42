//! When or how often an entry is used: 24 bits, for eviction.
//!
//! ```text
//! LRU   seconds modulo 2^24 of the last use
//! LFU   minutes modulo 2^16 of the last decay, then a logarithmic counter of 8 bits
//! ```
//!
//! Reads count, and reads are not replicated. So this is the one thing in an entry that differs
//! between replicas: it belongs to neither snapshot nor digest, and nothing that an entry of the
//! log does may depend on it. The leader consults it to choose what to evict, and proposes that.
//!
//! The counter is Redis's: a use raises it with probability 1 / ((counter - 5) * 10 + 1), and every
//! minute without use lowers it by one.

/// All bits of a record.
pub const MASK: u32 = (1 << 24) - 1;

/// The counter of a new entry, so that it is not evicted before it had a chance.
const COUNTER_START: u32 = 5;
const LOG_FACTOR: u32 = 10;

/// The record of an entry made now.
#[inline]
pub fn fresh(now_ms: u64, track_frequency: bool) -> u32 {
    if track_frequency { minutes(now_ms) << 8 | COUNTER_START } else { seconds(now_ms) }
}

/// The record after a use.
#[inline]
pub fn used(record: u32, now_ms: u64, track_frequency: bool) -> u32 {
    if !track_frequency {
        return seconds(now_ms);
    }
    let counter = u32::from(frequency(record, now_ms));
    minutes(now_ms) << 8 | raised(counter, now_ms ^ u64::from(record) << 32)
}

/// The seconds since the last use.
pub fn idle_seconds(record: u32, now_ms: u64) -> u32 {
    seconds(now_ms).wrapping_sub(record) & MASK
}

/// The counter, lowered by the minutes that have passed.
pub fn frequency(record: u32, now_ms: u64) -> u8 {
    let passed = minutes(now_ms).wrapping_sub(record >> 8) & 0xffff;
    (record & 0xff).saturating_sub(passed) as u8
}

fn raised(counter: u32, noise: u64) -> u32 {
    if counter == 255 {
        return counter;
    }
    let odds = counter.saturating_sub(COUNTER_START) * LOG_FACTOR + 1;
    let drawn = noise.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    counter + u32::from(drawn.is_multiple_of(u64::from(odds)))
}

#[inline]
fn seconds(now_ms: u64) -> u32 {
    (now_ms / 1000) as u32 & MASK
}

fn minutes(now_ms: u64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_survives_the_clock_wrapping_around() {
        let start = u64::from(MASK) * 1000;
        let record = fresh(start, false);
        assert_eq!(idle_seconds(record, start + 5000), 5);
    }

    #[test]
    fn a_counter_rises_with_use_and_falls_with_time() {
        let mut record = fresh(0, true);
        for now in 0..10_000 {
            record = used(record, now, true);
        }
        let risen = frequency(record, 10_000);
        assert!((10..200).contains(&risen), "ten thousand uses gave {risen}");
        assert_eq!(frequency(record, 10_000 + 60_000 * 3), risen - 3);
        assert_eq!(frequency(record, 60_000 * 1000), 0);
    }
}
