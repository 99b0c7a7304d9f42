//! How changes and snapshots look as bytes.
//!
//! ```text
//! byte 0     format version, FORMAT_VERSION
//! byte 1..   JSON: a Change, or a record of the whole topology
//! ```
//!
//! JSON because these bytes are few and rarely written, and because a person
//! who has to repair a cluster can then read them. An unknown field or variant
//! is an error, never skipped: a node that understood less of an entry than its
//! peers would disagree with them from then on. A node that meets a newer
//! format therefore has to stop and be upgraded.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::functions::Functions;
use crate::id::{ClusterId, Epoch, NodeId};
use crate::migration::Migration;
use crate::node::Node;
use crate::slot::{SLOT_COUNT, SlotMap, SlotRange};
use crate::topology::{FINISHED_JOBS_MAX, Shard, Topology};

/// The version of the bytes that this crate writes, and the only one it reads.
pub const FORMAT_VERSION: u8 = 1;

/// The longest change that is decoded, in bytes.
pub const CHANGE_BYTES_MAX: usize = 4 << 20;

/// The longest snapshot that is decoded, in bytes.
pub const SNAPSHOT_BYTES_MAX: usize = 64 << 20;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// Nothing at all.
    Empty,
    /// Written in a format that this release does not read.
    Version(u8),
    /// Longer than anything this crate writes.
    TooLong {
        /// How long they are.
        bytes: usize,
    },
    /// Not JSON, or not of the right thing.
    Json(String),
    /// A record that contradicts itself; the text names the contradiction.
    Inconsistent(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("decode topology: there are no bytes"),
            Self::Version(version) => write!(
                f,
                "decode topology: format {version} is not known to this release, which reads \
                 {FORMAT_VERSION}"
            ),
            Self::TooLong { bytes } => write!(f, "decode topology: {bytes} bytes are too many"),
            Self::Json(problem) => write!(f, "decode topology: {problem}"),
            Self::Inconsistent(problem) => write!(f, "decode topology: {problem}"),
        }
    }
}

impl core::error::Error for DecodeError {}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![FORMAT_VERSION];
    let json = serde_json::to_vec(value).expect("our maps have only strings for keys");
    bytes.extend_from_slice(&json);
    bytes
}

fn decode<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, DecodeError> {
    if bytes.len() > bytes_max {
        return Err(DecodeError::TooLong { bytes: bytes.len() });
    }
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&FORMAT_VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| DecodeError::Json(format!("{error}")))
        }
        Some((&version, _)) => Err(DecodeError::Version(version)),
    }
}

impl Change {
    /// The bytes for the log.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what [`encode`](Self::encode) has written.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode(bytes, CHANGE_BYTES_MAX)
    }
}

/// A [`Topology`] as it is written down: the slot map becomes ranges.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    cluster: Option<ClusterId>,
    epoch: Epoch,
    nodes: Vec<Node>,
    shards: Vec<Shard>,
    /// A range and the place of its owner in `shards`.
    slots: Vec<(SlotRange, usize)>,
    voters: Vec<NodeId>,
    migrations: Vec<Migration>,
    finished: Vec<Migration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    functions: Option<Functions>,
}

impl Topology {
    /// The whole record as bytes; equal records give equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        encode(&Record {
            cluster: self.cluster,
            epoch: self.epoch,
            nodes: self.nodes.values().cloned().collect(),
            shards: self.shards.clone(),
            slots: self.slots.ranges(),
            voters: self.voters.clone(),
            migrations: self.migrations.clone(),
            finished: self.finished.clone(),
            functions: self.functions().cloned(),
        })
    }

    /// Reads what [`snapshot`](Self::snapshot) has written.
    ///
    /// # Errors
    /// If the bytes are anything else, or the record contradicts itself.
    pub fn restore(bytes: &[u8]) -> Result<Self, DecodeError> {
        let record: Record = decode(bytes, SNAPSHOT_BYTES_MAX)?;
        if record.shards.len() > usize::from(SLOT_COUNT) {
            return Err(DecodeError::Inconsistent("there are more shards than slots"));
        }
        let topology = Self {
            cluster: record.cluster,
            epoch: record.epoch,
            slots: slot_map(&record.slots, record.shards.len())?,
            nodes: record.nodes.into_iter().map(|node| (node.id, node)).collect(),
            shards: record.shards,
            voters: record.voters,
            migrations: record.migrations,
            finished: record.finished,
            functions: record.functions.map(Arc::new),
        };
        topology.check()?;
        Ok(topology)
    }

    fn check(&self) -> Result<(), DecodeError> {
        let require = |holds: bool, problem: &'static str| {
            if holds { Ok(()) } else { Err(DecodeError::Inconsistent(problem)) }
        };
        let mut homes = BTreeMap::new();
        let mut shards = BTreeSet::new();
        for shard in &self.shards {
            require(shards.insert(shard.id), "a shard is there twice")?;
            for member in &shard.members {
                require(homes.insert(*member, shard.id).is_none(), "a node has two shards")?;
            }
            let leads = |leader| shard.members.contains(&leader);
            require(shard.leader.is_none_or(leads), "a leader is not a member")?;
            let is_recorded = shard.function_version <= self.function_version();
            require(is_recorded, "a shard has functions that are not recorded")?;
        }
        require(homes.len() == self.nodes.len(), "a member is unknown, or a node has no shard")?;
        for node in self.nodes.values() {
            require(homes.get(&node.id) == Some(&node.shard), "a node is not where it says")?;
        }
        let is_known = |voter| self.nodes.contains_key(voter);
        require(self.voters.iter().all(is_known), "a voter is unknown")?;
        require(self.finished.len() <= FINISHED_JOBS_MAX, "too many jobs are finished")?;
        self.check_jobs().map_or(Ok(()), |problem| require(false, problem))
    }

    fn check_jobs(&self) -> Option<&'static str> {
        let mut moving = SlotMap::empty();
        for job in &self.migrations {
            if self.shard(job.from).is_none() || self.shard(job.to).is_none() {
                return Some("a migration has an unknown shard");
            }
            for slot in job.slots() {
                if moving.owner(slot).is_some() {
                    return Some("a slot moves twice");
                }
                moving.set(slot, Some(0));
            }
        }
        let settled = |job: &Migration| job.is_settled();
        let mixed = self.migrations.iter().any(settled) || !self.finished.iter().all(settled);
        mixed.then_some("a migration is in the wrong list")
    }
}

fn slot_map(ranges: &[(SlotRange, usize)], shard_count: usize) -> Result<SlotMap, DecodeError> {
    let mut map = SlotMap::empty();
    for (range, place) in ranges {
        if *place >= shard_count {
            return Err(DecodeError::Inconsistent("a slot has an unknown owner"));
        }
        for slot in range.slots() {
            if map.owner(slot).is_some() {
                return Err(DecodeError::Inconsistent("a slot has two owners"));
            }
            map.set(slot, Some(*place));
        }
    }
    Ok(map)
}
