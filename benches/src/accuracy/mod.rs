//! Backward errors of the lane kernels and of LAPACK over the same random symmetric problems.
//!
//! A problem is a symmetric A (d × d) and right-hand sides b (d × ℓ); an answer is the eigenvalues
//! λᵢ and the powers `‖qᵢᵀb‖²`. Four quantities measure it, in units of d·ε, all that a backward
//! error of that size implies whatever the spectrum:
//!
//! | quantity | error |
//! |---|---|
//! | trace | `abs(Σλ − tr A) / ‖A‖` |
//! | squares | `abs(Σ(λ/‖A‖)² − 1)` |
//! | power | `abs(Σ‖qᵀb‖² − ‖b‖²) / ‖b‖²` |
//! | form | `abs(Σλ‖qᵀb‖² − tr bᵀAb) / (‖A‖ ‖b‖²)` |
//!
//! ‖·‖ is the Frobenius norm. The solvers are given A times a scale (of [`problems::SCALES`]);
//! everything is measured on A, with λ divided by the scale: no square overflows or underflows.
//! Kinds and sizes are those of `crates/spectral/tests/accuracy.rs`.
//!
//! [`problems`] draws the problems, [`lapack`] has LAPACK's answers to them, [`measures`] the
//! errors. Called by `kernel-accuracy`.

pub mod lapack;
pub mod measures;
pub mod problems;

#[cfg(test)]
mod tests {
    use eigensweep_spectral::lanes::InstructionSet;
    use faer::{Mat, mat};

    use super::lapack::{decode, encode};
    use super::measures::{Measures, Tally};
    use super::problems::{Answer, Kind, Problem, SCALES, shape, solve_round};
    use crate::problems::SplitMix;

    fn diagonal(scale: f64) -> Problem {
        Problem {
            kind: Kind::Sparse,
            matrix: mat![[3.0, 0.0], [0.0, -4.0]],
            scale,
            right: mat![[1.0], [2.0]],
        }
    }

    fn exact(scale: f64) -> Answer {
        Answer { values: vec![3.0 * scale, -4.0 * scale], powers: vec![1.0, 4.0] }
    }

    #[test]
    fn a_chunk_is_a_header_all_matrices_and_all_right_hand_sides() {
        // A round of the smallest shape.
        let round = (1..).find(|&round| shape(round) == (2, 1)).unwrap();
        let mut second = diagonal(0.5);
        second.matrix = mat![[1.0, 7.0], [7.0, 2.0]];
        let bytes = encode(round, &[diagonal(2.0), second]);
        let (words, rest) = bytes.as_chunks::<8>();
        assert!(rest.is_empty());
        let header: Vec<u64> = words[..3].iter().map(|word| u64::from_le_bytes(*word)).collect();
        assert_eq!(header, [2, 1, 2]);
        let numbers: Vec<f64> = words[3..].iter().map(|word| f64::from_le_bytes(*word)).collect();
        assert_eq!(numbers, [6.0, 0.0, 0.0, -8.0, 0.5, 3.5, 3.5, 1.0, 1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn answers_are_read_and_what_is_not_finite_has_failed() {
        let numbers = [3.0, -4.0, 1.0, 4.0, f64::NAN, f64::NAN, f64::NAN, f64::NAN];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number: &f64| number.to_le_bytes()).collect();
        assert_eq!(decode(2, &bytes), [Some(exact(1.0)), None]);
    }

    #[test]
    fn errors_are_measured_at_every_scale() {
        for scale in SCALES {
            let problem = diagonal(scale);
            assert!(Measures::of(&problem, &exact(scale)).0.iter().all(|error| *error < 1.0), "{scale:e}");
            let mut wrong = exact(scale);
            wrong.values[0] *= 1.0 + 1e-12;
            let Measures([trace, squares, power, form]) = Measures::of(&problem, &wrong);
            assert!([trace, squares, form].iter().all(|error| *error > 100.0), "{scale:e}");
            assert!(power < 1.0);
            wrong.powers[0] *= 1.0 + 1e-12;
            assert!(Measures::of(&problem, &wrong).0[2] > 100.0);
        }
    }

    #[test]
    fn eigenvalues_of_nothing_for_something_are_an_error() {
        let nothing = Answer { values: vec![0.0, 0.0], powers: vec![1.0, 4.0] };
        assert!(Measures::of(&diagonal(1.0), &nothing).0[1] > 1e12);
        let zero = Problem { matrix: Mat::zeros(2, 2), ..diagonal(1.0) };
        assert!(Measures::of(&zero, &nothing).0.iter().all(|error| *error < 1.0));
    }

    #[test]
    fn a_tally_holds_only_if_all_is_solved_well_and_like_lapack() {
        let (problem, answer) = (diagonal(1.0), exact(1.0));
        let mut good = Tally::default();
        good.take(&problem, Some(&answer), Some(&answer));
        assert!(good.holds());
        let mut failed = Tally::default();
        failed.take(&problem, None, Some(&answer));
        assert!(!failed.holds() && !good.join(failed).holds() && !failed.join(good).holds());
        let mut off = answer.clone();
        off.values[1] -= 1e-12;
        let mut differs = Tally::default();
        differs.take(&problem, Some(&answer), Some(&off));
        assert!(!differs.holds() && !good.join(differs).holds());
        let mut nan = Tally::default();
        off.values[1] = f64::NAN;
        nan.take(&problem, Some(&off), None);
        assert!(!nan.holds() && !nan.join(good).holds() && !good.join(nan).holds());
        assert_eq!((nan.join(failed).failed, nan.join(failed).lapack_failed), (1, 1));
    }

    #[test]
    fn the_kernels_solve_a_round_of_every_kind() {
        let mut rng = SplitMix::new(1);
        let (problems, answers) = solve_round(InstructionSet::detect(), &mut rng, 9);
        let mut tally = Tally::default();
        for (problem, answer) in problems.iter().zip(&answers) {
            tally.take(problem, answer.as_ref(), None);
        }
        assert_eq!((tally.problems, tally.lapack_failed), (problems.len(), problems.len()));
        assert!(tally.holds());
    }
}
