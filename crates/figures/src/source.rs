//! A data set as figures see it: what is on disk, its job, and the input that theory needs.

use std::path::Path;
use std::sync::OnceLock;

use eigensweep_engine::input::Input;
use eigensweep_job::{Detail, JobSpec};
use eigensweep_store::dataset::Dataset;
use eigensweep_store::source::Source as Sound;

use crate::FigureError;

/// A data set to be drawn.
#[derive(Debug)]
pub struct Source {
    /// The data set.
    pub dataset: Dataset,
    /// The name that it goes by.
    pub name: String,
    /// Its input, once it was asked for.
    input: OnceLock<Option<Input>>,
}

impl From<Sound> for Source {
    fn from(Sound { dataset, name }: Sound) -> Self {
        Self { dataset, name, input: OnceLock::new() }
    }
}

impl Source {
    /// Opens the data set in the directory `root`.
    ///
    /// # Errors
    ///
    /// [`FigureError::Source`].
    pub fn open(root: &Path) -> Result<Self, FigureError> {
        Ok(Sound::open(root)?.into())
    }

    /// Opens several data sets; those of one name go by their paths.
    ///
    /// # Errors
    ///
    /// [`FigureError::Source`].
    pub fn open_all<P: AsRef<Path>>(roots: &[P]) -> Result<Vec<Self>, FigureError> {
        Ok(Sound::open_all(roots)?.into_iter().map(Self::from).collect())
    }

    /// Whether its rows are critical alignments, and not replicates.
    #[must_use]
    pub fn has_boundaries(&self) -> bool {
        self.job().boundary.is_some()
    }

    /// Its job.
    #[must_use]
    pub fn job(&self) -> &JobSpec {
        self.dataset.spec()
    }

    /// Whether it keeps rows, and not a summary in their place.
    #[must_use]
    pub fn keeps_rows(&self) -> bool {
        self.job().output.detail == Detail::Rows
    }

    /// Rows that are done and rows of the whole grid, where they are not all done.
    #[must_use]
    pub fn unfinished(&self) -> Option<(u64, u64)> {
        let (done, all) = (self.dataset.rows_done(), self.dataset.rows());
        (done < all).then_some((done, all))
    }

    /// The job's input, for what theory says of its spectra; `None` where its files are no longer
    /// there.
    pub(crate) fn input(&self) -> Option<&Input> {
        let load = || {
            let job = self.dataset.job(&[]).ok()?;
            Input::load(&job).ok()
        };
        self.input.get_or_init(load).as_ref()
    }
}
