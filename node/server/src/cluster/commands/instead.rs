//! Subcommands with which Redis's tools edit one node's idea of the cluster.
//! Each answers with what to use instead.

use quoris_engine::spec::{Arg, Spec, integer, one_of, string, token};
use quoris_engine::{CommandError, Result};

use super::{admin, cluster};
use crate::registry::{Handler, NodeCommand, NodeCx, Outcome};

macro_rules! instead {
    ($($(#[$doc:meta])* $name:ident = $spec:expr => $text:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: NodeCommand = NodeCommand::new($spec, {
            const HANDLER: Handler = |cx, _, _| refuse(cx, CommandError::fixed($text));
            HANDLER
        });)*
    };
}

fn refuse(cx: &NodeCx<'_>, error: CommandError) -> Result<Outcome> {
    cluster(cx)?;
    Err(error)
}

/// Every slot of a list.
const SLOTS: &[Arg] = &[integer("slot").multiple()];
/// Pairs of a first and a last slot.
const RANGES: &[Arg] =
    &[quoris_engine::spec::block("range", &[integer("start-slot"), integer("end-slot")])
        .multiple()];

const fn of(
    name: &'static str,
    since: &'static str,
    summary: &'static str,
    args: &'static [Arg],
) -> Spec {
    admin(name, since, summary)
        .sub_args(args)
        .differs("Always refused: the answer says what to use instead.")
}

instead! {
    /// CLUSTER MEET ip port [cluster-bus-port]
    MEET = of(
        "meet",
        "3.0.0",
        "Refused: nodes are joined by a plan.",
        &[string("ip"), integer("port"), integer("cluster-bus-port").optional()],
    ) => "ERR nodes do not meet one by one here: make a cluster of empty nodes with cluster-cli create";
    /// CLUSTER FORGET node-id
    FORGET = of("forget", "3.0.0", "Refused: all nodes agree on who is in.", &[string("node-id")])
        => "ERR all nodes agree on who belongs to the cluster: remove a node with cluster-cli remove-node";
    /// CLUSTER RESET [HARD | SOFT]
    RESET = of(
        "reset",
        "3.0.0",
        "Refused: a node leaves by being removed.",
        &[one_of("reset-type", &[token("hard", "HARD"), token("soft", "SOFT")]).optional()],
    ) => "ERR a node does not leave its cluster by itself: remove it with cluster-cli remove-node, then stop it and empty its data directory";
    /// CLUSTER ADDSLOTS slot [slot …]
    ADDSLOTS = of("addslots", "3.0.0", "Refused: slots come with the plan.", SLOTS)
        => "ERR slots are given out by the plan of the cluster: use cluster-cli create, or cluster-cli reshard to move them";
    /// CLUSTER ADDSLOTSRANGE start-slot end-slot [start-slot end-slot …]
    ADDSLOTSRANGE = of("addslotsrange", "7.0.0", "Refused: slots come with the plan.", RANGES)
        => "ERR slots are given out by the plan of the cluster: use cluster-cli create, or cluster-cli reshard to move them";
    /// CLUSTER DELSLOTS slot [slot …]
    DELSLOTS = of("delslots", "3.0.0", "Refused: slots are moved, not dropped.", SLOTS)
        => "ERR a slot is never without an owner: move it with cluster-cli reshard";
    /// CLUSTER DELSLOTSRANGE start-slot end-slot [start-slot end-slot …]
    DELSLOTSRANGE = of("delslotsrange", "7.0.0", "Refused: slots are moved, not dropped.", RANGES)
        => "ERR a slot is never without an owner: move it with cluster-cli reshard";
    /// CLUSTER FLUSHSLOTS
    FLUSHSLOTS = of("flushslots", "3.0.0", "Refused: slots are moved, not dropped.", &[])
        => "ERR a slot is never without an owner: move it with cluster-cli reshard";
    /// CLUSTER SETSLOT slot IMPORTING | MIGRATING | NODE | STABLE
    SETSLOT = of(
        "setslot",
        "3.0.0",
        "Refused: slots move all at once.",
        &[
            integer("slot"),
            one_of("subcommand", &[
                string("importing").after("IMPORTING"),
                string("migrating").after("MIGRATING"),
                string("node").after("NODE"),
                token("stable", "STABLE"),
            ]),
        ],
    ) => "ERR slots move all at once, not key by key: use cluster-cli reshard";
    /// CLUSTER SET-CONFIG-EPOCH config-epoch
    SET_CONFIG_EPOCH = of(
        "set-config-epoch",
        "3.0.0",
        "Refused: epochs are agreed upon.",
        &[integer("config-epoch")],
    ) => "ERR epochs are agreed upon by all nodes: there is nothing to set";
    /// CLUSTER BUMPEPOCH
    BUMPEPOCH = of("bumpepoch", "3.0.0", "Refused: epochs are agreed upon.", &[])
        => "ERR epochs are agreed upon by all nodes: there is nothing to advance";
    /// CLUSTER REPLICATE node-id
    REPLICATE = of(
        "replicate",
        "3.0.0",
        "Refused: a node stays in its shard.",
        &[string("node-id")],
    ) => "ERR a node stays in the shard that it was planned for: add nodes to a shard with cluster-cli add-node";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_as_in_redis() {
        let table = [
            (&MEET, -4),
            (&FORGET, 3),
            (&RESET, -2),
            (&ADDSLOTS, -3),
            (&ADDSLOTSRANGE, -4),
            (&DELSLOTS, -3),
            (&DELSLOTSRANGE, -4),
            (&FLUSHSLOTS, 2),
            (&SETSLOT, -4),
            (&SET_CONFIG_EPOCH, 3),
            (&BUMPEPOCH, 2),
            (&REPLICATE, 3),
        ];
        for (command, arity) in table {
            let spec = &command.command.spec;
            assert_eq!(spec.arity, arity, "{}", spec.name);
        }
    }
}
