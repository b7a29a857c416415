//! Bad jobs: unknown names, syntax, axes and overrides; for each problem what is said, what is
//! underlined, what is advised.

use super::{each, read, refused, underlined};

#[test]
fn unknown_names() {
    each(
        r##"
        [grid]\nsample = 3 | [grid] has no key `sample` | sample | did you mean `samples`?
        [grid]\nsample = 3 | [grid] has no key `sample` | sample | the keys of [grid] are samples
        [corruption]\nalignment = 3 | [corruption] has no key `alignment` | alignment | is a key of [augmentation]
        [job]\nzzz = 3 | [job] has no key `zzz` | zzz | the keys of [job] are name, seed, replicates, first_replicate
        [agumentation] | there is no table [agumentation] | agumentation | did you mean `augmentation`?
        [job.extra]\na = 1 | [job] has no key `extra` | extra | the keys of [job]
        samples = 3 | `samples` stands outside of every table | samples | is a key of [grid]
        grid = 3 | `grid` is a table, not a number | grid | write [grid] on a line of its own
        [[grid]]\nsamples = 3 | `grid` is a table, not a list | grid | write [grid]
        [grid]\nsamples = { from = 1, too = 2, step = 1, to = 3 } | the range `grid.samples` has no key `too` | too | `to`
        "##,
    );
}

#[test]
fn a_job_without_any_table_is_refused_and_told_the_least() {
    each(
        r##"
         | the job is empty | | `[data]` on a line
        # nothing yet\n\n  \n | the job is empty | | `[data]` on a line
        "##,
    );
    assert!(read("", &["job.seed=1"]).is_ok());
    assert!(read("[data]", &[]).is_ok());
    // What is wrong with an override is said, not that there is nothing else.
    assert_eq!(refused("", &["foo"]).problems[0].message, "this override has no `=`");
}

