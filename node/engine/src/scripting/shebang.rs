//! The first line of a script that states what it needs: `#!lua flags=no-writes,allow-stale`.
//!
//! Source: <https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags>.

use alloc::format;
use alloc::string::String;

use crate::error::{CommandError, Result};

/// What a script states about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptFlags(u8);

impl ScriptFlags {
    /// Nothing stated.
    pub const NONE: ScriptFlags = ScriptFlags(0);
    /// It never writes.
    pub const NO_WRITES: ScriptFlags = ScriptFlags(1);
    /// It may run when memory is full.
    pub const ALLOW_OOM: ScriptFlags = ScriptFlags(2);
    /// It may run on a replica that has lost its leader.
    pub const ALLOW_STALE: ScriptFlags = ScriptFlags(4);
    /// It must not run on a cluster of several shards.
    pub const NO_CLUSTER: ScriptFlags = ScriptFlags(8);
    /// It may touch keys of several slots.
    pub const ALLOW_CROSS_SLOT_KEYS: ScriptFlags = ScriptFlags(16);
    /// It has no first line that states flags.
    pub const UNSTATED: ScriptFlags = ScriptFlags(32);

    const NAMES: [(&'static str, ScriptFlags); 5] = [
        ("no-writes", Self::NO_WRITES),
        ("allow-oom", Self::ALLOW_OOM),
        ("allow-stale", Self::ALLOW_STALE),
        ("no-cluster", Self::NO_CLUSTER),
        ("allow-cross-slot-keys", Self::ALLOW_CROSS_SLOT_KEYS),
    ];

    /// Whether all of `other` is stated.
    pub const fn has(self, other: ScriptFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub const fn or(self, other: ScriptFlags) -> ScriptFlags {
        ScriptFlags(self.0 | other.0)
    }

    /// The flag with this name.
    pub fn by_name(name: &[u8]) -> Option<ScriptFlags> {
        let found = Self::NAMES.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, flag)| *flag)
    }

    /// The names of what is stated.
    pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        Self::NAMES.iter().filter(move |(_, flag)| self.has(*flag)).map(|(name, _)| *name)
    }
}

/// The flags of a text, and where its program begins.
///
/// # Errors
/// Redis's texts for a line that is not understood.
pub(super) fn parse(source: &[u8]) -> Result<(ScriptFlags, usize)> {
    if !source.starts_with(b"#!") {
        return Ok((ScriptFlags::UNSTATED, 0));
    }
    let end =
        memchr::memchr(b'\n', source).ok_or(CommandError::fixed("ERR Invalid script shebang"))?;
    let mut words = source[..end].split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let engine = words.next().unwrap_or_default();
    if engine != b"#!lua" {
        return Err(complaint("Unexpected engine in script shebang", engine));
    }
    let mut flags = ScriptFlags::NONE;
    for word in words {
        let names = word
            .strip_prefix(b"flags=")
            .ok_or_else(|| complaint("Unknown lua shebang option", word))?;
        for name in names.split(|byte| *byte == b',').filter(|name| !name.is_empty()) {
            let flag = ScriptFlags::by_name(name)
                .ok_or_else(|| complaint("Unexpected flag in script shebang", name))?;
            flags = flags.or(flag);
        }
    }
    Ok((flags, end))
}

fn complaint(what: &str, word: &[u8]) -> CommandError {
    CommandError::text(format!("ERR {what}: {}", String::from_utf8_lossy(word)))
}
