//! CLIENT KILL, in its old form (an address) and its new one (filters).

use std::rc::Rc;

use quoris_engine::spec::{block, integer, one_of, string, token};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::{Writer, parse_i64};

use super::{ADMIN, ClientType, sub};
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::session::Session;

/// CLIENT KILL ip:port | [ID id] [TYPE type] [USER name] [ADDR ip:port] [LADDR ip:port]
/// [SKIPME yes|no] [MAXAGE seconds]
pub(super) const KILL: NodeCommand = NodeCommand::new(
    sub("kill", "2.4.0", "Closes connections.")
        .sub_args(&[one_of(
            "filter",
            &[
                string("old-format"),
                block(
                    "new-format",
                    &[
                        integer("client-id").after("ID").optional(),
                        one_of(
                            "client-type",
                            &[
                                token("normal", "NORMAL"),
                                token("master", "MASTER"),
                                token("slave", "SLAVE"),
                                token("replica", "REPLICA"),
                                token("pubsub", "PUBSUB"),
                            ],
                        )
                        .after("TYPE")
                        .optional(),
                        string("username").after("USER").optional(),
                        string("addr").after("ADDR").optional(),
                        string("laddr").after("LADDR").optional(),
                        one_of("skipme", &[token("yes", "YES"), token("no", "NO")])
                            .after("SKIPME")
                            .optional(),
                        integer("maxage").after("MAXAGE").optional(),
                    ],
                )
                .multiple(),
            ],
        )])
        .arity(-3)
        .flags(ADMIN)
        .complexity("O(N) where N is the number of client connections"),
    kill,
);

const NO_SUCH_CLIENT: CommandError = CommandError::fixed("ERR No such client");
const ID_TOO_LOW: CommandError = CommandError::fixed("ERR client-id should be greater than 0");
const BAD_AGE: CommandError = CommandError::fixed("ERR maxage is not an integer or out of range");
const AGE_TOO_LOW: CommandError = CommandError::fixed("ERR maxage should be greater than 0");

/// Which clients are meant: those that everything given applies to.
#[derive(Debug, PartialEq, Eq)]
struct Filter {
    id: Option<u64>,
    addr: Option<Vec<u8>>,
    local: Option<Vec<u8>>,
    kind: Option<ClientType>,
    age_min_s: Option<u64>,
    skip_me: bool,
}

impl Filter {
    const ALL: Filter =
        Filter { id: None, addr: None, local: None, kind: None, age_min_s: None, skip_me: true };

    /// Reads pairs of names and values.
    fn parse<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Filter> {
        let mut filter = Filter::ALL;
        while let Some(name) = words.next() {
            let value = words.next().ok_or(error::SYNTAX)?;
            match name.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = parse_i64(value).and_then(|id| u64::try_from(id).ok());
                    filter.id = Some(id.filter(|id| *id > 0).ok_or(ID_TOO_LOW)?);
                }
                b"maxage" => {
                    let age = parse_i64(value).ok_or(BAD_AGE)?;
                    let age = u64::try_from(age).ok().filter(|age| *age > 0);
                    filter.age_min_s = Some(age.ok_or(AGE_TOO_LOW)?);
                }
                b"type" => filter.kind = Some(ClientType::parse(value)?),
                b"addr" => filter.addr = Some(value.to_vec()),
                b"laddr" => filter.local = Some(value.to_vec()),
                b"user" => check_user(value)?,
                b"skipme" if value.eq_ignore_ascii_case(b"yes") => filter.skip_me = true,
                b"skipme" if value.eq_ignore_ascii_case(b"no") => filter.skip_me = false,
                _ => return Err(error::SYNTAX),
            }
        }
        Ok(filter)
    }

    fn applies(&self, session: &Session, me: u64, now_ms: u64) -> bool {
        let age_s = now_ms.saturating_sub(session.created_ms) / 1000;
        let is_at = |address: &Vec<u8>| *address == session.peer.to_string().as_bytes();
        let is_to = |address: &Vec<u8>| *address == session.local.to_string().as_bytes();
        self.id.is_none_or(|id| id == session.id)
            && self.addr.as_ref().is_none_or(is_at)
            && self.local.as_ref().is_none_or(is_to)
            && self.kind.is_none_or(|kind| kind == ClientType::of(session))
            && self.age_min_s.is_none_or(|age| age_s >= age)
            && !(self.skip_me && session.id == me)
    }
}

/// There is one user, and every client that may do anything is that one.
fn check_user(name: &[u8]) -> Result {
    if name == b"default" {
        return Ok(());
    }
    let name = String::from_utf8_lossy(name);
    Err(CommandError::text(format!("ERR No such user '{name}'")))
}

fn kill(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let is_old = args.len() == 3;
    let filter = if is_old {
        Filter { addr: Some(args[2].to_vec()), skip_me: false, ..Filter::ALL }
    } else {
        Filter::parse(args.from(2))?
    };
    let (me, now_ms) = (cx.session.id, cx.shared.clock.unix_ms());
    let mut found: Vec<Rc<Session>> = cx.shared.sessions.list();
    found.retain(|session| filter.applies(session, me, now_ms));
    if is_old {
        let Some(first) = found.first().cloned() else { return Err(NO_SUCH_CLIENT) };
        found = vec![first];
        reply.ok();
    } else {
        reply.count(found.len());
    }
    let is_suicide = found.iter().any(|session| session.id == me);
    found.iter().filter(|session| session.id != me).for_each(|session| session.kill());
    Ok(if is_suicide { Outcome::Close } else { Outcome::Done })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Filter, String> {
        let words = text.split(' ').map(str::as_bytes);
        Filter::parse(words).map_err(|error| error.as_str().to_owned())
    }

    #[test]
    fn filters_are_refused_as_redis_refuses_them() {
        let table = [
            ("id abc", "ERR client-id should be greater than 0"),
            ("id 0", "ERR client-id should be greater than 0"),
            ("foo bar", "ERR syntax error"),
            ("type foo", "ERR Unknown client type 'foo'"),
            ("user nouser", "ERR No such user 'nouser'"),
            ("skipme maybe", "ERR syntax error"),
            ("id 1 addr", "ERR syntax error"),
            ("maxage x", "ERR maxage is not an integer or out of range"),
            ("maxage 0", "ERR maxage should be greater than 0"),
        ];
        for (words, expected) in table {
            assert_eq!(parse(words), Err(expected.to_owned()), "{words}");
        }
    }

    #[test]
    fn filters_add_up() {
        let expected = Filter {
            id: Some(7),
            addr: Some(b"1.2.3.4:5".to_vec()),
            kind: Some(ClientType::PubSub),
            age_min_s: Some(60),
            skip_me: false,
            ..Filter::ALL
        };
        let words = "ID 7 ADDR 1.2.3.4:5 TYPE pubsub USER default MAXAGE 60 SKIPME no";
        assert_eq!(parse(words), Ok(expected));
    }
}
