//! `cluster-cli ping`: whether one node answers, for health checks in containers
//! that hold nothing but Quoris.

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    output::say,
    wire::Connection,
};

/// Asks one node, and nobody else.
pub async fn run(node: &Address, password: Option<&str>) -> Outcome {
    let reply = Connection::open(node, password).await?.call(&["PING"]).await?;
    if reply.as_str() != Some("PONG") {
        return Err(Failure::unreachable(format!("{node} answered {reply:?} instead of PONG")));
    }
    say("PONG");
    Ok(())
}
