//! Metadata in a sled database, for real disks.

use std::io;
use std::path::{Path, PathBuf};

use super::{Meta, MetaError, MetaPairs};

/// Enough for the metadata of a large cluster; sled's default is a gigabyte.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// A sled database.
#[derive(Debug)]
pub struct SledMeta {
    database: sled::Db,
    path: PathBuf,
}

impl SledMeta {
    /// Opens the database in the directory `path`, creating it if needed.
    ///
    /// # Errors
    /// [`MetaError::InUse`], [`MetaError::Corrupt`] or [`MetaError::Io`].
    pub fn open(path: &Path) -> Result<SledMeta, MetaError> {
        let opened = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).open();
        let explain = |error| match error {
            // sled words a lock that is taken as a general failure.
            sled::Error::Io(source)
                if source.kind() == io::ErrorKind::Other
                    && source.to_string().contains("could not acquire lock") =>
            {
                MetaError::InUse { path: path.to_owned() }
            }
            error => explain("open the database", path, error),
        };
        Ok(SledMeta { database: opened.map_err(explain)?, path: path.to_owned() })
    }

    fn explain(&self, action: &'static str) -> impl FnOnce(sled::Error) -> MetaError {
        move |error| explain(action, &self.path, error)
    }
}

fn explain(action: &'static str, path: &Path, error: sled::Error) -> MetaError {
    let path = path.to_owned();
    match error {
        sled::Error::Io(source) => MetaError::Io { action, path, source },
        other => MetaError::Corrupt { path, detail: other.to_string() },
    }
}

impl Meta for SledMeta {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, MetaError> {
        let found = self.database.get(key).map_err(self.explain("read the database"))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), MetaError> {
        self.database.insert(key, value).map_err(self.explain("write the database"))?;
        Ok(())
    }

    fn delete(&self, key: &[u8]) -> Result<(), MetaError> {
        self.database.remove(key).map_err(self.explain("write the database"))?;
        Ok(())
    }

    fn scan(&self, prefix: &[u8]) -> Result<MetaPairs, MetaError> {
        self.database
            .scan_prefix(prefix)
            .map(|pair| {
                let (key, value) = pair.map_err(self.explain("read the database"))?;
                Ok((key.to_vec(), value.to_vec()))
            })
            .collect()
    }

    fn flush(&self) -> Result<(), MetaError> {
        self.database.flush().map_err(self.explain("sync the database"))?;
        Ok(())
    }
}
