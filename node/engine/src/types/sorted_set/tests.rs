//! A sorted set behaves as a sorted vector does, in either form.

use alloc::vec::Vec;
use alloc::{format, string::String};

use proptest::prelude::*;

use super::{SortedSet, Tuning};
use crate::keyspace::KeyHasher;

fn tuning(compact_entries: u32) -> Tuning {
    Tuning { hasher: KeyHasher::new([7; 16]), compact_entries, compact_value: 64 }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u16, i8),
    Remove(u16),
    RemoveRanks(usize, usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0u16..600, any::<i8>()).prop_map(|(member, score)| Op::Insert(member, score)),
        3 => (0u16..600).prop_map(Op::Remove),
        1 => (0usize..300, 0usize..20).prop_map(|(at, count)| Op::RemoveRanks(at, at + count)),
        1 => (0usize..300, 0usize..300).prop_map(|(at, count)| Op::RemoveRanks(at, at + count)),
    ]
}

/// The model: elements in order.
type Model = Vec<(f64, String)>;

fn check(set: &SortedSet, model: &Model) {
    assert_eq!(set.len(), model.len());
    let (mut up, mut down) = (Vec::new(), Vec::new());
    set.ascend(0, model.len(), |member, score| up.push((score, member.to_vec())));
    set.descend(0, model.len(), |member, score| down.push((score, member.to_vec())));
    down.reverse();
    let want: Vec<_> = model.iter().map(|(s, m)| (*s, m.clone().into_bytes())).collect();
    assert_eq!(up, want);
    assert_eq!(down, want);
    for (rank, (score, member)) in model.iter().enumerate() {
        assert_eq!(set.rank(member.as_bytes()), Some(rank));
        assert_eq!(set.score(member.as_bytes()), Some(*score));
        assert_eq!(set.select(rank), Some((member.as_bytes(), *score)));
    }
    let below = set.partition_point(|_, score| score < 0.0);
    assert_eq!(below, model.iter().filter(|(score, _)| *score < 0.0).count());
}

proptest! {
    #[test]
    fn equals_a_sorted_vector(
        ops in prop::collection::vec(op(), 1..700),
        compact in prop_oneof![Just(0u32), Just(16), Just(1000)],
    ) {
        let tuning = tuning(compact);
        let mut set = SortedSet::default();
        let mut model = Model::new();
        for op in ops {
            match op {
                Op::Insert(member, score) => {
                    let (member, score) = (format!("m{member}"), f64::from(score));
                    let old = model.iter().position(|(_, m)| *m == member);
                    let old = old.map(|at| model.remove(at).0);
                    prop_assert_eq!(set.insert(member.as_bytes(), score, &tuning), old);
                    model.push((score, member));
                    model.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
                }
                Op::Remove(member) => {
                    let member = format!("m{member}");
                    let old = model.iter().position(|(_, m)| *m == member);
                    let old = old.map(|at| model.remove(at).0);
                    prop_assert_eq!(set.remove(member.as_bytes()), old);
                }
                Op::RemoveRanks(first, end) => {
                    let end = end.min(model.len());
                    let first = first.min(end);
                    prop_assert_eq!(set.remove_ranks(first, end).len(), end - first);
                    model.drain(first..end);
                }
            }
        }
        check(&set, &model);
    }
}

#[test]
fn a_walk_meets_every_member_while_the_set_grows_and_shrinks() {
    let tuning = tuning(128);
    let mut set = SortedSet::default();
    let name = |n: u32| format!("member:{n}");
    for n in 0..20_000 {
        set.insert(name(n).as_bytes(), f64::from(n % 100), &tuning);
    }
    let mut met = Vec::new();
    let (mut cursor, mut step) = (0, 0);
    loop {
        cursor = set.walk(cursor, 10, &tuning.hasher, |member, _| met.push(member.to_vec()));
        if cursor == 0 {
            break;
        }
        // The first thousand stay; others come and go.
        set.remove(name(1000 + step).as_bytes());
        set.insert(name(100_000 + step).as_bytes(), 1.0, &tuning);
        step += 1;
    }
    met.sort();
    for n in 0..1000 {
        assert!(met.binary_search(&name(n).into_bytes()).is_ok(), "{n} was never met");
    }
}

#[test]
fn the_order_of_a_walk_does_not_depend_on_the_form() {
    let (mut small, mut big) = (SortedSet::default(), SortedSet::default());
    for n in 0..100 {
        let member = format!("{n}");
        small.insert(member.as_bytes(), 1.0, &tuning(128));
        big.insert(member.as_bytes(), 1.0, &tuning(0));
    }
    let walk = |set: &SortedSet| {
        let mut met = Vec::new();
        assert_eq!(set.walk(0, 10, &tuning(0).hasher, |member, _| met.push(member.to_vec())), 0);
        met
    };
    assert_ne!(small.encoding(), big.encoding());
    assert_eq!(walk(&small), walk(&big));
}
