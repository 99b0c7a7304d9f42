//! The topology group's log: a few small entries, kept in the metadata store
//! and, whole, in memory.
//!
//! Keys: `raft/<group>/log/<index, 8 bytes big-endian>` holds an entry as on
//! the wire, `raft/<group>/purged` the last position that is gone.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::{Arc, Mutex, MutexGuard};

use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use prost::Message;
use quoris_proto::raft as wire;
use quoris_storage::{Meta, MetaError};

use super::{Ballot, Reach, clamp};
use crate::codec::{self, Malformed};
use crate::fault::Fault;
use crate::types::{Entry, GroupId, LogId, TypeConfig, Vote};

/// A small log and its vote. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MetaStore(Arc<Inner>);

struct Inner {
    meta: Arc<dyn Meta>,
    prefix: String,
    held: Mutex<Held>,
    reach: Reach,
    ballot: Ballot,
    fault: Fault,
}

#[derive(Default)]
struct Held {
    entries: BTreeMap<u64, Entry>,
    purged: Option<LogId>,
}

impl Held {
    fn last(&self) -> Option<u64> {
        self.entries.keys().next_back().copied()
    }
}

impl MetaStore {
    /// Loads the log.
    ///
    /// # Errors
    /// If the metadata store fails or holds something else under our keys.
    pub(crate) fn open(
        meta: Arc<dyn Meta>,
        group: &GroupId,
        ballot: Ballot,
        fault: Fault,
    ) -> io::Result<Self> {
        let prefix = format!("raft/{group}/");
        let mut held = Held::default();
        for (_, bytes) in meta.scan(format!("{prefix}log/").as_bytes())? {
            let entry = wire::Entry::decode(&bytes[..]).map_err(Malformed::from)?;
            let entry = codec::entry_from_wire(entry)?;
            held.entries.insert(entry.log_id.index, entry);
        }
        if let Some(bytes) = meta.get(format!("{prefix}purged").as_bytes())? {
            let purged = wire::LogId::decode(&bytes[..]).map_err(Malformed::from)?;
            held.purged = Some(codec::log_id_from_wire(purged));
        }
        let reach = Reach::default();
        reach.set(held.last());
        let held = Mutex::new(held);
        Ok(Self(Arc::new(Inner { meta, prefix, held, reach, ballot, fault })))
    }

    /// How far the log reaches, now and later.
    pub(crate) fn reach(&self) -> Reach {
        self.0.reach.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().expect("no panic while held")
    }

    fn key(&self, index: u64) -> Vec<u8> {
        let mut key = format!("{}log/", self.0.prefix).into_bytes();
        key.extend_from_slice(&index.to_be_bytes());
        key
    }

    fn write(&self, entries: &[Entry]) -> Result<(), MetaError> {
        for entry in entries {
            let bytes = codec::entry_to_wire(entry.clone()).encode_to_vec();
            self.0.meta.put(&self.key(entry.log_id.index), &bytes)?;
        }
        self.0.meta.flush()
    }

    fn delete(&self, indexes: impl Iterator<Item = u64>) -> Result<(), MetaError> {
        for index in indexes {
            self.0.meta.delete(&self.key(index))?;
        }
        self.0.meta.flush()
    }
}

impl RaftLogReader<TypeConfig> for MetaStore {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> io::Result<Vec<Entry>>
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let held = self.held();
        let first = held.entries.keys().next().copied().unwrap_or(0);
        let end = held.entries.keys().next_back().map_or(0, |last| last + 1);
        let range = clamp(&range, first..end);
        Ok(held.entries.range(range).map(|(_, entry)| entry.clone()).collect())
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        self.0.ballot.read()
    }
}

impl RaftLogStorage<TypeConfig> for MetaStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let held = self.held();
        let last = held.entries.values().next_back().map(|entry| entry.log_id);
        Ok(LogState { last_purged_log_id: held.purged, last_log_id: last.or(held.purged) })
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
        let entries: Vec<_> = entries.into_iter().collect();
        self.write(&entries).map_err(|error| self.0.fault.raise("append to the log", error))?;
        let indexed = entries.into_iter().map(|entry| (entry.log_id.index, entry));
        let mut held = self.held();
        held.entries.extend(indexed);
        self.0.reach.set(held.last());
        drop(held);
        callback.io_completed(Ok(()));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        let mut held = self.held();
        let cut = held.entries.split_off(&last.map_or(0, |id| id.index + 1));
        self.0.reach.set(held.last());
        drop(held);
        // From the end, so that a crash leaves no hole.
        let deleted = self.delete(cut.into_keys().rev());
        deleted.map_err(|error| self.0.fault.raise("truncate the log", error))
    }

    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        let bytes = codec::log_id_to_wire(upto).encode_to_vec();
        let gone = {
            let mut held = self.held();
            held.purged = Some(upto);
            let kept = held.entries.split_off(&(upto.index + 1));
            std::mem::replace(&mut held.entries, kept)
        };
        let purged_key = format!("{}purged", self.0.prefix);
        let purged = self.0.meta.put(purged_key.as_bytes(), &bytes);
        let deleted = purged.and_then(|()| self.delete(gone.into_keys()));
        deleted.map_err(|error| self.0.fault.raise("purge the log", error))
    }
}
