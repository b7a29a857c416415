//! Principal components against what defines them, and labelled rows on top of them.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::path::Path;
use std::sync::Arc;

use eigensweep_inputs::{
    Blocks, ClassLabels, Dense, InputError, LabelledRows, Labels, MAX_FEATURES, PrincipalComponents, Sparse,
    images_from, principal_components,
};
use eigensweep_spectral::dense::RowGram;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_testkit::random::Random;
use faer::{Mat, mat};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Rounding allowed relative to the largest variance (for variances) or the largest pixel (for
/// scores): the eigensolver's backward error is a small multiple of p · 2⁻⁵³, about 10⁻¹⁴ at these
/// sizes.
const TOLERANCE: f64 = 1e-12;

/// Images with correlated pixels of very different spreads, and one pixel that never changes.
fn correlated(samples: usize, features: usize) -> Dense<u8> {
    let mut random = Random(7);
    let mut pixels = Vec::new();
    for _ in 0..samples {
        let common = random.byte();
        for feature in 0..features {
            pixels.push(match feature {
                0 => 17,
                _ => (common >> (feature % 3)).saturating_add(random.byte() >> (feature % 6)),
            });
        }
    }
    Dense::<u8>::new(pixels, samples, features).unwrap()
}

/// The largest magnitude in a matrix.
fn largest(matrix: &Mat<f64>) -> f64 {
    matrix.col_iter().flat_map(|column| column.iter().copied()).fold(0.0, |most, entry| most.max(entry.abs()))
}

/// Everything that makes a decomposition one of principal components, up to rounding.
fn check_definition(images: &dyn Blocks, pca: &PrincipalComponents) {
    let (n, m) = (images.samples() as f64, pca.components());
    let scale = pca.variances()[0].max(1.0);
    let (scores, basis) = (pca.scores().matrix(), pca.basis());

    let orthonormal = basis.transpose() * basis - Mat::<f64>::identity(m, m);
    assert!(largest(&orthonormal) < TOLERANCE, "basis: {}", largest(&orthonormal));
    // The scores' own second moment is diag(variances): uncorrelated, of the right variances.
    let spread = Mat::from_fn(m, m, |i, j| if i == j { pca.variances()[i] } else { 0.0 });
    let moment = scores.transpose() * scores * faer::Scale(1.0 / n) - spread;
    assert!(largest(&moment) < TOLERANCE * scale, "variances: {} of {scale}", largest(&moment));
    for column in scores.col_iter() {
        let sum: f64 = column.iter().sum();
        assert!((sum / n).abs() < TOLERANCE * 255.0, "a score has mean {}", sum / n);
    }
    assert!(pca.variances().iter().all(|&variance| variance >= 0.0));
    assert!(pca.variances().is_sorted_by(|a, b| a >= b));
    for column in basis.col_iter() {
        let (mut at, mut most) = (0, 0.0);
        for (row, entry) in column.iter().enumerate() {
            if entry.abs() > most {
                (at, most) = (row, entry.abs());
            }
        }
        assert!(column[at] > 0.0, "entry {at} of largest magnitude is negative");
    }
}

#[test]
fn all_components_reconstruct_the_images() {
    let images = correlated(700, 23);
    let pca = principal_components(&images, 23).unwrap();
    check_definition(&images, &pca);
    let back = pca.scores().matrix() * pca.basis().transpose();
    let errors =
        Mat::from_fn(700, 23, |i, j| back[(i, j)] + pca.mean()[j] - f64::from(images.values()[i * 23 + j]));
    assert!(largest(&errors) < 255.0 * TOLERANCE, "{}", largest(&errors));
    let sum: f64 = pca.variances().iter().sum();
    assert!((sum - pca.total_variance()).abs() < TOLERANCE * sum);
    // The pixel that never changes has no variance, and nothing else has none.
    assert!(pca.variances()[22] < TOLERANCE * sum && pca.variances()[21] > 1.0);
}

#[test]
fn few_components_keep_the_most_variance() {
    // By Eckart and Young what is lost is the sum of the variances left out, and no basis loses
    // less.
    let images = correlated(1500, 12);
    let all = principal_components(&images, 12).unwrap();
    let few = principal_components(&images, 4).unwrap();
    check_definition(&images, &few);
    let means = images.means();
    let pixels = Mat::from_fn(1500, 12, |i, j| f64::from(images.values()[i * 12 + j]) - means[j]);
    let back = few.scores().matrix() * few.basis().transpose();
    let lost = (pixels - back).squared_norm_l2() / 1500.0;
    let left_out: f64 = all.variances()[4..].iter().sum();
    assert!((lost - left_out).abs() < TOLERANCE * all.total_variance(), "{lost} against {left_out}");
}

#[test]
fn a_case_worked_by_hand() {
    // Points (0, 0), (2, 0), (0, 2), (2, 2) stretched: second moment diag(100, 1), mean (10, 1).
    let images = Dense::<u8>::new(vec![0, 0, 20, 0, 0, 2, 20, 2], 4, 2).unwrap();
    let pca = principal_components(&images, 2).unwrap();
    assert_eq!(pca.mean(), [10.0, 1.0]);
    let expected = [-10.0, -1.0, 10.0, -1.0, -10.0, 1.0, 10.0, 1.0];
    for (score, expected) in pca.scores().values().iter().zip(expected) {
        assert!((score - expected).abs() < TOLERANCE);
    }
    assert!((pca.variances()[0] - 100.0).abs() < TOLERANCE * 100.0);
    assert!((pca.variances()[1] - 1.0).abs() < TOLERANCE * 100.0);
}

#[test]
fn the_first_components_are_nested() {
    let images = correlated(900, 15);
    let ten = principal_components(&images, 10).unwrap();
    let three = ten.first(3).unwrap();
    assert_eq!(three.variances(), &ten.variances()[..3]);
    assert_eq!(three.mean(), ten.mean());
    assert_eq!(three.basis(), ten.basis().subcols(0, 3));
    assert_eq!(three.scores().matrix(), ten.scores().matrix().subcols(0, 3));
    let direct = principal_components(&images, 3).unwrap();
    assert_eq!(direct.basis(), three.basis());
    let difference = direct.scores().matrix() - three.scores().matrix();
    assert!(largest(&difference) < 255.0 * TOLERANCE);
    for components in [0, 11] {
        let error = ten.first(components).unwrap_err();
        assert!(matches!(error, InputError::Components { max: 10, .. }), "{error}");
    }
}

#[test]
fn numbers_of_components_that_do_not_exist() {
    let images = correlated(5, 7);
    for components in [0, 6, usize::MAX] {
        let error = principal_components(&images, components).unwrap_err();
        assert!(
            matches!(error, InputError::Components { value, max: 5, .. } if value == components),
            "{error}"
        );
    }
    check_definition(&images, &principal_components(&images, 5).unwrap());
}

#[test]
fn more_features_than_the_eigensolver_is_for() {
    let images = Dense::<u8>::new(vec![0; MAX_FEATURES + 1], 1, MAX_FEATURES + 1).unwrap();
    let error = principal_components(&images, 1).unwrap_err();
    assert!(matches!(error, InputError::TooManyFeatures { .. }), "{error}");
}

#[test]
fn degenerate_images() {
    let one_pixel = Dense::<u8>::new(vec![1, 2, 3, 4], 4, 1).unwrap();
    let pca = principal_components(&one_pixel, 1).unwrap();
    assert_eq!(pca.scores().values(), [-1.5, -0.5, 0.5, 1.5]);
    assert_eq!(pca.variances(), [1.25]);
    let alike = Dense::<u8>::new([9, 200, 31].repeat(50), 50, 3).unwrap();
    let pca = principal_components(&alike, 3).unwrap();
    assert_eq!(pca.variances(), [0.0; 3]);
    assert!(pca.scores().values().iter().all(|&score| score == 0.0));
    check_definition(&alike, &pca);
}

/// All rows, one after another.
fn written(rows: &LabelledRows) -> Vec<f64> {
    let mut all = vec![0.0; rows.samples() * rows.width()];
    all.chunks_exact_mut(rows.width()).enumerate().for_each(|(row, to)| rows.write(row, to));
    all
}

fn classes(of: &[u16]) -> Labels {
    Labels::Classes(ClassLabels::new(of.to_vec()).unwrap())
}

fn targets(of: Mat<f64>) -> Labels {
    Labels::Targets(of)
}

#[test]
fn labelled_rows_are_inputs_and_one_hot_classes() {
    let inputs = Dense::<f64>::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 2).unwrap();
    let rows = LabelledRows::with_labels(&inputs, &classes(&[2, 0, 2])).unwrap();
    assert_eq!((rows.samples(), rows.features(), rows.labels(), rows.width()), (3, 2, 3, 5));
    let expected = [1.0, 2.0, 0.0, 0.0, 1.0, 3.0, 4.0, 1.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0, 1.0];
    assert_eq!(written(&rows), expected);
}

