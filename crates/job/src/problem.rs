//! What is wrong with a job, and where: the texts a job is read from, places in them, and the list
//! of all problems.
//!
//! [`parse`](super::parse) returns every problem that it finds as one [`JobProblems`]; the program
//! underlines each [`Place`], and the `Display` of [`JobProblems`] (`file:line:column: message`)
//! serves where there is no terminal.

use std::fmt;
use std::ops::Range;

/// One text that a job is read from: the job file, or one `--set` override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// What to call it in a report: the file's name, or for instance `--set corruption.scale=-1`.
    pub name: String,
    /// The text that spans are byte ranges of; of an override without its `--set`:
    /// `corruption.scale=-1`.
    pub text: String,
}

impl SourceText {
    /// Line and column, both from 1, of a byte offset; the column counts characters, not bytes.
    ///
    /// An offset past the end is taken as the end, one inside a character as that character's
    /// start.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }
}

/// A stretch of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index into the list of sources: 0 is the job file, the overrides follow in the order given.
    pub source: usize,
    /// Byte range of the offending text. An empty range at 0 stands for the source as a whole.
    pub span: Range<usize>,
}

impl Place {
    /// The job file as a whole: where a problem stands whose key and table are both absent.
    pub const FILE: Place = Place { source: 0, span: 0..0 };

    /// A place in the source of the given index.
    #[must_use]
    pub fn new(source: usize, span: Range<usize>) -> Place {
        Place { source, span }
    }
}

/// One thing that is wrong with a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, a sentence without a full stop that names the key.
    pub message: String,
    /// A few words to stand under the underlined text.
    pub label: String,
    /// What would be right.
    pub help: Option<String>,
    /// The text to underline.
    pub place: Place,
}

/// Everything that is wrong with a job, in the order of the sources.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct JobProblems {
    /// The texts that the problems' places point into: the file, then each override.
    pub sources: Vec<SourceText>,
    /// The problems, by source and then by place; never empty when returned by
    /// [`parse`](super::parse).
    pub problems: Vec<Problem>,
}

impl JobProblems {
    /// Problems in the order of their places; those at one place stay in the order given.
    #[must_use]
    pub fn new(sources: Vec<SourceText>, mut problems: Vec<Problem>) -> JobProblems {
        problems.sort_by_key(|problem| (problem.place.source, problem.place.span.start));
        JobProblems { sources, problems }
    }
}

impl fmt::Display for JobProblems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            if let Some(source) = self.sources.get(problem.place.source) {
                let (line, column) = source.position(problem.place.span.start);
                write!(out, "{}:{line}:{column}: ", source.name)?;
            }
            write!(out, "{}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(out, "\n  help: {help}")?;
            }
        }
        Ok(())
    }
}
