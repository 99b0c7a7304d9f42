//! Moving slots from one shard to another, as the topology sees it.
//!
//! A migration is a job with a name, a set of slots, a source and a target. The
//! topology group does not move a byte: it is the one place where a job is
//! begun, where its outcome is decided, and where anybody can look up how far
//! it is. Three logs take part, and each says only what it alone can know:
//!
//! ```text
//!  topology   Started ─────────▶ Sealed ───────▶ Ready ────▶ Moved ──▶ (settled)
//!                │                  │              │           ╎
//!                └──────────────────┴──────────────┴──▶ Cancelled ──▶ (settled)
//!
//!  source     streams slots,    Seal: from here   waits for    Drop: the slots
//!             serves them       clients wait,     the verdict  are gone, waiting
//!             all the while     sends its tail                 clients get MOVED
//!
//!  target     Stage: what       Stage: the        Ready: all   Activate: serves
//!             arrives is kept   tail               of it is    the slots
//!             out of sight                         committed
//! ```
//!
//! **Started.** The topology records the job; its slots may not take part in
//! another one. The source's leader streams each slot as of one log index, then
//! the entries that touched it since; the target's leader proposes what arrives
//! to its own group, into a staging area that no client can see.
//!
//! **Sealed.** When little is missing, the source commits `Seal` in its own
//! log. That index is the end of the source's history of these slots: clients
//! wait from here on, for milliseconds, and the tail up to it is sent.
//!
//! **Ready.** The target has committed everything up to the seal. Both shards
//! now hold the slots and neither serves them.
//!
//! **Moved** or **Cancelled.** Whichever of the two the topology commits first
//! is the outcome, and it is final. With `Moved` the owner and the epoch change
//! in the same entry. That is the only moment of decision, so a crash, a
//! partition or a change of leader at any arrow leaves a job that can be read
//! from the topology and carried on: [`Phase::source_duty`] and
//! [`Phase::target_duty`] are the whole of what a new leader must know.
//!
//! **Settled.** Each side then cleans up in its own log and reports it. Only
//! when both have is the job over and its slots free for the next one, so a
//! slot can never arrive where an older copy of it is still lying about.
//!
//! Two caveats. A report ("sealed", "ready") may be sent again after its
//! outcome was unknown, so a step that a job has already taken is not an error.
//! And the topology's record does not entitle anyone to serve a slot: a shard
//! serves what its *own log* says it owns, because its copy of the topology may
//! be old. Between `Moved` and `Activate` nobody serves the slots; that is the
//! price of never having two who do.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, JobId, ShardId};
use crate::slot::{Slot, SlotRange};

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// Its name.
    pub id: JobId,
    /// What moves, ascending and without neighbours that could be joined.
    pub slots: Vec<SlotRange>,
    /// The shard that owned the slots when the job began.
    pub from: ShardId,
    /// The shard that is to own them.
    pub to: ShardId,
    /// The cluster's epoch when the job began.
    pub started: Epoch,
    /// How far it is.
    pub phase: Phase,
    /// The source has cleaned up after the outcome.
    pub source_settled: bool,
    /// The target has cleaned up after the outcome.
    pub target_settled: bool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The source serves and streams.
    Started,
    /// The source has stopped serving; the tail is on its way.
    Sealed,
    /// The target has everything.
    Ready,
    /// The target owns the slots, for good.
    Moved,
    /// The source keeps the slots, for good.
    Cancelled,
}

/// What a change may do to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The source reports that `Seal` is committed in its log.
    Seal,
    /// The target reports that everything up to the seal is committed in its.
    Ready,
    /// Decide for the target.
    Move,
    /// Decide for the source.
    Cancel,
}

/// One of the two shards of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The shard the slots come from.
    Source,
    /// The shard the slots go to.
    Target,
}

/// What the source's leader does about a job it finds in the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceDuty {
    /// Serve the slots, stream them, and seal once little is missing.
    Stream,
    /// Let clients wait, and send the tail.
    Drain,
    /// Let clients wait for the outcome.
    Wait,
    /// Delete the slots, redirect who waited, and settle.
    Drop,
    /// Serve the slots again, and settle.
    Unseal,
}

/// What the target's leader does about a job it finds in the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetDuty {
    /// Keep what arrives in the staging area.
    Stage,
    /// Keep the staging area and wait for the outcome.
    Hold,
    /// Serve the slots from now on, and settle.
    Activate,
    /// Delete the staging area, and settle.
    Discard,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// To this phase.
    To(Phase),
    /// Nowhere: the job took this step before.
    Already,
    /// Nowhere: the step does not follow from the job's phase.
    Refused,
}

