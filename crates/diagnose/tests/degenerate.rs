//! Input that is hardly any: each kind is refused, or answered with a warning.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
#![allow(clippy::float_cmp, reason = "the same bits are the same numbers")]

mod common;

use common::{apart, ask, interleaved, numbers, question, repeats};
use eigensweep_diagnose::{
    Answer, Change, DecidedBy, DiagnoseError, Labels, Measurements, Needs, Question, Views, Warning,
};
use eigensweep_testkit::random::Random;
use eigensweep_testkit::repeats::Repeated;
use faer::Mat;

const SIZE: usize = 8;

fn tables(pairs: usize) -> [Mat<f64>; 2] {
    let mut random = Random(31);
    Repeated::random(&mut random, SIZE).measure(&mut random, pairs)
}

fn all_finite(numbers: &[f64]) -> bool {
    numbers.iter().all(|x| x.is_finite())
}

#[test]
fn one_group_is_refused() {
    let (rows, _) = interleaved(&tables(20));
    let ids = vec![3; 40];
    let measurements = Measurements::Groups { rows: rows.as_ref(), ids: &ids };
    let found = ask(&question(measurements, Views::Noise, 2));
    assert!(matches!(found, Err(DiagnoseError::FewItems { found: 1, least: 3, .. })), "{found:?}");
    let measurements = Measurements::Nuisance { rows: rows.as_ref(), batches: &ids };
    let found = ask(&question(measurements, Views::Noise, 2)).unwrap_err().to_string();
    assert!(found.contains("1 batch with") && found.contains("one batch says nothing"), "{found}");
}

#[test]
fn identical_pairs_have_no_noise() {
    let [first, _] = tables(60);
    let tables = [first.clone(), first];
    let theta = Mat::from_fn(SIZE, SIZE, |i, j| if i == j { 1.0 + i as f64 } else { 0.0 });
    let given = Question {
        alignments: &[0.0, 1.0, 1000.0],
        ..question(repeats(&tables), Views::Additive(theta.as_ref()), 2)
    };
    let found = ask(&given).unwrap();
    assert!(found.warnings.contains(&Warning::NoNoise), "{:?}", found.warnings);
    assert!(found.leakage.each.iter().all(|leakage| leakage.value.abs() < 1e-12));
    assert!(all_finite(&numbers(&found)));
    // Without views there is nothing but white noise.
    let found = ask(&question(repeats(&tables), Views::Noise, 2)).unwrap();
    assert_eq!((found.answer, found.decided_by), (Answer::Identical, DecidedBy::Subspaces));
}

#[test]
fn constant_features_are_told_and_change_nothing() {
    let tables = tables(60);
    let theta = Mat::from_fn(SIZE, SIZE, |i, j| if i == j { 1.0 + i as f64 } else { 0.0 });
    let given = ask(&question(repeats(&tables), Views::Additive(theta.as_ref()), 2)).unwrap();
    // 0.1 is not a sum of powers of two: its mean is not itself.
    let more = tables
        .each_ref()
        .map(|table| Mat::from_fn(60, SIZE + 2, |i, j| if j < 2 { 0.1 } else { table[(i, j - 2)] }));
    for beside in [0.0, 1.0] {
        let at = |i: usize| if i < 2 { beside } else { 1.0 + (i - 2) as f64 };
        let theta = Mat::from_fn(SIZE + 2, SIZE + 2, |i, j| if i == j { at(i) } else { 0.0 });
        let found = ask(&question(repeats(&more), Views::Additive(theta.as_ref()), 2)).unwrap();
        assert!(found.warnings.contains(&Warning::Constant { features: 2, first: 0 }));
        assert!(apart(&given, &found) < 1e-8, "{beside}: {}", apart(&given, &found));
    }
    let constant = [Mat::full(60, SIZE, 0.1), Mat::full(60, SIZE, 0.1)];
    let found = ask(&question(repeats(&constant), Views::Noise, 2));
    assert!(matches!(found, Err(DiagnoseError::NoVariance)), "{found:?}");
}

