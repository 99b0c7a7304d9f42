//! From a request to a record that the cluster has agreed upon.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use quoris_consensus::ProposeError;
use quoris_engine::functions::FunctionPlan;
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::encode_command;
use quoris_topology::codec::CHANGE_BYTES_MAX;
use quoris_topology::{Change, Functions, Source};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::follow::TAG;
use crate::flush;
use crate::shared::Shared;
use crate::turn::spans_of;

/// How long a change may take until the cluster has agreed to it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the answer waits for shards that do not have the change yet.
const SPREAD: Duration = Duration::from_secs(1);
/// Between two proposals of the same.
const PAUSE: Duration = Duration::from_millis(50);

const NO_AGREEMENT: CommandError = CommandError::fixed(
    "CLUSTERDOWN the nodes that keep the topology do not agree to a change of functions now",
);
const UNKNOWN: CommandError = CommandError::fixed(
    "ERR it is not known whether the cluster has agreed to the change of functions",
);

/// Makes a change; `request` is the client's, encoded.
pub(super) async fn make(shared: &Shared, request: &[u8]) -> Result<FunctionPlan> {
    let spans = spans_of(request);
    let args = Args::new(request, &spans);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let caught_up = wait_until(shared, deadline, has_newest);
        if !caught_up.await {
            return Err(NO_AGREEMENT);
        }
        while shared.is_running_script() {
            // It has what runs libraries, and what it reads must not change.
            if let Some(error) = shared.busy_since(deadline) {
                return Err(error);
            }
            sleep(PAUSE).await;
        }
        let mut plan = shared.engine.borrow().plan_functions(&args)?;
        let Some(sources) = plan.sources.take() else {
            note_asked(shared, &plan.asked).await;
            return Ok(plan);
        };
        let version = shared.cluster().topology().function_version() + 1;
        if record(shared, version, sources, deadline).await? {
            wait_until(shared, Instant::now() + SPREAD, |shared| is_everywhere(shared, version))
                .await;
            return Ok(plan);
        }
        // This node has yet to hear who was faster.
        wait_until(shared, deadline, |shared| {
            shared.cluster().topology().function_version() >= version
        })
        .await;
    }
}

/// Makes libraries the cluster's record of this number; false if it has another one of that.
pub(super) async fn record(
    shared: &Shared,
    version: u64,
    sources: Vec<Vec<u8>>,
    deadline: Instant,
) -> Result<bool> {
    let cluster = shared.cluster();
    let origin = cluster.formation().shard().id;
    let libraries = sources.into_iter().map(Source).collect();
    let change = Change::SetFunctions(Functions { version, origin, libraries });
    let bytes = change.encode().len();
    if bytes > CHANGE_BYTES_MAX {
        return Err(CommandError::text(format!(
            "ERR the libraries of a cluster may have {CHANGE_BYTES_MAX} bytes together, not {bytes}"
        )));
    }
    let mut is_open = false;
    loop {
        // To propose it twice does no harm: the record is that already.
        match cluster.propose(&change).await {
            Ok(()) => return Ok(true),
            Err(ProposeError::Refused(_)) => return Ok(false),
            Err(ProposeError::NotAppended { .. }) => {}
            Err(ProposeError::Unknown) => is_open = true,
        }
        if Instant::now() >= deadline {
            return Err(if is_open { UNKNOWN } else { NO_AGREEMENT });
        }
        sleep(PAUSE).await;
    }
}

/// Notes in the shard's log that clients have asked here too, so that whoever asks next is told so.
/// It is a courtesy to them, so that it may get lost.
async fn note_asked(shared: &Shared, names: &[Vec<u8>]) {
    if names.is_empty() || !shared.group().is_leader() {
        return;
    }
    let mut payload = Vec::new();
    let words = std::iter::once(&b"quoris.asked"[..]).chain(names.iter().map(Vec::as_slice));
    encode_command(&mut payload, words.collect::<Vec<_>>().into_iter());
    flush::propose(shared, TAG, Bytes::from(payload));
    let is_noted = |shared: &Shared| shared.engine.borrow().have_been_asked(names);
    wait_until(shared, Instant::now() + SPREAD, is_noted).await;
}

/// Whether this shard has what this node knows to be recorded.
fn has_newest(shared: &Shared) -> bool {
    shared.engine.borrow().function_version() == shared.cluster().topology().function_version()
}

/// Whether every shard has the functions of a record.
fn is_everywhere(shared: &Shared, version: u64) -> bool {
    let topology = shared.cluster().topology();
    let has = |shard: &quoris_topology::Shard| shard.function_version >= version;
    topology.shards().iter().all(|shard| has(shard) || shard.members.is_empty())
        && shared.engine.borrow().function_version() >= version
}

/// Waits for something that the topology or this shard's functions decide; false if that has not
/// come by `deadline`.
async fn wait_until(shared: &Shared, deadline: Instant, is_so: impl Fn(&Shared) -> bool) -> bool {
    let (mut agreed, mut adopted) = (shared.cluster().changes(), shared.adopted.changes());
    let wait = async {
        while !is_so(shared) {
            tokio::select! {
                () = changed(&mut agreed) => {}
                () = changed(&mut adopted) => {}
            }
        }
    };
    timeout_at(deadline, wait).await.is_ok()
}

/// Waits for a change; for ever, if there will be none.
pub(super) async fn changed(what: &mut watch::Receiver<()>) {
    if what.changed().await.is_err() {
        pending::<()>().await;
    }
}
