//! The Gaussian population: its exact second moments, and exact Gram matrices against explicit
//! rows.

mod common;

use common::{assert_same_law, assert_within, eigenvalues, estimate, largest, stream};
use eigensweep_sampling::gaussian::{GaussianSource, Signal, Teacher};
use eigensweep_sampling::streams::Stream;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{MemBuffer, MemStack};
use faer::Mat;

const SIGNAL: [f64; 5] = [100.0, 9.0, 4.0, 1.0, 0.01];

const fn linear(count: usize, label_noise: f64) -> Teacher {
    Teacher::Linear { count, label_noise }
}

const fn classes(count: usize, separation: f64) -> Teacher {
    Teacher::Classes { count, separation }
}

/// Both teachers, without and with nothing but label noise, more classes than components can hold,
/// two classes, one component.
const POPULATIONS: [(usize, Teacher); 10] = [
    (5, linear(3, 0.25)),
    (5, linear(3, 0.0)),
    (5, linear(2, 1.0)),
    (1, linear(4, 0.5)),
    (5, classes(3, 0.5)),
    (5, classes(2, 0.9)),
    (5, classes(6, 0.3)),
    (3, classes(7, 0.5)),
    (1, classes(2, 0.2)),
    (5, classes(3, 1e-3)),
];

/// A population in a workspace that is larger than it needs, made for another teacher of as many
/// labels.
fn source(components: usize, teacher: Teacher) -> GaussianSource {
    let mut source =
        GaussianSource::new(InstructionSet::detect(), components + 2, linear(teacher.labels(), 0.5));
    // A population before it must leave no trace.
    source.draw_teacher(&[3.0; 7][..components + 2], classes(teacher.labels().max(2), 0.7), &mut stream(90));
    source.draw_teacher(&SIGNAL[..components], teacher, &mut stream(91));
    source
}

fn draw_gram(source: &mut GaussianSource, width: usize, samples: u64, rng: &mut Stream) -> Mat<f64> {
    let mut gram = Mat::from_fn(width, width, |_, _| f64::NAN);
    let mut memory = MemBuffer::new(GaussianSource::draw_gram_scratch(width));
    source.draw_gram(samples, gram.as_mut(), rng, MemStack::new(&mut memory));
    gram
}

fn draw_rows(source: &mut GaussianSource, width: usize, samples: usize, rng: &mut Stream) -> Mat<f64> {
    let mut rows = Mat::from_fn(width, samples, |_, _| f64::NAN);
    source.draw_rows(rows.as_mut(), rng);
    rows
}

/// `E [x y][x y]ᵀ`, from a Gram matrix of 10¹² rows: right to 1e-6 of a unit, far below what is
/// asked of it here.
fn population(source: &mut GaussianSource, width: usize) -> Mat<f64> {
    const SAMPLES: u64 = 1_000_000_000_000;
    draw_gram(source, width, SAMPLES, &mut stream(92)) * faer::Scale(1.0 / SAMPLES as f64)
}

/// 10¹² rows leave `(√2 or less)·1e-6` of each unit as standard error: 5σ ≈ 7e-6.
const POPULATION_ERROR: f64 = 7.1e-6;

#[test]
fn inputs_have_the_second_moments_asked_for() {
    for (components, teacher) in POPULATIONS {
        let width = components + teacher.labels();
        let moment = population(&mut source(components, teacher), width);
        for i in 0..components {
            for j in 0..components {
                let exact = if i == j { SIGNAL[i] } else { 0.0 };
                let unit = (SIGNAL[i] * SIGNAL[j]).sqrt();
                let error = (moment[(i, j)] - exact).abs() / unit;
                assert!(error <= POPULATION_ERROR, "{teacher:?} ({i}, {j}): {error:e}");
            }
        }
    }
}

