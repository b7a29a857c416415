//! From rows to the numbers of a figure: grouped once, by polars, into a small table.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use eigensweep_store::columns::{METRICS, PARADIGM};
use eigensweep_theory::Paradigm;
use eigensweep_theory::paradigms;
use polars::prelude::*;

use super::names::pretty;
use crate::AnalysisError;
use crate::query::views::Columns;
use crate::query::{collect, condition, names as spelling, tables};
use crate::source::{Detail, Source, scan_kept};

/// A coordinate of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Number(f64),
    Text(String),
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers by size, paradigms in their order, other text by its letters.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |text: &String| paradigms::ALL.iter().position(|paradigm| paradigm.name == text);
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => (rank(a), a).cmp(&(rank(b), b)),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

impl Key {
    /// The value of a number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Text(_) => None,
        }
    }

    /// The text for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Number(value) => pretty(*value),
            Self::Text(text) => text.clone(),
        }
    }

    /// The paradigm of that name.
    pub(crate) fn paradigm(&self) -> Option<&'static Paradigm> {
        paradigms::ALL.into_iter().find(|paradigm| matches!(self, Self::Text(text) if text == paradigm.name))
    }
}

/// What is asked about the spread of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// The mean's standard error.
    Error,
    /// Median and quantiles as well, for which all values of the metric are held.
    Quantiles,
}

/// What the replicates of one group say about a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stats {
    /// Rows with a value.
    pub count: f64,
    /// Rows.
    pub rows: f64,
    pub mean: Option<f64>,
    /// Standard error of the mean.
    pub error: Option<f64>,
    /// Of [`Spread::Quantiles`], as the next two.
    pub median: Option<f64>,
    /// Quantile at 5 %.
    pub low: Option<f64>,
    /// Quantile at 95 %.
    pub high: Option<f64>,
    /// Share of the replicates whose threshold α² exceeds; none where there is no threshold.
    pub above: Option<f64>,
    /// Median of the thresholds on α², signed, and their 5 % and 95 % quantiles.
    pub threshold: Option<[f64; 3]>,
}

/// The rows that a figure is drawn from, or the summary that is kept in their place.
pub(crate) struct Rows {
    frame: LazyFrame,
    /// Which of the two.
    pub detail: Detail,
    /// Axes and metrics of the data set.
    pub columns: Columns,
    /// Values of each axis that are there, paradigm included, in order.
    pub values: BTreeMap<String, Vec<Key>>,
    /// Combinations of them that are there.
    pub combinations: usize,
}

impl Rows {
    /// All rows of the data sets, or those for which the SQL expression `filter` holds.
    pub(crate) fn new(sources: &[Source], filter: Option<&str>) -> Result<Self, AnalysisError> {
        let (detail, mut frame) = scan_kept(sources)?;
        let schema = frame.collect_schema()?;
        let known: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
        let columns = Columns::new(detail, known.iter().map(String::as_str));
        if let Some(text) = filter {
            let condition = condition(text)
                .map_err(|error| AnalysisError::Query { message: format!("--where '{text}': {error}") })?;
            frame = frame.filter(condition);
            frame.collect_schema().map_err(|error| {
                let message = error.to_string();
                spelling::explain(&message, &known, tables(detail))
                    .unwrap_or(AnalysisError::Query { message })
            })?;
        }
        let mut rows = Self { frame, detail, columns, values: BTreeMap::new(), combinations: 0 };
        rows.find_values(filter)?;
        Ok(rows)
    }

    /// One pass over the axes' columns finds the combinations, and they the values of each axis.
    fn find_values(&mut self, filter: Option<&str>) -> Result<(), AnalysisError> {
        let names: Vec<String> =
            self.columns.axes.iter().map(String::as_str).chain([PARADIGM]).map(str::to_owned).collect();
        let axes: Vec<Expr> = names.iter().map(|name| key(name, self.is_text(name))).collect();
        // As a group-by: its keys are numbered, rows of `unique` are not.
        let combinations = collect(self.frame.clone().group_by(axes).agg([]))?;
        self.combinations = combinations.height();
        for name in names {
            let values: BTreeSet<Key> = keys(&combinations, &name)?.into_iter().collect();
            if values.is_empty() {
                let reason = filter.map_or_else(
                    || "the data sets have no rows".to_owned(),
                    |text| format!("no row is left by --where '{text}'"),
                );
                return Err(AnalysisError::Figure { reason });
            }
            self.values.insert(name, values.into_iter().collect());
        }
        Ok(())
    }

