//! Which events about keys are published, compared with what redis-server publishes.

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;
use quoris_tests::wire::{Wire, ask, text};

/// Requests that are sent one after the other to empty servers; events follow from them.
const SEQUENCES: &[&str] = &[
    "SET a 1; SET a 2; SET a 3 EX 100; SET a 4 KEEPTTL; SET a 5 XX GET; SET b 1 NX; SET b 2 NX",
    "SETNX a 1; SETNX a 2; SETEX a 10 b; PSETEX a 10000 b; GETSET a c; GETSET n c; GETDEL a; GETDEL a",
    "MSET a 1 b 2; MSET a 3 c 4; MSETNX a 1 d 2; MSETNX d 1 e 2",
    "SET a 1; GETEX a; GETEX a EX 100; GETEX a PERSIST; GETEX a PERSIST; GETEX a EXAT 1; GETEX n EX 1",
    "INCR a; DECR a; INCRBY a 3; DECRBY a 2; INCRBYFLOAT a 1.5; INCRBYFLOAT f 1",
    "APPEND a x; APPEND a y; APPEND a ''; SETRANGE a 1 zz; SETRANGE b 3 x; SETRANGE c 0 ''",
    "SETBIT a 7 1; SETBIT a 7 1; BITFIELD a SET u8 0 1 GET u8 0; BITFIELD a GET u8 0; BITFIELD n INCRBY u8 0 1; BITFIELD a OVERFLOW FAIL INCRBY u2 0 9",
    "SET a ab; SET b cd; BITOP AND d a b; BITOP NOT d a; BITOP OR d x y; BITOP OR e x y",
    "PFADD a 1 2; PFADD a 1; PFADD e; PFADD e; PFMERGE d a; PFMERGE d a; PFCOUNT d",
    "DEL a; SET a 1; DEL a b; SET a 1; SET b 1; UNLINK a b n",
    "SET a 1; EXPIRE a 100; PEXPIRE a 100000; EXPIREAT a 99999999999; PERSIST a; PERSIST a; EXPIRE a 100 XX; EXPIRE a 100 NX; EXPIRE a -1; EXPIRE n 1",
    "SET a 1; PEXPIREAT a 1; SET a 1 EX 100; SET b 2; RENAME a b; RENAMENX b c; SET d 1; RENAMENX c d; RENAME d d",
    "SET a 1; COPY a b; COPY a b; COPY a b REPLACE; COPY a b DB 1; SET z 1; MOVE a 1; MOVE z 1; COPY n m",
    "SET a 1 EX 100; COPY a c; TOUCH a; TYPE a; OBJECT ENCODING a; DBSIZE",
    "RPUSH l 3 1 2; SORT l STORE s; SORT n STORE s; SORT n STORE s",
    "LPUSH l a b; RPUSH l c; LPUSHX l d; RPUSHX n a; LPUSHX n a; LINSERT l BEFORE a x; LINSERT l AFTER nope x; LSET l 0 z; LTRIM l 0 1; LREM l 0 nope; LREM l 0 z; LTRIM l 5 9",
    "RPUSH l a b c d; LPOP l; RPOP l; LPOP l 5; LPOP l; LPOP l 0; RPOP n",
    "RPUSH l a b; RPOPLPUSH l m; LMOVE l m LEFT RIGHT; LMOVE m m LEFT RIGHT; LMOVE m m LEFT LEFT; RPOPLPUSH n m; RPUSH k a; RPOPLPUSH k k",
    "RPUSH l a b c; LMPOP 2 n l LEFT; LMPOP 1 l RIGHT COUNT 5; LMPOP 1 l LEFT",
    "SADD s a b; SADD s a; SREM s x; SREM s a; SREM s b; SADD s a; SMOVE s t a; SMOVE s t a",
    "SADD s a b; SMOVE s t a; SMOVE s s b; SADD t b; SMOVE s t b",
    "SADD s a b c; SPOP s; SPOP s 5; SPOP s; SADD s a; SPOP s; SADD s a b; SPOP s 0; SPOP s 2",
    "SADD s a b; SADD t b c; SINTERSTORE d s t; SUNIONSTORE d s t; SDIFFSTORE d s t; SDIFFSTORE d s s; SINTERSTORE d n s; SINTERSTORE e n n",
    "SADD s a; SUNIONSTORE s n; SADD s a; SDIFFSTORE s s",
    "HSET h a 1 b 2; HSET h a 1; HMSET h c 3; HSETNX h c 1; HSETNX h d 1; HINCRBY h n 1; HINCRBYFLOAT h f 1.5; HDEL h x; HDEL h a b c d n; HDEL h f; HDEL h f",
    "ZADD z 1 a 2 b; ZADD z 1 a; ZADD z CH 3 a; ZADD z INCR 1 a; ZADD z XX 1 n; ZADD z NX INCR 1 a; ZINCRBY z 1 a; ZREM z n; ZREM z a; ZREM z b",
    "ZADD n XX 1 a; ZADD z 1 a 2 b 3 c; ZPOPMIN z; ZPOPMAX z; ZPOPMIN z 5; ZPOPMIN z; ZADD z 1 a; ZPOPMAX z 0",
    "ZADD z 1 a 2 b 3 c; ZMPOP 2 n z MIN; ZMPOP 1 z MAX COUNT 5; ZMPOP 1 z MIN",
    "ZADD z 1 a 2 b 3 c 4 d; ZREMRANGEBYRANK z 9 9; ZREMRANGEBYRANK z 0 0; ZREMRANGEBYSCORE z 2 2; ZREMRANGEBYLEX z - +; ZREMRANGEBYLEX z - +",
    "ZADD z 1 a; ZADD y 2 a 3 b; ZUNIONSTORE d 2 z y; ZINTERSTORE d 2 z y; ZDIFFSTORE d 2 y z; ZDIFFSTORE d 1 n; ZDIFFSTORE d 1 n; ZRANGESTORE d y 0 -1; ZRANGESTORE d n 0 -1; ZRANGESTORE d n 0 -1",
    "GEOADD g 13 38 a 15 37 b; GEOADD g 13 38 a; GEOADD g CH 14 38 a; GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 900 km; GEOSEARCHSTORE d n FROMLONLAT 1 1 BYRADIUS 1 km; GEORADIUS g 15 37 200 km STORE d; GEORADIUS g 1 1 1 m STORE d; GEORADIUS g 1 1 1 m STORE d; ZREM g a b",
    "SET a 1; DUMP a; FLUSHDB; SET a 1; SWAPDB 0 1; FLUSHALL",
    "SELECT 2; SET a 1; SELECT 0; SET a 1; HSET a f v; LPUSH a x; SADD a x; ZADD a 1 x; INCR a; APPEND a x",
];

