//! The messages that tell a client what to forget.

use std::rc::Rc;

use quoris_resp::{Protocol, Writer};

use crate::session::{Ending, Session};
use crate::shared::Shared;

/// The channel on which clients that speak RESP2 listen for others.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// What is out of date.
pub(super) enum Stale<'a> {
    Keys(&'a [&'a [u8]]),
    Everything,
}

impl Stale<'_> {
    fn write(&self, reply: &mut Writer<'_>) {
        match self {
            Stale::Keys(keys) => {
                reply.array(keys.len());
                keys.iter().for_each(|key| reply.bulk(key));
            }
            Stale::Everything => reply.null(),
        }
    }
}

/// Tells a client, or the one that it has named in its place.
pub(super) fn tell(shared: &Shared, session: &Rc<Session>, stale: &Stale<'_>) {
    let redirect = session.tracking.borrow().as_ref().map_or(0, |track| track.redirect);
    if redirect == 0 {
        // In RESP2 there is no way to tell it on its own connection.
        if session.protocol.get() == Protocol::Resp3 {
            push(shared, session, stale);
        }
        return;
    }
    let other = shared.sessions.get(redirect).filter(|other| other.ending() != Ending::Now);
    match other {
        None => complain(shared, session, redirect),
        Some(other) if other.protocol.get() == Protocol::Resp3 => push(shared, &other, stale),
        Some(other) if other.is_subscriber.get() => shared.reply(&other, |reply| {
            reply.push(3);
            reply.bulk(b"message");
            reply.bulk(CHANNEL);
            stale.write(reply);
        }),
        Some(_) => {}
    }
}

fn push(shared: &Shared, session: &Rc<Session>, stale: &Stale<'_>) {
    shared.reply(session, |reply| {
        reply.push(2);
        reply.bulk(b"invalidate");
        stale.write(reply);
    });
}

/// The client that was to be told is gone: what this one caches is good for nothing any more.
fn complain(shared: &Shared, session: &Rc<Session>, redirect: u64) {
    if let Some(track) = &mut *session.tracking.borrow_mut() {
        track.is_broken = true;
    }
    if session.protocol.get() == Protocol::Resp3 {
        shared.reply(session, |reply| {
            reply.push(2);
            reply.bulk(b"tracking-redir-broken");
            reply.integer(redirect as i64);
        });
    }
}
