//! Rows most of whose entries are zero, such as counts of single cells: compressed sparse rows.
//!
//! | symbol | here | shape |
//! |---|---|---|
//! | `X` | nonzero entries, row by row, each with its column | n × p, N entries |
//! | `μ`, `C` | means and centred second moment, as in [`moments`](mod@crate::moments) | p, p × p |
//!
//! **Whole numbers**, such as counts, whose squares sum to less than 2⁵³ in every column: every sum
//! of products, and every partial sum, is a whole number below 2⁵³ (Cauchy–Schwarz), so that `G` is
//! exact and `C` is computed from it as for bytes. The same bits for every layout and machine.
//!
//! **Other numbers.** `C = G/n − μμᵀ` from the entries alone. What cancels there is bounded by how
//! much of a column is held: where a share δ of it is, `μ² ≤ δ·mean(x²)`, so that `mean(x²) ≤ C/(1
//! − δ)`. Columns with δ > ½, whose means may dwarf their variances, are centred before they are
//! multiplied, zeros included; for the others an entry of `C` is off by at most about 2n · 2⁻⁵³ of
//! the variances, twice what two passes over dense rows lose. Sums are in the order of the rows, a
//! product and a sum rounded each, so that bits are the same on every machine.
//!
//! **Cost.** 4 bytes an entry beside its value, 8 a row. N²/2n multiply-adds for `C` if rows have
//! about the same number of entries, as long as that is faster than the dense n p²/2 (`DENSE`). A
//! row at a time is written out as doubles; nothing else is dense but the p × p second moment.

use std::collections::TryReserveError;

use eigensweep_spectral::dense::prefetch;
use faer::Mat;

use crate::blocks::Element;
use crate::memory::may_fail;
use crate::moments::{self, Centred, CompensatedSum};
use crate::{Blocks, Compact, InputError};

/// The share of entries held from which on the dense second moment is faster. Measured on 5,000 ×
/// 2,000 counts, seconds at 0.02, 0.05, 0.1, 0.2: 0.1, 0.2, 0.3, 0.9 sparse against 0.8 to 1.1
/// dense; of real numbers 0.1, 0.1, 0.5, 1.7 against 2.6 to 2.8. No influence on moments of whole
/// numbers.
const DENSE: f64 = 0.2;

/// Doubles of the second moment that are added to at a time: 256 KiB, which caches hold. No
/// influence on any result.
const BAND: usize = 1 << 15;

/// Bound of whole numbers that doubles hold without gaps: 2⁵³.
const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;

/// Sparse rows, samples × features, all entries finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse<T> {
    /// Where each row begins among the entries, and where the last ends (n + 1).
    starts: Vec<usize>,
    /// The column of each entry (N), ascending within a row.
    columns: Vec<u32>,
    /// The entries (N).
    values: Vec<T>,
    features: usize,
}

impl<T: Element> Sparse<T> {
    /// Takes rows: where each begins (n + 1 numbers from 0, ascending, the last of them N), the
    /// columns of its entries in ascending order, and the entries.
    ///
    /// # Errors
    ///
    /// * [`InputError::Dimension`] if there are no samples or features, or the lengths do not
    ///   agree.
    /// * [`InputError::SparseStructure`] at the first row whose columns do not ascend, are too
    ///   large, or that begins behind its end.
    /// * [`InputError::NonFiniteEntry`] if an entry is infinite or not a number.
    pub fn new(
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<T>,
        features: usize,
    ) -> Result<Self, InputError> {
        let entries = values.len();
        let fits = starts.len() > 1 && features > 0 && starts[0] == 0 && columns.len() == entries;
        if !fits || starts.last() != Some(&entries) {
            return Err(InputError::Dimension {
                what: "sparse rows",
                expected: columns.len(),
                found: entries,
            });
        }
        for (row, ends) in starts.windows(2).enumerate() {
            let within = columns.get(ends[0]..ends[1]);
            let ascend = |of: &[u32]| of.windows(2).all(|two| two[0] < two[1]);
            let small = |of: &[u32]| of.last().is_none_or(|&last| (last as usize) < features);
            if !within.is_some_and(|of| ascend(of) && small(of)) {
                return Err(InputError::SparseStructure { row });
            }
            let values = &values[ends[0]..ends[1]];
            if let Some(at) = values.iter().position(|&value| !value.into().is_finite()) {
                let (column, value) = (columns[ends[0] + at] as usize, values[at].into());
                return Err(InputError::NonFiniteEntry { what: "inputs", row, column, value });
            }
        }
        Ok(Self { starts, columns, values, features })
    }

