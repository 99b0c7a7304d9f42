//! The data structures behind the types. They know no RESP, no keys and no expiry.

mod hash;
mod list;
mod set;
mod sorted_set;

pub use hash::Hash;
pub use list::List;
pub use set::Set;
pub use sorted_set::{SortedSet, Tuning as SortedSetTuning};
