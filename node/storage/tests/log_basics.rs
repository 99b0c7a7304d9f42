//! What a log promises while nothing goes wrong, on both kinds of disk.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use quoris_storage::{
    Disk, Log, LogError, LogOptions, MemoryDisk, RealDisk, Record, RecordKind, Stamp,
};

/// Small enough that a handful of records fills a segment and the cache.
const SMALL: LogOptions = LogOptions { segment_bytes: 400, spare_bytes: 1200, cache_bytes: 300 };

fn on_both_disks(test: impl Fn(Arc<dyn Disk>, &Path)) {
    test(Arc::new(MemoryDisk::new()), Path::new("/data/aof"));
    let directory = tempfile::tempdir().unwrap();
    test(Arc::new(RealDisk), &directory.path().join("data/aof"));
}

fn record(index: u64, term: u64) -> Record {
    let payload = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8\r\n{index:08}\r\n");
    let stamp = Stamp { now_ms: 1_700_000_000_000 + index, seed: !index, engine_version: 3 };
    Record { index, term, kind: RecordKind::Batch, stamp, payload: Bytes::from(payload) }
}

fn records(range: std::ops::Range<u64>, term: u64) -> Vec<Record> {
    range.map(|index| record(index, term)).collect()
}

fn indexes(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.index).collect()
}

fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Log {
    Log::open(disk.clone(), dir, SMALL).unwrap()
}

#[test]
fn an_empty_log_has_no_position() {
    on_both_disks(|disk, dir| {
        let log = open(&disk, dir);
        assert_eq!((log.last(), log.purged(), log.first_index()), (None, None, None));
        assert_eq!(log.read(0, 100, 1000).unwrap(), []);
        assert_eq!(log.bytes_since_purge(), 0);
        log.sync_ticket().run().unwrap();
    });
}

#[test]
fn what_is_appended_is_read_before_and_after_reopening() {
    on_both_disks(|disk, dir| {
        let all = records(0..40, 1);
        let mut log = open(&disk, dir);
        for batch in all.chunks(3) {
            log.append(batch).unwrap();
        }
        assert_eq!(log.read(0, 40, usize::MAX).unwrap(), all);
        assert!(disk.list(dir).unwrap().len() > 5, "segments must have rolled");
        drop(log);
        let log = open(&disk, dir);
        assert_eq!(log.last(), Some((39, 1)));
        assert_eq!(log.read(0, u64::MAX, usize::MAX).unwrap(), all);
        assert_eq!(log.read(17, 19, usize::MAX).unwrap(), all[17..19]);
    });
}

#[test]
fn what_is_released_from_memory_is_read_from_the_segments() {
    on_both_disks(|disk, dir| {
        let all = records(0..40, 1);
        let roomy = LogOptions { cache_bytes: 1 << 20, ..SMALL };
        let mut log = Log::open(disk.clone(), dir, roomy).unwrap();
        log.append(&all).unwrap();
        let (whole, one) = (log.cached_bytes(), log.cached_bytes() / 40);
        log.release(9, 0);
        assert_eq!(log.cached_bytes(), whole - 10 * one, "the others are still asked for");
        log.release(39, 5 * one);
        assert_eq!(log.cached_bytes(), 5 * one);
        assert_eq!(log.read(0, 40, usize::MAX).unwrap(), all);
        log.release(39, 0);
        log.append(&records(40..42, 1)).unwrap();
        assert_eq!(log.cached_bytes(), 2 * one);
        assert_eq!(log.read(0, 42, usize::MAX).unwrap(), records(0..42, 1));
    });
}

#[test]
fn a_read_is_bounded_by_bytes_but_returns_at_least_one_record() {
    on_both_disks(|disk, dir| {
        let mut log = open(&disk, dir);
        log.append(&records(0..20, 1)).unwrap();
        let one = record(0, 1).disk_bytes() as usize;
        for from in [0, 15, 18] {
            assert_eq!(indexes(&log.read(from, 20, 0).unwrap()), [from]);
            assert_eq!(indexes(&log.read(from, 20, 2 * one).unwrap()), [from, from + 1]);
        }
        assert_eq!(log.read(20, 30, 1000).unwrap(), []);
        assert_eq!(log.read(5, 5, 1000).unwrap(), []);
    });
}

#[test]
fn truncated_records_are_replaced_across_segments_and_reopening() {
    on_both_disks(|disk, dir| {
        for kept in [29, 28, 14, 5, 1, 0] {
            let mut log = open(&disk, dir);
            log.truncate_after(None).unwrap();
            log.append(&records(0..10, 1)).unwrap();
            log.append(&records(10..30, 2)).unwrap();
            log.truncate_after(kept).unwrap();
            assert_eq!(log.last(), Some((kept, if kept < 10 { 1 } else { 2 })));
            log.append(&records(kept + 1..kept + 4, 3)).unwrap();
            let expected: Vec<Record> = (0..kept + 4)
                .map(|index| {
                    let old = if index < 10 { 1 } else { 2 };
                    record(index, if index > kept { 3 } else { old })
                })
                .collect();
            assert_eq!(log.read(0, 100, usize::MAX).unwrap(), expected, "kept {kept}");
            drop(log);
            let mut log = open(&disk, dir);
            assert_eq!(log.last(), Some((kept + 3, 3)));
            assert_eq!(log.read(0, 100, usize::MAX).unwrap(), expected, "reopened, kept {kept}");
            log.truncate_after(100).unwrap();
            assert_eq!(log.last(), Some((kept + 3, 3)));
        }
    });
}

