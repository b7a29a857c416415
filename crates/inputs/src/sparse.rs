//! Rows most of whose entries are zero, such as counts of single cells: compressed sparse rows.
//!
//! | symbol | here | shape |
//! |---|---|---|
//! | `X` | nonzero entries, row by row, each with its column | n × p, N entries |
//!
//! **Cost.** 4 bytes an entry beside its value, 8 a row. A block of rows is written out as doubles;
//! nothing else is dense but the p × p second moment.

use crate::blocks::Element;
use crate::{Blocks, InputError};

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
    /// * [`InputError::Dimension`] if there are no samples or features, or the lengths do not agree.
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
}
