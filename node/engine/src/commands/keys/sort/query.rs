//! The options of `SORT`.

use alloc::vec::Vec;
use core::ops::Range;

use super::pattern::Pattern;
use crate::command::Args;
use crate::commands::options::{integer, is};
use crate::error::{Result, SYNTAX};

/// What a request asks for. The same option may come again: the last one counts.
#[derive(Debug)]
pub(super) struct Query<'a> {
    /// The pattern of the keys to sort by.
    pub by: Option<&'a [u8]>,
    /// What to return of each element; the element itself if there is none.
    pub gets: Vec<&'a [u8]>,
    /// From high to low.
    pub descends: bool,
    /// Compares bytes instead of numbers.
    pub alpha: bool,
    /// Where the result goes, instead of to the client.
    pub store: Option<&'a [u8]>,
    offset: i64,
    count: i64,
}

impl<'a> Query<'a> {
    /// Reads the options from word 2 on; `stores` allows `STORE`.
    ///
    /// # Errors
    /// `ERR syntax error`, or that a limit is not an integer.
    pub fn parse(args: &Args<'a>, stores: bool) -> Result<Query<'a>> {
        let mut query = Query {
            by: None,
            gets: Vec::new(),
            descends: false,
            alpha: false,
            store: None,
            offset: 0,
            count: -1,
        };
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            at += query.option(word, args.try_get(at + 1), args.try_get(at + 2), stores)?;
        }
        Ok(query)
    }

    /// Reads one option, and returns how many words it takes.
    fn option(
        &mut self,
        word: &[u8],
        first: Option<&'a [u8]>,
        second: Option<&'a [u8]>,
        stores: bool,
    ) -> Result<usize> {
        match (first, second) {
            _ if is(word, "asc") => self.descends = false,
            _ if is(word, "desc") => self.descends = true,
            _ if is(word, "alpha") => self.alpha = true,
            (Some(offset), Some(count)) if is(word, "limit") => {
                (self.offset, self.count) = (integer(offset)?, integer(count)?);
                return Ok(3);
            }
            (Some(destination), _) if stores && is(word, "store") => {
                self.store = Some(destination);
                return Ok(2);
            }
            (Some(pattern), _) if is(word, "by") => {
                self.by = Some(pattern);
                return Ok(2);
            }
            (Some(pattern), _) if is(word, "get") => {
                self.gets.push(pattern);
                return Ok(2);
            }
            _ => return Err(SYNTAX),
        }
        Ok(1)
    }

    /// Whether `BY` names no key, which means that nothing is to be sorted.
    pub fn keeps_order(&self) -> bool {
        self.by.is_some_and(|pattern| !pattern.contains(&b'*'))
    }

    /// Which of `len` elements are wanted.
    pub fn range(&self, len: usize) -> Range<usize> {
        let start = usize::try_from(self.offset).map_or(0, |offset| offset.min(len));
        let end = usize::try_from(self.count).map_or(len, |count| count.min(len - start) + start);
        start..end
    }

    /// The patterns of `GET`.
    pub fn patterns(&self) -> Vec<Pattern<'a>> {
        self.gets.iter().map(|text| Pattern::new(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_clipped_to_what_is_there() {
        for (offset, count, expected) in [
            (0, -1, 0..5),
            (1, 2, 1..3),
            (-3, 2, 0..2),
            (4, 100, 4..5),
            (5, 1, 5..5),
            (100, -1, 5..5),
            (2, 0, 2..2),
            (i64::MAX, i64::MAX, 5..5),
            (i64::MIN, i64::MIN, 0..5),
        ] {
            let empty = Args::new(&[], &[]);
            let query = Query { offset, count, ..Query::parse(&empty, true).expect("no options") };
            assert_eq!(query.range(5), expected, "{offset} {count}");
        }
    }
}
