//! Figure 3 against a reference: is the difference of two Monte Carlo means within their standard
//! errors?
//!
//! A **cell** is a noise scale × paradigm × alignment × sample size (180 of them). Per cell, for
//! the mean distance and for the mean corrupted loss,
//!
//! `z = (m − m′) / √(s² + s′²)`, m, m′ the means of two independent simulations and s, s′ their
//! standard errors.
//!
//! If both draw from the same law each z is nearly standard normal. The cells of one simulation are
//! *not* independent (samples are nested over n, noise and spectra are shared over alignments and
//! paradigms), so a few cells stray together. Each metric is judged by itself over its own 180 z:
//! it [agrees](Summary::agrees) if no |z| reaches [`LARGEST`] and at most [`MOST_ABOVE`] exceed
//! [`ABOVE`]. For independent normals 0.5 of 180 would exceed 3, and one run in 800 would reach
//! 4.5.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use eigensweep_store::aggregate::Running;
use eigensweep_store::columns;
use eigensweep_store::dataset::{Dataset, read_columns};
use eigensweep_theory::metrics::{DISTANCE, LOSS_CORRUPTED};
use serde::Deserialize;

use crate::Fault;

/// |z| that no cell may reach.
pub const LARGEST: f64 = 4.5;
/// |z| that few cells may exceed.
pub const ABOVE: f64 = 3.0;
/// Cells of a metric that may exceed [`ABOVE`].
pub const MOST_ABOVE: usize = 5;

/// A cell; ordered by noise scale, paradigm, alignment and sample size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Bits of the noise scale: numbers ≥ 0 are ordered like them.
    noise_scale: u64,
    paradigm: String,
    alignment: u64,
    samples: i64,
}

impl Cell {
    /// The cell with these coordinates.
    #[must_use]
    pub fn new(noise_scale: f64, paradigm: &str, alignment: f64, samples: i64) -> Self {
        Self {
            noise_scale: noise_scale.to_bits(),
            paradigm: paradigm.to_owned(),
            alignment: alignment.to_bits(),
            samples,
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (noise_scale, alignment) = (f64::from_bits(self.noise_scale), f64::from_bits(self.alignment));
        write!(f, "{noise_scale:e} | {} | {alignment} | {}", self.paradigm, self.samples)
    }
}

/// A mean and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Mean over replicates.
    pub mean: f64,
    /// Sample standard deviation over the root of the number of replicates.
    pub standard_error: f64,
}

impl Estimate {
    /// z of the difference of two independent estimates; infinite where different means claim to be
    /// exact.
    #[must_use]
    pub fn z(&self, other: &Self) -> f64 {
        let difference = self.mean - other.mean;
        if difference == 0.0 { 0.0 } else { difference / self.standard_error.hypot(other.standard_error) }
    }
}

/// What is known of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimates {
    /// |clean − corrupted loss|.
    pub distance: Estimate,
    /// Corrupted loss.
    pub loss_corrupted: Estimate,
}

/// A simulation, cell by cell.
pub type Cells = BTreeMap<Cell, Estimates>;

#[derive(Deserialize)]
struct ReferenceFile {
    rows: Vec<ReferenceRow>,
}

#[derive(Deserialize)]
struct ReferenceRow {
    noise_scale: f64,
    paradigm: String,
    alignment: f64,
    samples: i64,
    mean_distance: f64,
    standard_error: f64,
    mean_loss_corrupted: f64,
    se_loss_corrupted: f64,
}

/// Reads a reference as `peers/reference_figure3.py` writes it.
///
/// # Errors
///
/// If the file cannot be read or has another structure.
pub fn read_reference(path: &Path) -> Result<Cells, Fault> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let file: ReferenceFile = serde_json::from_str(&text).map_err(|error| {
        format!("{} is not what peers/reference_figure3.py writes: {error}", path.display())
    })?;
    let cells = file.rows.iter().map(|row| {
        let estimates = Estimates {
            distance: Estimate { mean: row.mean_distance, standard_error: row.standard_error },
            loss_corrupted: Estimate { mean: row.mean_loss_corrupted, standard_error: row.se_loss_corrupted },
        };
        (Cell::new(row.noise_scale, &row.paradigm, row.alignment, row.samples), estimates)
    });
    Ok(cells.collect())
}

