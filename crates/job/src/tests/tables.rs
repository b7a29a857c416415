//! Bad jobs: the values of each table, and tables that do not fit each other.

use super::super::stored;
use super::{each, refused, underlined};

#[test]
fn job_table() {
    each(
        r##"
        [job]\nname = 3 | `job.name` must be a string in quotes, not a number | 3 | directory
        [job]\nname = "" | `job.name` cannot name a directory | "" | ASCII letters
        [job]\nname = "../x" | `job.name` cannot name a directory | "../x" | not beginning with `.`
        [job]\nname = "a b" | `job.name` cannot name a directory | "a b" | ASCII letters
        [job]\nseed = -1 | `job.seed` must be a whole number from 0 to 18446744073709551615, not -1 | -1 | non-negative
        [job]\nseed = 0.5 | `job.seed` must be a whole number from 0 to 18446744073709551615, not 0.5 | 0.5 | non-negative
        [job]\nseed = "7" | `job.seed` must be a whole number, not a string | "7" | non-negative
        [job]\nseed = [1, 2] | `job.seed` takes one number, not a list | [1, 2] | keys that can be axes are grid.samples
        [job]\nreplicates = 0 | `job.replicates` must be a whole number from 1 to 2147483647, not 0 | 0 | at least once
        [job]\nreplicates = 2147483648 | `job.replicates` must be a whole number from 1 to 2147483647, not 2147483648 | 2147483648 |
        [job]\nreplicates = { from = 1, to = 3, step = 1 } | `job.replicates` takes one number, or `min`, `max` and `relative_error` | { from = 1, to = 3, step = 1 } | { min = 50, max = 10000, relative_error = 0.02 }
        [job]\nreplicates = { min = 1, max = 30, relative_error = 0.1 } | `job.replicates.min` must be a whole number from 2 to 2147483647, not 1 | 1 | two replicates
        [job]\nreplicates = { min = 10, max = 3, relative_error = 0.1 } | `job.replicates.max` is below `job.replicates.min` | 3 |
        [job]\nreplicates = { min = 10, max = 30 } | `job.replicates` needs `min`, `max` and `relative_error` | { min = 10, max = 30 } |
        [job]\nreplicates = { min = 10, max = 30, relative_error = nan } | `job.replicates.relative_error` must be finite, not nan | nan |
        [job]\nreplicates = { min = 10, max = 30, relative_error = 2 } | `job.replicates.relative_error` must be above 0 and below 1, not 2 | 2 | the mean that is small enough; 2 % is 0.02
        [job]\nreplicates = { min = 10, max = 30, relative_error = "2.5 %" } | `job.replicates.relative_error` must be a number, not a string | "2.5 %" | 2.5 % is 0.025
        [job]\nreplicates = { min = 10, max = 30, relative_error = 0.1, mean = 3 } | `job.replicates` has no key `mean` | mean |
        [job]\nreplicates = { min = 10, max = 30, relative_error = 0.1 }\nfirst_replicate = 3 | `job.first_replicate` has no meaning with adaptive replicates | first_replicate |
        [job]\nfirst_replicate = -1 | `job.first_replicate` must be a whole number from 0 to 2147483547, not -1 | -1 | the rest of a longer one
        [job]\nreplicates = 2147483647\nfirst_replicate = 1 | `job.first_replicate` must be a whole number from 0 to 0, not 1 | 1 |
        "##,
    );
    let long = format!("job.name = \"{}\"", "a".repeat(129));
    assert_eq!(refused(&long, &[]).problems[0].label, "too long");
}

