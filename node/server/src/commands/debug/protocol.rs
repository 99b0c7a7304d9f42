//! A reply of every type, for the tests of clients: DEBUG PROTOCOL.

use quoris_engine::{CommandError, Result};
use quoris_resp::Writer;

const UNKNOWN: CommandError = CommandError::fixed(
    "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
);
const ONLY_RESP3: CommandError = CommandError::fixed("ERR RESP2 is not supported by this command");

const BIG_NUMBER: &[u8] = b"1234567999999999999999999999999999999";

#[expect(clippy::approx_constant, reason = "it is what Redis answers")]
const DOUBLE: f64 = 3.141;

/// Writes a reply of a type.
///
/// # Errors
/// That there is no such type, or none in RESP2.
pub(super) fn sample(kind: &[u8], reply: &mut Writer<'_>) -> Result {
    match kind.to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(DOUBLE),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.integer(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"bignum" if reply.is_resp3() => reply.raw(&[b"(", BIG_NUMBER, b"\r\n"].concat()),
        b"bignum" => reply.bulk(BIG_NUMBER),
        b"attrib" => {
            if reply.is_resp3() {
                reply.raw(b"|1\r\n");
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" => {
            if !reply.is_resp3() {
                return Err(ONLY_RESP3);
            }
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
            reply.bulk(b"Some real reply following the push reply");
        }
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => return Err(UNKNOWN),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use quoris_resp::Protocol;

    use super::*;

    fn reply(kind: &str, protocol: Protocol) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, protocol);
        if let Err(error) = sample(kind.as_bytes(), &mut writer) {
            return error.as_str().to_owned();
        }
        String::from_utf8(out).expect("the samples are ASCII").replace("\r\n", "~")
    }

    /// What redis-server 7.0.15 answers.
    #[test]
    fn samples_are_those_of_redis() {
        let three = [
            ("double", ",3.141~"),
            ("bignum", "(1234567999999999999999999999999999999~"),
            ("null", "_~"),
            ("set", "~3~:0~:1~:2~"),
            ("map", "%3~:0~#f~:1~#t~:2~#f~"),
            (
                "attrib",
                "|1~$14~key-popularity~*2~$7~key:123~:90~$39~Some real reply following the attribute~",
            ),
            ("push", ">2~$16~server-cpu-usage~:42~$40~Some real reply following the push reply~"),
            ("verbatim", "=29~txt:This is a verbatim\nstring~"),
            ("true", "#t~"),
        ];
        for (kind, expected) in three {
            assert_eq!(reply(kind, Protocol::Resp3), expected, "{kind}");
        }
        let two = [
            ("string", "$11~Hello World~"),
            ("bignum", "$37~1234567999999999999999999999999999999~"),
            ("attrib", "$39~Some real reply following the attribute~"),
            ("push", "ERR RESP2 is not supported by this command"),
            ("false", ":0~"),
        ];
        for (kind, expected) in two {
            assert_eq!(reply(kind, Protocol::Resp2), expected, "{kind}");
        }
    }
}
