//! What `redis.call` does: finds the command, and runs it where the script runs.

use alloc::vec::Vec;
use core::cell::RefCell;

use quoris_resp::{Protocol, Writer};

use super::here::{self, Here};
use super::rules::{self, NO_WRITES, NOT_ALLOWED, Slots};
use super::{Calls, Parameters};
use crate::command::{Args, Command, Run};
use crate::context::{Lookups, ReadCx, WriteCx};
use crate::effects::Effect;
use crate::error::Result;
use crate::rng::Rng;

/// The calls of a script that runs in an entry.
pub(crate) struct Writing<'c, 'e> {
    cx: &'c mut WriteCx<'e>,
    /// What `SELECT` chose for the rest of the script.
    db: u16,
    seed: u64,
    slots: Slots,
    /// Hits and misses on every replica, which nobody counts.
    lookups: Lookups,
    /// Whether the script has renounced writing.
    reads_only: bool,
}

impl<'c, 'e> Writing<'c, 'e> {
    pub(crate) fn new(
        cx: &'c mut WriteCx<'e>,
        parameters: &Parameters<'_>,
        reads_only: bool,
    ) -> Self {
        let (db, seed) = (cx.db, cx.rng.next_u64());
        let slots = Slots::new(cx.settings, parameters.keys());
        Writing { cx, db, seed, slots, lookups: Lookups::default(), reads_only }
    }

    fn run(&mut self, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
        if let Some(here) = Here::find(&args)? {
            return self.run_here(here, &args, reply);
        }
        let command = rules::find(self.cx.table, &args, true)?;
        if self.reads_only && command.writes() {
            return Err(NO_WRITES);
        }
        self.slots.check(self.cx.settings, command, &args)?;
        match command.run {
            Run::Write(handler) => handler(&mut self.cx.in_database(self.db), args, reply),
            Run::Read(handler) => {
                self.note_read(command, &args);
                let seed = self.cx.rng.next_u64();
                let cx = ReadCx {
                    keyspace: self.cx.keyspace,
                    settings: self.cx.settings,
                    scripting: self.cx.scripting,
                    table: self.cx.table,
                    db: self.db,
                    now_ms: self.cx.now_ms,
                    rng: RefCell::new(Rng::new(seed)),
                    lookups: &self.lookups,
                };
                handler(&cx, args, reply)
            }
            Run::Container(_) | Run::Node => Err(NOT_ALLOWED),
        }
    }

    /// Clients that cache what they read are told of changes to it.
    fn note_read(&mut self, command: &'static Command, args: &Args<'_>) {
        if self.cx.interests.script_reads {
            let keys = rules::key_words(command, args).into_iter().map(|word| args[word].to_vec());
            self.cx.effects.script_reads.extend(keys);
        }
    }

    fn run_here(&mut self, here: Here, args: &Args<'_>, reply: &mut Writer<'_>) -> Result {
        match here {
            Here::Echo | Here::Ping => here::echo(args, reply),
            Here::Time => here::time(self.cx.now_ms, reply),
            Here::Select => {
                self.db = here::select(args, self.cx.keyspace.database_count())?;
                reply.ok();
            }
            Here::Publish { .. } if self.reads_only => return Err(NO_WRITES),
            Here::Publish { sharded } => {
                let (channel, message) = here::published(args);
                self.cx.effects.list.push(Effect::Publish { channel, message, sharded });
                // Who will receive it is not known where the entry is applied.
                reply.integer(0);
            }
        }
        Ok(())
    }
}

impl Calls for Writing<'_, '_> {
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) {
        answer(reply, protocol, |reply| self.run(args, reply));
    }

    fn writes(&self) -> bool {
        true
    }

    fn exists(&self, args: &Args<'_>) -> bool {
        exists(self.cx.table, args)
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn now_ms(&self) -> u64 {
        self.cx.now_ms
    }
}

/// The calls of a script that runs as a read.
pub(crate) struct Reading<'c, 'e> {
    cx: &'c ReadCx<'e>,
    db: u16,
    seed: u64,
    slots: Slots,
}

impl<'c, 'e> Reading<'c, 'e> {
    pub(crate) fn new(cx: &'c ReadCx<'e>, parameters: &Parameters<'_>) -> Self {
        let seed = cx.rng.borrow_mut().next_u64();
        Reading { cx, db: cx.db, seed, slots: Slots::new(cx.settings, parameters.keys()) }
    }

    fn run(&mut self, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
        match Here::find(&args)? {
            None => {}
            Some(Here::Echo | Here::Ping) => {
                here::echo(&args, reply);
                return Ok(());
            }
            Some(Here::Time) => {
                here::time(self.cx.now_ms, reply);
                return Ok(());
            }
            Some(Here::Publish { .. }) => return Err(NO_WRITES),
            Some(Here::Select) => {
                self.db = here::select(&args, self.cx.keyspace.database_count())?;
                reply.ok();
                return Ok(());
            }
        }
        let command = rules::find(self.cx.table, &args, false)?;
        let handler = match command.run {
            Run::Read(handler) => handler,
            Run::Write(_) => return Err(NO_WRITES),
            Run::Container(_) | Run::Node => return Err(NOT_ALLOWED),
        };
        self.slots.check(self.cx.settings, command, &args)?;
        let seed = self.cx.rng.borrow_mut().next_u64();
        let cx = ReadCx {
            keyspace: self.cx.keyspace,
            settings: self.cx.settings,
            scripting: self.cx.scripting,
            table: self.cx.table,
            db: self.db,
            now_ms: self.cx.now_ms,
            rng: RefCell::new(Rng::new(seed)),
            lookups: self.cx.lookups,
        };
        handler(&cx, args, reply)
    }
}

impl Calls for Reading<'_, '_> {
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) {
        answer(reply, protocol, |reply| self.run(args, reply));
    }

    fn writes(&self) -> bool {
        false
    }

    fn exists(&self, args: &Args<'_>) -> bool {
        exists(self.cx.table, args)
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn now_ms(&self) -> u64 {
        self.cx.now_ms
    }
}

/// Whether there is such a command, here or in the node.
fn exists(table: &crate::command::CommandTable, args: &Args<'_>) -> bool {
    table.check(args).is_ok() || matches!(Here::find(args), Ok(Some(_)))
}

/// Appends a reply, or the error that came instead.
fn answer(reply: &mut Vec<u8>, protocol: Protocol, run: impl FnOnce(&mut Writer<'_>) -> Result) {
    let mut writer = Writer::new(reply, protocol);
    let mark = writer.mark();
    if let Err(error) = run(&mut writer) {
        writer.rewind(mark);
        writer.error(error.as_str());
    }
}
