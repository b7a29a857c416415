//! Inputs of the Criterion benches and of `kernel-rates`: small deterministic generators, nothing
//! read from disk.

use eigensweep_sampling::gaussian::{GaussianSource, Teacher};
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::streams::{Draw, Stream, Streams};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{MemBuffer, MemStack};
use eigensweep_theory::additive::Additive;
use eigensweep_theory::leakage::{CleanMoment, Population};
use eigensweep_theory::moments::SampleSums;
use eigensweep_theory::views::{SPECTRAL, Sample};
use faer::Mat;

use crate::Fault;

/// Label columns ℓ.
pub const LABELS: usize = 10;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The generator with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A matrix of numbers uniform in [−1, 1).
    pub fn matrix(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        Mat::from_fn(rows, columns, |_, _| 2.0 * self.uniform() - 1.0)
    }
}

/// `XᵀX/n` (d × d, both triangles) of n = 2d rows whose columns have scales `j^(−½)`: positive
/// definite, eigenvalues over three decades.
#[must_use]
pub fn gram_like(size: usize, seed: u64) -> Mat<f64> {
    let mut x = SplitMix::new(seed).matrix(2 * size, size);
    for j in 0..size {
        for i in 0..2 * size {
            x[(i, j)] /= ((j + 1) as f64).sqrt();
        }
    }
    x.transpose() * &x * faer::Scale(1.0 / (2 * size) as f64)
}

/// The generator that the samplers are measured with.
#[must_use]
pub fn stream(seed: u64) -> Stream {
    Streams::new(seed).stream(Draw::Noise, &[0])
}

/// Variances like those of MNIST's principal components (pixels 0 to 255): 3.3·10⁵ at first,
/// 1.2·10⁴ at the fiftieth.
#[must_use]
pub fn signal_like_mnist(components: usize) -> Vec<f64> {
    (1..=components).map(|i| 3.3e5 * (i as f64).powf(-0.85)).collect()
}

/// One cell of Figure 3 on a synthetic population: ten classes, half the components noise, λ_max^Θ
/// = 10⁴.
#[derive(Debug)]
pub struct Cell {
    /// κ²/n (k₀).
    pub signal: Vec<f64>,
    /// Eigenvalues of Γ (p).
    pub gamma: Vec<f64>,
    /// Diagonal of Σ (d).
    pub sigma: Vec<f64>,
    /// AᵀA (w × w).
    pub clean: Mat<f64>,
    /// AᵀN (w × p).
    pub cross: Mat<f64>,
    /// NᵀN (p × p).
    pub noise: Mat<f64>,
    /// n.
    pub samples: u64,
    /// C̃ (d × d).
    pub inputs: Mat<f64>,
    /// B̃ (d × ℓ).
    pub input_labels: Mat<f64>,
    /// y².
    pub label_power: f64,
}

impl Cell {
    /// A cell with d = `size` at n = 3200 and α = 1.
    ///
    /// # Errors
    ///
    /// If the clean Gram matrix cannot be factored.
    pub fn new(size: usize, noise_scale: f64) -> Result<Self, Fault> {
        const SAMPLES: u64 = 3200;
        let signal = signal_like_mnist(size / 2);
        let components = size - signal.len();
        let mut uniform = SplitMix::new(7);
        let gamma: Vec<f64> = (0..components).map(|_| noise_scale * uniform.uniform()).collect();
        let theta: Vec<f64> = (0..size).map(|_| 1e4 * uniform.uniform()).collect();
        let mut sigma = vec![0.0; size];
        let inputs = Mat::new();
        let views = Sample { inputs: inputs.as_ref(), theta: &theta, gamma: &gamma, parameters: &[1.0] };
        (SPECTRAL.covariance)(&views, &mut sigma);

        let width = signal.len() + LABELS;
        let teacher = Teacher::Classes { count: LABELS, separation: 0.5 };
        let mut rng = stream(3);
        let mut source = GaussianSource::new(InstructionSet::detect(), signal.len(), teacher);
        source.draw_teacher(&signal, teacher, &mut rng);
        let mut clean = Mat::zeros(width, width);
        let scratch = MomentSampler::scratch(width, components);
        let mut memory = MemBuffer::new(scratch.or(GaussianSource::draw_gram_scratch(width)));
        let stack = MemStack::new(&mut memory);
        source.draw_gram(SAMPLES, clean.as_mut(), &mut rng, stack);
        let mut sampler = MomentSampler::new(InstructionSet::detect(), width);
        sampler.condition_on(clean.as_ref(), SAMPLES, stack)?;
        let (mut cross, mut noise) = (Mat::zeros(width, components), Mat::zeros(components, components));
        sampler.draw(cross.as_mut(), noise.as_mut(), &mut rng, stack);

        let mut cell = Self {
            inputs: Mat::zeros(size, size),
            input_labels: Mat::zeros(size, LABELS),
            label_power: 1.0,
            samples: SAMPLES,
            signal,
            gamma,
            sigma,
            clean,
            cross,
            noise,
        };
        let (mut inputs, mut input_labels) = (Mat::zeros(size, size), Mat::zeros(size, LABELS));
        cell.sums().corrupted_moments(&cell.noise_scale(), inputs.as_mut(), input_labels.as_mut());
        cell.label_power = cell.sums().label_power(cell.signal.len());
        (cell.inputs, cell.input_labels) = (inputs, input_labels);
        Ok(cell)
    }

    /// Square roots of Γ's eigenvalues.
    #[must_use]
    pub fn noise_scale(&self) -> Vec<f64> {
        self.gamma.iter().map(|gamma| gamma.sqrt()).collect()
    }

    /// The sums that the moments come from.
    #[must_use]
    pub fn sums(&self) -> SampleSums<'_> {
        SampleSums {
            clean: self.clean.as_ref(),
            cross: self.cross.as_ref(),
            noise: self.noise.as_ref(),
            samples: self.samples,
        }
    }

    /// What the solver is given.
    #[must_use]
    pub fn problem(&self) -> Additive<'_> {
        Additive {
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: self.label_power,
            sigma: &self.sigma,
        }
    }

    /// What leakage is measured in.
    #[must_use]
    pub fn population(&self) -> Population<'_> {
        Population { clean: CleanMoment::Diagonal(&self.signal), gamma: &self.gamma }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, gram_like};

    #[test]
    fn gram_like_matrices_are_symmetric_and_definite() {
        let matrix = gram_like(16, 1);
        assert!((0..16).all(|j| (0..16).all(|i| (matrix[(i, j)] - matrix[(j, i)]).abs() < 1e-14)));
        assert!(matrix.llt(faer::Side::Lower).is_ok());
    }

    #[test]
    fn a_cell_has_the_moments_of_its_sums() {
        let cell = Cell::new(20, 1e3).unwrap();
        let entry = cell.clean[(1, 2)] / 3200.0;
        assert!((cell.inputs[(1, 2)] - entry).abs() <= 1e-12 * entry.abs());
        assert!((cell.label_power - 1.0).abs() < 1e-12);
        assert!(cell.inputs.llt(faer::Side::Lower).is_ok());
    }
}