#[test]
fn gaussian_data() {
    each(
        r##"
        [data]\nsource = "gausian" | `data.source` must be "gaussian" or "glyphs" or "idx" or "npy" or "npz" or "csv" or "parquet" or "mtx" or "h5ad", not "gausian" | "gausian" | did you mean "gaussian"?
        [data]\nsource = 3 | `data.source` must be "gaussian" or "glyphs" or "idx" or "npy" or "npz" or "csv" or "parquet" or "mtx" or "h5ad", not a number | 3 | in quotes
        [data]\nimages = "x" | `data.images` has no meaning with source = "gaussian" | images | source = "idx"
        [data]\ncomponents = 0 | `data.components` must be a whole number from 1 to 2147483647, not 0 | 0 | components
        [data]\ncomponents = [3, 4.5] | `data.components` must be a whole number, not 4.5 | 4.5 |
        [data]\nspectrum = "power" | `data.spectrum` must be "uniform" or "flat" or "power-law", not "power" | "power" | "power-law"?
        [data]\nspectrum = true | `data.spectrum` must be "uniform" or "flat" or "power-law", not a boolean | true |
        [data]\nspectrum = [] | `data.spectrum` has no eigenvalues | [] | list the eigenvalues
        [data]\nspectrum = [1, 0] | `data.spectrum` must be above 0, not 0 | 0 | positive variance
        [data]\nspectrum = [1, 2]\ncomponents = 3 | `data.components` is 3, but `data.spectrum` lists 2 eigenvalues | 3 | set it to 2
        [data]\nspectrum = [1, 2]\ndecay = 3 | `data.decay` has no meaning with this spectrum | decay | power-law
        [data]\nspectrum = "flat"\ndecay = 3 | `data.decay` has no meaning with this spectrum | decay | power-law
        [data]\nspectrum = [1e300]\nscale = [1, 1e300] | `data.scale` times the largest item of `spectrum` is too large for a number | [1, 1e300] | smaller
        [data]\nscale = 0 | `data.scale` must be above 0, not 0 | 0 | positive variance
        [data]\ndecay = -1 | `data.decay` must be at least 0, not -1 | -1 | eigenvalue i
        [data]\nsignal = "given" | `data.signal` must be "random" or "fixed", not "given" | "given" | "fixed"
        [data]\nsignal = "fixed"\n[sampler]\nkind = "explicit" | `data.signal` = "fixed" has no explicit sampler | "fixed" | random signal
        [data]\nsignal = "fixed"\ncomponents = 8\n[grid]\nsamples = [10, 7] | 7 samples cannot have 8 components of given second moments | 7 | at least as many
        [data]\nteacher = "line" | `data.teacher` must be "classes" or "linear", not "line" | "line" | "linear"?
        [data]\nlabel_count = 1 | `data.label_count` must be a whole number from 2 to 2147483647, not 1 | 1 | one class
        [data]\nteacher = "linear"\nlabel_count = 0 | `data.label_count` must be a whole number from 1 to 2147483647, not 0 | 0 | targets
        [data]\nseparation = 1 | `data.separation` must be above 0 and below 1, not 1 | 1 | between classes
        [data]\nseparation = 0.0 | `data.separation` must be above 0 and below 1, not 0.0 | 0.0 | between classes
        [data]\nlabel_noise = 0.5 | `data.label_noise` has no meaning with teacher = "classes" | label_noise | linear
        [data]\nteacher = "linear"\nseparation = 0.5 | `data.separation` has no meaning with teacher = "linear" | separation | classes
        [data]\nteacher = "linear"\nlabel_noise = 1.5 | `data.label_noise` must be from 0 to 1, not 1.5 | 1.5 | share
        "##,
    );
}

#[test]
fn idx_data() {
    const IDX: &str = "model.dimension = 3\n[data]\nsource = \"idx\"\nimages = \"i\"\n";
    let with = |rest: &str, overrides: &[&str]| refused(&format!("{IDX}{rest}"), overrides);
    let only = |problems: super::JobProblems| {
        assert_eq!(problems.problems.len(), 1, "{problems}");
        (problems.problems[0].message.clone(), underlined(&problems, &problems.problems[0]).to_owned())
    };
    assert_eq!(only(with("", &[])), ("`data.labels` is needed".into(), "[data]".into()));
    assert_eq!(only(with("labels = \"\"", &[])), ("`data.labels` is empty".into(), "\"\"".into()));
    assert_eq!(
        only(with("labels = [\"l\"]", &[])),
        ("`data.labels` names columns, and files of source = \"idx\" have none".into(), "[\"l\"]".into())
    );
    let generated = ["spectrum", "scale", "decay", "teacher", "label_count", "separation", "label_noise"];
    for key in generated {
        let message = format!("`data.{key}` has no meaning with source = \"idx\"");
        assert_eq!(only(with(&format!("labels = \"l\"\n{key} = 1"), &[])), (message, key.into()));
    }
    let problems = with("labels = \"l\"\ncomponents = 0", &[]);
    assert_eq!(only(problems).1, "0");
}

