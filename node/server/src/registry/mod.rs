//! All commands that clients may call: the engine's, and those that the node runs itself.

mod declare;

use std::cell::Cell;

use quoris_engine::commands::FAMILIES;
use quoris_engine::spec::{Begin, Find, Flags, Group, KeyAccess, Spec};
use quoris_engine::{Args, Command, CommandTable, Run};

use self::declare::Handlers;
pub use self::declare::{Handler, NodeCommand, NodeCx, Outcome, Subcommands, declarations};
use crate::scripts::{PARTS, Part};

/// Where the keys of a command are, in the form that routing wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// There are none.
    None,
    /// Exactly one, which is this word.
    One(u8),
    /// To be looked for with the key specifications; the first is this word if that is known.
    Several(Option<u8>),
}

impl Keys {
    /// The word of the first key, where that does not take a search.
    #[inline]
    pub fn first(self) -> Option<usize> {
        match self {
            Keys::One(word) | Keys::Several(Some(word)) => Some(word as usize),
            Keys::None | Keys::Several(None) => None,
        }
    }
}

/// What a command is to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is queued after `MULTI`.
    Queued,
    /// It runs at once, also behind writes of the same pipeline: it only concerns the session.
    Instant,
    /// It is not queued.
    Free,
    /// `WATCH`, which is not queued and goes where the keys are.
    Watch,
    /// `EXEC`.
    Exec,
    /// `SELECT`: those behind it run in another database.
    Select,
}

impl Role {
    fn of(command: &Command, container: Option<&str>) -> Role {
        match (command.spec.name, container) {
            ("multi" | "discard", None) => Role::Instant,
            ("exec", None) => Role::Exec,
            ("watch", None) => Role::Watch,
            ("quit" | "reset", None) => Role::Free,
            ("select", None) => Role::Select,
            _ => Role::Queued,
        }
    }
}

/// A command or subcommand that can run.
pub struct Entry {
    /// Its number: the index of its statistics.
    pub number: u16,
    /// Its declaration.
    pub command: &'static Command,
    /// The name of the command that it is a subcommand of.
    pub container: Option<&'static str>,
    /// Its keys.
    pub keys: Keys,
    /// It runs a script: as this command, if that only reads.
    pub(crate) reader: Option<&'static Command>,
    /// It takes about the same short time whenever it is called.
    pub is_cheap: bool,
    /// What it is to a transaction.
    pub(crate) role: Role,
    /// How the node runs it, even if the engine could; `None` if the engine does. A write of the
    /// engine that has one concerns all shards: see [`Shared::concerns_all_shards`].
    ///
    /// [`Shared::concerns_all_shards`]: crate::shared::Shared::concerns_all_shards
    pub(crate) handler: Option<Handler>,
}

impl Entry {
    /// `get`, or `config|get`.
    pub fn full_name(&self) -> String {
        match self.container {
            Some(container) => format!("{container}|{}", self.command.spec.name),
            None => self.command.spec.name.to_owned(),
        }
    }

    /// Calls `visit` with the words of the keys of a request, until it returns true; true if it
    /// did.
    pub(crate) fn each_key(&self, args: &Args<'_>, visit: impl FnMut(usize) -> bool) -> bool {
        let mut words = Vec::new();
        for spec in self.command.spec.key_specs.iter().flatten() {
            // A request that does not fit fails in the handler, with the handler's words.
            let _ = spec.find_in(args.len(), |word| args.get(word), &mut words);
        }
        words.into_iter().any(visit)
    }

    /// Whether it may touch keys that its request does not name in the place of keys.
    pub(crate) fn touches_undeclared(&self) -> bool {
        self.keys == Keys::None || self.command.spec.group == Group::Scripting
    }

    /// Whether it is a command of the node that takes keys away.
    pub(crate) fn takes_keys(&self) -> bool {
        let specs = &self.command.spec.key_specs;
        matches!(self.command.run, Run::Node)
            && specs.iter().flatten().any(|keys| keys.access == KeyAccess::TAKE)
    }

    /// Whether it has a flag.
    #[inline]
    pub fn has(&self, flag: Flags) -> bool {
        self.command.spec.flags.has(flag)
    }
}

