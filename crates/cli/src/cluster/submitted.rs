//! `logs/submitted.json`: which jobs were submitted for a data set, an entry a call of `submit`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One call of `submit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Program and version.
    pub(crate) program: String,
    /// Host that it was called on.
    pub(crate) host: String,
    /// When, in seconds since 1970-01-01 UTC.
    pub(crate) time: u64,
    /// Where it was called.
    pub(crate) directory: PathBuf,
    /// What was typed.
    pub(crate) command: Vec<String>,
    /// Directory of the scripts, of the job as resolved, and of what the tasks print.
    pub(crate) logs: PathBuf,
    /// Shards.
    pub(crate) shards: u64,
    /// Array jobs that compute them.
    pub(crate) arrays: Vec<SubmittedArray>,
    /// Number of the job that merges them.
    pub(crate) merge: u64,
}

/// One array job: its task i computes shard `first_shard` + i.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubmittedArray {
    /// The array job's number.
    pub(crate) job: u64,
    /// Shard of its task 0, from 1.
    pub(crate) first_shard: u64,
    /// Its tasks.
    pub(crate) tasks: u64,
}

impl Submission {
    /// Numbers of all its jobs.
    pub(crate) fn jobs(&self) -> Vec<u64> {
        self.arrays.iter().map(|array| array.job).chain([self.merge]).collect()
    }

    /// The shard that a task computes.
    pub(crate) fn shard(&self, job: u64, task: Option<u64>) -> Option<u64> {
        let array = self.arrays.iter().find(|array| array.job == job)?;
        task?.checked_add(array.first_shard)
    }
}

fn path(root: &Path) -> PathBuf {
    root.join("logs").join("submitted.json")
}

/// Why the record cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// It cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// It says nothing.
    #[error(
        "{} is damaged ({source}): it says which jobs were submitted for this data set. Move it away; nothing else depends on it",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// All submissions for the data set at `root`, oldest first.
///
/// # Errors
///
/// [`RecordError`] if there is a record that cannot be read.
pub(crate) fn read_submissions(root: &Path) -> Result<Vec<Submission>, RecordError> {
    let path = path(root);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|source| RecordError::Io { action: "read", path: path.clone(), source })?,
    };
    serde_json::from_str(&text).map_err(|source| RecordError::Damaged { path, source })
}

/// Adds a submission to the record, which is replaced whole.
///
/// # Errors
///
/// [`RecordError`].
pub(crate) fn record_submission(root: &Path, submission: Submission) -> Result<(), RecordError> {
    let mut all = read_submissions(root)?;
    all.push(submission);
    let place = path(root);
    let failed = |action| {
        let path = place.clone();
        move |source| RecordError::Io { action, path, source }
    };
    let text = serde_json::to_string_pretty(&all).map_err(io::Error::from).map_err(failed("write"))?;
    let mut builder = tempfile::Builder::new();
    // Readable by whom the user's mask lets read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let directory = place.parent().unwrap_or(root);
    let mut staged = builder.prefix(".submitted.").tempfile_in(directory).map_err(failed("write"))?;
    staged.write_all(format!("{text}\n").as_bytes()).map_err(failed("write"))?;
    staged.persist(&place).map_err(|error| error.error).map_err(failed("replace"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{RecordError, Submission, SubmittedArray, read_submissions, record_submission};

    #[test]
    fn submissions_are_kept_in_order() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("logs")).unwrap();
        assert_eq!(read_submissions(place.path()).unwrap(), []);
        let arrays = vec![SubmittedArray { job: 7, first_shard: 1, tasks: 4 }];
        let submission = Submission {
            program: "eigensweep".to_owned(),
            host: "login".to_owned(),
            time: 5,
            directory: "/".into(),
            command: vec!["submit".to_owned()],
            logs: "/logs".into(),
            shards: 4,
            arrays,
            merge: 8,
        };
        assert_eq!(submission.jobs(), [7, 8]);
        assert_eq!(submission.shard(7, Some(2)), Some(3));
        assert_eq!(submission.shard(8, None), None);
        for time in [5, 6] {
            record_submission(place.path(), Submission { time, ..submission.clone() }).unwrap();
        }
        let found = read_submissions(place.path()).unwrap();
        assert_eq!(found.iter().map(|found| found.time).collect::<Vec<_>>(), [5, 6]);
        std::fs::write(place.path().join("logs/submitted.json"), "[{]").unwrap();
        assert!(matches!(read_submissions(place.path()), Err(RecordError::Damaged { .. })));
        assert!(record_submission(place.path(), submission).is_err(), "a damaged record is not thrown away");
    }
}
