//! HELLO: the protocol version, and who both sides are.

use quoris_engine::spec::{Flags, Group, Spec, block, integer, string};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::{Protocol, Writer, parse_i64};

use super::authentication::authenticate;
use crate::cli::REDIS_VERSION;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;

pub(super) const COMMANDS: &[NodeCommand] = &[HELLO];

/// HELLO [protover [AUTH username password] [SETNAME clientname]]
const HELLO: NodeCommand = NodeCommand::new(
    Spec::new("hello", Group::Connection, "6.0.0", "Agrees on a protocol version.")
        .args(&[block(
            "arguments",
            &[
                integer("protover"),
                block("auth", &[string("username"), string("password")]).after("AUTH").optional(),
                string("clientname").after("SETNAME").optional(),
            ],
        )
        .optional()])
        .flags(
            Flags::FAST
                .or(Flags::NOSCRIPT)
                .or(Flags::LOADING)
                .or(Flags::STALE)
                .or(Flags::NO_AUTH)
                .or(Flags::ALLOW_BUSY),
        ),
    hello,
);

fn hello(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let protocol = match args.try_get(1).map(parse_i64) {
        None => None,
        Some(None) => return Err(replies::PROTOCOL_NOT_INTEGER),
        Some(Some(2)) => Some(Protocol::Resp2),
        Some(Some(3)) => Some(Protocol::Resp3),
        Some(Some(_)) => return Err(replies::UNSUPPORTED_PROTOCOL),
    };
    let Options { credentials, name } = options(args)?;
    if let Some((user, password)) = credentials {
        authenticate(cx, user, password)?;
    }
    if !cx.session.authenticated.get() {
        return Err(replies::HELLO_NO_AUTH);
    }
    if let Some(name) = name {
        set_name(cx, name);
    }
    if let Some(protocol) = protocol {
        cx.session.protocol.set(protocol);
        reply.set_protocol(protocol);
    }
    greet(cx, reply);
    Ok(Outcome::Done)
}

/// What stands behind the version.
#[derive(Default)]
struct Options<'a> {
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn options(args: Args<'_>) -> Result<Options<'_>> {
    let (mut at, mut found) = (2, Options::default());
    while let Some(option) = args.try_get(at) {
        match (args.try_get(at + 1), args.try_get(at + 2)) {
            (Some(user), Some(password)) if option.eq_ignore_ascii_case(b"auth") => {
                found.credentials = Some((user, password));
                at += 3;
            }
            (Some(word), _) if option.eq_ignore_ascii_case(b"setname") => {
                check_name(word)?;
                found.name = Some(word);
                at += 2;
            }
            _ => {
                let option = String::from_utf8_lossy(option);
                let text = format!("ERR Syntax error in HELLO option '{option}'");
                return Err(CommandError::text(text));
            }
        }
    }
    Ok(found)
}

/// Whether a word can be a client's name.
///
/// # Errors
/// Redis's text if it has blanks or control characters.
pub(super) fn check_name(name: &[u8]) -> Result {
    let fits = name.iter().all(|byte| (b'!'..=b'~').contains(byte));
    if fits { Ok(()) } else { Err(replies::BAD_CLIENT_NAME) }
}

/// Names the connection; the empty name is none.
pub(super) fn set_name(cx: &NodeCx<'_>, name: &[u8]) {
    name.clone_into(&mut cx.session.name.borrow_mut());
}

fn greet(cx: &NodeCx<'_>, reply: &mut Writer<'_>) {
    let leads = cx.shared.group().is_leader();
    let version = match cx.session.protocol.get() {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(version);
    reply.bulk(b"id");
    reply.integer(cx.session.id as i64);
    reply.bulk(b"mode");
    reply.bulk(if cx.shared.config.borrow().cluster_enabled() {
        b"cluster"
    } else {
        b"standalone"
    });
    reply.bulk(b"role");
    reply.bulk(if leads { b"master" } else { b"replica" });
    reply.bulk(b"modules");
    reply.array(0);
}
