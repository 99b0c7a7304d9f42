//! What [`MemoryDisk`](super::MemoryDisk) remembers, and how it forgets.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::super::{OpenMode, parent};
use super::Fault;

#[derive(Debug, Default)]
pub(super) struct State {
    pub generation: u64,
    pub ignore_syncs: bool,
    pub write_faults: Option<(Fault, u32)>,
    pub sync_faults: Option<(Fault, u32)>,
    pub sync_count: u64,
    /// Changes until everything fails, if that was asked for.
    pub changes_left: Option<u64>,
    pub locks: BTreeSet<PathBuf>,
    directories: BTreeMap<PathBuf, Directory>,
    inodes: BTreeMap<u64, Inode>,
    inode_next: u64,
}

/// A directory's names, as seen and as on the platter.
#[derive(Debug, Default)]
struct Directory {
    seen: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    queue: Vec<NameChange>,
}

#[derive(Debug)]
enum NameChange {
    Link(String, u64),
    Unlink(String),
    Rename(String, String),
}

/// A file's bytes, as seen and as on the platter.
#[derive(Debug, Default)]
pub(super) struct Inode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    queue: Vec<ByteChange>,
}

#[derive(Debug)]
enum ByteChange {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

impl Inode {
    pub fn content(&self) -> &[u8] {
        &self.seen
    }
}

impl State {
    pub fn check(&self, generation: u64) -> io::Result<()> {
        if self.generation == generation {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::BrokenPipe, "opened before the simulated disk crashed"))
    }

    fn spend_change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            Some(0) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the simulated power is out")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub fn create_dir_all(&mut self, dir: &Path) -> io::Result<()> {
        self.spend_change()?;
        for dir in dir.ancestors() {
            self.directories.entry(dir.to_owned()).or_default();
        }
        Ok(())
    }

    pub fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let directory = self.directories.get(dir).ok_or(io::ErrorKind::NotFound)?;
        let below = self.directories.keys().filter(|path| path.parent() == Some(dir));
        let mut names: Vec<String> = directory.seen.keys().cloned().collect();
        names.extend(below.map(|path| file_name(path)));
        names.sort_unstable();
        Ok(names)
    }

    pub fn exists(&self, path: &Path) -> bool {
        self.directories.contains_key(path) || self.find(path).is_some()
    }

    pub fn open(&mut self, path: &Path, mode: OpenMode) -> io::Result<u64> {
        match (self.find(path), mode) {
            (Some(_), OpenMode::CreateNew) => Err(io::ErrorKind::AlreadyExists.into()),
            (Some(inode), OpenMode::Truncate | OpenMode::TruncatePrivate) => {
                self.set_len(inode, 0)?;
                Ok(inode)
            }
            (Some(inode), OpenMode::Read | OpenMode::ReadWrite) => Ok(inode),
            (None, OpenMode::Read | OpenMode::ReadWrite) => Err(io::ErrorKind::NotFound.into()),
            (None, _) => self.create(path),
        }
    }

    fn create(&mut self, path: &Path) -> io::Result<u64> {
        self.spend_change()?;
        let inode = self.inode_next;
        self.directory(path)?.change(NameChange::Link(file_name(path), inode));
        self.inode_next += 1;
        self.inodes.insert(inode, Inode::default());
        Ok(inode)
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if from.parent() != to.parent() {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        self.spend_change()?;
        self.find(from).ok_or(io::ErrorKind::NotFound)?;
        self.directory(from)?.change(NameChange::Rename(file_name(from), file_name(to)));
        Ok(())
    }

    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.spend_change()?;
        self.find(path).ok_or(io::ErrorKind::NotFound)?;
        self.directory(path)?.change(NameChange::Unlink(file_name(path)));
        Ok(())
    }

    pub fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.spend_change()?;
        let ignore = self.ignore_syncs;
        let directory = self.directories.get_mut(dir).ok_or(io::ErrorKind::NotFound)?;
        if !ignore {
            let count = directory.queue.len();
            directory.settle(count);
        }
        Ok(())
    }

    pub fn inode(&self, inode: u64) -> &Inode {
        self.inodes.get(&inode).expect("inodes are dropped at a crash only, with every handle")
    }

    fn inode_mut(&mut self, inode: u64) -> &mut Inode {
        self.inodes.get_mut(&inode).expect("inodes are dropped at a crash only, with every handle")
    }

    pub fn write(&mut self, inode: u64, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.spend_change()?;
        let fault = next_fault(&mut self.write_faults);
        let written = if fault.is_some() { &bytes[..bytes.len() / 2] } else { bytes };
        self.inode_mut(inode).change(ByteChange::Write(offset, written.to_vec()));
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    pub fn set_len(&mut self, inode: u64, len: u64) -> io::Result<()> {
        self.spend_change()?;
        self.inode_mut(inode).change(ByteChange::SetLen(len));
        Ok(())
    }

    pub fn sync(&mut self, inode: u64) -> io::Result<()> {
        self.spend_change()?;
        if let Some(fault) = next_fault(&mut self.sync_faults) {
            self.inode_mut(inode).queue.clear();
            return Err(fault.error());
        }
        if !self.ignore_syncs {
            self.sync_count += 1;
            let file = self.inode_mut(inode);
            for change in std::mem::take(&mut file.queue) {
                change.apply(&mut file.durable);
            }
        }
        Ok(())
    }

    pub fn corrupt(&mut self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        let inode = self.find(path).ok_or(io::ErrorKind::NotFound)?;
        let file = self.inode_mut(inode);
        let byte = file.seen.get_mut(offset as usize).ok_or(io::ErrorKind::UnexpectedEof)?;
        *byte ^= mask;
        if let Some(byte) = file.durable.get_mut(offset as usize) {
            *byte ^= mask;
        }
        Ok(())
    }

    pub fn crash(&mut self, seed: u64) {
        let mut dice = Dice(seed);
        self.generation += 1;
        self.locks.clear();
        self.changes_left = None;
        for directory in self.directories.values_mut() {
            let kept = dice.prefix(directory.queue.len());
            directory.settle(kept);
            directory.queue.clear();
            directory.seen.clone_from(&directory.durable);
        }
        let named: BTreeSet<u64> =
            self.directories.values().flat_map(|dir| dir.durable.values().copied()).collect();
        self.inodes.retain(|inode, _| named.contains(inode));
        for file in self.inodes.values_mut() {
            file.crash(&mut dice);
        }
    }

    fn directory(&mut self, path: &Path) -> io::Result<&mut Directory> {
        self.directories.get_mut(parent(path)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn find(&self, path: &Path) -> Option<u64> {
        self.directories.get(parent(path))?.seen.get(&file_name(path)).copied()
    }
}

impl Directory {
    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.seen);
        self.queue.push(change);
    }

    fn settle(&mut self, count: usize) {
        for change in self.queue.drain(..count) {
            change.apply(&mut self.durable);
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            NameChange::Link(name, inode) => {
                names.insert(name.clone(), *inode);
            }
            NameChange::Unlink(name) => {
                names.remove(name);
            }
            NameChange::Rename(from, to) => {
                let inode = names.remove(from).expect("a rename was checked when it was made");
                names.insert(to.clone(), inode);
            }
        }
    }
}

