//! LATENCY: what took longer than `latency-monitor-threshold`, and how long commands take.

use quoris_engine::spec::{Flags, Group, Spec, string};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;

use super::help;
use crate::registry::{Entry, NodeCommand, NodeCx, Outcome};
use crate::stats::{CommandStats, Histogram};
use crate::subcommands;

pub(super) const COMMANDS: &[NodeCommand] = &[LATENCY];

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE);
const SPECIAL: &[&str] =
    &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

const fn sub(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Server, since, summary).sub_args(&[]).flags(FLAGS).tips(SPECIAL)
}

/// LATENCY subcommand
const LATENCY: NodeCommand = NodeCommand::container(
    Spec::new("latency", Group::Server, "2.8.13", "Knows what took long.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 7 = [DOCTOR, GRAPH, HELP, HISTOGRAM, HISTORY, LATEST, RESET]);

/// LATENCY DOCTOR
const DOCTOR: NodeCommand =
    NodeCommand::new(sub("doctor", "2.8.13", "Says in words what took long."), doctor);

/// LATENCY GRAPH event
const GRAPH: NodeCommand = NodeCommand::new(
    sub("graph", "2.8.13", "Draws the samples of an event.").sub_args(&[string("event")]),
    graph,
);

/// LATENCY HELP
const HELP: NodeCommand = NodeCommand::new(
    sub("help", "2.8.13", "Lists the subcommands.")
        .flags(Flags::LOADING.or(Flags::STALE))
        .tips(&[]),
    show_help,
);

/// LATENCY HISTOGRAM [command ...]
const HISTOGRAM: NodeCommand = NodeCommand::new(
    sub("histogram", "7.0.0", "Tells how long commands take.")
        .sub_args(&[string("command").optional().multiple()])
        .complexity(
            "O(N) where N is the number of commands with latency information being retrieved.",
        ),
    histogram,
);

/// LATENCY HISTORY event
const HISTORY: NodeCommand = NodeCommand::new(
    sub("history", "2.8.13", "Returns the samples of an event.").sub_args(&[string("event")]),
    history,
);

/// LATENCY LATEST
const LATEST: NodeCommand =
    NodeCommand::new(sub("latest", "2.8.13", "Returns the newest sample of every event."), latest);

/// LATENCY RESET [event ...]
const RESET: NodeCommand = NodeCommand::new(
    sub("reset", "2.8.13", "Forgets samples.")
        .sub_args(&[string("event").optional().multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    reset,
);

const LINES: &[&str] = &[
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
];

fn doctor(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let threshold_ms = cx.shared.config.borrow().latency_monitor_threshold();
    let report = cx.shared.observe.latency.borrow().report(threshold_ms);
    reply.verbatim("txt", report.as_bytes());
    Ok(Outcome::Done)
}

fn graph(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let latency = cx.shared.observe.latency.borrow();
    let (name, series) = latency.get(&args[2]).ok_or_else(|| {
        let event = String::from_utf8_lossy(&args[2]);
        CommandError::text(format!("ERR No samples available for event '{event}'"))
    })?;
    let graph = series.graph(name, cx.shared.clock.unix_ms() / 1000);
    reply.verbatim("txt", graph.as_bytes());
    Ok(Outcome::Done)
}

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "LATENCY", LINES);
    Ok(Outcome::Done)
}

fn history(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let latency = cx.shared.observe.latency.borrow();
    let Some((_, series)) = latency.get(&args[2]) else {
        reply.array(0);
        return Ok(Outcome::Done);
    };
    reply.array(series.samples().len());
    for sample in series.samples() {
        reply.array(2);
        reply.integer(sample.at_s as i64);
        reply.integer(i64::from(sample.millis));
    }
    Ok(Outcome::Done)
}

fn latest(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let latency = cx.shared.observe.latency.borrow();
    reply.array(latency.events().len());
    for (event, series) in latency.events() {
        let last = series.last();
        reply.array(4);
        reply.bulk(event.as_bytes());
        reply.integer(last.at_s as i64);
        reply.integer(i64::from(last.millis));
        reply.integer(i64::from(series.millis_max));
    }
    Ok(Outcome::Done)
}

fn reset(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let mut latency = cx.shared.observe.latency.borrow_mut();
    let count = match args.len() {
        2 => latency.clear(),
        _ => args.from(2).filter(|event| latency.remove(event)).count(),
    };
    reply.count(count);
    Ok(Outcome::Done)
}

fn histogram(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let registry = &cx.shared.registry;
    let wanted = |entry: &Entry| {
        let names = |word: &[u8]| {
            let container = entry.container.unwrap_or_default();
            word.eq_ignore_ascii_case(entry.full_name().as_bytes())
                || word.eq_ignore_ascii_case(container.as_bytes())
        };
        args.len() == 2 || args.from(2).any(names)
    };
    let (begun, mut pairs) = (reply.open(), 0);
    cx.shared.stats.each_command(|number, stats| {
        let entry = registry.entry(number);
        if stats.latency.is_some() && wanted(entry) {
            reply.bulk(entry.full_name().as_bytes());
            show_histogram(stats, reply);
            pairs += 1;
        }
    });
    reply.close_map(begun, pairs);
    Ok(Outcome::Done)
}

fn show_histogram(stats: &CommandStats, reply: &mut Writer<'_>) {
    let buckets = buckets(stats.latency.iter().flat_map(Histogram::cumulative));
    reply.map(2);
    reply.bulk(b"calls");
    reply.integer(buckets.last().map_or(0, |(_, count)| *count as i64));
    reply.bulk(b"histogram_usec");
    reply.map(buckets.len());
    for (micros, count) in buckets {
        reply.integer(micros as i64);
        reply.integer(count as i64);
    }
}

/// Joins buckets, given by upper bounds in nanoseconds and cumulative counts, to Redis's: an
/// octave each, named by its end in microseconds.
fn buckets(cumulative: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (nanos, count) in cumulative {
        // The width of Redis's finest bucket there belongs to the octave below.
        let octave = nanos.next_power_of_two().max(1024);
        let micros = (octave + octave / 128 - 1) / 1000;
        match joined.last_mut() {
            Some(last) if last.0 == micros => last.1 = count,
            _ => joined.push((micros, count)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::buckets;
    use crate::stats::Histogram;

    #[test]
    fn buckets_are_named_as_redis_names_them() {
        let mut histogram = Histogram::default();
        for nanos in [900, 1_900, 7_000, 15_000, 30_000, 60_000, 500_000, 520_000] {
            histogram.record(nanos, 1);
        }
        let expected = [(1, 1), (2, 2), (8, 3), (16, 4), (33, 5), (66, 6), (528, 8)];
        assert_eq!(buckets(histogram.cumulative()), expected);
    }
}
