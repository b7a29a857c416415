//! From summaries to the numbers of a figure: lines, the values of their axes, and what is said of
//! a metric in each group.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use eigensweep_job::Detail;
use eigensweep_store::columns::{DATASET, PARADIGM};
use eigensweep_store::filter::{Filter, FilterError};
use eigensweep_store::find;
use eigensweep_store::format::{settled, settled_error};
use eigensweep_store::source::UnknownName;
use eigensweep_store::summary::{self, Line, Selection, Statistics, Table};
use eigensweep_theory::metrics::{self, DISTANCE, Metric, THRESHOLD_SQUARED};
use eigensweep_theory::thresholds::alignment;
use eigensweep_theory::{Paradigm, paradigms};

use crate::names::{self, pretty};
use crate::{FigureError, Source};

/// Points that are more than a figure can show.
const MOST_POINTS: usize = 200_000;

/// Lines that are read to choose from.
const MOST_LINES: usize = 1_000_000;

/// A coordinate of a group; NaN, which equals itself here, where a data set has no such axis.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Number(f64),
    Text(String),
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
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
        match self {
            Self::Number(_) => None,
            Self::Text(text) => paradigms::named(text),
        }
    }
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
    pub median: Option<f64>,
    /// Quantile at 5 %.
    pub low: Option<f64>,
    /// Quantile at 95 %.
    pub high: Option<f64>,
    /// Share of the replicates whose threshold α² exceeds; none where there is no threshold.
    pub above: Option<f64>,
    /// Median of the thresholds on α², signed, and their 5 % and 95 % quantiles; infinite where no
    /// α recovers.
    pub threshold: Option<[f64; 3]>,
    /// Whether views are chains of stages, of which the propositions say nothing.
    pub staged: bool,
}

impl Stats {
    /// The threshold `α* = √max(0, α²)` at the median of α², and at its 5 % and 95 % quantiles.
    pub(crate) fn alpha(&self) -> Option<[f64; 3]> {
        Some(self.threshold?.map(alignment))
    }

    /// Whether there is no threshold because k > k₀: that of every replicate is infinite.
    pub(crate) fn has_no_threshold(&self) -> bool {
        self.threshold.is_some_and(|squared| squared.into_iter().all(|it| it == f64::INFINITY))
    }
}

/// The difference between two paradigms, the first minus the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub mean: f64,
    /// Standard error of the mean; none of one replicate.
    pub error: Option<f64>,
    /// Replicates where both have a value; none where they are not paired.
    pub count: Option<f64>,
}

/// The lines that a figure is drawn from: combinations of the axes and paradigms of one or several
/// data sets.
pub(crate) struct Lines<'s> {
    sources: &'s [Source],
    /// By source.
    tables: Vec<Table>,
    /// Source and place in its table of each line.
    lines: Vec<(usize, usize)>,
    /// Whether all data sets keep rows, or some a summary in their place.
    pub detail: Detail,
    /// Axes, in file order; [`DATASET`] first where several data sets are read.
    pub axes: Vec<String>,
    /// Values of each axis that are there, paradigm included, in order.
    pub values: BTreeMap<String, Vec<Key>>,
    /// Axes of which one value stands for all.
    sliced: BTreeMap<String, Sliced>,
    /// Axes that hold multiples of what the clean data have, in all of the data sets.
    relative: BTreeSet<&'static str>,
    /// What is said of axes of which some values are shown.
    pub thinned: Vec<String>,
}

/// How an axis was cut to one of its values.
struct Sliced {
    /// In words, how the value stands among the others.
    among: String,
    /// A value that was left out.
    other: Option<Key>,
}

