//! What a node has heard about leaders ahead of the topology group.
//!
//! A new leader proposes [`SetLeader`](crate::Change::SetLeader) to the
//! topology group and, because that takes a round trip more than a failover can
//! spare, also tells every node directly. Such hearsay is kept here, outside
//! the replicated record, and a reader weighs the two by term. A shard's own
//! members need neither: their Raft group tells them, and tells them too when
//! a leader has been lost.

use alloc::collections::BTreeMap;

use crate::id::{NodeId, ShardId, Term};
use crate::topology::{Shard, Topology};

/// The newest that was heard of each shard's leader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaderHints {
    heard: BTreeMap<ShardId, Hint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hint {
    term: Term,
    leader: Option<NodeId>,
}

impl LeaderHints {
    /// Notes who leads a shard. `false` if that is news of an older term.
    pub fn note(&mut self, shard: ShardId, leader: NodeId, term: Term) -> bool {
        self.hear(shard, Hint { term, leader: Some(leader) })
    }

    /// Notes that a shard has no leader that we know of in `term`, which its
    /// members may find out from their group. `false` as above.
    pub fn lost(&mut self, shard: ShardId, term: Term) -> bool {
        self.hear(shard, Hint { term, leader: None })
    }

    fn hear(&mut self, shard: ShardId, hint: Hint) -> bool {
        let is_news = self.heard.get(&shard).is_none_or(|known| known.term <= hint.term);
        if is_news {
            self.heard.insert(shard, hint);
        }
        is_news
    }

    /// Who leads a shard, by the newest account of the two; of the same term,
    /// what was heard counts, because it can also say that the leader is lost.
    pub fn leader_of(&self, shard: &Shard) -> Option<NodeId> {
        let hint = self.heard.get(&shard.id).filter(|hint| hint.term >= shard.term);
        let leader = hint.map_or(shard.leader, |hint| hint.leader);
        leader.filter(|leader| shard.members.contains(leader))
    }

    /// Forgets shards that have left the cluster.
    pub fn retain_known(&mut self, topology: &Topology) {
        self.heard.retain(|shard, _| topology.shard(*shard).is_some());
    }
}
