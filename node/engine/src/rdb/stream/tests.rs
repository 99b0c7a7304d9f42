//! Streams there and back, streams of a real server, and bytes that are no streams.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{load, save};
use crate::keyspace::{KeyHasher, Rebuild, Value};
use crate::rdb::input::Input;
use crate::rdb::{RdbError, kind, restore};
use crate::settings::Settings;
use crate::types::Element;
use crate::types::stream::{Group, Stream, StreamId, StreamLimits};

/// What `redis-server` 7.0.15 answered to `DUMP`: four entries, one of which was deleted, and two
/// groups of which one has two consumers.
const REAL: &[u8] = b"\x13\x01\x10\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xc3@X@u\x18u\x00\x00\x00\x1f\x00\x03\x01\x01\x01\x02\x01\x84temp\x05\x84unit\x05\x00 \x0f\x00\x00 \x01\x07\x15\x01\x81C\x02\x05\x01\x03 \x0a\x04\x01\x01\xdf\xfd\x02`\x0d`\x0b\x0c\xff\x02\x01\x01\x85other\x06\x9ex\xe0\x14\x00\x01\x1f\x06 L\x02\x04\x01\x06 \x03\x01\x81F L\x00\xff\x03\x05\x07\x01\x01\x01\x02\x04\x02\x01g\x02\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xa2\xbe\x97\xfd\xa1\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\xa2\xbe\x97\xfd\xa1\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\xa2\xbe\x97\xfd\xa1\x01\x00\x00\x01\x02\x05alice\xa2\xbe\x97\xfd\xa1\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x03bob\xa2\xbe\x97\xfd\xa1\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01h\x05\x07\x81\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x0a\x00S\xdd\x1cu\x117\xea\xb8";

/// The time at which its entries were delivered.
const DELIVERED_MS: i64 = 1_795_255_942_818;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Entries in words, a line each.
fn entries(stream: &Stream) -> Vec<String> {
    let show = |(field, value): (Element<'_>, Element<'_>)| {
        format!(" {}={}", field.with_bytes(text), value.with_bytes(text))
    };
    let all = stream.range(StreamId::MIN, StreamId::MAX);
    let line = |entry: crate::types::stream::Entry<'_>| {
        entry.id.with_text(text) + &entry.pairs().map(show).collect::<String>()
    };
    all.map(line).collect()
}

fn pending(group: &Group) -> Vec<String> {
    let line = |(id, pending): (&StreamId, &crate::types::stream::Pending)| {
        assert_eq!(pending.delivered_at_ms, DELIVERED_MS);
        let owner = text(group.owner(pending).name());
        format!("{} {owner} {}", id.with_text(text), pending.deliveries)
    };
    group.pending().iter().map(line).collect()
}

fn bytes_of(stream: &Stream) -> Vec<u8> {
    let mut out = Vec::new();
    save(stream, &mut out);
    out
}

