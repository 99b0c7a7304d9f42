//! `cluster-cli demo`: a cluster on this machine until Ctrl-C.
//!
//! Every node is a process of its own with its own directory, started in its
//! own process group so that Ctrl-C reaches only this program, which then stops
//! the nodes in order. A node that ends by itself (or by `kill -9`, which is
//! what a demo is for) is started again after a while, long enough to watch the
//! others go on without it.

mod node;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::node::Node;
use crate::{
    address::Address,
    args::Demo,
    create::{Formed, form},
    failure::{Failure, Outcome},
    output::{say, tell},
    progress::Progress,
};

const FORM_WITHIN: Duration = Duration::from_mins(1);
const BUS_PORT_OFFSET: u16 = 10_000;

/// Runs the command until a signal ends it.
pub async fn run(args: &Demo) -> Outcome {
    let mut stop = Stop::listen()?;
    let home = Home::open(args.dir.as_deref())?;
    let program = node_program(args)?;
    let addresses = addresses(args)?;
    let mut nodes = Vec::new();
    for address in &addresses {
        nodes.push(Node::new(&program, address, home.path())?);
    }
    let outcome = tokio::select! {
        outcome = serve(&mut nodes, args, &addresses) => outcome,
        () = stop.wait() => Ok(()),
    };
    tell(format_args!("stopping {} nodes", nodes.len()));
    join_all(nodes.iter_mut().map(|node| node.stop(home.grace()))).await;
    outcome
}

async fn serve(nodes: &mut [Node], args: &Demo, addresses: &[Address]) -> Outcome {
    let mut progress = Progress::new(false);
    progress.step(format!("starting {} nodes", nodes.len()));
    for node in nodes.iter_mut() {
        node.start()?;
    }
    for node in nodes.iter_mut() {
        node.wait_until_it_answers().await?;
    }
    let replicas = usize::from(args.nodes_per_shard) - 1;
    let formed = form(addresses, replicas, FORM_WITHIN, &mut progress).await?;
    progress.finish();
    introduce(args, addresses, formed);
    let mut watched: FuturesUnordered<_> = nodes.iter_mut().map(Node::keep_alive).collect();
    while watched.next().await.is_some() {}
    Err(Failure::unfinished("every node has ended; see the logs named above"))
}

fn introduce(args: &Demo, addresses: &[Address], formed: Formed) {
    let first = &addresses[0];
    let again = if formed == Formed::Already { " again" } else { "" };
    say(format_args!(
        "{} shards of {} nodes run{again} on ports {}-{}",
        args.shards,
        args.nodes_per_shard,
        first.port,
        addresses[addresses.len() - 1].port
    ));
    say(format_args!("  redis-cli -c -p {}", first.port));
    // As it was called, so that the line can be copied.
    let tool = std::env::args().next().unwrap_or_else(|| "cluster-cli".into());
    say(format_args!("  {tool} status {first}"));
    say("Ctrl-C stops them.");
}

/// Where the nodes live: the directory that was asked for, or one that goes
/// away with the demo.
enum Home {
    Kept(PathBuf),
    Passing(TempDir),
}

impl Home {
    fn open(dir: Option<&Path>) -> Outcome<Self> {
        let refused = |what: String, error: std::io::Error| {
            Failure::refused(format!("cannot make {what}: {error}; name another with --dir"))
        };
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("quoris-demo-").tempdir();
            return made
                .map(Self::Passing)
                .map_err(|error| refused("a temporary directory".into(), error));
        };
        let made = fs::create_dir_all(dir).and_then(|()| dir.canonicalize());
        made.map(Self::Kept).map_err(|error| refused(dir.display().to_string(), error))
    }

    /// How long a node may take to stop. One whose data is kept may look for a
    /// new leader until it gives up; the others have nothing left to lose.
    fn grace(&self) -> Duration {
        match self {
            Self::Kept(_) => Duration::from_secs(15),
            Self::Passing(_) => Duration::from_secs(1),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.path(),
        }
    }
}

/// The signals that end a demo.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Stop {
    fn listen() -> Outcome<Self> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::refused(format!("cannot watch for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

fn node_program(args: &Demo) -> Outcome<PathBuf> {
    let program = match &args.node_binary {
        Some(program) => program.clone(),
        None => std::env::current_exe().unwrap_or_default().with_file_name("quoris-node"),
    };
    if program.is_file() {
        return Ok(program);
    }
    Err(Failure::refused(format!(
        "there is no node program at {}; build it or name it with --node-binary",
        program.display()
    )))
}

/// The nodes' addresses, once every port they need is known to be free.
fn addresses(args: &Demo) -> Outcome<Vec<Address>> {
    let count = args.shards * args.nodes_per_shard;
    let last = args.port.checked_add(count - 1 + BUS_PORT_OFFSET);
    if last.is_none() || count > BUS_PORT_OFFSET {
        return Err(Failure::refused(format!(
            "{count} nodes from port {} on do not fit below 65536 with their buses 10000 above; \
             choose a lower --port",
            args.port
        )));
    }
    let ports = args.port..args.port + count;
    for port in ports.clone().chain(ports.clone().map(|port| port + BUS_PORT_OFFSET)) {
        std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            Failure::refused(format!("port {port} cannot be used ({error}); choose another --port"))
        })?;
    }
    Ok(ports.map(|port| Address::new("127.0.0.1", port)).collect())
}
