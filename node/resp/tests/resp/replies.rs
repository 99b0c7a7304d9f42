//! The client's side: replies that a writer wrote are read back, in any number of pieces.

use proptest::collection::vec;
use proptest::prelude::*;
use quoris_resp::{Protocol, REPLY_DEPTH_MAX, Reply, ReplyError, ReplyScanner, Writer};

#[test]
fn replies_are_read() {
    let bulk = |text: &str| Reply::Bulk(text.into());
    for (bytes, expected) in [
        ("+OK\r\n", Reply::Simple("OK".into())),
        ("-ERR no\r\n", Reply::Error("ERR no".into())),
        (":-5\r\n", Reply::Integer(-5)),
        ("$3\r\na\r\n\r\n", bulk("a\r\n")),
        ("$0\r\n\r\n", bulk("")),
        ("$-1\r\n", Reply::Null),
        ("*-1\r\n", Reply::Null),
        ("_\r\n", Reply::Null),
        ("*0\r\n", Reply::Array(vec![])),
        (
            "*2\r\n*1\r\n:1\r\n$1\r\nb\r\n",
            Reply::Array(vec![Reply::Array(vec![Reply::Integer(1)]), bulk("b")]),
        ),
        (",1.5e+3\r\n", Reply::Double(1500.0)),
        (",-inf\r\n", Reply::Double(f64::NEG_INFINITY)),
        ("#t\r\n", Reply::Boolean(true)),
        ("(-12345678901234567890123\r\n", Reply::BigNumber("-12345678901234567890123".into())),
        ("!7\r\nERR a\r\n\r\n", Reply::Error("ERR a\r\n".into())),
        ("=7\r\ntxt:abc\r\n", Reply::Verbatim("txt".into(), "abc".into())),
        ("%1\r\n+a\r\n:1\r\n", Reply::Map(vec![(Reply::Simple("a".into()), Reply::Integer(1))])),
        ("~1\r\n:1\r\n", Reply::Set(vec![Reply::Integer(1)])),
        (">1\r\n:1\r\n", Reply::Push(vec![Reply::Integer(1)])),
        (
            "|1\r\n+ttl\r\n:9\r\n:1\r\n",
            Reply::Attributed(
                vec![(Reply::Simple("ttl".into()), Reply::Integer(9))],
                Box::new(Reply::Integer(1)),
            ),
        ),
    ] {
        let more = format!("{bytes}+next\r\n");
        assert_eq!(Reply::parse(more.as_bytes()), Ok(Some((expected, bytes.len()))), "{bytes:?}");
        for end in 0..bytes.len() {
            assert_eq!(Reply::parse(&bytes.as_bytes()[..end]), Ok(None), "{bytes:?} up to {end}");
        }
    }
    assert!(
        matches!(Reply::parse(b",nan\r\n"), Ok(Some((Reply::Double(value), 6))) if value.is_nan())
    );
}

