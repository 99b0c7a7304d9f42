//! The whole state as bytes, and back.
//!
//! ```text
//! "REDIS0011"
//! 0xFA name value        the state beside the keys: hash seed, last stamp, settings
//! 0xF5 source            a library of functions
//! 0xFE number            the entries that follow are in this database
//! 0xFB keys expiring     how many there are
//! [0xFC ms u64] type key value
//! …
//! 0xFF, CRC-64 of everything before
//! ```
//!
//! It is an RDB file (see [`crate::rdb`]), so that other tools can read a backup. Entries go by slot
//! and by hash, so that two replicas in the same state write the same bytes.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::engine::{Engine, Seeds, Stamp};
use crate::keyspace::access::Clock;
use crate::keyspace::{Content, Entry, Rebuild};
use crate::rdb::{
    FUNCTION, Input, RdbError, VERSION, crc64, load_value, save_length, save_string, save_value,
    type_of,
};
use crate::scripting::Scripting;
use crate::settings::Settings;

const MAGIC: &[u8] = b"REDIS";
const AUXILIARY: u8 = 0xfa;
const SIZES: u8 = 0xfb;
const EXPIRY_MS: u8 = 0xfc;
const DATABASE: u8 = 0xfe;
const END: u8 = 0xff;

const HASH_SEED: &str = "quoris-hash-seed";
const LAST_NOW: &str = "quoris-last-now-ms";
const LAST_SEED: &str = "quoris-last-seed";
const LAST_VERSION: &str = "quoris-last-engine-version";
const SETTING: &str = "quoris-setting-";

