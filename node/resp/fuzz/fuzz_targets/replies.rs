//! Whatever a server sends, reading it ends, and piecewise scanning finds the same end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quoris_resp::{Reply, ReplyScanner};

fuzz_target!(|input: &[u8]| {
    let whole = ReplyScanner::default().scan(input);
    let mut scanner = ReplyScanner::default();
    let piecewise = (0..=input.len())
        .map(|end| scanner.scan(&input[..end]))
        .find(|found| !matches!(found, Ok(None)))
        .unwrap_or(Ok(None));
    assert_eq!(whole, piecewise);
    if let Ok(Some((_, length))) = Reply::parse(input) {
        assert_eq!(whole, Ok(Some(length)));
    }
});
