//! Settings that decide what a command does or how a value is encoded.
//!
//! They are part of the replicated state: were they local, two replicas could answer
//! `OBJECT ENCODING` differently inside a script and diverge. So every engine begins with the
//! same ones, [`Settings::default`], and they change by an entry only, never by what the node that
//! happens to run the engine was told.

use alloc::string::{String, ToString};

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
    /// `stream-node-max-bytes`: bytes of a node of a stream; 0 for the most there can be.
    pub stream_node_bytes: u64,
    /// `stream-node-max-entries`: entries of a node of a stream; 0 for any number.
    pub stream_node_entries: u64,
    /// `hll-sparse-max-bytes`: bytes of a sparse `HyperLogLog`, its header included.
    pub hyperloglog_sparse_bytes_max: u64,
    /// `proto-max-bulk-len`: the longest string value in bytes.
    pub string_bytes_max: u64,
    /// Whether `maxmemory-policy` is one that counts how often keys are used (LFU) instead of when
    /// they were last used.
    pub track_frequency: bool,
    /// `databases`: how many numbered databases clients may select.
    pub databases: u16,
    /// Whether the cluster has several shards, so that a script must keep to the slot of its keys.
    pub several_shards: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            hash_compact_entries: 512,
            hash_compact_value: 64,
            set_intset_entries: 512,
            set_compact_entries: 128,
            set_compact_value: 64,
            sorted_set_compact_entries: 128,
            sorted_set_compact_value: 64,
            list_node_size: -2,
            stream_node_bytes: 4096,
            stream_node_entries: 100,
            hyperloglog_sparse_bytes_max: 3000,
            string_bytes_max: 512 * 1024 * 1024,
            track_frequency: false,
            databases: 16,
            several_shards: false,
        }
    }
}

impl Settings {
    /// All settings by name, as numbers; the names are kept in snapshots.
    pub(crate) fn fields(&self) -> [(&'static str, u64); 15] {
        [
            ("hash-compact-entries", self.hash_compact_entries.into()),
            ("hash-compact-value", self.hash_compact_value.into()),
            ("set-intset-entries", self.set_intset_entries.into()),
            ("set-compact-entries", self.set_compact_entries.into()),
            ("set-compact-value", self.set_compact_value.into()),
            ("sorted-set-compact-entries", self.sorted_set_compact_entries.into()),
            ("sorted-set-compact-value", self.sorted_set_compact_value.into()),
            ("list-node-size", u64::from(self.list_node_size as u32)),
            ("stream-node-bytes", self.stream_node_bytes),
            ("stream-node-entries", self.stream_node_entries),
            ("hyperloglog-sparse-bytes-max", self.hyperloglog_sparse_bytes_max),
            ("string-bytes-max", self.string_bytes_max),
            ("track-frequency", self.track_frequency.into()),
            ("databases", self.databases.into()),
            ("several-shards", self.several_shards.into()),
        ]
    }

    /// Sets one of [`Settings::fields`]; `None` if the value is out of range. A name that is not
    /// known is one of a later version, and is passed over.
    pub(crate) fn set_field(&mut self, name: &str, value: u64) -> Option<()> {
        let small = u32::try_from(value).ok();
        match name {
            "hash-compact-entries" => self.hash_compact_entries = small?,
            "hash-compact-value" => self.hash_compact_value = small?,
            "set-intset-entries" => self.set_intset_entries = small?,
            "set-compact-entries" => self.set_compact_entries = small?,
            "set-compact-value" => self.set_compact_value = small?,
            "sorted-set-compact-entries" => self.sorted_set_compact_entries = small?,
            "sorted-set-compact-value" => self.sorted_set_compact_value = small?,
            "list-node-size" => self.list_node_size = small? as i32,
            "stream-node-bytes" => self.stream_node_bytes = value,
            "stream-node-entries" => self.stream_node_entries = value,
            "hyperloglog-sparse-bytes-max" => self.hyperloglog_sparse_bytes_max = value,
            "string-bytes-max" => self.string_bytes_max = value,
            "track-frequency" => self.track_frequency = value > 0,
            "several-shards" => self.several_shards = value > 0,
            "databases" => self.databases = u16::try_from(value).ok().filter(|&n| n > 0)?,
            _ => {}
        }
        Some(())
    }

    /// The settings that may change while a shard lives, by the names of their directives.
    pub const NAMES: [&'static str; 14] = [
        "databases",
        "hash-max-listpack-entries",
        "hash-max-listpack-value",
        "hll-sparse-max-bytes",
        "list-max-listpack-size",
        "maxmemory-policy",
        "proto-max-bulk-len",
        "set-max-intset-entries",
        "set-max-listpack-entries",
        "set-max-listpack-value",
        "stream-node-max-bytes",
        "stream-node-max-entries",
        "zset-max-listpack-entries",
        "zset-max-listpack-value",
    ];

    /// The name under which a leader tells its shard whether the cluster has several (`yes`, `no`).
    pub const SEVERAL_SHARDS: &'static str = "several-shards";

    /// Changes the setting of one of the [`Settings::NAMES`]; false, and nothing has changed, if
    /// there is none of this name or the value is not one for it.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        let place = match name {
            "hash-max-listpack-entries" => &mut self.hash_compact_entries,
            "hash-max-listpack-value" => &mut self.hash_compact_value,
            "set-max-intset-entries" => &mut self.set_intset_entries,
            "set-max-listpack-entries" => &mut self.set_compact_entries,
            "set-max-listpack-value" => &mut self.set_compact_value,
            "zset-max-listpack-entries" => &mut self.sorted_set_compact_entries,
            "zset-max-listpack-value" => &mut self.sorted_set_compact_value,
            "list-max-listpack-size" => {
                return assign(&mut self.list_node_size, value.parse().ok());
            }
            "stream-node-max-bytes" => {
                return assign(&mut self.stream_node_bytes, value.parse().ok());
            }
            "stream-node-max-entries" => {
                return assign(&mut self.stream_node_entries, value.parse().ok());
            }
            "hll-sparse-max-bytes" => {
                return assign(&mut self.hyperloglog_sparse_bytes_max, value.parse().ok());
            }
            "proto-max-bulk-len" => return assign(&mut self.string_bytes_max, value.parse().ok()),
            Settings::SEVERAL_SHARDS => {
                self.several_shards = value == "yes";
                return true;
            }
            "maxmemory-policy" => {
                self.track_frequency = value.ends_with("-lfu");
                return true;
            }
            "databases" => {
                let number = value.parse().ok().filter(|&number: &u16| number > 0);
                return assign(&mut self.databases, number);
            }
            _ => return false,
        };
        // A threshold beyond 32 bits is none.
        let bounded = value.parse::<u64>().ok().map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        assign(place, bounded)
    }
}

