//! What must not matter.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
#![allow(clippy::float_cmp, reason = "the same bits are the same numbers")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::{apart, ask, interleaved, numbers, question, repeats};
use eigensweep_diagnose::{
    Answer, AtAnyAlignment, DecidedBy, DiagnoseError, Fault, Labels, Measurements, Question, Run, Training,
    ViewMoments, Views, ViewsOfRows, diagnose,
};
use eigensweep_testkit::random::Random;
use eigensweep_testkit::repeats::Repeated;
use faer::{Mat, Scale};

fn problem(pairs: usize) -> (Repeated, [Mat<f64>; 2]) {
    let mut random = Random(11);
    let problem = Repeated::random(&mut random, 12);
    let tables = problem.measure(&mut random, pairs);
    (problem, tables)
}

#[test]
fn an_answer_is_the_same_bits_on_any_number_of_threads() {
    let (problem, tables) = problem(80);
    let classes: Vec<usize> = (0..80).map(|i| usize::from(tables[0][(i, 0)] > 0.0)).collect();
    let question = Question {
        labels: Some(Labels::Classes { classes: &classes, count: 2 }),
        components: Some(8),
        standardize: true,
        ..Question::new(repeats(&tables), Views::Additive(problem.theta.as_ref()))
    };
    let bits = |threads: usize| -> Vec<u64> {
        numbers(&diagnose(&question, &Run::on(threads)).unwrap()).iter().map(|x| x.to_bits()).collect()
    };
    let one = bits(1);
    assert!(one.len() > 100);
    assert_eq!(one, bits(3));
}

#[test]
fn ids_are_names_and_the_order_of_a_pair_says_nothing() {
    let (_, tables) = problem(60);
    let of = |tables: &[Mat<f64>; 2]| ask(&question(repeats(tables), Views::Noise, 3)).unwrap();
    let given = of(&tables);
    let [first, second] = tables.clone();
    assert!(apart(&given, &of(&[second, first])) < 1e-9);
    let (rows, ids) = interleaved(&tables);
    let named = |name: &dyn Fn(usize) -> usize| {
        let ids: Vec<usize> = ids.iter().map(|&id| name(id)).collect();
        let measurements = Measurements::Groups { rows: rows.as_ref(), ids: &ids };
        ask(&question(measurements, Views::Noise, 3)).unwrap()
    };
    let grouped = named(&|id| id);
    assert!(apart(&given, &grouped) < 1e-9);
    let renamed = named(&|id| 1_000_000 - 3 * id);
    let bits = |of: &_| -> Vec<u64> { numbers(of).iter().map(|x| x.to_bits()).collect() };
    assert_eq!(bits(&grouped), bits(&renamed));
}

#[test]
fn units_and_the_order_of_features_do_not_matter() {
    let (problem, tables) = problem(60);
    let given = question(repeats(&tables), Views::Additive(problem.theta.as_ref()), 3);
    let given = ask(&given).unwrap();
    // Backwards, from another zero, in another unit.
    let turned = tables.each_ref().map(|table| Mat::from_fn(60, 12, |i, j| 1e3 * (table[(i, 11 - j)] + 5.0)));
    let theta = Mat::from_fn(12, 12, |i, j| 1e6 * problem.theta[(11 - i, 11 - j)]);
    let found = ask(&question(repeats(&turned), Views::Additive(theta.as_ref()), 3)).unwrap();
    assert!(apart(&given, &found) < 1e-7, "{}", apart(&given, &found));
}

#[test]
fn as_many_components_as_features_change_nothing_and_scales_do_not_matter_once_standardized() {
    let (_, tables) = problem(60);
    let given = question(repeats(&tables), Views::Noise, 3);
    let plain = ask(&given).unwrap();
    let components = ask(&Question { components: Some(12), ..given.clone() }).unwrap();
    assert!(apart(&plain, &components) < 1e-8, "{}", apart(&plain, &components));
    let scaled =
        tables.each_ref().map(|table| Mat::from_fn(60, 12, |i, j| table[(i, j)] * 4_f64.powf(j as f64)));
    let standard =
        |tables| ask(&Question { standardize: true, ..question(repeats(tables), Views::Noise, 3) });
    let found = apart(&standard(&tables).unwrap(), &standard(&scaled).unwrap());
    assert!(found < 1e-7, "{found}");
}

/// Additive views as a caller would compute them.
struct Own {
    theta: Mat<f64>,
}

impl ViewsOfRows for Own {
    fn of<'a>(&'a self, training: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault> {
        assert!(training.rows.is_sorted() && training.held_out.is_sorted());
        let inputs = training.inputs.to_owned();
        Ok(Box::new(move |alpha| {
            let views = &inputs + &self.theta + Scale(alpha * alpha) * training.noise;
            Ok(ViewMoments { mean_views: inputs.clone(), views, cross: inputs.clone(), rounding: 0.0 })
        }))
    }
}

#[test]
fn views_of_the_callers_own_are_views() {
    let (problem, tables) = problem(60);
    let own = Own { theta: problem.theta.clone() };
    let of = |views| {
        let question = Question {
            alignments: &[0.0, 1.0, 10.0],
            components: Some(9),
            ..question(repeats(&tables), views, 3)
        };
        ask(&question).unwrap()
    };
    let (additive, own) = (of(Views::Additive(problem.theta.as_ref())), of(Views::OfRows(&own)));
    assert!(apart(&additive, &own) < 1e-8, "{}", apart(&additive, &own));
    assert_eq!(additive.answer, own.answer);
}

