//! Hash slots: which of the 16384 partitions a key belongs to.
//!
//! CRC16-CCITT (XMODEM) of the key, or of the part between the first `{` and the next `}` if that
//! part is not empty, modulo 16384.
//! Source: <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>.

/// How many slots the key space is divided into.
pub const SLOT_COUNT: usize = 16384;

/// A hash slot, below [`SLOT_COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// The slot with this number; `None` from [`SLOT_COUNT`] on.
    pub const fn new(number: u16) -> Option<Slot> {
        if (number as usize) < SLOT_COUNT { Some(Slot(number)) } else { None }
    }

    /// The slot of a key.
    #[inline]
    pub fn of_key(key: &[u8]) -> Slot {
        Slot(crc16::State::<crc16::XMODEM>::calculate(hash_tag(key)) % SLOT_COUNT as u16)
    }

    /// The number of the slot.
    #[inline]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The number of the slot as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The part of a key that decides its slot.
#[inline]
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'{', key) else { return key };
    match memchr::memchr(b'}', &key[open + 1..]) {
        None | Some(0) => key,
        Some(len) => &key[open + 1..open + 1 + len],
    }
}
