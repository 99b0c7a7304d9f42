//! Starts real nodes for whole-process tests and benchmarks, and stops each by its own id.
//!
//! The tests themselves are in this package's `tests/` folder; the programs that drive other
//! languages' clients are in `tests/clients/`.
//!
//! Nothing here measures time or assumes a speed: what has to become true is polled for, with a
//! limit so generous that only a fault reaches it.
#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

pub mod binaries;
pub mod cluster;
pub mod node;
pub mod oracle;
pub mod ports;
pub mod program;
pub mod shared;
pub mod tool;
pub mod wait;
pub mod wire;
