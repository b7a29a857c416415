//! Nested subsets: permutations, and running Gram matrices whose bits depend on n alone.

mod common;

use common::{largest, normals, stream};
use eigensweep_sampling::subset::{NestedGram, Rows, permute};
use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn arrangement(total: u32, length: usize, purpose: u64) -> Vec<u32> {
    let (mut order, mut pool) = (vec![0; length], vec![u32::MAX; total as usize + 3]);
    permute(total, &mut order, &mut pool, &mut stream(purpose));
    order
}

/// Counts over equally likely cells: Pearson's statistic against a bound that χ² exceeds with
/// probability at most e⁻¹⁷ = 4e-8 (Laurent and Massart, 2000: `P(χ² ≥ df + 2√(df x) + 2x) ≤
/// e^(−x)`, x = 17).
fn assert_uniform(what: &str, counts: &[usize]) {
    let expected = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    let statistic: f64 = counts.iter().map(|&c| (c as f64 - expected).powi(2) / expected).sum();
    let df = (counts.len() - 1) as f64;
    let allowed = df + 2.0 * (df * 17.0).sqrt() + 34.0;
    assert!(statistic <= allowed, "{what}: χ² = {statistic:.1} on {df} degrees of freedom");
}

#[test]
fn every_element_is_equally_likely_at_every_place() {
    const DRAWS: u64 = 40_000;
    let mut counts = [[0_usize; 7]; 7];
    for i in 0..DRAWS {
        for (place, &element) in arrangement(7, 7, i).iter().enumerate() {
            counts[place][element as usize] += 1;
        }
    }
    for (place, row) in counts.iter().enumerate() {
        assert_uniform(&format!("place {place}"), row);
    }
}

#[test]
fn every_order_of_four_is_equally_likely() {
    let mut counts = [0_usize; 256];
    for i in 0..24_000 {
        let code = arrangement(4, 4, i).iter().fold(0, |code, &x| code * 4 + x as usize);
        counts[code] += 1;
    }
    let seen: Vec<usize> = counts.into_iter().filter(|&c| c > 0).collect();
    assert_eq!(seen.len(), 24);
    assert_uniform("orders", &seen);
}

#[test]
#[should_panic(expected = "a subset of the rows")]
fn an_order_longer_than_the_data_panics() {
    permute(3, &mut [0; 4], &mut [0; 4], &mut stream(1));
}

#[test]
#[should_panic(expected = "range end index")]
fn a_short_pool_panics() {
    permute(3, &mut [0; 2], &mut [0; 2], &mut stream(1));
}

/// 300 rows of 6 columns in very different units.
fn data() -> Vec<f64> {
    let base = normals(6, 300, &mut stream(2));
    (0..300 * 6).map(|at| base[(at % 6, at / 6)] * [1.0, 1e3, 1e-3, 1.0, 50.0, 0.1][at % 6]).collect()
}

fn gram(values: &[f64], order: &[u32], asked: &[usize]) -> Mat<f64> {
    let mut nested = NestedGram::new(InstructionSet::detect(), 6, 0);
    let mut out = Mat::from_fn(6, 6, |_, _| f64::NAN);
    for &n in asked {
        nested.extend_to(&Rows { values, width: 6, classes: &[] }, order, n, out.as_mut());
    }
    out
}

