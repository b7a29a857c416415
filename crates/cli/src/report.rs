//! Errors for people: problems of a job underlined in its text, everything else in a line with its
//! remedy.

use std::fmt;
use std::path::{Path, PathBuf};

use eigensweep_engine::EngineError;
use eigensweep_engine::diagnose::Unanswered;
use eigensweep_engine::given::GivenError;
use eigensweep_engine::given::solution::Unsolved;
use eigensweep_figures::FigureError;
use eigensweep_inputs::InputError;
use eigensweep_job::{JobProblems, Problem, SourceText};
use eigensweep_store::filter::FilterError;
use eigensweep_store::format::counted;
use eigensweep_store::{Remedy, StoreError};
use eigensweep_theory::thresholds::SpectraError;
use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

use crate::args::Command;
use crate::cluster::{ArrayError, RecordError, SlurmError};
use crate::commands;
use crate::exit::Exit;

/// An error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    Data(#[from] InputError),
    #[error(transparent)]
    Views(JobProblems),
    #[error("cannot read the {what} {}: {source}", path.display())]
    TextFile { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{} is not a file of spectra: {reason}. It needs {{\"signal\": […], \"theta_signal\": […], \"gamma\": […], \
             \"theta_noise\": […]}}, and may have \"dimension\": k", path.display())]
    SpectraFile { path: PathBuf, reason: String },
    #[error("{}: {source}", path.display())]
    Spectra { path: PathBuf, source: SpectraError },
    #[error("{source} ({})", path.display())]
    Misfit { source: GivenError, path: PathBuf },
    #[error(transparent)]
    Unsolved(#[from] Unsolved),
    #[error(transparent)]
    Unanswered(Unanswered),
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot write to standard output: {source}")]
    Output { source: std::io::Error },
    #[error("no row fulfils {condition}{why}")]
    NoRow { condition: String, why: String },
    #[error(transparent)]
    Array(#[from] ArrayError),
    #[error(
        "--time-limit auto: the batch system does not say how much time is left; give a time, such as 3h"
    )]
    NoTimeLimit,
    #[error(transparent)]
    Slurm(#[from] SlurmError),
    #[error(transparent)]
    Submitted(#[from] RecordError),
    #[error(
        "{what}: the path {path:?} cannot stand in a batch script; use one of UTF-8 without line breaks, control characters and \
         backslashes"
    )]
    ScriptPath { what: &'static str, path: PathBuf },
    #[error(
        "jobs {jobs} were submitted for {} and are not done: wait for them, or take them back with `scancel {jobs}`",
        output.display()
    )]
    StillQueued { output: PathBuf, jobs: String },
    #[error("{source}. {undone}")]
    NotSubmitted { source: SlurmError, undone: String },
    #[error(
        "`query` needs eigensweep-query, which is neither beside this program nor on PATH; build it with: {build}"
    )]
    NoQueryProgram { build: &'static str },
    #[error(transparent)]
    Figure(#[from] FigureError),
    #[error("--replicate {found}: the job has {replicates} replicates, counted from 0")]
    Replicate { found: u32, replicates: u32 },
}

impl From<Unanswered> for CommandError {
    fn from(error: Unanswered) -> Self {
        match error {
            // Stages are the only ones who have a text.
            Unanswered::Engine(EngineError::Job(problems)) => Self::Views(problems),
            Unanswered::Engine(error) => Self::Engine(error),
            error @ (Unanswered::Diagnose(_) | Unanswered::Arguments { .. }) => Self::Unanswered(error),
        }
    }
}

impl CommandError {
    /// A [`CommandError::Io`] for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }

    /// What to do about an error of a data set, in the flags of the command.
    fn flags(&self, command: &Command) -> Option<&'static str> {
        const OUTPUT: &str = "--output DIR names another directory";
        const INTO: &str = "--into DIR names another directory";
        if let Self::Unanswered(error) = self {
            return commands::diagnose_flags(error);
        }
        let (Self::Store(error) | Self::Engine(EngineError::Store(error))) = self else { return None };
        let (another, either) = match command {
            Command::Run(_) | Command::Boundary(_) => {
                (OUTPUT, "--output DIR names another directory, --fresh replaces the data set")
            }
            Command::Submit(_) => (OUTPUT, OUTPUT),
            Command::Merge(_) => (INTO, INTO),
            Command::Plan(_)
            | Command::Theory(_)
            | Command::Solve(_)
            | Command::Diagnose(_)
            | Command::Status(_)
            | Command::Verify { .. }
            | Command::Replay(_)
            | Command::Query(_)
            | Command::Plot(_)
            | Command::Report(_)
            | Command::Keys { .. }
            | Command::Init(_)
            | Command::Completions { .. } => return None,
        };
        Some(match error.remedy()? {
            Remedy::Elsewhere => another,
            Remedy::ElsewhereOrAfresh => either,
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Engine(EngineError::Job(_)) | Self::Filter(_) => Exit::BadJob,
            Self::Views(_) | Self::TextFile { .. } => Exit::BadJob,
            Self::Unsolved(Unsolved::Dimension { .. })
            | Self::Replicate { .. }
            | Self::Array(_)
            | Self::NoTimeLimit => Exit::BadJob,
            Self::ScriptPath { .. } => Exit::BadJob,
            Self::Unanswered(error) if commands::is_diagnose_usage(error) => Exit::BadJob,
            Self::Figure(error) if error.is_usage() => Exit::BadJob,
            Self::Engine(
                EngineError::Store(_)
                | EngineError::Input(_)
                | EngineError::Io { .. }
                | EngineError::Threads { .. },
            )
            | Self::Store(_)
            | Self::Data(_)
            | Self::SpectraFile { .. }
            | Self::Spectra { .. }
            | Self::Misfit { .. }
            | Self::Unanswered(_)
            | Self::Unsolved(
                Unsolved::AboveRank { .. } | Unsolved::Negative { .. } | Unsolved::Failed { .. },
            )
            | Self::Io { .. }
            | Self::Output { .. }
            | Self::NoRow { .. }
            | Self::Slurm(_)
            | Self::Submitted(_)
            | Self::StillQueued { .. }
            | Self::NotSubmitted { .. }
            | Self::NoQueryProgram { .. }
            | Self::Figure(_) => Exit::Failure,
        }
    }
}

/// Prints an error of a command to standard error; returns the exit code that goes with it.
pub(crate) fn print(error: &CommandError, command: Option<&Command>) -> Exit {
    if let CommandError::Engine(EngineError::Job(problems)) = error {
        print_problems(problems, "job");
    } else if let CommandError::Views(problems) = error {
        print_problems(problems, "file of views");
    } else {
        let text = error.to_string();
        match command {
            Some(Command::Solve(_)) => tell!("error: {}", commands::solve_in_files(&text)),
            Some(Command::Diagnose(_)) => tell!("error: {}", commands::diagnose_spelled(&text)),
            _ => tell!("error: {text}"),
        }
        if let Some(flags) = command.and_then(|command| error.flags(command)) {
            tell!("help: {flags}");
        }
    }
    error.exit()
}

fn print_problems(problems: &JobProblems, of: &str) {
    for problem in &problems.problems {
        tell!("{:?}", Report::new(Underlined::new(problem, &problems.sources)));
    }
    let problems = counted(problems.problems.len() as u64, "problem");
    tell!("error: {problems} in the {of}; nothing was written");
}

/// A problem as miette shows it.
#[derive(Debug)]
struct Underlined {
    problem: Problem,
    source: Option<NamedSource<String>>,
}

impl Underlined {
    fn new(problem: &Problem, sources: &[SourceText]) -> Self {
        /// Longest text that is shown with what is underlined: a line of megabytes takes minutes.
        const SHOWN: usize = 1 << 18;
        let mut problem = problem.clone();
        let source = sources.get(problem.place.source);
        if let Some(source) = source.filter(|source| source.text.len() > SHOWN) {
            let before = source.text.get(..problem.place.span.start).unwrap_or_default();
            let (line, column) = (
                before.matches('\n').count() + 1,
                before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            );
            problem.message = format!("{}:{line}:{column}: {}", source.name, problem.message);
            return Self { problem, source: None };
        }
        let source = source.map(|source| NamedSource::new(&source.name, source.text.clone()));
        Self { problem, source }
    }
}

impl fmt::Display for Underlined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Underlined {}

impl Diagnostic for Underlined {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let span = self.problem.place.span.clone();
        let label = LabeledSpan::new(Some(self.problem.label.clone()), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}
