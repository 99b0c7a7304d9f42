//! Finds commands in the bytes that a client sent.
//!
//! ```text
//! *2\r\n $3\r\n GET\r\n $1\r\n a\r\n     a multibulk request: a count, then length-prefixed arguments
//! GET a\r\n                              an inline request: words as a person types them
//! ```
//!
//! A request may arrive in any number of pieces. The parser keeps how far it came, so that the
//! pieces of a request with a million arguments are each looked at once.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use crate::number::parse_i64;

/// Where one argument lies in the buffer that was parsed, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Length; zero for an empty argument.
    pub len: u32,
}

impl Span {
    /// The bytes of `buffer` that this span covers.
    #[inline]
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start as usize..self.start as usize + self.len as usize]
    }
}

/// What a connection that has yet to authenticate may send at most.
const UNAUTHENTICATED_ARGUMENTS_MAX: i64 = 10;
const UNAUTHENTICATED_BULK_BYTES_MAX: i64 = 16 * 1024;

/// What a client may send before it is cut off.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `proto-max-bulk-len`: the longest argument, in bytes.
    pub bulk_bytes_max: u32,
    /// The most arguments of one request (Redis: 1024 * 1024, or `INT_MAX` from 7.0).
    pub arguments_max: u32,
    /// The longest inline request or length line, in bytes (Redis: 64 KiB).
    pub line_bytes_max: u32,
    /// A connection that has yet to authenticate may send 10 arguments of 16 KiB at most.
    pub authenticated: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bulk_bytes_max: 512 * 1024 * 1024,
            arguments_max: i32::MAX as u32,
            line_bytes_max: 64 * 1024,
            authenticated: true,
        }
    }
}

/// A request that breaks the protocol. The connection gets the text and is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The `*` line is longer than the line limit.
    LongCountLine,
    /// The argument count is not a number in range.
    InvalidCount,
    /// More than ten arguments before authentication.
    UnauthenticatedCount,
    /// A `$` line is longer than the line limit.
    LongLengthLine,
    /// Something other than `$` where an argument should begin.
    ExpectedBulk(u8),
    /// The argument's length is not a number in range.
    InvalidLength,
    /// More than 16 KiB in one argument before authentication.
    UnauthenticatedLength,
    /// An inline request without an end within the line limit.
    LongInline,
    /// An inline request with a quote that is never closed.
    UnbalancedQuotes,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::LongCountLine => "too big mbulk count string",
            Self::InvalidCount => "invalid multibulk length",
            Self::UnauthenticatedCount => "unauthenticated multibulk length",
            Self::LongLengthLine => "too big bulk count string",
            Self::ExpectedBulk(found) => {
                return write!(f, "Protocol error: expected '$', got '{}'", char::from(*found));
            }
            Self::InvalidLength => "invalid bulk length",
            Self::UnauthenticatedLength => "unauthenticated bulk length",
            Self::LongInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
        };
        write!(f, "Protocol error: {text}")
    }
}

impl core::error::Error for ProtocolError {}

impl ProtocolError {
    /// Appends the error reply that Redis sends before it closes the connection. Unlike the text,
    /// it quotes an unexpected byte raw.
    pub fn write_reply(self, out: &mut Vec<u8>) {
        if let Self::ExpectedBulk(found) = self {
            let found = if matches!(found, b'\r' | b'\n') { b' ' } else { found };
            out.extend_from_slice(b"-ERR Protocol error: expected '$', got '");
            out.extend_from_slice(&[found, b'\'', b'\r', b'\n']);
        } else {
            out.extend_from_slice(format!("-ERR {self}\r\n").as_bytes());
        }
    }
}

