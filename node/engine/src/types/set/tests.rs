//! The set against a vector.

use alloc::format;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

fn limits() -> SetLimits {
    SetLimits { integers_max: 64, entries_max: 32, value_bytes_max: 16, seed: [3; 16] }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<u8>),
    Remove(Vec<u8>),
    RemoveAt(usize),
}

fn integer() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => (-60i64..60).prop_map(|n| format!("{n}").into_bytes()),
        1 => any::<i32>().prop_map(|n| format!("{n}").into_bytes()),
        1 => any::<i64>().prop_map(|n| format!("{n}").into_bytes()),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => (0u8..90).prop_map(|n| format!("member{n}").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::collection::vec(any::<u8>(), 250..270),
    ]
}

fn step(text_share: u32) -> impl Strategy<Value = Step> {
    let member = move || prop_oneof![100 => integer(), text_share => text()];
    prop_oneof![
        6 => member().prop_map(Step::Insert),
        2 => member().prop_map(Step::Remove),
        2 => any::<prop::sample::Index>().prop_map(|at| Step::RemoveAt(at.index(1 << 20))),
    ]
}

fn members(set: &Set) -> Vec<Vec<u8>> {
    set.iter().map(Element::to_vec).collect()
}

fn apply(set: &mut Set, model: &mut Vec<Vec<u8>>, step: Step) {
    match step {
        Step::Insert(member) => {
            let new = !model.contains(&member);
            assert_eq!(set.insert(Element::of(&member), &limits()), new);
            if new {
                model.push(member);
            }
        }
        Step::Remove(member) => {
            let at = model.iter().position(|found| *found == member);
            assert_eq!(set.remove(&member), at.is_some());
            if let Some(at) = at {
                model.swap_remove(at);
            }
        }
        Step::RemoveAt(at) if !model.is_empty() => {
            let at = at % model.len();
            model.swap_remove(at);
            set.swap_remove(at);
        }
        Step::RemoveAt(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_is_an_ordered_set(
        steps in prop_oneof![
            prop::collection::vec(step(0), 0..300),
            prop::collection::vec(step(1), 0..300),
            prop::collection::vec(step(50), 0..300),
        ],
    ) {
        let (mut set, mut model) = (Set::default(), Vec::new());
        for step in steps {
            apply(&mut set, &mut model, step);
            prop_assert_eq!(set.len(), model.len());
        }
        prop_assert_eq!(members(&set), model.clone());
        for (at, member) in model.iter().enumerate() {
            prop_assert!(set.contains(member));
            prop_assert_eq!(set.member(at), Element::of(member));
        }
        let mut rebuilt = Set::default();
        for member in set.iter() {
            rebuilt.insert(member, &limits());
        }
        rebuilt.take_form(set.encoding(), &limits());
        prop_assert_eq!(members(&rebuilt), model);
        prop_assert_eq!(rebuilt.encoding(), set.encoding());
    }
}

#[test]
fn limits_decide_the_form() {
    let numbers = |n: usize| (0..n).map(|n| format!("{n}")).collect::<Vec<_>>();
    let texts = |n: usize| (0..n).map(|n| format!("t{n}")).collect::<Vec<_>>();
    let and = |mut all: Vec<alloc::string::String>, more: &str| {
        all.push(more.into());
        all
    };
    for (members, expected) in [
        (numbers(64), Encoding::Intset),
        (numbers(65), Encoding::Hashtable),
        (texts(32), Encoding::Listpack),
        (texts(33), Encoding::Hashtable),
        (and(numbers(31), "x"), Encoding::Listpack),
        (and(numbers(32), "x"), Encoding::Hashtable),
        (and(numbers(3), "seventeen bytes!!"), Encoding::Hashtable),
        (and(numbers(3), "sixteen bytes!!!"), Encoding::Listpack),
        (and(alloc::vec!["-1234567890123456".into()], "x"), Encoding::Hashtable),
    ] {
        let mut set = Set::default();
        for member in &members {
            set.insert(Element::of(member.as_bytes()), &limits());
        }
        assert_eq!(set.encoding(), expected, "{members:?}");
        assert_eq!(set.len(), members.len());
    }
    for (first, added, expected) in [
        ("1", 64, Encoding::Intset),
        ("1", 65, Encoding::Hashtable),
        ("x", 32, Encoding::Intset),
        ("x", 33, Encoding::Hashtable),
    ] {
        let mut set = Set::default();
        set.expect(first.as_bytes(), added, &limits());
        assert_eq!(set.encoding(), expected, "{first} and {added}");
    }
}

/// Where the limit allows more integers than are searched one by one, the name stays.
#[test]
fn many_integers_are_an_intset_in_a_table() {
    let limits = SetLimits { integers_max: 5000, ..limits() };
    let mut set = Set::default();
    for n in 0..5000 {
        assert!(set.insert(Element::Integer(n), &limits));
        assert!(!set.insert(Element::Integer(n), &limits));
    }
    assert_eq!(set.encoding(), Encoding::Intset);
    assert!(set.iter().eq((0..5000).map(Element::Integer)));
    set.insert(Element::Integer(5000), &limits);
    assert_eq!(set.encoding(), Encoding::Hashtable);
}
