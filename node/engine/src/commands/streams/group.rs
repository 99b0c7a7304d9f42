//! Making, changing and removing consumer groups and consumers.

use quoris_resp::Writer;

use super::{arguments, bad_subcommand, no_such_group};
use crate::command::{Args, Command, Run};
use crate::commands::{helping, options};
use crate::context::{ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::keyspace::Key;
use crate::spec::{
    Flags, Group as CommandGroup, KeyAccess, Spec, integer, key, one_of, string, token,
};
use crate::types::Stream;
use crate::types::stream::{Group, StreamId};

/// XGROUP CREATE | CREATECONSUMER | DELCONSUMER | DESTROY | HELP | SETID
pub(super) const XGROUP: Command = Command {
    spec: Spec::new("xgroup", CommandGroup::Stream, "5.0.0", "Manages consumer groups.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    run: Run::Container(&[CREATE, CREATECONSUMER, DELCONSUMER, DESTROY, HELP, SETID]),
};

/// XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]
const CREATE: Command = Command {
    spec: Spec::new("create", CommandGroup::Stream, "5.0.0", "Makes a consumer group.")
        .sub_args(&[
            key("key").access(KeyAccess::INSERT),
            string("group"),
            one_of("id-selector", &[string("id"), token("new-id", "$")]),
            token("mkstream", "MKSTREAM").optional(),
            integer("entries-read").after("ENTRIESREAD").optional(),
        ])
        .flags(Flags::DENYOOM),
    run: Run::Write(create),
};

/// XGROUP CREATECONSUMER key group consumer
const CREATECONSUMER: Command = Command {
    spec: Spec::new(
        "createconsumer",
        CommandGroup::Stream,
        "6.2.0",
        "Makes a consumer of a group.",
    )
    .sub_args(&[key("key").access(KeyAccess::INSERT), string("group"), string("consumer")])
    .flags(Flags::DENYOOM),
    run: Run::Write(create_consumer),
};

/// XGROUP DELCONSUMER key group consumer
const DELCONSUMER: Command = Command {
    spec: Spec::new("delconsumer", CommandGroup::Stream, "5.0.0", "Removes a consumer of a group.")
        .sub_args(&[
            key("key").access(KeyAccess::DELETE_PART),
            string("group"),
            string("consumer"),
        ]),
    run: Run::Write(remove_consumer),
};

/// XGROUP DESTROY key group
const DESTROY: Command = Command {
    spec: Spec::new("destroy", CommandGroup::Stream, "5.0.0", "Removes a consumer group.")
        .sub_args(&[key("key").access(KeyAccess::DELETE_PART), string("group")])
        .complexity(
            "O(N) where N is the number of entries in the group's pending entries list (PEL).",
        ),
    run: Run::Write(destroy),
};

/// XGROUP HELP
const HELP: Command =
    Command { spec: helping::spec(CommandGroup::Stream, "5.0.0"), run: Run::Read(help) };

/// XGROUP SETID key group id | $ [ENTRIESREAD entries-read]
const SETID: Command = Command {
    spec: Spec::new(
        "setid",
        CommandGroup::Stream,
        "5.0.0",
        "Sets the last delivered id of a group.",
    )
    .sub_args(&[
        key("key").access(KeyAccess::MODIFY),
        string("group"),
        one_of("id-selector", &[string("id"), token("new-id", "$")]),
        integer("entries-read").after("ENTRIESREAD").optional(),
    ]),
    run: Run::Write(set_id),
};

const NO_KEY: CommandError = CommandError::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
     the MKSTREAM option to create an empty stream automatically.",
);
const BUSY: CommandError = CommandError::fixed("BUSYGROUP Consumer Group name already exists");
const ENTRIES_READ: CommandError =
    CommandError::fixed("ERR value for ENTRIESREAD must be positive or -1");

const TEXT: &[&str] = &[
    "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
    "HELP",
    "    Prints this help.",
];

fn help(_: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    helping::write(reply, TEXT)
}

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    make_stream: bool,
    /// Whether an option was repeated.
    too_many: bool,
    entries_read: Option<i64>,
}

