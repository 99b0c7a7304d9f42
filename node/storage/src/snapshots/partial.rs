//! A snapshot on its way from a peer.

use std::path::PathBuf;
use std::sync::Arc;

use super::{SnapshotError, SnapshotFile, Snapshots, io_error};
use crate::disk::{DiskFile, OpenMode};

/// The beginning of a snapshot file. A connection that breaks costs nothing:
/// the sender goes on at [`PartialSnapshot::received`].
#[derive(Debug)]
pub struct PartialSnapshot {
    snapshots: Snapshots,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    received: u64,
}

impl PartialSnapshot {
    pub(super) fn begin(
        snapshots: Snapshots,
        transfer: u64,
    ) -> Result<PartialSnapshot, SnapshotError> {
        let path = snapshots.dir.join(format!("{transfer:016x}.partial"));
        let file = snapshots
            .disk
            .open(&path, OpenMode::Truncate)
            .map_err(io_error("create the file", &path))?;
        Ok(PartialSnapshot { snapshots, path, file, received: 0 })
    }

    /// Bytes that are there; the offset of the next chunk.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Writes a chunk of the file. One that overlaps what is there already,
    /// as after a lost answer, is written again.
    ///
    /// # Errors
    /// [`SnapshotError::Gap`] if bytes before it are missing,
    /// [`SnapshotError::Io`].
    pub fn write(&mut self, offset: u64, chunk: &[u8]) -> Result<(), SnapshotError> {
        if offset > self.received {
            let (path, expected) = (self.path.clone(), self.received);
            return Err(SnapshotError::Gap { path, offset, expected });
        }
        let written = self.file.write_all_at(chunk, offset);
        written.map_err(io_error("write the file", &self.path))?;
        self.received = self.received.max(offset + chunk.len() as u64);
        Ok(())
    }

    /// Checks the whole file against itself and against the sender's
    /// `checksum`, and makes it one of the snapshots, durable on return.
    ///
    /// # Errors
    /// [`SnapshotError::Corrupt`], [`SnapshotError::Foreign`] or
    /// [`SnapshotError::Io`]; the transfer has to begin anew then.
    pub fn finish(self, checksum: u32) -> Result<SnapshotFile, SnapshotError> {
        let PartialSnapshot { snapshots, path, file, .. } = self;
        let snapshot = snapshots.verify(Arc::from(file), &path)?;
        if snapshot.checksum != checksum {
            let detail = "it is not the file that the sender announced".to_owned();
            return Err(SnapshotError::Corrupt { path, detail });
        }
        snapshots.install(snapshot)
    }

    /// Gives up and removes the file.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn abandon(self) -> Result<(), SnapshotError> {
        let removed = self.snapshots.disk.remove_file(&self.path);
        removed.map_err(io_error("remove the file", &self.path))
    }
}
