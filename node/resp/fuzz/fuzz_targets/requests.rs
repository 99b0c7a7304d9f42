//! Requests that arrive in one piece and byte by byte are the same requests, and the same errors.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quoris_resp::{Limits, Parsed, ProtocolError, RequestParser};

type Outcome = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

fn parse(input: &[u8], step: usize) -> Outcome {
    let limits = Limits { line_bytes_max: 128, ..Limits::default() };
    let (mut parser, mut spans, mut words) = (RequestParser::default(), Vec::new(), Vec::new());
    let (mut commands, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        let buffer = &input[start..end];
        match parser.next(buffer, &limits, &mut spans, &mut words) {
            Err(error) => return (commands, Some(error)),
            Ok(Parsed::Incomplete) if end == input.len() => return (commands, None),
            Ok(Parsed::Incomplete) => end = (end + step).min(input.len()),
            Ok(Parsed::Nothing { consumed }) => start += consumed,
            Ok(Parsed::Command { consumed }) => {
                commands.push(spans.iter().map(|span| span.of(buffer).to_vec()).collect());
                start += consumed;
            }
            Ok(Parsed::Inline { consumed }) => {
                commands.push(spans.iter().map(|span| span.of(&words).to_vec()).collect());
                start += consumed;
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    assert_eq!(parse(input, input.len().max(1)), parse(input, 1));
});
