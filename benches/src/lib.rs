//! Benchmarks of eigensweep, and its comparison with peers: what the programs and the Criterion
//! benches here share.
//!
//! | program | module | does |
//! |---|---|---|
//! | `figure3-rates` | [`figure3`], [`peers`], [`machine`] | rows per second on Figure 3 beside other programs |
//! | `figure3-agreement` | [`figure3`], [`agreement`] | Figure 3 against an explicit simulation, cell by cell |
//! | `kernel-rates` | [`tasks`], [`kernels`], [`faer_tasks`], [`lapack`] | microseconds a problem beside faer and LAPACK |
//! | | [`limits`], [`caches`], [`roofline`], [`clock`] | each kernel beside the machine's limits |
//! | `gram-rates` | | Gram matrices of rows, by what they are held as |
//! | `kernel-accuracy` | [`accuracy`] | backward errors of the kernels beside LAPACK's |
//! | `boundary-coverage` | | how often intervals of critical alignments hold them |
//! | `boundary-limits` | | critical alignments of random problems beside theory |
//! | `diagnose-coverage` | | how often intervals of a comparison of paradigms hold the truth, and answers |
//! | `benches/*.rs` | [`problems`] | microseconds per call, Criterion |
//!
//! Nothing depends on this crate; it reads the clock, which the crates that it measures may not.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::process::ExitCode;

pub mod accuracy;
pub mod agreement;
pub mod caches;
pub mod clock;
pub mod faer_tasks;
pub mod figure3;
pub mod kernels;
pub mod lapack;
pub mod limits;
pub mod machine;
pub mod peers;
pub mod pencils;
pub mod problems;
pub mod roofline;
pub mod tasks;

/// What went wrong, in words for a terminal.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How a program ends: in success if all is fine, and with what went wrong on standard error.
#[must_use]
pub fn exit(fine: Result<bool, Fault>) -> ExitCode {
    match fine {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Median of some numbers; `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    match sorted.len() % 2 {
        1 => Some(*upper),
        _ => Some(f64::midpoint(sorted[sorted.len() / 2 - 1], *upper)),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn median_is_the_middle_or_between_the_two() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
