//! A leader's duty: its shard has the functions that the cluster has agreed upon, and the cluster
//! knows.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use quoris_resp::encode_command;
use quoris_topology::{Change, Functions};
use tokio::time::{Instant, sleep};

use super::agree::{changed, record};
use crate::flush;
use crate::shared::Shared;

/// The tag of the entries that this proposes; client batches count up from 1, and the settings of
/// the shard have the last one.
pub(super) const TAG: u64 = u64::MAX - 1;

/// After this long a duty that is still open is looked at again: a proposal can get lost.
const AGAIN: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// Nothing.
    None,
    /// The shard does not have the newest record.
    Adopt,
    /// The shard has one, and the topology does not say so.
    Tell(u64),
    /// Functions were there before there were several shards.
    Record,
}

/// Does what is to be done, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let mut standing = shared.group().watch();
    let (mut agreed, mut adopted) = (shared.cluster().changes(), shared.adopted.changes());
    loop {
        let duty = duty(&shared);
        match duty {
            Duty::None => {}
            Duty::Adopt => adopt(&shared).await,
            Duty::Tell(version) => tell(&shared, version).await,
            Duty::Record => found(&shared).await,
        }
        tokio::select! {
            gone = standing.changed() => if gone.is_err() { return },
            () = changed(&mut agreed) => {}
            () = changed(&mut adopted) => {}
            () = sleep(AGAIN), if duty != Duty::None => {}
        }
    }
}

fn duty(shared: &Shared) -> Duty {
    if !shared.group().is_leader() {
        return Duty::None;
    }
    let engine = shared.engine.borrow();
    let (cluster, here) = (shared.cluster(), engine.function_version());
    let topology = cluster.topology();
    let newest = topology.function_version();
    if newest > here {
        return Duty::Adopt;
    }
    let told = topology.shard(cluster.formation().shard().id).map(|shard| shard.function_version);
    match told {
        // The record in the shard's log can be ahead of what this node has heard of the topology.
        Some(told) if told < here.min(newest) => Duty::Tell(here.min(newest)),
        Some(_) if newest == 0 && !shared.is_single_shard.get() => {
            if engine.function_sources().is_empty() { Duty::None } else { Duty::Record }
        }
        _ => Duty::None,
    }
}

/// Proposes the newest record to the shard.
async fn adopt(shared: &Shared) {
    // Before it has applied what its log holds, it does not know what the shard has.
    if shared.group().renew_lease().await.is_err() {
        return;
    }
    let topology = shared.cluster().topology();
    let Some(functions) = topology.functions() else { return };
    if functions.version <= shared.engine.borrow().function_version() {
        return;
    }
    let is_ours = functions.origin == shared.cluster().formation().shard().id;
    flush::propose(shared, TAG, entry(functions, is_ours));
}

/// The entry that makes the functions of a shard those of a record.
fn entry(functions: &Functions, is_ours: bool) -> Bytes {
    let version = functions.version.to_string();
    let origin: &[u8] = if is_ours { b"ours" } else { b"theirs" };
    let mut words = vec![&b"quoris.functions"[..], version.as_bytes(), origin];
    words.extend(functions.libraries.iter().map(|source| source.0.as_slice()));
    let mut payload = Vec::new();
    encode_command(&mut payload, words.into_iter());
    payload.into()
}

/// Tells the cluster which record this shard has.
async fn tell(shared: &Shared, version: u64) {
    let cluster = shared.cluster();
    let change = Change::FollowFunctions { shard: cluster.formation().shard().id, version };
    if let Err(error) = cluster.propose(&change).await {
        tracing::debug!("tell the cluster of functions: {error:?}");
    }
}

/// Makes what this shard has the cluster's first record.
async fn found(shared: &Shared) {
    if shared.group().renew_lease().await.is_err() {
        return;
    }
    let sources = shared.engine.borrow().function_sources();
    if let Err(error) = record(shared, 1, sources, Instant::now() + AGAIN).await {
        tracing::warn!("make this shard's functions those of all shards: {error}");
    }
}

/// An entry with this tag has been applied.
pub(crate) fn applied(shared: &Shared, tag: Option<u64>) {
    let newest = shared.cluster().topology().function_version();
    if tag == Some(TAG) && shared.engine.borrow().function_version() < newest {
        tracing::error!("this shard cannot load the functions of record {newest} of the cluster");
    }
}

#[cfg(test)]
mod tests {
    use quoris_topology::{ShardId, Source};

    use super::*;

    #[test]
    fn a_record_becomes_an_entry() {
        let libraries = vec![Source(b"#!lua name=a\n\xff".to_vec())];
        let functions = Functions { version: 7, origin: ShardId::new([1; 20]), libraries };
        let expected = b"*4\r\n$16\r\nquoris.functions\r\n$1\r\n7\r\n$6\r\ntheirs\r\n$14\r\n#!lua name=a\n\xff\r\n";
        assert_eq!(entry(&functions, false), &expected[..]);
    }
}