/// What [`RequestParser::next`] found at the head of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A multibulk request: its spans lie in the buffer that was passed in, which it occupies up to
    /// `consumed` bytes from where parsing began.
    Command {
        /// Length of the request in bytes.
        consumed: usize,
    },
    /// An inline request: unquoting changed the bytes, so its spans lie in the `words` vector.
    Inline {
        /// Length of the request in bytes.
        consumed: usize,
    },
    /// An empty request (`*0`, a blank line): nothing to run and nothing to answer.
    Nothing {
        /// Length of the request in bytes.
        consumed: usize,
    },
    /// The request goes on beyond the buffer. Call again with the same start and more bytes.
    Incomplete,
}

/// Finds requests one by one; one per connection, because a request may end in a later read.
#[derive(Debug, Default)]
pub struct RequestParser {
    /// Arguments of the begun request that are still to come; `None` between requests.
    missing: Option<u32>,
    /// How far the begun request was parsed, relative to its first byte.
    position: usize,
}

impl RequestParser {
    /// True while a request has begun and not ended.
    pub fn is_inside_request(&self) -> bool {
        self.missing.is_some()
    }

    /// Looks for one request at the start of `buffer`.
    ///
    /// `spans` receives the arguments; it must not be touched between an `Incomplete` answer and the
    /// next call, which has to pass the same bytes again with more behind them. `words` receives
    /// the unquoted bytes of an inline request.
    ///
    /// # Errors
    /// [`ProtocolError`], after which the connection has to be closed.
    pub fn next(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
        words: &mut Vec<u8>,
    ) -> Result<Parsed, ProtocolError> {
        if self.missing.is_none() {
            match buffer.first() {
                None => return Ok(Parsed::Incomplete),
                Some(b'*') => {}
                Some(_) => return inline(buffer, limits, spans, words),
            }
            let Some((count, after)) = count_line(buffer, limits)? else {
                return Ok(Parsed::Incomplete);
            };
            spans.clear();
            if count == 0 {
                return Ok(Parsed::Nothing { consumed: after });
            }
            self.missing = Some(count);
            self.position = after;
        }
        self.arguments(buffer, limits, spans)
    }

    fn arguments(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let mut missing = self.missing.expect("only called inside a request");
        while missing > 0 {
            let Some((length, start)) = length_line(buffer, self.position, limits)? else {
                self.missing = Some(missing);
                return Ok(Parsed::Incomplete);
            };
            let end = start + length as usize;
            if buffer.len() < end + 2 {
                self.missing = Some(missing);
                return Ok(Parsed::Incomplete);
            }
            spans.push(Span { start: start as u32, len: length });
            self.position = end + 2;
            missing -= 1;
        }
        let consumed = self.position;
        *self = RequestParser::default();
        Ok(Parsed::Command { consumed })
    }
}

/// Reads `*<count>\r\n` at the start of `buffer`: the count and the offset behind the line.
#[inline]
fn count_line(buffer: &[u8], limits: &Limits) -> Result<Option<(u32, usize)>, ProtocolError> {
    let (count, length) = match short_number(&buffer[1..]) {
        Some((count, length)) => (i64::from(count), length),
        None => match number_line(&buffer[1..], limits) {
            NumberLine::Unfinished => return Ok(None),
            NumberLine::TooLong => return Err(ProtocolError::LongCountLine),
            NumberLine::Ended { number, length } => {
                (number.ok_or(ProtocolError::InvalidCount)?, length)
            }
        },
    };
    if count > i64::from(limits.arguments_max) {
        return Err(ProtocolError::InvalidCount);
    }
    if count > UNAUTHENTICATED_ARGUMENTS_MAX && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedCount);
    }
    Ok(Some((count.max(0) as u32, 1 + length)))
}

