//! Floating-point numbers, by tables and against a real Redis.

use crate::common::{Redis, parse_replies};
use proptest::prelude::*;
use quoris_resp::{LongDouble, Reply, encode_command, format_double, parse_double};

/// What Redis 7.2 prints (its `d2string`), row by row of the rules.
#[test]
fn doubles_print_as_redis_prints_them() {
    for (value, expected) in [
        (f64::NAN, "nan"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-17.0, "-17"),
        // Integers of up to 2^62 are printed as such.
        (9_007_199_254_740_993.0, "9007199254740992"),
        (1e17, "100000000000000000"),
        (4_611_686_018_427_387_904.0, "4611686018427387904"),
        (-4_611_686_018_427_387_904.0, "-4611686018427387904"),
        // Beyond, plain if at most seven zeros follow the shortest digits.
        (4_611_686_018_427_388_928.0, "4611686018427389000"),
        (1.234_567_890_123_456_7e19, "12345678901234567000"),
        (1.234_567_890_123_456_7e23, "123456789012345670000000"),
        (1.234_567_890_123_456_8e24, "1.2345678901234568e+24"),
        (1e19, "1e+19"),
        (1e21, "1e+21"),
        (-1.5e22, "-1.5e+22"),
        (1e100, "1e+100"),
        (f64::MAX, "1.7976931348623157e+308"),
        // Fractions: plain if the digits end within six decimals, or the exponent is above -4.
        (0.1, "0.1"),
        (3.25, "3.25"),
        (-0.1, "-0.1"),
        (0.000_001, "0.000001"),
        (0.000_012, "0.000012"),
        (0.000_000_1, "1e-7"),
        (0.000_001_2, "1.2e-6"),
        (0.000_123_456_7, "1.234567e-4"),
        (0.001_234_567, "0.001234567"),
        (0.012_345_678_901, "0.012345678901"),
        (123.456_789_012_345, "123.456789012345"),
        (12_345.678_901_234_567, "1.2345678901234567e+4"),
        (1_234.567_890_123_456_7, "1234.5678901234567"),
        (0.1 + 0.2, "0.30000000000000004"),
        (5e-324, "5e-324"),
        (2.225_073_858_507_201_4e-308, "2.2250738585072014e-308"),
    ] {
        assert_eq!(format_double(value), expected, "{value:e}");
    }
}

/// Texts at the edges of `strtod`'s grammar and range, and their values.
const DOUBLES: &[(&str, Option<f64>)] = &[
    ("0", Some(0.0)),
    ("-0", Some(-0.0)),
    ("+5", Some(5.0)),
    ("1.5", Some(1.5)),
    (".5", Some(0.5)),
    ("5.", Some(5.0)),
    ("-1e5", Some(-1e5)),
    ("1E+5", Some(1e5)),
    ("007", Some(7.0)),
    ("inf", Some(f64::INFINITY)),
    ("+inf", Some(f64::INFINITY)),
    ("-inf", Some(f64::NEG_INFINITY)),
    ("Infinity", Some(f64::INFINITY)),
    ("-INFINITY", Some(f64::NEG_INFINITY)),
    ("0x10", Some(16.0)),
    ("0X1P4", Some(16.0)),
    ("-0x1.8p1", Some(-3.0)),
    ("0x.8", Some(0.5)),
    ("0x1.p1", Some(2.0)),
    ("0x0p0", Some(0.0)),
    ("0x1.fffffffffffff7p0", Some(1.999_999_999_999_999_8)),
    ("0x1.fffffffffffff8p0", Some(2.0)),
    ("0x1.00000000000008p0", Some(1.0)),
    ("0x1.000000000000080000000000000000000000001p0", Some(1.000_000_000_000_000_2)),
    ("0x1.fffffffffffffp1023", Some(f64::MAX)),
    ("0x1.fffffffffffff8p1023", None),
    ("0x1p-1074", Some(5e-324)),
    ("0x1.8p-1075", Some(5e-324)),
    ("0x1p-1075", None),
    ("0x1p1024", None),
    ("0x1p999999999999999999999", None),
    ("5e-324", Some(5e-324)),
    ("2e-324", None),
    ("1e-400", None),
    ("0e-400", Some(0.0)),
    ("0e999999999999999999999", Some(0.0)),
    ("1.7976931348623157e308", Some(f64::MAX)),
    ("1.7976931348623159e308", None),
    ("1e400", None),
    ("-1e400", None),
    ("nan", None),
    ("-nan", None),
    ("nan(1)", None),
    ("infi", None),
    ("infinityx", None),
    ("", None),
    ("+", None),
    ("-", None),
    (".", None),
    ("e5", None),
    (".e5", None),
    ("1e", None),
    ("1e+", None),
    ("0x", None),
    ("0x.", None),
    ("0x1p", None),
    ("++5", None),
    ("+-5", None),
    (" 1", None),
    ("1 ", None),
    ("1\n", None),
    ("1_0", None),
    ("1,5", None),
    ("1f", None),
];

#[test]
fn doubles_are_read_as_strtod_reads_them() {
    for &(text, expected) in DOUBLES {
        let bits = parse_double(text.as_bytes()).map(f64::to_bits);
        assert_eq!(bits, expected.map(f64::to_bits), "{text:?}");
    }
}

