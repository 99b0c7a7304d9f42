//! Typed access: what the rest of the server reads.

use std::path::Path;
use std::time::Duration;

use quoris_resp::parse_double;

use super::choices::{AppendFsync, EndpointType, LogFormat, LogLevel, MaxMemoryPolicy, Permission};
use super::table::index_of;
use super::{BufferLimits, Config, KeyspaceEvents, Value};

/// What clients may be told is at most what offsets of 32 bits can address.
const REQUEST_BYTES_MAX: i64 = u32::MAX as i64;
/// How far `cluster-port` lies above `port` if nobody says otherwise.
const BUS_PORT_OFFSET: u16 = 10_000;

/// Declares getters: name, result, directive, and how the stored value becomes the result. The place
/// of the directive is found while compiling.
macro_rules! getters {
    ($($(#[$doc:meta])* $getter:ident -> $type:ty = $read:ident($name:literal) $(=> $map:expr)?;)+) => {
        impl Config {
            $(
                #[doc = concat!("`", $name, "`.")]
                $(#[$doc])*
                pub fn $getter(&self) -> $type {
                    const INDEX: usize = index_of($name);
                    let value = $read(&self.values[INDEX]);
                    $(let value = ($map)(value);)?
                    value
                }
            )+
        }
    };
}

getters! {
    port -> u16 = number("port") => |n| n as u16;
    /// Addresses as written: `*`, or a leading `-`, may be among them.
    bind -> &[String] = words("bind");
    /// `None` switches probes off.
    tcp_keepalive -> Option<Duration> = number("tcp-keepalive") => seconds;
    /// `None` lets clients idle for ever.
    timeout -> Option<Duration> = number("timeout") => seconds;
    protected_mode -> bool = flag("protected-mode");
    requirepass -> Option<&str> = text("requirepass") => non_empty;
    enable_debug_command -> Permission = number("enable-debug-command") => Permission::from_index;
    enable_protected_configs -> Permission =
        number("enable-protected-configs") => Permission::from_index;

    cluster_enabled -> bool = flag("cluster-enabled");
    cluster_secret_file -> Option<&Path> = text("cluster-secret-file") => path;
    cluster_node_timeout -> Duration = number("cluster-node-timeout") => milliseconds;
    engine_stall_timeout -> Duration = number("engine-stall-timeout") => milliseconds;
    cluster_announce_ip -> Option<&str> = text("cluster-announce-ip") => non_empty;
    cluster_announce_hostname -> Option<&str> = text("cluster-announce-hostname") => non_empty;
    cluster_preferred_endpoint_type -> EndpointType =
        number("cluster-preferred-endpoint-type") => EndpointType::from_index;
    cluster_require_full_coverage -> bool = flag("cluster-require-full-coverage");

    /// Absolute once a configuration was loaded.
    dir -> &Path = text("dir") => Path::new;
    appendfsync -> AppendFsync = number("appendfsync") => AppendFsync::from_index;
    aof_segment_size -> u64 = number("aof-segment-size") => |n| n as u64;
    snapshot_log_bytes -> u64 = number("snapshot-log-bytes") => |n| n as u64;

    /// Bytes; zero for no limit.
    maxmemory -> u64 = number("maxmemory") => |n| n as u64;
    maxmemory_policy -> MaxMemoryPolicy = number("maxmemory-policy") => MaxMemoryPolicy::from_index;
    maxclients -> usize = number("maxclients") => |n| n as usize;
    /// Bytes; no more than the parser can address, whatever is configured.
    proto_max_bulk_len -> u32 =
        number("proto-max-bulk-len") => |n: i64| n.min(REQUEST_BYTES_MAX) as u32;
    /// Bytes; no more than the parser can address, whatever is configured.
    client_query_buffer_limit -> usize =
        number("client-query-buffer-limit") => |n: i64| n.min(REQUEST_BYTES_MAX) as usize;
    client_output_buffer_limit -> BufferLimits = limits("client-output-buffer-limit");
    tracking_table_max_keys -> usize = number("tracking-table-max-keys") => |n| n as usize;
    databases -> u32 = number("databases") => |n| n as u32;
    hz -> u32 = number("hz") => |n| n as u32;

    loglevel -> LogLevel = number("loglevel") => LogLevel::from_index;
    logfile -> Option<&Path> = text("logfile") => path;
    log_format -> LogFormat = number("log-format") => LogFormat::from_index;
    /// Microseconds; negative for never.
    slowlog_log_slower_than -> i64 = number("slowlog-log-slower-than");
    slowlog_max_len -> usize = number("slowlog-max-len") => |n| n as usize;
    /// Milliseconds; zero for never.
    latency_monitor_threshold -> u64 = number("latency-monitor-threshold") => |n| n as u64;
    /// Zero for never.
    busy_reply_threshold -> Duration = number("busy-reply-threshold") => milliseconds;
    latency_tracking -> bool = flag("latency-tracking");
    latency_tracking_info_percentiles -> Vec<f64> =
        words("latency-tracking-info-percentiles") => percentiles;
    notify_keyspace_events -> KeyspaceEvents =
        number("notify-keyspace-events") => KeyspaceEvents::from_bits;

}

impl Config {
    /// The port of the bus between nodes: `cluster-port`, or `port` + 10000.
    pub fn bus_port(&self) -> u16 {
        const INDEX: usize = index_of("cluster-port");
        match number(&self.values[INDEX]) as u16 {
            0 => self.port().wrapping_add(BUS_PORT_OFFSET),
            port => port,
        }
    }

    /// The port that clients and other nodes are told.
    pub fn announced_port(&self) -> u16 {
        const INDEX: usize = index_of("cluster-announce-port");
        match number(&self.values[INDEX]) as u16 {
            0 => self.port(),
            port => port,
        }
    }

    /// The port of the bus that other nodes are told.
    pub fn announced_bus_port(&self) -> u16 {
        const INDEX: usize = index_of("cluster-announce-bus-port");
        match number(&self.values[INDEX]) as u16 {
            0 => self.bus_port(),
            port => port,
        }
    }

    pub(super) fn set_directory(&mut self, directory: &Path) {
        const INDEX: usize = index_of("dir");
        self.values[INDEX] = Value::Text(directory.to_string_lossy().into_owned());
    }
}

fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        other => unreachable!("a flag is kept as a flag, not as {other:?}"),
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Number(number) => *number,
        other => unreachable!("a number is kept as a number, not as {other:?}"),
    }
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        other => unreachable!("a text is kept as a text, not as {other:?}"),
    }
}

fn words(value: &Value) -> &[String] {
    match value {
        Value::Words(words) => words,
        other => unreachable!("words are kept as words, not as {other:?}"),
    }
}

fn limits(value: &Value) -> BufferLimits {
    match value {
        Value::Limits(limits) => *limits,
        other => unreachable!("limits are kept as limits, not as {other:?}"),
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn path(text: &str) -> Option<&Path> {
    non_empty(text).map(Path::new)
}

fn seconds(number: i64) -> Option<Duration> {
    (number > 0).then(|| Duration::from_secs(number as u64))
}

fn milliseconds(number: i64) -> Duration {
    Duration::from_millis(number as u64)
}

fn percentiles(words: &[String]) -> Vec<f64> {
    words.iter().filter_map(|word| parse_double(word.as_bytes())).collect()
}
