//! The form of a small sorted set: one run of bytes, in order.
//!
//! ```text
//! ┌───────────┬────────────┬─────────┐
//! │ score  8  │ length  1  │ member  │  …  next element
//! └───────────┴────────────┴─────────┘
//! ```
//!
//! The score is a little-endian double. Members longer than 255 bytes never get here: the set turns
//! into its big form first.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::tree::Position;

const HEADER: usize = 9;

/// The longest member that this form can hold, in bytes.
pub const MEMBER_MAX: usize = 255;

/// A small sorted set.
#[derive(Debug, Default)]
pub struct Compact {
    bytes: Vec<u8>,
    len: usize,
}

impl Compact {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The elements in ascending order.
    pub fn iter(&self) -> Elements<'_> {
        Elements { rest: &self.bytes }
    }

    /// The elements from `rank` down to the least.
    pub fn descend(&self, rank: usize) -> impl Iterator<Item = (&[u8], f64)> {
        let mut elements: Vec<_> = self.iter().take(rank + 1).collect();
        elements.reverse();
        elements.into_iter()
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.iter().find(|(found, _)| *found == member).map(|(_, score)| score)
    }

    /// Adds an element that is not there, in its place.
    pub fn insert(&mut self, position: &Position<'_>) {
        let mut at = 0;
        for (member, score) in self.iter() {
            if order(member, score, position) == Ordering::Greater {
                break;
            }
            at += HEADER + member.len();
        }
        let tail = at..at;
        let header = position.score.to_le_bytes();
        let length = u8::try_from(position.member.len()).expect("longer members live elsewhere");
        let element = header.into_iter().chain([length]).chain(position.member.iter().copied());
        self.bytes.splice(tail, element);
        self.len += 1;
    }

    /// Removes a member and returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let mut at = 0;
        for (found, score) in self.iter() {
            let end = at + HEADER + found.len();
            if found == member {
                self.bytes.drain(at..end);
                self.len -= 1;
                return Some(score);
            }
            at = end;
        }
        None
    }

    /// Removes the elements of ranks `first..end`.
    pub fn remove_ranks(&mut self, first: usize, end: usize) {
        let bytes = |ranks: usize| {
            self.iter().take(ranks).map(|(member, _)| HEADER + member.len()).sum::<usize>()
        };
        let range = bytes(first)..bytes(end);
        self.bytes.drain(range);
        self.len -= end - first;
    }

    /// Approximate size in bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Compact>() + self.bytes.capacity()
    }
}

fn order(member: &[u8], score: f64, position: &Position<'_>) -> Ordering {
    score
        .partial_cmp(&position.score)
        .expect("a score is never NaN")
        .then_with(|| member.cmp(position.member))
}

/// The elements of a small sorted set.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        let (score, rest) = self.rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first().expect("a length follows each score");
        let (member, rest) = rest.split_at(*length as usize);
        self.rest = rest;
        Some((member, f64::from_le_bytes(*score)))
    }
}
