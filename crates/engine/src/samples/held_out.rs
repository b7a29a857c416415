//! Which rows are held out: a share of a source's, or files of their own.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use eigensweep_inputs::counts::select;
use eigensweep_inputs::readers::Inputs;
use eigensweep_inputs::{Blocks, ClassLabels, Columns, Labels, SourceFiles};
use eigensweep_job::Job;
use eigensweep_sampling::streams::Stream;
use eigensweep_sampling::subset::permute;

use super::refused;
use crate::EngineError;

/// Some of the rows of a source.
#[derive(Debug)]
pub(super) struct Part {
    of: Arc<dyn Blocks>,
    which: Which,
}

/// Which rows of a source.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    /// Consecutive ones.
    Range(Range<usize>),
    /// Any, ascending.
    Rows(Vec<usize>),
}

impl Which {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Rows(rows) => rows.len(),
        }
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::Range(range) => Box::new(range.clone()),
            Self::Rows(rows) => Box::new(rows.iter().copied()),
        }
    }
}

impl Blocks for Part {
    fn samples(&self) -> usize {
        self.which.len()
    }

    fn features(&self) -> usize {
        self.of.features()
    }

    fn bytes(&self) -> u64 {
        self.of.bytes()
    }

    fn shape(&self) -> Option<[usize; 3]> {
        self.of.shape()
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        self.of.bounds()
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        match &self.which {
            Which::Range(range) => self.of.write_rows(range.start + first, rows),
            Which::Rows(which) => {
                for (&row, to) in which[first..].iter().zip(rows.chunks_exact_mut(self.features())) {
                    self.of.write_rows(row, to);
                }
            }
        }
    }
}

/// Some of the rows of a source.
pub(super) fn part(of: &Arc<dyn Blocks>, which: &Which) -> Arc<dyn Blocks> {
    match which {
        Which::Range(range) if range.len() == of.samples() => Arc::clone(of),
        Which::Range(_) | Which::Rows(_) => Arc::new(Part { of: Arc::clone(of), which: which.clone() }),
    }
}

/// So large a share of rows, and before them the others: the last rows or, with a generator, random
/// ones. Of groups, whole ones: the last in the order in which they begin, or random ones.
pub(super) fn divided(
    total: usize,
    share: f64,
    groups: Option<&ClassLabels>,
    rng: Option<&mut Stream>,
) -> (Which, Which) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the rows")]
    let wanted = (total as f64 * share).round() as usize;
    // Without groups every row is one.
    let (of, sizes) = match groups {
        None if rng.is_none() => {
            let training = total.saturating_sub(wanted);
            return (Which::Range(0..training), Which::Range(training..total));
        }
        None => ((0..total).collect::<Vec<_>>(), vec![1; total]),
        Some(groups) => {
            let mut sizes = vec![0_usize; groups.count()];
            groups.classes().iter().for_each(|&group| sizes[usize::from(group)] += 1);
            (groups.classes().iter().map(|&group| usize::from(group)).collect(), sizes)
        }
    };
    let mut order: Vec<usize> = Vec::new();
    let mut begun = vec![false; sizes.len()];
    for &group in &of {
        if !std::mem::replace(&mut begun[group], true) {
            order.push(group);
        }
    }
    if let Some(rng) = rng {
        let count = order.len();
        let (mut places, mut pool) = (vec![0; count], vec![0; count]);
        permute(u32::try_from(count).unwrap_or(u32::MAX), &mut places, &mut pool, rng);
        order = places.into_iter().map(|place| order[place as usize]).collect();
    }
    let (mut out, mut taken) = (vec![false; sizes.len()], 0_usize);
    for group in order.into_iter().rev() {
        // As long as it comes nearer to the share.
        if (taken + sizes[group]).abs_diff(wanted) > taken.abs_diff(wanted) {
            break;
        }
        out[group] = true;
        taken += sizes[group];
    }
    let (out, training) = (0..total).partition(|&row| out[of[row]]);
    (Which::Rows(training), Which::Rows(out))
}

/// Whether rows are in the order of their labels: each class in one piece, or one target that only
/// rises or only falls. Of few rows that may be chance.
pub(super) fn are_sorted(labels: &Labels) -> bool {
    const FEW: usize = 20;
    match labels {
        Labels::Classes(classes) => {
            let classes = classes.classes();
            let changes = classes.windows(2).filter(|two| two[0] != two[1]).count();
            let mut there = classes.to_vec();
            there.sort_unstable();
            there.dedup();
            let several = there.len() > 1 && 2 * there.len() < classes.len();
            classes.len() >= FEW && several && changes + 1 == there.len()
        }
        Labels::Targets(targets) => {
            let first = targets.col_iter().next();
            let column: Vec<f64> = first.map_or_else(Vec::new, |of| of.iter().copied().collect());
            let rises = column.windows(2).all(|two| two[0] <= two[1]);
            let falls = column.windows(2).all(|two| two[0] >= two[1]);
            column.len() >= FEW && targets.ncols() == 1 && rises != falls
        }
    }
}

/// Held-out inputs with their features in the order of those that are learned from, where both have
/// names.
pub(super) fn same_features(
    job: &Job,
    key: &str,
    names: &[String],
    inputs: Inputs,
) -> Result<Inputs, EngineError> {
    if names.is_empty() || inputs.names.is_empty() || *names == *inputs.names {
        return Ok(inputs);
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, name) in inputs.names.iter().enumerate() {
        if places.insert(name, place).is_some() {
            // Names that are not unique tell nothing: features are taken in their order.
            return Ok(inputs);
        }
    }
    let found: Vec<Option<usize>> = names.iter().map(|name| places.get(&**name).copied()).collect();
    if let Some(missing) = found.iter().position(Option::is_none) {
        let name = &names[missing];
        let message = format!("`{key}` has no feature {name:?}, which those that are learned from have");
        let help = "give a file with the same columns, in any order; `columns` chooses them".to_owned();
        return Err(refused(job, key, message, "other features", Some(help)));
    }
    let columns: Vec<usize> = found.into_iter().flatten().collect();
    Ok(Inputs { rows: select(&*inputs.rows, &columns)?, names: names.to_vec() })
}

/// The files of rows that are held out: read as those that are learned from.
pub(super) fn held_out_files(source: &SourceFiles, inputs: &Path, answers: Option<&Columns>) -> SourceFiles {
    let mut files = SourceFiles { inputs: inputs.to_owned(), groups: None, ..source.clone() };
    if let (Some(columns), Some(answers)) = (&mut files.answers, answers) {
        answers.clone_into(columns.columns_mut());
    }
    files
}