impl<'s> Lines<'s> {
    /// The lines of all rows of the data sets, or of those for which the condition `filter` holds,
    /// with a metric and the thresholds.
    pub(crate) fn read(
        sources: &'s [Source],
        filter: Option<&str>,
        metric: Option<&'static Metric>,
    ) -> Result<Self, FigureError> {
        let parsed = filter.map(|text| parse(sources, text)).transpose()?;
        let mut metrics: Vec<&'static Metric> = metric.into_iter().collect();
        if metric != Some(&THRESHOLD_SQUARED) {
            metrics.push(&THRESHOLD_SQUARED);
        }
        let read = |source: &Source| {
            let selection = parsed.as_ref().map(|filter| Selection { filter, dataset: &source.name });
            let table = summary::read(&source.dataset, &metrics, selection, MOST_LINES)?;
            table.ok_or_else(|| too_many(&format!("more than {MOST_LINES}")))
        };
        let tables = sources.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let places = tables.iter().enumerate();
        let lines = places.flat_map(|(source, table)| (0..table.lines.len()).map(move |line| (source, line)));
        let mut axes: Vec<String> = if sources.len() > 1 { vec![DATASET.to_owned()] } else { Vec::new() };
        for axis in sources.iter().flat_map(|source| source.job().axes()) {
            if !axes.iter().any(|name| name == axis.name) {
                axes.push(axis.name.to_owned());
            }
        }
        let detail = if sources.iter().all(Source::keeps_rows) { Detail::Rows } else { Detail::Summary };
        let mut found = Self {
            sources,
            lines: lines.collect(),
            tables,
            detail,
            axes,
            values: BTreeMap::new(),
            sliced: BTreeMap::new(),
            relative: BTreeSet::new(),
            thinned: Vec::new(),
        };
        if found.lines.is_empty() {
            let reason = filter.map_or_else(
                || "the data sets have no rows".to_owned(),
                |text| {
                    let named = sources.iter().map(|source| (source.name.as_str(), &source.dataset));
                    let why =
                        parsed.as_ref().map_or_else(String::new, |filter| find::why_none(filter, named));
                    format!("no row is left by --where '{text}'{why}")
                },
            );
            return Err(FigureError::Figure { reason });
        }
        found.relative = found.relative()?;
        for name in found.axes.iter().map(String::as_str).chain([PARADIGM]) {
            let values: BTreeSet<Key> = found.lines.iter().map(|&place| found.key(place, name)).collect();
            found.values.insert(name.to_owned(), values.into_iter().collect());
        }
        Ok(found)
    }

    /// Axes that hold multiples. Refuses those that do in some of the data sets alone: their values
    /// are not of one kind.
    fn relative(&self) -> Result<BTreeSet<&'static str>, FigureError> {
        let there: BTreeSet<usize> = self.lines.iter().map(|(source, _)| *source).collect();
        let mut seen: BTreeMap<&'static str, (bool, &str)> = BTreeMap::new();
        for source in there.into_iter().map(|at| &self.sources[at]) {
            for axis in source.job().axes() {
                let (relative, first) = *seen.entry(axis.name).or_insert((axis.relative, &source.name));
                if relative != axis.relative {
                    let (one, other) = if relative { (first, &*source.name) } else { (&*source.name, first) };
                    let reason = format!(
                        "`{}` holds multiples of {} in {one} and absolute values in {other}: they share no axis; name one of the \
                         data sets",
                        axis.name,
                        names::multiples(axis.name)
                    );
                    return Err(FigureError::Figure { reason });
                }
            }
        }
        Ok(seen.into_iter().filter(|(_, (relative, _))| *relative).map(|(name, _)| name).collect())
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

    fn line(&self, (source, line): (usize, usize)) -> (&Table, &Line) {
        (&self.tables[source], &self.tables[source].lines[line])
    }

    /// A coordinate of a line; NaN for an axis that its data set does not have.
    fn key(&self, place: (usize, usize), name: &str) -> Key {
        let (table, line) = self.line(place);
        match name {
            PARADIGM => Key::Text(table.paradigm(line).name.to_owned()),
            DATASET => Key::Text(self.sources[place.0].name.clone()),
            _ => Key::Number(table.axis(line, name).unwrap_or(f64::NAN)),
        }
    }

    /// Values of an axis.
    pub(crate) fn axis(&self, name: &str) -> &[Key] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Axes with more than one value, in file order, the paradigm last; without those that have one
    /// value in each of several data sets, for which [`DATASET`] stands.
    pub(crate) fn varying(&self) -> Vec<&str> {
        let names = self.axes.iter().map(String::as_str).chain([PARADIGM]);
        let tells = |name: &&str| {
            [DATASET, PARADIGM].contains(name) || self.own(name).iter().any(|own| own.len() > 1)
        };
        names.filter(|name| self.axis(name).len() > 1).filter(tells).collect()
    }

