//! Nodes in one process that talk over loopback and keep their data on
//! simulated disks, so that a test can pull the plug.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use quoris_consensus::{
    AddressBook, Admin, Announcement, Bus, Committed, Durability, GroupHandle, GroupId,
    GroupOptions, LogKind, LogPosition, Machine, Offload, Outcome, Peers, Proposal, ProposeError,
    Pulse, RaftId, Registry, Scope, Secret, Stamp, Standing, Tcp, Timing, Transport, World,
    sync_inline, sync_on_threads,
};
use quoris_storage::{Disk, DiskMeta, LogOptions, MemoryDisk, Meta, RealDisk, SledMeta};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

pub const CLUSTER: &str = "c1";
pub const SECRET: &str = "correct-horse";

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a test as a node runs: everything on one thread.
pub fn run(test: impl Future<Output = ()> + 'static) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(PATIENCE * 4, test).await.expect("the test hangs");
    });
}

/// Waits for an event, not for a while.
pub async fn until<T>(
    watched: &mut watch::Receiver<T>,
    what: &str,
    is_true: impl FnMut(&T) -> bool,
) {
    let waited = tokio::time::timeout(PATIENCE, watched.wait_for(is_true)).await;
    waited.unwrap_or_else(|_| panic!("waited in vain until {what}")).expect("the sender lives");
}

/// Remembers every batch, in order.
#[derive(Default)]
pub struct Ledger {
    pub entries: Vec<Bytes>,
    applied: Option<LogPosition>,
    pub restored: u32,
    waiting: Waiting,
    pub length: watch::Sender<usize>,
    /// Called when a leader's no-op, or a membership, is being applied.
    pub on_skip: Option<Box<dyn FnMut(LogPosition)>>,
}

type Waiting = Rc<RefCell<BTreeMap<u64, oneshot::Sender<Result<LogPosition, Outcome>>>>>;

impl Machine for Ledger {
    fn applied(&self) -> Option<LogPosition> {
        self.applied
    }

    fn apply(&mut self, entry: Committed<'_>) {
        assert!(self.applied < Some(entry.position), "applied twice");
        assert_eq!(entry.stamp, stamp_of(entry.payload), "the stamp came through");
        self.applied = Some(entry.position);
        self.entries.push(entry.payload.clone());
        let waiter = entry.tag.and_then(|tag| self.waiting.borrow_mut().remove(&tag));
        if let Some(waiter) = waiter {
            let _ = waiter.send(Ok(entry.position));
        }
    }

    fn skip(&mut self, position: LogPosition) {
        self.applied = Some(position);
        if let Some(on_skip) = &mut self.on_skip {
            on_skip(position);
        }
    }

    fn apply_done(&mut self) {
        self.length.send_replace(self.entries.len());
    }

    fn snapshot(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for entry in &self.entries {
            bytes.extend_from_slice(&(entry.len() as u32).to_le_bytes());
            bytes.extend_from_slice(entry);
        }
        Ok(bytes)
    }

    fn restore(&mut self, position: Option<LogPosition>, mut bytes: &[u8]) -> anyhow::Result<()> {
        self.entries.clear();
        while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
            let (entry, rest) = rest.split_at(u32::from_le_bytes(*head) as usize);
            self.entries.push(Bytes::copy_from_slice(entry));
            bytes = rest;
        }
        self.applied = position;
        self.restored += 1;
        self.length.send_replace(self.entries.len());
        Ok(())
    }
}

/// A stamp that can be checked against its payload.
pub fn stamp_of(payload: &[u8]) -> Stamp {
    Stamp { now_ms: payload.len() as u64, seed: u64::from(payload[0]), engine_version: 1 }
}

#[derive(Clone, Default)]
pub struct Book(pub Arc<Mutex<BTreeMap<RaftId, SocketAddr>>>);

