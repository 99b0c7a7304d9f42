//! What all parts of a running node share. It lives on one thread, so everything is a `Cell`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use quoris_consensus::GroupHandle;
use quoris_engine::{Engine, Interests, Rng};
use quoris_resp::{Limits, Writer};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::blocking::Queues;
use crate::cluster::Cluster;
use crate::config::{AppendFsync, Config};
use crate::dispatch::Chunk;
use crate::expiry::Expiry;
use crate::flush::Flusher;
use crate::functions::Adopted;
use crate::identity::Identity;
use crate::migrate::Dial;
use crate::notifications::Notifications;
use crate::observe::Observe;
use crate::pubsub::{Hub, Kind, Own, Relay};
use crate::reclaim::Reclaim;
use crate::registry::Registry;
use crate::routes::{Routes, SlotSet};
use crate::saves::Saves;
use crate::scripts::Scripts;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::shard_settings::Wishes;
use crate::stats::Stats;
use crate::tracking::Tracking;
use crate::transactions::Watches;
use crate::turn::{Batch, Pending};
use crate::waits::Waits;
use crate::world::{Clock, Entropy};

/// Bytes read at once. One buffer serves all connections.
pub(crate) const READ_BYTES: usize = 64 * 1024;
/// Buffers above this size are given back to the allocator.
const KEPT_BYTES: usize = 64 * 1024;
/// Buffers that are kept.
const KEPT_COUNT: usize = 256;
/// The time of day is asked for again after this long; between, it is counted.
const CLOCK_TRUST_MS: u128 = 100;

/// Why a node stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Somebody asked for it.
    Shutdown,
    /// It is to be started again in the same process, with what is on the disk now.
    Restart,
    /// Its storage has failed.
    Failed,
}

/// A running node.
pub struct Shared {
    /// What it was told at the start, and since.
    pub config: RefCell<Config>,
    /// Who it is.
    pub identity: Identity,
    cluster: Rc<Cluster>,
    /// All commands.
    pub registry: Registry,
    /// The data.
    pub engine: RefCell<Engine>,
    /// The clients.
    pub sessions: Sessions,
    /// What is counted.
    pub stats: Stats,
    /// What an operator watches.
    pub observe: Observe,
    /// The port that clients connect to.
    pub port: Cell<u16>,
    /// When it started, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// Time of day.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub entropy: Rc<dyn Entropy>,
    /// Which effects of entries somebody waits for.
    pub interests: Cell<Interests>,
    /// For whose sake touched keys are among them: a bit for each [`Curious`].
    curious: Cell<u8>,
    pub(crate) group: RefCell<Option<GroupHandle>>,
    pub(crate) waits: Waits,
    pub(crate) watches: Watches,
    pub(crate) queues: Queues,
    pub(crate) expiry: Expiry,
    pub(crate) wishes: Wishes,
    pub(crate) adopted: Adopted,
    pub(crate) notifications: Notifications,
    pub(crate) pubsub: Hub,
    pub(crate) tracking: Tracking,
    pub(crate) relay: Relay,
    pub(crate) scripts: Scripts,
    pub(crate) flusher: Flusher,
    pub(crate) reclaim: Reclaim,
    pub(crate) saves: Saves,
    pub(crate) dial: Dial,
    pub(crate) chunk: RefCell<Chunk>,
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    pub(crate) limits: Cell<Limits>,
    pub(crate) turn: RefCell<Batch>,
    pub(crate) pending: RefCell<Pending>,
    pub(crate) rng: RefCell<Rng>,
    pub(crate) owned: RefCell<SlotSet>,
    pub(crate) is_single_shard: Cell<bool>,
    /// The newest time that an entry was stamped with.
    pub(crate) stamped_ms: Cell<u64>,
    routes: RefCell<Rc<dyn Routes>>,
    anchor: Cell<(Instant, u64)>,
    buffers: RefCell<Vec<Vec<u8>>>,
    exit: watch::Sender<Option<Exit>>,
}

/// Who wants to know of keys that were touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curious {
    /// Clients that watch keys.
    Watch = 1,
    /// Clients that cache what they read.
    Tracking = 2,
    /// Clients that wait for keys.
    Blocked = 4,
}

