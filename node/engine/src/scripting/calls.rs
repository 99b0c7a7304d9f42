//! What `redis.call` does: finds the command, and runs it where the script runs.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use quoris_resp::{Protocol, Writer};

use super::here::{self, Here};
use super::rules::{self, NO_WRITES, NOT_ALLOWED, Slots};
use super::{Calls, Parameters, Scripting};
use crate::command::{Args, Command, CommandTable, Run};
use crate::context::{Lookups, ReadCx, WriteCx};
use crate::effects::Effect;
use crate::error::Result;
use crate::keyspace::Keyspace;
use crate::rng::Rng;
use crate::settings::Settings;

/// The calls of a script that runs in `W`.
pub(crate) struct Calling<W> {
    world: W,
    /// What `SELECT` chose for the rest of the script.
    db: u16,
    seed: u64,
    slots: Slots,
}

/// The calls of a script that runs in an entry.
pub(crate) type Writing<'c, 'e> = Calling<Entry<'c, 'e>>;
/// The calls of a script that runs as a read.
pub(crate) type Reading<'c, 'e> = Calling<&'c ReadCx<'e>>;

/// Where a script runs.
pub(crate) trait World {
    /// Whether that is an entry.
    const IS_ENTRY: bool;

    /// What both kinds have.
    fn place(&self) -> Place<'_>;

    /// The next number of the generator.
    fn draw(&mut self) -> u64;

    /// Whether nothing may be written.
    fn reads_only(&self) -> bool;

    /// Remembers the keys that a command is about to read, if somebody wants to know.
    fn note_read(&mut self, command: &'static Command, args: &Args<'_>);

    /// Runs a writing command, which is allowed here.
    ///
    /// # Errors
    /// The command's.
    fn write(&mut self, db: u16, command: Run, args: Args<'_>, reply: &mut Writer<'_>) -> Result;

    /// Publishes a message, which is allowed here.
    fn publish(&mut self, message: Effect);
}

/// What a script can see of an engine.
pub(crate) struct Place<'p> {
    keyspace: &'p Keyspace,
    settings: &'p Settings,
    scripting: &'p Scripting,
    table: &'p CommandTable,
    now_ms: u64,
    lookups: &'p Lookups,
}

/// An entry that runs a script.
pub(crate) struct Entry<'c, 'e> {
    cx: &'c mut WriteCx<'e>,
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
        let db = cx.db;
        Calling::in_world(Entry { cx, lookups: Lookups::default(), reads_only }, db, parameters)
    }
}

impl<'c, 'e> Reading<'c, 'e> {
    pub(crate) fn new(cx: &'c ReadCx<'e>, parameters: &Parameters<'_>) -> Self {
        Calling::in_world(cx, cx.db, parameters)
    }
}

impl<W: World> Calling<W> {
    fn in_world(mut world: W, db: u16, parameters: &Parameters<'_>) -> Self {
        let seed = world.draw();
        let slots = Slots::new(world.place().settings, parameters.keys());
        Calling { world, db, seed, slots }
    }

    fn run(&mut self, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
        if let Some(here) = Here::find(&args)? {
            return self.run_here(here, &args, reply);
        }
        let place = self.world.place();
        let command = rules::find(place.table, &args, W::IS_ENTRY)?;
        if command.writes() && self.world.reads_only() {
            return Err(NO_WRITES);
        }
        self.slots.check(place.settings, command, &args)?;
        match command.run {
            Run::Write(_) => self.world.write(self.db, command.run, args, reply),
            Run::Read(handler) => {
                self.world.note_read(command, &args);
                let rng = RefCell::new(Rng::new(self.world.draw()));
                let Place { keyspace, settings, scripting, table, now_ms, lookups } =
                    self.world.place();
                let db = self.db;
                let cx = ReadCx { keyspace, settings, scripting, table, db, now_ms, rng, lookups };
                handler(&cx, args, reply)
            }
            Run::Container(_) | Run::Node => Err(NOT_ALLOWED),
        }
    }

