//! Who a node is and which cluster it belongs to, as it remembers them.

use quoris_consensus::{GroupId, RaftId};
use quoris_storage::{DataDir, Meta, MetaError};
use sha2::{Digest, Sha256};

use crate::world::Entropy;

const CLUSTER_ID: &[u8] = b"node/cluster-id";
const SHARD_ID: &[u8] = b"node/shard-id";
const HASH_SEED: &[u8] = b"node/hash-seed";

/// The names of a node and of what it belongs to: 40 hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// This node.
    pub node: String,
    /// Its cluster.
    pub cluster: String,
    /// Its shard.
    pub shard: String,
    /// The secret that keys are hashed under, the same on all nodes of the cluster.
    pub hash_seed: [u8; 16],
}

impl Identity {
    /// What the node remembers; a node that remembers nothing becomes a cluster of its own.
    ///
    /// # Errors
    /// If the metadata cannot be read or written.
    pub fn load(data: &DataDir, meta: &dyn Meta, entropy: &dyn Entropy) -> Result<Self, MetaError> {
        let word = |key: &[u8]| -> Result<String, MetaError> {
            if let Some(bytes) = meta.get(key)? {
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
            let drawn = hex(&entropy.next_id());
            meta.put(key, drawn.as_bytes())?;
            Ok(drawn)
        };
        let (cluster, shard) = (word(CLUSTER_ID)?, word(SHARD_ID)?);
        let seed = Sha256::digest(word(HASH_SEED)?.as_bytes());
        meta.flush()?;
        let mut hash_seed = [0; 16];
        hash_seed.copy_from_slice(&seed[..16]);
        Ok(Identity { node: data.node_id().to_owned(), cluster, shard, hash_seed })
    }

    /// This node's number in Raft.
    pub fn raft_id(&self) -> RaftId {
        raft_id(&self.node)
    }

    /// The name of the shard's group.
    pub fn shard_group(&self) -> GroupId {
        GroupId(self.shard.clone())
    }
}

/// The number in Raft of the node with this id: its first sixteen digits.
///
/// # Panics
/// If it does not begin with sixteen hexadecimal digits.
pub fn raft_id(node: &str) -> RaftId {
    u64::from_str_radix(&node[..16], 16).expect("a node id is hexadecimal")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
