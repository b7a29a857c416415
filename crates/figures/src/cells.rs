//! Critical alignments as figures and reports read them: cells, the values of their axes, and which
//! of two paradigms comes first where.

use std::collections::{BTreeMap, BTreeSet};

use eigensweep_store::boundary::{self, ALPHA, HIGH, LOW, Line};
use eigensweep_store::columns::{PARADIGM, VERDICT};
use eigensweep_store::filter::{Filter, Value};
use eigensweep_store::source::UnknownName;
use eigensweep_store::summary::Slice;
use eigensweep_theory::{Metric, Paradigm, paradigms};

use crate::data::Key;
use crate::names;
use crate::{FigureError, Source};

/// The cells of one data set, or those for which a condition holds.
pub(crate) struct Cells<'s> {
    pub source: &'s Source,
    pub lines: Vec<Line>,
    /// Axes, in file order.
    pub axes: Vec<&'static str>,
    /// Axes that hold multiples of what the clean data have.
    relative: BTreeSet<&'static str>,
}

impl<'s> Cells<'s> {
    /// Reads them; `filter` is a condition on axes, the paradigm, the verdict and what was found.
    pub(crate) fn read(sources: &'s [Source], filter: Option<&str>) -> Result<Self, FigureError> {
        let [source] = sources else {
            let reason =
                format!("critical alignments are shown of one data set, and {} are given", sources.len());
            return Err(FigureError::Figure { reason });
        };
        let mut lines = boundary::read(&source.dataset)?;
        let axes: Vec<&'static str> =
            lines.first().map_or_else(Vec::new, |line| line.axes.iter().map(|(name, _)| *name).collect());
        if let Some(text) = filter {
            let found: Vec<&'static Metric> =
                source.job().boundary.as_ref().map(boundary::columns).unwrap_or_default();
            let names = axes.iter().copied().chain(found.iter().map(|metric| metric.name));
            let columns: Vec<(&str, bool)> =
                names.map(|name| (name, false)).chain([(PARADIGM, true), (VERDICT, true)]).collect();
            let condition = Filter::parse(text, &columns)
                .map_err(|source| FigureError::Condition { text: text.to_owned(), source })?;
            lines.retain(|line| {
                let value = |name: &str| match name {
                    PARADIGM => Value::Text(line.paradigm.name),
                    VERDICT => Value::Text(&line.verdict),
                    _ => match found.iter().find(|metric| metric.name == name) {
                        Some(metric) => line.value(metric).map_or(Value::Missing, Value::Number),
                        None => coordinate(line, name).map_or(Value::Unknown, Value::Number),
                    },
                };
                condition.holds(&value) == Some(true)
            });
        }
        if lines.is_empty() {
            let reason = filter.map_or_else(
                || format!("{} has no rows yet", source.name),
                |text| format!("no row is left by --where '{text}'"),
            );
            return Err(FigureError::Figure { reason });
        }
        let relative = source.job().axes().into_iter().filter(|axis| axis.relative);
        let relative = relative.map(|axis| axis.name).collect();
        Ok(Self { source, lines, axes, relative })
    }

    /// A coordinate of a cell.
    pub(crate) fn key(line: &Line, name: &str) -> Key {
        match name {
            PARADIGM => Key::Text(line.paradigm.name.to_owned()),
            _ => Key::Number(coordinate(line, name).unwrap_or(f64::NAN)),
        }
    }

    /// Values of an axis that are there, in order.
    pub(crate) fn axis(&self, name: &str) -> Vec<Key> {
        let values: BTreeSet<Key> = self.lines.iter().map(|line| Self::key(line, name)).collect();
        values.into_iter().collect()
    }

