//! Integers in insertion order, in the narrowest width that holds all that were ever added.
//!
//! Membership is a sweep over the whole vector, which the compiler turns into wide comparisons; so
//! the vector has to stay short.

use alloc::vec::Vec;

/// A short sequence of different integers.
#[derive(Clone, Debug)]
pub(super) enum Integers {
    /// Two bytes each.
    Narrow(Vec<i16>),
    /// Four bytes each.
    Medium(Vec<i32>),
    /// Eight bytes each.
    Wide(Vec<i64>),
}

/// Runs the same code on a vector of any width.
macro_rules! with {
    ($integers:expr, $vector:ident => $run:expr) => {
        match $integers {
            Integers::Narrow($vector) => $run,
            Integers::Medium($vector) => $run,
            Integers::Wide($vector) => $run,
        }
    };
}

impl Default for Integers {
    fn default() -> Self {
        Integers::Narrow(Vec::new())
    }
}

#[expect(clippy::useless_conversion, reason = "the same code serves all widths")]
impl Integers {
    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        with!(self, vector => vector.len())
    }

    /// The integer at an index of the order.
    #[inline]
    pub fn get(&self, index: usize) -> i64 {
        with!(self, vector => vector[index].into())
    }

    /// Whether an integer is among them.
    #[inline]
    pub fn contains(&self, value: i64) -> bool {
        with!(self, vector => value.try_into().is_ok_and(|value| vector.contains(&value)))
    }

    /// Where an integer is.
    pub fn find(&self, value: i64) -> Option<usize> {
        with!(self, vector => {
            let value = value.try_into().ok()?;
            vector.iter().position(|&found| found == value)
        })
    }

    /// Appends an integer that is not there yet.
    pub fn push(&mut self, value: i64) {
        self.widen_for(value);
        with!(self, vector => {
            if vector.len() == vector.capacity() {
                vector.reserve_exact(vector.len() / 8 + 4);
            }
            vector.push(value.try_into().expect("widened for it"));
        });
    }

    /// Removes the integer at an index; the last one takes its place.
    pub fn swap_remove(&mut self, index: usize) {
        with!(self, vector => {
            vector.swap_remove(index);
            if vector.capacity() > 2 * vector.len() + 32 {
                vector.shrink_to(vector.len());
            }
        });
    }

    /// All integers in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// How many bytes of memory the vector takes.
    pub fn heap_bytes(&self) -> usize {
        with!(self, vector => vector.capacity() * size_of_val(&vector.first().copied().unwrap_or(0)))
    }

    fn widen_for(&mut self, value: i64) {
        match self {
            Integers::Wide(_) => {}
            Integers::Narrow(_) if i16::try_from(value).is_ok() => {}
            Integers::Narrow(_) | Integers::Medium(_) if i32::try_from(value).is_ok() => {
                if let Integers::Narrow(narrow) = self {
                    *self = Integers::Medium(narrow.iter().map(|&old| old.into()).collect());
                }
            }
            _ => *self = Integers::Wide(self.iter().collect()),
        }
    }
}
