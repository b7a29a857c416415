//! The summary of a data set: each combination of the axes and paradigm over its replicates, as
//! figures, the report and `run` read it.
//!
//! [`read`] takes the lines of a finished data set from the file that `run` left
//! (`summary/summary.parquet`), and folds those of any other, and of a choice of single rows, from
//! the parts on the fly; never more than a column of the grid is in memory while that happens. A
//! quantile is exact of up to [`EXACT`](crate::aggregate::EXACT) replicates, whether rows are kept
//! or blocks; of more, it is within 1 %.

use eigensweep_job::Detail;
use eigensweep_theory::Paradigm;
use eigensweep_theory::metrics::{DISTANCE, Metric, THRESHOLD_SQUARED};
use eigensweep_theory::thresholds::alignment;

use crate::StoreError;
use crate::aggregate::Aggregate;
use crate::columns::{self, DATASET, PARADIGM};
use crate::dataset::Dataset;
use crate::filter::{Filter, Value};
use crate::find;
use crate::format::{coordinate, count, counted};
use crate::grid::Grid;

/// Count, mean, spread and quantiles of a metric over some replicates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Replicates with a value.
    pub count: u64,
    /// Mean; `None` of nothing, as all that follow.
    pub mean: Option<f64>,
    /// Variance, with n − 1; `None` of one value as well.
    pub variance: Option<f64>,
    /// Standard error of the mean; `None` of one value as well.
    pub standard_error: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Quantile at 5 %.
    pub q05: Option<f64>,
    /// Quantile at 25 %.
    pub q25: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Quantile at 75 %.
    pub q75: Option<f64>,
    /// Quantile at 95 %.
    pub q95: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
}

impl Statistics {
    /// Of numbers in the order of [`STATISTICS`](columns::STATISTICS), after the count.
    pub(crate) fn new(count: u64, numbers: [Option<f64>; 10]) -> Self {
        let [mean, variance, standard_error, min, q05, q25, median, q75, q95, max] = numbers;
        Self { count, mean, variance, standard_error, min, q05, q25, median, q75, q95, max }
    }

    pub(crate) fn of(values: &Aggregate) -> Self {
        let running = values.running();
        let [q05, q25, median, q75, q95] = values.quantiles([0.05, 0.25, 0.5, 0.75, 0.95]);
        Self {
            count: running.count(),
            mean: running.mean(),
            variance: running.variance(),
            standard_error: running.standard_error(),
            min: values.extremes().map(|[least, _]| least),
            q05,
            q25,
            median,
            q75,
            q95,
            max: values.extremes().map(|[_, most]| most),
        }
    }

    /// The numbers in the order of [`STATISTICS`](columns::STATISTICS), after the count.
    pub(crate) fn numbers(&self) -> [Option<f64>; 10] {
        let Self { count: _, mean, variance, standard_error, min, q05, q25, median, q75, q95, max } = *self;
        [mean, variance, standard_error, min, q05, q25, median, q75, q95, max]
    }
}

/// Differences of a metric between two paradigms, replicate by replicate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Replicates where both have a value.
    pub count: u64,
    /// Mean; `None` of nothing.
    pub mean: Option<f64>,
    /// Standard error of the mean; `None` of fewer than two.
    pub standard_error: Option<f64>,
}

/// A combination of the axes and a paradigm over its replicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Number of its first row in the grid of the whole job, which tells axes and paradigm.
    pub row: u64,
    /// Replicates.
    pub replicates: u64,
    /// Those of them without a value.
    pub failed: u64,
    /// By metric of the [`Table`].
    pub metrics: Vec<Statistics>,
    /// Replicates with α² above their threshold, of those that have one; `None` where none has, and
    /// where rows are not kept.
    pub above: Option<u64>,
    /// By metric that is compared and earlier paradigm; empty where rows are not kept.
    pub(crate) differences: Vec<Difference>,
}

