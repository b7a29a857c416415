//! Cholesky factors against a naive reference, their backward error, and every way to fail.

mod common;

use common::{diagonal, lower_only};
use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::{
    factor_in_place, factor_safely_in_place, solve_in_place, solve_lower_in_place,
    solve_lower_transpose_in_place,
};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_testkit::random::{Random, symmetrized};
use faer::{Mat, mat};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Factors a copy of which only the lower triangle can be read, and returns that triangle.
fn factor(matrix: &Mat<f64>) -> Result<Mat<f64>, Failure> {
    let mut factor = lower_only(matrix);
    factor_in_place(InstructionSet::detect(), factor.as_mut())?;
    Ok(Mat::from_fn(matrix.nrows(), matrix.nrows(), |i, j| if i >= j { factor[(i, j)] } else { 0.0 }))
}

/// The textbook factorization, column by column.
fn naive(matrix: &Mat<f64>) -> Mat<f64> {
    let size = matrix.nrows();
    let mut l = Mat::<f64>::zeros(size, size);
    for j in 0..size {
        let pivot = matrix[(j, j)] - (0..j).map(|k| l[(j, k)] * l[(j, k)]).sum::<f64>();
        l[(j, j)] = pivot.sqrt();
        for i in j + 1..size {
            let dot: f64 = (0..j).map(|k| l[(i, k)] * l[(j, k)]).sum();
            l[(i, j)] = (matrix[(i, j)] - dot) / l[(j, j)];
        }
    }
    l
}

/// Higham (2002), theorem 10.3, gives `|S − LLᵀ|ᵢⱼ ≤ γ_(d+1) √(Sᵢᵢ Sⱼⱼ)` to first order with
/// γ_(d+1) ≈ (d+1) ε/2: a bound that knows no scale. Allowed: twice that.
fn assert_backward_stable(matrix: &Mat<f64>, factor: &Mat<f64>) {
    let size = matrix.nrows();
    let product = factor * factor.transpose();
    for j in 0..size {
        for i in j..size {
            let allowed = (size + 1) as f64 * f64::EPSILON * matrix[(i, i)].sqrt() * matrix[(j, j)].sqrt();
            let error = (product[(i, j)] - matrix[(i, j)]).abs();
            assert!(error <= allowed, "size {size}, entry ({i}, {j}): {error:e} > {allowed:e}");
        }
    }
}

/// Well conditioned: the eigenvalues of `I + FFᵀ/d` lie in [1, ≈ 5].
fn definite(size: usize, seed: u64) -> Mat<f64> {
    let gram = Random(seed).semidefinite(size, size);
    Mat::<f64>::identity(size, size) + gram * faer::Scale(1.0 / size as f64)
}

#[test]
fn equals_the_naive_factor() {
    for size in [0, 1, 2, 3, 7, 8, 15, 16, 17, 33, 64, 100, 129] {
        let matrix = definite(size, size as u64);
        let fast = factor(&matrix).unwrap();
        assert_backward_stable(&matrix, &fast);
        // Condition number ≤ ≈ 5, so the factors agree to a small multiple of the backward error.
        let difference = common::largest((&fast - naive(&matrix)).as_ref());
        assert!(difference <= 10.0 * (size + 1) as f64 * f64::EPSILON, "size {size}: {difference:e}");
    }
}

#[test]
fn scaling_by_powers_of_two_changes_no_bit() {
    for size in [1, 2, 33, 100] {
        let matrix = definite(size, 5);
        let scale: Vec<f64> = (0_i32..).take(size).map(|i| 2.0_f64.powi((i * 37) % 401 - 200)).collect();
        let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] * scale[i] * scale[j]);
        let (plain, scaled) = (factor(&matrix).unwrap(), factor(&scaled).unwrap());
        for j in 0..size {
            for i in j..size {
                let expected = plain[(i, j)] * scale[i];
                assert!(scaled[(i, j)].to_bits() == expected.to_bits(), "size {size}: ({i}, {j})");
            }
        }
    }
}

