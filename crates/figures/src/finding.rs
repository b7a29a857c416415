//! What a study found, in a sentence or two: who is best in how many cells, and whose threshold is
//! the lower one.

use std::collections::BTreeMap;

use eigensweep_store::boundary::{ALPHA, Line};
use eigensweep_store::columns::PARADIGM;
use eigensweep_store::format::{count, digits};
use eigensweep_theory::Paradigm;
use eigensweep_theory::metrics::{DISTANCE, Metric};

use crate::cells::{Cells, interval, verdict_counts};
use crate::contest::{Contest, Lower, Outcome};
use crate::data::{Key, Lines, first_metric};
use crate::verdict::{BEYOND, recovers};
use crate::{FigureError, Source};

/// So few cells are counted; of more the share is told.
const FEW_CELLS: usize = 20;

/// What the data sets say at their largest n: which paradigm is best in how many cells (a
/// combination of all axes but n), by the first metric that the jobs have, and which one has the
/// lower threshold; of critical alignments, how they move along n or the axis with the most values.
/// `None` where nothing can be compared.
///
/// # Errors
///
/// What reading the data sets gives, or [`FigureError::Figure`] where the cells are too many.
pub fn finding(sources: &[Source]) -> Result<Option<String>, FigureError> {
    if sources.iter().all(Source::has_boundaries) {
        return Ok(traced(&Cells::read(sources, None)?));
    }
    let metric = first_metric(sources);
    let mut rows = Lines::read(sources, None, Some(metric))?;
    rows.keep_largest();
    of(&rows, metric)
}

/// What lines at the largest n say.
pub(crate) fn of(rows: &Lines<'_>, metric: &'static Metric) -> Result<Option<String>, FigureError> {
    let axes: Vec<&str> = rows.axes.iter().map(String::as_str).collect();
    let Some(contest) = Contest::new(rows, &axes, metric)? else { return recoveries(rows, metric) };
    let all = contest.cells.len();
    let others = [Outcome::Unclear, Outcome::NoneRecovers, Outcome::NoThreshold, Outcome::Missing];
    let outcomes = contest.rivals.iter().map(|rival| Outcome::Better(rival)).chain(others);
    let count = |outcome| contest.cells.values().filter(|cell| cell.outcome == outcome).count();
    let mut counted: Vec<(usize, Outcome)> = outcomes.map(|outcome| (count(outcome), outcome)).collect();
    counted.retain(|(cells, _)| *cells > 0);
    if counted.iter().all(|(_, outcome)| *outcome == Outcome::Missing) {
        return Ok(None);
    }
    // Who is best most often comes first, what is nobody's last.
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Better(_) => 0,
        Outcome::NoneRecovers => 1,
        Outcome::NoThreshold => 2,
        Outcome::Unclear => 3,
        Outcome::Missing => 4,
    };
    counted.sort_by_key(|(cells, outcome)| (rank(outcome), all - cells));
    let [_, superlative] = contest.words;
    let by = if *metric == DISTANCE { String::new() } else { format!(" ({})", metric.title) };
    let mut parts = Vec::new();
    for (at, (cells, outcome)) in counted.iter().enumerate() {
        let share = share(*cells, all, at == 0);
        let name = contest.name(*outcome);
        parts.push(match outcome {
            Outcome::Better(_) if at == 0 => {
                format!("{name} is {superlative}{by} in {share}")
            }
            Outcome::Better(_)
            | Outcome::Unclear
            | Outcome::NoneRecovers
            | Outcome::NoThreshold
            | Outcome::Missing => format!("{name} in {share}"),
        });
    }
    let field = if contest.partial { format!(" of {},", contest.field()) } else { String::new() };
    let beyond = count(Outcome::NoThreshold) > 0;
    let mut sentences = vec![format!("{},{field} {}.", at_largest(rows), parts.join(", "))];
    sentences.extend(lower_thresholds(&axes, &contest));
    sentences.extend(beyond.then(|| BEYOND.to_owned()));
    Ok(Some(sentences.join(" ")))
}

fn at_largest(rows: &Lines<'_>) -> String {
    match rows.axis("samples") {
        [only] => format!("At n = {}", only.text()),
        _ => "At the largest n".to_owned(),
    }
}

