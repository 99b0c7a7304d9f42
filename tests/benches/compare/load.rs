//! The load generator: one thread, many connections, a closed loop.
//!
//! Each connection sends a pipeline of commands and waits for all replies before the next. All
//! replies of a case have the same number of lines, so that counting line breaks is enough to know
//! when a pipeline is answered; an error ends the run with the reply in the message.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use quoris_resp::Reply;

/// Which command a case sends.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `GET key`, where every key exists.
    Get,
    /// `SET key value`.
    Set,
    /// Something else.
    Of(&'static Case),
}

/// A command of a benchmark, made from a random number.
pub struct Case {
    /// What it is called in the report.
    pub name: &'static str,
    /// How many lines its reply has.
    pub reply_lines: usize,
    /// Appends a request.
    pub encode: fn(&mut Vec<u8>, u64),
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The command.
    pub kind: Kind,
    /// Open connections.
    pub connections: usize,
    /// Commands in flight on each.
    pub pipeline: usize,
    /// Length of each value in bytes.
    pub value_bytes: usize,
    /// How many different keys there are, of 16 bytes each.
    pub keys: u64,
}

/// What one turn measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Requests answered.
    pub requests: u64,
    /// For how long.
    pub elapsed: Duration,
    /// Median time from sending a pipeline to its last reply.
    pub p50: Duration,
    /// The same, for the slowest hundredth.
    pub p99: Duration,
}

impl Measured {
    /// What comes of so many requests in so long, and of the time that each pipeline took.
    pub fn new(requests: u64, elapsed: Duration, latencies_us: &mut [u32]) -> Self {
        latencies_us.sort_unstable();
        let at = |share: f64| {
            let index = (latencies_us.len() as f64 * share) as usize;
            Duration::from_micros(u64::from(latencies_us.get(index).copied().unwrap_or(0)))
        };
        Measured { requests, elapsed, p50: at(0.5), p99: at(0.99) }
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

struct Connection {
    stream: TcpStream,
    out: Vec<u8>,
    sent: usize,
    /// Lines of replies still to come for the pipeline in flight.
    missing: usize,
    begun: Instant,
}

/// Stores every key once.
pub fn populate(address: SocketAddr, keys: u64, value_bytes: usize) -> Result<()> {
    let value = vec![b'x'; value_bytes];
    fill(address, keys, |out, key| encode(out, Kind::Set, key, &value))
}

/// Sends the requests made from 0 to `count`, each of which is answered by one line or by a bulk
/// string that holds no line break.
pub fn fill(
    address: SocketAddr,
    count: u64,
    mut encode: impl FnMut(&mut Vec<u8>, u64),
) -> Result<()> {
    let mut stream = std::net::TcpStream::connect(address)?;
    let (mut received, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    for first in (0..count).step_by(512) {
        let mut out = Vec::new();
        let last = (first + 512).min(count);
        (first..last).for_each(|number| encode(&mut out, number));
        stream.write_all(&out)?;
        let mut missing = last - first;
        while missing > 0 {
            let read = stream.read(&mut piece)?;
            received.extend_from_slice(&piece[..read]);
            while let Some((reply, length)) = Reply::parse(&received)? {
                if let Some(error) = reply.as_error() {
                    bail!("filling: {error}");
                }
                received.drain(..length);
                missing -= 1;
            }
            if read == 0 {
                bail!("filling: the server closed the connection");
            }
        }
    }
    Ok(())
}

/// What a server answers to one request of a case.
pub fn probe(address: SocketAddr, case: &Case) -> Result<Reply> {
    let mut stream = std::net::TcpStream::connect(address)?;
    let mut out = Vec::new();
    (case.encode)(&mut out, 0);
    stream.write_all(&out)?;
    let (mut received, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let read = stream.read(&mut piece)?;
        received.extend_from_slice(&piece[..read]);
        match Reply::parse(&received)? {
            Some((reply, _)) => return Ok(reply),
            None if read == 0 => bail!("the server closed the connection"),
            None => {}
        }
    }
}

/// Runs one turn of `load`.
pub fn run(address: SocketAddr, load: &Load, turn: Duration) -> Result<Measured> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for token in 0..load.connections {
        let blocking = std::net::TcpStream::connect(address).context("connect")?;
        blocking.set_nodelay(true)?;
        blocking.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(blocking);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(token), interest)?;
        let begun = Instant::now();
        connections.push(Connection { stream, out: Vec::new(), sent: 0, missing: 0, begun });
    }
    let mut generator = Generator::new(load);
    for connection in &mut connections {
        generator.begin(connection)?;
    }
    generator.drive(&mut poll, &mut connections, turn)
}

struct Generator {
    load: Load,
    value: Vec<u8>,
    reply_lines: usize,
    random: u64,
    buffer: Vec<u8>,
    latencies_us: Vec<u32>,
}

impl Generator {
    fn new(load: &Load) -> Self {
        let value = vec![b'x'; load.value_bytes];
        let reply_lines = match load.kind {
            Kind::Set => 1,
            Kind::Get => 2,
            Kind::Of(case) => case.reply_lines,
        };
        Generator {
            load: *load,
            value,
            reply_lines,
            random: 88_172_645_463_325_252,
            buffer: vec![0; 256 * 1024],
            latencies_us: Vec::new(),
        }
    }

