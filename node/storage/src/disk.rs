//! The border between the node and its disk.
//!
//! The traits say no more than POSIX promises, so that the simulated disk can
//! be as unkind as a real one: a write is in the page cache until `sync_data`
//! returns, and a name is in the cache until `sync_dir` returns.

mod memory;
mod real;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use memory::{Fault, MemoryDisk};
pub use real::RealDisk;

/// How [`Disk::open`] treats a file that exists or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, to be read only.
    Read,
    /// An existing file, to be read and written.
    ReadWrite,
    /// A file that must not exist yet, to be read and written.
    CreateNew,
    /// A file that is emptied if it exists, to be read and written.
    Truncate,
    /// The same, and a file that is created is for the owner's eyes only.
    TruncatePrivate,
}

/// A file system, or as much of one as a node needs.
#[expect(clippy::missing_errors_doc, reason = "every error is the operating system's own")]
pub trait Disk: Debug + Send + Sync + 'static {
    /// Creates `dir` and its parents; their names are durable on return.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Opens a file. A created name is durable only after [`Disk::sync_dir`].
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>>;

    /// Names of the files and directories in `dir`, in ascending order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Whether a file or directory of that name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Renames a file within its directory, replacing a file of the new name.
    /// Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name; open handles keep working. Durable after
    /// [`Disk::sync_dir`].
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes an exclusive lock on the file `path`, creating it if needed, until
    /// the result is dropped or the process ends. `WouldBlock` if it is taken.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>>;
}

/// An open file. All offsets and lengths are bytes.
#[expect(clippy::missing_errors_doc, reason = "every error is the operating system's own")]
pub trait DiskFile: Debug + Send + Sync + 'static {
    /// Writes all of `bytes` at `offset`, growing the file if needed. After an
    /// error any prefix may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Fills `buffer` from `offset`; `UnexpectedEof` if the file is shorter.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// The file's length.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file holds no byte.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes the bytes (and the length that finds them) durable: `fdatasync`.
    fn sync_data(&self) -> io::Result<()>;
}

/// Keeps a lock of [`Disk::lock`] until it is dropped.
pub trait DiskLock: Debug + Send + Sync {}

/// Writes a whole file so that after a crash there is either the old content
/// or the new, durable on return: temporary name, sync, rename, directory sync.
pub(crate) fn replace_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(disk, path, bytes, OpenMode::Truncate)
}

/// [`replace_file`] for a file that holds a secret.
///
/// # Errors
/// The operating system's; the old content may or may not be there still.
pub fn replace_private_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    // A file that is there already keeps whatever permissions it has.
    if disk.exists(&temporary)? {
        disk.remove_file(&temporary)?;
    }
    replace(disk, path, bytes, OpenMode::TruncatePrivate)
}

fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8], mode: OpenMode) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let file = disk.open(&temporary, mode)?;
    file.write_all_at(bytes, 0)?;
    file.sync_data()?;
    disk.rename(&temporary, path)?;
    disk.sync_dir(parent(path))
}

/// Reads a whole file.
///
/// # Errors
/// The operating system's; `NotFound` if there is no such file.
pub fn read_file(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, OpenMode::Read)?;
    let mut bytes = vec![0; file.len()? as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The directory a file is in, `.` for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}
