//! Labels of rows: classes, or real targets.

use eigensweep_inputs::Labels;
use eigensweep_job::Job;
use faer::Mat;

use super::held_out::Which;
use super::refused;
use crate::EngineError;

/// Labels of rows.
#[derive(Clone, Debug)]
pub(super) enum RowLabels {
    /// Class of each row.
    Classes(Vec<u16>),
    /// Targets, a column a row (ℓ × n).
    Targets(Mat<f64>),
}

/// The label of a row.
#[derive(Clone, Copy, Debug)]
pub enum Label<'a> {
    /// Its class.
    Class(usize),
    /// Its targets (ℓ).
    Targets(&'a [f64]),
}

impl Label<'_> {
    /// The class, if it is one.
    #[must_use]
    pub fn class(self) -> Option<usize> {
        match self {
            Self::Class(class) => Some(class),
            Self::Targets(_) => None,
        }
    }

    /// The label as numbers (ℓ), one-hot of a class.
    pub fn write(self, to: &mut [f64]) {
        match self {
            Self::Class(class) => {
                to.fill(0.0);
                to[class] = 1.0;
            }
            Self::Targets(targets) => to.copy_from_slice(targets),
        }
    }
}

/// Takes the means of targets off, those of some rows; returns them.
///
/// With them goes what a constant prediction explains, which is no representation's merit.
pub(crate) fn centre(labels: &mut Labels, rows: Option<&Which>) -> Vec<f64> {
    let Labels::Targets(targets) = labels else { return Vec::new() };
    let all = Which::Range(0..targets.nrows());
    let rows = rows.unwrap_or(&all);
    let mut means = Vec::new();
    for column in targets.col_iter_mut() {
        let mean = rows.iter().map(|row| column[row]).sum::<f64>() / rows.len() as f64;
        column.iter_mut().for_each(|entry| *entry -= mean);
        means.push(mean);
    }
    means
}

/// The labels of some rows.
pub(super) fn row_labels(labels: &Labels, rows: &Which) -> RowLabels {
    match labels {
        Labels::Classes(classes) => {
            RowLabels::Classes(rows.iter().map(|row| classes.classes()[row]).collect())
        }
        Labels::Targets(targets) => {
            let rows: Vec<usize> = rows.iter().collect();
            RowLabels::Targets(Mat::from_fn(targets.ncols(), rows.len(), |i, j| targets[(rows[j], i)]))
        }
    }
}

/// The labels of rows that are held out: classes numbered as those that are learned from, targets
/// about the same means.
pub(super) fn same_labels(
    job: &Job,
    known: &Labels,
    means: &[f64],
    held: Labels,
) -> Result<RowLabels, EngineError> {
    let key = "data.test_labels";
    match (known, held) {
        (Labels::Classes(known), Labels::Classes(held)) => {
            let place = |name: String| (0..known.count()).find(|&class| known.name(class) == name);
            let places: Vec<Option<usize>> = (0..held.count()).map(|class| place(held.name(class))).collect();
            if let Some(unknown) = places.iter().position(Option::is_none) {
                let message = format!(
                    "`{key}` has class {}, which no row that is learned from has",
                    held.name(unknown)
                );
                return Err(refused(job, key, message, "an unknown class", None));
            }
            let class = |&class: &u16| places[usize::from(class)].and_then(|place| u16::try_from(place).ok());
            Ok(RowLabels::Classes(held.classes().iter().filter_map(class).collect()))
        }
        (Labels::Targets(known), Labels::Targets(mut held)) if held.ncols() == known.ncols() => {
            for (column, mean) in held.col_iter_mut().zip(means) {
                column.iter_mut().for_each(|entry| *entry -= mean);
            }
            let all = Which::Range(0..held.nrows());
            Ok(row_labels(&Labels::Targets(held), &all))
        }
        (_, held) => {
            let message = format!(
                "the labels that are learned from are {}, those of held-out rows {}",
                in_words(known),
                in_words(&held)
            );
            Err(refused(job, key, message, "another kind", None))
        }
    }
}

/// What labels are.
fn in_words(labels: &Labels) -> String {
    match labels {
        Labels::Classes(labels) => format!("{} classes", labels.count()),
        Labels::Targets(targets) => format!("{} real targets", targets.ncols()),
    }
}
