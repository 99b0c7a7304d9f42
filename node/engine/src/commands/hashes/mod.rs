//! Commands on hashes.

mod all;
mod arguments;
mod expire;
mod get;
mod getex;
mod increment;
mod random;
mod remove;
mod scan;
mod set;
mod ttl;

use crate::command::Command;
use crate::context::WriteCx;
use crate::types::HashLimits;

pub(super) const COMMANDS: &[Command] = &[
    remove::HDEL,
    get::HEXISTS,
    expire::HEXPIRE,
    expire::HEXPIREAT,
    ttl::HEXPIRETIME,
    get::HGET,
    all::HGETALL,
    remove::HGETDEL,
    getex::HGETEX,
    increment::HINCRBY,
    increment::HINCRBYFLOAT,
    all::HKEYS,
    get::HLEN,
    get::HMGET,
    set::HMSET,
    expire::HPERSIST,
    expire::HPEXPIRE,
    expire::HPEXPIREAT,
    ttl::HPEXPIRETIME,
    ttl::HPTTL,
    random::HRANDFIELD,
    scan::HSCAN,
    set::HSET,
    getex::HSETEX,
    set::HSETNX,
    get::HSTRLEN,
    ttl::HTTL,
    all::HVALS,
];

fn limits(cx: &WriteCx<'_>) -> HashLimits {
    HashLimits::new(cx.settings(), cx.hasher())
}
