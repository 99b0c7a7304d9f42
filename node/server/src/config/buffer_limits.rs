//! `client-output-buffer-limit`: how much a client may leave unread before it is dropped.

use std::fmt;

use quoris_resp::parse_i64;

use super::value::{parse_memory, print_memory};

/// A class of clients with limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    /// Everybody else.
    Normal,
    /// Redis's replicas; here nobody.
    Replica,
    /// Subscribers.
    PubSub,
}

/// When a client of a class is dropped for what it leaves unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimit {
    /// At once beyond this many bytes; zero for never.
    pub hard_bytes: u64,
    /// Beyond this many bytes for `soft_seconds` on end; zero for never.
    pub soft_bytes: u64,
    /// How long the soft limit may be exceeded, in seconds.
    pub soft_seconds: u64,
}

/// The limits of all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimits([BufferLimit; 3]);

impl BufferLimits {
    /// The limit of a class.
    pub fn of(&self, class: ClientClass) -> BufferLimit {
        self.0[class as usize]
    }

    /// These limits with those classes changed that `words` name, four words each.
    pub(super) fn updated(&self, words: &[&str]) -> Result<BufferLimits, String> {
        let mut limits = *self;
        let (groups, []) = words.as_chunks::<4>() else {
            return Err("Wrong number of arguments in buffer limit configuration.".into());
        };
        for [class, hard, soft, seconds] in groups {
            let class = match class.to_ascii_lowercase().as_str() {
                "normal" => ClientClass::Normal,
                "replica" | "slave" => ClientClass::Replica,
                "pubsub" => ClientClass::PubSub,
                _ => {
                    return Err(
                        "Invalid client class specified in buffer limit configuration.".into()
                    );
                }
            };
            limits.0[class as usize] = parse_limit(hard, soft, seconds).ok_or(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            )?;
        }
        Ok(limits)
    }

    /// The words that set the limit of each class, and whether it is the default.
    pub(super) fn lines(&self) -> impl Iterator<Item = (String, bool)> {
        let defaults = BufferLimits::default().0;
        let classes = self.0.into_iter().zip(["normal", "replica", "pubsub"]);
        classes.zip(defaults).map(|((limit, class), default)| {
            let bytes = |bytes: u64| print_memory(bytes as i64);
            let (hard, soft) = (bytes(limit.hard_bytes), bytes(limit.soft_bytes));
            (format!("{class} {hard} {soft} {}", limit.soft_seconds), limit == default)
        })
    }
}

fn parse_limit(hard: &str, soft: &str, seconds: &str) -> Option<BufferLimit> {
    Some(BufferLimit {
        hard_bytes: parse_memory(hard)?.try_into().ok()?,
        soft_bytes: parse_memory(soft)?.try_into().ok()?,
        soft_seconds: parse_i64(seconds.as_bytes())?.try_into().ok()?,
    })
}

impl Default for BufferLimits {
    fn default() -> Self {
        let limit = |hard_bytes, soft_bytes, soft_seconds| BufferLimit {
            hard_bytes,
            soft_bytes,
            soft_seconds,
        };
        BufferLimits([limit(0, 0, 0), limit(256 << 20, 64 << 20, 60), limit(32 << 20, 8 << 20, 60)])
    }
}

impl fmt::Display for BufferLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The class keeps its old name here, because tools look for it.
        for (index, (limit, class)) in self.0.iter().zip(["normal", "slave", "pubsub"]).enumerate()
        {
            let separator = if index == 0 { "" } else { " " };
            let BufferLimit { hard_bytes, soft_bytes, soft_seconds } = limit;
            write!(f, "{separator}{class} {hard_bytes} {soft_bytes} {soft_seconds}")?;
        }
        Ok(())
    }
}