#[test]
fn syntax() {
    each(
        r##"
        [job]\nseed = 1\nseed = 2 | this key is given twice | seed | keep one
        [job]\n[grid]\n[job] | this key is given twice | job | keep one
        [job\n | unclosed table, expected `]` |  |
        "##,
    );
    let problems = refused("[job]\nseed = = 1\nname = \"a\n[grid]\nsamples = 0\n", &[]);
    assert!(problems.problems.len() >= 2, "{problems}");
    // A repeated key hides nothing else.
    let problems = refused("[job]\nseed = 1\nseed = 2\n[grid]\nsamples = 0", &[]);
    assert_eq!(problems.problems.len(), 2, "{problems}");
    let problems = refused(&"%\n".repeat(100), &[]);
    assert_eq!(problems.problems.len(), 20);
    assert_eq!(problems.problems[0].help.as_deref(), Some("80 further syntax errors are not shown"));
}

#[test]
fn axes() {
    each(
        r##"
        grid.samples = "100" | `grid.samples` must be a whole number, not a string | "100" | write 100 without the quotes
        grid.samples = "many" | `grid.samples` must be a whole number, not a string | "many" | a range such as
        grid.samples = [1, [2]] | `grid.samples` must be a whole number, not a list | [2] |
        grid.samples = [] | `grid.samples` has no values | [] | write a number
        grid.samples = [5, 6, 5.0] | `grid.samples` has the value 5 twice | 5.0 | leave one
        augmentation.alignment = [0.0, -0.0] | `augmentation.alignment` has the value 0.0 twice | -0.0 | leave one
        grid.samples = {} | the range `grid.samples` needs both `from` and `to` | {} | from = 100
        grid.samples = { from = 1, to = 2 } | the range `grid.samples` needs one of `ratio`, `step` and `count` | { from = 1, to = 2 } |
        grid.samples = { from = 1, to = 9, step = 1, count = 2 } | the range `grid.samples` needs one of `ratio`, `step` and `count` | { from = 1, to = 9, step = 1, count = 2 } |
        grid.samples = { from = 0, to = 9, step = 1 } | `grid.samples.from` must be a whole number from 1 to 10^15, not 0 | 0 | one observation
        grid.samples = { from = 1, to = 9.5, step = 1 } | `grid.samples.to` must be a whole number, not 9.5 | 9.5 |
        grid.samples = { from = 9, to = 2, step = 1 } | the range `grid.samples` does not go up | 2 | above `from`
        grid.samples = { from = 1, to = 2, ratio = 1 } | `grid.samples.ratio` must be above 1, not 1 | 1 | times `ratio`
        grid.samples = { from = 1, to = 9, step = 0 } | `grid.samples.step` must be above 0, not 0 | 0 | plus `step`
        grid.samples = { from = 1, to = 9, step = 0.5 } | `grid.samples.step` must be a whole number, not 0.5 | 0.5 |
        grid.samples = { from = 1, to = 9, step = nan } | `grid.samples.step` must be finite, not nan | nan |
        grid.samples = { from = 2, to = 9, count = 1 } | `grid.samples.count` must be a whole number from 2 to 1000000, not 1 | 1 | both ends
        grid.samples = { from = 1, to = 9, count = 1e7 } | `grid.samples.count` must be a whole number from 2 to 1000000, not 1e7 | 1e7 |
        grid.samples = { from = 1, to = 9, count = 3, scale = "lin" } | `grid.samples.scale` must be "linear" or "log", not "lin" | "lin" | "linear"?
        grid.samples = { from = 1, to = 9, step = 1, scale = "log" } | `grid.samples.scale` has no meaning without `count` | scale | give `count`
        augmentation.alignment = { from = 0, to = 9, ratio = 2 } | the range `augmentation.alignment` has equal ratios and cannot start at 0 | 0 | start above 0
        grid.samples = { from = 1, to = 1000001, step = 1 } | the range `grid.samples` has more than 1000000 values | { from = 1, to = 1000001, step = 1 } | larger
        grid.samples = { from = 1, to = 1e15, ratio = 1.00000000001 } | the range `grid.samples` has more than 1000000 values | { from = 1, to = 1e15, ratio = 1.00000000001 } | larger
        grid.samples = { from = 1, to = 10, count = 12 } | the range `grid.samples` has the value 3 twice | { from = 1, to = 10, count = 12 } | count = 10
        grid.samples = { from = 1, to = 10, count = 10, scale = "log" } | the range `grid.samples` has the value 1 twice | { from = 1, to = 10, count = 10, scale = "log" } | smaller count: count = 6
        grid.samples = { from = 1, to = 10, ratio = 1.1 } | the range `grid.samples` has the value 1 twice | { from = 1, to = 10, ratio = 1.1 } | larger `ratio`
        "##,
    );
    let long = format!("grid.samples = [{}]", "1,".repeat(1_000_001));
    assert_eq!(
        refused(&long, &[]).problems[0].message,
        "`grid.samples` has 1000001 values; an axis may have 1000000"
    );
}

#[test]
fn overrides() {
    let cases = [
        ("foo", "this override has no `=`", "foo"),
        ("", "this override has no `=`", ""),
        ("foo=1", "an override names a table and a key", "foo"),
        ("=1", "an override names a table and a key", ""),
        ("grid.=1", "an override names a table and a key", "grid."),
        ("a.b.c=1", "an override names a key of a table, and replaces its whole value", "a.b.c"),
        ("grid.samples=", "this override has no value", "grid.samples="),
        ("grid.samples= [1, 2", "the value of `grid.samples` is no TOML: unclosed array, expected `]`", ""),
        ("grid.sample=3", "[grid] has no key `sample`", "grid.sample"),
        ("gird.samples=3", "there is no table [gird]", "gird.samples"),
        ("corruption.scale=-1", "`corruption.scale` must be at least 0, not -1", "-1"),
        ("grid.samples=[1, 0]", "`grid.samples` must be a whole number from 1 to 10^15, not 0", "0"),
        ("grid.samples=many", "`grid.samples` must be a whole number, not a string", "many"),
        ("job.name=123", "`job.name` must be a string in quotes, not a number", "123"),
    ];
    for (text, message, place) in cases {
        let problems = refused("", &["output.detail=rows", text]);
        assert_eq!(problems.problems.len(), 1, "{text}\n{problems}");
        let problem = &problems.problems[0];
        assert_eq!(problem.message, message, "{text}");
        assert_eq!((problem.place.source, underlined(&problems, problem)), (2, place), "{text}");
        assert_eq!(problems.sources[2].name, format!("--set {text}"));
        assert!(problem.help.is_some());
    }
}

#[test]
fn all_problems_at_once_in_order() {
    let text = "\
[job]
name = \"my job\"
replicats = 100

[data]
source = \"gaussian\"
label_noise = 0.1

[corruption]
scale = [1e3, -1e6]
spectrum = \"unifrom\"

[model]
dimension = 1000

[grid]
samples = { from = 0, to = 51200, ratio = 2 }
";
    let problems = refused(text, &["augmentation.alignment=[1,1]", "foo", "sampler.kind=exact"]);
    insta::assert_snapshot!(problems, @r#"
    figure.toml:2:8: `job.name` cannot name a directory
      help: it names the directory of the results: ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`
    figure.toml:3:1: [job] has no key `replicats`
      help: did you mean `replicates`? (the keys of [job] are name, seed, replicates, first_replicate)
    figure.toml:7:1: `data.label_noise` has no meaning with teacher = "classes"
      help: only teacher = "linear" has label noise
    figure.toml:10:15: `corruption.scale` must be at least 0, not -1e6
      help: eigenvalues of a covariance are variances: 0 leaves the direction without any
    figure.toml:11:12: `corruption.spectrum` must be "uniform" or "flat" or "power-law", not "unifrom"
      help: did you mean "uniform"?
    figure.toml:14:13: `model.dimension` = 1000 is more than the inputs have components
      help: with 50 important and 50 noise components (the fewest on their axes), dimension is at most 100
    figure.toml:17:20: `grid.samples.from` must be a whole number from 1 to 10^15, not 0
      help: a sample needs at least one observation, and past 10^15 the moments of a sample are those of the population to every digit
    --set augmentation.alignment=[1,1]:1:27: `augmentation.alignment` has the value 1.0 twice
      help: leave one of the two out
    --set foo:1:1: this override has no `=`
      help: an override reads `table.key=value`, such as `--set grid.samples=[100,400]`
    --set sampler.kind=exact:1:14: `sampler.kind` must be "moments" or "explicit", not exact
      help: did you mean "explicit"?
    "#);
}

#[test]
fn syntax_errors_as_shown() {
    let problems =
        refused("[grid]\nsamples = [100, 200\n\n[job]\nseed = 1 2\nname = é\n", &["grid.samples=0"]);
    insta::assert_snapshot!(problems, @"
    figure.toml:4:1: missing comma between array elements, expected `,`
    figure.toml:5:1: missing comma between array elements, expected `,`
    figure.toml:6:1: missing comma between array elements, expected `,`
    ");
}
