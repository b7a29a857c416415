//! The grid as arithmetic: which coordinates the row with a given number has.
//!
//! Nothing is materialised. A **unit** is the rows of one replicate that share clean samples: of
//! synthetic data those of one data setting and one n, of real data those of one data setting and
//! all n, because nested subsets share one running Gram matrix. A **column** is a unit over all
//! replicates. Rows are numbered column by column, in a column replicate by replicate, and within a
//! unit by (n of real data,) the corruption, the views, the dimension, and the paradigm fastest:
//!
//! `row = (column · replicates + replicate) · rows_per_unit + within`.
//!
//! In a job with stages a unit is the rows of one replicate at one data setting *and* one setting
//! of the corruption, with all n: settings of the corruption are then columns, which threads and
//! shards share, and within a unit rows are numbered by n, the views, the dimension, and the
//! paradigm.
//!
//! Where rows are critical alignments, which are found over replicates, a unit is one combination
//! of the axes with its paradigms.
//!
//! So consecutive rows hold few values of the axes and many replicates, and a part can be pruned by
//! a filter on axes.

use std::ops::Range;

use eigensweep_job::{AxisValues, JobSpec, Level};

/// An axis of the grid with its place in the numbering of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct GridAxis {
    /// Column name.
    pub name: &'static str,
    /// What it belongs to.
    pub level: Level,
    /// Its values.
    pub values: Values,
    /// Rows between two steps along the axis.
    pub stride: u64,
}

/// Values of an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Real numbers.
    Floats(Vec<f64>),
}

impl Values {
    /// Number of values, at least 1.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Integers(values) => values.len() as u64,
            Self::Floats(values) => values.len() as u64,
        }
    }

    /// The number of values, as a size.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an axis has a value")]
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// All values as numbers, for tables.
    #[must_use]
    pub fn as_floats(&self) -> Vec<f64> {
        (0..self.len()).map(|index| self.as_float(index)).collect()
    }

    /// The value at `index` as a number, for tables.
    #[must_use]
    pub fn as_float(&self, index: usize) -> f64 {
        match self {
            Self::Integers(values) => values[index] as f64,
            Self::Floats(values) => values[index],
        }
    }
}

impl GridAxis {
    /// Which value of the axis a row has.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "below the axis' length, which is a usize")]
    pub fn index(&self, row: u64) -> usize {
        (row / self.stride % self.values.count()) as usize
    }
}

/// Axes in the order of the data set's columns, and the counts that number the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Axes in canonical order.
    pub axes: Vec<GridAxis>,
    /// Number of paradigms, the fastest digit.
    pub paradigms: u64,
    /// Rows of one replicate.
    pub rows_per_replicate: u64,
    /// Rows of one setting of the population, over all replicates: of one data setting, and in a
    /// job with stages of one setting of the corruption, too.
    pub rows_per_setting: u64,
    /// Rows of one sample.
    pub rows_per_sample: u64,
    /// Rows of one unit.
    pub rows_per_unit: u64,
    /// Number of replicates.
    pub replicates: u64,
    /// Number of the first replicate.
    pub first_replicate: u64,
}

/// What a digit of the numbering of rows belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Axis(Level),
    Replicate,
}

/// The order of the digits.
#[derive(Clone, Copy)]
enum Order {
    /// Drawn data: a sample is drawn for each n.
    Drawn,
    /// Rows: samples are nested in one permutation, so replicates stand before the samples.
    Nested,
    /// Rows that stages corrupt: what is corrupted alike is accumulated together.
    Stages,
    /// Critical alignments: each combination by itself.
    Traced,
}

impl Order {
    fn of(spec: &JobSpec) -> Self {
        match (spec.boundary.is_some(), spec.stages().is_some(), spec.data.is_rows()) {
            (true, _, _) => Self::Traced,
            (false, true, _) => Self::Stages,
            (false, false, true) => Self::Nested,
            (false, false, false) => Self::Drawn,
        }
    }