    /// Values of an axis in each of the data sets.
    fn own(&self, name: &str) -> Vec<BTreeSet<Key>> {
        let mut own = vec![BTreeSet::new(); self.sources.len()];
        for &place in &self.lines {
            own[place.0].insert(self.key(place, name));
        }
        own
    }

    /// Paradigms that are there, in order.
    pub(crate) fn paradigms(&self) -> Vec<&'static Paradigm> {
        self.axis(PARADIGM).iter().filter_map(Key::paradigm).collect()
    }

    /// Restricts the lines to some values of an axis.
    pub(crate) fn keep(&mut self, name: &str, values: Vec<Key>) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|&place| values.contains(&self.key(place, name)));
        self.lines = lines;
        self.values.insert(name.to_owned(), values);
    }

    /// Restricts the lines to the paradigms that are as asked.
    pub(crate) fn keep_paradigms(&mut self, asked: fn(&Paradigm) -> bool) -> Result<(), FigureError> {
        let mut kept = self.axis(PARADIGM).to_vec();
        kept.retain(|key| key.paradigm().is_some_and(asked));
        if kept.is_empty() {
            let names: Vec<&str> =
                paradigms::ALL.iter().filter(|it| asked(it)).map(|paradigm| paradigm.name).collect();
            let reason = format!(
                "the rows have neither of the paradigms that this figure shows: {}",
                names.join(", ")
            );
            return Err(FigureError::Figure { reason });
        }
        self.keep(PARADIGM, kept);
        Ok(())
    }

    /// An axis by its name, or an error with the nearest name.
    pub(crate) fn known_axis(&self, name: &str) -> Result<String, FigureError> {
        if self.values.contains_key(name) {
            return Ok(name.to_owned());
        }
        Err(UnknownName::new("axis", name, self.values.keys().map(String::as_str)).into())
    }

    /// Fewest and most replicates of a line.
    pub(crate) fn replicates(&self) -> (u64, u64) {
        let counts = self.lines.iter().map(|&place| self.line(place).1.replicates);
        (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0))
    }

    /// Restricts each data set to its largest n.
    pub(crate) fn keep_largest(&mut self) {
        let largest: Vec<Option<i64>> = self
            .sources
            .iter()
            .map(|source| source.job().grid.samples.values().iter().max().copied())
            .collect();
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|&place| {
            let is = |n: i64| self.key(place, "samples") == Key::Number(n as f64);
            largest[place.0].is_none_or(is)
        });
        let values: BTreeSet<Key> = lines.iter().map(|&place| self.key(place, "samples")).collect();
        self.values.insert("samples".to_owned(), values.into_iter().collect());
        self.lines = lines;
    }

    /// Leaves at most `most` values of an axis, the ends among them, and says so.
    pub(crate) fn thin(&mut self, name: &str, most: usize) {
        let values = self.axis(name);
        let count = values.len();
        if count <= most {
            return;
        }
        let kept: Vec<Key> = (0..most).map(|at| values[at * (count - 1) / (most - 1)].clone()).collect();
        let listed =
            |keys: &mut dyn Iterator<Item = &Key>| keys.map(Key::text).collect::<Vec<_>>().join(", ");
        // Whichever list is the shorter one.
        let which = if count - most <= most {
            format!("all but {}", listed(&mut values.iter().filter(|value| !kept.contains(value))))
        } else {
            listed(&mut kept.iter())
        };
        self.keep(name, kept);
        let name = name.replace('_', " ");
        self.thinned.push(format!("{most} of {count} values of {name} are shown: {which}."));
    }

    /// Leaves one value of an axis of numbers: the largest n, of any other axis the middle one; of
    /// those that all data sets have, or where they have none in common, of each data set's own.
    pub(crate) fn slice(&mut self, name: &str) {
        let own = self.own(name);
        if own.iter().all(|values| values.len() <= 1) {
            return;
        }
        let at = |values: &BTreeSet<Key>| {
            if name == "samples" { values.len().saturating_sub(1) } else { values.len() / 2 }
        };
        let pick = |values: &BTreeSet<Key>| values.iter().nth(at(values)).cloned();
        let there = own.iter().filter(|values| !values.is_empty());
        let common = there.cloned().reduce(|one, other| &one & &other).unwrap_or_default();
        let (picked, among): (Vec<Option<Key>>, String) = match common.len() {
            0 => (own.iter().map(pick).collect(), "each data set's own".to_owned()),
            1 => (vec![pick(&common); own.len()], "the one in common".to_owned()),
            count => {
                let place = if at(&common) + 1 == count { "largest" } else { "middle" };
                (vec![pick(&common); own.len()], format!("{place} of {count}"))
            }
        };
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|&place| picked[place.0].as_ref().is_some_and(|kept| self.key(place, name) == *kept));
        self.lines = lines;
        let other = self.axis(name).iter().find(|value| !picked.contains(&Some((*value).clone()))).cloned();
        let kept: BTreeSet<Key> = picked.into_iter().flatten().collect();
        self.values.insert(name.to_owned(), kept.into_iter().collect());
        self.sliced.insert(name.to_owned(), Sliced { among, other });
    }

    /// [Slices](Self::slice) the axes that vary and are not among `placed`. Refuses an axis with
    /// two places, and axes of text without one: none of their values stands for the others.
    pub(crate) fn slice_free(&mut self, placed: &[&str]) -> Result<(), FigureError> {
        let twice = placed.iter().enumerate().find(|(at, name)| placed[..*at].contains(name));
        if let Some((_, name)) = twice {
            let reason = format!("`{name}` is given two places in the figure: give one of them another axis");
            return Err(FigureError::Figure { reason });
        }
        let free: Vec<String> =
            self.varying().into_iter().filter(|name| !placed.contains(name)).map(str::to_owned).collect();
        let is_text = |name: &&String| self.axis(name).iter().any(|value| value.number().is_none());
        let texts: Vec<&String> = free.iter().filter(is_text).collect();
        if !texts.is_empty() {
            let each = |name: &&String| format!("`{name}` ({} values)", self.axis(name).len());
            let example = |name: &&String| {
                self.axis(name)
                    .last()
                    .map(|value| format!("{name} = \"{}\"", value.text()))
                    .unwrap_or_default()
            };
            let reason = format!(
                "no place in the figure for {}: choose one value of each, as in `--where '{}'`, or give a place with --x, \
                 --color or --facet",
                texts.iter().map(each).collect::<Vec<_>>().join(" and "),
                texts.iter().map(example).collect::<Vec<_>>().join(" and ")
            );
            return Err(FigureError::Figure { reason });
        }
        for name in free {
            self.slice(&name);
        }
        Ok(())
    }

    /// Axes of which one value is there, as a figure shows them, and those that were sliced.
    pub(crate) fn constants(&self, asked: &[&str], placed: &[&str]) -> Vec<String> {
        let sliced = self.sliced.keys().map(String::as_str).filter(|name| !asked.contains(name));
        let plain = |name: &str| self.sources.iter().all(|source| names::is_plain_list(source.job(), name));
        let names = asked.iter().copied().chain(sliced).filter(|name| !placed.contains(name) && !plain(name));
        let shown = |name: &str| {
            let (values, sliced) = (self.axis(name), self.sliced.get(name));
            let texts: Vec<String> = values.iter().map(Key::text).collect();
            let among = sliced.map(|sliced| format!(" ({})", sliced.among));
            let one = values.len() == 1 || sliced.is_some();
            let relative = self.relative.contains(name);
            one.then(|| names::valued(name, &texts.join(", "), relative) + &among.unwrap_or_default())
        };
        names.filter_map(shown).collect()
    }

    /// How to see what was sliced away.
    pub(crate) fn hint(&self) -> Option<String> {
        let other = |(name, sliced): (&String, &Sliced)| {
            sliced.other.as_ref()?.number().map(|value| format!("{name} = {value}"))
        };
        let others: Vec<String> = self.sliced.iter().filter_map(other).collect();
        let places = "--x, --color and --facet give an axis a place";
        (!others.is_empty()).then(|| {
            format!("--where chooses other values, as in --where '{}'; {places}", others.join(" and "))
        })
    }

    /// Statistics of `metric` in each group of `by`, which every axis that varies belongs to: a
    /// line is a group.
    pub(crate) fn grouped(
        &self,
        by: &[&str],
        metric: &Metric,
    ) -> Result<BTreeMap<Vec<Key>, Stats>, FigureError> {
        if self.lines.len() > MOST_POINTS {
            return Err(too_many(&self.lines.len().to_string()));
        }
        let group = |&place: &(usize, usize)| {
            let (table, line) = self.line(place);
            (by.iter().map(|name| self.key(place, name)).collect(), stats(table, line, metric))
        };
        Ok(self.lines.iter().map(group).collect())
    }

    /// Differences of a metric between two paradigms by the other coordinates, the first minus the
    /// second; only where both are.
    ///
    /// Paradigms of one replicate share their draws, so their difference varies far less than
    /// either: with Dᵣ the difference in replicate r over the R replicates where both have a value,
    /// the error of its mean is sd(D)/√R. Where blocks are kept in place of rows there are means
    /// and their errors only: taken as if they were independent, √(s₁² + s₂²) is on the safe side,
    /// because draws in common make errors alike.
    pub(crate) fn pairs(
        &self,
        by: &[&str],
        metric: &Metric,
        [first, second]: [&'static Paradigm; 2],
    ) -> BTreeMap<Vec<Key>, Pair> {
        let of = |paradigm: &'static Paradigm| {
            let own = self.lines.iter().filter(move |&&place| {
                let (table, line) = self.line(place);
                table.paradigm(line) == paradigm
            });
            own.map(|&place| (by.iter().map(|name| self.key(place, name)).collect::<Vec<_>>(), place))
        };
        let before: BTreeMap<Vec<Key>, (usize, usize)> = of(first).collect();
        let mut pairs = BTreeMap::new();
        for (key, place) in of(second) {
            let Some(&rival) = before.get(&key) else { continue };
            let ((table, line), (_, other)) = (self.line(place), self.line(rival));
            let pair = match table.difference(line, metric, first) {
                Some(apart) => apart.mean.map(|mean| Pair {
                    mean: settled(-mean),
                    error: apart.standard_error.map(|error| settled_error(error, mean)),
                    count: Some(apart.count as f64),
                }),
                None => {
                    let [one, other] = [other, line].map(|line| stats(table, line, metric));
                    let error = f64::hypot(one.error.unwrap_or(0.0), other.error.unwrap_or(0.0));
                    let means = one.mean.zip(other.mean);
                    means.map(|(one, other)| Pair { mean: one - other, error: Some(error), count: None })
                }
            };
            pairs.extend(pair.map(|pair| (key, pair)));
        }
        pairs
    }
}

