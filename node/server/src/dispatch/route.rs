//! Whether a command may run on this node, and where else it should go.

use std::time::Duration;

use quoris_engine::commands::check_slots;
use quoris_engine::{Args, CommandError, Slot};

use super::run::{Runner, Standing, Verdict};
use crate::registry::{Entry, Keys};
use crate::replies;
use crate::routes::Route;
use crate::session::Hold;

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
        let readonly = self.session.readonly.get() && !writes;
        match self.shared.routes().decide(slot, standing.leads, readonly) {
            Route::Local if !standing.leads => Verdict::Here,
            Route::Local if writes || standing.reads => Verdict::Here,
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

    /// Waits, unless the command has been waiting for too long.
    #[cold]
    fn wait(&mut self, hold: Hold) -> Verdict {
        if self.has_batch() {
            return Verdict::Wait(Hold::Batch);
        }
        let since = self.session.leaderless.get().unwrap_or(self.now);
        self.session.leaderless.set(Some(since));
        if self.now.saturating_duration_since(since) > LEADER_WAIT {
            self.session.leaderless.set(None);
            return Verdict::Refuse(replies::CLUSTER_DOWN);
        }
        Verdict::Wait(hold)
    }
}

/// The one slot of a command's keys; none if it has no keys.
fn slot_of(
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
