//! Singular values and vectors: orthogonal factors, small residual, values of known matrices.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{largest, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::singular::SingularValues;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_testkit::random::Random;
use faer::Mat;

type Factors = (Mat<f64>, Vec<f64>, Mat<f64>);

/// U, Φ and P of a d × r matrix.
fn decompose(matrix: &Mat<f64>) -> Result<Factors, Failure> {
    decompose_on(InstructionSet::detect(), matrix)
}

fn decompose_on(isa: InstructionSet, matrix: &Mat<f64>) -> Result<Factors, Failure> {
    let (size, rank) = (matrix.nrows(), matrix.ncols());
    let mut values = vec![f64::NAN; rank];
    let (mut left, mut right) = (Mat::zeros(size, rank), Mat::zeros(rank, rank));
    let (mut singular, mut solver) = (SingularValues::new(isa, size), Eigensolver::new(isa, size));
    singular.of(&mut solver, matrix.as_ref(), &mut values, left.as_mut(), right.as_mut())?;
    Ok((left, values, right))
}

/// `‖UᵀU − I‖`, `‖PᵀP − I‖` and `‖M − UΦPᵀ‖ / ‖M‖` are at most 20·d·ε; Φ descends and is not
/// negative.
fn check(name: &str, matrix: &Mat<f64>) {
    let size = matrix.nrows();
    let allowed = 20.0 * size as f64 * f64::EPSILON;
    let scale = largest(matrix.as_ref());
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let (left, values, right) = decompose(matrix).unwrap();
    assert!(values.is_sorted_by(|a, b| a >= b) && values.iter().all(|&x| x >= 0.0), "{name}: {values:?}");
    for side in [&left, &right] {
        let gram = side.transpose() * side - Mat::<f64>::identity(size, size);
        assert!(norm(gram.as_ref()) <= allowed, "{name}, {size}: {:e}", norm(gram.as_ref()));
    }
    let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] / unit);
    let weighted = Mat::from_fn(size, size, |i, j| left[(i, j)] * (values[j] / unit));
    let relative = norm((&scaled - weighted * right.transpose()).as_ref())
        / norm(scaled.as_ref()).max(f64::MIN_POSITIVE);
    assert!(relative <= allowed, "{name}, {size}, scale {scale:e}: {relative:e} > {allowed:e}");
}

/// Matrices of several kinds with largest entry near one.
fn kinds(size: usize) -> Vec<(&'static str, Mat<f64>)> {
    let rng = &mut Random(size as u64);
    let graded = Mat::from_fn(size, size, |i, j| {
        rng.normal() * 10.0_f64.powf(-((8 * i + 12 * j) as f64) / size as f64)
    });
    vec![
        ("random", rng.normals(size, size)),
        ("zero", Mat::zeros(size, size)),
        ("identity", Mat::identity(size, size)),
        ("rank 1", rng.normals(size, 1) * rng.normals(1, size)),
        ("rank d/3", rng.normals(size, size / 3) * rng.normals(size / 3, size)),
        ("orthogonal", rng.orthogonal(size)),
        ("graded", graded),
        ("lower", Mat::from_fn(size, size, |i, j| if i >= j { 1.0 } else { 0.0 })),
    ]
}

#[test]
fn factors_of_every_kind() {
    for size in [1, 2, 3, 4, 5, 8, 16, 17, 31, 32, 33, 65, 100, 150] {
        for (name, matrix) in kinds(size) {
            check(name, &matrix);
        }
    }
}

#[test]
fn accuracy_does_not_depend_on_the_unit() {
    for scale in [1e-150, 1e-30, 1e-15, 1e-6, 1e6, 1e30, 1e150] {
        for size in [2, 20, 33, 100, 150] {
            for (name, matrix) in kinds(size) {
                check(name, &(matrix * faer::Scale(scale)));
            }
        }
    }
}

#[test]
fn recovers_known_values() {
    for size in [1, 5, 33, 100] {
        let rng = &mut Random(3);
        let (u, p) = (rng.orthogonal(size), rng.orthogonal(size));
        let known: Vec<f64> = (0..size).map(|i| 10.0_f64.powf(-6.0 * i as f64 / size as f64)).collect();
        let matrix = u * common::diagonal(&known) * p.transpose();
        let (_, values, _) = decompose(&matrix).unwrap();
        for (found, wanted) in values.iter().zip(&known) {
            assert!((found - wanted).abs() <= 20.0 * size as f64 * f64::EPSILON, "{found} {wanted}");
        }
    }
}

