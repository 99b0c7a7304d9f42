//! A disk in memory that forgets what was not synced, repeatably.
//!
//! Every file has two contents: what a reader sees, and what the platter has.
//! Writes go to the first and are queued for the second; `sync_data` drains the
//! queue. Names work the same way, per directory, drained by `sync_dir`. A
//! crash keeps a seeded prefix of every queue, the next write possibly in part
//! (its rest missing, or zeros where the length reached the disk before the
//! data did), and loses the rest; but of what only overwrites bytes that the
//! platter has, it may keep any part. Whatever was open before is dead afterwards:
//! it belonged to the process that crashed.
//!
//! A failed sync drops the queue and reports the error once, as Linux does: a
//! caller that just tries again is told that all is well while its bytes are
//! gone.

mod state;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::state::State;
use super::{Disk, DiskFile, DiskLock, OpenMode};

/// An error to inject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device failed: `EIO`.
    Io,
    /// The device is full: `ENOSPC`.
    NoSpace,
}

impl Fault {
    fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Fault::Io => libc::EIO,
            Fault::NoSpace => libc::ENOSPC,
        })
    }
}

/// A deterministic disk in memory; clones are the same disk.
///
/// The one that a test or a simulation keeps survives every crash. A node gets
/// [`MemoryDisk::mount`], which dies with it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
    /// The generation this handle belongs to, `None` for the one that outlives
    /// crashes.
    mounted: Option<u64>,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// The disk as one run of a node sees it: unusable after the next crash.
    pub fn mount(&self) -> Arc<dyn Disk> {
        let generation = self.state().generation;
        Arc::new(MemoryDisk { state: self.state.clone(), mounted: Some(generation) })
    }

    /// Cuts the power: loses what was not synced, as `seed` chooses, and
    /// invalidates open files, locks and mounts.
    pub fn crash(&self, seed: u64) {
        self.state().crash(seed);
    }

    /// While set, syncs succeed without doing anything. For tests that prove
    /// that a missing sync is noticed.
    pub fn ignore_syncs(&self, ignore: bool) {
        self.state().ignore_syncs = ignore;
    }

    /// The next `count` writes fail, each after half of its bytes.
    pub fn fail_writes(&self, fault: Fault, count: u32) {
        self.state().write_faults = (count > 0).then_some((fault, count));
    }

    /// The next `count` file syncs fail and lose the bytes they were for.
    pub fn fail_syncs(&self, fault: Fault, count: u32) {
        self.state().sync_faults = (count > 0).then_some((fault, count));
    }

    /// Lets `changes` more changes through (writes, syncs, creations, renames,
    /// removals); what comes after fails until [`MemoryDisk::crash`], as for a
    /// process that dies in the middle of something.
    pub fn cut_power_after(&self, changes: u64) {
        self.state().changes_left = Some(changes);
    }

    /// Flips the bits of `mask` in one byte, on the platter as well.
    ///
    /// # Errors
    /// `NotFound` for an unknown file, `UnexpectedEof` past its end.
    pub fn corrupt(&self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        self.state().corrupt(path, offset, mask)
    }

    /// File syncs that reached the platter so far; for tests of group commit.
    pub fn sync_count(&self) -> u64 {
        self.state().sync_count
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if let Some(generation) = self.mounted {
            state.check(generation)?;
        }
        Ok(state)
    }
}

impl Disk for MemoryDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.live()?.create_dir_all(dir)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.live()?;
        let inode = state.open(path, mode)?;
        let generation = state.generation;
        Ok(Box::new(MemoryFile { state: self.state.clone(), generation, inode }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.live()?.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.live()?.exists(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.live()?.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.live()?.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.live()?.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        let mut state = self.live()?;
        if !state.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let generation = state.generation;
        let path = path.to_owned();
        Ok(Box::new(MemoryLock { state: self.state.clone(), generation, path }))
    }
}

#[derive(Debug)]
struct MemoryFile {
    state: Arc<Mutex<State>>,
    generation: u64,
    inode: u64,
}

impl MemoryFile {
    fn live(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.check(self.generation)?;
        Ok(state)
    }
}

impl DiskFile for MemoryFile {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.live()?.write(self.inode, bytes, offset)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.live()?;
        let content = state.inode(self.inode).content();
        let range = offset as usize..offset as usize + buffer.len();
        let bytes = content.get(range).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.live()?.inode(self.inode).content().len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.live()?.set_len(self.inode, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.live()?.sync(self.inode)
    }
}

#[derive(Debug)]
struct MemoryLock {
    state: Arc<Mutex<State>>,
    generation: u64,
    path: PathBuf,
}

impl DiskLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.generation == self.generation {
            state.locks.remove(&self.path);
        }
    }
}
