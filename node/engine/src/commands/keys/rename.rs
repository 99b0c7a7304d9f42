//! Giving a value another key or another database.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{int32, is};
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::{DB_OUT_OF_RANGE, NO_SUCH_KEY, Result, SAME_OBJECT, SYNTAX};
use crate::keyspace::{Entry, Key};
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, token};

/// RENAME key newkey
pub(super) const RENAME: Command = Command {
    spec: Spec::new("rename", Group::Generic, "1.0.0", "Renames a key, replacing another.")
        .args(&[key("key").access(KeyAccess::TAKE), key("newkey").access(KeyAccess::OVERWRITE)]),
    run: Run::Write(rename),
};

/// RENAMENX key newkey
pub(super) const RENAMENX: Command = Command {
    spec: Spec::new("renamenx", Group::Generic, "1.0.0", "Renames a key if the new one is free.")
        .args(&[key("key").access(KeyAccess::TAKE), key("newkey").access(KeyAccess::INSERT)])
        .flags(Flags::FAST),
    run: Run::Write(renamenx),
};

/// COPY source destination [DB destination-db] [REPLACE]
pub(super) const COPY: Command = Command {
    spec: Spec::new("copy", Group::Generic, "6.2.0", "Copies a value to another key.")
        .args(&[
            key("source").access(KeyAccess::READ),
            key("destination").access(KeyAccess::OVERWRITE),
            integer("destination-db").after("DB").optional(),
            token("replace", "REPLACE").optional(),
        ])
        .flags(Flags::DENYOOM)
        .complexity("O(N) worst case for collections, where N is the number of nested items. O(1) for string values."),
    run: Run::Write(copy),
};

/// MOVE key db
pub(super) const MOVE: Command = Command {
    spec: Spec::new("move", Group::Generic, "1.0.0", "Moves a key to another database.")
        .args(&[key("key").access(KeyAccess::TAKE), integer("db")])
        .flags(Flags::FAST),
    run: Run::Write(move_key),
};

fn rename(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (from, to) = (cx.key(&args, 1), cx.key(&args, 2));
    cx.entry(&from).ok_or(NO_SUCH_KEY)?;
    if from.bytes != to.bytes {
        give_name(cx, &from, &to);
    }
    reply.ok();
    Ok(())
}

fn renamenx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (from, to) = (cx.key(&args, 1), cx.key(&args, 2));
    cx.entry(&from).ok_or(NO_SUCH_KEY)?;
    let free = cx.entry(&to).is_none();
    if free {
        give_name(cx, &from, &to);
    }
    reply.integer(i64::from(free));
    Ok(())
}

fn give_name(cx: &mut WriteCx<'_>, from: &Key<'_>, to: &Key<'_>) {
    let entry = cx.take(from).expect("the caller saw it");
    let (expiry, raw) = (expiry_of(&entry), entry.is_raw());
    cx.put_anew(to, entry.into_value(), expiry);
    cx.mark_raw(to, raw);
    cx.changed(from, EventClass::Generic, "rename_from");
    cx.changed(to, EventClass::Generic, "rename_to");
}

fn expiry_of(entry: &Entry) -> Expiry {
    entry.expire_at_ms().map_or(Expiry::Clear, Expiry::At)
}

fn copy(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (mut db, mut replace) = (cx.db(), false);
    let mut at = 3;
    while let Some(word) = args.try_get(at) {
        at += 1;
        if is(word, "replace") {
            replace = true;
        } else if is(word, "db")
            && let Some(number) = args.try_get(at)
        {
            db = database_number(cx, number)?;
            at += 1;
        } else {
            return Err(SYNTAX);
        }
    }
    let (from, to) = (cx.key(&args, 1), cx.key(&args, 2));
    if db == cx.db() && from.bytes == to.bytes {
        return Err(SAME_OBJECT);
    }
    let Some((value, expiry)) = cx.copy_of(&from) else {
        reply.integer(0);
        return Ok(());
    };
    let raw = cx.entry(&from).is_some_and(Entry::is_raw);
    let mut target = cx.in_database(db);
    let free = replace || target.entry(&to).is_none();
    if free {
        target.put_anew(&to, value, expiry);
        target.mark_raw(&to, raw);
        target.changed(&to, EventClass::Generic, "copy_to");
    }
    reply.integer(i64::from(free));
    Ok(())
}

fn move_key(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let db = database_number(cx, args.get(2))?;
    if db == cx.db() {
        return Err(SAME_OBJECT);
    }
    let key = cx.key(&args, 1);
    let moves = cx.entry(&key).is_some() && cx.in_database(db).entry(&key).is_none();
    if moves {
        let entry = cx.take(&key).expect("it was just seen");
        let (expiry, raw) = (expiry_of(&entry), entry.is_raw());
        let mut target = cx.in_database(db);
        target.put(&key, entry.into_value(), expiry);
        target.mark_raw(&key, raw);
        cx.changed(&key, EventClass::Generic, "move_from");
        cx.in_database(db).changed(&key, EventClass::Generic, "move_to");
    }
    reply.integer(i64::from(moves));
    Ok(())
}

fn database_number(cx: &WriteCx<'_>, text: &[u8]) -> Result<u16> {
    let number = u16::try_from(int32(text)?).map_err(|_| DB_OUT_OF_RANGE)?;
    if number < cx.settings().databases { Ok(number) } else { Err(DB_OUT_OF_RANGE) }
}
