//! Debian's redis-server: what Redis says to the same bytes.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::ports::free_port;
use crate::wait;
use crate::wire::ask;

/// A redis-server without persistence, stopped when dropped.
#[derive(Debug)]
pub struct Redis {
    process: Child,
    port: u16,
    _dir: TempDir,
}

impl Redis {
    /// Starts one on a free port, with additional arguments.
    pub fn start(arguments: &[&str]) -> Redis {
        let dir = TempDir::new().expect("a temporary directory can be made");
        let port = free_port();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--daemonize", "no"])
            .args(arguments)
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is not installed: run make tools");
        let redis = Redis { process, port, _dir: dir };
        // Any answer will do: it may ask for a password.
        wait::until("redis-server answers", || ask(redis.address(), "PING").ok());
        redis
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process.kill().expect("it is our child");
        self.process.wait().expect("it is our child");
    }
}
