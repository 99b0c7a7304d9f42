//! Values there and back, values from a real server, and bytes that are no values.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::keyspace::{Content, KeyHasher, StringRef, StringValue, Value};
use crate::types::stream::StreamId;
use crate::types::{Element, Encoding, SortedSet};

fn rebuild() -> Rebuild {
    Rebuild::new(&KeyHasher::new([3; 16]))
}

fn entry(value: Value) -> Entry {
    Entry::new(b"k", Content::Owned(value), None)
}

/// Dumps, restores and dumps again: everything that a dump holds has to survive.
fn there_and_back(entry: &Entry) -> Entry {
    let payload = dump(entry);
    let loaded = restore(&payload, &rebuild()).expect("our own payload");
    let mut back = Entry::new(b"k", Content::Owned(loaded.value), None);
    back.set_raw(loaded.raw);
    assert_eq!(dump(&back), payload);
    assert_eq!(back.encoding(), entry.encoding());
    back
}

#[test]
fn strings_come_back_in_their_form() {
    let long = vec![b'x'; 20_000];
    for text in [&b""[..], b"a", b"007", b"12", b"-129", b"70000", b"9999999999", &long] {
        let plain = Entry::new(b"k", Content::String(StringRef::of(text)), None);
        let kept = Entry::new(b"k", Content::String(StringRef::Bytes(text)), None);
        let mut raw = Entry::new(b"k", Content::String(StringRef::Bytes(text)), None);
        raw.set_raw(true);
        for original in [plain, kept, raw] {
            let back = there_and_back(&original);
            assert_eq!(format!("{:?}", back.value()), format!("{:?}", original.value()));
        }
    }
}

#[test]
fn collections_come_back_in_their_order_and_form() {
    let rebuild = rebuild();
    let texts = [&b"zebra"[..], b"1", b"-5000", b"", b"70000", b"9223372036854775807", b"ant"];
    for encoding in [Encoding::Listpack, Encoding::Quicklist] {
        for count in [1, texts.len(), 5000] {
            let mut list = rebuild.list(encoding);
            (0..count).for_each(|n| rebuild.push(&mut list, texts[n % texts.len()]));
            let back = there_and_back(&entry(Value::List(Box::new(list))));
            let crate::keyspace::ValueRef::List(list) = back.value() else { panic!("a list") };
            let found = list.iter().map(Element::to_vec).collect::<Vec<_>>();
            let expected = (0..count).map(|n| texts[n % texts.len()].to_vec());
            assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
    for encoding in [Encoding::Intset, Encoding::Listpack, Encoding::Hashtable] {
        let mut set = rebuild.set(encoding);
        for member in [b"30".as_slice(), b"-1", b"70000", b"2"] {
            rebuild.add(&mut set, Element::of(member));
        }
        let back = there_and_back(&entry(Value::Set(Box::new(set))));
        let crate::keyspace::ValueRef::Set(set) = back.value() else { panic!("a set") };
        let found = set.iter().map(Element::to_vec).collect::<Vec<_>>();
        assert_eq!(found, [b"30".as_slice(), b"-1", b"70000", b"2"]);
    }
    for encoding in [Encoding::Listpack, Encoding::Hashtable] {
        let mut hash = rebuild.hash(encoding);
        for field in texts {
            rebuild.set_field(&mut hash, field, b"value", None);
        }
        there_and_back(&entry(Value::Hash(Box::new(hash))));
    }
    for encoding in [Encoding::TimedListpack, Encoding::Hashtable] {
        for deadlines in [[Some(5), None, Some(3)], [None, Some(1 << 45), Some(2)], [None; 3]] {
            let mut hash = rebuild.hash(encoding);
            for (at, field) in texts.iter().enumerate() {
                rebuild.set_field(&mut hash, field, b"value", deadlines[at % 3]);
            }
            there_and_back(&entry(Value::Hash(Box::new(hash))));
        }
    }
    for compact in [true, false] {
        let mut set = SortedSet::default();
        let scores = [f64::NEG_INFINITY, -1.5, -0.0, 0.1, 3.0, 1e300, f64::INFINITY];
        for (member, score) in texts.iter().zip(scores) {
            rebuild.rank(&mut set, compact, member, score);
        }
        there_and_back(&entry(Value::SortedSet(Box::new(set))));
    }
}

/// A value in words.
fn show(value: &Value) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut words = Vec::new();
    let head = match value {
        Value::String(StringValue::Integer(value)) => return format!("string: {value}"),
        Value::String(StringValue::Bytes(bytes)) => return format!("string: {}", text(bytes)),
        Value::List(list) => {
            list.iter().for_each(|element| words.push(element.with_bytes(text)));
            format!("list {}:", list.encoding().name())
        }
        Value::Set(set) => {
            set.iter().for_each(|member| words.push(member.with_bytes(text)));
            format!("set {}:", set.encoding().name())
        }
        Value::Hash(hash) => {
            for record in hash.records() {
                words.extend([record.field.with_bytes(text), record.value.with_bytes(text)]);
                words.extend(record.deadline_ms.map(|at_ms| format!("until {at_ms}")));
            }
            format!("hash {}:", hash.encoding().name())
        }
        Value::Stream(stream) => {
            let ids = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id);
            words.extend(ids.map(|id| id.with_text(text)));
            String::from("stream:")
        }
        Value::SortedSet(set) => {
            set.ascend(0, set.len(), |member, score| {
                words.push(format!("{}={score}", text(member)));
            });
            format!("zset {}:", set.encoding())
        }
    };
    format!("{head} {}", words.join(" "))
}

