//! Active expiry: the leader looks for keys whose time has come, and hashes with fields whose time
//! has, and proposes their removal.
//!
//! A replica never removes a key by itself; what an entry does not say has not happened.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use quoris_engine::ExpiryPlace;
use quoris_resp::encode_command;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::flush;
use crate::shared::Shared;

/// The tag of removals; client batches count from 1.
const TAG: u64 = 0;
/// Keys removed by one entry.
const KEYS_MAX: usize = 1000;
/// Between two entries while there is much to remove, so that clients have their turn.
const PAUSE: Duration = Duration::from_millis(2);

/// Whether and how far keys are being removed.
pub(crate) struct Expiry {
    /// `DEBUG SET-ACTIVE-EXPIRE`.
    pub(crate) is_on: Cell<bool>,
    settled: Notify,
}

impl Default for Expiry {
    fn default() -> Self {
        Expiry { is_on: Cell::new(true), settled: Notify::new() }
    }
}

impl Expiry {
    /// A proposal with this tag has been applied or has failed.
    #[inline]
    pub(crate) fn settled(&self, tag: Option<u64>) {
        if tag == Some(TAG) {
            self.settled.notify_one();
        }
    }
}

/// Removes expired keys while this node leads, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let mut place = ExpiryPlace::default();
    loop {
        let hz = shared.config.borrow().hz().clamp(1, 500);
        sleep(Duration::from_secs(1) / hz).await;
        while may_look(&shared) {
            let now_ms = shared.unix_ms(Instant::now());
            let found = shared.engine.borrow_mut().expired_sample(now_ms, KEYS_MAX, &mut place);
            if found.is_empty() {
                break;
            }
            flush::propose(&shared, TAG, payload(&found));
            shared.expiry.settled.notified().await;
            // One entry removes a part of a big hash's fields, so there may be more where few keys
            // were found.
            sleep(PAUSE).await;
        }
    }
}

/// A script that has paused reads one state, and the search for expired keys tidies up.
fn may_look(shared: &Shared) -> bool {
    shared.expiry.is_on.get() && shared.group().is_leader() && !shared.scripts.is_running()
}

/// `SELECT db` and `quoris.expire key…` for each run of keys of one database.
fn payload(found: &[(u16, Vec<u8>)]) -> Bytes {
    let mut out = Vec::new();
    for keys in found.chunk_by(|one, next| one.0 == next.0) {
        let db = keys[0].0.to_string();
        encode_command(&mut out, [b"SELECT" as &[u8], db.as_bytes()].into_iter());
        let words: Vec<&[u8]> = std::iter::once(&b"quoris.expire"[..])
            .chain(keys.iter().map(|(_, key)| &key[..]))
            .collect();
        encode_command(&mut out, words.into_iter());
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_database_are_removed_by_one_command() {
        let found = [(0, b"a".to_vec()), (0, b"b".to_vec()), (3, b"c".to_vec())];
        let text = String::from_utf8(payload(&found).to_vec()).expect("ASCII");
        let expected = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n\
             *3\r\n$13\r\nquoris.expire\r\n$1\r\na\r\n$1\r\nb\r\n\
             *2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$13\r\nquoris.expire\r\n$1\r\nc\r\n";
        assert_eq!(text, expected);
    }
}
