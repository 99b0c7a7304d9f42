//! Metadata in one small append-only file over [`Disk`], for the simulation.
//!
//! ```text
//! header: "QUORMET\n", format version (4 bytes, 1)
//! then frames (length, CRC32C, body; the file's number in the checksum is 0):
//! offset size
//!  0     1   1 put, 2 delete
//!  1     4   length of the key
//!  5     ..  key, then for a put the value
//! ```
//!
//! The live pairs are held in memory. When more than half of a file that is
//! worth the trouble is dead, the live pairs are written to a new file, which
//! replaces it by renaming.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Meta, MetaError, MetaPairs};
use crate::disk::{Disk, DiskFile, OpenMode, parent, replace_file};
use crate::frame::{self, Place, Reader, Step};

const MAGIC: [u8; 12] = *b"QUORMET\n\x01\0\0\0";
const FILE_NAME: &str = "meta.log";
const FILE_NUMBER: u64 = 0;
const PUT: u8 = 1;
const DELETE: u8 = 2;

/// Files shorter than this are not compacted, bytes.
const COMPACT_BYTES_MIN: u64 = 64 * 1024;

/// An ordered map in one file.
#[derive(Debug)]
pub struct DiskMeta {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: Box<dyn DiskFile>,
    len: u64,
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bytes that the live pairs take in a compact file.
    live_bytes: u64,
    /// Whether there is anything to sync.
    dirty: bool,
    failure: Option<String>,
}

impl DiskMeta {
    /// Opens the file in the directory `dir`, creating both if needed. A torn
    /// tail is cut; all that is there is durable on return.
    ///
    /// # Errors
    /// [`MetaError::Corrupt`] or [`MetaError::Io`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<DiskMeta, MetaError> {
        let path = dir.join(FILE_NAME);
        let state =
            open_state(disk.as_ref(), &path).map_err(io_error("open the file", &path))??;
        Ok(DiskMeta { disk, path, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(&self) -> Result<MutexGuard<'_, State>, MetaError> {
        let state = self.state();
        match &state.failure {
            Some(detail) => {
                Err(MetaError::Failed { path: self.path.clone(), detail: detail.clone() })
            }
            None => Ok(state),
        }
    }

    fn append(&self, op: u8, key: &[u8], value: &[u8]) -> Result<(), MetaError> {
        let mut state = self.usable()?;
        let mut frame = Vec::new();
        encode(&mut frame, op, key, value, state.len);
        let written = state.file.write_all_at(&frame, state.len);
        self.noting_failure(&mut state, "append to the file", written)?;
        state.len += frame.len() as u64;
        state.dirty = true;
        state.apply(op, key, value);
        self.compact_if_due(&mut state)
    }

    fn compact_if_due(&self, state: &mut State) -> Result<(), MetaError> {
        if state.len < COMPACT_BYTES_MIN || state.len < 2 * state.live_bytes {
            return Ok(());
        }
        let bytes = compact(&state.pairs);
        let replaced = replace_file(self.disk.as_ref(), &self.path, &bytes)
            .and_then(|()| self.disk.open(&self.path, OpenMode::ReadWrite));
        state.file = self.noting_failure(state, "compact the file", replaced)?;
        state.len = bytes.len() as u64;
        state.dirty = false;
        Ok(())
    }

    fn noting_failure<T>(
        &self,
        state: &mut State,
        action: &'static str,
        result: io::Result<T>,
    ) -> Result<T, MetaError> {
        if let Err(error) = &result {
            state.failure = Some(format!("cannot {action}: {error}"));
        }
        result.map_err(io_error(action, &self.path))
    }
}

impl Meta for DiskMeta {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, MetaError> {
        Ok(self.state().pairs.get(key).cloned())
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), MetaError> {
        self.append(PUT, key, value)
    }

    fn delete(&self, key: &[u8]) -> Result<(), MetaError> {
        if !self.state().pairs.contains_key(key) {
            return Ok(());
        }
        self.append(DELETE, key, &[])
    }

