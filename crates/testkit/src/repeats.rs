//! Things that are measured twice: problems with known signal and noise, and what a representation
//! is worth in them.

use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef};

use crate::random::{Random, symmetrized};

/// A population of things with a clean signal, measured with dense noise.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// C₀ (d × d).
    pub clean: Mat<f64>,
    /// Γ (d × d).
    pub noise: Mat<f64>,
    /// Θ of additive views (d × d).
    pub theta: Mat<f64>,
    /// k₀, the rank of C₀.
    pub rank: usize,
    /// Their roots: d × k₀, and d × (p + d).
    roots: [Mat<f64>; 2],
}

impl Repeated {
    /// A random one of d features, 6 or more: k₀ = 3 to 8 directions of signal, as many of louder
    /// noise at a random angle with them and a floor of white noise, and views of any covariance.
    pub fn random(random: &mut Random, size: usize) -> Self {
        let more = (size / 2).saturating_sub(2).min(6);
        let (rank, loud) = (3 + random.below(more), 3 + random.below(more));
        let axes = random.orthogonal(size);
        let angle = random.uniform() * std::f64::consts::FRAC_PI_2;
        let mix = random.orthogonal(rank);
        let powers: Vec<f64> = (0..rank).map(|_| random.decades(0.0, 1.5)).collect();
        let signal = Mat::from_fn(size, rank, |i, j| axes[(i, j)] * powers[j].sqrt());
        let powers: Vec<f64> = (0..loud).map(|_| random.decades(0.0, 2.0)).collect();
        let floor = random.decades(-1.5, 0.0);
        let noise = Mat::from_fn(size, loud + size, |i, j| {
            if j >= loud {
                return if i + loud == j { floor.sqrt() } else { 0.0 };
            }
            let inside: f64 =
                if j < rank { (0..rank).map(|l| axes[(i, l)] * mix[(l, j)]).sum() } else { 0.0 };
            (angle.sin() * axes[(i, rank + j)] + angle.cos() * inside) * powers[j].sqrt()
        });
        let values: Vec<f64> = (0..size).map(|_| random.decades(-1.0, 1.5)).collect();
        let square = |root: &Mat<f64>| symmetrized(&(root * root.transpose()));
        Self {
            clean: square(&signal),
            noise: square(&noise),
            theta: random.with_eigenvalues(&values),
            rank,
            roots: [signal, noise],
        }
    }

    /// Two measurements of each of `count` things (count × d each).
    pub fn measure(&self, random: &mut Random, count: usize) -> [Mat<f64>; 2] {
        let [signal, noise] = &self.roots;
        let clean = random.normals(count, signal.ncols()) * signal.transpose();
        [(); 2].map(|()| &clean + random.normals(count, noise.ncols()) * noise.transpose())
    }

    /// Leakage of a representation (d × k) in the population.
    #[must_use]
    pub fn leakage(&self, basis: MatRef<'_, f64>) -> f64 {
        let form = |matrix: &Mat<f64>| basis.transpose() * matrix * basis;
        let shares = form(&(&self.clean + &self.noise)).partial_piv_lu().solve(form(&self.noise));
        (0..basis.ncols()).map(|i| shares[(i, i)]).sum::<f64>() / basis.ncols() as f64
    }

    /// Share of the clean signal's variance that is predicted from a representation by a map (k ×
    /// d), in the population.
    #[must_use]
    pub fn kept(&self, basis: MatRef<'_, f64>, map: MatRef<'_, f64>) -> f64 {
        let trace = |matrix: &Mat<f64>| (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum::<f64>();
        let crossed = map.transpose() * (basis.transpose() * &self.clean);
        let variances = basis.transpose() * (&self.clean + &self.noise) * basis;
        let power = map.transpose() * (variances * map);
        (2.0 * trace(&crossed) - trace(&power)) / trace(&self.clean)
    }
}
