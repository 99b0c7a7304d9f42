//! The log against a list, under random work and crashes at random moments.
//!
//! The model keeps every state that the log went through since the last sync, or
//! rather what is left of each after the purges since, which are durable at once.
//! A crash may bring back any of them, never an older one, never a mixture, and
//! never an error: a torn tail is not damage.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use quoris_storage::{Disk, Log, LogError, LogOptions, MemoryDisk, Record, RecordKind, Stamp};

const DIR: &str = "/data/aof";
const OPTIONS: LogOptions = LogOptions { segment_bytes: 600, spare_bytes: 2000, cache_bytes: 400 };

#[derive(Clone, Debug)]
enum Op {
    Append {
        count: u8,
        payload: u8,
        next_term: bool,
    },
    /// Keeps this many of 256 parts of the records.
    Truncate {
        kept: u8,
    },
    /// Purges this many of 128 parts of the records; more is beyond the end.
    Purge {
        parts: u8,
    },
    Sync,
    Relax {
        relaxed: bool,
    },
    Reopen,
    Crash {
        seed: u64,
    },
    /// Power goes out after so many changes to the disk; later work is lost.
    CutPower {
        changes: u8,
        seed: u64,
    },
    Read {
        from: u8,
        len: u8,
        max_bytes: u16,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (1..6u8, 0..120u8, any::<bool>()).prop_map(|(count, payload, next_term)| {
            Op::Append { count, payload, next_term }
        }),
        2 => any::<u8>().prop_map(|kept| Op::Truncate { kept }),
        2 => (0..140u8).prop_map(|parts| Op::Purge { parts }),
        2 => Just(Op::Sync),
        1 => any::<bool>().prop_map(|relaxed| Op::Relax { relaxed }),
        1 => Just(Op::Reopen),
        1 => any::<u64>().prop_map(|seed| Op::Crash { seed }),
        1 => (0..12u8, any::<u64>()).prop_map(|(changes, seed)| Op::CutPower { changes, seed }),
        2 => (any::<u8>(), 0..40u8, 0..1000u16).prop_map(|(from, len, max_bytes)| {
            Op::Read { from, len, max_bytes }
        }),
    ];
    prop::collection::vec(op, 1..60)
}

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    records: Vec<Record>,
    purged: Option<(u64, u64)>,
}

impl Content {
    fn of(log: &Log) -> Content {
        let records = log.read(0, u64::MAX, usize::MAX).unwrap();
        Content { records, purged: log.purged() }
    }

    fn last(&self) -> Option<(u64, u64)> {
        self.records.last().map(|record| (record.index, record.term)).or(self.purged)
    }

    fn part(&self, numerator: u8, denominator: usize) -> usize {
        self.records.len() * usize::from(numerator) / denominator
    }

    fn append(&mut self, record: Record) {
        self.records.push(record);
    }

    fn truncate(&mut self, last_kept: Option<u64>) {
        self.records.retain(|record| last_kept.is_some_and(|kept| record.index <= kept));
    }

    fn purge(&mut self, position: (u64, u64)) {
        self.purged = Some(position);
        self.records.retain(|record| record.index > position.0);
    }
}

struct World {
    disk: MemoryDisk,
    log: Log,
    now: Content,
    /// What a crash may bring back, the present included.
    possible: Vec<Content>,
    /// The seed of the crash that follows once the power is out.
    outage: Option<u64>,
    term: u64,
    /// Opening the log may not make durable what is there.
    relaxed: bool,
    /// Which of the possible states is the first since the last truncation.
    truncated: usize,
}

