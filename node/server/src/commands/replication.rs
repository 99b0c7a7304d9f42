//! WAIT, WAITAOF and ROLE: how far the log has come on the other nodes.

use std::rc::Rc;
use std::time::Duration;

use quoris_consensus::LogPosition;
use quoris_engine::spec::{Flags, Group, Spec, integer};
use quoris_engine::{Args, Result, error};
use quoris_resp::{Writer, parse_i64};
use tokio::time::{Instant, sleep, timeout_at};

use crate::config::AppendFsync;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;
use crate::session::Session;
use crate::shared::Shared;

pub(super) const COMMANDS: &[NodeCommand] = &[WAIT, WAITAOF, ROLE];

/// How often a waiting client's followers are looked at.
const LOOK: Duration = Duration::from_millis(2);

/// WAIT numreplicas timeout
const WAIT: NodeCommand = NodeCommand::new(
    Spec::new("wait", Group::Generic, "3.0.0", "Waits until followers have this client's writes.")
        .differs("A write is on a majority before it is answered; this counts all that have it.")
        .tips(&["request_policy:all_shards", "response_policy:agg_min"])
        .args(&[integer("numreplicas"), integer("timeout")])
        .flags(Flags::BLOCKING),
    wait,
);

/// WAITAOF numlocal numreplicas timeout
const WAITAOF: NodeCommand = NodeCommand::new(
    Spec::new("waitaof", Group::Generic, "7.2.0", "Waits until this client's writes are synced.")
        .differs(
            "Followers count with `appendfsync always` only: then they have synced what they have.",
        )
        .args(&[integer("numlocal"), integer("numreplicas"), integer("timeout")])
        .flags(Flags::BLOCKING.or(Flags::NOSCRIPT)),
    waitaof,
);

/// ROLE
const ROLE: NodeCommand = NodeCommand::new(
    Spec::new("role", Group::Server, "2.8.12", "Says whether the node leads, and who follows.")
        .differs("Offsets are indexes of the shard's log.")
        .flags(Flags::FAST.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE)),
    role,
);

fn wait(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let wanted = parse_i64(&args[1]).ok_or(error::NOT_INTEGER)?;
    let deadline = deadline_of(&args[2])?;
    if cx.session.in_exec.get() || replicas_with(cx.shared, cx.session) >= wanted {
        reply.integer(replicas_with(cx.shared, cx.session));
        return Ok(Outcome::Done);
    }
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        let reached = replicas(&shared, &session, wanted, deadline).await;
        shared.reply(&session, |reply| reply.integer(reached));
        Ok(())
    })))
}

fn waitaof(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let local = parse_i64(&args[1]).filter(|count| (0..=1).contains(count));
    let local = local.ok_or(error::OUT_OF_RANGE)?;
    let wanted = parse_i64(&args[2]).filter(|count| *count >= 0);
    let wanted = wanted.ok_or(error::MUST_BE_POSITIVE)?;
    let deadline = deadline_of(&args[3])?;
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    if session.in_exec.get() {
        let is_synced = shared.config.borrow().appendfsync() == AppendFsync::Always;
        reply.array(2);
        reply.integer(i64::from(is_synced));
        reply.integer(if is_synced { replicas_with(&shared, &session) } else { 0 });
        return Ok(Outcome::Done);
    }
    Ok(Outcome::Later(Box::pin(async move {
        // Only with `always` does having an entry mean having it synced; what followers have synced
        // of it otherwise, nobody knows.
        let always = shared.config.borrow().appendfsync() == AppendFsync::Always;
        let is_synced = always || local > 0 && sync_before(&shared, deadline).await;
        let mut reached = 0;
        if always {
            reached = replicas(&shared, &session, wanted, deadline).await;
        } else if wanted > 0 || local > 0 && !is_synced {
            expire(deadline).await;
        }
        shared.reply(&session, |reply| {
            reply.array(2);
            reply.integer(i64::from(is_synced));
            reply.integer(reached);
        });
        Ok(())
    })))
}

/// The end of a timeout in milliseconds; none for zero.
fn deadline_of(word: &[u8]) -> Result<Option<Instant>> {
    let millis = parse_i64(word).ok_or(replies::BAD_TIMEOUT)?;
    let millis = u64::try_from(millis).map_err(|_| replies::NEGATIVE_TIMEOUT)?;
    Ok((millis > 0).then(|| Instant::now() + Duration::from_millis(millis.min(u64::MAX >> 12))))
}

/// Syncs the log; false if that fails or takes longer.
async fn sync_before(shared: &Shared, deadline: Option<Instant>) -> bool {
    let group = shared.group();
    let synced = group.sync();
    match deadline {
        Some(deadline) => matches!(timeout_at(deadline, synced).await, Ok(Ok(()))),
        None => synced.await.is_ok(),
    }
}

async fn expire(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Waits until `wanted` followers have the client's last write, or the deadline; returns how many
/// have it.
async fn replicas(
    shared: &Shared,
    session: &Session,
    wanted: i64,
    deadline: Option<Instant>,
) -> i64 {
    loop {
        let reached = replicas_with(shared, session);
        if reached >= wanted || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return reached;
        }
        sleep(LOOK).await;
    }
}

/// How many followers have the client's last write.
fn replicas_with(shared: &Shared, session: &Session) -> i64 {
    let replicated = shared.group().status().replicated;
    let index = session.last_write.get().unwrap_or(0);
    let reached = |position: &LogPosition| position.index >= index;
    replicated.values().flatten().filter(|position| reached(position)).count() as i64
}

fn role(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let status = cx.shared.group().status();
    let routes = cx.shared.routes();
    let applied = status.applied.map_or(0, |position| position.index as i64);
    if cx.shared.group().is_leader() {
        let followers: Vec<_> = status
            .replicated
            .iter()
            .filter_map(|(node, position)| Some((routes.client_address(*node)?, position)))
            .collect();
        reply.array(3);
        reply.bulk(b"master");
        reply.integer(applied);
        reply.array(followers.len());
        for ((host, port), position) in followers {
            reply.array(3);
            reply.bulk(host.as_bytes());
            reply.bulk_integer(i64::from(port));
            reply.bulk_integer(position.map_or(0, |position| position.index as i64));
        }
        return Ok(Outcome::Done);
    }
    let leader = status.standing.leader.and_then(|leader| routes.client_address(leader));
    let state: &[u8] = if leader.is_some() { b"connected" } else { b"connect" };
    let (host, port) = leader.unwrap_or_default();
    reply.array(5);
    reply.bulk(b"slave");
    reply.bulk(host.as_bytes());
    reply.integer(i64::from(port));
    reply.bulk(state);
    reply.integer(applied);
    Ok(Outcome::Done)
}
