//! Bytes: what is written is read back, and nothing else is.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::apply::any_change;
use super::{nine_node_topology, nine_nodes, node, shard};
use crate::codec::{CHANGE_BYTES_MAX, FORMAT_VERSION};
use crate::{Change, DecodeError, Functions, Secret, Source, Term, Topology};

fn versioned(json: &str) -> Vec<u8> {
    let mut bytes = vec![FORMAT_VERSION];
    bytes.extend_from_slice(json.as_bytes());
    bytes
}

/// The bytes of a log are forever: this is how they look.
#[test]
fn a_change_is_a_version_and_json() {
    let change = Change::SetLeader { shard: shard(1), node: node(2), term: Term(3) };
    let json =
        format!(r#"{{"set_leader":{{"shard":"{}","node":"{}","term":3}}}}"#, shard(1), node(2));
    assert_eq!(change.encode(), versioned(&json));
    assert_eq!(Change::decode(&versioned(&json)), Ok(change));
    let newer = json.replace("\"term\":3", "\"term\":3,\"lease\":1");
    assert!(matches!(Change::decode(&versioned(&newer)), Err(DecodeError::Json(_))));
}

#[test]
fn a_library_can_be_read_and_may_be_any_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    for text in [&b"#!lua name=a\n"[..], &all] {
        let libraries = vec![Source(text.into())];
        let functions = Functions { version: 7, origin: shard(1), libraries };
        let change = Change::SetFunctions(functions);
        assert_eq!(Change::decode(&change.encode()), Ok(change));
    }
    let json = format!(
        r##"{{"set_functions":{{"version":7,"origin":"{}","libraries":["#!lua name=a"]}}}}"##,
        shard(1)
    );
    assert!(Change::decode(&versioned(&json)).is_ok());
    let strange = json.replace("lua", "l\u{151}a");
    assert!(matches!(Change::decode(&versioned(&strange)), Err(DecodeError::Json(_))));
}

#[test]
fn the_secret_stays_out_of_the_log() {
    let mut plan = nine_nodes();
    plan.secret = Some(Secret("c0ffee".into()));
    let bytes = Change::form(&plan).encode();
    assert!(!String::from_utf8_lossy(&bytes).contains("c0ffee"));
}

#[test]
fn bytes_of_another_kind_are_refused() {
    assert_eq!(Change::decode(&[]), Err(DecodeError::Empty));
    assert_eq!(Change::decode(&[9, b'{']), Err(DecodeError::Version(9)));
    let long = vec![FORMAT_VERSION; CHANGE_BYTES_MAX + 1];
    assert_eq!(Change::decode(&long), Err(DecodeError::TooLong { bytes: long.len() }));
    let deep = versioned(&"[".repeat(100_000));
    assert!(matches!(Change::decode(&deep), Err(DecodeError::Json(_))));
    assert!(matches!(Topology::restore(&versioned("{}")), Err(DecodeError::Json(_))));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let bytes = nine_node_topology().snapshot();
    let json = String::from_utf8(bytes[1..].to_vec()).expect("JSON is text");
    let (n1, s1, s2) = (node(1).to_string(), shard(1).to_string(), shard(2).to_string());
    let table = [
        (
            format!(r#""members":["{n1}","#),
            format!(r#""members":["{n1}","{n1}","#),
            "a node has two shards",
        ),
        (
            format!(r#"{{"id":"{s2}","members""#),
            format!(r#"{{"id":"{s1}","members""#),
            "a shard is there twice",
        ),
        (
            r#""leader":null"#.into(),
            format!(r#""leader":"{}""#, node(9)),
            "a leader is not a member",
        ),
        (
            format!(r#""members":["{n1}","#),
            r#""members":["#.into(),
            "a member is unknown, or a node has no shard",
        ),
        (format!(r#""shard":"{s1}""#), format!(r#""shard":"{s2}""#), "a node is not where it says"),
        (
            format!(r#""voters":["{n1}""#),
            format!(r#""voters":["{}""#, node(99)),
            "a voter is unknown",
        ),
        ("[[5461,10922],1]".into(), "[[5461,10922],3]".into(), "a slot has an unknown owner"),
        ("[[5461,10922],1]".into(), "[[5460,10922],1]".into(), "a slot has two owners"),
    ];
    for (good, bad, expected) in table {
        let spoilt = json.replacen(&good, &bad, 1);
        assert_ne!(spoilt, json, "{good} is not in {json}");
        let refused = Topology::restore(&versioned(&spoilt));
        assert_eq!(refused, Err(DecodeError::Inconsistent(expected)));
    }
}

#[test]
fn the_unformed_record_is_one_too() {
    let unformed = Topology::unformed();
    assert_eq!(Topology::restore(&unformed.snapshot()), Ok(unformed));
}

proptest! {
    #[test]
    fn changes_are_read_back(change in any_change()) {
        prop_assert_eq!(Change::decode(&change.encode()), Ok(change));
    }

    /// Junk is refused without a panic, and so is good input with one byte off
    /// unless it still means something.
    #[test]
    fn junk_never_panics(junk in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Change::decode(&junk);
        let _ = Topology::restore(&junk);
        let text = versioned(&String::from_utf8_lossy(&junk));
        prop_assert!(Topology::restore(&text).is_err());
    }

    #[test]
    fn damage_never_panics(change in any_change(), place: prop::sample::Index, byte: u8) {
        let mut bytes = change.encode();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(change) = Change::decode(&bytes) {
            let mut topology = nine_node_topology();
            topology.apply(change);
            prop_assert!(Topology::restore(&topology.snapshot()).is_ok());
        }
    }

    #[test]
    fn damaged_snapshots_never_panic(place: prop::sample::Index, byte: u8) {
        let mut bytes = nine_node_topology().snapshot();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(topology) = Topology::restore(&bytes) {
            prop_assert_eq!(Topology::restore(&topology.snapshot()), Ok(topology));
        }
    }
}
