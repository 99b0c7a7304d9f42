//! When small collections change their form.

use super::Group;
use crate::config::directive::{Directive, integer, memory};

pub(super) const GROUP: Group = Group {
    title: "Data structures",
    introduction: "Collections are compact while they are small. These limits say how long, and what `OBJECT ENCODING` answers; replies never depend on them.",
    directives: DIRECTIVES,
};

const I32: (i64, i64) = (0, i32::MAX as i64);
const I64: (i64, i64) = (0, i64::MAX);

const DIRECTIVES: &[Directive] = &[
    integer("hash-max-listpack-entries", I64, 512, "Fields of a compact hash.")
        .alias("hash-max-ziplist-entries"),
    memory("hash-max-listpack-value", I64, 64, "Bytes of a field or value in a compact hash.")
        .alias("hash-max-ziplist-value"),
    integer(
        "list-max-listpack-size",
        (i32::MIN as i64, i32::MAX as i64),
        -2,
        "Elements of a compact list; -1 to -5 for 4, 8, 16, 32 or 64 KiB.",
    )
    .alias("list-max-ziplist-size"),
    integer("list-compress-depth", I32, 0, "Nodes at the ends of a list that stay uncompressed.")
        .ignored("lists are not compressed"),
    integer("set-max-intset-entries", I64, 512, "Elements of a compact set of integers."),
    integer("set-max-listpack-entries", I64, 128, "Elements of a compact set."),
    memory("set-max-listpack-value", I64, 64, "Bytes of an element in a compact set."),
    integer("zset-max-listpack-entries", I64, 128, "Elements of a compact sorted set.")
        .alias("zset-max-ziplist-entries"),
    memory("zset-max-listpack-value", I64, 64, "Bytes of an element in a compact sorted set.")
        .alias("zset-max-ziplist-value"),
    memory("stream-node-max-bytes", I64, 4096, "Bytes of a node of a stream; 0 for no limit."),
    integer("stream-node-max-entries", I64, 100, "Entries of a node of a stream; 0 for no limit."),
    memory("hll-sparse-max-bytes", I64, 3000, "Bytes up to which a HyperLogLog stays sparse."),
];