/// The summary of a data set, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The grid of the whole job.
    pub grid: Grid,
    /// The job's paradigms.
    pub paradigms: Vec<&'static Paradigm>,
    /// Metrics that were asked for.
    pub metrics: Vec<&'static Metric>,
    /// In order of their rows.
    pub lines: Vec<Line>,
}

impl Table {
    /// The value of an axis on a line, if the job has the axis.
    #[must_use]
    pub fn axis(&self, line: &Line, name: &str) -> Option<f64> {
        self.grid.axis(name).map(|axis| axis.values.as_float(axis.index(line.row)))
    }

    /// The paradigm of a line.
    #[must_use]
    pub fn paradigm(&self, line: &Line) -> &'static Paradigm {
        self.paradigms[self.grid.paradigm(line.row)]
    }

    /// What a line says of a metric, if it was asked for.
    #[must_use]
    pub fn statistics<'l>(&self, line: &'l Line, metric: &Metric) -> Option<&'l Statistics> {
        line.metrics.get(self.metrics.iter().position(|known| *known == metric)?)
    }

    /// Differences of a metric: the line's paradigm minus one before it in the job. `None` where
    /// rows are not kept.
    #[must_use]
    pub fn difference(&self, line: &Line, metric: &Metric, earlier: &Paradigm) -> Option<Difference> {
        let mut compared = self.metrics.iter().filter(|metric| is_compared(metric));
        let metric = compared.position(|known| *known == metric)?;
        let paradigm = self.grid.paradigm(line.row);
        let earlier = self.paradigms[..paradigm].iter().position(|known| *known == earlier)?;
        line.differences.get(metric * paradigm + earlier).copied()
    }
}

/// Whether paradigms are compared by a metric: all but thresholds, which are of the spectra.
pub(crate) fn is_compared(metric: &Metric) -> bool {
    *metric != THRESHOLD_SQUARED
}

/// Rows that fulfil a condition.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// The condition.
    pub filter: &'a Filter,
    /// The name that the data set goes by, for conditions on [`DATASET`].
    pub dataset: &'a str,
}

impl<'a> Selection<'a> {
    /// Whether it takes or leaves whole cells: it names neither replicates nor what was computed of
    /// them.
    pub(crate) fn is_of_cells(&self, grid: &Grid) -> bool {
        let of_rows = |name: &str| {
            [columns::REPLICATE, columns::STATUS].contains(&name)
                || grid.axis(name).is_none() && eigensweep_theory::metrics::named(name).is_some()
        };
        !self.filter.columns().into_iter().any(of_rows)
    }

    /// Whether the condition holds for a row of which these columns are known; columns that it has
    /// not are missing.
    pub(crate) fn holds(&self, known: &impl Fn(&str) -> Option<Value<'a>>) -> Option<bool> {
        self.filter.holds(&|name| match known(name) {
            Some(value) => value,
            None if name == DATASET => Value::Text(self.dataset),
            None => Value::Missing,
        })
    }
}

/// The columns that a condition on a data set may name, each with whether it holds texts: those of
/// rows only where they are kept.
#[must_use]
pub fn conditions(dataset: &Dataset) -> Vec<(&'static str, bool)> {
    let mut columns = find::columns(dataset);
    let is_axis = |name| dataset.spec().axes().iter().any(|axis| axis.name == name);
    if dataset.spec().output.detail == Detail::Summary {
        columns.retain(|(name, _)| is_axis(*name) || *name == PARADIGM);
    }
    columns
}