/// The condition of `--where` on the columns that these data sets have.
fn parse(sources: &[Source], text: &str) -> Result<Filter, FigureError> {
    let all: Vec<_> = sources.iter().map(|source| summary::conditions(&source.dataset)).collect();
    let is_axis =
        |name| sources.iter().any(|source| source.job().axes().iter().any(|axis| axis.name == name));
    let mut columns = if sources.len() > 1 { vec![(DATASET, true)] } else { Vec::new() };
    for column in all.iter().flatten() {
        // What is of rows can be asked where all keep rows; an axis that a data set has not is
        // missing there.
        let everywhere = is_axis(column.0) || all.iter().all(|known| known.contains(column));
        if everywhere && !columns.contains(column) {
            columns.push(*column);
        }
    }
    Filter::parse(text, &columns).map_err(|source| match source {
        FilterError::Column { column, columns, .. } => {
            UnknownName::new("column", &column, columns.iter().map(String::as_str)).into()
        }
        source @ (FilterError::Syntax { .. } | FilterError::Kind { .. }) => {
            FigureError::Condition { text: text.to_owned(), source }
        }
    })
}

/// The metric that is shown where none is asked for: the first that the jobs have.
pub(crate) fn first_metric(sources: &[Source]) -> &'static Metric {
    let has =
        |metric: &&'static Metric| sources.iter().any(|source| source.job().output.metrics.contains(metric));
    metrics::ALL.into_iter().find(has).unwrap_or(&DISTANCE)
}

