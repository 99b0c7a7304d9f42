//! Our engine and a real server, in the same state.

use std::panic::{AssertUnwindSafe, catch_unwind};

use quoris_engine::{Engine, Seeds, Settings};
use quoris_resp::Protocol;
use quoris_script::LuaHost;

use super::grammar::Request;
use super::server::Redis;
use crate::support::reply::Reply;
use crate::support::session::Session;

/// The circumstances of a sequence, a function of its seed.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Whether clients speak RESP3.
    pub resp3: bool,
    /// Whether compact forms end after a few elements.
    pub tight: bool,
    /// Whether sets keep to the two encodings of Redis 7.0.
    pub old_sets: bool,
}

impl Profile {
    /// The circumstances for a seed.
    pub fn of(seed: u64) -> Profile {
        Profile { resp3: seed & 1 == 1, tight: seed & 2 == 2, old_sets: seed & 4 == 4 }
    }

    /// Directives of both, as text.
    fn directives(self) -> [(&'static str, &'static str); 11] {
        let pick = |loose, tight| if self.tight { tight } else { loose };
        [
            ("hash-max-listpack-entries", pick("128", "4")),
            ("hash-max-listpack-value", pick("64", "16")),
            ("zset-max-listpack-entries", pick("128", "4")),
            ("zset-max-listpack-value", pick("64", "16")),
            ("set-max-intset-entries", pick("512", "4")),
            ("list-max-listpack-size", pick("-2", "3")),
            ("hll-sparse-max-bytes", pick("3000", "60")),
            ("set-max-listpack-entries", if self.old_sets { "0" } else { pick("128", "4") }),
            ("set-max-listpack-value", pick("64", "16")),
            ("stream-node-max-entries", pick("100", "3")),
            ("stream-node-max-bytes", pick("4096", "200")),
        ]
    }
}

/// Both servers.
pub struct Pair {
    /// Ours.
    pub session: Session,
    /// Theirs.
    pub redis: Redis,
    /// Whether something was sorted: Redis then makes a skiplist of a small sorted set.
    pub sorted: bool,
}

impl Pair {
    /// Ours beside a running server.
    pub fn new(redis: Redis) -> Pair {
        Pair { session: Session::new(7), redis, sorted: false }
    }

    /// Empties both, and makes the circumstances those of `profile`.
    pub fn reset(&mut self, profile: Profile) {
        let mut settings = Settings { string_bytes_max: 1024 * 1024, ..Settings::default() };
        self.redis.call(&["HELLO", if profile.resp3 { "3" } else { "2" }]);
        for (name, value) in profile.directives() {
            assert!(settings.set(name, value), "{name}");
            // Redis 7.0 does not know all of them.
            self.redis.call(&["CONFIG", "SET", name, value]);
        }
        self.redis.call(&["SELECT", "0"]);
        self.redis.call(&["FLUSHALL"]);
        self.redis.call(&["SCRIPT", "FLUSH"]);
        self.sorted = false;
        self.session = Session::new(7);
        self.session.engine = Engine::new(settings, Seeds { hash: [7; 16] });
        self.session.engine.set_script_host(Box::new(LuaHost::new()));
        self.session.protocol = if profile.resp3 { Protocol::Resp3 } else { Protocol::Resp2 };
        self.session.now_ms = self.time_ms();
    }

    /// Their clock, for both.
    fn time_ms(&mut self) -> u64 {
        let Reply::Array(parts) = self.redis.call(&["TIME"]) else { panic!("TIME answers two") };
        let Reply::Bulk(seconds) = &parts[0] else { panic!("TIME answers strings") };
        let seconds = quoris_resp::parse_i64(seconds).expect("seconds are a number");
        seconds.cast_unsigned() * 1000
    }

    /// Our reply; a panic is one too.
    pub fn ours(&mut self, request: &Request) -> Reply {
        let words: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        catch_unwind(AssertUnwindSafe(|| self.session.words(&words)))
            .unwrap_or_else(|_| Reply::Error("it panicked".into()))
    }

    /// Their reply.
    pub fn theirs(&mut self, request: &Request) -> Reply {
        self.sorted |= request[0].to_ascii_lowercase().starts_with(b"sort");
        self.redis.call(request)
    }

    /// Lets both work in another database.
    pub fn select(&mut self, db: u16) {
        self.session.db = db;
        self.redis.call(&["SELECT", &db.to_string()]);
    }
}
