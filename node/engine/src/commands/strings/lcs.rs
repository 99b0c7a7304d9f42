//! The longest common subsequence of two strings.

use alloc::vec;
use alloc::vec::Vec;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{integer as parse_integer, is};
use crate::context::ReadCx;
use crate::error::{CommandError, Result, SYNTAX};
use crate::keyspace::{StringRef, ValueRef};
use crate::spec::{Find, Group, KeyAccess, KeySpec, Spec, integer, key, token};

/// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]
pub(super) const LCS: Command = Command {
    spec: Spec::new("lcs", Group::String, "7.0.0", "Finds the longest common subsequence.")
        .args(&[
            key("key1"),
            key("key2"),
            token("len", "LEN").optional(),
            token("idx", "IDX").optional(),
            integer("min-match-len").after("MINMATCHLEN").optional(),
            token("withmatchlen", "WITHMATCHLEN").optional(),
        ])
        .keys([Some(BOTH), None, None])
        .complexity("O(N*M) where N and M are the lengths of s1 and s2, respectively"),
    run: Run::Read(lcs),
};

/// Both keys are told by one specification, as Redis tells them.
const BOTH: KeySpec = KeySpec {
    find: Find::Range { last: 1, step: 1, limit: 0 },
    ..KeySpec::single(1).access(KeyAccess::READ)
};

const NOT_STRINGS: CommandError =
    CommandError::fixed("ERR The specified keys must contain string values");
const LEN_AND_IDX: CommandError =
    CommandError::fixed("ERR If you want both the length and indexes, please just use IDX.");
const TOO_LONG: CommandError = CommandError::fixed(
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
);

#[derive(Default)]
struct Options {
    len: bool,
    idx: bool,
    with_match_len: bool,
    match_len_min: usize,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options> {
        let mut options = Options::default();
        let mut at = 3;
        while let Some(word) = args.try_get(at) {
            at += 1;
            if is(word, "idx") {
                options.idx = true;
            } else if is(word, "len") {
                options.len = true;
            } else if is(word, "withmatchlen") {
                options.with_match_len = true;
            } else if is(word, "minmatchlen")
                && let Some(text) = args.try_get(at)
            {
                options.match_len_min = parse_integer(text)?.max(0) as usize;
                at += 1;
            } else {
                return Err(SYNTAX);
            }
        }
        if options.idx && options.len { Err(LEN_AND_IDX) } else { Ok(options) }
    }
}

fn lcs(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let one = string_at(cx, &args, 1)?;
    let two = string_at(cx, &args, 2)?;
    let options = Options::parse(&args)?;
    let cells = (one.len() as u64 + 1) * (two.len() as u64 + 1);
    if cells.saturating_mul(4) > cx.settings().string_bytes_max {
        return Err(TOO_LONG);
    }
    let found = common(&one, &two);
    if options.idx {
        write_matches(&found, &options, reply);
    } else if options.len {
        reply.count(found.text.len());
    } else {
        reply.bulk(&found.text);
    }
    Ok(())
}

fn string_at(cx: &ReadCx<'_>, args: &Args<'_>, word: usize) -> Result<Vec<u8>> {
    match cx.value(&cx.key(args, word)) {
        None => Ok(Vec::new()),
        Some(ValueRef::String(string)) => Ok(StringRef::to_vec(string)),
        Some(_) => Err(NOT_STRINGS),
    }
}

/// A run of equal bytes: where it starts in each string, and how long it is.
struct Match {
    one: usize,
    two: usize,
    len: usize,
}

struct Common {
    text: Vec<u8>,
    /// From the end of the strings to their start, the order in which Redis reports them.
    matches: Vec<Match>,
}

/// Dynamic programming over lengths of common subsequences of prefixes, then the walk back that
/// Redis does, so that ties are broken alike.
fn common(one: &[u8], two: &[u8]) -> Common {
    let lengths = table(one, two);
    let width = two.len() + 1;
    let mut found = Common { text: Vec::new(), matches: Vec::new() };
    let (mut i, mut j) = (one.len(), two.len());
    while i > 0 && j > 0 {
        if one[i - 1] == two[j - 1] {
            (i, j) = (i - 1, j - 1);
            found.text.push(one[i]);
            match found.matches.last_mut() {
                Some(run) if run.one == i + 1 && run.two == j + 1 => {
                    *run = Match { one: i, two: j, len: run.len + 1 };
                }
                _ => found.matches.push(Match { one: i, two: j, len: 1 }),
            }
        } else if lengths[(i - 1) * width + j] > lengths[i * width + j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    found.text.reverse();
    found
}

fn table(one: &[u8], two: &[u8]) -> Vec<u32> {
    let width = two.len() + 1;
    let mut lengths = vec![0u32; (one.len() + 1) * width];
    for i in 1..=one.len() {
        for j in 1..=two.len() {
            lengths[i * width + j] = if one[i - 1] == two[j - 1] {
                lengths[(i - 1) * width + j - 1] + 1
            } else {
                lengths[(i - 1) * width + j].max(lengths[i * width + j - 1])
            };
        }
    }
    lengths
}

fn write_matches(found: &Common, options: &Options, reply: &mut Writer<'_>) {
    reply.map(2);
    reply.bulk(b"matches");
    let shown = || found.matches.iter().filter(|run| run.len >= options.match_len_min.max(1));
    reply.array(shown().count());
    for run in shown() {
        reply.array(if options.with_match_len { 3 } else { 2 });
        for start in [run.one, run.two] {
            reply.array(2);
            reply.count(start);
            reply.count(start + run.len - 1);
        }
        if options.with_match_len {
            reply.count(run.len);
        }
    }
    reply.bulk(b"len");
    reply.count(found.text.len());
}
