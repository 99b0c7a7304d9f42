//! The page `docs/commands.md`, made from the declarations of the engine's commands and compared with
//! them.

#[path = "support/page.rs"]
mod page;

use quoris_engine::commands::FAMILIES;
use quoris_engine::spec::Group;

const INTRODUCTION: &str = "\
# Commands on data

What a node understands, family by family; the commands about connections, the server and the
cluster have [a page of their own](commands-node.md). A name, its arguments and its errors are those of Redis
7.2; `since` is the release of Redis (or Valkey) that brought it. The last column says what a user
of Redis would notice.

Three things differ everywhere. Hashes, sets and sorted sets keep one order on all replicas, so
that `HGETALL`, `SMEMBERS` and the like answer in the order of insertion rather than in that of a
hash table. Decimal numbers are read without C's hexadecimal form. A reply that repeats elements is
limited to what the longest string may hold.

This page is made from the declarations of the commands, which `COMMAND DOCS` answers from too.
";

const GROUPS: [(Group, &str); 12] = [
    (Group::Generic, "Keys"),
    (Group::String, "Strings"),
    (Group::Bitmap, "Bitmaps"),
    (Group::Hash, "Hashes"),
    (Group::List, "Lists"),
    (Group::Set, "Sets"),
    (Group::SortedSet, "Sorted sets"),
    (Group::Geo, "Geographic indexes"),
    (Group::HyperLogLog, "HyperLogLogs"),
    (Group::Stream, "Streams"),
    (Group::Scripting, "Scripts and functions"),
    (Group::Server, "Databases"),
];

/// `UPDATE_GOLDENFILES=1 cargo test -p quoris-engine --test reference` brings the page up to date.
#[test]
fn the_page_is_up_to_date() {
    let all = page::named(FAMILIES.iter().copied().flatten());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
    page::check(path, &page::markdown(INTRODUCTION, &GROUPS, &all));
}
