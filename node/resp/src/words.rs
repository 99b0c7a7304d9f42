//! Splits a line into words as `redis-cli` and inline requests do (Redis's `sdssplitargs`).

use alloc::vec::Vec;

use crate::number::hex_digit;
use crate::request::{ProtocolError, Span};

/// Appends the unquoted words of `line` to `words` and their places to `spans`.
///
/// Double quotes understand `\xHH \n \r \t \b \a \\ \"`; single quotes only `\'`. A closing quote has to
/// be followed by a blank or the end.
///
/// # Errors
/// [`ProtocolError::UnbalancedQuotes`].
pub fn split(line: &[u8], spans: &mut Vec<Span>, words: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let mut rest = line;
    loop {
        while let [first, tail @ ..] = rest {
            if !is_blank(*first) {
                break;
            }
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let start = words.len();
        rest = word(rest, words)?;
        spans.push(Span { start: start as u32, len: (words.len() - start) as u32 });
    }
}

/// Copies one word, and returns what follows it.
fn word<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        match rest {
            [] => return Ok(rest),
            [b'"', tail @ ..] => return double_quoted(tail, out),
            [b'\'', tail @ ..] => return single_quoted(tail, out),
            [first, tail @ ..] => {
                if matches!(*first, b' ' | b'\t' | b'\n' | b'\r') {
                    return Ok(tail);
                }
                out.push(*first);
                rest = tail;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        rest = match rest {
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex_digit(*high) << 4 | hex_digit(*low));
                tail
            }
            [b'\\', escaped, tail @ ..] => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                tail
            }
            [b'"', tail @ ..] => return after_quote(tail),
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
            [] => return Err(ProtocolError::UnbalancedQuotes),
        };
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        rest = match rest {
            [b'\\', b'\'', tail @ ..] => {
                out.push(b'\'');
                tail
            }
            [b'\'', tail @ ..] => return after_quote(tail),
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
            [] => return Err(ProtocolError::UnbalancedQuotes),
        };
    }
}

fn after_quote(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest.first() {
        Some(byte) if !is_blank(*byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}
