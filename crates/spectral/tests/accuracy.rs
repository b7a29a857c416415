//! Backward errors of the lane kernels over 10⁵ random problems of every kind.
//!
//! For a matrix of size d, in units of d·ε·‖A‖ (Frobenius), the largest that were observed, and
//! what is allowed:
//!
//! | quantity | observed | allowed |
//! |---|---:|---:|
//! | `|Σλ − tr A|` | 2.1 | 5 |
//! | `|Σλ² − ‖A‖²|/‖A‖` | 4.2 | 5 |
//! | `|Σ‖qᵀb‖² − ‖b‖²|`, per ‖b‖² in place of ‖A‖ | 2.7 | 5 |
//! | `|Σλ‖qᵀb‖² − tr bᵀAb|`, per ‖b‖² | 3.0 | 5 |
//! | `|λ − λ′|`, λ′ faer's, every twentieth problem | 2.8 | 5 |
//! | `‖A V − V Λ‖` of all eigenvectors, every twentieth | 2.3 | 5 |
//! | `‖VᵀV − I‖`, without ‖A‖ | 2.1 | 5 |
//!
//! The first four are what a backward error of that size implies whatever the spectrum; LAPACK is
//! held to the same by `kernel-accuracy` in `benches`. Sizes 2 to 16, and some up to 100.

mod common;

use common::{WAYS, norm, project, projecting};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::leading::LeadingBatch;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted, Way};
use eigensweep_testkit::random::Random;
use faer::{Mat, Side};

/// Problems in all.
const PROBLEMS: usize = 100_000;

/// What is allowed of each quantity, in units of d·ε.
const ALLOWED: f64 = 5.0;

const QUANTITIES: [&str; 7] =
    ["trace", "squares", "power", "form", "eigenvalue", "residual", "orthonormality"];

/// Largest errors so far.
#[derive(Default)]
struct Errors([f64; 7]);

impl Errors {
    fn take(&mut self, quantity: usize, size: usize, error: f64, what: &str) {
        let relative = error / (size as f64 * f64::EPSILON);
        assert!(relative <= ALLOWED, "{} of {what}, d = {size}: {relative}", QUANTITIES[quantity]);
        self.0[quantity] = self.0[quantity].max(relative);
    }
}

/// A symmetric matrix with a largest entry near one, of a kind.
fn matrix(rng: &mut Random, size: usize, kind: usize) -> (&'static str, Mat<f64>) {
    let decades = 20.0 * rng.uniform();
    let at = |i: usize| i as f64 / size as f64;
    match kind {
        0 => ("random", rng.symmetric(size)),
        1 => ("gram", rng.semidefinite(size, 2 * size)),
        2 => ("rank deficient", rng.semidefinite(size, size.div_ceil(3))),
        3 => {
            let base = rng.symmetric(size);
            let weight = |i: usize| 10.0_f64.powf(-decades * at(i));
            ("graded down", Mat::from_fn(size, size, |i, j| base[(i, j)] * weight(i) * weight(j)))
        }
        4 => {
            let base = rng.symmetric(size);
            let weight = |i: usize| 10.0_f64.powf(-decades * at(size - 1 - i));
            ("graded up", Mat::from_fn(size, size, |i, j| base[(i, j)] * weight(i) * weight(j)))
        }
        5 => {
            // A cluster of all but two, without the cost of a random basis: I + a rank two.
            let v = rng.normals(size, 2);
            let low = &v * v.transpose();
            (
                "clustered",
                Mat::from_fn(size, size, |i, j| {
                    1e-9 * low[(i.max(j), i.min(j))] + f64::from(u8::from(i == j))
                }),
            )
        }
        _ => {
            let keep = rng.uniform();
            let mut sparse = rng.symmetric(size);
            for j in 0..size {
                for i in j..size {
                    if rng.uniform() > keep {
                        sparse[(i, j)] = 0.0;
                        sparse[(j, i)] = 0.0;
                    }
                }
            }
            ("sparse", sparse)
        }
    }
}