    /// Values of an axis of numbers.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.axis(name).iter().filter_map(Key::number).collect()
    }

    /// Axes with more than one value, in file order, the paradigm last.
    pub(crate) fn varying(&self) -> Vec<&'static str> {
        self.axes.iter().copied().chain([PARADIGM]).filter(|name| self.axis(name).len() > 1).collect()
    }

    /// What runs to the right unless asked otherwise: of these axes the first that varies, else the
    /// one with the most values.
    pub(crate) fn across(&self, wanted: &[&'static str]) -> &'static str {
        let varying = self.varying();
        let most = varying.iter().copied().filter(|name| *name != PARADIGM).rev();
        let first = wanted.iter().copied().find(|name| varying.contains(name));
        first.or_else(|| most.max_by_key(|name| self.axis(name).len())).unwrap_or("samples")
    }

    /// Paradigms that are there, in order.
    pub(crate) fn paradigms(&self) -> Vec<&'static Paradigm> {
        paradigms::ALL
            .into_iter()
            .filter(|paradigm| self.lines.iter().any(|line| line.paradigm == *paradigm))
            .collect()
    }

    /// An axis by its name, or an error with the nearest name.
    pub(crate) fn known_axis(&self, name: &str) -> Result<&'static str, FigureError> {
        let names = self.axes.iter().copied().chain([PARADIGM]);
        let found = names.clone().find(|known| *known == name);
        found.ok_or_else(|| UnknownName::new("axis", name, names).into())
    }

    /// Title of an axis.
    pub(crate) fn title(&self, name: &str) -> String {
        names::title(name, self.relative.contains(name))
    }

    /// What an axis is called in tables.
    pub(crate) fn heading(&self, name: &str) -> String {
        names::heading(name, self.relative.contains(name))
    }

    /// An axis and one of its values, as a figure shows them.
    pub(crate) fn valued(&self, name: &str, value: &Key) -> String {
        names::valued(name, &value.text(), self.relative.contains(name))
    }

    /// Axes of one value that a reader would ask for, with that value.
    pub(crate) fn constants(&self) -> Vec<String> {
        let worth = ["samples", "noise_scale", "augmentation_scale", "dimension", "noise_components"];
        let names = self.axes.iter().filter(|name| worth.contains(*name));
        let constant = |name: &&'static str| match self.axis(name).as_slice() {
            [only] if !names::is_plain_list(self.source.job(), name) => Some(self.valued(name, only)),
            _ => None,
        };
        names.filter_map(constant).collect()
    }

    /// So few values of the axes but one that at most `most` cells and paradigms are left.
    pub(crate) fn slice(&self, most: usize) -> Slice {
        let axes = self.axes.iter().map(|name| (*name, self.numbers(name)));
        Slice::new(axes, most / self.paradigms().len().max(1))
    }

    /// The cells that a slice leaves.
    pub(crate) fn of(&self, slice: &Slice) -> Vec<&Line> {
        let holds = |line: &&Line| line.axes.iter().all(|&(name, value)| slice.holds(name, value));
        self.lines.iter().filter(holds).collect()
    }

    /// Two paradigms at each combination of the axes that both have.
    pub(crate) fn pairs(&self, two: [&'static Paradigm; 2]) -> Vec<[&Line; 2]> {
        let mut found: BTreeMap<Vec<Key>, [Option<&Line>; 2]> = BTreeMap::new();
        for line in &self.lines {
            let Some(at) = two.iter().position(|paradigm| *paradigm == line.paradigm) else { continue };
            let key = self.axes.iter().map(|name| Self::key(line, name)).collect();
            found.entry(key).or_default()[at] = Some(line);
        }
        found.into_values().filter_map(|[one, other]| Some([one?, other?])).collect()
    }
}

/// The value of an axis.
pub(crate) fn coordinate(line: &Line, name: &str) -> Option<f64> {
    line.axes.iter().find(|(axis, _)| *axis == name).map(|(_, value)| *value)
}

/// The interval that a cell's α* lies in: zero where every alignment recovers, infinity where none
/// does; `None` where nothing was found.
pub(crate) fn interval(line: &Line) -> Option<[f64; 2]> {
    match line.verdict.as_str() {
        "always" => Some([0.0; 2]),
        "never" => Some([f64::INFINITY; 2]),
        _ => {
            let low = line.value(&LOW).or(line.value(&ALPHA))?;
            Some([low, line.value(&HIGH).unwrap_or(f64::INFINITY)])
        }
    }
}

/// How many cells have no α*, and why.
pub(crate) fn verdict_counts(lines: &[Line]) -> [(usize, &'static str); 3] {
    let of = |verdict: &str| lines.iter().filter(|line| line.verdict == verdict).count();
    let (always, never, traced) = (of("always"), of("never"), of("traced"));
    [
        (always, "at every α"),
        (never, "at no α"),
        (lines.len() - always - never - traced, "with no answer: a problem had no solution"),
    ]
}
