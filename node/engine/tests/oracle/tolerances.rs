//! Where a reply may differ from that of Redis 7.0.15, and why.
//!
//! A rule names the command and the two replies. Either Redis itself has changed since, or the
//! difference is ours: then the declaration of the command says so ([`Spec::differs`]), where
//! `docs/commands.md` takes it from, and this test insists on it.
//!
//! [`Spec::differs`]: quoris_engine::spec::Spec::differs

use super::compare::is;
use super::grammar::Request;
use crate::support::reply::Reply;

/// Whose change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Redis 7.2 answers as we do.
    Since72,
    /// Declared with the command.
    Declared,
}

/// One deliberate difference.
pub struct Tolerance {
    /// The commands that it is about.
    pub commands: &'static [&'static str],
    /// Whose it is.
    pub because: Because,
    /// Whether it explains these replies.
    pub explains: fn(&Request, &Reply, &Reply) -> bool,
}

/// All of them.
pub const ALL: &[Tolerance] = &[
    // 7.2 reads all arguments before it looks for the key.
    Tolerance {
        commands: &["bitcount", "bitpos"],
        because: Because::Since72,
        explains: |_, ours, theirs| {
            is_error(ours) && (matches!(theirs, Reply::Integer(-1..=0)) || is_error(theirs))
        },
    },
    // 7.2 refuses a rank that cannot be negated.
    Tolerance {
        commands: &["lpos"],
        because: Because::Since72,
        explains: |request, ours, _| {
            is_error(ours) && request.iter().any(|word| word == b"-9223372036854775808")
        },
    },
    // 7.2 names the command in small letters.
    Tolerance {
        commands: &["xread", "xreadgroup"],
        because: Because::Since72,
        explains: |_, ours, theirs| {
            [ours, theirs].iter().all(
                |reply| matches!(reply, Reply::Error(text) if text.starts_with("ERR Unbalanced")),
            )
        },
    },
    // 7.0 looks at an error number that nobody set.
    Tolerance {
        commands: &["xadd"],
        because: Because::Since72,
        explains: |_, ours, theirs| {
            let says = |reply: &Reply, what: &str| matches!(reply, Reply::Error(text) if text.contains(what));
            says(ours, "equal or smaller") && says(theirs, "too large to be stored")
        },
    },
    // 7.2 does not let the last id fall behind an entry that was deleted.
    Tolerance {
        commands: &["xsetid"],
        because: Because::Since72,
        explains: |_, ours, _| matches!(ours, Reply::Error(text) if text.ends_with("than current max_deleted_entry_id")),
    },
    // 7.2 knows WITHSCORE.
    Tolerance {
        commands: &["zrank", "zrevrank"],
        because: Because::Since72,
        explains: |request, _, theirs| request.len() > 3 && is_error(theirs),
    },
    Tolerance {
        commands: &["incrbyfloat", "hincrbyfloat"],
        because: Because::Declared,
        explains: |request, ours, theirs| match (ours, theirs) {
            (Reply::Bulk(ours), Reply::Bulk(theirs)) => are_near(ours, theirs),
            (ours, Reply::Bulk(theirs)) => is_error(ours) && theirs.len() > 300,
            // An addend that only a long double holds; the stored value is none at all.
            (ours, theirs) => is_error(ours) && is_error(theirs) && adds_too_much(request),
        },
    },
];

fn is_error(reply: &Reply) -> bool {
    matches!(reply, Reply::Error(_))
}

fn adds_too_much(request: &Request) -> bool {
    let addend = request.last().and_then(|word| std::str::from_utf8(word).ok());
    addend.is_some_and(|word| word != "inf" && word.parse() == Ok(f64::INFINITY))
}

/// Whether both are numbers that differ by what a double loses.
fn are_near(ours: &[u8], theirs: &[u8]) -> bool {
    let number = |text: &[u8]| -> Option<f64> { std::str::from_utf8(text).ok()?.parse().ok() };
    match (number(ours), number(theirs)) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= ours.abs() * 1e-15,
        _ => false,
    }
}

/// Whether a difference is a deliberate one.
pub fn tolerated(request: &Request, ours: &Reply, theirs: &Reply) -> bool {
    ALL.iter().any(|rule| {
        rule.commands.iter().any(|name| is(&request[0], name))
            && (rule.explains)(request, ours, theirs)
    })
}

#[test]
fn every_difference_of_ours_is_declared_with_its_command() {
    let session = crate::support::session::Session::new(1);
    for rule in ALL.iter().filter(|rule| rule.because == Because::Declared) {
        for name in rule.commands {
            let (_, command) = session.engine.table().find(name.as_bytes()).expect("a command");
            assert!(!command.spec.differs.is_empty(), "{name} does not say what differs");
        }
    }
}
