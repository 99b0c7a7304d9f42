//! The cluster as the way that messages between clients of different nodes take.

use std::collections::BTreeMap;
use std::io;

use futures::Stream;
use quoris_consensus::{Interests, RaftId};
use quoris_proto::messages::Parcel;

use super::Cluster;

impl Cluster {
    /// The other nodes, each with whether it is in this node's shard.
    pub(crate) fn neighbours(&self) -> BTreeMap<RaftId, bool> {
        let (topology, me) = (self.topology(), self.formation.me());
        let home = topology.node(me).map(|node| node.shard);
        let others = topology.nodes().filter(|node| node.id != me);
        others.map(|node| (node.id.raft_id(), Some(node.shard) == home)).collect()
    }

    /// Opens a stream of messages to another node; see [`quoris_consensus::Peers::converse`].
    ///
    /// # Errors
    /// If it cannot be reached or does not want to hear.
    pub(crate) async fn converse(
        &self,
        with: RaftId,
        parcels: impl Stream<Item = Parcel> + Send + 'static,
    ) -> io::Result<Interests> {
        self.peers().converse((self.raft_id(), with), &self.cluster_id(), parcels).await
    }
}
