//! A client as an application has it: follows redirects, gives up after a while, and knows the
//! difference between "it did not happen" and "nobody knows".

use std::io;
use std::time::Duration;

use quoris_resp::{Reply, encode_command};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use turmoil::net::TcpStream;

/// How long a client waits for one reply, in simulated time.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it pauses before it asks again after a refusal.
const PAUSE: Duration = Duration::from_millis(30);
/// How often it asks before it gives up on an operation that is refused each time.
const ATTEMPTS: u32 = 60;

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The server's reply.
    Reply(Reply),
    /// It certainly did not happen.
    Refused,
    /// It may have happened, or may still happen.
    Unknown,
}

/// A client of one cluster.
pub struct Client {
    /// `host:port` of every node.
    nodes: Vec<String>,
    /// The node it believes in.
    at: String,
    stream: Option<TcpStream>,
}

impl Client {
    /// A client that knows all nodes and begins with the `first`.
    pub fn new(nodes: Vec<String>, first: usize) -> Self {
        let at = nodes[first % nodes.len()].clone();
        Client { nodes, at, stream: None }
    }

    /// Sends one request to whichever node takes it.
    pub async fn request(&mut self, words: &[&str]) -> Answer {
        for _ in 0..ATTEMPTS {
            match self.attempt(words).await {
                Attempt::Done(answer) => return answer,
                Attempt::Elsewhere(address) => self.go_to(address),
                Attempt::Later => {
                    self.go_to(self.next_node());
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        Answer::Refused
    }

    async fn attempt(&mut self, words: &[&str]) -> Attempt {
        if self.stream.is_none() {
            match timeout(PATIENCE, TcpStream::connect(self.at.as_str())).await {
                Ok(Ok(stream)) => self.stream = Some(stream),
                // Nothing was sent yet.
                Ok(Err(_)) | Err(_) => return Attempt::Later,
            }
        }
        let stream = self.stream.as_mut().expect("connected above");
        match timeout(PATIENCE, exchange(stream, words)).await {
            Ok(Ok(Reply::Error(text))) => judge(&text),
            Ok(Ok(reply)) => Attempt::Done(Answer::Reply(reply)),
            Ok(Err(_)) | Err(_) => {
                // The connection may deliver late what was sent: it is never used again.
                self.go_to(self.next_node());
                Attempt::Done(Answer::Unknown)
            }
        }
    }

    fn go_to(&mut self, address: String) {
        self.at = address;
        self.stream = None;
    }

    fn next_node(&self) -> String {
        let here = self.nodes.iter().position(|node| *node == self.at).unwrap_or(0);
        self.nodes[(here + 1) % self.nodes.len()].clone()
    }
}

enum Attempt {
    Done(Answer),
    Elsewhere(String),
    Later,
}

/// What an error reply says about whether the request happened.
fn judge(text: &str) -> Attempt {
    let mut words = text.split(' ');
    match words.next() {
        Some("MOVED") => {
            words.nth(1).map_or(Attempt::Later, |to| Attempt::Elsewhere(to.to_owned()))
        }
        Some("CLUSTERDOWN" | "TRYAGAIN" | "LOADING" | "MASTERDOWN") => Attempt::Later,
        // The text for a lost leadership, and anything that no workload should ever see: assume the
        // worst, which only makes the check more lenient for this one operation.
        _ => Attempt::Done(Answer::Unknown),
    }
}

async fn exchange(stream: &mut TcpStream, words: &[&str]) -> io::Result<Reply> {
    let mut request = Vec::new();
    encode_command(&mut request, words.iter().map(|word| word.as_bytes()));
    stream.write_all(&request).await?;
    let mut received = Vec::new();
    loop {
        let parsed = Reply::parse(&received)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if let Some((reply, _)) = parsed {
            return Ok(reply);
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
