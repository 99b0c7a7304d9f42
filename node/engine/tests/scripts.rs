//! Runs the command scripts in `tests/scripts/<family>/<command>`.
//!
//! A script is read by a person first: a command behind a prompt, a rule, its reply as `redis-cli`
//! shows it, a blank line (the format of the `goldenscript` crate).
//!
//! ```text
//! # A plain SET stores the value.
//! > SET a 1
//! > GET a
//! ---
//! OK
//! "1"
//! ```
//!
//! Words are split as `redis-cli` does, so `"\xff\n"` is two bytes. A session begins in database 0,
//! in RESP2, at 1700000000000 ms, and seeds its entries 1, 2, 3 …; these change it:
//!
//! * `> @now 1000`, `> @now +500`: set or advance the clock, in milliseconds;
//! * `> @seed 7`, `> @db 3`, `> @resp3`, `> @resp2`;
//! * `> @effects on`: show events and touched keys beneath each reply;
//! * `> @ours`: this script is about something that a real server does in another way or not at all.
//!
//! Three tags may stand before a prompt: `[sorted] > KEYS *` sorts the elements of the reply;
//! `[seeded] > RANDOMKEY` says that the reply depends on the hash seed, and `[local] > OBJECT
//! IDLETIME a` that it depends on what no snapshot holds.
//!
//! Every script runs straight, compared with the file; again with the engine replaced by its own
//! restored snapshot before every command; and again under another hash seed. All must agree, in
//! their replies and in the digest after every command.
//! `UPDATE_GOLDENFILES=1 cargo test -p quoris-engine --test scripts` rewrites the replies: review
//! the difference. `SCRIPT=strings/set` runs the scripts whose path contains that text.
//! `ORACLE=127.0.0.1:6390` compares with a real server instead; scripts that set the clock, show
//! effects or are marked `@ours` are left out.

mod support;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};

use goldenscript::{Command, Context, Runner};
use support::session::Session;

/// How a run differs from a plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Straight,
    Snapshots,
    OtherSeed,
}

impl Way {
    /// Whether a command with these tags may be answered differently.
    fn may_differ(self, tags: &BTreeSet<String>) -> bool {
        match self {
            Way::Straight => false,
            Way::Snapshots => tags.contains("local"),
            Way::OtherSeed => tags.contains("seeded"),
        }
    }
}

/// Runs one script in one way.
struct Script {
    way: Way,
    session: Session,
    /// Reply and digest of each command.
    outcomes: Vec<(String, u128)>,
    /// Those of the straight run.
    expected: Vec<(String, u128)>,
}

impl Script {
    fn new(way: Way) -> Self {
        let hash_seed = if way == Way::OtherSeed { 99 } else { 7 };
        let session = Session::new(hash_seed);
        Script { way, session, outcomes: Vec::new(), expected: Vec::new() }
    }
}

impl Runner for Script {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
        assert!(command.args.is_empty(), "commands stand behind a prompt: > {command}");
        if self.way == Way::Snapshots {
            self.session.restart();
        }
        let mut output = self.session.line(&command.name, context.tags.contains("sorted"));
        let digest = self.session.engine.digest();
        if let Some((reply, same)) = self.expected.get(self.outcomes.len()) {
            assert_eq!(*same, digest, "the state after {} {:?}", command.name, self.way);
            if self.way.may_differ(&context.tags) {
                output.clone_from(reply);
            }
        }
        self.outcomes.push((output.clone(), digest));
        Ok(output)
    }
}

/// All script files, by path.
fn scripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let filter = std::env::var("SCRIPT").unwrap_or_default();
    let mut found = Vec::new();
    for family in std::fs::read_dir(root).expect("tests/scripts exists") {
        let family = family.expect("a readable folder").path();
        let files = std::fs::read_dir(family).expect("tests/scripts holds folders only");
        found.extend(files.map(|file| file.expect("a readable file").path()));
    }
    found.retain(|path| path.to_string_lossy().contains(&filter));
    found.sort();
    assert!(!found.is_empty(), "no script matches {filter:?}");
    found
}

