//! The simulation itself, tested: it repeats, it passes, and it notices what it is there for.

use std::process::{Command, Output};

use quoris_simulation::Scenario;
use quoris_simulation::workload::Workload;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(arguments)
        .output()
        .expect("cargo has built the program")
}

#[test]
fn a_seed_gives_the_same_trace_in_two_processes() {
    let arguments = ["--seeds", "1", "--from", "4711", "--trace"];
    let (one, other) = (simulate(&arguments), simulate(&arguments));
    assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stdout));
    assert!(one.stdout.len() > 10_000, "a trace tells what happened");
    assert!(one.stdout == other.stdout, "two processes made different runs of one seed");
}

#[test]
fn faults_break_no_invariant() {
    for seed in 1..=4 {
        let report = Scenario::new(seed).run();
        assert_eq!(report.violation, None, "seed {seed}");
        assert!(report.operations > 500, "seed {seed}: only {} operations", report.operations);
    }
}

#[test]
fn three_shards_live_through_faults_too() {
    let report = Scenario { shards: 3, ..Scenario::new(1) }.run();
    assert_eq!(report.violation, None);
}

/// The seeds are those of the test above, which pass on honest disks. A replica that finds a log
/// shorter than it had acknowledged stops at once, and takes the run with it; where none does, a
/// client misses its write. Either way the run ends badly.
#[test]
fn a_missing_fsync_is_noticed() {
    let output = simulate(&["--seeds", "4", "--from", "1", "--lying-disks"]);
    assert!(!output.status.success(), "disks that forget lost nothing that was acknowledged");
}

/// Each of these asks for something that must not be asked for twice. A client that does so all the
/// same, because it takes "nobody knows" for "no", is found out by what it finds: so faults do hit
/// requests that are under way, and the checks do notice what came of them.
#[test]
fn clients_that_ask_again_are_noticed() {
    for workload in [Workload::Queues, Workload::Relays, Workload::Groups, Workload::Scripts] {
        let only = Some(workload);
        let careless = |seed| Scenario { only, clients_are_careful: false, ..Scenario::new(seed) };
        let noticed = (1..=10).any(|seed| careless(seed).run().violation.is_some());
        assert!(noticed, "{workload:?}: no seed showed that something was done twice");
    }
}

#[test]
fn waiting_claiming_and_scripts_live_through_faults() {
    for workload in [Workload::Queues, Workload::Relays, Workload::Groups, Workload::Scripts] {
        let report = Scenario { only: Some(workload), ..Scenario::new(1) }.run();
        assert_eq!(report.violation, None, "{workload:?}");
        assert!(report.operations > 100, "{workload:?}: only {}", report.operations);
    }
}