#[test]
fn a_stream_of_a_real_server_is_read() {
    let rebuild = Rebuild::new(&KeyHasher::new([3; 16]));
    let Ok(Value::Stream(stream)) = restore(REAL, &rebuild).map(|loaded| loaded.value) else {
        panic!("a stream");
    };
    let expected =
        ["1-1 temp=21 unit=C", "2-0 other=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "5-7 temp=4 unit=F"];
    assert_eq!(entries(&stream), expected);
    assert_eq!((stream.len(), stream.entries_added()), (3, 4));
    assert_eq!(stream.last_id(), StreamId::new(5, 7));
    assert_eq!(stream.first_id(), StreamId::new(1, 1));
    assert_eq!(stream.max_deleted_id(), StreamId::new(1, 2));
    let group = stream.group(b"g").expect("the first group");
    assert_eq!(pending(group), ["1-1 alice 1", "1-2 alice 1", "2-0 bob 1"]);
    assert_eq!((group.entries_read, stream.lag_of(group)), (Some(3), Some(1)));
    let other = stream.group(b"h").expect("the second group");
    assert_eq!((other.entries_read, stream.lag_of(other)), (None, Some(0)));
    // Node by node, it is what Redis has: only the end differs, by the time that 7.0 lacks.
    let again = bytes_of(&stream);
    let back = load(kind::STREAM, &mut Input::new(&again)).expect("our own bytes");
    assert_eq!(bytes_of(&back), again);
}

/// Version 15 as Redis 5 and 6 wrote it.
#[test]
fn a_stream_of_an_early_version_is_read() {
    let mut stream = Stream::default();
    push(&mut stream, StreamId::new(7, 0), 1);
    let mut old = bytes_of(&stream);
    // Length 1, last id 7-0; then first id, deleted id, entries added and groups are cut off.
    old.truncate(old.len() - 6);
    old.extend_from_slice(b"\x01\x01g\x07\x00\x01");
    old.extend_from_slice(&StreamId::new(7, 0).to_bytes());
    old.extend_from_slice(&DELIVERED_MS.to_le_bytes());
    old.extend_from_slice(b"\x02\x01\x01c");
    old.extend_from_slice(&5_i64.to_le_bytes());
    old.push(1);
    old.extend_from_slice(&StreamId::new(7, 0).to_bytes());
    let mut input = Input::new(&old);
    let loaded = load(kind::STREAM_OF_5, &mut input).expect("an old stream");
    assert!(input.is_empty());
    assert_eq!(loaded.entries_added(), 1);
    let group = loaded.group(b"g").expect("its group");
    assert_eq!(pending(group), ["7-0 c 2"]);
    assert_eq!((group.entries_read, loaded.lag_of(group)), (Some(1), Some(0)));
    let consumer = group.consumer(b"c").expect("its consumer");
    assert_eq!((consumer.seen_at_ms, consumer.active_at_ms), (5, 5));
}

fn push(stream: &mut Stream, id: StreamId, shape: u8) {
    let long = [b'v'; 70];
    let texts: &[(&[u8], &[u8])] = match shape {
        0 => &[(b"a", b"1"), (b"b", b"-70000")],
        1 => &[(b"a", b"x")],
        2 => &[(b"a", &long), (b"b", b"")],
        _ => &[(&long, b"9223372036854775807")],
    };
    let pairs = texts.iter().map(|(field, value)| (Element::of(field), Element::of(value)));
    let settings =
        Settings { stream_node_bytes: 300, stream_node_entries: 5, ..Settings::default() };
    let bytes = texts.iter().map(|(field, value)| (field.len() + value.len()) as u64).sum();
    stream.push(id, pairs, bytes, StreamLimits::new(&settings));
}

fn streams() -> impl Strategy<Value = Stream> {
    let entries = proptest::collection::vec((1..1000_u64, any::<u64>(), 0..4_u8, 0..5_u8), 0..40);
    let groups = proptest::collection::vec((0..50_u64, prop::option::of(0..50_i64)), 0..4);
    let pending = proptest::collection::vec((0..40_usize, 0..3_u8, 0..4_u8), 0..30);
    (entries, groups, pending).prop_map(|(entries, groups, pending)| {
        let mut stream = Stream::default();
        let mut ids = Vec::new();
        for (ms, seq, shape, delete) in entries {
            let id = StreamId::new(stream.last_id().ms + ms, seq);
            push(&mut stream, id, shape);
            ids.push(id);
            if delete == 0 {
                stream.remove(id);
            }
        }
        for (number, (ms, read)) in groups.into_iter().enumerate() {
            let mut group = Group::new(StreamId::new(ms, 1), read);
            for (entry, consumer, deliveries) in &pending {
                let Some(id) = ids.get(entry * (number + 1) % 40) else { continue };
                group.add_consumer(&[*consumer], i64::from(*consumer) - 1);
                group.deliver(*id, &[*consumer], DELIVERED_MS, u64::from(*deliveries));
            }
            stream.add_group(format!("g{number}").as_bytes(), group);
        }
        stream
    })
}

/// Everything that can be asked of a stream, so that what was let in is really usable.
fn use_it(mut stream: Stream) {
    let _ = (entries(&stream), stream.last_entry_id());
    assert_eq!(stream.range(StreamId::MIN, StreamId::MAX).count() as u64, stream.len());
    let ids: Vec<_> = stream.range_backwards(StreamId::MIN, StreamId::MAX).map(|e| e.id).collect();
    for (_, group) in stream.groups() {
        let owned = |(id, p)| group.owner(p).pending().contains(id);
        assert!(group.pending().iter().all(owned), "both sides know what is pending");
        let _ = stream.lag_of(group);
    }
    for id in ids {
        assert!(stream.contains(id));
        assert!(stream.remove(id));
    }
    assert_eq!((stream.len(), stream.node_count()), (0, 0));
}

proptest! {
    #[test]
    fn streams_come_back_as_they_were(stream in streams()) {
        let bytes = bytes_of(&stream);
        let mut input = Input::new(&bytes);
        let back = load(kind::STREAM, &mut input).expect("our own bytes");
        prop_assert!(input.is_empty());
        prop_assert_eq!(bytes_of(&back), bytes);
        prop_assert_eq!(entries(&back), entries(&stream));
        prop_assert_eq!(back.node_count(), stream.node_count());
        for (node, other) in back.nodes().zip(stream.nodes()) {
            prop_assert_eq!(node.1.listpack_bytes(), other.1.listpack_bytes());
        }
        use_it(back);
    }

    #[test]
    fn a_damaged_stream_is_refused_or_sound(
        stream in streams(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        version in prop_oneof![Just(kind::STREAM), Just(kind::STREAM_OF_7_0), Just(kind::STREAM_OF_5)],
    ) {
        let mut bytes = bytes_of(&stream);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(loaded) = load(version, &mut Input::new(&bytes)) {
            let again = bytes_of(&loaded);
            let back = load(kind::STREAM, &mut Input::new(&again)).expect("our own bytes");
            prop_assert_eq!(bytes_of(&back), again);
            use_it(loaded);
        }
    }
}

#[test]
fn contradictions_are_refused() {
    let mut stream = Stream::default();
    for ms in 1..=3 {
        push(&mut stream, StreamId::new(ms, 0), 1);
    }
    let mut group = Group::new(StreamId::new(1, 0), Some(1));
    group.add_consumer(b"c", 1);
    group.deliver(StreamId::new(1, 0), b"c", 1, 1);
    stream.add_group(b"g", group);
    let good = bytes_of(&stream);
    let listpack = 1 + 17 + 1;
    let behind = listpack + usize::from(good[listpack - 1]);
    let mut refused = 0;
    for (what, at, byte) in [
        ("a master whose entries are behind the last id", 9, 9),
        ("more entries than there are", listpack + 6, 4),
        ("a deleted entry that is not there", listpack + 8, 1),
        ("no fields", listpack + 10, 0),
        ("a wrong total", listpack, 9),
        ("a wrong number of elements", listpack + 4, 9),
        ("another length", behind, 4),
        ("a last id before the last entry", behind + 1, 2),
        ("more groups than there are", behind + 8, 2),
        ("more pending entries than there are", behind + 14, 2),
    ] {
        let mut bad = good.clone();
        assert_ne!(bad[at], byte, "{what}");
        bad[at] = byte;
        let loaded = load(kind::STREAM, &mut Input::new(&bad));
        assert!(loaded.is_err(), "{what}");
        refused += usize::from(matches!(loaded, Err(RdbError::Corrupt(_))));
    }
    assert!(refused >= 6, "most contradict the format, {refused} did");
    let whole: Box<[u8]> = good.into();
    for len in 0..whole.len() {
        assert!(load(kind::STREAM, &mut Input::new(&whole[..len])).is_err(), "cut off at {len}");
    }
}
