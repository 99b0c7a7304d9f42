//! Scripts that only read, and the other commands while one of them runs.

use quoris_engine::{Args, Command, ReadAt, Run};
use tokio::time::Instant;

use super::chunk::Found;
use super::run::{Runner, Step, Verdict};
use super::silence;
use crate::observe::Ran;
use crate::registry::Entry;
use crate::scripts::{Call, Said, Started};
use crate::session::Hold;

impl Runner<'_> {
    /// Runs a script, unless it takes so long that the connection has to wait for it.
    /// It runs as `command`, which only reads.
    pub(super) fn script(
        &mut self,
        entry: &Entry,
        command: &'static Command,
        args: Args<'_>,
        output: &mut Vec<u8>,
    ) -> Step {
        let db = self.session.db.get();
        let at = ReadAt { db, now_ms: self.now_ms, seed: self.now_ms };
        self.tally.before(entry);
        let call = Call::new(&args, entry, command, at);
        match self.shared.start_script(self.session, call, Instant::now()) {
            Started::Ended(Said { reply, result, keys }) => {
                let time = self.tally.after(entry);
                if let Err(error) = result {
                    self.shared.stats.failed(entry.number);
                    self.shared.count_error(&error);
                }
                self.shared.remember_script_reads(self.session, &keys);
                self.shared.observed(&Ran { session: self.session, entry, args, db, time });
                let mark = output.len();
                output.extend_from_slice(&reply);
                silence(self.session, output, mark);
                Step::Next
            }
            Started::GoesOn(later) => {
                *self.session.later.borrow_mut() = Some(later);
                Step::Done(Hold::Later)
            }
        }
    }

    /// Answers a command that cannot run while a script does: what is wrong with it anyway is said
    /// at once, the rest waits until that takes too long.
    #[cold]
    pub(super) fn while_script_runs(
        &mut self,
        found: &Found,
        entry: &Entry,
        args: Args<'_>,
        output: &mut Vec<u8>,
    ) -> Option<Step> {
        if self.has_batch {
            return Some(Step::Stop(Hold::Batch));
        }
        if let Run::Read(_) | Run::Write(_) = entry.command.run
            && !self.session.is_in_multi()
        {
            let first = found.prepared.map(|ready| ready.slot);
            match self.verdict(entry, &args, first, entry.command.writes()) {
                Verdict::Refuse(error) => return Some(self.refuse(entry, &error, output)),
                Verdict::Wait(Hold::Leader) => return Some(Step::Stop(Hold::Leader)),
                // Entries are not applied, so that nobody could say more about the lease.
                Verdict::Here | Verdict::Wait(_) => {}
            }
        }
        Some(match self.shared.busy(self.now) {
            Some(error) => self.refuse(entry, &error, output),
            None => Step::Stop(Hold::Script),
        })
    }
}
