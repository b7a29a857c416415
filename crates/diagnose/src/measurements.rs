//! What was measured: repeats, and what they are repeats of.

use std::collections::HashMap;

use faer::{Mat, MatRef};

use crate::{DiagnoseError, Run};

/// Measurements that tell signal from noise. Rows are measurements, columns the d features; tables
/// whose rows are contiguous are read where they lie, others are copied.
#[derive(Clone, Copy, Debug)]
pub enum Measurements<'a> {
    /// Two measurements of each of m things (m × d each), or a corruption drawn twice for each row:
    /// what differs is noise.
    Repeats([MatRef<'a, f64>; 2]),
    /// Rows of one id (N) are measurements of the same thing, any number of them: what differs
    /// within an id is noise. Ids of a single row are left out.
    Groups {
        /// All rows (N × d).
        rows: MatRef<'a, f64>,
        /// What each is a measurement of (N): any numbers.
        ids: &'a [usize],
    },
    /// Rows of one batch (N): what differs *between* batches is noise, what differs within is
    /// signal. Whole batches are held out. Batches of a single row are left out.
    Nuisance {
        /// All rows (N × d).
        rows: MatRef<'a, f64>,
        /// The batch of each (N): any numbers.
        batches: &'a [usize],
    },
}

/// Labels: of each of the m things that were measured twice, else of each row.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// Classes, numbered from 0.
    Classes {
        /// The class of each.
        classes: &'a [usize],
        /// How many classes there are.
        count: usize,
    },
    /// Real targets, a row each (× ℓ).
    Targets(MatRef<'a, f64>),
}

/// What rows are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pairs,
    Groups,
    Batches,
}

impl Kind {
    /// What items are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Groups => "groups",
            Self::Batches => "batches",
        }
    }
}

/// Fewest items: two to train on, one to hold out.
const LEAST: usize = 3;

/// A table that is read row by row.
#[derive(Debug)]
enum Table<'a> {
    Given(MatRef<'a, f64>),
    /// Transposed.
    Copied(Mat<f64>),
}

impl<'a> Table<'a> {
    fn new(table: MatRef<'a, f64>) -> Self {
        if table.col_stride() == 1 { Self::Given(table) } else { Self::Copied(table.transpose().to_owned()) }
    }

    fn row(&self, row: usize) -> &[f64] {
        let (table, row) = match self {
            Self::Given(table) => (table.transpose(), row),
            Self::Copied(table) => (table.as_ref(), row),
        };
        table.col(row).try_as_col_major().map_or(&[], |row| row.as_slice())
    }
}

/// Items, each of two rows or more.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    pub(crate) kind: Kind,
    /// d.
    pub(crate) features: usize,
    /// Mean of all rows that are used (d); it is taken off every row that is read. Of a constant
    /// feature it is that constant, so that nothing is left.
    pub(crate) origin: Vec<f64>,
    /// Features that never change.
    pub(crate) constant: Vec<usize>,
    /// Items that were left out.
    pub(crate) singles: usize,
    tables: Vec<Table<'a>>,
    /// Rows of a table.
    each: usize,
    /// Rows of an item after those of the one before, and where they begin.
    rows: Vec<usize>,
    starts: Vec<usize>,
}

impl<'a> Items<'a> {
    /// Items of measurements that are sound.
    pub(crate) fn new(measurements: &Measurements<'a>, run: &Run<'_>) -> Result<Self, DiagnoseError> {
        let (kind, given, groups) = match *measurements {
            Measurements::Repeats([first, second]) => {
                expect("rows of the repeats", first.nrows(), second.nrows())?;
                expect("columns of the repeats", first.ncols(), second.ncols())?;
                (Kind::Pairs, vec![first, second], None)
            }
            Measurements::Groups { rows, ids } => (Kind::Groups, vec![rows], Some(ids)),
            Measurements::Nuisance { rows, batches } => (Kind::Batches, vec![rows], Some(batches)),
        };
        let (each, features) = (given[0].nrows(), given[0].ncols());
        for (table, what) in given.iter().zip(["the inputs", "the repeats"]) {
            run.check()?;
            check_values(what, *table, LARGEST)?;
        }
        let groups = match groups {
            None => (0..each).map(|row| vec![row, each + row]).collect(),
            Some(of) => {
                expect(if kind == Kind::Groups { "ids" } else { "batches" }, each, of.len())?;
                grouped(of)
            }
        };
        let all = groups.len();
        let kept: Vec<Vec<usize>> = groups.into_iter().filter(|rows| rows.len() > 1).collect();
        let (singles, found) = (all - kept.len(), kept.len());
        if found < LEAST {
            let remedy = match kind {
                Kind::Pairs => "measure more things twice",
                Kind::Groups => "ids must repeat, and there must be several",
                Kind::Batches => "one batch says nothing of how batches differ",
            };
            return Err(DiagnoseError::FewItems { of: kind.name(), found, least: LEAST, remedy });
        }
        // Items are dealt to folds by numbers of 32 bits.
        let most = u32::MAX as usize;
        expect("items, at most", found.min(most), found)?;
        let starts = std::iter::once(0).chain(kept.iter().scan(0, |end, rows| {
            *end += rows.len();
            Some(*end)
        }));
        let tables = given.into_iter().map(Table::new).collect();
        let mut items = Self {
            kind,
            features,
            origin: vec![0.0; features],
            constant: Vec::new(),
            singles,
            tables,
            each,
            starts: starts.collect(),
            rows: kept.concat(),
        };
        (items.origin, items.constant) = items.mean(run)?;
        if items.constant.len() == features {
            return Err(DiagnoseError::NoVariance);
        }
        Ok(items)
    }

