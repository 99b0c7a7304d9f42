//! `cluster-cli ping`: whether one node answers, for health checks in containers
//! that hold nothing but Quoris.

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    wire::{Connection, Reply},
};

/// Asks one node, and nobody else.
pub async fn run(node: &Address, password: Option<&str>) -> Outcome {
    match Connection::open(node, password).await?.call(&["PING"]).await? {
        Reply::Text(answer) if answer == "PONG" => {
            println!("PONG");
            Ok(())
        }
        reply => Err(Failure::unreachable(format!("{node} answered {reply:?} instead of PONG"))),
    }
}