fn bits(matrix: &Mat<f64>) -> Vec<u64> {
    matrix.col_iter().flat_map(|c| c.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
}

#[test]
fn equals_the_naive_product() {
    let (values, order) = (data(), arrangement(300, 300, 5));
    for n in [0, 1, 2, 63, 64, 65, 127, 128, 129, 200, 300] {
        let fast = gram(&values, &order, &[n]);
        for i in 0..6 {
            for j in 0..6 {
                let of = |row: u32, c: usize| values[row as usize * 6 + c];
                let products = order[..n].iter().map(|&r| of(r, i) * of(r, j));
                let (naive, magnitude) = products.fold((0.0, 0.0), |(s, m), x| (s + x, m + f64::abs(x)));
                let error = (fast[(i, j)] - naive).abs();
                assert!(error <= 1e-13 * magnitude, "n = {n}, ({i}, {j}): {error:e} of {magnitude:e}");
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_what_was_asked_before() {
    let (values, order) = (data(), arrangement(300, 300, 5));
    for n in [1, 64, 70, 130, 191, 192, 300] {
        let alone = bits(&gram(&values, &order, &[n]));
        // Up to half of the rows from the front, above it from the back.
        let before: Vec<usize> = if n <= 150 { (0..=n).collect() } else { (n..=300).rev().collect() };
        assert_eq!(bits(&gram(&values, &order, &before)), alone, "n = {n} after all before");
        assert_eq!(bits(&gram(&values, &order, &[n / 2, n, n])), alone, "n = {n} twice");
    }
}

#[test]
fn bits_do_not_depend_on_where_the_result_lies() {
    let (values, order) = (data(), arrangement(300, 300, 5));
    let alone = bits(&gram(&values, &order, &[150]));
    for offset in 0..8 {
        let mut room = Mat::zeros(6 + offset, 7);
        let mut nested = NestedGram::new(InstructionSet::detect(), 6, 0);
        let out = room.as_mut().submatrix_mut(offset, 1, 6, 6);
        nested.extend_to(&Rows { values: &values, width: 6, classes: &[] }, &order, 150, out);
        assert_eq!(bits(&room.as_ref().submatrix(offset, 1, 6, 6).to_owned()), alone, "offset {offset}");
    }
}

#[test]
fn a_restart_forgets() {
    let (values, one, other) = (data(), arrangement(300, 300, 5), arrangement(300, 300, 6));
    let rows = Rows { values: &values, width: 6, classes: &[] };
    let mut nested = NestedGram::new(InstructionSet::detect(), 6, 0);
    let mut out = Mat::zeros(6, 6);
    nested.extend_to(&rows, &one, 200, out.as_mut());
    nested.restart();
    nested.extend_to(&rows, &other, 100, out.as_mut());
    assert_eq!(bits(&out), bits(&gram(&values, &other, &[100])));
}

#[test]
#[should_panic(expected = "samples shrink down to half")]
fn an_increase_above_half_panics() {
    let _ = gram(&data(), &arrangement(300, 300, 5), &[200, 201]);
}

/// Counts are whole numbers and stay so; and all rows are all rows, in whatever order.
#[test]
fn all_rows_and_counts_are_exact() {
    let values: Vec<f64> = (0..300 * 6).map(|at| f64::from(u8::from(at * 7 % 6 == at / 6 % 5))).collect();
    let order = arrangement(300, 300, 5);
    let count = |n: usize, c: usize| order[..n].iter().map(|&row| values[row as usize * 6 + c]).sum::<f64>();
    for n in [0, 100, 150, 151, 299, 300] {
        let found = gram(&values, &order, &[n]);
        for c in 0..6 {
            assert!((found[(c, c)] - count(n, c)).abs() <= 0.0, "n = {n}, column {c}");
        }
    }
    let data = data();
    let all = bits(&gram(&data, &order, &[300]));
    assert_eq!(bits(&gram(&data, &arrangement(300, 300, 8), &[300])), all);
}

#[test]
fn bits_do_not_depend_on_the_instruction_set() {
    let (values, order) = (data(), arrangement(300, 300, 5));
    for n in [1, 77, 150, 151, 280] {
        let all = InstructionSet::available().into_iter().map(|isa| {
            let mut out = Mat::zeros(6, 6);
            NestedGram::new(isa, 6, 0).extend_to(
                &Rows { values: &values, width: 6, classes: &[] },
                &order,
                n,
                out.as_mut(),
            );
            bits(&out)
        });
        let all: Vec<_> = all.collect();
        assert!(all.iter().all(|bits| *bits == all[0]), "n = {n}");
    }
}

#[test]
fn both_triangles_are_written() {
    let out = gram(&data(), &arrangement(300, 300, 5), &[100]);
    let asymmetry = &out - out.transpose();
    assert!(largest(&asymmetry.to_owned()) == 0.0);
}

#[test]
#[should_panic(expected = "samples grow up to half")]
fn a_decrease_panics() {
    let _ = gram(&data(), &arrangement(300, 300, 5), &[100, 99]);
}

#[test]
#[should_panic(expected = "samples within order")]
fn more_samples_than_the_order_has_panic() {
    let _ = gram(&data(), &arrangement(300, 100, 5), &[101]);
}

#[test]
#[should_panic(expected = "rows of w entries")]
fn rows_of_another_width_panic() {
    let values = data();
    let order = arrangement(300, 100, 5);
    NestedGram::new(InstructionSet::detect(), 5, 0).extend_to(
        &Rows { values: &values, width: 6, classes: &[] },
        &order,
        3,
        Mat::zeros(5, 5).as_mut(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(4), failure_persistence: None, ..ProptestConfig::default() })]

    /// Distinct numbers below `total`, all of them if asked; a shorter order is a prefix of a
    /// longer one.
    #[test]
    fn arrangements_are_nested_permutations(total in 0_u32..200, share in 0.0_f64..=1.0, seed in any::<u64>()) {
        let whole = arrangement(total, total as usize, seed);
        let mut sorted = whole.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..total).collect::<Vec<_>>());
        let length = (0..=total as usize).find(|&k| k as f64 >= share * f64::from(total)).unwrap();
        prop_assert_eq!(&arrangement(total, length, seed)[..], &whole[..length]);
    }
}

/// One-hot labels by their class: the same bits as their columns, below and above half of the rows,
/// on every instruction set.
#[test]
fn classes_are_their_columns() {
    let base = normals(4, 300, &mut stream(4));
    let classes: Vec<u16> = (0..300).map(|row| [2, 0, 1, 2, 2][row % 5]).collect();
    let values: Vec<f64> = (0..300 * 7)
        .map(|at| match at % 7 {
            column @ 0..4 => base[(column, at / 7)],
            column => f64::from(u8::from(usize::from(classes[at / 7]) == column - 4)),
        })
        .collect();
    let numbers: Vec<f64> = values.chunks_exact(7).flat_map(|row| row[..4].iter().copied()).collect();
    let order = arrangement(300, 300, 5);
    for isa in InstructionSet::available() {
        for n in [0, 1, 33, 150, 151, 260, 300] {
            let [mut by_class, mut by_column] = [(); 2].map(|()| Mat::zeros(7, 7));
            let rows = Rows { values: &numbers, width: 4, classes: &classes };
            NestedGram::new(isa, 7, 3).extend_to(&rows, &order, n, by_class.as_mut());
            let rows = Rows { values: &values, width: 7, classes: &[] };
            NestedGram::new(isa, 7, 0).extend_to(&rows, &order, n, by_column.as_mut());
            assert_eq!(bits(&by_class), bits(&by_column), "{}, n = {n}", isa.name());
        }
    }
}
