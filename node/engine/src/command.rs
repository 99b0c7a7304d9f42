//! A command: its declaration and its handler, and the table in which requests find it.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;

use quoris_resp::{Span, Writer};

use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, Result};
use crate::slot::Slot;
use crate::spec::{Categories, Flags, Group, Spec};

/// A handler that cannot change anything.
pub type ReadHandler = fn(&ReadCx<'_>, Args<'_>, &mut Writer<'_>) -> Result;
/// A handler that runs inside an entry.
pub type WriteHandler = fn(&mut WriteCx<'_>, Args<'_>, &mut Writer<'_>) -> Result;

/// How a command runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// Answers from the applied state.
    Read(ReadHandler),
    /// Goes through the log, and runs on every replica.
    Write(WriteHandler),
    /// Has subcommands, of which one runs.
    Container(&'static [Command]),
    /// Runs in the node, outside the engine: connection, server and cluster commands.
    Node,
}

/// A command or subcommand.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its declaration.
    pub spec: Spec,
    /// Its handler.
    pub run: Run,
}

impl Command {
    /// Whether it goes through the log.
    #[inline]
    pub const fn writes(&self) -> bool {
        matches!(self.run, Run::Write(_))
    }

    /// Its ACL categories: those of its group, its flags and what the declaration adds.
    pub const fn categories(&self) -> Categories {
        let flags = self.spec.flags;
        let mut all = match self.run {
            // What a container is about is said of its subcommands.
            Run::Container(_) => self.spec.categories,
            // SORT is about keys of some types, not about keys as such.
            _ if self.spec.categories.has(Categories::SORTED_SET) => self.spec.categories,
            _ => self.spec.group.category().or(self.spec.categories),
        };
        all = match self.run {
            // What a script does is not known of EVAL.
            _ if matches!(self.spec.group, Group::Scripting) => all,
            Run::Write(_) => all.or(Categories::WRITE),
            Run::Read(_) => all.or(Categories::READ),
            _ => all,
        };
        if flags.has(Flags::ADMIN) {
            all = all.or(Categories::ADMIN).or(Categories::DANGEROUS);
        }
        if flags.has(Flags::PUBSUB) {
            all = all.or(Categories::PUBSUB);
        }
        if flags.has(Flags::BLOCKING) {
            all = all.or(Categories::BLOCKING);
        }
        all.or(if flags.has(Flags::FAST) { Categories::FAST } else { Categories::SLOW })
    }
}

/// The words of a request: word 0 is the command's name.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    prepared: Option<Prepared>,
}

/// Slot and hash of a key, computed when the request was parsed so that its memory could be
/// prefetched, and used again when the request runs.
#[derive(Clone, Copy, Debug)]
pub struct Prepared {
    /// Which word of the request is the key.
    pub word: u32,
    /// Its slot.
    pub slot: Slot,
    /// Its hash under the engine's seed.
    pub hash: u64,
}

impl<'a> Args<'a> {
    /// The words that `spans` cut out of `bytes`.
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        Args { bytes, spans, prepared: None }
    }

    /// The same words, with slot and hash of one key known.
    #[must_use]
    pub fn prepared(mut self, prepared: Option<Prepared>) -> Self {
        self.prepared = prepared;
        self
    }

    /// Slot and hash of a key, if they were computed ahead.
    #[inline]
    pub(crate) fn ready(&self) -> Option<Prepared> {
        self.prepared
    }

    /// Slot and hash of word `index`, if they were computed ahead.
    pub(crate) fn prepared_for(&self, bytes: &[u8]) -> Option<Prepared> {
        self.prepared.filter(|ready| core::ptr::eq(self.get(ready.word as usize), bytes))
    }

    /// How many words there are, the name included.
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "a request has at least its name")]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Word `index`. Panics beyond the end: the arity was checked.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.spans[index].of(self.bytes)
    }

    /// Word `index`, if there is one.
    pub fn try_get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| span.of(self.bytes))
    }

    /// The words from `index` on.
    pub fn from(&self, index: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        let bytes = self.bytes;
        self.spans[index.min(self.spans.len())..].iter().map(move |span| span.of(bytes))
    }
}

impl core::ops::Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        self.spans[index].of(self.bytes)
    }
}

/// The number of a command in its table, for statistics and access rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandId(pub u16);

