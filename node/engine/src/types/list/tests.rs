//! The list against a vector.

use alloc::format;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use Encoding::{Listpack, Quicklist};

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<u8>),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
    RemoveEqual(Vec<u8>, usize, End),
}

/// From one byte to more than a chunk, and often the same.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        10 => (0u8..4).prop_map(|n| format!("{n}").into_bytes()),
        4 => any::<i64>().prop_map(|n| format!("{n}").into_bytes()),
        4 => prop::collection::vec(any::<u8>(), 0..300),
        2 => (1000usize..5000).prop_map(|len| alloc::vec![b'x'; len]),
        1 => (8000usize..40_000).prop_map(|len| alloc::vec![b'y'; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = || any::<prop::sample::Index>().prop_map(|at| at.index(1 << 20));
    let end = || prop_oneof![Just(End::Front), Just(End::Back)];
    prop_oneof![
        8 => (end(), text()).prop_map(|(end, text)| Step::Push(end, text)),
        4 => (index(), text()).prop_map(|(at, text)| Step::Insert(at, text)),
        3 => (index(), text()).prop_map(|(at, text)| Step::Replace(at, text)),
        4 => (index(), 0usize..6).prop_map(|(at, count)| Step::Remove(at, count)),
        1 => (text(), 0usize..5, end()).prop_map(|(t, n, end)| Step::RemoveEqual(t, n, end)),
    ]
}

fn apply(list: &mut List, model: &mut Vec<Vec<u8>>, step: Step) {
    let len = model.len();
    match step {
        Step::Push(end, text) => {
            list.push(end, &text);
            model.insert(if end == End::Front { 0 } else { len }, text);
        }
        Step::Insert(at, text) => {
            list.insert(at % (len + 1), &text);
            model.insert(at % (len + 1), text);
        }
        Step::Replace(at, text) if len > 0 => {
            list.replace(at % len, &text);
            model[at % len] = text;
        }
        Step::Replace(..) => {}
        Step::Remove(at, count) => {
            let at = at % (len + 1);
            let count = count.min(len - at);
            drop(list.remove(at, count));
            model.drain(at..at + count);
        }
        Step::RemoveEqual(text, most, from) => {
            let mut at: Vec<usize> = (0..len).filter(|&at| model[at] == text).collect();
            if from == End::Back {
                at.reverse();
            }
            assert!(list.positions(&text, from, usize::MAX).eq(at.iter().copied()));
            at.truncate(most);
            assert_eq!(list.remove_equal(&text, most, from).0, at.len());
            at.sort_unstable();
            at.iter().rev().for_each(|&at| drop(model.remove(at)));
        }
    }
}

fn elements(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(Element::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_is_a_sequence(
        steps in prop::collection::vec(step(), 0..250),
        node_size in prop_oneof![Just(-2), Just(-1), Just(3), Just(100)],
    ) {
        let limits = ListLimits::new(&Settings { list_node_size: node_size, ..Settings::default() });
        let (mut list, mut model) = (List::default(), Vec::new());
        for step in steps {
            match &step {
                Step::Push(_, text) | Step::Insert(_, text) | Step::Replace(_, text) => {
                    list.expect([&text[..]].into_iter(), limits);
                }
                Step::Remove(..) | Step::RemoveEqual(..) => {}
            }
            apply(&mut list, &mut model, step);
            list.settle(limits);
            prop_assert_eq!(list.len(), model.len());
        }
        prop_assert_eq!(elements(&list), model.clone());
        for (at, text) in model.iter().enumerate() {
            prop_assert_eq!(list.get(at), Some(Element::of(text)));
        }
        prop_assert_eq!(list.get(model.len()), None);
        prop_assert!(list.backwards().eq(model.iter().rev().map(|text| Element::of(text))));
        let middle = model.len() / 3;
        let part: Vec<_> = list.range(middle, 7).map(Element::to_vec).collect();
        prop_assert_eq!(&part[..], &model[middle..model.len().min(middle + 7)]);
    }
}

#[test]
fn limits_decide_the_form() {
    let grow = |node_size, count: usize, len: usize| {
        let limits =
            ListLimits::new(&Settings { list_node_size: node_size, ..Settings::default() });
        let mut list = List::default();
        let text = alloc::vec![b'x'; len];
        for _ in 0..count {
            list.expect([&text[..]].into_iter(), limits);
            list.push(End::Back, &text);
        }
        let grown = list.encoding();
        drop(list.remove(0, count / 2 + 1));
        list.settle(limits);
        (grown, list.encoding())
    };
    for (node_size, count, len, expected) in [
        (3, 3, 1, (Listpack, Listpack)),
        (3, 4, 1, (Quicklist, Listpack)),
        (0, 1, 1, (Listpack, Listpack)),
        (0, 2, 1, (Quicklist, Listpack)),
        (100, 4, 3000, (Quicklist, Listpack)),
        (-1, 40, 100, (Quicklist, Listpack)),
        (-1, 39, 100, (Listpack, Listpack)),
        (-2, 79, 100, (Listpack, Listpack)),
        (-2, 80, 100, (Quicklist, Listpack)),
        (-2, 160, 100, (Quicklist, Quicklist)),
        (-5, 600, 100, (Listpack, Listpack)),
        (-9, 637, 100, (Quicklist, Listpack)),
    ] {
        let case = (node_size, count, len);
        assert_eq!(grow(node_size, count, len), expected, "{case:?}");
    }
}

#[test]
fn a_long_list_is_quick_at_both_ends_and_lean() {
    let mut list = List::default();
    list.make_chain();
    for n in 0..100_000 {
        let end = if n % 2 == 0 { End::Front } else { End::Back };
        list.push(end, format!("element:{n:07}").as_bytes());
    }
    let per_element = list.memory_bytes() as f64 / 100_000.0;
    assert!(per_element < 17.5, "{per_element} bytes for 15 and a size at either side");
    for left in (0..100_000).rev() {
        let end = left % 2;
        drop(list.remove(end * left, 1));
    }
    assert!(list.is_empty());
    assert!(list.memory_bytes() < 10_000);
}
