//! Debian's redis-server behind a Unix socket of its own, stopped when dropped.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use quoris_resp::{ReplyScanner, encode_command};

use crate::support::reply::{Reply, quote};

/// A running server and one connection to it.
pub struct Redis {
    process: Child,
    /// Kept open, because the server writes its log there.
    _log: BufReader<ChildStdout>,
    dir: PathBuf,
    stream: UnixStream,
}

impl Redis {
    /// Starts a server, or returns `None` where it is not installed. `name` tells apart what one
    /// process starts.
    pub fn start(name: &str) -> Option<Redis> {
        let dir = std::env::temp_dir().join(format!("oracle-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary folder can be made");
        let started = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--daemonize", "no"])
            // As small as the server permits, so that limits are met without filling the memory.
            .args(["--proto-max-bulk-len", "1048576"])
            // SORT ALPHA follows the locale.
            .env("LC_ALL", "C")
            .current_dir(&dir)
            .stdout(Stdio::piped())
            .spawn();
        let mut process = match started {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            started => started.expect("redis-server can be started"),
        };
        let mut log = BufReader::new(process.stdout.take().expect("its output is piped"));
        let mut line = String::new();
        while !line.contains("eady to accept connections") {
            line.clear();
            let read = log.read_line(&mut line).expect("the server's log is readable");
            assert!(read > 0, "redis-server ended before it was ready");
        }
        let stream = UnixStream::connect(dir.join("redis.sock")).expect("it is ready");
        Some(Redis { process, _log: log, dir, stream })
    }

    /// Sends one command and returns its reply.
    pub fn call(&mut self, words: &[impl AsRef<[u8]>]) -> Reply {
        let mut request = Vec::new();
        encode_command(&mut request, words.iter().map(AsRef::as_ref));
        self.stream.write_all(&request).expect("the server listens");
        let (mut received, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
        let mut scanner = ReplyScanner::default();
        loop {
            let len = self.stream.read(&mut piece).unwrap_or(0);
            let asked = || words.iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>();
            assert!(len > 0, "the server closed the connection: {}", asked().join(" "));
            received.extend_from_slice(&piece[..len]);
            if scanner.scan(&received).expect("a reply").is_some() {
                return Reply::decode(&received).0;
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process.kill().expect("it is our child");
        self.process.wait().expect("it is our child");
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