/// All commands by name. Names are compared without regard to case.
pub struct CommandTable {
    commands: Vec<&'static Command>,
    /// Open addressing over the first sixteen bytes of the lower-cased name; 0 is an empty place,
    /// otherwise the number of the command plus one.
    places: Vec<(u128, u16)>,
}

impl CommandTable {
    /// A table of all commands of `families`.
    pub fn new(families: &[&'static [Command]]) -> Self {
        Self::of(families.iter().copied().flatten())
    }

    /// A table of `commands`, numbered in the order given.
    pub fn of(commands: impl IntoIterator<Item = &'static Command>) -> Self {
        let commands: Vec<&'static Command> = commands.into_iter().collect();
        let mut table = CommandTable {
            places: vec![(0, 0); (commands.len() * 4).next_power_of_two()],
            commands,
        };
        for id in 0..table.commands.len() {
            let packed = pack(table.commands[id].spec.name.as_bytes());
            let mut place = table.place_of(packed);
            while table.places[place].1 != 0 {
                place = (place + 1) & (table.places.len() - 1);
            }
            table.places[place] = (packed, id as u16 + 1);
        }
        table
    }

    /// The command called `name`.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<(CommandId, &'static Command)> {
        let packed = pack(name);
        let mut place = self.place_of(packed);
        loop {
            let (found, id) = self.places[place];
            if id == 0 {
                return None;
            }
            let command = self.commands[id as usize - 1];
            if found == packed
                && (name.len() <= 16 && command.spec.name.len() == name.len()
                    || name.eq_ignore_ascii_case(command.spec.name.as_bytes()))
            {
                return Some((CommandId(id - 1), command));
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// The command or subcommand that a request names, if the request has enough words for it. The
    /// number is that of the command, or of the container that holds the subcommand.
    ///
    /// # Errors
    /// Redis's texts for an unknown command or subcommand and for a wrong number of arguments.
    pub fn check(&self, args: &Args<'_>) -> Result<(CommandId, &'static Command)> {
        let Some((id, command)) = self.find(&args[0]) else { return Err(unknown(args)) };
        let Run::Container(subcommands) = command.run else {
            if !command.spec.accepts(args.len()) {
                return Err(CommandError::arity(command.spec.name));
            }
            return Ok((id, command));
        };
        let Some(word) = args.try_get(1) else {
            return Err(CommandError::arity(command.spec.name));
        };
        let Some(found) = find_subcommand(subcommands, word) else {
            return Err(CommandError::unknown_subcommand(command.spec.name, word));
        };
        if !found.spec.accepts(args.len()) {
            let name = format!("{}|{}", command.spec.name, found.spec.name);
            return Err(CommandError::arity(&name));
        }
        Ok((id, found))
    }

    /// The command with this number.
    pub fn get(&self, id: CommandId) -> &'static Command {
        self.commands[id.0 as usize]
    }

    /// All commands, by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static Command> {
        self.commands.iter().copied()
    }

    #[inline]
    fn place_of(&self, packed: u128) -> usize {
        let mixed = (packed as u64 ^ ((packed >> 64) as u64).rotate_left(29))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.places.len() - 1)
    }
}

/// `ERR unknown command …`, quoting the request's first words as Redis does.
fn unknown(args: &Args<'_>) -> CommandError {
    let mut words = String::new();
    for word in args.from(1) {
        if words.len() >= 128 {
            break;
        }
        let room = 128 - words.len();
        let word = String::from_utf8_lossy(&word[..word.len().min(room)]);
        let _ = write!(words, "'{word}' ");
    }
    let name = String::from_utf8_lossy(&args[0][..args[0].len().min(128)]);
    CommandError::text(format!("ERR unknown command '{name}', with args beginning with: {words}"))
}

/// The first sixteen bytes of a name, lower-cased, as one integer.
#[inline]
fn pack(name: &[u8]) -> u128 {
    let mut bytes = [0u8; 16];
    let len = name.len().min(16);
    bytes[..len].copy_from_slice(&name[..len]);
    for byte in &mut bytes {
        *byte = byte.to_ascii_lowercase();
    }
    u128::from_le_bytes(bytes)
}

/// The subcommand of a container called `name`.
pub fn find_subcommand(container: &'static [Command], name: &[u8]) -> Option<&'static Command> {
    container.iter().find(|sub| name.eq_ignore_ascii_case(sub.spec.name.as_bytes()))
}
