//! What the tests of this crate share.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use eigensweep_diagnose::{DiagnoseError, Diagnosis, Limit, Measurements, Question, Run, Views, diagnose};
use faer::Mat;

/// Repeats of these tables.
pub(crate) fn repeats(tables: &[Mat<f64>; 2]) -> Measurements<'_> {
    Measurements::Repeats(tables.each_ref().map(Mat::as_ref))
}

/// A question of so many dimensions, at the alignment as given alone.
pub(crate) fn question<'a>(
    measurements: Measurements<'a>,
    views: Views<'a>,
    dimension: usize,
) -> Question<'a> {
    Question { dimension: Some(dimension), alignments: &[], ..Question::new(measurements, views) }
}

/// The answer on one thread.
pub(crate) fn ask(question: &Question<'_>) -> Result<Diagnosis, DiagnoseError> {
    diagnose(question, &Run::on(1))
}

/// Rows of two tables in turn, and the number of each pair.
#[allow(dead_code, reason = "not by every test")]
pub(crate) fn interleaved(tables: &[Mat<f64>; 2]) -> (Mat<f64>, Vec<usize>) {
    let (pairs, size) = (tables[0].nrows(), tables[0].ncols());
    let rows = Mat::from_fn(2 * pairs, size, |i, j| tables[i % 2][(i / 2, j)]);
    (rows, (0..2 * pairs).map(|row| row / 2).collect())
}

/// All numbers of an answer, whose bits tell whether two are the same.
#[allow(dead_code, reason = "not by every test")]
pub(crate) fn numbers(found: &Diagnosis) -> Vec<f64> {
    let mut numbers = Vec::new();
    let compared = [found.kept, found.leakage];
    let strip = found.by_dimension.iter().flat_map(|at| [at.kept, at.leakage]);
    let curves = found.by_alignment.iter().flat_map(|at| [at.kept, at.leakage]);
    for compared in compared.into_iter().chain(strip).chain(curves) {
        for estimate in compared.each.into_iter().chain([compared.difference]) {
            numbers.extend([estimate.value, estimate.half.unwrap_or(-1.0)]);
        }
    }
    if let Some(probe) = found.probe {
        numbers.extend(probe.loss.each.map(|loss| loss.value));
    }
    for curve in &found.by_alignment {
        numbers.extend(curve.plug_in_kept.into_iter().chain(curve.plug_in_leakage));
    }
    if let Some(model) = &found.model {
        numbers.extend([&model.signal, &model.noise, &model.views].into_iter().flatten());
        numbers.push(model.least_leakage);
        numbers.extend(model.limits.map(|limit| match limit {
            Limit::Always => -1.0,
            Limit::From(alignment) => alignment,
            Limit::Never => f64::MAX,
        }));
    }
    numbers
}

/// How far the numbers of two answers are apart.
#[allow(dead_code, reason = "not by every test")]
pub(crate) fn apart(one: &Diagnosis, other: &Diagnosis) -> f64 {
    let (one, other) = (numbers(one), numbers(other));
    assert_eq!(one.len(), other.len());
    one.iter().zip(&other).fold(0.0, |most, (x, y)| (x - y).abs().max(most))
}
