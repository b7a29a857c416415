//! Products and factors of one problem: equal, bit for bit, to the chains of fused multiply-adds
//! that they say they are.

mod common;

use common::{diagonal, largest, lower_only, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::dense::{
    RowGram, Rows, factor_in_place, factor_pivoted, gram_lower, product, solve_lower_in_place,
};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_testkit::random::Random;
use faer::{Accum, Mat, MatRef};

fn bits(matrix: MatRef<'_, f64>) -> Vec<u64> {
    matrix.col_iter().flat_map(|c| c.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
}

/// `old + L R`, entry by entry.
fn chains(old: &Mat<f64>, left: &Mat<f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    Mat::from_fn(old.nrows(), old.ncols(), |i, j| {
        (0..left.ncols()).fold(old[(i, j)], |sum, p| left[(i, p)].mul_add(right[(p, j)], sum))
    })
}

#[test]
fn products_are_ascending_chains_on_every_instruction_set() {
    let shapes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 40];
    let mut random = Random(1);
    for (at, &rows) in shapes.iter().enumerate() {
        for &columns in &shapes {
            let terms = [0, 1, 3, 127, 128, 129, 300][(at + columns) % 7];
            let (left, right) = (random.normals(rows, terms), random.normals(columns, terms));
            let old = random.normals(rows, columns);
            for isa in InstructionSet::available() {
                for accum in [Accum::Replace, Accum::Add] {
                    let from =
                        if matches!(accum, Accum::Add) { old.clone() } else { Mat::zeros(rows, columns) };
                    let expected = chains(&from, &left, right.transpose());
                    let mut to = old.clone();
                    product(isa, to.as_mut(), accum, left.as_ref(), right.transpose());
                    assert_eq!(
                        bits(to.as_ref()),
                        bits(expected.as_ref()),
                        "{isa:?}, {rows} × {terms} × {columns}"
                    );
                    let own = right.transpose().to_owned();
                    let mut to = old.clone();
                    product(isa, to.as_mut(), accum, left.as_ref(), own.as_ref());
                    assert_eq!(bits(to.as_ref()), bits(expected.as_ref()), "{isa:?}: strides of R");
                }
            }
        }
    }
}

#[test]
fn gram_matrices_are_ascending_chains_and_leave_the_upper_triangle() {
    let mut random = Random(2);
    for size in 0..=45 {
        let factor = random.normals(size, [0, 1, 5, 130][size % 4]);
        let old = random.normals(size, size);
        for isa in InstructionSet::available() {
            let mut gram = old.clone();
            gram_lower(isa, gram.as_mut(), Accum::Add, factor.as_ref());
            let expected = chains(&old, &factor, factor.transpose());
            let mixed = Mat::from_fn(size, size, |i, j| if i >= j { expected[(i, j)] } else { old[(i, j)] });
            assert_eq!(bits(gram.as_ref()), bits(mixed.as_ref()), "{isa:?}, {size}");
        }
    }
}

#[test]
fn sums_over_rows_are_ascending_chains_however_they_come() {
    let mut random = Random(9);
    for width in [1, 2, 7, 8, 9, 15, 24, 31, 49, 56, 96, 128, 129, 154, 201, 264] {
        let deep = 2 * RowGram::depth(width) + 3;
        let rows = random.normals(width, if width % 2 == 0 { deep } else { 37 });
        let expected = chains(&Mat::zeros(width, width), &rows, rows.transpose());
        let values: Vec<f64> = rows.col_iter().flat_map(|row| row.iter().copied()).collect();
        let source = Rows { values: &values, width, classes: &[] };
        for isa in InstructionSet::available() {
            for at_a_time in [1, RowGram::depth(width) + 1, deep] {
                let mut sums = RowGram::new(isa, width, 0);
                for first in (0..rows.ncols()).step_by(at_a_time) {
                    sums.add(&source, first..rows.ncols().min(first + at_a_time));
                }
                let found = Mat::from_fn(width, width, |i, j| sums.entry(i, j));
                assert_eq!(bits(found.as_ref()), bits(expected.as_ref()), "{isa:?}, {width}, {at_a_time}");
            }
        }
    }
}

#[test]
fn factors_solve_and_have_the_same_bits_everywhere() {
    let mut random = Random(3);
    for size in [0, 1, 2, 5, 7, 8, 9, 16, 17, 31, 50, 60, 100] {
        let matrix = random.semidefinite(size, 2 * size + 1);
        let right = random.normals(size, 7);
        let mut first = None;
        for isa in InstructionSet::available() {
            let mut factor = lower_only(&matrix);
            factor_in_place(isa, factor.as_mut()).unwrap();
            let lower = Mat::from_fn(size, size, |i, j| if i >= j { factor[(i, j)] } else { 0.0 });
            let error = norm((&lower * lower.transpose() - &matrix).as_ref());
            assert!(error <= 4.0 * size as f64 * f64::EPSILON * norm(matrix.as_ref()), "{size}: {error:e}");
            let mut solved = right.clone();
            solve_lower_in_place(isa, factor.as_ref(), solved.as_mut());
            let error = norm((&lower * &solved - &right).as_ref());
            let allowed = 4.0 * size as f64 * f64::EPSILON * norm(lower.as_ref()) * norm(solved.as_ref());
            assert!(error <= allowed, "{size}: {error:e}");
            let all = (bits(lower.as_ref()), bits(solved.as_ref()));
            assert_eq!(*first.get_or_insert(all.clone()), all, "{isa:?}, {size}");
        }
    }
}

/// A leading block of the factor is the factor of the leading block.
#[test]
fn factors_are_nested() {
    let matrix = Random(4).semidefinite(60, 130);
    let isa = InstructionSet::detect();
    let mut whole = matrix.clone();
    factor_in_place(isa, whole.as_mut()).unwrap();
    for size in [1, 4, 8, 9, 33, 59] {
        let mut part = matrix.submatrix(0, 0, size, size).to_owned();
        factor_in_place(isa, part.as_mut()).unwrap();
        for j in 0..size {
            for i in j..size {
                assert_eq!(part[(i, j)].to_bits(), whole[(i, j)].to_bits(), "{size}: ({i}, {j})");
            }
        }
    }
}

#[test]
fn what_has_no_factor_is_named() {
    for isa in InstructionSet::available() {
        let outcome = |matrix: &Mat<f64>| factor_in_place(isa, matrix.clone().as_mut());
        let indefinite = diagonal(&[1.0, 2.0, -1.0, 3.0]);
        assert_eq!(outcome(&indefinite), Err(Failure::NotPositiveDefinite { pivot: 2 }));
        let singular = Random(5).semidefinite(20, 9);
        assert!(matches!(outcome(&singular), Err(Failure::NotPositiveDefinite { pivot: 9 })));
        for (i, j) in [(0, 0), (19, 0), (19, 19), (12, 11), (15, 3)] {
            for bad in [f64::NAN, f64::INFINITY] {
                let mut matrix = Random(6).semidefinite(20, 50);
                matrix[(i, j)] = bad;
                assert_eq!(outcome(&matrix), Err(Failure::NotFinite), "{bad} at ({i}, {j})");
                let mut matrix = singular.clone();
                matrix[(i, j)] = bad;
                assert_eq!(outcome(&matrix), Err(Failure::NotFinite), "{bad} at ({i}, {j}), singular");
            }
        }
    }
}

#[test]
fn pivoted_factors_find_the_rank() {
    let mut random = Random(7);
    for (size, rank) in [(0, 0), (1, 0), (1, 1), (5, 3), (17, 1), (40, 40), (60, 25)] {
        let matrix = if rank == 0 { Mat::zeros(size, size) } else { random.semidefinite(size, rank) };
        let mut first = None;
        for isa in InstructionSet::available() {
            let (mut factor, mut remaining) = (Mat::zeros(size, size), vec![0.0; size]);
            let lower = lower_only(&matrix);
            let found =
                factor_pivoted(isa, lower.as_ref(), 1e-12, size, factor.as_mut(), &mut remaining).unwrap();
            assert_eq!(found, rank, "{size}");
            let used = factor.subcols(0, found);
            let error = largest((used * used.transpose() - &matrix).as_ref());
            assert!(error <= 1e-11 * largest(matrix.as_ref()), "{size}, {rank}: {error:e}");
            let all = bits(used);
            assert_eq!(*first.get_or_insert(all.clone()), all, "{isa:?}, {size}");
            let few = factor_pivoted(isa, lower.as_ref(), 1e-12, 1, factor.as_mut(), &mut remaining).unwrap();
            assert_eq!(few, rank.min(1), "at most so many");
        }
    }
    let mut broken = Random(8).semidefinite(6, 6);
    broken[(4, 2)] = f64::NAN;
    let isa = InstructionSet::detect();
    let found = factor_pivoted(isa, broken.as_ref(), 0.0, 6, Mat::zeros(6, 6).as_mut(), &mut [0.0; 6]);
    assert_eq!(found, Err(Failure::NotFinite));
}

#[test]
#[should_panic(expected = "contiguous columns")]
fn rows_in_place_of_columns_panic() {
    let left = Mat::zeros(3, 3);
    product(InstructionSet::detect(), Mat::zeros(3, 3).as_mut(), Accum::Add, left.transpose(), left.as_ref());
}
