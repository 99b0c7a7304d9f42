//! Expanding what `LibLZF` has compressed.
//!
//! ```text
//! 000nnnnn, n + 1 bytes                 these bytes
//! nnndddddd dddddddd                    n + 2 bytes again from d + 1 back
//! 111ddddd nnnnnnnn dddddddd            n + 9 bytes again from d + 1 back
//! ```

use alloc::vec::Vec;

/// The `whole` bytes that `packed` stands for; `None` if it stands for anything else.
pub(super) fn expand(packed: &[u8], whole: usize) -> Option<Vec<u8>> {
    // Three bytes stand for 264 at most: more memory than that is not taken.
    if whole > packed.len().checked_mul(88)? {
        return None;
    }
    let mut out = Vec::with_capacity(whole);
    let mut rest = packed;
    while let [control, tail @ ..] = rest {
        let control = usize::from(*control);
        if control < 32 {
            let (literal, tail) = tail.split_at_checked(control + 1)?;
            out.extend_from_slice(literal);
            rest = tail;
        } else {
            let (extra, tail) = match (control >> 5, tail) {
                (7, [extra, tail @ ..]) => (usize::from(*extra), tail),
                (7, []) => return None,
                _ => (0, tail),
            };
            let (low, tail) = tail.split_first()?;
            let back = ((control & 31) << 8 | usize::from(*low)) + 1;
            let from = out.len().checked_sub(back)?;
            // The copy may run into bytes that it has just written.
            (from..from + (control >> 5) + extra + 2).for_each(|at| out.push(out[at]));
            rest = tail;
        }
        if out.len() > whole {
            return None;
        }
    }
    (out.len() == whole).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn literals_and_repetitions() {
        assert_eq!(expand(&[2, b'a', b'b', b'c'], 3).expect("literal"), b"abc");
        assert_eq!(expand(&[0, b'a', 0xe0, 1, 0], 11).expect("a run"), [b'a'; 11]);
        assert_eq!(expand(&[1, b'a', b'b', 0x20, 1], 5).expect("overlapping"), b"ababa");
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        for (packed, whole) in [
            (&[2, b'a'][..], 3),
            (&[0x20, 0], 3),
            (&[0, b'a', 0xe0], 3),
            (&[0, b'a'], 2),
            (&[1, b'a', b'b'], 1),
            (&[], 1 << 40),
        ] {
            assert_eq!(expand(packed, whole), None, "{packed:?}");
        }
    }
}