impl Phase {
    /// Where `step` leads from here.
    pub fn after(self, step: Step) -> Advance {
        use Phase::{Cancelled, Moved, Ready, Sealed, Started};
        match (self, step) {
            (Started, Step::Seal) => Advance::To(Sealed),
            (Sealed, Step::Ready) => Advance::To(Ready),
            (Ready, Step::Move) => Advance::To(Moved),
            (Started | Sealed | Ready, Step::Cancel) => Advance::To(Cancelled),

            (Sealed | Ready | Moved, Step::Seal)
            | (Ready | Moved, Step::Ready)
            | (Moved, Step::Move)
            | (Cancelled, Step::Cancel) => Advance::Already,

            (Started, Step::Ready | Step::Move)
            | (Sealed, Step::Move)
            | (Moved, Step::Cancel)
            | (Cancelled, Step::Seal | Step::Ready | Step::Move) => Advance::Refused,
        }
    }

    /// Whether the outcome is known.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Moved | Self::Cancelled)
    }

    /// What the source's leader has to do.
    pub fn source_duty(self) -> SourceDuty {
        match self {
            Self::Started => SourceDuty::Stream,
            Self::Sealed => SourceDuty::Drain,
            Self::Ready => SourceDuty::Wait,
            Self::Moved => SourceDuty::Drop,
            Self::Cancelled => SourceDuty::Unseal,
        }
    }

    /// What the target's leader has to do.
    pub fn target_duty(self) -> TargetDuty {
        match self {
            Self::Started | Self::Sealed => TargetDuty::Stage,
            Self::Ready => TargetDuty::Hold,
            Self::Moved => TargetDuty::Activate,
            Self::Cancelled => TargetDuty::Discard,
        }
    }
}

/// In lower case, as `jobs` shows it.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "started",
            Self::Sealed => "sealed",
            Self::Ready => "ready",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
        })
    }
}

impl Migration {
    /// A job that begins now.
    pub fn new(
        id: JobId,
        slots: Vec<SlotRange>,
        from: ShardId,
        to: ShardId,
        started: Epoch,
    ) -> Self {
        let (source_settled, target_settled) = (false, false);
        let phase = Phase::Started;
        Self { id, slots, from, to, started, phase, source_settled, target_settled }
    }

    /// Every slot that moves, ascending.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().flat_map(|range| range.slots())
    }

    /// Whether both sides have cleaned up, so that the job is history.
    pub fn is_settled(&self) -> bool {
        self.phase.is_decided() && self.source_settled && self.target_settled
    }

    /// Notes that `side` has cleaned up. `false` if it had not to, or had
    /// already: before the outcome there is nothing to clean up.
    pub(crate) fn settle(&mut self, side: Side) -> bool {
        let settled = match side {
            Side::Source => &mut self.source_settled,
            Side::Target => &mut self.target_settled,
        };
        let changes = self.phase.is_decided() && !*settled;
        *settled |= changes;
        changes
    }
}

#[cfg(test)]
mod tests {
    use Phase::{Cancelled, Moved, Ready, Sealed, Started};
    use proptest::prelude::*;

    use super::*;

    const PHASES: [Phase; 5] = [Started, Sealed, Ready, Moved, Cancelled];
    const STEPS: [Step; 4] = [Step::Seal, Step::Ready, Step::Move, Step::Cancel];

    #[test]
    fn every_step_from_every_phase() {
        const AGAIN: Advance = Advance::Already;
        const NO: Advance = Advance::Refused;
        let to = Advance::To;
        let table = [
            (Started, [to(Sealed), NO, NO, to(Cancelled)]),
            (Sealed, [AGAIN, to(Ready), NO, to(Cancelled)]),
            (Ready, [AGAIN, AGAIN, to(Moved), to(Cancelled)]),
            (Moved, [AGAIN, AGAIN, AGAIN, NO]),
            (Cancelled, [NO, NO, NO, AGAIN]),
        ];
        for (phase, row) in table {
            for (step, expected) in STEPS.into_iter().zip(row) {
                assert_eq!(phase.after(step), expected, "{phase:?} after {step:?}");
            }
        }
    }

    #[test]
    fn nobody_serves_a_slot_while_the_other_side_may() {
        for phase in PHASES {
            let source = matches!(phase.source_duty(), SourceDuty::Stream | SourceDuty::Unseal);
            let target = phase.target_duty() == TargetDuty::Activate;
            assert!(!(source && target), "{phase}");
            assert_eq!(source || target, phase == Started || phase.is_decided(), "{phase}");
        }
    }

    proptest! {
        /// Reports may be repeated and come in any order: the outcome, once
        /// there, stays, and nothing moves that was not ready.
        #[test]
        fn an_outcome_is_final(steps in prop::collection::vec(prop::sample::select(&STEPS[..]), 0..40)) {
            let mut phase = Started;
            let mut taken = alloc::vec![phase];
            for step in steps {
                if let Advance::To(next) = phase.after(step) {
                    prop_assert!(!phase.is_decided());
                    prop_assert!(next != Moved || phase == Ready);
                    phase = next;
                    taken.push(phase);
                }
            }
            prop_assert!(taken.len() <= 4);
        }
    }
}
