//! One node as a process.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use tempfile::TempDir;

use crate::ports::free_port;
use crate::tool::{Ended, run_command};
use crate::wire::{ask, text};
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
        let mut node = Node::prepare(launcher, arguments);
        node.restart();
        node
    }

    /// A node that has never run: ports, an empty directory, and the command to start it.
    pub fn prepare(launcher: &[&str], arguments: &[&str]) -> Node {
        let data = TempDir::new().expect("a temporary directory can be made");
        std::fs::create_dir(data.path().join("data")).expect("its own directory");
        Node {
            dir: data,
            port: free_port(),
            bus_port: free_port(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            launcher: launcher.iter().map(ToString::to_string).collect(),
            process: None,
        }
    }

    /// Where it listens for clients.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The directory that holds its data directory and its log.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its port for the other nodes.
    pub fn bus_port(&self) -> u16 {
        self.bus_port
    }

    /// Runs it until it ends by itself, as a node does that refuses to start.
    pub fn run_to_end(&self) -> Ended {
        run_command(self.command(), "")
    }

    /// What starts the program from now on.
    pub fn set_launcher(&mut self, launcher: &[&str]) {
        self.launcher = launcher.iter().map(ToString::to_string).collect();
    }

    /// What it is started with from now on.
    pub fn set_arguments(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(ToString::to_string).collect();
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
        command.arg("--dir").arg(self.data()).args(&self.arguments);
        command
    }

    /// Starts it again, and waits until it answers.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.dir.path().join("log"));
        let log = log.expect("its own directory takes a file");
        let mut command = self.command();
        command.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        self.process = Some(command.spawn().expect("the node was built"));
        let address = self.address();
        wait::until("the node answers", || {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(ended.is_none(), "the node ended: {}", self.log());
            let reply = ask(address, "PING").ok()?;
            (text(&reply) == "PONG" || text(&reply).starts_with("NOAUTH ")).then_some(())
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