    /// The entries of a row with their columns, in ascending order.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + use<'_, T> {
        let within = self.starts[row]..self.starts[row + 1];
        let columns = self.columns[within.clone()].iter().map(|&column| column as usize);
        columns.zip(self.values[within].iter().map(|&value| value.into()))
    }

    /// Number N of entries that are held.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.values.len()
    }

    /// The columns' sums, if all entries are whole and sums of products are exact in any order.
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53")]
    fn whole_sums(&self) -> Option<Vec<i64>> {
        let mut sums = vec![0; self.features];
        let mut squares = vec![0.0; self.features];
        for (&column, &value) in self.columns.iter().zip(&self.values) {
            let (column, value): (usize, f64) = (column as usize, value.into());
            squares[column] += value * value;
            if value.fract().abs() > 0.0 || squares[column] >= EXACT {
                return None;
            }
            sums[column] += value as i64;
        }
        Some(sums)
    }

    /// `XᵀX`, p × p, lower triangle: each entry one sum of products in the order of the rows.
    fn gram(&self) -> Mat<f64> {
        let mut gram: Mat<f64> = Mat::zeros(self.features, self.features);
        let width = (BAND / self.features).max(1);
        // How far each row has come.
        let mut next = self.starts[..self.samples()].to_vec();
        for band in (0..self.features).step_by(width) {
            for (next, &end) in next.iter_mut().zip(&self.starts[1..]) {
                let (columns, values) = (&self.columns[..end], &self.values[..end]);
                while let Some(&column) = columns.get(*next).filter(|&&at| (at as usize) < band + width) {
                    let value: f64 = values[*next].into();
                    let to = gram.col_mut(column as usize).try_as_col_major_mut();
                    let Some(to) = to.map(faer::ColMut::as_slice_mut) else { break };
                    for (&other, &by) in columns[*next..].iter().zip(&values[*next..]) {
                        to[other as usize] += value * by.into();
                    }
                    *next += 1;
                }
            }
        }
        gram
    }

    /// These rows less a centre in some columns (ascending), zeros included.
    fn centred(&self, centres: &[(usize, f64)]) -> Result<Sparse<f64>, InputError> {
        let mut starts = vec![0];
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for row in 0..self.samples() {
            let mut push = |column: usize, value: f64| {
                // A column of this matrix: 32 bits hold it.
                columns.extend(u32::try_from(column));
                values.push(value);
            };
            let mut rest = centres.iter().copied().peekable();
            for (column, value) in self.row(row) {
                while let Some((before, centre)) = rest.next_if(|&(centred, _)| centred < column) {
                    push(before, -centre);
                }
                let centre =
                    rest.next_if(|&(centred, _)| centred == column).map_or(0.0, |(_, centre)| centre);
                push(column, value - centre);
            }
            rest.for_each(|(column, centre)| push(column, -centre));
            starts.push(values.len());
        }
        Sparse::new(starts, columns, values, self.features)
    }

    /// The columns of which more than half is held, with their means.
    fn full_columns(&self) -> Vec<(usize, f64)> {
        let mut held = vec![0; self.features];
        self.columns.iter().for_each(|&column| held[column as usize] += 1);
        let full = |&(column, _): &(usize, f64)| 2 * held[column] > self.samples();
        self.means().into_iter().enumerate().filter(full).collect()
    }
}

impl<T: Element> Blocks for Sparse<T> {
    fn samples(&self) -> usize {
        self.starts.len() - 1
    }

    fn features(&self) -> usize {
        self.features
    }

