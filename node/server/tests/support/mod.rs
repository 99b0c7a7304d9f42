//! A node in this process, on a disk in memory, and a client that talks to it over loopback; and
//! what several test files look at or set up in that node.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::rc::Rc;
use std::sync::Arc;

use quoris_consensus::{Offload, Tcp, sync_inline};
use quoris_engine::Slot;
use quoris_server::config::Config;
use quoris_server::{
    Entropy, Exit, Hold, Node, Route, Routes, Session, Shared, SystemClock, World,
};
use quoris_storage::{DataDir, Disk, DiskMeta, MemoryDisk};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The same numbers in every run.
struct Counting(std::cell::Cell<u64>);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// A running node.
pub struct Running {
    pub shared: Rc<Shared>,
    pub task: JoinHandle<Exit>,
}

/// What a node's process would have: kept over restarts.
pub fn world() -> World<Tcp> {
    let disk: Arc<dyn Disk> = MemoryDisk::new().mount();
    let dir = std::path::Path::new("/node");
    let entropy = Rc::new(Counting(std::cell::Cell::new(0)));
    let data = DataDir::open(&disk, dir, entropy.next_id()).expect("a new directory");
    let meta = DiskMeta::open(Arc::clone(&disk), &dir.join("meta")).expect("a new directory");
    World {
        transport: Tcp,
        disk,
        meta: Arc::new(meta),
        data: Rc::new(data),
        clock: Rc::new(SystemClock),
        entropy,
        syncers: Arc::new(sync_inline),
        offload: Offload::Inline,
    }
}

/// Starts a node on a free port.
pub async fn start(world: &World<Tcp>, flags: &[&str]) -> Running {
    let always = ["--port", "0", "--bind", "127.0.0.1", "--dir", "/node"];
    let config = Config::from_flags(&[&always[..], flags].concat()).expect("valid flags");
    let node = Node::start(config, world).await.expect("the node starts");
    let shared = Rc::clone(node.shared());
    Running { shared, task: tokio::task::spawn_local(node.run()) }
}

/// Runs a test against one node.
pub fn with_node<F: Future<Output = ()>>(flags: &[&str], test: impl FnOnce(Rc<Shared>) -> F) {
    run(async {
        let world = world();
        let running = start(&world, flags).await;
        test(Rc::clone(&running.shared)).await;
        running.shared.stop(Exit::Shutdown);
        running.task.await.expect("the node stops without a panic");
    });
}

/// Runs a future the way the binary does.
pub fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .expect("a runtime");
    runtime.block_on(future)
}

/// Waits until so many clients are blocked.
pub async fn until_blocked(shared: &Shared, count: usize) {
    let is_blocked = |session: &Rc<Session>| session.hold() == Hold::Blocked;
    while shared.sessions.list().iter().filter(|session| is_blocked(session)).count() != count {
        tokio::task::yield_now().await;
    }
}

/// Slots below the border are here, the others at another node.
pub struct Border(pub u16);

impl Routes for Border {
    fn is_single_shard(&self) -> bool {
        false
    }

    fn owns(&self, slot: Slot) -> bool {
        slot.number() < self.0
    }

    fn decide(&self, slot: Slot, _: bool, _: bool) -> Route {
        if self.owns(slot) {
            return Route::Local;
        }
        Route::Moved { host: "10.0.0.9".to_owned(), port: 7009 }
    }

    fn client_address(&self, _: u64) -> Option<(String, u16)> {
        None
    }
}

/// A client.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    pub async fn connect(shared: &Shared) -> Client {
        let address = ("127.0.0.1", shared.port.get());
        let stream = TcpStream::connect(address).await.expect("the node listens");
        Client { stream, received: Vec::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the node reads");
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        self.stream.shutdown().await.expect("the connection is open");
    }

    /// Receives exactly as many bytes as `expected` has, and compares.
    #[track_caller]
    pub fn expect<'a>(&'a mut self, expected: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            while self.received.len() < expected.len() {
                let count = self.stream.read_buf(&mut self.received).await.unwrap_or(0);
                let so_far = String::from_utf8_lossy(&self.received);
                assert!(count > 0, "closed after {so_far:?} instead of {expected:?} at {caller}");
            }
            let rest = self.received.split_off(expected.len());
            let got = std::mem::replace(&mut self.received, rest);
            assert_eq!(String::from_utf8_lossy(&got), expected, "at {caller}");
        }
    }

    /// Sends a line and compares the reply.
    #[track_caller]
    pub fn line<'a>(
        &'a mut self,
        line: &'a str,
        expected: &'a str,
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            self.send(format!("{line}\r\n").as_bytes()).await;
            while self.received.len() < expected.len() {
                let count = self.stream.read_buf(&mut self.received).await.unwrap_or(0);
                let so_far = String::from_utf8_lossy(&self.received);
                assert!(count > 0, "{line}: closed after {so_far:?} at {caller}");
            }
            let rest = self.received.split_off(expected.len());
            let got = std::mem::replace(&mut self.received, rest);
            assert_eq!(String::from_utf8_lossy(&got), expected, "{line} at {caller}");
        }
    }

    /// Receives a line, and returns it without its end.
    pub async fn some_line(&mut self) -> String {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
                let rest = self.received.split_off(end + 2);
                let line = std::mem::replace(&mut self.received, rest);
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            let count = self.stream.read_buf(&mut self.received).await.unwrap_or(0);
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&self.received));
        }
    }

    /// Receives a bulk string.
    pub async fn bulk(&mut self) -> String {
        let header = self.some_line().await;
        let len: usize = header.trim_start_matches('$').parse().expect("a bulk string");
        while self.received.len() < len + 2 {
            let count = self.stream.read_buf(&mut self.received).await.unwrap_or(0);
            assert!(count > 0, "closed inside a bulk string");
        }
        let rest = self.received.split_off(len + 2);
        let text = std::mem::replace(&mut self.received, rest);
        String::from_utf8_lossy(&text[..len]).into_owned()
    }

    /// Waits for the node to close the connection, and returns what it said before.
    pub async fn end(mut self) -> String {
        while self.stream.read_buf(&mut self.received).await.unwrap_or(0) > 0 {}
        String::from_utf8_lossy(&self.received).into_owned()
    }
}
