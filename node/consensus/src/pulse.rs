//! A leader's heartbeat that goes on while the node thread is busy.
//!
//! One command may keep the node thread for a second: a `KEYS *` over millions,
//! a long script. Its followers would take it for dead. So a thread of its own
//! watches for the node thread's sign of life and, when that fails to come,
//! repeats the last heartbeats over connections of its own: the vote under
//! which this node leads, without entries and without a commit index. That is
//! always safe. A heartbeat only postpones elections; it adds nothing to the
//! leader's own lease, because the leader does not hear the answers; and one
//! of a past term is refused. A node that hangs is not kept in office: after
//! `stall_max` the pulse stops.
//!
//! The other half is for the followers, which stall as well while they apply a
//! slow write. A node thread that finds that it has been away campaigns for
//! nothing until it has read the heartbeats that wait in its sockets.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use quoris_proto::raft as wire;
use tokio::time::Instant;

use crate::network::peers::{Lane, Peers};
use crate::quarantine::Quarantine;
use crate::timing::Timing;
use crate::types::{GroupId, Raft};

/// How often the node thread shows that it lives, and how often that is checked.
const SIGN_INTERVAL: Duration = Duration::from_millis(20);
/// Without a sign for this long, the pulse takes over.
const SILENCE_MIN: Duration = Duration::from_millis(60);
/// A node thread that was away for this long does not trust its timers …
const ABSENCE_MIN: Duration = Duration::from_millis(100);
/// … for this long.
const RECOVERY: Duration = Duration::from_millis(150);

/// Watches over a node thread. Cheap to clone.
#[derive(Clone)]
pub struct Pulse(Arc<Shared>);

struct Shared {
    base: Instant,
    /// The last sign of life, in nanoseconds since `base`.
    sign: AtomicU64,
    is_over: AtomicBool,
    groups: Mutex<BTreeMap<GroupId, Watched>>,
}

struct Watched {
    raft: Raft,
    quarantine: Quarantine,
    beats: Vec<Beat>,
}

/// A heartbeat to one member.
#[derive(Clone)]
pub(crate) struct Beat {
    pub(crate) vote: wire::Vote,
    pub(crate) route: wire::Route,
}

impl Pulse {
    /// Starts the thread that watches the calling one, which must be the node
    /// thread. Never under simulation. It ends with the runtime it is started
    /// in.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    #[expect(clippy::disallowed_methods, reason = "the pulse is a thread of its own by nature")]
    pub fn start(peers: &Peers, timing: Timing, stall_max: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            base: Instant::now(),
            sign: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            groups: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let watch = watch(Arc::clone(&shared), peers.apart(), timing.heartbeat, stall_max);
        std::thread::Builder::new()
            .name("quoris-pulse".to_owned())
            .spawn(move || runtime.block_on(watch))?;
        tokio::spawn(show_life(Ending(Arc::clone(&shared))));
        Ok(Self(shared))
    }

    pub(crate) fn enter(&self, group: &GroupId, raft: Raft, quarantine: Quarantine) {
        let watched = Watched { raft, quarantine, beats: Vec::new() };
        self.0.groups().insert(group.clone(), watched);
    }

    pub(crate) fn leave(&self, group: &GroupId) {
        self.0.groups().remove(group);
    }

    /// What to repeat for this group: nothing, unless this node leads it.
    pub(crate) fn set_beats(&self, group: &GroupId, beats: Vec<Beat>) {
        if let Some(watched) = self.0.groups().get_mut(group) {
            watched.beats = beats;
        }
    }
}

impl Shared {
    fn groups(&self) -> MutexGuard<'_, BTreeMap<GroupId, Watched>> {
        self.groups.lock().expect("no panic while held")
    }

    fn show_sign(&self) {
        let now = self.base.elapsed().as_nanos() as u64;
        self.sign.store(now, Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        let sign = Duration::from_nanos(self.sign.load(Ordering::Relaxed));
        self.base.elapsed().saturating_sub(sign)
    }

    fn let_elect(&self, may: bool) {
        for watched in self.groups().values() {
            let may = may && !watched.quarantine.is_in_force();
            watched.raft.runtime_config().elect(may);
        }
    }
}

/// Ends the watch when the node thread's runtime is gone.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Runs on the node thread.
async fn show_life(node: Ending) {
    let mut recovers_until = None;
    loop {
        let before = Instant::now();
        node.0.show_sign();
        tokio::time::sleep(SIGN_INTERVAL).await;
        let now = Instant::now();
        if now - before > ABSENCE_MIN {
            node.0.let_elect(false);
            recovers_until = Some(now + RECOVERY);
        } else if recovers_until.is_some_and(|until| now >= until) {
            node.0.let_elect(true);
            recovers_until = None;
        }
    }
}

/// Runs on the pulse thread.
async fn watch(node: Arc<Shared>, peers: Peers, interval: Duration, stall_max: Duration) {
    let mut last_beat = Instant::now();
    while !node.is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(SIGN_INTERVAL).await;
        let silence = node.silence();
        if silence < SILENCE_MIN || silence > stall_max || last_beat.elapsed() < interval {
            continue;
        }
        last_beat = Instant::now();
        let beats: Vec<_> =
            node.groups().values().flat_map(|watched| watched.beats.clone()).collect();
        for beat in beats {
            tokio::spawn(send(peers.clone(), beat));
        }
    }
}

async fn send(peers: Peers, beat: Beat) {
    let Ok(mut client) = peers.raft(beat.route.to, Lane::Prompt) else { return };
    let request = wire::AppendRequest {
        route: Some(beat.route),
        vote: Some(beat.vote),
        ..Default::default()
    };
    // Nobody acts on the answer, or on its absence; but the follower must have
    // the time to read the request.
    if let Ok(replies) = client.append_stream(tokio_stream::once(request)).await {
        let _ = replies.into_inner().message().await;
    }
}
