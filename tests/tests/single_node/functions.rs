//! Libraries of functions move between redis-server and a node, in both directions.

use std::net::SocketAddr;

use quoris_resp::{Reply, encode_command};
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;
use quoris_tests::wire::{Wire, text};

const LIBRARY: &[u8] = b"#!lua name=mylib\nredis.register_function{function_name='f', \
    callback=function(keys, args) return 'caf\xe9 ' .. args[1] end, flags={'no-writes'}}";

fn call(server: SocketAddr, words: &[&[u8]]) -> Reply {
    let mut request = Vec::new();
    encode_command(&mut request, words.iter().copied());
    let mut wire = Wire::connect(server).expect("it listens");
    wire.send(&request).expect("it reads");
    wire.reply().expect("it answers")
}

fn bulk(reply: Reply) -> Vec<u8> {
    match reply {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{other:?} is no bulk string"),
    }
}

#[test]
fn a_dump_of_functions_is_loaded_by_the_other() {
    let (node, redis) = (Node::start(&[]), Redis::start(&[]));
    let servers = [node.address(), redis.address()];
    for (from, to) in [(0, 1), (1, 0)].map(|(from, to)| (servers[from], servers[to])) {
        assert_eq!(text(&call(from, &[b"FUNCTION", b"LOAD", LIBRARY])), "mylib");
        let payload = bulk(call(from, &[b"FUNCTION", b"DUMP"]));
        assert_eq!(text(&call(to, &[b"FUNCTION", b"RESTORE", &payload])), "OK");
        let said = call(to, &[b"FCALL_RO", b"f", b"0", b"noir"]);
        assert_eq!(bulk(said), b"caf\xe9 noir");
        // redis-server compresses what it dumps, so that only what is in it can be compared.
        let [given, taken] = [from, to].map(|at| call(at, &[b"FUNCTION", b"LIST", b"WITHCODE"]));
        assert_eq!(given, taken);
        for server in servers {
            assert_eq!(text(&call(server, &[b"FUNCTION", b"FLUSH"])), "OK");
        }
    }
}

#[test]
fn libraries_are_there_after_a_restart() {
    let mut node = Node::start(&[]);
    assert_eq!(text(&call(node.address(), &[b"FUNCTION", b"LOAD", LIBRARY])), "mylib");
    node.kill();
    node.restart();
    let said = call(node.address(), &[b"FCALL", b"f", b"0", b"au lait"]);
    assert_eq!(bulk(said), b"caf\xe9 au lait");
}