/// Distance and corrupted loss of a cell, replicate after replicate.
type Pair = [Running; 2];

/// Reads the committed parts of a data set.
///
/// # Errors
///
/// If there are none, one cannot be read, a row has no value (its cell would be a mean over other
/// replicates), or a cell has fewer than two replicates.
pub fn read_dataset(root: &Path) -> Result<Cells, Fault> {
    let mut running: BTreeMap<Cell, Pair> = BTreeMap::new();
    let (dataset, faults) = Dataset::read(root, false)?;
    if let Some(fault) = faults.first() {
        return Err(format!("{}: {} {}", root.display(), fault.file, fault.fault).into());
    }
    for record in dataset.records() {
        let names = [
            "noise_scale",
            "alignment",
            "samples",
            columns::PARADIGM,
            DISTANCE.name,
            LOSS_CORRUPTED.name,
            columns::STATUS,
        ];
        for batch in read_columns(&dataset.part_file(record), &names)? {
            add(&batch?, &mut running)?;
        }
    }
    if running.is_empty() {
        return Err(format!("{} has no committed part", root.display()).into());
    }
    let estimate = |running: &Running, cell: &Cell| {
        let found = running.mean().zip(running.standard_error());
        let (mean, standard_error) =
            found.ok_or_else(|| format!("cell {cell}: a standard error needs two replicates"))?;
        Ok::<_, Fault>(Estimate { mean, standard_error })
    };
    let cells = running.into_iter().map(|(cell, [distance, loss])| {
        let (distance, loss_corrupted) = (estimate(&distance, &cell)?, estimate(&loss, &cell)?);
        Ok((cell, Estimates { distance, loss_corrupted }))
    });
    cells.collect()
}

/// Adds the rows of a batch to their cells.
fn add(batch: &RecordBatch, running: &mut BTreeMap<Cell, Pair>) -> Result<(), Fault> {
    let column = |name: &str| {
        batch.column_by_name(name).ok_or_else(|| format!("the data set has no column `{name}`: not Figure 3"))
    };
    let floats = |name: &str| {
        let found = column(name)?.as_primitive_opt::<Float64Type>();
        found.ok_or_else(|| format!("column `{name}` does not hold numbers"))
    };
    let (noise_scale, alignment) = (floats("noise_scale")?, floats("alignment")?);
    let (distance, loss) = (floats(DISTANCE.name)?, floats(LOSS_CORRUPTED.name)?);
    let samples = column("samples")?.as_primitive_opt::<Int64Type>().ok_or("`samples` are whole numbers")?;
    let texts = |name: &str| -> Result<Vec<String>, String> {
        let texts = column(name)?.as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| format!("column `{name}` does not hold texts"))?;
        Ok(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
    };
    let (paradigms, status) = (texts(columns::PARADIGM)?, texts(columns::STATUS)?);
    for row in 0..batch.num_rows() {
        let cell =
            Cell::new(noise_scale.value(row), &paradigms[row], alignment.value(row), samples.value(row));
        if distance.is_null(row) || loss.is_null(row) {
            return Err(format!("cell {cell}: a row has no value (status {})", status[row]).into());
        }
        let [to_distance, to_loss] = running.entry(cell).or_default();
        to_distance.add(distance.value(row));
        to_loss.add(loss.value(row));
    }
    Ok(())
}

/// A cell of both simulations.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Which.
    pub cell: Cell,
    /// The simulation that is judged.
    pub ours: Estimates,
    /// The reference.
    pub reference: Estimates,
}

impl Compared {
    /// z of the mean distances.
    #[must_use]
    pub fn z_distance(&self) -> f64 {
        self.ours.distance.z(&self.reference.distance)
    }

    /// z of the mean corrupted losses.
    #[must_use]
    pub fn z_loss(&self) -> f64 {
        self.ours.loss_corrupted.z(&self.reference.loss_corrupted)
    }
}

