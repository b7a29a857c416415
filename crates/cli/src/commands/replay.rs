//! `replay`: single rows computed again, alone, with what is behind them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eigensweep_engine::EngineError;
use eigensweep_engine::input::Input;
use eigensweep_engine::replay::Alone;
use eigensweep_engine::simulation::explain::Explained;
use eigensweep_store::columns::Status;
use eigensweep_store::dataset::{Dataset, Identity, Section};
use eigensweep_store::filter::Filter;
use eigensweep_store::find::{self, StoredRow};
use eigensweep_store::format::counted;
use eigensweep_store::grid::Values;
use eigensweep_store::rows::{Row, metrics_of};
use eigensweep_store::{StoreError, columns};
use eigensweep_theory::Paradigm;
use serde_json::{Map, Number, Value, json};

use super::{table, verify};
use crate::args::Replay;
use crate::exit::Exit;
use crate::report::CommandError;

/// So many rows that are not shown are counted: finding them reads the parts that they are in.
const COUNTED: usize = 1000;

pub(crate) fn call(arguments: &Replay) -> Result<Exit, CommandError> {
    let root = &arguments.dataset;
    let (dataset, faults) = Dataset::read(root, false)?;
    verify::print_faults(root, &faults);
    let filter = Filter::parse(&arguments.condition, &find::columns(&dataset))?;
    // A few more than are shown, to say how many there are.
    let (mut rows, more) = find::find(&dataset, &filter, arguments.limit.saturating_add(COUNTED))?;
    if rows.is_empty() {
        let why = find::why_none(&filter, [("", &dataset)].into_iter());
        return Err(CommandError::NoRow { condition: arguments.condition.clone(), why });
    }
    let found = rows.len();
    rows.truncate(arguments.limit);
    let input = Arc::new(load(&dataset, root, &arguments.set)?);
    let mut all_same = true;
    let mut objects = Vec::new();
    for stored in &rows {
        let section = &dataset.sections()[stored.section];
        let shown = Shown::new(section, stored, &input)?;
        all_same &= shown.same != Some(false) || shown.was_refused();
        if arguments.json {
            objects.push(shown.json());
        } else {
            shown.print();
        }
    }
    if arguments.json {
        table::print(&serde_json::to_string_pretty(&objects).unwrap_or_default());
    } else if found > rows.len() {
        let (shown, than) = (rows.len(), if more { "more than " } else { "" });
        table::print(&format!("{shown} of {than}{}; --limit shows more", counted(found as u64, "row")));
    }
    if all_same {
        return Ok(Exit::Success);
    }
    tell!(
        "error: a row computed alone differs from the stored one: another program version or machine wrote it (see {}), or it is \
         damaged (see `eigensweep verify`)",
        root.join("logs").display()
    );
    Ok(Exit::Failure)
}

/// The input of a data set's job.
fn load(dataset: &Dataset, root: &Path, set: &[String]) -> Result<Input, CommandError> {
    let job = dataset.job(set).map_err(EngineError::from)?;
    let input = Input::load(&job)?;
    let identity = Identity::new(&job.spec, input.fingerprint());
    if identity.study != dataset.identity().study {
        return Err(StoreError::DifferentJob {
            path: root.to_path_buf(),
            what: dataset.identity().difference(&identity),
        }
        .into());
    }
    Ok(input)
}

/// A row with everything that is shown of it.
struct Shown<'a> {
    section: &'a Section,
    stored: &'a StoredRow,
    alone: Row,
    explained: Explained,
    /// Whether its bits are those stored, if any are.
    same: Option<bool>,
    /// Of the first computation and of the fastest of a few more.
    times: [Duration; 2],
}

impl<'a> Shown<'a> {
    fn new(section: &'a Section, stored: &'a StoredRow, input: &Arc<Input>) -> Result<Self, EngineError> {
        const AGAIN: usize = 5;
        let mut alone = Alone::new(section, stored.row, input)?;
        let mut time = || {
            let clock = Instant::now();
            let values = alone.compute();
            (clock.elapsed(), values)
        };
        let (first, values) = time();
        let best = (0..AGAIN).map(|_| time().0).min().unwrap_or(first);
        let same = stored.stored.as_ref().map(|stored| stored.bits() == values.bits());
        Ok(Self { section, stored, same, alone: values, explained: alone.explain(), times: [first, best] })
    }

    /// Whether an earlier program refused it as singular, which this one solves.
    fn was_refused(&self) -> bool {
        let status = |row: &Row| row.status == Status::NotPositiveDefinite;
        self.stored.stored.as_ref().is_some_and(status) && !status(&self.alone)
    }

