//! A small RESP client: one connection, one command at a time, every wait with
//! a deadline.
//!
//! It speaks RESP2 and never says `HELLO`, so that it can talk to a node whose
//! later commands are refused for want of a password and report just that.
//! Errors keep the node's own words.

use std::{io, time::Duration};

use quoris_resp::{Reply, ReplyError, ReplyScanner, encode_command};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    address::Address,
    failure::{Failure, Outcome},
};

/// How long a node may take to accept a connection or to answer.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Errors that go away by themselves, by their codes.
const TRANSIENT: [&str; 4] = ["TRYAGAIN", "LOADING", "CLUSTERDOWN", "MASTERDOWN"];

/// No reply that the tool asks for comes near this.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// Reading replies as this tool needs them: text, lists, and maps, which RESP2
/// writes as lists of keys and values in turn.
pub trait Read {
    /// The text of a string, the digits of an integer.
    fn text(&self) -> Option<String>;

    /// The elements of an array, none for anything else.
    fn items(&self) -> &[Reply];

    /// The value that follows `name` in a map written as a flat array.
    fn field(&self, name: &str) -> Option<&Reply>;
}

impl Read for Reply {
    fn text(&self) -> Option<String> {
        let digits = || self.as_integer().map(|value| value.to_string());
        self.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).or_else(digits)
    }

    fn items(&self) -> &[Reply] {
        self.as_slice().unwrap_or_default()
    }

    fn field(&self, name: &str) -> Option<&Reply> {
        let mut pairs = self.items().chunks_exact(2);
        pairs.find(|pair| pair[0].as_str() == Some(name)).map(|pair| &pair[1])
    }
}

/// A connection to one node, authenticated if there is a password.
#[derive(Debug)]
pub struct Connection {
    address: Address,
    stream: TcpStream,
    patience: Duration,
}

impl Connection {
    /// Connects, and authenticates when a password is given.
    pub async fn open(address: &Address, password: Option<&str>) -> Outcome<Self> {
        let dial = TcpStream::connect((address.host.as_str(), address.port));
        let stream = match timeout(PATIENCE, dial).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(Failure::unreachable(format!(
                    "cannot connect to {address}: {error}; is quoris-node running there?"
                )));
            }
            Err(_) => return Err(silent(address, PATIENCE)),
        };
        let mut connection = Self { address: address.clone(), stream, patience: PATIENCE };
        if let Some(password) = password {
            connection.call(&["AUTH", password]).await?;
        }
        Ok(connection)
    }

    /// Sends one command and waits for its reply; an error reply is a failure.
    pub async fn call(&mut self, command: &[&str]) -> Outcome<Reply> {
        match self.ask(command).await? {
            Reply::Error(text) => Err(self.refusal(&spoken(command), &text)),
            reply => Ok(reply),
        }
    }

    /// The same for a command over which a node may take its time.
    pub async fn call_patiently(&mut self, command: &[&str], patience: Duration) -> Outcome<Reply> {
        self.patience = patience;
        let outcome = self.call(command).await;
        self.patience = PATIENCE;
        outcome
    }

    async fn ask(&mut self, command: &[&str]) -> Outcome<Reply> {
        let mut request = Vec::new();
        encode_command(&mut request, command.iter().map(|word| word.as_bytes()));
        let exchange = async {
            self.stream.write_all(&request).await?;
            read_reply(&mut self.stream).await
        };
        match timeout(self.patience, exchange).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(Failure::unreachable(format!(
                "{} broke the connection off: {error}; see its log",
                self.address
            ))),
            Err(_) => Err(silent(&self.address, self.patience)),
        }
    }

    fn refusal(&self, command: &str, text: &str) -> Failure {
        let address = &self.address;
        if text.starts_with("NOAUTH") || text.starts_with("WRONGPASS") {
            let way_out = "give the right one with --password or QUORIS_PASSWORD";
            Failure::unreachable(format!("{address} wants a password ({text}); {way_out}"))
        } else if text.starts_with("DENIED") {
            Failure::unreachable(format!(
                "{address} is in protected mode and answers its own machine only; set requirepass \
                 on it, or protected-mode no in a network that you trust"
            ))
        } else if TRANSIENT.iter().any(|code| text.starts_with(code)) {
            Failure::unfinished(format!("{address} cannot answer {command} yet: {text}"))
        } else {
            Failure::refused(format!("{address} refused {command}: {text}"))
        }
    }
}

