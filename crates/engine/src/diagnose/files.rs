//! A question's tables, ids and labels from files of any format that is read.

use std::path::{Path, PathBuf};

use eigensweep_diagnose::Labels as Given;
use eigensweep_inputs::readers::{Choice, Chosen, Inputs, Reader, Wanted};
use eigensweep_inputs::source::{ids_of, is_path, labels_of, read_beside, reader_of};
use eigensweep_inputs::{Columns, InputError, Labels};
use eigensweep_store::format::counted;
use eigensweep_theory::views::stages::Shape;
use faer::{Mat, MatRef};

use super::Measured;
use crate::EngineError;

/// What is named on a command line.
#[derive(Clone, Debug)]
pub struct Files {
    /// The inputs, a measurement a row.
    pub inputs: PathBuf,
    /// Patterns of the names of columns that are inputs; all that are not named otherwise if empty.
    pub columns: Vec<String>,
    /// What tells signal from noise.
    pub measured: Named,
    /// Labels: a column of the inputs' file, a file, or `file:column`.
    pub labels: Option<String>,
}

/// What tells signal from noise, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A file with a second measurement of each row.
    Repeats(PathBuf),
    /// A column, a file, or `file:column` of ids.
    Pairs(String),
    /// The same of batches.
    Nuisance(String),
    /// The corruption of a views' file.
    Corruption,
}

/// What the files hold.
#[derive(Debug)]
pub struct Tables {
    inputs: Table,
    beside: Beside,
    labels: Option<OwnedLabels>,
}

#[derive(Debug)]
enum Beside {
    Repeats(Table),
    Pairs(Vec<usize>),
    Nuisance(Vec<usize>),
    Corruption,
}

/// Labels as the statistics take them.
#[derive(Debug)]
pub enum OwnedLabels {
    /// Classes from 0, and how many there are.
    Classes(Vec<usize>, usize),
    /// Real targets, a row each.
    Targets(Mat<f64>),
}

impl OwnedLabels {
    /// Those, borrowed.
    #[must_use]
    pub fn view(&self) -> Given<'_> {
        match self {
            Self::Classes(classes, count) => Given::Classes { classes, count: *count },
            Self::Targets(targets) => Given::Targets(targets.as_ref()),
        }
    }
}

impl From<Labels> for OwnedLabels {
    fn from(labels: Labels) -> Self {
        match labels {
            Labels::Classes(classes) => {
                Self::Classes(classes.classes().iter().map(|&class| class.into()).collect(), classes.count())
            }
            Labels::Targets(targets) => Self::Targets(targets),
        }
    }
}

/// Numbers row by row.
#[derive(Debug)]
struct Table {
    values: Vec<f64>,
    samples: usize,
    features: usize,
    shape: Option<Shape>,
}

impl Table {
    /// Of what was read, which is let go: two copies of large data are enough while this is made.
    fn new(Inputs { rows, .. }: Inputs) -> Self {
        let (samples, features) = (rows.samples(), rows.features());
        let mut values = vec![0.0; samples * features];
        rows.write_rows(0, &mut values);
        // An array of two dimensions may hold images: one row of features is no shape.
        let shape = rows.shape().filter(|[channels, rows, _]| channels * rows > 1);
        let shape = shape.map(|[channels, rows, columns]| Shape { channels, rows, columns });
        Self { values, samples, features, shape }
    }

    fn view(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.values, self.samples, self.features)
    }
}

impl Files {
    /// Reads all of them.
    ///
    /// # Errors
    ///
    /// [`EngineError::Input`]: those of the readers; files that do not belong together, by their
    /// numbers of rows or their columns.
    pub fn read(&self) -> Result<Tables, EngineError> {
        let reader = reader_of(&self.inputs)?;
        let ids = match &self.measured {
            Named::Pairs(name) | Named::Nuisance(name) => Some(self.columns_of(name, reader)?),
            Named::Repeats(_) | Named::Corruption => None,
        };
        let labels = self.labels.as_ref().map(|name| self.columns_of(name, reader)).transpose()?;
        if !self.columns.is_empty() && !reader.choices.contains(&Choice::Columns) {
            let problem = "its columns have no names that inputs could be chosen by".to_owned();
            return Err(misfit(&self.inputs, problem, "leave out the choice of columns"));
        }
        let chosen = Chosen { columns: self.columns.clone(), ..Chosen::default() };
        let beside: Vec<&Columns> = ids.iter().chain(&labels).collect();
        let (mut inputs, found) = read_beside(reader, &self.inputs, &chosen, &beside)?;
        let names = std::mem::take(&mut inputs.names);
        let table = Table::new(inputs);
        let mut found = found.into_iter();
        let ids = match &ids {
            None => Vec::new(),
            Some(columns) => {
                let path = columns.file_or(&self.inputs);
                let ids = ids_of(path, &found.next().unwrap_or_default())?;
                self.check_rows(path, ids.len(), table.samples)?;
                ids
            }
        };
        let labels = match &labels {
            None => None,
            Some(columns) => {
                let path = columns.file_or(&self.inputs);
                let labels = labels_of(path, found.next().unwrap_or_default())?;
                self.check_rows(path, labels.samples(), table.samples)?;
                Some(labels.into())
            }
        };
        let beside = match &self.measured {
            Named::Repeats(path) => Beside::Repeats(self.repeats(path, &names, &table)?),
            Named::Pairs(_) => Beside::Pairs(ids),
            Named::Nuisance(_) => Beside::Nuisance(ids),
            Named::Corruption => Beside::Corruption,
        };
        Ok(Tables { inputs: table, beside, labels })
    }

