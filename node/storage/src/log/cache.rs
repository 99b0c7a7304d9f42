//! The most recent records, so that replication rarely reads a file.

use std::collections::VecDeque;

use super::record::Record;

/// A contiguous run of records that ends with the last of the log.
#[derive(Debug)]
pub(super) struct Cache {
    records: VecDeque<Record>,
    bytes: usize,
    bytes_max: usize,
}

impl Cache {
    pub fn new(bytes_max: usize) -> Cache {
        Cache { records: VecDeque::new(), bytes: 0, bytes_max }
    }

    /// The lowest index held.
    pub fn first_index(&self) -> Option<u64> {
        self.records.front().map(|record| record.index)
    }

    pub fn push(&mut self, record: Record) {
        self.bytes += weight(&record);
        self.records.push_back(record);
        while self.bytes > self.bytes_max {
            self.pop_front();
        }
    }

    /// Bytes of the records held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets the oldest of the records up to `index` until no more than `bytes` are held.
    pub fn release(&mut self, index: u64, bytes: usize) {
        while self.bytes > bytes && self.first_index().is_some_and(|first| first <= index) {
            self.pop_front();
        }
    }

    /// The records from `index` on, none if it is not held.
    pub fn from(&self, index: u64) -> impl Iterator<Item = &Record> {
        let skipped = match self.first_index() {
            Some(first) if first <= index => (index - first) as usize,
            _ => self.records.len(),
        };
        self.records.iter().skip(skipped)
    }

    /// Forgets `index` and everything after it.
    pub fn truncate(&mut self, index: u64) {
        while let Some(record) = self.records.pop_back_if(|record| record.index >= index) {
            self.bytes -= weight(&record);
        }
    }

    /// Forgets everything up to `index`.
    pub fn purge(&mut self, index: u64) {
        while self.first_index().is_some_and(|first| first <= index) {
            self.pop_front();
        }
    }

    fn pop_front(&mut self) {
        let record = self.records.pop_front().expect("bytes are counted for held records only");
        self.bytes -= weight(&record);
    }
}

fn weight(record: &Record) -> usize {
    size_of::<Record>() + record.payload.len()
}