#[test]
fn purging_removes_covered_segments_and_is_remembered() {
    on_both_disks(|disk, dir| {
        let frugal = LogOptions { spare_bytes: 0, ..SMALL };
        let mut log = Log::open(disk.clone(), dir, frugal).unwrap();
        for record in records(0..30, 1) {
            log.append(&[record]).unwrap();
        }
        let before = (disk.list(dir).unwrap().len(), log.bytes_since_purge());
        log.purge_to(19, 1).unwrap();
        assert!(disk.list(dir).unwrap().len() < before.0);
        assert!(log.bytes_since_purge() < before.1);
        log.purge_to(3, 1).unwrap();
        for log in [log, open(&disk, dir)] {
            assert_eq!((log.purged(), log.last()), (Some((19, 1)), Some((29, 1))));
            assert_eq!(log.first_index(), Some(20));
            assert_eq!(
                (log.term_of(18), log.term_of(19), log.term_of(20)),
                (None, Some(1), Some(1))
            );
            assert_eq!(indexes(&log.read(0, 22, usize::MAX).unwrap()), [20, 21]);
        }
    });
}

fn count(disk: &Arc<dyn Disk>, dir: &Path, extension: &str) -> usize {
    disk.list(dir).unwrap().iter().filter(|name| name.ends_with(extension)).count()
}

#[test]
fn files_of_purged_segments_are_used_again_within_bounds_and_not_after_a_restart() {
    on_both_disks(|disk, dir| {
        let mut log = open(&disk, dir);
        for record in records(0..30, 1) {
            log.append(&[record]).unwrap();
        }
        log.purge_to(27, 1).unwrap();
        let spares = count(&disk, dir, ".spare");
        assert!((2..=3).contains(&spares), "as many as fit, {spares}");
        let files = disk.list(dir).unwrap().len();
        for record in records(30..39, 1) {
            log.append(&[record]).unwrap();
        }
        assert!(count(&disk, dir, ".spare") < spares);
        assert_eq!(disk.list(dir).unwrap().len(), files, "a segment was made of a spare file");
        assert_eq!(log.read(0, 100, usize::MAX).unwrap(), records(28..39, 1));
        drop(log);
        let log = open(&disk, dir);
        assert_eq!(log.read(0, 100, usize::MAX).unwrap(), records(28..39, 1));
        assert_eq!(count(&disk, dir, ".spare"), 0);
    });
}

#[test]
fn a_directory_of_the_first_format_is_refused_by_name() {
    on_both_disks(|disk, dir| {
        drop(open(&disk, dir));
        let path = dir.join("00000000000000000000.aof");
        disk.open(&path, quoris_storage::OpenMode::CreateNew).unwrap();
        let error = Log::open(disk.clone(), dir, SMALL).unwrap_err().to_string();
        assert!(error.contains("00000000000000000000.aof: its format belongs"), "{error}");
    });
}

#[test]
fn purging_beyond_the_end_moves_the_log_there() {
    on_both_disks(|disk, dir| {
        let mut log = open(&disk, dir);
        log.append(&records(0..5, 1)).unwrap();
        log.purge_to(100, 4).unwrap();
        drop(log);
        let mut log = open(&disk, dir);
        assert_eq!((log.purged(), log.last()), (Some((100, 4)), Some((100, 4))));
        assert_eq!(log.first_index(), None);
        let refused = log.append(&[record(5, 4)]).unwrap_err();
        assert!(matches!(refused, LogError::OutOfOrder { expected: 101, got: 5, .. }), "{refused}");
        log.append(&records(101..103, 5)).unwrap();
        drop(log);
        let log = open(&disk, dir);
        assert_eq!(indexes(&log.read(0, 200, usize::MAX).unwrap()), [101, 102]);
    });
}

#[test]
fn an_empty_log_can_be_purged_ahead() {
    on_both_disks(|disk, dir| {
        open(&disk, dir).purge_to(7, 2).unwrap();
        assert_eq!(open(&disk, dir).last(), Some((7, 2)));
    });
}

#[test]
fn changes_out_of_order_are_refused_and_change_nothing() {
    on_both_disks(|disk, dir| {
        let mut log = open(&disk, dir);
        log.append(&records(0..10, 1)).unwrap();
        log.purge_to(4, 1).unwrap();
        let gap = log.append(&[record(11, 1)]);
        let overlap = log.append(&[record(9, 1)]);
        let hole = log.append(&[record(10, 1), record(12, 1)]);
        let void = log.truncate_after(3);
        for refused in [gap, overlap, hole, void] {
            assert!(matches!(refused, Err(LogError::OutOfOrder { .. })), "{refused:?}");
        }
        assert_eq!(log.last(), Some((9, 1)));
        log.append(&[record(10, 1)]).unwrap();
    });
}

#[test]
fn the_first_record_may_have_any_index() {
    on_both_disks(|disk, dir| {
        let mut log = open(&disk, dir);
        log.append(&records(5..9, 1)).unwrap();
        log.truncate_after(None).unwrap();
        assert_eq!(log.last(), None);
        log.append(&records(3..40, 2)).unwrap();
        log.append(&records(40..60, 2)).unwrap();
        drop(log);
        let log = open(&disk, dir);
        assert_eq!((log.first_index(), log.last()), (Some(3), Some((59, 2))));
        assert_eq!(log.read(0, 100, usize::MAX).unwrap(), records(3..60, 2));
    });
}

#[test]
fn segments_are_readable_by_a_person() {
    on_both_disks(|disk, dir| {
        open(&disk, dir).append(&records(0..2, 1)).unwrap();
        let file = disk
            .open(&dir.join("00000000000000000000-0000000001.aof"), quoris_storage::OpenMode::Read);
        let file = file.unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("QUORAOF\n"));
        assert!(text.contains("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8\r\n00000001\r\n"));
    });
}
