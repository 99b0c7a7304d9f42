//! Asks for the memory in which a key will be looked for, step by step; see [`crate::ahead`].

use super::Table;
use super::index::Index;
use super::records::Records;
use crate::types::packed::Encoded;

/// A key that will be looked for.
#[derive(Debug)]
pub(crate) struct Search<'t> {
    index: &'t Index,
    records: &'t Records,
    hash: u64,
    /// The number of the record that it may be, or of the one that it would become.
    at: usize,
}

impl<'t> Search<'t> {
    /// Asks for what the index needs. The table itself is in the cache already.
    #[inline]
    pub(super) fn begin<const WORDS: usize>(
        table: &'t Table<WORDS>,
        key: &Encoded<'_>,
    ) -> Search<'t> {
        let Table { hasher, index, records } = table;
        let hash = hasher.of_key(key);
        index.prefetch_part(hash);
        records.prefetch();
        Search { index, records, hash, at: records.len() }
    }

    /// Looks into the bucket of the key.
    #[inline]
    pub fn find_number(&mut self) {
        if let Some(at) = self.index.find(self.hash, |_| true) {
            self.at = at as usize;
        }
        self.records.prefetch_segment(self.at);
    }

    /// Asks for the header of the record's chunk.
    #[inline]
    pub fn prefetch_chunk(&self) {
        self.records.prefetch_chunk(self.at);
    }

    /// Asks for the record.
    #[inline]
    pub fn prefetch_record(&self) {
        self.records.prefetch_record(self.at);
    }
}
