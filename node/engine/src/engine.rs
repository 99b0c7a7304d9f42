//! Applies entries and answers reads.

use core::cell::RefCell;

use quoris_resp::Writer;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::command::{Args, Command, CommandTable, Prepared, Run, find_subcommand};
use crate::commands::FAMILIES;
use crate::context::{Lookups, ReadCx, WriteCx};
use crate::effects::{Effects, Interests};
use crate::error::{CommandError, DB_OUT_OF_RANGE, Result};
use crate::keyspace::{Garbage, Key, KeyHasher, Keyspace, ValueRef};
use crate::rng::Rng;
use crate::scripting::{ScriptHost, Scripting};
use crate::settings::Settings;
use crate::spec::Group;

/// What the leader decided for an entry, so that every replica decides the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The time for everything in the entry, in milliseconds since the Unix epoch. Never earlier
    /// than that of the entry before.
    pub now_ms: u64,
    /// The seed of every random choice in the entry.
    pub seed: u64,
    /// Which revision of behaviour applies, so that a rolling upgrade cannot make replicas diverge.
    pub engine_version: u32,
}

/// The random values that a cluster draws once, when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// Keys the hash function against flooding.
    pub hash: [u8; 16],
}

/// The state machine of a shard.
pub struct Engine {
    pub(crate) keyspace: Keyspace,
    pub(crate) settings: Settings,
    pub(crate) last_stamp: Stamp,
    pub(crate) scripting: Scripting,
    table: CommandTable,
    pub(crate) lookups: Lookups,
}

impl Engine {
    /// An empty engine.
    pub fn new(settings: Settings, seeds: Seeds) -> Self {
        Engine {
            keyspace: Keyspace::new(settings.databases, KeyHasher::new(seeds.hash)),
            settings,
            last_stamp: Stamp::default(),
            scripting: Scripting::default(),
            table: CommandTable::new(FAMILIES),
            lookups: Lookups::default(),
        }
    }

    /// Gives the engine what runs its scripts; without it, scripts are refused.
    pub fn set_script_host(&mut self, host: Box<dyn ScriptHost>) {
        self.scripting.set_host(host);
    }

    /// Takes the host of scripts from another engine, which this one replaces.
    pub fn inherit_script_host(&mut self, from: &mut Engine) {
        if let Some(host) = from.scripting.take_host() {
            self.set_script_host(host);
        }
    }

    /// All that it holds, to be dropped where nobody waits for it.
    pub fn into_garbage(self) -> Garbage {
        self.keyspace.into_garbage()
    }

    /// The commands that the engine itself runs.
    pub fn table(&self) -> &CommandTable {
        &self.table
    }

    /// The keyspace, for statistics, listings and digests.
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// How often reads found their key since the engine was made.
    pub fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// Replicated settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The stamp of the last entry.
    pub fn last_stamp(&self) -> Stamp {
        self.last_stamp
    }

    /// Answers a command that cannot change anything.
    ///
    /// `now_ms` is the leader's clock and `seed` any number; a time before the last applied stamp
    /// counts as that stamp's. An error is written as the reply, and returned for statistics.
    ///
    /// # Errors
    /// The client's mistake.
    pub fn read(
        &self,
        at: ReadAt,
        command: &'static Command,
        args: Args<'_>,
        reply: &mut Writer<'_>,
    ) -> Result {
        let mark = reply.mark();
        // It could be selected while there were more of them.
        if at.db >= self.keyspace.database_count() {
            return answer(Err(DB_OUT_OF_RANGE), mark, reply);
        }
        let cx = ReadCx {
            keyspace: &self.keyspace,
            settings: &self.settings,
            scripting: &self.scripting,
            table: &self.table,
            db: at.db,
            now_ms: at.now_ms.max(self.last_stamp.now_ms),
            rng: RefCell::new(Rng::new(at.seed)),
            lookups: &self.lookups,
        };
        let Run::Read(handler) = command.run else {
            unreachable!("only reading commands are routed here");
        };
        answer(handler(&cx, args, reply), mark, reply)
    }