impl Engine {
    /// Everything that another replica needs to go on from here.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(b"0011");
        const { assert!(VERSION == 11, "the digits above say so too") };
        self.save_state(&mut out);
        self.scripting.functions.save(&mut out);
        for number in 0..self.keyspace.database_count() {
            self.save_database(number, &mut out);
        }
        out.push(END);
        let checksum = crc64(0, &out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    fn save_state(&self, out: &mut Vec<u8>) {
        let mut auxiliary = |name: &[&str], value: &[u8]| {
            out.push(AUXILIARY);
            save_string(name.concat().as_bytes(), out);
            save_string(value, out);
        };
        auxiliary(&[HASH_SEED], &self.keyspace.hasher().seed());
        let Stamp { now_ms, seed, engine_version } = self.last_stamp;
        let numbers =
            [(LAST_NOW, now_ms), (LAST_SEED, seed), (LAST_VERSION, engine_version.into())];
        for (name, value) in numbers {
            auxiliary(&[name], itoa::Buffer::new().format(value).as_bytes());
        }
        self.scripting.save(&mut |name, value| auxiliary(&[name], value));
        for (name, value) in self.settings.fields() {
            auxiliary(&[SETTING, name], itoa::Buffer::new().format(value).as_bytes());
        }
    }

    fn save_database(&self, number: u16, out: &mut Vec<u8>) {
        let database = self.keyspace.database(number);
        if database.is_empty() {
            return;
        }
        out.push(DATABASE);
        save_length(number.into(), out);
        out.push(SIZES);
        save_length(database.len() as u64, out);
        save_length(database.expiring_len() as u64, out);
        let _ = database.walk(self.keyspace.hasher(), &mut |entry| {
            save_entry(entry, out);
            ControlFlow::Continue(())
        });
    }

    /// The state that a snapshot holds.
    ///
    /// # Errors
    /// That the bytes are not a snapshot of this or an earlier version; nothing is half restored.
    pub fn restore(snapshot: &[u8]) -> Result<Engine, RdbError> {
        let body = checked(snapshot)?;
        let mut input = Input::new(body);
        let mut state = State::default();
        let mut opcode = input.byte()?;
        while matches!(opcode, AUXILIARY | FUNCTION) {
            match opcode {
                AUXILIARY => state.read(&mut input)?,
                _ => state.scripting.functions.restore(&input.string()?),
            }
            opcode = input.byte()?;
        }
        let mut engine = state.into_engine()?;
        let rebuild = Rebuild::new(engine.keyspace.hasher());
        let mut db = None;
        while opcode != END {
            match opcode {
                DATABASE => {
                    let number = u16::try_from(input.length()?).ok();
                    let number = number.filter(|number| *number < u16::MAX);
                    let number = number.ok_or(RdbError::Corrupt("database number"))?;
                    engine.keyspace.make_room(number);
                    db = Some(number);
                }
                SIZES => {
                    input.length()?;
                    input.length()?;
                }
                kind => {
                    let db = db.ok_or(RdbError::Corrupt("order of records"))?;
                    engine.load_entry(db, kind, &mut input, &rebuild)?;
                }
            }
            opcode = input.byte()?;
        }
        if input.is_empty() { Ok(engine) } else { Err(RdbError::Corrupt("end of snapshot")) }
    }

    fn load_entry(
        &mut self,
        db: u16,
        mut kind: u8,
        input: &mut Input<'_>,
        rebuild: &Rebuild,
    ) -> Result<(), RdbError> {
        let mut expire_at_ms = None;
        if kind == EXPIRY_MS {
            expire_at_ms = Some(u64::from_le_bytes(input.array()?));
            kind = input.byte()?;
        }
        let key = input.string()?;
        let loaded = load_value(kind, input, rebuild)?;
        let key = self.keyspace.key(&key);
        if self.keyspace.database(db).get(&key).is_some() {
            return Err(RdbError::Corrupt("snapshot with a repeated key"));
        }
        let mut entry = Entry::new(key.bytes, Content::Owned(loaded.value), expire_at_ms);
        entry.set_raw(loaded.raw);
        let now_ms = self.last_stamp.now_ms;
        let track_frequency = self.settings.track_frequency;
        entry.set_access(Clock { now_ms, track_frequency }.fresh());
        self.keyspace.insert(db, &key, entry);
        Ok(())
    }
}

/// Appends an entry: expiry, type, key and value.
pub(crate) fn save_entry(entry: &Entry, out: &mut Vec<u8>) {
    if let Some(at_ms) = entry.expire_at_ms() {
        out.push(EXPIRY_MS);
        out.extend_from_slice(&at_ms.to_le_bytes());
    }
    out.push(type_of(entry));
    save_string(entry.key(), out);
    save_value(entry, out);
}

/// What follows the header of a snapshot whose version is known and whose checksum is right; the
/// checksum itself is left out.
fn checked(snapshot: &[u8]) -> Result<&[u8], RdbError> {
    let (header, _) = snapshot.split_at_checked(9).ok_or(RdbError::Truncated)?;
    let digits = header.strip_prefix(MAGIC).ok_or(RdbError::Corrupt("magic number"))?;
    let version = core::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    let version: u16 = version.ok_or(RdbError::Corrupt("version"))?;
    if version > VERSION {
        return Err(RdbError::Version(version));
    }
    let (signed, checksum) = snapshot.split_last_chunk::<8>().ok_or(RdbError::Truncated)?;
    if u64::from_le_bytes(*checksum) != crc64(0, signed) {
        return Err(RdbError::Checksum);
    }
    signed.get(9..).ok_or(RdbError::Truncated)
}

/// The state beside the keys, as far as it was read.
#[derive(Default)]
struct State {
    hash_seed: Option<[u8; 16]>,
    last_stamp: Stamp,
    settings: Settings,
    scripting: Scripting,
}

impl State {
    /// Reads one auxiliary field; names that are not ours mean nothing here.
    fn read(&mut self, input: &mut Input<'_>) -> Result<(), RdbError> {
        const BAD: RdbError = RdbError::Corrupt("auxiliary field");
        let (name, value) = (input.string()?, input.string()?);
        let name = core::str::from_utf8(&name).map_err(|_| BAD)?;
        let number = |value: &Cow<'_, [u8]>| {
            core::str::from_utf8(value)
                .ok()
                .and_then(|digits| digits.parse::<u64>().ok())
                .ok_or(BAD)
        };
        match name {
            HASH_SEED => self.hash_seed = Some((*value).try_into().map_err(|_| BAD)?),
            LAST_NOW => self.last_stamp.now_ms = number(&value)?,
            LAST_SEED => self.last_stamp.seed = number(&value)?,
            LAST_VERSION => {
                self.last_stamp.engine_version = u32::try_from(number(&value)?).map_err(|_| BAD)?;
            }
            _ if self.scripting.load(name, &value)? => {}
            _ => {
                if let Some(field) = name.strip_prefix(SETTING) {
                    self.settings.set_field(field, number(&value)?).ok_or(BAD)?;
                }
            }
        }
        Ok(())
    }

    fn into_engine(self) -> Result<Engine, RdbError> {
        let hash = self.hash_seed.ok_or(RdbError::Corrupt("snapshot without a hash seed"))?;
        let mut engine = Engine::new(self.settings, Seeds { hash });
        engine.last_stamp = self.last_stamp;
        engine.scripting = self.scripting;
        Ok(engine)
    }
}
