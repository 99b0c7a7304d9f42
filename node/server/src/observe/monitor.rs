//! The lines that `MONITOR` shows.

use std::fmt::Write as _;

use super::Ran;
use super::redact::redacted;

/// One line: time, database, client and the words of the request.
pub(crate) fn line(ran: &Ran<'_>, now_us: u64) -> String {
    let mut line = String::new();
    let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
    let _ = write!(line, "{seconds}.{micros:06} [{} {}]", ran.db, ran.session.peer);
    for word in redacted(&ran.args) {
        line.push(' ');
        quote(word, &mut line);
    }
    line
}

/// Appends bytes in double quotes, with everything escaped that is not printable.
pub fn quote(bytes: &[u8], out: &mut String) {
    out.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', byte as char]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b' '..=b'~' => out.push(byte as char),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_are_shown_as_redis_shows_them() {
        let mut out = String::new();
        super::quote("x\x01\n\"\\ü\t\x07\x08\r~\x7f".as_bytes(), &mut out);
        assert_eq!(out, r#""x\x01\n\"\\\xc3\xbc\t\a\b\r~\x7f""#);
    }
}
