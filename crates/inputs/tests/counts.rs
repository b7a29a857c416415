//! Preprocessing of counts against scanpy 1.11.5 on the same counts.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs::File;
use std::path::Path;

use eigensweep_inputs::counts::{TargetSum, library_sizes, normalized, scales, select, variable_features};
use eigensweep_inputs::readers::Orientation;
use eigensweep_inputs::readers::mtx::mtx_from;
use eigensweep_inputs::{Blocks, Dense, InputError, Sparse};

/// 60 cells × 90 genes; cell 7 and gene 11 have no counts.
fn counts() -> Box<dyn Blocks> {
    let path = Path::new("tests/fixtures/counts.mtx.gz");
    mtx_from(File::open(path).unwrap(), path, Orientation::Samples).unwrap()
}

fn written_out(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
}

fn dense() -> Dense<f64> {
    Dense::new(written_out(&*counts()), 60, 90).unwrap()
}

#[test]
fn the_median_is_that_of_cells_with_counts_and_others_stay_as_they_are() {
    let sizes = library_sizes(&*counts());
    assert_eq!(sizes[..9], [12.0, 22.0, 18.0, 39.0, 20.0, 34.0, 38.0, 0.0, 35.0]);
    let scales = scales(&sizes, TargetSum::Median);
    // numpy.median of the sizes that are not zero is 26.
    assert_eq!((scales[0], scales[7]), (26.0 / 12.0, 1.0));
}

#[test]
fn normalized_values_are_scanpys() {
    let expected = [
        (0, 0, 6.726_633_071_899_414),
        (9, 59, 5.386_288_642_883_301),
        (18, 59, 6.267_799_854_278_564_5),
        (26, 0, 5.993_961_334_228_516),
        (36, 41, 6.908_754_825_592_041),
        (45, 52, 6.267_799_854_278_564_5),
        (55, 9, 5.658_486_366_271_973),
    ];
    let rows = counts();
    let scales = scales(&library_sizes(&*rows), TargetSum::To(1e4));
    let before = rows.bytes();
    for rows in [normalized(&*rows, &scales, true).unwrap(), normalized(&dense(), &scales, true).unwrap()] {
        let values = written_out(&*rows);
        for (cell, gene, expected) in expected {
            let found: f64 = values[cell * 90 + gene];
            assert!((found - expected).abs() < 1e-6 * expected, "{found} against {expected}");
        }
    }
    let sparse = normalized(&*counts(), &scales, false).unwrap();
    assert!(sparse.bytes() < 3 * before, "it stays sparse");
    let sizes = library_sizes(&*sparse);
    assert!((sizes[0] - 1e4).abs() < 1e-9 && sizes[7].abs() <= 0.0);
}

#[test]
fn variable_genes_are_scanpys() {
    let scales = scales(&library_sizes(&*counts()), TargetSum::To(1e4));
    let ten = [6, 12, 17, 34, 46, 75, 76, 83, 84, 85];
    let thirty = [
        1, 3, 4, 5, 6, 7, 12, 14, 17, 22, 26, 30, 33, 34, 35, 37, 43, 46, 50, 59, 63, 65, 69, 75, 76, 77, 83,
        84, 85, 86,
    ];
    for rows in [&*counts(), &dense() as &dyn Blocks] {
        assert_eq!(variable_features(rows, &scales, 10).unwrap(), ten);
        assert_eq!(variable_features(rows, &scales, 30).unwrap(), thirty);
    }
    // More than there are: all that vary.
    let all = variable_features(&*counts(), &scales, 1000).unwrap();
    assert!(all.len() < 90 && !all.contains(&11), "{all:?}");
    let chosen = select(&*counts(), &ten).unwrap();
    let (values, before) = (written_out(&*chosen), written_out(&*counts()));
    assert_eq!((chosen.samples(), chosen.features()), (60, 10));
    assert!((0..60).all(|cell| {
        (0..10).all(|at| values[cell * 10 + at].to_bits() == before[cell * 90 + ten[at]].to_bits())
    }));
}

#[test]
fn what_is_no_count_is_refused_with_cell_and_gene() {
    let dense = Dense::<f32>::new(vec![1.0, 0.0, 2.0, -0.5], 2, 2).unwrap();
    let sparse = Sparse::new(vec![0, 1, 3], vec![0, 0, 1], vec![1.0, 2.0, -0.5], 2).unwrap();
    for rows in [Box::new(dense) as Box<dyn Blocks>, Box::new(sparse)] {
        for error in [
            variable_features(&*rows, &[1.0, 1.0], 1).unwrap_err(),
            normalized(&*rows, &[1.0, 1.0], true).unwrap_err(),
        ] {
            assert!(matches!(error, InputError::NegativeCount { row: 1, column: 1, .. }), "{error}");
        }
    }
}

#[test]
fn scales_of_other_rows_columns_that_are_not_there_and_constant_genes_are_refused() {
    let rows = || Box::new(Dense::<u8>::new(vec![1, 2, 1, 2], 2, 2).unwrap());
    assert!(matches!(normalized(&*rows(), &[1.0], false), Err(InputError::Dimension { .. })));
    assert!(matches!(select(&*rows(), &[2]), Err(InputError::Dimension { .. })));
    assert!(matches!(select(&*rows(), &[]), Err(InputError::Dimension { .. })));
    for count in [0, 1] {
        assert!(matches!(variable_features(&*rows(), &[1.0, 1.0], count), Err(InputError::Dimension { .. })));
    }
}
