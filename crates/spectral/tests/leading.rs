//! The leading k eigenvectors for several k: as good as a full decomposition, and the same bits
//! whatever else was asked for.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{hard_symmetric, largest, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::leading::LeadingBatch;
use eigensweep_testkit::random::Random;
use faer::Mat;

const SIZES: [usize; 9] = [1, 2, 9, 33, 47, 48, 64, 100, 150];

/// All eigenvalues and `count` eigenvectors of one matrix.
fn leading(
    batch: &mut LeadingBatch,
    matrix: &Mat<f64>,
    count: usize,
) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    let size = matrix.nrows();
    batch.start(size);
    let place = batch.push(common::lower_only(matrix).as_ref());
    batch.solve(count);
    let mut vectors = Mat::from_fn(size, count, |_, _| f64::NAN);
    batch.vectors(place, vectors.as_mut());
    batch.values(place).map(|values| (values.to_vec(), vectors))
}

fn room(size: usize) -> LeadingBatch {
    LeadingBatch::single(InstructionSet::detect(), size, size)
}

/// `‖VᵀV − I‖`, and `‖A V − V Λ‖` relative to `‖A‖`, are at most 20·d·ε (the bound of `symmetric`'s
/// tests).
fn check(name: &str, matrix: &Mat<f64>, count: usize) {
    let size = matrix.nrows();
    let allowed = 20.0 * size as f64 * f64::EPSILON;
    let scale = largest(matrix.as_ref());
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let (values, vectors) = leading(&mut room(size), matrix, count).unwrap();
    assert!(values.is_sorted_by(|a, b| a >= b), "{name}, {size}");
    let gram = vectors.transpose() * &vectors - Mat::<f64>::identity(count, count);
    assert!(
        norm(gram.as_ref()) <= allowed,
        "{name}, {size}, {count}: orthonormality {:e}",
        norm(gram.as_ref())
    );
    let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] / unit);
    let weighted = Mat::from_fn(size, count, |i, j| vectors[(i, j)] * (values[j] / unit));
    let residual = norm((&scaled * &vectors - weighted).as_ref());
    let relative = residual / norm(scaled.as_ref()).max(f64::MIN_POSITIVE);
    assert!(relative <= allowed, "{name}, {size}, {count}, scale {scale:e}: residual {relative:e}");
}

#[test]
fn hard_spectra_at_every_size() {
    for size in SIZES {
        for (name, matrix) in hard_symmetric(size, size as u64) {
            for count in [0, 1, size.div_ceil(4), size / 2, size] {
                check(name, &matrix, count);
            }
        }
    }
}

#[test]
fn accuracy_does_not_depend_on_the_unit() {
    for scale in [1e-300, 1e-150, 1e-6, 1e150, 1e300] {
        for size in [48, 100] {
            for (name, matrix) in hard_symmetric(size, 5) {
                check(name, &(matrix * faer::Scale(scale)), size / 2);
            }
        }
    }
}

/// Wilkinson's W₂₁⁺ glued together: pairs of eigenvalues that agree to the last digit, in several
/// copies.
#[test]
fn glued_wilkinson_matrices() {
    let size = 84;
    let matrix = Mat::from_fn(size, size, |i, j| match i.abs_diff(j) {
        0 => (i % 21).abs_diff(10) as f64,
        1 if i.max(j) % 21 == 0 => 1e-9,
        1 => 1.0,
        _ => 0.0,
    });
    for count in [1, 8, 30, 42] {
        check("glued Wilkinson", &matrix, count);
    }
}

#[test]
fn multiple_eigenvalues() {
    let size = 90;
    check("identity", &Mat::<f64>::identity(size, size), 45);
    // Three values, thirty times each, in a random basis.
    let values: Vec<f64> = (0..size).map(|i| (1 + i / 30) as f64).collect();
    check("three values", &Random(11).with_eigenvalues(&values), 40);
}

#[test]
fn vectors_do_not_depend_on_how_many_are_asked_for() {
    for size in [1, 2, 40, 48, 100] {
        let matrix = Random(size as u64).symmetric(size);
        let mut batch = room(size + 3);
        let (values, vectors) = leading(&mut batch, &matrix, size).unwrap();
        for count in [0, 1, 7, size / 2, size / 2 + 1, size].map(|count| count.min(size)) {
            // Room that was used before, for something else.
            let _ = leading(&mut batch, &Random(1).symmetric(size + 3), 3);
            let found = leading(&mut batch, &matrix, count).unwrap();
            assert_eq!(found.0, values, "{size}, {count}");
            assert!(found.1 == vectors.subcols(0, count), "{size}, {count}");
        }
    }
}

#[test]
fn what_is_not_finite_is_refused() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut matrix = Mat::<f64>::identity(60, 60);
        matrix[(40, 3)] = bad;
        assert_eq!(leading(&mut room(60), &matrix, 2).map(drop), Err(Failure::NotFinite));
    }
}

#[test]
#[should_panic(expected = "room for k")]
fn more_vectors_than_there_is_room_for_panic() {
    let mut batch = LeadingBatch::new(InstructionSet::detect(), 5, 2);
    batch.start(5);
    batch.solve(3);
}
