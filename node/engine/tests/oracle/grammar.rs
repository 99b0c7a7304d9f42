//! Random requests from a grammar that a person can read.
//!
//! ```text
//! # A rule, its alternatives on one line or indented beneath it; the first may have a weight.
//! key = a | b | "\xff\x00"
//! command =
//!   5* SET <key> <value> [ NX | XX ] [ GET ]
//!   DEL <key> ...
//! ```
//!
//! `<rule>` stands for one of its alternatives and may be a part of a word; `[ … ]` may be left out,
//! `( … )` groups, `...` repeats what is before it one to three times. Marks stand between blanks,
//! so that `(1` and `[a` are words; quotes and escapes are those of `redis-cli`. Commands that a rule
//! `unspoilt` names keep their words.

use std::collections::BTreeMap;

use quoris_engine::Rng;

/// The words of one request.
pub type Request = Vec<Vec<u8>>;

/// What stands in the place of a word, sometimes: nothing that could be a short time to live.
const JUNK: [&[u8]; 16] = [
    b"",
    b"x",
    b"0",
    b"-1",
    b"1.5",
    b"nan",
    b"inf",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"\xff\x01",
    b"LIMIT",
    b"COUNT",
    b"WITHSCORES",
    b"NX",
    b"GET",
];

/// A part of a word.
#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Rule(String),
}

/// A word or a mark of the grammar's own notation.
#[derive(Debug)]
enum Token {
    Word(Vec<Piece>),
    Mark(String),
}

#[derive(Debug)]
enum Node {
    Word(Vec<Piece>),
    Rule(String),
    Sequence(Vec<Node>),
    Choice(Vec<(usize, Node)>),
    Optional(Box<Node>),
    Repeated(Box<Node>),
}

/// Rules by name.
#[derive(Debug)]
pub struct Grammar(BTreeMap<String, Node>);

impl Grammar {
    /// Reads the rules of all `texts`. Panics on what it does not understand.
    pub fn parse(texts: &[&str]) -> Grammar {
        let mut rules: BTreeMap<String, Vec<(usize, Node)>> = BTreeMap::new();
        let mut name = String::new();
        for line in texts.iter().flat_map(|text| text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let alternatives = if line.starts_with(' ') {
                line
            } else {
                let (rule, rest) = line.split_once('=').expect("a rule has a name");
                name = rule.trim().into();
                rest
            };
            if alternatives.trim().is_empty() {
                continue;
            }
            let (weight, node) = Parser::line(alternatives);
            rules.entry(name.clone()).or_default().push((weight, node));
        }
        Grammar(rules.into_iter().map(|(name, all)| (name, Node::Choice(all))).collect())
    }

    /// A request made from a rule, now and then spoilt.
    pub fn request(&self, rule: &str, rng: &mut Rng) -> Request {
        let mut words = Vec::new();
        self.expand(&self.0[rule], rng, &mut words);
        if rng.below(25) == 0 && !self.is_unspoilt(&words[0]) {
            spoil(&mut words, rng);
        }
        if rng.below(12) == 0 {
            words[0].make_ascii_lowercase();
        }
        words
    }

    /// Whether a command is one of the rule `unspoilt`, if there is such a rule.
    fn is_unspoilt(&self, name: &[u8]) -> bool {
        let Some(Node::Choice(choices)) = self.0.get("unspoilt") else { return false };
        choices.iter().any(|(_, choice)| holds(choice, name))
    }

    fn expand(&self, node: &Node, rng: &mut Rng, out: &mut Request) {
        match node {
            Node::Word(pieces) => out.push(self.word(pieces, rng)),
            Node::Rule(name) => {
                let rule = self.0.get(name).unwrap_or_else(|| panic!("no rule <{name}>"));
                self.expand(rule, rng, out);
            }
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.expand(node, rng, out)),
            Node::Choice(choices) => self.expand(choose(choices, rng), rng, out),
            Node::Optional(node) => {
                if rng.below(2) == 0 {
                    self.expand(node, rng, out);
                }
            }
            Node::Repeated(node) => {
                for _ in 0..=rng.below(3) {
                    self.expand(node, rng, out);
                }
            }
        }
    }

    fn word(&self, pieces: &[Piece], rng: &mut Rng) -> Vec<u8> {
        let mut word = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => word.extend_from_slice(text),
                Piece::Rule(name) => {
                    let mut words = Vec::new();
                    self.expand(&Node::Rule(name.clone()), rng, &mut words);
                    word.extend(words.concat());
                }
            }
        }
        word
    }
}

