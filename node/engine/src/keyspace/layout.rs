//! One key with its expiry and value, in one allocation.
//!
//! ```text
//!  0      header word
//! (8)     expiry, milliseconds since the Unix epoch; all ones for none   only if it ever had one
//! (8)     length of the key                                             only from 256 bytes on
//! (8)     integer, or pointer to a collection or to a big string         unless the value is inline
//!  …      key
//!  …      inline value, then unused room up to a multiple of eight bytes
//!
//! header, from the lowest bit:
//!   kind 4 │ has expiry 1 │ long key 1 │ raw 1 │ unused 1 │ access 24 │ key length 8
//!   │ length of the inline value 12 │ room for it 12
//! ```
//!
//! A table holds the 8-byte pointer, so a lookup costs one cache miss for the entry, and a small
//! value that is overwritten by one of about the same size stays where it is. A string that was
//! changed in place is *raw*, as `OBJECT ENCODING` tells; one that grows beyond a few kilobytes
//! moves into a vector of its own, which grows by doubling.
//!
//! This module is one of the two that may use `unsafe`. Its invariants: `Entry::at` owns an
//! allocation of `Header::size` bytes aligned to eight that begins with a valid header; the words
//! that the header announces are initialised, and so are key and value bytes; a pointer word owns a
//! box of the type that the kind names. No reference to the header word is ever made, so that it
//! may be written through a shared entry; hence an entry is `Send` but not `Sync`.
#![allow(unsafe_code, reason = "this module is the layout of entries in memory")]

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::{fmt, slice};

use super::access;
use super::header::{Header, INLINE_MAX, Kind, WORD};
use super::value::{Collection, Content, StringRef, StringValue, Value, ValueMut, ValueRef};
use crate::types::{Hash, List, Set, SortedSet, Stream};

/// What the expiry word holds for a key that lives for ever.
const NEVER: u64 = u64::MAX;

/// Strings that grow in place are given double their length up to here, then move out.
const GROW_INLINE_MAX: usize = INLINE_MAX / 2;

/// One key with its expiry and value.
pub struct Entry {
    at: NonNull<u64>,
    /// The entry owns collections.
    owned: PhantomData<Value>,
}

// SAFETY: an entry owns everything that it points to, and all of that is `Send`.
unsafe impl Send for Entry where Value: Send {}

impl Entry {
    /// An entry for `key`.
    pub fn new(key: &[u8], content: Content<'_>, expire_at_ms: Option<u64>) -> Self {
        let mut entry = match content {
            Content::String(StringRef::Integer(value)) => {
                Self::with_word(key, Kind::Integer, value, expire_at_ms.is_some())
            }
            Content::String(StringRef::Bytes(bytes)) => {
                Self::with_bytes(key, bytes, bytes.len(), expire_at_ms.is_some())
            }
            Content::Owned(value) => Self::with_value(key, value, expire_at_ms.is_some()),
        };
        entry.set_expiry(expire_at_ms);
        entry
    }

    fn with_value(key: &[u8], value: Value, expires: bool) -> Self {
        match value {
            Value::String(StringValue::Integer(value)) => {
                Self::with_word(key, Kind::Integer, value, expires)
            }
            Value::String(StringValue::Bytes(bytes)) if bytes.len() <= INLINE_MAX => {
                Self::with_bytes(key, &bytes, bytes.len(), expires)
            }
            Value::String(StringValue::Bytes(bytes)) => {
                Self::with_word(key, Kind::Big, Box::into_raw(Box::new(bytes)), expires)
            }
            Value::List(list) => Self::with_word(key, Kind::List, Box::into_raw(list), expires),
            Value::Set(set) => Self::with_word(key, Kind::Set, Box::into_raw(set), expires),
            Value::SortedSet(set) => {
                Self::with_word(key, Kind::SortedSet, Box::into_raw(set), expires)
            }
            Value::Hash(hash) => Self::with_word(key, Kind::Hash, Box::into_raw(hash), expires),
            Value::Stream(stream) => {
                Self::with_word(key, Kind::Stream, Box::into_raw(stream), expires)
            }
        }
    }

    /// An entry with an inline string and room for `room` bytes; a string that is too long for that
    /// gets a vector.
    fn with_bytes(key: &[u8], bytes: &[u8], room: usize, expires: bool) -> Self {
        if bytes.len() > INLINE_MAX {
            let bytes = Box::into_raw(Box::new(bytes.to_vec()));
            return Self::with_word(key, Kind::Big, bytes, expires);
        }
        let mut entry = Self::allocate(Header::inline(key.len(), room, expires), key);
        entry.write_inline(bytes);
        entry
    }

