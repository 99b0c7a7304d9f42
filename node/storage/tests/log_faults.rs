//! A disk that fails: the log says so once, and acknowledges nothing after.

use std::io;
use std::path::Path;
use std::sync::mpsc;

use bytes::Bytes;
use quoris_storage::disk::Fault;
use quoris_storage::{
    Disk, Log, LogError, LogOptions, MemoryDisk, OpenMode, Record, RecordKind, Stamp, Syncer,
};

const DIR: &str = "/data/aof";

fn open(disk: &MemoryDisk) -> Log {
    Log::open(disk.mount(), Path::new(DIR), LogOptions::default()).unwrap()
}

fn record(index: u64) -> Record {
    let payload = Bytes::from_static(b"*1\r\n$4\r\nPING\r\n");
    Record { index, term: 1, kind: RecordKind::Batch, stamp: Stamp::default(), payload }
}

#[test]
fn a_full_disk_stops_the_log_and_a_restart_finds_what_was_synced() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    log.append(&[record(0)]).unwrap();
    log.sync_ticket().run().unwrap();
    disk.fail_writes(Fault::NoSpace, 1);
    let error = log.append(&[record(1)]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/data/aof/00000000000000000000-0000000001.aof: cannot append")
    );
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::StorageFull);
    assert_eq!(log.last(), Some((0, 1)));
    assert!(matches!(log.append(&[record(1)]), Err(LogError::Failed { .. })));
    assert!(log.sync_ticket().run().is_err());
    assert_eq!(log.read(0, 9, 1000).unwrap(), [record(0)]);
    drop(log);
    let mut log = open(&disk);
    assert_eq!(log.last(), Some((0, 1)));
    log.append(&[record(1)]).unwrap();
    assert_eq!(log.read(0, 9, 1000).unwrap(), [record(0), record(1)]);
}

#[test]
fn a_failed_sync_is_not_forgiven_by_a_second_one() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    log.append(&[record(0)]).unwrap();
    let (first, second) = (log.sync_ticket(), log.sync_ticket());
    disk.fail_syncs(Fault::Io, 1);
    assert_eq!(first.run().unwrap_err().raw_os_error(), Some(libc::EIO));
    assert!(second.run().is_err(), "the kernel would call this one a success");
    assert!(matches!(log.append(&[record(1)]), Err(LogError::Failed { .. })));
    disk.crash(0);
    assert_eq!(open(&disk).last(), None);
}

#[test]
fn a_missing_sync_is_noticed() {
    let lost = (0..20).any(|seed| {
        let disk = MemoryDisk::new();
        let mut log = open(&disk);
        disk.ignore_syncs(true);
        log.append(&[record(0)]).unwrap();
        log.sync_ticket().run().unwrap();
        disk.crash(seed);
        open(&disk).last().is_none()
    });
    assert!(lost, "a disk that ignores syncs must lose what was acknowledged");
}

#[test]
fn a_handle_from_before_a_crash_is_dead() {
    let disk = MemoryDisk::new();
    let (mount, mut log) = (disk.mount(), open(&disk));
    log.append(&[record(0)]).unwrap();
    disk.crash(1);
    assert!(log.append(&[record(1)]).is_err());
    assert!(mount.list(Path::new("/data")).is_err());
}

#[test]
fn foreign_files_and_missing_segments_are_refused_by_name() {
    let small = LogOptions { segment_bytes: 100, spare_bytes: 300, cache_bytes: 0 };
    let disk = MemoryDisk::new();
    let dir = Path::new(DIR);
    let mut log = Log::open(disk.mount(), dir, small).unwrap();
    for index in 0..12 {
        log.append(&[record(index)]).unwrap();
    }
    let names = disk.list(dir).unwrap();
    assert!(names.len() >= 4);
    disk.remove_file(&dir.join(&names[1])).unwrap();
    let error = Log::open(disk.mount(), dir, small).unwrap_err().to_string();
    assert!(error.contains(&names[2]) && error.contains("missing"), "{error}");
    disk.open(&dir.join("notes.txt"), OpenMode::CreateNew).unwrap();
    let error = Log::open(disk.mount(), dir, small).unwrap_err();
    assert!(matches!(error, LogError::Foreign { ref path } if path.ends_with("notes.txt")));
}

#[test]
fn one_sync_serves_the_tickets_that_wait_for_it() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    let mut tickets = Vec::new();
    for index in 0..10 {
        log.append(&[record(index)]).unwrap();
        tickets.push(log.sync_ticket());
    }
    let before = disk.sync_count();
    tickets.last().unwrap().run().unwrap();
    assert!(tickets.iter().all(quoris_storage::SyncTicket::is_done));
    for ticket in tickets {
        ticket.run().unwrap();
    }
    assert_eq!(disk.sync_count(), before + 1);
    assert_eq!(log.unsynced_bytes(), 0);
}

#[test]
fn the_log_thread_completes_in_order_and_finishes_its_queue_when_dropped() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    let syncer = Syncer::thread("log").unwrap();
    let (sender, receiver) = mpsc::channel();
    for index in 0..100 {
        log.append(&[record(index)]).unwrap();
        let sender = sender.clone();
        let durable = log.sync_ticket();
        syncer.submit(log.sync_ticket(), move |outcome| {
            outcome.unwrap();
            assert!(durable.is_done());
            assert_eq!(std::thread::current().name(), Some("log"));
            sender.send(index).unwrap();
        });
    }
    drop((syncer, sender));
    assert_eq!(receiver.iter().collect::<Vec<u64>>(), (0..100).collect::<Vec<u64>>());
    disk.crash(0);
    assert_eq!(open(&disk).last(), Some((99, 1)));
}

