//! `COMMAND INFO` beside what redis-server 7.0.15 answers.
//!
//! A line of the table is a command with all fields but its subcommands:
//! `name arity [flags] first last step [categories] [tips] [key specifications]`, the latter as
//! `flags begin kind numbers`.

use quoris_resp::{Protocol, Writer};

use super::{info, lookup};
use crate::commands::FAMILIES;
use crate::registry::Registry;

const TABLE: &str = include_str!("redis_7_0_15.txt");

/// A parsed reply.
#[derive(Debug)]
enum Reply {
    Word(String),
    List(Vec<Reply>),
}

impl Reply {
    /// Takes a RESP2 reply off the front of `text`.
    fn parse(text: &mut &str) -> Reply {
        let (line, rest) = text.split_once("\r\n").expect("a line");
        *text = rest;
        let (kind, word) = line.split_at(1);
        match kind {
            "*" => {
                let count: usize = word.parse().expect("a count");
                Reply::List((0..count).map(|_| Reply::parse(text)).collect())
            }
            "$" => {
                let (word, rest) = text.split_once("\r\n").expect("a bulk string");
                *text = rest;
                Reply::Word(word.to_owned())
            }
            _ => Reply::Word(word.to_owned()),
        }
    }

    fn list(&self) -> &[Reply] {
        match self {
            Reply::List(list) => list,
            Reply::Word(word) => panic!("{word} is no list"),
        }
    }

    fn word(&self) -> &str {
        match self {
            Reply::Word(word) => word,
            Reply::List(list) => panic!("{list:?} is no word"),
        }
    }

    fn words(&self, separator: &str) -> String {
        self.list().iter().map(Reply::word).collect::<Vec<_>>().join(separator)
    }

    /// The value behind a key of a map.
    fn get(&self, name: &str) -> &Reply {
        let pairs = self.list().chunks(2);
        let mut found = pairs.filter(|pair| pair[0].word() == name);
        &found.next().unwrap_or_else(|| panic!("{name} is missing"))[1]
    }

    /// The values of a map of words.
    fn values(&self) -> String {
        let values = self.list().iter().skip(1).step_by(2);
        values.map(Reply::word).collect::<Vec<_>>().join(",")
    }
}

fn key_spec(reply: &Reply) -> String {
    let (begin, find) = (reply.get("begin_search"), reply.get("find_keys"));
    format!(
        "{} {} {} {}",
        reply.get("flags").words("/"),
        begin.get("spec").values(),
        find.get("type").word(),
        find.get("spec").values()
    )
}

fn line(reply: &Reply) -> String {
    let field = reply.list();
    assert_eq!(field.len(), 10);
    let numbers = [&field[3], &field[4], &field[5]].map(Reply::word).join(" ");
    let keys: Vec<String> = field[8].list().iter().map(key_spec).collect();
    format!(
        "{} {} [{}] {numbers} [{}] [{}] [{}]",
        field[0].word(),
        field[1].word(),
        field[2].words(" "),
        field[6].words(" "),
        field[7].words(" "),
        keys.join("; ")
    )
}

#[test]
fn commands_are_described_as_redis_describes_them() {
    let registry = Registry::new(FAMILIES);
    let mut differences = Vec::new();
    for expected in TABLE.lines() {
        let name = expected.split(' ').next().unwrap_or_default();
        let named = lookup(&registry, name.as_bytes()).unwrap_or_else(|| panic!("no {name}"));
        let mut out = Vec::new();
        info::write(named, &mut Writer::new(&mut out, Protocol::Resp2));
        let text = String::from_utf8(out).expect("ASCII");
        let got = line(&Reply::parse(&mut text.as_str()));
        if got != expected {
            differences.push(format!("- {expected}\n+ {got}"));
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn internal_commands_are_not_described() {
    let registry = Registry::new(FAMILIES);
    assert!(lookup(&registry, b"quoris.setting").is_none());
    assert!(super::commands(&registry).all(|named| !named.full_name().starts_with("quoris.")));
}
