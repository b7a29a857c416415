//! Stages that cannot be: the key at fault, and a message that says why.

use eigensweep_theory::views::stages::{Domain, KINDS, Severities, Shape, Spec, Takes, Value, Views};
use faer::Mat;
use serde_json::{Value as Json, json};

use crate::table::{SHAPE, build, present};

/// The fault of a stage, as `key: message`.
fn fault(stage: &Json) -> String {
    let fault = build(&json!([stage]), SHAPE).expect_err(&stage.to_string());
    assert!(!fault.help.is_empty());
    format!("{}: {}", fault.key, fault.message)
}

#[test]
fn what_does_not_fit_is_said_at_its_key() {
    let zeros = |rows: usize, columns: usize| vec![vec![0.0; columns]; rows];
    let mut skew = zeros(12, 12);
    skew[3][1] = 1.0;
    let mut indefinite = zeros(12, 12);
    indefinite[3][1] = 1.0;
    indefinite[1][3] = 1.0;
    let mut negative = zeros(12, 12);
    negative[0][0] = 2.0;
    negative[5][5] = -1e-3;
    let psd = "`covariance` is not positive semidefinite";
    for (stage, expected) in [
        (json!({"kind": "additive"}), "stages[0]: none of `variance`, `covariance`, `factor` is given"),
        (
            json!({"kind": "additive", "variance": 1, "factor": zeros(12, 1)}),
            "stages[0].factor: `factor` is given beside `variance`",
        ),
        (
            json!({"kind": "additive", "variance": [1, 2]}),
            "stages[0].variance: `variance` has 2 values for 12 features",
        ),
        (json!({"kind": "additive", "variance": 1, "mean": [1, 2]}), "stages[0].mean: `mean` has 2 values"),
        (
            json!({"kind": "additive", "covariance": zeros(11, 12)}),
            "stages[0].covariance: `covariance` is 11 × 12 for 12 features",
        ),
        (
            json!({"kind": "additive", "covariance": skew}),
            "stages[0].covariance: `covariance` is not symmetric: 0 in row 2, column 4, but 1",
        ),
        (json!({"kind": "additive", "covariance": indefinite}), psd),
        (json!({"kind": "additive", "covariance": negative}), psd),
        (
            json!({"kind": "additive", "factor": zeros(11, 2)}),
            "stages[0].factor: `factor` has 11 rows for 12 features",
        ),
        (json!({"kind": "multiplicative"}), "stages[0]: none of `variance`, `covariance`"),
        (json!({"kind": "multiplicative", "covariance": negative}), psd),
        (json!({"kind": "brightness", "low": 1, "high": 0}), "stages[0].low: `low` = 1 is above `high` = 0"),
        (json!({"kind": "clip", "low": 1, "high": 0}), "stages[0].low: `low` = 1 is above"),
        (
            json!({"kind": "clipped-gaussian", "sigma": 1, "low": 2}),
            "stages[0].low: `low` = 2 is above `high` = 1",
        ),
        (
            json!({"kind": "illumination", "modes": 13, "variance": 1}),
            "stages[0].modes: 13 modes of 12 pixels",
        ),
        (
            json!({"kind": "dropout", "probability": 0.5, "fill": [1]}),
            "stages[0].fill: `fill` has 1 values for 12 features",
        ),
        (
            json!({"kind": "patches", "size": [4, 2], "masked": 1}),
            "stages[0].size: patches of 4 × 2 are larger than images of 3 × 4",
        ),
        (
            json!({"kind": "patches", "size": [2, 2], "masked": 4}),
            "stages[0].masked: 4 of 4 patches of 2 × 2 leave nothing",
        ),
        (json!({"kind": "patches", "size": [2], "masked": 1}), "stages[0].size: a size is two numbers"),
        (
            json!({"kind": "overlay", "backgrounds": zeros(3, 9)}),
            "stages[0].backgrounds: a background has 9 values for 12 features",
        ),
        (
            json!({"kind": "overlay", "backgrounds": zeros(0, 0)}),
            "stages[0].backgrounds: there are no backgrounds",
        ),
        (json!({"kind": "choice", "options": []}), "stages[0].options: there are no options"),
        (
            json!({"kind": "choice", "options": [[], []], "weights": [1]}),
            "stages[0].weights: 1 weights for 2 options",
        ),
        (
            json!({"kind": "choice", "options": [[], []], "weights": [0, 0]}),
            "stages[0].weights: the weights are all 0",
        ),
        (
            json!({"kind": "choice", "options": [[], [{"kind": "clip", "low": 2}]]}),
            "stages[0].options[1][0].low: `low` = 2",
        ),
        (
            json!({"kind": "sometimes", "probability": 1, "stages": [
            {"kind": "clip"}, {"kind": "patches", "size": [1, 1], "masked": 1, "fill": "mean"}]}),
            "stages[0].stages[1].fill: the mean of the features is not known",
        ),
    ] {
        let found = fault(&stage);
        assert!(found.contains(expected), "{stage}: {found}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_faults() {
    let matrix = |rows, columns| Value::Matrix(faer::Mat::full(rows, columns, f64::NAN));
    for (kind, key, value) in [
        ("additive", "covariance", matrix(12, 12)),
        ("additive", "factor", matrix(12, 2)),
        ("multiplicative", "covariance", matrix(12, 12)),
        ("overlay", "backgrounds", matrix(2, 12)),
    ] {
        let kind = eigensweep_theory::views::stages::named(kind).unwrap();
        let fault = Spec::new(kind, vec![(key, value)]).build(SHAPE).unwrap_err();
        assert_eq!((fault.key.as_str(), fault.message.as_str()), (key, "a value is not finite"));
    }
}

#[test]
fn a_covariance_may_be_singular_or_zero() {
    let rank_one: Vec<Vec<f64>> =
        (0..12).map(|i| (0..12).map(|j| f64::from(i * j) * 0.1).collect()).collect();
    for covariance in [rank_one, vec![vec![0.0; 12]; 12]] {
        build(&json!([{"kind": "additive", "covariance": covariance}]), SHAPE).unwrap();
    }
}

#[test]
fn a_chain_that_cannot_be_drawn_is_refused_where_it_stands() {
    let noise = json!({"kind": "additive", "variance": 1});
    let thinning = json!({"kind": "thinning", "keep": 0.5});
    let poisson = json!({"kind": "poisson", "exposure": 10});
    let log = json!({"kind": "elementwise", "function": "log1p"});
    let filled = json!({"kind": "dropout", "probability": 0.5, "fill": "mean"});
    let clip = json!({"kind": "clip"});
    let zero = json!({"kind": "dropout", "probability": 0.5});
    let check = |stages: Json, samples: Domain| {
        let views = Views::new(build(&stages, SHAPE).unwrap());
        views.check(samples).map_err(|(at, fault)| format!("{at}: {}", fault.message))
    };
    let refused = |at: usize, needed: &str, found: &str| {
        Err(format!("{at}: it can be drawn at {needed} only, and {found} come in"))
    };
    assert_eq!(check(json!([zero, thinning, poisson]), Domain::Counts), Ok(Domain::NotNegative));
    assert_eq!(check(json!([thinning]), Domain::NotNegative), refused(0, "counts", "values from 0"));
    assert_eq!(check(json!([zero, noise, thinning]), Domain::Counts), refused(2, "counts", "real numbers"));
    assert_eq!(check(json!([noise, clip, poisson]), Domain::Real), Ok(Domain::NotNegative));
    assert_eq!(check(json!([poisson, thinning]), Domain::Counts), refused(1, "counts", "values from 0"));
    assert_eq!(check(json!([noise, log]), Domain::Counts), refused(1, "values from 0", "real numbers"));
    assert_eq!(check(json!([filled, thinning]), Domain::Counts), refused(1, "counts", "values from 0"));
    assert_eq!(check(json!([thinning, log, filled]), Domain::Counts), Ok(Domain::NotNegative));
    let message = "2: the mean of the features is not known behind a stage without a closed form";
    assert_eq!(check(json!([noise, clip, filled, clip]), Domain::Real), Err(message.to_owned()));
}

#[test]
fn draws_stay_in_the_domain_that_is_promised() {
    use crate::table::{Data, Generator};
    let data = Data::counts(12, 4);
    let mut rng = Generator::new(11);
    for stage in present() {
        let mut stages = build(&json!([stage]), SHAPE).unwrap();
        stages[0].settle(data.state().mean.col_as_slice(0), &mut Default::default());
        for (before, divisor) in [(Domain::Counts, 1.0), (Domain::NotNegative, 3.0)] {
            let Ok(after) = stages[0].domain(before) else { continue };
            for draw in 0..200 {
                let mut values = data.inputs.col_as_slice(draw % 4).to_vec();
                values.iter_mut().for_each(|value| *value /= divisor);
                stages[0].draw(&mut values, &mut rng);
                // Rounding may leave a weighted mean of values from 0 a little below.
                values.iter_mut().filter(|value| value.abs() < 1e-12).for_each(|value| *value = 0.0);
                assert!(Domain::of(&values) >= after, "{stage} at {before:?}: {values:?}");
            }
        }
    }
}

#[test]
fn severities_build_a_stage_that_grows() {
    let shape = Shape { channels: 1, rows: 28, columns: 28 };
    let mut kinds = 0;
    for kind in KINDS {
        let Some(severity) = kind.severity else { continue };
        kinds += 1;
        for table in Severities::ALL {
            for level in 1..=5 {
                let values = severity(table, level, shape);
                assert!(values.iter().all(|(key, _)| kind.keys.iter().any(|one| one.name == *key)));
                Spec::new(kind, values).build(shape).unwrap();
            }
        }
    }
    assert!(kinds >= 6);
    let value = |name: &str, table, level: usize| {
        let kind = eigensweep_theory::views::stages::named(name).unwrap();
        let values = kind.severity.unwrap()(table, level, shape);
        Spec::new(kind, values.clone()).number(values[0].0)
    };
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    close(value("additive", Severities::ImageNet, 5), 0.38 * 0.38);
    close(value("additive", Severities::Cifar, 1), 0.04 * 0.04);
    close(value("clipped-gaussian", Severities::ImageNet, 2), 0.12);
    close(value("poisson", Severities::ImageNet, 3), 12.0);
    close(value("poisson", Severities::Cifar, 4), 75.0);
    close(value("impulse", Severities::Cifar, 5), 0.07);
    close(value("multiplicative", Severities::ImageNet, 4), 0.45 * 0.45);
    close(value("brightness", Severities::Cifar, 5), 0.3);
}

#[test]
fn the_lowest_cosine_modes_carry_the_variance() {
    let shape = Shape { channels: 2, rows: 4, columns: 6 };
    let stages = build(&json!([{"kind": "illumination", "modes": 7, "variance": 3.5}]), shape).unwrap();
    let mut covariance = faer::Mat::<f64>::zeros(48, 48);
    stages[0].second(&mut covariance, &[0.0; 48], &mut Default::default());
    let trace: f64 = (0..48).map(|i| covariance[(i, i)]).sum();
    assert!((trace / 48.0 - 3.5).abs() < 1e-13, "on average over the features");
    // Orthonormal modes, seven a channel, all of one variance.
    let values = covariance.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
    for (at, value) in values.iter().rev().enumerate() {
        let expected = if at < 14 { 12.0 } else { 0.0 };
        assert!((value - expected).abs() < 1e-12, "{at}: {value}");
    }
    // The constant of the first channel is one of them, and channels are independent.
    let constant = faer::Mat::from_fn(48, 1, |i, _| f64::from(u8::from(i < 24)));
    assert!((&covariance * &constant - faer::Scale(12.0) * &constant).norm_max() < 1e-12);
    assert!(covariance.submatrix(0, 24, 24, 24).norm_max() < 1e-14);
}

/// Of a file, for one: it was taken for a key that is not given.
#[test]
fn a_matrix_is_no_list() {
    for kind in KINDS {
        for key in kind.keys.iter().filter(|key| !matches!(key.takes, Takes::Matrix | Takes::Pairs(_))) {
            let spec = Spec::new(kind, vec![(key.name, Value::Matrix(Mat::zeros(12, 12)))]);
            let fault = spec.build(SHAPE).err().unwrap_or_else(|| panic!("{}, {}", kind.name, key.name));
            assert_eq!(
                (fault.key.as_str(), fault.message.contains("12 × 12")),
                (key.name, true),
                "{}",
                kind.name
            );
        }
    }
}
