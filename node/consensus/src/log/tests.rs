//! openraft's own suite against both log stores, and what it leaves out.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use openraft::StorageError;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::TypeConfigExt;
use openraft::{EntryPayload, RaftLogReader};
use quoris_storage::{DiskMeta, Log, LogOptions, MemoryDisk, Snapshots, Syncer};
use tokio::sync::mpsc;

use super::{Ballot, MetaStore, SegmentStore, clamp};
use crate::audience::Audience;
use crate::fault::Fault;
use crate::lease::Lease;
use crate::machine::Machine;
use crate::outcome::CommittedTags;
use crate::shelf::Shelf;
use crate::state_machine::{Growth, StateMachine};
use crate::types::{Batch, Committed, Entry, GroupId, LogId, LogPosition, TypeConfig, Vote};
use crate::world::Offload;
use crate::{RaftId, Stamp};

const ME: RaftId = 1;

#[derive(Default)]
struct Nothing;

impl Machine for Nothing {
    fn applied(&self) -> Option<LogPosition> {
        None
    }

    fn apply(&mut self, _: Committed<'_>) {}

    fn snapshot(&mut self) -> anyhow::Result<Vec<u8>> {
        Ok(b"state".to_vec())
    }

    fn restore(&mut self, _: Option<LogPosition>, _: &[u8]) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The parts of a store on one simulated disk.
struct Parts {
    disk: Arc<dyn quoris_storage::Disk>,
    meta: Arc<DiskMeta>,
    group: GroupId,
    ballot: Ballot,
    fault: Fault,
}

impl Parts {
    fn on(disk: &MemoryDisk) -> Self {
        let disk = disk.mount();
        let meta = Arc::new(DiskMeta::open(disk.clone(), Path::new("meta")).unwrap());
        let group = GroupId("shard".to_owned());
        let lease = Lease::new(ME);
        let fault = Fault::new(lease.clone());
        let ballot = Ballot::new(meta.clone(), &group, lease, fault.clone());
        Self { disk, meta, group, ballot, fault }
    }

    fn segments(&self) -> SegmentStore {
        let options = LogOptions { segment_bytes: 1024, spare_bytes: 4096, cache_bytes: 256 };
        let log = Log::open(self.disk.clone(), Path::new("aof"), options).unwrap();
        SegmentStore::new(
            log,
            Syncer::inline(),
            self.ballot.clone(),
            Audience::default(),
            self.fault.clone(),
        )
    }

    fn records(&self) -> MetaStore {
        let (ballot, fault) = (self.ballot.clone(), self.fault.clone());
        MetaStore::open(self.meta.clone(), &self.group, ballot, fault).unwrap()
    }

    fn machine(&self, place: Shelf) -> StateMachine {
        let growth = Growth::new(u64::MAX, mpsc::channel(1).0);
        let machine = Rc::new(RefCell::new(Nothing));
        StateMachine::new(
            machine,
            CommittedTags::default(),
            growth,
            place,
            Audience::default(),
            self.fault.clone(),
        )
    }
}

struct OnSegments;

impl StoreBuilder<TypeConfig, SegmentStore, StateMachine> for OnSegments {
    async fn build(&self) -> Result<((), SegmentStore, StateMachine), StorageError<TypeConfig>> {
        let parts = Parts::on(&MemoryDisk::new());
        let dir = Path::new("snapshots");
        let snapshots = Snapshots::open(parts.disk.clone(), dir, &parts.group.0).unwrap();
        let machine =
            parts.machine(Shelf::in_files(snapshots, parts.group.clone(), Offload::Inline));
        Ok(((), parts.segments(), machine))
    }
}

struct OnMeta;

impl StoreBuilder<TypeConfig, MetaStore, StateMachine> for OnMeta {
    async fn build(&self) -> Result<((), MetaStore, StateMachine), StorageError<TypeConfig>> {
        let parts = Parts::on(&MemoryDisk::new());
        let machine = parts.machine(Shelf::in_meta(parts.meta.clone(), &parts.group));
        Ok(((), parts.records(), machine))
    }
}

#[tokio::test]
async fn openrafts_suite_passes_on_segments() {
    Suite::test_all(OnSegments).await.unwrap();
}

#[tokio::test]
async fn openrafts_suite_passes_on_metadata() {
    Suite::test_all(OnMeta).await.unwrap();
}

fn entry(term: u64, index: u64, len: usize) -> Entry {
    let stamp = Stamp { now_ms: index, seed: term, engine_version: 1 };
    let payload = EntryPayload::Normal(Batch { stamp, payload: vec![7; len].into() });
    Entry { log_id: LogId::new_term_index(term, index), payload }
}

async fn survives_a_crash<S>(open: impl Fn(&Parts) -> S)
where
    S: RaftLogStorage<TypeConfig> + RaftLogReader<TypeConfig>,
{
    let disk = MemoryDisk::new();
    let mut store = open(&Parts::on(&disk));
    let vote = Vote::new_committed(3, 2);
    store.save_vote(&vote).await.unwrap();
    let written: Vec<_> = (0..40).map(|index| entry(3, index, 100)).collect();
    store.append(written.clone(), IOFlushed::noop()).await.unwrap();
    store.truncate_after(Some(LogId::new_term_index(3, 34))).await.unwrap();
    store.append([entry(4, 35, 5)], IOFlushed::noop()).await.unwrap();
    store.purge(LogId::new_term_index(3, 9)).await.unwrap();

    disk.crash(11);
    let mut store = open(&Parts::on(&disk));
    assert_eq!(store.read_vote().await.unwrap(), Some(vote));
    let state = store.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(LogId::new_term_index(3, 9)));
    assert_eq!(state.last_log_id, Some(LogId::new_term_index(4, 35)));
    let mut expected = written[10..35].to_vec();
    expected.push(entry(4, 35, 5));
    assert_eq!(store.try_get_log_entries(..).await.unwrap(), expected);
}

#[tokio::test]
async fn a_synced_log_survives_a_crash() {
    survives_a_crash(Parts::segments).await;
    survives_a_crash(Parts::records).await;
}

#[tokio::test]
async fn long_reads_come_in_pieces_and_large_entries_whole() {
    use futures::StreamExt;
    let mut store = Parts::on(&MemoryDisk::new()).segments();
    let written: Vec<_> = (0..6).map(|index| entry(1, index, 700 << 10)).collect();
    store.append(written.clone(), IOFlushed::noop()).await.unwrap();
    let piece = store.limited_get_log_entries(0, 6).await.unwrap();
    assert!(!piece.is_empty() && piece.len() < 6, "{} entries at once", piece.len());
    let all: Vec<_> = store.entries_stream(0..6).await.map(Result::unwrap).collect().await;
    assert_eq!(all, written);
}

#[tokio::test]
async fn a_failing_disk_is_reported_and_ends_the_lease() {
    let disk = MemoryDisk::new();
    let parts = Parts::on(&disk);
    let mut store = parts.segments();
    store.append([entry(1, 0, 10)], IOFlushed::noop()).await.unwrap();
    let fault = parts.fault.watch();
    assert_eq!(*fault.borrow(), None);
    disk.fail_syncs(quoris_storage::disk::Fault::Io, 1);
    let (done, outcome) = TypeConfig::oneshot();
    store.append([entry(1, 1, 10)], IOFlushed::signal(done)).await.unwrap();
    assert!(outcome.await.unwrap().is_err());
    assert!(fault.borrow().as_ref().unwrap().contains("sync the log"));
    assert!(store.append([entry(1, 2, 10)], IOFlushed::noop()).await.is_err());
}

#[test]
fn ranges_are_cut_to_what_is_held() {
    assert_eq!(clamp(&(2..5), 0..9), 2..5);
    assert_eq!(clamp(&(2..=5), 4..6), 4..6);
    assert_eq!(clamp(&(..), 4..6), 4..6);
    assert!(clamp(&(0..3), 4..6).is_empty());
    assert!(clamp(&(7..), 4..6).is_empty());
}
