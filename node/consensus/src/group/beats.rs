//! What the pulse repeats for a group, kept in step with its leadership.

use quoris_proto::raft as wire;

use super::Standing;
use crate::lease::Lease;
use crate::pulse::{Beat, Pulse};
use crate::types::{GroupId, RaftId};

/// Tells the pulse, if there is one, whom to reassure.
#[derive(Clone)]
pub(super) struct Beats {
    pub(super) pulse: Option<Pulse>,
    pub(super) group: GroupId,
    pub(super) cluster_id: String,
    pub(super) me: RaftId,
}

impl Beats {
    /// Repeats the heartbeats of the term that this node leads.
    pub(super) fn follow(&self, standing: &Standing, lease: &Lease) {
        let Some(pulse) = &self.pulse else { return };
        let led = lease.led_term().filter(|_| standing.fault.is_none());
        let members = standing.voters.union(&standing.learners);
        let beats = led.map(|term| {
            members.filter(|member| **member != self.me).map(|to| self.beat(term, *to)).collect()
        });
        pulse.set_beats(&self.group, beats.unwrap_or_default());
    }

    /// Repeats nothing until the standing changes.
    pub(super) fn hush(&self) {
        if let Some(pulse) = &self.pulse {
            pulse.set_beats(&self.group, Vec::new());
        }
    }

    pub(super) fn leave(&self) {
        if let Some(pulse) = &self.pulse {
            pulse.leave(&self.group);
        }
    }

    fn beat(&self, term: u64, to: RaftId) -> Beat {
        let route = wire::Route {
            cluster_id: self.cluster_id.clone(),
            group_id: self.group.0.clone(),
            from: self.me,
            to,
        };
        Beat { vote: wire::Vote { term, node: self.me, committed: true }, route }
    }
}
