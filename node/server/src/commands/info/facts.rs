//! What the fields of INFO are made from, gathered once per call.

use std::cell::Ref;

use quoris_consensus::GroupStatus;

use crate::config::Config;
use crate::process::{CpuUse, MemoryUse, Process};
use crate::shared::Shared;

/// What the fields of INFO are made from.
pub(super) struct Facts<'a> {
    pub(super) shared: &'a Shared,
    pub(super) config: Ref<'a, Config>,
    pub(super) process: std::rc::Rc<dyn Process>,
    pub(super) memory: MemoryUse,
    pub(super) cpu: CpuUse,
    pub(super) status: GroupStatus,
    pub(super) leads: bool,
    pub(super) now_us: u64,
}

impl<'a> Facts<'a> {
    pub(super) fn gather(shared: &'a Shared) -> Self {
        let process = shared.observe.process();
        let group = shared.group();
        Facts {
            shared,
            config: shared.config.borrow(),
            memory: shared.observe.memory_now(),
            cpu: process.cpu(),
            process,
            status: group.status(),
            leads: group.is_leader(),
            now_us: shared.clock.unix_us(),
        }
    }

    /// How long the node has been running.
    pub(super) fn uptime_s(&self) -> u64 {
        (self.now_us / 1000).saturating_sub(self.shared.started_ms) / 1000
    }
}

/// Bytes as Redis writes them for people.
pub(super) fn human(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let unit = (bytes.ilog2() / 10).min(UNITS.len() as u32);
    let size = bytes as f64 / (1_u64 << (unit * 10)) as f64;
    format!("{size:.2}{}", UNITS[unit as usize - 1])
}

/// A quotient with two decimals; zero if there is nothing to divide by.
pub(super) fn ratio(of: u64, by: u64) -> String {
    let quotient = if by == 0 { 0.0 } else { of as f64 / by as f64 };
    format!("{quotient:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_redis_writes_them() {
        let table = [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (1_113_888, "1.06M"),
            (25_276_514_304, "23.54G"),
            (u64::MAX, "16384.00P"),
        ];
        for (bytes, expected) in table {
            assert_eq!(human(bytes), expected, "{bytes}");
        }
        assert_eq!(ratio(12_439_552, 1_048_576), "11.86");
        assert_eq!(ratio(1, 0), "0.00");
    }
}