/// Runs one script in all ways; panics with what differs.
fn check(path: &Path) {
    let input = std::fs::read_to_string(path).expect("a readable script");
    let mut straight = Script::new(Way::Straight);
    goldenscript::run(&mut straight, path).expect("a script that can be read");

    for way in [Way::Snapshots, Way::OtherSeed] {
        let mut again = Script::new(way);
        again.expected.clone_from(&straight.outcomes);
        let found = goldenscript::generate(&mut again, &input).expect("it ran before");
        let expected = std::fs::read_to_string(path).expect("a readable script");
        assert_eq!(expected, found, "{} {way:?}", path.display());
    }
}

#[test]
fn every_script_gives_its_replies_in_every_way() {
    if std::env::var("ORACLE").is_ok() {
        return;
    }
    let mut failed = Vec::new();
    for path in scripts() {
        if std::panic::catch_unwind(|| check(&path)).is_err() {
            failed.push(path);
        }
    }
    assert!(failed.is_empty(), "these scripts failed: {failed:#?}");
}

/// The same commands sent to a real server.
mod oracle {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::{Command, Context, Error, Runner, scripts};
    use crate::support::reply::Reply;

    struct Oracle {
        stream: TcpStream,
    }

    impl Oracle {
        fn line(&mut self, line: &str) -> Reply {
            // One write: two would wait for each other's acknowledgement.
            let request = format!("{line}\r\n");
            self.stream.write_all(request.as_bytes()).expect("the oracle listens");
            let (mut bytes, mut piece) = (Vec::new(), [0; 8192]);
            loop {
                let len = self.stream.read(&mut piece).expect("the oracle answers");
                assert!(len > 0, "the oracle closed the connection at {line}");
                bytes.extend_from_slice(&piece[..len]);
                let whole = std::panic::catch_unwind(|| Reply::decode(&bytes).0);
                if let Ok(reply) = whole {
                    return reply;
                }
            }
        }
    }

    impl Runner for Oracle {
        type Command = Command;

        fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
            let line = match command.name.split_once(' ') {
                Some(("@db", number)) => format!("SELECT {number}"),
                _ if command.name == "@resp3" => "HELLO 3".into(),
                _ if command.name == "@resp2" => "HELLO 2".into(),
                _ => command.name.clone(),
            };
            let hidden = line.starts_with('@') || command.name.starts_with('@');
            if line.starts_with('@') {
                return Ok(String::new());
            }
            let reply = self.line(&line);
            let reply = if context.tags.contains("sorted") { reply.sorted() } else { reply };
            Ok(if hidden { String::new() } else { reply.render() })
        }
    }

    /// Keeps replies that a seed decides out of the comparison.
    struct Unseeded<R>(R);

    impl<R: Runner<Command = Command>> Runner for Unseeded<R> {
        type Command = Command;

        fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
            let output = self.0.run(command, context)?;
            let differs = context.tags.contains("seeded") || context.tags.contains("local");
            Ok(if differs { String::new() } else { output })
        }
    }

    #[test]
    fn a_real_server_gives_the_same_replies() {
        let Ok(address) = std::env::var("ORACLE") else { return };
        let mut differing = 0;
        for path in scripts() {
            let input = std::fs::read_to_string(&path).expect("a readable script");
            if ["@now", "@effects", "@ours"].iter().any(|mark| input.contains(mark)) {
                continue;
            }
            let stream = TcpStream::connect(&address).expect("the oracle listens");
            let mut oracle = Oracle { stream };
            oracle.line("FLUSHALL");
            let theirs = goldenscript::generate(&mut Unseeded(oracle), &input).expect("it runs");
            let mut ours = Unseeded(super::Script::new(super::Way::Straight));
            let ours = goldenscript::generate(&mut ours, &input).expect("it runs");
            if ours != theirs {
                differing += 1;
                eprintln!("=== {}", path.display());
                for (our, their) in ours.lines().zip(theirs.lines()).filter(|(a, b)| a != b) {
                    eprintln!("  ours   {our}\n  theirs {their}");
                }
            }
        }
        assert_eq!(differing, 0, "scripts differ from the real server");
    }
}
