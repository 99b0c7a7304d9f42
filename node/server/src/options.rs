//! What a node is told when it starts, as plain values.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use quoris_consensus::{Durability, Timing};

/// The directives that the data path obeys.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// `bind`: addresses that clients may connect to.
    pub bind: Vec<IpAddr>,
    /// `port`: 0 takes any free port.
    pub port: u16,
    /// `dir`: the data directory.
    pub dir: PathBuf,
    /// `requirepass`: empty means none.
    pub password: Vec<u8>,
    /// `protected-mode`: refuse strangers while there is no password.
    pub protected_mode: bool,
    /// `appendfsync`.
    pub durability: Durability,
    /// `maxclients`.
    pub clients_max: usize,
    /// `timeout`: idle clients are closed after this long; zero means never.
    pub idle_timeout: Duration,
    /// `tcp-keepalive`: zero means off.
    pub tcp_keepalive: Duration,
    /// `client-query-buffer-limit`, in bytes.
    pub query_buffer_max: usize,
    /// `proto-max-bulk-len`, in bytes.
    pub bulk_bytes_max: u64,
    /// `client-output-buffer-limit normal`.
    pub output_limit: OutputLimit,
    /// `cluster-enabled`: whether `CLUSTER …` answers.
    pub cluster_enabled: bool,
    /// `databases`.
    pub databases: u16,
    /// `hz`: how often per second background work is looked after.
    pub hz: u32,
    /// `aof-segment-size`, in bytes.
    pub segment_bytes: u64,
    /// How long a request may wait for a leader.
    pub leader_wait: Duration,
    /// Heartbeats and elections.
    pub timing: Timing,
}

/// How much unsent output a client may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which the client is closed at once; zero means no limit.
    pub hard_bytes: usize,
    /// Bytes that it may not exceed for longer than `soft_time`; zero means no limit.
    pub soft_bytes: usize,
    /// See `soft_bytes`.
    pub soft_time: Duration,
}

impl Default for NodeOptions {
    fn default() -> Self {
        NodeOptions {
            bind: vec![IpAddr::from([127, 0, 0, 1])],
            port: 6379,
            dir: PathBuf::from("."),
            password: Vec::new(),
            protected_mode: true,
            durability: Durability::Always,
            clients_max: 10_000,
            idle_timeout: Duration::ZERO,
            tcp_keepalive: Duration::from_secs(300),
            query_buffer_max: 1 << 30,
            bulk_bytes_max: 512 << 20,
            output_limit: OutputLimit::default(),
            cluster_enabled: true,
            databases: 16,
            hz: 10,
            segment_bytes: 64 << 20,
            leader_wait: Duration::from_secs(2),
            timing: Timing::default(),
        }
    }
}
