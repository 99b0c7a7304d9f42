//! The streams that carry messages between nodes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use quoris_consensus::{Interests, Messages, Parcels, RaftId};
use quoris_proto::messages as wire;
use send_wrapper::SendWrapper;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::Kind;
use super::interest::Listening;
use super::peer::Peer;
use crate::cluster::Cluster;
use crate::shared::Shared;

/// Between two attempts to reach a node.
const RETRY: Duration = Duration::from_millis(200);
/// Clients that are sent messages of another node before others have their turn.
const SENT_MAX: usize = 4000;

/// The other nodes, as places to send messages to.
pub(crate) struct Relay {
    peers: RefCell<BTreeMap<RaftId, Rc<Peer>>>,
    accepted: mpsc::UnboundedSender<(Listening, Parcels)>,
    inbox: RefCell<Option<mpsc::UnboundedReceiver<(Listening, Parcels)>>>,
}

impl Default for Relay {
    fn default() -> Self {
        let (accepted, inbox) = mpsc::unbounded_channel();
        Relay { peers: RefCell::default(), accepted, inbox: RefCell::new(Some(inbox)) }
    }
}

impl Relay {
    /// Sends a message to all other nodes that want it.
    pub(crate) fn publish(&self, kind: Kind, channel: &[u8], payload: &[u8]) {
        let mut copied = None;
        for peer in self.peers.borrow().values().filter(|peer| peer.wants(kind, channel)) {
            let publication = copied.get_or_insert_with(|| wire::Publication {
                channel: Bytes::copy_from_slice(channel),
                payload: Bytes::copy_from_slice(payload),
                sharded: kind == Kind::Shard,
            });
            peer.push(publication.clone());
        }
    }
}

/// Keeps a stream to every other node, and serves theirs, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let Some(mut inbox) = shared.relay.inbox.take() else { return };
    let mut topology = shared.cluster().changes();
    let mut streams = JoinSet::new();
    let mut outgoing: BTreeMap<RaftId, AbortHandle> = BTreeMap::new();
    loop {
        topology.borrow_and_update();
        meet(&shared, &mut streams, &mut outgoing);
        tokio::select! {
            changed = topology.changed() => if changed.is_err() { return },
            accepted = inbox.recv() => {
                let Some((listening, parcels)) = accepted else { return };
                streams.spawn_local(receive(Rc::downgrade(&shared), listening, parcels));
            }
            _ = streams.join_next(), if !streams.is_empty() => {}
        }
    }
}

/// Opens streams to nodes that are new, and closes those to nodes that have left.
fn meet(
    shared: &Rc<Shared>,
    streams: &mut JoinSet<()>,
    outgoing: &mut BTreeMap<RaftId, AbortHandle>,
) {
    let others = shared.cluster().neighbours();
    let mut peers = shared.relay.peers.borrow_mut();
    peers.retain(|id, _| others.contains_key(id));
    outgoing.retain(|id, stream| {
        let stays = others.contains_key(id);
        if !stays {
            stream.abort();
        }
        stays
    });
    for (id, is_sibling) in others {
        let peer = peers.entry(id).or_insert_with(|| Rc::new(Peer::new(id)));
        peer.is_sibling.set(is_sibling);
        outgoing
            .entry(id)
            .or_insert_with(|| streams.spawn_local(converse(Rc::clone(shared), Rc::clone(peer))));
    }
}

/// Sends messages to one node for as long as it belongs to the cluster.
async fn converse(shared: Rc<Shared>, peer: Rc<Peer>) {
    loop {
        let stream = peer.begin_stream();
        match talk(&shared, &peer, stream).await {
            Ok(()) => tracing::debug!("the stream of messages to {:016x} has ended", peer.id),
            Err(error) => tracing::debug!("open a stream of messages to {:016x}: {error}", peer.id),
        }
        peer.lost();
        sleep(RETRY).await;
    }
}

async fn talk(shared: &Shared, peer: &Rc<Peer>, stream: u64) -> std::io::Result<()> {
    let source = Rc::clone(peer);
    let parcels = stream::poll_fn(move |cx| source.poll_parcel(stream, cx));
    let parcels = SendWrapper::new(parcels);
    let mut interests = shared.cluster().converse(peer.id, parcels).await?;
    while let Some(interest) = interests.next().await {
        peer.learn(interest);
    }
    Ok(())
}

/// Takes in what another node sends, until its stream ends.
async fn receive(shared: Weak<Shared>, listening: Listening, mut parcels: Parcels) {
    let mut sent = 0;
    while let Some(parcel) = parcels.next().await {
        listening.heard(parcel.heard);
        for wire::Publication { channel, payload, sharded } in parcel.publications {
            let Some(shared) = shared.upgrade() else { return };
            let kind = if sharded { Kind::Shard } else { Kind::Channel };
            sent += shared.pubsub.deliver(&shared, kind, (&channel, &payload), None);
            if sent > SENT_MAX {
                sent = 0;
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The service, as the bus calls it.
pub(crate) struct NodeMessages {
    cluster: Rc<Cluster>,
    shared: Weak<Shared>,
}

impl NodeMessages {
    pub(crate) fn new(shared: &Rc<Shared>) -> Self {
        NodeMessages { cluster: shared.cluster(), shared: Rc::downgrade(shared) }
    }
}

impl Messages for NodeMessages {
    fn cluster_id(&self) -> String {
        self.cluster.formation().cluster_id()
    }

    fn raft_id(&self) -> RaftId {
        self.cluster.raft_id()
    }

    fn accept(&self, from: RaftId, parcels: Parcels) -> Interests {
        let Some(shared) = self.shared.upgrade() else { return stream::empty().boxed_local() };
        tracing::debug!("node {from:016x} has opened a stream of messages");
        let (listening, interests) = shared.pubsub.open(&shared);
        // A node that is about to stop accepts nobody.
        let _ = shared.relay.accepted.send((listening, parcels));
        interests.boxed_local()
    }
}
