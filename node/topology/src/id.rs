//! Names of things that outlive an address: nodes, shards, clusters and jobs.
//!
//! Each is twenty bytes shown as forty lower-case hexadecimal digits, the form
//! Redis gives its node ids and the only one its clients accept. They are
//! separate types so that a shard's id is never taken for a node's.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not forty hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 40 hexadecimal digits")
    }
}

impl core::error::Error for BadId {}

fn parse_hex(text: &str) -> Result<[u8; 20], BadId> {
    let digits = text.as_bytes();
    if digits.len() != 40 {
        return Err(BadId);
    }
    let mut bytes = [0; 20];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16).ok_or(BadId)?;
        let low = char::from(pair[1]).to_digit(16).ok_or(BadId)?;
        *byte = (high << 4 | low) as u8;
    }
    Ok(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 20]);

        impl $name {
            /// The id made of these bytes.
            pub const fn new(bytes: [u8; 20]) -> Self {
                Self(bytes)
            }

            /// The bytes, in the order of the digits.
            pub const fn as_bytes(&self) -> &[u8; 20] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                parse_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

id! {
    /// One process of a cluster, whatever address it has today.
    NodeId
}
id! {
    /// One Raft group that owns slots.
    ShardId
}
id! {
    /// One cluster; a message from another one is refused.
    ClusterId
}
id! {
    /// One migration job, named by whoever proposed it so that a retry is
    /// recognised.
    JobId
}

impl NodeId {
    /// What Raft calls this node: the first sixteen hexadecimal digits.
    pub fn raft_id(&self) -> u64 {
        self.0.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// The smallest id that Raft would call `raft_id`.
    pub(crate) fn first_with_raft_id(raft_id: u64) -> Self {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&raft_id.to_be_bytes());
        Self(bytes)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// Counts the changes of the cluster that a client could notice: ownership
    /// of slots, leaders, nodes and their addresses.
    Epoch
}
number! {
    /// A Raft term of one shard; terms of different shards do not compare.
    Term
}

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const HEX: &str = "77fa4b83c0ece5b2d262f7dff96db5b5a7d82535";

    #[test]
    fn ids_round_trip_through_their_digits() {
        let id: NodeId = HEX.parse().expect("40 digits");
        assert_eq!(id.to_string(), HEX);
        assert_eq!(HEX.to_uppercase().parse(), Ok(id));
        assert_eq!(id.raft_id(), 0x77fa_4b83_c0ec_e5b2);
        assert_eq!(NodeId::first_with_raft_id(id.raft_id()).raft_id(), id.raft_id());
    }

    #[test]
    fn anything_but_forty_digits_is_refused() {
        let sign = "+7fa4b83c0ece5b2d262f7dff96db5b5a7d82535";
        let wide = "é7fa4b83c0ece5b2d262f7dff96db5b5a7d8253";
        for text in ["", "77fa", &HEX[1..], &[HEX, "0"].concat(), sign, wide] {
            assert_eq!(text.parse::<ShardId>(), Err(BadId), "{text}");
        }
    }
}
