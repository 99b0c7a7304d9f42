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

/// The time of a use, and which of the two records is kept.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Whether frequency is recorded instead of time.
    pub track_frequency: bool,
}

impl Clock {
    /// The record of an entry made now.
    #[inline]
    pub fn fresh(self) -> u32 {
        if self.track_frequency {
            minutes(self.now_ms) << 8 | COUNTER_START
        } else {
            seconds(self.now_ms)
        }
    }

    /// The record after a use.
    #[inline]
    pub fn used(self, record: u32) -> u32 {
        if !self.track_frequency {
            return seconds(self.now_ms);
        }
        let counter = u32::from(frequency(record, self.now_ms));
        minutes(self.now_ms) << 8 | raised(counter, self.now_ms ^ u64::from(record) << 32)
    }

    /// The record of an entry that was used so many seconds ago, or so often; `None` if that is not
    /// what is recorded.
    pub fn as_if(self, idle_seconds: Option<u64>, frequency: Option<u8>) -> Option<u32> {
        if self.track_frequency {
            return frequency.map(|count| minutes(self.now_ms) << 8 | u32::from(count));
        }
        // A time before all records is as long ago as a record can tell.
        let idle = idle_seconds.map(|idle| u32::try_from(idle).unwrap_or(MASK).min(MASK));
        idle.map(|idle| seconds(self.now_ms).wrapping_sub(idle) & MASK)
    }
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
        let record = Clock { now_ms: start, track_frequency: false }.fresh();
        assert_eq!(idle_seconds(record, start + 5000), 5);
    }

    #[test]
    fn a_counter_rises_with_use_and_falls_with_time() {
        let at = |now_ms| Clock { now_ms, track_frequency: true };
        let mut record = at(0).fresh();
        for now_ms in 0..10_000 {
            record = at(now_ms).used(record);
        }
        let risen = frequency(record, 10_000);
        assert!((10..200).contains(&risen), "ten thousand uses gave {risen}");
        assert_eq!(frequency(record, 10_000 + 60_000 * 3), risen - 3);
        assert_eq!(frequency(record, 60_000 * 1000), 0);
    }
}
