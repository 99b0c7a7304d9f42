//! All replicas of a shard that have applied the same index hold the same state, order of elements
//! included (promise 4 of the design).
//!
//! Replicas are compared by digest when everything has healed and each has applied all of the log.
//!
//! Source: the State Machine Safety Property of Ongaro and Ousterhout, "In Search of an
//! Understandable Consensus Algorithm", USENIX ATC 2014, and what it takes for granted: that the
//! state machine is deterministic (Schneider, "Implementing fault-tolerant services using the state
//! machine approach", ACM Computing Surveys 1990).

use std::collections::BTreeMap;

/// What a node holds of its shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The node's name.
    pub node: String,
    /// The shard's id.
    pub shard: String,
    /// The last index that the node has applied.
    pub index: u64,
    /// The digest of its state after that.
    pub digest: u128,
}

/// Compares those of the replicas that are of one shard and have applied the same index.
///
/// # Errors
/// Names the shard and the index, and what each node has.
pub fn check(replicas: &[Replica]) -> Result<(), String> {
    let mut states = BTreeMap::<(&str, u64), Vec<&Replica>>::new();
    for replica in replicas {
        states.entry((&replica.shard, replica.index)).or_default().push(replica);
    }
    for ((shard, index), peers) in states {
        if peers.iter().any(|replica| replica.digest != peers[0].digest) {
            let shown = peers.iter().map(|peer| format!("{} {:032x}", peer.node, peer.digest));
            let shown: Vec<_> = shown.collect();
            let shown = shown.join(", ");
            return Err(format!("replicas of shard {shard} differ at index {index}: {shown}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(node: &str, shard: &str, index: u64, digest: u128) -> Replica {
        Replica { node: node.into(), shard: shard.into(), index, digest }
    }

    #[test]
    fn unequal_digests_are_reported_with_shard_and_index() {
        let replicas = [
            replica("node0", "one", 8, 5),
            replica("node1", "one", 8, 5),
            replica("node2", "one", 8, 6),
            replica("node3", "two", 9, 7),
            replica("node4", "two", 9, 7),
        ];
        let problem = check(&replicas).expect_err("node2 is not like the others");
        for part in ["shard one", "index 8", &format!("node2 {:032x}", 6)] {
            assert!(problem.contains(part), "{part} is missing: {problem}");
        }
        assert_eq!(check(&replicas[3..]), Ok(()));
    }

    #[test]
    fn other_shards_and_other_indexes_may_have_other_states() {
        let replicas = [
            replica("node0", "one", 8, 5),
            replica("node1", "one", 9, 6),
            replica("node2", "two", 8, 7),
        ];
        assert_eq!(check(&replicas), Ok(()));
    }
}
