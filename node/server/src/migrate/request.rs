//! What a client asks `MIGRATE` for.

use std::time::Duration;

use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::parse_i64;

const KEY_AND_KEYS: CommandError = CommandError::fixed(
    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
);

/// How long the other server may take for a step, where the client says nothing of use.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A parsed request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// `host:port`.
    pub(super) address: String,
    /// The database there.
    pub(super) db: i64,
    /// How long each step may take.
    pub(super) timeout: Duration,
    /// The keys stay here too.
    pub(super) copies: bool,
    /// What is there under the same names gives way.
    pub(super) replaces: bool,
    /// The words of `AUTH`, if the other server wants it.
    pub(super) login: Vec<Vec<u8>>,
    pub(super) keys: Vec<Vec<u8>>,
}

impl Request {
    /// # Errors
    /// Redis's, in its order.
    pub(super) fn parse(args: &Args<'_>) -> Result<Request> {
        let mut request = Request {
            address: address(&args[1], &args[2]),
            db: 0,
            timeout: TIMEOUT,
            copies: false,
            replaces: false,
            login: Vec::new(),
            keys: vec![args[3].to_vec()],
        };
        let mut at = 6;
        while let Some(word) = args.try_get(at) {
            let is = |option: &str| word.eq_ignore_ascii_case(option.as_bytes());
            at += 1;
            if is("copy") {
                request.copies = true;
            } else if is("replace") {
                request.replaces = true;
            } else if is("auth") || is("auth2") {
                let count = if is("auth") { 1 } else { 2 };
                if at + count > args.len() {
                    return Err(error::SYNTAX);
                }
                request.login = (at..at + count).map(|at| args[at].to_vec()).collect();
                at += count;
            } else if is("keys") {
                if !args[3].is_empty() {
                    return Err(KEY_AND_KEYS);
                }
                request.keys = args.from(at).map(<[u8]>::to_vec).collect();
                break;
            } else {
                return Err(error::SYNTAX);
            }
        }
        let timeout = parse_i64(&args[5]).ok_or(error::NOT_INTEGER)?;
        request.db = parse_i64(&args[4]).ok_or(error::NOT_INTEGER)?;
        if let Some(millis) = u64::try_from(timeout).ok().filter(|millis| *millis > 0) {
            request.timeout = Duration::from_millis(millis);
        }
        Ok(request)
    }
}

fn address(host: &[u8], port: &[u8]) -> String {
    let (host, port) = (String::from_utf8_lossy(host), String::from_utf8_lossy(port));
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use quoris_resp::split_words;

    use super::*;

    fn parse(line: &str) -> Result<Request> {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        split_words(line.as_bytes(), &mut spans, &mut words).expect("balanced quotes");
        Request::parse(&Args::new(&words, &spans))
    }

    #[test]
    fn options_come_in_any_order_and_keys_last() {
        let line = "MIGRATE ::1 7 \"\" 3 -5 replace AUTH2 me secret COPY KEYS copy keys";
        let request = parse(line).expect("a valid request");
        assert_eq!(request.address, "[::1]:7");
        assert_eq!((request.db, request.timeout), (3, TIMEOUT));
        assert!(request.copies && request.replaces);
        assert_eq!(request.login, [b"me".to_vec(), b"secret".to_vec()]);
        assert_eq!(request.keys, [b"copy".to_vec(), b"keys".to_vec()]);
    }

    #[test]
    fn bad_requests_get_redis_errors() {
        let table = [
            ("MIGRATE h 1 key 0 9 KEYS a", KEY_AND_KEYS),
            ("MIGRATE h 1 key 0 9 AUTH", error::SYNTAX),
            ("MIGRATE h 1 key 0 9 AUTH2 me", error::SYNTAX),
            ("MIGRATE h 1 key 0 9 MOVE", error::SYNTAX),
            ("MIGRATE h 1 key x 9", error::NOT_INTEGER),
            ("MIGRATE h 1 key 0 x", error::NOT_INTEGER),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line), Err(expected), "{line}");
        }
    }
}