#[test]
fn small_values_survive_where_squaring_loses_them() {
    // φ = 1e-12 beside 1: in MᵀM it would be 1e-24, below ε.
    let rng = &mut Random(5);
    let (u, p) = (rng.orthogonal(10), rng.orthogonal(10));
    let known: Vec<f64> = (0..10).map(|i| if i == 9 { 1e-12 } else { 1.0 - 0.05 * i as f64 }).collect();
    let (_, values, _) = decompose(&(u * common::diagonal(&known) * p.transpose())).unwrap();
    assert!((values[9] - 1e-12).abs() <= 200.0 * f64::EPSILON, "{:e}", values[9]);
}

#[test]
fn nothing_at_all() {
    assert!(decompose(&Mat::zeros(0, 0)).is_ok());
}

/// Of all widths.
#[test]
fn tall_matrices_have_the_values_of_their_triangle() {
    let size = 40;
    for width in [0, 1, 2, 10, 20, 21, 22, 30, 39, 40] {
        let (matrix, q) = (Random(6).normals(width, width), Random(7).orthogonal(size));
        let tall = q.subcols(0, width) * &matrix;
        let (left, values, right) = decompose(&tall).unwrap();
        let (_, expected, _) = decompose(&matrix).unwrap();
        let unit = expected.first().copied().unwrap_or(1.0);
        for (found, expected) in values.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-13 * unit, "{width}: {found} and {expected}");
        }
        let weighted = Mat::from_fn(size, width, |i, j| left[(i, j)] * values[j]);
        assert!(norm((tall - weighted * right.transpose()).as_ref()) <= 1e-13 * unit, "{width}");
        for side in [left, right] {
            let gram = side.transpose() * &side - Mat::<f64>::identity(width, width);
            assert!(norm(gram.as_ref()) <= 1e-13, "{width}");
        }
    }
}

#[test]
fn an_entry_that_is_not_finite_is_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (i, j) in [(0, 0), (4, 0), (0, 4), (2, 3)] {
            let mut matrix = Random(7).normals(5, 5);
            matrix[(i, j)] = bad;
            assert_eq!(decompose(&matrix).map(|_| ()), Err(Failure::NotFinite), "{bad} at ({i}, {j})");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for size in [1, 2, 5, 40, 130] {
        let tall = Random(8).normals(size, 1 + size / 3);
        for (name, matrix) in kinds(size).into_iter().chain([("tall", tall)]) {
            let expected = decompose_on(InstructionSet::portable(), &matrix).unwrap();
            for isa in InstructionSet::available() {
                let found = decompose_on(isa, &matrix).unwrap();
                assert!(found == expected, "{name}: {} at d = {size}", isa.name());
            }
        }
    }
}

fn run(rows: usize, columns: usize, values: usize, left: usize, right: usize) {
    let isa = InstructionSet::detect();
    let _ = SingularValues::new(isa, 5).of(
        &mut Eigensolver::new(isa, 5),
        Mat::zeros(rows, columns).as_ref(),
        &mut vec![0.0; values],
        Mat::zeros(left, left).as_mut(),
        Mat::zeros(right, right).as_mut(),
    );
}

#[test]
#[should_panic(expected = "no more columns than rows")]
fn a_matrix_of_more_columns_than_rows_panics() {
    run(2, 3, 3, 2, 3);
}

#[test]
#[should_panic(expected = "no more columns than rows")]
fn values_of_another_length_panic() {
    run(3, 3, 2, 3, 3);
}

#[test]
#[should_panic(expected = "room")]
fn left_vectors_of_another_size_panic() {
    run(3, 3, 3, 2, 3);
}

#[test]
#[should_panic(expected = "room")]
fn right_vectors_of_another_size_panic() {
    run(3, 3, 3, 3, 2);
}

/// The squares are those of the small problem: `M = A Bᵀ`, 400 × 24 each.
#[test]
fn a_matrix_of_low_rank_has_each_of_its_singular_values_once() {
    let mut random = Random(3);
    for (size, rank) in [(400, 24), (300, 150)] {
        let (a, b) = (random.normals(size, rank), random.normals(size, rank));
        let (_, values, right) = decompose(&(&a * b.transpose())).unwrap();
        // The eigenvalues of A Bᵀ B Aᵀ that are not zero are those of (AᵀA)(BᵀB).
        let (first, second) = (a.transpose() * &a, b.transpose() * &b);
        let power: f64 =
            (0..rank).map(|i| (0..rank).map(|j| first[(i, j)] * second[(j, i)]).sum::<f64>()).sum();
        let found: f64 = values.iter().map(|x| x * x).sum();
        assert!((found - power).abs() < 1e-10 * power, "{size}: {found}, not {power}");
        assert!(values[rank] < 1e-12 * values[0], "{size}: rank {rank}");
        let gram = right.transpose() * &right - Mat::<f64>::identity(size, size);
        assert!(largest(gram.as_ref()) < 1e-11, "{size}: orthogonal");
    }
}
