//! Tests of the whole of `job` through [`parse`].

mod boundary;
mod extension;
mod keys;
mod problems;
mod round_trip;
mod stages;
mod tables;
mod values;

use std::path::Path;

use super::{Job, JobProblems, Problem, parse};

/// Parses `figure.toml` with overrides, relative paths staying as they are.
fn read(text: &str, overrides: &[&str]) -> Result<Job, JobProblems> {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    parse("figure.toml", text, &overrides, Path::new(""))
}

fn job(text: &str) -> Job {
    read(text, &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str, overrides: &[&str]) -> JobProblems {
    read(text, overrides).expect_err("a problem")
}

/// The text that a problem underlines.
fn underlined<'p>(problems: &'p JobProblems, problem: &Problem) -> &'p str {
    &problems.sources[problem.place.source].text[problem.place.span.clone()]
}

/// What jobs must be refused with, one a line: the text (`\n` for a new line), then of its only
/// problem the message, the underlined text, and part of the help.
fn each(cases: &str) {
    for case in cases
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.trim_start().starts_with("//"))
    {
        let fields: Vec<String> = case.split(" |").map(|field| field.trim().replace("\\n", "\n")).collect();
        let [text, message, place, help] = &fields[..] else { panic!("four fields: {case}") };
        let problems = refused(text, &[]);
        assert_eq!(problems.problems.len(), 1, "{text}\n{problems}");
        let problem = &problems.problems[0];
        assert_eq!(problem.message, *message, "{text}");
        assert_eq!(underlined(&problems, problem), place, "{text}\n{problems}");
        let found = problem.help.as_deref().unwrap_or_default();
        assert!(found.contains(help.as_str()), "{text}\n{found}");
        assert!(!problem.label.is_empty(), "{text}");
    }
}