/// A metric by its name, or an error with the nearest name.
pub(crate) fn known_metric(sources: &[Source], name: Option<&str>) -> Result<&'static Metric, FigureError> {
    let Some(name) = name else { return Ok(first_metric(sources)) };
    let found = metrics::named(name).filter(|metric| {
        let mut columns = sources.iter().flat_map(|source| metrics::columns(&source.job().output.metrics));
        columns.any(|column| column == *metric)
    });
    found.ok_or_else(|| match metrics::named(name) {
        Some(metric) => FigureError::Figure {
            reason: format!(
                "no row has a value of `{}`: the job does not ask for it (`metrics` of its table [output])",
                metric.name
            ),
        },
        None => UnknownName::new("metric", name, metrics::ALL.iter().map(|metric| metric.name)).into(),
    })
}

fn too_many(points: &str) -> FigureError {
    FigureError::Figure {
        reason: format!("{points} points are more than a figure can show: choose some with --where"),
    }
}

fn stats(table: &Table, line: &Line, metric: &Metric) -> Stats {
    let number = |value: Option<f64>| value.filter(|value| value.is_finite()).map(settled);
    let found = table.statistics(line, metric).copied().unwrap_or_default();
    let thresholds = table.statistics(line, &THRESHOLD_SQUARED).copied().unwrap_or_default();
    let mean = number(found.mean);
    let share = match line.above {
        Some(above) => Some(above as f64 / thresholds.count as f64),
        None => table.axis(line, "alignment").and_then(|alpha| share_above(alpha * alpha, &thresholds)),
    };
    let threshold = |value: Option<f64>| value.filter(|value| !value.is_nan()).map(settled);
    let [middle, low, high] = [thresholds.median, thresholds.q05, thresholds.q95].map(threshold);
    Stats {
        count: found.count as f64,
        rows: line.replicates as f64,
        mean,
        error: number(found.standard_error).map(|error| settled_error(error, mean.unwrap_or(0.0))),
        median: number(found.median),
        low: number(found.q05),
        high: number(found.q95),
        above: number(share),
        threshold: middle.zip(low).zip(high).map(|((middle, low), high)| [middle, low, high]),
        // Every job with stages has this axis, and no other one.
        staged: table.axis(line, "floor").is_some(),
    }
}

