//! The topology as the state machine of the group that spans the cluster.
//!
//! An entry is an encoded [`Change`]. What came of it is told to the proposer
//! that waits for it on this node, found by the tag that the entry came with;
//! and the node is told whenever the record has changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quoris_consensus::{Committed, LogPosition, Machine, Outcomes};
use quoris_topology::{Change, Outcome, Topology};
use tokio::sync::oneshot;

/// What became of a proposal: applied, with this result, or not.
pub type Verdict = Result<Outcome, quoris_consensus::Outcome>;

/// Proposals of this node on their way through the log. Cheap to clone.
#[derive(Clone, Default)]
pub struct Waiting(Arc<Mutex<Waiters>>);

#[derive(Default)]
struct Waiters {
    last_tag: u64,
    by_tag: BTreeMap<u64, oneshot::Sender<Verdict>>,
}

impl Waiting {
    /// A new tag, and where its verdict will arrive.
    pub fn enlist(&self) -> (u64, oneshot::Receiver<Verdict>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.0.lock().expect("no panic while held");
        waiters.last_tag += 1;
        let tag = waiters.last_tag;
        waiters.by_tag.insert(tag, sender);
        (tag, receiver)
    }

    /// Tells the proposer. One that has given up waiting does not mind.
    fn settle(&self, tag: u64, verdict: Verdict) {
        let waiter = self.0.lock().expect("no panic while held").by_tag.remove(&tag);
        if let Some(waiter) = waiter {
            let _ = waiter.send(verdict);
        }
    }

    /// Receives what was not applied under its tag.
    pub fn outcomes(&self) -> Outcomes {
        let waiting = self.clone();
        Arc::new(move |tag, outcome| waiting.settle(tag, Err(outcome)))
    }
}

/// Applies the topology group's log.
pub struct TopologyMachine {
    topology: Topology,
    applied: Option<LogPosition>,
    waiting: Waiting,
    /// The record has changed since [`TopologyMachine::changed`] was last called.
    is_dirty: bool,
    changed: Box<dyn Fn(&Topology)>,
}

impl TopologyMachine {
    /// An empty machine. `changed` is called with the record whenever it has
    /// changed, and must not call back into the group.
    pub fn new(waiting: Waiting, changed: impl Fn(&Topology) + 'static) -> Self {
        Self {
            topology: Topology::unformed(),
            applied: None,
            waiting,
            is_dirty: false,
            changed: Box::new(changed),
        }
    }
}

impl Machine for TopologyMachine {
    fn applied(&self) -> Option<LogPosition> {
        self.applied
    }

    /// # Panics
    /// If a release later than this one wrote the entry: to go on without it
    /// would be to disagree with the other nodes from then on.
    fn apply(&mut self, entry: Committed<'_>) {
        let change = Change::decode(entry.payload).unwrap_or_else(|error| {
            panic!("entry {} of the topology: {error}; upgrade this node", entry.position)
        });
        let outcome = self.topology.apply(change);
        self.applied = Some(entry.position);
        self.is_dirty |= matches!(outcome, Outcome::Applied { .. });
        if let Some(tag) = entry.tag {
            self.waiting.settle(tag, Ok(outcome));
        }
    }

    fn skip(&mut self, position: LogPosition) {
        self.applied = Some(position);
    }

    fn apply_done(&mut self) {
        if std::mem::take(&mut self.is_dirty) {
            (self.changed)(&self.topology);
        }
    }

    fn snapshot(&mut self) -> anyhow::Result<Vec<u8>> {
        Ok(self.topology.snapshot())
    }

    fn restore(&mut self, position: Option<LogPosition>, bytes: &[u8]) -> anyhow::Result<()> {
        self.topology = Topology::restore(bytes)?;
        self.applied = position;
        (self.changed)(&self.topology);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use bytes::Bytes;
    use quoris_consensus::Stamp;
    use quoris_topology::{Epoch, Refusal};

    use super::*;
    use crate::cluster::fixture;

    fn entry(machine: &mut TopologyMachine, index: u64, tag: Option<u64>, change: &Change) {
        let payload = Bytes::from(change.encode());
        let position = LogPosition { term: 1, index };
        let stamp = Stamp { now_ms: 0, seed: 0, engine_version: 0 };
        machine.apply(Committed { position, stamp, tag, payload: &payload });
    }

    fn watched() -> (TopologyMachine, Waiting, Rc<RefCell<Vec<Epoch>>>) {
        let waiting = Waiting::default();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let epochs = Rc::clone(&seen);
        let machine = TopologyMachine::new(waiting.clone(), move |topology| {
            epochs.borrow_mut().push(topology.epoch());
        });
        (machine, waiting, seen)
    }

    #[test]
    fn a_proposer_hears_what_came_of_its_change_and_nobody_elses() {
        let (mut machine, waiting, _) = watched();
        let (tag, mut verdict) = waiting.enlist();
        let (other, mut unheard) = waiting.enlist();
        entry(&mut machine, 1, None, &Change::form(&fixture::plan(3)));
        assert!(verdict.try_recv().is_err(), "that was another node's");
        entry(&mut machine, 2, Some(tag), &Change::form(&fixture::plan(6)));
        assert_eq!(verdict.try_recv(), Ok(Ok(Outcome::Refused(Refusal::AlreadyFormed))));
        waiting.outcomes()(other, quoris_consensus::Outcome::Unknown);
        assert_eq!(unheard.try_recv(), Ok(Err(quoris_consensus::Outcome::Unknown)));
    }

    #[test]
    fn the_node_is_told_once_per_run_of_changes_and_of_a_snapshot() {
        let (mut machine, _, seen) = watched();
        let plan = fixture::plan(3);
        entry(&mut machine, 1, None, &Change::form(&plan));
        let [node, shard] = [fixture::node(1), fixture::node(2)].map(|id| {
            let term = quoris_topology::Term(1);
            Change::SetLeader { shard: plan.shards[0].id, node: id, term }
        });
        entry(&mut machine, 2, None, &node);
        machine.apply_done();
        assert_eq!(*seen.borrow(), [Epoch(2)]);
        // A second leader in one term is refused, so nothing has changed.
        entry(&mut machine, 3, None, &shard);
        machine.apply_done();
        assert_eq!(seen.borrow().len(), 1);

        let bytes = machine.snapshot().unwrap();
        let (mut restored, _, seen) = watched();
        restored.restore(machine.applied(), &bytes).unwrap();
        assert_eq!(restored.applied(), machine.applied());
        assert_eq!(restored.topology, machine.topology);
        assert_eq!(*seen.borrow(), [Epoch(2)]);
    }
}