#[test]
fn what_is_no_reply_is_refused() {
    for (bytes, expected) in [
        ("hello\r\n", ReplyError::UnknownType(b'h')),
        ("\r\n", ReplyError::UnknownType(b'\r')),
        (":\r\n", ReplyError::Malformed(b':')),
        (":1x\r\n", ReplyError::Malformed(b':')),
        ("$-2\r\n", ReplyError::Malformed(b'$')),
        ("$1\r\nab\r\n", ReplyError::Malformed(b'$')),
        ("$x\r\n", ReplyError::Malformed(b'$')),
        ("$?\r\n", ReplyError::Malformed(b'$')),
        ("*9223372036854775807\r\n", ReplyError::Malformed(b'*')),
        ("%-1\r\n", ReplyError::Malformed(b'%')),
        ("#x\r\n", ReplyError::Malformed(b'#')),
        (",1,5\r\n", ReplyError::Malformed(b',')),
        ("(1.5\r\n", ReplyError::Malformed(b'(')),
        ("(-\r\n", ReplyError::Malformed(b'(')),
        ("=3\r\ntxt\r\n", ReplyError::Malformed(b'=')),
        ("+a\rb\r\n", ReplyError::Malformed(b'+')),
    ] {
        assert_eq!(Reply::parse(bytes.as_bytes()), Err(expected), "{bytes:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| [&b"*1\r\n".repeat(depth)[..], b":1\r\n"].concat();
    assert!(matches!(Reply::parse(&nested(REPLY_DEPTH_MAX)), Ok(Some(_))));
    assert_eq!(Reply::parse(&nested(REPLY_DEPTH_MAX + 1)), Err(ReplyError::TooDeep));
}

fn reply() -> impl Strategy<Value = Reply> {
    let leaf = prop_oneof![
        "[a-zA-Z ]{0,10}".prop_map(Reply::Simple),
        "[A-Z]{1,5} [a-z ]{0,10}".prop_map(Reply::Error),
        any::<i64>().prop_map(Reply::Integer),
        vec(any::<u8>(), 0..40).prop_map(Reply::Bulk),
        Just(Reply::Null),
        any::<f64>()
            .prop_filter("NaN is unequal to itself", |v| !v.is_nan())
            .prop_map(Reply::Double),
        any::<bool>().prop_map(Reply::Boolean),
        vec(any::<u8>(), 0..40).prop_map(|text| Reply::Verbatim("txt".into(), text)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Reply::Array),
            vec(inner.clone(), 0..6).prop_map(Reply::Set),
            vec(inner.clone(), 0..6).prop_map(Reply::Push),
            vec((inner.clone(), inner), 0..4).prop_map(Reply::Map),
        ]
    })
}

fn write_all(writer: &mut Writer<'_>, elements: &[Reply]) {
    for element in elements {
        write(writer, element);
    }
}

fn write(writer: &mut Writer<'_>, reply: &Reply) {
    match reply {
        Reply::Simple(text) => writer.simple(text),
        Reply::Error(text) => writer.error(text),
        Reply::Integer(value) => writer.integer(*value),
        Reply::Bulk(bytes) => writer.bulk(bytes),
        Reply::Null => writer.null(),
        Reply::Double(value) => writer.double(*value),
        Reply::Boolean(value) => writer.boolean(*value),
        Reply::Verbatim(format, text) => writer.verbatim(format, text),
        Reply::Array(elements) => {
            writer.array(elements.len());
            write_all(writer, elements);
        }
        Reply::Set(elements) => {
            let begun = writer.open();
            write_all(writer, elements);
            writer.close_set(begun, elements.len());
        }
        Reply::Push(elements) => {
            writer.push(elements.len());
            write_all(writer, elements);
        }
        Reply::Map(pairs) => {
            let begun = writer.open();
            for (key, value) in pairs {
                write(writer, key);
                write(writer, value);
            }
            writer.close_map(begun, pairs.len());
        }
        Reply::BigNumber(_) | Reply::Attributed(..) => unreachable!("no command replies with it"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(reply in reply(), chunk in 1_usize..20) {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes, Protocol::Resp3), &reply);
        prop_assert_eq!(Reply::parse(&bytes), Ok(Some((reply, bytes.len()))));
        let mut scanner = ReplyScanner::default();
        for end in (0..bytes.len()).step_by(chunk) {
            prop_assert_eq!(scanner.scan(&bytes[..end]), Ok(None));
        }
        prop_assert_eq!(scanner.scan(&bytes), Ok(Some(bytes.len())));
    }

    #[test]
    fn resp2_says_the_same_in_fewer_types(reply in reply()) {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes, Protocol::Resp2), &reply);
        let (read, length) = Reply::parse(&bytes).expect("a reply").expect("all of it");
        prop_assert_eq!(length, bytes.len());
        prop_assert!(only_resp2(&read), "{:?}", read);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in vec(prop::sample::select(b"+-:$*_,#(!=%~>|\r\n01289tfxn".to_vec()), 0..60),
    ) {
        let _ = Reply::parse(&bytes);
    }
}

fn only_resp2(reply: &Reply) -> bool {
    match reply {
        Reply::Array(elements) => elements.iter().all(only_resp2),
        Reply::Simple(_) | Reply::Error(_) | Reply::Integer(_) | Reply::Bulk(_) | Reply::Null => {
            true
        }
        _ => false,
    }
}
