//! What has been proposed and not been applied, and what becomes of it if it never is.

use std::collections::{BTreeSet, VecDeque};

use quoris_engine::{Args, CommandError};

use super::{Batch, Kind};

/// Batches that have been proposed, in the order of their tags.
#[derive(Default)]
pub(crate) struct Pending {
    batches: VecDeque<(u64, Batch)>,
    next_tag: u64,
    /// Those that have been answered, although they may still be applied.
    stranded: BTreeSet<u64>,
    spare: Vec<Batch>,
}

impl Pending {
    /// Keeps a proposed batch and returns its tag.
    pub(crate) fn push(&mut self, batch: Batch) -> u64 {
        self.next_tag += 1;
        self.batches.push_back((self.next_tag, batch));
        self.next_tag
    }

    /// The batch with this tag, which is no longer pending.
    pub(crate) fn take(&mut self, tag: u64) -> Option<Batch> {
        if self.batches.front().is_some_and(|(front, _)| *front == tag) {
            return self.batches.pop_front().map(|(_, batch)| batch);
        }
        let at = self.batches.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
        self.batches.remove(at).map(|(_, batch)| batch)
    }

    /// The batches under way, in the order in which they were proposed.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches.iter().map(|(_, batch)| batch)
    }

    /// A batch that has been answered may still be applied.
    pub(crate) fn strand(&mut self, tag: u64) {
        self.stranded.insert(tag);
    }

    /// What has become of a batch is known at last.
    pub(crate) fn settle(&mut self, tag: u64) {
        self.stranded.remove(&tag);
    }

    /// Whether something may be applied of which nothing else is known.
    pub(crate) fn has_stranded(&self) -> bool {
        !self.stranded.is_empty()
    }

    /// The tag of the batch that was proposed last.
    pub(crate) fn newest(&self) -> u64 {
        self.next_tag
    }

    /// The tags of the batches under way up to `newest`.
    pub(crate) fn up_to(&self, newest: u64) -> Vec<u64> {
        let tags = self.batches.iter().map(|(tag, _)| *tag);
        tags.take_while(|tag| *tag <= newest).collect()
    }

    /// How many batches are under way.
    pub(crate) fn len(&self) -> usize {
        self.batches.len()
    }

    /// An empty batch.
    pub(crate) fn fresh(&mut self) -> Batch {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps the memory of a batch that is over.
    pub(crate) fn reuse(&mut self, batch: Batch) {
        if self.spare.len() < 8 {
            self.spare.push(batch.recycle());
        }
    }
}

/// Why a batch was not applied under its tag.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// It never reached the log; this is what to tell the client.
    NotAppended(Option<(String, u16)>),
    /// Nobody knows.
    Unknown,
}

impl Failure {
    /// What a command of the batch is answered with.
    pub(crate) fn reply(&self, kind: Kind, args: &Args<'_>, key: Option<usize>) -> CommandError {
        match self {
            Failure::Unknown if kind != Kind::Read => crate::replies::OUTCOME_UNKNOWN,
            // What does not write did not run, so that repeating it is safe.
            Failure::Unknown | Failure::NotAppended(None) => crate::replies::TRY_AGAIN,
            Failure::NotAppended(Some((host, port))) => {
                match key.and_then(|word| args.try_get(word)) {
                    Some(key) => {
                        let slot = quoris_engine::Slot::of_key(key).number();
                        crate::replies::moved(slot, host, *port)
                    }
                    None => crate::replies::TRY_AGAIN,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quoris_engine::Slot;

    use super::super::tests::mixed;
    use super::*;
    use crate::replies;

    #[test]
    fn a_failed_batch_never_claims_more_than_is_known() {
        let mut batch = mixed();
        batch.close();
        let (write, rider) = (&batch.items[0], &batch.items[1]);
        let reply = |failure: &Failure, item: &super::super::Item| {
            failure.reply(item.kind, &batch.args(item), Some(1))
        };
        let moved = Failure::NotAppended(Some(("10.0.0.2".to_owned(), 7)));
        let slot = Slot::of_key(b"a").number();
        assert_eq!(reply(&Failure::Unknown, write), replies::OUTCOME_UNKNOWN);
        assert_eq!(reply(&Failure::Unknown, rider), replies::TRY_AGAIN);
        assert_eq!(reply(&Failure::NotAppended(None), write), replies::TRY_AGAIN);
        assert_eq!(reply(&moved, write), replies::moved(slot, "10.0.0.2", 7));
        assert_eq!(reply(&moved, rider), replies::moved(slot, "10.0.0.2", 7));
    }

    #[test]
    fn batches_are_found_by_tag_in_any_order() {
        let mut pending = Pending::default();
        let tags: Vec<_> = (0..4).map(|_| pending.push(Batch::default())).collect();
        assert!(pending.take(tags[2]).is_some());
        assert!(pending.take(tags[2]).is_none());
        assert!(pending.take(tags[0]).is_some());
        assert!(pending.take(tags[3]).is_some());
        assert_eq!(pending.len(), 1);
        assert!(pending.take(0).is_none());
        pending.strand(tags[1]);
        pending.settle(tags[0]);
        assert!(pending.has_stranded());
        pending.settle(tags[1]);
        assert!(!pending.has_stranded());
    }
}
