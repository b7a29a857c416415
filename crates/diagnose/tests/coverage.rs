//! How often intervals hold the truth: a small version of `diagnose-coverage`.
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
use eigensweep_diagnose::{Answer, Question, Views};
use eigensweep_testkit::random::Random;
use eigensweep_testkit::repeats::Repeated;
use faer::Mat;

const PROBLEMS: usize = 60;

#[test]
fn intervals_hold_the_truth_as_often_as_they_say_and_no_confident_answer_is_wrong() {
    let (mut held, mut confident, mut wrong) = ([0_usize; 6], 0, 0);
    for number in 0..PROBLEMS {
        let mut random = Random(number as u64 * 7919 + 101);
        let problem = Repeated::random(&mut random, 20);
        let tables = problem.measure(&mut random, 200);
        let dimension = (problem.rank + random.below(6)).saturating_sub(2).max(1);
        let alignment = Some([0.0, 0.3, 1.0, 3.0][random.below(4)]);
        let views = Views::Additive(problem.theta.as_ref());
        let found = ask(&Question { alignment, ..question(repeats(&tables), views, dimension) }).unwrap();
        let kept = |basis: &Mat<f64>| {
            let map = basis.transpose() * &found.learnt.signal;
            problem.kept(basis.as_ref(), map.as_ref())
        };
        let encoders = &found.learnt.encoders;
        let kept = [kept(&encoders[0]), kept(&encoders[1])];
        let leakage = [0, 1].map(|paradigm: usize| problem.leakage(encoders[paradigm].as_ref()));
        for (place, (found, truth)) in [(found.kept, kept), (found.leakage, leakage)].into_iter().enumerate()
        {
            let truths = [truth[0], truth[1], truth[0] - truth[1]];
            let estimates = found.each.into_iter().chain([found.difference]);
            for (at, (estimate, truth)) in estimates.zip(truths).enumerate() {
                let inside = estimate.low().unwrap() <= truth && truth <= estimate.high().unwrap();
                held[3 * place + at] += usize::from(inside);
            }
        }
        confident += usize::from(found.answer.is_confident());
        let favoured = if kept[0] > kept[1] { Answer::JointEmbedding } else { Answer::Reconstruction };
        wrong += usize::from(found.answer.is_confident() && found.answer != favoured);
    }
    // Three binomial standard errors below 91 %.
    let count = PROBLEMS as f64;
    let least = 0.91 * count - 3.0 * (0.91 * 0.09 * count).sqrt();
    assert!(held.iter().all(|held| *held as f64 >= least), "{held:?} of {PROBLEMS}, at least {least}");
    assert!(confident > 10 && wrong == 0, "{wrong} wrong of {confident}");
}
