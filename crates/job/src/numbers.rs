//! Reading numbers and axes: what a key may be, and what is said of anything else.
//!
//! A key that is an axis is read here when it is a number or a list, and by `range` when it is a
//! table.

use super::axis::{AXIS_LIMIT, Axis};
use super::keys::KEYS;
use super::range;
use super::read::{Reader, nearest};
use super::tree::{Entry, Node, Value, find};

/// What a number may be written as, for whoever wrote something else.
pub(super) const FORMS: &str = "write a number, a list such as [1, 10, 100], or a range such as \
    { from = 100, to = 51200, ratio = 2 } or { from = 0.1, to = 10, count = 7, scale = \"log\" }";

/// Multiples of the largest eigenvalue of the clean data, which has one above 0.
pub(super) const RELATIVE: Allowed = Allowed::real(
    "above 0",
    |value| value > 0.0,
    "`relative` is what multiplies the largest eigenvalue of the clean data, such as { relative = 0.1 } or \
    { relative = [0.01, 0.1, 1] }; without any variance, write scale = 0",
);

/// Which numbers a key takes. The test is an interval and written so that NaN fails it.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    /// Whole numbers only; `holds` must then keep them below 2⁵³.
    pub(super) whole: bool,
    /// A share of something, which might be written in percent.
    pub(super) share: bool,
    pub(super) holds: fn(f64) -> bool,
    /// Completes "must be …".
    pub(super) words: &'static str,
    /// What the number means, and so why others are impossible.
    pub(super) help: &'static str,
}

impl Allowed {
    pub(super) const fn real(words: &'static str, holds: fn(f64) -> bool, help: &'static str) -> Self {
        Self { whole: false, share: false, holds, words, help }
    }

    pub(super) const fn share(words: &'static str, holds: fn(f64) -> bool, help: &'static str) -> Self {
        Self { whole: false, share: true, holds, words, help }
    }

    pub(super) const fn whole(words: &'static str, holds: fn(f64) -> bool, help: &'static str) -> Self {
        Self { whole: true, share: false, holds, words, help }
    }
}