/// Share of the replicates whose threshold α² exceeds, by the quantiles of the thresholds: none and
/// all are exact, between them the quantiles are joined by straight lines.
fn share_above(alpha_squared: f64, thresholds: &Statistics) -> Option<f64> {
    let Statistics { min, q05, q25, median, q75, q95, max, .. } = *thresholds;
    if alpha_squared > max? {
        return Some(1.0);
    }
    if alpha_squared <= min? {
        return Some(0.0);
    }
    let known =
        [(min?, 0.0), (q05?, 0.05), (q25?, 0.25), (median?, 0.5), (q75?, 0.75), (q95?, 0.95), (max?, 1.0)];
    let pair = known.windows(2).find(|pair| alpha_squared <= pair[1].0)?;
    let [(from, low), (to, high)] = [pair[0], pair[1]];
    let share = low + (alpha_squared - from) / (to - from) * (high - low);
    // Whole replicates, and at least one on either side.
    let count = thresholds.count as f64;
    Some((share * count + 0.5).floor().max(1.0).min(count - 1.0) / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None and all are exact, the ends included; between them the quantiles are joined, and
    /// neither none nor all is said.
    #[test]
    fn the_share_above_a_threshold_is_read_between_quantiles() {
        let thresholds = Statistics {
            count: 50,
            min: Some(1.0),
            q05: Some(2.0),
            q25: Some(3.0),
            median: Some(4.0),
            q75: Some(5.0),
            q95: Some(6.0),
            max: Some(16.0),
            ..Statistics::default()
        };
        let expected = [0.0, 0.0, 0.02, 0.38, 0.5, 0.86, 0.98, 1.0];
        for (square, expected) in [0.5, 1.0, 1.001, 3.5, 4.0, 5.5, 16.0, 16.5].into_iter().zip(expected) {
            let share = share_above(square, &thresholds).unwrap();
            assert!((share - expected).abs() < 1e-12, "{share} at {square}, not {expected}");
        }
        assert_eq!(share_above(1.0, &Statistics::default()), None, "supervised learning has no threshold");
    }
}
