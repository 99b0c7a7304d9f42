//! Runs scenarios of the simulation: `simulate [--seeds N] [--from SEED] [--shards N]
//! [--workload NAME] [--trace] [--lying-disks] [--careless-clients]`.
//!
//! Ends with 1 if an invariant was violated, and prints the seeds that did it.

use std::process::ExitCode;

use clap::Parser;
use quoris_simulation::Scenario;
use quoris_simulation::workload::Workload;

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
    /// Run this workload alone, instead of three that the seed chooses
    #[arg(long)]
    workload: Option<Workload>,
    /// Print what happened in each run
    #[arg(long)]
    trace: bool,
    /// Let every fsync lie, to see that the checks notice
    #[arg(long)]
    lying_disks: bool,
    /// Let clients ask again when the outcome is unknown, to see that the checks notice
    #[arg(long)]
    careless_clients: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (mut failed, mut operations) = (Vec::new(), 0);
    for seed in options.from..options.from + options.seeds {
        let report = scenario(&options, seed).run();
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

fn scenario(options: &Options, seed: u64) -> Scenario {
    Scenario {
        seed,
        shards: options.shards,
        only: options.workload,
        disks_are_honest: !options.lying_disks,
        clients_are_careful: !options.careless_clients,
    }
}