    /// m.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Rows of all items.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The rows of an item.
    pub(crate) fn of(&self, item: usize) -> &[usize] {
        &self.rows[self.starts[item]..self.starts[item + 1]]
    }

    /// Where the rows of an item begin among those of all items.
    pub(crate) fn start(&self, item: usize) -> usize {
        self.starts[item]
    }

    /// A row as it was given; those of a second table are numbered after those of the first.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        self.tables[row / self.each].row(row % self.each)
    }

    /// Which label a row has.
    pub(crate) fn label_of(&self, row: usize) -> usize {
        row % self.each
    }

    /// Labels that there must be.
    pub(crate) fn labels(&self) -> usize {
        self.each
    }

    /// The mean of all rows, and which features are constant.
    fn mean(&self, run: &Run<'_>) -> Result<(Vec<f64>, Vec<usize>), DiagnoseError> {
        let first = self.row(self.rows[0]);
        let (mut mean, mut changes) = (vec![0.0; self.features], vec![false; self.features]);
        for &row in &self.rows {
            run.check()?;
            for (i, x) in self.row(row).iter().enumerate() {
                mean[i] += x;
                changes[i] |= x.to_bits() != first[i].to_bits();
            }
        }
        let count = self.rows.len() as f64;
        let constant: Vec<usize> = (0..self.features).filter(|&i| !changes[i]).collect();
        mean.iter_mut().for_each(|mean| *mean /= count);
        constant.iter().for_each(|&i| mean[i] = first[i]);
        Ok((mean, constant))
    }
}

/// Rows by what they are of, in the order in which that appears.
fn grouped(of: &[usize]) -> Vec<Vec<usize>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (row, of) in of.iter().enumerate() {
        let place = *places.entry(of).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    groups
}

pub(crate) fn expect(what: &'static str, expected: usize, found: usize) -> Result<(), DiagnoseError> {
    if expected == found { Ok(()) } else { Err(DiagnoseError::Shape { what, expected, found }) }
}

/// The largest number of rows and labels: sums of squares of these are finite, and their products.
pub(crate) const LARGEST: f64 = 1e140;

/// Looks for what is not finite, or larger than `most`, row by row.
pub(crate) fn check_values(
    what: &'static str,
    table: MatRef<'_, f64>,
    most: f64,
) -> Result<(), DiagnoseError> {
    for (row, values) in table.row_iter().enumerate() {
        let wrong = |(_, value): &(usize, &f64)| value.is_nan() || value.abs() > most;
        if let Some((column, &value)) = values.iter().enumerate().find(wrong) {
            return Err(match value.is_finite() {
                true => DiagnoseError::TooLarge { what, row, column, value },
                false => DiagnoseError::NotFinite { what, row, column, value },
            });
        }
    }
    Ok(())
}

impl Labels<'_> {
    /// ℓ, of one-hot labels the number of classes.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Classes { count, .. } => *count,
            Self::Targets(targets) => targets.ncols(),
        }
    }

    /// Checks that there are so many, and what they are.
    pub(crate) fn check(&self, expected: usize) -> Result<(), DiagnoseError> {
        match self {
            Self::Classes { classes, count } => {
                expect("labels", expected, classes.len())?;
                match classes.iter().find(|class| *class >= count) {
                    Some(&class) => {
                        Err(DiagnoseError::Shape { what: "classes", expected: *count, found: class + 1 })
                    }
                    None => Ok(()),
                }
            }
            Self::Targets(targets) => {
                expect("labels", expected, targets.nrows())?;
                check_values("the labels", *targets, LARGEST)
            }
        }
    }

    /// Whether two labels are one.
    pub(crate) fn same(&self, one: usize, other: usize) -> bool {
        match self {
            Self::Classes { classes, .. } => classes[one] == classes[other],
            Self::Targets(targets) => targets.row(one) == targets.row(other),
        }
    }

    /// Writes a label (ℓ).
    pub(crate) fn write(&self, label: usize, to: &mut [f64]) {
        match self {
            Self::Classes { classes, .. } => {
                to.fill(0.0);
                to[classes[label]] = 1.0;
            }
            Self::Targets(targets) => {
                to.iter_mut().zip(targets.row(label).iter()).for_each(|(to, x)| *to = *x);
            }
        }
    }
}
