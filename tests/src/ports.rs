//! Ports for servers that are started, killed and started again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what the kernel gives to outgoing connections, any of which could otherwise take the
/// port of a server that is down for a moment.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

/// A port that nobody listens on just now, and that no other call in this process returns soon.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another process that does the same begins elsewhere.
    let start = (std::process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
    (0..COUNT)
        .map(|_| FIRST + (NEXT.fetch_add(1, Ordering::Relaxed) % COUNT + start) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("the loopback has free ports")
}
