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

/// Median over replicates of the crossover η²/δ of Corollary 4.5, in units of `noise_scale`; or why
/// there is none.
pub(crate) fn crossover(source: &Source, fixed: &Fixed) -> Result<f64, &'static str> {
    let input = source.input().ok_or("the job's input is not there")?;
    let replicates = u64::from(source.job().job.replicates).min(REPLICATES);
    let is_relative = source.job().spectral().is_some_and(|(noise, _)| noise.spectrum.scale.is_relative());
    let of_each: Vec<f64> = (0..replicates)
        .flat_map(|replicate| table(source.job(), input, replicate))
        .filter(|row| fits(&row.axes, fixed))
        .filter_map(|row| {
            // A relative scale counts in largest eigenvalues of the clean data, raw features' too.
            let unit = if is_relative { row.largest } else { 1.0 };
            Some(row.thresholds.ok()?.crossover / unit)
        })
        .collect();
    let mut found: Vec<f64> = of_each.iter().copied().filter(|crossover| crossover.is_finite()).collect();
    found.sort_by(f64::total_cmp);
    let why = if of_each.is_empty() {
        "the job's spectra have no thresholds"
    } else {
        "there is none for k > k₀"
    };
    found.get(found.len() / 2).copied().ok_or(why)
}

/// The first replicate's spectra at some axis values.
pub(crate) fn first_spectra(source: &Source, fixed: &Fixed) -> Option<SpectraRow> {
    let input = source.input()?;
    spectra(source.job(), input, 0).into_iter().find(|row| fits(&row.axes, fixed) && row.signal.is_some())
}

#[cfg(test)]
mod tests {
    use eigensweep_engine::theory::table;
    use eigensweep_testkit::data_set::run_to_the_end;
    use eigensweep_testkit::idx::write_images;
    use eigensweep_testkit::rows::job;

    use super::{Fixed, crossover};
    use crate::Source;

    const JOB: &str = r#"
    [job]
    replicates = 3
    [data]
    components = 3
    scale = 100
    label_count = 2
    [corruption]
    components = 2
    [model]
    dimension = 3
    [grid]
    samples = 50
    "#;

    #[test]
    fn why_there_is_no_crossover_is_told() {
        let directory = tempfile::tempdir().unwrap();
        run_to_the_end(directory.path(), &job(JOB, &["model.dimension=4"]), 1);
        let found = crossover(&Source::open(directory.path()).unwrap(), &Fixed::new());
        assert_eq!(found, Err("there is none for k > k₀"));
    }

    #[test]
    fn the_crossover_stands_on_the_axis_that_the_noise_has() {
        let of = |scale: &str| {
            let directory = tempfile::tempdir().unwrap();
            run_to_the_end(directory.path(), &job(JOB, &[&format!("corruption.scale={scale}")]), 1);
            crossover(&Source::open(directory.path()).unwrap(), &Fixed::new()).unwrap()
        };
        let (relative, absolute) = (of("{ relative = [0.5, 2] }"), of("[50, 200]"));
        assert!((100.0 * relative / absolute - 1.0).abs() < 1e-12, "{relative} and {absolute}");
    }

    #[test]
    fn the_crossover_of_raw_features_stands_on_a_relative_axis_too() {
        let place = tempfile::tempdir().unwrap();
        let rest = "[corruption]\ncomponents = 3\nspectrum = \"flat\"\n[augmentation]\nspectrum = \"flat\"\n\
                    [model]\ndimension = 2\n[grid]\nsamples = 40\n[job]\nreplicates = 1";
        let text = write_images(place.path(), 60, 3, 3).source(rest);
        let of = |scale: &str| {
            let directory = tempfile::tempdir().unwrap();
            run_to_the_end(directory.path(), &job(&text, &[&format!("corruption.scale={scale}")]), 1);
            let source = Source::open(directory.path()).unwrap();
            let largest = table(source.job(), source.input().unwrap(), 0)[0].largest;
            (crossover(&source, &Fixed::new()).unwrap(), largest)
        };
        let (relative, largest) = of("{ relative = [0.5, 2] }");
        let (absolute, _) = of(&format!("[{:?}, {:?}]", 0.5 * largest, 2.0 * largest));
        assert!((largest * relative / absolute - 1.0).abs() < 1e-12, "{relative} and {absolute}");
    }
}
