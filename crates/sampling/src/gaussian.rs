//! A synthetic population: a low-rank Gaussian signal with a teacher, and the exact Gram matrix of
//! a sample of any size.
//!
//! The signal has k₀ components with second moments `κᵢ²` (diagonal); write `K = diag(κ)`. The
//! teacher gives it labels:
//!
//! - **linear**: `y = √(1−ν) Qᵀ K⁻¹x + √ν e`, `x = K g`: ℓ targets of unit variance, the columns of
//!   Q independent uniformly random unit vectors, ν the share of label noise;
//! - **classes**: c uniform over ℓ classes, `x = K (√s Q̂ h_c + M g)`, y one-hot. `h_c` are the
//!   vertices of a regular simplex (`Σ h_c = 0`, mean of `h_c h_cᵀ` the identity), Q̂ is a random
//!   k₀ × (ℓ−1) matrix with orthonormal columns (rows if k₀ < ℓ−1), and `M = I − (1−√(1−s)) Q̂Q̂ᵀ`,
//!   so that along the class directions the share s of the variance lies between classes and the
//!   total second moment is `K²` all the same.
//!
//! Here g, e are standard normal. **Exact Gram matrix** of n rows of A = \[X Y\], at a cost that
//! does not grow with n:
//!
//! - linear: `A = G Tᵀ` with G (n × w) standard normal, so `AᵀA = T W Tᵀ`, `W ~ Wishart_w(I, n)`;
//! - classes: class counts n_c are multinomial (a chain of binomials); given them, class means of g
//!   are `z_c/√n_c` with `z_c ~ N(0, I)`, independent of the scatter within classes,
//!   `W ~ Wishart(I, n − #{c: n_c > 0})`. Hence with class means
//!   `x̄_c = K(√s Q̂ h_c + M z_c/√n_c)`: `XᵀX = Σ n_c x̄_c x̄_cᵀ + K M W M K`, `XᵀY = [n_c x̄_c]`,
//!   `YᵀY = diag(n_c)`.
//!
//! **A fixed signal** ([`Signal::Fixed`]) is any X with `XᵀX/n = K²`, the setting of the paper,
//! where X is given; labels stay random:
//!
//! - linear: the teacher of that X, so `AᵀA = T W Tᵀ` with W the Gram matrix of G of which the
//!   first k₀ columns are orthonormal times √n: `W = [nI, √n Z; ·, ZᵀZ + H]`,
//!   `H ~ Wishart_ℓ(I, n − k₀)`;
//! - classes: the sample of classes, brought to that moment: `X L⁻ᵀ K √n` with `XᵀX = L Lᵀ`, which
//!   needs n ≥ k₀ rows.
//!
//! Cost: w³ flops and ≈ w² / 2 normals a sample.

use eigensweep_spectral::cholesky::{factor_in_place, solve_lower_in_place};
use eigensweep_spectral::dense::{gram_lower, product};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{MemStack, StackReq};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{Accum, Mat, MatMut, MatRef};
use rand::RngExt;
use rand_distr::{Binomial, Distribution};

use crate::explicit::BLOCK_ROWS;
use crate::gram::{fill_normal, mirror_lower};
use crate::streams::Stream;
use crate::wishart;

/// How labels come from the signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Teacher {
    /// One-hot labels of equally likely classes.
    Classes {
        /// ℓ ≥ 2.
        count: usize,
        /// Share s of the variance along the class directions that lies between classes, in (0, 1).
        separation: f64,
    },
    /// Real targets of unit variance.
    Linear {
        /// ℓ ≥ 1.
        count: usize,
        /// Share ν of the targets' variance that is noise, in \[0, 1\].
        label_noise: f64,
    },
}

impl Teacher {
    /// Number ℓ of label columns.
    #[must_use]
    pub fn labels(&self) -> usize {
        match *self {
            Self::Classes { count, .. } | Self::Linear { count, .. } => count,
        }
    }
}

/// Whether the inputs of a sample are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// They are, and their second moment is the spectrum in expectation.
    #[default]
    Random,
    /// They are given, and their second moment is the spectrum, whatever n.
    Fixed,
}