/// A pixel that is on in a single thing: constant in the fold that trains without it.
#[test]
fn a_feature_that_one_item_alone_has_is_nothing_without_it() {
    let tables = tables(60).map(|table| {
        Mat::from_fn(60, SIZE + 1, |i, j| match j {
            SIZE => f64::from(u8::from(i == 7)) * 255.1,
            j => table[(i, j)],
        })
    });
    let theta = Mat::from_fn(SIZE + 1, SIZE + 1, |i, j| if i == j && i < SIZE { 1.0 } else { 0.0 });
    let found = ask(&question(repeats(&tables), Views::Additive(theta.as_ref()), 2)).unwrap();
    assert!(all_finite(&numbers(&found)), "{found:?}");
}

#[test]
fn what_is_not_finite_is_refused_with_its_place() {
    let mut tables = tables(60);
    tables[1][(41, 5)] = f64::NAN;
    let found = ask(&question(repeats(&tables), Views::Noise, 2)).unwrap_err();
    assert!(matches!(found, DiagnoseError::NotFinite { row: 41, column: 5, .. }), "{found:?}");
    assert!(found.to_string().contains("the repeats hold NaN in row 41, column 5"), "{found}");
}

#[test]
fn what_has_no_square_is_refused_with_its_place_and_what_has_one_is_not() {
    let tables = tables(60);
    let given = question(repeats(&tables), Views::Noise, 2);
    for (value, refused) in [(1e140, false), (1e154, true), (-1e300, true)] {
        let mut tables = tables.clone();
        tables[1][(41, 5)] = value;
        let found = ask(&question(repeats(&tables), Views::Noise, 2));
        let said =
            format!("the repeats hold {value:e} in row 41, column 5 (counted from 0): too large, scale");
        assert_eq!(found.is_err_and(|found| found.to_string().starts_with(&said)), refused, "{value}");
        let targets = Mat::from_fn(60, 1, |i, _| if i == 3 { value } else { i as f64 });
        let found = ask(&Question { labels: Some(Labels::Targets(targets.as_ref())), ..given.clone() });
        assert_eq!(matches!(found, Err(DiagnoseError::TooLarge { row: 3, column: 0, .. })), refused);
    }
    // All rows of the largest that are taken.
    let large = tables.each_ref().map(|table| faer::Scale(1e140 / table.norm_max()) * table);
    assert!(all_finite(&numbers(&ask(&question(repeats(&large), Views::Noise, 2)).unwrap())));
    let found = ask(&Question { alignment: Some(1e200), ..given }).unwrap_err().to_string();
    assert!(found.contains("is not a number from 0 to 1e100"), "{found}");
}

#[test]
fn fewer_pairs_than_features_need_a_dimension() {
    let mut random = Random(3);
    let tables = Repeated::random(&mut random, 70).measure(&mut random, 60);
    let given = question(repeats(&tables), Views::Noise, 3);
    let found = ask(&Question { dimension: None, ..given.clone() });
    let Err(DiagnoseError::DimensionNeeded(needs)) = found else { panic!("{found:?}") };
    assert_eq!(needs, Needs::Pairs { items: 60, features: 70 });
    // Components that are few enough do as well.
    let found = ask(&Question { dimension: None, components: Some(20), ..given.clone() }).unwrap();
    assert!((1..=20).contains(&found.dimension) && found.features == 20);
    let found = ask(&given).unwrap();
    let told = Warning::FewerThanFeatures { of: "pairs", found: 60, features: 70 };
    assert!(found.warnings.contains(&told) && all_finite(&numbers(&found)));
}