impl World {
    fn new() -> World {
        let disk = MemoryDisk::new();
        let log = Log::open(disk.mount(), Path::new(DIR), OPTIONS).unwrap();
        let now = Content::default();
        World {
            disk,
            log,
            possible: vec![now.clone()],
            now,
            outage: None,
            term: 1,
            relaxed: false,
            truncated: 0,
        }
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Append { count, payload, next_term } => self.append(count, payload, next_term),
            Op::Truncate { kept } => self.truncate(kept),
            Op::Purge { parts } => self.purge(parts),
            Op::Sync => {
                let outcome = self.log.sync_ticket().run();
                self.settle(outcome.map_err(LogErrorOrIo::Io), true);
            }
            Op::Relax { relaxed } => {
                self.log.set_relaxed(relaxed);
                self.relaxed |= relaxed;
            }
            Op::Reopen if self.outage.is_none() => self.reopen(),
            Op::Crash { seed } => self.crash(seed),
            Op::CutPower { changes, seed } if self.outage.is_none() => {
                self.disk.cut_power_after(u64::from(changes));
                self.outage = Some(seed);
            }
            Op::Read { from, len, max_bytes } => self.read(from, len, max_bytes),
            Op::Reopen | Op::CutPower { .. } => {}
        }
    }

    fn append(&mut self, count: u8, payload: u8, next_term: bool) {
        self.term += u64::from(next_term);
        let first = self.now.last().map_or(0, |(last, _)| last + 1);
        let records: Vec<Record> = (first..first + u64::from(count))
            .map(|index| record(index, self.term, payload))
            .collect();
        for record in &records {
            self.now.append(record.clone());
            self.possible.push(self.now.clone());
        }
        let outcome = self.log.append(&records);
        self.settle(outcome.map_err(LogErrorOrIo::Log), false);
    }

    fn truncate(&mut self, kept: u8) {
        let kept = self.now.part(kept, 256);
        let last_kept = match kept.checked_sub(1) {
            Some(at) => Some(self.now.records[at].index),
            None => self.now.purged.map(|(index, _)| index),
        };
        if self.now.last().map(|(last, _)| last) > last_kept {
            self.truncated = self.possible.len();
        }
        self.now.truncate(last_kept);
        self.possible.push(self.now.clone());
        let outcome = self.log.truncate_after(last_kept);
        self.settle(outcome.map_err(LogErrorOrIo::Log), false);
    }

    fn purge(&mut self, parts: u8) {
        let at = self.now.part(parts, 128);
        let position = match self.now.records.get(at) {
            Some(record) => (record.index, record.term),
            None => (self.now.last().map_or(0, |(last, _)| last) + u64::from(parts), self.term),
        };
        if self.now.purged.is_some_and(|(purged, _)| position.0 <= purged) {
            return;
        }
        self.now.purge(position);
        let before = std::mem::replace(&mut self.possible, vec![self.now.clone()]);
        // A truncation is not undone by then.
        let purged = before[self.truncated..].iter().cloned().map(|mut state| {
            state.purge(position);
            state
        });
        self.possible.extend(purged);
        let outcome = self.log.purge_to(position.0, position.1);
        if outcome.is_err() {
            self.possible.extend(before);
        }
        self.truncated = 0;
        self.settle(outcome.map_err(LogErrorOrIo::Log), false);
    }

    /// After a success the log must agree with the model; after a failure the
    /// power must be out, and the node restarts.
    fn settle(&mut self, outcome: Result<(), LogErrorOrIo>, synced: bool) {
        match (outcome, self.outage) {
            (Ok(()), _) => {
                assert_eq!(self.log.last(), self.now.last());
                assert_eq!(self.log.purged(), self.now.purged);
                if synced {
                    self.possible = vec![self.now.clone()];
                    self.truncated = 0;
                }
            }
            (Err(_), Some(seed)) => self.crash(seed),
            (Err(error), None) => panic!("failed without a reason: {error:?}"),
        }
    }

    fn reopen(&mut self) {
        self.log = Log::open(self.disk.mount(), Path::new(DIR), OPTIONS).unwrap();
        assert_eq!(Content::of(&self.log), self.now);
        if !self.relaxed {
            self.settle(Ok(()), true);
        }
    }

    /// Crashes, starts again, perhaps crashes while starting, and starts.
    fn crash(&mut self, seed: u64) {
        self.outage = None;
        self.disk.crash(seed);
        if seed.is_multiple_of(3) {
            self.disk.cut_power_after(seed / 3 % 8);
            match Log::open(self.disk.mount(), Path::new(DIR), OPTIONS) {
                Ok(log) => self.adopt(&log),
                Err(LogError::Io { .. }) => {}
                Err(damage) => panic!("a crash was taken for damage: {damage}"),
            }
            self.disk.crash(!seed);
        }
        self.log = Log::open(self.disk.mount(), Path::new(DIR), OPTIONS).unwrap();
        let log = Log::open(self.disk.mount(), Path::new(DIR), OPTIONS).unwrap();
        self.adopt(&log);
        assert_eq!(self.log.last(), self.now.last());
    }

    fn adopt(&mut self, log: &Log) {
        let found = Content::of(log);
        assert!(
            self.possible.contains(&found),
            "{:?} purged {:?} came back, which is none of {:?}",
            found.last(),
            found.purged,
            self.possible
                .iter()
                .map(|it| (it.records.first().map(|r| r.index), it.last(), it.purged))
                .collect::<Vec<_>>(),
        );
        assert_eq!(log.last(), found.last());
        self.possible = vec![found.clone()];
        self.truncated = 0;
        self.now = found;
    }

    fn read(&self, from: u8, len: u8, max_bytes: u16) {
        let first = self.now.records.first().map_or(0, |record| record.index);
        let from = first.saturating_sub(2) + u64::from(from);
        let to = from + u64::from(len);
        let mut bytes = 0;
        let wanted = self.now.records.iter().filter(|record| (from..to).contains(&record.index));
        let expected: Vec<Record> = wanted
            .enumerate()
            .take_while(|(at, record)| {
                bytes += record.disk_bytes();
                *at == 0 || bytes <= u64::from(max_bytes)
            })
            .map(|(_, record)| record.clone())
            .collect();
        assert_eq!(self.log.read(from, to, usize::from(max_bytes)).unwrap(), expected);
    }
}

