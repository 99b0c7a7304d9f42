//! Programs on client libraries of other languages, which a test talks to by lines.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use crate::binaries::root;

/// So long that only a fault reaches it.
const LIMIT: Duration = Duration::from_mins(2);

/// A program for Python, by its path in the repository.
///
/// # Panics
/// If redis-py is not installed.
pub fn python(path: &str) -> Command {
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "redis-py is not installed: run make tools");
    let mut command = Command::new(python);
    command.arg(root().join(path));
    command
}

/// A program for Node, by its path in the repository.
///
/// # Panics
/// If the libraries for Node are not installed.
pub fn javascript(path: &str) -> Command {
    let installed = root().join("tests/clients/node_modules/ioredis").exists();
    assert!(installed, "the libraries for Node are not installed: run make tools");
    let mut command = Command::new("node");
    command.arg(root().join(path));
    command
}

/// A client program that is running. It does not outlive the test.
#[derive(Debug)]
pub struct Program {
    process: Child,
    lines: Receiver<String>,
    errors: TempDir,
}

impl Program {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Program {
        let errors = TempDir::new().expect("a temporary directory can be made");
        let file = File::create(errors.path().join("stderr")).expect("it takes a file");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file);
        let mut process = command.spawn().expect("the client is installed");
        let stdout = BufReader::new(process.stdout.take().expect("it was piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // The test may have failed and gone by then.
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
        });
        Program { process, lines, errors }
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// If none comes, with what it complained of.
    pub fn line(&self) -> String {
        self.lines
            .recv_timeout(LIMIT)
            .unwrap_or_else(|_| panic!("the client gave up: {}", self.complaints()))
    }

    /// Gives it a line to read.
    ///
    /// # Panics
    /// If it has gone, with what it complained of.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().expect("it was piped");
        let told = writeln!(stdin, "{line}");
        assert!(told.is_ok(), "the client is gone: {}", self.complaints());
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not say that all was well, with what it complained of.
    pub fn succeeds(mut self) {
        let status = self.process.wait().expect("it is our child");
        assert!(status.success(), "{status}: {}", self.complaints());
    }

    fn complaints(&self) -> String {
        std::fs::read_to_string(self.errors.path().join("stderr")).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless the test fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