/// The lines of a data set, or those of the selected rows, with some metrics; `None` if there are
/// more than `most`.
///
/// # Errors
///
/// [`StoreError`] if the summary or a part cannot be read.
pub fn read(
    dataset: &Dataset,
    metrics: &[&'static Metric],
    selection: Option<Selection<'_>>,
    most: usize,
) -> Result<Option<Table>, StoreError> {
    dataset.refuse_boundaries()?;
    let spec = dataset.spec();
    let mut table = Table {
        grid: Grid::new(spec),
        paradigms: spec.model.paradigms.clone(),
        metrics: metrics.to_vec(),
        lines: Vec::new(),
    };
    // Numbers of the condition are read as tables show them.
    let values = |name: &str| table.grid.axis(name).map(|axis| axis.values.as_floats());
    let shown = selection.map(|selection| selection.filter.as_shown(&values));
    let selection =
        selection.zip(shown.as_ref()).map(|(selection, filter)| Selection { filter, ..selection });
    let mut few = true;
    dataset.visit_lines(&table.grid, metrics, selection, &mut |line| {
        few = table.lines.len() < most;
        if few {
            table.lines.push(line);
        }
        few
    })?;
    Ok(few.then_some(table))
}

/// Most rows of a table that people read.
pub const TABLE_ROWS: usize = 30;

/// Values of axes that stand for all of them where a table would be too long.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    axes: Vec<SlicedAxis>,
}

#[derive(Clone, Debug, PartialEq)]
struct SlicedAxis {
    name: String,
    /// The values that are left, ascending.
    kept: Vec<f64>,
    /// How many there were.
    count: usize,
}

impl Slice {
    /// Of some axes, each with its values in any order, so few values that they have at most `most`
    /// combinations: of the noise scale and the alignment (or the first two axes) the ends and the
    /// middle, and of every other axis the middle; all values of all axes where they are few
    /// enough.
    #[must_use]
    pub fn new<'n>(axes: impl IntoIterator<Item = (&'n str, Vec<f64>)>, most: usize) -> Self {
        let axis = |(name, mut kept): (&str, Vec<f64>)| {
            kept.sort_by(f64::total_cmp);
            kept.dedup();
            SlicedAxis { name: name.to_owned(), count: kept.len(), kept }
        };
        let mut axes: Vec<SlicedAxis> = axes.into_iter().map(axis).filter(|axis| axis.count > 1).collect();
        let is_main = |axis: &SlicedAxis| ["noise_scale", "alignment"].contains(&axis.name.as_str());
        let mut order: Vec<usize> = (0..axes.len()).collect();
        order.sort_by_key(|&at| !is_main(&axes[at]));
        let middle = |axis: &mut SlicedAxis| axis.kept = vec![axis.kept[axis.kept.len() / 2]];
        let ends = |axis: &mut SlicedAxis| {
            let (last, values) = (axis.kept.len() - 1, &axis.kept);
            axis.kept = vec![values[0], values[last.div_ceil(2)], values[last]];
            axis.kept.dedup();
        };
        let (main, surplus) = order.split_at(order.len().min(2));
        let last_first = surplus.iter().rev().map(|&at| (at, false));
        let thinned = main.iter().rev().map(|&at| (at, true));
        let at_last = main.iter().rev().map(|&at| (at, false));
        for (at, keep_ends) in last_first.chain(thinned).chain(at_last) {
            if axes.iter().map(|axis| axis.kept.len()).product::<usize>() <= most {
                break;
            }
            if keep_ends { ends(&mut axes[at]) } else { middle(&mut axes[at]) }
        }
        Self { axes }
    }

    /// Whether a value of an axis is left; every value of an axis that it does not know is.
    #[must_use]
    pub fn holds(&self, name: &str, value: f64) -> bool {
        let axis = self.axes.iter().find(|axis| axis.name == name);
        axis.is_none_or(|axis| axis.kept.iter().any(|kept| kept.total_cmp(&value).is_eq()))
    }

    /// What was left out, axis by axis: `dimension = 8 (middle of 3)`, `3 of 11 values of
    /// alignment`; nothing where all is shown.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let cut = self.axes.iter().filter(|axis| axis.kept.len() < axis.count);
        let words = |SlicedAxis { name, kept, count }: &SlicedAxis| match kept.as_slice() {
            [only] => {
                let place = if *count == 2 { "largest" } else { "middle" };
                format!("{name} = {} ({place} of {count})", coordinate(*only))
            }
            several => format!("{} of {count} values of {name}", several.len()),
        };
        cut.map(words).collect()
    }
}

