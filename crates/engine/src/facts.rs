//! What a job's data are like as they were read: what a person looks at before anything is fitted.

use eigensweep_inputs::columns::dependent;
use eigensweep_inputs::pca::leading_variances;
use eigensweep_inputs::{ClassLabels, Labels, Source, moments};
use eigensweep_job::{DataSpec, Job};

use crate::{EngineError, samples};

/// Leading variances that are given.
const LEADING: usize = 8;

/// The most features whose second moment is looked at: it takes n p² multiply-adds, and p³ more.
pub const MOST_FEATURES: usize = 2048;

/// Facts about inputs and labels, before range and features.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// n, held-out rows included where they are a share.
    pub samples: usize,
    /// p.
    pub features: usize,
    /// Bytes that the inputs take in memory.
    pub bytes: u64,
    /// The least and the largest entry.
    pub extremes: [f64; 2],
    /// Share of entries that are zero.
    pub zeros: f64,
    /// What is to be learned.
    pub labels: LabelFacts,
    /// Number of groups, if there are any.
    pub groups: Option<usize>,
    /// Features that are the same in all samples.
    pub constant: Listed,
    /// What only second moments tell, of at most [`MOST_FEATURES`] features.
    pub spectrum: Option<Spectrum>,
}

/// Facts about labels.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelFacts {
    /// Classes: what each is called, and how many samples it has.
    Classes(Vec<(String, usize)>),
    /// So many real targets.
    Targets(usize),
}

/// Some features: how many, and what the first of them are called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// How many.
    pub count: usize,
    /// The names of the first few, or their numbers from 0.
    pub first: Vec<String>,
}

/// What second moments tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// The largest variances of principal components, descending.
    pub leading: Vec<f64>,
    /// The variance of all features together.
    pub total: f64,
    /// Features that are linear combinations of others and of a constant, but are not constant.
    pub dependent: Listed,
}

impl Listed {
    fn of(columns: &[usize], names: &[String]) -> Self {
        const FIRST: usize = 4;
        let name = |&column: &usize| names.get(column).map_or_else(|| column.to_string(), String::clone);
        Self { count: columns.len(), first: columns.iter().take(FIRST).map(name).collect() }
    }
}

/// Reads the data of a job and looks at them; `None` where they are drawn from a population.
///
/// One pass over the entries, and where there are at most [`MOST_FEATURES`] their second moment.
///
/// # Errors
///
/// As [`Input::load`](crate::input::Input::load).
pub fn facts(job: &Job) -> Result<Option<Facts>, EngineError> {
    let DataSpec::Rows(spec) = &job.spec.data else { return Ok(None) };
    let (Source { inputs, groups, .. }, labels) = samples::read(job, spec)?;
    let (rows, names) = (&*inputs.rows, &inputs.names);
    let (samples, features) = (rows.samples(), rows.features());
    // Of each feature the first value, and whether it has another one.
    let mut nonzero = 0_u64;
    let mut first = vec![0.0; features];
    rows.write_rows(0, &mut first);
    let (mut changes, mut seen) = (vec![false; features], vec![0_usize; features]);
    rows.for_entries(&mut |_, column, value| {
        nonzero += 1;
        seen[column] += 1;
        changes[column] |= value.total_cmp(&first[column]).is_ne();
    });
    let is_constant = |&column: &usize| {
        // Nothing but zeros, or no zero and one value.
        seen[column] == 0 || (seen[column] == samples && !changes[column])
    };
    let constant: Vec<usize> = (0..features).filter(is_constant).collect();
    let spectrum = if features <= MOST_FEATURES {
        let moment = rows.second_moment()?;
        let total = (0..features).map(|i| moment[(i, i)]).sum();
        let mut dependent = dependent(moment.as_ref());
        dependent.retain(|column| constant.binary_search(column).is_err());
        let dependent = Listed::of(&dependent, names);
        Some(Spectrum { leading: leading_variances(moment, LEADING.min(features))?, total, dependent })
    } else {
        None
    };
    Ok(Some(Facts {
        samples,
        features,
        bytes: rows.bytes(),
        extremes: moments::extremes(rows),
        zeros: 1.0 - nonzero as f64 / (samples as f64 * features as f64),
        labels: match &labels {
            Labels::Classes(classes) => LabelFacts::Classes(sizes(classes)),
            Labels::Targets(targets) => LabelFacts::Targets(targets.ncols()),
        },
        groups: groups.as_ref().map(ClassLabels::count),
        constant: Listed::of(&constant, names),
        spectrum,
    }))
}

/// What each class is called, and how many samples it has.
fn sizes(classes: &ClassLabels) -> Vec<(String, usize)> {
    let mut sizes: Vec<_> = (0..classes.count()).map(|class| (classes.name(class), 0)).collect();
    for &class in classes.classes() {
        sizes[usize::from(class)].1 += 1;
    }
    sizes
}
