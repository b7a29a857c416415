//! What holds of every chain: spectra never grow, and joint-embedding forgets strengths.

use eigensweep_theory::Paradigm;
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::views::stages::{Domain, Scratch, State, Tier, Views};
use faer::Mat;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value as Json, json};

use crate::table::{Data, SHAPE, build, present};

/// Samples enough for a definite S.
fn data() -> Data {
    Data::counts(SHAPE.size(), 60)
}

/// The spectrum and the basis of a paradigm; `None` where S is singular.
fn solve(state: &State, paradigm: &Paradigm) -> Option<(Vec<f64>, Mat<f64>)> {
    let size = state.views.nrows();
    let cross = state.cross.transpose().to_owned();
    let moments = Moments {
        mean_views: state.mean_views.as_ref(),
        views: state.views.as_ref(),
        cross: cross.as_ref(),
        view_labels: state.view_labels.as_ref(),
        inputs: state.mean_views.as_ref(),
        input_labels: state.view_labels.as_ref(),
        label_power: 1.0,
    };
    let mut forms = ClosedForms::new(size, state.view_labels.ncols());
    let mut problem = forms.problem(moments);
    let encoder = problem.solve(paradigm).ok()?.encoder()?;
    Some((encoder.spectrum.values.to_vec(), encoder.basis.to_owned()))
}

fn pushed(stages: &Json, state: &State) -> State {
    let mut state = state.clone();
    Views::new(build(stages, SHAPE).unwrap()).push(&mut state, &mut Scratch::default());
    state
}

fn centred(state: &State) -> State {
    let mut state = state.clone();
    state.centre(0);
    state
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300, rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Theorem 2, with an intercept: in coordinates (1, v) an offset is linear.
    #[test]
    fn no_value_of_a_spectrum_grows_along_a_chain(chain in prop::collection::vec(0_usize..1000, 1..5)) {
        let kinds = present();
        let stages: Vec<Json> = chain.iter().map(|at| kinds[at % kinds.len()].clone()).collect();
        let whole = Views::new(build(&json!(stages), SHAPE).unwrap());
        prop_assume!(whole.tier() == Tier::Moments && whole.check(Domain::Counts).is_ok());
        let mut state = data().state();
        for stage in &stages {
            let before = centred(&state);
            state = pushed(&json!([stage]), &state);
            let after = centred(&state);
            for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
                let (Some((old, _)), Some((new, _))) = (solve(&before, paradigm), solve(&after, paradigm))
                else { continue };
                // Values of the pencil: φ² of reconstruction.
                let scale = old[0].max(1.0);
                for (at, (old, new)) in old.iter().zip(&new).enumerate() {
                    prop_assert!(
                        *new <= old + 1e-8 * scale,
                        "{stage}: value {at} grows from {old:e} to {new:e}"
                    );
                }
            }
        }
    }
}

/// The projector onto the leading k directions that the encoder reads.
fn projector(state: &State, paradigm: &Paradigm, k: usize) -> Mat<f64> {
    let (_, basis) = solve(state, paradigm).unwrap();
    let q = basis.subcols(0, k).qr().compute_thin_Q();
    &q * q.transpose()
}

/// Asserts that joint-embedding's row space is the same in all these states, and that of
/// reconstruction is not.
fn assert_forgotten(place: &str, states: &[State]) {
    for k in [1, 2, 4] {
        for (at, state) in states.iter().enumerate().skip(1) {
            let apart =
                |paradigm| (projector(&states[0], paradigm, k) - projector(state, paradigm, k)).norm_max();
            let (same, other) = (apart(&JOINT_EMBEDDING), apart(&RECONSTRUCTION));
            assert!(same < 1e-8, "{place}: JE moves by {same:e} at k = {k}, state {at}");
            assert!(other > 1e-4, "{place}: RC moves by {other:e} only at k = {k}, state {at}");
        }
    }
}

#[test]
fn joint_embedding_forgets_the_masking_ratio() {
    let patches =
        |masked: usize| json!([{"kind": "patches", "size": [1, 2], "masked": masked, "fill": "mean"}]);
    let states: Vec<_> = [1, 3, 4].map(|masked| centred(&pushed(&patches(masked), &data().state()))).into();
    assert_forgotten("patches filled with the mean, centred", &states);
    let zero = |masked: usize| json!([{"kind": "patches", "size": [1, 2], "masked": masked}]);
    let states: Vec<_> = [1, 3, 4].map(|masked| pushed(&zero(masked), &data().state())).into();
    assert_forgotten("patches filled with 0", &states);
}

#[test]
fn joint_embedding_forgets_the_dropout_rate() {
    let dropout = |p: f64| json!([{"kind": "dropout", "probability": p}]);
    let states: Vec<_> = [0.2, 0.5, 0.8].map(|p| pushed(&dropout(p), &data().state())).into();
    assert_forgotten("dropout", &states);
}

#[test]
fn joint_embedding_forgets_how_much_is_thinned() {
    let thinning = |p: f64| json!([{"kind": "thinning", "keep": p}]);
    let states: Vec<_> = [0.3, 0.6, 0.9].map(|p| pushed(&thinning(p), &data().state())).into();
    assert_forgotten("thinning", &states);
}

#[test]
fn joint_embedding_forgets_the_strength_of_one_family_of_noise() {
    let variances: Vec<f64> = (1..=12).map(|i| 0.1 * f64::from(i)).collect();
    let noise = |alpha: f64| json!([{"kind": "strength", "alpha": alpha, "stages": [{"kind": "additive", "variance": variances}]}]);
    let states: Vec<_> = [0.5, 1.0, 3.0].map(|alpha| pushed(&noise(alpha), &data().state())).into();
    assert_forgotten("strength", &states);
}
