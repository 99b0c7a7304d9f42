//! Lua's patterns, with every step counted.
//!
//! A pattern such as `.-.-.-b` takes time that grows with a high power of the subject's length, and
//! Lua's own matcher calls itself once for every optional item, until the stack ends. Neither has to
//! do with instructions, so a script's budget would not see it. This matcher gives the same matches
//! as that of Lua 5.1, its complaints included, charges the budget and knows how deep it may go.
//!
//! Source: Lua 5.1 reference manual, 5.4.1. As there, a pattern ends at its first zero byte.

use crate::meter::Meter;

/// The most captures of a pattern.
const CAPTURES_MAX: usize = 32;
/// How often the matcher may call itself: Lua's limit from 5.2 on, where it was found to need one.
const DEPTH_MAX: usize = 200;
/// After how many steps of the matcher the budget is looked at.
const PERIOD: u32 = 1024;

/// What is wrong with a pattern, or `budget` if there is none left.
pub(crate) type Matched<T> = Result<T, &'static str>;

/// What a capture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Open,
    Position,
    Closed(usize),
}

/// A part of the subject, or a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    /// From here to there.
    Text(usize, usize),
    /// The number of a byte, from 1.
    Position(usize),
}

/// Matches one pattern with one subject.
pub(crate) struct Matcher<'a> {
    meter: &'a Meter,
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: [(usize, Length); CAPTURES_MAX],
    level: usize,
    depth: usize,
    steps: u32,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(meter: &'a Meter, subject: &'a [u8], pattern: &'a [u8]) -> Self {
        let end = memchr(pattern);
        Matcher {
            meter,
            subject,
            pattern: &pattern[..end],
            captures: [(0, Length::Open); CAPTURES_MAX],
            level: 0,
            depth: 0,
            steps: 0,
        }
    }

    /// The first match from `from` on: where it begins and ends. `is_anchored`: only at `from`.
    pub(crate) fn find(
        &mut self,
        from: usize,
        is_anchored: bool,
    ) -> Matched<Option<(usize, usize)>> {
        for start in from..=self.subject.len() {
            self.level = 0;
            self.depth = 0;
            if let Some(end) = self.matches(start, 0)? {
                self.settle()?;
                return Ok(Some((start, end)));
            }
            if is_anchored {
                break;
            }
        }
        self.settle()?;
        Ok(None)
    }

    /// How many captures the last match has.
    pub(crate) fn level(&self) -> usize {
        self.level
    }

    /// The same; the whole of it is one if there are none.
    pub(crate) fn len(&self) -> usize {
        self.level.max(1)
    }

    /// A capture of the last match, which is `whole`.
    pub(crate) fn capture(&self, at: usize, whole: (usize, usize)) -> Matched<Capture> {
        if at >= self.level {
            return if at == 0 {
                Ok(Capture::Text(whole.0, whole.1))
            } else {
                Err("invalid capture index")
            };
        }
        let (start, length) = self.captures[at];
        match length {
            Length::Open => Err("unfinished capture"),
            Length::Position => Ok(Capture::Position(start + 1)),
            Length::Closed(len) => Ok(Capture::Text(start, start + len)),
        }
    }

    fn step(&mut self) -> Matched<()> {
        self.steps += 1;
        if self.steps < PERIOD { Ok(()) } else { self.settle() }
    }

    /// Charges what has been used so far.
    fn settle(&mut self) -> Matched<()> {
        let steps = std::mem::take(&mut self.steps);
        if self.meter.charge(steps.into()) { Err("budget") } else { Ok(()) }
    }

    /// The byte of the pattern at a place; a zero behind the end.
    fn at(&self, place: usize) -> u8 {
        self.pattern.get(place).copied().unwrap_or(0)
    }

    /// Where the match of the pattern from `p` on ends that begins at `s`.
    fn matches(&mut self, s: usize, p: usize) -> Matched<Option<usize>> {
        if self.depth == DEPTH_MAX {
            return Err("pattern too complex");
        }
        self.depth += 1;
        let found = self.items(s, p);
        self.depth -= 1;
        found
    }

    fn items(&mut self, mut s: usize, mut p: usize) -> Matched<Option<usize>> {
        loop {
            self.step()?;
            match self.at(p) {
                0 => return Ok(Some(s)),
                b'(' if self.at(p + 1) == b')' => return self.open(s, p + 2, Length::Position),
                b'(' => return self.open(s, p + 1, Length::Open),
                b')' => return self.close(s, p + 1),
                b'$' if self.at(p + 1) == 0 => {
                    return Ok((s == self.subject.len()).then_some(s));
                }
                b'%' if self.at(p + 1) == b'b' => {
                    let Some(end) = self.balanced(s, p + 2)? else { return Ok(None) };
                    (s, p) = (end, p + 4);
                    continue;
                }
                b'%' if self.at(p + 1) == b'f' => {
                    let Some(end) = self.frontier(s, p + 2)? else { return Ok(None) };
                    p = end;
                    continue;
                }
                b'%' if self.at(p + 1).is_ascii_digit() => {
                    let Some(end) = self.repeated(s, self.at(p + 1))? else { return Ok(None) };
                    (s, p) = (end, p + 2);
                    continue;
                }
                _ => {}
            }
            let end = self.class_end(p)?;
            match self.at(end) {
                b'?' => {
                    if self.is_single(s, p, end)?
                        && let Some(found) = self.matches(s + 1, end + 1)?
                    {
                        return Ok(Some(found));
                    }
                    p = end + 1;
                }
                b'*' => return self.longest(s, p, end),
                b'+' if self.is_single(s, p, end)? => return self.longest(s + 1, p, end),
                b'-' => return self.shortest(s, p, end),
                _ if self.at(end) != b'+' && self.is_single(s, p, end)? => (s, p) = (s + 1, end),
                _ => return Ok(None),
            }
        }
    }

    /// Behind the item that begins at `p`.
    fn class_end(&self, p: usize) -> Matched<usize> {
        match self.at(p) {
            b'%' if self.at(p + 1) == 0 => Err("malformed pattern (ends with '%')"),
            b'%' => Ok(p + 2),
            b'[' => {
                let mut p = p + 1;
                if self.at(p) == b'^' {
                    p += 1;
                }
                loop {
                    match self.at(p) {
                        0 => return Err("malformed pattern (missing ']')"),
                        b'%' if self.at(p + 1) != 0 => p += 2,
                        _ => p += 1,
                    }
                    if self.at(p) == b']' {
                        return Ok(p + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Whether the byte at `s` is one that the item from `p` to `end` stands for.
    fn is_single(&mut self, s: usize, p: usize, end: usize) -> Matched<bool> {
        self.step()?;
        let Some(&byte) = self.subject.get(s) else { return Ok(false) };
        Ok(match self.at(p) {
            b'.' => true,
            b'%' => is_in_class(byte, self.at(p + 1)),
            b'[' => {
                // Long sets count for what they are.
                self.steps += ((end - p) / 8) as u32;
                self.is_in_set(byte, p, end - 1)
            }
            own => own == byte,
        })
    }

    /// Whether a byte is in the set that begins at `p` and whose bracket closes at `last`.
    fn is_in_set(&self, byte: u8, p: usize, last: usize) -> bool {
        let is_complement = self.at(p + 1) == b'^';
        let mut p = p + 1 + usize::from(is_complement);
        while p < last {
            if self.at(p) == b'%' {
                if is_in_class(byte, self.at(p + 1)) {
                    return !is_complement;
                }
                p += 2;
            } else if self.at(p + 1) == b'-' && p + 2 < last {
                if (self.at(p)..=self.at(p + 2)).contains(&byte) {
                    return !is_complement;
                }
                p += 3;
            } else {
                if self.at(p) == byte {
                    return !is_complement;
                }
                p += 1;
            }
        }
        is_complement
    }

    fn longest(&mut self, s: usize, p: usize, end: usize) -> Matched<Option<usize>> {
        let mut last = s;
        while self.is_single(last, p, end)? {
            last += 1;
        }
        for from in (s..=last).rev() {
            if let Some(found) = self.matches(from, end + 1)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn shortest(&mut self, mut s: usize, p: usize, end: usize) -> Matched<Option<usize>> {
        loop {
            if let Some(found) = self.matches(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.is_single(s, p, end)? {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, length: Length) -> Matched<Option<usize>> {
        if self.level >= CAPTURES_MAX {
            return Err("too many captures");
        }
        self.captures[self.level] = (s, length);
        self.level += 1;
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.level -= 1;
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Matched<Option<usize>> {
        let open = (0..self.level).rev().find(|at| self.captures[*at].1 == Length::Open);
        let at = open.ok_or("invalid pattern capture")?;
        self.captures[at].1 = Length::Closed(s - self.captures[at].0);
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures[at].1 = Length::Open;
        }
        Ok(found)
    }

    /// `%b()`: behind the bracket that closes the one at `s`.
    fn balanced(&mut self, s: usize, p: usize) -> Matched<Option<usize>> {
        let (open, close) = (self.at(p), self.at(p + 1));
        if open == 0 || close == 0 {
            return Err("unbalanced pattern");
        }
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for at in s + 1..self.subject.len() {
            self.step()?;
            let byte = self.subject[at];
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: behind the set, if `s` is where it begins to apply.
    fn frontier(&mut self, s: usize, p: usize) -> Matched<Option<usize>> {
        if self.at(p) != b'[' {
            return Err("missing '[' after '%f' in pattern");
        }
        let end = self.class_end(p)?;
        let before = if s == 0 { 0 } else { self.subject[s - 1] };
        let here = self.subject.get(s).copied().unwrap_or(0);
        let begins = !self.is_in_set(before, p, end - 1) && self.is_in_set(here, p, end - 1);
        Ok(begins.then_some(end))
    }

    /// `%1`: behind what a capture holds, if it is here once more.
    fn repeated(&mut self, s: usize, digit: u8) -> Matched<Option<usize>> {
        let at = usize::from(digit).wrapping_sub(usize::from(b'1'));
        if at >= self.level || self.captures[at].1 == Length::Open {
            return Err("invalid capture index");
        }
        let (start, Length::Closed(len)) = self.captures[at] else { return Ok(None) };
        self.steps += (len / 8) as u32;
        let is_here = self.subject[s..].starts_with(&self.subject[start..start + len]);
        Ok(is_here.then_some(s + len))
    }
}

fn memchr(pattern: &[u8]) -> usize {
    pattern.iter().position(|byte| *byte == 0).unwrap_or(pattern.len())
}

/// Whether a byte is of the class that a letter names; a capital letter names all others.
fn is_in_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == class,
    };
    is_in == class.is_ascii_lowercase()
}
