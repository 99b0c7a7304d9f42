//! Streams.
//!
//! ```text
//! number of nodes, for each: id of the master as 16 bytes, big-endian, in a string │ listpack
//! number of entries │ last id │ first id │ greatest deleted id │ entries ever added
//! number of groups, for each:
//!    name │ last id │ entries read
//!    number of pending entries, for each: 16 bytes id │ i64 delivered at │ deliveries
//!    number of consumers, for each: name │ i64 seen at │ i64 active at
//!       number of pending entries, for each: 16 bytes id
//!
//! listpack  entries │ deleted entries │ fields of the master │ field … │ 0 │ entry …
//! entry     flags │ ms, less the master's │ seq, less the master's │
//!           [number of pairs] │ [field] value … │ how many elements stand before this one
//! ```
//!
//! Ids are two lengths unless said otherwise, and times are milliseconds. Version 19 has no
//! "active at"; version 15 has neither that nor what follows the last id, and no "entries read".
//! The first id is not believed: it is that of the first entry.
//! Source: <https://github.com/redis/redis/blob/7.2/src/rdb.c>.

mod load;
mod save;

#[cfg(test)]
mod tests;

pub(super) use load::load;
pub(super) use save::save;