/// Reads, of keys that are there and of others.
const READS: &[&str] = &[
    "GET n; MGET a n; HGET h f; LRANGE l 0 1; SMEMBERS s; ZRANGE z 0 1; EXISTS n m; TTL n; TYPE n; STRLEN n; OBJECT ENCODING n; SET a 1; GET a; HLEN n; SINTER n m; GETBIT n 1; PFCOUNT n; DUMP n",
];

const END: &str = "__key_end__";

/// What a server publishes about the keys that a sequence touches.
fn events(address: SocketAddr, sequence: &str) -> Vec<String> {
    let mut client = Wire::connect(address).expect("the server listens");
    let mut listener = Wire::connect(address).expect("the server listens");
    listener.call(&["PSUBSCRIBE", "__key*"]).expect("it confirms");
    for line in sequence.split("; ") {
        let words: Vec<&str> = line.split(' ').collect();
        client.call(&words).expect("it answers");
    }
    client.call(&["FLUSHALL"]).expect("it answers");
    client.call(&["PUBLISH", END, ""]).expect("it answers");
    let mut seen = Vec::new();
    loop {
        let message = listener.reply().expect("a message");
        let words: Vec<String> = message.as_slice().expect("an array").iter().map(text).collect();
        if words[2] == END {
            return seen;
        }
        seen.push(format!("{} {}", words[2], words[3]));
    }
}

/// The sequences after which the two do not publish the same.
fn differences(servers: [SocketAddr; 2], classes: &str, sequences: &[&str]) -> String {
    for address in servers {
        let set = ask(address, &format!("CONFIG SET notify-keyspace-events {classes}"));
        assert_eq!(set.ok(), Some(Reply::Simple("OK".to_owned())));
    }
    let differ = |sequence: &&str| {
        let [expected, got] = servers.map(|address| events(address, sequence).join(", "));
        (expected != got).then(|| format!("{sequence}\n- {expected}\n+ {got}\n"))
    };
    sequences.iter().filter_map(differ).collect()
}

#[test]
fn events_are_those_of_redis() {
    let redis = Redis::start(&[]);
    let node = Node::start(&["--appendfsync", "no", "--databases", "4"]);
    let servers = [redis.address(), node.address()];
    let found = [
        differences(servers, "KEAn", SEQUENCES),
        differences(servers, "Km", READS),
        differences(servers, "E$lx", &SEQUENCES[..10]),
        differences(servers, "Ag", &SEQUENCES[..2]),
    ];
    assert_eq!(found.concat(), "");
}

#[test]
fn keys_whose_time_is_over_are_told_of_by_themselves() {
    for (address, _server) in [of_redis(), of_node()] {
        ask(address, "CONFIG SET notify-keyspace-events Ex").expect("it answers");
        let mut listener = Wire::connect(address).expect("the server listens");
        listener.call(&["PSUBSCRIBE", "*"]).expect("it confirms");
        for line in ["SET a 1 PX 5", "HSET h f v", "PEXPIRE h 10"] {
            ask(address, line).expect("it answers");
        }
        let mut keys = [0, 1].map(|_| {
            let message = listener.reply().expect("a message");
            let words: Vec<_> = message.as_slice().expect("an array").iter().map(text).collect();
            assert_eq!(words[..3], ["pmessage", "*", "__keyevent@0__:expired"]);
            words[3].clone()
        });
        keys.sort();
        assert_eq!(keys, ["a", "h"]);
    }
}

fn of_redis() -> (SocketAddr, Box<dyn std::any::Any>) {
    let redis = Redis::start(&[]);
    (redis.address(), Box::new(redis))
}

fn of_node() -> (SocketAddr, Box<dyn std::any::Any>) {
    let node = Node::start(&["--appendfsync", "no"]);
    (node.address(), Box::new(node))
}
