//! Elements packed into byte buffers: what small collections, list nodes and table records are
//! made of.

pub(in crate::types) mod buffer;
pub(in crate::types) mod element;
mod entries;
mod search;

pub use element::Element;
pub(crate) use element::{Encoded, trailer_len};
pub(in crate::types) use entries::{Entries, Iter as PackedIter, words};