    fn run_here(&mut self, here: Here, args: &Args<'_>, reply: &mut Writer<'_>) -> Result {
        match here {
            Here::Echo | Here::Ping => here::echo(args, reply),
            Here::Time => here::time(self.world.place().now_ms, reply),
            Here::Select => {
                self.db = here::select(args, self.world.place().keyspace.database_count())?;
                reply.ok();
            }
            Here::Publish { .. } if self.world.reads_only() => return Err(NO_WRITES),
            Here::Publish { sharded } => {
                let (channel, message) = here::published(args);
                self.world.publish(Effect::Publish { channel, message, sharded });
                // Who will receive it is not known where the entry is applied.
                reply.integer(0);
            }
        }
        Ok(())
    }
}

impl<W: World> Calls for Calling<W> {
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) {
        let mut writer = Writer::new(reply, protocol);
        let mark = writer.mark();
        if let Err(error) = self.run(args, &mut writer) {
            writer.rewind(mark);
            writer.error(error.as_str());
        }
    }

    fn writes(&self) -> bool {
        W::IS_ENTRY
    }

    fn exists(&self, args: &Args<'_>) -> bool {
        self.world.place().table.check(args).is_ok() || matches!(Here::find(args), Ok(Some(_)))
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn now_ms(&self) -> u64 {
        self.world.place().now_ms
    }
}

impl World for Entry<'_, '_> {
    const IS_ENTRY: bool = true;

    fn place(&self) -> Place<'_> {
        Place {
            keyspace: self.cx.keyspace,
            settings: self.cx.settings,
            scripting: self.cx.scripting,
            table: self.cx.table,
            now_ms: self.cx.now_ms,
            lookups: &self.lookups,
        }
    }

    fn draw(&mut self) -> u64 {
        self.cx.rng.next_u64()
    }

    fn reads_only(&self) -> bool {
        self.reads_only
    }

    fn note_read(&mut self, command: &'static Command, args: &Args<'_>) {
        if self.cx.interests.script_reads {
            let keys = rules::key_words(command, args).into_iter().map(|word| args[word].to_vec());
            self.cx.effects.script_reads.extend(keys);
        }
    }

    fn write(&mut self, db: u16, command: Run, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
        let Run::Write(handler) = command else { unreachable!("it is a writing command") };
        handler(&mut self.cx.in_database(db), args, reply)
    }

    fn publish(&mut self, message: Effect) {
        self.cx.effects.list.push(message);
    }
}

impl World for &ReadCx<'_> {
    const IS_ENTRY: bool = false;

    fn place(&self) -> Place<'_> {
        Place {
            keyspace: self.keyspace,
            settings: self.settings,
            scripting: self.scripting,
            table: self.table,
            now_ms: self.now_ms,
            lookups: self.lookups,
        }
    }

    fn draw(&mut self) -> u64 {
        self.rng.borrow_mut().next_u64()
    }

    fn reads_only(&self) -> bool {
        true
    }

    fn note_read(&mut self, command: &'static Command, args: &Args<'_>) {
        self.scripting.reads.note(command, args);
    }

    fn write(&mut self, _: u16, _: Run, _: Args<'_>, _: &mut Writer<'_>) -> Result {
        Err(NO_WRITES)
    }

    fn publish(&mut self, _: Effect) {
        unreachable!("a read publishes nothing");
    }
}

/// The keys that a script has read outside an entry, for clients that cache them.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    is_wanted: Cell<bool>,
    /// Each of them once, since such a script may go on for long.
    keys: RefCell<BTreeSet<Vec<u8>>>,
}

impl Reads {
    /// Begins anew; nothing is noted unless somebody wants it.
    pub(crate) fn begin(&self, is_wanted: bool) {
        self.is_wanted.set(is_wanted);
        self.keys.take();
    }

    /// What has been read since then.
    pub(crate) fn end(&self) -> Vec<Vec<u8>> {
        self.is_wanted.set(false);
        self.keys.take().into_iter().collect()
    }

    fn note(&self, command: &'static Command, args: &Args<'_>) {
        if !self.is_wanted.get() {
            return;
        }
        let mut keys = self.keys.borrow_mut();
        for word in rules::key_words(command, args) {
            if !keys.contains(&args[word]) {
                keys.insert(args[word].to_vec());
            }
        }
    }
}
