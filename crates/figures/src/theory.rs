//! What theory says where the rows do not: the crossover and the spectra, from the job of a data
//! set.

use std::collections::BTreeMap;

use eigensweep_engine::theory::{SpectraRow, spectra, table};

use crate::Source;
use crate::data::{Key, Lines};

/// Replicates whose drawn spectra a median is taken over: its standard error is then below a tenth
/// of their spread, less than a line is wide.
const REPLICATES: u64 = 101;

/// Axis values that a row of theory must have.
pub(crate) type Fixed = BTreeMap<String, f64>;

/// Axes of one value, and those given.
pub(crate) fn fixed(rows: &Lines<'_>, given: &[(&str, &Key)]) -> Fixed {
    let names = rows.axes.iter().map(String::as_str);
    let single = names.filter_map(|name| match rows.axis(name) {
        [only] => Some((name.to_owned(), only.number()?)),
        _ => None,
    });
    single.chain(given.iter().filter_map(|(name, key)| Some(((*name).to_owned(), key.number()?)))).collect()
}

fn fits(axes: &[(&'static str, f64)], fixed: &Fixed) -> bool {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
    axes.iter().all(|(name, value)| fixed.get(*name).is_none_or(|wanted| same(*wanted, *value)))
}

/// Median over replicates of the crossover η²/δ of Corollary 4.5, in units of λ^Γ; `None` where the
/// input is not there, or the spectra have none.
pub(crate) fn crossover(source: &Source, fixed: &Fixed) -> Option<f64> {
    let input = source.input()?;
    let replicates = u64::from(source.job().job.replicates).min(REPLICATES);
    let mut found: Vec<f64> = (0..replicates)
        .flat_map(|replicate| table(source.job(), input, replicate))
        .filter(|row| fits(&row.axes, fixed))
        .filter_map(|row| row.thresholds.ok().map(|thresholds| thresholds.crossover))
        // There is none for k > k₀.
        .filter(|crossover| crossover.is_finite())
        .collect();
    found.sort_by(f64::total_cmp);
    found.get(found.len() / 2).copied()
}

/// The first replicate's spectra at some axis values.
pub(crate) fn first_spectra(source: &Source, fixed: &Fixed) -> Option<SpectraRow> {
    let input = source.input()?;
    spectra(source.job(), input, 0).into_iter().find(|row| fits(&row.axes, fixed) && row.signal.is_some())
}
