//! The Redis serialization protocol: requests in, replies out.
//!
//! Two halves that share nothing but the format. [`RequestParser`] finds the arguments of the next
//! command in the bytes that a client sent, without copying them: a command is a row of
//! [`Span`]s into the read buffer, so that a pipeline of a thousand commands costs a thousand
//! short loops and no allocation. [`Writer`] appends replies to a byte vector, in RESP2 or RESP3
//! as the connection chose with `HELLO`; one handler serves both, because a [`Writer`] knows how
//! a map, a set, a null or a double looks in each. For programs on the other end of the connection
//! (the command-line tool, tests) [`Reply`] reads what a writer wrote.
//!
//! Invariants: nothing here reads a socket, a clock or a global; no input makes the parser
//! panic, or reserve memory that the client has not yet earned by sending bytes.
//!
//! Protocol: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
#![no_std]

extern crate alloc;

mod number;
mod reply;
mod request;
mod words;
mod writer;

pub use number::{LongDouble, format_double, parse_double, parse_i64};
pub use reply::{DEPTH_MAX as REPLY_DEPTH_MAX, Reply, ReplyError, ReplyScanner};
pub use request::{Limits, Parsed, ProtocolError, RequestParser, Span, encode_command};
pub use words::split as split_words;
pub use writer::{Deferred, Protocol, Writer};