    fn paradigm(&self) -> &'static Paradigm {
        self.section.spec.model.paradigms[self.section.plan.grid.paradigm(self.stored.row)]
    }

    /// Each metric: its name, computed alone, and stored.
    fn metrics(&self) -> impl Iterator<Item = (&'static str, Option<f64>, Option<f64>)> + '_ {
        let number = |value: f64| (!value.is_nan()).then_some(value);
        metrics_of(&self.section.spec).into_iter().enumerate().map(move |(at, metric)| {
            let stored = self.stored.stored.as_ref().and_then(|row| number(row.values[at]));
            (metric.name, number(self.alone.values[at]), stored)
        })
    }

    fn stored_status(&self) -> Option<&str> {
        self.stored.stored.as_ref().map(|row| row.status.name())
    }

    /// Names and values of the coordinates; counts are whole.
    fn coordinates(&self) -> Vec<(&'static str, Number)> {
        let (grid, row) = (&self.section.plan.grid, self.stored.row);
        let axes = grid.axes.iter().filter_map(|axis| {
            let index = axis.index(row);
            let value = match &axis.values {
                Values::Integers(values) => Number::from(*values.get(index)?),
                Values::Floats(values) => Number::from_f64(*values.get(index)?)?,
            };
            Some((axis.name, value))
        });
        std::iter::once((columns::REPLICATE, grid.replicate(row).into())).chain(axes).collect()
    }

    fn print(&self) {
        let coordinates = self.coordinates();
        let texts = coordinates.iter().map(|(name, value)| {
            format!("{name} {}", value.as_f64().map_or_else(String::new, table::coordinate))
        });
        table::print(&format!("{}: {}", self.paradigm().name, texts.collect::<Vec<_>>().join(", ")));
        let headings = ["", "computed alone", "stored"].map(str::to_owned);
        let mut values = table::new(&headings, 1);
        let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:e}"));
        for (name, new, old) in self.metrics() {
            values.add_row([name.to_owned(), text(new), text(old)]);
        }
        values.add_row([
            "status".to_owned(),
            self.alone.status.name().to_owned(),
            self.stored_status().unwrap_or("–").to_owned(),
        ]);
        table::print(&values.to_string());
        let verdict = match self.same {
            Some(true) => "the same bits",
            Some(false) if self.was_refused() => {
                "an earlier program refused it, as S is singular; --fresh computes such rows anew"
            }
            Some(false) => "NOT the same bits",
            None => "the data set keeps summaries, no rows",
        };
        let [first, best] = self.times.map(|time| time.as_secs_f64() * 1e3);
        table::print(&format!("{verdict}; data/{}; {first:.3} ms, then {best:.3} ms", self.stored.file));
        let explained = &self.explained;
        if let Some(signal) = &explained.signal {
            table::print(&format!("signal     {}", spectrum(signal)));
        }
        // Views of stages have no such spectra.
        if !explained.theta.is_empty() {
            table::print(&format!("Γ          {}", spectrum(&explained.gamma)));
            table::print(&format!("Θ          {}", spectrum(&explained.theta)));
            let (least, most) = explained.sigma;
            table::print(&format!("Σ          {} to {}", table::number(least), table::number(most)));
        }
        for (paradigm, values) in explained.spectra.iter().filter(|(p, _)| *p == self.paradigm()) {
            let name = paradigm.spectrum.as_ref().map_or("", |pencil| pencil.symbol);
            match values {
                Ok(values) => {
                    table::print(&format!("{name}          {}", spectrum(values)));
                    if let Some(gap) = self.gap(values) {
                        table::print(&gap);
                    }
                }
                Err(failure) => table::print(&format!("{name}          none: {failure}")),
            }
        }
        table::print("");
    }

    /// The k-th and the next eigenvalue, and their gap; eigenvalues may be squares of the values.
    fn gap(&self, values: &[f64]) -> Option<String> {
        let k = self.dimension()?;
        let pencil = self.paradigm().spectrum.as_ref()?;
        let eigenvalue = |at: usize| values.get(at).map(|&value| (pencil.eigenvalue)(value));
        let (kth, next, first) = (eigenvalue(k.checked_sub(1)?)?, eigenvalue(k)?, eigenvalue(0)?);
        let squares = match pencil.name {
            "eigenvalues" => String::new(),
            _ => format!(" (an eigenvalue is the square of {})", pencil.symbol),
        };
        Some(format!(
            "gap        {} = ({} − {}) / {}: of eigenvalues {k}, {} and 1{squares}",
            table::number((kth - next) / first),
            table::number(kth),
            table::number(next),
            table::number(first),
            k + 1,
        ))
    }

    fn dimension(&self) -> Option<usize> {
        let axis = self.section.plan.grid.axis("dimension")?;
        let values = self.section.spec.model.dimension.values();
        values.get(axis.index(self.stored.row)).and_then(|&k| usize::try_from(k).ok())
    }

    fn json(&self) -> Value {
        let mut object: Map<String, Value> =
            self.coordinates().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        object.insert("paradigm".to_owned(), self.paradigm().name.into());
        for (name, new, old) in self.metrics() {
            object.insert(name.to_owned(), json!({ "alone": new, "stored": old }));
        }
        let explained = &self.explained;
        let spectra: Map<String, Value> = explained
            .spectra
            .iter()
            .map(|(paradigm, values)| {
                let values = values.as_ref().map_or_else(|failure| json!(failure.to_string()), |v| json!(v));
                (paradigm.name.to_owned(), values)
            })
            .collect();
        for (key, value) in [
            ("status", json!({ "alone": self.alone.status.name(), "stored": self.stored_status() })),
            ("same_bits", json!(self.same)),
            ("file", self.stored.file.clone().into()),
            ("seconds", json!(self.times.map(|time| time.as_secs_f64()))),
            ("signal", json!(explained.signal)),
            ("gamma", json!(explained.gamma)),
            ("theta", json!(explained.theta)),
            ("spectra", spectra.into()),
        ] {
            object.insert(key.to_owned(), value);
        }
        Value::Object(object)
    }
}

/// A spectrum's largest and smallest values, and how many there are.
fn spectrum(values: &[f64]) -> String {
    const SHOWN: usize = 4;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let text = |values: &[f64]| values.iter().map(|&x| table::number(x)).collect::<Vec<_>>().join(", ");
    if sorted.len() <= 2 * SHOWN {
        return text(&sorted);
    }
    format!(
        "{}, … {} ({} values)",
        text(&sorted[..SHOWN]),
        text(&sorted[sorted.len() - SHOWN..]),
        sorted.len()
    )
}