    /// Whether a request to run a script or function, which has a reading counterpart (`EVAL_RO`),
    /// can run as that: what it names states that it never writes.
    pub fn is_reading_script(&self, command: &Command, args: &Args<'_>) -> bool {
        self.scripting.states_no_writes(command.spec.name, &args[1])
    }

    /// From here on the keys that scripts read outside an entry are noted, if they are wanted.
    pub fn begin_script_reads(&self, are_wanted: bool) {
        self.scripting.reads.begin(are_wanted);
    }

    /// The keys that have been noted. None are from here on.
    pub fn end_script_reads(&self) -> Vec<Vec<u8>> {
        self.scripting.reads.end()
    }

    /// Slot and hash of a key, for [`Args::prepared`] and for prefetching.
    #[inline]
    pub fn prepare(&self, word: usize, key: &[u8]) -> Prepared {
        let Key { slot, hash, .. } = self.keyspace.key(key);
        Prepared { word: word as u32, slot, hash }
    }

    /// Up to `limit` keys that have expired at `now_ms`, of all databases, for the leader to propose
    /// `quoris.expire` for. Walks on from where `place` points to and moves it; slots in which no
    /// key can have expired yet are passed over.
    pub fn expired_sample(
        &mut self,
        now_ms: u64,
        limit: usize,
        place: &mut ExpiryPlace,
    ) -> Vec<(u16, Vec<u8>)> {
        let mut found = Vec::new();
        let count = self.keyspace.database_count();
        for _ in 0..=count {
            let (db, from) = (place.db.min(count - 1), place.slot);
            let mut keys = Vec::new();
            let database = self.keyspace.database_mut(db);
            place.slot = database.expired(from, now_ms, limit - found.len(), &mut keys);
            found.extend(keys.into_iter().map(|key| (db, key)));
            if place.slot > 0 || found.len() >= limit {
                break;
            }
            place.db = (db + 1) % count;
        }
        found
    }

    /// Opens an entry. Its commands run in the order of the calls.
    pub fn begin(&mut self, stamp: Stamp, interests: Interests) -> Applying<'_> {
        self.last_stamp = Stamp { now_ms: stamp.now_ms.max(self.last_stamp.now_ms), ..stamp };
        self.resume(Suspended { rng: Rng::new(stamp.seed), effects: Effects::default(), interests })
    }

    /// Goes on with the entry that was suspended last.
    pub fn resume(&mut self, suspended: Suspended) -> Applying<'_> {
        let Suspended { rng, effects, interests } = suspended;
        Applying { engine: self, rng, effects, interests }
    }

    /// How many elements there are at a key, as of the last stamp, and which group of commands can
    /// wait for them.
    pub fn elements_to_pop(&self, db: u16, key: &[u8]) -> Option<(Group, usize)> {
        if !matches!(self.key_state(db, key, 0), KeyState::Live { .. }) {
            return None;
        }
        let entry = self.keyspace.database(db).get(&self.keyspace.key(key))?;
        match entry.value() {
            ValueRef::List(list) => Some((Group::List, list.len())),
            ValueRef::SortedSet(set) => Some((Group::SortedSet, set.len())),
            _ => None,
        }
    }

    /// What there is under a key at `now_ms`; a time before the last applied stamp counts as that
    /// stamp's.
    pub fn key_state(&self, db: u16, key: &[u8], now_ms: u64) -> KeyState {
        let now_ms = now_ms.max(self.last_stamp.now_ms);
        match self.keyspace.database(db).get(&self.keyspace.key(key)) {
            None => KeyState::Missing,
            Some(entry) => match entry.expire_at_ms() {
                Some(at) if at <= now_ms => KeyState::Expired,
                expire_at_ms => KeyState::Live { expire_at_ms },
            },
        }
    }
}

/// What there is under a key, beside its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Nothing.
    Missing,
    /// A value whose time is over, but whose removal has not been decided yet.
    Expired,
    /// A value.
    Live {
        /// When it expires, in milliseconds since the Unix epoch.
        expire_at_ms: Option<u64>,
    },
}

