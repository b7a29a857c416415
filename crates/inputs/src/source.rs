//! A source as a job names it: a file of inputs, and labels, targets and groups in columns of that
//! file or in files of their own.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use faer::{Mat, MatRef};

use crate::readers::{self, Chosen, Column, Inputs, Reader, Wanted};
use crate::{Blocks, ClassLabels, InputError, Labels, formats};

/// Files, and what of them is what.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceFiles {
    /// What reads the inputs.
    pub reader: &'static Reader,
    /// Where the inputs are.
    pub inputs: PathBuf,
    /// What of them is chosen.
    pub chosen: Chosen,
    /// What is to be learned.
    pub answers: Option<Answers>,
    /// What belongs together.
    pub groups: Option<Columns>,
}

/// What is to be learned about samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// Classes where whole numbers or words are found, else real targets.
    Labels(Columns),
    /// Real targets, whatever is found.
    Targets(Columns),
}

/// The key of classes.
pub const LABELS: &str = "labels";

/// The key of real targets.
pub const TARGETS: &str = "targets";

/// The key of groups.
pub const GROUPS: &str = "groups";

impl Answers {
    /// The key that names them.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Labels(_) => LABELS,
            Self::Targets(_) => TARGETS,
        }
    }

    /// Where they are.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        match self {
            Self::Labels(columns) | Self::Targets(columns) => columns,
        }
    }

    /// Where they are, to be changed.
    pub fn columns_mut(&mut self) -> &mut Columns {
        match self {
            Self::Labels(columns) | Self::Targets(columns) => columns,
        }
    }
}

/// Columns of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The file; that of the inputs if `None`.
    pub file: Option<PathBuf>,
    /// The names of the columns; none stands for all that a file of its own has.
    pub names: Vec<String>,
}

/// Inputs and labels as they were read, a row of each a sample.
#[derive(Debug)]
pub struct Source {
    /// Raw inputs, n × p.
    pub inputs: Inputs,
    /// What is to be learned; not compared in number with the inputs.
    pub labels: Option<Labels>,
    /// The group of each sample.
    pub groups: Option<ClassLabels>,
}

impl SourceFiles {
    /// What is read beside the inputs, with the keys that name it.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &Columns)> {
        let answers = self.answers.iter().map(|answers| (answers.key(), answers.columns()));
        answers.chain(self.groups.iter().map(|groups| (GROUPS, groups)))
    }

    /// All files, those of the inputs first.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = (self.reader.files)(&self.inputs);
        files.extend(self.columns().filter_map(|(_, columns)| columns.file.clone()));
        files
    }

    /// Reads everything.
    ///
    /// # Errors
    ///
    /// Those of the readers; [`InputError::Labels`] if labels are not what was asked for.
    pub fn read(&self) -> Result<Source, InputError> {
        let beside: Vec<&Columns> = self.columns().map(|(_, columns)| columns).collect();
        let (inputs, found) = read_beside(self.reader, &self.inputs, &self.chosen, &beside)?;
        let mut found = found.into_iter();
        let mut next = || found.next().unwrap_or_default();
        let labels = match &self.answers {
            None => None,
            Some(Answers::Labels(columns)) => Some(labels_of(self.path(columns), next())?),
            Some(Answers::Targets(columns)) => Some(targets(self.path(columns), next())?),
        };
        let groups = match &self.groups {
            None => None,
            Some(columns) => match classes_of(&next())? {
                Some(groups) => Some(groups),
                None => {
                    let problem = "groups are one column of whole numbers or of words".to_owned();
                    let remedy = "name such a column".to_owned();
                    return Err(InputError::Labels { path: self.path(columns).to_owned(), problem, remedy });
                }
            },
        };
        Ok(Source { inputs, labels, groups })
    }

    fn path<'a>(&'a self, columns: &'a Columns) -> &'a Path {
        columns.file_or(&self.inputs)
    }
}

/// What a file's name ends with that is no column's: a bare name with such an end is a path.
const FILE_ENDS: [&str; 14] = [
    ".npy", ".npz", ".csv", ".tsv", ".txt", ".dat", ".parquet", ".pq", ".mtx", ".h5ad", ".h5", ".gz",
    "-ubyte", ".idx",
];

