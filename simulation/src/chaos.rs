//! What goes wrong in a run: a list of faults with their times, drawn from the seed.
//!
//! An oracle that only ever sees one node crash does not notice a missing fsync, so majorities and
//! whole clusters crash too.

use std::time::Duration;

use crate::random::Random;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// These nodes lose power together, and what they had not synced.
    Crash(Vec<usize>),
    /// Whoever leads the shard loses power.
    CrashLeader,
    /// These nodes come back.
    Restart(Vec<usize>),
    /// Packets between these two sides are lost.
    Partition(Vec<usize>),
    /// Packets between these two sides are held back.
    Hold(Vec<usize>),
    /// These nodes take a snapshot of their shard and shorten its log, if they are up.
    Snapshot(Vec<usize>),
    /// Everything that is broken or held heals.
    Heal,
}

/// Faults with the time after which each happens, counted from the one before.
pub type Schedule = Vec<(Duration, Fault)>;

/// Draws a schedule of about `faults` faults for a cluster of `nodes` nodes. It ends with everything
/// healed and restarted.
pub fn schedule(random: &mut Random, nodes: usize, faults: usize) -> Schedule {
    let mut schedule = Schedule::new();
    let everyone: Vec<usize> = (0..nodes).collect();
    for _ in 0..faults {
        let quiet = random.millis(300, 1500);
        let fault = match random.below(10) {
            0..=2 => Fault::CrashLeader,
            3 => Fault::Crash(some_of(random, nodes, 1)),
            4 => Fault::Crash(some_of(random, nodes, nodes / 2 + 1)),
            5 => Fault::Crash(everyone.clone()),
            6..=8 => Fault::Partition(minority(random, nodes)),
            _ => Fault::Hold(minority(random, nodes)),
        };
        let crashed = matches!(fault, Fault::Crash(_) | Fault::CrashLeader);
        schedule.push((quiet, fault));
        let mut outage = random.millis(100, 2500);
        if random.percent(40) {
            // Who comes back then has to start from a snapshot, or be sent one.
            let count = 1 + random.below(nodes as u64) as usize;
            outage /= 2;
            schedule.push((outage, Fault::Snapshot(some_of(random, nodes, count))));
        }
        let cure = if crashed { Fault::Restart(everyone.clone()) } else { Fault::Heal };
        schedule.push((outage, cure));
    }
    schedule
}

fn minority(random: &mut Random, nodes: usize) -> Vec<usize> {
    let size = 1 + random.below(((nodes - 1) / 2).max(1) as u64) as usize;
    some_of(random, nodes, size)
}

/// `count` different nodes, in order.
fn some_of(random: &mut Random, nodes: usize, count: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..nodes).collect();
    while left.len() > count {
        left.remove(random.below(left.len() as u64) as usize);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_schedule_and_seeds_differ() {
        let draw = |seed| schedule(&mut Random::new(seed), 3, 6);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn majorities_and_whole_clusters_crash_in_some_run() {
        let all: Vec<Fault> = (0..40)
            .flat_map(|seed| schedule(&mut Random::new(seed), 3, 6))
            .map(|(_, fault)| fault)
            .collect();
        for size in 1..=3 {
            assert!(all.iter().any(|f| matches!(f, Fault::Crash(nodes) if nodes.len() == size)));
        }
        assert!(all.contains(&Fault::CrashLeader));
        assert!(all.iter().any(|fault| matches!(fault, Fault::Partition(_))));
        assert!(all.iter().any(|fault| matches!(fault, Fault::Hold(_))));
        assert!(all.iter().any(|fault| matches!(fault, Fault::Snapshot(_))));
    }
}
