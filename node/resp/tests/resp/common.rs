//! A connection without sockets, and a real redis-server, to be compared with each other.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use quoris_resp::{Limits, Parsed, ProtocolError, Reply, RequestParser};

/// A command's arguments.
pub type Arguments = Vec<Vec<u8>>;

/// Feeds pieces to a parser as a server does: everything that is complete is taken at once, the
/// rest waits for more.
#[derive(Default)]
pub struct Connection {
    parser: RequestParser,
    buffer: Vec<u8>,
    pub spans: Vec<quoris_resp::Span>,
    pub words: Vec<u8>,
    pub commands: Vec<Arguments>,
    pub error: Option<ProtocolError>,
}

impl Connection {
    pub fn receive(&mut self, piece: &[u8], limits: &Limits) {
        self.buffer.extend_from_slice(piece);
        while self.error.is_none() {
            let consumed =
                match self.parser.next(&self.buffer, limits, &mut self.spans, &mut self.words) {
                    Ok(Parsed::Command { consumed }) => self.take(consumed, false),
                    Ok(Parsed::Inline { consumed }) => self.take(consumed, true),
                    Ok(Parsed::Nothing { consumed }) => consumed,
                    Ok(Parsed::Incomplete) => return,
                    Err(error) => {
                        self.error = Some(error);
                        return;
                    }
                };
            assert!(consumed > 0, "a request has a length");
            self.buffer.drain(..consumed);
        }
    }

    fn take(&mut self, consumed: usize, inline: bool) -> usize {
        let source = if inline { &self.words } else { &self.buffer };
        self.commands.push(self.spans.iter().map(|span| span.of(source).to_vec()).collect());
        consumed
    }

    /// What a server that knows PING and ECHO would have answered.
    pub fn replies(&self, authenticated: bool) -> Vec<Reply> {
        let mut replies: Vec<Reply> =
            self.commands.iter().map(|arguments| answer(arguments, authenticated)).collect();
        if let Some(error) = self.error {
            let mut out = Vec::new();
            error.write_reply(&mut out);
            replies.extend(parse_replies(&out));
        }
        replies
    }
}

fn answer(arguments: &Arguments, authenticated: bool) -> Reply {
    let name = arguments[0].to_ascii_lowercase();
    match (name.as_slice(), arguments.len()) {
        (b"ping" | b"echo", 1 | 2) if !authenticated => {
            Reply::Error("NOAUTH Authentication required.".into())
        }
        (b"ping", 1) => Reply::Simple("PONG".into()),
        (b"ping" | b"echo", 2) => Reply::Bulk(arguments[1].clone()),
        _ => refused(),
    }
}

fn refused() -> Reply {
    Reply::Error("refused".into())
}

/// Splits a byte stream into replies. Errors about commands that the model does not know are made
/// alike, because only what the parser does is compared.
pub fn parse_replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut replies = Vec::new();
    while let Some((reply, length)) = Reply::parse(bytes).expect("a server speaks the protocol") {
        let is_refusal = reply.as_error().is_some_and(|text| {
            text.starts_with("ERR unknown command") || text.starts_with("ERR wrong number")
        });
        replies.push(if is_refusal { refused() } else { reply });
        bytes = &bytes[length..];
    }
    assert!(bytes.is_empty(), "a server finishes its replies");
    replies
}

/// A redis-server of this test's own, on a socket in a directory that goes away with it.
pub struct Redis {
    child: Child,
    directory: PathBuf,
}

impl Redis {
    /// Starts one; `None` if the machine has none.
    pub fn start(name: &str, arguments: &[&str]) -> Option<Redis> {
        let directory = std::env::temp_dir().join(format!("resp-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("create a directory");
        let started = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket", "redis.sock"])
            .args(arguments)
            .current_dir(&directory)
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            eprintln!("redis-server is not installed: nothing to compare with");
            return None;
        };
        let log = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let ready = log.lines().map_while(Result::ok).any(|line| line.contains("ready to accept"));
        assert!(ready, "redis-server starts");
        Some(Redis { child, directory })
    }

    /// Sends `input`, says that nothing more will come, and returns all that is answered.
    pub fn exchange(&self, input: &[u8]) -> Vec<u8> {
        let mut stream =
            UnixStream::connect(self.directory.join("redis.sock")).expect("connect to redis");
        // A server that closes at the first error may not take everything.
        let _ = stream.write_all(input).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut output = Vec::new();
        let _ = stream.read_to_end(&mut output);
        output
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