/// A command as an error may show it: a subcommand, but never a password or a plan.
fn spoken(command: &[&str]) -> String {
    match command {
        ["CLUSTER" | "CONFIG", subcommand, ..] => format!("{} {subcommand}", command[0]),
        _ => command[0].into(),
    }
}

fn silent(address: &Address, patience: Duration) -> Failure {
    let seconds = patience.as_secs();
    Failure::unreachable(format!(
        "{address} did not answer within {seconds} s; check the address and the node's log"
    ))
}

async fn read_reply(stream: &mut TcpStream) -> io::Result<Reply> {
    let malformed =
        |error: ReplyError| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    let mut scanner = ReplyScanner::default();
    let mut received = Vec::new();
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if scanner.scan(&received).map_err(malformed)?.is_some() {
            let (reply, _) = Reply::parse(&received).map_err(malformed)?.expect("it was scanned");
            return Ok(reply);
        }
        if received.len() > REPLY_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an endless reply"));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What the client makes of a node that answers with these bytes.
    async fn hear(bytes: &'static [u8]) -> Outcome<Reply> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let node = async {
            let (mut stream, _) = listener.accept().await.expect("the client comes");
            let mut request = [0; 14];
            stream.read_exact(&mut request).await.expect("the client asks");
            assert_eq!(&request, b"*1\r\n$4\r\nPING\r\n");
            stream.write_all(bytes).await.expect("the client listens");
        };
        let client = async {
            let mut connection = Connection::open(&Address::new("127.0.0.1", port), None).await?;
            connection.call(&["PING"]).await
        };
        tokio::join!(node, client).1
    }

    #[tokio::test]
    async fn every_kind_of_reply_is_understood() {
        let pong = hear(b"+PONG\r\n").await.expect("simple");
        assert_eq!(pong.text().as_deref(), Some("PONG"));
        let bulk = hear(b"$3\r\na\r\n\r\n").await.expect("bulk");
        assert_eq!(bulk.text().as_deref(), Some("a\r\n"));
        assert_eq!(hear(b":-7\r\n").await.expect("integer"), Reply::Integer(-7));
        assert_eq!(hear(b"$-1\r\n").await.expect("null"), Reply::Null);
        assert_eq!(hear(b"*-1\r\n").await.expect("null array"), Reply::Null);
        let map = hear(b"*2\r\n+slots\r\n*1\r\n:5\r\n").await.expect("array");
        assert_eq!(map.field("slots"), Some(&Reply::Array(vec![Reply::Integer(5)])));
    }

    #[tokio::test]
    async fn an_error_keeps_the_nodes_words() {
        let failure = hear(b"-ERR no such thing\r\n").await.expect_err("an error");
        assert!(failure.to_string().ends_with("refused PING: ERR no such thing"), "{failure}");
        let failure = hear(b"-NOAUTH Authentication required.\r\n").await.expect_err("an error");
        assert!(failure.to_string().contains("--password"), "{failure}");
    }

    #[tokio::test]
    async fn what_is_no_reply_is_refused() {
        for bytes in
            [&b"HTTP/1.1 400\r\n"[..], b"$5\r\nab\r\nxyz", b"$99999999999\r\n", b":x\r\n", b"+cut"]
        {
            let failure = hear(bytes).await.expect_err("no reply");
            assert_eq!(failure.code, crate::failure::Code::Unreachable, "{failure}");
        }
    }
}
