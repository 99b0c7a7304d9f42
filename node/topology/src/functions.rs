//! The libraries of functions that all shards are to have.
//!
//! Which they are has to be agreed upon by the cluster as a whole, or two clients that load different
//! libraries on different shards at one time could leave it divided. So they stand in the topology,
//! as a record with a number; a change names the number that it makes, and is refused if somebody was
//! faster. That a record is there makes no shard run anything: its leader sees to that, and tells
//! when its shard has it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::ShardId;

/// The libraries, as of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Functions {
    /// Counts the changes, from 1 on.
    pub version: u64,
    /// The shard whose client made the last one.
    pub origin: ShardId,
    /// The texts of all libraries.
    pub libraries: Vec<Source>,
}

/// The text of a library. It may be any bytes; in JSON each of them is a character, which leaves most
/// texts readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(pub Vec<u8>);

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| char::from(*byte)).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.chars().map(|letter| {
            u8::try_from(u32::from(letter))
                .map_err(|_| D::Error::custom(format!("{letter:?} stands for no byte")))
        });
        bytes.collect::<Result<_, _>>().map(Source)
    }
}
