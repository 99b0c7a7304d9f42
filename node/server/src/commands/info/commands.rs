//! What commands did: `commandstats`, `errorstats` and `latencystats`.

use std::fmt::Write as _;

use super::Section;
use super::facts::Facts;

pub(super) const STATS: Section = Section {
    name: "commandstats",
    title: "Commandstats",
    by_default: false,
    fields: &[],
    lines: stats,
};

pub(super) const ERRORS: Section = Section {
    name: "errorstats",
    title: "Errorstats",
    by_default: true,
    fields: &[],
    lines: errors,
};

pub(super) const LATENCIES: Section = Section {
    name: "latencystats",
    title: "Latencystats",
    by_default: false,
    fields: &[],
    lines: latencies,
};

fn stats(facts: &Facts<'_>, out: &mut String) {
    facts.shared.stats.each_command(|number, stats| {
        let name = facts.shared.registry.entry(number).full_name();
        let micros = stats.nanos / 1000;
        let each =
            if stats.calls == 0 { 0.0 } else { stats.nanos as f64 / 1e3 / stats.calls as f64 };
        let _ = write!(
            out,
            "cmdstat_{name}:calls={},usec={micros},usec_per_call={each:.2},rejected_calls={},\
             failed_calls={}\r\n",
            stats.calls, stats.rejected, stats.failed
        );
    });
}

fn errors(facts: &Facts<'_>, out: &mut String) {
    facts.shared.stats.each_error(|code, count| {
        let _ = write!(out, "errorstat_{code}:count={count}\r\n");
    });
}

fn latencies(facts: &Facts<'_>, out: &mut String) {
    if !facts.config.latency_tracking() {
        return;
    }
    let percentiles = facts.config.latency_tracking_info_percentiles();
    facts.shared.stats.each_command(|number, stats| {
        let Some(latency) = &stats.latency else { return };
        let values: Vec<String> = percentiles
            .iter()
            .map(|percent| {
                let micros = latency.percentile(percent / 100.0) as f64 / 1000.0;
                format!("p{percent}={micros:.3}")
            })
            .collect();
        let name = facts.shared.registry.entry(number).full_name();
        let _ = write!(out, "latency_percentiles_usec_{name}:{}\r\n", values.join(","));
    });
}
