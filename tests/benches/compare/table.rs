//! Takes turns between two servers, and prints what came out as a table.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;

use crate::Effort;
use crate::load::{self, Load, Measured};
use crate::servers::Server;

/// One server in one case.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Requests per second, median of the turns.
    pub rate: f64,
    /// Server CPU per request, least of the turns.
    pub cpu: Duration,
    /// Median latency, median of the turns.
    pub p50: Duration,
    /// 99th percentile, median of the turns.
    pub p99: Duration,
}

/// Lets both servers take turns at one case.
pub fn duel(ours: &Server, theirs: &Server, load: &Load, effort: Effort) -> Result<[Figures; 2]> {
    let turn = Duration::from_millis(effort.turn_ms);
    duel_of(ours, theirs, effort, |address| load::run(address, load, turn))
}

/// Lets both servers take turns at whatever `turn` does with the one at an address.
pub fn duel_of(
    ours: &Server,
    theirs: &Server,
    effort: Effort,
    turn: impl Fn(SocketAddr) -> Result<Measured>,
) -> Result<[Figures; 2]> {
    let mut turns: [Vec<(Measured, Duration)>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..effort.rounds {
        for (server, turns) in [ours, theirs].into_iter().zip(&mut turns) {
            let before = server.cpu();
            let measured = turn(server.address)?;
            // The warm-up is a fifth of the turn on top, and costs the same per request.
            let used = server.cpu().saturating_sub(before).mul_f64(1.0 / 1.2);
            turns.push((measured, used.div_f64(measured.requests.max(1) as f64)));
        }
    }
    Ok(turns.map(|turns| Figures {
        rate: median(turns.iter().map(|(turn, _)| turn.rate()).collect()),
        cpu: turns.iter().map(|(_, cpu)| *cpu).min().unwrap_or_default(),
        p50: median(turns.iter().map(|(turn, _)| turn.p50).collect()),
        p99: median(turns.iter().map(|(turn, _)| turn.p99).collect()),
    }))
}

/// Says that a case could not be measured.
pub fn gap(case: &str, why: &str) {
    println!("| {case} | {why} | | | | | | | |");
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("rates and times are ordered"));
    values[values.len() / 2]
}

/// The head of a table of duels.
pub fn head(title: &str) {
    println!("### {title}\n");
    println!(
        "| case | Quoris req/s | Redis req/s | ratio | CPU/req Quoris | Redis | ratio | \
         p50 Quoris / Redis | p99 Quoris / Redis |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
}

/// A row of a table of duels.
pub fn row(case: &str, [ours, theirs]: &[Figures; 2]) {
    println!(
        "| {case} | {:.0} | {:.0} | **{:.2}×** | {:.2} µs | {:.2} µs | {:.2}× | {} / {} µs | {} / {} µs |",
        ours.rate,
        theirs.rate,
        ours.rate / theirs.rate,
        ours.cpu.as_nanos() as f64 / 1000.0,
        theirs.cpu.as_nanos() as f64 / 1000.0,
        ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64(),
        ours.p50.as_micros(),
        theirs.p50.as_micros(),
        ours.p99.as_micros(),
        theirs.p99.as_micros(),
    );
}