#[test]
fn labelled_rows_take_real_targets() {
    let inputs = Dense::from_matrix(mat![[1.0, 2.0], [3.0, 4.0]].as_ref()).unwrap();
    let join = |labels: Mat<f64>| LabelledRows::with_labels(&inputs, &targets(labels));
    assert_eq!(written(&join(mat![[0.5], [-0.5]]).unwrap()), [1.0, 2.0, 0.5, 3.0, 4.0, -0.5]);
    let error = join(mat![[0.5], [f64::NAN]]).unwrap_err();
    assert!(
        matches!(error, InputError::NonFiniteEntry { what: "targets", row: 1, column: 0, .. }),
        "{error}"
    );
    let error = join(Mat::zeros(2, 0)).unwrap_err();
    assert!(matches!(error, InputError::Dimension { .. }), "{error}");
}

/// Inputs of every type stay what they are, and their rows are x − μ, rounded once: the same sums
/// of products, to the bit, as of doubles that were centred before.
#[test]
fn rows_are_centred_as_they_are_read() {
    let images = correlated(40, 133);
    let (samples, features) = (40, 133);
    let doubles: Vec<f64> = images.values().iter().map(|&x| f64::from(x)).collect();
    let entries = |row: u32| (0..133).filter(move |column| (row + column).is_multiple_of(3));
    let starts = (0..=40).map(|end| (0..end).map(|row| entries(row).count()).sum()).collect();
    let columns = (0..40).flat_map(entries).collect();
    let held = (0..40).flat_map(|row| entries(row).map(move |column| row * 133 + column));
    let held = held.map(|at| doubles[at as usize]).collect();
    let thirds = images.values().iter().map(|&x| f32::from(x) / 3.0).collect();
    let sources: [Arc<dyn Blocks>; 4] = [
        Arc::new(Dense::<f32>::new(thirds, samples, features).unwrap()),
        Arc::new(Sparse::new(starts, columns, held, features).unwrap()),
        Arc::new(Dense::new(doubles, samples, features).unwrap()),
        Arc::new(images),
    ];
    let class: Vec<u16> = (0..40).map(|row| row % 3).collect();
    for (labels, one_hot) in
        [(classes(&class), 3), (targets(Mat::from_fn(40, 2, |i, j| (i * 2 + j) as f64)), 0)]
    {
        for source in &sources {
            let rows = LabelledRows::centred(Arc::clone(source), &labels).unwrap();
            let mut inputs = vec![0.0; samples * features];
            source.write_rows(0, &mut inputs);
            let means = source.means();
            inputs
                .chunks_exact_mut(features)
                .flatten()
                .zip(means.iter().cycle())
                .for_each(|(x, mean)| *x -= mean);
            let before = Dense::new(inputs, samples, features).unwrap();
            let before = LabelledRows::with_labels(&before, &labels).unwrap();
            assert_eq!(written(&rows), written(&before));
            let numbers = rows.width() - one_hot;
            for isa in InstructionSet::available() {
                let sums = [&rows, &before].map(|of| {
                    let mut sums = RowGram::new(isa, numbers, one_hot);
                    sums.add(of, (0..samples).rev().step_by(3));
                    sums
                });
                let bits = |at: usize| sums.each_ref().map(|of| of.entry(at / 133, at % 133).to_bits());
                assert!((0..133 * 133).all(|at| bits(at)[0] == bits(at)[1]), "{isa:?}");
            }
        }
    }
    let rows = LabelledRows::centred(Arc::clone(&sources[3]), &classes(&class)).unwrap();
    assert_eq!(rows.bytes(), 40 * (133 + 2) + 8 * 133);
}

