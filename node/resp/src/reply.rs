//! The client's side: reads replies, in either version of the protocol.
//!
//! ```text
//! +OK  -ERR …  :1  $3 abc  *2 …  $-1  *-1                      RESP2
//! _  ,1.5  #t  (123…  !9 ERR …  =7 txt:abc  %1 …  ~2 …  >3 …  |1 …   and RESP3's additions
//! ```
//!
//! [`ReplyScanner`] finds where a reply ends and looks at each of its parts once, however many
//! pieces it arrives in; [`Reply::parse`] then builds the value. Neither reserves memory for
//! elements that have not arrived, nor follows nesting beyond [`DEPTH_MAX`].

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::number::{parse_double, parse_i64};

/// How deep aggregates may be nested. Redis's own client library stops at 9; scripts can return more.
pub const DEPTH_MAX: usize = 64;
/// The longest line that is not a bulk: a status, an error, a big number.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+`: a status such as `OK`.
    Simple(String),
    /// `-` or `!`: an error, code first.
    Error(String),
    /// `:`.
    Integer(i64),
    /// `$`.
    Bulk(Vec<u8>),
    /// `$-1`, `*-1` or RESP3's `_`.
    Null,
    /// `*`.
    Array(Vec<Reply>),
    /// `,`.
    Double(f64),
    /// `#`.
    Boolean(bool),
    /// `(`: decimal digits of any length.
    BigNumber(String),
    /// `=`: a text and its three-letter format.
    Verbatim(String, Vec<u8>),
    /// `%`: keys and values in the order sent.
    Map(Vec<(Reply, Reply)>),
    /// `~`: elements in the order sent.
    Set(Vec<Reply>),
    /// `>`: a message out of band.
    Push(Vec<Reply>),
    /// `|`: a reply with attributes in front.
    Attributed(Vec<(Reply, Reply)>, Box<Reply>),
}

/// Bytes that are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// A reply cannot begin with this byte.
    UnknownType(u8),
    /// A length or value does not follow the format that its type byte announces.
    Malformed(u8),
    /// Aggregates nested deeper than [`DEPTH_MAX`].
    TooDeep,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(byte) => {
                write!(f, "a reply cannot begin with '{}'", byte.escape_ascii())
            }
            Self::Malformed(byte) => write!(f, "malformed '{}' reply", byte.escape_ascii()),
            Self::TooDeep => write!(f, "reply nested deeper than {DEPTH_MAX} levels"),
        }
    }
}

impl core::error::Error for ReplyError {}

impl Reply {
    /// Parses the reply at the start of `buffer`: the reply and its length in bytes, or `None` if
    /// it is not complete. To read a reply that arrives in many pieces, ask a [`ReplyScanner`]
    /// first.
    ///
    /// # Errors
    /// [`ReplyError`]: the other side does not speak the protocol.
    pub fn parse(buffer: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
        let Some(length) = ReplyScanner::default().scan(buffer)? else { return Ok(None) };
        let mut rest = &buffer[..length];
        let reply = build(&mut rest)?;
        debug_assert!(rest.is_empty(), "the scanner and the builder agree on the length");
        Ok(Some((reply, length)))
    }

