//! What can go wrong with the log, in words for the person who has to act.

use std::io;
use std::path::{Path, PathBuf};

/// Why the log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
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
    /// Bytes that were complete once are damaged.
    #[error(
        "{path}: the record at byte {offset} is damaged ({detail}) and is not the torn end of the \
         log; restore the data directory from a backup, or empty it and let this node be rebuilt \
         by its peers",
        path = path.display()
    )]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where the bad record starts, in bytes.
        offset: u64,
        /// What is wrong with it.
        detail: String,
    },
    /// A segment's header is unreadable, or of another format.
    #[error(
        "{path}: {detail}; restore the data directory from a backup, or empty it and let this \
         node be rebuilt by its peers",
        path = path.display()
    )]
    Segment {
        /// The segment.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file that the log did not make.
    #[error(
        "{path}: not a segment of this log; move it away or choose another directory",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// An earlier write or sync failed, so the end of the log is unknown.
    #[error("{path}: not written because an earlier attempt failed ({detail}); restart the node", path = path.display())]
    Failed {
        /// The directory of the log.
        path: PathBuf,
        /// The earlier failure.
        detail: String,
    },
    /// Records must follow each other without a gap, above what is purged.
    #[error("{path}: a change of the log at index {got} was asked for where {expected} is next; this is a defect, please report it", path = path.display())]
    OutOfOrder {
        /// The directory of the log.
        path: PathBuf,
        /// The index that would have been accepted, or the lowest such.
        expected: u64,
        /// The index that was asked for.
        got: u64,
    },
    /// A record's payload exceeds what the format can hold.
    #[error("{path}: a record of {len} bytes is larger than a log record can be; send smaller commands", path = path.display())]
    TooLarge {
        /// The directory of the log.
        path: PathBuf,
        /// Bytes of the payload.
        len: usize,
    },
}

impl LogError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { action, path: path.to_owned(), source }
    }

    pub(super) fn corrupt(path: &Path, offset: u64, detail: impl Into<String>) -> LogError {
        LogError::Corrupt { path: path.to_owned(), offset, detail: detail.into() }
    }

    pub(super) fn segment(path: &Path, detail: impl Into<String>) -> LogError {
        LogError::Segment { path: path.to_owned(), detail: detail.into() }
    }
}

impl From<LogError> for io::Error {
    fn from(error: LogError) -> io::Error {
        let kind = match &error {
            LogError::Io { source, .. } => source.kind(),
            LogError::Corrupt { .. } | LogError::Segment { .. } | LogError::Foreign { .. } => {
                io::ErrorKind::InvalidData
            }
            LogError::OutOfOrder { .. } | LogError::TooLarge { .. } => io::ErrorKind::InvalidInput,
            LogError::Failed { .. } => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