#[test]
fn nearly_collinear_but_definite_passes() {
    // Squared multiple correlation 1 − 1e-12: the pivot is 1e-12, far above d·ε.
    let matrix = mat![[1.0, 1.0], [1.0, 1.0 + 1e-12]];
    assert!(factor(&matrix).is_ok());
}

#[test]
fn a_matrix_singular_up_to_rounding_is_refused() {
    // The pivot is two ulps: a plain factorization would accept it.
    let matrix = mat![[1.0, 1.0], [1.0, 1.0 + 2.0 * f64::EPSILON]];
    assert_eq!(factor(&matrix), Err(Failure::NotPositiveDefinite { pivot: 1 }));
}

#[test]
fn exactly_singular_is_refused_at_the_dependent_variable() {
    for size in [1, 2, 5, 33, 100] {
        for dependent in [0, size / 2, size - 1] {
            // Variable `dependent` is the sum of two earlier ones (or zero, if it has no two), so
            // nothing rounds badly.
            let mut basis = Mat::<f64>::identity(size, size);
            for j in 0..size {
                basis[(dependent, j)] = if j + 2 >= dependent && j < dependent { 1.0 } else { 0.0 };
            }
            let matrix = &basis * basis.transpose();
            assert_eq!(
                factor(&matrix),
                Err(Failure::NotPositiveDefinite { pivot: dependent }),
                "size {size}, variable {dependent}"
            );
        }
    }
}

/// The hardest case, one direction missing: none of 4000 gets through, and no matrix of condition
/// 1e9 is refused.
#[test]
fn the_safe_factor_tells_singular_from_ill_conditioned() {
    for size in [2, 4, 10, 33] {
        let mut random = Random(size as u64);
        let mut inverse = Mat::zeros(size, size);
        let mut safely = |mut matrix: Mat<f64>| {
            factor_safely_in_place(InstructionSet::detect(), matrix.as_mut(), inverse.as_mut())
        };
        let singular = (0..1000).filter(|_| safely(random.semidefinite(size, size - 1)).is_ok()).count();
        assert_eq!(singular, 0, "passed of 1000 at d = {size}");
        let values: Vec<f64> = (0..size).map(|i| 1e-9_f64.powf(i as f64 / (size - 1) as f64)).collect();
        for _ in 0..100 {
            assert_eq!(safely(random.with_eigenvalues(&values)), Ok(()), "d = {size}");
        }
    }
}

#[test]
fn low_rank_is_refused() {
    for (size, rank, seed) in [(2, 1, 1), (10, 5, 2), (33, 16, 3), (33, 8, 4), (100, 30, 5), (100, 1, 6)] {
        let matrix = Random(seed).semidefinite(size, rank);
        assert!(
            matches!(factor(&matrix), Err(Failure::NotPositiveDefinite { pivot }) if pivot >= rank),
            "{rank} of {size}"
        );
    }
}

#[test]
fn indefinite_is_refused_at_the_negative_pivot() {
    for size in [1, 2, 33, 100] {
        for negative in [0, size / 2, size - 1] {
            let l = Mat::from_fn(size, size, |i, j| match i.cmp(&j) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => 1.0,
                std::cmp::Ordering::Greater => 0.1 / (1.0 + (i - j) as f64),
            });
            let signs: Vec<f64> = (0..size).map(|i| if i == negative { -1.0 } else { 1.0 }).collect();
            let matrix = symmetrized(&(&l * diagonal(&signs) * l.transpose()));
            assert_eq!(
                factor(&matrix),
                Err(Failure::NotPositiveDefinite { pivot: negative }),
                "size {size}, pivot {negative}"
            );
        }
    }
}

#[test]
fn zero_is_not_definite() {
    assert_eq!(factor(&Mat::zeros(3, 3)), Err(Failure::NotPositiveDefinite { pivot: 0 }));
}