#[derive(Debug)]
enum LogErrorOrIo {
    #[expect(dead_code, reason = "shown by a failing test")]
    Log(LogError),
    #[expect(dead_code, reason = "shown by a failing test")]
    Io(std::io::Error),
}

fn record(index: u64, term: u64, payload: u8) -> Record {
    let kind = match index % 5 {
        0 => RecordKind::Blank,
        1 => RecordKind::Membership,
        _ => RecordKind::Batch,
    };
    let stamp = Stamp { now_ms: index * 10, seed: term, engine_version: 1 };
    let payload = Bytes::from(vec![payload; usize::from(payload)]);
    Record { index, term, kind, stamp, payload }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_a_list_that_a_crash_can_only_shorten_to_what_was_synced(ops in ops()) {
        let mut world = World::new();
        for op in &ops {
            world.run(op);
        }
        let seed = world.outage.unwrap_or(7);
        world.crash(seed);
    }

    #[test]
    fn damage_before_the_last_record_is_refused_and_names_the_file(
        sizes in prop::collection::vec(0..200u8, 2..20),
        place in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        let disk = MemoryDisk::new();
        let mut log = Log::open(disk.mount(), Path::new(DIR), OPTIONS).unwrap();
        let mut whole = Vec::new();
        for (index, size) in sizes.iter().enumerate() {
            whole.push(record(index as u64, 1, *size));
            log.append(&whole[index..]).unwrap();
            log.sync_ticket().run().unwrap();
        }
        drop(log);
        let files = files(&disk.mount());
        let bytes: u64 = files.iter().map(|(_, len)| len).sum();
        let mut at = place.index(bytes as usize) as u64;
        let last_record = bytes - whole.last().unwrap().disk_bytes();
        let only = files.last().unwrap().1 - (bytes - last_record) < 60;
        let last_header = bytes - files.last().unwrap().1;
        // What is written with the last record has no later one to vouch for it.
        let in_last_record = at >= last_record || only && at >= last_header;
        let (name, _) = files.iter().find(|(_, len)| at < *len || { at -= len; false }).unwrap();
        disk.corrupt(&Path::new(DIR).join(name), at, 1 << bit).unwrap();
        match Log::open(disk.mount(), Path::new(DIR), OPTIONS) {
            Ok(log) => {
                prop_assert!(in_last_record);
                prop_assert_eq!(log.read(0, 100, usize::MAX).unwrap(), &whole[..whole.len() - 1]);
            }
            Err(error) => {
                prop_assert!(!in_last_record);
                prop_assert!(
                    matches!(error, LogError::Corrupt { .. } | LogError::Segment { .. }),
                    "{}", error
                );
                prop_assert!(error.to_string().contains(name), "{} in {}", error, name);
            }
        }
    }
}

fn files(disk: &Arc<dyn Disk>) -> Vec<(String, u64)> {
    let dir = Path::new(DIR);
    let names = disk.list(dir).unwrap();
    let len = |name: &String| disk.open(&dir.join(name), quoris_storage::OpenMode::Read)?.len();
    names.iter().map(|name| (name.clone(), len(name).unwrap())).collect()
}
