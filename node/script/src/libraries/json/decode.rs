//! JSON as values.

use mlua::{Lua, MultiValue, Table, Value};

use super::{DEPTH_MAX, Settings};
use crate::api::{complaint, text};
use crate::libraries::{Answer, Fault, one};
use crate::meter::Meter;

pub(super) fn decode(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    if args.len() != 1 {
        return Err(complaint(1, "decode", "expected 1 argument").into());
    }
    let bytes = text(args, 0, "decode")?;
    meter.charge_bytes(bytes.len() * 2);
    if bytes.len() >= 2 && (bytes[0] == 0 || bytes[1] == 0) {
        return Err("JSON parser does not support UTF-16 or UTF-32".into());
    }
    let mut decoder = Decoder { lua, settings: &meter.json, bytes: &bytes, at: 0 };
    let token = decoder.next();
    let value = decoder.document(token)?;
    let token = decoder.next();
    if !matches!(token.kind, Kind::End) {
        return Err(token.instead_of("the end"));
    }
    Ok(one(value))
}

/// What stands at one place of the text.
struct Token {
    kind: Kind,
    at: usize,
}

enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Comma,
    Colon,
    End,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Error(&'static str),
}

impl Token {
    fn instead_of(&self, expected: &str) -> Fault {
        let found = match self.kind {
            Kind::ObjectBegin => "T_OBJ_BEGIN",
            Kind::ObjectEnd => "T_OBJ_END",
            Kind::ArrayBegin => "T_ARR_BEGIN",
            Kind::ArrayEnd => "T_ARR_END",
            Kind::Comma => "T_COMMA",
            Kind::Colon => "T_COLON",
            Kind::End => "T_END",
            Kind::String(_) => "T_STRING",
            Kind::Number(_) => "T_NUMBER",
            Kind::Boolean(_) => "T_BOOLEAN",
            Kind::Null => "T_NULL",
            Kind::Error(what) => what,
        };
        let place = self.at + 1;
        Fault::Said(format!("Expected {expected} but found {found} at character {place}"))
    }
}

/// A table that is being filled.
enum Open {
    Array(Table, usize),
    Object(Table, Vec<u8>),
}

struct Decoder<'d> {
    lua: &'d Lua,
    settings: &'d Settings,
    bytes: &'d [u8],
    at: usize,
}