/// Whether a word is among those of a rule without rules.
fn holds(node: &Node, name: &[u8]) -> bool {
    match node {
        Node::Word(pieces) => {
            matches!(&pieces[..], [Piece::Text(text)] if text.eq_ignore_ascii_case(name))
        }
        Node::Sequence(nodes) => nodes.iter().any(|node| holds(node, name)),
        Node::Choice(choices) => choices.iter().any(|(_, node)| holds(node, name)),
        _ => false,
    }
}

fn choose<'n>(choices: &'n [(usize, Node)], rng: &mut Rng) -> &'n Node {
    let mut at = rng.below(choices.iter().map(|(weight, _)| weight).sum());
    for (weight, node) in choices {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return node,
        }
    }
    unreachable!("the place is below the sum of all weights");
}

/// Drops, doubles, replaces or appends a word; never one that says how long to wait.
fn spoil(words: &mut Request, rng: &mut Rng) {
    let at = rng.below(words.len());
    if words.iter().any(|word| word.eq_ignore_ascii_case(b"block")) {
        return;
    }
    let junk = JUNK[rng.below(JUNK.len())].to_vec();
    match rng.below(4) {
        0 if at > 0 => drop(words.remove(at)),
        1 if at > 0 => words.insert(at, words[at].clone()),
        2 if at > 0 => words[at] = junk,
        _ => words.push(junk),
    }
}

struct Parser {
    /// In reverse: the next one is the last.
    tokens: Vec<Token>,
}

impl Parser {
    fn line(text: &str) -> (usize, Node) {
        let mut tokens = tokens(text);
        tokens.reverse();
        let mut parser = Parser { tokens };
        let weight = parser.weight();
        let node = parser.choice();
        assert!(parser.tokens.is_empty(), "unbalanced: {text}");
        (weight, node)
    }

    fn weight(&mut self) -> usize {
        let Some(Token::Word(pieces)) = self.tokens.last() else { return 1 };
        let [Piece::Text(text)] = &pieces[..] else { return 1 };
        let text = String::from_utf8_lossy(text);
        let Some(Ok(weight)) = text.strip_suffix('*').map(str::parse) else { return 1 };
        self.tokens.pop();
        weight
    }

    fn choice(&mut self) -> Node {
        let mut choices = vec![(1, self.sequence())];
        while self.skip("|") {
            choices.push((1, self.sequence()));
        }
        Node::Choice(choices)
    }

    fn sequence(&mut self) -> Node {
        let mut nodes = Vec::new();
        loop {
            match self.tokens.pop() {
                Some(Token::Word(mut pieces)) => match (pieces.pop(), pieces.is_empty()) {
                    (Some(Piece::Rule(name)), true) => nodes.push(Node::Rule(name)),
                    (Some(last), _) => {
                        pieces.push(last);
                        nodes.push(Node::Word(pieces));
                    }
                    (None, _) => nodes.push(Node::Word(pieces)),
                },
                Some(Token::Mark(mark)) if mark == "(" || mark == "[" => {
                    let inner = self.choice();
                    assert!(self.skip(if mark == "(" { ")" } else { "]" }), "{mark} stays open");
                    let optional = mark == "[";
                    nodes.push(if optional { Node::Optional(inner.into()) } else { inner });
                }
                Some(Token::Mark(mark)) if mark == "..." => {
                    let node = nodes.pop().expect("something to repeat");
                    nodes.push(Node::Repeated(node.into()));
                }
                Some(other) => {
                    self.tokens.push(other);
                    return Node::Sequence(nodes);
                }
                None => return Node::Sequence(nodes),
            }
        }
    }

    fn skip(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.last(), Some(Token::Mark(mark)) if mark == wanted);
        if found {
            self.tokens.pop();
        }
        found
    }
}

fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let end = word_end(rest);
        let (word, behind) = rest.split_at(end);
        rest = behind.trim_start();
        tokens.push(if ["(", ")", "[", "]", "|", "..."].contains(&word) {
            Token::Mark(word.into())
        } else {
            Token::Word(pieces(word))
        });
    }
    tokens
}

/// Where the first word ends: at a blank outside quotes.
fn word_end(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn pieces(word: &str) -> Vec<Piece> {
    let (mut spans, mut words) = (Vec::new(), Vec::new());
    quoris_resp::split_words(word.as_bytes(), &mut spans, &mut words).expect("balanced quotes");
    let mut pieces = Vec::new();
    let mut rest = &words[..];
    while !rest.is_empty() {
        let open = rest.iter().position(|&byte| byte == b'<');
        let text = &rest[..open.unwrap_or(rest.len())];
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_vec()));
        }
        rest = &rest[text.len()..];
        if let Some(close) = rest.iter().position(|&byte| byte == b'>') {
            let name = String::from_utf8(rest[1..close].to_vec()).expect("a readable name");
            pieces.push(Piece::Rule(name));
            rest = &rest[close + 1..];
        }
    }
    pieces
}