/// From explicit rows: 5σ a comparison, at most 15 a population, ten populations: false once in 11
/// 000.
#[test]
fn explicit_inputs_have_the_second_moments_asked_for() {
    const ROWS: usize = 100_000;
    for (case, (components, teacher)) in POPULATIONS.into_iter().enumerate() {
        let width = components + teacher.labels();
        let mut rng = stream(100 + case as u64);
        let rows = draw_rows(&mut source(components, teacher), width, ROWS, &mut rng);
        for i in 0..components {
            for j in 0..=i {
                let products: Vec<f64> = (0..ROWS).map(|r| rows[(i, r)] * rows[(j, r)]).collect();
                let found = estimate(&products);
                let exact = if i == j { SIGNAL[i] } else { 0.0 };
                assert_within(&format!("{teacher:?} ({i}, {j})"), found.mean, exact, found.mean_error);
            }
        }
    }
}

/// Linear: `E y yᵀ = (1 − ν) qᵀq' + ν I` with unit q, and `E K⁻¹x yᵀ = √(1 − ν) Q`.
#[test]
fn linear_targets_have_unit_variance_and_the_share_of_noise() {
    for (components, teacher) in POPULATIONS {
        let Teacher::Linear { count, label_noise } = teacher else { continue };
        let moment = population(&mut source(components, teacher), components + count);
        let directions =
            Mat::from_fn(components, count, |i, c| moment[(i, components + c)] / SIGNAL[i].sqrt());
        let explained = directions.transpose() * &directions;
        for c in 0..count {
            let share = explained[(c, c)];
            assert!((share - (1.0 - label_noise)).abs() <= 3.0 * POPULATION_ERROR, "{teacher:?}: {share}");
            for b in 0..count {
                let exact = explained[(b, c)] + if b == c { label_noise } else { 0.0 };
                let found = moment[(components + b, components + c)];
                assert!((found - exact).abs() <= 5.0 * POPULATION_ERROR, "{teacher:?}: {found} {exact}");
            }
        }
    }
}

/// Classes: the covariance of the class means is `s K Q̂Q̂ᵀ K`, so in units of K its eigenvalues
/// are s on the class directions (ℓ − 1, or as many as there are components) and 0 elsewhere.
#[test]
fn the_share_between_classes_is_the_separation() {
    for (components, teacher) in POPULATIONS {
        let Teacher::Classes { count, separation } = teacher else { continue };
        let moment = population(&mut source(components, teacher), components + count);
        let mut between = Mat::<f64>::zeros(components, components);
        for c in 0..count {
            let share = moment[(components + c, components + c)];
            assert!((share - 1.0 / count as f64).abs() <= POPULATION_ERROR, "class share {share}");
            for b in (0..count).filter(|&b| b != c) {
                assert!(moment[(components + b, components + c)] == 0.0, "one-hot");
            }
            for i in 0..components {
                for j in 0..components {
                    let (x, y) = (moment[(i, components + c)], moment[(j, components + c)]);
                    between[(i, j)] += x * y / share / (SIGNAL[i] * SIGNAL[j]).sqrt();
                }
            }
        }
        let values = eigenvalues(&between);
        let directions = (count - 1).min(components);
        for (i, value) in values.iter().rev().enumerate() {
            let exact = if i < directions { separation } else { 0.0 };
            // Class means are known to √ℓ of the unit error.
            assert!((value - exact).abs() <= 20.0 * POPULATION_ERROR, "{teacher:?}: {values:?}");
        }
        // Class means sum to zero.
        for i in 0..components {
            let sum: f64 = (0..count).map(|c| moment[(i, components + c)]).sum();
            assert!(sum.abs() <= POPULATION_ERROR * SIGNAL[i].sqrt(), "{teacher:?}: {sum:e}");
        }
    }
}