#[test]
fn a_real_redis_reads_the_same_doubles() {
    let Some(redis) = Redis::start("doubles", &[]) else { return };
    for &(text, expected) in DOUBLES {
        // GEOADD would round and INCRBYFLOAT is not a double: a score is.
        let replies =
            ask(&redis, &[&["ZADD", "k", text, "m"], &["ZSCORE", "k", "m"], &["DEL", "k"]]);
        let score = replies[1].as_bytes().map(|score| parse_double(score).expect("a score"));
        assert_eq!(score, expected, "{text:?}");
    }
}

/// `INCRBYFLOAT`: a value, an increment, and what is stored then.
#[test]
fn long_doubles_add_up_as_people_expect() {
    for (value, increment, expected) in [
        ("10.5", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("3.0", "1.1", "4.1"),
        ("0.1", "0.2", "0.3"),
        ("1.1", "-1.1", "0"),
        ("-0", "0", "0"),
        ("1", "1e-17", "1.00000000000000001"),
        ("1", "1e-18", "1"),
        ("-1e-20", "0", "0"),
        ("0x10", "0x1p-1", "16.5"),
        ("1e400", "0", ""),
        ("inf", "-1", "inf"),
        ("inf", "-inf", "nan"),
        ("1e4932", "1e4932", "inf"),
    ] {
        let [a, b] = [value, increment].map(|text| LongDouble::parse(text.as_bytes()));
        let sum = a.expect("a number") + b.expect("a number");
        if expected.is_empty() {
            assert_eq!(sum.to_human().len(), 401, "{value}");
        } else {
            assert_eq!(sum.to_human(), expected, "{value} + {increment}");
        }
    }
    for text in ["", "nan", " 1", "1 ", "1e5000", "1e-5000", "0x1p16384", "0x1p-16447", "1.2.3"] {
        assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
    }
    assert!(LongDouble::parse(&[b'1'; 5119]).is_none(), "out of range");
    assert!(LongDouble::parse(&[b'0'; 5119]).is_some());
    assert!(LongDouble::parse(&[b'0'; 5120]).is_none(), "longer than Redis's buffer");
}

fn ask(redis: &Redis, commands: &[&[&str]]) -> Vec<Reply> {
    let mut input = Vec::new();
    for command in commands {
        encode_command(&mut input, command.iter().map(|argument| argument.as_bytes()));
    }
    parse_replies(&redis.exchange(&input))
}

/// Numbers as people write them, and as computers do.
fn number() -> impl Strategy<Value = String> {
    let people = "[+-]?[0-9]{1,6}(\\.[0-9]{1,4})?";
    let long = "[+-]?[0-9]{0,30}\\.[0-9]{1,30}(e[+-]?[0-9]{1,3})?";
    let extreme = "[+-]?[1-9]\\.[0-9]{1,25}e(-49[0-9]{2}|49[0-3][0-9]|[+-]?[0-9]{1,4})";
    let hex = "[+-]?0x[0-9a-f]{1,40}(\\.[0-9a-f]{1,10})?(p[+-]?[0-9]{1,3})?";
    prop_oneof![
        4 => people.prop_map(String::from),
        2 => long.prop_map(String::from),
        1 => extreme.prop_map(String::from),
        1 => hex.prop_map(String::from),
        1 => any::<f64>().prop_map(|value| format!("{value:e}")),
    ]
}

/// Elsewhere than on x86 a C compiler's long double is another format.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_real_redis_adds_long_doubles_alike() {
    let Some(redis) = Redis::start("long-doubles", &[]) else { return };
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) };
    proptest!(config, |(value in number(), increment in number())| {
        let set: &[&str] = &["SET", "k", &value];
        let theirs = ask(&redis, &[set, &["INCRBYFLOAT", "k", &increment]]).pop();
        let theirs = theirs.expect("two replies");
        let numbers = [&value, &increment].map(|text| LongDouble::parse(text.as_bytes()));
        let ours = match numbers {
            [Some(a), Some(b)] if (a + b).is_finite() => Reply::Bulk((a + b).to_human().into()),
            [Some(_), Some(_)] => Reply::Error("ERR increment would produce NaN or Infinity".into()),
            _ => Reply::Error("ERR value is not a valid float".into()),
        };
        prop_assert_eq!(ours, theirs);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn what_is_printed_reads_back(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        let read = parse_double(format_double(value).as_bytes());
        prop_assert_eq!(read.map(f64::to_bits), Some(bits));
    }

    #[test]
    fn hexadecimal_digits_are_exact(mantissa in 0_u64..1 << 53, exponent in -1074_i32..=971, negative: bool) {
        let value = mantissa as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
        let sign = if negative { "-" } else { "" };
        let read = parse_double(format!("{sign}0x{mantissa:x}p{exponent}").as_bytes());
        prop_assert_eq!(read, Some(if negative { -value } else { value }));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+.0-9a-fA-FxXpPinty]{0,40}") {
        let _ = (parse_double(text.as_bytes()), LongDouble::parse(text.as_bytes()));
    }
}
