//! Advisory locks: who writes a data set. Nothing that is right depends on them; they save work and
//! spare a warning.
//!
//! | file in `staging/` | held | for |
//! |---|---|---|
//! | `shard-I-of-N.lock` | exclusively | one process a shard |
//! | `writers.lock` | shared, by every process that writes | whoever holds it exclusively is alone, and may tidy up |
//!
//! The operating system lets go of a lock when its process ends, however it ends: there are no
//! stale ones. On a file system without locks, two processes on one shard compute the same parts
//! twice, the first to commit wins, and nobody tidies up.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::files;
use crate::StoreError;
use crate::shard::Shard;

/// The locks of a process that writes.
#[derive(Debug)]
pub(super) struct Locks {
    /// Kept open: closing it lets go.
    _shard: Option<File>,
    writers: Option<File>,
}

impl Locks {
    /// Takes the lock of a shard, and with the others that of all writers; `holder` is what another
    /// process would be told.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if another process has the shard.
    pub(super) fn take(root: &Path, shard: Shard, holder: &str) -> Result<Self, StoreError> {
        let name = format!("shard-{}-of-{}.lock", shard.index(), shard.count());
        let path = root.join("staging").join(name);
        let mut file = open(&path)?;
        let held = match file.try_lock() {
            Ok(()) => {
                write_holder(&mut file, holder).map_err(StoreError::io("write", &path))?;
                Some(file)
            }
            Err(TryLockError::WouldBlock) => return Err(busy(root, &mut file)),
            Err(TryLockError::Error(_)) => None,
        };
        Ok(Self { _shard: held, writers: None })
    }

    /// Counts this process among the writers; returns whether it is alone, and remains so until
    /// [`Self::settle`].
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the lock's file cannot be opened.
    pub(super) fn enter(&mut self, root: &Path) -> Result<bool, StoreError> {
        let file = open(&writers(root))?;
        let alone = file.try_lock().is_ok();
        if alone || file.lock_shared().is_ok() {
            self.writers = Some(file);
        }
        Ok(alone)
    }

    /// Lets others in.
    pub(super) fn settle(&mut self) {
        if let Some(file) = &self.writers {
            // Another process may come first in between; it finds everything in order.
            let _ = file.unlock();
            let _ = file.lock_shared();
        }
    }

    /// Refuses while any process writes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`].
    pub(super) fn refuse_writers(root: &Path) -> Result<(), StoreError> {
        let path = writers(root);
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { return Ok(()) };
        if !is_held(&file) {
            return Ok(());
        }
        // Its shard's lock says who it is.
        let locks = files::list(&root.join("staging"))?
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shard-")));
        let shard = locks.filter_map(|path| File::open(path).ok()).find(is_held);
        Err(busy(root, &mut shard.unwrap_or(file)))
    }
}

fn is_held(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

fn writers(root: &Path) -> PathBuf {
    root.join("staging").join("writers.lock")
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    // What the holder wrote stays until another one has the lock.
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(StoreError::io("open", path))
}

fn write_holder(file: &mut File, holder: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.as_bytes())
}

fn busy(root: &Path, file: &mut File) -> StoreError {
    /// Longest description that is believed.
    const LONGEST: u64 = 256;
    let mut holder = String::new();
    let read = file.take(LONGEST).read_to_string(&mut holder);
    let holder = match read {
        Ok(1..) => holder.trim().to_owned(),
        _ => "it has not said which".to_owned(),
    };
    StoreError::Busy { path: root.to_path_buf(), holder }
}