/// What [`Shared::new`] is made of.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) registry: Registry,
    pub(crate) engine: Engine,
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) entropy: Rc<dyn Entropy>,
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) reclaim: Reclaim,
    pub(crate) dial: Dial,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Rc<Self> {
        let Parts {
            config,
            identity,
            registry,
            mut engine,
            clock,
            entropy,
            cluster,
            reclaim,
            dial,
        } = parts;
        let scripts = Scripts::new();
        engine.set_script_host(Box::new(scripts.host()));
        let routes: Rc<dyn Routes> = cluster.clone();
        let wishes = Wishes::of(&config, routes.is_single_shard());
        let now_ms = clock.unix_ms();
        let limits = Limits { bulk_bytes_max: config.proto_max_bulk_len(), ..Limits::default() };
        let stats = Stats::new(registry.entries().len());
        stats.tracks_latency.set(config.latency_tracking());
        Rc::new(Shared {
            stats,
            rng: RefCell::new(Rng::new(entropy.next_u64())),
            owned: RefCell::new(SlotSet::owned(&*routes)),
            is_single_shard: Cell::new(routes.is_single_shard()),
            routes: RefCell::new(routes),
            observe: Observe::new(&config),
            wishes,
            adopted: Adopted::default(),
            config: RefCell::new(config),
            identity,
            cluster,
            registry,
            engine: RefCell::new(engine),
            sessions: Sessions::default(),
            port: Cell::new(0),
            started_ms: now_ms,
            clock,
            entropy,
            interests: Cell::default(),
            curious: Cell::new(0),
            group: RefCell::default(),
            waits: Waits::default(),
            watches: Watches::default(),
            queues: Queues::default(),
            expiry: Expiry::default(),
            notifications: Notifications::default(),
            pubsub: Hub::default(),
            tracking: Tracking::default(),
            relay: Relay::default(),
            scripts,
            flusher: Flusher::default(),
            reclaim,
            saves: Saves::new(now_ms),
            dial,
            chunk: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BYTES].into_boxed_slice()),
            limits: Cell::new(limits),
            turn: RefCell::default(),
            pending: RefCell::default(),
            stamped_ms: Cell::new(0),
            anchor: Cell::new((Instant::now(), now_ms)),
            buffers: RefCell::default(),
            exit: watch::channel(None).0,
        })
    }

    /// The time of day at `now`, in milliseconds since the Unix epoch.
    #[inline]
    pub fn unix_ms(&self, now: Instant) -> u64 {
        let (at, unix_ms) = self.anchor.get();
        let passed = now.saturating_duration_since(at).as_millis();
        if passed < CLOCK_TRUST_MS {
            return unix_ms + passed as u64;
        }
        let unix_ms = self.clock.unix_ms();
        self.anchor.set((now, unix_ms));
        unix_ms
    }

    /// The time of day.
    pub(crate) fn now_ms(&self) -> u64 {
        self.unix_ms(Instant::now())
    }

    /// Somebody begins or ceases to be interested in keys that were touched.
    pub(crate) fn hear_of_touched(&self, who: Curious, is_on: bool) {
        let others = self.curious.get() & !(who as u8);
        let curious = if is_on { others | who as u8 } else { others };
        self.curious.set(curious);
        let script_reads = curious & Curious::Tracking as u8 != 0;
        let interests = self.interests.get();
        self.interests.set(Interests { touched: curious != 0, script_reads, ..interests });
    }

    /// The shard's group.
    ///
    /// # Panics
    /// Before the group has started, when no client can be connected yet.
    pub fn group(&self) -> GroupHandle {
        self.group.borrow().clone().expect("the group starts before the first client")
    }

    /// The cluster that it belongs to.
    pub fn cluster(&self) -> Rc<Cluster> {
        Rc::clone(&self.cluster)
    }

    /// What the topology says.
    pub fn routes(&self) -> Rc<dyn Routes> {
        Rc::clone(&self.routes.borrow())
    }

    /// Replaces what the topology says, and lets requests go on that waited for a change.
    pub fn set_routes(&self, routes: Rc<dyn Routes>) {
        *self.owned.borrow_mut() = SlotSet::owned(&*routes);
        self.is_single_shard.set(routes.is_single_shard());
        *self.routes.borrow_mut() = routes;
        self.waits.resume_leaderless();
        self.pubsub.drop_moved(self);
        self.redirect_waiters();
    }

    /// Appends a reply or a push message to a client's output and sees that it is sent.
    pub fn reply(&self, session: &Rc<Session>, write: impl FnOnce(&mut Writer<'_>)) {
        session.append(write);
        self.flusher.mark(session);
    }

    /// Publishes a message to the clients of all nodes, or of all of this shard. Returns how often
    /// it was sent to clients of this node.
    pub(crate) fn publish(
        &self,
        kind: Kind,
        channel: &[u8],
        payload: &[u8],
        own: Option<Own<'_, '_>>,
    ) -> usize {
        self.relay.publish(kind, channel, payload);
        self.pubsub.deliver(self, kind, (channel, payload), own)
    }

    /// Stops the node.
    pub fn stop(&self, exit: Exit) {
        self.exit.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(exit);
            first
        });
    }

    /// Completes when the node is to stop.
    pub(crate) fn stopped(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.subscribe()
    }

    /// An empty vector with some capacity.
    #[inline]
    pub(crate) fn take_buffer(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a vector that is not needed any more.
    #[inline]
    pub(crate) fn give_buffer(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 || buffer.capacity() > KEPT_BYTES {
            return;
        }
        let mut buffers = self.buffers.borrow_mut();
        if buffers.len() < KEPT_COUNT {
            buffer.clear();
            buffers.push(buffer);
        }
    }

    /// The output vector of a session, to append to.
    #[inline]
    pub(crate) fn output_of(&self, session: &Session) -> Vec<u8> {
        let output = session.take_output();
        if output.capacity() == 0 { self.take_buffer() } else { output }
    }

    /// Gives it back.
    #[inline]
    pub(crate) fn output_to(&self, session: &Session, output: Vec<u8>) {
        if output.is_empty() {
            self.give_buffer(output);
        } else {
            session.put_output(output);
        }
    }

    /// Whether the log takes one batch at a time, so that batches grow with the sync.
    pub(crate) fn is_one_at_a_time(&self) -> bool {
        self.config.borrow().appendfsync() == AppendFsync::Always
    }

    /// Whether entries have to reach other nodes before they commit.
    pub(crate) fn has_followers(&self) -> bool {
        self.group.borrow().as_ref().is_some_and(GroupHandle::has_other_voters)
    }

    /// Whether no write is under way and every reply has been handed to its socket.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_idle = self.turn.borrow().is_empty() && self.pending.borrow().len() == 0;
        is_idle && self.flusher.is_idle()
    }

    /// An error reply was written: counts it.
    pub(crate) fn count_error(&self, error: &quoris_engine::CommandError) {
        self.stats.error(error.code());
    }
}