#[test]
fn noise_tables() {
    each(
        r##"
        [corruption]\nkind = "mask" | `corruption.kind` must be "spectral", not "mask" | "mask" | write "spectral"
        [augmentation]\nkind = 1 | `augmentation.kind` must be "spectral", not a number | 1 |
        [corruption]\ncomponents = 0 | `corruption.components` must be a whole number from 1 to 2147483647, not 0 | 0 |
        [corruption]\nscale = -1 | `corruption.scale` must be at least 0, not -1 | -1 | variances
        [corruption]\nspectrum = [1, -2.5] | `corruption.spectrum` must be at least 0, not -2.5 | -2.5 | variances
        [corruption]\nspectrum = [1]\ncomponents = [1, 2] | `corruption.components` is [1, 2], but `corruption.spectrum` lists 1 eigenvalues | [1, 2] | set it to 1
        [augmentation]\nalignment = -0.5 | `augmentation.alignment` must be at least 0, not -0.5 | -0.5 | α
        [augmentation]\nscale = nan | `augmentation.scale` must be finite, not nan | nan |
        [augmentation]\nscale = [1, inf] | `augmentation.scale` must be finite, not inf | inf |
        [augmentation]\nscale = 1e999 | `augmentation.scale` must be finite, not 1e999 | 1e999 |
        [augmentation]\ndecay = 1 | `augmentation.decay` has no meaning with this spectrum | decay | power-law
        [augmentation]\nspectrum = [1, 2] | `augmentation.spectrum` lists 2 eigenvalues, but there are 50 + 50 = 100 components | [1, 2] | list 50 for the important components
        [augmentation]\nspectrum = [1, 2]\n[corruption]\ncomponents = [1, 2] | `augmentation.spectrum` is a list, but `corruption.components` is an axis | [1, 2] | make corruption.components a single number
        data.components = [1, 2]\nmodel.dimension = 1\n[augmentation]\nspectrum = [3] | `augmentation.spectrum` is a list, but `data.components` is an axis | [3] | make data.components a single number
        "##,
    );
}

#[test]
fn model_grid_sampler_output() {
    each(
        r##"
        [model]\nparadigms = [] | `model.paradigms` is empty | [] | "joint-embedding"
        [model]\nparadigms = "supervised" | `model.paradigms` must be a list of strings, not a string | "supervised" |
        [model]\nparadigms = ["supervised", "supervised"] | `model.paradigms` names "supervised" twice | "supervised" | once
        [model]\nparadigms = ["joint_embedding"] | `model.paradigms` must be "supervised" or "joint-embedding" or "reconstruction", not "joint_embedding" | "joint_embedding" | did you mean "joint-embedding"?
        [model]\ndimension = 0 | `model.dimension` must be a whole number from 1 to 2147483647, not 0 | 0 |
        [model]\ndimension = [50, 101] | `model.dimension` = 101 is more than the inputs have components | 101 | 50 important and 50 noise
        [data]\ncomponents = [2, 3]\n[corruption]\ncomponents = [4, 1]\n[model]\ndimension = { from = 1, to = 4, step = 1 } | `model.dimension` = 4 is more than the inputs have components | { from = 1, to = 4, step = 1 } | at most 3
        [data]\ncomponents = [2, 3]\n[model] | `model.dimension` is needed | [model] | is an axis
        [data]\nsource = "idx"\nimages = "i"\nlabels = "l" | `model.dimension` is needed |  | set dimension
        [grid]\nsamples = 0 | `grid.samples` must be a whole number from 1 to 10^15, not 0 | 0 | a sample needs at least one observation
        [grid]\nsamples = 1000000000000001 | `grid.samples` must be a whole number from 1 to 10^15, not 1000000000000001 | 1000000000000001 |
        [grid]\nsamples = 99999999999999999999999999999999999999999 | `grid.samples` must be a whole number from 1 to 10^15, not 9999999999999999999999999999999999999999… | 99999999999999999999999999999999999999999 |
        [sampler]\nkind = "moment" | `sampler.kind` must be "moments" or "explicit", not "moment" | "moment" | "moments"?
        sampler.kind = "explicit"\ngrid.samples = [5, 100000001] | `grid.samples` = 100000001 is too many for the explicit sampler | 100000001 | the moment sampler
        [output]\nmetrics = ["angle"] | `output.metrics` must be "distance" or "leakage" or "gap" or "effective_rank" or "rank" or "tier", not "angle" | "angle" |
        [output]\nmetrics = [3] | `output.metrics` must be "distance" or "leakage" or "gap" or "effective_rank" or "rank" or "tier", not a number | 3 |
        [output]\ndetail = "sketch" | `output.detail` must be "rows" or "summary", not "sketch" | "sketch" | "rows"
        [output]\npart_rows = 0 | `output.part_rows` must be a whole number from 1 to 16777216, not 0 | 0 | rows of a Parquet file
        [output]\npart_rows = 16777217 | `output.part_rows` must be a whole number from 1 to 16777216, not 16777217 | 16777217 |
        [output]\nmax_failed = 1.5 | `output.max_failed` must be from 0 to 1, not 1.5 | 1.5 | `run` exits with 3
        [output]\nmax_failed = 5 | `output.max_failed` must be from 0 to 1, not 5 | 5 | ; 5 % is 0.05
        [output]\nmax_failed = nan | `output.max_failed` must be finite, not nan | nan |
        [output]\nmax_failed = [0.1, 0.2] | `output.max_failed` takes one number, not a list | [0.1, 0.2] | keys that can be axes
        "##,
    );
}

