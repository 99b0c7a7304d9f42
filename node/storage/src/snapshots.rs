//! Files that hold a group's whole state at one log position.
//!
//! `snapshots/<index, 20 digits>-<term, 20 digits>.snapshot`; integers are
//! little-endian.
//!
//! ```text
//! offset size
//!  0     8   "QUORSNP\n"
//!  8     4   format version, 1
//! 12     4   length of all before the payload, H
//! 16     8   index of the last log entry in it
//! 24     8   term of that entry
//! 32     4   length of the group's name, then the name
//!  ..    4   length of the membership, then the membership, opaque here
//! H      ..  payload, opaque here
//! then   8   length of the payload
//!        4   CRC32C of all bytes before this field
//! ```
//!
//! A snapshot is written under a temporary name, synced, renamed, and its
//! directory synced; so a file with the final name is complete, and one that
//! fails its checksum was damaged later. A snapshot that comes from a peer is
//! the same bytes, in chunks: [`PartialSnapshot`].

mod format;
mod partial;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use self::format::Layout;
pub use self::partial::PartialSnapshot;
use crate::disk::{Disk, DiskFile, OpenMode};

/// Why a snapshot could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The operating system refused.
    #[error("{path}: cannot {action}: {source}; check the device and its free space", path = path.display())]
    Io {
        /// What was attempted, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The file is damaged, or is not a snapshot of this program.
    #[error("{path}: not a usable snapshot ({detail}); restore it from a backup, or empty the data directory and let this node be rebuilt by its peers", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file holds the state of another group.
    #[error("{path}: a snapshot of group {found}, not of {expected}; move it away or choose another directory", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The group in the file.
        found: String,
        /// The group that was expected.
        expected: String,
    },
    /// A chunk does not join what was received before it.
    #[error("{path}: a chunk at byte {offset} was received where byte {expected} is next; resume there", path = path.display())]
    Gap {
        /// The file being received.
        path: PathBuf,
        /// Where the chunk belongs.
        offset: u64,
        /// How many bytes are there.
        expected: u64,
    },
}

impl From<SnapshotError> for io::Error {
    fn from(error: SnapshotError) -> io::Error {
        let kind = match &error {
            SnapshotError::Io { source, .. } => source.kind(),
            SnapshotError::Corrupt { .. } | SnapshotError::Foreign { .. } => {
                io::ErrorKind::InvalidData
            }
            SnapshotError::Gap { .. } => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// The Raft group.
    pub group: String,
    /// Index of the last log entry in it.
    pub index: u64,
    /// Term of that entry.
    pub term: u64,
    /// The group's membership at that entry, opaque here.
    pub membership: Bytes,
}

/// The snapshots of one group, in a directory of their own.
#[derive(Clone, Debug)]
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    group: String,
}

impl Snapshots {
    /// Opens the directory, creating it if needed, and removes what a crash
    /// left half written.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, group: &str) -> Result<Snapshots, SnapshotError> {
        disk.create_dir_all(dir).map_err(io_error("create the directory", dir))?;
        let snapshots = Snapshots { disk, dir: dir.to_owned(), group: group.to_owned() };
        for name in snapshots.names()? {
            let unfinished = Path::new(&name).extension();
            if unfinished.is_some_and(|it| it == "tmp" || it == "partial") {
                snapshots.remove(&name)?;
            }
        }
        Ok(snapshots)
    }

    /// Writes a snapshot; durable on return.
    ///
    /// # Errors
    /// [`SnapshotError::Io`]; nothing with a final name is left then.
    ///
    /// # Panics
    /// If `meta` is of another group than the one opened.
    pub fn save(&self, meta: &SnapshotMeta, payload: &[u8]) -> Result<SnapshotFile, SnapshotError> {
        assert_eq!(meta.group, self.group, "a snapshot is saved among those of its group");
        let temporary = self.dir.join(name_of(meta)).with_extension("tmp");
        let written = self.write(&temporary, meta, payload);
        let file = written.map_err(io_error("write the snapshot", &temporary))?;
        self.install(self.verify(Arc::from(file), &temporary)?)
    }

    fn write(
        &self,
        path: &Path,
        meta: &SnapshotMeta,
        payload: &[u8],
    ) -> io::Result<Box<dyn DiskFile>> {
        let header = format::encode_header(meta);
        let trailer = format::trailer(&header, payload);
        let file = self.disk.open(path, OpenMode::Truncate)?;
        let payload_at = header.len() as u64;
        file.write_all_at(&header, 0)?;
        file.write_all_at(payload, payload_at)?;
        file.write_all_at(&trailer, payload_at + payload.len() as u64)?;
        Ok(file)
    }

    /// Gives a verified file its final name, durably.
    fn install(&self, snapshot: SnapshotFile) -> Result<SnapshotFile, SnapshotError> {
        let temporary = &snapshot.path;
        let path = self.dir.join(name_of(&snapshot.meta));
        snapshot.file.sync_data().map_err(io_error("sync the snapshot", temporary))?;
        self.disk.rename(temporary, &path).map_err(io_error("rename the snapshot", temporary))?;
        self.disk.sync_dir(&self.dir).map_err(io_error("sync the directory", &self.dir))?;
        Ok(SnapshotFile { path, ..snapshot })
    }