/// One population (a spectrum and a drawn teacher) and the workspace to sample from it.
#[derive(Debug)]
pub struct GaussianSource {
    instruction_set: InstructionSet,
    teacher: Teacher,
    signal: Signal,
    /// κ (k₀).
    kappa: Vec<f64>,
    components: usize,
    /// Linear: T (w × w). Classes: K M (k₀ × k₀).
    mixing: Mat<f64>,
    /// Classes: K √s Q̂ h_c, a column a class (k₀ × ℓ).
    means: Mat<f64>,
    directions: Mat<f64>,
    /// Normals of a block of rows (w × m).
    block: Mat<f64>,
    counts: Vec<u64>,
}

impl GaussianSource {
    /// Workspace for up to `components` = k₀ signal components and teachers like `teacher`.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, components: usize, teacher: Teacher) -> Self {
        let labels = teacher.labels();
        let width = components + labels;
        Self {
            instruction_set,
            teacher,
            signal: Signal::Random,
            kappa: vec![0.0; components],
            components: 0,
            mixing: Mat::zeros(width, width),
            means: Mat::zeros(components, labels),
            directions: Mat::zeros(components, labels),
            block: Mat::zeros(width, BLOCK_ROWS),
            counts: vec![0; labels],
        }
    }

    /// Scratch of [`draw_gram`](Self::draw_gram) for samples of up to `width` = k₀ + ℓ columns.
    #[must_use]
    pub fn draw_gram_scratch(width: usize) -> StackReq {
        temp_mat_scratch::<f64>(width, width).array(2)
    }

    /// The same for samples of this kind.
    #[must_use]
    pub fn with_signal(mut self, signal: Signal) -> Self {
        self.signal = signal;
        self
    }

    /// Chooses the population: second moments `signal` = κ² (k₀), and a teacher whose directions
    /// are drawn.
    ///
    /// Draws k₀·ℓ (linear) or k₀·(ℓ−1) (classes) normals, column by column.
    ///
    /// # Panics
    ///
    /// If the workspace was made for fewer components or for another number of labels.
    pub fn draw_teacher(&mut self, signal: &[f64], teacher: Teacher, rng: &mut Stream) {
        let (components, labels) = (signal.len(), teacher.labels());
        assert!(self.means.nrows() >= components && self.counts.len() == labels, "workspace of this shape");
        self.components = components;
        self.teacher = teacher;
        self.kappa.iter_mut().zip(signal).for_each(|(kappa, power)| *kappa = power.sqrt());
        match teacher {
            Teacher::Linear { label_noise, .. } => {
                let mut directions = self.directions.as_mut().submatrix_mut(0, 0, components, labels);
                fill_normal(directions.as_mut(), rng);
                let (signal_share, noise_share) = ((1.0 - label_noise).sqrt(), label_noise.sqrt());
                let mixing = &mut self.mixing;
                mixing.fill(0.0);
                for (i, power) in signal.iter().enumerate() {
                    mixing[(i, i)] = power.sqrt();
                }
                for c in 0..labels {
                    let length = length(directions.as_ref(), c);
                    for i in 0..components {
                        mixing[(components + c, i)] = signal_share * directions[(i, c)] / length;
                    }
                    mixing[(components + c, components + c)] = noise_share;
                }
            }
            Teacher::Classes { separation, .. } => {
                let span = labels - 1;
                let mut directions = self.directions.as_mut().submatrix_mut(0, 0, components, span);
                fill_normal(directions.as_mut(), rng);
                if components >= span {
                    orthonormalize_columns(directions.as_mut());
                } else {
                    orthonormalize_columns(directions.as_mut().transpose_mut());
                }
                let directions = directions.as_ref();
                let mut mixing = self.mixing.as_mut().submatrix_mut(0, 0, components, components);
                let isa = self.instruction_set;
                product(isa, mixing.as_mut(), Accum::Replace, directions, directions.transpose());
                let shrinkage = (1.0 - separation).sqrt() - 1.0;
                for j in 0..components {
                    for i in 0..components {
                        mixing[(i, j)] *= shrinkage;
                    }
                    mixing[(j, j)] += 1.0;
                }
                for (i, power) in signal.iter().enumerate() {
                    let kappa = power.sqrt();
                    for j in 0..components {
                        mixing[(i, j)] *= kappa;
                    }
                    for c in 0..labels {
                        let along: f64 = (0..span).map(|j| directions[(i, j)] * simplex(j, c)).sum();
                        self.means[(i, c)] = kappa * (separation * labels as f64).sqrt() * along;
                    }
                }
            }
        }
    }

    /// Draws AᵀA (w × w, both triangles) of `samples` = n rows, exactly in distribution.
    ///
    /// Draws, for a linear teacher, a [`wishart::root`], of a fixed signal k₀·ℓ normals before it;
    /// for classes, ℓ−1 binomials, k₀·ℓ normals (class means) and a root. A fixed signal of fewer
    /// samples than components, which there is none of, has a Gram matrix of NaN.
    ///
    /// # Panics
    ///
    /// If `gram` is not w × w.
    pub fn draw_gram(
        &mut self,
        samples: u64,
        mut gram: MatMut<'_, f64>,
        rng: &mut Stream,
        stack: &mut MemStack,
    ) {
        let (components, labels) = (self.components, self.teacher.labels());
        let width = components + labels;
        assert!(gram.nrows() == width && gram.ncols() == width, "a w × w Gram matrix");
        let fixed = self.signal == Signal::Fixed;
        if fixed && samples < components as u64 {
            gram.fill(f64::NAN);
            return;
        }
        let (mut root, stack) = temp_mat_zeroed::<f64, _, _>(width, width, stack);
        let (mut factor, _) = temp_mat_zeroed::<f64, _, _>(width, width, stack);
        let (root, factor) = (root.as_mat_mut(), factor.as_mat_mut());
        match self.teacher {
            Teacher::Linear { .. } => {
                // Of a fixed signal the first columns are √n I on Zᵀ.
                let given = if fixed { components } else { 0 };
                let rest = samples - given as u64;
                let columns = given + wishart::root_columns(width - given, rest);
                let mut root = root.subcols_mut(0, columns);
                if fixed {
                    for i in 0..given {
                        root[(i, i)] = (samples as f64).sqrt();
                    }
                    fill_normal(root.as_mut().submatrix_mut(given, 0, labels, given), rng);
                }
                let open = root.as_mut().submatrix_mut(given, given, width - given, columns - given);
                wishart::root(open, rest, rng);
                let mut factor = factor.subcols_mut(0, columns);
                let mixing = self.mixing.as_ref().submatrix(0, 0, width, width);
                product(self.instruction_set, factor.as_mut(), Accum::Replace, mixing, root.as_ref());
                gram_lower(self.instruction_set, gram.as_mut(), Accum::Replace, factor.as_ref());
            }
            Teacher::Classes { .. } => {
                draw_counts(samples, &mut self.counts, rng);
                let occupied = self.counts.iter().filter(|&&n| n > 0).count();
                let degrees_of_freedom = samples - occupied as u64;
                let columns = wishart::root_columns(components, degrees_of_freedom);
                // [z_1 … z_ℓ R], mixed by K M at once.
                let mut root = root.submatrix_mut(0, 0, components, labels + columns);
                fill_normal(root.as_mut().subcols_mut(0, labels), rng);
                wishart::root(root.as_mut().subcols_mut(labels, columns), degrees_of_freedom, rng);
                let mut factor = factor.submatrix_mut(0, 0, components, labels + columns);
                let mixing = self.mixing.as_ref().submatrix(0, 0, components, components);
                product(self.instruction_set, factor.as_mut(), Accum::Replace, mixing, root.as_ref());
                gram.fill(0.0);
                for (c, &count) in self.counts.iter().enumerate() {
                    let weight = (count as f64).sqrt();
                    for i in 0..components {
                        let scaled_mean = match count {
                            0 => 0.0,
                            _ => weight * self.means[(i, c)] + factor[(i, c)],
                        };
                        factor[(i, c)] = scaled_mean;
                        gram[(components + c, i)] = weight * scaled_mean;
                    }
                    gram[(components + c, components + c)] = count as f64;
                }
                let signal = gram.as_mut().submatrix_mut(0, 0, components, components);
                gram_lower(self.instruction_set, signal, Accum::Replace, factor.as_ref());
                if fixed {
                    self.fix(samples, gram.as_mut(), root.submatrix_mut(0, 0, components, components));
                }
            }
        }
        mirror_lower(gram);
    }

    /// Brings the inputs of a Gram matrix (lower triangle) to the spectrum: X becomes `X L⁻ᵀ K √n`.
    fn fix(&mut self, samples: u64, mut gram: MatMut<'_, f64>, mut factor: MatMut<'_, f64>) {
        let (components, labels) = (self.components, self.teacher.labels());
        let root = (samples as f64).sqrt();
        factor.copy_from_triangular_lower(gram.as_ref().submatrix(0, 0, components, components));
        if factor_in_place(self.instruction_set, factor.as_mut()).is_err() {
            gram.fill(f64::NAN);
            return;
        }
        // Of the directions only what was made of them is needed.
        let mut cross = self.directions.as_mut().submatrix_mut(0, 0, components, labels);
        cross.copy_from(gram.as_ref().submatrix(components, 0, labels, components).transpose());
        solve_lower_in_place(self.instruction_set, factor.as_ref(), cross.as_mut());
        for (i, &kappa) in self.kappa[..components].iter().enumerate() {
            for j in i..components {
                gram[(j, i)] = if i == j { samples as f64 * (kappa * kappa) } else { 0.0 };
            }
            for c in 0..labels {
                gram[(components + c, i)] = root * kappa * cross[(i, c)];
            }
        }
    }

    /// Draws rows of A explicitly: the columns of `rows` (w × m) become m independent rows.
    ///
    /// Draws, for a linear teacher, w·m normals; for classes, k₀·m normals, then m class numbers.
    ///
    /// # Panics
    ///
    /// If the columns of `rows` do not have w entries.
    pub fn draw_rows(&mut self, mut rows: MatMut<'_, f64>, rng: &mut Stream) {
        let (components, labels, count) = (self.components, self.teacher.labels(), rows.ncols());
        assert!(rows.nrows() == components + labels, "a column of w entries a row");
        let mixed = match self.teacher {
            Teacher::Linear { .. } => components + labels,
            Teacher::Classes { .. } => components,
        };
        let mixing: MatRef<'_, f64> = self.mixing.as_ref().submatrix(0, 0, mixed, mixed);
        for start in (0..count).step_by(BLOCK_ROWS) {
            let some = BLOCK_ROWS.min(count - start);
            let mut normals = self.block.as_mut().submatrix_mut(0, 0, mixed, some);
            fill_normal(normals.as_mut(), rng);
            let to = rows.as_mut().submatrix_mut(0, start, mixed, some);
            product(self.instruction_set, to, Accum::Replace, mixing, normals.as_ref());
        }
        if let Teacher::Classes { .. } = self.teacher {
            for mut row in rows.col_iter_mut() {
                let class = rng.random_range(0..labels);
                for i in 0..components {
                    row[i] += self.means[(i, class)];
                }
                for c in 0..labels {
                    row[components + c] = f64::from(u8::from(c == class));
                }
            }
        }
    }
}