/// `61 % of 243 cells`, or `4 of 6 cells` where they are few; without the cells where they were
/// named before.
fn share(cells: usize, all: usize, named: bool) -> String {
    let total = count(all as u128);
    match (all <= FEW_CELLS, named) {
        (true, true) => format!("{cells} of {total} cell{}", if all == 1 { "" } else { "s" }),
        (true, false) => cells.to_string(),
        (false, named) => {
            let percent = 100.0 * cells as f64 / all as f64;
            let text = if percent < 1.0 { "less than 1 %".to_owned() } else { format!("{percent:.0} %") };
            if named { format!("{text} of {total} cells") } else { text }
        }
    }
}

/// Whose threshold is the lower one in how many settings: combinations of the axes that thresholds
/// may depend on.
fn lower_thresholds(axes: &[&str], contest: &Contest) -> Option<String> {
    let matters: Vec<usize> =
        (0..axes.len()).filter(|&at| !["samples", "alignment"].contains(&axes[at])).collect();
    let settings: BTreeMap<Vec<&Key>, Lower> = contest
        .cells
        .iter()
        .filter_map(|(key, cell)| Some((matters.iter().map(|&at| &key[at]).collect(), cell.lower()?)))
        .collect();
    let mut told = Vec::new();
    for rival in &contest.rivals {
        let is_own = |lower: &&Lower| match lower {
            Lower::By(paradigm, _) | Lower::Zero(paradigm) | Lower::Only(paradigm) => paradigm == rival,
            Lower::Equal | Lower::Always | Lower::Never => false,
        };
        let own: Vec<&Lower> = settings.values().filter(is_own).collect();
        if own.is_empty() {
            continue;
        }
        let factors = own.iter().filter_map(|lower| match lower {
            Lower::By(_, factor) => Some(*factor),
            Lower::Zero(_) | Lower::Only(_) | Lower::Equal | Lower::Always | Lower::Never => None,
        });
        let zeros = own.iter().filter(|lower| matches!(lower, Lower::Zero(_))).count();
        let (least, most) = (factors.clone().fold(f64::INFINITY, f64::min), factors.fold(0.0, f64::max));
        let [low, high] = [least, most].map(|factor| digits(factor, 3));
        let factor = if most <= 0.0 {
            String::new()
        } else if low == high {
            format!(", by a factor {low}")
        } else {
            format!(", by a factor {low} to {high}")
        };
        // Of 0 there is no factor.
        let factor = match zeros {
            0 => factor,
            all if all == own.len() => " (it is 0)".to_owned(),
            some => format!("{factor} (in {some} of them it is 0)"),
        };
        told.push((own.len(), rival, factor));
    }
    told.sort_by_key(|(count, ..)| settings.len() - count);
    let all = settings.len();
    let each = |(at, (count, rival, factor)): (usize, &(usize, &&Paradigm, String))| match (all, at) {
        (1, _) => format!("{rival}'s{factor}"),
        (_, 0) => format!("{rival}'s in {count} of {all} settings{factor}"),
        _ => format!("{rival}'s in {count}{factor}"),
    };
    let text = told.iter().enumerate().map(each).collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then(|| format!("The lower threshold α* is {text}."))
}

