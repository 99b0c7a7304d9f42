//! Snapshot files: written whole or not at all, and never believed unchecked.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use quoris_storage::disk::Fault;
use quoris_storage::{
    Disk, MemoryDisk, OpenMode, RealDisk, SnapshotError, SnapshotFile, SnapshotMeta, Snapshots,
};

const DIR: &str = "/data/snapshots";

fn meta(index: u64) -> SnapshotMeta {
    let membership = Bytes::from(vec![7; index as usize % 50]);
    SnapshotMeta { group: "shard".to_owned(), index, term: index / 10, membership }
}

fn payload(index: u64) -> Vec<u8> {
    (0..index * 1000).map(|at| (at * index) as u8).collect()
}

fn open(disk: &MemoryDisk) -> Snapshots {
    Snapshots::open(disk.mount(), Path::new(DIR), "shard").unwrap()
}

fn save(snapshots: &Snapshots, index: u64) -> SnapshotFile {
    snapshots.save(&meta(index), &payload(index)).unwrap()
}

fn assert_is(snapshot: &SnapshotFile, index: u64) {
    assert_eq!(snapshot.meta(), &meta(index));
    assert_eq!(snapshot.payload().unwrap(), payload(index));
}

#[test]
fn the_newest_is_found_again_on_both_disks() {
    let directory = tempfile::tempdir().unwrap();
    let disks: [(Arc<dyn Disk>, &Path); 2] =
        [(Arc::new(MemoryDisk::new()), Path::new(DIR)), (Arc::new(RealDisk), directory.path())];
    for (disk, dir) in disks {
        let snapshots = Snapshots::open(disk.clone(), dir, "shard").unwrap();
        assert!(snapshots.latest().unwrap().is_none());
        for index in [0, 3, 9, 1200] {
            assert_is(&save(&snapshots, index), index);
        }
        save(&snapshots, 27);
        let snapshots = Snapshots::open(disk.clone(), dir, "shard").unwrap();
        assert_is(&snapshots.latest().unwrap().unwrap(), 1200);
        snapshots.prune(2).unwrap();
        let names = disk.list(dir).unwrap();
        assert_eq!(names.len(), 2);
        assert!(names[0].starts_with("00000000000000000027-"));
    }
}

#[test]
fn a_crash_at_any_step_leaves_the_old_snapshot_or_the_new() {
    for changes in 0..9 {
        for seed in 0..20 {
            let disk = MemoryDisk::new();
            save(&open(&disk), 5);
            disk.cut_power_after(changes);
            let snapshots = Snapshots::open(disk.mount(), Path::new(DIR), "shard");
            let saved = snapshots.and_then(|them| them.save(&meta(6), &payload(6)));
            disk.crash(seed);
            let snapshots = open(&disk);
            let found = snapshots.latest().unwrap().unwrap();
            assert_is(&found, if saved.is_ok() { 6 } else { found.meta().index });
            assert!(disk.list(Path::new(DIR)).unwrap().iter().all(|it| it.ends_with(".snapshot")));
        }
    }
}

#[test]
fn a_damaged_snapshot_is_skipped_and_the_last_one_refused() {
    let disk = MemoryDisk::new();
    let snapshots = open(&disk);
    let (old, new) = (save(&snapshots, 5), save(&snapshots, 6));
    for offset in 0..new.file_bytes() {
        disk.corrupt(new.path(), offset, 0x10).unwrap();
        assert_is(&snapshots.latest().unwrap().unwrap(), 5);
        disk.corrupt(new.path(), offset, 0x10).unwrap();
    }
    disk.corrupt(new.path(), 100, 1).unwrap();
    disk.corrupt(old.path(), 100, 1).unwrap();
    let error = snapshots.latest().unwrap_err();
    assert!(matches!(error, SnapshotError::Corrupt { .. }));
    assert!(error.to_string().starts_with(new.path().to_str().unwrap()), "{error}");
}

#[test]
fn a_snapshot_of_another_group_is_refused() {
    let disk = MemoryDisk::new();
    save(&open(&disk), 5);
    let other = Snapshots::open(disk.mount(), Path::new(DIR), "topology").unwrap();
    let error = other.latest().unwrap_err().to_string();
    assert!(error.contains("a snapshot of group shard, not of topology"), "{error}");
}

#[test]
fn a_transfer_resumes_where_it_broke_off() {
    let source = save(&open(&MemoryDisk::new()), 30);
    let disk = MemoryDisk::new();
    let snapshots = open(&disk);
    let mut partial = snapshots.receive(1).unwrap();
    let mut step = 0;
    while partial.received() < source.file_bytes() {
        step += 1;
        let offset = partial.received();
        let chunk = source.chunk(offset, 4096).unwrap();
        match step % 3 {
            0 => drop(chunk),
            1 => partial.write(offset, &chunk).unwrap(),
            _ => partial.write(offset - 10, &source.chunk(offset - 10, 500).unwrap()).unwrap(),
        }
        let gap = partial.write(partial.received() + 1, b"x").unwrap_err();
        assert!(matches!(gap, SnapshotError::Gap { .. }));
    }
    assert!(snapshots.latest().unwrap().is_none());
    assert_is(&partial.finish(source.checksum()).unwrap(), 30);
    disk.crash(0);
    assert_is(&open(&disk).latest().unwrap().unwrap(), 30);
}

#[test]
fn a_transfer_that_is_short_altered_or_not_as_announced_is_refused() {
    let source = save(&open(&MemoryDisk::new()), 3);
    let whole = source.chunk(0, usize::MAX).unwrap();
    assert_eq!(whole.len() as u64, source.file_bytes());
    let mut altered = whole.to_vec();
    altered[90] ^= 1;
    let disk = MemoryDisk::new();
    let snapshots = open(&disk);
    let cases = [
        (&whole[..whole.len() - 1], source.checksum()),
        (&altered[..], source.checksum()),
        (&whole[..], !source.checksum()),
        (&[], 0),
    ];
    for (bytes, checksum) in cases {
        let mut partial = snapshots.receive(9).unwrap();
        partial.write(0, bytes).unwrap();
        assert!(matches!(partial.finish(checksum), Err(SnapshotError::Corrupt { .. })));
    }
    snapshots.receive(9).unwrap().abandon().unwrap();
    assert_eq!(disk.list(Path::new(DIR)).unwrap(), Vec::<String>::new());
}

#[test]
fn leftovers_are_removed_and_a_full_disk_is_an_error() {
    let disk = MemoryDisk::new();
    let snapshots = open(&disk);
    disk.open(&Path::new(DIR).join("1.partial"), OpenMode::CreateNew).unwrap();
    disk.fail_writes(Fault::NoSpace, 1);
    let error = snapshots.save(&meta(2), &payload(2)).unwrap_err();
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::StorageFull);
    open(&disk);
    assert_eq!(disk.list(Path::new(DIR)).unwrap(), Vec::<String>::new());
}
