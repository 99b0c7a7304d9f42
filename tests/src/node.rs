//! One node as a process.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use quoris_resp::Reply;
use tempfile::TempDir;

use crate::wire::ask;
use crate::{binaries, wait};

/// A node with a data directory and ports that stay the same when it is restarted.
#[derive(Debug)]
pub struct Node {
    dir: TempDir,
    port: u16,
    bus_port: u16,
    arguments: Vec<String>,
    /// What starts the program: nothing, or `taskset -c 0`.
    launcher: Vec<String>,
    process: Option<Child>,
}

impl Node {
    /// Starts an empty node on free ports, with additional `--directive value` arguments.
    pub fn start(arguments: &[&str]) -> Node {
        Node::start_by(&[], arguments)
    }

    /// Starts an empty node by another program, such as `taskset -c 0`.
    pub fn start_by(launcher: &[&str], arguments: &[&str]) -> Node {
        let mut node = Node {
            dir: TempDir::new().expect("a temporary directory can be made"),
            port: free_port(),
            bus_port: free_port(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            launcher: launcher.iter().map(ToString::to_string).collect(),
            process: None,
        };
        node.restart();
        node
    }

    /// Where it listens for clients.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut command = match &self.launcher[..] {
            [] => Command::new(binaries::node()),
            [program, rest @ ..] => {
                let mut command = Command::new(program);
                command.args(rest).arg(binaries::node());
                command
            }
        };
        command.args(["--port", &self.port.to_string()]);
        command.args(["--cluster-port", &self.bus_port.to_string()]);
        command.arg("--dir").arg(self.dir.path().join("data")).args(&self.arguments);
        command
    }

    /// Starts it again, and waits until it answers.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        std::fs::create_dir_all(self.dir.path().join("data")).expect("its own directory");
        let log = File::options().create(true).append(true).open(self.dir.path().join("log"));
        let log = log.expect("its own directory takes a file");
        let mut command = self.command();
        command.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        self.process = Some(command.spawn().expect("the node was built"));
        let address = self.address();
        wait::until("the node answers", || {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(ended.is_none(), "the node ended: {}", self.log());
            ask(address, "PING").ok().filter(|reply| matches!(reply, Reply::Simple(_)))
        });
    }

    /// Kills it without warning, as a crash of the process does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it is our child");
            process.wait().expect("it is our child");
        }
    }

    /// Asks it to stop by SIGTERM, and waits until it has.
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub fn terminate(&mut self) -> io::Result<ExitStatus> {
        let id = self.pid().expect("it runs").to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.process.take().expect("it runs").wait()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of the node on port {} ---\n{}", self.port, self.log());
        }
    }
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}