#[test]
fn a_hundred_thousand_problems_of_every_kind() {
    let isa = InstructionSet::detect();
    let rng = &mut Random(2025);
    let mut errors = Errors::default();
    let (mut done, mut round) = (0, 0);
    while done < PROBLEMS {
        let size = match round % 40 {
            0 => 17 + round / 40 % 84,
            _ => 2 + round % 15,
        };
        let width = 1 + round % 4;
        // Not in step with sizes and kinds: all scales side by side in a batch.
        let scale_of = |place: usize| [1.0, 1e-150, 1e150, 1.0, 1e-3][(round / 7 + place) % 5];
        let way = WAYS[round / 3 % 2];
        let mut batch = projecting(way, isa, size, width);
        let (mut problems, mut scaled) = (vec![], vec![]);
        for place in 0..batch.capacity() {
            let (kind, unscaled) = matrix(rng, size, (round + place) % 7);
            let right = rng.normals(size, width);
            scaled.push((&unscaled * faer::Scale(scale_of(place)), right.clone()));
            problems.push((kind, unscaled, right));
        }
        let answers = project(&mut batch, &scaled);
        for (place, ((kind, matrix, right), answer)) in problems.iter().zip(answers).enumerate() {
            let scale = scale_of(place);
            let what = format!("{kind} × {scale:e}");
            let length = norm(matrix.as_ref()).max(f64::MIN_POSITIVE);
            let (values, powers) = answer.unwrap();
            let value = |i: usize| values[i] / scale;
            let sum = |f: &dyn Fn(usize) -> f64| (0..size).map(f).sum::<f64>();
            let weight = right.squared_norm_l2();
            let trace = sum(&|i| matrix[(i, i)]);
            errors.take(0, size, (sum(&value) - trace).abs() / length, &what);
            // Per ‖A‖ at once: squares of a small matrix would underflow.
            let squares = sum(&|i| (value(i) / length) * (value(i) / length));
            let expected = if norm(matrix.as_ref()) > 0.0 { 1.0 } else { 0.0 };
            errors.take(1, size, (squares - expected).abs(), &what);
            errors.take(2, size, (sum(&|i| powers[i]) - weight).abs() / weight, &what);
            let form = (right.transpose() * matrix * right).diagonal().column_vector().iter().sum::<f64>();
            let found = sum(&|i| value(i) * powers[i]);
            errors.take(3, size, (found - form).abs() / (length * weight), &what);
            if (done + place) % 20 == 0 {
                let expected = matrix.self_adjoint_eigenvalues(Side::Lower).unwrap();
                for i in 0..size {
                    errors.take(4, size, (value(i) - expected[size - 1 - i]).abs() / length, &what);
                }
                let mut leading = LeadingBatch::single(isa, size, size);
                leading.start(size);
                leading.push((matrix * faer::Scale(scale)).as_ref());
                leading.solve(size);
                if way == Way::Lanes {
                    assert_eq!(leading.values(0).unwrap(), values, "{what}");
                }
                let values = leading.values(0).unwrap();
                let value = |i: usize| values[i] / scale;
                let mut vectors = Mat::zeros(size, size);
                leading.vectors(0, vectors.as_mut());
                let weighted = Mat::from_fn(size, size, |i, j| vectors[(i, j)] * value(j));
                errors.take(5, size, norm((matrix * &vectors - weighted).as_ref()) / length, &what);
                let gram = vectors.transpose() * &vectors - Mat::<f64>::identity(size, size);
                errors.take(6, size, norm(gram.as_ref()), &what);
            }
        }
        done += problems.len();
        round += 1;
    }
    for (name, error) in QUANTITIES.iter().zip(errors.0) {
        eprintln!("{name}: {error:.2} d·ε");
    }
}

/// Fewer and larger problems, of every kind.
#[test]
fn large_problems_of_every_kind() {
    const WIDTH: usize = 3;
    let isa = InstructionSet::detect();
    let rng = &mut Random(2026);
    let mut errors = Errors::default();
    let sizes = (0..7).flat_map(|kind| [(257, kind), (520, kind)]).chain([(1024, 1), (1024, 2)]);
    for (size, kind) in sizes {
        let (what, matrix) = matrix(rng, size, kind);
        let right = rng.normals(size, WIDTH);
        let wanted = Wanted { projected: true, vectors: true, ..Wanted::default() };
        let count = if size > 1000 { 50 } else { size / 2 };
        let room = Room { size, smallest: size, width: WIDTH, count };
        let mut batch = ScaledBatch::new(isa, room, 1, wanted);
        batch.start(size, WIDTH);
        batch.push(0, &vec![1.0; size]);
        batch.solve(&[count], |_| (matrix.as_ref(), right.as_ref()));
        let (values, powers) = batch.projected(0).unwrap();
        let length = norm(matrix.as_ref());
        let weight = right.squared_norm_l2();
        let sum = |f: &dyn Fn(usize) -> f64| (0..size).map(f).sum::<f64>();
        let trace = sum(&|i| matrix[(i, i)]);
        errors.take(0, size, (sum(&|i| values[i]) - trace).abs() / length, what);
        let squares = sum(&|i| (values[i] / length) * (values[i] / length));
        errors.take(1, size, (squares - 1.0).abs(), what);
        errors.take(2, size, (sum(&|i| powers[i]) - weight).abs() / weight, what);
        let form = (right.transpose() * &matrix * &right).diagonal().column_vector().iter().sum::<f64>();
        errors.take(3, size, (sum(&|i| values[i] * powers[i]) - form).abs() / (length * weight), what);
        let expected = matrix.self_adjoint_eigenvalues(Side::Lower).unwrap();
        for i in 0..size {
            errors.take(4, size, (values[i] - expected[size - 1 - i]).abs() / length, what);
        }
        let mut vectors = Mat::zeros(size, count);
        batch.eigenvectors(0, vectors.as_mut());
        let weighted = Mat::from_fn(size, count, |i, j| vectors[(i, j)] * values[j]);
        errors.take(5, size, norm((&matrix * &vectors - weighted).as_ref()) / length, what);
        let gram = vectors.transpose() * &vectors - Mat::<f64>::identity(count, count);
        errors.take(6, size, norm(gram.as_ref()), what);
    }
    for (name, error) in QUANTITIES.iter().zip(errors.0) {
        eprintln!("{name}: {error:.2} d·ε");
    }
}
