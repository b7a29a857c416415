//! Views that a caller drew, of every row that was measured: moments of any training rows.
//!
//! All folds see the same views of a row, whose sums over all rows are had once; those over the
//! rows that are held out are taken off. Noise of alignment α comes *after* such views, `v + αγ` of
//! a view v: S grows by α²Γ̂, and nothing is drawn again.

use eigensweep_diagnose::{AtAnyAlignment, Fault, Run, Training, ViewMoments, ViewsOfRows};
use eigensweep_spectral::dense::{gram_lower, product};
use eigensweep_theory::InstructionSet;
use eigensweep_theory::views::stages::State;
use faer::{Accum, Mat, MatRef, RowRef};

use super::views::AllRows;

/// Rows of a block; no bit depends on it.
const BLOCK_ROWS: usize = 64;

/// Draws of a view of each row.
pub(super) struct DrawnViews<'a> {
    /// The rows (N × d), one table after the other.
    tables: Vec<MatRef<'a, f64>>,
    /// A view of each row, and another of each, and so on (mN × d).
    views: MatRef<'a, f64>,
    /// N.
    rows: usize,
    /// m.
    count: usize,
    /// The first view (d): it is taken off all, so that little is lost where means dwarf variances.
    origin: Vec<f64>,
    all: AllRows,
    /// Says when to stop.
    run: Run<'a>,
}

impl<'a> DrawnViews<'a> {
    /// Draws (mN × d) of the N rows of some tables; `Err` says what does not fit.
    pub(super) fn new(
        tables: Vec<MatRef<'a, f64>>,
        views: MatRef<'a, f64>,
        run: Run<'a>,
    ) -> Result<Self, String> {
        let rows: usize = tables.iter().map(MatRef::nrows).sum();
        let features = tables.first().map_or(0, MatRef::ncols);
        let count = views.nrows() / rows.max(1);
        // Without rows there is nothing to fit, which others say.
        if rows > 0 && count < 2 || count * rows != views.nrows() || views.ncols() != features {
            let (found, columns) = (views.nrows(), views.ncols());
            return Err(format!("{found} × {columns} numbers are no views of {rows} rows of {features}"));
        }
        let origin = views.row_iter().next().map_or_else(Vec::new, |row| row.iter().copied().collect());
        Ok(Self { tables, views, rows, count, origin, all: AllRows::default(), run })
    }

    /// A row with the origin taken off.
    fn about_origin(&self, row: RowRef<'_, f64>, to: &mut [f64]) {
        to.iter_mut().zip(row.iter()).zip(&self.origin).for_each(|((to, x), origin)| *to = x - origin);
    }

    /// Moments of the views of some rows about the origin.
    fn moments(&self, rows: &[usize]) -> Result<State, Fault> {
        let (size, set, each) = (self.origin.len(), InstructionSet::detect(), self.tables[0].nrows());
        let [mut cross, mut of_means, mut of_views] = [(); 3].map(|()| Mat::zeros(size, size));
        let [mut mean, mut input_mean] = [(); 2].map(|()| Mat::zeros(size, 1));
        let [mut inputs, mut means] = [(); 2].map(|()| Mat::zeros(size, BLOCK_ROWS));
        let mut views = Mat::zeros(size, self.count * BLOCK_ROWS);
        let share = 1.0 / self.count as f64;
        for block in rows.chunks(BLOCK_ROWS) {
            self.run.check()?;
            for (at, &row) in block.iter().enumerate() {
                self.about_origin(self.tables[row / each].row(row % each), inputs.col_as_slice_mut(at));
                let mean = means.col_as_slice_mut(at);
                mean.fill(0.0);
                for number in 0..self.count {
                    let view = views.col_as_slice_mut(at * self.count + number);
                    self.about_origin(self.views.row(number * self.rows + row), view);
                    mean.iter_mut().zip(view).for_each(|(mean, v)| *mean += share * *v);
                }
            }
            let [inputs, means] = [&inputs, &means].map(|of| of.as_ref().subcols(0, block.len()));
            product(set, cross.as_mut(), Accum::Add, means, inputs.transpose());
            gram_lower(set, of_means.as_mut(), Accum::Add, means);
            gram_lower(
                set,
                of_views.as_mut(),
                Accum::Add,
                views.as_ref().subcols(0, block.len() * self.count),
            );
            for (sum, of) in [(&mut mean, means), (&mut input_mean, inputs)] {
                of.col_iter().for_each(|column| *sum += column.as_mat());
            }
        }
        let (n, m) = (rows.len() as f64, self.count as f64);
        let square = |entry: &dyn Fn(usize, usize) -> f64| {
            Mat::from_fn(size, size, |i, j| entry(i.max(j), i.min(j)) / n)
        };
        Ok(State {
            mean: mean / faer::Scale(n),
            input_mean: input_mean / faer::Scale(n),
            cross: cross / faer::Scale(n),
            // E x̄x̄ᵀ = G + (S − G)/m, x̄ the mean of m views of a row.
            mean_views: square(&|i, j| (m * of_means[(i, j)] - of_views[(i, j)] / m) / (m - 1.0)),
            views: square(&|i, j| of_views[(i, j)] / m),
            view_labels: Mat::zeros(size, 0),
            label_mean: Mat::zeros(0, 1),
        })
    }
}

impl ViewsOfRows for DrawnViews<'_> {
    fn of<'a>(&'a self, training: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault> {
        let mut state = self.all.training(training, |rows| self.moments(rows))?;
        let before = state.centre(training.rows.len() + self.origin.len());
        Ok(Box::new(move |alpha| {
            let mut state = state.clone();
            state.views += faer::Scale(alpha * alpha) * training.noise;
            Ok(ViewMoments {
                rounding: state.rounding(&before),
                mean_views: state.mean_views,
                views: state.views,
                cross: state.cross.transpose().to_owned(),
            })
        }))
    }
}
