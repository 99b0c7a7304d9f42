//! Commands on sorted sets.

mod add;
mod blocking;
mod bounds;
mod combine;
mod combine_commands;
mod count;
mod pop;
mod random;
mod range;
mod range_commands;
mod range_store;
mod remove;
mod score;

use quoris_resp::Writer;

pub(super) use self::add::{CHANGE, CONDITION, Options as AddOptions, add};
use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[
    add::ZADD,
    add::ZINCRBY,
    blocking::BZMPOP,
    blocking::BZPOPMAX,
    blocking::BZPOPMIN,
    combine_commands::ZDIFF,
    combine_commands::ZDIFFSTORE,
    combine_commands::ZINTER,
    combine_commands::ZINTERCARD,
    combine_commands::ZINTERSTORE,
    combine_commands::ZUNION,
    combine_commands::ZUNIONSTORE,
    count::ZCARD,
    count::ZCOUNT,
    count::ZLEXCOUNT,
    pop::ZMPOP,
    pop::ZPOPMAX,
    pop::ZPOPMIN,
    random::ZRANDMEMBER,
    random::ZSCAN,
    range_commands::ZRANGE,
    range_commands::ZRANGEBYLEX,
    range_commands::ZRANGEBYSCORE,
    range_commands::ZREVRANGE,
    range_commands::ZREVRANGEBYLEX,
    range_commands::ZREVRANGEBYSCORE,
    range_store::ZRANGESTORE,
    remove::ZREM,
    remove::ZREMRANGEBYLEX,
    remove::ZREMRANGEBYRANK,
    remove::ZREMRANGEBYSCORE,
    score::ZMSCORE,
    score::ZRANK,
    score::ZREVRANK,
    score::ZSCORE,
];

/// Writes a member with its score: a pair of its own in RESP3, two replies in a row in RESP2.
fn write_pair(reply: &mut Writer<'_>, member: &[u8], score: f64) {
    if reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(member);
    reply.double(score);
}

/// Writes the header of an array of `members`, with or without their scores.
fn write_header(reply: &mut Writer<'_>, members: usize, with_scores: bool) {
    let flat = with_scores && !reply.is_resp3();
    reply.array(if flat { members * 2 } else { members });
}
