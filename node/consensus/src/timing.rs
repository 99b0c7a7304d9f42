//! The few durations and choices that decide how a group behaves.

use std::time::Duration;

/// When a leader beats and when its followers lose patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two heartbeats of a leader.
    pub heartbeat: Duration,
    /// A follower campaigns at the earliest this long after its leader's lease
    /// has run out.
    pub election_min: Duration,
    /// … and at the latest. Also the length of the lease that a follower grants
    /// with every acknowledgement.
    pub election_max: Duration,
}

impl Default for Timing {
    /// 50 ms, 200–400 ms: a dead leader is replaced in about 0.7 s.
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(200),
            election_max: Duration::from_millis(400),
        }
    }
}

impl Timing {
    /// All durations times `factor`; at least a millisecond each.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let scale = |d: Duration| d.mul_f64(factor).max(Duration::from_millis(1));
        Self {
            heartbeat: scale(self.heartbeat),
            election_min: scale(self.election_min),
            election_max: scale(self.election_max),
        }
    }

    /// How long a leader trusts its followers' last acknowledgement. Shorter
    /// than what they granted, because two clocks never run alike.
    pub fn lease(&self) -> Duration {
        self.election_max.mul_f64(0.9)
    }
}

/// What "on a node" means when a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// After `fdatasync`.
    #[default]
    Always,
    /// Handed to the operating system; synced once a second.
    EverySec,
    /// Handed to the operating system, which syncs when it likes.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_is_shorter_than_what_followers_grant_at_every_scale() {
        for factor in [0.01, 0.5, 1.0, 37.5] {
            let timing = Timing::default().scaled(factor);
            assert!(timing.lease() < timing.election_max, "{timing:?}");
            assert!(timing.election_min < timing.election_max, "{timing:?}");
        }
    }
}
