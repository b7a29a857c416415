//! Glyphs: the recorded bytes, whatever else is drawn; ink, spectrum and difficulty near MNIST's.

use eigensweep_sampling::glyphs::{CLASSES, PIXELS, SIDE, draw};
use eigensweep_sampling::streams::Streams;
use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef, Side};

type Image = [u8; PIXELS];

fn glyph(seed: u64, index: u64) -> (u8, Image) {
    let mut image = [0; PIXELS];
    (draw(&Streams::new(seed), index, &mut image), image)
}

/// If this fails, glyphs are other images: data sets of them can no longer be extended.
#[test]
fn the_first_thousand_images_are_the_recorded_ones() {
    let mut hasher = blake3::Hasher::new();
    for index in 0..1000 {
        let (digit, image) = glyph(1, index);
        hasher.update(&[digit]);
        hasher.update(&image);
    }
    assert_eq!(hasher.finalize().to_hex().as_str(), GOLDEN);
}

/// As computed apart from this code, by eighty lines of Python without its bounding boxes.
const GOLDEN: &str = "d09431ffb990e73b713a216ea87774944e156f7c4f1fe4d0ee94daa3da19253e";

/// The recorded bytes prove it for the machines that run the tests only.
#[test]
fn an_image_is_made_of_operations_with_one_right_result() {
    let source = include_str!("../src/glyphs.rs");
    let words: Vec<&str> = source.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    assert!(words.contains(&"sqrt"), "the words of the source");
    for function in [
        "sin",
        "cos",
        "tan",
        "sin_cos",
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "exp",
        "exp2",
        "exp_m1",
        "ln",
        "ln_1p",
        "log",
        "log2",
        "log10",
        "powf",
        "powi",
        "cbrt",
        "hypot",
        "mul_add",
        "f32",
        "rand_distr",
        "StandardNormal",
    ] {
        assert!(!words.contains(&function), "`{function}` differs between platforms, or from +, −, ×, ÷, √");
    }
}

#[test]
fn an_image_does_not_depend_on_what_else_is_drawn() {
    let streams = Streams::new(3);
    let mut dirty = [0xa5; PIXELS];
    for index in (0..100).rev().chain([7, 7, u64::MAX]) {
        let digit = draw(&streams, index, &mut dirty);
        assert!((digit, dirty) == glyph(3, index), "image {index}");
    }
}

#[test]
fn other_seeds_and_other_numbers_give_other_images() {
    let mut images: Vec<Image> = (0..3000).map(|i| glyph(i / 1000, i % 1000).1).collect();
    images.sort_unstable();
    images.dedup();
    assert_eq!(images.len(), 3000);
}

/// Images `from..from + count` of seed 5 in [0, 1], a row an image, and their digits.
fn sample(from: u64, count: usize) -> (Mat<f64>, Vec<usize>) {
    let (digits, images): (Vec<usize>, Vec<Image>) =
        (from..).take(count).map(|i| glyph(5, i)).map(|(digit, image)| (usize::from(digit), image)).unzip();
    (Mat::from_fn(count, PIXELS, |i, j| f64::from(images[i][j]) / 255.0), digits)
}

fn mean(rows: MatRef<'_, f64>) -> Vec<f64> {
    rows.col_iter().map(|c| c.iter().sum::<f64>() / rows.nrows() as f64).collect()
}

/// Ten counts within 5σ: false once in 170 000.
#[test]
fn digits_are_equally_likely() {
    const IMAGES: usize = 20_000;
    let mut counts = [0; CLASSES];
    for index in 0..IMAGES {
        counts[usize::from(glyph(5, index as u64).0)] += 1;
    }
    let (n, p) = (IMAGES as f64, 1.0 / CLASSES as f64);
    for (digit, &count) in counts.iter().enumerate() {
        let excess = f64::from(count) - n * p;
        assert!(excess.abs() <= 5.0 * (n * p * (1.0 - p)).sqrt(), "digit {digit}: {count} of {IMAGES}");
    }
}