#[test]
fn what_is_asked_for_beside_it_changes_no_bit_of_the_answer() {
    let (problem, tables) = problem(60);
    let given = question(repeats(&tables), Views::Additive(problem.theta.as_ref()), 3);
    let alone = ask(&given).unwrap();
    let curves = ask(&Question { alignments: &[0.0, 0.3, 3.0], ..given }).unwrap();
    assert_eq!(curves.by_alignment.len(), 3);
    for (one, other) in [(alone.kept, curves.kept), (alone.leakage, curves.leakage)] {
        assert_eq!(one.difference.value.to_bits(), other.difference.value.to_bits());
    }
}

#[test]
fn a_run_tells_of_its_progress_and_stops_when_asked() {
    let (_, tables) = problem(60);
    let given = question(repeats(&tables), Views::Noise, 3);
    let (stop, heard) = (AtomicBool::new(false), AtomicUsize::new(0));
    let progress = |done: usize, of: usize| {
        assert!(done <= of && of == 31);
        heard.fetch_max(done, Ordering::Relaxed);
        stop.store(done == 7, Ordering::Relaxed);
    };
    let run = Run { threads: 1, stop: &stop, progress: &progress };
    assert!(matches!(diagnose(&given, &run), Err(DiagnoseError::Stopped)));
    assert!(heard.load(Ordering::Relaxed) < 10);
}

#[test]
fn white_views_make_the_paradigms_identical() {
    let (_, tables) = problem(60);
    let theta = Mat::<f64>::identity(12, 12);
    let found = ask(&question(repeats(&tables), Views::Additive(theta.as_ref()), 3)).unwrap();
    assert_eq!(found.answer, Answer::Identical);
    assert!(found.kept.difference.value.abs() < 1e-9);
}

#[test]
fn the_curve_and_the_strip_say_identical_where_the_answer_would() {
    let (_, tables) = problem(60);
    let theta = Mat::<f64>::identity(12, 12);
    let given = question(repeats(&tables), Views::Additive(theta.as_ref()), 3);
    let found = ask(&Question { alignments: &[0.0, 1.0], ..given.clone() }).unwrap();
    assert!(found.by_dimension.len() > 4);
    assert!(found.by_dimension.iter().all(|at| at.answer == Answer::Identical));
    assert_eq!(found.by_alignment[0].answer, Answer::Identical);
    // Noise has a shape: with it in the views nothing is the same any more.
    assert_ne!(found.by_alignment[1].answer, Answer::Identical);
    let other = ask(&Question { alignments: &[0.0, 1.0], alignment: Some(1.0), ..given }).unwrap();
    assert_ne!(other.answer, Answer::Identical);
    assert_eq!(other.by_alignment[0].answer, Answer::Identical);
}

#[test]
fn too_few_items_for_a_dimension_are_too_few_in_the_strip_too() {
    let mut random = Random(2);
    let problem = Repeated::random(&mut random, 31);
    let tables = problem.measure(&mut random, 53);
    let of = |dimension| {
        ask(&question(repeats(&tables), Views::Additive(problem.theta.as_ref()), dimension)).unwrap()
    };
    // Twice k pairs are needed: 52 of k = 26, 54 of k = 27.
    let found = of(25);
    for at in &found.by_dimension {
        let alone = of(at.dimension);
        assert_eq!(at.kept.difference.half.is_none(), at.dimension > 26, "{}", at.dimension);
        assert_eq!(alone.kept.difference.half.is_none(), at.dimension > 26, "{}", at.dimension);
        if at.dimension > 26 {
            assert_eq!((at.answer, alone.answer), (Answer::NotEnoughData, Answer::NotEnoughData));
            assert_eq!(alone.decided_by, DecidedBy::Count);
        }
    }
    assert_eq!(found.by_dimension.last().map(|at| at.dimension), Some(29));
}

/// Additive views that ask for the end once they see all rows.
struct Last<'s> {
    own: Own,
    stop: &'s AtomicBool,
    asked: &'s AtomicUsize,
}

impl ViewsOfRows for Last<'_> {
    fn of<'a>(&'a self, training: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault> {
        if training.held_out.is_empty() {
            self.stop.store(true, Ordering::Relaxed);
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        self.own.of(training)
    }
}

#[test]
fn the_explanation_stops_when_asked() {
    let (problem, tables) = problem(60);
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let views = Last { own: Own { theta: problem.theta }, stop: &stop, asked: &asked };
    let given = Question {
        alignments: &[0.0, 1.0, 3.0, 10.0],
        ..question(repeats(&tables), Views::OfRows(&views), 3)
    };
    for threads in [1, 3] {
        stop.store(false, Ordering::Relaxed);
        let run = Run { threads, stop: &stop, progress: &|_, _| {} };
        assert!(matches!(diagnose(&given, &run), Err(DiagnoseError::Stopped)));
        assert!(asked.swap(0, Ordering::Relaxed) <= threads);
    }
}

/// Views whose caller finds that the run is to stop.
struct Stopped;

impl ViewsOfRows for Stopped {
    fn of<'a>(&'a self, _: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault> {
        Err(DiagnoseError::Stopped.into())
    }
}

#[test]
fn a_stop_that_views_find_is_a_stop() {
    let (_, tables) = problem(60);
    let found = ask(&question(repeats(&tables), Views::OfRows(&Stopped), 3));
    assert!(matches!(found, Err(DiagnoseError::Stopped)));
}
