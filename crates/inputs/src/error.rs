//! What can be wrong with an input: one enum, fields first, messages that name the file, the place
//! and the remedy.

use std::io;
use std::path::{Path, PathBuf};

/// Why an input cannot be used.
///
/// Every message says where the fault lies and what to do about it; the fields hold the same facts
/// for programs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// What was being done, as a verb that takes the path.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A directory, pipe or device where a regular file is needed: sizes are checked before
    /// anything is allocated.
    #[error("{} is not a regular file; give a file on disk (sizes are checked before reading, so no pipes)", path.display())]
    NotAFile {
        /// The path given.
        path: PathBuf,
    },
    /// The gzip stream is cut short, damaged, or followed by something that is not gzip.
    #[error("{}: the gzip stream is damaged or cut short ({source}); fetch the file again, or test it with `gzip -t`", path.display())]
    Gzip {
        /// The file concerned.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// The file is of another format than its reader's.
    #[error("{}: this is {found}; give {expected}", path.display())]
    OtherFormat {
        /// The file concerned.
        path: PathBuf,
        /// What is needed.
        expected: &'static str,
        /// What it is, and what reads that.
        found: String,
    },
    /// The elements have a type that the reader does not take.
    #[error("{}: elements are {found}, supported: {expected}; convert the array first", path.display())]
    ElementType {
        /// The file concerned.
        path: PathBuf,
        /// The types supported.
        expected: &'static str,
        /// The type in the file.
        found: String,
    },
    /// The array has the wrong number of dimensions.
    #[error("{}: the array's number of dimensions is {found}, where {expected}", path.display())]
    Rank {
        /// The file concerned.
        path: PathBuf,
        /// What is needed, and the likely remedy.
        expected: &'static str,
        /// The number of dimensions in the file.
        found: usize,
    },
    /// A dimension is zero, so that there is nothing to read.
    #[error("{}: dimension {axis} (from 0) is zero, so the array is empty; give a file that holds samples", path.display())]
    ZeroDimension {
        /// The file concerned.
        path: PathBuf,
        /// The first axis of size zero, counted from 0.
        axis: usize,
    },
    /// The product of the dimensions does not fit the address space.
    #[error("{}: the shape {shape:?} holds more elements than memory can address; the header is damaged", path.display())]
    Overflow {
        /// The file concerned.
        path: PathBuf,
        /// The dimensions in the header.
        shape: Vec<u64>,
    },
    /// The header of a compressed file declares more than a deflate stream of that size can hold.
    #[error("{}: the header declares {declared} bytes, but {compressed} compressed bytes hold at most {allowed}; the file is damaged or cut short, fetch it again", path.display())]
    Implausible {
        /// The file concerned.
        path: PathBuf,
        /// Bytes that the header declares.
        declared: u64,
        /// Bytes of the compressed file.
        compressed: u64,
        /// The most that these can expand to.
        allowed: u64,
    },
    /// The data end before the header says.
    #[error("{}: cut short, fetch it again: {what}: expected {expected} bytes, found {found}", path.display())]
    Truncated {
        /// The file concerned.
        path: PathBuf,
        /// What is cut short.
        what: &'static str,
        /// Bytes needed.
        expected: u64,
        /// Bytes present.
        found: u64,
    },
    /// The data go on after the header says they end.
    #[error("{}: more bytes follow the {expected} that the header declares; the header is damaged or several files were joined", path.display())]
    TrailingBytes {
        /// The file concerned.
        path: PathBuf,
        /// Bytes declared, header included.
        expected: u64,
    },
    /// The header of an npy file cannot be understood.
    #[error("{}: not a readable npy file: {problem}; write it with numpy.save", path.display())]
    NpyHeader {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Something in a file cannot be read.
    #[error("{}: {place}: {problem}; {remedy}", path.display())]
    Unreadable {
        /// The file concerned.
        path: PathBuf,
        /// Where in it, as a person would look for it: `line 3, column 2`.
        place: String,
        /// What is wrong there.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// A file has no column, or array, of a name.
    #[error("{}: there is no {what} `{name}`; {there}", path.display())]
    NoSuch {
        /// The file concerned.
        path: PathBuf,
        /// What is missing: `column`, `array`.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// What there is, and what to do.
        there: String,
    },
    /// Labels that are no classes where classes are needed, or the other way round.
    #[error("{}: {problem}; {remedy}", path.display())]
    Labels {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// Rows of a sparse matrix whose columns do not ascend, or that reach beyond it.
    #[error("the columns of sparse row {row} (from 0) do not ascend, repeat, or are beyond the matrix")]
    SparseStructure {
        /// The first such row, counted from 0.
        row: usize,
    },
    /// An entry is infinite or not a number.
    #[error("{}: entry [{row}, {column}] is {value}; every entry must be finite", path.display())]
    NonFinite {
        /// The file concerned.
        path: PathBuf,
        /// Row of the entry, counted from 0.
        row: usize,
        /// Column of the entry, counted from 0.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// An integer entry has no `f64` of the same value.
    #[error("{}: entry [{row}, {column}] is {value}, which no double holds exactly (beyond 2^53); rescale or convert the array to float64 first", path.display())]
    Inexact {
        /// The file concerned.
        path: PathBuf,
        /// Row of the entry, counted from 0.
        row: usize,
        /// Column of the entry, counted from 0.
        column: usize,
        /// The entry.
        value: i128,
    },
    /// Data in memory do not have the length that their shape says, or hold nothing.
    #[error("{what}: the number of values is {found}, where the shape needs {expected} (at least 1)")]
    Dimension {
        /// Which data.
        what: &'static str,
        /// Values that the shape needs; saturates.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// An input in memory is infinite or not a number.
    #[error("{what}: entry [{row}, {column}] is {value}; every entry must be finite")]
    NonFiniteEntry {
        /// Which data.
        what: &'static str,
        /// Row of the entry, counted from 0.
        row: usize,
        /// Column of the entry, counted from 0.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// There is no memory for what is held of a file.
    #[error("there is no memory for {what}; give a part of them, or the program more memory")]
    NoMemory {
        /// What.
        what: &'static str,
    },
    /// A count is negative.
    #[error(
        "entry [{row}, {column}] is {value}, and counts are not negative; give raw counts, neither centred nor scaled"
    )]
    NegativeCount {
        /// Row of the entry (its cell), counted from 0.
        row: usize,
        /// Column of the entry (its gene), counted from 0.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// Inputs and labels are not about the same samples.
    #[error(
        "the number of inputs is {inputs}, that of labels {labels}; give the labels that belong to these inputs (train with train, test with test)"
    )]
    SampleCount {
        /// Samples among the inputs.
        inputs: usize,
        /// Samples among the labels.
        labels: usize,
    },
    /// A number of components that these data do not have.
    #[error("components = {value} is outside 1..={max} ({limit})")]
    Components {
        /// The number asked for.
        value: usize,
        /// The largest possible number.
        max: usize,
        /// What the largest number is.
        limit: &'static str,
    },
    /// More features than a dense eigendecomposition is made for.
    #[error(
        "{features} features are too many for principal components (at most {max}: time grows with the cube); give fewer: smaller images, chosen columns, or of counts the most variable ones, `[features] variable = 2000`"
    )]
    TooManyFeatures {
        /// Features of a sample.
        features: usize,
        /// The limit, [`MAX_FEATURES`](crate::MAX_FEATURES).
        max: usize,
    },
    /// More samples of bytes than integer sums in `f64` stay exact for.
    #[error("{samples} samples are too many for an exact Gram matrix (at most {max}); use a part of them")]
    TooManySamples {
        /// Samples given.
        samples: usize,
        /// The limit, [`MAX_SAMPLES`](crate::MAX_SAMPLES).
        max: u64,
    },
    /// More distinct labels than there can be classes.
    #[error(
        "{classes} distinct labels are too many for classes (at most {max}); if they are real numbers, give them as targets"
    )]
    TooManyClasses {
        /// Distinct labels.
        classes: usize,
        /// The limit, [`MAX_CLASSES`](crate::MAX_CLASSES).
        max: usize,
    },
    /// Inputs whose second moment no double holds.
    #[error("the values of feature {feature} (from 0) are too large to be squared; rescale the inputs")]
    TooLarge {
        /// The first such feature, counted from 0.
        feature: usize,
    },
    /// The eigensolver did not converge. Not known to happen on finite input.
    #[error(
        "the eigendecomposition of the {features} by {features} second moment did not converge; please report the input"
    )]
    NoConvergence {
        /// Order of the matrix.
        features: usize,
    },
}

impl InputError {
    /// [`Unreadable`](Self::Unreadable) of borrowed parts.
    pub(crate) fn unreadable(
        path: &Path,
        place: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (path, place) = (path.to_owned(), place.into());
        Self::Unreadable { path, place, problem: problem.into(), remedy: remedy.into() }
    }
}