    /// An entry whose value is a word: an integer, or a pointer from `Box::into_raw`.
    fn with_word<T: Copy>(key: &[u8], kind: Kind, word: T, expires: bool) -> Self {
        const { assert!(size_of::<T>() == WORD && align_of::<T>() <= WORD) };
        let entry = Self::allocate(Header::word(kind, key.len(), expires), key);
        // SAFETY: a kind that is not inline has a word at this place, of the size of `T`.
        unsafe { entry.value_word::<T>().write(word) };
        entry
    }

    /// Allocates an entry and writes all but its value. The caller writes the value before anything
    /// else happens.
    fn allocate(header: Header, key: &[u8]) -> Self {
        let layout = layout_of(header, key.len());
        // SAFETY: the size is at least that of the header.
        let Some(at) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let entry = Entry { at: at.cast(), owned: PhantomData };
        // SAFETY: the allocation is as large as the header says, for this key and these words.
        unsafe {
            entry.at.write(header.0);
            if header.has_expiry() {
                entry.at.add(1).write(NEVER);
            }
            if header.has_long_key() {
                entry.at.add(1 + usize::from(header.has_expiry())).write(key.len() as u64);
            }
            ptr::copy_nonoverlapping(key.as_ptr(), entry.byte(header.key_offset()), key.len());
        }
        entry
    }

    #[inline]
    fn header(&self) -> Header {
        // SAFETY: an entry begins with its header.
        Header(unsafe { self.at.read() })
    }

    #[inline]
    fn set_header(&self, header: Header) {
        // SAFETY: as above; nobody holds a reference to this word, see the module's invariants.
        unsafe { self.at.write(header.0) }
    }

    /// The address of a byte of the entry, for prefetching or for access within bounds.
    #[inline]
    pub(super) fn byte(&self, offset: usize) -> *mut u8 {
        self.at.as_ptr().cast::<u8>().wrapping_add(offset)
    }

    #[inline]
    fn value_word<T>(&self) -> *mut T {
        self.byte(self.header().value_word_offset()).cast()
    }

    #[inline]
    fn key_len(&self) -> usize {
        let header = self.header();
        if !header.has_long_key() {
            return header.short_key_len();
        }
        // SAFETY: the header announces this word.
        unsafe { self.at.add(1 + usize::from(header.has_expiry())).read() as usize }
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        // SAFETY: the key's bytes are initialised and never written while the entry lives.
        unsafe { slice::from_raw_parts(self.byte(self.header().key_offset()), self.key_len()) }
    }

    /// When it expires, in milliseconds since the Unix epoch.
    #[inline]
    pub fn expire_at_ms(&self) -> Option<u64> {
        if !self.header().has_expiry() {
            return None;
        }
        // SAFETY: the header announces this word.
        Some(unsafe { self.at.add(1).read() }).filter(|&at_ms| at_ms != NEVER)
    }

    /// Sets or clears the expiry.
    #[inline]
    pub(super) fn set_expiry(&mut self, expire_at_ms: Option<u64>) {
        if !self.header().has_expiry() {
            if expire_at_ms.is_none() {
                return;
            }
            self.add_expiry_word();
        }
        // SAFETY: the header announces this word.
        unsafe { self.at.add(1).write(expire_at_ms.unwrap_or(NEVER)) }
    }

    /// Moves the entry into an allocation that has a word for the expiry.
    fn add_expiry_word(&mut self) {
        let old = self.header();
        let new = Self::allocate(old.with_expiry(), self.key());
        let value = old.value_word_offset();
        if old.kind() == Kind::Inline {
            let (from, to) = (self.inline_offset(), new.inline_offset());
            // SAFETY: both have the same room, of which so many bytes are in use.
            unsafe {
                ptr::copy_nonoverlapping(self.byte(from), new.byte(to), old.inline_len());
            }
        } else {
            // SAFETY: both have a value word; the new one owns it from now on.
            unsafe {
                ptr::copy_nonoverlapping(self.byte(value), new.value_word::<u8>(), WORD);
            }
        }
        let old = core::mem::replace(self, new);
        old.free();
    }

    /// Gives the allocation back without dropping what the value word owns.
    fn free(self) {
        let layout = layout_of(self.header(), self.key_len());
        let at = self.at.as_ptr().cast();
        core::mem::forget(self);
        // SAFETY: this is how it was allocated, and it is not used again.
        unsafe { dealloc(at, layout) }
    }

    /// When or how often the entry was used; see [`super::access`].
    #[inline]
    pub fn access(&self) -> u32 {
        self.header().access()
    }

    /// Records a use.
    #[inline]
    pub fn set_access(&self, record: u32) {
        let header = self.header();
        if header.access() != record & access::MASK {
            self.set_header(header.with_access(record & access::MASK));
        }
    }

