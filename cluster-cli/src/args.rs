//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::address::Address;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing was wrong
  1  check: part of the cluster cannot be served
  2  the command line could not be understood
  3  a node did not answer, or did not let us in
  4  refused, nothing was changed
  5  begun, but not finished in the time allowed
  6  check: everything is served, with less redundancy than meant";

/// Forms a Quoris cluster and looks after it.
#[derive(Debug, Parser)]
#[command(name = "cluster-cli", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands. Each is listed because it works.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Form a cluster out of empty nodes
    Create(Create),
    /// Show shards, slots, leaders, followers, health and keys
    Status(Target),
    /// Look for anything that is not as it should be
    Check(Target),
    /// Make a follower the leader of its shard
    Failover(Failover),
    /// Ask one node whether it answers
    Ping(Ask),
    /// Run a cluster on this machine until Ctrl-C
    Demo(Demo),
    /// Print the completions for a shell
    Completions {
        /// The shell to print them for
        shell: Shell,
    },
}

/// How a node lets us in.
#[derive(Debug, Args)]
pub struct Access {
    /// The nodes' password (requirepass)
    #[arg(short = 'a', long, env = "QUORIS_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
}

/// How the result is printed.
#[derive(Debug, Args)]
pub struct Output {
    /// Print one JSON document instead of text
    #[arg(long)]
    pub json: bool,
}

/// `create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The nodes; the first ones become the shards' first leaders
    #[arg(value_name = "HOST:PORT", required = true)]
    pub nodes: Vec<Address>,
    /// Followers per shard: 0, 2 or 4
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub replicas: usize,
    /// Do not ask before changing anything
    #[arg(short, long)]
    pub yes: bool,
    /// Show the plan and stop
    #[arg(long)]
    pub dry_run: bool,
    /// How long the nodes may take to form the cluster
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub timeout: Duration,
    #[command(flatten)]
    pub access: Access,
    #[command(flatten)]
    pub output: Output,
}

/// `status` and `check`.
#[derive(Debug, Args)]
pub struct Target {
    /// Any node of the cluster
    #[arg(value_name = "HOST:PORT", default_value = "127.0.0.1:7000")]
    pub node: Address,
    #[command(flatten)]
    pub access: Access,
    #[command(flatten)]
    pub output: Output,
}

/// `ping`.
#[derive(Debug, Args)]
pub struct Ask {
    /// The node
    #[arg(value_name = "HOST:PORT", default_value = "127.0.0.1:7000")]
    pub node: Address,
    #[command(flatten)]
    pub access: Access,
}

/// `failover`.
#[derive(Debug, Args)]
pub struct Failover {
    /// The follower that is to lead its shard
    #[arg(value_name = "HOST:PORT")]
    pub node: Address,
    /// Do not ask before changing anything
    #[arg(short, long)]
    pub yes: bool,
    /// Say what would happen and stop
    #[arg(long)]
    pub dry_run: bool,
    /// How long it may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,
    #[command(flatten)]
    pub access: Access,
    #[command(flatten)]
    pub output: Output,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// How many shards
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub shards: u16,
    /// How many nodes each shard has: 1, 3 or 5
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = shard_size)]
    pub nodes_per_shard: u16,
    /// Port of the first node; the others follow it, their buses 10000 above
    #[arg(long, default_value_t = 7000, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Keep the nodes' data here; without it, it is removed at the end
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// The node program; without it, quoris-node beside this one
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub node_binary: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds.into())),
        _ => Err("give a whole number of seconds, at least 1".into()),
    }
}

fn shard_size(text: &str) -> Result<u16, String> {
    match text {
        "1" | "3" | "5" => Ok(u16::from(text.as_bytes()[0] - b'0')),
        _ => Err("a shard has 1, 3 or 5 nodes".into()),
    }
}
