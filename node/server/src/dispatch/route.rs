//! Whether a command may run on this node, and where else it should go.

use std::time::Duration;

use quoris_engine::commands::check_slots;
use quoris_engine::{Args, CommandError, Slot};

use super::run::{Runner, Standing, Verdict};
use crate::registry::{Entry, Keys};
use crate::replies;
use crate::routes::Route;
use crate::session::Hold;
use crate::transactions::Transaction;

/// How long a request may wait for a leader: several elections.
const LEADER_WAIT: Duration = Duration::from_secs(3);

/// `FLUSHALL` and its like on a follower.
const READ_ONLY: CommandError =
    CommandError::fixed("READONLY You can't write against a read only replica.");

impl Runner<'_> {
    /// Decides about a command of the engine. `first`: the slot of its first key, if known.
    #[inline]
    pub(super) fn verdict(
        &mut self,
        entry: &Entry,
        args: &Args<'_>,
        first: Option<Slot>,
        writes: bool,
    ) -> Verdict {
        let standing = self.standing();
        self.verdict_as(standing, entry, args, first, writes)
    }

    /// The same for a command that does not run yet, so that the lease is not asked for.
    pub(super) fn verdict_to_queue(
        &mut self,
        entry: &Entry,
        args: &Args<'_>,
        first: Option<Slot>,
        writes: bool,
    ) -> Verdict {
        let standing = Standing { reads: true, ..self.standing() };
        self.verdict_as(standing, entry, args, first, writes)
    }

    #[inline]
    fn verdict_as(
        &mut self,
        standing: Standing,
        entry: &Entry,
        args: &Args<'_>,
        first: Option<Slot>,
        writes: bool,
    ) -> Verdict {
        let is_mine = self.shared.is_single_shard.get()
            || match (entry.keys, first) {
                (Keys::None, _) => true,
                (Keys::One(_), Some(slot)) => self.shared.owned.borrow().has(slot),
                _ => false,
            };
        if is_mine && standing.leads {
            if writes || standing.reads || self.has_batch() || self.session.permit.get() {
                return Verdict::Here;
            }
            return self.wait(Hold::Lease);
        }
        self.decide(entry, args, first, writes, standing)
    }

    #[cold]
    fn decide(
        &mut self,
        entry: &Entry,
        args: &Args<'_>,
        first: Option<Slot>,
        writes: bool,
        standing: Standing,
    ) -> Verdict {
        let slot = match slot_of(entry, args, first, self.shared.is_single_shard.get()) {
            Ok(Some(slot)) => slot,
            Ok(None) => return self.decide_keyless(writes, standing),
            Err(error) => return Verdict::Refuse(error),
        };
        self.decide_slot(slot, writes, !writes, standing)
    }

    /// `wants_lease`: what runs depends on the applied state.
    fn decide_slot(
        &mut self,
        slot: Slot,
        writes: bool,
        wants_lease: bool,
        standing: Standing,
    ) -> Verdict {
        let readonly = self.session.readonly.get() && !writes;
        match self.shared.routes().decide(slot, standing.leads, readonly) {
            Route::Local if !standing.leads => Verdict::Here,
            Route::Local if !wants_lease || standing.reads => Verdict::Here,
            Route::Local if self.has_batch() || self.session.permit.get() => Verdict::Here,
            Route::Local => self.wait(Hold::Lease),
            Route::Moved { host, port } => {
                Verdict::Refuse(replies::moved(slot.number(), &host, port))
            }
            Route::LeaderUnknown => self.wait(Hold::Leader),
            Route::Refused(error) => Verdict::Refuse(error),
        }
    }

    /// A command without keys cannot be redirected: reads run on any node, as in Redis. They wait
    /// where nobody leads, which is also how a node begins that has yet to apply its own log.
    fn decide_keyless(&mut self, writes: bool, standing: Standing) -> Verdict {
        if standing.leads {
            return Verdict::Here;
        }
        match (self.shared.group().leader().is_some(), writes) {
            (true, false) => Verdict::Here,
            (true, true) => Verdict::Refuse(READ_ONLY),
            (false, false) if self.session.readonly.get() => Verdict::Here,
            (false, _) => self.wait(Hold::Leader),
        }
    }

    /// Decides about a command on the channels of a shard: any of its nodes will do.
    pub(super) fn channel_verdict(&mut self, entry: &Entry, args: &Args<'_>) -> Verdict {
        let slot = match slot_of(entry, args, None, self.shared.is_single_shard.get()) {
            Ok(Some(slot)) => slot,
            // It names none: it is about all that the client has.
            Ok(None) => return Verdict::Here,
            Err(error) => return Verdict::Refuse(error),
        };
        let leads = self.standing().leads;
        match self.shared.routes().decide(slot, leads, true) {
            Route::Local => Verdict::Here,
            Route::Moved { host, port } => {
                Verdict::Refuse(replies::moved(slot.number(), &host, port))
            }
            Route::LeaderUnknown => self.wait(Hold::Leader),
            Route::Refused(error) => Verdict::Refuse(error),
        }
    }

    /// Decides about a transaction. `watches`: it depends on watched keys, so that even one that
    /// only writes wants the lease.
    pub(super) fn verdict_on(&mut self, transaction: &Transaction, watches: bool) -> Verdict {
        if !transaction.needs_data() && !watches {
            return Verdict::Here;
        }
        if transaction.has_slots() && !self.shared.is_single_shard.get() {
            return Verdict::Refuse(replies::CROSS_SLOT);
        }
        let (writes, standing) = (transaction.writes(), self.standing());
        let wants_lease = watches || !writes;
        let lacks_lease = standing.leads && wants_lease && !standing.reads;
        match transaction.slot() {
            Some(slot) => self.decide_slot(slot, writes, wants_lease, standing),
            None if lacks_lease && !self.has_batch() && !self.session.permit.get() => {
                self.wait(Hold::Lease)
            }
            None => self.decide_keyless(writes, standing),
        }
    }

    /// Waits, unless the command has been waiting for too long.
    #[cold]
    fn wait(&mut self, hold: Hold) -> Verdict {
        if self.has_batch() {
            return Verdict::Wait(Hold::Batch);
        }
        if self.has_waited_too_long() {
            return Verdict::Refuse(replies::CLUSTER_DOWN);
        }
        Verdict::Wait(hold)
    }

    /// Whether the connection's first command has been held back for longer than anybody waits.
    pub(super) fn has_waited_too_long(&self) -> bool {
        let since = self.session.leaderless.get().unwrap_or(self.now);
        self.session.leaderless.set(Some(since));
        let is_too_long = self.now.saturating_duration_since(since) > LEADER_WAIT;
        if is_too_long {
            self.session.leaderless.set(None);
        }
        is_too_long
    }
}

/// The one slot of a command's keys; none if it has no keys.
pub(super) fn slot_of(
    entry: &Entry,
    args: &Args<'_>,
    first: Option<Slot>,
    is_single_shard: bool,
) -> Result<Option<Slot>, CommandError> {
    match (entry.keys, first) {
        (Keys::None, _) => return Ok(None),
        (Keys::One(_), Some(_)) => return Ok(first),
        _ => {}
    }
    let mut words = Vec::new();
    for spec in entry.command.spec.key_specs.iter().flatten() {
        // A request that does not fit fails in the handler, with the handler's words.
        let _ = spec.find_in(args.len(), |word| args.get(word), &mut words);
    }
    let mut slots = words.iter().map(|word| Slot::of_key(args.get(*word)));
    let Some(slot) = slots.next() else { return Ok(first) };
    if !is_single_shard {
        if slots.any(|other| other != slot) {
            return Err(replies::CROSS_SLOT);
        }
        check_slots(entry.command, args)?;
    }
    Ok(Some(slot))
}
