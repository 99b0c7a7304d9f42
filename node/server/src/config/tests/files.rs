//! Files and flags.

use std::fs;
use std::path::Path;

use crate::cli::{self, Invocation};
use crate::config::{Config, Flag};

fn load(text: &str, flags: &[Flag]) -> Result<Config, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("quoris.conf");
    fs::write(&path, text).expect("write the file");
    Config::load(Some(&path), flags).map_err(|error| {
        // The directory has a random name.
        error.to_string().replace(&format!("{}/", directory.path().display()), "")
    })
}

fn flag(name: &str, words: &[&str]) -> Flag {
    Flag { name: name.into(), words: words.iter().map(|word| (*word).into()).collect() }
}

#[test]
fn a_file_is_read_as_redis_reads_it() {
    let config = load(
        "# a comment\n\n  PORT 7000  \r\n\tproto-max-bulk-len\t10mb\nrequirepass \"a b\\x41\"\n\
         proto-max-bulk-len 20mb\nhash-max-ziplist-entries 7\nbind \"127.0.0.1 ::1\"\n\
         client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit pubsub 4 5 6\n",
        &[flag("port", &["7001"])],
    )
    .expect("a valid file");
    assert_eq!(config.port(), 7001, "flags win");
    assert_eq!(config.proto_max_bulk_len(), 20 << 20, "the last line wins");
    assert_eq!(config.requirepass(), Some("a bA"));
    assert_eq!(config.print("hash-max-listpack-entries").as_deref(), Some("7"));
    assert_eq!(config.bind(), ["127.0.0.1", "::1"]);
    let limits = config.client_output_buffer_limit().to_string();
    assert_eq!(limits, "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6");
    assert!(config.notices().is_empty(), "{:?}", config.notices());
}

#[test]
fn save_lines_add_up_within_a_source() {
    let file = "save 900 1\nsave 300 10 60 10000\n";
    let print = |config: Config| config.print("save").expect("a directive");
    assert_eq!(print(load(file, &[]).expect("valid")), "900 1 300 10 60 10000");
    assert_eq!(print(load(file, &[flag("save", &["5", "5"])]).expect("valid")), "5 5");
    assert_eq!(print(load(file, &[flag("save", &[""])]).expect("valid")), "");
    assert_eq!(print(load("save 900 1\nsave \"\"\nsave 1 1\n", &[]).expect("valid")), "1 1");
}

#[test]
fn what_has_no_effect_is_noticed_unless_it_is_the_default() {
    let config = load("save 900 1\nappendonly yes\nrdbcompression no\n", &[]).expect("valid");
    let notices: Vec<&str> =
        config.notices().iter().map(|notice| notice.rsplit('/').next().expect("a part")).collect();
    assert_eq!(
        notices,
        [
            "quoris.conf:1: save has no effect: snapshots are taken by log size, see snapshot-log-bytes",
            "quoris.conf:3: rdbcompression has no effect: snapshots have their own form",
        ]
    );
}

