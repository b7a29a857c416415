//! Second moments of inputs, views and labels: all that the closed forms need of a sample.

use faer::{MatMut, MatRef};

/// The moments of one problem, for any views (Section 3 of the paper); symbols as in the [crate's
/// table](crate).
#[derive(Clone, Copy, Debug)]
pub struct Moments<'a> {
    /// G (d × d), symmetric.
    pub mean_views: MatRef<'a, f64>,
    /// S = G + Σ (d × d), symmetric, positive semidefinite.
    pub views: MatRef<'a, f64>,
    /// C = XᵀX̄/n (p × d): d × d unless views have another number of features than inputs.
    pub cross: MatRef<'a, f64>,
    /// B = X̄ᵀY/n (d × ℓ).
    pub view_labels: MatRef<'a, f64>,
    /// C̃ (d × d), symmetric: second moment of the inputs; of zeros where they have another size,
    /// and then losses on inputs mean nothing.
    pub inputs: MatRef<'a, f64>,
    /// B̃ (d × ℓ): cross moment of the inputs and the labels.
    pub input_labels: MatRef<'a, f64>,
    /// y² = tr(YᵀY)/n.
    pub label_power: f64,
}

impl<'a> Moments<'a> {
    /// G (d × d), S (d × d) and C (d × d) of inputs that no label is asked of.
    #[must_use]
    pub fn unlabelled(mean_views: MatRef<'a, f64>, views: MatRef<'a, f64>, cross: MatRef<'a, f64>) -> Self {
        let none = cross.subcols(0, 0);
        Self {
            mean_views,
            views,
            cross,
            view_labels: none,
            inputs: mean_views,
            input_labels: none,
            label_power: 0.0,
        }
    }
}

/// Sums over a sample of n rows of clean inputs and labels A = \[X Y\] (w = k₀ + ℓ columns) and
/// unit noise N (p columns).
#[derive(Clone, Copy, Debug)]
pub struct SampleSums<'a> {
    /// AᵀA (w × w), both triangles.
    pub clean: MatRef<'a, f64>,
    /// AᵀN (w × p).
    pub cross: MatRef<'a, f64>,
    /// NᵀN (p × p), lower triangle.
    pub noise: MatRef<'a, f64>,
    /// n.
    pub samples: u64,
}

impl SampleSums<'_> {
    /// y² = tr(YᵀY)/n for a sample whose first `signal` columns are inputs.
    #[must_use]
    pub fn label_power(&self, signal: usize) -> f64 {
        (signal..self.clean.nrows()).map(|i| self.clean[(i, i)]).sum::<f64>() / self.samples as f64
    }

    /// Writes the clean moments `XᵀX/n` (k₀ × k₀) and `XᵀY/n` (k₀ × ℓ).
    pub fn clean_moments(&self, mut inputs: MatMut<'_, f64>, mut input_labels: MatMut<'_, f64>) {
        let signal = inputs.nrows();
        let inverse = 1.0 / self.samples as f64;
        for j in 0..signal {
            for i in 0..signal {
                inputs[(i, j)] = self.clean[(i, j)] * inverse;
            }
        }
        for j in 0..input_labels.ncols() {
            for i in 0..signal {
                input_labels[(i, j)] = self.clean[(i, signal + j)] * inverse;
            }
        }
    }

    /// Writes the moments of the corrupted inputs `X̃ = [X, N Γ^½]`: `C̃ = X̃ᵀX̃/n` (d × d, both
    /// triangles) and `B̃ = X̃ᵀY/n` (d × ℓ), d = k₀ + p; `noise_scale` holds the p square roots of
    /// Γ's eigenvalues.
    ///
    /// Source: Section 4.1 of the paper (x̃ = x + γ in orthogonal components).
    pub fn corrupted_moments(
        &self,
        noise_scale: &[f64],
        mut inputs: MatMut<'_, f64>,
        mut input_labels: MatMut<'_, f64>,
    ) {
        let components = noise_scale.len();
        let signal = inputs.nrows() - components;
        let labels = input_labels.ncols();
        self.clean_moments(
            inputs.as_mut().submatrix_mut(0, 0, signal, signal),
            input_labels.as_mut().submatrix_mut(0, 0, signal, labels),
        );
        let inverse = 1.0 / self.samples as f64;
        for (j, scale) in noise_scale.iter().enumerate() {
            let factor = scale * inverse;
            for i in 0..signal {
                let x = self.cross[(i, j)] * factor;
                inputs[(i, signal + j)] = x;
                inputs[(signal + j, i)] = x;
            }
            for (i, other) in noise_scale.iter().enumerate().skip(j) {
                let x = self.noise[(i, j)] * other * factor;
                inputs[(signal + i, signal + j)] = x;
                inputs[(signal + j, signal + i)] = x;
            }
            for c in 0..labels {
                input_labels[(signal + j, c)] = self.cross[(signal + c, j)] * factor;
            }
        }
    }
}
