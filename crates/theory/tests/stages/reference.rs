//! The cases that lie beside the project: 30 enumerated in long double, 3 exact a sample.

use eigensweep_theory::views::stages::{Chain, Scratch, Shape, Stage, State, Views};
use faer::Mat;
use serde_json::Value as Json;

use crate::table::{Data, assert_state, build, list, matrix, missing};

#[test]
fn moments_are_those_of_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/views.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: no shared reference beside the project");
        return;
    };
    let file: Json = serde_json::from_str(&text).unwrap();
    let sets = ["cases", "elementwise"].map(|set| file[set].as_array().unwrap());
    let mut checked = 0;
    for case in sets.into_iter().flatten() {
        let name = case["name"].as_str().unwrap();
        if let Some(kind) = missing(case) {
            eprintln!("skipped: `{name}` has a kind that is not there: {kind}");
            continue;
        }
        check(name, case);
        checked += 1;
    }
    eprintln!("{checked} cases of the shared reference");
    assert!(checked > 0);
}

fn check(name: &str, case: &Json) {
    let [channels, rows, columns] = list(&case["shape"])[..] else { panic!("{name}: a shape") };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small whole numbers")]
    let [channels, rows, columns] = [channels as usize, rows as usize, columns as usize];
    let shape = Shape { channels, rows, columns };
    let turned = |key: &str| matrix(&case[key]).transpose().to_owned();
    let data = Data { inputs: turned("X"), labels: turned("Y") };
    let mut views = Views::new(build(&case["stages"], shape).unwrap());
    let mut scratch = Scratch::default();
    let corruption = case.get("corruption").and_then(Json::as_array).is_some_and(|list| !list.is_empty());
    let found = if corruption {
        let mut chain = Chain { stages: build(&case["corruption"], shape).unwrap() };
        let mut state = data.state();
        chain.settle(state.mean.col_as_slice(0), &mut scratch);
        state.corrupt(&chain, &mut scratch);
        views.push(&mut state, &mut scratch);
        state
    } else {
        data.through(&mut views, 2, 0)
    };
    let expect = |key: &str| matrix(&case["expect"][key]);
    let mu = list(&case["expect"]["mu"]);
    let expected = State {
        mean: Mat::from_fn(mu.len(), 1, |i, _| mu[i]),
        cross: expect("C").transpose().to_owned(),
        mean_views: expect("G"),
        views: expect("S"),
        view_labels: expect("B"),
        input_mean: found.input_mean.clone(),
        label_mean: found.label_mean.clone(),
    };
    assert_state(name, &found, &expected, 1e-12);
}