    /// The text of an error reply.
    pub fn as_error(&self) -> Option<&str> {
        match self {
            Reply::Error(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of a bulk, a status or a verbatim text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Bulk(bytes) | Reply::Verbatim(_, bytes) => Some(bytes),
            Reply::Simple(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The same as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()?).ok()
    }

    /// The value of an integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    pub fn as_slice(&self) -> Option<&[Reply]> {
        match self {
            Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Reply::Null)
    }
}

/// Finds the end of a reply that arrives in pieces; one per connection.
#[derive(Debug, Default)]
pub struct ReplyScanner {
    /// How far the reply was scanned, in bytes.
    position: usize,
    /// For each aggregate that is open, how many replies are missing in it.
    missing: Vec<u64>,
}

impl ReplyScanner {
    /// Looks for the end of the reply at the start of `buffer`: its length in bytes, or `None` if
    /// it is not all there; then call again with the same bytes and more behind them.
    ///
    /// # Errors
    /// [`ReplyError`]: the other side does not speak the protocol.
    pub fn scan(&mut self, buffer: &[u8]) -> Result<Option<usize>, ReplyError> {
        loop {
            let Some((part, length)) = Part::read(&buffer[self.position..])? else {
                return Ok(None);
            };
            self.position += length;
            let children = part.children();
            if children > 0 {
                if self.missing.len() == DEPTH_MAX {
                    return Err(ReplyError::TooDeep);
                }
                self.missing.push(children);
                continue;
            }
            while let Some(missing) = self.missing.last_mut() {
                *missing -= 1;
                if *missing > 0 {
                    break;
                }
                self.missing.pop();
            }
            if self.missing.is_empty() {
                let length = self.position;
                *self = ReplyScanner::default();
                return Ok(Some(length));
            }
        }
    }
}

/// A reply without its children.
enum Part<'a> {
    /// The type byte and the text of the line behind it.
    Line(u8, &'a [u8]),
    /// The type byte and the counted bytes.
    Bulk(u8, &'a [u8]),
    /// The type byte and how many elements (or pairs) follow.
    Aggregate(u8, u64),
    Null,
}

impl<'a> Part<'a> {
    /// Reads the part at the start of `buffer`, and its length; `None` if it is not all there.
    fn read(buffer: &'a [u8]) -> Result<Option<(Part<'a>, usize)>, ReplyError> {
        let Some((&kind, rest)) = buffer.split_first() else { return Ok(None) };
        if !b"+-:$*_,#(!=%~>|".contains(&kind) {
            return Err(ReplyError::UnknownType(kind));
        }
        let Some(end) = memchr::memchr(b'\r', &rest[..rest.len().min(LINE_BYTES_MAX)]) else {
            return if rest.len() < LINE_BYTES_MAX { Ok(None) } else { Err(malformed(kind)) };
        };
        match rest.get(end + 1) {
            None => return Ok(None),
            Some(b'\n') => {}
            Some(_) => return Err(malformed(kind)),
        }
        let (line, after) = (&rest[..end], end + 3);
        let part = match kind {
            b'$' | b'!' | b'=' => {
                let Some(length) = count(kind, line)? else { return Ok(Some((Part::Null, after))) };
                let body = &buffer[after..];
                let length = usize::try_from(length).map_err(|_| malformed(kind))?;
                if body.len() < length.saturating_add(2) {
                    return Ok(None);
                }
                if &body[length..length + 2] != b"\r\n" {
                    return Err(malformed(kind));
                }
                return Ok(Some((Part::Bulk(kind, &body[..length]), after + length + 2)));
            }
            b'*' | b'%' | b'~' | b'>' | b'|' => match count(kind, line)? {
                Some(count) => Part::Aggregate(kind, count),
                None => Part::Null,
            },
            b'_' => Part::Null,
            _ => Part::Line(kind, line),
        };
        Ok(Some((part, after)))
    }

    /// How many replies belong to this one.
    fn children(&self) -> u64 {
        match *self {
            Part::Aggregate(b'%', pairs) => pairs * 2,
            // What the attributes belong to follows them.
            Part::Aggregate(b'|', pairs) => pairs * 2 + 1,
            Part::Aggregate(_, count) => count,
            _ => 0,
        }
    }
}

/// Reads a length; minus one stands for null where RESP2 had it.
fn count(kind: u8, line: &[u8]) -> Result<Option<u64>, ReplyError> {
    match parse_i64(line) {
        Some(-1) if matches!(kind, b'$' | b'*') => Ok(None),
        // A quarter of the range leaves room to count keys and values of a map.
        Some(count @ 0..=0x3fff_ffff_ffff_ffff) => Ok(Some(count as u64)),
        _ => Err(malformed(kind)),
    }
}

/// Builds the reply at the start of `rest`, which holds all of it, and moves `rest` behind it.
fn build(rest: &mut &[u8]) -> Result<Reply, ReplyError> {
    let (part, length) = Part::read(rest)?.expect("the scanner saw the whole reply");
    *rest = &rest[length..];
    match part {
        Part::Null => Ok(Reply::Null),
        Part::Line(kind, line) => build_line(kind, line),
        Part::Bulk(b'!', bytes) => Ok(Reply::Error(lossy(bytes))),
        Part::Bulk(b'=', bytes) => match bytes {
            [a, b, c, b':', text @ ..] => Ok(Reply::Verbatim(lossy(&[*a, *b, *c]), text.to_vec())),
            _ => Err(malformed(b'=')),
        },
        Part::Bulk(_, bytes) => Ok(Reply::Bulk(bytes.to_vec())),
        Part::Aggregate(b'%', count) => Ok(Reply::Map(build_pairs(rest, count)?)),
        Part::Aggregate(b'|', count) => {
            let attributes = build_pairs(rest, count)?;
            Ok(Reply::Attributed(attributes, Box::new(build(rest)?)))
        }
        Part::Aggregate(kind, count) => {
            let elements = (0..count).map(|_| build(rest)).collect::<Result<_, _>>()?;
            Ok(match kind {
                b'~' => Reply::Set(elements),
                b'>' => Reply::Push(elements),
                _ => Reply::Array(elements),
            })
        }
    }
}

fn build_pairs(rest: &mut &[u8], count: u64) -> Result<Vec<(Reply, Reply)>, ReplyError> {
    (0..count).map(|_| Ok((build(rest)?, build(rest)?))).collect()
}

fn build_line(kind: u8, line: &[u8]) -> Result<Reply, ReplyError> {
    Ok(match (kind, line) {
        (b'+', _) => Reply::Simple(lossy(line)),
        (b'-', _) => Reply::Error(lossy(line)),
        (b':', _) => Reply::Integer(parse_i64(line).ok_or(malformed(kind))?),
        (b',', b"nan") => Reply::Double(f64::NAN),
        (b',', _) => Reply::Double(parse_double(line).ok_or(malformed(kind))?),
        (b'#', b"t") => Reply::Boolean(true),
        (b'#', b"f") => Reply::Boolean(false),
        (b'(', _) if is_whole_number(line) => Reply::BigNumber(lossy(line)),
        _ => return Err(malformed(kind)),
    })
}

fn is_whole_number(line: &[u8]) -> bool {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn malformed(kind: u8) -> ReplyError {
    ReplyError::Malformed(kind)
}