/// How critical alignments move from one end of an axis to the other, at the middle of the others;
/// which paradigm's is the lower one in how many cells; and how many cells have none.
pub(crate) fn traced(cells: &Cells<'_>) -> Option<String> {
    let along = cells.across(&["samples"]);
    // One value of every other axis.
    let others = cells.varying().into_iter().filter(|name| ![along, PARADIGM].contains(name));
    let fixed: Vec<(&str, Key)> = others
        .map(|name| {
            let values = cells.axis(name);
            (name, values[values.len() / 2].clone())
        })
        .collect();
    let mut own = cells.lines.iter().collect::<Vec<&Line>>();
    own.retain(|line| fixed.iter().all(|(name, value)| Cells::key(line, name) == *value));
    own.sort_by(|one, other| Cells::key(one, along).cmp(&Cells::key(other, along)));
    let told = |line: &Line| match (line.value(&ALPHA), line.verdict.as_str()) {
        (Some(alpha), _) => digits(alpha, 3),
        (None, "always") => "0 (every α recovers)".to_owned(),
        (None, "never") => "none (no α recovers)".to_owned(),
        (None, _) => "unknown".to_owned(),
    };
    let moves = |paradigm: &&'static Paradigm| {
        let mut own = own.iter().filter(|line| line.paradigm == *paradigm);
        let first = own.next()?;
        let at = |line: &Line| cells.valued(along, &Cells::key(line, along));
        Some(match own.next_back() {
            None => format!("α* of {paradigm} is {} at {}", told(first), at(first)),
            Some(last) => {
                let verb = match (interval(first), interval(last)) {
                    (Some([low, _]), Some([_, high])) if high < low => "falls",
                    (Some([_, high]), Some([low, _])) if low > high => "rises",
                    _ => "goes",
                };
                let (from, to) = (told(first), told(last));
                format!("α* of {paradigm} {verb} from {from} at {} to {to} at {}", at(first), at(last))
            }
        })
    };
    let paradigms = cells.paradigms();
    let parts: Vec<String> = paradigms.iter().filter_map(moves).collect();
    let place: Vec<String> = fixed.iter().map(|(name, value)| cells.valued(name, value)).collect();
    let place = if place.is_empty() { String::new() } else { format!("At {}, ", place.join(", ")) };
    let mut sentences = vec![format!("{place}{}.", parts.join("; "))];
    if let [one, other] = paradigms[..] {
        let pairs = cells.pairs([one, other]);
        let below = |low: usize| {
            let apart = |pair: &&[&Line; 2]| matches!((interval(pair[low]), interval(pair[1 - low])), (Some([_, high]), Some([low, _])) if high < low);
            pairs.iter().filter(apart).count()
        };
        let [first, second] = [below(0), below(1)];
        let apart = format!(
            "The lower α* is {one}'s in {}, {other}'s in {}",
            share(first, pairs.len(), true),
            share(second, pairs.len(), false)
        );
        let open = pairs.len() - first - second;
        let rest = if open > 0 {
            format!("; intervals meet in {}", share(open, pairs.len(), false))
        } else {
            String::new()
        };
        sentences.extend((!pairs.is_empty()).then(|| format!("{apart}{rest}.")));
    }
    let [always, never, _] = verdict_counts(&cells.lines);
    for (cells_of, how) in [always, never].into_iter().filter(|(count, _)| *count > 0) {
        let all = cells.lines.len();
        sentences.push(format!(
            "{} recover{} {how}.",
            share(cells_of, all, true),
            if cells_of == 1 { "s" } else { "" }
        ));
    }
    (!parts.is_empty()).then(|| sentences.join(" "))
}

/// Where there is nobody to compare with: in how many cells a paradigm recovers.
fn recoveries(rows: &Lines<'_>, metric: &'static Metric) -> Result<Option<String>, FigureError> {
    let by: Vec<&str> = rows.axes.iter().map(String::as_str).chain(["paradigm"]).collect();
    let groups = rows.grouped(&by, metric)?;
    let (mut parts, mut beyond, mut all) = (Vec::new(), 0, 0);
    for paradigm in rows.paradigms().into_iter().filter(|paradigm| paradigm.threshold.is_some()) {
        let own = groups.iter().filter(|(key, _)| key.last().and_then(Key::paradigm) == Some(paradigm));
        let known: Vec<(bool, bool)> = own
            .filter_map(|(_, stats)| Some((recovers(paradigm, stats.above)?, stats.has_no_threshold())))
            .collect();
        if !known.is_empty() {
            let yes = known.iter().filter(|(yes, _)| *yes).count();
            parts.push(format!("{paradigm} recovers in {}", share(yes, known.len(), true)));
            beyond = beyond.max(known.iter().filter(|(_, beyond)| *beyond).count());
            all = known.len();
        }
    }
    if beyond > 0 {
        parts.push(format!("k > k₀ in {}", share(beyond, all, false)));
    }
    let note = if beyond > 0 { format!(" {BEYOND}") } else { String::new() };
    Ok((!parts.is_empty()).then(|| format!("As n → ∞, {}.{note}", parts.join(", "))))
}
