//! A shard's log: openraft's view of the AOF segments.

use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::stream::{self, Stream, StreamExt};
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use quoris_storage::{Log, Syncer};
use tokio::sync::oneshot;

use super::{Ballot, Reach, clamp};
use crate::audience::Audience;
use crate::codec;
use crate::fault::Fault;
use crate::types::{Entry, LogId, TypeConfig, Vote};

/// Bytes read at a time for a follower or for the state machine. At least one
/// entry is read, however large.
const READ_BYTES: usize = 1 << 20;

/// How much of what a node without followers has applied stays in memory, bytes.
const ALONE_BYTES: usize = 256 << 10;

/// A shard's log, its vote, and whoever makes it durable. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SegmentStore(Arc<Inner>);

struct Inner {
    log: Mutex<Log>,
    syncer: Mutex<Syncer>,
    ballot: Ballot,
    reach: Reach,
    audience: Audience,
    fault: Fault,
}

impl SegmentStore {
    pub(crate) fn new(
        mut log: Log,
        syncer: Syncer,
        ballot: Ballot,
        audience: Audience,
        fault: Fault,
    ) -> Self {
        let reach = Reach::default();
        log.set_relaxed(syncer.is_relaxed());
        reach.set(log.last().map(|(index, _)| index));
        let (log, syncer) = (Mutex::new(log), Mutex::new(syncer));
        Self(Arc::new(Inner { log, syncer, ballot, reach, audience, fault }))
    }

    /// How far the log reaches, now and later.
    pub(crate) fn reach(&self) -> Reach {
        self.0.reach.clone()
    }

    /// Bytes of entries that are in memory.
    pub(crate) fn cached_bytes(&self) -> usize {
        self.log().cached_bytes()
    }

    /// Changes how entries are made durable from the next one on.
    pub(crate) fn set_syncer(&self, syncer: Syncer) {
        self.log().set_relaxed(syncer.is_relaxed());
        *self.0.syncer.lock().expect("no panic while held") = syncer;
    }

    /// Waits until everything appended so far has been synced.
    pub(crate) async fn sync(&self) -> io::Result<()> {
        let ticket = self.log().sync_ticket();
        let syncer = self.0.syncer.lock().expect("no panic while held").clone();
        let (done, told) = oneshot::channel();
        syncer.force(ticket, move |outcome| {
            // Whoever has stopped waiting does not need to know.
            let _ = done.send(outcome);
        });
        let outcome = told.await.map_err(io::Error::other).flatten();
        outcome.map_err(|error| self.0.fault.raise("sync the log", error))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().expect("no panic while held")
    }

    /// Entries from `start` on, up to `READ_BYTES` but at least one.
    fn read(&self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        let records = self.log().read(start, end, READ_BYTES)?;
        records.into_iter().map(|record| Ok(codec::entry_from_record(record)?)).collect()
    }

    fn held(&self, wanted: &impl RangeBounds<u64>) -> std::ops::Range<u64> {
        let log = self.log();
        let end = log.last().map_or(0, |(index, _)| index + 1);
        clamp(wanted, log.first_index().unwrap_or(end)..end)
    }
}

impl RaftLogReader<TypeConfig> for SegmentStore {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> io::Result<Vec<Entry>>
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let range = self.held(&range);
        let mut entries = Vec::new();
        let mut next = range.start;
        while next < range.end {
            entries.append(&mut self.read(next, range.end)?);
            next = entries.last().map_or(range.end, |entry| entry.log_id.index + 1);
        }
        Ok(entries)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        self.0.ballot.read()
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        let range = self.held(&(start..end));
        if range.is_empty() { Ok(Vec::new()) } else { self.read(range.start, range.end) }
    }

    /// A piece at a time: after a restart, a whole log may have to be applied.
    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let range = self.held(&range);
        let pieces = stream::unfold((self.clone(), range), |(store, range)| async move {
            if range.is_empty() {
                return None;
            }
            match store.read(range.start, range.end) {
                Ok(entries) => {
                    let next = entries.last().map_or(range.end, |entry| entry.log_id.index + 1);
                    let entries: Vec<_> = entries.into_iter().map(Ok).collect();
                    Some((entries, (store, next..range.end)))
                }
                Err(error) => Some((vec![Err(error)], (store, range.end..range.end))),
            }
        });
        pieces.flat_map(stream::iter).boxed()
    }
}

impl RaftLogStorage<TypeConfig> for SegmentStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let log = self.log();
        let position = |(index, term)| LogId::new_term_index(term, index);
        Ok(LogState {
            last_purged_log_id: log.purged().map(position),
            last_log_id: log.last().map(position),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.0.ballot.save(vote)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let records: Vec<_> = entries.into_iter().map(codec::entry_to_record).collect();
        let ticket = {
            let mut log = self.log();
            log.append(&records).map_err(|error| self.0.fault.raise("append to the log", error))?;
            self.0.reach.set(log.last().map(|(index, _)| index));
            if let Some(index) = self.0.audience.is_done_with() {
                log.release(index, ALONE_BYTES);
            }
            log.sync_ticket()
        };
        let fault = self.0.fault.clone();
        let syncer = self.0.syncer.lock().expect("no panic while held").clone();
        syncer.submit(ticket, move |synced| {
            callback.io_completed(synced.map_err(|error| fault.raise("sync the log", error)));
        });
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        let mut log = self.log();
        let cut = log.truncate_after(last.map(|id| id.index));
        self.0.reach.set(log.last().map(|(index, _)| index));
        cut.map_err(|error| self.0.fault.raise("truncate the log", error))
    }

    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        let purged = self.log().purge_to(upto.index, upto.leader_id.term);
        purged.map_err(|error| self.0.fault.raise("purge the log", error))
    }
}
