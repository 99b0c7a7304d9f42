//! Who this node is, and that nobody else is it at the same time.
//!
//! A node's identity is 40 hexadecimal digits in `<dir>/node.id`, drawn by the
//! caller when the directory is new and never changed afterwards. `<dir>/lock`
//! is locked for as long as the directory is open, so that a second process
//! cannot start on it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskLock, read_file, replace_file};

const ID_FILE: &str = "node.id";
const LOCK_FILE: &str = "lock";

/// Things that only a node that has an identity makes.
const CONTENT: [&str; 4] = ["aof", "meta", "snapshots", "formation"];

/// Why a data directory was refused.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The operating system refused.
    #[error("{path}: cannot {action}: {source}; check the directory's permissions and device", path = path.display())]
    Io {
        /// What was attempted, as a verb phrase.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Another process runs on this directory.
    #[error("{path}: locked by a running node; stop it or choose another directory", path = path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The identity file is not one.
    #[error("{path}: not a node id of 40 hexadecimal digits; restore it from a backup or choose an empty directory", path = path.display())]
    Corrupt {
        /// The identity file.
        path: PathBuf,
    },
    /// There is data, but no identity.
    #[error("{path}: there is data but no {ID_FILE} beside it; restore {ID_FILE} from a backup or choose an empty directory", path = path.display())]
    Foreign {
        /// The data.
        path: PathBuf,
    },
}

/// A node's data directory, locked until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    node_id: String,
    is_new: bool,
    _lock: Box<dyn DiskLock>,
}

impl DataDir {
    /// Locks `dir` and reads its identity. A directory that does not exist, or
    /// that holds nothing of a node, becomes the directory of the node `new_id`.
    ///
    /// # Errors
    /// One line that names the file and says what to do; see [`IdentityError`].
    pub fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        new_id: [u8; 20],
    ) -> Result<DataDir, IdentityError> {
        disk.create_dir_all(dir).map_err(io_error("create the directory", dir))?;
        let lock_path = dir.join(LOCK_FILE);
        let lock = disk.lock(&lock_path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => IdentityError::InUse { path: lock_path.clone() },
            _ => io_error("lock the file", &lock_path)(error),
        })?;
        let id_path = dir.join(ID_FILE);
        let known = disk.exists(&id_path).map_err(io_error("look for the file", &id_path))?;
        let node_id = if known {
            read_id(disk.as_ref(), &id_path)?
        } else {
            refuse_orphans(disk.as_ref(), dir)?;
            create_id(disk.as_ref(), &id_path, new_id)?
        };
        Ok(DataDir { path: dir.to_owned(), node_id, is_new: !known, _lock: lock })
    }

    /// The node's id: 40 hexadecimal digits in lower case.
    pub fn node_id(&self) -> &str {
        &self.node_id
    }

    /// Whether the identity was created by this opening.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the shard's log is.
    pub fn aof(&self) -> PathBuf {
        self.path.join("aof")
    }

    /// Where the metadata is.
    pub fn meta(&self) -> PathBuf {
        self.path.join("meta")
    }

    /// Where the snapshots are.
    pub fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }
}

fn read_id(disk: &dyn Disk, path: &Path) -> Result<String, IdentityError> {
    let bytes = read_file(disk, path).map_err(io_error("read the file", path))?;
    let digits = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let hexadecimal = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if digits.len() == 40 && digits.iter().all(hexadecimal) {
        return Ok(digits.iter().map(|digit| char::from(*digit)).collect());
    }
    Err(IdentityError::Corrupt { path: path.to_owned() })
}

fn create_id(disk: &dyn Disk, path: &Path, new_id: [u8; 20]) -> Result<String, IdentityError> {
    let mut id = String::with_capacity(41);
    for byte in new_id {
        write!(id, "{byte:02x}").expect("a String takes all that fits in memory");
    }
    replace_file(disk, path, format!("{id}\n").as_bytes())
        .map_err(io_error("create the file", path))?;
    Ok(id)
}

fn refuse_orphans(disk: &dyn Disk, dir: &Path) -> Result<(), IdentityError> {
    for name in CONTENT {
        let path = dir.join(name);
        if disk.exists(&path).map_err(io_error("look for the file", &path))? {
            return Err(IdentityError::Foreign { path });
        }
    }
    Ok(())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    move |source| IdentityError::Io { action, path: path.to_owned(), source }
}
