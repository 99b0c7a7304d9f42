//! Reading values.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::input::{Form, Input, Text};
use super::{Loaded, RdbError, kind, listpack, node, stream};
use crate::keyspace::{Rebuild, StringRef, StringValue, Value};
use crate::types::{Element, Encoding, List, Set, SortedSet};

/// Reads a value of a type.
///
/// # Errors
/// That the bytes are not such a value.
pub(crate) fn load_value(
    kind: u8,
    input: &mut Input<'_>,
    rebuild: &Rebuild,
) -> Result<Loaded, RdbError> {
    let value = match kind {
        kind::STRING => return load_string(input),
        kind::LIST => Value::List(Box::new(load_list(input, rebuild)?)),
        kind::SET | kind::SET_INTEGERS | kind::SET_LISTPACK => {
            Value::Set(Box::new(load_set(kind, input, rebuild)?))
        }
        kind::HASH | kind::HASH_LISTPACK | kind::HASH_DEADLINES | kind::HASH_LISTPACK_DEADLINES => {
            Value::Hash(Box::new(super::hash::load(kind, input, rebuild)?))
        }
        kind::SORTED_SET | kind::SORTED_SET_LISTPACK => {
            Value::SortedSet(Box::new(load_sorted_set(kind, input, rebuild)?))
        }
        kind::STREAM_OF_5 | kind::STREAM_OF_7_0 | kind::STREAM => {
            Value::Stream(Box::new(stream::load(kind, input)?))
        }
        unknown => return Err(RdbError::UnknownType(unknown)),
    };
    Ok(Loaded { value, raw: false })
}

fn load_string(input: &mut Input<'_>) -> Result<Loaded, RdbError> {
    let text = input.text()?;
    let raw = text.form == Form::Wide;
    let value = match StringRef::of(&text.bytes) {
        StringRef::Integer(value) if text.form == Form::Plain => StringValue::Integer(value),
        _ => StringValue::Bytes(text.bytes.into_owned()),
    };
    Ok(Loaded { value: Value::String(value), raw })
}

/// Refuses an empty collection: it could not have been stored.
pub(super) fn filled<T>(collection: T, len: usize) -> Result<T, RdbError> {
    if len == 0 { Err(RdbError::Corrupt("collection without elements")) } else { Ok(collection) }
}

/// Refuses an element that was there already.
pub(super) fn fresh(is_new: bool) -> Result<(), RdbError> {
    if is_new { Ok(()) } else { Err(RdbError::Corrupt("collection with a repeated element")) }
}

fn load_list(input: &mut Input<'_>, rebuild: &Rebuild) -> Result<List, RdbError> {
    let nodes = input.count()?;
    let mut list = List::default();
    for index in 0..nodes {
        let container = input.length()?;
        let Text { bytes, form } = input.text()?;
        let long = nodes > 1 || container == node::PLAIN || form == Form::Widest;
        if index == 0 && long {
            list = rebuild.list(Encoding::Quicklist);
        }
        match container {
            node::PLAIN => rebuild.push(&mut list, &bytes),
            node::PACKED => {
                for element in listpack::elements(&bytes)? {
                    element.with_bytes(|bytes| rebuild.push(&mut list, bytes));
                }
            }
            _ => return Err(RdbError::Corrupt("list")),
        }
    }
    let len = list.len();
    filled(list, len)
}

fn load_set(kind: u8, input: &mut Input<'_>, rebuild: &Rebuild) -> Result<Set, RdbError> {
    if kind == kind::SET {
        let count = input.count()?;
        let mut set = rebuild.set(Encoding::Hashtable);
        for _ in 0..count {
            let member = input.string()?;
            fresh(rebuild.add(&mut set, Element::of(&member)))?;
        }
        return filled(set, count);
    }
    let text = input.text()?;
    if kind == kind::SET_INTEGERS {
        return load_integers(&text.bytes, rebuild);
    }
    let integers = text.form == Form::Widest;
    let mut set = rebuild.set(if integers { Encoding::Intset } else { Encoding::Listpack });
    for member in listpack::elements(&text.bytes)? {
        if integers && matches!(member, Element::Bytes(_)) {
            return Err(RdbError::Corrupt("set of integers"));
        }
        fresh(rebuild.add(&mut set, member))?;
    }
    let len = set.len();
    filled(set, len)
}

/// Redis's own form of a set of integers: width, count, and the integers in ascending order.
fn load_integers(bytes: &[u8], rebuild: &Rebuild) -> Result<Set, RdbError> {
    let mut input = Input::new(bytes);
    let width = u32::from_le_bytes(input.array()?);
    let count = u32::from_le_bytes(input.array()?) as usize;
    let expected = count.checked_mul(width as usize);
    if !matches!(width, 2 | 4 | 8) || expected != Some(input.len()) {
        return Err(RdbError::Corrupt("set of integers"));
    }
    let mut set = rebuild.set(Encoding::Intset);
    for _ in 0..count {
        let value = match width {
            2 => i16::from_le_bytes(input.array()?).into(),
            4 => i32::from_le_bytes(input.array()?).into(),
            _ => i64::from_le_bytes(input.array()?),
        };
        fresh(rebuild.add(&mut set, Element::Integer(value)))?;
    }
    filled(set, count)
}

fn load_sorted_set(
    kind: u8,
    input: &mut Input<'_>,
    rebuild: &Rebuild,
) -> Result<SortedSet, RdbError> {
    let mut set = SortedSet::default();
    let compact = kind == kind::SORTED_SET_LISTPACK;
    let mut add = |member: &[u8], score: f64| {
        if score.is_nan() {
            return Err(RdbError::Corrupt("score"));
        }
        fresh(rebuild.rank(&mut set, compact, member, score))
    };
    if compact {
        let bytes = input.string()?;
        for [member, score] in groups(&bytes)? {
            let score = core::str::from_utf8(&text(score)).ok().and_then(|text| text.parse().ok());
            add(&text(member), score.ok_or(RdbError::Corrupt("score"))?)?;
        }
    } else {
        for _ in 0..input.count()? {
            let member = input.string()?;
            add(&member, f64::from_le_bytes(input.array()?))?;
        }
    }
    let len = set.len();
    filled(set, len)
}

/// The elements of a listpack in groups, such as pairs.
pub(super) fn groups<const LEN: usize>(bytes: &[u8]) -> Result<Vec<[Element<'_>; LEN]>, RdbError> {
    let elements = listpack::elements(bytes)?;
    let (groups, rest) = elements.as_chunks::<LEN>();
    if rest.is_empty() { Ok(groups.to_vec()) } else { Err(RdbError::Corrupt("listpack of groups")) }
}

pub(super) fn text(element: Element<'_>) -> Cow<'_, [u8]> {
    match element {
        Element::Bytes(bytes) => Cow::Borrowed(bytes),
        Element::Integer(_) => Cow::Owned(element.to_vec()),
    }
}
