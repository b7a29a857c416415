//! Which combinations of the axes are still drawn in a round of adaptive replicates.

use std::ops::Range;

use crate::grid::Grid;
use crate::plan::Plan;

/// A set of combinations, by column and position within a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Columns that it tells about.
    columns: Range<u64>,
    /// Combinations of a column: rows of a unit without the paradigms.
    per_column: u64,
    /// A bit a combination, column by column.
    bits: Vec<u64>,
}

impl Active {
    /// No combination of these columns of a plan.
    #[must_use]
    pub fn none(plan: &Plan, columns: Range<u64>) -> Self {
        let per_column = plan.grid.rows_per_unit / plan.grid.paradigms;
        let words = ((columns.end - columns.start) * per_column).div_ceil(64);
        Self { bits: vec![0; usize::try_from(words).unwrap_or(usize::MAX)], columns, per_column }
    }

    /// Takes a combination in.
    pub fn insert(&mut self, column: u64, combination: u64) {
        let (word, bit) = self.place(column, combination);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether a combination is in.
    #[must_use]
    pub fn contains(&self, column: u64, combination: u64) -> bool {
        let (word, bit) = self.place(column, combination);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether any of some combinations is.
    #[must_use]
    pub fn any(&self, column: u64, mut combinations: Range<u64>) -> bool {
        combinations.any(|combination| self.contains(column, combination))
    }

    /// Whether a row's combination is in.
    #[must_use]
    pub fn row(&self, grid: &Grid, row: u64) -> bool {
        self.contains(grid.column(row), row % grid.rows_per_unit / grid.paradigms)
    }

    fn place(&self, column: u64, combination: u64) -> (usize, u64) {
        if !self.columns.contains(&column) || combination >= self.per_column {
            return (usize::MAX, 0);
        }
        let number = (column - self.columns.start) * self.per_column + combination;
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }

    /// The combinations of some of the columns, as hexadecimal digits of 64-bit words.
    #[must_use]
    pub fn to_text(&self, plan: &Plan, columns: Range<u64>) -> String {
        let mut part = Self::none(plan, columns.clone());
        for column in columns {
            for combination in (0..self.per_column).filter(|&one| self.contains(column, one)) {
                part.insert(column, combination);
            }
        }
        part.bits.iter().map(|word| format!("{word:016x}")).collect()
    }

    /// The reverse; `None` if the text is not of these columns.
    #[must_use]
    pub fn from_text(plan: &Plan, columns: Range<u64>, text: &str) -> Option<Self> {
        let mut active = Self::none(plan, columns);
        if !text.is_ascii() || text.len() != 16 * active.bits.len() {
            return None;
        }
        for (at, word) in active.bits.iter_mut().enumerate() {
            *word = u64::from_str_radix(&text[16 * at..16 * (at + 1)], 16).ok()?;
        }
        Some(active)
    }

    /// Rows of a part that are of active combinations.
    #[must_use]
    pub fn rows(&self, plan: &Plan, part: u64) -> u64 {
        let units = plan.part_units(part);
        let replicates = plan.grid.replicates;
        let of_column = |column: u64| {
            let own = units.start.max(column * replicates)..units.end.min((column + 1) * replicates);
            let combinations = (0..self.per_column).filter(|&one| self.contains(column, one)).count();
            (own.end - own.start) * combinations as u64 * plan.grid.paradigms
        };
        plan.part_columns(part).map(of_column).sum()
    }
}