    pub(super) fn is_text(&self, name: &str) -> bool {
        name == PARADIGM || name == crate::source::DATASET
    }

    /// Values of an axis.
    pub(crate) fn axis(&self, name: &str) -> &[Key] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Axes with more than one value, in file order, the paradigm last.
    pub(crate) fn varying(&self) -> Vec<&str> {
        let names = self.columns.axes.iter().map(String::as_str).chain([PARADIGM]);
        names.filter(|name| self.axis(name).len() > 1).collect()
    }

    /// Restricts the rows to one value of an axis.
    pub(crate) fn fix(&mut self, name: &str, value: &Key) {
        let condition = match value {
            Key::Number(number) => key(name, false).eq(lit(*number)),
            Key::Text(text) => key(name, true).eq(lit(text.clone())),
        };
        self.frame = self.frame.clone().filter(condition);
        self.values.insert(name.to_owned(), vec![value.clone()]);
    }

    /// Restricts the rows to some paradigms.
    pub(crate) fn keep_paradigms(&mut self, paradigms: &[&'static Paradigm]) -> Result<(), AnalysisError> {
        let kept: Vec<Key> = self
            .axis(PARADIGM)
            .iter()
            .filter(|key| key.paradigm().is_some_and(|it| paradigms.contains(&it)))
            .cloned()
            .collect();
        let named = |paradigm: &&'static Paradigm| key(PARADIGM, true).eq(lit(paradigm.name));
        let condition = paradigms.iter().map(named).reduce(|any, one| any.or(one));
        let (false, Some(condition)) = (kept.is_empty(), condition) else {
            let names: Vec<&str> = paradigms.iter().map(|paradigm| paradigm.name).collect();
            let reason = format!(
                "the rows have neither of the paradigms that this figure shows: {}",
                names.join(", ")
            );
            return Err(AnalysisError::Figure { reason });
        };
        self.frame = self.frame.clone().filter(condition);
        self.values.insert(PARADIGM.to_owned(), kept);
        Ok(())
    }

    /// An axis by its name, or an error with the nearest names.
    pub(crate) fn known_axis(&self, name: &str) -> Result<String, AnalysisError> {
        if self.values.contains_key(name) {
            return Ok(name.to_owned());
        }
        Err(spelling::unknown("axis", name, &self.values.keys().cloned().collect::<Vec<_>>()))
    }

    /// A metric by its name, or an error with the nearest names.
    pub(crate) fn known_metric(&self, name: &str) -> Result<String, AnalysisError> {
        let found = self.columns.metrics.iter().find(|metric| *metric == name).cloned();
        found.ok_or_else(|| spelling::unknown("metric", name, &METRICS.map(str::to_owned)))
    }

    /// Refuses axes that vary and are not among `placed`: their values would be averaged silently.
    /// Refuses an axis with two places as well.
    pub(crate) fn refuse_free(&self, placed: &[&str]) -> Result<(), AnalysisError> {
        let twice = placed.iter().enumerate().find(|(at, name)| placed[..*at].contains(name));
        if let Some((_, name)) = twice {
            let reason = format!("`{name}` is given two places in the figure: give one of them another axis");
            return Err(AnalysisError::Figure { reason });
        }
        let Some(name) = self.varying().into_iter().find(|name| !placed.contains(name)) else {
            return Ok(());
        };
        let values = self.axis(name);
        let example = match values.last() {
            Some(Key::Text(text)) => format!("\"{text}\""),
            Some(Key::Number(value)) => format!("{value}"),
            None => String::new(),
        };
        Err(AnalysisError::FreeAxis { axis: name.to_owned(), count: values.len(), example })
    }

    /// The rows as a lazy frame.
    pub(crate) fn frame(&self) -> LazyFrame {
        self.frame.clone()
    }
}

/// The column of an axis as a key.
pub(super) fn key(name: &str, text: bool) -> Expr {
    col(name).cast(if text { DataType::String } else { DataType::Float64 })
}

/// A column of keys.
pub(super) fn keys(frame: &DataFrame, name: &str) -> Result<Vec<Key>, AnalysisError> {
    let column = frame.column(name)?;
    let read = |row| {
        let value = column.get(row)?;
        Ok(match value.get_str() {
            Some(text) => Key::Text(text.to_owned()),
            None => Key::Number(value.try_extract::<f64>().unwrap_or(f64::NAN)),
        })
    };
    (0..column.len()).map(read).collect()
}
