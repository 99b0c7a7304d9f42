//! Who has read which key. Databases are not told apart, as in Redis: clients cache by key.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Readers by key.
#[derive(Default)]
pub(super) struct Table {
    readers: BTreeMap<Box<[u8]>, Vec<u64>>,
    items: usize,
    /// Behind which key the next is looked for that has to make room.
    hand: Vec<u8>,
}

impl Table {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.readers.len()
    }

    /// How many readers there are of all keys.
    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// A client has read a key.
    pub(super) fn remember(&mut self, key: &[u8], client: u64) {
        if let Some(readers) = self.readers.get_mut(key) {
            if let Err(at) = readers.binary_search(&client) {
                readers.insert(at, client);
                self.items += 1;
            }
            return;
        }
        self.readers.insert(key.into(), vec![client]);
        self.items += 1;
    }

    /// Takes out who has read a key.
    pub(super) fn take(&mut self, key: &[u8]) -> Option<Vec<u64>> {
        let readers = self.readers.remove(key)?;
        self.items -= readers.len();
        Some(readers)
    }

    /// Takes out some key, another each time.
    pub(super) fn take_any(&mut self) -> Option<(Vec<u8>, Vec<u64>)> {
        let behind = (Bound::Excluded(&self.hand[..]), Bound::Unbounded);
        let mut rest = self.readers.range::<[u8], _>(behind);
        let key = rest.next().or_else(|| self.readers.first_key_value())?.0.to_vec();
        self.hand.clone_from(&key);
        let readers = self.take(&key)?;
        Some((key, readers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_counts_once_until_the_key_is_taken() {
        let mut table = Table::default();
        for (key, client) in [("a", 2), ("a", 1), ("a", 2), ("b", 1)] {
            table.remember(key.as_bytes(), client);
        }
        assert_eq!((table.len(), table.items()), (2, 3));
        assert_eq!(table.take(b"a"), Some(vec![1, 2]));
        assert_eq!(table.take(b"a"), None);
        assert_eq!((table.len(), table.items()), (1, 1));
    }

    #[test]
    fn all_keys_have_to_make_room_in_turn() {
        let mut table = Table::default();
        ["b", "d", "f"].iter().for_each(|key| table.remember(key.as_bytes(), 1));
        let mut taken = || table.take_any().map(|(key, _)| key);
        assert_eq!([taken(), taken()], [Some(b"b".to_vec()), Some(b"d".to_vec())]);
        ["a", "b", "g"].iter().for_each(|key| table.remember(key.as_bytes(), 1));
        let mut order = Vec::new();
        while let Some((key, _)) = table.take_any() {
            order.extend(key);
        }
        assert_eq!(order, b"fgab");
        assert_eq!(table.items(), 0);
    }
}
