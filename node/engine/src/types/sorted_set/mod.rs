//! Sorted sets: members with scores, ordered by score and then by the bytes of the member.
//!
//! A small set is one run of bytes ([`compact`]); a big one is a B+tree that counts ([`tree`]) over
//! members that are found by hash ([`members`]). Both present the same order, so nothing but
//! `OBJECT ENCODING` and memory tells them apart.
//!
//! Invariant: a score is never NaN. Callers refuse NaN before it gets here.

mod compact;
mod members;
mod tree;

use alloc::boxed::Box;
use alloc::vec::Vec;

use compact::{Compact, MEMBER_MAX};
use members::{MemberId, Members};
use tree::{Element, Node, Position, Tree};

use crate::keyspace::KeyHasher;
use crate::settings::Settings;
use crate::types::Removed;

/// Up to how many elements a walk returns everything at once, as Redis does for its compact form.
const WALK_AT_ONCE: usize = 128;

/// What a set needs to know when it grows.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Hashes members of big sets.
    pub hasher: KeyHasher,
    /// `zset-max-listpack-entries`.
    pub compact_entries: u32,
    /// `zset-max-listpack-value`, in bytes.
    pub compact_value: u32,
}

impl Tuning {
    /// The tuning that the replicated settings ask for.
    pub fn new(settings: &Settings, hasher: &KeyHasher) -> Self {
        Tuning {
            hasher: hasher.clone(),
            compact_entries: settings.sorted_set_compact_entries,
            compact_value: settings.sorted_set_compact_value,
        }
    }
}

/// A sorted set.
#[derive(Debug)]
pub struct SortedSet {
    form: Form,
}

#[derive(Debug)]
enum Form {
    Compact(Compact),
    Big { members: Members, tree: Tree },
}

/// Members that were removed together.
#[derive(Debug, Default)]
#[must_use = "dropping them may take long"]
pub struct RemovedMembers {
    len: usize,
    members: Vec<Box<[u8]>>,
    /// Parts of the order that they were all of.
    nodes: Vec<Node>,
    /// The set, if they were all of it.
    whole: Option<SortedSet>,
}

impl RemovedMembers {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Removed for RemovedMembers {
    fn pieces(&self) -> usize {
        self.members.len() + self.whole.as_ref().map_or(0, SortedSet::pieces)
    }
}

/// An element of a sorted set.
#[derive(Clone, Copy)]
pub struct Ranked<'a> {
    /// Its score.
    pub score: f64,
    name: Name<'a>,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    Bytes(&'a [u8]),
    Id(&'a Members, MemberId),
}

impl<'a> Ranked<'a> {
    /// The bytes of its member.
    pub fn member(&self) -> &'a [u8] {
        match self.name {
            Name::Bytes(bytes) => bytes,
            Name::Id(members, id) => members.bytes(id),
        }
    }
}

impl Default for SortedSet {
    fn default() -> Self {
        SortedSet { form: Form::Compact(Compact::default()) }
    }
}

