//! Keys whose names derive from an element: `weight_*`, or `user_*->age` for a field of a hash.

use crate::keyspace::ValueRef;
use crate::slot::Slot;
use crate::types::Fields;

/// The keys that patterns look at.
pub(super) struct Keys<'a> {
    /// The value of a key.
    pub value: &'a dyn Fn(&[u8]) -> Option<ValueRef<'a>>,
    /// The time that counts for fields of hashes.
    pub now_ms: u64,
}

/// A pattern, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    /// `#`: the element.
    Element,
    /// A pattern without a star, which names nothing.
    Nothing,
    /// The string at a key, or with a field, that field of the hash at it.
    Key {
        /// What stands before the star.
        before: &'a [u8],
        /// What stands behind it.
        behind: &'a [u8],
        /// The field.
        field: Option<&'a [u8]>,
    },
}

impl<'a> Pattern<'a> {
    /// Takes a pattern apart. The arrow counts only behind the star and before a field.
    pub fn new(text: &'a [u8]) -> Pattern<'a> {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = memchr::memchr(b'*', text) else { return Pattern::Nothing };
        let (before, behind) = (&text[..star], &text[star + 1..]);
        match memchr::memmem::find(behind, b"->") {
            Some(arrow) if arrow + 2 < behind.len() => {
                Pattern::Key { before, behind: &behind[..arrow], field: Some(&behind[arrow + 2..]) }
            }
            _ => Pattern::Key { before, behind, field: None },
        }
    }

    /// The slot of all keys that a pattern can name, if it is one: a `{tag}` stands before any
    /// wildcard, or there is no wildcard at all.
    pub fn slot_of(text: &[u8]) -> Option<Slot> {
        let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let fixed = text.iter().position(special).unwrap_or(text.len());
        let open = memchr::memchr(b'{', &text[..fixed]);
        let tagged = open.is_some_and(|open| {
            memchr::memchr(b'}', &text[open..fixed]).is_some_and(|close| close > 1)
        });
        (tagged || fixed == text.len()).then(|| Slot::of_key(text))
    }

    /// Calls `f` with what the pattern names for an element.
    pub fn with<R>(
        &self,
        keys: &Keys<'_>,
        element: &[u8],
        f: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let (before, behind, field) = match *self {
            Pattern::Element => return f(Some(element)),
            Pattern::Nothing => return f(None),
            Pattern::Key { before, behind, field } => (before, behind, field),
        };
        let name = [before, element, behind].concat();
        match ((keys.value)(&name), field) {
            (Some(ValueRef::String(string)), None) => string.with_bytes(|bytes| f(Some(bytes))),
            (Some(ValueRef::Hash(hash)), Some(field)) => with_field(hash.at(keys.now_ms), field, f),
            _ => f(None),
        }
    }
}

fn with_field<R>(hash: Fields<'_>, field: &[u8], f: impl FnOnce(Option<&[u8]>) -> R) -> R {
    match hash.get(field) {
        Some(value) => value.with_bytes(|bytes| f(Some(bytes))),
        None => f(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart() {
        let key = |before: &'static str, behind: &'static str, field: Option<&'static str>| {
            let field = field.map(str::as_bytes);
            Pattern::Key { before: before.as_bytes(), behind: behind.as_bytes(), field }
        };
        for (text, expected) in [
            ("#", Pattern::Element),
            ("", Pattern::Nothing),
            ("a->b", Pattern::Nothing),
            ("*", key("", "", None)),
            ("w_*_x", key("w_", "_x", None)),
            ("w_*->f", key("w_", "", Some("f"))),
            ("w_*x->f->g", key("w_", "x", Some("f->g"))),
            ("w_*->", key("w_", "->", None)),
            ("a->b*", key("a->b", "", None)),
            ("a*b*", key("a", "b*", None)),
        ] {
            assert_eq!(Pattern::new(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_tag_before_the_star_fixes_the_slot() {
        for (text, key) in [
            ("{a}*", Some("{a}")),
            ("x{a}y*->f", Some("{a}")),
            ("fixed", Some("fixed")),
            ("{a*}", None),
            ("*{a}", None),
            ("{}a*", None),
            ("?{a}", None),
        ] {
            let expected = key.map(|key| Slot::of_key(key.as_bytes()));
            assert_eq!(Pattern::slot_of(text.as_bytes()), expected, "{text}");
        }
    }
}
