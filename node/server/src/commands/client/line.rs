//! The line that describes a client in `CLIENT LIST` and `CLIENT INFO`.

use std::fmt::Write as _;

use quoris_resp::Protocol;

use super::Watch;
use crate::pubsub::Kind;
use crate::registry::Registry;
use crate::session::{Ending, Hold, Session};
use crate::tracking::Mode;

/// Appends a client's line, with all fields of Redis 7.2 in its order.
///
/// Replies lie in one buffer here, so that there is no list of them (`oll`, `omem`). The file
/// descriptor is the transport's secret.
pub(super) fn write(session: &Session, registry: &Registry, watch: &Watch<'_>, out: &mut String) {
    let seconds = |since_ms: u64| watch.now_ms.saturating_sub(since_ms) / 1000;
    let (input, output) = (session.input_bytes(), session.output_bytes());
    let command = session.last_command.get().map(|number| registry.entry(number).full_name());
    let resp = match session.protocol.get() {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    let multi = session.transaction.borrow();
    let multi = multi.as_ref().map(|transaction| (transaction.len(), transaction.bytes()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let track = session.tracking.borrow();
    let redirect =
        track.as_ref().map_or_else(|| "-1".to_owned(), |track| track.redirect.to_string());
    let subscriptions = session.subscriptions.borrow();
    let subscribed = |kind| {
        subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.len(kind)).to_string()
    };
    let fields: [(&str, String); 30] = [
        ("id", session.id.to_string()),
        ("addr", session.peer.to_string()),
        ("laddr", session.local.to_string()),
        ("fd", "-1".to_owned()),
        ("name", text(&session.name.borrow())),
        ("age", seconds(session.created_ms).to_string()),
        ("idle", seconds(session.active_ms.get()).to_string()),
        ("flags", flags(session, watch)),
        ("db", session.db.get().to_string()),
        ("sub", subscribed(Kind::Channel)),
        ("psub", subscribed(Kind::Pattern)),
        ("ssub", subscribed(Kind::Shard)),
        ("multi", multi.map_or("-1".to_owned(), |(len, _)| len.to_string())),
        ("qbuf", input.to_string()),
        ("qbuf-free", "0".to_owned()),
        ("argv-mem", "0".to_owned()),
        ("multi-mem", multi.map_or(0, |(_, bytes)| bytes).to_string()),
        ("rbs", output.to_string()),
        ("rbp", output.to_string()),
        ("obl", output.to_string()),
        ("oll", "0".to_owned()),
        ("omem", "0".to_owned()),
        ("tot-mem", (size_of::<Session>() + input + output).to_string()),
        ("events", if output > 0 { "rw" } else { "r" }.to_owned()),
        ("cmd", command.unwrap_or_else(|| "NULL".to_owned())),
        ("user", "default".to_owned()),
        ("redir", redirect),
        ("resp", resp.to_string()),
        ("lib-name", text(&session.library_name.borrow())),
        ("lib-ver", text(&session.library_version.borrow())),
    ];
    for (at, (name, value)) in fields.iter().enumerate() {
        let blank = if at == 0 { "" } else { " " };
        let _ = write!(out, "{blank}{name}={value}");
    }
    out.push('\n');
}

/// The letters of a client's state, in Redis's order; `N` for none.
fn flags(session: &Session, watch: &Watch<'_>) -> String {
    let track = session.tracking.borrow();
    let states = [
        ('O', watch.observe.is_monitor(session)),
        ('P', session.is_subscriber.get()),
        ('x', session.is_in_multi()),
        ('b', matches!(session.hold(), Hold::Later | Hold::Blocked)),
        ('t', track.is_some()),
        ('R', track.as_ref().is_some_and(|track| track.is_broken)),
        ('B', track.as_ref().is_some_and(|track| track.mode == Mode::Broadcast)),
        ('d', session.watching.borrow().as_ref().is_some_and(|keys| keys.is_changed())),
        ('c', session.ending() == Ending::AfterReply),
        ('A', session.ending() == Ending::Now),
        ('r', session.readonly.get()),
        ('e', session.no_evict.get()),
        ('T', session.no_touch.get()),
    ];
    let letters: String = states.iter().filter(|(_, is)| *is).map(|(letter, _)| letter).collect();
    if letters.is_empty() { "N".to_owned() } else { letters }
}