    fn drive(
        &mut self,
        poll: &mut Poll,
        connections: &mut [Connection],
        turn: Duration,
    ) -> Result<Measured> {
        let warm_up = turn / 5;
        let mut events = Events::with_capacity(1024);
        let mut start = Instant::now();
        let (mut warm, mut requests) = (false, 0u64);
        loop {
            poll.poll(&mut events, Some(Duration::from_secs(5)))?;
            if events.is_empty() {
                bail!("no reply for five seconds");
            }
            for event in &events {
                let connection = &mut connections[event.token().0];
                requests += self.turn_of(connection)?;
            }
            if !warm && start.elapsed() >= warm_up {
                warm = true;
                requests = 0;
                self.latencies_us.clear();
                start = Instant::now();
            } else if warm && start.elapsed() >= turn {
                return Ok(Measured::new(requests, start.elapsed(), &mut self.latencies_us));
            }
        }
    }

    /// Does what a connection is ready for; returns how many requests were answered.
    fn turn_of(&mut self, connection: &mut Connection) -> Result<u64> {
        flush(connection)?;
        let mut answered = 0;
        loop {
            let read = match connection.stream.read(&mut self.buffer) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(answered),
                Err(error) => return Err(error.into()),
            };
            check(&self.buffer[..read])?;
            let breaks = self.buffer[..read].iter().map(|byte| usize::from(*byte == b'\n'));
            let lines = breaks.sum();
            connection.missing =
                connection.missing.checked_sub(lines).context("more lines than expected")?;
            if connection.missing == 0 {
                self.latencies_us.push(connection.begun.elapsed().as_micros() as u32);
                answered += self.load.pipeline as u64;
                self.begin(connection)?;
            }
            if read < self.buffer.len() {
                return Ok(answered);
            }
        }
    }

    /// Sends the next pipeline.
    fn begin(&mut self, connection: &mut Connection) -> Result<()> {
        connection.out.clear();
        connection.sent = 0;
        for _ in 0..self.load.pipeline {
            // Marsaglia's xorshift64: all it has to do is spread.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let number = match self.load.kind {
                Kind::Of(_) => self.random,
                Kind::Get | Kind::Set => self.random % self.load.keys,
            };
            encode(&mut connection.out, self.load.kind, number, &self.value);
        }
        connection.missing = self.reply_lines * self.load.pipeline;
        connection.begun = Instant::now();
        flush(connection)
    }
}

fn check(reply: &[u8]) -> Result<()> {
    if reply[0] == b'-' {
        bail!("the server answered {}", String::from_utf8_lossy(&reply[..reply.len().min(200)]));
    }
    Ok(())
}

fn flush(connection: &mut Connection) -> Result<()> {
    while connection.sent < connection.out.len() {
        match connection.stream.write(&connection.out[connection.sent..]) {
            Ok(written) => connection.sent += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn encode(out: &mut Vec<u8>, kind: Kind, key: u64, value: &[u8]) {
    let _ = match kind {
        Kind::Of(case) => {
            (case.encode)(out, key);
            Ok(())
        }
        Kind::Get => write!(out, "*2\r\n$3\r\nGET\r\n$16\r\nkey:{key:012}\r\n"),
        Kind::Set => {
            let _ = write!(out, "*3\r\n$3\r\nSET\r\n$16\r\nkey:{key:012}\r\n${}\r\n", value.len());
            out.extend_from_slice(value);
            write!(out, "\r\n")
        }
    };
}
