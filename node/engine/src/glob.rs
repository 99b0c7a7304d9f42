//! Glob patterns as `KEYS`, `SCAN … MATCH`, `CONFIG GET` and `PSUBSCRIBE` understand them.
//!
//! `*` is any run of bytes, `?` any byte, `[a-c]` and `[^a-c]` a byte in or not in a class, and a
//! backslash takes the meaning from the byte behind it. Odd patterns mean what they mean in Redis:
//! a class that is never closed ends with the pattern, a reversed range is turned round, and a
//! backslash at the very end stands for itself.
//!
//! Only the last `*` that was passed is ever tried again, because a later one can absorb whatever
//! an earlier one could. The work is therefore at most `pattern.len() * text.len()`, whatever the
//! pattern: `a*a*a*a*b` cannot stall a node.

/// Whether the letters A to Z count as their lower-case forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They do not.
    Sensitive,
    /// They do.
    Insensitive,
}

/// Whether all of `text` fits `pattern`.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let mut rest = pattern;
    let mut at = 0;
    // Behind the last star: the pattern after it, and where its next attempt begins.
    let mut retry: Option<(&[u8], usize)> = None;
    loop {
        if let [b'*', behind @ ..] = rest {
            retry = Some((behind, at));
            rest = behind;
            if rest.is_empty() {
                return true;
            }
            continue;
        }
        let fits = match text.get(at) {
            Some(&byte) => one(rest, byte, case),
            None if rest.is_empty() => return true,
            // The text is used up, and every later attempt would have even less of it.
            None => return false,
        };
        if let Some(behind) = fits {
            rest = behind;
            at += 1;
        } else {
            let Some((behind, from)) = retry else { return false };
            retry = Some((behind, from + 1));
            rest = behind;
            at = from + 1;
        }
    }
}

/// The rest of a pattern whose first item, which is no star, fits `byte`.
fn one(pattern: &[u8], byte: u8, case: Case) -> Option<&[u8]> {
    let (fits, behind) = match pattern {
        [] => return None,
        [b'?', behind @ ..] => (true, behind),
        [b'[', class @ ..] => in_class(class, byte, case),
        [b'\\', literal, behind @ ..] | [literal, behind @ ..] => {
            (same(*literal, byte, case), behind)
        }
    };
    fits.then_some(behind)
}

/// Whether `byte` is in the class whose text, without the opening bracket, begins `class`; and
/// what follows the class.
fn in_class(class: &[u8], byte: u8, case: Case) -> (bool, &[u8]) {
    let (negated, mut rest) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    loop {
        match rest {
            [] => return (found != negated, rest),
            [b'\\', literal, behind @ ..] => {
                found |= same(*literal, byte, Case::Sensitive);
                rest = behind;
            }
            [b']', behind @ ..] => return (found != negated, behind),
            [from, b'-', to, behind @ ..] => {
                let [from, to, byte] = [*from, *to, byte].map(|byte| fold(byte, case));
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                rest = behind;
            }
            [literal, behind @ ..] => {
                found |= same(*literal, byte, case);
                rest = behind;
            }
        }
    }
}

fn same(one: u8, other: u8, case: Case) -> bool {
    fold(one, case) == fold(other, case)
}

fn fold(byte: u8, case: Case) -> u8 {
    if case == Case::Insensitive { byte.to_ascii_lowercase() } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive)
    }

    #[test]
    fn patterns_mean_what_they_mean_in_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("***", "abc", true),
            ("a", "", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h*llo", "heeeell", false),
            ("*a*b", "xxaxxbxb", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-c]llo", "hdllo", false),
            ("[\\]]", "]", true),
            ("[\\-a]", "-", true),
            ("[a-]", "-", false),
            ("[a-]", "_", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("[]", "a", false),
            ("[^]", "a", true),
            ("[", "[", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("\\a", "a", true),
            ("a*c?", "abcd", true),
            ("*?", "", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern:?} against {text:?}");
        }
    }

    #[test]
    fn case_can_be_ignored() {
        for (pattern, text) in [("MAX*", "maxmemory"), ("[A-C]x", "bX"), ("h[E]llo", "hello")] {
            assert!(!fits(pattern, text), "{pattern}");
            assert!(matches(pattern.as_bytes(), text.as_bytes(), Case::Insensitive), "{pattern}");
        }
    }

    #[test]
    fn many_stars_do_not_multiply() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!fits(&pattern, &"a".repeat(20_000)));
    }
}
