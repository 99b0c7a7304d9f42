//! What a node asks of the process that it runs in: how much memory and time it has used, and the
//! few things that are done to a process as a whole.
//!
//! A node that nobody told of a process (in a test, in the simulation) has [`NoProcess`], which
//! knows nothing and does nothing.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::config::LogLevel;
use crate::logging::Logging;

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// What the program has allocated and not freed.
    pub allocated: u64,
    /// The pages that those bytes are on.
    pub active: u64,
    /// What the allocator keeps in memory.
    pub resident: u64,
    /// What the operating system keeps in memory for the process.
    pub rss: u64,
    /// What the machine has.
    pub total: u64,
}

/// Processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuUse {
    /// Of all threads, in the program.
    pub user: Duration,
    /// Of all threads, in the kernel.
    pub system: Duration,
    /// Of the node's thread, in the program.
    pub thread_user: Duration,
    /// Of the node's thread, in the kernel.
    pub thread_system: Duration,
}

/// The process that a node runs in.
pub trait Process {
    /// How much memory it uses.
    fn memory(&self) -> MemoryUse {
        MemoryUse::default()
    }

    /// How much processor time it has used.
    fn cpu(&self) -> CpuUse {
        CpuUse::default()
    }

    /// Its number; 0 if there is none.
    fn id(&self) -> u32 {
        0
    }

    /// The operating system, its release and the machine.
    fn system(&self) -> String {
        String::new()
    }

    /// The path of the program.
    fn executable(&self) -> String {
        String::new()
    }

    /// The allocator's name.
    fn allocator(&self) -> &'static str {
        "unknown"
    }

    /// All that the allocator tells of itself, if it does.
    fn allocator_report(&self) -> Option<String> {
        None
    }

    /// Gives memory that is allocated by nobody back to the operating system.
    fn purge(&self) {}

    /// Stops the node's thread, as `DEBUG SLEEP` wants it.
    fn sleep(&self, _time: Duration) {}

    /// Puts a `loglevel` into effect.
    fn set_log_level(&self, _level: LogLevel) {}
}

/// No process in particular.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProcess;

impl Process for NoProcess {}

/// A process of its own on Linux, whose allocator is jemalloc.
#[derive(Clone, Debug)]
pub struct SystemProcess {
    logging: Logging,
}

impl SystemProcess {
    /// The process, whose log is `logging`.
    pub fn new(logging: Logging) -> Self {
        SystemProcess { logging }
    }
}

impl Process for SystemProcess {
    fn memory(&self) -> MemoryUse {
        use tikv_jemalloc_ctl::{epoch, stats};
        // The figures are those of the last advance; without one they are merely older.
        let _ = epoch::advance();
        let bytes = |read: Result<usize, _>| read.map_or(0, |bytes: usize| bytes as u64);
        MemoryUse {
            allocated: bytes(stats::allocated::read()),
            active: bytes(stats::active::read()),
            resident: bytes(stats::resident::read()),
            rss: kilobytes("/proc/self/status", "VmRSS:") * 1024,
            total: kilobytes("/proc/meminfo", "MemTotal:") * 1024,
        }
    }

    fn cpu(&self) -> CpuUse {
        let (user, system) = ticks("/proc/self/stat");
        let (thread_user, thread_system) = ticks("/proc/thread-self/stat");
        CpuUse { user, system, thread_user, thread_system }
    }

    fn id(&self) -> u32 {
        std::process::id()
    }

    fn system(&self) -> String {
        let line = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let (name, release) = (line("/proc/sys/kernel/ostype"), line("/proc/sys/kernel/osrelease"));
        format!("{name} {release} {}", std::env::consts::ARCH)
    }

    fn executable(&self) -> String {
        std::env::current_exe().map_or_else(|_| String::new(), |path| path.display().to_string())
    }

    fn allocator(&self) -> &'static str {
        "jemalloc"
    }

    fn allocator_report(&self) -> Option<String> {
        use tikv_jemalloc_ctl::{arenas, epoch, stats, version};
        // The figures are those of the last advance; without one they are merely older.
        let _ = epoch::advance();
        let mut report = format!("jemalloc {}\n", version::read().unwrap_or_default());
        let _ = writeln!(report, "arenas: {}", arenas::narenas::read().unwrap_or(0));
        for (name, bytes) in [
            ("allocated", stats::allocated::read()),
            ("active", stats::active::read()),
            ("metadata", stats::metadata::read()),
            ("resident", stats::resident::read()),
            ("mapped", stats::mapped::read()),
            ("retained", stats::retained::read()),
        ] {
            let _ = writeln!(report, "{name}: {} bytes", bytes.unwrap_or(0));
        }
        Some(report)
    }

    fn purge(&self) {
        use tikv_jemalloc_ctl::{Access as _, AsName as _, arenas};
        let count = arenas::narenas::read().unwrap_or(0);
        for arena in 0..count {
            // Pages that may not be kept at all are given back at once. An arena that nobody has
            // used refuses, and has none.
            let name = format!("arena.{arena}.dirty_decay_ms\0");
            let decay = name.as_bytes().name();
            let kept: Result<isize, _> = decay.read();
            if let Ok(kept) = kept
                && decay.write(0_isize).is_ok()
            {
                let _ = decay.write(kept);
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "to stop the node's thread is the purpose")]
    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn set_log_level(&self, level: LogLevel) {
        self.logging.set_level(level);
    }
}

/// The number behind `name` in a file of `name: number kB` lines.
fn kilobytes(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_ascii_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Linux counts processor time in hundredths of a second for every program.
const TICK: Duration = Duration::from_millis(10);

/// User and system time in a `stat` file.
fn ticks(path: &str) -> (Duration, Duration) {
    let text = fs::read_to_string(path).unwrap_or_default();
    ticks_of(&text).unwrap_or_default()
}

/// The name of the program, in brackets, may hold anything; twelve fields behind it are the times.
fn ticks_of(stat: &str) -> Option<(Duration, Duration)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut time = || Some(TICK * fields.next()?.parse::<u32>().ok()?);
    Some((time()?, time()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "1 (a b) c) S 0 1 1 0 -1 4194560 9 8 7 6 250 31 5 4 20 0 1 0 5";
        let expected = (Duration::from_millis(2500), Duration::from_millis(310));
        assert_eq!(ticks_of(stat), Some(expected));
        assert_eq!(ticks_of(""), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(kilobytes("/proc/self/status", "VmRSS:") > 0);
        assert_eq!(kilobytes("/proc/self/status", "NoSuchThing:"), 0);
    }
}