    /// What an argument names beside the inputs.
    fn columns_of(&self, name: &str, reader: &Reader) -> Result<Columns, EngineError> {
        let columns = Columns::of_argument(name, reader);
        // No path, and yet a file, as the inputs have no names.
        if !is_path(name) && columns.file.as_ref().is_some_and(|file| !file.exists()) {
            let problem =
                format!("its columns have no names that `{name}` could be, and no file is called so");
            let remedy = "name a file of its own with a value for each row, or FILE:COLUMN";
            return Err(misfit(&self.inputs, problem, remedy));
        }
        Ok(columns)
    }

    /// The second measurements, in the order of the inputs' columns.
    fn repeats(&self, path: &Path, names: &[String], first: &Table) -> Result<Table, EngineError> {
        let reader = reader_of(path)?;
        let chosen = match reader.choices.contains(&Choice::Columns) {
            true => Chosen { columns: names.to_vec(), ..Chosen::default() },
            false => Chosen::default(),
        };
        let contents = (reader.read)(path, &Wanted { inputs: Some(&chosen), columns: &[] })?;
        let nothing = InputError::Dimension { what: "inputs", expected: 1, found: 0 };
        let mut inputs = contents.inputs.ok_or(nothing)?;
        self.check_rows(path, inputs.rows.samples(), first.samples)?;
        // What the same choice would have made inputs of.
        let choice = Chosen { columns: self.columns.clone(), ..Chosen::default() };
        let others =
            contents.others.iter().filter(|name| choice.has(name) && self.labels.as_ref() != Some(*name));
        let others: Vec<String> = others.map(|name| format!("`{name}`")).collect();
        if !names.is_empty() && !others.is_empty() {
            let (first, rest) = others.split_at(others.len().min(LISTED));
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let problem =
                format!("beside the columns of {} it has {}{more}", self.inputs.display(), first.join(", "));
            return Err(misfit(
                path,
                problem,
                "leave these out, or name the inputs by the choice of columns",
            ));
        }
        let found = inputs.rows.features();
        if found != first.features {
            let problem = format!(
                "it has {}, and {} has {}",
                counted(found as u64, "column"),
                self.inputs.display(),
                first.features
            );
            return Err(misfit(path, problem, "give another measurement of the same features"));
        }
        if !names.is_empty() && !inputs.names.is_empty() && inputs.names != *names {
            let place = |name: &String| inputs.names.iter().position(|one| one == name);
            let order: Option<Vec<usize>> = names.iter().map(place).collect();
            let Some(order) = order else {
                let missing = names.iter().find(|name| !inputs.names.contains(name));
                let problem =
                    format!("it has no column `{}`, and the inputs do", missing.map_or("", String::as_str));
                return Err(misfit(path, problem, "give another measurement of the same features"));
            };
            inputs.rows = inputs.rows.select(&order)?;
        }
        Ok(Table::new(inputs))
    }

    fn check_rows(&self, path: &Path, found: usize, expected: usize) -> Result<(), EngineError> {
        if found == expected {
            return Ok(());
        }
        let rows = counted(found as u64, "row");
        let problem = format!("it has {rows}, and {} has {expected}", self.inputs.display());
        Err(misfit(path, problem, "give a row for each row of the inputs, in their order"))
    }
}

/// Names that a message lists at most.
const LISTED: usize = 5;

fn misfit(path: &Path, problem: String, remedy: &str) -> EngineError {
    InputError::Labels { path: path.to_owned(), problem, remedy: remedy.to_owned() }.into()
}

impl Tables {
    /// X (n × d).
    #[must_use]
    pub fn rows(&self) -> MatRef<'_, f64> {
        self.inputs.view()
    }

    /// The shape of a row, where the file knows it.
    #[must_use]
    pub fn shape(&self) -> Option<Shape> {
        self.inputs.shape
    }

    /// What was measured.
    #[must_use]
    pub fn measured(&self) -> Measured<'_> {
        match &self.beside {
            Beside::Repeats(table) => Measured::Repeats(table.view()),
            Beside::Pairs(ids) => Measured::Pairs(ids),
            Beside::Nuisance(batches) => Measured::Nuisance(batches),
            Beside::Corruption => Measured::Corruption,
        }
    }

    /// Labels of the rows.
    #[must_use]
    pub fn labels(&self) -> Option<Given<'_>> {
        self.labels.as_ref().map(OwnedLabels::view)
    }
}