impl Settings {
    /// The setting of one of the [`Settings::NAMES`] as its directive is written. `None` if there
    /// is none of this name, and for `maxmemory-policy`, of which only a part is replicated.
    pub fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "databases" => self.databases.to_string(),
            "hash-max-listpack-entries" => self.hash_compact_entries.to_string(),
            "hash-max-listpack-value" => self.hash_compact_value.to_string(),
            "hll-sparse-max-bytes" => self.hyperloglog_sparse_bytes_max.to_string(),
            "list-max-listpack-size" => self.list_node_size.to_string(),
            "proto-max-bulk-len" => self.string_bytes_max.to_string(),
            "set-max-intset-entries" => self.set_intset_entries.to_string(),
            "stream-node-max-bytes" => self.stream_node_bytes.to_string(),
            "stream-node-max-entries" => self.stream_node_entries.to_string(),
            "set-max-listpack-entries" => self.set_compact_entries.to_string(),
            "set-max-listpack-value" => self.set_compact_value.to_string(),
            "zset-max-listpack-entries" => self.sorted_set_compact_entries.to_string(),
            "zset-max-listpack-value" => self.sorted_set_compact_value.to_string(),
            _ => return None,
        })
    }
}

fn assign<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *place = value;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn every_named_setting_can_be_set() {
        for name in Settings::NAMES {
            let value = if name == "maxmemory-policy" { "allkeys-lfu" } else { "7" };
            let mut settings = Settings::default();
            assert!(settings.set(name, value), "{name}");
            assert_ne!(settings, Settings::default(), "{name}");
            let read = settings.get(name);
            assert_eq!(read.is_none(), name == "maxmemory-policy", "{name}");
            assert!(read.is_none_or(|read| read == value), "{name}");
        }
    }

    #[test]
    fn nonsense_changes_nothing() {
        let mut settings = Settings::default();
        for (name, value) in [
            ("databases", "0"),
            ("databases", "65536"),
            ("hash-max-listpack-entries", "-1"),
            ("list-max-listpack-size", "x"),
            ("set-max-intset-entries", ""),
        ] {
            assert!(!settings.set(name, value), "{name} {value}");
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn a_threshold_beyond_32_bits_is_none() {
        let mut settings = Settings::default();
        assert!(settings.set("hash-max-listpack-value", "9223372036854775807"));
        assert_eq!(settings.hash_compact_value, u32::MAX);
    }
}
