//! Questions whose answers are known.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
#![allow(clippy::float_cmp, reason = "the same bits are the same numbers")]

mod common;

use common::{ask, question, repeats};
use eigensweep_diagnose::{
    Answer, Change, DecidedBy, DimensionFrom, Finding, Labels, Limit, Measurements, Question, Views, Warning,
};
use eigensweep_testkit::random::Random;
use faer::Mat;

/// Powers of directions: of the signal, of the noise, and of views.
struct Spectra<'s> {
    signal: &'s [f64],
    noise: &'s [f64],
    theta: &'s [f64],
}

/// A feature a direction.
impl Spectra<'_> {
    fn size(&self) -> usize {
        self.signal.len()
    }

    fn theta(&self) -> Mat<f64> {
        Mat::from_fn(self.size(), self.size(), |i, j| if i == j { self.theta[i] } else { 0.0 })
    }

    /// Clean things (m × d) and some measurements of each.
    fn measure<const TIMES: usize>(&self, pairs: usize, seed: u64) -> (Mat<f64>, [Mat<f64>; TIMES]) {
        let mut random = Random(seed);
        let scaled = |random: &mut Random, powers: &[f64]| {
            let normals = random.normals(pairs, self.size());
            Mat::from_fn(pairs, self.size(), |i, j| normals[(i, j)] * powers[j].sqrt())
        };
        let clean = scaled(&mut random, self.signal);
        let tables = [(); TIMES].map(|()| &clean + scaled(&mut random, self.noise));
        (clean, tables)
    }
}

/// Three directions of signal, three of noise, two of nearly nothing.
const LOUD: Spectra<'static> = Spectra {
    signal: &[10.0, 9.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    noise: &[0.01, 0.01, 0.01, 100.0, 90.0, 80.0, 0.1, 0.1],
    theta: &[1.0; 8],
};

const QUIET: Spectra<'static> = Spectra {
    signal: &[10.0, 9.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    noise: &[0.01, 0.01, 0.01, 1.0, 0.9, 0.8, 0.1, 0.1],
    theta: &[20.0, 20.0, 20.0, 0.01, 0.01, 0.01, 1.0, 1.0],
};

/// One direction that is loud and noisy, one that is quiet and pure.
const EITHER: Spectra<'static> =
    Spectra { signal: &[10.0, 2.0, 0.0, 0.0], noise: &[8.0, 0.01, 0.1, 0.1], theta: &[1.0, 0.1, 1.0, 1.0] };

/// Loud noise, views that repeat it: ω of signal is 10/11, of noise 1/2; φ² of signal 9, of noise 50.
#[test]
fn loud_noise_that_views_repeat_asks_for_joint_embedding() {
    let (_, tables) = LOUD.measure(300, 1);
    let theta = LOUD.theta();
    let given = question(repeats(&tables), Views::Additive(theta.as_ref()), 3);
    let found = ask(&Question { alignment: Some(1.0), ..given }).unwrap();
    assert_eq!((found.answer, found.decided_by), (Answer::JointEmbedding, DecidedBy::Kept));
    assert!(found.kept.each[0].value > 0.95 && found.kept.each[1].value < 0.1, "{:?}", found.kept);
    assert!(found.leakage.each[0].value < 0.05 && found.leakage.each[1].value > 0.9);
    // How much signal there is, noise of ten times its power hides; not which paradigm keeps it.
    assert!(matches!(found.warnings[..], [Warning::UncertainScale { .. }]), "{:?}", found.warnings);
}

/// Weak noise that views leave alone: ω of signal is 1/3, of noise 0.99; φ² of signal 3, of noise 1.
#[test]
fn weak_noise_that_views_ignore_asks_for_reconstruction() {
    let (_, tables) = QUIET.measure(300, 2);
    let theta = QUIET.theta();
    let given = Question {
        alignments: &[0.0, 1.0, 10.0],
        ..question(repeats(&tables), Views::Additive(theta.as_ref()), 3)
    };
    let found = ask(&given).unwrap();
    assert_eq!((found.answer, found.decided_by), (Answer::Reconstruction, DecidedBy::Kept));
    assert!(found.kept.each[1].value > 0.9 && found.kept.each[0].value < 0.1, "{:?}", found.kept);
    // The model tells the same: reconstruction recovers at every alignment, joint-embedding above
    // its threshold α² = θ_s/κ² − θ_n/λ = 2.5.
    let limits = found.model.unwrap().limits;
    assert_eq!(limits[1], Limit::Always);
    let Limit::From(threshold) = limits[0] else { panic!("{limits:?}") };
    assert!((threshold - 2.5_f64.sqrt()).abs() < 0.25, "{threshold}");
}

