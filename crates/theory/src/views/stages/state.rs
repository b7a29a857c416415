//! The moments that a chain of stages carries, and how a stage is pushed through them.

use faer::{Mat, MatRef};

use super::tiles::{symmetrize, transpose};
use super::{Scratch, Stage};

/// The moments of views, inputs and labels, all divided by n; symbols as in the [crate's
/// table](crate).
///
/// Inputs have p features, views d: the same until a stage changes their number.
#[derive(Clone, Debug)]
pub struct State {
    /// μ = mean x̄ (d × 1).
    pub mean: Mat<f64>,
    /// Cᵀ = X̄ᵀX/n (d × p): a column an input.
    pub cross: Mat<f64>,
    /// G = X̄ᵀX̄/n (d × d): two independent views of one sample.
    pub mean_views: Mat<f64>,
    /// S = mean E\[vvᵀ\] (d × d): a view with itself.
    pub views: Mat<f64>,
    /// B = X̄ᵀY/n (d × ℓ).
    pub view_labels: Mat<f64>,
    /// x̂ = mean x (p × 1).
    pub input_mean: Mat<f64>,
    /// ŷ = mean y (ℓ × 1).
    pub label_mean: Mat<f64>,
}

impl State {
    /// The state before any stage: of inputs with second moment XᵀX/n (d × d, both triangles), mean
    /// (d × 1), moment with the labels XᵀY/n (d × ℓ), and of the labels' mean (ℓ × 1).
    #[must_use]
    pub fn of(
        second: MatRef<'_, f64>,
        mean: MatRef<'_, f64>,
        labels: MatRef<'_, f64>,
        label_mean: MatRef<'_, f64>,
    ) -> Self {
        let owned = |matrix: MatRef<'_, f64>| matrix.to_owned();
        Self {
            mean: owned(mean),
            cross: owned(second),
            mean_views: owned(second),
            views: owned(second),
            view_labels: owned(labels),
            input_mean: owned(mean),
            label_mean: owned(label_mean),
        }
    }

    /// Pushes a stage that is drawn afresh for every view.
    ///
    /// The order matters: the old μ where the first factor of G goes through, the new one where the
    /// second does.
    pub fn view(&mut self, stage: &dyn Stage, scratch: &mut Scratch) {
        stage.mean(&mut self.cross, column(&self.input_mean), scratch);
        stage.mean(&mut self.view_labels, column(&self.label_mean), scratch);
        // mean E[T(v₁)] v₂ᵀ.
        stage.mean(&mut self.mean_views, column(&self.mean), scratch);
        stage.second(&mut self.views, column(&self.mean), scratch);
        symmetrize(&mut self.views);
        stage.mean(&mut self.mean, &[1.0], scratch);
        let mut turned = scratch.take(self.mean_views.ncols(), self.mean_views.nrows());
        transpose(&self.mean_views, &mut turned);
        stage.mean(&mut turned, column(&self.mean), scratch);
        symmetrize(&mut turned);
        scratch.give(std::mem::replace(&mut self.mean_views, turned));
    }

    /// Pushes a stage that is drawn once a sample, shared by the input and by every view, in the
    /// limit of many samples. Before the first view stage only.
    pub fn corrupt(&mut self, stage: &dyn Stage, scratch: &mut Scratch) {
        stage.mean(&mut self.view_labels, column(&self.label_mean), scratch);
        stage.second(&mut self.views, column(&self.mean), scratch);
        symmetrize(&mut self.views);
        stage.mean(&mut self.mean, &[1.0], scratch);
        self.cross.clone_from(&self.views);
        self.mean_views.clone_from(&self.views);
        self.input_mean.clone_from(&self.mean);
    }

    /// Makes these the moments of models with a free intercept, with every mean zero. Last of all:
    /// stages act on raw values.
    ///
    /// An entry is a sum of so many `terms`: what that leaves of a feature that is the same in all
    /// views is rounding, and becomes zero. Returns the diagonal of S as it was, for
    /// [`rounding`](Self::rounding).
    pub fn centre(&mut self, terms: usize) -> Vec<f64> {
        let before: Vec<f64> = self.views.diagonal().column_vector().iter().copied().collect();
        subtract(&mut self.cross, &self.mean, &self.input_mean);
        subtract(&mut self.mean_views, &self.mean, &self.mean);
        subtract(&mut self.views, &self.mean, &self.mean);
        subtract(&mut self.view_labels, &self.mean, &self.label_mean);
        for mean in [&mut self.mean, &mut self.input_mean, &mut self.label_mean] {
            mean.fill(0.0);
        }
        let rounding = 8.0 * f64::EPSILON * terms as f64;
        for (i, &before) in before.iter().enumerate() {
            if self.views[(i, i)] <= rounding * before {
                for matrix in [&mut self.views, &mut self.mean_views] {
                    matrix.row_mut(i).fill(0.0);
                    matrix.col_mut(i).fill(0.0);
                }
                self.cross.row_mut(i).fill(0.0);
                self.view_labels.row_mut(i).fill(0.0);
            }
        }
        before
    }

    /// What S is off by once its diagonal is one, as means were taken off that left little of this
    /// diagonal `before` (d): some roundings of each feature's share.
    #[must_use]
    pub fn rounding(&self, before: &[f64]) -> f64 {
        let share = |(i, before): (usize, &f64)| {
            let after = self.views[(i, i)];
            if after > 0.0 { before / after } else { 0.0 }
        };
        8.0 * f64::EPSILON * before.iter().enumerate().map(share).sum::<f64>()
    }

    /// Adds white noise of `share · tr S / d` to the views, so that S is definite.
    pub fn floor(&mut self, share: f64) {
        let size = self.views.nrows();
        let trace: f64 = (0..size).map(|i| self.views[(i, i)]).sum();
        for i in 0..size {
            self.views[(i, i)] += share * trace / size as f64;
        }
    }
}

/// The entries of a matrix of one column.
fn column(matrix: &Mat<f64>) -> &[f64] {
    matrix.col_as_slice(0)
}

/// `M ← M − a bᵀ`.
fn subtract(matrix: &mut Mat<f64>, a: &Mat<f64>, b: &Mat<f64>) {
    for (column, b) in matrix.col_iter_mut().zip(b.col(0).iter()) {
        for (entry, a) in column.iter_mut().zip(a.col(0).iter()) {
            *entry -= a * b;
        }
    }
}