#[test]
fn a_difference_that_overflows_is_refused() {
    for features in [1, 150] {
        let column = [-0.9 * f64::MAX, f64::MAX, -0.9 * f64::MAX];
        let values = column.iter().flat_map(|&x| vec![x; features]).collect();
        let huge = Dense::new(values, 3, features).unwrap();
        let error = LabelledRows::centred(Arc::new(huge), &classes(&[0, 1, 0])).unwrap_err();
        assert!(
            matches!(error, InputError::NonFiniteEntry { what: "inputs", row: 1, column: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn inputs_and_labels_of_different_numbers() {
    let inputs = Dense::<f64>::new(vec![1.0; 4], 4, 1).unwrap();
    let join = |labels: &Labels| LabelledRows::with_labels(&inputs, labels).unwrap_err();
    let error = join(&classes(&[0, 1, 1]));
    assert!(matches!(error, InputError::SampleCount { inputs: 4, labels: 3 }), "{error}");
    let error = join(&targets(Mat::zeros(5, 1)));
    assert!(matches!(error, InputError::SampleCount { inputs: 4, labels: 5 }), "{error}");
}

#[test]
fn data_in_memory_are_checked_against_their_shape() {
    for error in [
        Dense::<u8>::new(vec![0; 5], 2, 3).unwrap_err(),
        Dense::<u8>::new(vec![], 0, 3).unwrap_err(),
        Dense::<u8>::new(vec![0; 4], usize::MAX, 2).unwrap_err(),
        ClassLabels::new(vec![]).unwrap_err(),
        Dense::<f64>::new(vec![0.0; 7], 2, 3).unwrap_err(),
        Dense::from_matrix(Mat::zeros(3, 0).as_ref()).unwrap_err(),
    ] {
        assert!(matches!(error, InputError::Dimension { .. }), "{error}");
    }
    let error = Dense::<f64>::new(vec![0.0, 1.0, f64::INFINITY, 0.0], 2, 2).unwrap_err();
    assert!(matches!(error, InputError::NonFiniteEntry { what: "inputs", row: 1, column: 0, .. }), "{error}");
}

#[test]
fn mnist_where_it_is_at_hand() {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/mnist/t10k-images-idx3-ubyte.gz"
    ));
    if !path.exists() {
        println!("skipped: no MNIST beside the workspace");
        return;
    }
    let file = std::fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let images = images_from(file, length, path).unwrap().rows;
    let pca = principal_components(&*images, 50).unwrap();
    check_definition(&*images, &pca);
    let kept = pca.variances().iter().sum::<f64>() / pca.total_variance();
    assert!((0.80..0.85).contains(&kept), "{kept} of the variance in 50 components");
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(8), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_images_are_decomposed(
        (samples, features, pixels) in (1_usize..30, 1_usize..12).prop_flat_map(|(n, p)| {
            (Just(n), Just(p), prop::collection::vec(any::<u8>(), n * p))
        })
    ) {
        let images = Dense::<u8>::new(pixels, samples, features).unwrap();
        check_definition(&images, &principal_components(&images, samples.min(features)).unwrap());
    }
}
