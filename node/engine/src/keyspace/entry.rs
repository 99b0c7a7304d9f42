//! One key with its expiry and value.

use alloc::boxed::Box;

use super::value::{Collection, Content, StringRef, StringValue, Value, ValueRef};

/// One key with its expiry and value.
#[derive(Debug)]
pub struct Entry {
    key: Box<[u8]>,
    expire_at_ms: Option<u64>,
    value: Value,
}

impl Entry {
    /// An entry for `key`.
    pub fn new(key: &[u8], content: Content<'_>, expire_at_ms: Option<u64>) -> Self {
        Entry { key: key.into(), expire_at_ms, value: content.into_value() }
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// When it expires, in milliseconds since the Unix epoch.
    #[inline]
    pub fn expire_at_ms(&self) -> Option<u64> {
        self.expire_at_ms
    }

    /// Sets or clears the expiry.
    pub(super) fn set_expiry(&mut self, expire_at_ms: Option<u64>) {
        self.expire_at_ms = expire_at_ms;
    }

    /// Bytes that the entry occupies, without the insides of collections.
    pub fn allocated(&self) -> usize {
        64 + self.key.len()
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        match &self.value {
            Value::String(StringValue::Integer(value)) => {
                ValueRef::String(StringRef::Integer(*value))
            }
            Value::String(StringValue::Bytes(bytes)) => ValueRef::String(StringRef::Bytes(bytes)),
            Value::List(list) => ValueRef::List(list),
            Value::Set(set) => ValueRef::Set(set),
            Value::SortedSet(set) => ValueRef::SortedSet(set),
            Value::Hash(hash) => ValueRef::Hash(hash),
        }
    }

    /// The collection in it, if it is of this type.
    #[inline]
    pub fn collection_mut<T: Collection>(&mut self) -> Option<&mut T> {
        T::in_mut(&mut self.value)
    }

    /// What `OBJECT ENCODING` answers.
    pub fn encoding(&self) -> &'static str {
        self.value().encoding(false)
    }

    /// When or how often the entry was used; see [`super::access`].
    pub fn access(&self) -> u32 {
        0
    }

    /// Records a use.
    pub fn set_access(&self, _access: u32) {}

    /// Makes room for a string of `len` bytes.
    pub(super) fn reserve_string(&mut self, _len: usize) {}

    /// The bytes of a string, with zeros appended until there are at least `len`.
    pub(super) fn grow_string(&mut self, len: usize) -> &mut [u8] {
        let Value::String(string) = &mut self.value else {
            panic!("the caller knows that this is a string");
        };
        if let StringValue::Integer(value) = string {
            *string = StringValue::Bytes(itoa::Buffer::new().format(*value).as_bytes().to_vec());
        }
        let StringValue::Bytes(bytes) = string else { unreachable!("it was just converted") };
        bytes.resize(bytes.len().max(len), 0);
        bytes
    }

    /// Replaces the value.
    pub(super) fn overwrite(&mut self, content: Content<'_>) {
        self.value = content.into_value();
    }

    /// Takes the value out of an entry that is no longer needed.
    pub fn into_value(self) -> Value {
        self.value
    }
}