/// Within a class the inputs are Gaussian around the same mean: the explicit sampler's own class
/// means, 5σ.
#[test]
fn classes_of_explicit_rows_have_the_means_of_the_exact_sampler() {
    const ROWS: usize = 60_000;
    let (teacher, width) = (classes(4, 0.6), 9);
    let mut source = source(5, teacher);
    let moment = population(&mut source, width);
    let rows = draw_rows(&mut source, width, ROWS, &mut stream(120));
    for c in 0..4 {
        let members: Vec<usize> = (0..ROWS).filter(|&r| rows[(5 + c, r)] > 0.5).collect();
        for &r in &members {
            let label = |b: usize| rows[(5 + b, r)].to_bits() == f64::from(u8::from(b == c)).to_bits();
            assert!((0..4).all(label), "one-hot");
        }
        let share = members.len() as f64 / ROWS as f64;
        assert_within("class share", share, 0.25, (0.25 * 0.75 / ROWS as f64).sqrt());
        for i in 0..5 {
            let values: Vec<f64> = members.iter().map(|&r| rows[(i, r)]).collect();
            let found = estimate(&values);
            let exact = moment[(i, 5 + c)] / moment[(5 + c, 5 + c)];
            assert_within(&format!("mean {i} of class {c}"), found.mean, exact, found.mean_error);
        }
    }
}

const FUNCTIONALS: [&str; 12] = [
    "XᵀX first",
    "XᵀX last",
    "XᵀX off-diagonal",
    "XᵀY first",
    "XᵀY last",
    "YᵀY first",
    "YᵀY off-diagonal",
    "tr XᵀX",
    "XᵀY² beside XᵀX",
    "largest eigenvalue",
    "middle eigenvalue",
    "fit of the first label",
];

/// Entries, traces and, in units of κ, eigenvalues.
fn functionals(gram: &Mat<f64>, components: usize) -> [f64; 12] {
    let width = gram.nrows();
    let unit = |i: usize| if i < components { SIGNAL[i].sqrt() } else { 1.0 };
    let scaled = Mat::from_fn(width, width, |i, j| gram[(i, j)] / (unit(i) * unit(j)));
    let values = eigenvalues(&scaled);
    let last = components - 1;
    [
        scaled[(0, 0)],
        scaled[(last, last)],
        scaled[(last, 0)],
        scaled[(components, 0)],
        scaled[(width - 1, last)],
        scaled[(components, components)],
        scaled[(width - 1, components)],
        (0..components).map(|i| scaled[(i, i)]).sum(),
        scaled[(components, 0)].powi(2) / scaled[(0, 0)],
        values[width - 1],
        // Zeros of small samples are rounding: told apart from nothing else.
        (values[width / 2] * 1e8).round() / 1e8 + 0.0,
        (0..components).map(|i| scaled[(components, i)].powi(2) / scaled[(i, i)]).sum(),
    ]
}

/// Ten populations × five sizes × 12 functionals.
#[test]
fn exact_gram_matrices_equal_explicit_rows_in_law() {
    for (case, (components, teacher)) in POPULATIONS.into_iter().enumerate() {
        let width = components + teacher.labels();
        let mut source = source(components, teacher);
        let mut other = source_again(components, teacher);
        for (at, samples) in [1, 3, width, 40, 300].into_iter().enumerate() {
            let purpose = 1000 + (10 * case + at) as u64;
            let (mut fast, mut slow) = (stream(purpose), stream(purpose + 500));
            let mut rows = Mat::zeros(width, samples);
            assert_same_law(
                &format!("{teacher:?} of {components} components, n = {samples}"),
                FUNCTIONALS,
                || functionals(&draw_gram(&mut source, width, samples as u64, &mut fast), components),
                || {
                    other.draw_rows(rows.as_mut(), &mut slow);
                    functionals(&(&rows * rows.transpose()), components)
                },
            );
        }
    }
}

/// The same population in a workspace of exactly its size.
fn source_again(components: usize, teacher: Teacher) -> GaussianSource {
    let mut source = GaussianSource::new(InstructionSet::detect(), components, teacher);
    source.draw_teacher(&SIGNAL[..components], teacher, &mut stream(91));
    source
}

