//! The value of a key.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::types::{Hash, List, Set, SortedSet};

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
}

/// An owned string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StringValue {
    /// An integer in canonical decimal form, kept as eight bytes.
    Integer(i64),
    /// Any other bytes.
    Bytes(Vec<u8>),
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
}

/// A borrowed string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringRef<'a> {
    /// An integer in canonical decimal form.
    Integer(i64),
    /// Any other bytes.
    Bytes(&'a [u8]),
}

impl<'a> StringRef<'a> {
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
        }
    }
}

impl ValueRef<'_> {
    /// The type of the value.
    pub const fn kind(&self) -> ValueKind {
        match self {
            Self::String(_) => ValueKind::String,
            Self::List(_) => ValueKind::List,
            Self::Set(_) => ValueKind::Set,
            Self::SortedSet(_) => ValueKind::SortedSet,
            Self::Hash(_) => ValueKind::Hash,
        }
    }
}

/// A type that lives behind a pointer in an entry, and goes away when it is empty.
pub trait Collection: Sized + 'static {
    /// The collection inside a value of this type.
    fn in_ref(value: ValueRef<'_>) -> Option<&Self>;
    /// The collection inside an owned value of this type.
    fn in_mut(value: &mut Value) -> Option<&mut Self>;
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
