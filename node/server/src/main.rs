//! The binary `quoris-node`: opens the real world, and runs a node in it.

mod allocator;

use std::io::Write as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Context as _;
use quoris_consensus::{Offload, Tcp, sync_on_threads};
use quoris_server::cli::{self, Invocation};
use quoris_server::config::Config;
use quoris_server::logging::Logging;
use quoris_server::process::{Process, SystemProcess};
use quoris_server::{Entropy as _, Exit, Node, StartError, SystemClock, SystemEntropy, World};
use quoris_storage::{DataDir, Disk, RealDisk, SledMeta};

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    match start() {
        Ok(Exit::Shutdown | Exit::Restart) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Err(error) => {
            // If nobody can read it, the exit status remains.
            let _ = writeln!(std::io::stderr(), "quoris-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<Exit> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let config = match cli::parse(&arguments)? {
        Invocation::Run(config) => config,
        Invocation::Print(text) => {
            std::io::stdout().write_all(text.as_bytes()).context("print")?;
            return Ok(Exit::Shutdown);
        }
    };
    let logging = Logging::start(&config)?;
    for notice in config.notices() {
        tracing::warn!("{notice}");
    }
    let world = open_world(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .context("start the runtime")?;
    let process: Rc<dyn Process> = Rc::new(SystemProcess::new(logging));
    runtime.block_on(run(&config, &world, &process))
}

async fn run(
    config: &Config,
    world: &World<Tcp>,
    process: &Rc<dyn Process>,
) -> anyhow::Result<Exit> {
    loop {
        let node = Node::start(config.clone(), world).await?;
        let shared = Rc::clone(node.shared());
        shared.observe.set_process(Rc::clone(process));
        tracing::info!(id = shared.identity.node, addresses = ?node.addresses(), "ready");
        let signals = tokio::task::spawn_local(async move {
            terminated().await;
            shared.stop(Exit::Shutdown);
        });
        let exit = node.run().await;
        signals.abort();
        if exit != Exit::Restart {
            return Ok(exit);
        }
    }
}

fn open_world(config: &Config) -> Result<World<Tcp>, StartError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let data = DataDir::open(&disk, config.dir(), SystemEntropy.next_id())?;
    let meta = SledMeta::open(&config.dir().join("meta"))?;
    Ok(World {
        transport: Tcp,
        disk,
        meta: Arc::new(meta),
        data: Rc::new(data),
        clock: Rc::new(SystemClock),
        entropy: Rc::new(SystemEntropy),
        syncers: Arc::new(sync_on_threads),
        offload: Offload::Threads,
    })
}

/// Completes at SIGTERM or SIGINT.
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
