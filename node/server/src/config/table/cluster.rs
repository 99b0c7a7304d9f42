//! The cluster: how nodes find and name each other.

use super::Group;
use crate::config::checks;
use crate::config::choices::EndpointType;
use crate::config::directive::{Directive, choice, flag, integer, text};

pub(super) const GROUP: Group = Group {
    title: "Cluster",
    introduction: "How nodes find, name and replace each other. A node that is started without any of these is a complete cluster of one shard.",
    directives: DIRECTIVES,
};

const PORT: (i64, i64) = (0, 65535);

const DIRECTIVES: &[Directive] = &[
    flag("cluster-enabled", true, "Answer `CLUSTER` commands; `no` refuses them, as Redis does.")
        .at_start(),
    integer("cluster-port", PORT, 0, "TCP port of the bus between nodes; 0 for `port` + 10000.")
        .at_start(),
    text(
        "cluster-secret-file",
        "",
        "File with the secret that nodes of one cluster share; without one, the node keeps the secret that it got when the cluster was formed.",
    )
    .at_start(),
    integer(
        "cluster-node-timeout",
        (100, 60_000),
        400,
        "Milliseconds of silence after which a leader is replaced: followers stand for election after half to all of it.",
    ),
    integer(
        "engine-stall-timeout",
        (100, 600_000),
        5000,
        "Milliseconds for which one command may keep the node busy before its leadership is given up.",
    ),
    text(
        "cluster-announce-ip",
        "",
        "Address that other nodes and clients are told; empty for the one that they see.",
    )
    .checked(checks::address),
    text("cluster-announce-hostname", "", "Host name that clients are told.")
        .checked(checks::hostname),
    integer("cluster-announce-port", PORT, 0, "Port that clients are told; 0 for `port`."),
    integer(
        "cluster-announce-bus-port",
        PORT,
        0,
        "Port that other nodes are told; 0 for `cluster-port`.",
    ),
    choice(
        "cluster-preferred-endpoint-type",
        EndpointType::WORDS,
        "ip",
        "How redirections and `CLUSTER SLOTS` name a node.",
    ),
    flag(
        "cluster-require-full-coverage",
        true,
        "Refuse all keys while some slots have no shard.",
    ),
    flag(
        "cluster-allow-reads-when-down",
        false,
        "Answer reads while the cluster is down, from slots that this node still has.",
    )
    .ignored("a leader answers while it can prove that it leads, and never otherwise"),
    flag(
        "cluster-allow-pubsubshard-when-down",
        true,
        "Serve sharded channels while the cluster is down.",
    )
    .ignored("sharded channels go where their slot is served"),
];