    /// The newest snapshot that passes its checksum. A damaged one is reported
    /// in the log and skipped, so the caller has to compare the result with
    /// [`Log::purged`](crate::Log::purged).
    ///
    /// # Errors
    /// [`SnapshotError::Corrupt`] if there are snapshots but none is usable,
    /// [`SnapshotError::Foreign`], [`SnapshotError::Io`].
    pub fn latest(&self) -> Result<Option<SnapshotFile>, SnapshotError> {
        let mut damage = None;
        for name in self.finished()?.iter().rev() {
            match self.open_file(name) {
                Ok(snapshot) => return Ok(Some(snapshot)),
                Err(error @ SnapshotError::Corrupt { .. }) => {
                    tracing::error!(%error, "skipping a snapshot");
                    damage.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        damage.map_or(Ok(None), Err)
    }

    /// Removes all but the newest `keep` snapshots.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn prune(&self, keep: usize) -> Result<(), SnapshotError> {
        let names = self.finished()?;
        let surplus = names.len().saturating_sub(keep);
        for name in &names[..surplus] {
            self.remove(name)?;
        }
        Ok(())
    }

    /// Begins to receive a snapshot from a peer. `transfer` tells transfers
    /// apart; a leftover of the same transfer is discarded.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn receive(&self, transfer: u64) -> Result<PartialSnapshot, SnapshotError> {
        PartialSnapshot::begin(self.clone(), transfer)
    }

    fn open_file(&self, name: &str) -> Result<SnapshotFile, SnapshotError> {
        let path = self.dir.join(name);
        let file =
            self.disk.open(&path, OpenMode::Read).map_err(io_error("open the snapshot", &path))?;
        let snapshot = self.verify(Arc::from(file), &path)?;
        if name_of(&snapshot.meta) != name {
            return Err(SnapshotError::Corrupt { path, detail: "it was renamed".to_owned() });
        }
        Ok(snapshot)
    }

    fn verify(&self, file: Arc<dyn DiskFile>, path: &Path) -> Result<SnapshotFile, SnapshotError> {
        let checked = format::verify(file.as_ref());
        let layout = checked.map_err(io_error("read the snapshot", path))?.map_err(|detail| {
            SnapshotError::Corrupt { path: path.to_owned(), detail: detail.to_owned() }
        })?;
        let Layout { meta, payload_at, payload_len, checksum } = layout;
        if meta.group != self.group {
            let (found, expected) = (meta.group, self.group.clone());
            return Err(SnapshotError::Foreign { path: path.to_owned(), found, expected });
        }
        let path = path.to_owned();
        Ok(SnapshotFile { meta, path, file, payload_at, payload_len, checksum })
    }

    /// Names of complete snapshots, oldest first.
    fn finished(&self) -> Result<Vec<String>, SnapshotError> {
        let mut names = self.names()?;
        names.retain(|name| Path::new(name).extension().is_some_and(|it| it == "snapshot"));
        Ok(names)
    }

    fn names(&self) -> Result<Vec<String>, SnapshotError> {
        self.disk.list(&self.dir).map_err(io_error("list the directory", &self.dir))
    }

    fn remove(&self, name: &str) -> Result<(), SnapshotError> {
        let path = self.dir.join(name);
        self.disk.remove_file(&path).map_err(io_error("remove the file", &path))
    }
}

/// A complete, verified snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotFile {
    meta: SnapshotMeta,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    payload_at: u64,
    payload_len: u64,
    checksum: u32,
}

impl SnapshotFile {
    /// What it is of.
    pub fn meta(&self) -> &SnapshotMeta {
        &self.meta
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the whole file, which is what a peer is sent.
    pub fn file_bytes(&self) -> u64 {
        self.payload_at + self.payload_len + format::TRAILER_BYTES as u64
    }

    /// The file's checksum, for [`PartialSnapshot::finish`].
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// The whole payload.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn payload(&self) -> Result<Vec<u8>, SnapshotError> {
        let mut payload = vec![0; self.payload_len as usize];
        self.read(&mut payload, self.payload_at)?;
        Ok(payload)
    }

    /// Up to `len` bytes of the file from `offset` on; empty at its end.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn chunk(&self, offset: u64, len: usize) -> Result<Bytes, SnapshotError> {
        let left = self.file_bytes().saturating_sub(offset);
        let mut chunk = vec![0; left.min(len as u64) as usize];
        self.read(&mut chunk, offset)?;
        Ok(Bytes::from(chunk))
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), SnapshotError> {
        let read = self.file.read_exact_at(buffer, offset);
        read.map_err(io_error("read the snapshot", &self.path))
    }
}

fn name_of(meta: &SnapshotMeta) -> String {
    format!("{:020}-{:020}.snapshot", meta.index, meta.term)
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    move |source| SnapshotError::Io { action, path: path.to_owned(), source }
}
