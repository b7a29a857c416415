//! What the columns of a grid cost, by count: how parts are sized and shards balanced.
//!
//! A row's share of solving is the kernels' count (see `eigensweep_spectral::scaled`) averaged over
//! the paradigms, d³/3, 4/3 d³ and about 6 d³, with projections of 9 d²ℓ: **2.6 d³ + 3 d²ℓ**.
//! Drawing does not grow with n for the moment sampler, and is **n p (20 + 2 (d + ℓ))** a sample
//! for the explicit one: a normal costs about as much as 20 flops, and each row of A and N is
//! multiplied with each column of N. Columns differ in the data's components, and in n.
//!
//! A row of a job with stages solves a dense problem after its views: **15 d³ + 3 d²ℓ**; and its
//! unit adds up a Gram matrix, once for all of its nested samples: **n d²** of the sum of their n,
//! which is about twice the largest where each is twice the one before.

use crate::grid::Grid;
use crate::plan::Extents;
use eigensweep_job::{JobSpec, Sampler};

/// Problems that a critical alignment takes, about: by the order of magnitude.
const TRACED_SOLVES: f64 = 1000.0;

/// Estimated flops of the units of a grid: a unit of signal components c and (summed) sample size n
/// costs `a_c + n b_c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The coefficients a and b of each number of signal components.
    components: Vec<[f64; 2]>,
    /// Sums of sample sizes before each one of a data setting, and of all; of real data, whose
    /// units have all, only this.
    samples: Vec<f64>,
    /// Data settings of one number of components.
    settings: u64,
    replicates: u64,
}

impl Cost {
    /// Counts a job whose input has these extents.
    pub(crate) fn new(spec: &JobSpec, extents: Extents, grid: &Grid) -> Self {
        let labels = extents.labels as f64;
        let noises = spec.noise_components();
        let rows_per_noise = grid.rows_per_unit as f64 / noises.len() as f64;
        let drawing = match spec.sampler {
            Sampler::Moments => 0.0,
            Sampler::Explicit => 1.0,
        };
        let stages = spec.stages().is_some();
        let solves = if spec.boundary.is_some() { TRACED_SOLVES } else { 1.0 };
        let unit = |signal: f64| {
            if stages {
                let solving =
                    grid.rows_per_unit as f64 * (15.0 * signal.powi(3) + 3.0 * signal * signal * labels);
                return [solving, signal * signal];
            }
            noises.iter().fold([0.0; 2], |[solving, drawn], &noise| {
                let noise = noise as f64;
                let size = signal + noise;
                [
                    solving + rows_per_noise * (2.6 * size.powi(3) + 3.0 * size * size * labels),
                    drawn + drawing * noise * (20.0 + 2.0 * (size + labels)),
                ]
            })
        };
        let components: Vec<[f64; 2]> = match spec.data.components() {
            Some(axis) => axis.values().iter().map(|&signal| unit(signal as f64)).collect(),
            None => vec![unit(extents.signal as f64)],
        };
        let components: Vec<[f64; 2]> =
            components.into_iter().map(|of| of.map(|flops| flops * solves)).collect();
        let mut samples = vec![0.0];
        for &n in spec.grid.samples.values() {
            samples.push(samples[samples.len() - 1] + n as f64);
        }
        // Units of real data have all sample sizes.
        if spec.data.is_rows() {
            samples = vec![0.0, samples[samples.len() - 1]];
        }
        // Combinations of the other axes stand within a sample size: each has the mean cost.
        if spec.boundary.is_some() {
            let count = spec.grid.samples.values().len();
            samples = vec![0.0, samples[samples.len() - 1] / count as f64];
        }
        let per_setting = samples.len() as u64 - 1;
        let settings = grid.columns() / (components.len() as u64 * per_setting);
        Self { components, samples, settings, replicates: grid.replicates }
    }

    /// Flops of all units before this one.
    #[must_use]
    pub fn before(&self, unit: u64) -> f64 {
        self.share_before(unit) * self.replicates as f64
    }

