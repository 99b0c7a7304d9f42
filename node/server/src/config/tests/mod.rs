//! The configuration: the table itself, files and flags, `CONFIG` commands, and a real Redis beside.

mod files;
mod redis;
mod rewriting;
mod setting;

use std::collections::BTreeSet;

use super::table::{DIRECTIVES, GROUPS};
use super::{AppendFsync, ClientClass, Config, Effect, Kind};

#[test]
fn every_name_is_there_once() {
    let mut names = BTreeSet::new();
    for name in DIRECTIVES.iter().flat_map(super::Directive::names) {
        assert!(names.insert(name), "{name} is declared twice");
        assert_eq!(name, name.to_ascii_lowercase());
    }
    assert_eq!(GROUPS.iter().map(|group| group.directives.len()).sum::<usize>(), DIRECTIVES.len());
}

#[test]
fn every_default_is_a_value_that_the_directive_takes() {
    for directive in &DIRECTIVES {
        let value = directive.default_value();
        let printed = directive.print(&value);
        let name = directive.name;
        assert_eq!(directive.parse(&[&printed], &value).as_ref(), Ok(&value), "{name} {printed}");
    }
}

#[test]
fn summaries_are_sentences_and_reasons_are_not() {
    for directive in &DIRECTIVES {
        assert!(directive.summary.ends_with('.'), "{}", directive.name);
        if let Effect::Ignored(why) | Effect::Refused(why) = directive.effect {
            assert!(!why.is_empty() && !why.ends_with('.'), "{}", directive.name);
        }
    }
}

#[test]
fn secrets_are_marked() {
    for directive in &DIRECTIVES {
        let named_so = ["pass", "masterauth", "masteruser"].iter().any(|part| {
            directive.name.contains(part) && matches!(directive.kind, Kind::Text { .. })
        });
        assert_eq!(directive.sensitive, named_so, "{}", directive.name);
    }
}

#[test]
fn typed_access_reads_what_was_given() {
    let config = Config::from_flags(&[
        "--port",
        "7000",
        "--bind",
        "10.0.0.1",
        "-::1",
        "--timeout",
        "0",
        "--tcp-keepalive",
        "60",
        "--appendfsync",
        "EVERYSEC",
        "--requirepass",
        "--dashes",
        "--maxmemory",
        "1gb",
        "--cluster-announce-port",
        "7999",
        "--proto-max-bulk-len",
        "8gb",
        "--hz",
        "1000",
        "--latency-tracking-info-percentiles",
        "50",
        "99.95",
        "--notify-keyspace-events",
        "Kx",
        "--client-output-buffer-limit",
        "pubsub",
        "1mb",
        "1kb",
        "5",
        "--dir",
        "data",
    ])
    .expect("valid flags");
    assert_eq!((config.port(), config.bus_port()), (7000, 17000));
    assert_eq!((config.announced_port(), config.announced_bus_port()), (7999, 17000));
    assert_eq!(config.bind(), ["10.0.0.1", "-::1"]);
    assert_eq!(config.timeout(), None);
    assert_eq!(config.tcp_keepalive().map(|time| time.as_secs()), Some(60));
    assert_eq!(config.appendfsync(), AppendFsync::EverySecond);
    assert_eq!(config.requirepass(), Some("--dashes"));
    assert_eq!(config.maxmemory(), 1 << 30);
    assert_eq!(config.proto_max_bulk_len(), u32::MAX);
    assert_eq!(config.hz(), 500);
    assert_eq!(config.latency_tracking_info_percentiles(), [50.0, 99.95]);
    assert!(config.notify_keyspace_events().contains_any(super::KeyspaceEvents::EXPIRED));
    let limit = config.client_output_buffer_limit().of(ClientClass::PubSub);
    assert_eq!((limit.hard_bytes, limit.soft_bytes, limit.soft_seconds), (1 << 20, 1 << 10, 5));
    assert!(config.dir().is_absolute() && config.dir().ends_with("data"));
}