#[test]
fn a_dimension_out_of_range_is_refused() {
    let tables = tables(60);
    for (dimension, components, most) in [(0, None, SIZE), (SIZE + 1, None, SIZE), (5, Some(4), 4)] {
        let found = ask(&Question { components, ..question(repeats(&tables), Views::Noise, dimension) });
        let Err(DiagnoseError::Dimension { found, most: told, .. }) = found else { panic!("{found:?}") };
        assert_eq!((found, told), (dimension, most));
    }
    // Two features that are one have no third direction, whatever the views or the items.
    let same = tables.each_ref().map(|table| Mat::from_fn(60, 3, |i, j| table[(i, j.min(1))]));
    let theta = Mat::zeros(3, 3);
    let found = ask(&question(repeats(&same), Views::Additive(theta.as_ref()), 3));
    assert!(matches!(found, Err(DiagnoseError::Dimension { found: 3, most: 2, .. })), "{found:?}");
    let (rows, ids) = interleaved(&same);
    let rows = rows.as_ref();
    let batches: Vec<usize> = (0..120).map(|row| row % 20).collect();
    let all = [
        repeats(&same),
        Measurements::Groups { rows, ids: &ids },
        Measurements::Nuisance { rows, batches: &batches },
    ];
    for measurements in all {
        let found = ask(&question(measurements, Views::Noise, 3)).unwrap_err().to_string();
        assert!(found.contains("dimension is 3; it must be from 1 to 2, the rank of the rows"), "{found}");
        let found = ask(&question(measurements, Views::Noise, 1)).unwrap();
        assert_eq!(found.by_dimension.last().map(|at| at.dimension), Some(2));
    }
    // Of 20 pairs a fold trains on 36 rows.
    let mut random = Random(3);
    let wide = Repeated::random(&mut random, 60).measure(&mut random, 20);
    let found = ask(&question(repeats(&wide), Views::Noise, 36));
    assert!(matches!(found, Err(DiagnoseError::Dimension { found: 36, most: 35, .. })), "{found:?}");
    let found = ask(&question(repeats(&wide), Views::Noise, 35)).unwrap();
    assert!(all_finite(&numbers(&found)));
}

#[test]
fn every_dimension_there_is_can_be_asked_for() {
    let tables = tables(60);
    let found = ask(&question(repeats(&tables), Views::Noise, SIZE)).unwrap();
    assert_eq!(found.answer, Answer::Identical);
    assert_eq!(found.by_dimension.last().map(|at| at.dimension), Some(SIZE));
    let one = tables.each_ref().map(|table| Mat::from_fn(60, 1, |i, _| table[(i, 0)]));
    assert_eq!(ask(&question(repeats(&one), Views::Noise, 1)).unwrap().answer, Answer::Identical);
}

#[test]
fn ids_of_one_row_are_left_out_and_counted() {
    let tables = tables(60);
    let (rows, ids) = interleaved(&tables);
    let given = question(Measurements::Groups { rows: rows.as_ref(), ids: &ids }, Views::Noise, 2);
    let given = ask(&given).unwrap();
    let more = Mat::from_fn(123, SIZE, |i, j| if i < 120 { rows[(i, j)] } else { 1e6 });
    let ids: Vec<usize> = (0..123).map(|row| if row < 120 { row / 2 } else { row }).collect();
    let measurements = Measurements::Groups { rows: more.as_ref(), ids: &ids };
    let found = ask(&question(measurements, Views::Noise, 2)).unwrap();
    assert!(found.warnings.contains(&Warning::Singles { rows: 3, of: "ids" }));
    assert_eq!((found.items, found.rows), (60, 120));
    assert!(apart(&given, &found) < 1e-12);
}

#[test]
fn labels_that_are_the_groups_are_told() {
    let (rows, _) = interleaved(&tables(60));
    let ids: Vec<usize> = (0..120).map(|row| row % 20).collect();
    let labels = Some(Labels::Classes { classes: &ids, count: 20 });
    let measurements = Measurements::Groups { rows: rows.as_ref(), ids: &ids };
    let found = ask(&Question { labels, ..question(measurements, Views::Noise, 2) });
    // Rows of such a group have nothing in common here, so that there may be no signal to tell of.
    if let Ok(found) = found {
        assert!(found.warnings.contains(&Warning::LabelsAreGroups), "{:?}", found.warnings);
    }
    let halves: Vec<usize> = ids.iter().map(|id| id % 2).collect();
    let labels = Some(Labels::Classes { classes: &halves, count: 2 });
    let measurements = Measurements::Nuisance { rows: rows.as_ref(), batches: &ids };
    let found = ask(&Question { labels, ..question(measurements, Views::Noise, 2) }).unwrap();
    assert!(found.warnings.contains(&Warning::LabelsAreBatches), "{:?}", found.warnings);
    // Not where batches have labels of both kinds.
    let mixed: Vec<usize> = (0..120).map(|row| usize::from(row < 60)).collect();
    let labels = Some(Labels::Classes { classes: &mixed, count: 2 });
    let found = ask(&Question { labels, ..question(measurements, Views::Noise, 2) }).unwrap();
    assert!(!found.warnings.contains(&Warning::LabelsAreBatches));
}

