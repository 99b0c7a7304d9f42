//! Integers of any width at any bit of a string, and what becomes of values that do not fit.

/// An integer of `bits` bits (1 to 64, unsigned up to 63) that begins at bit `offset`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub signed: bool,
    pub bits: u32,
    pub offset: u64,
}

/// What to do with a value that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// Keep the low bits.
    Wrap,
    /// Take the nearest value that fits.
    Saturate,
    /// Change nothing.
    Fail,
}

/// How to change a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Set(i64),
    Increment(i64),
}

impl Field {
    /// How many bytes a string needs to hold it.
    pub fn end_byte(self) -> usize {
        ((self.offset + u64::from(self.bits) - 1) / 8) as usize + 1
    }

    /// The value; what is behind the end of the bytes is zero.
    pub fn load(self, bytes: &[u8]) -> i64 {
        let (window, _) = self.window(bytes);
        // The field moves to the top, and back down with its sign.
        let top = window << (self.offset % 8);
        if self.signed {
            (top.cast_signed() >> (128 - self.bits)) as i64
        } else {
            (top >> (128 - self.bits)) as i64
        }
    }

    /// Stores the low bits of a value; the bytes are long enough.
    pub fn store(self, bytes: &mut [u8], value: i64) {
        let (window, first) = self.window(bytes);
        let shift = 128 - self.bits - (self.offset % 8) as u32;
        let mask = ((1_u128 << self.bits) - 1) << shift;
        let changed = window & !mask | (value as u128) << shift & mask;
        let end = self.end_byte();
        bytes[first..end].copy_from_slice(&changed.to_be_bytes()[..end - first]);
    }

    /// The bytes that hold the field, at the top of a wide integer, and the first one's index.
    fn window(self, bytes: &[u8]) -> (u128, usize) {
        let first = (self.offset / 8) as usize;
        let there = bytes.get(first..self.end_byte().min(bytes.len())).unwrap_or(&[]);
        let mut window = [0; 16];
        window[..there.len()].copy_from_slice(there);
        (u128::from_be_bytes(window), first)
    }

    /// The value that a change leads to, or `None` if it must not happen.
    pub fn change(self, old: i64, change: Change, overflow: Overflow) -> Option<i64> {
        let (least, greatest) = self.limits();
        let (wanted, set) = match change {
            // A negative number for an unsigned field counts as a huge one.
            Change::Set(value) if !self.signed => (i128::from(value as u64), true),
            Change::Set(value) => (i128::from(value), true),
            Change::Increment(by) => (i128::from(old) + i128::from(by), false),
        };
        // Redis computes the distance to the greatest value in 64 bits. Where that overflows, a
        // number far below the least value counts as too great.
        let far_below = set && self.bits < 64 && greatest - wanted > i128::from(i64::MAX);
        match overflow {
            _ if (least..=greatest).contains(&wanted) => Some(wanted as i64),
            Overflow::Fail => None,
            Overflow::Saturate if wanted > greatest || far_below => Some(greatest as i64),
            Overflow::Saturate => Some(least as i64),
            Overflow::Wrap => Some(self.wrap(wanted)),
        }
    }

    /// The low bits of a value, with the sign that the highest of them means.
    fn wrap(self, value: i128) -> i64 {
        let top = (value as u128) << (128 - self.bits);
        let field = Field { offset: 0, ..self };
        field.load(&top.to_be_bytes())
    }

    fn limits(self) -> (i128, i128) {
        if self.signed {
            let half = 1_i128 << (self.bits - 1);
            (-half, half - 1)
        } else {
            (0, (1_i128 << self.bits) - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::collection::vec as bytes_of;
    use proptest::prelude::*;

    use super::*;

    fn fields() -> impl Strategy<Value = Field> {
        let unsigned = (1_u32..=63, 0_u64..200).prop_map(|(bits, offset)| (false, bits, offset));
        let signed = (1_u32..=64, 0_u64..200).prop_map(|(bits, offset)| (true, bits, offset));
        prop_oneof![unsigned, signed].prop_map(|(signed, bits, offset)| Field {
            signed,
            bits,
            offset,
        })
    }

    fn bits_of(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().flat_map(|byte| (0..8).map(move |at| byte & (0x80 >> at) != 0)).collect()
    }

    proptest! {
        #[test]
        fn what_is_stored_is_loaded_and_nothing_else_changes(
            field in fields(), value: i64, mut bytes in bytes_of(any::<u8>(), 40),
        ) {
            let before = bits_of(&bytes);
            let wrapped = field.wrap(i128::from(value));
            field.store(&mut bytes, wrapped);
            prop_assert_eq!(field.load(&bytes), wrapped);
            let after = bits_of(&bytes);
            let inside = field.offset as usize..(field.offset + u64::from(field.bits)) as usize;
            for at in (0..before.len()).filter(|at| !inside.contains(at)) {
                prop_assert_eq!(before[at], after[at]);
            }
            // The bits, read as a number, are the value.
            let number = after[inside].iter().fold(0_u64, |sum, bit| sum << 1 | u64::from(*bit));
            prop_assert_eq!(number, wrapped as u64 & (u64::MAX >> (64 - field.bits)));
        }

        #[test]
        fn a_change_ends_within_the_limits(field in fields(), old: i64, by: i64) {
            let old = field.wrap(i128::from(old));
            let (least, greatest) = field.limits();
            let exact = i128::from(old) + i128::from(by);
            let change = |overflow| field.change(old, Change::Increment(by), overflow);
            let saturated = change(Overflow::Saturate).expect("always changes");
            prop_assert_eq!(i128::from(saturated), exact.clamp(least, greatest));
            let wrapped = i128::from(change(Overflow::Wrap).expect("always changes"));
            prop_assert!((least..=greatest).contains(&wrapped));
            prop_assert_eq!((wrapped - exact) % (1 << field.bits), 0);
            let failed = change(Overflow::Fail);
            prop_assert_eq!(failed.map(i128::from), (exact == wrapped).then_some(exact));
        }
    }

    #[test]
    fn bits_behind_the_end_are_zero() {
        let field = Field { signed: false, bits: 12, offset: 4 };
        assert_eq!(field.load(&[0xff]), 0xf00);
        assert_eq!(field.load(&[]), 0);
        assert_eq!(Field { offset: 800, ..field }.load(&[0xff]), 0);
    }
}
