//! An entry against a plain model of it, under every change in every form.

use alloc::vec;

use super::*;
use crate::rng::Rng;
use crate::types::End;

/// What an entry should hold.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    key: Vec<u8>,
    expire_at_ms: Option<u64>,
    string: Vec<u8>,
}

fn check(entry: &Entry, model: &Model) {
    assert_eq!(entry.key(), model.key);
    assert_eq!(entry.expire_at_ms(), model.expire_at_ms);
    let ValueRef::String(string) = entry.value() else { panic!("it is a string") };
    assert_eq!(string.to_vec(), model.string);
}

/// Lengths on both sides of every limit.
const LENGTHS: [usize; 16] =
    [0, 1, 7, 8, 9, 44, 63, 64, 255, 256, 2044, 2046, 4086, 4087, 4088, 10_000];

fn bytes(rng: &mut Rng, len: usize) -> Vec<u8> {
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

fn random_string(rng: &mut Rng) -> Vec<u8> {
    if rng.below(4) == 0 {
        return itoa::Buffer::new().format(rng.next_u64() as i64).as_bytes().to_vec();
    }
    let len = LENGTHS[rng.below(LENGTHS.len())];
    bytes(rng, len)
}

fn change(entry: &mut Entry, model: &mut Model, rng: &mut Rng) {
    match rng.below(5) {
        0 => {
            model.string = random_string(rng);
            drop(entry.overwrite(Content::String(StringRef::of(&model.string))));
            assert!(!entry.is_raw());
        }
        1 => {
            model.string = random_string(rng);
            let owned = Value::String(StringValue::Bytes(model.string.clone()));
            entry.overwrite(Content::Owned(owned));
        }
        2 => {
            model.expire_at_ms = Some(rng.next_u64() >> 1).filter(|at| at % 3 > 0);
            entry.set_expiry(model.expire_at_ms);
        }
        3 => {
            let len = model.string.len() + [0, 1, 8, 50, 3000][rng.below(5)];
            model.string.resize(len, 0);
            let grown = entry.grow_string(len);
            assert_eq!(grown, model.string);
            if let Some(last) = grown.last_mut() {
                *last = 7;
                *model.string.last_mut().expect("as long as the other") = 7;
            }
            assert!(entry.is_raw());
        }
        _ => {
            let record = rng.next_u64() as u32 & access::MASK;
            entry.set_access(record);
            assert_eq!(entry.access(), record);
        }
    }
}

#[test]
fn a_string_entry_holds_what_was_stored_last() {
    let mut rng = Rng::new(1);
    for len in [0, 1, 16, 255, 256, 5000] {
        for _ in 0..20 {
            let string = random_string(&mut rng);
            let mut model = Model { key: bytes(&mut rng, len), expire_at_ms: None, string };
            let content = Content::String(StringRef::of(&model.string));
            let mut entry = Entry::new(&model.key, content, None);
            for _ in 0..40 {
                check(&entry, &model);
                change(&mut entry, &mut model, &mut rng);
            }
            check(&entry, &model);
            match entry.into_value() {
                Value::String(StringValue::Bytes(bytes)) => assert_eq!(bytes, model.string),
                Value::String(StringValue::Integer(value)) => {
                    assert_eq!(itoa::Buffer::new().format(value).as_bytes(), model.string);
                }
                other => panic!("it is a string, not {other:?}"),
            }
        }
    }
}

#[test]
fn collections_are_owned_and_come_back_out() {
    for expire_at_ms in [None, Some(5)] {
        let mut entry = Entry::new(b"list", Content::Owned(List::empty()), expire_at_ms);
        entry.collection_mut::<List>().expect("it is a list").push(End::Back, b"element");
        assert!(entry.collection_mut::<Set>().is_none(), "a list is no set");
        entry.set_expiry(Some(77));
        assert_eq!(entry.expire_at_ms(), Some(77));
        let ValueRef::List(list) = entry.value() else { panic!("it is a list") };
        assert_eq!(list.len(), 1);
        let Value::List(list) = entry.into_value() else { panic!("it is a list") };
        assert_eq!(list.get(0).expect("there is one").to_vec(), b"element");
    }
    for value in [Set::empty(), SortedSet::empty(), Hash::empty()] {
        let mut entry = Entry::new(b"k", Content::Owned(value), None);
        entry.overwrite(Content::String(StringRef::Integer(1)));
        entry.overwrite(Content::Owned(Hash::empty()));
        assert!(entry.collection_mut::<Hash>().is_some());
    }
}

#[test]
fn a_small_entry_is_one_small_allocation() {
    let value = vec![b'v'; 32];
    let entry = Entry::new(&[b'k'; 16], Content::String(StringRef::Bytes(&value)), None);
    assert_eq!(entry.allocated(), 8 + 16 + 32);
    let entry = Entry::new(&[b'k'; 16], Content::String(StringRef::Integer(1)), Some(9));
    assert_eq!(entry.allocated(), 8 + 8 + 8 + 16);
}

#[test]
fn a_value_of_about_the_same_size_stays_in_place() {
    let mut entry = Entry::new(b"key", Content::String(StringRef::Bytes(&[1; 30])), None);
    let before = entry.byte(0);
    for len in [30, 20, 29, 1] {
        entry.overwrite(Content::String(StringRef::Bytes(&vec![2; len])));
        assert_eq!(entry.byte(0), before, "{len} bytes fit");
    }
    let mut entry = Entry::new(b"key", Content::String(StringRef::Bytes(&[1; 1000])), None);
    entry.overwrite(Content::String(StringRef::Bytes(&[2; 10])));
    assert!(entry.allocated() < 100, "room for a thousand bytes is given back");
}

#[test]
fn a_string_that_is_appended_to_is_copied_seldom() {
    let mut entry = Entry::new(b"key", Content::String(StringRef::Bytes(b"")), None);
    let (mut moves, mut at) = (0, entry.grow_string(1).as_ptr());
    for len in 1..=100_000 {
        let now = entry.grow_string(len).as_ptr();
        moves += usize::from(now != at);
        at = now;
    }
    assert!(moves < 40, "a hundred thousand appends moved the string {moves} times");
}
