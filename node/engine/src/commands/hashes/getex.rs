//! Reading and setting fields together with their deadlines. The rules are those of Redis 8.0.

use alloc::format;
use alloc::string::String;

use quoris_resp::Writer;

use super::arguments::{self, FIELDS, POSITIVE, deadline};
use super::limits;
use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::commands::expiry_options::{LIFETIME_OR_KEEPTTL, LIFETIME_OR_PERSIST, TimeUnit};
use crate::commands::options::{self, is};
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, integer, key, one_of, string, token};
use crate::types::Hash;

/// HGETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds |
/// PERSIST] FIELDS numfields field [field …]
pub(super) const HGETEX: Command = Command {
    spec: Spec::new(
        "hgetex",
        Group::Hash,
        "8.0.0",
        "Returns the values of fields, and sets when they expire.",
    )
    .args(&[key("key").access(KeyAccess::UPDATE), LIFETIME_OR_PERSIST, FIELDS])
    .complexity("O(N) where N is the number of specified fields")
    .flags(Flags::FAST),
    run: Run::Write(hgetex),
};

/// HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds |
/// PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value …]
pub(super) const HSETEX: Command = Command {
    spec: Spec::new(
        "hsetex",
        Group::Hash,
        "8.0.0",
        "Sets fields and when they expire, if all or none of them exist.",
    )
    .args(&[
        key("key").access(KeyAccess::MODIFY),
        one_of("condition", &[token("fnx", "FNX"), token("fxx", "FXX")]).optional(),
        LIFETIME_OR_KEEPTTL,
        block(
            "fields",
            &[integer("numfields"), block("data", &[string("field"), string("value")]).multiple()],
        )
        .after("FIELDS"),
    ])
    .complexity("O(N) where N is the number of fields being set.")
    .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(hsetex),
};

fn hgetex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (key, now_ms) = (cx.key(&args, 1), cx.now_ms());
    cx.get::<Hash>(&key)?;
    let (expiry, at) = match args.get(2) {
        word if is(word, "persist") => (Expiry::Clear, 3),
        word => match TimeUnit::of_option(word) {
            Some(unit) => (Expiry::At(deadline(args.get(3), unit, now_ms, "hgetex")?), 4),
            None => (Expiry::Keep, 2),
        },
    };
    let first = arguments::fields(&args, at, POSITIVE)?;
    reply.array(args.len() - first);
    let Some(hash) = cx.hash_mut(&key, args.from(first))? else {
        args.from(first).for_each(|_| reply.null());
        return Ok(());
    };
    let mut event = None;
    for field in args.from(first) {
        let fields = hash.at(now_ms);
        elements::write_or_null(reply, fields.get(field));
        event = match (fields.deadline_ms(field), expiry) {
            (None, _) | (_, Expiry::Keep) | (Some(None), Expiry::Clear) => event,
            (_, Expiry::Clear) => {
                hash.set_deadline(field, None);
                Some("hpersist")
            }
            (_, Expiry::At(at_ms)) if at_ms <= now_ms => {
                hash.remove(field);
                Some("hdel")
            }
            (_, Expiry::At(at_ms)) => {
                hash.set_deadline(field, Some(at_ms));
                Some("hexpire")
            }
        };
    }
    if let Some(event) = event {
        cx.changed(&key, EventClass::Hash, event);
        cx.remove_if_empty::<Hash>(&key);
        cx.note_deadlines(&key)?;
    }
    Ok(())
}

const ONE_EXPIRY: CommandError =
    CommandError::fixed("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
const ONE_CONDITION: CommandError =
    CommandError::fixed("ERR Only one of FXX or FNX arguments can be specified");
const NO_TIME: CommandError = CommandError::fixed("ERR missing expire time");
const BAD_COUNT: CommandError = CommandError::fixed("ERR invalid number of fields");

/// What stands before the fields of `HSETEX`.
struct Options {
    /// All fields have to exist (`FXX`), or none (`FNX`).
    exist: Option<bool>,
    expiry: Option<Expiry>,
    /// The word at which the fields begin.
    first: usize,
}

impl Options {
    fn parse(args: &Args<'_>, now_ms: u64) -> Result<Options> {
        let mut options = Options { exist: None, expiry: None, first: 0 };
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            at += 1;
            if is(word, "fields") {
                options.first = pairs(args, at)?;
                return Ok(options);
            } else if is(word, "fxx") || is(word, "fnx") {
                if options.exist.replace(is(word, "fxx")).is_some() {
                    return Err(ONE_CONDITION);
                }
            } else if is(word, "keepttl") {
                if options.expiry.replace(Expiry::Keep).is_some() {
                    return Err(ONE_EXPIRY);
                }
            } else if let Some(unit) = TimeUnit::of_option(word) {
                if options.expiry.is_some() {
                    return Err(ONE_EXPIRY);
                }
                let text = args.try_get(at).ok_or(NO_TIME)?;
                options.expiry = Some(Expiry::At(deadline(text, unit, now_ms, "hsetex")?));
                at += 1;
            } else {
                let word = String::from_utf8_lossy(word);
                return Err(CommandError::text(format!("ERR unknown argument: {word}")));
            }
        }
        Err(CommandError::arity("hsetex"))
    }
}

/// Reads the number of pairs at word `at`, which go to the end, and returns where they begin.
fn pairs(args: &Args<'_>, at: usize) -> Result<usize> {
    let arity = || CommandError::arity("hsetex");
    let words = args.len().checked_sub(at + 1).filter(|words| *words > 0).ok_or_else(arity)?;
    let count = i32::try_from(options::integer_or(args.get(at), BAD_COUNT)?).ok();
    let count = count.filter(|count| *count > 0).ok_or(BAD_COUNT)? as usize;
    if words == count * 2 { Ok(at + 1) } else { Err(arity()) }
}

fn hsetex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (limits, now_ms) = (limits(cx), cx.now_ms());
    let options = Options::parse(&args, now_ms)?;
    let key = cx.key(&args, 1);
    let names = args.from(options.first).step_by(2);
    let hash = cx.hash_mut(&key, names.clone())?;
    let exists = |field| hash.as_ref().is_some_and(|hash| hash.at(now_ms).contains(field));
    if options.exist.is_some_and(|wanted| names.clone().any(|field| exists(field) != wanted)) {
        reply.integer(0);
        return Ok(());
    }
    let expiry = options.expiry.unwrap_or(Expiry::Clear);
    // A deadline that has come removes what was just set, as the events tell.
    let removes = matches!(expiry, Expiry::At(at_ms) if at_ms <= now_ms);
    let hash = cx.get_or_new::<Hash>(&key)?;
    hash.expect(names.len(), &limits);
    for at in (options.first..args.len()).step_by(2) {
        if removes {
            hash.remove(args.get(at));
        } else {
            hash.put(args.get(at), args.get(at + 1), expiry, &limits);
        }
    }
    cx.changed(&key, EventClass::Hash, "hset");
    if matches!(expiry, Expiry::At(_)) {
        cx.notify(EventClass::Hash, if removes { "hdel" } else { "hexpire" }, &key);
    }
    cx.remove_if_empty::<Hash>(&key);
    cx.note_deadlines(&key)?;
    reply.integer(1);
    Ok(())
}
