//! How fast counters grow, averaged over the last seconds.

use std::time::Duration;

use tokio::time::Instant;

/// So many samples are averaged.
const SAMPLES: usize = 16;
/// So far they lie apart.
const APART: Duration = Duration::from_millis(100);

/// The counters, in the order in which they are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Commands.
    Commands,
    /// Bytes from clients.
    BytesIn,
    /// Bytes to clients.
    BytesOut,
}

/// How fast counters grow.
#[derive(Debug, Default)]
pub struct Rates {
    last: Option<(Instant, [u64; 3])>,
    per_second: [[u64; SAMPLES]; 3],
    next: usize,
}

impl Rates {
    /// Takes a sample if the last one is old enough; true if it did.
    pub(crate) fn sample(&mut self, now: Instant, counts: [u64; 3]) -> bool {
        let Some((at, before)) = self.last else {
            self.last = Some((now, counts));
            return true;
        };
        let passed = now.saturating_duration_since(at);
        if passed < APART {
            return false;
        }
        let micros = passed.as_micros() as u64;
        for (rates, (count, before)) in self.per_second.iter_mut().zip(counts.iter().zip(before)) {
            // A counter that was reset has not grown.
            let grown = count.saturating_sub(before);
            rates[self.next] = grown.saturating_mul(1_000_000) / micros;
        }
        self.next = (self.next + 1) % SAMPLES;
        self.last = Some((now, counts));
        true
    }

    /// The average growth of a counter per second.
    pub fn per_second(&self, counter: Counter) -> u64 {
        self.per_second[counter as usize].iter().sum::<u64>() / SAMPLES as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_found() {
        let (mut rates, mut now) = (Rates::default(), Instant::now());
        for step in 0..=32_u64 {
            assert!(rates.sample(now, [step * 50, step * 1000, 0]));
            assert!(!rates.sample(now + Duration::from_millis(99), [9, 9, 9]));
            now += APART;
        }
        assert_eq!(rates.per_second(Counter::Commands), 500);
        assert_eq!(rates.per_second(Counter::BytesIn), 10_000);
        assert_eq!(rates.per_second(Counter::BytesOut), 0);
    }

    #[test]
    fn a_counter_that_was_reset_has_not_grown() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        rates.sample(now, [1000, 0, 0]);
        rates.sample(now + APART, [0, 0, 0]);
        assert_eq!(rates.per_second(Counter::Commands), 0);
    }
}
