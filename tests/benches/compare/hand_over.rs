//! How long an item is under way from `LPUSH` to a client that waits for it in `BLPOP`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use quoris_resp::Reply;
use quoris_tests::wire::Wire;

use crate::load::Measured;

/// Hands over one item after another for one turn.
pub fn run(address: SocketAddr, turn: Duration) -> Result<Measured> {
    let (mut pushing, mut waiting) = (Wire::connect(address)?, Wire::connect(address)?);
    let warm_up = turn / 5;
    let (mut start, mut is_warm, mut latencies_us) = (Instant::now(), false, Vec::new());
    loop {
        waiting.send(b"*3\r\n$5\r\nBLPOP\r\n$5\r\nqueue\r\n$1\r\n0\r\n")?;
        // The server has read the other connection when this is answered.
        pushing.call(&["PING"])?;
        let begun = Instant::now();
        pushing.send(b"*3\r\n$5\r\nLPUSH\r\n$5\r\nqueue\r\n$4\r\nitem\r\n")?;
        let item = waiting.reply()?;
        latencies_us.push(begun.elapsed().as_micros() as u32);
        ensure!(matches!(item, Reply::Array(_)), "the waiting client was told {item:?}");
        pushing.reply()?;
        if !is_warm && start.elapsed() >= warm_up {
            (start, is_warm) = (Instant::now(), true);
            latencies_us.clear();
        } else if is_warm && start.elapsed() >= turn {
            let requests = latencies_us.len() as u64;
            return Ok(Measured::new(requests, start.elapsed(), &mut latencies_us));
        }
    }
}
