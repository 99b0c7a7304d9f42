//! `CLUSTER LINKS`: the connections of the bus.

use alloc::string::ToString;

use super::Field;
use crate::id::NodeId;

/// Who opened a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The answering node.
    To,
    /// The peer.
    From,
}

/// One connection of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Who opened it.
    pub direction: Direction,
    /// The peer.
    pub node: NodeId,
    /// When it was opened, in Unix milliseconds.
    pub created_ms: u64,
    /// Bytes set aside for sending.
    pub send_buffer_allocated: u64,
    /// Bytes that wait there.
    pub send_buffer_used: u64,
}

impl Link {
    /// The map in the protocol. As in Redis, `events` says whether there is
    /// anything to send: `r`, or `rw`.
    pub fn fields(&self) -> [(&'static str, Field); 6] {
        let text = |value: &str| Field::Text(value.into());
        let direction = if self.direction == Direction::To { "to" } else { "from" };
        let events = if self.send_buffer_used == 0 { "r" } else { "rw" };
        [
            ("direction", text(direction)),
            ("node", Field::Text(self.node.to_string())),
            ("create-time", Field::Integer(self.created_ms)),
            ("events", text(events)),
            ("send-buffer-allocated", Field::Integer(self.send_buffer_allocated)),
            ("send-buffer-used", Field::Integer(self.send_buffer_used)),
        ]
    }
}
