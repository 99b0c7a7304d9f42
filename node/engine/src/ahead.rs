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
