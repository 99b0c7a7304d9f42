//! Small facts that must survive: votes, memberships, the topology's log.
//!
//! A [`Meta`] is an ordered map from bytes to bytes. A change is visible at
//! once and durable after [`Meta::flush`]; changes become durable in the order
//! in which they were made.

mod disk;
mod sled;

use std::io;
use std::path::PathBuf;

pub use disk::DiskMeta;
pub use sled::SledMeta;

/// Why metadata could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// The operating system refused.
    #[error(
        "{path}: cannot {action}: {source}; check the device and its free space, then restart",
        path = path.display()
    )]
    Io {
        /// What was attempted, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Another process has the database open.
    #[error("{path}: in use by another process; stop it or choose another directory", path = path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// What is there is damaged or not a database of this program.
    #[error(
        "{path}: damaged or not a metadata store ({detail}); restore the data directory from a \
         backup, or empty it and let this node be rebuilt by its peers",
        path = path.display()
    )]
    Corrupt {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// An earlier write or sync failed, so what is on disk is unknown.
    #[error("{path}: not written because an earlier attempt failed ({detail}); restart the node", path = path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The earlier failure.
        detail: String,
    },
}

impl From<MetaError> for io::Error {
    fn from(error: MetaError) -> io::Error {
        let kind = match &error {
            MetaError::Io { source, .. } => source.kind(),
            MetaError::InUse { .. } => io::ErrorKind::WouldBlock,
            MetaError::Corrupt { .. } => io::ErrorKind::InvalidData,
            MetaError::Failed { .. } => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// Keys and values, in ascending order of the key.
pub type MetaPairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A durable, ordered map from bytes to bytes.
pub trait Meta: Send + Sync + 'static {
    /// The value of `key`.
    ///
    /// # Errors
    /// [`MetaError::Io`] or [`MetaError::Corrupt`], as for all methods here.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, MetaError>;

    /// Sets the value of `key`; durable after the next flush.
    ///
    /// # Errors
    /// Also [`MetaError::Failed`], as for all methods that write.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), MetaError>;

    /// Removes `key`, if it exists; durable after the next flush.
    ///
    /// # Errors
    /// As [`Meta::put`].
    fn delete(&self, key: &[u8]) -> Result<(), MetaError>;

    /// The pairs whose key starts with `prefix`, in ascending order of the key.
    ///
    /// # Errors
    /// As [`Meta::get`].
    fn scan(&self, prefix: &[u8]) -> Result<MetaPairs, MetaError>;

    /// Makes all earlier changes durable.
    ///
    /// # Errors
    /// As [`Meta::put`].
    fn flush(&self) -> Result<(), MetaError>;

    /// Sets the value of `key`, durable on return.
    ///
    /// # Errors
    /// As [`Meta::put`].
    fn put_durable(&self, key: &[u8], value: &[u8]) -> Result<(), MetaError> {
        self.put(key, value)?;
        self.flush()
    }
}
