//! Values as bytes that another server can load.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{integer as parse_integer, is};
use crate::context::{Expiry, ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result, SYNTAX};
use crate::keyspace::Rebuild;
use crate::rdb::{self, RdbError};
use crate::spec::{Categories, Flags, Group, KeyAccess, Spec, integer, key, string, token};

/// DUMP key
pub(super) const DUMP: Command = Command {
    spec: Spec::new("dump", Group::Generic, "2.6.0", "Returns a value as bytes for RESTORE.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key").access(KeyAccess::READ)])
        .differs("Writes version 11 of the format, which Redis loads from 7.2 on.")
        .complexity("O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size."),
    run: Run::Read(dump),
};

/// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
pub(super) const RESTORE: Command = Command {
    spec: Spec::new("restore", Group::Generic, "2.6.0", "Makes a key from the bytes of DUMP.")
        .args(&[
            key("key").access(KeyAccess::OVERWRITE),
            integer("ttl"),
            string("serialized-value"),
            token("replace", "REPLACE").optional(),
            token("absttl", "ABSTTL").optional(),
            integer("seconds").after("IDLETIME").optional(),
            integer("frequency").after("FREQ").optional(),
        ])
        .differs("`IDLETIME` and `FREQ` are checked and not used: how often a key is used is each node's own knowledge.")
        .flags(Flags::DENYOOM)
        .categories(Categories::DANGEROUS)
        .complexity("O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size."),
    run: Run::Write(restore),
};

/// RESTORE-ASKING key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
///
/// What a Redis node sends to the node that a slot moves to.
pub(super) const RESTORE_ASKING: Command = Command {
    spec: Spec::new("restore-asking", Group::Server, "3.0.0", "Does what RESTORE does.")
        .args(RESTORE.spec.args)
        .flags(Flags::DENYOOM.or(Flags::ASKING))
        .categories(Categories::DANGEROUS.or(Categories::KEYSPACE))
        .complexity(RESTORE.spec.complexity),
    run: Run::Write(restore),
};

const BUSY: CommandError = CommandError::fixed("BUSYKEY Target key name already exists.");
const INVALID_TTL: CommandError = CommandError::fixed("ERR Invalid TTL value, must be >= 0");
const INVALID_IDLETIME: CommandError =
    CommandError::fixed("ERR Invalid IDLETIME value, must be >= 0");
const INVALID_FREQ: CommandError =
    CommandError::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
const FOREIGN: CommandError = CommandError::fixed("ERR DUMP payload version or checksum are wrong");
const BAD_DATA: CommandError = CommandError::fixed("ERR Bad data format");

fn dump(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    match cx.peek(&cx.key(&args, 1)) {
        Some(entry) => reply.bulk(&rdb::dump(entry)),
        None => reply.null(),
    }
    Ok(())
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_seconds: Option<u64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options> {
        let mut options = Options::default();
        let mut at = 4;
        while let Some(word) = args.try_get(at) {
            at += 1;
            if is(word, "replace") {
                options.replace = true;
            } else if is(word, "absttl") {
                options.absolute = true;
            } else if is(word, "idletime") && options.frequency.is_none() && at < args.len() {
                let seconds = u64::try_from(parse_integer(args.get(at))?);
                options.idle_seconds = Some(seconds.map_err(|_| INVALID_IDLETIME)?);
                at += 1;
            } else if is(word, "freq") && options.idle_seconds.is_none() && at < args.len() {
                let frequency = u8::try_from(parse_integer(args.get(at))?);
                options.frequency = Some(frequency.map_err(|_| INVALID_FREQ)?);
                at += 1;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }
}

fn restore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let options = Options::parse(&args)?;
    let key = cx.key(&args, 1);
    if !options.replace && cx.entry(&key).is_some() {
        return Err(BUSY);
    }
    let ttl = u64::try_from(parse_integer(args.get(2))?).map_err(|_| INVALID_TTL)?;
    let rebuild = Rebuild::new(cx.hasher());
    let loaded = rdb::restore(args.get(3), &rebuild).map_err(|error| match error {
        RdbError::Version(_) | RdbError::Checksum => FOREIGN,
        _ => BAD_DATA,
    })?;
    let expiry = match (ttl, options.absolute) {
        (0, _) => Expiry::Clear,
        (at_ms, true) => Expiry::At(at_ms),
        (ttl, false) => Expiry::At((cx.now_ms() + ttl).min(i64::MAX as u64)),
    };
    reply.ok();
    if matches!(expiry, Expiry::At(at_ms) if at_ms <= cx.now_ms()) {
        if cx.remove(&key) {
            cx.changed(&key, EventClass::Generic, "del");
        }
        return Ok(());
    }
    cx.put_anew(&key, loaded.value, expiry);
    cx.mark_raw(&key, loaded.raw);
    cx.mark_used(&key, options.idle_seconds, options.frequency);
    cx.changed(&key, EventClass::Generic, "restore");
    Ok(())
}