/// Entry (row, class) of Helmert's matrix: ℓ−1 orthonormal rows, orthogonal to the vector of ones.
fn simplex(row: usize, class: usize) -> f64 {
    let j = (row + 1) as f64;
    let length = (j * (j + 1.0)).sqrt();
    match class.cmp(&(row + 1)) {
        std::cmp::Ordering::Less => 1.0 / length,
        std::cmp::Ordering::Equal => -j / length,
        std::cmp::Ordering::Greater => 0.0,
    }
}

/// Multinomial counts of `samples` rows over equally likely classes, as a chain of binomials.
fn draw_counts(samples: u64, counts: &mut [u64], rng: &mut Stream) {
    let mut rest = samples;
    let classes = counts.len();
    for (c, count) in counts.iter_mut().enumerate() {
        *count = match classes - c {
            1 => rest,
            // The constructor refuses only probabilities outside [0, 1].
            open => Binomial::new(rest, 1.0 / open as f64).map_or(0, |b| b.sample(rng)),
        };
        rest -= *count;
    }
}

/// Gram–Schmidt, twice ("twice is enough"), on at most as many columns as rows.
fn orthonormalize_columns(mut matrix: MatMut<'_, f64>) {
    for j in 0..matrix.ncols() {
        for _ in 0..2 {
            for before in 0..j {
                let dot: f64 = (0..matrix.nrows()).map(|i| matrix[(i, before)] * matrix[(i, j)]).sum();
                for i in 0..matrix.nrows() {
                    let along = dot * matrix[(i, before)];
                    matrix[(i, j)] -= along;
                }
            }
        }
        let length = length(matrix.as_ref(), j);
        for i in 0..matrix.nrows() {
            matrix[(i, j)] /= length;
        }
    }
}

/// Length of a column, in the order of its entries: a vectorised sum would depend on the width of
/// registers.
fn length(matrix: MatRef<'_, f64>, j: usize) -> f64 {
    matrix.col(j).iter().map(|x| x * x).sum::<f64>().sqrt()
}