    /// All digits, slowest first.
    fn ranks(self) -> [Rank; 7] {
        let [data, samples, noise, views, within, dimension] =
            [Level::Data, Level::Samples, Level::Noise, Level::Views, Level::Within, Level::Dimension]
                .map(Rank::Axis);
        match self {
            Self::Drawn => [data, samples, Rank::Replicate, noise, views, within, dimension],
            Self::Nested => [data, Rank::Replicate, samples, noise, views, within, dimension],
            Self::Stages => [data, noise, Rank::Replicate, samples, views, within, dimension],
            Self::Traced => [data, samples, noise, views, within, dimension, Rank::Replicate],
        }
    }

    /// Whether a digit belongs to the population that samples are drawn from.
    fn is_setting(self, rank: Rank) -> bool {
        match (self, rank) {
            (_, Rank::Axis(Level::Data)) | (Self::Stages, Rank::Axis(Level::Noise)) => true,
            (_, Rank::Axis(_) | Rank::Replicate) => false,
        }
    }
}

/// A combination of values of the axes of one level.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'g> {
    grid: &'g Grid,
    /// A row that has these values.
    row: u64,
}

impl Setting<'_> {
    /// Which value of an axis this is; 0 where the job has no such axis.
    #[must_use]
    pub fn index(&self, name: &str) -> usize {
        self.grid.axis(name).map_or(0, |axis| axis.index(self.row))
    }

    /// The value of an axis, if the job has it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.grid.axis(name).map(|axis| axis.values.as_float(axis.index(self.row)))
    }

    /// The number of the first row that has these values.
    #[must_use]
    pub fn row(&self) -> u64 {
        self.row
    }
}

impl Grid {
    /// The grid of a job.
    #[must_use]
    pub fn new(spec: &JobSpec) -> Self {
        let mut axes: Vec<GridAxis> = spec
            .axes()
            .into_iter()
            .map(|axis| GridAxis {
                name: axis.name,
                level: axis.level,
                values: match axis.values {
                    AxisValues::Integers(values) => Values::Integers(values.to_vec()),
                    AxisValues::Floats(values) => Values::Floats(values.to_vec()),
                },
                stride: 0,
            })
            .collect();
        let paradigms = spec.model.paradigms.len() as u64;
        let replicates = u64::from(spec.job.replicates);
        let order = Order::of(spec);
        let place = |rank: Rank| order.ranks().iter().position(|one| *one == rank);
        let mut digits: Vec<(Rank, Option<usize>)> =
            axes.iter().enumerate().map(|(i, axis)| (Rank::Axis(axis.level), Some(i))).collect();
        digits.push((Rank::Replicate, None));
        digits.sort_by_key(|&(rank, _)| place(rank));
        let of_sample = place(Rank::Axis(Level::Samples)).max(place(Rank::Replicate));
        let mut stride = paradigms;
        let (mut rows_per_sample, mut rows_per_unit, mut rows_per_setting) = (stride, stride, stride);
        for (rank, axis) in digits.into_iter().rev() {
            if let Some(axis) = axis {
                axes[axis].stride = stride;
                stride *= axes[axis].values.count();
            } else {
                rows_per_unit = stride;
                stride *= replicates;
            }
            if place(rank) > of_sample {
                rows_per_sample = stride;
            }
            if !order.is_setting(rank) {
                rows_per_setting = stride;
            }
        }
        Self {
            axes,
            paradigms,
            rows_per_replicate: stride / replicates,
            rows_per_setting,
            rows_per_sample,
            rows_per_unit,
            replicates,
            first_replicate: u64::from(spec.job.first_replicate),
        }
    }

