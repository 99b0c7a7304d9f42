//! The data structures behind the types. They know no RESP, no keys and no expiry.

mod encoding;
pub mod geohash;
mod hash;
pub mod hyperloglog;
mod list;
mod packed;
mod removed;
mod segments;
mod set;
mod sorted_set;
pub mod stream;
mod table;

pub use encoding::Encoding;
pub use hash::{Fields, Hash, HashLimits, Record};
pub use list::{End, List, ListLimits, RemovedChunks};
pub use packed::Element;
pub(crate) use packed::{Encoded, trailer_len};
pub(crate) use removed::PIECE_BYTES;
pub use removed::Removed;
pub use set::{Set, SetLimits};
pub use sorted_set::{Ranked, RemovedMembers, SortedSet, Tuning as SortedSetTuning};
pub use stream::Stream;
pub(crate) use table::Search;
