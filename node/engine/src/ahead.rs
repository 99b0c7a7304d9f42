//! Fetches the memory that the next few commands will touch, before the first of them runs.
//!
//! A command on a member of a big collection waits for memory up to eight times, each time for as
//! long as a hundred instructions take:
//!
//! ```text
//! slot's table → bucket → entry → collection → its table → part of the index → bucket → record
//! ```
//!
//! So commands are looked at together, in rounds. Each round only asks for what the next one reads,
//! and the processor fetches that for all of them at once. Nothing depends on what is found: an
//! entry that shares seven bits of a hash with the key is as good as the key's own.

use crate::command::{Args, Prepared};
use crate::engine::Engine;
use crate::keyspace::{Entry, ValueRef};
use crate::spec::Group;
use crate::types::Search;

/// How many commands are looked at together.
pub const AHEAD: usize = 16;

/// A command that is about to run.
#[derive(Clone, Copy)]
pub struct Upcoming<'a> {
    db: u16,
    key: Prepared,
    /// The first member of a set, or field of a hash, that it names.
    member: Option<&'a [u8]>,
}

impl<'a> Upcoming<'a> {
    /// A command of a group with these words; `None` if nothing was computed ahead for it.
    #[inline]
    pub fn new(db: u16, group: Group, args: &Args<'a>) -> Option<Self> {
        let key = args.ready()?;
        let member = match group {
            Group::Hash | Group::Set => args.try_get(key.word as usize + 1),
            _ => None,
        };
        Some(Upcoming { db, key, member })
    }
}

impl Engine {
    /// Asks for the memory that up to [`AHEAD`] commands will touch.
    pub fn prefetch(&self, upcoming: &[Option<Upcoming<'_>>]) {
        let databases = self.keyspace.database_count();
        let there = || upcoming.iter().flatten().filter(|it| it.db < databases);
        for it in there() {
            self.keyspace.database(it.db).prefetch_table(it.key.slot);
        }
        let (mut found, mut len) = ([None; AHEAD], 0);
        for it in there() {
            let entry = self.keyspace.database(it.db).prefetch_entry(it.key.slot, it.key.hash);
            if let (Some(entry), Some(member), true) = (entry, it.member, len < AHEAD) {
                found[len] = Some((entry, member));
                len += 1;
            }
        }
        if len > 0 {
            prefetch_inside(&found[..len]);
        }
    }
}

/// The rounds inside of hashes and sets whose entries have been asked for.
fn prefetch_inside(found: &[Option<(&Entry, &[u8])>]) {
    let found = || found.iter().flatten();
    found().for_each(|(entry, _)| entry.value().prefetch());
    found().for_each(|(entry, _)| match entry.value() {
        ValueRef::Set(set) => set.prefetch(),
        ValueRef::Hash(hash) => hash.prefetch(),
        _ => {}
    });
    let mut searches: [Option<Search<'_>>; AHEAD] = [const { None }; AHEAD];
    for ((entry, member), search) in found().zip(&mut searches) {
        *search = match entry.value() {
            ValueRef::Set(set) => set.begin_search(member),
            ValueRef::Hash(hash) => hash.begin_search(member),
            _ => None,
        };
    }
    searches.iter_mut().flatten().for_each(Search::find_number);
    searches.iter().flatten().for_each(Search::prefetch_chunk);
    searches.iter().flatten().for_each(Search::prefetch_record);
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;
    use crate::{Interests, Rng, Seeds, Settings, Stamp};

    /// A command on one of a few keys, whose type it may not be.
    fn command(rng: &mut Rng) -> Vec<u8> {
        let key = format!("key:{}", rng.below(8));
        let member = format!("member:{}", rng.below(9000));
        let number = format!("{}", rng.below(3000));
        let long = [b'x'; 300];
        let words: &[&[u8]] = match rng.below(2000) {
            0..3 => &[b"DEL", key.as_bytes()],
            3 => &[b"SET", key.as_bytes(), b"string"],
            4 => &[b"SELECT", b"1"],
            5..8 => &[b"SELECT", b"0"],
            8..100 => &[b"HSET", key.as_bytes(), member.as_bytes(), &long],
            100..200 => &[b"SADD", key.as_bytes(), number.as_bytes()],
            200..300 => &[b"SREM", key.as_bytes(), member.as_bytes()],
            300..400 => &[b"HDEL", key.as_bytes(), member.as_bytes()],
            400..500 => &[b"LPUSH", key.as_bytes(), member.as_bytes()],
            500..1200 => &[b"SADD", key.as_bytes(), member.as_bytes(), number.as_bytes()],
            _ => &[b"HSET", key.as_bytes(), member.as_bytes(), b"value"],
        };
        let mut encoded = Vec::new();
        quoris_resp::encode_command(&mut encoded, words.iter().copied());
        encoded
    }

    #[test]
    fn looking_ahead_changes_nothing() {
        let engine = || Engine::new(Settings::default(), Seeds { hash: [9; 16] });
        let (mut one_by_one, mut together) = (engine(), engine());
        let apply = |engine: &mut Engine, payload: &[u8]| {
            let mut applying = engine.begin(Stamp::default(), Interests::default());
            applying.run_payload(payload);
            applying.finish();
        };
        let mut rng = Rng::new(3);
        for _ in 0..1000 {
            // A payload begins in database 0.
            let (mut all, mut select) = (Vec::new(), Vec::new());
            for _ in 0..40 {
                let command = command(&mut rng);
                all.extend_from_slice(&command);
                if command[8..].starts_with(b"SELECT") {
                    select = command;
                } else {
                    apply(&mut one_by_one, &[select.as_slice(), &command].concat());
                }
            }
            apply(&mut together, &all);
        }
        let keys = one_by_one.keyspace().database(0).len();
        assert!(keys > 4, "{keys} keys are left to be looked at");
        assert_eq!(one_by_one.digest(), together.digest());
    }
}