#[test]
fn both_triangles_are_written_and_ranks_are_right() {
    for (components, teacher) in POPULATIONS {
        let width = components + teacher.labels();
        let mut source = source(components, teacher);
        for samples in [0, 1, 2, 3, width as u64, 1000] {
            let gram = draw_gram(&mut source, width, samples, &mut stream(130));
            assert!(largest(&(&gram - gram.transpose())) == 0.0, "{teacher:?}, n = {samples}");
            let values = eigenvalues(&gram);
            let floor = 1e-12 * largest(&gram);
            assert!(values[0] >= -floor, "{teacher:?}, n = {samples}: {values:?}");
            let rank = values.iter().filter(|&&x| x > floor).count() as u64;
            assert!(rank <= samples, "{teacher:?}, n = {samples}: {values:?}");
        }
    }
}

#[test]
fn noiseless_targets_are_functions_of_the_inputs() {
    let gram = draw_gram(&mut source(5, linear(3, 0.0)), 8, 1000, &mut stream(131));
    let unit = |i: usize| gram[(i, i)].sqrt();
    let values = eigenvalues(&Mat::from_fn(8, 8, |i, j| gram[(i, j)] / (unit(i) * unit(j))));
    assert!(values[2].abs() <= 1e-13 && values[3] > 1e-3, "{values:?}");
}

#[test]
fn targets_of_noise_alone_know_nothing_of_the_inputs() {
    let moment = population(&mut source(5, linear(2, 1.0)), 7);
    for i in 0..5 {
        assert!(moment[(i, 5)].abs() <= POPULATION_ERROR * SIGNAL[i].sqrt());
    }
}

/// Uniform over the sphere: each coordinate of a direction has mean 0 and mean square 1/k₀, over
/// teachers.
#[test]
fn directions_are_uniform() {
    let mut rng = stream(140);
    let mut source = GaussianSource::new(InstructionSet::detect(), 4, linear(1, 0.0));
    let mut squares = vec![Vec::new(); 4];
    let mut coordinates = vec![Vec::new(); 4];
    for _ in 0..4000 {
        source.draw_teacher(&[1.0; 4], linear(1, 0.0), &mut rng);
        let gram = draw_gram(&mut source, 5, 1_000_000_000_000, &mut stream(141));
        for i in 0..4 {
            coordinates[i].push(gram[(4, i)] * 1e-12);
            squares[i].push((gram[(4, i)] * 1e-12).powi(2));
        }
    }
    for i in 0..4 {
        let (mean, square) = (estimate(&coordinates[i]), estimate(&squares[i]));
        assert_within("coordinate", mean.mean, 0.0, mean.mean_error);
        assert_within("its square", square.mean, 0.25, square.mean_error);
        // E x⁴ = 3/(k₀ (k₀ + 2)) on the sphere.
        let exact = 3.0 / 24.0 - 0.25 * 0.25;
        assert_within("its variance", square.variance, exact, square.variance_error);
    }
}

/// A sample of 10¹² rows costs the same draws as one of 10³.
#[test]
fn nothing_grows_with_n() {
    use rand::Rng;
    let mut source = source(5, linear(3, 0.25));
    let after = |source: &mut GaussianSource, samples: u64| {
        // Rejections in χ² draw more now and then: compare the least over many streams.
        (0..50)
            .map(|purpose| {
                let mut rng = stream(5000 + purpose);
                let _ = draw_gram(source, 8, samples, &mut rng);
                let next = rng.next_u64();
                let mut replay = stream(5000 + purpose);
                (0..10_000).position(|_| replay.next_u64() == next)
            })
            .min()
    };
    let few = after(&mut source, 1000);
    assert!(few.flatten().is_some_and(|words| (36..100).contains(&words)), "{few:?}");
    assert_eq!(after(&mut source, 1_000_000_000_000), few);
}

#[test]
#[should_panic(expected = "workspace of this shape")]
fn more_components_than_the_workspace_panic() {
    GaussianSource::new(InstructionSet::detect(), 2, linear(1, 0.0)).draw_teacher(
        &[1.0; 3],
        linear(1, 0.0),
        &mut stream(1),
    );
}