/// What `run` prints at the end: the first metric of the job at the smallest and the largest
/// sample, such as how far the corrupted model is from the clean one, and what theory says.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The metric.
    pub metric: &'static Metric,
    /// Axes of one value, with that value.
    pub constants: Vec<(&'static str, f64)>,
    /// Smallest n of the job.
    pub smallest: i64,
    /// Largest n of the job.
    pub largest: i64,
    /// One line per paradigm and combination of the axes other than samples.
    pub lines: Vec<SummaryLine>,
}

/// A paradigm at one combination of the axes other than samples.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryLine {
    /// Axis names and values, those of one value and the alignment left out.
    pub axes: Vec<(&'static str, f64)>,
    /// The paradigm's name.
    pub paradigm: &'static str,
    /// α.
    pub alignment: f64,
    /// The metric at the smallest n.
    pub smallest: Statistics,
    /// The metric at the largest n.
    pub largest: Statistics,
    /// Threshold on α² at the largest n.
    pub threshold: Statistics,
    /// Replicates with α² above their threshold, if that is known.
    pub above: Option<u64>,
}

impl SummaryLine {
    /// The threshold `α* = √max(0, α²)` at the median of α² over the replicates; infinite where no
    /// α recovers.
    #[must_use]
    pub fn median_threshold(&self) -> Option<f64> {
        self.threshold.median.map(alignment)
    }

    /// Share of the replicates whose threshold α² exceeds.
    #[must_use]
    pub fn share_above(&self) -> Option<f64> {
        self.above.map(|above| above as f64 / self.threshold.count as f64)
    }
}

/// Most lines that are collected: a terminal's worth many times over.
pub const LINES: u64 = 10_000;

/// The lines at the smallest and the largest n; `None` if there are more than [`LINES`]
/// combinations.
///
/// # Errors
///
/// [`StoreError`] if the summary or a part cannot be read.
pub fn summarise(dataset: &Dataset) -> Result<Option<Summary>, StoreError> {
    dataset.refuse_boundaries()?;
    let spec = dataset.spec();
    let grid = Grid::new(spec);
    let samples = spec.grid.samples.values();
    let combinations = grid.rows_per_replicate / samples.len() as u64;
    let (Some(&smallest), Some(&largest)) = (samples.iter().min(), samples.iter().max()) else {
        return Ok(None);
    };
    if combinations > LINES {
        return Ok(None);
    }
    let metric = spec.output.metrics.first().copied().unwrap_or(&DISTANCE);
    let mut lines = blank_lines(&spec.model.paradigms, &grid);
    dataset.visit_lines(&grid, &[metric, &THRESHOLD_SQUARED], None, &mut |found| {
        let n = grid.axis("samples").map_or(f64::NAN, |axis| axis.values.as_float(axis.index(found.row)));
        let is = |end: i64| (end as f64).to_bits() == n.to_bits();
        let line = &mut lines[line_of(&grid, found.row)];
        if is(smallest) {
            line.smallest = found.metrics[0];
        }
        if is(largest) {
            (line.largest, line.threshold) = (found.metrics[0], found.metrics[1]);
            line.above = found.above;
        }
        true
    })?;
    let single = grid.axes.iter().filter(|axis| axis.values.count() == 1);
    let constants = single.map(|axis| (axis.name, axis.values.as_float(0))).collect();
    Ok(Some(Summary { metric, constants, smallest, largest, lines }))
}

/// Rows without a value, by status.
#[must_use]
pub fn failures(dataset: &Dataset) -> Vec<(&'static str, u64)> {
    let count = |status: &columns::Status| {
        let name = status.name();
        (name, dataset.records().filter_map(|record| record.failed.get(name)).sum())
    };
    columns::Status::ALL.iter().map(count).filter(|&(_, count)| count > 0).collect()
}

/// What to say of a data set's rows without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRemarks {
    /// Each status that there is, with how many rows have it, in words.
    pub of_status: Vec<(&'static str, String)>,
    /// That they are more than the job allows, if they are.
    pub too_many: Option<String>,
}

