//! `CONFIG GET`: directives by name or by pattern.

use super::Config;
use super::table::{self, DIRECTIVES};

impl Config {
    /// Names and values of the directives that the patterns ask for, each once. An alias is a name
    /// like any other; a name without a pattern in it is repeated as it was asked for.
    pub fn get<'a>(&self, patterns: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, index: usize| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.into(), DIRECTIVES[index].print(&self.values[index])));
            }
        };
        for pattern in patterns {
            if !pattern.contains(['*', '?', '[']) {
                if let Some(index) = table::find(pattern) {
                    add(pattern, index);
                }
                continue;
            }
            for (index, directive) in DIRECTIVES.iter().enumerate() {
                directive
                    .names()
                    .filter(|name| matches(pattern, name))
                    .for_each(|name| add(name, index));
            }
        }
        found
    }
}

/// True if `text` matches a pattern of `* ? [a-z] [^a] \x`, in either case.
///
/// Backtracking only ever goes to the last `*`, so that no pattern takes longer than the product of
/// both lengths.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase().into_bytes();
    let text = text.to_ascii_lowercase().into_bytes();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
        } else if let Some(next) = match_one(&pattern, p, text[t]) {
            (p, t) = (next, t + 1);
        } else if let Some((after, from)) = star {
            (p, t) = (after, from + 1);
            star = Some((after, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Matches one byte at `p`: where the pattern goes on, or `None`.
fn match_one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => match_class(pattern, p + 1, byte),
        b'\\' if p + 1 < pattern.len() => (pattern[p + 1] == byte).then_some(p + 2),
        literal => (literal == byte).then_some(p + 1),
    }
}

/// Matches a class whose content begins at `p`; one that is never closed ends with the pattern.
fn match_class(pattern: &[u8], mut p: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(p) == Some(&b'^');
    p += usize::from(negated);
    let mut found = false;
    loop {
        match pattern[p.min(pattern.len())..] {
            [] => break,
            [b']', ..] => {
                p += 1;
                break;
            }
            [b'\\', literal, ..] => {
                found |= literal == byte;
                p += 2;
            }
            [from, b'-', to, ..] => {
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                p += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                p += 1;
            }
        }
    }
    (found != negated).then_some(p)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "port", true),
            ("", "port", false),
            ("p?rt", "port", true),
            ("p?rt", "prt", false),
            ("PO*", "port", true),
            ("*t*r*", "tcp-port", true),
            ("*-max-*", "hash-max-listpack-value", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("[pq]ort", "port", true),
            ("[^p]ort", "port", false),
            ("[a-q]ort", "port", true),
            ("[q-a]ort", "port", true),
            ("[pq", "p", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("port\\", "port\\", true),
            ("port", "ports", false),
            ("ports", "port", false),
            ("port**", "port", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