#[test]
#[should_panic(expected = "workspace of this shape")]
fn another_number_of_labels_panics() {
    GaussianSource::new(InstructionSet::detect(), 2, linear(1, 0.0)).draw_teacher(
        &[1.0; 2],
        linear(2, 0.0),
        &mut stream(1),
    );
}

#[test]
#[should_panic(expected = "a w × w Gram matrix")]
fn a_gram_matrix_of_another_size_panics() {
    let _ = draw_gram(&mut source(5, linear(3, 0.25)), 7, 10, &mut stream(1));
}

#[test]
#[should_panic(expected = "a column of w entries a row")]
fn rows_of_another_width_panic() {
    let _ = draw_rows(&mut source(5, linear(3, 0.25)), 7, 10, &mut stream(1));
}

/// A fixed signal has its spectrum whatever n, from as many samples as components on; its labels
/// are those of the teacher: in expectation, and of many samples, the moments of a random signal.
#[test]
fn a_fixed_signal_has_its_spectrum_at_every_n_and_labels_of_the_teacher() {
    for (components, teacher) in POPULATIONS {
        let width = components + teacher.labels();
        let mut fixed = source(components, teacher).with_signal(Signal::Fixed);
        let mut rng = stream(150);
        for samples in [components as u64 + 4, 100, 1_000_000] {
            let gram = draw_gram(&mut fixed, width, samples, &mut rng);
            let n = samples as f64;
            for i in 0..components {
                for j in 0..components {
                    let expected = if i == j { SIGNAL[i] } else { 0.0 };
                    let scale = (SIGNAL[i] * SIGNAL[j]).sqrt();
                    let found = gram[(i, j)] / n;
                    assert!((found - expected).abs() <= 1e-12 * scale, "{teacher:?}, n = {samples}: {found}");
                }
            }
            // A Gram matrix: no eigenvalue below zero.
            let spread = Mat::from_fn(width, width, |i, j| {
                gram[(i, j)] / (gram[(i, i)] * gram[(j, j)]).sqrt().max(1e-300)
            });
            assert!(eigenvalues(&spread).iter().all(|&value| value > -1e-9), "{teacher:?}, n = {samples}");
        }
        let many = 1_000_000_000_000;
        let moment = draw_gram(&mut fixed, width, many, &mut rng) * faer::Scale(1.0 / many as f64);
        let expected = population(&mut source(components, teacher), width);
        for i in 0..width {
            for j in 0..width {
                let scale = (expected[(i, i)] * expected[(j, j)]).sqrt();
                assert!((moment[(i, j)] - expected[(i, j)]).abs() <= 1e-5 * scale, "{teacher:?}: ({i}, {j})");
            }
        }
        assert!(
            draw_gram(&mut fixed, width, components as u64 - 1, &mut rng)[(0, 0)].is_nan(),
            "too few samples"
        );
    }
}

/// Linear labels on a given X: residuals of the regression on X have the law of label noise on n −
/// k₀ degrees of freedom, and the regression's error is that of given inputs.
#[test]
fn linear_labels_of_a_fixed_signal_are_regressed_as_on_given_inputs() {
    const DRAWS: usize = 4000;
    let (components, samples, noise) = (5, 12_u64, 0.25);
    let mut fixed = source(components, linear(2, noise)).with_signal(Signal::Fixed);
    let mut rng = stream(151);
    let residuals: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let gram = draw_gram(&mut fixed, components + 2, samples, &mut rng);
            let explained: f64 = (0..components).map(|i| gram[(components, i)].powi(2) / gram[(i, i)]).sum();
            gram[(components, components)] - explained
        })
        .collect();
    let mean = residuals.iter().sum::<f64>() / DRAWS as f64;
    // ν χ² of 7 degrees of freedom: mean 1.75, standard deviation 0.25 √14.
    let error = 0.25 * 14.0_f64.sqrt() / (DRAWS as f64).sqrt();
    assert!((mean - 1.75).abs() < 5.0 * error, "{mean}");
    let variance = residuals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / DRAWS as f64;
    assert!((variance / 0.875 - 1.0).abs() < 0.15, "{variance}");
}
