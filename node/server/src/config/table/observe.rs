//! Logs, statistics and notifications.

use super::Group;
use crate::config::checks;
use crate::config::choices::{LogFormat, LogLevel};
use crate::config::directive::{Directive, Kind, choice, flag, integer, special, text};

pub(super) const GROUP: Group = Group {
    title: "Logs and statistics",
    introduction: "What the node tells about itself.",
    directives: DIRECTIVES,
};

const I64: (i64, i64) = (0, i64::MAX);

const DIRECTIVES: &[Directive] = &[
    choice("loglevel", LogLevel::WORDS, "notice", "How much is logged."),
    text("logfile", "", "File to which the log is appended; empty for the standard output.")
        .at_start(),
    choice("log-format", LogFormat::WORDS, "text", "Lines for people, or JSON for machines.")
        .at_start(),
    integer(
        "slowlog-log-slower-than",
        (-1, i64::MAX),
        10_000,
        "Microseconds from which a command is kept in `SLOWLOG`; 0 for all, -1 for none.",
    ),
    integer("slowlog-max-len", I64, 128, "How many commands `SLOWLOG` keeps."),
    integer(
        "latency-monitor-threshold",
        I64,
        0,
        "Milliseconds from which an event is kept in `LATENCY`; 0 for none.",
    ),
    flag("latency-tracking", true, "Keep latency histograms of commands."),
    special(
        "latency-tracking-info-percentiles",
        Kind::Words {
            default: &["50", "99", "99.9"],
            check: checks::percentiles,
            accumulates: false,
        },
        "Percentiles that `INFO latencystats` shows.",
    ),
    integer("acllog-max-len", I64, 128, "How many refusals `ACL LOG` keeps.")
        .ignored("there are no users but the default one yet"),
    special(
        "notify-keyspace-events",
        Kind::KeyspaceEvents,
        "Events about keys to publish: `K` and/or `E` for the channels, then `g$lshzxetdmn` for the classes, or `A` for most of them.",
    ),
];
