//! Commands on keys of any type, and on whole databases.

mod delete;
mod departed;
mod dump;
mod exists;
mod expire;
mod flush;
mod object;
mod rename;
mod sort;
mod ttl;
mod walk;

pub use self::sort::check_slots;
use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[
    rename::COPY,
    walk::DBSIZE,
    delete::DEL,
    departed::DEPARTED,
    dump::DUMP,
    exists::EXISTS,
    expire::EXPIRE,
    expire::EXPIREAT,
    ttl::EXPIRETIME,
    flush::FLUSHALL,
    flush::FLUSHDB,
    walk::KEYS,
    rename::MOVE,
    object::OBJECT,
    expire::PERSIST,
    expire::PEXPIRE,
    expire::PEXPIREAT,
    ttl::PEXPIRETIME,
    ttl::PTTL,
    delete::EXPIRE_NOW,
    walk::RANDOMKEY,
    rename::RENAME,
    rename::RENAMENX,
    dump::RESTORE,
    dump::RESTORE_ASKING,
    walk::SCAN,
    sort::SORT,
    sort::SORT_RO,
    flush::SWAPDB,
    exists::TOUCH,
    ttl::TTL,
    exists::TYPE,
    delete::UNLINK,
];