    /// The cost of one replicate: at the beginning of a column, the same bits for any number of
    /// replicates.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "digits below the lengths of axes")]
    pub fn share_before(&self, unit: u64) -> f64 {
        let (column, replicate) = (unit / self.replicates, unit % self.replicates);
        let sizes = self.samples.len() as u64 - 1;
        let (setting, size) = (column / sizes, (column % sizes) as usize);
        let (component, setting) = ((setting / self.settings) as usize, setting % self.settings);
        let all = self.samples[self.samples.len() - 1];
        let of_setting = |[a, b]: [f64; 2]| sizes as f64 * a + all * b;
        let whole: f64 = self.components[..component].iter().copied().map(of_setting).sum();
        let mut flops = whole * self.settings as f64;
        if let Some(&[a, b]) = self.components.get(component) {
            let here = self.samples[size + 1] - self.samples[size];
            flops += setting as f64 * of_setting([a, b]) + size as f64 * a + self.samples[size] * b;
            flops += (a + here * b) * (replicate as f64 / self.replicates as f64);
        }
        flops
    }

    /// Flops of everything.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.before(self.columns() * self.replicates)
    }

    /// Flops of one replicate of everything.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share_before(self.columns() * self.replicates)
    }

    fn columns(&self) -> u64 {
        self.components.len() as u64 * self.settings * (self.samples.len() as u64 - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Cost;
    use crate::grid::Grid;
    use crate::plan::Extents;
    use eigensweep_job as job;

    const JOB: &str = "[data]\ncomponents = [2, 5, 3]\nscale = [1, 2]\n[corruption]\ncomponents = [4, 1]\n[model]\n\
        dimension = 2\n[grid]\nsamples = [10, 1000, 50]\n[job]\nreplicates = 4";

    /// Of stages, settings of the corruption are columns of one size.
    #[test]
    fn columns_of_a_job_with_stages_cost_what_their_components_do() {
        let text = "[data]\nsource = \"glyphs\"\ncomponents = [2, 5]\n[corruption]\nstages = [{ kind = \"dropout\", \
            probability = [0.1, 0.2, 0.3] }]\n[model]\ndimension = 2\n[grid]\nsamples = [10, 1000]\n[job]\nreplicates = 4";
        let spec = job::parse("test.toml", text, &[], Path::new("")).unwrap().spec;
        let grid = Grid::new(&spec);
        let cost = Cost::new(&spec, Extents { signal: 5, labels: 10 }, &grid);
        let unit = |d: f64| 2.0 * 3.0 * (15.0 * d.powi(3) + 30.0 * d * d) + 1010.0 * d * d;
        let mut sum = 0.0;
        for number in 0..grid.columns() * 4 {
            assert!((cost.before(number) - sum).abs() <= 1e-9 * cost.total(), "unit {number}");
            sum += unit(if number < 12 { 2.0 } else { 5.0 });
        }
        assert!((cost.total() - sum).abs() <= 1e-9 * sum);
    }

    #[test]
    fn sums_add_up() {
        for sampler in ["moments", "explicit"] {
            let set = [format!("sampler.kind={sampler}")];
            let spec = job::parse("test.toml", JOB, &set, Path::new("")).unwrap().spec;
            let grid = Grid::new(&spec);
            let cost = Cost::new(&spec, Extents { signal: 5, labels: 10 }, &grid);
            let mut sum = 0.0;
            for unit in 0..grid.columns() * 4 {
                assert!((cost.before(unit) - sum).abs() <= 1e-9 * cost.total(), "{sampler}, unit {unit}");
                let row = unit * grid.rows_per_unit;
                let value = |name: &str| {
                    let axis = grid.axis(name).unwrap();
                    axis.values.as_float(axis.index(row))
                };
                let drawing = if sampler == "explicit" { value("samples") } else { 0.0 };
                for noise in [4.0, 1.0] {
                    let size = value("signal_components") + noise;
                    // Three paradigms for one α and one k.
                    sum += 3.0 * (2.6 * size.powi(3) + 30.0 * size * size);
                    sum += drawing * noise * (20.0 + 2.0 * (size + 10.0));
                }
            }
            assert!((cost.total() - sum).abs() <= 1e-9 * sum);
        }
    }
}