#[test]
fn labels_that_are_all_the_same_are_told() {
    let tables = tables(60);
    let theta = Mat::from_fn(SIZE, SIZE, |i, j| if i == j { 1.0 + i as f64 } else { 0.0 });
    let given = question(repeats(&tables), Views::Additive(theta.as_ref()), 2);
    let (one, other) = (vec![1; 60], (0..60).map(|row| usize::from(row == 7)).collect::<Vec<_>>());
    let targets =
        [0.3, f64::from(u8::MAX)].map(|odd| Mat::from_fn(60, 1, |i, _| if i == 7 { odd } else { 0.3 }));
    for (labels, told) in [
        (Labels::Classes { classes: &one, count: 2 }, Some(Warning::OneLabel { classes: true })),
        (Labels::Classes { classes: &other, count: 2 }, None),
        (Labels::Targets(targets[0].as_ref()), Some(Warning::OneLabel { classes: false })),
        (Labels::Targets(targets[1].as_ref()), None),
    ] {
        let found = ask(&Question { labels: Some(labels), ..given.clone() }).unwrap();
        let one = found.warnings.iter().find(|warning| matches!(warning, Warning::OneLabel { .. }));
        assert_eq!(one, told.as_ref(), "{labels:?}");
    }
}

#[test]
fn what_there_is_one_of_is_no_plural() {
    for (warning, said) in [
        (Warning::Singles { rows: 1, of: "ids" }, "1 id with a single row was left out"),
        (Warning::Singles { rows: 2, of: "batches" }, "2 batches with a single row were left out"),
        (Warning::Constant { features: 1, first: 3 }, "1 feature is constant, column 3"),
        (Warning::FewNoisy { items: 1, share: 0.3 }, "1 item has 30 % of all noise: the answer is about it;"),
        (
            Warning::FewNoisy { items: 2, share: 0.3 },
            "2 items have 30 % of all noise: the answer is about them;",
        ),
    ] {
        assert!(warning.to_string().starts_with(said), "{warning}");
    }
}

#[test]
fn few_pairs_and_few_batches_get_no_interval() {
    let tables = tables(49);
    let theta = Mat::from_fn(SIZE, SIZE, |i, j| if i == j { 1.0 + i as f64 } else { 0.0 });
    let views = Views::Additive(theta.as_ref());
    let found = ask(&question(repeats(&tables), views, 2)).unwrap();
    assert_eq!((found.answer, found.decided_by), (Answer::NotEnoughData, DecidedBy::Count));
    assert!(found.kept.difference.half.is_none() && found.leakage.each[0].half.is_none());
    assert_eq!(found.changes, [Change::Interval { items: 50 }]);
    let (rows, _) = interleaved(&tables);
    for (count, enough) in [(15, false), (16, true)] {
        let batches: Vec<usize> = (0..98).map(|row| row % count).collect();
        let measurements = Measurements::Nuisance { rows: rows.as_ref(), batches: &batches };
        let found = ask(&question(measurements, views, 2)).unwrap();
        assert_eq!(found.kept.difference.half.is_some(), enough);
        let told = Warning::FewItems { of: "batches", found: 15, least: 16 };
        assert_eq!(found.warnings.contains(&told), !enough);
    }
}