impl SortedSet {
    /// How many members there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Compact(compact) => compact.len(),
            Form::Big { tree, .. } => tree.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What `OBJECT ENCODING` answers.
    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Compact(_) => "listpack",
            Form::Big { .. } => "skiplist",
        }
    }

    /// Whether it has its small form.
    pub fn is_compact(&self) -> bool {
        matches!(self.form, Form::Compact(_))
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Compact(compact) => compact.score(member),
            Form::Big { members, .. } => members.find(member).map(|id| members.score(id)),
        }
    }

    /// Sets the score of a member, which is added if it is not there. Returns the old score.
    pub fn insert(&mut self, member: &[u8], score: f64, tuning: &Tuning) -> Option<f64> {
        assert!(!score.is_nan(), "a score is never NaN");
        self.grow_for(member, tuning);
        let position = Position { score, member };
        match &mut self.form {
            Form::Compact(compact) => {
                let old = compact.score(member);
                if old != Some(score) {
                    compact.remove(member);
                    compact.insert(&position);
                }
                old
            }
            Form::Big { members, tree } => {
                let Some(id) = members.find(member) else {
                    let id = members.insert(member, score);
                    tree.insert(&position, id, members);
                    return None;
                };
                let old = members.score(id);
                if old != score {
                    tree.remove(&Position { score: old, member }, members);
                    members.set_score(id, score);
                    tree.insert(&position, id, members);
                }
                Some(old)
            }
        }
    }

    /// Removes a member and returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.form {
            Form::Compact(compact) => compact.remove(member),
            Form::Big { members, tree } => {
                let id = members.find(member)?;
                let score = members.score(id);
                tree.remove(&Position { score, member }, members);
                drop(members.remove(id));
                Some(score)
            }
        }
    }

    /// How many members come before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match &self.form {
            Form::Compact(compact) => compact.iter().position(|(found, _)| found == member),
            Form::Big { members, tree } => {
                let score = members.score(members.find(member)?);
                Some(tree.rank(&Position { score, member }, members))
            }
        }
    }

    /// How many members come before the first one for which `before` is false; `before` has to be
    /// true for a prefix of the order and false for the rest.
    pub fn partition_point(&self, mut before: impl FnMut(&[u8], f64) -> bool) -> usize {
        match &self.form {
            Form::Compact(compact) => {
                compact.iter().take_while(|(member, score)| before(member, *score)).count()
            }
            Form::Big { members, tree } => {
                tree.partition_point(|Element { score, id }| before(members.bytes(*id), *score))
            }
        }
    }

    /// Calls `visit` with the members of ranks `first..end`, ascending.
    pub fn ascend(&self, first: usize, end: usize, mut visit: impl FnMut(&[u8], f64)) {
        let count = end.saturating_sub(first);
        match &self.form {
            Form::Compact(compact) => {
                compact.iter().skip(first).take(count).for_each(|(m, s)| visit(m, s));
            }
            Form::Big { members, tree } => {
                tree.ascend(first).take(count).for_each(|e| visit(members.bytes(e.id), e.score));
            }
        }
    }

    /// The elements of ranks `first..end`, ascending. Members are not looked at before they are
    /// asked for.
    pub fn ranked(&self, first: usize, end: usize) -> impl Iterator<Item = Ranked<'_>> {
        let (small, big) = match &self.form {
            Form::Compact(compact) => (Some(compact.iter().skip(first)), None),
            Form::Big { members, tree } => (None, Some((tree.ascend(first), members))),
        };
        let small = small.into_iter().flatten();
        let small = small.map(|(member, score)| Ranked { score, name: Name::Bytes(member) });
        let big = big.into_iter().flat_map(|(elements, members)| {
            elements.map(move |Element { score, id }| Ranked { score, name: Name::Id(members, id) })
        });
        small.chain(big).take(end.saturating_sub(first))
    }

    /// Calls `visit` with the members of ranks `first..end`, descending.
    pub fn descend(&self, first: usize, end: usize, mut visit: impl FnMut(&[u8], f64)) {
        let count = end.saturating_sub(first);
        if count == 0 {
            return;
        }
        match &self.form {
            Form::Compact(compact) => {
                compact.descend(end - 1).take(count).for_each(|(m, s)| visit(m, s));
            }
            Form::Big { members, tree } => {
                let down = tree.descend(end - 1).take(count);
                down.for_each(|e| visit(members.bytes(e.id), e.score));
            }
        }
    }

    /// The member at a rank.
    pub fn select(&self, rank: usize) -> Option<(&[u8], f64)> {
        match &self.form {
            Form::Compact(compact) => compact.iter().nth(rank),
            Form::Big { members, tree } => {
                let element = tree.ascend(rank).next()?;
                Some((members.bytes(element.id), element.score))
            }
        }
    }

    /// Removes the members of ranks `first..end`, of which there are so many, and returns them.
    pub fn remove_ranks(&mut self, first: usize, end: usize) -> RemovedMembers {
        let mut removed = RemovedMembers::default();
        if first >= end {
            return removed;
        }
        removed.len = end - first;
        if removed.len == self.len() {
            removed.whole = Some(core::mem::take(self));
            return removed;
        }
        match &mut self.form {
            Form::Compact(compact) => compact.remove_ranks(first, end),
            Form::Big { members, tree } => {
                let ids: Vec<_> = tree.ascend(first).take(removed.len).map(|e| e.id).collect();
                removed.nodes = tree.remove_ranks(first, end);
                removed.members = ids.into_iter().map(|id| members.remove(id)).collect();
            }
        }
        removed
    }

    /// One step of a walk through the members: calls `visit` with about `count` of them, and returns
    /// where to go on, 0 when that was all. A small set is visited at once, in its order; otherwise
    /// the walk goes by the hash of the members, so that one who is there during a whole walk is
    /// visited at least once.
    pub fn walk(
        &self,
        cursor: u64,
        count: usize,
        hasher: &KeyHasher,
        mut visit: impl FnMut(&[u8], f64),
    ) -> u64 {
        if cursor == 0 && self.len() <= WALK_AT_ONCE {
            self.ascend(0, self.len(), visit);
            return 0;
        }
        match &self.form {
            Form::Compact(compact) => {
                let mut found: Vec<_> =
                    compact.iter().map(|(m, s)| (hasher.hash(m), m, s)).collect();
                found.retain(|(hash, ..)| *hash >= cursor);
                found.sort_unstable_by_key(|(hash, member, _)| (*hash, *member));
                found.iter().for_each(|(_, member, score)| visit(member, *score));
                0
            }
            Form::Big { members, .. } => {
                let (ids, next) = members.walk(cursor, count);
                ids.iter().for_each(|id| visit(members.bytes(*id), members.score(*id)));
                next.unwrap_or(0)
            }
        }
    }

    /// Approximate size in bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<SortedSet>()
            + match &self.form {
                Form::Compact(compact) => compact.memory_bytes(),
                Form::Big { members, tree } => members.memory_bytes() + tree.memory_bytes(),
            }
    }

    /// How many allocations it consists of, about.
    pub fn pieces(&self) -> usize {
        match &self.form {
            Form::Compact(_) => 1,
            // Each member has its own.
            Form::Big { members, tree } => tree.len() + members.frames(),
        }
    }

    /// Turns a small set into a big one if `member` would not fit in.
    fn grow_for(&mut self, member: &[u8], tuning: &Tuning) {
        let Form::Compact(compact) = &self.form else { return };
        let longest = (tuning.compact_value as usize).min(MEMBER_MAX);
        let full = compact.len() >= tuning.compact_entries as usize;
        if member.len() <= longest && (!full || compact.score(member).is_some()) {
            return;
        }
        let mut members = Members::new(tuning.hasher.clone());
        let mut tree = Tree::default();
        for (member, score) in compact.iter() {
            let id = members.insert(member, score);
            tree.insert(&Position { score, member }, id, &members);
        }
        self.form = Form::Big { members, tree };
    }
}

#[cfg(test)]
mod tests;
