//! Sparse and dense registers must tell the same story, and no bytes may be trusted.

use alloc::vec::Vec;

use proptest::collection::vec as many;
use proptest::prelude::*;

use super::*;

/// Registers that are set often, so that runs are split, joined and extended.
fn raises() -> impl Strategy<Value = Vec<(usize, u8)>> {
    let index = prop_oneof![0_usize..40, 16_300..REGISTERS, 0..REGISTERS];
    let value = prop_oneof![8 => 1_u8..4, 4 => 1_u8..=32, 1 => 33_u8..=51];
    many((index, value), 0..300)
}

fn dense_of(original: &HyperLogLog) -> HyperLogLog {
    let mut dense = original.clone();
    dense.make_dense().expect("well-formed");
    dense
}

proptest! {
    #[test]
    fn sparse_registers_are_a_model_of_an_array(raises in raises(), max in 18_usize..600) {
        let mut model = vec![0; REGISTERS];
        let mut sketch = HyperLogLog::default();
        for (index, value) in raises {
            let changed = sketch.raise(index, value, max).expect("well-formed");
            prop_assert_eq!(changed, model[index] < value);
            model[index] = value.max(model[index]);
            if sketch.as_ref().encoding() == RegisterEncoding::Sparse {
                prop_assert!(sketch.as_bytes().len() <= max);
            }
        }
        let mut union = Union::default();
        union.add(sketch.as_ref()).expect("well-formed");
        prop_assert_eq!(union.registers(), &model[..]);
        let dense = dense_of(&sketch);
        prop_assert_eq!(dense_registers(dense.as_bytes()).collect::<Vec<_>>(), model);
        prop_assert_eq!(dense.as_ref().count(), sketch.as_ref().count());
        prop_assert!(sketch.as_ref().count() == Ok(0) || sketch.as_ref().count() == Ok(union.count()));
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes in many(any::<u8>(), 0..200), index in 0..REGISTERS) {
        bytes.splice(0..0, *b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80");
        let found = HyperLogLogRef::new(&bytes).expect("the header is right");
        let counted = found.count();
        prop_assert_eq!(Union::default().add(found).is_ok(), counted.is_ok());
        let mut sketch = HyperLogLog::copy_of(found);
        if sketch.raise(index, 5, 3000) == Ok(true) {
            prop_assert_eq!(sketch.as_ref().count().is_ok(), counted.is_ok());
        }
        prop_assert_eq!(HyperLogLog::copy_of(found).make_dense().is_ok(), counted.is_ok());
    }
}

#[test]
fn neighbours_are_joined_up_to_four() {
    let mut sketch = HyperLogLog::default();
    for index in [0, 2, 1, 3, 4] {
        assert_eq!(sketch.raise(index, 2, 3000), Ok(true));
    }
    let runs: Vec<_> = sketch.as_ref().runs().map(|run| run.expect("well-formed")).collect();
    let found: Vec<_> = runs.iter().map(|run| (run.value, run.len, run.bytes)).collect();
    assert_eq!(found, [(2, 4, 1), (2, 1, 1), (0, REGISTERS - 5, 2)]);
}

#[test]
fn only_the_right_header_is_read() {
    let empty = HyperLogLog::default();
    let right = empty.as_bytes();
    assert!(HyperLogLogRef::new(right).is_some());
    assert!(HyperLogLogRef::new(&right[..16]).is_some(), "no registers are a matter of counting");
    assert!(HyperLogLogRef::new(&right[..15]).is_none());
    for (at, byte) in [(0, b'h'), (4, 0), (4, 2)] {
        let mut wrong = right.to_vec();
        wrong[at] = byte;
        assert!(HyperLogLogRef::new(&wrong).is_none(), "byte {at} is {byte}");
    }
    let dense = dense_of(&empty);
    assert!(HyperLogLogRef::new(dense.as_bytes()).is_some());
    assert!(HyperLogLogRef::new(&dense.as_bytes()[1..]).is_none());
}

#[test]
fn the_machine_passes_its_self_test() {
    assert_eq!(self_test(), Ok(()));
}
