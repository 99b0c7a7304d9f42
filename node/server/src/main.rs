//! The binary `quoris-node`: opens the real world, and runs a node in it.

use std::net::IpAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use quoris_consensus::{Durability, Offload, Tcp, sync_on_threads};
use quoris_server::{
    Entropy as _, Exit, Node, NodeOptions, StartError, SystemClock, SystemEntropy, World,
};
use quoris_storage::{DataDir, Disk, RealDisk, SledMeta};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match start() {
        Ok(Exit::Shutdown | Exit::Restart) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quoris-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<Exit> {
    let options = options(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .context("start the runtime")?;
    let world = open_world(&options)?;
    runtime.block_on(async {
        loop {
            let node = Node::start(options.clone(), &world).await?;
            tracing::info!(addresses = ?node.addresses(), "ready to accept connections");
            let shared = Rc::clone(node.shared());
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
    })
}

fn open_world(options: &NodeOptions) -> Result<World<Tcp>, StartError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let data = DataDir::open(&disk, &options.dir, SystemEntropy.next_id())?;
    let meta = SledMeta::open(&options.dir.join("meta"))?;
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

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<NodeOptions> {
    let mut options = NodeOptions::default();
    while let Some(directive) = words.next() {
        let value = words.next().with_context(|| format!("{directive}: a value is missing"))?;
        let wrong = || format!("{directive}: {value:?} is not a value for it");
        match directive.as_str() {
            "--port" => options.port = value.parse().with_context(wrong)?,
            "--dir" => options.dir = value.into(),
            "--bind" => options.bind = vec![value.parse::<IpAddr>().with_context(wrong)?],
            "--requirepass" => options.password = value.into_bytes(),
            "--maxclients" => options.clients_max = value.parse().with_context(wrong)?,
            "--protected-mode" => options.protected_mode = value != "no",
            "--appendfsync" => {
                options.durability = match value.as_str() {
                    "always" => Durability::Always,
                    "everysec" => Durability::EverySec,
                    "no" => Durability::No,
                    _ => bail!(wrong()),
                }
            }
            _ => bail!("{directive}: unknown directive"),
        }
    }
    Ok(options)
}