/// In brackets: MNIST's 60,000 training images. Glyphs leave fewer pixels dead, the more are drawn.
#[test]
fn ink_and_spectrum_are_about_those_of_mnist() {
    const IMAGES: usize = 5000;
    let (mut pixels, _) = sample(0, IMAGES);
    let mean = mean(pixels.as_ref());
    let ink = 255.0 * mean.iter().sum::<f64>() / PIXELS as f64;
    assert!((32.0..35.0).contains(&ink), "mean ink {ink} of 255 (33.3)");

    let dead: Vec<bool> = pixels.col_iter().map(|c| c.iter().all(|&x| x == 0.0)).collect();
    let count = dead.iter().filter(|&&d| d).count();
    assert!((30..120).contains(&count), "{count} pixels are always 0 (67)");
    for corner in [0, SIDE - 1, PIXELS - SIDE, PIXELS - 1] {
        assert!(dead[corner], "pixel {corner} is a corner");
    }
    for (i, row) in pixels.row_iter().enumerate() {
        let sum: f64 = row.iter().sum();
        assert!(sum > 10.0, "image {i} has {sum} pixels of ink");
    }

    for (column, mean) in pixels.col_iter_mut().zip(&mean) {
        column.iter_mut().for_each(|x| *x -= mean);
    }
    let covariance = pixels.transpose() * &pixels / faer::Scale((IMAGES - 1) as f64);
    let eigenvalues = covariance.self_adjoint_eigenvalues(Side::Lower).unwrap();
    let total: f64 = eigenvalues.iter().sum();
    assert!((49.0..55.0).contains(&total), "total variance {total} (52.7)");
    let leading = eigenvalues.iter().rev().take(10).sum::<f64>() / total;
    assert!((0.44..0.52).contains(&leading), "ten components hold {leading} of the variance (0.49)");
}

/// Share of rows whose largest score is at their digit.
fn accuracy(scores: MatRef<'_, f64>, digits: &[usize]) -> f64 {
    let right = scores.row_iter().zip(digits).filter(|(row, digit)| {
        let best = (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        best == Some(**digit)
    });
    right.count() as f64 / digits.len() as f64
}

/// There is something to learn, and something to gain. In brackets: 5000 random training images of
/// MNIST and the first 2000 test images.
#[test]
fn linear_classifiers_find_glyphs_neither_trivial_nor_hopeless() {
    let (train, digits) = sample(0, 5000);
    let (fresh, expected) = sample(1 << 40, 2000);
    // A column of ones for the intercept; a ridge of 1 for pixels that are always 0.
    let with_one =
        |m: &Mat<f64>| Mat::from_fn(m.nrows(), PIXELS + 1, |i, j| if j == PIXELS { 1.0 } else { m[(i, j)] });
    let (x, z) = (with_one(&train), with_one(&fresh));
    let y = Mat::from_fn(digits.len(), CLASSES, |i, c| f64::from(u8::from(digits[i] == c)));
    let mut gram = x.transpose() * &x;
    for i in 0..PIXELS {
        gram[(i, i)] += 1.0;
    }
    let weights = gram.llt(Side::Lower).unwrap().solve(x.transpose() * &y);
    let least_squares = accuracy((&z * weights).as_ref(), &expected);
    assert!((0.84..0.92).contains(&least_squares), "least squares: {least_squares} (0.80)");

    // −½‖x − m‖² up to what all classes share.
    let counts = y.transpose() * Mat::<f64>::ones(digits.len(), 1);
    let sums = y.transpose() * &train;
    let means = Mat::from_fn(CLASSES, PIXELS, |c, j| sums[(c, j)] / counts[(c, 0)]);
    let mut scores = &fresh * means.transpose();
    for c in 0..CLASSES {
        let half = means.row(c).squared_norm_l2() / 2.0;
        scores.col_mut(c).iter_mut().for_each(|score| *score -= half);
    }
    let nearest = accuracy(scores.as_ref(), &expected);
    assert!((0.75..0.9).contains(&nearest), "nearest mean: {nearest} (0.77)");
}