/// Which entries a name in the table leads to.
#[derive(Clone, Copy)]
enum Place {
    One(u16),
    /// The subcommands are numbered from here in the order of their declaration.
    Each(u16),
    /// The same, and the container itself has the number before.
    Both(u16),
}

/// All commands.
pub struct Registry {
    table: CommandTable,
    /// By the command's number in the table.
    places: Vec<Place>,
    entries: Vec<Entry>,
    /// The name found last, as it was written, and its number: pipelines repeat themselves.
    last: Cell<(u64, u16)>,
}

impl Registry {
    /// The engine's commands and those of `families`.
    pub fn new(families: &[&'static [NodeCommand]]) -> Self {
        let engine = FAMILIES.iter().copied().flatten().map(|command| (command, None));
        let node = families.iter().copied().flatten();
        let node = node.map(|node| (&node.command, Some(&node.handlers)));
        let all: Vec<_> = engine.chain(node).collect();
        let table = CommandTable::of(all.iter().map(|(command, _)| *command));
        let mut registry =
            Registry { table, places: Vec::new(), entries: Vec::new(), last: Cell::new((0, 0)) };
        for (command, handlers) in all {
            registry.add(command, handlers);
        }
        registry
    }

    fn add(&mut self, command: &'static Command, handlers: Option<&'static Handlers>) {
        let first = self.entries.len() as u16;
        let Run::Container(subs) = command.run else {
            let handler = handlers.map(|handlers| match handlers {
                Handlers::One(handler) => *handler,
                _ => unreachable!("only a container has several, and only in it is the engine's"),
            });
            self.places.push(Place::One(first));
            self.entries.push(entry(first, command, None, handler));
            return;
        };
        let alone = match handlers {
            Some(Handlers::Each(_, alone)) => *alone,
            _ => None,
        };
        if alone.is_some() {
            self.places.push(Place::Both(first + 1));
            self.entries.push(entry(first, command, None, alone));
        } else {
            self.places.push(Place::Each(first));
        }
        let first = self.entries.len() as u16;
        for (at, sub) in subs.iter().enumerate() {
            let handler = match handlers {
                Some(Handlers::Each(nodes, _)) => match nodes[at].handlers {
                    Handlers::One(handler) => Some(handler),
                    Handlers::Engine => None,
                    Handlers::Each(..) => unreachable!("subcommands have no subcommands"),
                },
                Some(_) => unreachable!("a container has several"),
                None => Self::part(command, sub),
            };
            self.entries.push(entry(first + at as u16, sub, Some(command.spec.name), handler));
        }
    }

    /// What the node runs of a container of the engine.
    fn part(container: &Command, sub: &Command) -> Option<Handler> {
        let named = |(of, name, _): &&Part| *of == container.spec.name && *name == sub.spec.name;
        PARTS.iter().find(named).map(|(.., handler)| *handler)
    }

    /// The command that a request names, if there is one and the number of words fits.
    #[inline]
    pub fn find(&self, args: &Args<'_>) -> Option<&Entry> {
        let packed = pack(&args[0]);
        let (last, number) = self.last.get();
        let entry = if packed == last && packed != 0 {
            &self.entries[number as usize]
        } else {
            self.look_up(args, packed)?
        };
        let spec = &entry.command.spec;
        (spec.accepts(args.len()) && !spec.flags.has(Flags::INTERNAL)).then_some(entry)
    }

    fn look_up(&self, args: &Args<'_>, packed: u64) -> Option<&Entry> {
        let (id, command) = self.table.find(&args[0])?;
        Some(match self.places[id.0 as usize] {
            Place::One(number) => {
                self.last.set((packed, number));
                &self.entries[number as usize]
            }
            Place::Both(first) if args.len() == 1 => &self.entries[first as usize - 1],
            Place::Each(first) | Place::Both(first) => {
                let Run::Container(subs) = command.run else { return None };
                let word = args.try_get(1)?;
                let at = subs
                    .iter()
                    .position(|sub| word.eq_ignore_ascii_case(sub.spec.name.as_bytes()))?;
                &self.entries[first as usize + at]
            }
        })
    }

    /// Why [`Registry::find`] found nothing, in Redis's words, and whose refusal it is to count.
    pub(crate) fn refusal(&self, args: &Args<'_>) -> (quoris_engine::CommandError, Option<u16>) {
        match self.table.check(args) {
            Err(error) => {
                let number = self.table.find(&args[0]).and_then(|(id, _)| {
                    match self.places[id.0 as usize] {
                        Place::One(number) => Some(number),
                        Place::Each(_) | Place::Both(_) => None,
                    }
                });
                (error, number)
            }
            // An internal command: to a client it does not exist.
            Ok(_) => (unknown(args), None),
        }
    }

    /// The number of a command without subcommands, internal ones among them.
    pub(crate) fn number_of(&self, name: &[u8]) -> Option<u16> {
        let (id, _) = self.table.find(name)?;
        match self.places[id.0 as usize] {
            Place::One(number) => Some(number),
            Place::Each(_) | Place::Both(_) => None,
        }
    }

    /// The entry with this number.
    #[inline]
    pub fn entry(&self, number: u16) -> &Entry {
        &self.entries[number as usize]
    }

    /// All commands and subcommands that can run.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All commands by name, containers among them.
    pub fn table(&self) -> &CommandTable {
        &self.table
    }
}

/// A name of up to seven bytes and its length as one number; zero for a longer one.
#[inline]
fn pack(name: &[u8]) -> u64 {
    if name.len() > 7 {
        return 0;
    }
    name.iter().fold(name.len() as u64, |packed, byte| packed << 8 | u64::from(*byte))
}

fn unknown(args: &Args<'_>) -> quoris_engine::CommandError {
    let empty = CommandTable::of([]);
    empty.check(args).err().expect("an empty table knows no command")
}

fn entry(
    number: u16,
    command: &'static Command,
    container: Option<&'static str>,
    handler: Option<Handler>,
) -> Entry {
    let spec = &command.spec;
    let is_of_data = matches!(command.run, Run::Read(_) | Run::Write(_));
    let is_cheap = spec.flags.has(Flags::FAST) || is_of_data && spec.complexity == "O(1)";
    let role = Role::of(command, container);
    let handler = handler.or_else(|| crate::functions::handler(container, spec.name));
    let reader = match spec.name {
        "eval" | "eval_ro" => Some("eval_ro"),
        "evalsha" | "evalsha_ro" => Some("evalsha_ro"),
        "fcall" | "fcall_ro" => Some("fcall_ro"),
        _ => None,
    };
    let is_called = |name| move |other: &&'static Command| other.spec.name == name;
    let reader = reader.and_then(|name| FAMILIES.iter().copied().flatten().find(is_called(name)));
    let keys = keys_of(spec);
    Entry { number, command, container, keys, reader, is_cheap, role, handler }
}

fn keys_of(spec: &Spec) -> Keys {
    let [first, second, _] = &spec.key_specs;
    match (first, second) {
        (None, _) => Keys::None,
        (Some(first), second) => match (first.begin, first.find, second) {
            (Begin::Index(at), Find::Range { last: 0, .. }, None) => Keys::One(at as u8),
            (Begin::Index(at), Find::Range { .. }, _) => Keys::Several(Some(at as u8)),
            _ => Keys::Several(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use quoris_resp::split_words;

    use super::*;
    use crate::commands;

    fn found(registry: &Registry, line: &str) -> Option<String> {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        split_words(line.as_bytes(), &mut spans, &mut words).expect("balanced quotes");
        registry.find(&Args::new(&words, &spans)).map(Entry::full_name)
    }

    #[test]
    fn a_name_is_found_whatever_was_looked_for_before() {
        let registry = Registry::new(commands::FAMILIES);
        let table = [
            ("GET a", Some("get")),
            ("GET a", Some("get")),
            ("GET", None),
            ("get a", Some("get")),
            ("SET a b", Some("set")),
            ("GETRANGE a 0 1", Some("getrange")),
            ("GETRANGE a 0 1", Some("getrange")),
            ("nosuch", None),
            ("\"\"", None),
            ("\"\"", None),
            ("GET a", Some("get")),
            ("quoris.expire a", None),
        ];
        for (line, expected) in table {
            assert_eq!(found(&registry, line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn numbers_are_indexes() {
        let registry = Registry::new(commands::FAMILIES);
        for (at, entry) in registry.entries().iter().enumerate() {
            assert_eq!(entry.number as usize, at, "{}", entry.full_name());
        }
    }
}