/// How far [`Engine::expired_sample`] has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExpiryPlace {
    db: u16,
    slot: usize,
}

/// The circumstances of a read outside an entry.
#[derive(Clone, Copy, Debug)]
pub struct ReadAt {
    /// The selected database, which exists.
    pub db: u16,
    /// The reader's clock, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Seeds random choices of the reply.
    pub seed: u64,
}

/// An entry whose commands pause, so that somebody else can look at the engine.
#[must_use = "the entry has to be finished"]
pub struct Suspended {
    rng: Rng,
    effects: Effects,
    interests: Interests,
}

/// An entry that is being applied.
pub struct Applying<'e> {
    engine: &'e mut Engine,
    rng: Rng,
    effects: Effects,
    interests: Interests,
}

impl Applying<'_> {
    /// Runs one writing command and writes its reply.
    ///
    /// # Errors
    /// The client's mistake, which has been written as the reply too.
    pub fn run(
        &mut self,
        db: u16,
        command: &'static Command,
        args: Args<'_>,
        reply: &mut Writer<'_>,
    ) -> Result {
        let Run::Write(handler) = command.run else {
            unreachable!("an entry holds writing commands only");
        };
        self.engine.keyspace.make_room(db);
        let mut cx = WriteCx {
            db,
            now_ms: self.engine.last_stamp.now_ms,
            keyspace: &mut self.engine.keyspace,
            settings: &mut self.engine.settings,
            scripting: &mut self.engine.scripting,
            table: &self.engine.table,
            rng: &mut self.rng,
            effects: &mut self.effects,
            interests: self.interests,
        };
        let mark = reply.mark();
        cx.effects.found_nothing = false;
        cx.effects.script_reads.clear();
        answer(handler(&mut cx, args, reply), mark, reply)
    }

    /// Whether the command that ran last can wait for its keys and has found nothing in them.
    pub fn found_nothing(&self) -> bool {
        self.effects.found_nothing
    }

    /// The keys that the command that ran last has read, if it is a script and somebody asked for
    /// them ([`Interests::script_reads`]).
    #[inline]
    pub fn script_reads(&self) -> &[Vec<u8>] {
        &self.effects.script_reads
    }

    /// The engine, as it is at this point of the entry.
    #[inline]
    pub fn engine(&self) -> &Engine {
        self.engine
    }

    /// How many effects there are so far.
    #[inline]
    pub fn effect_count(&self) -> usize {
        self.effects.list.len()
    }

    /// Answers a read that rides along with the entry without being part of it.
    ///
    /// # Errors
    /// The client's mistake, which has been written as the reply too.
    pub fn read(
        &self,
        at: ReadAt,
        command: &'static Command,
        args: Args<'_>,
        reply: &mut Writer<'_>,
    ) -> Result {
        self.engine.read(at, command, args, reply)
    }

    /// Lets go of the engine for a moment. Nothing may be applied before [`Engine::resume`].
    pub fn suspend(self) -> Suspended {
        Suspended { rng: self.rng, effects: self.effects, interests: self.interests }
    }

    /// Closes the entry.
    pub fn finish(mut self) -> Effects {
        self.effects.garbage = self.engine.keyspace.take_garbage();
        self.effects
    }
}

impl Engine {
    /// The command or subcommand that a request names.
    pub fn resolve(&self, args: &Args<'_>) -> Option<&'static Command> {
        let (_, command) = self.table.find(&args[0])?;
        match command.run {
            Run::Container(subcommands) => find_subcommand(subcommands, args.try_get(1)?),
            _ => Some(command),
        }
    }
}

/// Replaces whatever a failed handler has written by its error.
fn answer(outcome: Result, mark: usize, reply: &mut Writer<'_>) -> Result {
    if let Err(error) = &outcome {
        reply.rewind(mark);
        reply.error(CommandError::as_str(error));
    }
    outcome
}