/// Every share, also where it is a key of another table or an override without quotes.
#[test]
fn percent_is_told_from_a_share() {
    for (text, help) in [
        ("data.separation = 30", "; 30 % is 0.3"),
        ("data.teacher = \"linear\"\ndata.label_noise = [0.1, 20]", "; 20 % is 0.2"),
        ("output.max_failed = 12.5", "; 12.5 % is 0.125"),
    ] {
        let problems = refused(text, &[]);
        assert!(problems.problems[0].help.as_deref().unwrap_or_default().ends_with(help), "{problems}");
    }
    let problems = refused("", &["output.max_failed=2%"]);
    assert_eq!(problems.problems[0].help.as_deref(), Some("2% is 0.02"));
    // Beyond any percentage, and below zero, nothing is guessed.
    for value in ["101", "-2"] {
        let problems = refused("", &[&format!("output.max_failed={value}")]);
        assert!(!problems.to_string().contains('%'), "{problems}");
    }
}

/// The file of a data set that was written before is read, and goes on meaning what it meant.
#[test]
fn a_stored_job_may_have_a_relative_error_that_a_new_one_may_not() {
    let text = "[job]\nreplicates = { min = 10, max = 30, relative_error = 2.0 }\n";
    let job = stored("job.toml", text, &[]).unwrap();
    assert!(job.spec.to_toml().contains("relative_error = 2.0"));
    assert!(stored("job.toml", &text.replace("2.0", "0.0"), &[]).is_err());
    assert!(super::read(text, &[]).is_err());
}

#[test]
fn relative_scales() {
    each(
        r##"
        [corruption]\nscale = { relative = -1 } | `corruption.scale.relative` must be above 0, not -1 | -1 | multiplies the largest eigenvalue of the clean data
        [augmentation]\nscale = { relative = [0.1, 0] } | `augmentation.scale.relative` must be above 0, not 0 | 0 | without any variance, write scale = 0
        [augmentation]\nscale = { relative = [0.1, 0.1] } | `augmentation.scale.relative` has the value 0.1 twice | 0.1 |
        [corruption]\nscale = { relative = { from = 1, to = 0.1, count = 3 } } | the range `corruption.scale.relative` does not go up | 0.1 |
        [corruption]\nscale = { relativ = 1 } | `corruption.scale` has no key `relativ` | relativ | did you mean `relative`?
        [corruption]\nscale = { relative = 1, from = 2 } | `corruption.scale` has no key `from` | from | { relative = [0.01, 0.1, 1] }
        [corruption]\nscale = { relative = "1" } | `corruption.scale.relative` must be a number, not a string | "1" | write 1 without the quotes
        [data]\nscale = 1e200\n[corruption]\nscale = { relative = [1, 1e200] } | `corruption.scale` times the data's largest eigenvalue is too large for a number | { relative = [1, 1e200] } | smaller scale
        "##,
    );
    each(
        r##"
        // It would be relative to itself.
        data.scale = { relative = 1 } | `data.scale` is not relative to the data | { relative = 1 } | only corruption.scale and augmentation.scale may be
        "##,
    );
}

#[test]
fn the_whole_grid() {
    let axis = "{ from = 1, to = 10, count = 100000 }";
    let text = format!(
        "[grid]\nsamples = {{ from = 1, to = 100001, step = 1 }}\n[corruption]\nscale = {axis}\n[augmentation]\nscale = {axis}\n\
         alignment = {axis}"
    );
    let problems = refused(&text, &[]);
    // 100001 · (10⁵)³ · 3 paradigms · 100 replicates
    assert_eq!(
        problems.problems[0].message,
        "the grid has 30000300000000000000000 cells; at most 9223372036854775807 can be counted"
    );
    assert_eq!(underlined(&problems, &problems.problems[0]), "{ from = 1, to = 100001, step = 1 }");
    assert!(
        problems.problems[0]
            .help
            .as_deref()
            .unwrap_or_default()
            .contains("100001 samples × 100000 noise_scale")
    );
}
