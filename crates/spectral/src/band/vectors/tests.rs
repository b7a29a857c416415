use eigensweep_testkit::random::Random;
use faer::Mat;

use super::{TridiagonalVectors, tridiagonal_vectors, tridiagonal_vectors_work};
use crate::Failure;
use crate::lanes::implicit_ql::{self, Group, ImplicitQl};
use crate::lanes::{InstructionSet, MAX_LANES};

/// A symmetric tridiagonal matrix with largest entry near one, and its eigenvalues, descending.
#[derive(Clone)]
struct Form {
    diagonal: Vec<f64>,
    off_diagonal: Vec<f64>,
    values: Vec<f64>,
}

impl Form {
    fn new(diagonal: impl Fn(usize) -> f64, off_diagonal: impl Fn(usize) -> f64, size: usize) -> Self {
        let mut diagonal: Vec<f64> = (0..size).map(diagonal).collect();
        let mut off_diagonal: Vec<f64> = (0..size).map(off_diagonal).collect();
        off_diagonal[size - 1] = 0.0;
        let most = diagonal.iter().chain(&off_diagonal).fold(0.0_f64, |m, x| m.max(x.abs()));
        if most > 0.0 {
            diagonal.iter_mut().chain(&mut off_diagonal).for_each(|x| *x /= most);
        }
        let values = eigenvalues(&diagonal, &off_diagonal);
        Self { diagonal, off_diagonal, values }
    }

    fn size(&self) -> usize {
        self.diagonal.len()
    }

    fn vectors(&self, isa: InstructionSet, count: usize) -> Result<Mat<f64>, Failure> {
        let mut vectors = Mat::zeros(self.size(), count);
        // What workspace held before does not matter.
        let mut work = vec![f64::NAN; tridiagonal_vectors_work(self.size(), count)];
        tridiagonal_vectors(
            isa,
            TridiagonalVectors {
                diagonal: &self.diagonal,
                off_diagonal: &self.off_diagonal,
                values: &self.values,
                vectors: vectors.as_mut(),
                work: &mut work,
            },
        )?;
        Ok(vectors)
    }

    fn norm(&self) -> f64 {
        super::norm(&self.diagonal, &self.off_diagonal)
    }

    /// Largest `‖Tx − λx‖`, and norm of `VᵀV − I` (Frobenius), in units of d·ε.
    fn errors(&self, vectors: &Mat<f64>) -> [f64; 2] {
        let unit = self.size() as f64 * f64::EPSILON;
        let mut most = 0.0_f64;
        for (j, value) in self.values.iter().enumerate().take(vectors.ncols()) {
            let x = vectors.col(j);
            let mut sum = 0.0;
            for i in 0..self.size() {
                let mut entry = (self.diagonal[i] - value) * x[i];
                if i > 0 {
                    entry += self.off_diagonal[i - 1] * x[i - 1];
                }
                if i + 1 < self.size() {
                    entry += self.off_diagonal[i] * x[i + 1];
                }
                sum += entry * entry;
            }
            most = if sum.is_nan() { f64::NAN } else { most.max(sum.sqrt()) };
        }
        let gram = vectors.transpose() * vectors;
        let mut sum = 0.0;
        for j in 0..gram.ncols() {
            for i in 0..gram.nrows() {
                sum += (gram[(i, j)] - if i == j { 1.0 } else { 0.0 }).powi(2);
            }
        }
        let norm = self.norm();
        [if norm > 0.0 { most / norm } else { most } / unit, sum.sqrt() / unit]
    }
}

