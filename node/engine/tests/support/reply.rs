//! Renders a RESP reply the way `redis-cli` shows it.

use std::fmt::Write as _;

/// A decoded reply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Null,
    Double(String),
    BigNumber(String),
    Boolean(bool),
    Verbatim(Vec<u8>),
    Array(Vec<Reply>),
    Set(Vec<Reply>),
    Push(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
}

impl Reply {
    /// Decodes one reply and returns what follows it. Panics on anything malformed, which makes
    /// every script a test of the writer too.
    pub fn decode(bytes: &[u8]) -> (Reply, &[u8]) {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n").expect("a complete line");
        // An error may quote any bytes of the request.
        let line = &*String::from_utf8_lossy(&bytes[1..end]);
        let rest = &bytes[end + 2..];
        let count = || line.parse::<i64>().expect("a number");
        match bytes[0] {
            b'+' => (Reply::Simple(line.into()), rest),
            b'-' => (Reply::Error(line.into()), rest),
            b':' => (Reply::Integer(count()), rest),
            b',' => (Reply::Double(line.into()), rest),
            b'(' => (Reply::BigNumber(line.into()), rest),
            b'#' => (Reply::Boolean(line == "t"), rest),
            b'_' => (Reply::Null, rest),
            b'$' | b'*' if line == "-1" => (Reply::Null, rest),
            kind @ (b'$' | b'=') => {
                let len = count() as usize;
                assert_eq!(&rest[len..len + 2], b"\r\n", "a bulk ends with a line break");
                let body = rest[..len].to_vec();
                let reply = if kind == b'$' { Reply::Bulk(body) } else { Reply::Verbatim(body) };
                (reply, &rest[len + 2..])
            }
            b'*' => elements(count(), rest, Reply::Array),
            b'~' => elements(count(), rest, Reply::Set),
            b'>' => elements(count(), rest, Reply::Push),
            b'%' => {
                let (mut pairs, mut rest) = (Vec::new(), rest);
                for _ in 0..count() {
                    let (name, behind) = Reply::decode(rest);
                    let (value, behind) = Reply::decode(behind);
                    pairs.push((name, value));
                    rest = behind;
                }
                (Reply::Map(pairs), rest)
            }
            other => panic!("no reply begins with {:?}", char::from(other)),
        }
    }

    /// The same reply with the elements of its outermost aggregate in ascending order.
    #[must_use]
    pub fn sorted(mut self) -> Reply {
        match &mut self {
            Reply::Array(elements) | Reply::Set(elements) => elements.sort(),
            Reply::Map(pairs) => pairs.sort(),
            _ => {}
        }
        self
    }

    /// As `redis-cli` prints it on a terminal, ending with a line break.
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.render_into(&mut out, "");
        out
    }

    fn render_into(&self, out: &mut String, indent: &str) {
        match self {
            Reply::Simple(text) => writeln!(out, "{text}"),
            Reply::Error(text) => writeln!(out, "(error) {text}"),
            Reply::Integer(value) => writeln!(out, "(integer) {value}"),
            Reply::Bulk(bytes) => writeln!(out, "{}", quote(bytes)),
            Reply::Null => writeln!(out, "(nil)"),
            Reply::Double(text) => writeln!(out, "(double) {text}"),
            Reply::BigNumber(digits) => writeln!(out, "{digits}"),
            Reply::Boolean(value) => writeln!(out, "({value})"),
            Reply::Verbatim(bytes) => writeln!(out, "{}", String::from_utf8_lossy(&bytes[4..])),
            Reply::Array(elements) => return list(out, indent, elements, ')', "(empty array)"),
            Reply::Set(elements) => return list(out, indent, elements, '~', "(empty set)"),
            Reply::Push(elements) => return list(out, indent, elements, ')', "(empty push)"),
            Reply::Map(pairs) => return map(out, indent, pairs),
        }
        .expect("a string takes everything");
    }
}

fn elements(count: i64, mut rest: &[u8], make: fn(Vec<Reply>) -> Reply) -> (Reply, &[u8]) {
    let mut elements = Vec::new();
    for _ in 0..count {
        let (element, behind) = Reply::decode(rest);
        elements.push(element);
        rest = behind;
    }
    (make(elements), rest)
}

fn list(out: &mut String, indent: &str, elements: &[Reply], mark: char, empty: &str) {
    if elements.is_empty() {
        out.push_str(empty);
        out.push('\n');
        return;
    }
    let width = elements.len().to_string().len();
    let inner = format!("{indent}{}", " ".repeat(width + 2));
    for (at, element) in elements.iter().enumerate() {
        let lead = if at == 0 { "" } else { indent };
        write!(out, "{lead}{:>width$}{mark} ", at + 1).expect("a string takes everything");
        element.render_into(out, &inner);
    }
}

fn map(out: &mut String, indent: &str, pairs: &[(Reply, Reply)]) {
    if pairs.is_empty() {
        out.push_str("(empty hash)\n");
        return;
    }
    let width = pairs.len().to_string().len();
    let inner = format!("{indent}{}", " ".repeat(width + 2));
    for (at, (name, value)) in pairs.iter().enumerate() {
        let lead = if at == 0 { "" } else { indent };
        let name = name.render();
        write!(out, "{lead}{:>width$}# {} => ", at + 1, name.trim_end())
            .expect("a string takes everything");
        value.render_into(out, &inner);
    }
}

/// A byte string in double quotes, with everything unprintable escaped.
pub fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            0x20..=0x7e => out.push(char::from(byte)),
            _ => write!(out, "\\x{byte:02x}").expect("a string takes everything"),
        }
    }
    out.push('"');
    out
}
