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
//!
//! **Forks.** A lock belongs to the open file, which a child that is forked without `exec` has,
//! too: it would outlive the run. So a lock is let go of by name ([`LockFile`]'s end), which holds
//! for all who have the file; and a child closes what it has of it, lest its parent be killed first
//! ([`Forking`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
#[cfg(unix)]
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::files;
use crate::StoreError;
use crate::shard::Shard;

/// Files of locks that this process has open.
#[cfg(unix)]
static OPEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

#[cfg(unix)]
fn open_files() -> MutexGuard<'static, Vec<RawFd>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is about to fork: no lock's file is opened or closed until this is dropped.
#[cfg(unix)]
#[derive(Debug)]
pub struct Forking(MutexGuard<'static, Vec<RawFd>>);

#[cfg(unix)]
impl Forking {
    /// Unless another thread opens or closes a file just now, or forks.
    #[must_use]
    pub fn begin() -> Option<Self> {
        match OPEN.try_lock() {
            Ok(open) => Some(Self(open)),
            Err(TryLockError::Poisoned(open)) => Some(Self(open.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// In the child: closes its copies of the parent's files, so that the parent alone has their
    /// locks.
    ///
    /// # Safety
    ///
    /// The calling thread, the only one that a child has, uses none of the parent's data sets that
    /// were open to be written.
    pub unsafe fn close_in_child(mut self) {
        for file in self.0.drain(..) {
            // SAFETY: it is open, as one in the list is; who owned it is a thread that is not here,
            // or does not use it.
            drop(unsafe { OwnedFd::from_raw_fd(file) });
        }
    }
}

/// The file of a lock. Its end lets go of the lock, for forked children that have the file as well.
#[derive(Debug)]
struct LockFile(File);

impl LockFile {
    fn open(options: &OpenOptions, path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        let mut open = open_files();
        let file = options.open(path)?;
        #[cfg(unix)]
        open.push(file.as_raw_fd());
        Ok(Self(file))
    }

    /// Whether another one has the lock.
    fn is_held(&self) -> bool {
        matches!(self.0.try_lock(), Err(fs::TryLockError::WouldBlock))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Where there are no locks, there is none to let go of.
        let _ = self.0.unlock();
        #[cfg(unix)]
        {
            // Before it is closed: its number may be another file's then.
            let own = self.0.as_raw_fd();
            open_files().retain(|&file| file != own);
        }
    }
}

/// The locks of a process that writes.
#[derive(Debug)]
pub(super) struct Locks {
    /// Kept: its end lets go.
    _shard: Option<LockFile>,
    writers: Option<LockFile>,
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
        let held = match file.0.try_lock() {
            Ok(()) => {
                write_holder(&mut file.0, holder).map_err(StoreError::io("write", &path))?;
                Some(file)
            }
            Err(fs::TryLockError::WouldBlock) => return Err(busy(root, &file)),
            Err(fs::TryLockError::Error(_)) => None,
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
        let alone = file.0.try_lock().is_ok();
        if alone || file.0.lock_shared().is_ok() {
            self.writers = Some(file);
        }
        Ok(alone)
    }

    /// Lets others in.
    pub(super) fn settle(&mut self) {
        if let Some(LockFile(file)) = &self.writers {
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
        let Ok(file) = LockFile::open(OpenOptions::new().read(true).write(true), &path) else {
            return Ok(());
        };
        if !file.is_held() {
            return Ok(());
        }
        // Its shard's lock says who it is.
        let locks = files::list(&root.join("staging"))?
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shard-")));
        let opened = |path: PathBuf| LockFile::open(OpenOptions::new().read(true), &path).ok();
        let shard = locks.filter_map(opened).find(LockFile::is_held);
        Err(busy(root, &shard.unwrap_or(file)))
    }
}

fn writers(root: &Path) -> PathBuf {
    root.join("staging").join("writers.lock")
}

fn open(path: &Path) -> Result<LockFile, StoreError> {
    let mut options = OpenOptions::new();
    // What the holder wrote stays until another one has the lock.
    options.read(true).write(true).create(true).truncate(false);
    LockFile::open(&options, path).map_err(StoreError::io("open", path))
}

fn write_holder(file: &mut File, holder: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(holder.as_bytes())
}

fn busy(root: &Path, LockFile(file): &LockFile) -> StoreError {
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

#[cfg(test)]
mod tests {
    use super::Locks;
    use crate::StoreError;
    use crate::shard::Shard;

    #[test]
    fn a_lock_is_let_go_of_whoever_else_has_its_file() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("staging")).unwrap();
        let take = || Locks::take(root.path(), Shard::WHOLE, "a test");
        let mut locks = take().unwrap();
        assert!(locks.enter(root.path()).unwrap());
        locks.settle();
        // As a child has it that is forked.
        let files = [&locks._shard, &locks.writers].map(|file| file.as_ref().unwrap().0.try_clone().unwrap());
        assert!(matches!(take(), Err(StoreError::Busy { .. })));
        drop(locks);
        Locks::refuse_writers(root.path()).unwrap();
        assert!(take().unwrap().enter(root.path()).unwrap());
        drop(files);
    }
}
