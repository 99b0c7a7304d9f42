//! What a connection costs that does nothing: how much the resident set grows.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use quoris_tests::wire::Wire;

use crate::servers::{self, Durability, Server};

/// How many there are. The limit on open files has to allow for them: `ulimit -n 20000`.
const CONNECTIONS: usize = 10_000;

/// What a connection has said last.
struct Case {
    name: &'static str,
    /// What connection number so-and-so says.
    says: fn(usize) -> String,
    /// Bytes of the answer, if there is one.
    answer: fn(usize) -> usize,
}

const CASES: [Case; 3] = [
    Case { name: "plain", says: |_| "PING\r\n".into(), answer: |_| "+PONG\r\n".len() },
    Case {
        name: "subscribed to a channel of its own",
        says: |number| format!("SUBSCRIBE channel:{number:05}\r\n"),
        answer: |_| "*3\r\n$9\r\nsubscribe\r\n$13\r\nchannel:00000\r\n:1\r\n".len(),
    },
    Case {
        name: "waiting in BLPOP for a key of its own",
        says: |number| format!("BLPOP queue:{number:05} 0\r\n"),
        answer: |_| 0,
    },
];

/// Prints the table.
pub fn run() -> Result<()> {
    println!("### Memory of {CONNECTIONS} idle connections: growth of the resident set\n");
    println!("| bytes for a connection | Quoris | Redis | ratio |\n|---|---|---|---|");
    for case in &CASES {
        let ours = per_connection(&servers::quoris(Durability::Memory), case)?;
        let theirs = per_connection(&servers::redis(Durability::Memory)?, case)?;
        println!("| {} | {ours:.0} | {theirs:.0} | **{:.2}×** |", case.name, ours / theirs);
    }
    println!();
    Ok(())
}

fn per_connection(server: &Server, case: &Case) -> Result<f64> {
    let mut asking = Wire::connect(server.address)?;
    asking.call(&["CONFIG", "SET", "maxclients", "12000"])?;
    let before = server.resident_bytes()?;
    let mut idle = Vec::new();
    for number in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(server.address).context("connect: see ulimit -n")?;
        stream.write_all((case.says)(number).as_bytes())?;
        stream.read_exact(&mut vec![0; (case.answer)(number)]).context("no answer")?;
        idle.push(stream);
    }
    // Redis gives buffers back that were not used for two seconds.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let clients = asking.call(&["CLIENT", "LIST"])?;
    let clients = clients.as_str().map_or(0, |list| list.lines().count());
    ensure!(clients > CONNECTIONS, "only {clients} connections are there");
    Ok((server.resident_bytes()?.saturating_sub(before)) as f64 / CONNECTIONS as f64)
}
