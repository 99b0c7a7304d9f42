//! The hash against a vector of pairs.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::types::Element;

fn limits(entries_max: usize) -> HashLimits {
    HashLimits { entries_max, value_bytes_max: 64, seed: [3; 16] }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    RemoveAt(usize),
}

/// Few different fields, so that they are met again: integers and short texts.
fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (-20i64..200).prop_map(|n| alloc::format!("{n}").into_bytes()),
        (0u16..200).prop_map(|n| alloc::format!("field:{n:03}").into_bytes()),
        Just(Vec::new()),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => any::<i64>().prop_map(|n| alloc::format!("{n}").into_bytes()),
        8 => prop::collection::vec(any::<u8>(), 0..65),
        1 => prop::collection::vec(any::<u8>(), 65..600),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (field(), value()).prop_map(|(field, value)| Step::Insert(field, value)),
        2 => field().prop_map(Step::Remove),
        2 => any::<prop::sample::Index>().prop_map(|at| Step::RemoveAt(at.index(1 << 20))),
    ]
}

type Model = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs(hash: &Hash) -> Model {
    hash.at(0).iter().map(|(field, value)| (field.to_vec(), value.to_vec())).collect()
}

fn apply(hash: &mut Hash, model: &mut Model, step: Step, limits: &HashLimits) {
    let find = |model: &Model, field: &[u8]| model.iter().position(|(found, _)| found == field);
    match step {
        Step::Insert(field, value) => {
            let at = find(model, &field);
            assert_eq!(hash.insert(&field, &value, limits), at.is_none());
            match at {
                Some(at) => model[at].1 = value,
                None => model.push((field, value)),
            }
        }
        Step::Remove(field) => {
            let at = find(model, &field);
            assert_eq!(hash.remove(&field), at.is_some());
            if let Some(at) = at {
                model.swap_remove(at);
            }
        }
        Step::RemoveAt(at) if !model.is_empty() => {
            let (field, _) = model.swap_remove(at % model.len());
            assert!(hash.remove(&field));
        }
        Step::RemoveAt(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_is_an_ordered_map(
        steps in prop::collection::vec(step(), 0..400),
        entries_max in prop_oneof![Just(0usize), Just(8), Just(128)],
    ) {
        let limits = limits(entries_max);
        let (mut hash, mut model) = (Hash::default(), Model::new());
        for step in steps {
            apply(&mut hash, &mut model, step, &limits);
            prop_assert_eq!(hash.len(), model.len());
        }
        prop_assert_eq!(pairs(&hash), model.clone());
        for (at, (field, value)) in model.iter().enumerate() {
            prop_assert_eq!(hash.at(0).get(field), Some(Element::of(value)));
            let pair = (Element::of(field), Element::of(value));
            prop_assert_eq!(hash.at(0).at(core::iter::once(at)).next(), Some(pair));
        }
        let mut rebuilt = Hash::default();
        for (field, value) in hash.at(0).iter() {
            rebuilt.insert(&field.to_vec(), &value.to_vec(), &limits);
        }
        prop_assert_eq!(pairs(&rebuilt), model);
    }
}

/// Enough fields for the index of the table to be divided, and to be put together again.
#[test]
fn a_big_hash_keeps_its_order() {
    let limits = limits(16);
    let (mut hash, mut model) = (Hash::default(), Model::new());
    for n in 0..20_000u32 {
        let field = alloc::format!("field {}", n.wrapping_mul(2_654_435_761)).into_bytes();
        apply(&mut hash, &mut model, Step::RemoveAt(n as usize * 7), &limits);
        for extra in [b"a", b"b", b"c"] {
            let field = [&field[..], extra].concat();
            assert!(hash.insert(&field, extra, &limits));
            model.push((field, extra.to_vec()));
        }
    }
    assert_eq!(pairs(&hash), model);
    while model.len() > 10 {
        let (field, value) = model.swap_remove(model.len() / 3);
        assert_eq!(hash.at(0).get(&field), Some(Element::of(&value)));
        assert!(hash.remove(&field));
    }
    assert_eq!(pairs(&hash), model);
    assert_eq!(hash.encoding(), Encoding::Hashtable);
    assert!(hash.memory_bytes() < 20_000, "{} bytes for ten fields", hash.memory_bytes());
}

#[test]
fn limits_decide_the_form() {
    let limits = limits(2);
    for (pairs, expected) in [
        (&[("a", 1), ("b", 64)][..], Encoding::Listpack),
        (&[("a", 1), ("a", 1), ("b", 1)], Encoding::Listpack),
        (&[("a", 65)], Encoding::Hashtable),
        (&[("a", 1), ("b", 1), ("c", 1)], Encoding::Hashtable),
    ] {
        let mut hash = Hash::default();
        for (field, len) in pairs {
            hash.insert(field.as_bytes(), &alloc::vec![b'x'; *len], &limits);
        }
        assert_eq!(hash.encoding(), expected, "{pairs:?}");
    }
    let mut hash = Hash::default();
    hash.expect(3, &limits);
    assert_eq!(hash.encoding(), Encoding::Hashtable);
}

/// Fields with values and deadlines, in any order.
type TimedModel = alloc::collections::BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn timed_records(hash: &Hash) -> TimedModel {
    let owned =
        |record: Record<'_>| (record.field.to_vec(), (record.value.to_vec(), record.deadline_ms));
    hash.records().map(owned).collect()
}

#[derive(Clone, Debug)]
enum TimedStep {
    Put(Vec<u8>, Vec<u8>, Expiry),
    SetDeadline(Vec<u8>, Option<u64>),
    Remove(Vec<u8>),
    RemoveExpired(u64, usize),
}

fn timed_step() -> impl Strategy<Value = TimedStep> {
    let expiry =
        prop_oneof![Just(Expiry::Clear), Just(Expiry::Keep), (1u64..50).prop_map(Expiry::At),];
    prop_oneof![
        6 => (field(), value(), expiry).prop_map(|(f, v, expiry)| TimedStep::Put(f, v, expiry)),
        3 => (field(), proptest::option::of(1u64..50))
            .prop_map(|(f, at)| TimedStep::SetDeadline(f, at)),
        2 => field().prop_map(TimedStep::Remove),
        1 => (0u64..50, 0usize..5).prop_map(|(now, most)| TimedStep::RemoveExpired(now, most)),
    ]
}

fn apply_timed(hash: &mut Hash, model: &mut TimedModel, step: TimedStep, limits: &HashLimits) {
    match step {
        TimedStep::Put(field, value, expiry) => {
            let old = model.get(&field).and_then(|(_, deadline)| *deadline);
            let is_new = !model.contains_key(&field);
            assert_eq!(hash.put(&field, &value, expiry, limits), is_new);
            let deadline = match expiry {
                Expiry::Clear => None,
                Expiry::Keep => old,
                Expiry::At(at_ms) => Some(at_ms),
            };
            model.insert(field, (value, deadline));
        }
        TimedStep::SetDeadline(field, deadline) => {
            if let Some((_, old)) = model.get_mut(&field) {
                hash.set_deadline(&field, deadline);
                *old = deadline;
            }
        }
        TimedStep::Remove(field) => {
            assert_eq!(hash.remove(&field), model.remove(&field).is_some());
        }
        TimedStep::RemoveExpired(now_ms, most) => {
            let expired = |(_, deadline): &(Vec<u8>, Option<u64>)| {
                deadline.is_some_and(|at_ms| at_ms <= now_ms)
            };
            let count = model.values().filter(|found| expired(found)).count().min(most);
            assert_eq!(hash.remove_expired(now_ms, most), count);
            let left = timed_records(hash);
            let gone = |field: &Vec<u8>| !left.contains_key(field);
            assert!(model.iter().all(|(field, found)| !gone(field) || expired(found)));
            assert_eq!(model.len() - left.len(), count);
            *model = left;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn deadlines_follow_their_fields(
        steps in prop::collection::vec(timed_step(), 0..300),
        entries_max in prop_oneof![Just(0usize), Just(8), Just(128)],
    ) {
        let limits = limits(entries_max);
        let (mut hash, mut model) = (Hash::default(), TimedModel::new());
        for step in steps {
            apply_timed(&mut hash, &mut model, step, &limits);
            let earliest = model.values().filter_map(|(_, deadline)| *deadline).min();
            prop_assert_eq!(hash.earliest_ms(), earliest);
        }
        prop_assert_eq!(timed_records(&hash), model.clone());
        for now_ms in [0, 10, 49, 50] {
            let live = |deadline: Option<u64>| deadline.is_none_or(|at_ms| at_ms > now_ms);
            let expected: Vec<_> =
                model.iter().filter(|(_, (_, deadline))| live(*deadline)).collect();
            let fields = hash.at(now_ms);
            prop_assert_eq!(fields.len(), expected.len());
            prop_assert_eq!(fields.iter().count(), expected.len());
            prop_assert_eq!(fields.between(0..hash.len()).count(), expected.len());
            let walked: Vec<_> = fields.iter().collect();
            let drawn: Vec<_> = fields.at((0..fields.len()).rev()).collect();
            prop_assert!(walked.iter().rev().eq(&drawn));
            for (field, (value, deadline)) in &model {
                let found = fields.get(field).map(Element::to_vec);
                prop_assert_eq!(found, live(*deadline).then(|| value.clone()));
                let found = fields.deadline_ms(field);
                prop_assert_eq!(found, live(*deadline).then_some(*deadline));
                prop_assert_eq!(fields.contains(field), live(*deadline));
            }
        }
    }
}

/// Who uses no deadlines pays nothing for them.
#[test]
fn a_hash_has_the_size_of_its_plain_forms() {
    assert_eq!(size_of::<Hash>(), size_of::<Entries<2>>());
    let limits = limits(1);
    let mut hash = Hash::default();
    for n in 0..1000u32 {
        hash.insert(&n.to_le_bytes(), b"v", &limits);
    }
    let plain = hash.memory_bytes();
    hash.set_deadline(&7u32.to_le_bytes(), Some(5));
    assert!(hash.is_timed());
    assert!(hash.memory_bytes() < plain + 200, "one deadline costs one deadline");
    hash.set_deadline(&7u32.to_le_bytes(), None);
    assert_eq!((hash.is_timed(), hash.memory_bytes()), (false, plain));
}