/// Whether a text is rather a path than the name of a column.
#[must_use]
pub fn is_path(text: &str) -> bool {
    text.contains(['/', '\\']) || FILE_ENDS.iter().any(|end| text.ends_with(end))
}

impl Columns {
    /// What an argument names beside inputs that `reader` reads: a column of their file, a file of
    /// its own, or `file:column`.
    #[must_use]
    pub fn of_argument(text: &str, reader: &Reader) -> Self {
        let in_file = text.rsplit_once(':').filter(|(file, column)| is_path(file) && !column.is_empty());
        match in_file {
            Some((file, column)) => Self { file: Some(file.into()), names: vec![column.to_owned()] },
            None if !reader.columns || is_path(text) => Self { file: Some(text.into()), names: Vec::new() },
            None => Self { file: None, names: vec![text.to_owned()] },
        }
    }

    /// Their file, which is `inputs` unless another one is named.
    #[must_use]
    pub fn file_or<'a>(&'a self, inputs: &'a Path) -> &'a Path {
        self.file.as_deref().unwrap_or(inputs)
    }
}

/// Reads inputs and the columns beside them, those of the inputs' file in one pass.
///
/// # Errors
///
/// Those of the readers.
pub fn read_beside(
    reader: &Reader,
    path: &Path,
    chosen: &Chosen,
    beside: &[&Columns],
) -> Result<(Inputs, Vec<Vec<Column>>), InputError> {
    let inside = beside.iter().filter(|columns| columns.file.is_none());
    let names: Vec<Option<&str>> =
        inside.flat_map(|columns| &columns.names).map(|name| Some(&**name)).collect();
    let contents = (reader.read)(path, &Wanted { inputs: Some(chosen), columns: &names })?;
    let mut found = contents.columns.into_iter();
    let nothing = || InputError::Dimension { what: "inputs", expected: 1, found: 0 };
    let inputs = contents.inputs.ok_or_else(nothing)?;
    let columns = beside.iter().map(|columns| match &columns.file {
        None => Ok(found.by_ref().take(columns.names.len()).collect()),
        Some(file) => columns_of_file(file, &columns.names),
    });
    let columns = columns.collect::<Result<_, _>>()?;
    Ok((inputs, columns))
}

/// The reader of a file, told by its first bytes.
///
/// # Errors
///
/// [`InputError::OtherFormat`] if there is none, or that of the system.
pub fn reader_of(path: &Path) -> Result<&'static Reader, InputError> {
    // A directory is of the one format that has them.
    if path.is_dir() { Ok(&readers::MTX) } else { formats::reader_of(path) }
}

/// Reads a matrix of doubles from a file of any format that is read, told by its contents: of npz
/// the array of inputs, of tables all columns.
///
/// # Errors
///
/// Those of the readers.
pub fn read_any_matrix(path: &Path) -> Result<Mat<f64>, InputError> {
    let reader = formats::reader_of(path)?;
    if reader == &readers::NPY {
        return crate::read_matrix(path);
    }
    let wanted = Wanted { inputs: Some(&Chosen::default()), columns: &[] };
    let Some(Inputs { rows, .. }) = (reader.read)(path, &wanted)?.inputs else {
        return Err(InputError::Dimension { what: "inputs", expected: 1, found: 0 });
    };
    Ok(matrix(&*rows))
}

/// All rows as doubles.
fn matrix(rows: &dyn Blocks) -> Mat<f64> {
    let (samples, features) = (rows.samples(), rows.features());
    let mut values = vec![0.0; samples * features];
    rows.write_rows(0, &mut values);
    MatRef::from_row_major_slice(&values, samples, features).to_owned()
}

/// Reads labels from a file of any format that is read, told by its contents: classes if they are
/// one column of whole numbers or of words and not said to be `real`, else real targets.
///
/// # Errors
///
/// Those of the readers; [`InputError::Labels`] where words are said to be real.
pub fn read_any_labels(path: &Path, real: bool) -> Result<Labels, InputError> {
    let columns = columns_of_file(path, &[])?;
    if real { targets(path, columns) } else { labels_of(path, columns) }
}