    fn bytes(&self) -> u64 {
        let of = [size_of_val(&*self.starts), size_of_val(&*self.columns), size_of_val(&*self.values)];
        of.iter().sum::<usize>() as u64
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        rows.fill(0.0);
        for (row, to) in (first..).zip(rows.chunks_exact_mut(self.features)) {
            self.row(row).for_each(|(column, value)| to[column] = value);
        }
    }

    fn ask_for(&self, row: usize) {
        let within = self.starts[row]..self.starts[row + 1];
        prefetch(&self.columns[within.clone()]);
        prefetch(&self.values[within]);
    }

    fn means(&self) -> Vec<f64> {
        let samples = self.samples() as f64;
        if let Some(sums) = self.whole_sums() {
            return sums.into_iter().map(|sum| sum as f64 / samples).collect();
        }
        let mut sums = vec![CompensatedSum::default(); self.features];
        for (&column, &value) in self.columns.iter().zip(&self.values) {
            sums[column as usize].add(value.into());
        }
        sums.into_iter().map(|sum| sum.total() / samples).collect()
    }

    fn second_moment(&self) -> Result<Mat<f64>, InputError> {
        let samples = self.samples() as f64;
        let dense = self.entries() as f64 > DENSE * samples * self.features as f64;
        if let Some(sums) = self.whole_sums() {
            let gram = if dense { moments::gram(&Centred { rows: self, means: &[] }) } else { self.gram() };
            return Ok(moments::centred_second_moment(gram, &sums, self.samples()));
        }
        if dense {
            return moments::two_pass(self);
        }
        // What rounded means leave of a column is taken off with the other columns' means.
        let full = self.full_columns();
        let (mut moment, means) = if full.is_empty() {
            (self.gram(), self.means())
        } else {
            let centred = self.centred(&full)?;
            (centred.gram(), centred.means())
        };
        for column in 0..self.features {
            for row in column..self.features {
                moment[(row, column)] = moment[(row, column)] / samples - means[row] * means[column];
            }
            // No entry beside the diagonal is larger than both of its variances.
            if !moment[(column, column)].is_finite() {
                return Err(InputError::TooLarge { feature: column });
            }
        }
        Ok(moment)
    }

    fn for_entries(&self, each: &mut dyn FnMut(usize, usize, f64)) {
        for row in 0..self.samples() {
            self.row(row).for_each(|(column, value)| each(row, column, value));
        }
    }

    fn select(&self, columns: &[usize]) -> Result<Box<dyn Blocks>, InputError> {
        // Where each column goes, which need not be in order.
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); self.features];
        (0..).zip(columns).for_each(|(place, &column)| places[column].push(place));
        let mut starts = vec![0];
        let (mut kept, mut values) = (Vec::new(), Vec::new());
        let mut line = Vec::new();
        for ends in self.starts.windows(2) {
            line.clear();
            for at in ends[0]..ends[1] {
                let places = &places[self.columns[at] as usize];
                line.extend(places.iter().map(|&place| (place, self.values[at])));
            }
            line.sort_unstable_by_key(|&(place, _)| place);
            kept.extend(line.iter().map(|&(place, _)| place));
            values.extend(line.iter().map(|&(_, value)| value));
            starts.push(kept.len());
        }
        Ok(Box::new(Self::new(starts, kept, values, columns.len())?))
    }

    fn mapped(&self, map: &dyn Fn(usize, f64) -> f64) -> Result<Box<dyn Blocks>, InputError> {
        let mut values = Vec::with_capacity(self.entries());
        for row in 0..self.samples() {
            values.extend(self.row(row).map(|(_, value)| map(row, value)));
        }
        Ok(Box::new(Sparse::new(self.starts.clone(), self.columns.clone(), values, self.features)?))
    }
}

/// Rows or columns that a file may declare without giving entries of them, by its bytes: an entry
/// as text takes at least six. Cells without counts are many in unfiltered data, but not that many.
pub(crate) fn most_rows(bytes: u64) -> u64 {
    bytes.saturating_mul(4).max(1 << 14)
}

/// Entries in the order of the file, none zero.
#[derive(Default)]
pub(crate) struct Entries {
    samples: Vec<u32>,
    features: Vec<u32>,
    values: Compact,
}

