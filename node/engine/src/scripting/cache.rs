//! The scripts that `EVALSHA` can name.
//!
//! Scripts that a client loaded stay until `SCRIPT FLUSH`. Those that came with an `EVAL` are many
//! where a program writes its values into the text, so only the 500 used last are kept, as from
//! Redis 7.4 on. When a script was used is counted in uses, so that every replica drops the same one.

use alloc::rc::Rc;

use super::{Script, ScriptFlags, Sha};
use indexmap::IndexMap;

/// How many scripts that came with an `EVAL` are kept.
const EVALUATED_MAX: usize = 500;

/// Names are hashes already, and whoever makes two of them alike has to try for long. The order of
/// the map is that of insertion, whatever the hasher does.
type Names = core::hash::BuildHasherDefault<AsIs>;

/// Takes a number for its hash.
#[derive(Default)]
struct AsIs(u64);

impl core::hash::Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("names are written as numbers");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A script and how it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    /// The script.
    pub script: Rc<Script>,
    /// Number of its last use; 0 for one that was loaded and is never dropped.
    pub used: u64,
}

/// Scripts by name, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    scripts: IndexMap<Sha, Cached, Names>,
    evaluated: usize,
    /// How many uses of scripts there have been.
    uses: u64,
    /// Whether there has been one that states that it never writes.
    knows_readers: bool,
}

impl Cache {
    /// Whether one of them may state that it never writes.
    pub(crate) fn knows_readers(&self) -> bool {
        self.knows_readers
    }

    /// The script called `sha`.
    pub(crate) fn get(&self, sha: &Sha) -> Option<Rc<Script>> {
        self.scripts.get(sha).map(|cached| cached.script.clone())
    }

    /// The same, for a use that counts.
    pub(crate) fn used(&mut self, sha: &Sha) -> Option<Rc<Script>> {
        let cached = self.scripts.get_mut(sha)?;
        if cached.used > 0 {
            self.uses += 1;
            cached.used = self.uses;
        }
        Some(cached.script.clone())
    }

    /// Keeps a script for good.
    pub(crate) fn load(&mut self, script: Rc<Script>) {
        let sha = script.sha;
        self.knows_readers |= script.flags.has(ScriptFlags::NO_WRITES);
        if let Some(before) = self.scripts.insert(sha, Cached { script, used: 0 }) {
            self.evaluated -= usize::from(before.used > 0);
        }
    }

    /// Keeps a script that is new here, and drops the one that was not used for longest if there
    /// are too many.
    pub(crate) fn evaluate(&mut self, script: Rc<Script>) {
        self.uses += 1;
        self.restore(script, self.uses);
        if self.evaluated > EVALUATED_MAX {
            let evaluated = self.scripts.values().enumerate().filter(|(_, cached)| cached.used > 0);
            let (oldest, _) = evaluated.min_by_key(|(_, cached)| cached.used).expect("500 of them");
            self.scripts.shift_remove_index(oldest);
            self.evaluated -= 1;
        }
    }

    /// Puts a script back that a snapshot holds.
    pub(crate) fn restore(&mut self, script: Rc<Script>, used: u64) {
        self.uses = self.uses.max(used);
        self.knows_readers |= script.flags.has(ScriptFlags::NO_WRITES);
        self.evaluated += usize::from(used > 0);
        self.scripts.insert(script.sha, Cached { script, used });
    }

    /// All scripts, in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Cached> {
        self.scripts.values()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::rc::Rc;

    use super::{Cache, EVALUATED_MAX};
    use crate::scripting::Script;

    fn script(number: usize) -> Rc<Script> {
        Rc::new(Script::new(format!("return {number}").as_bytes()).expect("no flags"))
    }

    #[test]
    fn only_those_used_last_are_kept_of_what_was_not_loaded() {
        let mut cache = Cache::default();
        cache.load(script(0));
        for number in 1..=EVALUATED_MAX {
            cache.evaluate(script(number));
        }
        assert!(cache.used(&script(1).sha).is_some());
        cache.evaluate(script(1000));
        assert!(cache.get(&script(2).sha).is_none(), "the one used before all others");
        for kept in [0, 1, 3, 1000] {
            assert!(cache.get(&script(kept).sha).is_some(), "{kept}");
        }
        cache.load(script(3));
        cache.evaluate(script(1001));
        assert_eq!(cache.iter().len(), EVALUATED_MAX + 2, "one less counts after it was loaded");
    }
}
