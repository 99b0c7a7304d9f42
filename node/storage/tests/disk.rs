//! The simulated disk is as unkind as promised, and as repeatable.

use std::io;
use std::path::Path;

use quoris_storage::disk::Fault;
use quoris_storage::{Disk, MemoryDisk, OpenMode, RealDisk};

const FILE: &str = "/d/file";

fn disk_with_file(content: &[u8]) -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.create_dir_all(Path::new("/d")).unwrap();
    let file = disk.open(Path::new(FILE), OpenMode::CreateNew).unwrap();
    file.write_all_at(content, 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    disk
}

fn content(disk: &MemoryDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open(Path::new(path), OpenMode::Read).ok()?;
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    Some(bytes)
}

#[test]
fn a_crash_keeps_a_prefix_of_what_was_not_synced_possibly_torn() {
    let outcome = |seed| {
        let disk = disk_with_file(b"synced");
        let file = disk.open(Path::new(FILE), OpenMode::ReadWrite).unwrap();
        file.write_all_at(b"-one", 6).unwrap();
        file.write_all_at(b"-two", 10).unwrap();
        disk.crash(seed);
        content(&disk, FILE).unwrap()
    };
    let outcomes: Vec<Vec<u8>> = (0..200).map(outcome).collect();
    assert_eq!(outcomes, (0..200).map(outcome).collect::<Vec<_>>(), "seeds must repeat");
    let whole = b"synced-one-two";
    let zeroed = |bytes: &[u8]| bytes.iter().rev().take_while(|byte| **byte == 0).count();
    for found in &outcomes {
        let kept = found.len() - zeroed(found);
        assert!(kept >= 6 && whole.starts_with(&found[..kept]), "{found:?}");
    }
    assert!(outcomes.iter().any(|found| found == b"synced"));
    assert!(outcomes.iter().any(|found| found == whole));
    assert!(outcomes.iter().any(|found| found == b"synced-one"));
    assert!(outcomes.iter().any(|found| found.starts_with(b"synced-o") && found.len() == 8));
    assert!(outcomes.iter().any(|found| zeroed(found) > 0));
}

#[test]
fn names_need_a_sync_of_their_directory() {
    let outcome = |seed| {
        let disk = disk_with_file(b"old");
        let file = disk.open(Path::new("/d/tmp"), OpenMode::CreateNew).unwrap();
        file.write_all_at(b"new", 0).unwrap();
        file.sync_data().unwrap();
        disk.rename(Path::new("/d/tmp"), Path::new(FILE)).unwrap();
        disk.crash(seed);
        content(&disk, FILE).unwrap()
    };
    let outcomes: Vec<Vec<u8>> = (0..50).map(outcome).collect();
    assert!(outcomes.iter().any(|found| found == b"old"));
    assert!(outcomes.iter().any(|found| found == b"new"));
    assert!(outcomes.iter().all(|found| found == b"old" || found == b"new"));
}

#[test]
fn a_removed_file_can_come_back_unless_its_directory_was_synced() {
    let outcome = |seed, sync: bool| {
        let disk = disk_with_file(b"x");
        disk.remove_file(Path::new(FILE)).unwrap();
        if sync {
            disk.sync_dir(Path::new("/d")).unwrap();
        }
        disk.crash(seed);
        content(&disk, FILE).is_some()
    };
    assert!((0..50).any(|seed| outcome(seed, false)));
    assert!(!(0..50).any(|seed| outcome(seed, true)));
}

#[test]
fn a_failed_sync_loses_its_bytes_although_the_next_one_succeeds() {
    let disk = disk_with_file(b"synced");
    let file = disk.open(Path::new(FILE), OpenMode::ReadWrite).unwrap();
    file.write_all_at(b"-lost", 6).unwrap();
    disk.fail_syncs(Fault::Io, 1);
    assert!(file.sync_data().is_err());
    file.sync_data().unwrap();
    assert_eq!(content(&disk, FILE).unwrap(), b"synced-lost");
    disk.crash(0);
    assert_eq!(content(&disk, FILE).unwrap(), b"synced");
}

#[test]
fn a_failed_write_writes_a_part() {
    let disk = disk_with_file(b"");
    let file = disk.open(Path::new(FILE), OpenMode::ReadWrite).unwrap();
    disk.fail_writes(Fault::NoSpace, 2);
    for _ in 0..2 {
        assert_eq!(file.write_all_at(b"abcd", 0).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
    assert_eq!(content(&disk, FILE).unwrap(), b"ab");
    file.write_all_at(b"abcd", 0).unwrap();
}

#[test]
fn open_modes_and_errors_are_those_of_a_real_disk() {
    let disk = disk_with_file(b"abc");
    let kind = |path: &str, mode| disk.open(Path::new(path), mode).unwrap_err().kind();
    assert_eq!(kind(FILE, OpenMode::CreateNew), io::ErrorKind::AlreadyExists);
    assert_eq!(kind("/d/none", OpenMode::Read), io::ErrorKind::NotFound);
    assert_eq!(kind("/d/none", OpenMode::ReadWrite), io::ErrorKind::NotFound);
    assert_eq!(kind("/none/file", OpenMode::Truncate), io::ErrorKind::NotFound);
    let file = disk.open(Path::new(FILE), OpenMode::Read).unwrap();
    let eof = file.read_exact_at(&mut [0; 4], 0).unwrap_err();
    assert_eq!(eof.kind(), io::ErrorKind::UnexpectedEof);
    disk.open(Path::new(FILE), OpenMode::Truncate).unwrap();
    assert!(file.is_empty().unwrap());
    disk.create_dir_all(Path::new("/d/below/deep")).unwrap();
    assert_eq!(disk.list(Path::new("/d")).unwrap(), ["below", "file"]);
}

/// A secret is written so that nobody else can read it, even where somebody has left a temporary
/// file open to everybody.
#[test]
fn a_private_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(dir.path().join("secret.tmp"), b"left").unwrap();
    for content in [b"one" as &[u8], b"two"] {
        quoris_storage::replace_private_file(&RealDisk, &path, content).unwrap();
        assert_eq!(quoris_storage::read_file(&RealDisk, &path).unwrap(), content);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
