//! Eigenvectors: orthonormal, with a small residual, on easy and hard spectra at every scale.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{hard_symmetric, largest, lower_only, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_testkit::random::{Random, symmetrized};
use faer::Mat;

/// Around the widths of SIMD registers, the half-width of a band (16) and the blocks of inverse
/// iteration (32).
const SIZES: [usize; 14] = [1, 2, 3, 4, 5, 8, 16, 17, 31, 32, 33, 65, 100, 150];

/// Eigenvalues and eigenvectors from the lower triangle alone.
fn decompose(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    decompose_on(InstructionSet::detect(), matrix)
}

fn decompose_on(isa: InstructionSet, matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    let size = matrix.nrows();
    let mut values = vec![f64::NAN; size];
    let mut vectors = Mat::from_fn(size, size, |_, _| f64::NAN);
    Eigensolver::new(isa, size).solve(lower_only(matrix).as_ref(), &mut values, vectors.as_mut())?;
    Ok((values, vectors))
}

/// `‖VᵀV − I‖`, and `‖A V − V Λ‖` relative to `‖A‖`, are at most 20·d·ε.
///
/// Householder's reductions and QL leave a small multiple of √d·ε in practice; 20·d·ε would not
/// pass a method that loses as much as two digits at these sizes.
fn check(name: &str, matrix: &Mat<f64>) {
    let size = matrix.nrows();
    let allowed = 20.0 * size as f64 * f64::EPSILON;
    let scale = largest(matrix.as_ref());
    // All in units of the largest entry: products of entries near 1e150 would overflow.
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let (values, vectors) = decompose(matrix).unwrap();
    assert!(values.is_sorted_by(|a, b| a >= b), "{name}, {size}: descending {values:?}");
    let gram = vectors.transpose() * &vectors - Mat::<f64>::identity(size, size);
    assert!(norm(gram.as_ref()) <= allowed, "{name}, {size}: orthonormality {:e}", norm(gram.as_ref()));
    let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] / unit);
    let weighted = Mat::from_fn(size, size, |i, j| vectors[(i, j)] * (values[j] / unit));
    let residual = &scaled * &vectors - weighted;
    let relative = norm(residual.as_ref()) / norm(scaled.as_ref()).max(f64::MIN_POSITIVE);
    assert!(relative <= allowed, "{name}, {size}, scale {scale:e}: residual {relative:e} > {allowed:e}");
    let trace: f64 = (0..size).map(|i| scaled[(i, i)]).sum();
    let sum: f64 = values.iter().map(|x| x / unit).sum();
    assert!((trace - sum).abs() <= allowed * norm(scaled.as_ref()), "{name}, {size}: trace {trace} {sum}");
}

#[test]
fn hard_spectra_at_every_size() {
    for size in SIZES {
        for (name, matrix) in hard_symmetric(size, size as u64) {
            check(name, &matrix);
        }
    }
}

#[test]
fn accuracy_does_not_depend_on_the_unit() {
    for scale in [1e-300, 1e-150, 1e-30, 1e-15, 1e-6, 1e6, 1e150, 1e300] {
        for size in [2, 20, 33, 100] {
            for (name, matrix) in hard_symmetric(size, 3) {
                check(name, &(matrix * faer::Scale(scale)));
            }
        }
    }
}

#[test]
fn recovers_known_eigenvectors() {
    for size in [5, 32, 40, 100] {
        let rng = &mut Random(size as u64);
        let q = rng.orthogonal(size);
        let weighted = Mat::from_fn(size, size, |i, j| q[(i, j)] * (size - j) as f64);
        let matrix = symmetrized(&(weighted * q.transpose()));
        let (values, vectors) = decompose(&matrix).unwrap();
        for (j, value) in values.iter().enumerate() {
            assert!((value - (size - j) as f64).abs() <= 20.0 * (size * size) as f64 * f64::EPSILON);
            // Gaps of 1, norm d: an angle of up to about d · d·ε.
            let cosine = (q.as_ref().col(j).transpose() * vectors.as_ref().col(j)).abs();
            assert!((cosine - 1.0).abs() <= 1e-12, "size {size}: {cosine}");
        }
    }
}

#[test]
fn a_single_entry() {
    let (values, vectors) = decompose(&Mat::from_fn(1, 1, |_, _| -3.0)).unwrap();
    assert_eq!(values, [-3.0]);
    assert!((vectors[(0, 0)].abs() - 1.0).abs() <= f64::EPSILON);
}

#[test]
fn nothing_at_all() {
    assert!(decompose(&Mat::zeros(0, 0)).is_ok());
}

#[test]
fn a_workspace_for_a_larger_size_serves_smaller_ones() {
    let mut solver = Eigensolver::new(InstructionSet::detect(), 100);
    for size in [0, 1, 99, 2, 31, 33, 100] {
        let matrix = Random(1).symmetric(size);
        let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
        solver.solve(matrix.as_ref(), &mut values, vectors.as_mut()).unwrap();
        assert_eq!((values, vectors), decompose(&matrix).unwrap(), "d = {size}");
    }
}

#[test]
fn the_first_vectors_are_the_same_bits_however_many_are_asked_for() {
    for size in [1, 5, 33, 100] {
        let matrix = Random(2).symmetric(size);
        let all = decompose(&matrix).unwrap();
        for count in [0, 1, size / 2, size - 1] {
            let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, count));
            let mut solver = Eigensolver::new(InstructionSet::detect(), size);
            solver.solve(matrix.as_ref(), &mut values, vectors.as_mut()).unwrap();
            assert_eq!(values, all.0, "d = {size}");
            assert_eq!(vectors.as_ref(), all.1.as_ref().subcols(0, count), "d = {size}, k = {count}");
        }
    }
}

#[test]
fn an_entry_that_is_not_finite_is_refused() {
    for size in [1, 2, 5, 33, 70] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (i, j) in [(0, 0), (size - 1, 0), (size - 1, size - 1), (size / 2, size / 3)] {
                let mut matrix = Random(7).symmetric(size);
                matrix[(i, j)] = bad;
                let outcome = decompose(&matrix).map(|_| ());
                assert_eq!(outcome, Err(Failure::NotFinite), "size {size}: {bad} at ({i}, {j})");
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for size in [1, 2, 5, 17, 40, 130] {
        for (name, matrix) in hard_symmetric(size, 11) {
            let expected = decompose_on(InstructionSet::portable(), &matrix).unwrap();
            for isa in InstructionSet::available() {
                let found = decompose_on(isa, &matrix).unwrap();
                assert!(found == expected, "{name}: {} at d = {size}", isa.name());
            }
        }
    }
}

fn run(rows: usize, columns: usize, values: usize, vectors: (usize, usize)) {
    let mut solver = Eigensolver::new(InstructionSet::detect(), 5);
    let (matrix, mut room) = (Mat::zeros(rows, columns), Mat::zeros(vectors.0, vectors.1));
    let _ = solver.solve(matrix.as_ref(), &mut vec![0.0; values], room.as_mut());
}

#[test]
#[should_panic(expected = "d × d, d values")]
fn a_matrix_that_is_not_square_panics() {
    run(3, 2, 3, (3, 3));
}

#[test]
#[should_panic(expected = "d × d, d values")]
fn values_of_another_length_panic() {
    run(3, 3, 2, (3, 3));
}

#[test]
#[should_panic(expected = "room")]
fn more_columns_than_the_size_panic() {
    run(3, 3, 3, (3, 4));
}