impl AddressBook for Book {
    fn bus_address(&self, node: RaftId) -> Option<String> {
        self.0.lock().unwrap().get(&node).map(ToString::to_string)
    }
}

pub struct Echo {
    pub me: RaftId,
    pub announced: Rc<RefCell<Vec<Announcement>>>,
}

impl Admin for Echo {
    fn cluster_id(&self) -> String {
        CLUSTER.to_owned()
    }

    fn raft_id(&self) -> RaftId {
        self.me
    }

    fn propose(
        &self,
        group: GroupId,
        payload: Bytes,
    ) -> LocalBoxFuture<'static, Result<Bytes, ProposeError>> {
        Box::pin(async move {
            if group == GroupId::topology() { Ok(payload) } else { Err(ProposeError::Unknown) }
        })
    }

    fn announce(&self, announcement: Announcement) {
        self.announced.borrow_mut().push(announcement);
    }
}

/// How the nodes of a test differ from the usual.
#[derive(Clone)]
pub struct Setup {
    pub secret: Option<Secret>,
    pub timing: Timing,
    pub log: Kind,
    pub snapshot_log_bytes: u64,
    pub kept_entries: u64,
    pub cache_bytes: usize,
    pub pulse: bool,
    /// On a real disk, with the threads that production has.
    pub real: bool,
}

#[derive(Clone, Copy)]
pub enum Kind {
    Segments,
    Meta,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            secret: Secret::new(SECRET),
            timing: Timing::default(),
            log: Kind::Segments,
            snapshot_log_bytes: u64::MAX,
            kept_entries: 0,
            cache_bytes: 1024,
            pulse: false,
            real: false,
        }
    }
}

/// What a node is while it runs.
pub struct Node {
    pub id: RaftId,
    pub group: GroupHandle,
    pub ledger: Rc<RefCell<Ledger>>,
    pub peers: Peers,
    pub registry: Registry,
    pub announced: Rc<RefCell<Vec<Announcement>>>,
    waiting: Waiting,
    next_tag: std::cell::Cell<u64>,
    bus: tokio::task::JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

/// What stays of a node when it does not run.
#[derive(Clone)]
pub struct Home {
    pub id: RaftId,
    pub disk: MemoryDisk,
    pub dir: Arc<tempfile::TempDir>,
    pub book: Book,
    pub setup: Setup,
}

impl Home {
    pub fn new(id: RaftId, book: &Book, setup: &Setup) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self { id, disk: MemoryDisk::new(), dir, book: book.clone(), setup: setup.clone() }
    }

    pub async fn start(&self) -> Node {
        self.start_with(Ledger::default()).await
    }

    pub async fn start_with(&self, mut ledger: Ledger) -> Node {
        let listener = self.bind().await;
        let world = self.world();
        let waiting = Waiting::default();
        ledger.waiting = Rc::clone(&waiting);
        let ledger = Rc::new(RefCell::new(ledger));
        let outcomes = {
            let waiting = send_wrapper::SendWrapper::new(Rc::clone(&waiting));
            Arc::new(move |tag, outcome| {
                if let Some(waiter) = waiting.borrow_mut().remove(&tag) {
                    let _ = waiter.send(Err(outcome));
                }
            })
        };
        let group = GroupHandle::start(self.options(), Rc::clone(&ledger), outcomes, &world);
        let group = group.await.unwrap();

        let announced = Rc::default();
        let admin = Rc::new(Echo { me: self.id, announced: Rc::clone(&announced) });
        let (stop, stopped) = oneshot::channel::<()>();
        let (secret, groups) = (self.setup.secret.clone(), world.registry.clone());
        let bus = Bus { secret, groups, admin, messages: None };
        let serving = bus.serve::<Tcp>(listener, async { drop(stopped.await) });
        Node {
            id: self.id,
            group,
            ledger,
            peers: world.peers,
            registry: world.registry,
            announced,
            waiting,
            next_tag: std::cell::Cell::new(1),
            bus: tokio::task::spawn_local(async { serving.await.unwrap() }),
            stop,
        }
    }

