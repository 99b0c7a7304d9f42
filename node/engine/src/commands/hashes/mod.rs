//! Commands on hashes.

mod all;
mod get;
mod increment;
mod random;
mod remove;
mod scan;
mod set;

use crate::command::Command;
use crate::context::WriteCx;
use crate::types::HashLimits;

pub(super) const COMMANDS: &[Command] = &[
    all::HGETALL,
    all::HKEYS,
    all::HVALS,
    get::HEXISTS,
    get::HGET,
    get::HLEN,
    get::HMGET,
    get::HSTRLEN,
    increment::HINCRBY,
    increment::HINCRBYFLOAT,
    random::HRANDFIELD,
    remove::HDEL,
    remove::HGETDEL,
    scan::HSCAN,
    set::HMSET,
    set::HSET,
    set::HSETNX,
];

fn limits(cx: &WriteCx<'_>) -> HashLimits {
    HashLimits::new(cx.settings(), cx.hasher())
}