/// Pairs the cells of two simulations, in order.
///
/// # Errors
///
/// If one has a cell that the other has not.
pub fn compare(ours: &Cells, reference: &Cells) -> Result<Vec<Compared>, Fault> {
    if let Some(cell) = ours.keys().find(|cell| !reference.contains_key(cell)) {
        return Err(format!("the reference has no cell {cell}").into());
    }
    let pair = |(cell, reference): (&Cell, &Estimates)| {
        let found = ours.get(cell).ok_or_else(|| format!("the data set has no cell {cell}"))?;
        Ok(Compared { cell: cell.clone(), ours: *found, reference: *reference })
    };
    reference.iter().map(pair).collect()
}

/// One metric over all cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of cells.
    pub cells: usize,
    /// Largest |z|; NaN if one is.
    pub largest: f64,
    /// Cells with |z| above [`ABOVE`].
    pub above: usize,
    /// Root of the mean of z²: 1 for independent unbiased estimates.
    pub root_mean_square: f64,
}

impl Summary {
    /// The summary of some z.
    #[must_use]
    pub fn of(z: &[f64]) -> Self {
        // `f64::max` would pass over a NaN.
        let larger = |most: f64, z: &f64| if z.abs() <= most { most } else { z.abs() };
        Self {
            cells: z.len(),
            largest: if z.iter().any(|z| z.is_nan()) { f64::NAN } else { z.iter().fold(0.0, larger) },
            above: z.iter().filter(|z| z.abs() > ABOVE).count(),
            root_mean_square: (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt(),
        }
    }

    /// Whether the metric agrees with the reference.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.largest < LARGEST && self.above <= MOST_ABOVE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(mean: f64, standard_error: f64) -> Estimate {
        Estimate { mean, standard_error }
    }

    #[test]
    fn z_is_the_difference_over_the_root_of_the_summed_squares() {
        assert!((estimate(7.0, 0.3).z(&estimate(6.0, 0.4)) - 2.0).abs() < 1e-12);
        assert!((estimate(6.0, 0.4).z(&estimate(7.0, 0.3)) + 2.0).abs() < 1e-12);
        assert_eq!(estimate(6.0, 0.0).z(&estimate(6.0, 0.0)).to_bits(), 0.0_f64.to_bits());
        assert!(estimate(6.0, 0.0).z(&estimate(7.0, 0.0)).is_infinite());
        assert!(estimate(f64::NAN, 0.1).z(&estimate(7.0, 0.1)).is_nan());
    }

    #[test]
    fn a_summary_counts_and_judges() {
        let mut z = vec![1.0; 180];
        z[7] = -4.0;
        let summary = Summary::of(&z);
        assert_eq!((summary.cells, summary.above), (180, 1));
        assert!((summary.largest - 4.0).abs() < 1e-12);
        assert!((summary.root_mean_square - (195.0_f64 / 180.0).sqrt()).abs() < 1e-12);
        assert!(summary.agrees());
        z[8] = 4.5;
        assert!(!Summary::of(&z).agrees(), "one cell too far");
        z[8..14].fill(3.1);
        z[7] = 1.0;
        assert!(!Summary::of(&z).agrees(), "six cells above three");
        z[8] = 2.9;
        assert!(Summary::of(&z).agrees(), "five cells above three");
        z[100] = f64::NAN;
        assert!(!Summary::of(&z).agrees(), "a cell without z");
    }

    #[test]
    fn simulations_with_other_cells_are_not_compared() {
        let both = Estimates { distance: estimate(1.0, 0.1), loss_corrupted: estimate(2.0, 0.1) };
        let cells = |samples: &[i64]| -> Cells {
            samples.iter().map(|&n| (Cell::new(1e3, "supervised", 0.1, n), both)).collect()
        };
        assert_eq!(compare(&cells(&[100, 200]), &cells(&[100, 200])).unwrap().len(), 2);
        assert!(compare(&cells(&[100]), &cells(&[100, 200])).is_err());
        assert!(compare(&cells(&[100, 200]), &cells(&[100])).is_err());
    }
}
