//! The node as a process: `server` and `cpu`.

use std::time::Duration;

use super::{Maybe, Section, fields, no_lines};
use crate::cli::REDIS_VERSION;

pub(super) const SECTION: Section =
    Section { name: "server", title: "Server", by_default: true, fields: SERVER, lines: no_lines };

pub(super) const CPU: Section =
    Section { name: "cpu", title: "CPU", by_default: true, fields: TIMES, lines: no_lines };

/// The clock of least-recently-used keys has 24 bits of seconds.
const LRU_CLOCK_MAX: u64 = (1 << 24) - 1;

fields! { SERVER:
    "redis_version" => |_| REDIS_VERSION,
    "quoris_version" => |_| env!("CARGO_PKG_VERSION"),
    "redis_mode" => |facts| if facts.config.cluster_enabled() { "cluster" } else { "standalone" },
    "os" => |facts| facts.process.system(),
    "arch_bits" => |_| usize::BITS,
    "process_id" => |facts| facts.process.id(),
    "run_id" => |facts| facts.shared.identity.node.clone(),
    "tcp_port" => |facts| facts.shared.port.get(),
    "server_time_usec" => |facts| facts.now_us,
    "uptime_in_seconds" => |facts| facts.uptime_s(),
    "uptime_in_days" => |facts| facts.uptime_s() / 86400,
    "hz" => |facts| facts.config.hz(),
    "configured_hz" => |facts| facts.config.hz(),
    "lru_clock" => |facts| (facts.now_us / 1_000_000) & LRU_CLOCK_MAX,
    "executable" => |facts| facts.process.executable(),
    "config_file" => |facts| facts.config.file().map_or_else(String::new, |file| file.display().to_string()),
    "io_threads_active" => |_| false,
}

fields! { TIMES:
    "used_cpu_sys" => |facts| seconds(facts.cpu.system),
    "used_cpu_user" => |facts| seconds(facts.cpu.user),
    "used_cpu_sys_main_thread" => |facts| seconds(facts.cpu.thread_system),
    "used_cpu_user_main_thread" => |facts| seconds(facts.cpu.thread_user),
}

fn seconds(time: Duration) -> Maybe<String> {
    Maybe(Some(format!("{:.6}", time.as_secs_f64())))
}
