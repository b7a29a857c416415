//! The root of the inverse on the range: `TᵀST = I`, `T Tᵀ = S⁺`, and the rank.

mod common;

use common::{diagonal, largest, lower_only, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::range::InverseRoot;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_testkit::random::{Random, symmetrized};
use faer::{Mat, mat};

/// T (d × r).
fn root(matrix: &Mat<f64>) -> Result<Mat<f64>, Failure> {
    root_on(InstructionSet::detect(), matrix)
}

fn root_on(isa: InstructionSet, matrix: &Mat<f64>) -> Result<Mat<f64>, Failure> {
    let size = matrix.nrows();
    let (mut vectors, mut root) = (Mat::zeros(size, size), Mat::zeros(size, size));
    let (mut solver, matrix) = (Eigensolver::new(isa, size), lower_only(matrix));
    let mut range = InverseRoot::new(isa, size);
    let rank = range.of(&mut solver, matrix.as_ref(), 0.0, vectors.as_mut(), root.as_mut())?;
    Ok(root.subcols(0, rank).to_owned())
}

/// `‖TᵀST − I‖` of T with r columns, and the largest part of a column of T in the null space of S,
/// given by a basis, relative to the column.
fn errors(matrix: &Mat<f64>, null: &Mat<f64>, root: &Mat<f64>) -> (f64, f64) {
    let rank = root.ncols();
    let identity = root.transpose() * matrix * root - Mat::<f64>::identity(rank, rank);
    let orthonormal = null.qr().compute_thin_Q();
    let share = |column: usize| {
        let column = root.col(column);
        (orthonormal.transpose() * column).norm_l2() / column.norm_l2()
    };
    (norm(identity.as_ref()), (0..rank).map(share).fold(0.0, f64::max))
}

/// X (n × d) of n < d, and vectors that span its null space: `(XᵀX, null)`.
fn of_few_samples(random: &mut Random, samples: usize, size: usize) -> (Mat<f64>, Mat<f64>) {
    let q = random.orthogonal(size);
    let inputs = random.normals(samples, samples) * q.subcols(0, samples).transpose();
    (symmetrized(&(inputs.transpose() * &inputs)), q.subcols(samples, size - samples).to_owned())
}

#[test]
fn it_is_the_root_of_the_pseudo_inverse_at_every_rank() {
    for size in [1, 2, 3, 7, 20, 33, 60, 130] {
        for rank in [1, 2, size / 3, size / 2, size - 1].into_iter().filter(|r| (1..size).contains(r)) {
            let (matrix, null) = of_few_samples(&mut Random((size + 1000 * rank) as u64), rank, size);
            let found = root(&matrix).unwrap();
            assert_eq!(found.ncols(), rank, "d = {size}");
            let (identity, share) = errors(&matrix, &null, &found);
            assert!(identity < 1e-9 && share < 1e-9, "{size}, {rank}: {identity:e} and {share:e}");
            // Penrose's first condition, and with the range of T his others.
            let back = &matrix * &found * found.transpose() * &matrix - &matrix;
            assert!(norm(back.as_ref()) < 1e-9 * norm(matrix.as_ref()), "{size}, {rank}");
        }
    }
}

/// A definite matrix has a root as well, its own inverse's.
#[test]
fn a_definite_matrix_keeps_its_rank() {
    for size in [1, 2, 5, 40] {
        let matrix = Random(size as u64).semidefinite(size, 3 * size + 2);
        let found = root(&matrix).unwrap();
        let (identity, _) = errors(&matrix, &Mat::zeros(size, 0), &found);
        assert!(found.ncols() == size && identity < 1e-11, "{size}: {identity:e}");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (size, rank) in [(5, 2), (40, 13), (40, 39), (130, 60)] {
        let (matrix, _) = of_few_samples(&mut Random(4), rank, size);
        let expected = root_on(InstructionSet::portable(), &matrix).unwrap();
        for isa in InstructionSet::available() {
            assert!(root_on(isa, &matrix).unwrap() == expected, "{} at d = {size}", isa.name());
        }
    }
}

#[test]
fn nothing_has_rank_0() {
    for size in [0, 1, 5] {
        assert_eq!(root(&Mat::zeros(size, size)).unwrap().ncols(), 0, "d = {size}");
    }
}

/// `S = (1 1; 1 1)`: `S⁺ = S/4`; the null space is spanned by (1, −1). With the units 1 and 2 the
/// null space is spanned by (2, −1), and `S⁺ = S/25`.
#[test]
fn a_repeated_variable_shares_the_weight_by_its_unit() {
    for (matrix, scale) in [(mat![[1.0, 1.0], [1.0, 1.0]], 4.0), (mat![[1.0, 2.0], [2.0, 4.0]], 25.0)] {
        let found = root(&matrix).unwrap();
        let inverse = &found * found.transpose();
        let expected = Mat::from_fn(2, 2, |i, j| matrix[(i, j)] / scale);
        assert!(largest((&inverse - expected).as_ref()) < 1e-15, "{inverse:?}");
    }
}

/// Zero variables, repeated ones and a combination, in units from 1e-4 to 1e4, in any order. What
/// is left in the null space is rounding times the ratio of units.
#[test]
fn variables_keep_their_share_in_every_unit() {
    for seed in 0..40 {
        let random = &mut Random(seed);
        let (samples, size) = (50, 12);
        let mut inputs = random.normals(samples, size);
        for row in 0..samples {
            inputs[(row, 4)] = 0.0;
            inputs[(row, 7)] = inputs[(row, 2)];
            inputs[(row, 9)] = inputs[(row, 1)] - 3.0 * inputs[(row, 11)];
        }
        let units: Vec<f64> = (0..size).map(|_| random.decades(-4.0, 4.0)).collect();
        let scaled = Mat::from_fn(samples, size, |i, j| inputs[(i, j)] * units[j]);
        let matrix = symmetrized(&(scaled.transpose() * &scaled));
        let found = root(&matrix).unwrap();
        assert_eq!(found.ncols(), 9, "{units:?}");
        let mut null = Mat::zeros(size, 3);
        null[(4, 0)] = 1.0;
        (null[(7, 1)], null[(2, 1)]) = (1.0 / units[7], -1.0 / units[2]);
        (null[(9, 2)], null[(1, 2)], null[(11, 2)]) = (1.0 / units[9], -1.0 / units[1], 3.0 / units[11]);
        let (identity, share) = errors(&matrix, &null, &found);
        assert!(identity < 1e-8 && share < 1e-8, "seed {seed}: {identity:e} and {share:e}");
    }
}

#[test]
fn a_variable_of_zeros_changes_no_bit() {
    let (matrix, _) = of_few_samples(&mut Random(8), 6, 10);
    let with = |place: usize| {
        Mat::from_fn(11, 11, |i, j| {
            let at = |k: usize| (k != place).then_some(k - usize::from(k > place));
            at(i).zip(at(j)).map_or(0.0, |(i, j)| matrix[(i, j)])
        })
    };
    let expected = root(&matrix).unwrap();
    for place in [0, 5, 10] {
        let found = root(&with(place)).unwrap();
        assert_eq!(found.ncols(), 6);
        for c in 0..6 {
            let others: Vec<f64> = (0..11).filter(|&i| i != place).map(|i| found[(i, c)]).collect();
            assert_eq!(others, expected.col(c).iter().copied().collect::<Vec<_>>(), "at {place}");
            assert_eq!(found[(place, c)].to_bits(), 0);
        }
    }
}

/// By powers of four, whose roots are powers of two: to the bit.
#[test]
fn the_unit_of_all_does_not_matter() {
    let (matrix, _) = of_few_samples(&mut Random(9), 4, 9);
    let expected = root(&matrix).unwrap();
    for exponent in [-400, -60, 1, 60, 400] {
        let (scale, unit) = (4.0_f64.powi(exponent), 2.0_f64.powi(exponent));
        let found = root(&(&matrix * faer::Scale(scale))).unwrap();
        assert_eq!(found * faer::Scale(unit), expected, "4^{exponent}");
    }
}

#[test]
fn what_is_negative_beyond_rounding_is_no_second_moment() {
    let refused = |matrix: &Mat<f64>| match root(matrix) {
        Err(Failure::NotPositiveDefinite { pivot }) => Some(pivot),
        _ => None,
    };
    assert_eq!(refused(&mat![[1.0, 0.0], [0.0, -1e-3]]), Some(1));
    assert_eq!(refused(&mat![[0.0, 1.0], [1.0, 0.0]]), Some(0), "a zero beside a covariance");
    assert!(refused(&mat![[1.0, 2.0], [2.0, 1.0]]).is_some());
    assert!(refused(&mat![[1.0, 1.0 + 1e-9], [1.0 + 1e-9, 1.0]]).is_some());
    assert!(refused(&Random(3).with_eigenvalues(&[1.0, 0.5, 0.0, -1e-8])).is_some());
    // Rounding of zero is zero.
    let rounded = mat![[1.0, 1e-17, 1.0], [1e-17, -1e-17, 1e-17], [1.0, 1e-17, 1.0 - 1e-16]];
    assert_eq!(root(&rounded).unwrap().ncols(), 1);
    assert_eq!(root(&Random(3).with_eigenvalues(&[1.0, 0.5, 0.0, -1e-17])).unwrap().ncols(), 2);
}

#[test]
fn an_entry_that_is_not_finite_is_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (i, j) in [(0, 0), (3, 0), (3, 3)] {
            let mut matrix = diagonal(&[1.0, 2.0, 0.0, 3.0]);
            (matrix[(i, j)], matrix[(j, i)]) = (bad, bad);
            assert_eq!(root(&matrix).map(|_| ()), Err(Failure::NotFinite), "{bad} at ({i}, {j})");
        }
    }
}