/// Says how many rows have no value, and whether that is too many.
#[must_use]
pub fn failure_remarks(dataset: &Dataset) -> FailureRemarks {
    let failed = failures(dataset);
    let rows = dataset.rows_done().max(1) as f64;
    let remark = |&(status, count): &(&'static str, u64)| {
        let share = 100.0 * count as f64 / rows;
        (status, format!("{} without a value ({share:.2} %): {status}", counted(count, "row")))
    };
    let all: u64 = failed.iter().map(|(_, count)| count).sum();
    let allowed = dataset.spec().output.max_failed;
    let too_many = || {
        format!(
            "{} of {} without a value, more than [output] max_failed = {allowed} allows",
            count(all.into()),
            counted(dataset.rows_done(), "row")
        )
    };
    FailureRemarks {
        of_status: failed.iter().map(remark).collect(),
        too_many: (all as f64 > allowed * rows).then(too_many),
    }
}

/// Position of a row's line: its number within the data setting's sample.
#[expect(clippy::cast_possible_truncation, reason = "below LINES")]
fn line_of(grid: &Grid, row: u64) -> usize {
    let setting = row / grid.rows_per_setting;
    (setting * grid.rows_per_sample + row % grid.rows_per_sample) as usize
}

fn blank_lines(paradigms: &[&'static Paradigm], grid: &Grid) -> Vec<SummaryLine> {
    let settings = grid.rows() / grid.rows_per_setting;
    // A row of each line.
    let rows = (0..settings)
        .flat_map(|setting| (0..grid.rows_per_sample).map(move |row| setting * grid.rows_per_setting + row));
    let line = |row| SummaryLine {
        axes: grid
            .axes
            .iter()
            .filter(|axis| axis.values.count() > 1 && axis.name != "samples" && axis.name != "alignment")
            .map(|axis| (axis.name, axis.values.as_float(axis.index(row))))
            .collect(),
        paradigm: paradigms[grid.paradigm(row)].name,
        alignment: grid.axis("alignment").map_or(f64::NAN, |axis| axis.values.as_float(axis.index(row))),
        smallest: Statistics::default(),
        largest: Statistics::default(),
        threshold: Statistics::default(),
        above: None,
    };
    rows.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::Slice;

    fn five() -> Vec<(&'static str, Vec<f64>)> {
        vec![
            ("noise_scale", (0..11).map(f64::from).collect()),
            ("augmentation_scale", vec![1.0, 2.0, 4.0, 8.0, 16.0]),
            ("alignment", vec![10.0, 0.1, 1.0]),
            ("dimension", vec![2.0, 4.0, 8.0]),
        ]
    }

    #[test]
    fn a_slice_has_few_rows_and_says_what_it_left_out() {
        let slice = Slice::new(five(), 10);
        let expected = [
            "3 of 11 values of noise_scale",
            "augmentation_scale = 4 (middle of 5)",
            "dimension = 4 (middle of 3)",
        ];
        assert_eq!(slice.words(), expected);
        assert!(
            slice.holds("alignment", 10.0) && slice.holds("noise_scale", 5.0) && slice.holds("samples", 7.0)
        );
        assert!(!slice.holds("dimension", 2.0) && !slice.holds("noise_scale", 4.0));
    }

    #[test]
    fn a_slice_of_little_is_the_whole() {
        assert!(Slice::new(five(), 11 * 5 * 3 * 3).words().is_empty());
        // The last axes go first.
        assert_eq!(Slice::new(five(), 165).words(), ["dimension = 4 (middle of 3)"]);
    }

    #[test]
    fn even_one_row_can_be_had() {
        for most in 1..30 {
            let slice = Slice::new(five(), most);
            let axes = five();
            let kept = |(name, values): &(&str, Vec<f64>)| {
                values.iter().filter(|value| slice.holds(name, **value)).count()
            };
            assert!(axes.iter().map(kept).product::<usize>() <= most, "{most}");
        }
    }
}