/// Reads `$<length>\r\n` at `at`: the length and the offset behind the line.
#[inline]
fn length_line(
    buffer: &[u8],
    at: usize,
    limits: &Limits,
) -> Result<Option<(u32, usize)>, ProtocolError> {
    let Some((&first, digits)) = buffer.get(at..).and_then(<[u8]>::split_first) else {
        return Ok(None);
    };
    let (bytes, length) = match short_number(digits) {
        Some((bytes, length)) if first == b'$' => (i64::from(bytes), length),
        _ if first == b'\r' && !digits.is_empty() => {
            return Err(ProtocolError::ExpectedBulk(first));
        }
        // Like Redis, judge the first byte only when the line is there.
        _ => match number_line(digits, limits) {
            NumberLine::Unfinished => return Ok(None),
            NumberLine::TooLong => return Err(ProtocolError::LongLengthLine),
            NumberLine::Ended { .. } if first != b'$' => {
                return Err(ProtocolError::ExpectedBulk(first));
            }
            NumberLine::Ended { number, length } => {
                (number.ok_or(ProtocolError::InvalidLength)?, length)
            }
        },
    };
    if bytes < 0 || bytes > i64::from(limits.bulk_bytes_max) {
        return Err(ProtocolError::InvalidLength);
    }
    if bytes > UNAUTHENTICATED_BULK_BYTES_MAX && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedLength);
    }
    // Spans count in 32 bits; `client-query-buffer-limit` ends a request long before.
    let start = at + 1 + length;
    if start as u64 + bytes as u64 > u64::from(u32::MAX) {
        return Err(ProtocolError::InvalidLength);
    }
    Ok(Some((bytes as u32, start)))
}

/// The fast path for what every client sends: up to nine digits, no leading zero, and two bytes
/// that end the line. `None` if it is anything else, or not all there.
#[inline]
fn short_number(line: &[u8]) -> Option<(u32, usize)> {
    let mut number = 0;
    for (digits, &byte) in line.iter().take(10).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            let plain = byte == b'\r' && (digits == 1 || (digits > 1 && line[0] != b'0'));
            return (plain && line.len() > digits + 1).then_some((number, digits + 2));
        }
        if digits == 9 {
            break;
        }
        number = number * 10 + u32::from(digit);
    }
    None
}

/// What the slow path makes of a line that should hold a number.
enum NumberLine {
    Unfinished,
    TooLong,
    Ended { number: Option<i64>, length: usize },
}

/// Reads a line up to its carriage return; like Redis, it skips the byte behind that unseen.
#[cold]
fn number_line(line: &[u8], limits: &Limits) -> NumberLine {
    // The limit counts the byte before the number. A line is too long as soon as its bytes say so,
    // however they arrived.
    let window = &line[..line.len().min(limits.line_bytes_max as usize)];
    match memchr::memchr(b'\r', window) {
        None if line.len() >= limits.line_bytes_max as usize => NumberLine::TooLong,
        None => NumberLine::Unfinished,
        Some(end) if line.len() < end + 2 => NumberLine::Unfinished,
        Some(end) => NumberLine::Ended { number: parse_i64(&line[..end]), length: end + 2 },
    }
}

fn inline(
    buffer: &[u8],
    limits: &Limits,
    spans: &mut Vec<Span>,
    words: &mut Vec<u8>,
) -> Result<Parsed, ProtocolError> {
    let window = limits.line_bytes_max as usize + 1;
    let Some(end) = memchr::memchr(b'\n', &buffer[..buffer.len().min(window)]) else {
        return if buffer.len() >= window {
            Err(ProtocolError::LongInline)
        } else {
            Ok(Parsed::Incomplete)
        };
    };
    let text = buffer[..end].strip_suffix(b"\r").unwrap_or(&buffer[..end]);
    spans.clear();
    words.clear();
    crate::words::split(text, spans, words)?;
    let consumed = end + 1;
    Ok(if spans.is_empty() { Parsed::Nothing { consumed } } else { Parsed::Inline { consumed } })
}

/// Appends a command as a multibulk request, the form in which it enters a log entry.
pub fn encode_command<'a, I>(out: &mut Vec<u8>, arguments: I)
where
    I: ExactSizeIterator<Item = &'a [u8]>,
{
    let mut digits = itoa::Buffer::new();
    out.push(b'*');
    out.extend_from_slice(digits.format(arguments.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    for argument in arguments {
        out.push(b'$');
        out.extend_from_slice(digits.format(argument.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}
