//! A stream beside a plain list of entries.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What a stream is, without any packing.
#[derive(Default)]
struct Model {
    entries: BTreeMap<StreamId, Fields>,
    last_id: StreamId,
}

fn limits(bytes: u64, entries: u64) -> StreamLimits {
    StreamLimits::new(&Settings {
        stream_node_bytes: bytes,
        stream_node_entries: entries,
        ..Settings::default()
    })
}

fn push(stream: &mut Stream, id: StreamId, fields: &Fields, limits: StreamLimits) {
    let pairs = fields.iter().map(|(field, value)| (Element::of(field), Element::of(value)));
    let bytes = fields.iter().map(|(field, value)| (field.len() + value.len()) as u64).sum();
    stream.push(id, pairs, bytes, limits);
}

fn fields_of(entry: &Entry<'_>) -> Fields {
    entry.pairs().map(|(field, value)| (field.to_vec(), value.to_vec())).collect()
}

fn fields(texts: &[&str]) -> Fields {
    let pairs = texts.as_chunks::<2>().0.iter();
    pairs.map(|[field, value]| (field.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

impl Model {
    fn agrees_with(&self, stream: &Stream) {
        let all = (StreamId::MIN, StreamId::MAX);
        self.agrees_in(stream, all);
        let ends = self.entries.keys().step_by(7).copied().collect::<Vec<_>>();
        for pair in ends.windows(2) {
            self.agrees_in(stream, (pair[0], pair[1]));
            self.agrees_in(stream, (pair[0].next().expect("small ids"), pair[1]));
        }
        assert_eq!(stream.len(), self.entries.len() as u64);
        assert_eq!(stream.last_id(), self.last_id);
        assert_eq!(stream.last_entry_id(), self.entries.last_key_value().map(|(id, _)| *id));
        let first = self.entries.first_key_value().map(|(id, _)| *id);
        assert_eq!(stream.first_id(), first.unwrap_or(StreamId::MIN));
        for (id, expected) in &self.entries {
            assert_eq!(&fields_of(&stream.get(*id).expect("it was added")), expected);
        }
        let in_nodes: usize = stream.nodes.values().map(Node::heap_bytes).sum();
        assert_eq!(stream.node_bytes, in_nodes, "bytes are counted along");
    }

    fn agrees_in(&self, stream: &Stream, (start, end): (StreamId, StreamId)) {
        let show = |entry: Entry<'_>| (entry.id, fields_of(&entry));
        let expected: Vec<_> =
            self.entries.range(start..=end.max(start)).map(|(id, f)| (*id, f.clone())).collect();
        let found: Vec<_> = stream.range(start, end).map(show).collect();
        assert_eq!(found, expected);
        let mut found: Vec<_> = stream.range_backwards(start, end).map(show).collect();
        found.reverse();
        assert_eq!(found, expected);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push { ms: u64, seq: u64, shape: usize, len: usize },
    Remove(usize),
    Trim { keep: u64, approximate: bool },
    TrimId(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_u64, 0..4_u64, 0..4_usize, 0..300_usize)
            .prop_map(|(ms, seq, shape, len)| Step::Push { ms, seq, shape, len }),
        3 => any::<usize>().prop_map(Step::Remove),
        1 => (0..60_u64, any::<bool>()).prop_map(|(keep, approximate)| Step::Trim { keep, approximate }),
        1 => any::<usize>().prop_map(Step::TrimId),
    ];
    proptest::collection::vec(step, 1..200)
}

/// Entries of a few shapes, so that some have the fields of those before.
fn shaped(shape: usize, len: usize) -> Fields {
    let long = "x".repeat(len);
    match shape {
        0 => fields(&["temperature", "21", "humidity", &long]),
        1 => fields(&["temperature", &long, "humidity", "-40000"]),
        2 => fields(&["other", "9223372036854775807"]),
        _ => fields(&["temperature", "", "", &long, "007", "1"]),
    }
}

fn apply(step: &Step, stream: &mut Stream, model: &mut Model, limits: StreamLimits) {
    let trim = |threshold, approximate| Trim {
        threshold,
        approximate,
        limit: 0,
        references: References::Keep,
    };
    let chosen = |model: &Model, index: usize| {
        let nth = index % model.entries.len().max(1);
        model.entries.keys().nth(nth).copied()
    };
    match *step {
        Step::Push { ms, seq, shape, len } => {
            let StreamId { ms: last, seq: last_seq } = model.last_id;
            let seq = if ms == 0 { last_seq + 1 + seq } else { seq };
            let id = StreamId::new(last + ms, seq);
            let entry = shaped(shape, len);
            push(stream, id, &entry, limits);
            model.entries.insert(id, entry);
            model.last_id = id;
        }
        Step::Remove(index) => {
            let Some(id) = chosen(model, index) else { return };
            assert!(stream.remove(id));
            assert!(!stream.remove(id), "only once");
            model.entries.remove(&id);
        }
        Step::Trim { keep, approximate } => {
            let before = model.entries.len() as u64;
            let gone = stream.trim(trim(Threshold::Length(keep), approximate)).len();
            assert!(gone <= before.saturating_sub(keep), "not more than asked for");
            assert!(approximate || gone == before.saturating_sub(keep), "exactly");
            (0..gone).for_each(|_| drop(model.entries.pop_first()));
        }
        Step::TrimId(index) => {
            let Some(id) = chosen(model, index) else { return };
            drop(stream.trim(trim(Threshold::Id(id), false)));
            model.entries = model.entries.split_off(&id);
        }
    }
}

proptest! {
    #[test]
    fn a_stream_holds_what_a_list_would(
        steps in steps(),
        bytes in prop_oneof![Just(0_u64), 1..2000_u64],
        entries in prop_oneof![Just(0_u64), 1..12_u64],
    ) {
        let limits = limits(bytes, entries);
        let (mut stream, mut model) = (Stream::default(), Model::default());
        for step in &steps {
            apply(step, &mut stream, &mut model, limits);
        }
        model.agrees_with(&stream);
    }
}

fn filled(count: u64, limits: StreamLimits) -> Stream {
    let mut stream = Stream::default();
    for ms in 1..=count {
        push(&mut stream, StreamId::new(ms, 0), &fields(&["field", &format!("{ms}")]), limits);
    }
    stream
}

#[test]
fn nodes_end_at_either_limit() {
    assert_eq!(filled(25, limits(0, 10)).node_count(), 3);
    assert_eq!(filled(25, limits(0, 0)).node_count(), 1);
    assert_eq!(filled(25, limits(1, 0)).node_count(), 25);
    let mut stream = filled(10, limits(0, 10));
    assert!(stream.remove(StreamId::new(3, 0)));
    push(&mut stream, StreamId::new(20, 0), &fields(&["a", "b"]), limits(0, 10));
    assert_eq!(stream.node_count(), 2, "entries that were deleted take their place");
}

#[test]
fn a_node_without_entries_goes_away() {
    let mut stream = filled(20, limits(0, 10));
    (1..=10).for_each(|ms| assert!(stream.remove(StreamId::new(ms, 0))));
    assert_eq!((stream.node_count(), stream.len()), (1, 10));
    assert_eq!(stream.first_id(), StreamId::new(11, 0));
    assert_eq!(stream.max_deleted_id(), StreamId::new(10, 0));
}

#[test]
fn approximate_trimming_removes_whole_nodes() {
    let trim = |keep, limit| Trim {
        threshold: Threshold::Length(keep),
        approximate: true,
        limit,
        references: References::Keep,
    };
    let mut stream = filled(100, limits(0, 10));
    assert_eq!(stream.trim(trim(55, 0)).len(), 40);
    assert_eq!(stream.trim(trim(0, 25)).len(), 20, "two nodes are within the limit");
    assert_eq!(stream.trim(trim(0, 5)).len(), 0, "a node is more than the limit");
    assert_eq!(stream.len(), 40);
}

#[test]
fn what_groups_need_stays_if_it_has_to_be_acknowledged() {
    let mut stream = filled(20, limits(0, 5));
    stream.add_group(b"g", Group::new(StreamId::new(12, 0), None));
    let group = stream.group_mut(b"g").expect("just added");
    group.add_consumer(b"c", 0);
    group.deliver(StreamId::new(3, 0), b"c", 0, 1);
    group.deliver(StreamId::new(99, 0), b"c", 0, 1);
    let trim = |references, approximate| Trim {
        threshold: Threshold::Length(2),
        approximate,
        limit: 0,
        references,
    };
    let mut copy = stream.clone();
    assert_eq!(copy.trim(trim(References::Acknowledged, true)).len(), 0, "a node is needed");
    assert_eq!(copy.trim(trim(References::Acknowledged, false)).len(), 11);
    assert_eq!(copy.first_id(), StreamId::new(3, 0));
    assert_eq!(stream.trim(trim(References::Delete, false)).len(), 18);
    let pending = stream.group(b"g").expect("still there").pending().keys().copied();
    assert_eq!(pending.collect::<Vec<_>>(), [StreamId::new(99, 0)]);
}

#[test]
fn pending_entries_follow_their_owner() {
    let mut group = Group::new(StreamId::MIN, None);
    let id = |ms| StreamId::new(ms, 0);
    let names = |group: &Group| -> Vec<String> {
        let show =
            |c: &Consumer| format!("{}:{}", String::from_utf8_lossy(c.name()), c.pending().len());
        group.consumers().map(show).collect()
    };
    for name in [&b"b"[..], b"a", b"c"] {
        assert!(group.add_consumer(name, 5));
    }
    assert!(!group.add_consumer(b"a", 6), "it is there");
    group.deliver(id(1), b"a", 1, 1);
    group.deliver(id(2), b"a", 1, 1);
    group.deliver(id(2), b"b", 2, 2);
    assert_eq!(names(&group), ["a:1", "b:1", "c:0"]);
    assert_eq!(group.owner(&group.pending()[&id(2)]).name(), b"b");
    assert_eq!(group.remove_consumer(b"b").map(|consumer| consumer.pending().len()), Some(1));
    assert!(group.remove_consumer(b"b").is_none());
    assert!(group.add_consumer(b"d", 7), "in the slot that became free");
    assert_eq!(names(&group), ["a:1", "c:0", "d:0"]);
    let both = id(0)..=id(9);
    assert_eq!(group.pending_in(both.clone(), None).count(), 1);
    assert_eq!(group.pending_in(both, group.consumer(b"d")).count(), 0);
    assert!(group.acknowledge(id(1)) && !group.acknowledge(id(1)));
    assert_eq!(names(&group), ["a:0", "c:0", "d:0"]);
}

#[test]
fn the_lag_of_a_group_is_known_where_nothing_was_deleted() {
    let mut stream = filled(5, limits(0, 0));
    let at = |ms| Group::new(StreamId::new(ms, 0), None);
    let lags = |stream: &Stream| (0..7).map(|ms| stream.lag_of(&at(ms))).collect::<Vec<_>>();
    assert_eq!(lags(&stream), vec![Some(5), Some(4), None, None, None, Some(0), None]);
    stream.remove(StreamId::new(3, 0));
    assert_eq!(lags(&stream), vec![None, None, None, None, None, Some(0), None]);
    stream.add_group(b"g", at(0));
    for ms in [1, 2, 4, 5] {
        stream.advance(b"g", StreamId::new(ms, 0));
    }
    assert_eq!(stream.group(b"g").and_then(|g| g.entries_read), Some(5));
}

#[test]
fn a_node_takes_less_than_a_listpack() {
    for (entry, most) in [
        (fields(&["field", "value"]), 0.8),
        (fields(&["temperature", "21", "humidity", "70", "name", "a sensor"]), 0.8),
        (fields(&["body", &"x".repeat(200)]), 1.0),
    ] {
        let mut stream = Stream::default();
        for ms in 0..1000 {
            let id = StreamId::new(1_700_000_000_000 + ms * 7, ms % 3);
            push(&mut stream, id, &entry, StreamLimits::new(&Settings::default()));
        }
        // The last node has room to grow.
        let full = || stream.nodes.values().rev().skip(1);
        let listpacks: u64 = full().map(Node::listpack_bytes).sum();
        let share = full().map(Node::heap_bytes).sum::<usize>() as f64 / listpacks as f64;
        assert!(share < most, "{share} of the bytes for {} fields", entry.len());
    }
}
