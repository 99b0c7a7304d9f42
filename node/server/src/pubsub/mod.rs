//! Publish and subscribe: who listens to what on this node, and what the others listen to.
//!
//! # On one node
//!
//! A [`Hub`] has a table of listeners for each [`Kind`]: channels, patterns, and the channels of
//! shards. A message is written once for each protocol that a listener speaks ([`message`]) and
//! appended to the output of each, behind what is there already. A client that does not read is
//! cut off by its output limit, so that it costs nobody else anything.
//!
//! # Between nodes
//!
//! Every node has a stream to every other ([`relay`]), on connections of their own. It sends what
//! its clients publish, but only what the other node *wants*: each tells the others which names
//! have listeners ([`interest`]), all of them when a stream opens and changes from then on. As long
//! as it is not known what another node wants, it is sent everything.
//!
//! A subscription is confirmed to the client when the nodes that have a stream to this one have
//! taken note of it. So what anybody publishes anywhere after a confirmation arrives, unless a
//! connection between nodes breaks: like Redis, a node sends a message once and does not keep it.
//! Messages of one publisher arrive in their order, because they take one way.
//!
//! Invariant: nothing here waits for another node but a subscription for its confirmation, and
//! that for [`PATIENCE`] at most.

mod hub;
mod interest;
mod message;
mod peer;
mod relay;
mod subscriptions;

use std::time::Duration;

pub(crate) use self::hub::Hub;
pub(crate) use self::message::{Message, Own};
pub(crate) use self::relay::{NodeMessages, Relay, run};
pub(crate) use self::subscriptions::{Change, Subscriptions};

/// How long a subscription waits for other nodes to take note of it. One that does not in this
/// time is about to lose its connection, and will hear of it with the next.
pub(crate) const PATIENCE: Duration = Duration::from_millis(250);

/// What can be subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `SUBSCRIBE`: a channel of the whole cluster.
    Channel,
    /// `PSUBSCRIBE`: all such channels whose names fit.
    Pattern,
    /// `SSUBSCRIBE`: a channel of the shard that owns its slot.
    Shard,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::Shard];
}

/// Whether a channel fits a pattern of `PSUBSCRIBE`.
pub(crate) fn fits(pattern: &[u8], channel: &[u8]) -> bool {
    use quoris_engine::glob::{Case, matches};
    matches(pattern, channel, Case::Sensitive)
}