impl Options {
    /// Reads the options behind the id; `MKSTREAM` belongs to `CREATE` alone.
    fn parse(args: &Args<'_>, creates: bool) -> Result<Options> {
        let mut found = Options::default();
        let mut at = 5;
        while let Some(word) = args.try_get(at) {
            at += 1;
            if creates && options::is(word, "mkstream") {
                found.make_stream = true;
            } else if let Some(value) =
                args.try_get(at).filter(|_| options::is(word, "entriesread"))
            {
                found.entries_read = match options::integer(value)? {
                    -1 => None,
                    read @ 0.. => Some(read),
                    _ => return Err(ENTRIES_READ),
                };
                at += 1;
            } else {
                return Err(bad_subcommand("XGROUP", args.get(1)));
            }
        }
        found.too_many = at > if creates { 8 } else { 7 };
        Ok(found)
    }

    /// Refuses repeated options, once it is known that there is something to apply them to.
    fn check(&self, args: &Args<'_>) -> Result {
        if self.too_many { Err(bad_subcommand("XGROUP", args.get(1))) } else { Ok(()) }
    }
}

fn create(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let options = Options::parse(&args, true)?;
    let (key, name) = (cx.key(&args, 2), args.get(3));
    let stream = cx.get::<Stream>(&key)?;
    let is_new = stream.is_none();
    if is_new && !options.make_stream {
        return Err(NO_KEY);
    }
    options.check(&args)?;
    let last_id = match args.get(4) {
        b"$" => stream.map_or(StreamId::MIN, Stream::last_id),
        text => arguments::id(text, 0)?,
    };
    let group = Group::new(last_id, options.entries_read);
    if !cx.get_or_new::<Stream>(&key)?.add_group(name, group) {
        return Err(BUSY);
    }
    if is_new {
        cx.changed(&key, EventClass::Stream, "xgroup-create");
    } else {
        cx.changed_silently();
        cx.notify(EventClass::Stream, "xgroup-create", &key);
    }
    reply.ok();
    Ok(())
}

/// The group that the arguments name, which has to exist.
fn group<'c>(cx: &'c mut WriteCx<'_>, key: &Key<'_>, name: &[u8]) -> Result<&'c mut Group> {
    let stream = cx.get_mut::<Stream>(key)?.ok_or(NO_KEY)?;
    stream.group_mut(name).ok_or_else(|| no_such_group(key.bytes, name))
}

fn create_consumer(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 2);
    let now_ms = cx.now_ms() as i64;
    let is_new = group(cx, &key, args.get(3))?.add_consumer(args.get(4), now_ms);
    if is_new {
        cx.changed_silently();
        cx.notify(EventClass::Stream, "xgroup-createconsumer", &key);
    }
    reply.integer(i64::from(is_new));
    Ok(())
}

fn remove_consumer(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 2);
    let Some(consumer) = group(cx, &key, args.get(3))?.remove_consumer(args.get(4)) else {
        reply.count(0);
        return Ok(());
    };
    reply.count(consumer.pending().len());
    cx.discard(consumer);
    cx.changed_silently();
    cx.notify(EventClass::Stream, "xgroup-delconsumer", &key);
    Ok(())
}

fn destroy(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 2);
    let found = cx.get_mut::<Stream>(&key)?.ok_or(NO_KEY)?.remove_group(args.get(3));
    reply.integer(i64::from(found.is_some()));
    if let Some(group) = found {
        cx.discard(group);
        cx.changed_silently();
        cx.notify(EventClass::Stream, "xgroup-destroy", &key);
        // Consumers that wait have to hear of it.
        cx.ready(&key);
    }
    Ok(())
}

fn set_id(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let options = Options::parse(&args, false)?;
    let (key, name) = (cx.key(&args, 2), args.get(3));
    let last_of_stream = cx.get::<Stream>(&key)?.map(Stream::last_id).ok_or(NO_KEY)?;
    let group = group(cx, &key, name)?;
    options.check(&args)?;
    group.last_id = match args.get(4) {
        b"$" => last_of_stream,
        text => arguments::end(text, 0)?,
    };
    group.entries_read = options.entries_read;
    cx.changed_silently();
    cx.notify(EventClass::Stream, "xgroup-setid", &key);
    reply.ok();
    Ok(())
}
