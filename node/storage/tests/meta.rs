//! Both stores of metadata against a map; the one of the simulation under
//! crashes as well.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use quoris_storage::disk::Fault;
use quoris_storage::{Disk, DiskMeta, MemoryDisk, Meta, MetaError, OpenMode, SledMeta};

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

const DIR: &str = "/data/meta";

#[derive(Clone, Debug)]
enum Op {
    Put(u8, u16),
    Delete(u8),
    Flush,
    Crash(u64),
    CutPower(u8, u64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (0..12u8, 0..5000u16).prop_map(|(key, size)| Op::Put(key, size)),
        2 => (0..12u8).prop_map(Op::Delete),
        2 => Just(Op::Flush),
        1 => any::<u64>().prop_map(Op::Crash),
        1 => (0..8u8, any::<u64>()).prop_map(|(changes, seed)| Op::CutPower(changes, seed)),
    ];
    prop::collection::vec(op, 1..120)
}

fn content(meta: &dyn Meta) -> Pairs {
    meta.scan(b"").unwrap().into_iter().collect()
}

struct World {
    disk: MemoryDisk,
    meta: DiskMeta,
    now: Pairs,
    possible: Vec<Pairs>,
    outage: Option<u64>,
}

impl World {
    fn run(&mut self, op: &Op) {
        match *op {
            Op::Put(key, size) => {
                let value = vec![key; usize::from(size)];
                self.now.insert(vec![key], value.clone());
                self.possible.push(self.now.clone());
                let outcome = self.meta.put(&[key], &value);
                self.settle(outcome, false);
            }
            Op::Delete(key) => {
                self.now.remove([key].as_slice());
                self.possible.push(self.now.clone());
                let outcome = self.meta.delete(&[key]);
                self.settle(outcome, false);
            }
            Op::Flush => {
                let outcome = self.meta.flush();
                self.settle(outcome, true);
            }
            Op::Crash(seed) => self.crash(seed),
            Op::CutPower(changes, seed) if self.outage.is_none() => {
                self.disk.cut_power_after(u64::from(changes));
                self.outage = Some(seed);
            }
            Op::CutPower(..) => {}
        }
    }

    fn settle(&mut self, outcome: Result<(), MetaError>, durable: bool) {
        match (outcome, self.outage) {
            (Ok(()), _) => {
                assert_eq!(content(&self.meta), self.now);
                if durable {
                    self.possible = vec![self.now.clone()];
                }
            }
            (Err(_), Some(seed)) => self.crash(seed),
            (Err(error), None) => panic!("failed without a reason: {error}"),
        }
    }

    fn crash(&mut self, seed: u64) {
        self.outage = None;
        self.disk.crash(seed);
        self.meta = DiskMeta::open(self.disk.mount(), Path::new(DIR)).unwrap();
        let found = content(&self.meta);
        assert!(self.possible.contains(&found), "an impossible state came back");
        self.possible = vec![found.clone()];
        self.now = found;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_brings_back_at_least_what_was_flushed(ops in ops()) {
        let disk = MemoryDisk::new();
        let meta = DiskMeta::open(disk.mount(), Path::new(DIR)).unwrap();
        let mut world = World {
            disk, meta, now: Pairs::new(), possible: vec![Pairs::new()], outage: None,
        };
        for op in &ops {
            world.run(op);
        }
        world.crash(world.outage.unwrap_or(3));
    }
}

#[test]
fn both_stores_are_ordered_maps_that_survive_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let disk = MemoryDisk::new();
    let open_sled = || Box::new(SledMeta::open(&directory.path().join("meta")).unwrap());
    let open_disk = || Box::new(DiskMeta::open(disk.mount(), Path::new(DIR)).unwrap());
    let stores: [&dyn Fn() -> Box<dyn Meta>; 2] = [&|| open_sled(), &|| open_disk()];
    for open in stores {
        let meta = open();
        for key in ["b/2", "a/1", "b/1", "b", "c"] {
            meta.put(key.as_bytes(), format!("value of {key}").as_bytes()).unwrap();
        }
        meta.put(b"c", b"").unwrap();
        meta.delete(b"a/1").unwrap();
        meta.delete(b"never there").unwrap();
        meta.put_durable(b"z", &[0, 255]).unwrap();
        drop(meta);
        let meta = open();
        assert_eq!(meta.get(b"c").unwrap(), Some(vec![]));
        assert_eq!(meta.get(b"a/1").unwrap(), None);
        assert_eq!(meta.get(b"z").unwrap(), Some(vec![0, 255]));
        let scanned = meta.scan(b"b/").unwrap();
        let expected = [("b/1", "value of b/1"), ("b/2", "value of b/2")];
        let expected = expected.map(|(key, value)| (key.into(), value.into()));
        assert_eq!(scanned, expected);
        assert_eq!(meta.scan(b"").unwrap().len(), 5);
    }
}

#[test]
fn a_sled_database_has_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let _first = SledMeta::open(directory.path()).unwrap();
    let error = SledMeta::open(directory.path()).unwrap_err();
    assert!(matches!(error, MetaError::InUse { .. }), "{error}");
}

#[test]
fn rewriting_one_key_for_ever_does_not_grow_the_file_for_ever() {
    let disk = MemoryDisk::new();
    let meta = DiskMeta::open(disk.mount(), Path::new(DIR)).unwrap();
    for round in 0..1000u32 {
        meta.put(b"vote", &[round.to_le_bytes(); 100].concat()).unwrap();
    }
    let file = disk.open(&Path::new(DIR).join("meta.log"), OpenMode::Read).unwrap();
    assert!(file.len().unwrap() < 130 * 1024);
    assert_eq!(meta.get(b"vote").unwrap(), Some([999u32.to_le_bytes(); 100].concat()));
}

#[test]
fn damage_and_failure_are_told_apart_from_a_torn_tail() {
    let disk = MemoryDisk::new();
    let path = Path::new(DIR).join("meta.log");
    let meta = DiskMeta::open(disk.mount(), Path::new(DIR)).unwrap();
    meta.put_durable(b"a", b"1").unwrap();
    meta.put_durable(b"b", b"2").unwrap();
    disk.corrupt(&path, 20, 1).unwrap();
    let error = DiskMeta::open(disk.mount(), Path::new(DIR)).unwrap_err();
    assert!(matches!(error, MetaError::Corrupt { .. }));
    assert!(error.to_string().starts_with("/data/meta/meta.log: damaged"), "{error}");
    disk.corrupt(&path, 20, 1).unwrap();
    let meta = DiskMeta::open(disk.mount(), Path::new(DIR)).unwrap();
    disk.fail_syncs(Fault::Io, 1);
    assert!(matches!(meta.put_durable(b"c", b"3"), Err(MetaError::Io { .. })));
    assert!(matches!(meta.put_durable(b"c", b"3"), Err(MetaError::Failed { .. })));
}