    /// At the address it had, if that is free.
    async fn bind(&self) -> TcpListener {
        let old = self.book.0.lock().unwrap().get(&self.id).copied();
        let address = old.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        let listener = match Tcp.bind(address).await {
            Ok(listener) => listener,
            Err(_) => Tcp.bind(([127, 0, 0, 1], 0).into()).await.unwrap(),
        };
        self.book.0.lock().unwrap().insert(self.id, listener.local_addr().unwrap());
        listener
    }

    pub fn world(&self) -> World {
        let peers = Peers::new(Tcp, Arc::new(self.book.clone()), self.setup.secret.as_ref());
        let pulse = self
            .setup
            .pulse
            .then(|| Pulse::start(&peers, self.setup.timing, Duration::from_secs(5)).unwrap());
        let (disk, meta): (Arc<dyn Disk>, Arc<dyn Meta>) = if self.setup.real {
            let meta = SledMeta::open(&self.dir.path().join("meta")).unwrap();
            (Arc::new(RealDisk), Arc::new(meta))
        } else {
            let disk = self.disk.mount();
            (disk.clone(), Arc::new(DiskMeta::open(disk, Path::new("meta")).unwrap()))
        };
        let real = self.setup.real;
        World {
            meta,
            disk,
            syncers: if real { Arc::new(sync_on_threads) } else { Arc::new(sync_inline) },
            offload: if real { Offload::Threads } else { Offload::Inline },
            peers,
            registry: Registry::new(),
            scope: Scope::new(self.id),
            pulse,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        if self.setup.real { self.dir.path().join(name) } else { name.into() }
    }

    pub fn options(&self) -> GroupOptions {
        let log = match self.setup.log {
            Kind::Meta => LogKind::Meta,
            Kind::Segments => LogKind::Segments {
                log_dir: self.path("aof"),
                snapshot_dir: self.path("snapshots"),
                options: LogOptions {
                    segment_bytes: 4096,
                    spare_bytes: 16_384,
                    cache_bytes: self.setup.cache_bytes,
                },
            },
        };
        GroupOptions {
            group: GroupId("shard".to_owned()),
            cluster_id: CLUSTER.to_owned(),
            raft_id: self.id,
            timing: self.setup.timing,
            durability: Durability::Always,
            log,
            snapshot_log_bytes: self.setup.snapshot_log_bytes,
            kept_entries: self.setup.kept_entries,
        }
    }
}

impl Node {
    /// Proposes and waits for what becomes of it.
    pub async fn propose(&self, payload: impl Into<Bytes>) -> Result<LogPosition, Outcome> {
        let payload = payload.into();
        let tag = self.next_tag.replace(self.next_tag.get() + 1);
        let (waiter, outcome) = oneshot::channel();
        self.waiting.borrow_mut().insert(tag, waiter);
        self.group.propose(Proposal { tag, stamp: stamp_of(&payload), payload });
        let outcome = tokio::time::timeout(PATIENCE, outcome).await;
        outcome.expect("a proposal has an outcome").expect("and only one")
    }

    pub async fn standing(&self, what: &str, is_true: impl FnMut(&Standing) -> bool) -> Standing {
        let mut watched = self.group.watch();
        until(&mut watched, &format!("node {} {what}", self.id), is_true).await;
        watched.borrow().clone()
    }

    pub async fn applied(&self, entries: usize) {
        let mut watched = self.ledger.borrow().length.subscribe();
        until(&mut watched, &format!("node {} has {entries}", self.id), |n| *n >= entries).await;
    }

    /// Stops without a goodbye; what was not synced may be lost.
    pub async fn kill(self, home: &Home) {
        drop(self.stop);
        self.bus.abort();
        self.group.shutdown().await;
        home.disk.crash(self.id);
    }
}
