//! `notify-keyspace-events`: which events about keys are published, and on which channels.

use std::fmt;
use std::str::FromStr;

/// A set of event classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyspaceEvents(u16);

/// Letter and class, in the order in which Redis prints them.
const LETTERS: [(char, KeyspaceEvents); 14] = [
    ('g', KeyspaceEvents::GENERIC),
    ('$', KeyspaceEvents::STRING),
    ('l', KeyspaceEvents::LIST),
    ('s', KeyspaceEvents::SET),
    ('h', KeyspaceEvents::HASH),
    ('z', KeyspaceEvents::SORTED_SET),
    ('x', KeyspaceEvents::EXPIRED),
    ('e', KeyspaceEvents::EVICTED),
    ('t', KeyspaceEvents::STREAM),
    ('d', KeyspaceEvents::MODULE),
    ('K', KeyspaceEvents::KEYSPACE),
    ('E', KeyspaceEvents::KEYEVENT),
    ('m', KeyspaceEvents::KEY_MISS),
    ('n', KeyspaceEvents::NEW),
];

impl KeyspaceEvents {
    /// `K`: publish on `__keyspace@<db>__:<key>`.
    pub const KEYSPACE: Self = Self(1);
    /// `E`: publish on `__keyevent@<db>__:<event>`.
    pub const KEYEVENT: Self = Self(1 << 1);
    /// `g`: commands on keys of any type.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`: strings.
    pub const STRING: Self = Self(1 << 3);
    /// `l`: lists.
    pub const LIST: Self = Self(1 << 4);
    /// `s`: sets.
    pub const SET: Self = Self(1 << 5);
    /// `h`: hashes.
    pub const HASH: Self = Self(1 << 6);
    /// `z`: sorted sets.
    pub const SORTED_SET: Self = Self(1 << 7);
    /// `x`: keys that expired.
    pub const EXPIRED: Self = Self(1 << 8);
    /// `e`: keys that were evicted.
    pub const EVICTED: Self = Self(1 << 9);
    /// `t`: streams.
    pub const STREAM: Self = Self(1 << 10);
    /// `m`: keys that were asked for and do not exist.
    pub const KEY_MISS: Self = Self(1 << 11);
    /// `d`: modules.
    pub const MODULE: Self = Self(1 << 13);
    /// `n`: new keys.
    pub const NEW: Self = Self(1 << 14);
    /// `A`: every class but misses and new keys.
    pub const ALL: Self = Self(0b10_0111_1111_1100);

    /// True if any class of `events` is in the set.
    pub fn contains_any(self, events: KeyspaceEvents) -> bool {
        self.0 & events.0 != 0
    }

    /// True if anything is ever published.
    pub fn is_on(self) -> bool {
        self.contains_any(Self(Self::KEYSPACE.0 | Self::KEYEVENT.0))
    }

    pub(super) fn bits(self) -> i64 {
        i64::from(self.0)
    }

    pub(super) fn from_bits(bits: i64) -> Self {
        KeyspaceEvents(bits as u16)
    }
}

impl FromStr for KeyspaceEvents {
    type Err = String;

    fn from_str(letters: &str) -> Result<Self, String> {
        letters.chars().try_fold(KeyspaceEvents(0), |events, letter| {
            let class = match LETTERS.iter().find(|(known, _)| *known == letter) {
                Some((_, class)) => *class,
                None if letter == 'A' => KeyspaceEvents::ALL,
                None => {
                    return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into());
                }
            };
            Ok(KeyspaceEvents(events.0 | class.0))
        })
    }
}

impl fmt::Display for KeyspaceEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if self.0 & Self::ALL.0 == Self::ALL.0 {
            f.write_str("A")?;
            rest &= !Self::ALL.0;
        }
        LETTERS
            .iter()
            .filter(|(_, class)| rest & class.0 != 0)
            .try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}
