//! Redis's own tools, as Debian ships them.

use quoris_resp::encode_command;
use quoris_tests::node::Node;
use quoris_tests::tool::run;
use quoris_tests::wire::{ask, text};

fn port_of(node: &Node) -> String {
    node.address().port().to_string()
}

#[test]
fn redis_cli_is_at_home() {
    let node = Node::start(&[]);
    let port = port_of(&node);
    let cli = |arguments: &[&str], input: &str| {
        run("redis-cli", &[&["-p", &port], arguments].concat(), input).success()
    };
    let session =
        "SET a \"1 2\"\nGET a\nINCR n\nLPUSH l x y\nLRANGE l 0 -1\nHSET h f v\nHGETALL h\nfoo\n";
    assert_eq!(
        cli(&[], session),
        "OK\n1 2\n1\n2\ny\nx\n1\nf\nv\nERR unknown command 'foo', with args beginning with: \n\n"
    );
    assert_eq!(cli(&["-3", "HGETALL", "h"], ""), "f v\n");
    assert_eq!(cli(&["--scan", "--pattern", "h*"], ""), "h\n");
    assert_eq!(cli(&["-x", "SET", "piped"], "from a pipe"), "OK\n");
    assert_eq!(cli(&["GET", "piped"], ""), "from a pipe\n");
}

#[test]
fn a_file_of_requests_is_taken_as_it_is() {
    let node = Node::start(&[]);
    let mut requests = Vec::new();
    for number in 0..500 {
        let (key, value) = (format!("key{number:03}"), format!("{number:03}"));
        encode_command(&mut requests, ["SET", &key, &value].iter().map(|word| word.as_bytes()));
    }
    let requests = String::from_utf8(requests).expect("digits are text");
    let said = run("redis-cli", &["-p", &port_of(&node), "--pipe"], &requests).success();
    assert!(said.contains("errors: 0, replies: 500"), "{said}");
    assert_eq!(text(&ask(node.address(), "GET key499").expect("it answers")), "499");
}

#[test]
fn a_fresh_node_is_a_whole_cluster() {
    let node = Node::start(&[]);
    let address = node.address().to_string();
    let said = run("redis-cli", &["--cluster", "check", &address], "").success();
    assert!(said.contains("[OK] All nodes agree about slots configuration."), "{said}");
    assert!(said.contains("[OK] All 16384 slots covered."), "{said}");
    let said = run("redis-cli", &["--cluster", "info", &address], "").success();
    assert!(said.contains("0 keys in 1 masters."), "{said}");
    let answers = "CLUSTER KEYSLOT foo\nCLUSTER COUNTKEYSINSLOT 12182\n";
    let said = run("redis-cli", &["-c", "-p", &port_of(&node)], answers).success();
    assert_eq!(said, "12182\n0\n");
}

#[test]
fn redis_benchmark_finds_every_command_it_knows() {
    let node = Node::start(&["--appendfsync", "no"]);
    let tests = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset";
    let arguments = [
        "-p",
        &port_of(&node),
        "-t",
        tests,
        "-n",
        "1000",
        "-c",
        "10",
        "-P",
        "16",
        "-q",
        "-r",
        "100",
    ];
    let ended = run("redis-benchmark", &arguments, "");
    assert!(!ended.stderr.contains("rror"), "{ended:#?}");
    let said = ended.success().replace('\r', "\n");
    for name in ["PING_INLINE", "SET", "GET", "LPUSH", "HSET", "ZADD", "LRANGE_600", "MSET"] {
        let line = said.lines().find(|line| line.starts_with(name) && line.contains("per second"));
        assert!(line.is_some(), "{name}: {said}");
    }
    assert_eq!(text(&ask(node.address(), "TYPE mylist").expect("it answers")), "list");
}
