//! A server and the connections of a dialogue. After every step it is waited until each
//! connection has all its replies, or is counted among the server's blocked clients.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use quoris_resp::{Reply, encode_command};
use quoris_tests::wire::{Wire, text};

use super::dialogue::Step;

/// So many that only a fault reaches it.
const LOOKS_MAX: usize = 100_000;
/// A word that begins like this stands for the SHA1 of what follows.
const DIGEST_OF: &[u8] = b"sha1 of ";
/// What arrives without being a reply.
const MESSAGES: [&[u8]; 4] = [b"message", b"pmessage", b"smessage", b"invalidate"];
/// The keys, which all have one of these types.
const KEYS: [&str; 7] = ["l", "m", "s", "n", "z", "t", "h"];
const DATABASES: [&str; 2] = ["0", "1"];

struct Connection {
    wire: Wire,
    id: String,
    /// Requests without a reply.
    awaited: usize,
}

impl Connection {
    fn open(address: SocketAddr) -> Connection {
        let mut wire = Wire::connect(address).expect("the server listens");
        let Ok(Reply::Integer(id)) = wire.call(&["CLIENT", "ID"]) else { panic!("it has an id") };
        Connection { wire, id: id.to_string(), awaited: 0 }
    }

    /// Appends what has arrived to `heard`. False if the server has closed the connection.
    fn listen(&mut self, heard: &mut Vec<u8>) -> bool {
        loop {
            match self.wire.bytes_if_there() {
                Ok(Some((reply, bytes))) => {
                    // A message to oneself stands among the replies to EXEC, with one too many.
                    let is_reply = usize::from(!is_message(&reply));
                    self.awaited = self.awaited.saturating_sub(is_reply);
                    heard.extend(bytes);
                }
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}

/// Whether it is no reply, but a message that the client has subscribed to.
pub fn is_message(reply: &Reply) -> bool {
    let kind = match reply {
        Reply::Array(parts) | Reply::Push(parts) => parts.first().and_then(Reply::as_bytes),
        _ => None,
    };
    kind.is_some_and(|kind| MESSAGES.contains(&kind))
}

/// One server's side of a dialogue.
pub struct Scene {
    address: SocketAddr,
    control: Wire,
    connections: Vec<Connection>,
    digests: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What the connections have received in this step.
    heard: Vec<Vec<u8>>,
}

impl Scene {
    /// An empty server.
    pub fn new(address: SocketAddr, count: usize) -> Scene {
        let mut control = Wire::connect(address).expect("the server listens");
        for line in ["FLUSHALL", "SCRIPT FLUSH", "FUNCTION FLUSH"] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(text(&control.call(&words).expect("it answers")), "OK");
        }
        let connections = (0..count).map(|_| Connection::open(address)).collect();
        let heard = vec![Vec::new(); count];
        Scene { address, control, connections, digests: BTreeMap::new(), heard }
    }

    /// A connection says something; one that waits is told not to. What each hears then.
    pub fn act(&mut self, step: &Step) -> Vec<Vec<u8>> {
        if self.connections[step.at].awaited > 0 {
            let how = if step.with_error { "ERROR" } else { "TIMEOUT" };
            let id = self.connections[step.at].id.clone();
            let reply = self.call(&["CLIENT", "UNBLOCK", &id, how]);
            assert_eq!(reply, Reply::Integer(1), "it is waiting");
        } else {
            let mut bytes = Vec::new();
            for request in &step.requests {
                let words: Vec<_> = request.iter().map(|word| self.resolve(word)).collect();
                encode_command(&mut bytes, words.iter().map(Vec::as_slice));
            }
            let connection = &mut self.connections[step.at];
            connection.awaited = step.requests.len();
            // A connection that was closed meanwhile is noticed when it is listened to.
            let _ = connection.wire.send(&bytes);
        }
        self.settle();
        self.heard.iter_mut().map(|heard| masked(std::mem::take(heard))).collect()
    }

    /// Whether a connection waits for something.
    pub fn has_waiting(&self) -> bool {
        self.connections.iter().any(|connection| connection.awaited > 0)
    }

    fn resolve(&mut self, word: &[u8]) -> Vec<u8> {
        let Some(script) = word.strip_prefix(DIGEST_OF) else { return word.to_vec() };
        if let Some(digest) = self.digests.get(script) {
            return digest.clone();
        }
        let script = std::str::from_utf8(script).expect("scripts are text");
        let hash = ["EVAL", "return redis.sha1hex(ARGV[1])", "0", script];
        let digest = text(&self.control.call(&hash).expect("it answers")).into_bytes();
        self.digests.insert(script.into(), digest.clone());
        digest
    }

    /// On the way through the log behind it, two writes see to it that what a write leads to has
    /// happened.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.control.call(&["SET", "control", "x"]).expect("it answers");
        }
        // Asking takes its time: there is no need to sleep in between.
        let is_settled = (0..LOOKS_MAX).any(|_| self.is_settled());
        assert!(is_settled, "something is under way for ever: {:?}", self.heard);
    }

    fn is_settled(&mut self) -> bool {
        let info = text(&self.control.call(&["INFO", "clients"]).expect("it answers"));
        let (_, behind) = info.split_once("blocked_clients:").expect("it is counted");
        let blocked = behind.lines().next().expect("it is a number").parse::<usize>();
        for (connection, heard) in self.connections.iter_mut().zip(&mut self.heard) {
            if !connection.listen(heard) {
                heard.extend(b"(closed)");
                *connection = Connection::open(self.address);
            }
        }
        let waiting = self.connections.iter().filter(|connection| connection.awaited > 0).count();
        blocked == Ok(waiting)
    }

    /// All keys with types, expiry and contents.
    pub fn state(&mut self) -> String {
        let mut told = String::new();
        for db in DATABASES {
            self.call(&["SELECT", db]);
            for key in KEYS {
                let kind = text(&self.call(&["TYPE", key]));
                let contents = match &*kind {
                    "none" => continue,
                    "string" => self.call(&["GET", key]),
                    "list" => self.call(&["LRANGE", key, "0", "-1"]),
                    "zset" => self.call(&["ZRANGE", key, "0", "-1", "WITHSCORES"]),
                    "stream" => self.call(&["XRANGE", key, "-", "+"]),
                    "hash" => self.call(&["HLEN", key]),
                    other => panic!("no command makes a {other}"),
                };
                let expiry = self.call(&["PEXPIRETIME", key]);
                writeln!(told, "{db} {key} {kind} {expiry:?} {contents:?}")
                    .expect("a string takes everything");
            }
        }
        told
    }

    fn call(&mut self, words: &[&str]) -> Reply {
        self.control.call(words).expect("it answers")
    }
}

/// What was heard, without what HELLO says of the server and the connection.
fn masked(mut heard: Vec<u8>) -> Vec<u8> {
    for (field, lines) in [(&b"$7\r\nversion\r\n"[..], 2), (b"$2\r\nid\r\n", 1)] {
        let mut from = 0;
        while let Some(at) = heard[from..].windows(field.len()).position(|it| it == field) {
            from += at + field.len();
            let ends = heard[from..].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let end = ends.map(|(end, _)| from + end + 1).nth(lines - 1);
            heard.drain(from..end.unwrap_or(heard.len()));
        }
    }
    heard
}
