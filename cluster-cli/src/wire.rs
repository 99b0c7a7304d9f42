//! A small RESP client: one connection, one command at a time, every wait with
//! a deadline.
//!
//! It speaks RESP2 and never says `HELLO`, so that it can talk to a node whose
//! later commands are refused for want of a password and report just that.
//! Errors keep the node's own words.

use std::time::Duration;

use quoris_resp::encode_command;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::{
    address::Address,
    failure::{Failure, Outcome},
};

/// How long a node may take to accept a connection or to answer.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// No reply that the tool asks for comes near this many bytes or elements.
const REPLY_LEN_MAX: usize = 64 << 20;
const REPLY_DEPTH_MAX: usize = 16;

/// One reply of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Simple and bulk strings alike.
    Text(String),
    /// An integer.
    Integer(i64),
    /// An error, in the node's words.
    Error(String),
    /// An array; a map comes as its keys and values in turn.
    Array(Vec<Reply>),
    /// No value.
    Null,
}

impl Reply {
    /// The text of a string, the digits of an integer.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The elements of an array, none for anything else.
    pub fn items(&self) -> &[Reply] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The value that follows `name` in a map written as a flat array.
    pub fn field(&self, name: &str) -> Option<&Reply> {
        self.items()
            .chunks_exact(2)
            .find(|pair| matches!(&pair[0], Self::Text(key) if key == name))
            .map(|pair| &pair[1])
    }
}

/// A connection to one node, authenticated if there is a password.
#[derive(Debug)]
pub struct Connection {
    address: Address,
    stream: BufReader<TcpStream>,
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
            Err(_) => return Err(silent(address)),
        };
        let mut connection = Self { address: address.clone(), stream: BufReader::new(stream) };
        if let Some(password) = password {
            connection.call(&["AUTH", password]).await?;
        }
        Ok(connection)
    }

    /// Sends one command and waits for its reply; an error reply is a failure.
    pub async fn call(&mut self, command: &[&str]) -> Outcome<Reply> {
        match self.ask(command).await? {
            Reply::Error(text) => Err(self.refusal(command[0], &text)),
            reply => Ok(reply),
        }
    }

    /// Sends one command and waits for its reply, whatever it is.
    pub async fn ask(&mut self, command: &[&str]) -> Outcome<Reply> {
        let mut request = Vec::new();
        encode_command(&mut request, command.iter().map(|word| word.as_bytes()));
        let exchange = async {
            self.stream.get_mut().write_all(&request).await?;
            read_reply(&mut self.stream, 0).await
        };
        match timeout(PATIENCE, exchange).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(Failure::unreachable(format!(
                "{} broke the connection off: {error}; see its log",
                self.address
            ))),
            Err(_) => Err(silent(&self.address)),
        }
    }

    fn refusal(&self, command: &str, text: &str) -> Failure {
        let address = &self.address;
        if text.starts_with("NOAUTH") || text.starts_with("WRONGPASS") {
            let way_out = "give the right one with --password or QUORIS_PASSWORD";
            Failure::unreachable(format!("{address} wants a password ({text}); {way_out}"))
        } else {
            Failure::refused(format!("{address} refused {command}: {text}"))
        }
    }
}

fn silent(address: &Address) -> Failure {
    let seconds = PATIENCE.as_secs();
    Failure::unreachable(format!(
        "{address} did not answer within {seconds} s; check the address and the node's log"
    ))
}

fn malformed(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, format!("not a RESP reply ({what})"))
}

async fn read_reply(stream: &mut BufReader<TcpStream>, depth: usize) -> std::io::Result<Reply> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    let line = line.strip_suffix(b"\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_first().ok_or_else(|| malformed("empty line"))?;
    let text = String::from_utf8_lossy(rest).into_owned();
    match kind {
        b'+' => Ok(Reply::Text(text)),
        b'-' => Ok(Reply::Error(text)),
        b':' => text.parse().map(Reply::Integer).map_err(|_| malformed("integer")),
        b'$' => match length(&text)? {
            None => Ok(Reply::Null),
            Some(len) => read_bulk(stream, len).await,
        },
        b'*' if depth < REPLY_DEPTH_MAX => match length(&text)? {
            None => Ok(Reply::Null),
            Some(len) => {
                let mut items = Vec::new();
                for _ in 0..len {
                    items.push(Box::pin(read_reply(stream, depth + 1)).await?);
                }
                Ok(Reply::Array(items))
            }
        },
        _ => Err(malformed("unknown type")),
    }
}

async fn read_bulk(stream: &mut BufReader<TcpStream>, len: usize) -> std::io::Result<Reply> {
    let mut bytes = vec![0; len + 2];
    stream.read_exact(&mut bytes).await?;
    if !bytes.ends_with(b"\r\n") {
        return Err(malformed("bulk string"));
    }
    bytes.truncate(len);
    Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A length of the protocol: -1 stands for no value.
fn length(text: &str) -> std::io::Result<Option<usize>> {
    if text == "-1" {
        return Ok(None);
    }
    let len = text.parse().ok().filter(|len| *len <= REPLY_LEN_MAX);
    len.map(Some).ok_or_else(|| malformed("length"))
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
        let text = |text: &str| Reply::Text(text.into());
        assert_eq!(hear(b"+PONG\r\n").await.expect("simple"), text("PONG"));
        assert_eq!(hear(b"$3\r\na\r\n\r\n").await.expect("bulk"), text("a\r\n"));
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