impl Reader<'_> {
    /// An axis of a key that may be `{ relative = … }` to the data.
    pub(super) fn axis_or_relative(
        &mut self,
        node: &Node,
        path: &str,
        allowed: Allowed,
        relative: Allowed,
    ) -> Option<Axis<f64>> {
        const KEY: &str = "relative";
        let Value::Table(entries) = &node.value else { return self.axis(node, path, allowed) };
        let names = || range::KEYS.into_iter().chain([KEY]);
        if entries.iter().all(|entry| nearest(&entry.name, names()) != Some(KEY)) {
            return self.axis(node, path, allowed);
        }
        let sound = self.known_only(&format!("`{path}`"), entries, &[KEY], relative.help);
        let axis = self.axis(find(entries, KEY)?, &format!("{path}.{KEY}"), relative)?;
        sound.then(|| axis.relative())
    }

    /// An axis of a key that is not measured against the data.
    pub(super) fn absolute_axis(&mut self, node: &Node, path: &str, allowed: Allowed) -> Option<Axis<f64>> {
        if let Value::Table(entries) = &node.value
            && find(entries, "relative").is_some()
        {
            let keys: Vec<_> = KEYS.iter().filter(|key| key.relative).map(|key| key.path.as_str()).collect();
            let message = format!("`{path}` is not relative to the data");
            let help = format!("only {} may be; {FORMS}", keys.join(" and "));
            return self.refuse(&node.place, message, "takes no `relative`", help);
        }
        self.axis(node, path, allowed)
    }

    /// Refuses the keys of an inline table that it does not have; true if there are none.
    pub(super) fn known_only(&mut self, table: &str, entries: &[Entry], known: &[&str], forms: &str) -> bool {
        let mut sound = true;
        for entry in entries.iter().filter(|entry| !known.contains(&entry.name.as_str())) {
            let near = nearest(&entry.name, known.iter().copied());
            let help = near.map_or(forms.to_owned(), |near| format!("did you mean `{near}`?"));
            let message = format!("{table} has no key `{}`", entry.name);
            sound = self.refuse::<()>(&entry.key, message, "unknown key", help).is_some();
        }
        sound
    }

    /// An axis: a number, a list or a range.
    pub(super) fn axis(&mut self, node: &Node, path: &str, allowed: Allowed) -> Option<Axis<f64>> {
        let items = match &node.value {
            Value::Table(entries) => return self.range(node, path, entries, allowed),
            Value::List(items) => &items[..],
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Other(_) => {
                std::slice::from_ref(node)
            }
        };
        if items.is_empty() {
            return self.refuse(&node.place, format!("`{path}` has no values"), "empty", FORMS);
        }
        if items.len() > AXIS_LIMIT {
            let message = format!("`{path}` has {} values; an axis may have {AXIS_LIMIT}", items.len());
            return self.refuse(&node.place, message, "too many", "split the job into several");
        }
        let values: Vec<_> = items.iter().map(|item| self.number(item, path, allowed)).collect();
        let values = values.into_iter().collect::<Option<Vec<f64>>>()?;
        if let Some(repeat) = first_repeat(&values) {
            let message = format!("`{path}` has the value {} twice", shown(values[repeat], allowed.whole));
            return self.refuse(&items[repeat].place, message, "second time", "leave one of the two out");
        }
        Axis::new(values)
    }

    /// One finite number that `allowed` takes; `-0.0` becomes `0.0`, so that equal values are equal
    /// bits.
    pub(super) fn number(&mut self, node: &Node, path: &str, allowed: Allowed) -> Option<f64> {
        let kind = if allowed.whole { "a whole number" } else { "a number" };
        let (number, whole) = match &node.value {
            Value::Integer(integer) => (*integer as f64, true),
            Value::Float(float) => (*float, exact_integer(*float).is_some()),
            Value::Text(text) if text.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                let help = format!("write {} without the quotes", text.trim());
                return self.wrong_type(node, path, kind, &help);
            }
            Value::Text(text) if allowed.share && percent(text).is_some_and(f64::is_finite) => {
                let help = format!("{} is {}", text.trim(), percent(text).unwrap_or_default());
                return self.wrong_type(node, path, kind, &help);
            }
            Value::Text(_) | Value::List(_) | Value::Table(_) | Value::Flag(_) | Value::Other(_) => {
                return self.wrong_type(node, path, kind, FORMS);
            }
        };
        let problem = if !number.is_finite() {
            Some(("finite", "not finite"))
        } else if allowed.whole && number.fract() != 0.0 {
            Some(("a whole number", "has a fraction"))
        } else if !(allowed.holds)(number) || (allowed.whole && !whole) {
            Some((allowed.words, "out of range"))
        } else {
            None
        };
        let Some((words, label)) = problem else { return Some(number + 0.0) };
        let message = format!("`{path}` must be {words}, not {}", self.source.excerpt(&node.place));
        let help = if allowed.share && number >= 1.0 && (allowed.holds)(number / 100.0) {
            format!("{}; {number} % is {}", allowed.help, number / 100.0)
        } else {
            allowed.help.to_owned()
        };
        self.refuse(&node.place, message, label, help)
    }
}

/// The integer that a float written without a fraction stands for, where every integer has a float
/// of its own.
pub(super) fn exact_integer(float: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2⁵³
    #[expect(clippy::cast_possible_truncation, reason = "integral and within ±2⁵³, checked just before")]
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
}

/// What a text in percent is as a share.
fn percent(text: &str) -> Option<f64> {
    Some(text.trim().strip_suffix('%')?.trim_end().parse::<f64>().ok()? / 100.0)
}

/// Index of the first value that has come before.
pub(super) fn first_repeat(values: &[f64]) -> Option<usize> {
    let mut seen = std::collections::HashSet::with_capacity(values.len());
    values.iter().position(|value| !seen.insert(value.to_bits()))
}

/// A number as a job file would have it.
pub(super) fn shown(value: f64, whole: bool) -> String {
    if whole { format!("{value:.0}") } else { format!("{value:?}") }
}