#[test]
fn what_is_wrong_is_told_in_one_line() {
    for (text, expected) in [
        ("maxmemry 1gb", "quoris.conf:1: unknown directive 'maxmemry', did you mean 'maxmemory'?"),
        (
            "\n\nfrobnicate 1",
            "quoris.conf:3: unknown directive 'frobnicate', see --help for those there are",
        ),
        ("port", "quoris.conf:1: port: wrong number of arguments"),
        ("port 1 2", "quoris.conf:1: port: wrong number of arguments"),
        (
            "port 7000 # mine",
            "quoris.conf:1: port: wrong number of arguments; a comment needs a line of its own",
        ),
        ("port 70000", "quoris.conf:1: port: argument must be between 0 and 65535 inclusive"),
        ("port 0x10", "quoris.conf:1: port: argument couldn't be parsed into an integer"),
        ("maxmemory lots", "quoris.conf:1: maxmemory: argument must be a memory value"),
        (
            "maxmemory 9223372036854775807kb",
            "quoris.conf:1: maxmemory: argument must be a memory value",
        ),
        (
            "appendfsync maybe",
            "quoris.conf:1: appendfsync: argument(s) must be one of the following: everysec, always, no",
        ),
        ("protected-mode 1", "quoris.conf:1: protected-mode: argument must be 'yes' or 'no'"),
        ("requirepass \"a", "quoris.conf:1: unbalanced quotes"),
        ("save 900", "quoris.conf:1: save: Invalid save parameters"),
        ("tls-port 6380", "quoris.conf:1: tls-port: TLS is not available yet"),
        (
            "replicaof 10.0.0.1 6379",
            "quoris.conf:1: replicaof: shards replicate by consensus: form the cluster with cluster-cli create",
        ),
        (
            "rename-command FLUSHALL \"\"",
            "quoris.conf:1: rename-command is not supported: commands keep their names",
        ),
        ("include", "quoris.conf:1: include: wrong number of arguments"),
        (
            "cluster-announce-hostname a_b",
            "quoris.conf:1: cluster-announce-hostname: Hostnames may only contain alphanumeric characters, hyphens or dots",
        ),
        (
            "cluster-announce-ip \"a b\"",
            "quoris.conf:1: cluster-announce-ip: argument must be an IP address or a host name",
        ),
        (
            "unixsocketperm 888",
            "quoris.conf:1: unixsocketperm: argument couldn't be parsed as an octal number",
        ),
        (
            "unixsocketperm 7777",
            "quoris.conf:1: unixsocketperm: argument must be between 0 and 777 inclusive",
        ),
        (
            "maxmemory-clients 101%",
            "quoris.conf:1: maxmemory-clients: percentage argument must be less or equal to 100",
        ),
    ] {
        assert_eq!(load(text, &[]).expect_err("invalid"), expected, "{text}");
    }
    let error = load("", &[flag("prot", &["1"])]).expect_err("invalid");
    assert_eq!(error, "command line: unknown directive 'prot', did you mean 'port'?");
    let error =
        Config::load(Some(Path::new("/nonexistent/quoris.conf")), &[]).expect_err("no file");
    assert!(error.to_string().starts_with("/nonexistent/quoris.conf: cannot read"), "{error}");
}

#[test]
fn files_include_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("write a file");
        path
    };
    let base = directory.path().display();
    write("a.inc", "maxclients 5\nport 1\n".into());
    write("b.inc", "maxclients 6\n".into());
    let main = write("main.conf", format!("include {base}/*.inc\nport 2\ninclude {base}/*.none\n"));
    let config = Config::load(Some(&main), &[]).expect("valid");
    assert_eq!((config.maxclients(), config.port()), (6, 2), "in order, and later lines win");

    let wrong = write("wrong.inc", "bogus 1\n".into());
    let main = write("main.conf", format!("include {}\n", wrong.display()));
    let error = Config::load(Some(&main), &[]).expect_err("invalid").to_string();
    assert!(error.starts_with(&format!("{}:1: unknown", wrong.display())), "{error}");

    let looping = directory.path().join("loop.conf");
    fs::write(&looping, format!("include {}\n", looping.display())).expect("write a file");
    let error = Config::load(Some(&looping), &[]).expect_err("a loop").to_string();
    assert!(error.ends_with("files include each other too deeply"), "{error}");
}

#[test]
fn the_command_line_is_a_file_and_flags() {
    let parse = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).into()).collect();
        match cli::parse(&arguments) {
            Ok(Invocation::Run(config)) => format!("port {}", config.port()),
            Ok(Invocation::Print(text)) => text.lines().next().unwrap_or_default().into(),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(parse(&[]), "port 6379");
    assert_eq!(parse(&["--port", "7000"]), "port 7000");
    assert_eq!(parse(&["--save", "", "--port", "7000", "--bind", "a", "b"]), "port 7000");
    assert_eq!(parse(&["--help"]), "usage: quoris-node [quoris.conf] [--directive value ...]");
    assert!(parse(&["--port", "1", "--version"]).starts_with("quoris-node "));
    assert!(parse(&["no-such.conf"]).starts_with("no-such.conf: cannot read"));
    assert_eq!(parse(&["--port"]), "command line: port: wrong number of arguments");
    let stray = "command line: '-p' is neither a file in front nor a --directive, see --help";
    assert_eq!(parse(&["-p", "7000"]), stray);
}
