//! Runs scenarios of the simulation: `simulate [--seeds N] [--from SEED] [--shards N] [--trace]
//! [--lying-disks]`.
//!
//! Ends with 1 if an invariant was violated, and prints the seeds that did it.

use std::process::ExitCode;

use clap::Parser;
use quoris_simulation::Scenario;

/// Runs whole clusters in a deterministic simulation
#[derive(Debug, Parser)]
struct Options {
    /// How many seeds to run
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Shards of three nodes each
    #[arg(long, default_value_t = 1)]
    shards: usize,
    /// Print what happened in each run
    #[arg(long)]
    trace: bool,
    /// Let every fsync lie, to see that the checks notice
    #[arg(long)]
    lying_disks: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (mut failed, mut operations) = (Vec::new(), 0);
    for seed in options.from..options.from + options.seeds {
        let disks_are_honest = !options.lying_disks;
        let report = Scenario { seed, shards: options.shards, disks_are_honest }.run();
        operations += report.operations;
        if options.trace {
            print!("{}", report.trace);
        }
        if let Some(violation) = report.violation {
            println!("seed {seed}: {violation}");
            failed.push(seed);
        }
    }
    println!("{} seeds, {operations} operations, {} failed", options.seeds, failed.len());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("run one again, with its trace: make sim SEEDS=1 FROM={}", failed[0]);
    ExitCode::FAILURE
}
