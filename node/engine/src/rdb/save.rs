//! Writing lengths, strings and values.

use alloc::vec::Vec;

use super::listpack::Listpack;
use super::{kind, node, stream};
use crate::keyspace::{Entry, StringRef, ValueRef};
use crate::types::{Element, Encoding, List, Set, SortedSet};

/// A node of a list takes about so many bytes.
const NODE_BYTES: usize = 8 * 1024;

/// Strings beyond this length are `raw` anyway.
const MARKED_MAX: usize = 44;

/// Appends a length in its shortest form.
pub(crate) fn save_length(length: u64, out: &mut Vec<u8>) {
    match length {
        0..64 => out.push(length as u8),
        64..16384 => out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        _ => match u32::try_from(length) {
            Ok(length) => save_length_wide(length, out),
            Err(_) => save_length_widest(length, out),
        },
    }
}

fn save_length_wide(length: u32, out: &mut Vec<u8>) {
    out.push(0x80);
    out.extend_from_slice(&length.to_be_bytes());
}

fn save_length_widest(length: u64, out: &mut Vec<u8>) {
    out.push(0x81);
    out.extend_from_slice(&length.to_be_bytes());
}

/// Appends a string; the text of a small integer takes a few bytes.
pub(crate) fn save_string(bytes: &[u8], out: &mut Vec<u8>) {
    match quoris_resp::parse_i64(bytes).and_then(|value| i32::try_from(value).ok()) {
        Some(value) => save_small_integer(value, out),
        None => save_plain(bytes, out),
    }
}

pub(super) fn save_plain(bytes: &[u8], out: &mut Vec<u8>) {
    save_length(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn save_small_integer(value: i32, out: &mut Vec<u8>) {
    if let Ok(value) = i8::try_from(value) {
        out.push(0xc0);
        out.extend_from_slice(&value.to_le_bytes());
    } else if let Ok(value) = i16::try_from(value) {
        out.push(0xc1);
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        out.push(0xc2);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

pub(super) fn save_element(element: Element<'_>, out: &mut Vec<u8>) {
    element.with_bytes(|bytes| save_string(bytes, out));
}

/// The type byte of an entry's value.
pub(crate) fn type_of(entry: &Entry) -> u8 {
    match entry.value() {
        ValueRef::String(_) => kind::STRING,
        ValueRef::List(_) => kind::LIST,
        ValueRef::Set(set) if set.encoding() == Encoding::Hashtable => kind::SET,
        ValueRef::Set(_) => kind::SET_LISTPACK,
        ValueRef::Hash(hash) => super::hash::type_of(hash),
        ValueRef::SortedSet(set) if set.is_compact() => kind::SORTED_SET_LISTPACK,
        ValueRef::SortedSet(_) => kind::SORTED_SET,
        ValueRef::Stream(_) => kind::STREAM,
    }
}

/// Appends the value of an entry, as its type byte announces.
pub(crate) fn save_value(entry: &Entry, out: &mut Vec<u8>) {
    match entry.value() {
        ValueRef::String(string) => save_string_value(string, entry.is_raw(), out),
        ValueRef::List(list) => save_list(list, out),
        ValueRef::Set(set) => save_set(set, out),
        ValueRef::Hash(hash) => super::hash::save(hash, out),
        ValueRef::SortedSet(set) => save_sorted_set(set, out),
        ValueRef::Stream(stream) => stream::save(stream, out),
    }
}

fn save_string_value(string: StringRef<'_>, raw: bool, out: &mut Vec<u8>) {
    let bytes = match string {
        StringRef::Integer(value) => {
            save_string(itoa::Buffer::new().format(value).as_bytes(), out);
            return;
        }
        StringRef::Bytes(bytes) => bytes,
    };
    if raw && bytes.len() <= MARKED_MAX {
        save_length_wide(bytes.len() as u32, out);
        out.extend_from_slice(bytes);
    } else if quoris_resp::parse_i64(bytes).is_some() {
        save_length_widest(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    } else {
        save_plain(bytes, out);
    }
}

fn save_list(list: &List, out: &mut Vec<u8>) {
    let long = list.encoding() == Encoding::Quicklist;
    let mut nodes = Vec::new();
    let mut count = 0;
    let mut open = Listpack::new();
    let mut is_open = false;
    let mut elements = list.iter();
    if let Some(first) = elements.next().filter(|_| long) {
        first.with_bytes(|bytes| save_first(bytes, &mut nodes));
        count += 1;
    } else {
        elements = list.iter();
    }
    for element in elements {
        open.push(element);
        is_open = true;
        if long && open.size() >= NODE_BYTES {
            save_node(core::mem::replace(&mut open, Listpack::new()), &mut nodes);
            count += 1;
            is_open = false;
        }
    }
    if is_open {
        save_node(open, &mut nodes);
        count += 1;
    }
    save_length(count, out);
    out.extend_from_slice(&nodes);
}

/// The node that tells a long list. Redis refuses a plain node without bytes.
fn save_first(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_empty() {
        let mut listpack = Listpack::new();
        listpack.push_text(bytes);
        let listpack = listpack.finish();
        save_length(node::PACKED, out);
        save_length_widest(listpack.len() as u64, out);
        out.extend_from_slice(&listpack);
    } else {
        save_length(node::PLAIN, out);
        save_plain(bytes, out);
    }
}

fn save_node(listpack: Listpack, out: &mut Vec<u8>) {
    save_length(node::PACKED, out);
    save_plain(&listpack.finish(), out);
}

fn save_set(set: &Set, out: &mut Vec<u8>) {
    if set.encoding() == Encoding::Hashtable {
        save_length(set.len() as u64, out);
        set.iter().for_each(|member| save_element(member, out));
        return;
    }
    let mut listpack = Listpack::new();
    set.iter().for_each(|member| listpack.push(member));
    let bytes = listpack.finish();
    if set.encoding() == Encoding::Intset {
        save_length_widest(bytes.len() as u64, out);
        out.extend_from_slice(&bytes);
    } else {
        save_plain(&bytes, out);
    }
}

fn save_sorted_set(set: &SortedSet, out: &mut Vec<u8>) {
    if set.is_compact() {
        let mut listpack = Listpack::new();
        set.ascend(0, set.len(), |member, score| {
            listpack.push_text(member);
            push_score(score, &mut listpack);
        });
        return save_plain(&listpack.finish(), out);
    }
    save_length(set.len() as u64, out);
    // Redis writes the last one first, because it is cheapest for it to load in that order.
    set.descend(0, set.len(), |member, score| {
        save_string(member, out);
        out.extend_from_slice(&score.to_le_bytes());
    });
}

/// The shortest text that reads back as the same double, negative zero included.
fn push_score(score: f64, listpack: &mut Listpack) {
    if score == 0.0 && score.is_sign_negative() {
        listpack.push_text(b"-0");
    } else {
        listpack.push_text(quoris_resp::format_double(score).as_bytes());
    }
}