impl Decoder<'_> {
    /// The value that begins with `token`. What is open is kept in a vector, so that nesting costs
    /// no stack.
    fn document(&mut self, mut token: Token) -> Answer<Value> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut value = match token.kind {
                Kind::String(text) => Value::String(self.lua.create_string(text)?),
                Kind::Number(number) => Value::Number(number),
                Kind::Boolean(truth) => Value::Boolean(truth),
                Kind::Null => Value::NULL,
                Kind::ArrayBegin => {
                    let table = self.descend(open.len())?;
                    token = self.next();
                    if !matches!(token.kind, Kind::ArrayEnd) {
                        open.push(Open::Array(table, 1));
                        continue;
                    }
                    Value::Table(table)
                }
                Kind::ObjectBegin => {
                    let table = self.descend(open.len())?;
                    token = self.next();
                    if !matches!(token.kind, Kind::ObjectEnd) {
                        let key = self.key(token)?;
                        open.push(Open::Object(table, key));
                        token = self.next();
                        continue;
                    }
                    Value::Table(table)
                }
                _ => return Err(token.instead_of("value")),
            };
            // The value is complete, and may complete what it is in.
            loop {
                let Some(innermost) = open.pop() else { return Ok(value) };
                token = self.next();
                match innermost {
                    Open::Array(table, place) => {
                        table.raw_seti(place, value)?;
                        match token.kind {
                            Kind::ArrayEnd => value = Value::Table(table),
                            Kind::Comma => {
                                open.push(Open::Array(table, place + 1));
                                break;
                            }
                            _ => return Err(token.instead_of("comma or array end")),
                        }
                    }
                    Open::Object(table, key) => {
                        table.raw_set(self.lua.create_string(key)?, value)?;
                        match token.kind {
                            Kind::ObjectEnd => value = Value::Table(table),
                            Kind::Comma => {
                                token = self.next();
                                let key = self.key(token)?;
                                open.push(Open::Object(table, key));
                                break;
                            }
                            _ => return Err(token.instead_of("comma or object end")),
                        }
                    }
                }
            }
            token = self.next();
        }
    }

    fn descend(&self, depth: usize) -> Answer<Table> {
        let depth = depth as i64 + 1;
        if depth > self.settings.decode_depth.get().min(DEPTH_MAX) {
            let place = self.at;
            let text =
                format!("Found too many nested data structures ({depth}) at character {place}");
            return Err(text.into());
        }
        Ok(self.lua.create_table()?)
    }

    /// The key that `token` is, and the colon behind it.
    fn key(&mut self, token: Token) -> Answer<Vec<u8>> {
        let Kind::String(key) = token.kind else {
            return Err(token.instead_of("object key string"));
        };
        let colon = self.next();
        if matches!(colon.kind, Kind::Colon) { Ok(key) } else { Err(colon.instead_of("colon")) }
    }

    /// The byte at a place; what is behind the end is a zero, which ends the text like one in it.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        let start = self.at;
        let single = match self.byte(start) {
            b'{' => Kind::ObjectBegin,
            b'}' => Kind::ObjectEnd,
            b'[' => Kind::ArrayBegin,
            b']' => Kind::ArrayEnd,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            0 => return Token { kind: Kind::End, at: start },
            b'"' => {
                return match self.string() {
                    Ok(text) => Token { kind: Kind::String(text), at: start },
                    Err(what) => Token { kind: Kind::Error(what), at: self.at },
                };
            }
            _ => return Token { kind: self.word(), at: start },
        };
        self.at += 1;
        Token { kind: single, at: start }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Kind {
        let rest = &self.bytes[self.at..];
        let invalid_allowed = self.settings.decode_invalid.get();
        let looks_invalid = is_invalid_number(rest);
        if matches!(rest[0], b'-' | b'0'..=b'9') {
            if looks_invalid && !invalid_allowed {
                return Kind::Error("invalid number");
            }
            return self.number();
        }
        for (word, kind) in [
            (&b"true"[..], Kind::Boolean(true)),
            (b"false", Kind::Boolean(false)),
            (b"null", Kind::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return kind;
            }
        }
        let may_begin = matches!(rest[0], b'+' | b'i' | b'I' | b'n' | b'N');
        if invalid_allowed && looks_invalid && may_begin {
            return self.number();
        }
        Kind::Error("invalid token")
    }

    fn number(&mut self) -> Kind {
        match leading_number(&self.bytes[self.at..]) {
            Some((value, len)) => {
                self.at += len;
                Kind::Number(value)
            }
            None => Kind::Error("invalid number"),
        }
    }

    /// A string in quotes; where it is wrong, the decoder stands at the mistake.
    fn string(&mut self) -> Result<Vec<u8>, &'static str> {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            match self.byte(self.at) {
                b'"' => break,
                0 => return Err("unexpected end of string"),
                b'\\' => {
                    let plain = match self.byte(self.at + 1) {
                        escaped @ (b'"' | b'\\' | b'/') => escaped,
                        b'b' => 0x08,
                        b'f' => 0x0c,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'u' => {
                            let (code, len) =
                                self.unicode().ok_or("invalid unicode escape code")?;
                            let mut utf8 = [0; 4];
                            out.extend_from_slice(code.encode_utf8(&mut utf8).as_bytes());
                            self.at += len;
                            continue;
                        }
                        _ => return Err("invalid escape code"),
                    };
                    out.push(plain);
                    self.at += 2;
                }
                byte => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(out)
    }

    /// The character of a `\u` escape and the length of the escape; two for characters beyond the
    /// basic plane.
    fn unicode(&self) -> Option<(char, usize)> {
        let high = self.hex(self.at + 2)?;
        if !(0xd800..0xe000).contains(&high) {
            return Some((char::from_u32(high)?, 6));
        }
        if high >= 0xdc00 || self.byte(self.at + 6) != b'\\' || self.byte(self.at + 7) != b'u' {
            return None;
        }
        let low = self.hex(self.at + 8)?;
        if !(0xdc00..0xe000).contains(&low) {
            return None;
        }
        let code = 0x1_0000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
        Some((char::from_u32(code)?, 12))
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits
            .iter()
            .try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
    }
}

/// Whether a number is one that JSON has not: signed plus, in hexadecimal, with leading zeros,
/// infinite, or none at all.
fn is_invalid_number(rest: &[u8]) -> bool {
    if rest[0] == b'+' {
        return true;
    }
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    match rest {
        [b'0', next, ..] => matches!(next, b'x' | b'X' | b'0'..=b'9'),
        _ => is_word(rest, b"inf") || is_word(rest, b"nan"),
    }
}

fn is_word(rest: &[u8], word: &[u8]) -> bool {
    rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The number at the start of `rest` as C's `strtod` reads it, and its length.
fn leading_number(rest: &[u8]) -> Option<(f64, usize)> {
    let signed = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let sign = if rest[0] == b'-' { -1.0 } else { 1.0 };
    let body = &rest[signed..];
    for (word, value) in
        [(&b"infinity"[..], f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)]
    {
        if is_word(body, word) {
            return Some((sign * value, signed + word.len()));
        }
    }
    if let [b'0', b'x' | b'X', first, ..] = body
        && first.is_ascii_hexdigit()
    {
        let len = body[2..].iter().take_while(|digit| digit.is_ascii_hexdigit()).count();
        let value = body[2..2 + len].iter().fold(0.0, |value, digit| {
            value * 16.0 + f64::from(char::from(*digit).to_digit(16).expect("a digit"))
        });
        return Some((sign * value, signed + 2 + len));
    }
    let digits = |from: usize| {
        body.get(from..)
            .map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count())
    };
    let whole = digits(0);
    let mut len = whole;
    if body.get(len) == Some(&b'.') {
        let fraction = digits(len + 1);
        if whole + fraction == 0 {
            return None;
        }
        len += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if matches!(body.get(len), Some(b'e' | b'E')) {
        let sign_len = usize::from(matches!(body.get(len + 1), Some(b'-' | b'+')));
        let exponent = digits(len + 1 + sign_len);
        if exponent > 0 {
            len += 1 + sign_len + exponent;
        }
    }
    let text = core::str::from_utf8(&body[..len]).expect("digits are ASCII");
    let value: f64 = text.parse().expect("what was collected is a number");
    Some((sign * value, signed + len))
}
