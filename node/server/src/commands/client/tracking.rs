//! CLIENT TRACKING and what belongs to it; what happens behind it is in [`crate::tracking`].

use quoris_engine::spec::{integer, one_of, string, token};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::{Writer, parse_i64};

use super::sub;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::tracking::{Mode, Options, Track};

/// CLIENT CACHING YES|NO
pub(super) const CACHING: NodeCommand = NodeCommand::new(
    sub("caching", "6.0.0", "Says whether the keys of the next command are to be tracked.")
        .sub_args(&[one_of("mode", &[token("yes", "YES"), token("no", "NO")])]),
    caching,
);

/// CLIENT GETREDIR
pub(super) const GETREDIR: NodeCommand = NodeCommand::new(
    sub("getredir", "6.0.0", "Returns the client that is told of changes in place of this one."),
    getredir,
);

/// CLIENT TRACKING ON|OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN]
/// [OPTOUT] [NOLOOP]
pub(super) const TRACKING: NodeCommand = NodeCommand::new(
    sub("tracking", "6.0.0", "Begins or ceases to tell the client of changes to what it caches.")
        .sub_args(&[
            one_of("status", &[token("on", "ON"), token("off", "OFF")]),
            integer("client-id").after("REDIRECT").optional(),
            string("prefix").after("PREFIX").optional().multiple(),
            token("bcast", "BCAST").optional(),
            token("optin", "OPTIN").optional(),
            token("optout", "OPTOUT").optional(),
            token("noloop", "NOLOOP").optional(),
        ])
        .complexity("O(1). Some options may introduce additional complexity."),
    tracking,
);

/// CLIENT TRACKINGINFO
pub(super) const TRACKINGINFO: NodeCommand = NodeCommand::new(
    sub("trackinginfo", "6.2.0", "Tells how the client is told of changes."),
    trackinginfo,
);

const TWO_REDIRECTS: CommandError =
    CommandError::fixed("ERR A client can only redirect to a single other client");
const NO_SUCH_CLIENT: CommandError =
    CommandError::fixed("ERR The client ID you want redirect to does not exist");
const PREFIX_WITHOUT_BCAST: CommandError =
    CommandError::fixed("ERR PREFIX option requires BCAST mode to be enabled");
const BCAST_SWITCHED: CommandError = CommandError::fixed(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
);
const BCAST_WITH_OPT: CommandError =
    CommandError::fixed("ERR OPTIN and OPTOUT are not compatible with BCAST");
const BOTH_OPTS: CommandError =
    CommandError::fixed("ERR You can't specify both OPTIN mode and OPTOUT mode");
const OPT_SWITCHED: CommandError = CommandError::fixed(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
);
const NOT_TRACKED: CommandError = CommandError::fixed(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
);
const YES_WITHOUT_OPTIN: CommandError = CommandError::fixed(
    "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
);
const NO_WITHOUT_OPTOUT: CommandError = CommandError::fixed(
    "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
);

/// The options as they were given.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that may be given or not")]
struct Given {
    redirect: u64,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
    prefixes: Vec<Vec<u8>>,
}

