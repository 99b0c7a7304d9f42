//! Clients that wait for lists, sorted sets and streams: who is served what and in which order,
//! compared with redis-server on random requests of several connections.
//!
//! One request is sent at a time. Then the connections settle: each has its reply, or is counted
//! among the blocked clients of the server.

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;
use quoris_tests::wire::{Wire, text};

const CONNECTIONS: usize = 6;
const STEPS: usize = 60;
const SEEDS: u64 = 25;
/// So many that only a fault reaches it.
const LOOKS_MAX: usize = 100_000;

/// Requests; `#` stands for a number that grows, `%` for the connection's own.
const REQUESTS: &[&str] = &[
    "XADD s # f v",
    "XADD s # f v",
    "XADD s 1-1 f v",
    "XADD t # f v",
    "XADD t MAXLEN 2 # f v",
    "XADD s # f v; XADD s # f w",
    "RENAME u s",
    "XADD u # f v",
    "COPY s t",
    "RPUSH l a",
    "RPUSH l a b c",
    "LPUSH m x",
    "ZADD z 1 a 2 b",
    "LPOP l",
    "DEL l m z",
    "XDEL s 1-1",
    "XTRIM t MAXLEN 1",
    "XLEN s",
    "XPENDING t g",
    "XPENDING t h",
    "XREAD BLOCK 0 STREAMS s $",
    "XREAD BLOCK 0 STREAMS s t $ $",
    "XREAD COUNT 1 BLOCK 0 STREAMS t 0",
    "XREAD BLOCK 0 STREAMS none s 0 $",
    "XREAD STREAMS s 0",
    "XREADGROUP GROUP g c% BLOCK 0 STREAMS t >",
    "XREADGROUP GROUP g c% COUNT 1 BLOCK 0 STREAMS t >",
    "XREADGROUP GROUP h c% COUNT 2 BLOCK 0 NOACK STREAMS t >",
    "XREADGROUP GROUP g c% BLOCK 0 STREAMS t 0",
    "XACK t g 1-1",
    "BLPOP l m 0",
    "BRPOP m l 0",
    "BLMOVE l m LEFT RIGHT 0",
    "BLMPOP 0 2 l m LEFT COUNT 2",
    "BZPOPMIN z 0",
];

/// Steps of a linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// A connection, which may have a request without a reply.
struct Connection {
    wire: Wire,
    id: String,
    waits: bool,
}

impl Connection {
    fn open(address: SocketAddr) -> Connection {
        let mut wire = Wire::connect(address).expect("the server listens");
        let Ok(Reply::Integer(id)) = wire.call(&["CLIENT", "ID"]) else { panic!("it has an id") };
        Connection { wire, id: id.to_string(), waits: false }
    }
}

/// What happens on a server: which connection got which reply, step by step.
struct Scene {
    control: Wire,
    connections: Vec<Connection>,
    number: u64,
    told: Vec<String>,
}

impl Scene {
    fn new(address: SocketAddr) -> Scene {
        let mut control = Wire::connect(address).expect("the server listens");
        control.call(&["FLUSHALL"]).expect("it answers");
        for group in ["g", "h"] {
            let create = ["XGROUP", "CREATE", "t", group, "0", "MKSTREAM"];
            control.call(&create).expect("it answers");
        }
        let connections = (0..CONNECTIONS).map(|_| Connection::open(address)).collect();
        Scene { control, connections, number: 1, told: Vec::new() }
    }

    /// A connection says something. One that waits is told to stop instead.
    fn step(&mut self, at: usize, request: &str, with_error: bool) {
        let own = self.connections[at].id.clone();
        if self.connections[at].waits {
            let how = if with_error { "ERROR" } else { "TIMEOUT" };
            let reply = self.control.call(&["CLIENT", "UNBLOCK", &own, how]);
            self.told.push(format!("unblock {at}: {reply:?}"));
        } else {
            let lines: Vec<&str> = request.split("; ").collect();
            if lines.len() > 1 {
                self.say(at, "MULTI");
            }
            for line in &lines {
                self.say(at, line);
            }
            if lines.len() > 1 {
                self.say(at, "EXEC");
            }
        }
        self.settle();
    }

    /// Sends a line, and waits until it has been answered or waits.
    fn say(&mut self, at: usize, line: &str) {
        self.number += 1;
        let line = line.replace('#', &self.number.to_string()).replace('%', &at.to_string());
        self.told.push(format!("{at} says {line}"));
        self.connections[at].wire.send(format!("{line}\r\n").as_bytes()).expect("it is open");
        self.connections[at].waits = true;
        self.settle();
    }

    /// Until every connection has its reply or is blocked. On the way through the log behind it,
    /// two writes see to it that what a write leads to has happened.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.control.call(&["SET", "control", "x"]).expect("it answers");
        }
        // Asking takes its time: there is no need to sleep in between.
        let is_settled = (0..LOOKS_MAX).any(|_| self.is_settled());
        assert!(is_settled, "something is under way for ever: {:?}", self.told);
    }

    fn is_settled(&mut self) -> bool {
        let info = text(&self.control.call(&["INFO", "clients"]).expect("it answers"));
        let (_, behind) = info.split_once("blocked_clients:").expect("it is counted");
        let blocked = behind.lines().next().expect("it is a number").parse::<usize>();
        self.receive();
        let waiting = self.connections.iter().filter(|connection| connection.waits).count();
        blocked == Ok(waiting)
    }

    fn receive(&mut self) {
        for (at, connection) in self.connections.iter_mut().enumerate() {
            if let Some(reply) = connection.wire.reply_if_there().expect("it is open") {
                connection.waits = false;
                self.told.push(format!("{at} gets {reply:?}"));
            }
        }
    }
}

/// The same steps on both: a connection that waits on one waits on the other.
fn compare(ours: SocketAddr, redis: SocketAddr, seed: u64) {
    let mut random = Random(seed);
    let (mut ours, mut redis) = (Scene::new(ours), Scene::new(redis));
    for _ in 0..STEPS {
        let (at, request) = (random.below(CONNECTIONS), REQUESTS[random.below(REQUESTS.len())]);
        let with_error = random.below(2) == 0;
        for scene in [&mut ours, &mut redis] {
            scene.step(at, request, with_error);
            // Replies of one step come in any order.
            scene.told.sort();
        }
        assert_eq!(ours.told, redis.told, "seed {seed}");
        ours.told.clear();
        redis.told.clear();
    }
}

#[test]
fn those_who_wait_get_what_redis_gives_them() {
    let (node, redis) = (Node::start(&["--appendfsync", "no"]), Redis::start(&[]));
    for seed in 1..=SEEDS {
        compare(node.address(), redis.address(), seed);
    }
}
