//! The value of a key.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::prefetch_whole;
use crate::types::{Hash, List, Set, SortedSet, Stream};

/// An owned value.
#[derive(Debug)]
pub enum Value {
    /// A string.
    String(StringValue),
    /// A list.
    List(Box<List>),
    /// A set.
    Set(Box<Set>),
    /// A sorted set.
    SortedSet(Box<SortedSet>),
    /// A hash.
    Hash(Box<Hash>),
    /// A stream.
    Stream(Box<Stream>),
}

/// An owned string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StringValue {
    /// An integer in canonical decimal form, kept as eight bytes.
    Integer(i64),
    /// Any other bytes.
    Bytes(Vec<u8>),
}

/// What is to be stored: a string is copied straight into its entry, anything else moves.
#[derive(Debug)]
pub enum Content<'a> {
    /// A string.
    String(StringRef<'a>),
    /// Any value.
    Owned(Value),
}

impl Content<'_> {
    /// The value on its own.
    pub fn into_value(self) -> Value {
        match self {
            Content::String(StringRef::Integer(value)) => {
                Value::String(StringValue::Integer(value))
            }
            Content::String(StringRef::Bytes(bytes)) => {
                Value::String(StringValue::Bytes(bytes.to_vec()))
            }
            Content::Owned(value) => value,
        }
    }
}

impl<'a> StringRef<'a> {
    /// The form in which a string that a client sends is kept: an integer if its text is one.
    #[inline]
    pub fn of(bytes: &'a [u8]) -> StringRef<'a> {
        match quoris_resp::parse_i64(bytes) {
            Some(integer) => StringRef::Integer(integer),
            None => StringRef::Bytes(bytes),
        }
    }
}

/// A borrowed value.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string.
    String(StringRef<'a>),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A sorted set.
    SortedSet(&'a SortedSet),
    /// A hash.
    Hash(&'a Hash),
    /// A stream.
    Stream(&'a Stream),
}

/// A collection, borrowed to be changed.
#[derive(Debug)]
pub enum ValueMut<'a> {
    /// A list.
    List(&'a mut List),
    /// A set.
    Set(&'a mut Set),
    /// A sorted set.
    SortedSet(&'a mut SortedSet),
    /// A hash.
    Hash(&'a mut Hash),
    /// A stream.
    Stream(&'a mut Stream),
}

/// A borrowed string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringRef<'a> {
    /// An integer in canonical decimal form.
    Integer(i64),
    /// Any other bytes.
    Bytes(&'a [u8]),
}

impl StringRef<'_> {
    /// Calls `f` with the bytes of the string, printing an integer into a buffer on the stack.
    #[inline]
    pub fn with_bytes<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            StringRef::Bytes(bytes) => f(bytes),
            StringRef::Integer(value) => f(itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// The length of the string in bytes.
    pub fn len(self) -> usize {
        self.with_bytes(<[u8]>::len)
    }

    /// Whether the string is empty.
    pub fn is_empty(self) -> bool {
        matches!(self, StringRef::Bytes([]))
    }

    /// The value as an integer, if its text is one in canonical form.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            StringRef::Integer(value) => Some(value),
            StringRef::Bytes(bytes) => quoris_resp::parse_i64(bytes),
        }
    }

    /// A copy of the bytes.
    pub fn to_vec(self) -> Vec<u8> {
        self.with_bytes(<[u8]>::to_vec)
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// `string`
    String,
    /// `list`
    List,
    /// `set`
    Set,
    /// `zset`
    SortedSet,
    /// `hash`
    Hash,
    /// `stream`
    Stream,
}

impl ValueKind {
    /// The name that `TYPE` answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
        }
    }
}

/// Up to how many bytes Redis keeps a string in one piece with its object.
const EMBEDDED_MAX: usize = 44;

impl ValueRef<'_> {
    /// The name of its encoding, as `OBJECT ENCODING` answers it; `raw` says of a string that it
    /// was changed in place.
    pub fn encoding(&self, raw: bool) -> &'static str {
        match self {
            Self::String(StringRef::Integer(_)) => "int",
            Self::String(StringRef::Bytes(bytes)) if !raw && bytes.len() <= EMBEDDED_MAX => {
                "embstr"
            }
            Self::String(_) => "raw",
            Self::List(list) => list.encoding().name(),
            Self::Set(set) => set.encoding().name(),
            Self::SortedSet(set) => set.encoding(),
            Self::Hash(hash) => hash.encoding().name(),
            Self::Stream(_) => "stream",
        }
    }

    /// Asks for a collection that is about to be used.
    #[inline]
    pub(crate) fn prefetch(&self) {
        match self {
            Self::String(_) => {}
            Self::List(list) => prefetch_whole(*list),
            Self::Set(set) => prefetch_whole(*set),
            Self::SortedSet(set) => prefetch_whole(*set),
            Self::Hash(hash) => prefetch_whole(*hash),
            Self::Stream(stream) => prefetch_whole(*stream),
        }
    }

    /// The type of the value.
    pub const fn kind(&self) -> ValueKind {
        match self {
            Self::String(_) => ValueKind::String,
            Self::List(_) => ValueKind::List,
            Self::Set(_) => ValueKind::Set,
            Self::SortedSet(_) => ValueKind::SortedSet,
            Self::Hash(_) => ValueKind::Hash,
            Self::Stream(_) => ValueKind::Stream,
        }
    }
}

/// A type that lives behind a pointer in an entry. All but streams go away when they are empty.
pub trait Collection: Sized + 'static {
    /// The collection inside a value of this type.
    fn in_ref(value: ValueRef<'_>) -> Option<&Self>;
    /// The collection inside an owned value of this type.
    fn in_mut(value: &mut Value) -> Option<&mut Self>;
    /// The collection inside a value of this type.
    fn in_value_mut(value: ValueMut<'_>) -> Option<&mut Self>;
    /// An empty value of this type.
    fn empty() -> Value;
    /// Whether nothing is left in it.
    fn is_empty(&self) -> bool;
}

macro_rules! collection {
    ($kind:ident) => {
        impl Collection for $kind {
            fn in_ref(value: ValueRef<'_>) -> Option<&Self> {
                match value {
                    ValueRef::$kind(inner) => Some(inner),
                    _ => None,
                }
            }

            fn in_mut(value: &mut Value) -> Option<&mut Self> {
                match value {
                    Value::$kind(inner) => Some(inner),
                    _ => None,
                }
            }

            fn in_value_mut(value: ValueMut<'_>) -> Option<&mut Self> {
                match value {
                    ValueMut::$kind(inner) => Some(inner),
                    _ => None,
                }
            }

            fn empty() -> Value {
                Value::$kind(Box::default())
            }

            fn is_empty(&self) -> bool {
                $kind::is_empty(self)
            }
        }
    };
}

collection!(List);
collection!(Set);
collection!(SortedSet);
collection!(Hash);
collection!(Stream);
