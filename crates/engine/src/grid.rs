//! The grid as arithmetic: which coordinates the row with a given number has.
//!
//! Nothing is materialised. Rows are numbered with the replicate slowest, then the axes of the data, the samples, the
//! corruption, the views, the dimension, and the paradigm fastest:
//!
//! `row = ((replicate · |data| + data) · |samples| + …) · |paradigms| + paradigm`.

use crate::job::{AxisValues, JobSpec};

/// An axis of the grid with its place in the numbering of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct GridAxis {
    /// Column name.
    pub name: &'static str,
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

/// Axes in the order of the columns, and the counts that number the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Axes in canonical column order.
    pub axes: Vec<GridAxis>,
    /// Number of paradigms, the fastest digit.
    pub paradigms: u64,
    /// Rows of one replicate.
    pub rows_per_replicate: u64,
    /// Rows that differ in the data axes only: those of one data setting.
    pub rows_per_setting: u64,
    /// Rows of one sample size within a data setting.
    pub rows_per_sample: u64,
    /// Number of replicates.
    pub replicates: u64,
}

/// Where an axis stands in the numbering of rows, slowest first.
fn rank(name: &str) -> u8 {
    match name {
        "samples" => 1,
        "noise_components" | "noise_decay" | "noise_scale" => 2,
        "augmentation_decay" | "augmentation_scale" => 3,
        "alignment" => 4,
        "dimension" => 5,
        _ => 0,
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
                values: match axis.values {
                    AxisValues::Integers(values) => Values::Integers(values.to_vec()),
                    AxisValues::Floats(values) => Values::Floats(values.to_vec()),
                },
                stride: 0,
            })
            .collect();
        let paradigms = spec.model.paradigms.len() as u64;
        let mut order: Vec<usize> = (0..axes.len()).collect();
        order.sort_by_key(|&i| rank(axes[i].name));
        let mut stride = paradigms;
        let (mut rows_per_sample, mut rows_per_setting) = (paradigms, paradigms);
        for &i in order.iter().rev() {
            axes[i].stride = stride;
            stride *= axes[i].values.count();
            if rank(axes[i].name) >= 1 {
                rows_per_setting = stride;
            }
            if rank(axes[i].name) >= 2 {
                rows_per_sample = stride;
            }
        }
        Self {
            axes,
            paradigms,
            rows_per_replicate: stride,
            rows_per_setting,
            rows_per_sample,
            replicates: u64::from(spec.job.replicates),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_per_replicate * self.replicates
    }

    /// Replicate of a row.
    #[must_use]
    pub fn replicate(&self, row: u64) -> u64 {
        row / self.rows_per_replicate
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
