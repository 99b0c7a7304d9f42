//! Directives that belong to the shard rather than to the node: see [`Settings::NAMES`].
//!
//! What a command does must not depend on which replica runs it, so these are part of the
//! replicated state and change by an entry. A node's own file is no more than a wish:
//!
//! ```text
//! a node starts                its engine has the defaults, or what its snapshot and log say
//! it becomes the leader        it proposes what its file gives and the shard has otherwise; clients
//!                              wait until that has been applied
//! CONFIG SET on the leader     an entry; a wish for the same directive is dropped
//! CONFIG SET on a follower     refused, naming the leader
//! an entry changes a setting   every replica's configuration follows, so CONFIG GET tells the truth
//! ```
//!
//! So the file of the node that leads first decides, and an edited file takes effect when its node
//! has been started again and leads.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use quoris_engine::Settings;
use quoris_resp::encode_command;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::config::Config;
use crate::flush;
use crate::shared::Shared;

/// The tag of the entry that grants the wishes; client batches count up from 1.
const TAG: u64 = u64::MAX;

/// After this long a proposal is made again: it may have been lost with an office that was won back.
const AGAIN: Duration = Duration::from_secs(1);

/// What this node's file says about the shard and has not been told it.
pub(crate) struct Wishes {
    open: RefCell<Vec<(&'static str, String)>>,
    settled: Notify,
}

impl Wishes {
    /// What `config` gives, and what the topology says.
    pub(crate) fn of(config: &Config, is_single_shard: bool) -> Self {
        let given = |name| Some((name, config.given(name)?));
        let mut open: Vec<_> = Settings::NAMES.into_iter().filter_map(given).collect();
        if !is_single_shard {
            open.push((Settings::SEVERAL_SHARDS, "yes".to_owned()));
        }
        Wishes { open: RefCell::new(open), settled: Notify::new() }
    }

    /// Whether there are none, so that a leader may serve.
    #[inline]
    pub(crate) fn are_settled(&self) -> bool {
        self.open.borrow().is_empty()
    }

    fn drop_all(&self) {
        self.open.borrow_mut().clear();
        self.settled.notify_one();
    }
}

/// Proposes the wishes once this node leads, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let mut standing = shared.group().watch();
    loop {
        while shared.group().is_leader() && !shared.wishes.are_settled() {
            // Before it has applied what its log holds, it does not know what the shard has.
            if shared.group().renew_lease().await.is_err() {
                break;
            }
            let payload = payload(&shared.wishes.open.borrow(), shared.engine.borrow().settings());
            match payload {
                Some(payload) => flush::propose(&shared, TAG, payload),
                None => shared.wishes.drop_all(),
            }
            // What counts is whether they are settled, which is looked at next.
            let _ = timeout(AGAIN, shared.wishes.settled.notified()).await;
        }
        if shared.group().is_leader() {
            shared.waits.resume_leaderless();
        } else if !shared.cluster().formation().is_alone() {
            // What an operator set here and nobody committed is not so.
            follow(&shared);
        }
        if standing.changed().await.is_err() {
            return;
        }
    }
}

/// Makes the configuration say what the shard's settings are; returns what it said wrong.
pub(crate) fn follow(shared: &Shared) -> Vec<&'static str> {
    let engine = shared.engine.borrow();
    let mut config = shared.config.borrow_mut();
    let mut news = Vec::new();
    for name in Settings::NAMES {
        let value = engine.settings().get(name);
        if value.is_some_and(|value| config.follow(name, &value)) {
            news.push(name);
        }
    }
    let bulk_bytes_max = config.proto_max_bulk_len();
    shared.limits.set(quoris_resp::Limits { bulk_bytes_max, ..shared.limits.get() });
    news
}

/// An entry that was proposed at `stamped_ms` has changed settings.
pub(crate) fn changed(shared: &Shared, tag: Option<u64>, stamped_ms: u64) {
    let news = follow(shared);
    if tag == Some(TAG) {
        shared.wishes.drop_all();
    } else if stamped_ms > shared.started_ms {
        // Somebody has set them since this node read its file.
        shared.wishes.open.borrow_mut().retain(|(wished, _)| !news.contains(wished));
    }
}

/// An entry with this tag has been applied.
pub(crate) fn applied(shared: &Shared, tag: Option<u64>) {
    if tag == Some(TAG) && !shared.wishes.are_settled() {
        let open = shared.wishes.open.borrow();
        tracing::warn!("the shard does not take these settings of this node's file: {open:?}");
        drop(open);
        shared.wishes.drop_all();
    }
}

/// The entry that makes `settings` what is wished for; `None` if they are that.
fn payload(wishes: &[(&'static str, String)], settings: &Settings) -> Option<Bytes> {
    let mut words: Vec<&[u8]> = vec![b"quoris.setting"];
    for (name, value) in wishes {
        let mut granted = settings.clone();
        if !granted.set(name, value) || granted == *settings {
            continue;
        }
        words.extend([name.as_bytes(), value.as_bytes()]);
    }
    let mut out = Vec::new();
    encode_command(&mut out, words.iter().copied());
    (words.len() > 1).then(|| out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(arguments: &[&str]) -> Vec<(&'static str, String)> {
        let config = Config::from_flags(arguments).expect("valid flags");
        Wishes::of(&config, true).open.into_inner()
    }

    #[test]
    fn the_engine_and_the_directives_have_the_same_defaults() {
        let (config, settings) = (Config::default(), Settings::default());
        for name in Settings::NAMES {
            let Some(value) = settings.get(name) else { continue };
            assert_eq!(config.print(name), Some(value), "{name}");
        }
    }

    #[test]
    fn only_what_was_given_is_wished_for() {
        let given = wishes(&["--hash-max-ziplist-entries", "5", "--maxclients", "77"]);
        assert_eq!(given, [("hash-max-listpack-entries", "5".to_owned())]);
        assert!(wishes(&[]).is_empty());
        let several = Wishes::of(&Config::default(), false).open.into_inner();
        let payload = payload(&several, &Settings::default()).expect("one shard is the default");
        assert!(String::from_utf8_lossy(&payload).contains("several-shards\r\n$3\r\nyes\r\n"));
    }

    #[test]
    fn only_what_differs_is_proposed() {
        let given = wishes(&["--set-max-intset-entries", "512", "--databases", "4"]);
        let payload = payload(&given, &Settings::default()).expect("16 databases are the default");
        let expected = "*3\r\n$14\r\nquoris.setting\r\n$9\r\ndatabases\r\n$1\r\n4\r\n";
        assert_eq!(String::from_utf8_lossy(&payload), expected);
        assert_eq!(super::payload(&given[..0], &Settings::default()), None);
    }
}
