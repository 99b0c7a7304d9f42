//! Who may run on a data directory.

use std::path::Path;
use std::sync::Arc;

use quoris_storage::{DataDir, Disk, IdentityError, MemoryDisk, OpenMode, RealDisk};

const ID: [u8; 20] = [0xab; 20];

fn on_both_disks(test: impl Fn(&Arc<dyn Disk>, &Path)) {
    test(&(Arc::new(MemoryDisk::new()) as Arc<dyn Disk>), Path::new("/data"));
    let directory = tempfile::tempdir().unwrap();
    test(&(Arc::new(RealDisk) as Arc<dyn Disk>), &directory.path().join("a/b"));
}

fn write(disk: &Arc<dyn Disk>, path: &Path, bytes: &[u8]) {
    disk.open(path, OpenMode::Truncate).unwrap().write_all_at(bytes, 0).unwrap();
}

#[test]
fn an_identity_is_created_once_and_kept() {
    on_both_disks(|disk, dir| {
        let first = DataDir::open(disk, dir, ID).unwrap();
        assert_eq!(first.node_id(), "ab".repeat(20));
        assert!(first.is_new());
        drop(first);
        let second = DataDir::open(disk, dir, [1; 20]).unwrap();
        assert_eq!(second.node_id(), "ab".repeat(20));
        assert!(!second.is_new());
    });
}

#[test]
fn a_directory_has_one_owner_at_a_time() {
    on_both_disks(|disk, dir| {
        let first = DataDir::open(disk, dir, ID).unwrap();
        let refused = DataDir::open(disk, dir, ID).unwrap_err();
        assert!(matches!(refused, IdentityError::InUse { .. }));
        let line = refused.to_string();
        assert!(line.contains("lock: locked by a running node; stop it"), "{line}");
        drop(first);
        DataDir::open(disk, dir, ID).unwrap();
    });
}

#[test]
fn a_corrupt_identity_is_refused_by_name() {
    let rows: [&[u8]; 6] = [
        b"",
        b"\n",
        b"abc\n",
        &[b'g'; 40],
        &[b'A'; 40],
        &[b"ab".repeat(20), vec![b'\n'; 2]].concat(),
    ];
    for bytes in rows {
        on_both_disks(|disk, dir| {
            disk.create_dir_all(dir).unwrap();
            write(disk, &dir.join("node.id"), bytes);
            let refused = DataDir::open(disk, dir, ID).unwrap_err();
            assert!(matches!(refused, IdentityError::Corrupt { .. }), "{bytes:?}");
            let line = refused.to_string();
            assert!(line.contains("node.id: not a node id") && !line.contains('\n'), "{line}");
        });
    }
}

#[test]
fn data_without_an_identity_is_refused_and_other_files_are_not() {
    on_both_disks(|disk, dir| {
        disk.create_dir_all(dir).unwrap();
        write(disk, &dir.join("quoris.conf"), b"port 7000\n");
        drop(DataDir::open(disk, dir, ID).unwrap());
        disk.remove_file(&dir.join("node.id")).unwrap();
        disk.create_dir_all(&dir.join("aof")).unwrap();
        let refused = DataDir::open(disk, dir, ID).unwrap_err();
        assert!(matches!(refused, IdentityError::Foreign { ref path } if path.ends_with("aof")));
    });
}

#[test]
fn a_new_identity_survives_a_crash() {
    let memory = MemoryDisk::new();
    let id = DataDir::open(&memory.mount(), Path::new("/data"), ID).unwrap().node_id().to_owned();
    memory.crash(0);
    let again = DataDir::open(&memory.mount(), Path::new("/data"), [9; 20]).unwrap();
    assert_eq!(again.node_id(), id);
}
