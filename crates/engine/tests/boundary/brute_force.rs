//! Twelve problems whose critical alignments are known by brute force: NumPy, samples drawn one by
//! one, every replicate bisected by itself (`benches/peers/boundary_cases.py`).

use eigensweep_store::boundary::{ALPHA, HIGH, LOW, REPLICATES, SOLVES, quantile};
use eigensweep_store::columns::Status;
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::cells::{rows, traced};

#[derive(Deserialize)]
struct Case {
    paradigm: String,
    samples: u64,
    signal: Vec<f64>,
    theta_signal: Vec<f64>,
    gamma: Vec<f64>,
    theta_noise: Vec<f64>,
    fixed: bool,
    dimension: usize,
    tolerance: f64,
    verdict: String,
    quantiles: BTreeMap<String, Found>,
}

/// A quantile of the replicates' critical log α, with its standard error.
#[derive(Deserialize)]
struct Found {
    log_alpha: f64,
    error: f64,
}

/// Replicates behind the file.
const REPLICATES_THERE: f64 = 4000.0;

const PRECISION: f64 = 0.02;

fn text(case: &Case) -> String {
    let Case { paradigm, samples, signal, gamma, dimension, tolerance, .. } = case;
    let signal_is = if case.fixed { "fixed" } else { "random" };
    let theta = [&case.theta_signal[..], &case.theta_noise].concat();
    format!(
        "[data]\ncomponents = {}\nspectrum = {signal:?}\nteacher = \"linear\"\nsignal = {signal_is:?}\n\
         [corruption]\ncomponents = {}\nspectrum = {gamma:?}\n[augmentation]\nspectrum = {theta:?}\n\
         [model]\nparadigms = [{paradigm:?}]\ndimension = {dimension}\n[grid]\nsamples = {samples}\n\
         [boundary]\nprecision = {PRECISION}\ntolerance = {tolerance}\n",
        signal.len(),
        gamma.len(),
    )
}

#[test]
fn boundaries_are_those_of_brute_force_at_a_fraction_of_a_grid() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("brute_force.json")).unwrap();
    assert_eq!(cases.len(), 12);
    let mut saved = Vec::new();
    for case in &cases {
        let text = text(case);
        let found = rows(traced(&text, &[]));
        let [row] = &found[..] else { panic!("one cell: {text}") };
        let status = if case.verdict == "traced" { Status::Ok } else { Status::Always };
        assert_eq!(row.row.status, status, "{text}");
        let replicates = row[&REPLICATES];
        saved.push(replicates * (1000.0_f64.ln() / PRECISION).ceil() / row[&SOLVES]);
        for (q, expected) in &case.quantiles {
            // Ends are rounded outwards, by a tenth of the precision.
            let (here, error) = match q.as_str() {
                "0.5" => (row[&ALPHA], (row[&HIGH] / row[&LOW]).ln() / 2.0 / 1.96),
                q => {
                    let drawn = expected.error * (REPLICATES_THERE / replicates).sqrt();
                    (row[quantile(q.parse().unwrap())], drawn.hypot(PRECISION / 12.0_f64.sqrt()))
                }
            };
            let apart = (here.ln() - expected.log_alpha) / error.hypot(expected.error);
            println!("{} n = {}: {q} {apart:+.2}", case.paradigm, case.samples);
            assert!(apart.abs() < 4.0, "{q}: {apart} standard errors from {}\n{text}", expected.log_alpha);
        }
    }
    saved.sort_by(f64::total_cmp);
    println!("times fewer solves than a uniform grid: {saved:.0?}");
    assert!(saved[0] > 30.0 && saved[6] > 60.0, "{saved:?}");
}
