//! The header word of an entry; [`super::layout`] draws it.

use super::access;

/// Everything in an entry is aligned to and counted in words.
pub(super) const WORD: usize = 8;

/// The longest string that stands in its entry: what a length of 12 bits can count, less the room
/// that rounding adds.
pub(super) const INLINE_MAX: usize = (1 << 12) - 1 - WORD;

/// How an entry keeps its value. The numbers are in memory only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A string behind the key.
    Inline,
    /// An integer in the value word.
    Integer,
    /// A string in a vector of its own.
    Big,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    SortedSet,
    /// A hash.
    Hash,
    /// A stream.
    Stream,
}

/// The header word of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header(pub(super) u64);

const EXPIRY: u64 = 1 << 4;
const LONG_KEY: u64 = 1 << 5;
const RAW: u64 = 1 << 6;
const ACCESS: u32 = 8;
const KEY_LEN: u32 = 32;
const INLINE_LEN: u32 = 40;
const ROOM: u32 = 52;
const INLINE_MASK: u64 = (1 << 12) - 1;

impl Header {
    /// The header of an entry with an inline string and room for `room` bytes or a little more.
    pub(super) fn inline(key_len: usize, room: usize, expires: bool) -> Header {
        let bare = Self::common(Kind::Inline, key_len, expires);
        let used = bare.key_offset() + key_len + room;
        let room = room + used.next_multiple_of(WORD) - used;
        assert!(room as u64 <= INLINE_MASK, "longer strings are kept outside");
        Header(bare.0 | (room as u64) << ROOM)
    }

    /// The header of an entry with a value word.
    pub(super) fn word(kind: Kind, key_len: usize, expires: bool) -> Header {
        Self::common(kind, key_len, expires)
    }

    fn common(kind: Kind, key_len: usize, expires: bool) -> Header {
        let key = match u8::try_from(key_len) {
            Ok(len) => u64::from(len) << KEY_LEN,
            Err(_) => LONG_KEY,
        };
        Header(kind as u64 | key | if expires { EXPIRY } else { 0 })
    }

    #[inline]
    pub(super) const fn kind(self) -> Kind {
        match self.0 & 15 {
            0 => Kind::Inline,
            1 => Kind::Integer,
            2 => Kind::Big,
            3 => Kind::List,
            4 => Kind::Set,
            5 => Kind::SortedSet,
            6 => Kind::Hash,
            _ => Kind::Stream,
        }
    }

    #[inline]
    pub(super) const fn has_expiry(self) -> bool {
        self.0 & EXPIRY != 0
    }

    #[inline]
    pub(super) const fn has_long_key(self) -> bool {
        self.0 & LONG_KEY != 0
    }

    pub(super) const fn is_raw(self) -> bool {
        self.0 & RAW != 0
    }

    #[inline]
    pub(super) const fn access(self) -> u32 {
        (self.0 >> ACCESS) as u32 & access::MASK
    }

    #[inline]
    pub(super) const fn short_key_len(self) -> usize {
        (self.0 >> KEY_LEN) as usize & 0xff
    }

    #[inline]
    pub(super) const fn inline_len(self) -> usize {
        ((self.0 >> INLINE_LEN) & INLINE_MASK) as usize
    }

    #[inline]
    pub(super) const fn room(self) -> usize {
        (self.0 >> ROOM) as usize
    }

    /// Whether a string of `len` bytes fits the room without wasting most of it.
    #[inline]
    pub(super) const fn fits(self, len: usize) -> bool {
        len <= self.room() && len * 2 + 40 >= self.room()
    }

    pub(super) const fn with_expiry(self) -> Header {
        Header(self.0 | EXPIRY)
    }

    pub(super) const fn with_raw(self, raw: bool) -> Header {
        Header(if raw { self.0 | RAW } else { self.0 & !RAW })
    }

    #[inline]
    pub(super) const fn with_access(self, record: u32) -> Header {
        Header(self.0 & !((access::MASK as u64) << ACCESS) | (record as u64) << ACCESS)
    }

    #[inline]
    pub(super) const fn with_inline_len(self, len: usize) -> Header {
        Header(self.0 & !(INLINE_MASK << INLINE_LEN) | (len as u64) << INLINE_LEN)
    }

    /// Where the value word is, for kinds that have one.
    #[inline]
    pub(super) const fn value_word_offset(self) -> usize {
        WORD * (1 + self.has_expiry() as usize + self.has_long_key() as usize)
    }

    /// Where the key begins.
    #[inline]
    pub(super) const fn key_offset(self) -> usize {
        let has_word = self.0 & 15 != Kind::Inline as u64;
        self.value_word_offset() + WORD * has_word as usize
    }

    /// The size of the allocation in bytes.
    #[inline]
    pub(super) const fn size(self, key_len: usize) -> usize {
        (self.key_offset() + key_len + self.room()).next_multiple_of(WORD)
    }
}