    /// Every combination of values of the axes of a level, in the order of the rows: what simulates
    /// walks it, so that this order stands here alone.
    pub fn settings(&self, level: Level) -> impl Iterator<Item = Setting<'_>> {
        let axes = || self.axes.iter().filter(move |axis| axis.level == level);
        let count: u64 = axes().map(|axis| axis.values.count()).product();
        // The axes of a level are neighbouring digits.
        let step = axes().map(|axis| axis.stride).min().unwrap_or(0);
        (0..count).map(move |at| Setting { grid: self, row: at * step })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_per_replicate * self.replicates
    }

    /// Replicate of a row.
    #[must_use]
    pub fn replicate(&self, row: u64) -> u64 {
        self.first_replicate + row / self.rows_per_unit % self.replicates
    }

    /// Rows of one column.
    #[must_use]
    pub fn rows_per_column(&self) -> u64 {
        self.rows_per_unit * self.replicates
    }

    /// Column of a row.
    #[must_use]
    pub fn column(&self, row: u64) -> u64 {
        row / self.rows_per_column()
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> u64 {
        self.rows_per_replicate / self.rows_per_unit
    }

    /// The rows of `units` in the order in which they are written: column by column, in a column
    /// cell by cell, and of a cell replicate by replicate. Sorted so, a row group holds few cells,
    /// and its statistics tell which.
    pub fn written(&self, units: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        let mut start = units.start;
        let segments = std::iter::from_fn(move || {
            let end = units.end.min((start / self.replicates + 1) * self.replicates);
            let segment = start..end;
            start = end;
            (!segment.is_empty()).then_some(segment)
        });
        segments.flat_map(move |units| {
            (0..self.rows_per_unit)
                .flat_map(move |within| units.clone().map(move |unit| unit * self.rows_per_unit + within))
        })
    }

    /// Paradigm number (an index into the job's paradigms) of a row.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 2")]
    pub fn paradigm(&self, row: u64) -> usize {
        (row % self.paradigms) as usize
    }

    /// The axis called `name`.
    #[must_use]
    pub fn axis(&self, name: &str) -> Option<&GridAxis> {
        self.axes.iter().find(|axis| axis.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::Grid;
    use eigensweep_job as job;
    use eigensweep_job::Level;

    const AXES: &str = "[data]\ncomponents = [2, 5, 3]\nREST[corruption]\ncomponents = [4, 1]\nscale = [1, 2]\n[augmentation]\n\
        scale = [3, 4]\nalignment = [0, 1, 2]\n[model]\ndimension = [2, 1]\n[grid]\nsamples = [10, 1000, 50]\n[job]\n\
        replicates = 4\nfirst_replicate = 7\n";

    const STAGES: &str = "[data]\nsource = \"glyphs\"\ncomponents = [2, 5, 3]\n[corruption]\nstages = [{ kind = \"dropout\", \
        name = \"lost\", probability = [0.1, 0.2], fill = { from = 0, to = 2, count = 3 } }]\n[augmentation]\nstages = [{ kind = \
        \"dropout\", probability = [0.3, 0.4] }]\nfloor = [0, 1e-4]\nalignment = [0, 1, 2]\n[model]\ndimension = [2, 1]\n\
        [grid]\nsamples = [10, 1000, 50]\n[job]\nreplicates = 4\nfirst_replicate = 7\n";

    /// Synthetic data, whose replicates follow each other at one n; files, whose samples of all n
    /// are one unit; and stages.
    fn grids() -> [Grid; 3] {
        let synthetic = "scale = [1, 2]\nseparation = [0.2, 0.5]\n";
        let files = "source = \"idx\"\nimages = \"i\"\nlabels = \"l\"\n";
        [AXES.replace("REST", synthetic), AXES.replace("REST", files), STAGES.to_owned()]
            .map(|text| Grid::new(&job::parse("test.toml", &text, &[], Path::new("")).unwrap().spec))
    }

    #[test]
    fn rows_and_coordinates_are_one_to_one() {
        let [synthetic, files, stages] = grids();
        assert_eq!(synthetic.rows_per_unit, 2 * 2 * 2 * 3 * 2 * 3);
        assert_eq!(synthetic.columns(), 3 * 2 * 2 * 3);
        assert_eq!(files.rows_per_unit, 3 * 2 * 2 * 2 * 3 * 2 * 3);
        assert_eq!(files.columns(), 3);
        assert_eq!(stages.rows_per_unit, 3 * 2 * 2 * 3 * 2 * 3);
        assert_eq!(stages.columns(), 3 * 2 * 3);
        for grid in [synthetic, files, stages] {
            let mut seen = BTreeSet::new();
            for row in 0..grid.rows() {
                let indices: Vec<usize> = grid.axes.iter().map(|axis| axis.index(row)).collect();
                let (replicate, paradigm) = (grid.replicate(row), grid.paradigm(row));
                assert!((7..11).contains(&replicate));
                // Back again.
                let axes = grid.axes.iter().zip(&indices);
                let number = axes.map(|(axis, &index)| axis.stride * index as u64).sum::<u64>()
                    + (replicate - 7) * grid.rows_per_unit
                    + paradigm as u64;
                assert_eq!(number, row);
                assert!(seen.insert((replicate, indices, paradigm)));
            }
            let cells: u64 = grid.axes.iter().map(|axis| axis.values.count()).product();
            assert_eq!(seen.len() as u64, 4 * 3 * cells, "all of them");
        }
    }

    /// What the engine walks: a unit is one replicate at one setting of data and of corruption, and
    /// both follow from its column.
    #[test]
    fn a_unit_of_a_job_with_stages_has_one_setting_of_data_and_corruption_and_every_n() {
        let [.., grid] = grids();
        let noises = grid.settings(Level::Noise).count() as u64;
        assert_eq!((noises, grid.rows_per_setting), (6, grid.rows_per_column()));
        assert_eq!(grid.rows_per_unit / grid.rows_per_sample, 3);
        let noise: Vec<_> = grid.settings(Level::Noise).collect();
        let data: Vec<_> = grid.settings(Level::Data).collect();
        let at = |number: u64| usize::try_from(number).unwrap();
        for row in 0..grid.rows() {
            let setting = row / grid.rows_per_setting;
            let (data, noise) = (&data[at(setting / noises)], &noise[at(setting % noises)]);
            for axis in &grid.axes {
                let found = axis.index(row);
                match axis.level {
                    Level::Data => assert_eq!(found, data.index(axis.name)),
                    Level::Noise => assert_eq!(found, noise.index(axis.name)),
                    Level::Samples => {
                        let within = row % grid.rows_per_unit;
                        assert_eq!(found as u64, within / grid.rows_per_sample);
                    }
                    Level::Views | Level::Within | Level::Dimension => {}
                }
            }
        }
    }

    #[test]
    fn settings_are_the_values_of_neighbouring_digits_in_row_order() {
        for grid in grids() {
            for level in
                [Level::Data, Level::Samples, Level::Noise, Level::Views, Level::Within, Level::Dimension]
            {
                let names: Vec<&str> =
                    grid.axes.iter().filter(|axis| axis.level == level).map(|axis| axis.name).collect();
                let settings: Vec<_> = grid.settings(level).collect();
                let rows: BTreeSet<Vec<usize>> = settings
                    .iter()
                    .map(|setting| names.iter().map(|name| setting.index(name)).collect())
                    .collect();
                let count: u64 = names.iter().map(|name| grid.axis(name).unwrap().values.count()).product();
                assert_eq!((settings.len() as u64, rows.len() as u64), (count, count), "each once");
                assert!(settings.windows(2).all(|pair| pair[0].row() < pair[1].row()));
                // Nothing else changes from one to the next.
                for axis in grid.axes.iter().filter(|axis| axis.level != level) {
                    assert!(settings.iter().all(|setting| setting.index(axis.name) == 0), "{}", axis.name);
                }
            }
        }
    }

    /// Every row of the units once; column by column, of a column cell by cell, of a cell replicate
    /// by replicate.
    #[test]
    fn rows_are_written_once_and_sorted() {
        for grid in grids() {
            let units = grid.rows() / grid.rows_per_unit;
            for (start, end) in
                [(0, units), (0, 1), (1, 3), (2, 9), (3, 4), (5, units - 1), (units - 3, units), (4, 4)]
            {
                let written: Vec<u64> = grid.written(start..end).collect();
                let mut sorted = written.clone();
                sorted.sort_unstable();
                let expected: Vec<u64> = (start * grid.rows_per_unit..end * grid.rows_per_unit).collect();
                assert_eq!(sorted, expected, "units {start} to {end}");
                let key = |row: u64| {
                    let column = row / (grid.rows_per_unit * grid.replicates);
                    (column, row % grid.rows_per_unit, grid.replicate(row))
                };
                assert!(written.windows(2).all(|pair| key(pair[0]) < key(pair[1])), "units {start} to {end}");
            }
        }
    }
}
