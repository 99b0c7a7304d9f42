//! Hashes: plain ones as in Redis 7.2, those of which fields expire as in Redis 7.4.

use alloc::vec::Vec;

use super::input::Input;
use super::listpack::Listpack;
use super::load::{filled, fresh, groups, text};
use super::save::{save_element, save_length, save_plain};
use super::{RdbError, kind};
use crate::keyspace::Rebuild;
use crate::types::{Element, Encoding, Hash};

/// No deadline is later, in milliseconds since the Unix epoch: what Redis allows.
const DEADLINE_MS_MAX: u64 = (1 << 48) - 2;

/// The type byte of a hash.
pub(super) fn type_of(hash: &Hash) -> u8 {
    match (hash.encoding(), hash.is_timed()) {
        (Encoding::Hashtable, false) => kind::HASH,
        (Encoding::Hashtable, true) => kind::HASH_DEADLINES,
        (_, false) => kind::HASH_LISTPACK,
        (_, true) => kind::HASH_LISTPACK_DEADLINES,
    }
}

/// Appends a hash, as its type byte announces.
pub(super) fn save(hash: &Hash, out: &mut Vec<u8>) {
    let earliest_ms = hash.earliest_ms().unwrap_or(0);
    if hash.is_timed() {
        out.extend_from_slice(&earliest_ms.to_le_bytes());
    }
    if hash.is_compact() {
        return save_plain(&listpack(hash).finish(), out);
    }
    save_length(hash.len() as u64, out);
    for record in hash.records() {
        if hash.is_timed() {
            save_length(record.deadline_ms.map_or(0, |at_ms| at_ms - earliest_ms + 1), out);
        }
        save_element(record.field, out);
        save_element(record.value, out);
    }
}

fn listpack(hash: &Hash) -> Listpack {
    let mut listpack = Listpack::new();
    for record in hash.records() {
        listpack.push(record.field);
        listpack.push(record.value);
        if hash.is_timed() {
            listpack.push(Element::Integer(record.deadline_ms.unwrap_or(0) as i64));
        }
    }
    listpack
}

/// Reads a hash of a type.
///
/// # Errors
/// That the bytes are not such a hash.
pub(super) fn load(kind: u8, input: &mut Input<'_>, rebuild: &Rebuild) -> Result<Hash, RdbError> {
    let hash = match kind {
        kind::HASH => load_table(input, rebuild, None)?,
        kind::HASH_DEADLINES => {
            let earliest_ms = u64::from_le_bytes(input.array()?);
            load_table(input, rebuild, Some(earliest_ms))?
        }
        kind::HASH_LISTPACK => {
            let bytes = input.string()?;
            let mut hash = rebuild.hash(Encoding::Listpack);
            for [field, value] in groups(&bytes)? {
                fresh(rebuild.set_field(&mut hash, &text(field), &text(value), None))?;
            }
            hash
        }
        _ => {
            input.array::<8>()?;
            let bytes = input.string()?;
            let mut hash = rebuild.hash(Encoding::TimedListpack);
            for [field, value, at_ms] in groups(&bytes)? {
                let Element::Integer(at_ms) = at_ms else { return Err(BAD_DEADLINE) };
                let at_ms = deadline(u64::try_from(at_ms).map_err(|_| BAD_DEADLINE)?)?;
                fresh(rebuild.set_field(&mut hash, &text(field), &text(value), at_ms))?;
            }
            hash
        }
    };
    let len = hash.len();
    filled(hash, len)
}

const BAD_DEADLINE: RdbError = RdbError::Corrupt("deadline");

/// Fields and values, and with `earliest_ms` in front of each how much later it expires.
fn load_table(
    input: &mut Input<'_>,
    rebuild: &Rebuild,
    earliest_ms: Option<u64>,
) -> Result<Hash, RdbError> {
    let mut hash = rebuild.hash(Encoding::Hashtable);
    for _ in 0..input.count()? {
        let mut at_ms = None;
        if let Some(earliest_ms) = earliest_ms
            && let Some(later) = input.length()?.checked_sub(1)
        {
            at_ms = deadline(earliest_ms.checked_add(later).ok_or(BAD_DEADLINE)?)?;
        }
        let (field, value) = (input.string()?, input.string()?);
        fresh(rebuild.set_field(&mut hash, &field, &value, at_ms))?;
    }
    Ok(hash)
}

/// A deadline, of which 0 is none.
fn deadline(at_ms: u64) -> Result<Option<u64>, RdbError> {
    match at_ms {
        0 => Ok(None),
        1..=DEADLINE_MS_MAX => Ok(Some(at_ms)),
        _ => Err(BAD_DEADLINE),
    }
}
