//! What a node does when it cannot do its work: one line that names the file or the directive and
//! says what to do, and an exit status that is not zero.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use quoris_tests::node::Node;
use quoris_tests::tool::run;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

/// Starts a node that has to refuse, and looks at what it says.
fn refuses(node: &Node, mentions: &[&str]) {
    let ended = node.run_to_end();
    assert!(ended.code.is_some_and(|code| code != 0), "{ended:#?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:#?}");
    assert!(ended.stderr.starts_with("quoris-node: "), "{ended:#?}");
    for mention in mentions {
        assert!(ended.stderr.contains(mention), "{mention:?} is not in {ended:#?}");
    }
}

fn path_text(path: &Path) -> &str {
    path.to_str().expect("its path is text")
}

/// The only segment of a node's log.
fn segment(node: &Node) -> PathBuf {
    let mut names = fs::read_dir(node.data().join("aof")).expect("it has a log");
    let segment = names.next().expect("it has a segment").expect("it can be read").path();
    assert!(names.next().is_none(), "one segment is enough for a few keys");
    segment
}

/// A node that has written ten keys and does not run any more.
fn node_with_keys() -> Node {
    let mut node = Node::start(&[]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    for number in 0..10 {
        let reply = wire.call(&["SET", &format!("key:{number}"), "a value"]).expect("it answers");
        assert_eq!(text(&reply), "OK");
    }
    node.kill();
    node
}

#[test]
fn a_damaged_record_before_the_end_of_the_log_is_never_skipped() {
    let node = node_with_keys();
    let segment = segment(&node);
    let mut bytes = fs::read(&segment).expect("it can be read");
    let damaged = bytes.windows(5).position(|it| it == b"key:3").expect("the key is in the log");
    bytes[damaged] ^= 1;
    fs::write(&segment, &bytes).expect("it can be written");
    refuses(&node, &[path_text(&segment), "damaged", "restore", "rebuilt by its peers"]);
    assert_eq!(fs::read(&segment).expect("it can be read"), bytes, "it is left as it was");
}

#[test]
fn a_torn_end_of_the_log_is_cut_off() {
    let mut node = node_with_keys();
    let segment = segment(&node);
    let bytes = fs::read(&segment).expect("it can be read");
    let last = bytes.windows(5).rposition(|it| it == b"key:9").expect("the key is in the log");
    fs::write(&segment, &bytes[..last + 3]).expect("it can be written");
    node.restart();
    let get = |key: &str| text(&ask(node.address(), &format!("GET {key}")).expect("it answers"));
    assert_eq!((get("key:8").as_str(), get("key:9").as_str()), ("a value", ""));
    assert_eq!(text(&ask(node.address(), "SET key:9 again").expect("it answers")), "OK");
}

#[test]
fn a_foreign_identity_is_refused() {
    let node = Node::prepare(&[], &[]);
    let path = node.data().join("node.id");
    fs::write(&path, "somebody else's file\n").expect("it can be written");
    refuses(&node, &[path_text(&path), "40 hexadecimal digits", "empty directory"]);
}

#[test]
fn data_without_an_identity_is_refused() {
    let node = node_with_keys();
    fs::remove_file(node.data().join("node.id")).expect("it has one");
    refuses(&node, &["node.id", "restore", "empty directory"]);
}

#[test]
fn a_directory_that_is_a_file_is_named() {
    let node = Node::prepare(&[], &[]);
    fs::remove_dir(node.data()).expect("it is empty");
    fs::write(node.data(), "").expect("it can be written");
    refuses(&node, &[path_text(&node.data())]);
}

/// Listens where a node is going to. A process that another test is just starting may still hold
/// the socket by which the port was found free, until it becomes its program.
fn take(address: SocketAddr) -> TcpListener {
    wait::until("the port can be taken", || TcpListener::bind(address).ok())
}

#[test]
fn a_busy_port_is_named() {
    let node = Node::prepare(&[], &[]);
    let _taken = take(node.address());
    refuses(&node, &[&format!("port {}", node.address().port()), "--port"]);
}

#[test]
fn a_busy_bus_port_is_named() {
    let node = Node::prepare(&[], &[]);
    let _taken = take(([0, 0, 0, 0], node.bus_port()).into());
    refuses(&node, &[&node.bus_port().to_string(), "cluster-port"]);
}

#[test]
fn an_unknown_directive_is_answered_with_the_one_that_was_meant() {
    let node = Node::prepare(&[], &["--maxmemroy", "1gb"]);
    refuses(&node, &["command line", "'maxmemroy'", "maxmemory"]);
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_its_line() {
    let node = Node::prepare(&[], &[]);
    let file = node.dir().join("quoris.conf");
    fs::write(&file, "# first\nappendfsync sometimes\n").expect("it can be written");
    let program = quoris_tests::binaries::node();
    let ended = run(path_text(&program), &[path_text(&file)], "");
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:#?}");
    for mention in [&format!("{}:2", file.display()), "appendfsync", "everysec"] {
        assert!(ended.stderr.contains(mention), "{mention:?} is not in {ended:#?}");
    }
}

#[test]
fn a_directory_is_one_node_s() {
    let running = Node::start(&[]);
    let directory = running.data();
    // The later `--dir` counts.
    let second = Node::prepare(&[], &["--dir", path_text(&directory)]);
    refuses(&second, &[path_text(&directory), "running node"]);
    assert_eq!(text(&ask(running.address(), "PING").expect("it answers")), "PONG");
}

/// A file system of 24 MiB in a mount namespace of the node's own, which ends with it.
const SMALL_DISK: &str = r#"mount -t tmpfs -o size=24m none "$0" && exec "$@""#;

#[test]
fn a_full_disk_ends_the_acknowledgements() {
    if run("unshare", &["-m", "true"], "").code != Some(0) {
        eprintln!("not tested: this user may not mount a small file system");
        return;
    }
    let mut node = Node::prepare(&[], &[]);
    let data = node.data();
    node.set_launcher(&["unshare", "-m", "sh", "-c", SMALL_DISK, path_text(&data)]);
    node.restart();
    let value = "v".repeat(1 << 20);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    let refused =
        (0..100).find_map(|number| match wire.call(&["SET", &format!("key:{number}"), &value]) {
            Ok(reply) if text(&reply) == "OK" => None,
            other => Some((number, other)),
        });
    let (acknowledged, _) = refused.expect("a hundred values of 1 MiB do not fit on 24 MiB");
    assert!(acknowledged > 0, "{}", node.log());
    // Neither a small write nor another connection gets through now.
    let later = ask(node.address(), "SET small 1");
    assert!(!matches!(&later, Ok(reply) if text(reply) == "OK"), "{later:?}");
    let log = node.log();
    assert!(log.contains(path_text(&data.join("aof"))), "the log names the file: {log}");
}
