//! Ranges: axes written as their ends and what lies between.
//!
//! Numerics: a ratio or step that comes within 10⁻⁹ of `to` (relative to `to`, or to the step)
//! gives `to` exactly. Values of whole-number keys are rounded to the nearest. Others are rounded
//! to 15 significant digits, so that `0.1 + 2 · 0.1` is the 0.3 that one selects rows by, and those
//! of a logarithmic count to 12, because `exp` and `ln` differ in the last digit between machines
//! and a row must not.

use super::axis::{AXIS_LIMIT, Axis};
use super::numbers::{Allowed, FORMS, exact_integer, first_repeat, shown};
use super::read::Reader;
use super::tree::{Entry, Node, find};

/// How near (relatively) a ratio or step must come to `to` to have hit it: far above the error of a
/// million roundings (10⁻¹⁰), far below any difference that is meant.
const HIT: f64 = 1e-9;

/// The keys of a range.
pub(super) const KEYS: [&str; 6] = ["from", "to", "ratio", "step", "count", "scale"];

const RATIO: Allowed = Allowed::real(
    "above 1",
    |ratio| ratio > 1.0,
    "each value is the one before it times `ratio`, until `to`",
);
const STEP: Allowed =
    Allowed::real("above 0", |step| step > 0.0, "each value is the one before it plus `step`, until `to`");
const COUNT: Allowed = Allowed::whole(
    "a whole number from 2 to 1000000",
    |count| count >= 2.0 && count <= AXIS_LIMIT as f64,
    "`count` is how many values the range has, both ends included",
);

impl Reader<'_> {
    /// An axis written as a range; every value lies between its ends, so `allowed` is asked of
    /// these alone.
    pub(super) fn range(
        &mut self,
        node: &Node,
        path: &str,
        entries: &[Entry],
        allowed: Allowed,
    ) -> Option<Axis<f64>> {
        let sound = self.range_keys(path, entries);
        let (Some(from_node), Some(to_node)) = (find(entries, "from"), find(entries, "to")) else {
            let message = format!("the range `{path}` needs both `from` and `to`");
            return self.refuse(&node.place, message, "not a range", FORMS);
        };
        let from = self.number(from_node, &format!("{path}.from"), allowed);
        let to = self.number(to_node, &format!("{path}.to"), allowed);
        let spacing = self.spacing(node, path, entries, allowed.whole);
        let (from, to, spacing) = (from?, to?, spacing?);
        if to <= from {
            let message = format!("the range `{path}` does not go up");
            let help = "`to` must be above `from`; a single value is written as a number";
            return self.refuse(&to_node.place, message, "not above `from`", help);
        }
        if from <= 0.0 && matches!(spacing, Spacing::Ratio(_) | Spacing::Log(_)) {
            let message = format!("the range `{path}` has equal ratios and cannot start at 0");
            let help = "start above 0, or use `step` or scale = \"linear\"";
            return self.refuse(&from_node.place, message, "no ratio leads away from 0", help);
        }
        let Some(values) = spacing.values(from, to, allowed.whole) else {
            let message = format!("the range `{path}` has more than {AXIS_LIMIT} values");
            return self.refuse(&node.place, message, "too many", "take a larger `ratio` or `step`");
        };
        if let Some(repeat) = first_repeat(&values) {
            let message =
                format!("the range `{path}` has the value {} twice", shown(values[repeat], allowed.whole));
            let help = spacing.without_repeats(from, to, allowed.whole);
            let label = if allowed.whole { "too close once rounded to whole numbers" } else { "too close" };
            return self.refuse(&node.place, message, label, help);
        }
        if sound { Axis::new(values) } else { None }
    }

    /// Refuses keys that ranges do not have; true if there are none.
    fn range_keys(&mut self, path: &str, entries: &[Entry]) -> bool {
        let known = self.known_only(&format!("the range `{path}`"), entries, &KEYS, FORMS);
        let scale = entries.iter().find(|entry| entry.name == "scale");
        let Some(scale) = scale.filter(|_| find(entries, "count").is_none()) else { return known };
        let message = format!("`{path}.scale` has no meaning without `count`");
        self.refuse::<()>(&scale.key, message, "does not apply", "give `count`, or leave `scale` out");
        false
    }

    /// Reads the one of `ratio`, `step` and `count` that there must be.
    fn spacing(&mut self, node: &Node, path: &str, entries: &[Entry], whole: bool) -> Option<Spacing> {
        let name = |key| format!("{path}.{key}");
        match (find(entries, "ratio"), find(entries, "step"), find(entries, "count")) {
            (Some(ratio), None, None) => self.number(ratio, &name("ratio"), RATIO).map(Spacing::Ratio),
            (None, Some(step), None) => {
                self.number(step, &name("step"), Allowed { whole, ..STEP }).map(Spacing::Step)
            }
            (None, None, Some(count)) => {
                let logarithmic = match find(entries, "scale") {
                    None => Some(false),
                    Some(scale) => {
                        self.word(scale, &name("scale"), &["linear", "log"]).map(|word| word == "log")
                    }
                };
                let count = self.number(count, &name("count"), COUNT).and_then(exact_integer);
                let count = usize::try_from(count?).ok()?;
                Some(if logarithmic? { Spacing::Log(count) } else { Spacing::Linear(count) })
            }
            _ => {
                let message = format!("the range `{path}` needs one of `ratio`, `step` and `count`");
                self.refuse(&node.place, message, "none or several of them", FORMS)
            }
        }
    }
}