/// Columns of a file whose format is told by its contents.
fn columns_of_file(path: &Path, names: &[String]) -> Result<Vec<Column>, InputError> {
    let reader = formats::reader_of(path)?;
    if !names.is_empty() {
        let names: Vec<Option<&str>> = names.iter().map(|name| Some(&**name)).collect();
        return Ok((reader.read)(path, &Wanted { inputs: None, columns: &names })?.columns);
    }
    let whole = Chosen::default();
    match (reader.read)(path, &Wanted { inputs: None, columns: &[None] }) {
        Ok(contents) => Ok(contents.columns),
        // Images are no targets: that is the wrong one of two files.
        Err(error) if reader.images => Err(error),
        // Not one column: real targets, if all are numbers.
        Err(error) => {
            let Ok(contents) = (reader.read)(path, &Wanted { inputs: Some(&whole), columns: &[] }) else {
                return Err(error);
            };
            let Some(Inputs { rows, .. }) = contents.inputs else { return Err(error) };
            Ok(matrix(&*rows).col_iter().map(|of| Column::Numbers(of.iter().copied().collect())).collect())
        }
    }
}

/// Classes, if it is one column of whole numbers or of words.
fn classes_of(columns: &[Column]) -> Result<Option<ClassLabels>, InputError> {
    match columns {
        [Column::Numbered(classes)] => ClassLabels::new(classes.clone()).map(Some),
        [Column::Numbers(numbers)] => ClassLabels::from_whole_numbers(numbers),
        [Column::Words(words)] => ClassLabels::from_words(words).map(Some),
        _ => Ok(None),
    }
}

/// Labels of columns of a file: classes of one column of whole numbers or of words, else real
/// targets.
///
/// # Errors
///
/// [`InputError::Labels`] if there are several columns, and words among them.
pub fn labels_of(path: &Path, columns: Vec<Column>) -> Result<Labels, InputError> {
    match classes_of(&columns)? {
        Some(classes) => Ok(Labels::Classes(classes)),
        None => targets(path, columns),
    }
}

/// What belongs together: the same number for rows with the same value of one column, any number of
/// values.
///
/// # Errors
///
/// [`InputError::Labels`] if it is not one column.
pub fn ids_of(path: &Path, columns: &[Column]) -> Result<Vec<usize>, InputError> {
    fn numbered<T: Eq + Hash>(values: impl Iterator<Item = T>) -> Vec<usize> {
        let mut known = HashMap::new();
        values
            .map(|value| {
                let next = known.len();
                *known.entry(value).or_insert(next)
            })
            .collect()
    }
    match columns {
        [Column::Numbered(ids)] => Ok(numbered(ids.iter())),
        // Adding zero makes one zero of the two.
        [Column::Numbers(ids)] => Ok(numbered(ids.iter().map(|id| (id + 0.0).to_bits()))),
        [Column::Words(ids)] => Ok(numbered(ids.iter())),
        _ => Err(InputError::Labels {
            path: path.to_owned(),
            problem: format!("rows belong together by one column, and there are {}", columns.len()),
            remedy: "name one, as in file.csv:column".to_owned(),
        }),
    }
}

fn targets(path: &Path, columns: Vec<Column>) -> Result<Labels, InputError> {
    let refused = |problem: &str, remedy: &str| InputError::Labels {
        path: path.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    };
    let columns = columns.into_iter().map(|column| match column {
        Column::Numbers(numbers) => Ok(numbers),
        Column::Numbered(classes) => Ok(classes.into_iter().map(f64::from).collect()),
        Column::Words(_) => {
            Err(refused("targets are numbers, and a column has words", "give it as `labels`"))
        }
    });
    let columns: Vec<Vec<f64>> = columns.collect::<Result<_, _>>()?;
    let samples = columns.first().map_or(0, Vec::len);
    if columns.iter().any(|column| column.len() != samples) {
        return Err(refused("columns differ in length", "give columns of one file"));
    }
    if samples == 0 {
        return Err(InputError::Dimension { what: "targets", expected: 1, found: 0 });
    }
    Ok(Labels::Targets(Mat::from_fn(samples, columns.len(), |row, column| columns[column][row])))
}
