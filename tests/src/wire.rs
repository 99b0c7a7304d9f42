//! A connection that sends exactly what a test says and shows exactly what comes back.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use quoris_resp::{Reply, encode_command};

/// How long a single reply may take before it counts as an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub fn connect(address: SocketAddr) -> io::Result<Wire> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Wire { stream, received: Vec::new() })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next reply.
    ///
    /// # Errors
    /// If the connection ends or stays silent.
    pub fn reply(&mut self) -> io::Result<Reply> {
        loop {
            let parsed = Reply::parse(&self.received)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            if let Some((reply, length)) = parsed {
                self.received.drain(..length);
                return Ok(reply);
            }
            if self.receive()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next reply, if it has arrived.
    ///
    /// # Errors
    /// If the connection has ended.
    pub fn reply_if_there(&mut self) -> io::Result<Option<Reply>> {
        Ok(self.bytes_if_there()?.map(|(reply, _)| reply))
    }

    /// The same, and as it is on the wire.
    ///
    /// # Errors
    /// If the connection has ended, and every reply before that has been taken.
    pub fn bytes_if_there(&mut self) -> io::Result<Option<(Reply, Vec<u8>)>> {
        self.stream.set_nonblocking(true)?;
        let received = self.receive();
        self.stream.set_nonblocking(false)?;
        let parsed = Reply::parse(&self.received)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if let Some((reply, length)) = parsed {
            let bytes = self.received.drain(..length).collect();
            return Ok(Some((reply, bytes)));
        }
        match received {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(None),
        }
    }

    /// Everything that arrives up to and including `end`, as it is on the wire.
    ///
    /// # Errors
    /// If the connection ends before, or stays silent; what has arrived is in the message.
    pub fn read_through(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        while !self.received.ends_with(end) {
            if self.receive()? == 0 {
                let received = String::from_utf8_lossy(&self.received).into_owned();
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, received));
            }
        }
        Ok(std::mem::take(&mut self.received))
    }

    /// Everything that arrives until the other side closes, as it is on the wire.
    ///
    /// # Errors
    /// If it does not close.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        while self.receive()? > 0 {}
        Ok(std::mem::take(&mut self.received))
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..read]);
        Ok(read)
    }

    /// Sends a command and returns its reply.
    ///
    /// # Errors
    /// If the connection ends or stays silent.
    pub fn call(&mut self, words: &[&str]) -> io::Result<Reply> {
        let mut request = Vec::new();
        encode_command(&mut request, words.iter().map(|word| word.as_bytes()));
        self.send(&request)?;
        self.reply()
    }
}

/// Sends one command, blank-separated, over a connection of its own.
///
/// # Errors
/// If the node does not answer.
pub fn ask(address: SocketAddr, line: &str) -> io::Result<Reply> {
    let words: Vec<&str> = line.split(' ').collect();
    Wire::connect(address)?.call(&words)
}

/// The text of a status, bulk or error reply.
pub fn text(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => text.clone(),
        other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
    }
}
