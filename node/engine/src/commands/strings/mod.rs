//! Commands on strings.

mod comparison;
mod counters;
mod delex;
mod get;
mod getex;
mod lcs;
mod many;
mod range;
mod set;

use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[
    range::APPEND,
    counters::DECR,
    counters::DECRBY,
    delex::DELEX,
    delex::DELIFEQ,
    delex::DIGEST,
    get::GET,
    getex::GETDEL,
    getex::GETEX,
    range::GETRANGE,
    set::GETSET,
    counters::INCR,
    counters::INCRBY,
    counters::INCRBYFLOAT,
    lcs::LCS,
    get::MGET,
    many::MSET,
    many::MSETEX,
    many::MSETNX,
    set::PSETEX,
    set::SET,
    set::SETEX,
    set::SETNX,
    range::SETRANGE,
    get::STRLEN,
    range::SUBSTR,
];