#[test]
fn an_entry_that_is_not_finite_is_named_wherever_it_is() {
    for size in [1, 2, 5, 33, 70] {
        let matrix = definite(size, 3);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for i in 0..size {
                for j in [0, i / 2, i] {
                    let mut broken = matrix.clone();
                    broken[(i, j)] = bad;
                    assert_eq!(factor(&broken), Err(Failure::NotFinite), "size {size}: {bad} at ({i}, {j})");
                }
            }
        }
    }
}

#[test]
fn solves_undo_products() {
    for (size, width) in [(0, 2), (1, 1), (2, 3), (33, 10), (100, 1), (100, 0)] {
        let matrix = definite(size, 9);
        let (l, isa) = (factor(&matrix).unwrap(), InstructionSet::detect());
        let both = Mat::from_fn(size, size, |i, j| l[(i.max(j), i.min(j))]);
        let solution = Random(11).normals(size, width);
        // Condition numbers ≤ ≈ 5.
        let allowed = 100.0 * (size + 1) as f64 * f64::EPSILON;
        let check = |what: &str, rhs: Mat<f64>| {
            let error = common::largest((&rhs - &solution).as_ref());
            assert!(error <= allowed, "{what}, size {size}: {error:e}");
        };
        let mut rhs = &l * &solution;
        solve_lower_in_place(isa, lower_only(&l).as_ref(), rhs.as_mut());
        check("lower", rhs);
        let mut rhs = l.transpose() * &solution;
        solve_lower_transpose_in_place(isa, both.as_ref(), rhs.as_mut());
        check("transposed", rhs);
        let mut rhs = &matrix * &solution;
        solve_in_place(isa, both.as_ref(), rhs.as_mut());
        check("both", rhs);
    }
}

#[test]
fn the_upper_triangle_is_the_factor_transposed() {
    for size in [1, 5, 8, 40, 130] {
        let mut factor = lower_only(&definite(size, 9));
        factor_in_place(InstructionSet::detect(), factor.as_mut()).unwrap();
        assert!(
            (0..size).all(|j| (0..j).all(|i| factor[(i, j)].to_bits() == factor[(j, i)].to_bits())),
            "size {size}"
        );
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for size in [1, 5, 33, 130] {
        let (matrix, rhs) = (definite(size, 9), Random(11).normals(size, 3));
        let answer = |isa: InstructionSet| {
            let (mut factor, mut rhs) = (matrix.clone(), rhs.clone());
            factor_safely_in_place(isa, factor.as_mut(), Mat::zeros(size, size).as_mut()).unwrap();
            solve_in_place(isa, factor.as_ref(), rhs.as_mut());
            (factor, rhs)
        };
        let expected = answer(InstructionSet::portable());
        for isa in InstructionSet::available() {
            assert!(answer(isa) == expected, "{} at size {size}", isa.name());
        }
    }
}

#[test]
#[should_panic(expected = "square")]
fn a_matrix_that_is_not_square_panics() {
    let mut matrix = Mat::<f64>::identity(3, 2);
    let _ = factor_in_place(InstructionSet::detect(), matrix.as_mut());
}

#[test]
#[should_panic(expected = "R is m × n")]
fn a_right_hand_side_of_another_size_panics() {
    let mut rhs = Mat::<f64>::zeros(2, 1);
    solve_in_place(InstructionSet::detect(), Mat::<f64>::identity(3, 3).as_ref(), rhs.as_mut());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    /// Badly scaled matrices pass, with a backward error that scales along.
    #[test]
    fn any_scaling_of_a_definite_matrix_passes(
        size in 1_usize..40,
        seed in any::<u64>(),
        exponents in prop::collection::vec(-70.0_f64..70.0, 40),
    ) {
        let matrix = definite(size, seed);
        let scaled = Mat::from_fn(size, size, |i, j| {
            matrix[(i, j)] * 10.0_f64.powf(exponents[i]) * 10.0_f64.powf(exponents[j])
        });
        // Rounding of the scaling itself is not the kernel's: symmetrize by reading the lower
        // triangle only.
        let l = factor(&scaled);
        prop_assert!(l.is_ok(), "{l:?}");
        assert_backward_stable(&scaled, &l.unwrap());
    }
}
