//! Programs that a test runs to their end.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Child, Command};

use crate::{binaries, wait};

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What it was.
    pub program: String,
    /// Its exit status; `None` after a signal.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

impl Ended {
    /// The standard output of a program that said it had succeeded.
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }
}

/// Runs a program that Debian's packages bring, with a text as its standard input.
pub fn run(program: &str, arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(program);
    command.args(arguments);
    run_command(command, input)
}

/// Runs `cluster-cli`.
pub fn cli(arguments: &[&str]) -> Ended {
    let mut command = Command::new(binaries::cli());
    command.args(arguments);
    run_command(command, "")
}

/// Runs a command with a text as its standard input.
pub fn run_command(mut command: Command, input: &str) -> Ended {
    let program = format!("{command:?}");
    let (stdin, stdout, stderr) = (file_with(input), file_with(""), file_with(""));
    let share = |file: &File| file.try_clone().expect("a file can be shared");
    command.stdin(stdin).stdout(share(&stdout)).stderr(share(&stderr));
    let started = command.spawn();
    let process = started.unwrap_or_else(|error| panic!("{program}: {error}: run make tools"));
    let mut process = Running(process);
    let status = wait::found(|| process.0.try_wait().expect("it is our child"));
    let Some(status) = status else {
        let (said, complained) = (all_of(stdout), all_of(stderr));
        panic!("{program} does not end; it said: {said}\nand complained: {complained}");
    };
    Ended { program, code: status.code(), stdout: all_of(stdout), stderr: all_of(stderr) }
}

/// A program that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test gave up on it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn file_with(text: &str) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    file.write_all(text.as_bytes()).expect("it takes a text");
    file.rewind().expect("it is a file");
    file
}

fn all_of(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.rewind().expect("it is a file");
    file.read_to_end(&mut bytes).expect("it can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
