//! The hash against a vector of pairs.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

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
    hash.iter().map(|(field, value)| (field.to_vec(), value.to_vec())).collect()
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
            prop_assert_eq!(hash.get(field), Some(Element::of(value)));
            prop_assert_eq!(hash.pair(at), (Element::of(field), Element::of(value)));
        }
        let mut rebuilt = Hash::default();
        for (field, value) in hash.iter() {
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
        assert_eq!(hash.get(&field), Some(Element::of(&value)));
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
