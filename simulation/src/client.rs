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
    /// Whether it knows that an outcome may be unknown. Only a test says no.
    is_careful: bool,
}

impl Client {
    /// A client that knows all nodes and begins with the `first`.
    pub fn new(nodes: Vec<String>, first: usize, is_careful: bool) -> Self {
        let at = nodes[first % nodes.len()].clone();
        Client { nodes, at, stream: None, is_careful }
    }

    /// Sends one request to whichever node takes it.
    pub async fn request(&mut self, words: &[&str]) -> Answer {
        self.insist(&[words.to_vec()], PATIENCE).await
    }

    /// The same for a request that the server may answer late. After `patience` the client closes
    /// the connection and goes.
    pub async fn wait(&mut self, words: &[&str], patience: Duration) -> Answer {
        self.insist(&[words.to_vec()], patience).await
    }

    /// Sends `MULTI`, some commands and `EXEC` to whichever node takes them. The answer is that of
    /// `EXEC`.
    pub async fn transaction(&mut self, commands: &[&[&str]]) -> Answer {
        self.insist(&transaction(commands), PATIENCE).await
    }

    /// Watches some keys and reads their values, on a connection that [`Client::exec`] goes on
    /// with. `None` if that has to be tried again.
    pub async fn watch(&mut self, keys: &[&str]) -> Option<Vec<Reply>> {
        let mut requests = vec![[&["WATCH"][..], keys].concat()];
        requests.extend(keys.iter().map(|key| vec!["GET", *key]));
        match self.attempt(&requests, PATIENCE).await {
            Attempt::Done(mut replies) => {
                replies.remove(0);
                Some(replies)
            }
            failed => {
                self.move_on(failed).await;
                None
            }
        }
    }

    /// Sends `MULTI`, some commands and `EXEC` on the connection on which [`Client::watch`] was the
    /// last to be called. The answer is that of `EXEC`: null if a watched key has changed.
    pub async fn exec(&mut self, commands: &[&[&str]]) -> Answer {
        if self.stream.is_none() {
            // On another connection nothing would be watched.
            return Answer::Refused;
        }
        match self.attempt(&transaction(commands), PATIENCE).await {
            Attempt::Done(replies) => Answer::last_of(replies),
            Attempt::Unknown => Answer::Unknown,
            refused => {
                self.move_on(refused).await;
                Answer::Refused
            }
        }
    }

    async fn insist(&mut self, requests: &[Vec<&str>], patience: Duration) -> Answer {
        for _ in 0..ATTEMPTS {
            match self.attempt(requests, patience).await {
                Attempt::Done(replies) => return Answer::last_of(replies),
                Attempt::Unknown if self.is_careful => return Answer::Unknown,
                failed => self.move_on(failed).await,
            }
        }
        Answer::Refused
    }

    /// Sends some requests at once, to the node that this client believes in.
    async fn attempt(&mut self, requests: &[Vec<&str>], patience: Duration) -> Attempt {
        if self.stream.is_none() {
            match timeout(PATIENCE, TcpStream::connect(self.at.as_str())).await {
                Ok(Ok(stream)) => self.stream = Some(stream),
                // Nothing was sent yet.
                Ok(Err(_)) | Err(_) => return Attempt::Later,
            }
        }
        let stream = self.stream.as_mut().expect("connected above");
        if let Ok(Ok(replies)) = timeout(patience, exchange(stream, requests)).await {
            // EXEC after a refused command only says that there was one. That a group of consumers
            // is there already is an answer like others.
            let mut errors = replies.iter().filter_map(Reply::as_error);
            let error = errors.find(|text| !text.starts_with("BUSYGROUP")).map(judge);
            return error.unwrap_or(Attempt::Done(replies));
        }
        // The connection may deliver late what was sent: it is never used again.
        self.go_to(self.next_node());
        Attempt::Unknown
    }

    async fn move_on(&mut self, from: Attempt) {
        if let Attempt::Elsewhere(address) = from {
            return self.go_to(address);
        }
        self.go_to(self.next_node());
        tokio::time::sleep(PAUSE).await;
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

impl Answer {
    fn last_of(mut replies: Vec<Reply>) -> Answer {
        Answer::Reply(replies.pop().expect("every request has a reply"))
    }
}

enum Attempt {
    /// The replies.
    Done(Vec<Reply>),
    /// It may have happened, or may still happen.
    Unknown,
    /// It did not happen; another node may take it.
    Elsewhere(String),
    /// It did not happen.
    Later,
}

fn transaction<'a>(commands: &[&[&'a str]]) -> Vec<Vec<&'a str>> {
    let mut requests = vec![vec!["MULTI"]];
    requests.extend(commands.iter().map(|words| words.to_vec()));
    requests.push(vec!["EXEC"]);
    requests
}

/// What an error reply says about whether the request happened.
fn judge(text: &str) -> Attempt {
    let mut words = text.split(' ');
    match words.next() {
        Some("MOVED") => {
            words.nth(1).map_or(Attempt::Later, |to| Attempt::Elsewhere(to.to_owned()))
        }
        // A follower says READONLY to what has no key to be moved by.
        Some(
            "CLUSTERDOWN" | "TRYAGAIN" | "LOADING" | "MASTERDOWN" | "UNBLOCKED" | "EXECABORT"
            | "READONLY",
        ) => Attempt::Later,
        _ if text.starts_with("ERR outcome unknown") => Attempt::Unknown,
        _ => panic!("no workload asks for what is answered with: {text}"),
    }
}

async fn exchange(stream: &mut TcpStream, requests: &[Vec<&str>]) -> io::Result<Vec<Reply>> {
    let mut sent = Vec::new();
    for words in requests {
        encode_command(&mut sent, words.iter().map(|word| word.as_bytes()));
    }
    stream.write_all(&sent).await?;
    let (mut received, mut replies) = (Vec::new(), Vec::new());
    while replies.len() < requests.len() {
        let parsed = Reply::parse(&received)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if let Some((reply, length)) = parsed {
            received.drain(..length);
            replies.push(reply);
        } else if stream.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(replies)
}
