//! Clients that wait for something to appear in a key: `BLPOP` and its siblings, `XREAD`, `XREADGROUP`.
//!
//! ```text
//! the request     joins a batch like any write: the first attempt
//! found nothing   the session waits, in the queue of each of its keys
//! a push          joins a batch; attempts for the first waiters join directly behind it
//! the entry       is applied: who got what is the same on every replica, and after a failover
//! ```
//!
//! An attempt is an ordinary command in the log, `BLPOP key 0` for one of the waiter's keys. So a
//! pop for a waiting client has one outcome that all replicas share, and nothing is popped for a
//! client that has gone or whose time is over when the attempt would be proposed. An attempt that
//! finds nothing, because somebody was faster or the push had failed, leaves the waiter in its
//! place. Each waiter has one attempt under way at most, since the first may serve it.
//!
//! Which writes may serve a waiter shows in their declarations. For all others, and for elements
//! left over, a key that an entry has touched is looked at when the entry has been applied.
//!
//! Those who read streams wait in the same queues; [`streams`] says what is different for them.
//!
//! While an attempt is under way, a timeout, `CLIENT UNBLOCK` or the loss of the slot have to wait
//! for its outcome: the client may have been served.

mod queues;
mod serve;
mod streams;
mod waiter;

pub(crate) use self::queues::{Queues, run};
pub(crate) use self::streams::is_nothing;
pub(crate) use self::waiter::{End, Waiter, may_wait};
