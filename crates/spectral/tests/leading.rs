//! The leading k eigenvectors for several k: as good as a full decomposition, and the same bits whatever else was asked for.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{Random, hard_symmetric, largest, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::leading::{LeadingEigenvectors, NARROW_FROM};
use faer::Mat;

/// Below, at and above the size from which the narrow route is taken.
const SIZES: [usize; 9] = [1, 2, 9, 33, NARROW_FROM - 1, NARROW_FROM, 64, 100, 150];

fn leading(eigen: &mut LeadingEigenvectors, size: usize, count: usize) -> (Vec<f64>, Mat<f64>) {
    let mut vectors = Mat::from_fn(size, count, |_, _| f64::NAN);
    let values = eigen.leading(vectors.as_mut()).unwrap().to_vec();
    (values, vectors)
}

/// `‖VᵀV − I‖`, and `‖A V − V Λ‖` relative to `‖A‖`, are at most 20·d·ε (the bound of `symmetric`'s tests).
fn check(name: &str, matrix: &Mat<f64>, count: usize) {
    let size = matrix.nrows();
    let allowed = 20.0 * size as f64 * f64::EPSILON;
    let scale = largest(matrix.as_ref());
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let mut eigen = LeadingEigenvectors::new(size);
    eigen.decompose(matrix.as_ref()).unwrap();
    let (values, vectors) = leading(&mut eigen, size, count);
    assert!(values.is_sorted(), "{name}, {size}");
    let gram = vectors.transpose() * &vectors - Mat::<f64>::identity(count, count);
    assert!(
        norm(gram.as_ref()) <= allowed,
        "{name}, {size}, {count}: orthonormality {:e}",
        norm(gram.as_ref())
    );
    let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] / unit);
    let weighted = Mat::from_fn(size, count, |i, j| vectors[(i, j)] * (values[size - 1 - j] / unit));
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
        for size in [NARROW_FROM, 100] {
            for (name, matrix) in hard_symmetric(size, 5) {
                check(name, &(matrix * faer::Scale(scale)), size / 2);
            }
        }
    }
}

/// Wilkinson's W₂₁⁺ glued together: pairs of eigenvalues that agree to the last digit, in several copies.
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
fn vectors_do_not_depend_on_what_was_asked_for_before() {
    for size in [40, NARROW_FROM, 100] {
        let matrix = Random(size as u64).symmetric(size);
        for count in [1, 7, size / 2, size / 2 + 1, size] {
            let mut alone = LeadingEigenvectors::new(size);
            alone.decompose(matrix.as_ref()).unwrap();
            let expected = leading(&mut alone, size, count);
            // A larger workspace, used before, and other counts first.
            let mut eigen = LeadingEigenvectors::new(size + 3);
            eigen.decompose(Random(1).symmetric(size + 3).as_ref()).unwrap();
            leading(&mut eigen, size + 3, 5);
            eigen.decompose(matrix.as_ref()).unwrap();
            for other in [3, size, size / 2, 1] {
                leading(&mut eigen, size, other);
            }
            let found = leading(&mut eigen, size, count);
            assert_eq!(found.0, expected.0, "{size}, {count}");
            assert!(found.1 == expected.1, "{size}, {count}");
        }
    }
}

#[test]
fn what_is_not_finite_is_refused() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut matrix = Mat::<f64>::identity(60, 60);
        matrix[(40, 3)] = bad;
        let mut eigen = LeadingEigenvectors::new(60);
        assert_eq!(eigen.decompose(matrix.as_ref()), Err(Failure::NotFinite));
    }
}
