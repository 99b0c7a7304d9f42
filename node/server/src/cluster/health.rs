//! What this node thinks of the others' lives: whether they answer its pings.

use std::collections::BTreeMap;
use std::time::Duration;

use quoris_topology::NodeId;
use quoris_topology::format::{Direction, Health, Link, Liveness, MessageCount};
use tokio::time::Instant;

/// A moment on both clocks: one to measure with, one to show.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Never steps.
    pub at: Instant,
    /// Milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

/// What is known about one peer.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// When it last answered or asked; at first, when it was first thought of.
    seen_at: Instant,
    pong_received_ms: u64,
    /// The ping that waits for its answer, if one does.
    ping_sent_ms: u64,
    /// The last ping failed.
    is_silent: bool,
    offset: u64,
    /// Since when its pings have arrived, and ours have been answered.
    from_since_ms: Option<u64>,
    to_since_ms: Option<u64>,
}

/// The peers, and how often they were talked to.
#[derive(Debug, Default)]
pub struct Peers {
    by_id: BTreeMap<NodeId, Peer>,
    pings: [u64; 2],
    pongs: [u64; 2],
}

const SENT: usize = 0;
const RECEIVED: usize = 1;

impl Peers {
    /// A ping goes out. `false` if the last one still waits for its answer, and
    /// none is to be sent.
    pub fn ping(&mut self, node: NodeId, now: Moment) -> bool {
        let peer = self.peer(node, now);
        if peer.ping_sent_ms != 0 {
            return false;
        }
        peer.ping_sent_ms = now.unix_ms.max(1);
        self.pings[SENT] += 1;
        true
    }

    /// It was answered by a node that has applied `offset`.
    pub fn pong(&mut self, node: NodeId, offset: u64, now: Moment) {
        let peer = self.peer(node, now);
        peer.answered(offset, now);
        peer.ping_sent_ms = 0;
        peer.to_since_ms.get_or_insert(now.unix_ms);
        self.pongs[RECEIVED] += 1;
    }

    /// It was not answered.
    pub fn silence(&mut self, node: NodeId, now: Moment) {
        let peer = self.peer(node, now);
        peer.is_silent = true;
        peer.ping_sent_ms = 0;
        (peer.from_since_ms, peer.to_since_ms) = (None, None);
    }

    /// The node itself has sent a ping, which is as good as an answer.
    pub fn asked(&mut self, node: NodeId, offset: u64, now: Moment) {
        let peer = self.peer(node, now);
        peer.answered(offset, now);
        peer.from_since_ms.get_or_insert(now.unix_ms);
        self.pings[RECEIVED] += 1;
        self.pongs[SENT] += 1;
    }

    /// What is to be thought of a node. It is suspected when a ping has failed,
    /// and has failed when that has lasted for `node_timeout`.
    pub fn health(&self, node: NodeId, now: Instant, node_timeout: Duration) -> Health {
        let Some(peer) = self.by_id.get(&node) else { return Health::default() };
        let liveness = if !peer.is_silent {
            Liveness::Alive
        } else if now.saturating_duration_since(peer.seen_at) < node_timeout {
            Liveness::Suspected
        } else {
            Liveness::Failed
        };
        Health {
            liveness,
            is_connected: peer.to_since_ms.is_some() || peer.from_since_ms.is_some(),
            ping_sent_ms: peer.ping_sent_ms,
            pong_received_ms: peer.pong_received_ms,
            offset: peer.offset,
        }
    }

    /// The connections that pings went over.
    pub fn links(&self) -> Vec<Link> {
        let links = self.by_id.iter().flat_map(|(node, peer)| {
            let ways = [(Direction::To, peer.to_since_ms), (Direction::From, peer.from_since_ms)];
            ways.into_iter().filter_map(|(direction, since)| {
                let (send_buffer_allocated, send_buffer_used) = (0, 0);
                let created_ms = since?;
                let node = *node;
                Some(Link { direction, node, created_ms, send_buffer_allocated, send_buffer_used })
            })
        });
        links.collect()
    }

    /// How many messages went over the bus, as far as they are counted.
    pub fn messages(&self) -> [MessageCount; 2] {
        let count = |kind, [sent, received]: [u64; 2]| MessageCount { kind, sent, received };
        [count("ping", self.pings), count("pong", self.pongs)]
    }

    /// Forgets nodes that have left.
    pub fn retain(&mut self, is_known: impl Fn(NodeId) -> bool) {
        self.by_id.retain(|node, _| is_known(*node));
    }

    fn peer(&mut self, node: NodeId, now: Moment) -> &mut Peer {
        self.by_id.entry(node).or_insert(Peer {
            seen_at: now.at,
            pong_received_ms: 0,
            ping_sent_ms: 0,
            is_silent: false,
            offset: 0,
            from_since_ms: None,
            to_since_ms: None,
        })
    }
}

impl Peer {
    fn answered(&mut self, offset: u64, now: Moment) {
        self.seen_at = now.at;
        self.pong_received_ms = now.unix_ms;
        self.is_silent = false;
        self.offset = offset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fixture;

    const TIMEOUT: Duration = Duration::from_secs(15);

    fn clock() -> impl Fn(u64) -> Moment {
        let start = Instant::now();
        move |s| Moment { at: start + Duration::from_secs(s), unix_ms: 1_000_000 + s * 1000 }
    }

    #[test]
    fn a_peer_is_suspected_at_once_and_failed_in_the_end() {
        let at = clock();
        let node = fixture::node(2);
        let mut peers = Peers::default();
        let liveness = |peers: &Peers, s| peers.health(node, at(s).at, TIMEOUT).liveness;
        assert_eq!(liveness(&peers, 0), Liveness::Alive, "nothing speaks against it yet");
        assert!(peers.ping(node, at(0)));
        assert!(!peers.ping(node, at(1)), "one at a time");
        peers.pong(node, 7, at(1));
        assert_eq!(peers.health(node, at(1).at, TIMEOUT).pong_received_ms, 1_001_000);
        assert!(peers.ping(node, at(2)));
        assert_eq!(peers.health(node, at(2).at, TIMEOUT).ping_sent_ms, 1_002_000);
        peers.silence(node, at(3));
        assert_eq!(liveness(&peers, 15), Liveness::Suspected);
        assert_eq!(liveness(&peers, 16), Liveness::Failed);
        assert!(!peers.health(node, at(16).at, TIMEOUT).is_connected);
        peers.asked(node, 9, at(17));
        let health = peers.health(node, at(17).at, TIMEOUT);
        assert_eq!((health.liveness, health.offset), (Liveness::Alive, 9));
        assert!(health.is_connected);
    }

    #[test]
    fn messages_and_links_are_counted_both_ways() {
        let at = clock();
        let [one, other] = [fixture::node(1), fixture::node(2)];
        let mut peers = Peers::default();
        peers.ping(one, at(0));
        peers.pong(one, 1, at(0));
        peers.asked(one, 1, at(1));
        peers.asked(other, 1, at(1));
        let [ping, answer] = peers.messages();
        assert_eq!((ping.sent, ping.received), (1, 2));
        assert_eq!((answer.sent, answer.received), (2, 1));
        let links: Vec<_> =
            peers.links().iter().map(|link| (link.direction, link.node, link.created_ms)).collect();
        let expected = [
            (Direction::To, one, 1_000_000),
            (Direction::From, one, 1_001_000),
            (Direction::From, other, 1_001_000),
        ];
        assert_eq!(links, expected);
        peers.retain(|node| node == other);
        assert_eq!(peers.links().len(), 1);
    }
}