#[test]
fn three_items_are_enough_for_numbers() {
    let tables = tables(3);
    let found = ask(&question(repeats(&tables), Views::Noise, 1));
    match found {
        Ok(found) => assert!(all_finite(&numbers(&found))),
        // Chance may leave no signal of three.
        Err(error) => assert!(matches!(error, DiagnoseError::NoSignal { .. }), "{error}"),
    }
}

#[test]
fn nuisance_groups_need_a_dimension() {
    let (rows, ids) = interleaved(&tables(60));
    let measurements = Measurements::Nuisance { rows: rows.as_ref(), batches: &ids };
    let found = ask(&Question { dimension: None, ..question(measurements, Views::Noise, 1) });
    assert!(matches!(found, Err(DiagnoseError::DimensionNeeded(Needs::Nuisance))), "{found:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let tables = tables(60);
    let given = question(repeats(&tables), Views::Noise, 2);
    let refused = |question: Question<'_>, what: &str| {
        let found = ask(&question).unwrap_err().to_string();
        assert!(found.contains(what), "{found} has not {what}");
    };
    refused(Question { alignment: Some(-1.0), ..given.clone() }, "alignment -1");
    refused(Question { alignments: &[f64::NAN], ..given.clone() }, "alignment NaN");
    refused(Question { components: Some(0), ..given.clone() }, "components is 0");
    let classes = vec![0; 59];
    let labels = Some(Labels::Classes { classes: &classes, count: 1 });
    refused(Question { labels, ..given.clone() }, "labels: 59 where 60 are needed");
    let classes = vec![2; 60];
    let labels = Some(Labels::Classes { classes: &classes, count: 2 });
    refused(Question { labels, ..given.clone() }, "classes: 3 where 2 are needed");
    let theta = Mat::<f64>::identity(3, 3);
    refused(Question { views: Views::Additive(theta.as_ref()), ..given.clone() }, "covariance: 3 where 8");
    let short = tables[1].as_ref().subrows(0, 50);
    let measurements = Measurements::Repeats([tables[0].as_ref(), short]);
    refused(Question { measurements, ..given }, "rows of the repeats: 50 where 60 are needed");
}

#[test]
fn views_without_variance_and_without_noise_are_answered_somehow() {
    let tables = tables(60);
    let theta = Mat::zeros(SIZE, SIZE);
    let found = ask(&question(repeats(&tables), Views::Additive(theta.as_ref()), 2)).unwrap();
    assert!(all_finite(&numbers(&found)));
}

#[test]
fn components_beyond_the_rank_of_the_rows_are_refused() {
    let problem = Repeated::random(&mut Random(3), 8);
    let tables = problem.measure(&mut Random(4), 300).map(|table| {
        // Each feature twice.
        Mat::from_fn(300, 16, |i, j| table[(i, j / 2)])
    });
    let given = Question { components: Some(12), ..Question::new(repeats(&tables), Views::Noise) };
    let found = ask(&given);
    assert!(matches!(found, Err(DiagnoseError::Components { found: 12, most: 8, .. })), "{found:?}");
    assert!(ask(&Question { components: Some(8), ..given }).is_ok());
}

#[test]
fn views_that_leave_rows_as_they_are_tell_no_direction_from_another() {
    let problem = Repeated::random(&mut Random(3), 8);
    let tables = problem.measure(&mut Random(4), 300);
    let theta = Mat::zeros(8, 8);
    let views = Views::Additive(theta.as_ref());
    let given = Question { alignments: &[], dimension: Some(3), ..Question::new(repeats(&tables), views) };
    let tied = |given: &Question<'_>| {
        let found = ask(given).unwrap();
        let tied = |warning: &&Warning| matches!(warning, Warning::Tied { dimension: 3, .. });
        found.warnings.iter().filter(tied).map(ToString::to_string).collect::<Vec<_>>()
    };
    let told = tied(&given);
    assert!(
        told.len() == 1 && told[0].contains("directions 3 and 4 of joint-embedding are tied"),
        "{told:?}"
    );
    assert!(tied(&Question { alignment: Some(1.0), ..given }).is_empty());
}
