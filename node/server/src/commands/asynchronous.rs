//! Commands of Redis's asynchronous replication, for which there is no use: each is refused.

use quoris_engine::spec::{Arg, Flags, Group, Spec, block, integer, one_of, string, token};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::Writer;

use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;

pub(super) const COMMANDS: &[NodeCommand] = &[REPLICAOF, SLAVEOF, FAILOVER, PSYNC, SYNC, REPLCONF];

const INTERNAL: Flags = Flags::ADMIN.or(Flags::NOSCRIPT);
const NEVER: &str = "Always refused: nodes of a shard agree on its log over the bus.";
const LEADER: &[Arg] = &[one_of(
    "args",
    &[
        block("host-port", &[string("host"), integer("port")]),
        block("no-one", &[token("no", "NO"), token("one", "ONE")]),
    ],
)];

const fn follow(name: &'static str, since: &'static str) -> NodeCommand {
    NodeCommand::new(
        Spec::new(name, Group::Server, since, "Makes the node follow another one.")
            .args(LEADER)
            .arity(3)
            .differs("Always refused: who leads a shard is elected. See `CLUSTER FAILOVER`.")
            .flags(INTERNAL.or(Flags::STALE).or(Flags::NO_ASYNC_LOADING)),
        replicaof,
    )
}

/// REPLICAOF host port | NO ONE
const REPLICAOF: NodeCommand = follow("replicaof", "5.0.0");
/// SLAVEOF host port | NO ONE
const SLAVEOF: NodeCommand = follow("slaveof", "1.0.0");

/// FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]
const FAILOVER: NodeCommand = NodeCommand::new(
    Spec::new("failover", Group::Server, "6.2.0", "Makes a replica the leader.")
        .args(&[
            block("target", &[string("host"), integer("port"), token("force", "FORCE").optional()])
                .after("TO")
                .optional(),
            token("abort", "ABORT").optional(),
            integer("milliseconds").after("TIMEOUT").optional(),
        ])
        .differs("Always refused: see `CLUSTER FAILOVER`.")
        .flags(INTERNAL.or(Flags::STALE)),
    failover,
);

/// PSYNC replicationid offset
const PSYNC: NodeCommand = NodeCommand::new(
    Spec::new("psync", Group::Server, "2.8.0", "Begins replication.")
        .args(&[string("replicationid"), integer("offset")])
        .arity(-3)
        .differs(NEVER)
        .flags(INTERNAL.or(Flags::NO_ASYNC_LOADING).or(Flags::NO_MULTI)),
    refuse,
);

/// SYNC
const SYNC: NodeCommand = NodeCommand::new(
    Spec::new("sync", Group::Server, "1.0.0", "Begins replication, as it was before 2.8.")
        .differs(NEVER)
        .flags(INTERNAL.or(Flags::NO_ASYNC_LOADING).or(Flags::NO_MULTI)),
    refuse,
);

/// REPLCONF option value …
const REPLCONF: NodeCommand = NodeCommand::new(
    Spec::new("replconf", Group::Server, "3.0.0", "Configures replication.")
        .arity(-1)
        .differs(NEVER)
        .flags(INTERNAL.or(Flags::LOADING).or(Flags::STALE).or(Flags::ALLOW_BUSY)),
    refuse,
);

fn is_clustered(cx: &NodeCx<'_>) -> bool {
    cx.shared.config.borrow().cluster_enabled()
}

/// `NO ONE` is what a node that leads is already.
fn replicaof(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let is_no_one = args[1].eq_ignore_ascii_case(b"no") && args[2].eq_ignore_ascii_case(b"one");
    if is_clustered(cx) {
        Err(replies::REPLICAOF_IN_CLUSTER)
    } else if is_no_one && cx.shared.group().is_leader() {
        reply.ok();
        Ok(Outcome::Done)
    } else {
        Err(replies::NO_ASYNC_REPLICATION)
    }
}

fn failover(cx: &mut NodeCx<'_>, args: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    if is_clustered(cx) {
        return Err(replies::FAILOVER_IN_CLUSTER);
    }
    Err(match args.try_get(1) {
        None => CommandError::fixed("ERR FAILOVER requires connected replicas."),
        Some(word) if word.eq_ignore_ascii_case(b"abort") && args.len() == 2 => {
            CommandError::fixed("ERR No failover in progress.")
        }
        Some(_) => error::SYNTAX,
    })
}

fn refuse(_: &mut NodeCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    Err(replies::NO_ASYNC_REPLICATION)
}
