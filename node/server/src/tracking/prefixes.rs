//! Who wants to be told of all keys that begin in a certain way.

use std::collections::{BTreeMap, BTreeSet};

/// Keys that were touched, each with the client that did it last, if it was one of this node.
pub(super) type Noted = BTreeMap<Box<[u8]>, Option<u64>>;

/// Clients by prefix.
#[derive(Default)]
pub(super) struct Prefixes {
    by_prefix: BTreeMap<Vec<u8>, Prefix>,
}

#[derive(Default)]
struct Prefix {
    clients: BTreeSet<u64>,
    noted: Noted,
}

impl Prefixes {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_prefix.len()
    }

    /// A client wants to be told.
    pub(super) fn add(&mut self, prefix: &[u8], client: u64) {
        self.by_prefix.entry(prefix.to_vec()).or_default().clients.insert(client);
    }

    /// It does not any more.
    pub(super) fn remove(&mut self, prefix: &[u8], client: u64) {
        let Some(place) = self.by_prefix.get_mut(prefix) else { return };
        place.clients.remove(&client);
        if place.clients.is_empty() {
            self.by_prefix.remove(prefix);
        }
    }

    /// A key was touched.
    pub(super) fn note(&mut self, key: &[u8], writer: Option<u64>) {
        for (_, place) in self.by_prefix.iter_mut().filter(|(prefix, _)| key.starts_with(prefix)) {
            place.noted.insert(key.into(), writer);
        }
    }

    /// What is to be told to whom.
    pub(super) fn take_noted(&mut self) -> Vec<(Vec<u64>, Noted)> {
        let noted = self.by_prefix.values_mut().filter(|place| !place.noted.is_empty());
        let parts = noted.map(|place| {
            (place.clients.iter().copied().collect(), std::mem::take(&mut place.noted))
        });
        parts.collect()
    }

    /// Everybody is told to forget everything instead.
    pub(super) fn forget_noted(&mut self) {
        self.by_prefix.values_mut().for_each(|place| place.noted.clear());
    }
}
