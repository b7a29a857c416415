//! `replay`: single rows computed again, alone, with what is behind them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eigensweep_engine::EngineError;
use eigensweep_engine::input::Input;
use eigensweep_engine::replay::{self, Alone, Replayed};
use eigensweep_store::dataset::{Dataset, Section};
use eigensweep_store::filter::Filter;
use eigensweep_store::find::{self, StoredRow};
use eigensweep_store::format::counted;
use serde_json::{Value, json};

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
    let input = Arc::new(replay::input(&dataset, &arguments.set)?);
    let mut all_same = true;
    let mut objects = Vec::new();
    for stored in &rows {
        let section = &dataset.sections()[stored.section];
        let shown = Shown::new(section, stored, &input)?;
        all_same &= shown.replayed.same_bits != Some(false) || shown.replayed.was_refused();
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

/// A row with the times of its first computation and of the fastest of a few more.
struct Shown<'a> {
    replayed: Replayed<'a>,
    times: [Duration; 2],
}

impl<'a> Shown<'a> {
    fn new(section: &'a Section, stored: &'a StoredRow, input: &Arc<Input>) -> Result<Self, EngineError> {
        const AGAIN: usize = 4;
        let mut alone = Alone::new(section, stored.row, input)?;
        let mut time = || {
            let clock = Instant::now();
            alone.compute();
            clock.elapsed()
        };
        let first = time();
        let best = (0..AGAIN).map(|_| time()).min().unwrap_or(first);
        Ok(Self { replayed: Replayed::new(section, stored, &mut alone), times: [first, best] })
    }

    fn print(&self) {
        let replayed = &self.replayed;
        let coordinates = replayed.coordinates();
        let texts = coordinates.iter().map(|(name, value)| {
            format!("{name} {}", value.as_f64().map_or_else(String::new, table::coordinate))
        });
        table::print(&format!("{}: {}", replayed.paradigm().name, texts.collect::<Vec<_>>().join(", ")));
        let headings = ["", "computed alone", "stored"].map(str::to_owned);
        let mut values = table::new(&headings, 1);
        let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:e}"));
        for (name, new, old) in replayed.metrics() {
            values.add_row([name.to_owned(), text(new), text(old)]);
        }
        values.add_row([
            "status".to_owned(),
            replayed.alone.status.name().to_owned(),
            replayed.stored_status().unwrap_or("–").to_owned(),
        ]);
        table::print(&values.to_string());
        let verdict = match replayed.same_bits {
            Some(true) => "the same bits",
            Some(false) if replayed.was_refused() => {
                "an earlier program refused it, as S is singular; --fresh computes such rows anew"
            }
            Some(false) => "NOT the same bits",
            None => "the data set keeps summaries, no rows",
        };
        let [first, best] = self.times.map(|time| time.as_secs_f64() * 1e3);
        table::print(&format!("{verdict}; data/{}; {first:.3} ms, then {best:.3} ms", replayed.stored.file));
        let explained = &replayed.explained;
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
        for (paradigm, values) in explained.spectra.iter().filter(|(p, _)| *p == replayed.paradigm()) {
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
        let k = self.replayed.dimension()?;
        let pencil = self.replayed.paradigm().spectrum.as_ref()?;
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

    fn json(&self) -> Value {
        let mut object = self.replayed.json();
        object.insert("seconds".to_owned(), json!(self.times.map(|time| time.as_secs_f64())));
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