#[test]
fn every_waiting_ticket_hears_of_a_failed_sync() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    disk.fail_syncs(Fault::Io, 1);
    let syncer = Syncer::thread("log").unwrap();
    let (sender, receiver) = mpsc::channel();
    for index in 0..5 {
        log.append(&[record(index)]).ok();
        let sender = sender.clone();
        syncer.submit(log.sync_ticket(), move |outcome| sender.send(outcome.is_err()).unwrap());
    }
    drop((syncer, sender));
    assert_eq!(receiver.iter().collect::<Vec<bool>>(), [true; 5]);
}

#[test]
fn a_completion_may_hold_the_last_handle_of_its_syncer() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    log.append(&[record(0)]).unwrap();
    let syncer = Syncer::thread("log").unwrap();
    let (sender, receiver) = mpsc::channel();
    let held = syncer.clone();
    syncer.submit(log.sync_ticket(), move |outcome| {
        drop(held);
        sender.send(outcome.is_ok()).unwrap();
    });
    drop(syncer);
    assert!(receiver.recv().unwrap());
}

#[test]
fn all_modes_but_one_complete_at_once_and_they_differ_in_what_they_sync() {
    let cases = [
        (Syncer::inline(), true),
        (Syncer::every_second("log").unwrap(), true),
        (Syncer::background("log").unwrap(), false),
        (Syncer::skip(), false),
    ];
    for (syncer, syncs) in cases {
        let mut log = open(&MemoryDisk::new());
        log.append(&[record(0)]).unwrap();
        let ticket = log.sync_ticket();
        let (sender, receiver) = mpsc::channel();
        let here = std::thread::current().id();
        syncer.submit(log.sync_ticket(), move |outcome| {
            outcome.unwrap();
            sender.send(std::thread::current().id()).unwrap();
        });
        assert_eq!(receiver.try_recv(), Ok(here), "{syncer:?}");
        drop(syncer);
        assert_eq!(ticket.is_done(), syncs);
    }
}

#[test]
fn a_failed_sync_behind_the_back_of_the_clients_stops_the_next_append() {
    let disk = MemoryDisk::new();
    let mut log = open(&disk);
    log.append(&[record(0)]).unwrap();
    disk.fail_syncs(Fault::Io, 1);
    let syncer = Syncer::every_second("log").unwrap();
    syncer.submit(log.sync_ticket(), |outcome| outcome.unwrap());
    drop(syncer);
    assert!(matches!(log.append(&[record(1)]), Err(LogError::Failed { .. })));
}

#[test]
fn a_torn_record_with_a_copy_of_the_log_inside_is_still_a_torn_record() {
    let disk = MemoryDisk::new();
    let path = Path::new(DIR).join("00000000000000000000-0000000001.aof");
    let mut log = open(&disk);
    log.append(&[record(0), record(1)]).unwrap();
    let file = disk.open(&path, OpenMode::ReadWrite).unwrap();
    let mut copy = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut copy, 0).unwrap();
    log.append(&[Record { payload: Bytes::from(copy), ..record(2) }]).unwrap();
    file.set_len(file.len().unwrap() - 1).unwrap();
    assert_eq!(open(&disk).last(), Some((1, 1)));
}

#[test]
fn a_truncation_that_cannot_remove_a_segment_stops_the_log_but_not_its_readers() {
    let disk = MemoryDisk::new();
    let small = LogOptions { segment_bytes: 100, spare_bytes: 300, cache_bytes: 0 };
    let mut log = Log::open(disk.mount(), Path::new(DIR), small).unwrap();
    for index in 0..12 {
        log.append(&[record(index)]).unwrap();
    }
    let names = disk.list(Path::new(DIR)).unwrap();
    disk.remove_file(&Path::new(DIR).join(names.last().unwrap())).unwrap();
    assert!(matches!(log.truncate_after(3), Err(LogError::Io { .. })));
    assert!(matches!(log.append(&[record(4)]), Err(LogError::Failed { .. })));
    assert_eq!(log.read(0, 20, 10_000).unwrap(), (0..4).map(record).collect::<Vec<_>>());
}

#[test]
fn a_wiped_log_stays_empty_and_a_foreign_directory_is_not_wiped() {
    for seed in 0..20 {
        let disk = MemoryDisk::new();
        let mut log = open(&disk);
        log.append(&[record(0)]).unwrap();
        log.purge_to(7, 1).unwrap();
        log.append(&[record(8)]).unwrap();
        drop(log);
        Log::wipe(&disk.mount(), Path::new(DIR)).unwrap();
        disk.crash(seed);
        assert_eq!(open(&disk).last(), None);
        disk.open(&Path::new(DIR).join("dump.rdb"), OpenMode::CreateNew).unwrap();
        let refused = Log::wipe(&disk.mount(), Path::new(DIR));
        assert!(matches!(refused, Err(LogError::Foreign { .. })));
    }
}
