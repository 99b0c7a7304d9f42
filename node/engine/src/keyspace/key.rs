//! A key with its slot and hash.

use siphasher::sip::SipHasher13;

use crate::slot::Slot;

/// A key of a request, hashed once.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key itself.
    pub bytes: &'a [u8],
    /// Its slot.
    pub slot: Slot,
    /// Its hash under the shard's seed.
    pub hash: u64,
}

impl<'a> Key<'a> {
    /// Computes slot and hash.
    #[inline]
    pub fn new(bytes: &'a [u8], hasher: &KeyHasher) -> Self {
        Key { bytes, slot: Slot::of_key(bytes), hash: hasher.hash(bytes) }
    }
}

/// SipHash-1-3 under a seed that is drawn once per cluster and replicated: a client cannot choose
/// keys that collide, and every replica computes the same hash on every platform.
#[derive(Clone, Debug)]
pub struct KeyHasher {
    seed: [u8; 16],
    state: SipHasher13,
}

impl KeyHasher {
    /// A hasher under `seed`.
    pub fn new(seed: [u8; 16]) -> Self {
        KeyHasher { seed, state: SipHasher13::new_with_key(&seed) }
    }

    /// The seed, for snapshots.
    pub fn seed(&self) -> [u8; 16] {
        self.seed
    }

    /// The hash of some bytes.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.state.hash(bytes)
    }
}
