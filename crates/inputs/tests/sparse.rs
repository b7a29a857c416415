//! Moments of sparse rows against those of the same rows written out.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use eigensweep_inputs::{Blocks, Dense, Element, InputError, Sparse, principal_components};
use eigensweep_testkit::random::Random;
use faer::Mat;

/// Unit roundoff.
const U: f64 = f64::EPSILON / 2.0;

/// Rows of which a share of each column is held, with a value from `value` each.
fn rows<T: Element>(
    samples: usize,
    shares: &[f64],
    mut value: impl FnMut(&mut Random, usize) -> T,
) -> Sparse<T> {
    let mut random = Random(7);
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for _ in 0..samples {
        for (column, &share) in shares.iter().enumerate() {
            if f64::from(random.byte()) < 256.0 * share {
                columns.push(u32::try_from(column).unwrap());
                values.push(value(&mut random, column));
            }
        }
        starts.push(columns.len());
    }
    Sparse::new(starts, columns, values, shares.len()).unwrap()
}

fn written_out(rows: &dyn Blocks) -> Dense<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    Dense::new(values, rows.samples(), rows.features()).unwrap()
}

/// The largest difference of two moments, in units of the standard deviations of row and column.
fn difference(found: &Mat<f64>, expected: &Mat<f64>) -> f64 {
    let entries = (0..found.ncols()).flat_map(|j| (j..found.nrows()).map(move |i| (i, j)));
    let scale = |i: usize, j: usize| (expected[(i, i)] * expected[(j, j)]).sqrt();
    entries.map(|(i, j)| (found[(i, j)] - expected[(i, j)]).abs() / scale(i, j)).fold(0.0, f64::max)
}

#[test]
fn counts_have_the_bits_of_dense_bytes_at_every_density_and_in_every_type() {
    for share in [0.01, 0.1, 0.3, 0.9] {
        let bytes = rows(700, &[share; 60], |random, _| random.byte());
        let dense = written_out(&bytes);
        let values = dense.values().iter().map(|&x| format!("{x}").parse().unwrap()).collect();
        let exact = Dense::<u8>::new(values, 700, 60).unwrap();
        let floats = rows(700, &[share; 60], |random, _| f32::from(random.byte()));
        let doubles = rows(700, &[share; 60], |random, _| f64::from(random.byte()));
        for rows in [&bytes as &dyn Blocks, &floats, &doubles] {
            assert_eq!(rows.means(), exact.means());
            assert_eq!(rows.second_moment().unwrap(), exact.second_moment().unwrap(), "{share}");
        }
    }
}

/// No entry's products with one another fit 53 bits any more: sums round, and are as good as two
/// passes.
#[test]
fn whole_numbers_whose_squares_are_too_large_are_summed_as_other_numbers() {
    let large = rows(300, &[0.1; 20], |random, _| f64::from(random.byte()) * 2_f64.powi(24) + 1.0);
    let dense = written_out(&large);
    assert_eq!(large.means(), dense.means());
    let error = difference(&large.second_moment().unwrap(), &dense.second_moment().unwrap());
    assert!(error < 1200.0 * U, "{error}");
}

#[test]
fn real_numbers_have_the_moments_of_two_passes() {
    for share in [0.02, 0.15, 0.4] {
        let sparse = rows(600, &[share; 80], |random, _| random.normal());
        let dense = written_out(&sparse);
        let means = sparse.means();
        assert_eq!(means, dense.means());
        let error = difference(&sparse.second_moment().unwrap(), &dense.second_moment().unwrap());
        assert!(error < 4.0 * 600.0 * U, "{error} at {share}");
    }
}

/// Columns that are held nearly everywhere and whose means are 10⁸ deviations: G/n − μμᵀ would have
/// lost all digits.
#[test]
fn full_columns_of_sparse_rows_keep_their_digits_whatever_their_means() {
    let mut shares = [0.05; 60];
    shares[0] = 1.0;
    shares[31] = 1.0;
    let sparse = rows(500, &shares, |random, column| match column {
        0 | 31 => 1e8 + random.normal(),
        _ => random.normal(),
    });
    let dense = written_out(&sparse);
    let (found, expected) = (sparse.second_moment().unwrap(), dense.second_moment().unwrap());
    let error = difference(&found, &expected);
    assert!(error < 4.0 * 500.0 * U, "{error}");
}

#[test]
fn values_whose_squares_overflow_are_refused() {
    let huge = rows(50, &[0.1; 20], |_, _| 1e200);
    assert!(matches!(huge.second_moment(), Err(InputError::TooLarge { .. })));
}

#[test]
fn principal_components_of_sparse_rows_are_those_of_the_same_rows_written_out() {
    let counts = rows(400, &[0.1; 40], |random, _| random.byte() / 32);
    let (sparse, dense) = (principal_components(&counts, 5).unwrap(), {
        let dense = written_out(&counts);
        principal_components(&dense, 5).unwrap()
    });
    for (a, b) in sparse.variances().iter().zip(dense.variances()) {
        assert!((a - b).abs() < 1e-12 * dense.total_variance(), "{a} against {b}");
    }
    assert!((sparse.scores().matrix() - dense.scores().matrix()).norm_max() < 1e-9);
}

#[test]
fn entries_columns_and_maps_of_sparse_rows_are_those_of_dense_ones() {
    let sparse = rows(30, &[0.3; 12], |random, _| random.normal());
    let dense = written_out(&sparse);
    let entries = |rows: &dyn Blocks| {
        let mut all = Vec::new();
        rows.for_entries(&mut |row, column, value| all.push((row, column, value)));
        all
    };
    assert_eq!(entries(&sparse), entries(&dense));
    let columns = [11, 3, 3, 0];
    assert_eq!(
        written_out(&*sparse.select(&columns).unwrap()),
        written_out(&*dense.select(&columns).unwrap())
    );
    let map = |row: usize, value: f64| value * (row + 1) as f64;
    assert_eq!(written_out(&*sparse.mapped(&map).unwrap()), written_out(&*dense.mapped(&map).unwrap()));
    assert!(sparse.select(&columns).unwrap().bytes() < dense.select(&columns).unwrap().bytes());
    assert!(matches!(sparse.select(&[]), Err(InputError::Dimension { .. })));
    let bytes = Dense::<u8>::new((0..12).collect(), 3, 4).unwrap();
    assert_eq!(bytes.select(&[3, 1]).unwrap().bytes(), 6);
}