impl Entries {
    /// Adds an entry, unless it is zero.
    pub(crate) fn push(&mut self, sample: u32, feature: u32, value: f64) -> Result<(), TryReserveError> {
        if value.abs() > 0.0 {
            may_fail(|| self.samples.try_reserve(1))?;
            may_fail(|| self.features.try_reserve(1))?;
            self.values.push(value)?;
            self.samples.push(sample);
            self.features.push(feature);
        }
        Ok(())
    }

    /// Rows, each in the order of its columns, with entries of the same place summed in the order
    /// of the file.
    ///
    /// # Errors
    ///
    /// [`InputError::NoMemory`].
    pub(crate) fn into_rows(self, samples: usize, features: usize) -> Result<Box<dyn Blocks>, InputError> {
        let no_memory = |_| InputError::NoMemory { what: "the entries" };
        let mut starts = filled(0_usize, samples + 1).map_err(no_memory)?;
        self.samples.iter().for_each(|&sample| starts[sample as usize + 1] += 1);
        for row in 0..samples {
            starts[row + 1] += starts[row];
        }
        let (columns, values) = if self.samples.is_sorted() {
            (self.features, self.values)
        } else {
            let columns = placed(&self.features, &self.samples, &starts).map_err(no_memory)?;
            let values = match &self.values {
                Compact::Bytes(values) => placed(values, &self.samples, &starts).map(Compact::Bytes),
                Compact::Floats(values) => placed(values, &self.samples, &starts).map(Compact::Floats),
                Compact::Doubles(values) => placed(values, &self.samples, &starts).map(Compact::Doubles),
            };
            (columns, values.map_err(no_memory)?)
        };
        let ascends = |ends: &[usize]| columns[ends[0]..ends[1]].is_sorted_by(|a, b| a < b);
        if starts.windows(2).all(ascends) {
            return values.into_sparse(starts, columns, features);
        }
        let (starts, columns, values) = summed(&starts, &columns, &values).map_err(no_memory)?;
        values.into_sparse(starts, columns, features)
    }
}

fn filled<T: Copy>(value: T, length: usize) -> Result<Vec<T>, TryReserveError> {
    let mut all = Vec::new();
    may_fail(|| all.try_reserve_exact(length))?;
    all.resize(length, value);
    Ok(all)
}

/// Entries, each in the row of its sample, in the order that they had; `starts` has where rows
/// begin.
fn placed<T: Copy>(of: &[T], samples: &[u32], starts: &[usize]) -> Result<Vec<T>, TryReserveError> {
    let Some(&first) = of.first() else { return Ok(Vec::new()) };
    let mut all = filled(first, of.len())?;
    let mut next = filled(0, starts.len())?;
    next.copy_from_slice(starts);
    for (&value, &sample) in of.iter().zip(samples) {
        let to = &mut next[sample as usize];
        all[*to] = value;
        *to += 1;
    }
    Ok(all)
}

/// Rows sorted, and entries of the same place summed.
fn summed(
    starts: &[usize],
    columns: &[u32],
    values: &Compact,
) -> Result<(Vec<usize>, Vec<u32>, Compact), TryReserveError> {
    let value = |at: usize| match values {
        Compact::Bytes(values) => f64::from(values[at]),
        Compact::Floats(values) => f64::from(values[at]),
        Compact::Doubles(values) => values[at],
    };
    let (mut new_starts, mut new_columns, mut new_values) = (filled(0, 1)?, Vec::new(), Compact::default());
    may_fail(|| new_starts.try_reserve_exact(starts.len()))?;
    may_fail(|| new_columns.try_reserve(columns.len()))?;
    let mut row: Vec<(u32, f64)> = Vec::new();
    for ends in starts.windows(2) {
        row.clear();
        row.extend((ends[0]..ends[1]).map(|at| (columns[at], value(at))));
        row.sort_by_key(|&(column, _)| column);
        for same in row.chunk_by(|a, b| a.0 == b.0) {
            let sum: f64 = same.iter().map(|&(_, value)| value).sum();
            if sum.abs() > 0.0 {
                new_columns.push(same[0].0);
                new_values.push(sum)?;
            }
        }
        new_starts.push(new_columns.len());
    }
    Ok((new_starts, new_columns, new_values))
}
