//! `[boundary]`, and jobs whose rows are critical alignments.

use super::super::{Recovery, remainder, stored};
use super::{each, job, read};

#[test]
fn the_table_has_the_defaults_under_which_coverage_was_measured() {
    let boundary = job("[data]").boundary;
    assert_eq!((boundary.recovery, boundary.tolerance), (Recovery::Leakage, None));
    assert_eq!((boundary.precision, boundary.confidence), (0.02, 0.95));
    assert_eq!((boundary.min_replicates, boundary.max_replicates), (24, 4096));
    assert_eq!(boundary.quantiles, [0.1, 0.9]);
    assert_eq!((boundary.tolerance(1), boundary.tolerance(5)), (0.5, 0.1));
}

#[test]
fn a_boundary_that_cannot_be_traced_is_refused_with_its_place() {
    each(
        "[boundary]\\ntolerance = 0 |`boundary.tolerance` must be above 0 and below 1, not 0 |0 |recovers
         [boundary]\\ntolerance = 1.0 |`boundary.tolerance` must be above 0 and below 1, not 1.0 |1.0 |recovers
         [boundary]\\nprecision = 0 |`boundary.precision` must be above 0, not 0 |0 |half width
         [boundary]\\nconfidence = 1 |`boundary.confidence` must be above 0 and below 1, not 1 |1 |probability
         [boundary]\\nquantiles = [0.1, 1] |`boundary.quantiles` must be above 0 and below 1, not 1 |1 |recovery
         [boundary]\\nquantiles = [0.1, 0.1] |`boundary.quantiles` has the value 0.1 twice |0.1 |leave one
         [boundary]\\nmin_replicates = 50\\nmax_replicates = 40 |`boundary.min_replicates` = 50 is more than `boundary.max_replicates` = 40 |50 |raise max_replicates
         [boundary]\\nmin_replicates = 5 |5 replicates have no interval at confidence 0.95 |5 |the least is 6
         [boundary]\\nconfidence = 0.9999999999 |24 replicates have no interval at confidence 0.9999999999 |0.9999999999 |the least is 35",
    );
    job("[boundary]\nmin_replicates = 6");
}

#[test]
fn what_has_no_boundary_is_refused_when_one_is_asked_for() {
    let stages = "[data]\nsource = \"glyphs\"\n[model]\ndimension = 2\n";
    for (text, message) in [
        ("[augmentation]\nalignment = [1, 2]".to_owned(), "has several values"),
        ("[corruption]\nscale = 0".to_owned(), "`corruption.scale` is 0"),
        ("[corruption]\nspectrum = [0, 0]".to_owned(), "`corruption.spectrum` is 0"),
        ("[model]\nparadigms = [\"supervised\"]".to_owned(), "no paradigm here"),
        (format!("{stages}[augmentation]\nstages = []"), "there is no corruption"),
    ] {
        let problems = job(&text).traced().expect_err(&text);
        assert_eq!(problems.problems.len(), 1, "{problems}");
        assert!(problems.problems[0].message.contains(message), "{problems}");
    }
}

/// Whatever is not used is not part of what makes two data sets one.
#[test]
fn a_traced_job_is_read_back_and_has_neither_replicates_nor_alignments() {
    let text = "[job]\nreplicates = { min = 5, max = 10, relative_error = 0.1 }\n[output]\nmetrics = [\"gap\"]\n\
        [augmentation]\nalignment = 3\n[grid]\nsamples = [10, 20]\n[boundary]\nrecovery = \"distance\"\ntolerance = 0.25";
    let traced = job(text).traced().unwrap();
    let spec = &traced.spec;
    assert!(spec.axes().iter().all(|axis| axis.name != "alignment"));
    assert_eq!(spec.cells(), Some(2 * 2), "sample sizes and paradigms that learn a representation");
    assert_eq!(stored("job.toml", &spec.to_toml(), &[]).unwrap().spec, *spec);
    assert!(
        spec.to_toml().contains("[boundary]\nrecovery = \"distance\"\ntolerance = 0.25\n"),
        "{}",
        spec.to_toml()
    );
    let other = read(text, &["job.replicates=7", "augmentation.alignment=1", "output.metrics=[\"leakage\"]"]);
    assert_eq!(other.unwrap().traced().unwrap().spec, *spec);
    assert!(spec.default_output().ends_with("figure-boundary"));
    // It grows along its axes as any other.
    let more = read(text, &["grid.samples=[10, 20, 40]"]).unwrap().traced().unwrap().spec;
    let rest = remainder(&more, std::slice::from_ref(spec)).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].grid.samples.values(), [40]);
    // Who simulates its cells draws replicates, and finds no table.
    let inner = spec.replicated();
    assert_eq!((inner.job.replicates, inner.boundary.is_none()), (4096, true));
}

/// A job file may have the table without its data set being another one.
#[test]
fn the_table_is_no_part_of_a_job_that_is_run() {
    let with = job("[data]\n[boundary]\nprecision = 0.5");
    assert_eq!(with.spec, job("[data]").spec);
    assert!(!with.spec.to_toml().contains("boundary"));
}