fn eigenvalues(diagonal: &[f64], off_diagonal: &[f64]) -> Vec<f64> {
    let isa = InstructionSet::detect();
    let (size, lanes) = (diagonal.len(), isa.lanes());
    let in_lanes = |x: &[f64]| -> Vec<f64> { x.iter().flat_map(|x| vec![*x; lanes]).collect() };
    let (mut values, rest) = (in_lanes(diagonal), in_lanes(off_diagonal));
    let mut group =
        Group { diagonal: &mut values, off_diagonal: &rest, rows: &mut [], outcome: [Ok(()); MAX_LANES] };
    let mut work = vec![0.0; implicit_ql::WORK * size * lanes];
    isa.run(ImplicitQl { size, width: 0, groups: [&mut group], work: &mut work });
    assert_eq!(group.outcome[0], Ok(()));
    let mut values: Vec<f64> = values.iter().copied().step_by(lanes).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// Householder reduction of a dense matrix.
fn reduced(matrix: &Mat<f64>) -> Form {
    let size = matrix.nrows();
    let mut a = matrix.clone();
    let (mut diagonal, mut off_diagonal) = (vec![0.0; size], vec![0.0; size]);
    for j in 0..size {
        diagonal[j] = a[(j, j)];
        if j + 1 == size {
            break;
        }
        let mut v: Vec<f64> = (j + 1..size).map(|i| a[(i, j)]).collect();
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let beta = if v[0] > 0.0 { -length } else { length };
        off_diagonal[j] = beta;
        v[0] -= beta;
        let square = v.iter().map(|x| x * x).sum::<f64>();
        if square == 0.0 {
            continue;
        }
        let n = v.len();
        let v = Mat::from_fn(n, 1, |i, _| v[i] * (2.0 / square).sqrt());
        let trailing = a.as_ref().submatrix(j + 1, j + 1, n, n);
        let y = trailing * &v;
        let half = 0.5 * (v.transpose() * &y)[(0, 0)];
        let w = Mat::from_fn(n, 1, |i, _| y[(i, 0)] - half * v[(i, 0)]);
        for c in 0..n {
            for i in 0..n {
                a[(j + 1 + i, j + 1 + c)] -= v[(i, 0)] * w[(c, 0)] + w[(i, 0)] * v[(c, 0)];
            }
        }
    }
    Form::new(|i| diagonal[i], |i| off_diagonal[i], size)
}

/// T of a Wishart matrix of `samples` samples, by Dumitriu and Edelman's bidiagonal form.
fn wishart(size: usize, samples: usize, seed: u64) -> Form {
    let rng = &mut Random(seed);
    let mut chi = |n: usize| (0..n).map(|_| rng.normal().powi(2)).sum::<f64>().sqrt();
    let b: Vec<[f64; 2]> = (0..size)
        .map(|i| [chi(samples.saturating_sub(i)), if i + 1 < size { chi(size - 1 - i) } else { 0.0 }])
        .collect();
    // B lower bidiagonal: B_ii = b[i][0], B_{i+1,i} = b[i][1].
    Form::new(
        |i| b[i][0].powi(2) + if i > 0 { b[i - 1][1].powi(2) } else { 0.0 },
        |i| b[i][0] * b[i][1],
        size,
    )
}

/// Matrices by name.
fn forms(size: usize, seed: u64) -> Vec<(&'static str, Form)> {
    let rng = &mut Random(seed);
    let at = |i: usize| i as f64 / size as f64;
    let random: Vec<f64> = (0..2 * size + 10).map(|_| rng.normal()).collect();
    let values = |f: &dyn Fn(usize) -> f64| (0..size).map(f).collect::<Vec<_>>();
    let middle = (size as f64 - 1.0) / 2.0;
    let n = size as f64;
    let mut out = vec![
        ("random", Form::new(|i| random[i], |i| random[size + i], size)),
        ("zero", Form::new(|_| 0.0, |_| 0.0, size)),
        ("identity", Form::new(|_| 1.0, |_| 0.0, size)),
        ("diagonal", Form::new(|i| (i as f64 * 1.7).sin(), |_| 0.0, size)),
        ("two values on a diagonal", Form::new(|i| (i % 2) as f64, |_| 0.0, size)),
        ("laplacian", Form::new(|_| 2.0, |_| -1.0, size)),
        ("wilkinson", Form::new(|i| (i as f64 - middle).abs(), |_| 1.0, size)),
        (
            "glued wilkinson 1e-8",
            Form::new(|i| ((i % 21) as f64 - 10.0).abs(), |i| if i % 21 == 20 { 1e-8 } else { 1.0 }, size),
        ),
        (
            "glued wilkinson 1e-14",
            Form::new(|i| ((i % 21) as f64 - 10.0).abs(), |i| if i % 21 == 20 { 1e-14 } else { 1.0 }, size),
        ),
        (
            "glued wilkinson 1e-4",
            Form::new(|i| ((i % 21) as f64 - 10.0).abs(), |i| if i % 21 == 20 { 1e-4 } else { 1.0 }, size),
        ),
        ("clement", Form::new(|_| 0.0, |i| ((i as f64 + 1.0) * (n - 1.0 - i as f64).max(0.0)).sqrt(), size)),
        (
            "legendre",
            Form::new(
                |_| 0.0,
                |i| {
                    let k = i as f64 + 1.0;
                    k / (4.0 * k * k - 1.0).sqrt()
                },
                size,
            ),
        ),
        (
            "graded down",
            Form::new(
                |i| random[i] * 10.0_f64.powf(-12.0 * at(i)),
                |i| random[size + i] * 10.0_f64.powf(-12.0 * at(i)),
                size,
            ),
        ),
        (
            "graded up",
            Form::new(
                |i| random[i] * 10.0_f64.powf(-12.0 * (1.0 - at(i))),
                |i| random[size + i] * 10.0_f64.powf(-12.0 * (1.0 - at(i))),
                size,
            ),
        ),
        (
            "steeply graded",
            Form::new(|i| 10.0_f64.powf(-200.0 * at(i)), |i| 0.3 * 10.0_f64.powf(-200.0 * at(i)), size),
        ),
        (
            "steeply graded up",
            Form::new(
                |i| 10.0_f64.powf(-200.0 * (1.0 - at(i))),
                |i| 0.3 * 10.0_f64.powf(-200.0 * (1.0 - at(i))),
                size,
            ),
        ),
        ("small couplings", Form::new(|i| 1.0 + 1e-10 * random[i], |i| 1e-12 * random[size + i], size)),
        ("blocks", Form::new(|i| random[i % 5], |i| if i % 5 == 4 { 0.0 } else { random[i % 5 + 5] }, size)),
        ("wishart", wishart(size, 2 * size, seed)),
        ("square wishart", wishart(size, size, seed)),
        ("wishart of rank d/3", wishart(size, size / 3, seed)),
    ];
    if size <= 200 {
        for (name, spectrum) in [
            ("all near one", values(&|i| 1.0 + 1e-14 * i as f64)),
            ("two clusters 1e-6", values(&|i| (i % 2) as f64 + 1e-6 * at(i))),
            ("two clusters 1e-10", values(&|i| (i % 2) as f64 + 1e-10 * at(i))),
            ("two clusters 1e-14", values(&|i| (i % 2) as f64 + 1e-14 * at(i))),
            ("many clusters", values(&|i| (i / 8) as f64 + 1e-12 * at(i))),
            ("few directions", values(&|i| 1.0 / (1.0 + i as f64).powi(2))),
            ("condition 1e12", values(&|i| 10.0_f64.powf(-12.0 * at(i)))),
            ("one large", values(&|i| if i == 0 { 1.0 } else { 1e-9 * at(i) })),
        ] {
            out.push((name, reduced(&rng.with_eigenvalues(&spectrum))));
        }
    }
    out
}

/// Entries that are near to one another, or nothing beside one another, to random numbers of
/// digits.
fn adversary(size: usize, seed: u64) -> Form {
    let rng = &mut Random(seed);
    let (levels, digits) = (1 + rng.below(4), [rng.decades(-17.0, 0.0), rng.decades(-17.0, 0.0)]);
    let diagonal: Vec<f64> =
        (0..size).map(|_| rng.below(levels) as f64 / levels as f64 + digits[0] * rng.normal()).collect();
    let steep = rng.decades(-1.0, 2.0) * rng.below(2) as f64;
    let off_diagonal: Vec<f64> =
        (0..size).map(|_| if rng.below(8) == 0 { 0.0 } else { digits[1] * rng.normal() }).collect();
    let grade = |i: usize| 10.0_f64.powf(-steep * i as f64 / size as f64);
    Form::new(|i| diagonal[i] * grade(i), |i| off_diagonal[i] * grade(i), size)
}

/// Whether all vectors are eigenvectors and orthogonal.
fn check(name: &str, form: &Form, isa: InstructionSet) {
    let size = form.size();
    let vectors = form.vectors(isa, size).unwrap_or_else(|e| panic!("{name}, {size}: {e}"));
    let [residual, overlap] = form.errors(&vectors);
    assert!(residual <= 10.0, "{name}, {size}: residual {residual}");
    assert!(overlap <= 2.0, "{name}, {size}: overlap {overlap}");
}

#[test]
fn vectors_of_every_kind_of_matrix_are_eigenvectors_and_orthogonal() {
    for size in [1, 2, 3, 31, 32, 33, 64, 200] {
        for (name, form) in forms(size, 7) {
            check(name, &form, InstructionSet::detect());
        }
    }
}

#[test]
fn vectors_of_large_matrices_are_eigenvectors_and_orthogonal() {
    for size in [513, 784] {
        for (name, form) in forms(size, 8) {
            check(name, &form, InstructionSet::detect());
        }
    }
}

#[test]
fn vectors_of_random_clusters_are_eigenvectors_and_orthogonal() {
    for seed in 0..400 {
        let size = 1 + Random(seed).below(100);
        check(&format!("seed {seed}"), &adversary(size, seed), InstructionSet::detect());
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for size in [1, 2, 3, 31, 32, 33, 70, 150] {
        for (name, form) in forms(size, 9) {
            let reference = bits(&form.vectors(InstructionSet::portable(), size));
            for isa in InstructionSet::available() {
                assert_eq!(bits(&form.vectors(isa, size)), reference, "{name}, {size}, {}", isa.name());
            }
        }
    }
}

#[test]
fn the_first_of_many_vectors_are_those_that_stand_alone() {
    let isa = InstructionSet::detect();
    for size in [33, 100] {
        for (name, form) in forms(size, 10) {
            let all = form.vectors(isa, size).unwrap();
            for count in [0, 1, 5, 31, 32, 33, 64, 70] {
                let count = count.min(size);
                let first = all.subcols(0, count).to_owned();
                assert_eq!(bits(&form.vectors(isa, count)), bits(&Ok(first)), "{name}, {count} of {size}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_does_not_converge() {
    let mut form = wishart(40, 80, 1);
    form.diagonal[17] = f64::NAN;
    assert_eq!(form.vectors(InstructionSet::detect(), 3).err(), Some(Failure::NoConvergence));
}

#[test]
fn values_that_are_no_eigenvalues_do_not_converge() {
    let mut form = wishart(40, 80, 1);
    form.values[2] += 1e-3;
    assert_eq!(form.vectors(InstructionSet::detect(), 3).err(), Some(Failure::NoConvergence));
}

/// Bits of all entries, signs of zero included.
fn bits(vectors: &Result<Mat<f64>, Failure>) -> Result<Vec<u64>, Failure> {
    let vectors = vectors.as_ref().map_err(|e| *e)?;
    Ok(vectors.col_iter().flat_map(|x| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect())
}
