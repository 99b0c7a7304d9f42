//! The binary `cluster-cli`: forms a Quoris cluster and looks after it.
//!
//! It is a client like any other: everything goes over RESP, through commands
//! that any client could send. It knows the topology and the wire, never the
//! engine.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod address;
mod args;
mod check;
mod confirm;
mod create;
mod demo;
mod failover;
mod failure;
mod output;
mod ping;
mod plan;
mod progress;
mod recruit;
mod status;
mod survey;
mod table;
mod view;
mod wire;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    args::{Cli, Command},
    failure::Outcome,
    output::{show, tell},
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an event loop needs a few file descriptors only");
    match runtime.block_on(run(&cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(format_args!("cluster-cli: {failure}"));
            ExitCode::from(failure.code as u8)
        }
    }
}

async fn run(command: &Command) -> Outcome {
    match command {
        Command::Create(args) => create::run(args).await,
        Command::Status(args) => {
            status::run(&args.node, args.access.password.as_deref(), args.output.json).await
        }
        Command::Check(args) => {
            check::run(&args.node, args.access.password.as_deref(), args.output.json).await
        }
        Command::Failover(args) => failover::run(args).await,
        Command::Ping(args) => ping::run(&args.node, args.access.password.as_deref()).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "cluster-cli", &mut script);
            show(String::from_utf8_lossy(&script));
            Ok(())
        }
    }
}