/// How a range goes from one end to the other.
#[derive(Clone, Copy)]
enum Spacing {
    Ratio(f64),
    Step(f64),
    Linear(usize),
    Log(usize),
}

impl Spacing {
    /// The values of a range with `from < to` (and `0 < from` for ratios), or `None` if they are
    /// too many.
    fn values(self, from: f64, to: f64, whole: bool) -> Option<Vec<f64>> {
        // Between the ends also after rounding; what rounding makes equal is refused by the caller.
        let tidy = |value: f64, digits| {
            let tidied = if whole { value.round() } else { significant(value, digits) };
            tidied.clamp(from, to)
        };
        let mut values = Vec::new();
        match self {
            Spacing::Ratio(ratio) => {
                if (to.ln() - from.ln()) / ratio.ln() > as_float(AXIS_LIMIT) {
                    return None;
                }
                // Products, not `powi`, whose last digit may differ between machines.
                values.push(from);
                let mut value = from * ratio;
                while value < to * (1.0 - HIT) && values.len() <= AXIS_LIMIT {
                    values.push(tidy(value, 15));
                    value *= ratio;
                }
                if (value / to - 1.0).abs() <= HIT {
                    values.push(to);
                }
            }
            Spacing::Step(step) => {
                if (to - from) / step > as_float(AXIS_LIMIT) {
                    return None;
                }
                let value = |index: usize| from + as_float(index) * step;
                values.extend((0..=AXIS_LIMIT).map(value).take_while(|value| to - value > HIT * step));
                let beyond = value(values.len());
                values.iter_mut().skip(1).for_each(|value| *value = tidy(*value, 15));
                if (beyond - to).abs() <= HIT * step {
                    values.push(to);
                }
            }
            Spacing::Linear(count) | Spacing::Log(count) => {
                values.push(from);
                for index in 1..count - 1 {
                    let share = as_float(index) / as_float(count - 1);
                    values.push(if matches!(self, Spacing::Log(_)) {
                        tidy((from.ln() + (to.ln() - from.ln()) * share).exp(), 12)
                    } else {
                        tidy(from + (to - from) * share, 15)
                    });
                }
                values.push(to);
            }
        }
        (values.len() <= AXIS_LIMIT).then_some(values)
    }

    /// What to do about values that coincide: the largest count near this one that keeps them
    /// apart.
    fn without_repeats(self, from: f64, to: f64, whole: bool) -> String {
        let (mut count, rebuild): (usize, fn(usize) -> Spacing) = match self {
            Spacing::Ratio(_) => return "take a larger `ratio`".into(),
            Spacing::Step(_) => return "take a larger `step`".into(),
            Spacing::Linear(count) => (count, Spacing::Linear),
            Spacing::Log(count) => (count, Spacing::Log),
        };
        while count > 2 {
            // By sixteenths while it is large, by ones at the end: some 200 tries at most.
            count -= (count / 16).max(1);
            let values = rebuild(count).values(from, to, whole).unwrap_or_default();
            if first_repeat(&values).is_none() {
                return format!("take a smaller count: count = {count} gives as many different values");
            }
        }
        "write the values as a list".into()
    }
}

/// The value rounded to a number of significant decimal digits.
fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// Exact: no axis is longer than a million.
fn as_float(count: usize) -> f64 {
    count as f64
}
