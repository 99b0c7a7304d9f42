//! The walls of the repository, checked: the crate graph is the one written in
//! `ARCHITECTURE.md`, the deterministic crates cannot reach the outside world,
//! and every source file says what it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Crates that must stay a function of their inputs.
const PURE: [&str; 3] = ["quoris-resp", "quoris-engine", "quoris-topology"];

/// What gives a crate a clock, a file, a socket, a thread or randomness.
const WORLD: [&str; 16] = [
    "async-std",
    "chrono",
    "crossbeam-channel",
    "fastrand",
    "getrandom",
    "libc",
    "mio",
    "nix",
    "openraft",
    "parking_lot",
    "rand",
    "rustix",
    "sled",
    "socket2",
    "time",
    "tokio",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is one level down").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(arguments)
        .output()
        .expect("cargo runs these tests, so it can be run");
    assert!(output.status.success(), "cargo: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--no-deps", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("there are packages").clone()
}

/// Who depends on whom among our own crates; what only tests use is left out.
fn graph_of_manifests() -> Graph {
    let name = |value: &Value| value["name"].as_str().expect("it has a name").to_owned();
    let ours = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("a list").iter();
        let shipped = dependencies.filter(|dependency| dependency["kind"] != "dev");
        shipped.map(name).filter(|name| name.starts_with("quoris-")).collect()
    };
    packages().iter().map(|package| (name(package), ours(package))).collect()
}

/// The list under "Crate graph": `- a → b, c`, names in backquotes.
fn graph_of_the_paper() -> Graph {
    let paper = read(&root().join("ARCHITECTURE.md"));
    let section = paper.split("## Crate graph").nth(1).expect("ARCHITECTURE.md draws the graph");
    let section = section.split("\n## ").next().expect("split gives at least one part");
    let entries = section.lines().filter(|line| line.starts_with("- "));
    entries
        .map(|line| {
            let mut names = line.split('`').skip(1).step_by(2).map(str::to_owned);
            (names.next().expect("an entry names its crate"), names.collect())
        })
        .collect()
}

#[test]
fn the_crate_graph_is_the_one_in_the_paper() {
    let (actual, written) = (graph_of_manifests(), graph_of_the_paper());
    let line = |graph: &Graph, name: &str| {
        let names = graph.get(name)?.iter().map(|to| format!("`{to}`")).collect::<Vec<_>>();
        let arrow = if names.is_empty() { "" } else { " → " };
        Some(format!("- `{name}`{arrow}{}", names.join(", ")))
    };
    for name in actual.keys().chain(written.keys()) {
        assert_eq!(
            line(&actual, name),
            line(&written, name),
            "left is what Cargo.toml says of {name}, right is ARCHITECTURE.md"
        );
    }
}

#[test]
fn the_deterministic_crates_cannot_reach_the_world() {
    for package in PURE {
        let tree = cargo(&["tree", "-p", package, "-e", "normal", "--prefix", "none", "--locked"]);
        for line in tree.lines() {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(!WORLD.contains(&name), "{package} reaches {name}:\n{tree}");
        }
    }
}

#[test]
fn the_deterministic_crates_are_no_std() {
    for package in packages() {
        let name = package["name"].as_str().expect("it has a name");
        if PURE.contains(&name) {
            let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
            let library = read(&manifest.with_file_name("src").join("lib.rs"));
            let says_so = library
                .lines()
                .any(|line| line == "#![no_std]" || line == "#![cfg_attr(not(test), no_std)]");
            assert!(says_so, "{name} does not say #![no_std]");
        }
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut sources = Vec::new();
    for folder in ["proto", "node", "cluster-cli", "simulation", "tests"] {
        collect_sources(&root().join(folder), &mut sources);
    }
    assert!(sources.len() > 10, "only {} sources were found", sources.len());
    let silent: Vec<_> = sources.iter().filter(|path| !read(path).starts_with("//!")).collect();
    assert!(silent.is_empty(), "these files do not open with `//!`: {silent:#?}");
}

fn collect_sources(folder: &Path, sources: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        let name = path.file_name().expect("a listed entry has a name");
        if path.is_dir() && name != "target" && name != "node_modules" {
            collect_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
