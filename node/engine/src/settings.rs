//! Settings that decide what a command does or how a value is encoded.
//!
//! They are part of the replicated state: were they local, two replicas could answer
//! `OBJECT ENCODING` differently inside a script and diverge. They change by an entry.

/// Thresholds below which collections keep their compact form, and limits on values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `hash-max-listpack-entries`: fields.
    pub hash_compact_entries: u32,
    /// `hash-max-listpack-value`: bytes of a field or value.
    pub hash_compact_value: u32,
    /// `set-max-intset-entries`: members.
    pub set_intset_entries: u32,
    /// `set-max-listpack-entries`: members.
    pub set_compact_entries: u32,
    /// `set-max-listpack-value`: bytes of a member.
    pub set_compact_value: u32,
    /// `zset-max-listpack-entries`: members.
    pub sorted_set_compact_entries: u32,
    /// `zset-max-listpack-value`: bytes of a member.
    pub sorted_set_compact_value: u32,
    /// `list-max-listpack-size`: elements per node if positive, a size class of bytes if negative.
    pub list_node_size: i32,
    /// `proto-max-bulk-len`: the longest string value in bytes.
    pub string_bytes_max: u64,
    /// Whether `maxmemory-policy` is one that counts how often keys are used (LFU) instead of when
    /// they were last used.
    pub track_frequency: bool,
    /// How many numbered databases exist.
    pub databases: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            hash_compact_entries: 128,
            hash_compact_value: 64,
            set_intset_entries: 512,
            set_compact_entries: 128,
            set_compact_value: 64,
            sorted_set_compact_entries: 128,
            sorted_set_compact_value: 64,
            list_node_size: -2,
            string_bytes_max: 512 * 1024 * 1024,
            track_frequency: false,
            databases: 16,
        }
    }
}
