//! Durable file operations: whole files, synced directories.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::EngineError;

/// Directories of a data set.
const DIRECTORIES: [&str; 3] = ["data", "commits", "staging"];

/// Creates a data set's directories where they are missing.
pub(super) fn create_directories(root: &Path) -> Result<(), EngineError> {
    for name in DIRECTORIES {
        let path = root.join(name);
        fs::create_dir_all(&path).map_err(EngineError::io("create", &path))?;
    }
    sync_directory(root)
}

/// Everything that this program writes into a data set. `commits` near the end: what is left of a removal that was interrupted is
/// still known as a data set.
const ENTRIES: [&str; 7] = ["data", "summary", "staging", "logs", "manifest.json", "commits", "job.toml"];

/// Removes what this program writes, and the directory if nothing else is in it.
pub(super) fn remove_contents(root: &Path) -> Result<(), EngineError> {
    for path in ENTRIES.map(|name| root.join(name)) {
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(EngineError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    // That the directory stays (it holds something else, or is a link) does no harm.
    let _ = fs::remove_dir(root);
    Ok(())
}

/// Writes `bytes` to a new file in `staging` and fsyncs it; the name is unique to this process and call.
pub(super) fn stage(staging: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, EngineError> {
    static ATTEMPT: AtomicU64 = AtomicU64::new(0);
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    let path = staging.join(format!("{name}.{}.{attempt}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| {
        // A full disk must not stay full because of the attempt.
        let _ = fs::remove_file(&path);
        EngineError::Io { action: "write", path: path.clone(), source }
    })?;
    Ok(path)
}

/// Writes a file so that it appears whole, replacing what is there.
pub(super) fn write_whole(staging: &Path, path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let name = path.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy());
    let staged = stage(staging, &name, bytes)?;
    fs::rename(&staged, path).map_err(EngineError::io("rename into place", path))?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Fsyncs a directory: its entries survive a power cut.
pub(super) fn sync_directory(path: &Path) -> Result<(), EngineError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(EngineError::io("sync", path))
}

/// BLAKE3 and length of a file, read in pieces.
pub(super) fn hash(path: &Path) -> Result<(String, u64), EngineError> {
    let read = || -> std::io::Result<(String, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok((hasher.finalize().to_hex().to_string(), hasher.count()))
    };
    read().map_err(EngineError::io("read", path))
}