    fn scan(&self, prefix: &[u8]) -> Result<MetaPairs, MetaError> {
        let state = self.state();
        let from = state.pairs.range(prefix.to_vec()..);
        let matching = from.take_while(|(key, _)| key.starts_with(prefix));
        Ok(matching.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn flush(&self) -> Result<(), MetaError> {
        let mut state = self.usable()?;
        if state.dirty {
            let synced = state.file.sync_data();
            self.noting_failure(&mut state, "sync the file", synced)?;
            state.dirty = false;
        }
        Ok(())
    }
}

impl State {
    fn apply(&mut self, op: u8, key: &[u8], value: &[u8]) {
        let weight = |value: &[u8]| (frame::HEAD_BYTES + 5 + key.len() + value.len()) as u64;
        let old = if op == PUT {
            self.live_bytes += weight(value);
            self.pairs.insert(key.to_vec(), value.to_vec())
        } else {
            self.pairs.remove(key)
        };
        self.live_bytes -= old.map_or(0, |old| weight(&old));
    }
}

fn open_state(disk: &dyn Disk, path: &Path) -> io::Result<Result<State, MetaError>> {
    disk.create_dir_all(parent(path))?;
    if !disk.exists(path)? {
        replace_file(disk, path, &MAGIC)?;
    }
    let file = disk.open(path, OpenMode::ReadWrite)?;
    let len = file.len()?;
    let (pairs, live_bytes) = (BTreeMap::new(), MAGIC.len() as u64);
    let mut state = State { file, len, pairs, live_bytes, dirty: false, failure: None };
    if let Err(detail) = replay(&mut state)? {
        return Ok(Err(MetaError::Corrupt { path: path.to_owned(), detail }));
    }
    state.file.sync_data()?;
    disk.sync_dir(parent(path))?;
    Ok(Ok(state))
}

/// Reads all frames and cuts a torn tail; the inner error is damage.
fn replay(state: &mut State) -> io::Result<Result<(), String>> {
    let mut magic = [0; MAGIC.len()];
    if state.len < MAGIC.len() as u64 {
        return Ok(Err("it is too short".to_owned()));
    }
    state.file.read_exact_at(&mut magic, 0)?;
    if magic != MAGIC {
        return Ok(Err("its header is of another format".to_owned()));
    }
    let mut changes = Vec::new();
    let mut reader = Reader::new(state.file.as_ref(), FILE_NUMBER, MAGIC.len() as u64, state.len);
    loop {
        match reader.next()? {
            Step::Frame { offset, body } => match decode(body) {
                Some((op, key, value)) => changes.push((op, key.to_vec(), value.to_vec())),
                None => return Ok(Err(format!("the record at byte {offset} makes no sense"))),
            },
            Step::End => break,
            Step::Bad(detail) => {
                let at = reader.offset();
                let plausible = |_, body: &[u8]| decode(body).is_some();
                let file = state.file.as_ref();
                if frame::any_valid(file, FILE_NUMBER, at + 1, state.len, plausible)? {
                    return Ok(Err(format!("the record at byte {at} is damaged: {detail}")));
                }
                break;
            }
        }
    }
    let valid = reader.offset();
    if valid < state.len {
        tracing::warn!(offset = valid, "cutting the torn end of the metadata");
        state.file.set_len(valid)?;
        state.len = valid;
    }
    for (op, key, value) in changes {
        state.apply(op, &key, &value);
    }
    Ok(Ok(()))
}

fn compact(pairs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (key, value) in pairs {
        let offset = bytes.len() as u64;
        encode(&mut bytes, PUT, key, value, offset);
    }
    bytes
}

fn encode(buffer: &mut Vec<u8>, op: u8, key: &[u8], value: &[u8], offset: u64) {
    let start = frame::begin(buffer);
    buffer.push(op);
    buffer.extend_from_slice(&(key.len() as u32).to_le_bytes());
    buffer.extend_from_slice(key);
    buffer.extend_from_slice(value);
    frame::finish(buffer, start, Place { file: FILE_NUMBER, offset });
}

fn decode(body: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (fixed, rest) = body.split_at_checked(5)?;
    let key_len = u32::from_le_bytes(fixed[1..].try_into().expect("four bytes"));
    let (key, value) = rest.split_at_checked(key_len as usize)?;
    let known = fixed[0] == PUT || (fixed[0] == DELETE && value.is_empty());
    known.then_some((fixed[0], key, value))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MetaError {
    move |source| MetaError::Io { action, path: path.to_owned(), source }
}