    /// Bytes that the entry occupies, without the insides of collections.
    #[inline]
    pub fn allocated(&self) -> usize {
        let header = self.header();
        let outside = match self.value() {
            ValueRef::String(_) if header.kind() == Kind::Big => {
                // SAFETY: a big string's word owns a vector.
                size_of::<Vec<u8>>() + unsafe { (**self.value_word::<*mut Vec<u8>>()).capacity() }
            }
            ValueRef::String(_) => 0,
            ValueRef::List(_) => size_of::<List>(),
            ValueRef::Set(_) => size_of::<Set>(),
            ValueRef::SortedSet(_) => size_of::<SortedSet>(),
            ValueRef::Hash(_) => size_of::<Hash>(),
            ValueRef::Stream(_) => size_of::<Stream>(),
        };
        header.size(self.key_len()) + outside
    }

    /// What `OBJECT ENCODING` answers.
    pub fn encoding(&self) -> &'static str {
        self.value().encoding(self.is_raw())
    }

    /// Whether this is a string that was changed in place.
    pub fn is_raw(&self) -> bool {
        self.header().is_raw()
    }

    /// Marks a string as changed in place or not.
    pub(crate) fn set_raw(&mut self, raw: bool) {
        self.set_header(self.header().with_raw(raw));
    }

    #[inline]
    fn inline_offset(&self) -> usize {
        self.header().key_offset() + self.key_len()
    }

    /// Writes an inline string, for which there is room.
    #[inline]
    fn write_inline(&mut self, bytes: &[u8]) {
        let header = self.header();
        assert!(header.kind() == Kind::Inline && bytes.len() <= header.room(), "it has room");
        // SAFETY: the room begins here and is large enough; `bytes` cannot lie in it, because the
        // entry is borrowed exclusively.
        unsafe {
            let to = self.byte(self.inline_offset());
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        self.set_header(header.with_inline_len(bytes.len()).with_raw(false));
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        let header = self.header();
        // SAFETY: the kind says what the value word is, or that the bytes are inline and how many.
        // What a pointer owns lives as long as the entry and is borrowed with it.
        unsafe {
            match header.kind() {
                Kind::Inline => {
                    let from = self.byte(self.inline_offset());
                    let bytes = slice::from_raw_parts(from, header.inline_len());
                    ValueRef::String(StringRef::Bytes(bytes))
                }
                Kind::Integer => ValueRef::String(StringRef::Integer(*self.value_word())),
                Kind::Big => {
                    let bytes: &Vec<u8> = &**self.value_word::<*mut Vec<u8>>();
                    ValueRef::String(StringRef::Bytes(bytes))
                }
                Kind::List => ValueRef::List(&**self.value_word::<*mut List>()),
                Kind::Set => ValueRef::Set(&**self.value_word::<*mut Set>()),
                Kind::SortedSet => ValueRef::SortedSet(&**self.value_word::<*mut SortedSet>()),
                Kind::Hash => ValueRef::Hash(&**self.value_word::<*mut Hash>()),
                Kind::Stream => ValueRef::Stream(&**self.value_word::<*mut Stream>()),
            }
        }
    }

    /// The value, to be changed; a string is changed by [`Entry::grow_string`].
    #[inline]
    fn value_mut(&mut self) -> Option<ValueMut<'_>> {
        // SAFETY: as in `value`, with the entry borrowed exclusively.
        unsafe {
            Some(match self.header().kind() {
                Kind::Inline | Kind::Integer | Kind::Big => return None,
                Kind::List => ValueMut::List(&mut **self.value_word::<*mut List>()),
                Kind::Set => ValueMut::Set(&mut **self.value_word::<*mut Set>()),
                Kind::SortedSet => ValueMut::SortedSet(&mut **self.value_word::<*mut SortedSet>()),
                Kind::Hash => ValueMut::Hash(&mut **self.value_word::<*mut Hash>()),
                Kind::Stream => ValueMut::Stream(&mut **self.value_word::<*mut Stream>()),
            })
        }
    }

    /// When the first field of a hash expires.
    #[inline]
    pub fn earliest_deadline_ms(&self) -> Option<u64> {
        match self.value() {
            ValueRef::Hash(hash) => hash.earliest_ms(),
            _ => None,
        }
    }

    /// The collection in it, if it is of this type.
    #[inline]
    pub fn collection_mut<T: Collection>(&mut self) -> Option<&mut T> {
        T::in_value_mut(self.value_mut()?)
    }

    /// Replaces the value, in place if it fits; otherwise what stood here is returned.
    #[inline]
    pub(super) fn overwrite(&mut self, content: Content<'_>) -> Option<Entry> {
        let header = self.header();
        match (&content, header.kind()) {
            (Content::String(StringRef::Bytes(bytes)), Kind::Inline)
                if header.fits(bytes.len()) =>
            {
                self.write_inline(bytes);
            }
            (Content::String(StringRef::Integer(value)), Kind::Integer) => {
                // SAFETY: the kind says that the word is an integer.
                unsafe { self.value_word::<i64>().write(*value) }
            }
            _ => return Some(self.rebuild(content)),
        }
        None
    }

    /// Replaces the value by moving into another allocation; returns the old one.
    fn rebuild(&mut self, content: Content<'_>) -> Entry {
        let new = Entry::new(self.key(), content, self.expire_at_ms());
        new.set_access(self.access());
        core::mem::replace(self, new)
    }

    /// The bytes of a string, with zeros appended until there are at least `len`. Marks it as raw.
    pub(super) fn grow_string(&mut self, len: usize) -> &mut [u8] {
        self.make_room(len);
        self.set_raw(true);
        let header = self.header();
        if header.kind() == Kind::Big {
            // SAFETY: a big string's word owns a vector.
            let bytes = unsafe { &mut **self.value_word::<*mut Vec<u8>>() };
            bytes.resize(bytes.len().max(len), 0);
            return bytes;
        }
        let (old, new) = (header.inline_len(), header.inline_len().max(len));
        self.set_header(header.with_inline_len(new));
        // SAFETY: room was made, and the bytes that join are initialised before the slice is made.
        unsafe {
            let from = self.byte(self.inline_offset());
            ptr::write_bytes(from.add(old), 0, new - old);
            slice::from_raw_parts_mut(from, new)
        }
    }

    /// Turns a string into bytes that can grow to `len`.
    fn make_room(&mut self, len: usize) {
        let header = self.header();
        if header.kind() == Kind::Big || header.kind() == Kind::Inline && header.room() >= len {
            return;
        }
        let ValueRef::String(string) = self.value() else {
            panic!("the caller knows that this is a string");
        };
        let needed = len.max(string.len());
        let expires = self.expire_at_ms().is_some();
        let mut new = if needed <= GROW_INLINE_MAX {
            string.with_bytes(|bytes| Self::with_bytes(self.key(), bytes, needed * 2, expires))
        } else {
            let mut bytes = Vec::with_capacity(needed);
            string.with_bytes(|old| bytes.extend_from_slice(old));
            let bytes = Box::into_raw(Box::new(bytes));
            Self::with_word(self.key(), Kind::Big, bytes, expires)
        };
        new.set_expiry(self.expire_at_ms());
        new.set_access(self.access());
        *self = new;
    }

    /// Takes the value out of an entry that is no longer needed.
    pub fn into_value(self) -> Value {
        // SAFETY: the kind says what the word owns; the entry is freed without dropping it.
        let value = unsafe {
            match self.header().kind() {
                Kind::Inline => match self.value() {
                    ValueRef::String(string) => Value::String(StringValue::Bytes(string.to_vec())),
                    _ => unreachable!("inline values are strings"),
                },
                Kind::Integer => Value::String(StringValue::Integer(*self.value_word())),
                Kind::Big => {
                    let bytes: Box<Vec<u8>> = Box::from_raw(*self.value_word());
                    Value::String(StringValue::Bytes(*bytes))
                }
                Kind::List => Value::List(Box::from_raw(*self.value_word())),
                Kind::Set => Value::Set(Box::from_raw(*self.value_word())),
                Kind::SortedSet => Value::SortedSet(Box::from_raw(*self.value_word())),
                Kind::Hash => Value::Hash(Box::from_raw(*self.value_word())),
                Kind::Stream => Value::Stream(Box::from_raw(*self.value_word())),
            }
        };
        self.free();
        value
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: the kind says what the word owns, and neither is used again.
        unsafe {
            match self.header().kind() {
                Kind::Inline | Kind::Integer => {}
                Kind::Big => drop(Box::<Vec<u8>>::from_raw(*self.value_word())),
                Kind::List => drop(Box::<List>::from_raw(*self.value_word())),
                Kind::Set => drop(Box::<Set>::from_raw(*self.value_word())),
                Kind::SortedSet => drop(Box::<SortedSet>::from_raw(*self.value_word())),
                Kind::Hash => drop(Box::<Hash>::from_raw(*self.value_word())),
                Kind::Stream => drop(Box::<Stream>::from_raw(*self.value_word())),
            }
            dealloc(self.at.as_ptr().cast(), layout_of(self.header(), self.key_len()));
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key())
            .field("expire_at_ms", &self.expire_at_ms())
            .field("value", &self.value())
            .finish()
    }
}

fn layout_of(header: Header, key_len: usize) -> Layout {
    Layout::from_size_align(header.size(key_len), WORD)
        .expect("a key is shorter than half the memory")
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
