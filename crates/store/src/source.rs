//! Data sets that are read together: found, found sound, and named.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::dataset::Dataset;

/// A data set on disk, none of whose parts is missing or short, with the name that it goes by.
#[derive(Debug)]
pub struct Source {
    /// The data set.
    pub dataset: Dataset,
    /// The directory's name; its path where another's has the same.
    pub name: String,
}

/// Why data sets cannot be read together.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// One of them cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part is missing or not what its commit record says.
    #[error("{} is damaged ({file} {fault}): run the job again, it repairs its data set", path.display())]
    Damaged {
        /// The data set.
        path: PathBuf,
        /// The file at fault, relative to the data set.
        file: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A data set without rows.
    #[error("{} holds no rows yet: finish `eigensweep run` first", path.display())]
    Empty {
        /// The data set.
        path: PathBuf,
    },
    /// A shard without rows, beside others of its job.
    #[error(
        "{} holds no rows: it is a shard without a part, or not yet run. Join the shards, and name what they are joined into: \
         eigensweep merge SHARD… --into DATASET",
        path.display()
    )]
    EmptyShard {
        /// The data set.
        path: PathBuf,
    },
    /// One data set named twice, whose rows would count twice.
    #[error("{} is named twice: name each data set once", path.display())]
    Twice {
        /// The data set, as it was named the second time.
        path: PathBuf,
    },
    /// No data set was named.
    #[error("no data set was given: name at least one directory that `eigensweep run` wrote")]
    NoDataSet,
}

impl Source {
    /// Opens the data set in the directory `root`.
    ///
    /// # Errors
    ///
    /// [`SourceError::Store`], [`SourceError::Damaged`] or [`SourceError::Empty`].
    pub fn open(root: &Path) -> Result<Self, SourceError> {
        let (dataset, faults) = Dataset::read(root, false)?;
        if let Some(found) = faults.into_iter().next() {
            return Err(SourceError::Damaged { path: root.into(), file: found.file, fault: found.fault });
        }
        if dataset.rows_done() == 0 {
            return Err(SourceError::Empty { path: root.into() });
        }
        let absolute = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| dataset.spec().job.name.clone());
        Ok(Self { dataset, name })
    }

    /// Opens several data sets; those of one name in different places go by their paths.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoDataSet`], [`SourceError::Twice`], what [`Self::open`] gives for one of
    /// them, or in place of [`SourceError::Empty`] [`SourceError::EmptyShard`].
    pub fn open_all<P: AsRef<Path>>(roots: &[P]) -> Result<Vec<Self>, SourceError> {
        if roots.is_empty() {
            return Err(SourceError::NoDataSet);
        }
        let mut places = HashSet::new();
        if let Some(twice) =
            roots.iter().find(|root| fs::canonicalize(root).is_ok_and(|place| !places.insert(place)))
        {
            return Err(SourceError::Twice { path: twice.as_ref().into() });
        }
        let opened: Vec<Result<Self, SourceError>> =
            roots.iter().map(|root| Self::open(root.as_ref())).collect();
        let studies: Vec<String> =
            opened.iter().flatten().map(|source| source.dataset.identity().study.clone()).collect();
        let is_shard = |path: &Path| {
            Dataset::read(path, false).is_ok_and(|(dataset, _)| studies.contains(&dataset.identity().study))
        };
        let named = |error| match error {
            SourceError::Empty { path } if is_shard(&path) => SourceError::EmptyShard { path },
            error @ (SourceError::Store(_)
            | SourceError::Damaged { .. }
            | SourceError::Empty { .. }
            | SourceError::EmptyShard { .. }
            | SourceError::Twice { .. }
            | SourceError::NoDataSet) => error,
        };
        let mut sources = opened.into_iter().collect::<Result<Vec<Self>, _>>().map_err(named)?;
        let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
        for source in &mut sources {
            if names.iter().filter(|name| **name == source.name).count() > 1 {
                source.name = source.dataset.root().display().to_string();
            }
        }
        Ok(sources)
    }
}

/// A name that is not among those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{name}`{}", meant(nearest.as_deref(), known))]
pub struct UnknownName {
    /// `column`, `table`, `axis` or `metric`.
    pub kind: &'static str,
    /// The name that was asked for.
    pub name: String,
    /// The known name most like it, if any is.
    pub nearest: Option<String>,
    /// All names that are known.
    pub known: Vec<String>,
}

impl UnknownName {
    /// The error for `name`.
    #[must_use]
    pub fn new<'n>(kind: &'static str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Self {
        // The name itself may be known, but not to who asks.
        let known = known.filter(move |known| *known != name);
        let lower = name.to_lowercase();
        // A part of a name is meant for the name.
        let part = known.clone().find(|known| known.contains(&lower));
        let nearest = eigensweep_job::nearest(&lower, known.clone()).or(part).map(str::to_owned);
        Self { kind, name: name.to_owned(), nearest, known: known.map(str::to_owned).collect() }
    }
}

/// `: did you mean …?`, or the names that there are.
fn meant(nearest: Option<&str>, known: &[String]) -> String {
    let listed = || known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    nearest.map_or_else(|| format!(". There are {}", listed()), |near| format!(": did you mean `{near}`?"))
}
