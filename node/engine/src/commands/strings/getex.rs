//! Reading a string and changing its lifetime in one step.

use quoris_resp::Writer;

use super::get::write_string;
use crate::command::{Args, Command, Run};
use crate::commands::expiry_options::{LIFETIME_OR_PERSIST, TimeUnit, positive_time};
use crate::commands::options::is;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, key};

/// GETDEL key
pub(super) const GETDEL: Command = Command {
    spec: Spec::new("getdel", Group::String, "6.2.0", "Returns a string and deletes its key.")
        .args(&[key("key").access(KeyAccess::TAKE)])
        .flags(Flags::FAST),
    run: Run::Write(getdel),
};

/// GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]
pub(super) const GETEX: Command = Command {
    spec: Spec::new("getex", Group::String, "6.2.0", "Returns a string and sets when it expires.")
        .args(&[key("key").access(KeyAccess::UPDATE), LIFETIME_OR_PERSIST])
        .flags(Flags::FAST),
    run: Run::Write(getex),
};

fn getdel(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    match cx.string(&key)? {
        None => reply.null(),
        Some(string) => {
            write_string(string, reply);
            cx.remove(&key);
            cx.changed(&key, EventClass::Generic, "del");
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Lifetime<'a> {
    Unchanged,
    Forever,
    Until(TimeUnit, &'a [u8]),
}

fn lifetime<'a>(args: &Args<'a>) -> Result<Lifetime<'a>> {
    let mut lifetime = Lifetime::Unchanged;
    let mut at = 2;
    while let Some(word) = args.try_get(at) {
        at += 1;
        if is(word, "persist") {
            if matches!(lifetime, Lifetime::Until(..)) {
                return Err(SYNTAX);
            }
            lifetime = Lifetime::Forever;
        } else {
            let unit = TimeUnit::of_option(word).ok_or(SYNTAX)?;
            match lifetime {
                Lifetime::Unchanged => {}
                Lifetime::Until(before, _) if before == unit => {}
                _ => return Err(SYNTAX),
            }
            lifetime = Lifetime::Until(unit, args.try_get(at).ok_or(SYNTAX)?);
            at += 1;
        }
    }
    Ok(lifetime)
}

fn getex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let lifetime = lifetime(&args)?;
    let key = cx.key(&args, 1);
    match cx.string(&key)? {
        None => {
            reply.null();
            return Ok(());
        }
        Some(string) => write_string(string, reply),
    }
    match lifetime {
        Lifetime::Unchanged => {}
        Lifetime::Forever => {
            if cx.persist(&key) {
                cx.changed(&key, EventClass::Generic, "persist");
            }
        }
        Lifetime::Until(unit, text) => {
            let at_ms = positive_time(text, unit, cx.now_ms(), "getex")?;
            if at_ms <= cx.now_ms() {
                cx.remove(&key);
                cx.changed(&key, EventClass::Generic, "del");
            } else {
                cx.set_expiry(&key, Some(at_ms));
                cx.changed(&key, EventClass::Generic, "expire");
            }
        }
    }
    Ok(())
}
