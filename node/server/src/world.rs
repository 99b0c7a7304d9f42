//! What a node needs from outside, passed in so that a simulation can pass something else.
//!
//! Invariant: nothing in this crate but the two `System…` types below reads a clock of the day or
//! draws a random number, and nothing but the binary and its tests opens a real disk or socket.

use std::rc::Rc;
use std::sync::Arc;

use quoris_consensus::{Offload, Syncers, Transport};
use quoris_storage::{DataDir, Disk, Meta};

/// Tells the time of day.
pub trait Clock {
    /// Milliseconds since the Unix epoch. May step in either direction.
    fn unix_ms(&self) -> u64;

    /// Microseconds since the Unix epoch, for `TIME`.
    fn unix_us(&self) -> u64 {
        self.unix_ms() * 1000
    }
}

/// Draws random numbers.
pub trait Entropy {
    /// Sixty-four random bits.
    fn next_u64(&self) -> u64;

    /// Twenty random bytes: enough for an identity.
    fn next_id(&self) -> [u8; 20] {
        let mut id = [0; 20];
        for part in id.chunks_mut(8) {
            part.copy_from_slice(&self.next_u64().to_le_bytes()[..part.len()]);
        }
        id
    }
}

/// Everything outside a node. The node keeps it over a restart in the same process.
pub struct World<T: Transport> {
    /// Carries clients and the bus.
    pub transport: T,
    /// Segments and snapshot files.
    pub disk: Arc<dyn Disk>,
    /// Votes, the topology, and what the node remembers of its cluster.
    pub meta: Arc<dyn Meta>,
    /// The node's directory, locked, and its identity.
    pub data: Rc<DataDir>,
    /// The time of day.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub entropy: Rc<dyn Entropy>,
    /// Who syncs the log.
    pub syncers: Syncers,
    /// Where snapshot files are written.
    pub offload: Offload,
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the node's clock")]
    fn since_epoch() -> std::time::Duration {
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }
}

impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        Self::since_epoch().as_millis() as u64
    }

    fn unix_us(&self) -> u64 {
        Self::since_epoch().as_micros() as u64
    }
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        use rand::TryRngCore as _;
        rand::rngs::OsRng.try_next_u64().expect("the operating system has randomness")
    }
}
