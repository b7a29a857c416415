//! `query`: handed over to `eigensweep-query`, as git and cargo hand over to theirs.
//!
//! It is a program of its own because polars takes several times as long to compile, and as many
//! bytes, as everything else. It is found beside this program, then on PATH; it checks that both
//! are of one version. On Unix it takes this process' place, so signals and exit codes are its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use eigensweep_job::Detail;

use crate::exit::Exit;
use crate::report::CommandError;

/// The program.
const PROGRAM: &str = "eigensweep-query";

/// The one command that builds it.
const BUILD: &str = "cargo build --release -p eigensweep-query";

/// Hands the arguments over.
pub(crate) fn call(rest: &[OsString], quiet: bool, verbose: bool) -> Result<Exit, CommandError> {
    let program = find().ok_or(CommandError::NoQueryProgram { build: BUILD })?;
    let mut handed = Command::new(&program);
    handed.args(["--called-by", env!("CARGO_PKG_VERSION")]);
    if quiet {
        handed.arg("--quiet");
    }
    if verbose {
        handed.arg("--verbose");
    }
    handed.args(rest);
    let failed = |source| CommandError::Io { action: "start", path: program, source };
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Returns only where it could not start.
        Err(failed(handed.exec()))
    }
    #[cfg(not(unix))]
    match handed.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(source) => Err(failed(source)),
    }
}

/// The program beside this one, else the first on PATH.
fn find() -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let path = std::env::var_os("PATH");
    let path = path.as_deref().map(OsStr::to_owned).unwrap_or_default();
    let places = beside.into_iter().chain(std::env::split_paths(&path));
    places.map(|place| place.join(&name)).find(|program| program.is_file())
}

/// The commands that `run` ends by naming: a data set without rows has no table but `summary`.
pub(crate) fn next(root: &Path, detail: Detail) -> String {
    let root = quoted(root);
    let table = match detail {
        Detail::Rows => "best",
        Detail::Summary => "summary",
    };
    format!(
        "next:\n  eigensweep plot {root}\n  eigensweep report {root}\n  eigensweep query {root} 'SELECT * FROM {table}'"
    )
}

/// The command that shows all combinations of a data set.
pub(crate) fn all(root: &Path) -> String {
    format!("eigensweep query {} 'SELECT * FROM summary'", quoted(root))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
