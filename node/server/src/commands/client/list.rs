//! CLIENT LIST and CLIENT INFO.

use std::rc::Rc;

use quoris_engine::spec::{integer, one_of, token};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::{Writer, parse_i64};

use super::{ADMIN, ClientType, Watch, line, sub};
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::session::Session;

/// CLIENT INFO
pub(super) const INFO: NodeCommand = NodeCommand::new(
    sub("info", "6.2.0", "Describes the connection.").tips(&["nondeterministic_output"]),
    info,
);

/// CLIENT LIST [TYPE type | ID id ...]
pub(super) const LIST: NodeCommand = NodeCommand::new(
    sub("list", "2.4.0", "Describes the clients.")
        .sub_args(&[
            one_of(
                "client-type",
                &[
                    token("normal", "NORMAL"),
                    token("master", "MASTER"),
                    token("replica", "REPLICA"),
                    token("pubsub", "PUBSUB"),
                ],
            )
            .after("TYPE")
            .optional(),
            integer("client-id").after("ID").optional().multiple(),
        ])
        .flags(ADMIN)
        .complexity("O(N) where N is the number of client connections")
        .tips(&["nondeterministic_output"]),
    list,
);

const INVALID_ID: CommandError = CommandError::fixed("ERR Invalid client ID");

fn info(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    answer(cx, std::iter::once(Rc::clone(cx.session)), reply);
    Ok(Outcome::Done)
}

fn list(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let sessions = &cx.shared.sessions;
    match args.try_get(2).map(<[u8]>::to_ascii_lowercase).as_deref() {
        None => answer(cx, sessions.list().into_iter(), reply),
        Some(b"type") if args.len() == 4 => {
            let wanted = ClientType::parse(&args[3])?;
            let all = sessions.list().into_iter();
            answer(cx, all.filter(|one| ClientType::of(one) == wanted), reply);
        }
        Some(b"id") if args.len() > 3 => {
            let ids: Result<Vec<u64>> = args.from(3).map(id).collect();
            answer(cx, ids?.into_iter().filter_map(|id| sessions.get(id)), reply);
        }
        Some(_) => return Err(error::SYNTAX),
    }
    Ok(Outcome::Done)
}

fn id(word: &[u8]) -> Result<u64> {
    parse_i64(word).and_then(|id| u64::try_from(id).ok()).ok_or(INVALID_ID)
}

fn answer(cx: &NodeCx<'_>, sessions: impl Iterator<Item = Rc<Session>>, reply: &mut Writer<'_>) {
    let watch = Watch { observe: &cx.shared.observe, now_ms: cx.shared.clock.unix_ms() };
    let mut text = String::new();
    sessions.for_each(|one| line::write(&one, &cx.shared.registry, &watch, &mut text));
    reply.verbatim("txt", text.as_bytes());
}
