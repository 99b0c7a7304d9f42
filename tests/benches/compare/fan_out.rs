//! One publisher, many subscribers: as fast as all of them have what was published.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use quoris_tests::wire::Wire;

use crate::load::Measured;

/// How many listen.
pub const SUBSCRIBERS: usize = 100;
/// Messages that are published at once.
const PIPELINE: usize = 16;
const PUBLISH: &[u8] = b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$16\r\n0123456789abcdef\r\n";
const MESSAGE: &[u8] = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$16\r\n0123456789abcdef\r\n";

/// Publishes for one turn. The next messages go out when every subscriber has the ones before.
pub fn run(address: SocketAddr, turn: Duration) -> Result<Measured> {
    let mut crowd = Crowd::subscribe(address)?;
    let mut publisher = Wire::connect(address)?;
    let warm_up = turn / 5;
    let (mut start, mut is_warm, mut latencies_us) = (Instant::now(), false, Vec::new());
    loop {
        let begun = Instant::now();
        publisher.send(&PUBLISH.repeat(PIPELINE))?;
        crowd.hear()?;
        for _ in 0..PIPELINE {
            let heard = publisher.reply()?.as_integer();
            if heard != Some(SUBSCRIBERS as i64) {
                bail!("{heard:?} subscribers were there");
            }
        }
        latencies_us.push(begun.elapsed().as_micros() as u32);
        if !is_warm && start.elapsed() >= warm_up {
            (start, is_warm) = (Instant::now(), true);
            latencies_us.clear();
        } else if is_warm && start.elapsed() >= turn {
            let requests = (latencies_us.len() * PIPELINE) as u64;
            return Ok(Measured::new(requests, start.elapsed(), &mut latencies_us));
        }
    }
}

/// Those who listen.
struct Crowd {
    poll: Poll,
    events: Events,
    members: Vec<TcpStream>,
    buffer: Vec<u8>,
}

impl Crowd {
    fn subscribe(address: SocketAddr) -> Result<Crowd> {
        let poll = Poll::new()?;
        let mut members = Vec::new();
        for token in 0..SUBSCRIBERS {
            let mut stream = std::net::TcpStream::connect(address).context("connect")?;
            stream.write_all(b"SUBSCRIBE news\r\n")?;
            let answer = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
            stream.read_exact(&mut vec![0; answer.len()])?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(token), Interest::READABLE)?;
            members.push(stream);
        }
        let (events, buffer) = (Events::with_capacity(SUBSCRIBERS), vec![0; 16 * 1024]);
        Ok(Crowd { poll, events, members, buffer })
    }

    /// Waits until everybody has a pipeline of messages.
    fn hear(&mut self) -> Result<()> {
        let mut missing = SUBSCRIBERS * PIPELINE * MESSAGE.len();
        while missing > 0 {
            self.poll.poll(&mut self.events, Some(Duration::from_secs(5)))?;
            if self.events.is_empty() {
                bail!("no message for five seconds");
            }
            for event in &self.events {
                let member = &mut self.members[event.token().0];
                loop {
                    match member.read(&mut self.buffer) {
                        Ok(0) => bail!("the server closed a subscriber's connection"),
                        Ok(read) => missing = missing.checked_sub(read).context("too much")?,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(())
    }
}
