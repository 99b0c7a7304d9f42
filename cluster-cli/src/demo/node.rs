//! One node of a demo: a child process, stopped by its own pid.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    output::tell,
    wire::Connection,
};

const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// A node that ends this soon after its start would only do so again.
const HOPELESS_WITHIN: Duration = Duration::from_secs(3);
const RESTART_AFTER: Duration = Duration::from_secs(10);
const POLL_EVERY: Duration = Duration::from_millis(50);

/// A node's process and what it takes to start it again.
pub struct Node {
    program: PathBuf,
    address: Address,
    dir: PathBuf,
    child: Option<Child>,
    started: Instant,
}

impl Node {
    /// A node that is not started yet; under `home` it has a directory named
    /// after its port and a log beside it.
    pub fn new(program: &Path, address: &Address, home: &Path) -> Outcome<Self> {
        let dir = home.join(address.port.to_string());
        fs::create_dir_all(&dir)
            .map_err(|error| Failure::refused(format!("cannot make {}: {error}", dir.display())))?;
        let program = program.to_owned();
        Ok(Self { program, address: address.clone(), dir, child: None, started: Instant::now() })
    }

    fn log_path(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    /// Starts the process; its output goes to its log.
    pub fn start(&mut self) -> Outcome {
        let path = self.log_path();
        let log = File::options().create(true).append(true).open(&path);
        let logs = log.and_then(|log| Ok((log.try_clone()?, log)));
        let (out, err) = logs.map_err(|error| {
            Failure::refused(format!("cannot write {}: {error}", path.display()))
        })?;
        let child = Command::new(&self.program)
            .args(["--port", &self.address.port.to_string(), "--bind", &self.address.host, "--dir"])
            .arg(&self.dir)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let child = child.map_err(|error| {
            Failure::refused(format!("cannot run {}: {error}", self.program.display()))
        })?;
        self.child = Some(child);
        self.started = Instant::now();
        Ok(())
    }

    /// Returns when the node answers a `PING`.
    pub async fn wait_until_it_answers(&mut self) -> Outcome {
        let deadline = Instant::now() + ANSWER_WITHIN;
        loop {
            if let Some(child) = &mut self.child
                && let Ok(Some(status)) = child.try_wait()
            {
                let reason = self.last_words();
                let address = &self.address;
                return Err(Failure::refused(format!(
                    "the node on {address} ended ({status}): {reason}"
                )));
            }
            let answered = match Connection::open(&self.address, None).await {
                Ok(mut connection) => connection.call(&["PING"]).await.map(drop),
                Err(failure) => Err(failure),
            };
            let Err(failure) = answered else { return Ok(()) };
            if Instant::now() >= deadline {
                return Err(failure);
            }
            sleep(POLL_EVERY).await;
        }
    }

    /// The last line of the node's log: why it ended, if it said so.
    fn last_words(&self) -> String {
        let path = self.log_path();
        let log = fs::read_to_string(&path).unwrap_or_default();
        let line = log.lines().rev().find(|line| !line.trim().is_empty());
        line.map_or_else(|| format!("see {}", path.display()), str::to_owned)
    }

    /// Starts the node again whenever it ends; returns when that is hopeless.
    pub async fn keep_alive(&mut self) {
        while let Some(child) = &mut self.child {
            let ended = child.wait().await;
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            self.child = None;
            if self.started.elapsed() < HOPELESS_WITHIN {
                let reason = self.last_words();
                tell(format_args!(
                    "{} ended at once ({how}): {reason}; it stays down",
                    self.address
                ));
                return;
            }
            let seconds = RESTART_AFTER.as_secs();
            tell(format_args!("{} ended ({how}); starting it again in {seconds} s", self.address));
            sleep(RESTART_AFTER).await;
            if let Err(failure) = self.start() {
                tell(format_args!("{} stays down: {failure}", self.address));
                return;
            }
            tell(format_args!("{} is started again", self.address));
        }
    }

    /// Asks the process to stop, and kills it if it has not after `grace`.
    pub async fn stop(&mut self, grace: Duration) {
        let Some(mut child) = self.child.take() else { return };
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            // It may have ended by itself meanwhile, which is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(grace, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }
}
