//! A client that sends a command and shows the reply as text.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use quoris_resp::{Reply, encode_command};

/// Longer than anything here takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// One connection.
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    /// Connects to a node on this machine.
    pub fn connect(port: u16) -> io::Result<Wire> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Wire { stream, received: Vec::new() })
    }

    /// Waits no longer than this for a reply from now on.
    pub fn be_patient_for(&mut self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).expect("a timeout is not zero");
    }

    /// Sends a command; an error if the connection is gone before the reply is there.
    pub fn try_ask(&mut self, words: &[&str]) -> io::Result<String> {
        self.try_send(words)?;
        self.try_next()
    }

    /// Sends a command whose reply may take its time.
    pub fn send(&mut self, words: &[&str]) {
        self.try_send(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }

    fn try_send(&mut self, words: &[&str]) -> io::Result<()> {
        let mut request = Vec::new();
        encode_command(&mut request, words.iter().map(|word| word.as_bytes()));
        self.stream.write_all(&request)
    }

    /// Waits for a message; an error if the connection ends or nothing comes in time.
    pub fn try_next(&mut self) -> io::Result<String> {
        loop {
            let parsed = Reply::parse(&self.received).expect("a node speaks RESP");
            if let Some((reply, length)) = parsed {
                self.received.drain(..length);
                return Ok(show(&reply));
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.received.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// Waits for a message and shows it.
    pub fn next(&mut self) -> String {
        self.try_next().unwrap_or_else(|error| panic!("no message: {error}"))
    }

    /// Sends a command and shows the reply.
    pub fn ask(&mut self, words: &[&str]) -> String {
        self.try_ask(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }
}

/// A reply as a reader would write it down: `[1 a nil]`, `-ERR …`.
fn show(reply: &Reply) -> String {
    if let Some(items) = reply.as_slice() {
        let items: Vec<String> = items.iter().map(show).collect();
        return format!("[{}]", items.join(" "));
    }
    match reply {
        Reply::Null => "nil".to_owned(),
        Reply::Error(text) => format!("-{text}"),
        other => match (other.as_integer(), other.as_bytes()) {
            (Some(number), _) => number.to_string(),
            (None, Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            (None, None) => format!("{other:?}"),
        },
    }
}
