//! `CLUSTER INFO`: lines of `name:value`, each ending in `\r\n`.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::fmt::{self, Write};

use super::{Liveness, View};
use crate::slot::SLOT_COUNT;
use crate::topology::Shard;

/// What only the answering node can add.
#[derive(Debug, Clone, Copy, Default)]
pub struct InfoFacts<'a> {
    /// `cluster-require-full-coverage`: one slot that is not served puts the
    /// whole cluster into state `fail`.
    pub require_full_coverage: bool,
    /// Messages of the bus by kind. Kinds with a count of 0 are not shown.
    pub messages: &'a [MessageCount],
    /// How often a link was dropped because its buffer was full.
    pub links_over_limit: u64,
}

/// How many messages of one kind went over the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCount {
    /// As in `cluster_stats_messages_<kind>_sent`.
    pub kind: &'static str,
    /// How many this node has sent.
    pub sent: u64,
    /// How many it has received.
    pub received: u64,
}

/// Slots by the state of who serves them.
#[derive(Default)]
struct Coverage {
    assigned: u16,
    suspected: u16,
    failed: u16,
}

impl View<'_> {
    /// The text of `CLUSTER INFO`.
    pub fn info(&self, facts: &InfoFacts<'_>) -> String {
        let mut text = String::new();
        let done = self.try_info(&mut text, facts);
        done.expect("a String takes all that is written to it");
        text
    }

    /// Whether `cluster_state` is `ok`: every slot is served or, without full
    /// coverage, at least one is.
    pub fn is_ok(&self, require_full_coverage: bool) -> bool {
        self.coverage().is_ok(require_full_coverage)
    }

    fn try_info(&self, text: &mut String, facts: &InfoFacts<'_>) -> fmt::Result {
        let coverage = self.coverage();
        let state = if coverage.is_ok(facts.require_full_coverage) { "ok" } else { "fail" };
        let my_epoch = self.topology.home_of(self.myself).map(|home| home.config_epoch);
        write!(text, "cluster_state:{state}\r\n")?;
        let mut line = |name: &str, value: u64| write!(text, "{name}:{value}\r\n");
        line("cluster_slots_assigned", coverage.assigned.into())?;
        line("cluster_slots_ok", coverage.served().into())?;
        line("cluster_slots_pfail", coverage.suspected.into())?;
        line("cluster_slots_fail", coverage.failed.into())?;
        line("cluster_known_nodes", self.topology.nodes().len() as u64)?;
        line("cluster_size", self.serving_shard_count())?;
        line("cluster_current_epoch", self.topology.epoch().0)?;
        line("cluster_my_epoch", my_epoch.unwrap_or_default().0)?;
        push_counts(text, "sent", facts.messages, |count| count.sent)?;
        push_counts(text, "received", facts.messages, |count| count.received)?;
        write!(text, "total_cluster_links_buffer_limit_exceeded:{}\r\n", facts.links_over_limit)
    }

    fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for (range, shard) in self.topology.slot_ranges() {
            let count = range.slot_count();
            coverage.assigned += count;
            match self.liveness_of(shard) {
                Liveness::Alive => {}
                Liveness::Suspected => coverage.suspected += count,
                Liveness::Failed => coverage.failed += count,
            }
        }
        coverage
    }

    /// A shard is as alive as its leader, and failed without one.
    fn liveness_of(&self, shard: &Shard) -> Liveness {
        match self.hints.leader_of(shard) {
            Some(leader) if leader == self.myself => Liveness::Alive,
            Some(leader) => (self.health)(leader).liveness,
            None => Liveness::Failed,
        }
    }

    fn serving_shard_count(&self) -> u64 {
        let serving: BTreeSet<_> = self.topology.slot_ranges().map(|(_, shard)| shard.id).collect();
        serving.len() as u64
    }
}

impl Coverage {
    fn served(&self) -> u16 {
        self.assigned - self.suspected - self.failed
    }

    fn is_ok(&self, require_full_coverage: bool) -> bool {
        if require_full_coverage {
            self.assigned == SLOT_COUNT && self.failed == 0
        } else {
            self.assigned > self.failed
        }
    }
}

fn push_counts(
    text: &mut String,
    way: &str,
    messages: &[MessageCount],
    count: impl Fn(&MessageCount) -> u64,
) -> fmt::Result {
    for message in messages.iter().filter(|message| count(message) != 0) {
        write!(text, "cluster_stats_messages_{}_{way}:{}\r\n", message.kind, count(message))?;
    }
    let total: u64 = messages.iter().map(&count).sum();
    write!(text, "cluster_stats_messages_{way}:{total}\r\n")
}
