//! Nodes in this process that can be killed: each has a thread and a runtime of its own, and a
//! disk in memory that loses what was not synced.

use std::cell::Cell;
use std::net::TcpListener;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::JoinHandle;

use quoris_consensus::{Offload, Tcp, sync_inline};
use quoris_server::config::Config;
use quoris_server::{Entropy, Exit, Node, SystemClock, World};
use quoris_storage::{DataDir, DiskMeta, MemoryDisk};
use tokio::sync::oneshot;

use crate::wire::Wire;

/// Different numbers for every node, the same in every run.
struct Counting(Cell<u64>);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.set(self.0.get() + 1);
        self.0.get().wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// One machine, running or not.
pub struct Machine {
    pub port: u16,
    pub bus_port: u16,
    disk: MemoryDisk,
    number: u64,
    flags: Vec<String>,
    life: Option<Life>,
}

struct Life {
    kill: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Machine {
    /// A new machine with a running node.
    pub fn start(number: u64, flags: &[&str]) -> Machine {
        let mut machine = Machine {
            port: free_port(),
            bus_port: free_port(),
            disk: MemoryDisk::new(),
            number,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            life: None,
        };
        machine.power_on();
        machine
    }

    /// Starts the node on what is on the disk. It answers on return.
    #[expect(clippy::disallowed_methods, reason = "every node has a thread, as its process would")]
    pub fn power_on(&mut self) {
        let (kill, killed) = oneshot::channel();
        let (ready, started) = std::sync::mpsc::channel();
        let (disk, number, config) = (self.disk.clone(), self.number, self.config());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(tokio::runtime::LocalOptions::default())
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = killed => {}
                    () = live(&disk, number, config, &ready) => {}
                }
            });
            // Whatever the node was about to do, it does not do any more.
            runtime.shutdown_background();
        });
        self.life = Some(Life { kill, thread });
        started.recv().expect("the node starts");
    }

    /// Cuts the power: the node is gone at once, and with it what was not synced.
    pub fn crash(&mut self) {
        let Life { kill, thread } = self.life.take().expect("the node runs");
        // A node that has ended by itself does not listen.
        let _ = kill.send(());
        thread.join().expect("the node did not panic");
        self.disk.crash(self.number);
    }

    /// The node has other ports from its next start on.
    pub fn relocate(&mut self) {
        (self.port, self.bus_port) = (free_port(), free_port());
    }

    /// A new connection to the node.
    pub fn connect(&self) -> Wire {
        Wire::connect(self.port).expect("the node listens")
    }

    /// The reply to one command on a connection of its own, as text.
    pub fn ask(&self, words: &[&str]) -> String {
        self.connect().ask(words)
    }

    /// The node's id.
    pub fn id(&self) -> String {
        self.ask(&["CLUSTER", "MYID"])
    }

    fn config(&self) -> Config {
        let (port, bus_port) = (self.port.to_string(), self.bus_port.to_string());
        let mut flags = vec!["--port", &port, "--cluster-port", &bus_port];
        flags.extend(["--bind", "127.0.0.1", "--dir", "/node"]);
        flags.extend(self.flags.iter().map(String::as_str));
        Config::from_flags(&flags).expect("valid flags")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(Life { kill, thread }) = self.life.take() {
            let _ = kill.send(());
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a node panicked");
        }
    }
}

/// What the process of a node does.
async fn live(disk: &MemoryDisk, number: u64, config: Config, ready: &std::sync::mpsc::Sender<()>) {
    let disk = disk.mount();
    let dir = Path::new("/node");
    let entropy = Rc::new(Counting(Cell::new(number << 32)));
    let data = DataDir::open(&disk, dir, entropy.next_id()).expect("the directory opens");
    let meta = DiskMeta::open(Arc::clone(&disk), &dir.join("meta")).expect("the metadata opens");
    let world = World {
        transport: Tcp,
        disk,
        meta: Arc::new(meta),
        data: Rc::new(data),
        clock: Rc::new(SystemClock),
        entropy,
        syncers: Arc::new(sync_inline),
        offload: Offload::Inline,
    };
    loop {
        let node = Node::start(config.clone(), &world).await.expect("the node starts");
        // Only the first start is waited for.
        let _ = ready.send(());
        match node.run().await {
            Exit::Restart => {}
            Exit::Shutdown => return,
            Exit::Failed => panic!("the node failed although its disk did not"),
        }
    }
}

/// A port that is free now and not one that the system gives to clients.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