#[test]
fn the_dimension_is_that_of_the_signal() {
    let (_, tables) = LOUD.measure(300, 3);
    let found = ask(&Question { alignments: &[], ..Question::new(repeats(&tables), Views::Noise) }).unwrap();
    assert_eq!(found.dimension, 3);
    let DimensionFrom::Permutation { values, bound } = found.dimension_from else { panic!() };
    assert!(values[2] > 0.9 && values[3] < bound && bound < 0.5, "{values:?} {bound}");
    assert_eq!(found.by_dimension.iter().map(|at| at.dimension).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    // Groups of three measurements of each: the same three.
    let (_, more) = LOUD.measure::<3>(200, 4);
    let rows = Mat::from_fn(600, 8, |i, j| more[i % 3][(i / 3, j)]);
    let ids: Vec<usize> = (0..600).map(|row| row / 3).collect();
    let measurements = Measurements::Groups { rows: rows.as_ref(), ids: &ids };
    let found = ask(&Question { alignments: &[], ..Question::new(measurements, Views::Noise) }).unwrap();
    assert_eq!(found.dimension, 3);
}

#[test]
fn where_white_views_hide_nothing_tuning_the_alignment_matters_more_than_the_paradigm() {
    let spectra = Spectra { noise: &[0.01, 0.01, 0.01, 40.0, 35.0, 30.0, 0.1, 0.1], ..LOUD };
    let (_, tables) = spectra.measure(1000, 5);
    let theta = spectra.theta();
    let views = Views::Additive(theta.as_ref());
    let found = ask(&Question { dimension: Some(3), ..Question::new(repeats(&tables), views) }).unwrap();
    assert_eq!(found.answer, Answer::Identical);
    let best = found.best.unwrap();
    let [Finding::TuneAlignment { gain, between }] = found.findings[..] else { panic!("{best:?}") };
    assert!(gain > 0.8 && between < 0.02, "{gain} {between}");
    for best in best {
        assert!(best.kept.high().unwrap() > 0.95, "{best:?}");
        assert!(best.range[0] <= best.alignment && best.alignment <= best.range[1]);
        assert!(best.gain.low().unwrap() > 0.6, "{best:?}");
    }
    // Joint-embedding needs less of it: α² = 0.1 of noise against 3 of reconstruction.
    assert!(best[0].range[0] < best[1].range[0], "{best:?}");
    let answers = found.changes.iter().filter_map(|change| match change {
        Change::Alignment { answer, .. } => Some(*answer),
        Change::Dimension { .. } | Change::Items { .. } | Change::Interval { .. } => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), [Answer::JointEmbedding]);
}

#[test]
fn the_purer_against_the_richer_depends_and_labels_decide() {
    let (clean, tables) = EITHER.measure(400, 6);
    let theta = EITHER.theta();
    let given =
        Question { alignment: Some(1.0), ..question(repeats(&tables), Views::Additive(theta.as_ref()), 1) };
    let found = ask(&given).unwrap();
    assert_eq!(found.answer, Answer::ItDepends, "{:?} {:?}", found.kept, found.leakage);
    for (direction, answer) in [(1, Answer::JointEmbedding), (0, Answer::Reconstruction)] {
        let classes: Vec<usize> = (0..400).map(|i| usize::from(clean[(i, direction)] > 0.0)).collect();
        let labels = Some(Labels::Classes { classes: &classes, count: 2 });
        let found = ask(&Question { labels, ..given.clone() }).unwrap();
        assert_eq!((found.answer, found.decided_by), (answer, DecidedBy::Labels));
        let accuracy = found.probe.unwrap().accuracy.unwrap().each.map(|estimate| estimate.value);
        let better = usize::from(answer == Answer::Reconstruction);
        assert!(accuracy[better] > 0.7 && accuracy[1 - better] < 0.6, "{accuracy:?}");
        // Real targets say the same.
        let targets = Mat::from_fn(400, 1, |i, _| clean[(i, direction)]);
        let labels = Some(Labels::Targets(targets.as_ref()));
        let found = ask(&Question { labels, ..given.clone() }).unwrap();
        assert_eq!((found.answer, found.decided_by), (answer, DecidedBy::Labels));
        assert!(found.probe.unwrap().accuracy.is_none());
    }
}

/// Joint-embedding leaves the noise out; a label that rests on it needs reconstruction.
#[test]
fn labels_that_contradict_the_answer_are_told() {
    let (clean, tables) = LOUD.measure(300, 1);
    let theta = LOUD.theta();
    let given =
        Question { alignment: Some(1.0), ..question(repeats(&tables), Views::Additive(theta.as_ref()), 3) };
    let of_noise = |i: usize| tables[0][(i, 3)] + tables[1][(i, 3)];
    let of_signal = |i: usize| clean[(i, 0)];
    let label: [&dyn Fn(usize) -> f64; 2] = [&of_noise, &of_signal];
    let told = label.map(|label| {
        let classes: Vec<usize> = (0..300).map(|i| usize::from(label(i) > 0.0)).collect();
        let labels = Some(Labels::Classes { classes: &classes, count: 2 });
        let found = ask(&Question { labels, ..given.clone() }).unwrap();
        assert_eq!((found.answer, found.decided_by), (Answer::JointEmbedding, DecidedBy::Kept));
        found.findings.iter().any(|finding| match finding {
            Finding::Labels { better, less } => {
                assert_eq!(*better, Answer::Reconstruction);
                less.low().unwrap() > 0.0
            }
            Finding::TuneAlignment { .. } => false,
        })
    });
    assert_eq!(told, [true, false]);
}

/// Batches are loud in three directions; within them all else is signal.
#[test]
fn batches_are_noise_between_them() {
    let (_, tables) = LOUD.measure::<1>(40, 7);
    let mut random = Random(8);
    let mut rows = Mat::zeros(800, 8);
    for row in 0..800 {
        for j in 0..8 {
            let own = if j < 3 { (10.0 - j as f64).sqrt() } else { 0.3 };
            let batch = if j < 3 { 0.0 } else { tables[0][(row % 40, j)] };
            rows[(row, j)] = batch + own * random.normal();
        }
    }
    let batches: Vec<usize> = (0..800).map(|row| row % 40).collect();
    let theta = LOUD.theta();
    let measurements = Measurements::Nuisance { rows: rows.as_ref(), batches: &batches };
    let given = question(measurements, Views::Additive(theta.as_ref()), 3);
    let found = ask(&Question { alignment: Some(1.0), ..given }).unwrap();
    assert_eq!((found.answer, found.items, found.rows), (Answer::JointEmbedding, 40, 800));
    assert!(found.leakage.each[0].value < 0.1 && found.leakage.each[1].value > 0.9, "{:?}", found.leakage);
}

#[test]
fn what_looks_violated_is_told() {
    let (clean, tables) = QUIET.measure(300, 9);
    let told = |tables: &[Mat<f64>; 2]| {
        let found = ask(&question(repeats(tables), Views::Noise, 3)).unwrap();
        found.warnings
    };
    let changed = |change: &dyn Fn(usize, usize, f64, usize) -> f64| {
        let table = |of: usize| {
            Mat::from_fn(300, 8, |i, j| clean[(i, j)] + change(i, j, tables[of][(i, j)] - clean[(i, j)], of))
        };
        [table(0), table(1)]
    };
    assert!(told(&tables).is_empty());
    let level = |i: usize| (0..8).map(|j| clean[(i, j)] * clean[(i, j)]).sum::<f64>() / 27.0;
    let grown = changed(&|i, _, noise, _| noise * level(i));
    assert!(
        told(&grown)
            .iter()
            .any(|told| matches!(told, Warning::Heteroscedastic { correlation } if *correlation > 0.3))
    );
    let few = changed(&|i, _, noise, _| if i % 150 == 0 { 15.0 * noise } else { noise });
    assert!(told(&few).iter().any(|told| matches!(told, Warning::FewNoisy { items: 3, .. })));
    let shifted = changed(&|_, j, noise, of| noise + f64::from(u8::from(of == 1 && j == 4)) * 3.0);
    assert!(told(&shifted).iter().any(|told| matches!(told, Warning::Shifted { .. })));
    let tailed = changed(&|_, _, noise, _| noise * noise * noise);
    assert!(told(&tailed).iter().any(|told| matches!(told, Warning::HeavyTails { .. })));
    // The second measurement is the first one turned around in a direction.
    let opposed = [
        tables[0].clone(),
        Mat::from_fn(300, 8, |i, j| if j == 6 { -3.0 * tables[0][(i, 6)] } else { tables[1][(i, j)] }),
    ];
    assert!(
        told(&opposed).iter().any(|told| matches!(told, Warning::Indefinite { .. })),
        "{:?}",
        told(&opposed)
    );
}

#[test]
fn rows_that_have_nothing_in_common_have_no_signal() {
    let mut random = Random(10);
    // A little in common, so that its power is above zero: chance alone may leave it below.
    let common = random.normals(100, 6);
    let tables = [(); 2].map(|()| {
        let own = random.normals(100, 6);
        Mat::from_fn(100, 6, |i, j| own[(i, j)] + 0.1 * common[(i, j)])
    });
    let found = ask(&Question { alignments: &[], ..Question::new(repeats(&tables), Views::Noise) });
    match found {
        Ok(found) => assert!(found.warnings.contains(&Warning::NoSignal), "{found:?}"),
        Err(error) => assert!(error.to_string().contains("no variance in common"), "{error}"),
    }
}
