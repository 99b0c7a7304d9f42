//! A client of one engine: runs a line as a node would, and returns the reply.

use quoris_engine::effects::Effect;
use quoris_engine::{Args, Engine, Interests, ReadAt, Run, Seeds, Settings, Stamp};
use quoris_resp::{Protocol, Writer, split_words};
use quoris_script::LuaHost;

use super::reply::{Reply, quote};

/// The time at which every session begins, in milliseconds since the Unix epoch.
pub const START_MS: u64 = 1_700_000_000_000;

/// One client and the engine that it talks to.
pub struct Session {
    /// The engine.
    pub engine: Engine,
    /// The selected database.
    pub db: u16,
    /// The clock.
    pub now_ms: u64,
    /// The seed of the next entry.
    pub seed: u64,
    /// What the client speaks.
    pub protocol: Protocol,
    /// Which effects are asked for.
    pub interests: Interests,
    /// Whether effects are shown beneath the reply.
    pub show_effects: bool,
    /// How many big things the last command removed.
    pub garbage: usize,
}

impl Session {
    /// A client of a new, empty engine.
    pub fn new(hash_seed: u8) -> Self {
        let mut engine = Engine::new(Settings::default(), Seeds { hash: [hash_seed; 16] });
        engine.set_script_host(Box::new(LuaHost::new()));
        Session {
            engine,
            db: 0,
            now_ms: START_MS,
            seed: 1,
            protocol: Protocol::Resp2,
            interests: Interests { touched: true, notifications: true, ..Interests::default() },
            show_effects: false,
            garbage: 0,
        }
    }

    /// Replaces the engine by one that was restored from its snapshot.
    pub fn restart(&mut self) {
        let snapshot = self.engine.snapshot();
        let digest = self.engine.digest();
        let mut restored = Engine::restore(&snapshot).expect("an engine's own snapshot");
        restored.set_script_host(Box::new(LuaHost::new()));
        self.engine = restored;
        assert_eq!(self.engine.digest(), digest, "a restored engine equals the one before");
        assert_eq!(self.engine.snapshot(), snapshot, "and writes the same snapshot");
    }

    /// Runs a line; `sorted` puts the elements of the reply in order.
    pub fn line(&mut self, line: &str, sorted: bool) -> String {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        split_words(line.as_bytes(), &mut spans, &mut words).expect("balanced quotes");
        let args = Args::new(&words, &spans);
        if words.starts_with(b"@") {
            self.directive(line);
            return String::new();
        }
        let (reply, effects) = self.run(args);
        let reply = if sorted { reply.sorted() } else { reply };
        let mut out = reply.render();
        if self.show_effects {
            effects.iter().for_each(|effect| out.push_str(&render_effect(effect)));
        }
        out
    }

    /// Runs a command given as words.
    pub fn words(&mut self, command: &[&[u8]]) -> Reply {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for word in command {
            let start = bytes.len() as u32;
            spans.push(quoris_resp::Span { start, len: word.len() as u32 });
            bytes.extend_from_slice(word);
        }
        self.run(Args::new(&bytes, &spans)).0
    }

    fn run(&mut self, args: Args<'_>) -> (Reply, Vec<Effect>) {
        if let (true, Some(number)) = (args.get(0).eq_ignore_ascii_case(b"select"), args.try_get(1))
        {
            let number = quoris_resp::parse_i64(number).expect("a database number");
            self.db = u16::try_from(number).expect("a database number");
            return (Reply::Simple("OK".into()), Vec::new());
        }
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, self.protocol);
        let mut effects = Vec::new();
        match self.engine.table().check(&args) {
            Err(error) => writer.error(error.as_str()),
            Ok((_, command)) => match command.run {
                Run::Read(_) => {
                    let at = ReadAt { db: self.db, now_ms: self.now_ms, seed: self.seed };
                    // The error is the reply.
                    let _ = self.engine.read(at, command, args, &mut writer);
                }
                Run::Write(_) => {
                    let stamp = Stamp { now_ms: self.now_ms, seed: self.seed, engine_version: 1 };
                    let mut applying = self.engine.begin(stamp, self.interests);
                    // The error is the reply.
                    let _ = applying.run(self.db, command, args, &mut writer);
                    let finished = applying.finish();
                    self.garbage = finished.garbage.len();
                    effects = finished.list;
                }
                Run::Container(_) | Run::Node => panic!("not a command of the engine"),
            },
        }
        self.seed += 1;
        let (reply, rest) = Reply::decode(&out);
        assert!(rest.is_empty(), "one reply per command, but {} follows", quote(rest));
        (reply, effects)
    }

    fn directive(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        match words[..] {
            ["@now", text] if text.starts_with('+') => self.now_ms += number(1),
            ["@now", _] => self.now_ms = number(1),
            ["@seed", _] => self.seed = number(1),
            ["@db", _] => self.db = number(1) as u16,
            ["@resp2"] => self.protocol = Protocol::Resp2,
            ["@resp3"] => self.protocol = Protocol::Resp3,
            ["@ours"] => {}
            ["@effects", "on"] => self.show_effects = true,
            ["@effects", "off"] => self.show_effects = false,
            _ => panic!("no such directive: {line}"),
        }
    }
}

fn render_effect(effect: &Effect) -> String {
    match effect {
        Effect::Ready { db, key } => format!("  ready {db} {}\n", quote(key)),
        Effect::Touched { db, key } => format!("  touched {db} {}\n", quote(key)),
        Effect::Notify { class, event, db, key } => {
            format!("  event {} {event} {db} {}\n", class.letter(), quote(key))
        }
        Effect::Publish { channel, message, sharded } => {
            let kind = if *sharded { "spublish" } else { "publish" };
            format!("  {kind} {} {}\n", quote(channel), quote(message))
        }
        Effect::Flushed { db: Some(db) } => format!("  flushed {db}\n"),
        Effect::Flushed { db: None } => "  flushed all\n".into(),
        Effect::Settings => "  settings\n".into(),
        Effect::Functions => "  functions\n".into(),
    }
}