impl Given {
    /// Reads the words behind ON or OFF. `exists` tells whether there is a client.
    fn parse<'a>(
        mut words: impl Iterator<Item = &'a [u8]>,
        exists: impl Fn(u64) -> bool,
    ) -> Result<Given> {
        let mut given = Given::default();
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_slice() {
                b"redirect" => {
                    let id = words.next().ok_or(error::SYNTAX)?;
                    if given.redirect != 0 {
                        return Err(TWO_REDIRECTS);
                    }
                    let id = parse_i64(id).ok_or(error::NOT_INTEGER)?;
                    let id = u64::try_from(id).ok().filter(|id| exists(*id));
                    given.redirect = id.ok_or(NO_SUCH_CLIENT)?;
                }
                b"prefix" => given.prefixes.push(words.next().ok_or(error::SYNTAX)?.to_vec()),
                b"bcast" => given.broadcast = true,
                b"optin" => given.opt_in = true,
                b"optout" => given.opt_out = true,
                b"noloop" => given.no_loop = true,
                _ => return Err(error::SYNTAX),
            }
        }
        Ok(given)
    }

    /// Whether the options fit each other and what is in force.
    fn check(self, current: Option<&Track>) -> Result<Options> {
        if !self.broadcast && !self.prefixes.is_empty() {
            return Err(PREFIX_WITHOUT_BCAST);
        }
        let mode = current.map(|track| track.mode);
        if mode.is_some_and(|mode| (mode == Mode::Broadcast) != self.broadcast) {
            return Err(BCAST_SWITCHED);
        }
        if self.broadcast && (self.opt_in || self.opt_out) {
            return Err(BCAST_WITH_OPT);
        }
        if self.opt_in && self.opt_out {
            return Err(BOTH_OPTS);
        }
        let switches_in = self.opt_in && mode == Some(Mode::OptOut);
        if switches_in || self.opt_out && mode == Some(Mode::OptIn) {
            return Err(OPT_SWITCHED);
        }
        let mode = match (self.broadcast, self.opt_in, self.opt_out) {
            (true, ..) => Mode::Broadcast,
            (_, true, _) => Mode::OptIn,
            (.., true) => Mode::OptOut,
            _ => Mode::All,
        };
        let mut prefixes = self.prefixes;
        if self.broadcast {
            check_prefixes(&prefixes, current)?;
            if prefixes.is_empty() {
                prefixes.push(Vec::new());
            }
        }
        let (skips_own, redirect) = (self.no_loop, self.redirect);
        Ok(Options { mode, skips_own, redirect, prefixes })
    }
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// A client must not be told of a key twice.
fn check_prefixes(prefixes: &[Vec<u8>], current: Option<&Track>) -> Result {
    let refused = |one: &[u8], which: &str, other: &[u8]| {
        let [one, other] = [one, other].map(String::from_utf8_lossy);
        Err(CommandError::text(format!(
            "ERR Prefix '{one}' overlaps with {which} '{other}'. Prefixes for a single client must not overlap."
        )))
    };
    for (at, prefix) in prefixes.iter().enumerate() {
        let known = current.into_iter().flat_map(|track| &track.prefixes);
        if let Some(other) = known.into_iter().find(|other| overlap(prefix, other)) {
            return refused(prefix, "an existing prefix", other);
        }
        if let Some(other) = prefixes[at + 1..].iter().find(|other| overlap(prefix, other)) {
            return refused(prefix, "another provided prefix", other);
        }
    }
    Ok(())
}

fn tracking(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let sessions = &cx.shared.sessions;
    let given = Given::parse(args.from(3), |id| sessions.get(id).is_some())?;
    match args[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            let options = given.check(cx.session.tracking.borrow().as_deref())?;
            cx.shared.start_tracking(cx.session, options);
        }
        b"off" => cx.shared.stop_tracking(cx.session),
        _ => return Err(error::SYNTAX),
    }
    reply.ok();
    Ok(Outcome::Done)
}

fn caching(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let mut track = cx.session.tracking.borrow_mut();
    let track = track.as_mut().ok_or(NOT_TRACKED)?;
    let (wanted, refusal) = match args[2].to_ascii_lowercase().as_slice() {
        b"yes" => (Mode::OptIn, YES_WITHOUT_OPTIN),
        b"no" => (Mode::OptOut, NO_WITHOUT_OPTOUT),
        _ => return Err(error::SYNTAX),
    };
    if track.mode != wanted {
        return Err(refusal);
    }
    track.is_asked = true;
    reply.ok();
    Ok(Outcome::Done)
}

fn getredir(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let track = cx.session.tracking.borrow();
    reply.integer(track.as_ref().map_or(-1, |track| track.redirect as i64));
    Ok(Outcome::Done)
}

fn trackinginfo(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let track = cx.session.tracking.borrow();
    let track = track.as_deref();
    let flags = track.map_or_else(|| vec!["off"], flags);
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"redirect");
    reply.integer(track.map_or(-1, |track| track.redirect as i64));
    reply.bulk(b"prefixes");
    reply.array(track.map_or(0, |track| track.prefixes.len()));
    let prefixes = track.into_iter().flat_map(|track| &track.prefixes);
    prefixes.for_each(|prefix| reply.bulk(prefix));
    Ok(Outcome::Done)
}

fn flags(track: &Track) -> Vec<&'static str> {
    let mode: &[_] = match (track.mode, track.is_asked) {
        (Mode::All, _) => &[],
        (Mode::Broadcast, _) => &["bcast"],
        (Mode::OptIn, false) => &["optin"],
        (Mode::OptIn, true) => &["optin", "caching-yes"],
        (Mode::OptOut, false) => &["optout"],
        (Mode::OptOut, true) => &["optout", "caching-no"],
    };
    let mut flags = vec!["on"];
    flags.extend(mode);
    flags.extend(track.skips_own.then_some("noloop"));
    flags.extend(track.is_broken.then_some("broken_redirect"));
    flags
}
