//! Where a connection may hear something else than from Redis 7.0.15. What one command answers by
//! itself is compared, and what may differ there is listed, in `node/engine/tests/oracle`.

use quoris_resp::Reply;

use super::dialogue::Step;
use super::scene::is_message;

/// Whether somebody has heard the same in a step, or what Redis 7.2 says instead.
pub fn is_same(step: &Step, ours: &[u8], theirs: &[u8]) -> bool {
    let has_exec = || step.requests.iter().any(|words| words[0].eq_ignore_ascii_case(b"exec"));
    ours == theirs
        || text(ours) == since_72(&text(theirs))
        || is_told_why(&text(ours), &text(theirs))
        || has_exec() && without_messages(ours) == without_messages(theirs)
}

/// Errors repeat bytes that are no text, which ours replace.
fn text(heard: &[u8]) -> String {
    String::from_utf8_lossy(heard).into_owned()
}

/// 7.2 names the command in small letters.
fn since_72(theirs: &str) -> String {
    theirs.replace("ERR Unbalanced XREAD list", "ERR Unbalanced 'xread' list")
}

/// 7.2 tells those who wait in `XREADGROUP` what has become of the key.
fn is_told_why(ours: &str, theirs: &str) -> bool {
    theirs == "-UNBLOCKED the stream key no longer exists\r\n"
        && ["-WRONGTYPE ", "-NOGROUP "].iter().any(|code| ours.starts_with(code))
}

/// What a transaction sends to its own connection follows its replies. 7.0 puts it among them,
/// where no client can tell it from one; so does 7.2 where the client speaks RESP2.
fn without_messages(heard: &[u8]) -> Vec<u8> {
    let (mut rest, mut kept) = (heard, Vec::new());
    while let Some((first, behind)) = rest.split_first() {
        match Reply::parse(rest) {
            Ok(Some((reply, length))) if is_message(&reply) => rest = &rest[length..],
            _ => {
                kept.push(*first);
                rest = behind;
            }
        }
    }
    kept
}