impl Inode {
    fn change(&mut self, change: ByteChange) {
        change.apply(&mut self.seen);
        self.queue.push(change);
    }

    fn crash(&mut self, dice: &mut Dice) {
        let kept = dice.prefix(self.queue.len());
        let (whole, any_order) = (self.durable.len() as u64, dice.below(2) == 0);
        let mut lost = self.queue.drain(..);
        for change in lost.by_ref().take(kept) {
            change.apply(&mut self.durable);
        }
        if let Some(ByteChange::Write(offset, mut bytes)) = lost.next() {
            let whole = bytes.len();
            bytes.truncate(dice.below(whole as u64 + 1) as usize);
            if dice.below(4) == 0 {
                bytes.resize(whole, 0);
            }
            ByteChange::Write(offset, bytes).apply(&mut self.durable);
        }
        for change in lost {
            if any_order && change.ends_within(whole) && dice.below(2) == 0 {
                change.apply(&mut self.durable);
            }
        }
        self.seen.clone_from(&self.durable);
    }
}

impl ByteChange {
    /// Whether it only overwrites what is there, in a file of `len` bytes. Nothing makes such pages
    /// reach the platter in the order in which they were written.
    fn ends_within(&self, len: u64) -> bool {
        match self {
            ByteChange::Write(offset, bytes) => offset + bytes.len() as u64 <= len,
            ByteChange::SetLen(_) => false,
        }
    }

    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            ByteChange::Write(_, bytes) if bytes.is_empty() => {}
            ByteChange::Write(offset, bytes) => {
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[start..end].copy_from_slice(bytes);
            }
            ByteChange::SetLen(len) => content.resize(*len as usize, 0),
        }
    }
}

fn next_fault(faults: &mut Option<(Fault, u32)>) -> Option<Fault> {
    let (fault, count) = (*faults)?;
    *faults = (count > 1).then_some((fault, count - 1));
    Some(fault)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The `SplitMix64` generator: a crash is a function of its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// How much of a queue survives: often nothing or all of it, because those
    /// are the cases that programs get wrong.
    fn prefix(&mut self, len: usize) -> usize {
        match self.below(4) {
            0 => 0,
            1 => len,
            _ => self.below(len as u64 + 1) as usize,
        }
    }
}