/// Payloads that Redis 7.0.15 answered to `DUMP`.
#[test]
fn payloads_of_a_real_server_are_read() {
    let table: &[(&[u8], &str)] = &[
        (b"\x00\xc190\x0a\x00\x9d\x94\xea'\x93\xfc\x08\xb9", "string: 12345"),
        (b"\x00\xc3\x0a<\x02aba\xe0.\x01\x01ab\x0a\x00\xbb\x16\xd3\xeb\xaeo\xc5t", "string: abababababababababababababababababababababababababababababab"),
        (b"\x12\x01\x02\x15\x15\x00\x00\x00\x03\x00\x83one\x04\x02\x01\x85three\x06\xff\x0a\x00\xa2\xcd\xcbA\x82s\x17\xf5", "list listpack: one 2 three"),
        (b"\x0b\x14\x04\x00\x00\x00\x03\x00\x00\x00\xfb\xff\xff\xff\x01\x00\x00\x00p\x11\x01\x00\x0a\x00\x86\xa0\xbb\xcf:\x22\xed%", "set intset: -5 1 70000"),
        (b"\x02\x01\x04lone\x0a\x00\xe9/-2\x9c\x8a\xc9]", "set hashtable: lone"),
        (b"\x10\x12\x12\x00\x00\x00\x04\x00\x81f\x02\x81v\x02\x81n\x02\x01\x01\xff\x0a\x00\xfc\xe4\x08\xf1y\x22\xe0\x16", "hash listpack: f v n 1"),
        (b"\x04\x01\x01f\xc3\x09@F\x01xx\xe09\x00\x01xx\x0a\x00>l\x95_.R\xe7\xc1", "hash hashtable: f xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        (b"\x11\x1c\x1c\x00\x00\x00\x06\x00\x81a\x02\x01\x01\x81b\x02\x832.5\x04\x81c\x02\x83inf\x04\xff\x0a\x00k\x1d\xde\xdc\xe8\xe2\xc3\x99", "zset listpack: a=1 b=2.5 c=inf"),
        (b"\x05\x02\xc3\x09@F\x01yy\xe09\x00\x01yy\x00\x00\x00\x00\x00\x00\x04@\x01a\x00\x00\x00\x00\x00\x00\xf0?\x0a\x00\xc0\xdaLf\xae\xee\xda\xe4", "zset skiplist: a=1 yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy=2.5"),
        (b"\x13\x00\x00\x03\x00\x00\x00\x03\x00\x01\x00\x0a\x00G#\x17\x8f\x9aO\x82$", "stream: "),
    ];
    for (payload, expected) in table {
        let loaded = restore(payload, &rebuild()).expect("a payload of Redis");
        assert_eq!(&show(&loaded.value), expected);
    }
}

proptest! {
    #[test]
    fn junk_is_refused_without_a_panic(
        kind in prop_oneof![0..26_u8, any::<u8>()],
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut input = Input::new(&bytes);
        let _ = load_value(kind, &mut input, &rebuild());
        let _ = restore(&bytes, &rebuild());
        let _ = crate::Engine::restore(&bytes);
    }

    #[test]
    fn a_flipped_bit_is_noticed(at in 0..60_usize, bit in 0..8_u8) {
        let value = Value::String(StringValue::Bytes(vec![b'v'; 60]));
        let mut payload = dump(&entry(value));
        payload[at] ^= 1 << bit;
        prop_assert!(restore(&payload, &rebuild()).is_err());
    }

    #[test]
    fn a_damaged_value_under_a_right_checksum_is_no_panic(
        at in 0..200_usize,
        byte in any::<u8>(),
        compact in any::<bool>(),
        timed in any::<bool>(),
    ) {
        let rebuild = rebuild();
        let mut hash =
            rebuild.hash(if compact { Encoding::Listpack } else { Encoding::Hashtable });
        let deadline = |n: i64| (timed && n % 3 > 0).then_some(1000 + n as u64);
        for n in 0..10_000_i64 / 700 {
            rebuild.set_field(&mut hash, format!("f{n}").as_bytes(), format!("{}", n * 97).as_bytes(), deadline(n));
        }
        let mut out = Vec::new();
        let entry = entry(Value::Hash(Box::new(hash)));
        save_value(&entry, &mut out);
        let at = at % out.len();
        out[at] = byte;
        let _ = load_value(type_of(&entry), &mut Input::new(&out), &rebuild);
    }
}
