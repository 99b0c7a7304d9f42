//! Who a node is and which cluster it belongs to, as it remembers them.

use quoris_consensus::{GroupId, RaftId};
use quoris_storage::{Meta, MetaError};

use crate::cluster::Formation;
use crate::world::Entropy;

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
    /// The names that the node's formation gives. A node that is alone keeps a seed of its own.
    ///
    /// # Errors
    /// If the metadata cannot be read or written.
    pub fn of(
        formation: &Formation,
        meta: &dyn Meta,
        entropy: &dyn Entropy,
    ) -> Result<Self, MetaError> {
        let hash_seed = match formation.hash_seed() {
            Some(shared) => shared,
            None => own_seed(meta, entropy)?,
        };
        Ok(Identity {
            node: formation.me().to_string(),
            cluster: formation.cluster_id(),
            shard: formation.shard().id.to_string(),
            hash_seed,
        })
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

fn own_seed(meta: &dyn Meta, entropy: &dyn Entropy) -> Result<[u8; 16], MetaError> {
    let known = meta.get(HASH_SEED)?.and_then(|bytes| bytes.try_into().ok());
    if let Some(seed) = known {
        return Ok(seed);
    }
    let mut seed = [0; 16];
    for half in seed.chunks_mut(8) {
        half.copy_from_slice(&entropy.next_u64().to_le_bytes());
    }
    meta.put_durable(HASH_SEED, &seed)?;
    Ok(seed)
}
