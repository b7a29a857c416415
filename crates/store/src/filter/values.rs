//! A condition beside the values that columns have: numbers as tables show them, and why no row is
//! left.

use std::ops::Range;

use super::{Condition, Filter, Literal, Value};

/// Fewest significant digits to which a table rounds a coordinate.
const SHOWN_DIGITS: usize = 4;

/// Most values that an explanation lists of a column.
const LISTED: usize = 10;

/// What a column holds, over all rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// These numbers.
    Numbers(Vec<f64>),
    /// These whole numbers.
    Range(Range<u64>),
    /// These texts.
    Texts(Vec<String>),
}

impl Known {
    /// What this column and another of its name hold together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Numbers(mut all), Self::Numbers(more)) => {
                all.extend(more);
                all.sort_by(f64::total_cmp);
                all.dedup();
                Self::Numbers(all)
            }
            (Self::Texts(mut all), Self::Texts(more)) => {
                for text in more {
                    if !all.contains(&text) {
                        all.push(text);
                    }
                }
                Self::Texts(all)
            }
            (Self::Range(a), Self::Range(b)) => Self::Range(a.start.min(b.start)..a.end.max(b.end)),
            // Columns of one name are of one kind.
            (first, _) => first,
        }
    }

    /// Whether one of the values passes a test.
    fn any(&self, test: impl Fn(Value<'_>) -> bool, literals: &[Literal]) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.iter().any(|&number| test(Value::Number(number))),
            Self::Texts(texts) => texts.iter().any(|text| test(Value::Text(text))),
            Self::Range(range) => {
                // Tests change their minds at their literals.
                let (first, last) = (range.start as f64, range.end.saturating_sub(1).max(range.start) as f64);
                let near = literals.iter().filter_map(Literal::number).flat_map(|x| {
                    [x.floor() - 1.0, x.floor(), x.ceil(), x.ceil() + 1.0].map(|x| x.clamp(first, last))
                });
                near.chain([first, last]).any(|number| test(Value::Number(number)))
            }
        }
    }

    /// The values, those nearest to a literal first: `0.1, 1 or 10`.
    fn listed(&self, near: Option<&Literal>) -> String {
        let (texts, count) = match self {
            Self::Range(range) if range.end > range.start + 1 => {
                return format!("{} to {}", range.start, range.end - 1);
            }
            Self::Range(range) => (vec![range.start.to_string()], 1),
            Self::Texts(texts) => {
                let quoted = texts.iter().take(LISTED).map(|text| format!("'{text}'"));
                (quoted.collect(), texts.len())
            }
            Self::Numbers(numbers) => {
                let mut sorted = numbers.clone();
                if let Some(near) = near.and_then(Literal::number) {
                    sorted.sort_by(|a, b| (a - near).abs().total_cmp(&(b - near).abs()));
                }
                (sorted.iter().take(LISTED).map(|&number| typed(number)).collect(), numbers.len())
            }
        };
        if count > texts.len() {
            return format!("{}, … ({count} values)", texts.join(", "));
        }
        match texts.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => "never there".to_owned(),
        }
    }
}

/// The shorter of the two ways to type a number, with all its digits.
fn typed(number: f64) -> String {
    let (plain, scientific) = (format!("{number}"), format!("{number:e}"));
    if scientific.len() + 2 < plain.len() { scientific } else { plain }
}

impl Literal {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number { value, .. } => Some(*value),
            Self::Text(_) => None,
        }
    }

    /// The value that was typed as a table shows it: the only one that is this number when rounded
    /// to as many digits, at least [`SHOWN_DIGITS`], where none is the number itself.
    fn as_shown(&self, values: &[f64]) -> Option<Self> {
        let Self::Number { value, digits } = *self else { return None };
        let is = |other: f64| other.total_cmp(&value).is_eq();
        let digits = digits.max(SHOWN_DIGITS);
        let rounds_to = |other: f64| format!("{other:.*e}", digits - 1).parse().is_ok_and(is);
        if values.iter().copied().any(is) {
            return None;
        }
        let mut found = values.iter().copied().filter(|&other| rounds_to(other));
        let meant = found.next().filter(|_| found.next().is_none())?;
        Some(Self::Number { value: meant, digits })
    }
}

impl Filter {
    /// The condition with each number that a column is compared with, and that is not among its
    /// `values`, read as tables show them: `noise_scale = 5623` finds 5623.413251903491, and so
    /// does `noise_scale <= 5623`.
    ///
    /// Tables round to four significant digits or more. A number stands for the one value that is
    /// that number when rounded to as many digits as were typed, at least four; where several are,
    /// it stands for itself.
    #[must_use]
    pub fn as_shown(&self, values: &impl Fn(&str) -> Option<Vec<f64>>) -> Self {
        let mut condition = self.condition.clone();
        condition.tests_mut(&mut |test| {
            let (column, literals) = match test {
                Condition::Compare { column, literal, .. } => (column, std::slice::from_mut(literal)),
                Condition::Among { column, literals } => (column, &mut literals[..]),
                Condition::Missing { .. } | Condition::And(_) | Condition::Or(_) | Condition::Not(_) => {
                    return;
                }
            };
            let Some(values) = values(column) else { return };
            for literal in literals {
                if let Some(shown) = literal.as_shown(&values) {
                    *literal = shown;
                }
            }
        });
        Self { condition }
    }

    /// Why no row fulfils the condition, as the end of a sentence: the values of each column that
    /// has none which passes its test, or else of all columns named, nearest first, ten at most.
    /// Empty where `known` knows of no column.
    #[must_use]
    pub fn why_none(&self, known: &impl Fn(&str) -> Option<Known>) -> String {
        let mut tests = Vec::new();
        self.condition.tests(&mut tests);
        let mut named: Vec<(&str, &[Literal], Known, bool)> = tests
            .into_iter()
            .filter_map(|test| {
                let (column, literals) = test.test()?;
                let known = known(column)?;
                let passed = known.any(|value| test.holds(&|_| value) == Some(true), literals);
                Some((column, literals, known, passed))
            })
            .collect();
        if named.iter().any(|&(.., passed)| !passed) {
            named.retain(|&(.., passed)| !passed);
        }
        let mut told: Vec<(&str, String)> = Vec::new();
        for (column, literals, known, _) in &named {
            if told.iter().any(|(other, _)| other == column) {
                continue;
            }
            let mut sentence = format!("{column} is {}", known.listed(literals.first()));
            if let (Known::Texts(texts), Some(Literal::Text(text))) = (known, literals.first())
                && let Some(near) = eigensweep_job::nearest(text, texts.iter().map(String::as_str))
                && near != text
            {
                sentence = format!("{sentence}; did you mean '{near}'?");
            }
            told.push((column, sentence));
        }
        match told.is_empty() {
            true => String::new(),
            false => format!(": {}", told.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")),
        }
    }
}

impl Condition {
    /// The column that a test is about, and what it is compared with; `None` for what joins tests.
    pub(super) fn test(&self) -> Option<(&str, &[Literal])> {
        match self {
            Self::And(_) | Self::Or(_) | Self::Not(_) => None,
            Self::Compare { column, literal, .. } => Some((column, std::slice::from_ref(literal))),
            Self::Among { column, literals } => Some((column, literals)),
            Self::Missing { column } => Some((column, &[])),
        }
    }

    /// The tests that are joined, from the left.
    pub(super) fn tests<'c>(&'c self, found: &mut Vec<&'c Self>) {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().for_each(|condition| condition.tests(found)),
            Self::Not(condition) => condition.tests(found),
            Self::Compare { .. } | Self::Among { .. } | Self::Missing { .. } => found.push(self),
        }
    }

    fn tests_mut(&mut self, change: &mut impl FnMut(&mut Self)) {
        match self {
            Self::And(all) | Self::Or(all) => {
                all.iter_mut().for_each(|condition| condition.tests_mut(change))
            }
            Self::Not(condition) => condition.tests_mut(change),
            Self::Compare { .. } | Self::Among { .. } | Self::Missing { .. } => change(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, Known, Value};

    const COLUMNS: [(&str, bool); 4] =
        [("scale", false), ("replicate", false), ("paradigm", true), ("distance", false)];
    const SCALES: [f64; 5] =
        [0.300_000_000_000_000_04, 4.6, 1000.0, 5_623.413_251_903_491, 562_341.325_190_349_1];

    fn filter(text: &str) -> Filter {
        Filter::parse(text, &COLUMNS).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// The scales that a condition finds.
    fn found(text: &str) -> Vec<f64> {
        let filter = filter(text).as_shown(&|name| (name == "scale").then(|| SCALES.to_vec()));
        let holds = |scale: f64| filter.holds(&|_| Value::Number(scale)) == Some(true);
        SCALES.into_iter().filter(|&scale| holds(scale)).collect()
    }

    #[test]
    fn a_number_stands_for_the_value_that_a_table_shows_so() {
        for (text, expected) in [
            ("scale = 5623", &SCALES[3..4]),
            ("scale = 5.623e3", &SCALES[3..4]),
            ("scale = 5623.41", &SCALES[3..4]),
            ("scale = 5.623e5", &SCALES[4..]),
            ("scale = 5623.413251903491", &SCALES[3..4]),
            ("scale = 0.3", &SCALES[..1]),
            ("scale = 0.3000", &SCALES[..1]),
            ("scale in (5623, 1000)", &SCALES[2..4]),
            ("scale not in (5623, 0.3)", &[4.6, 1000.0, SCALES[4]]),
            ("scale <> 5623", &[SCALES[0], 4.6, 1000.0, SCALES[4]]),
            ("not scale = 5623", &[SCALES[0], 4.6, 1000.0, SCALES[4]]),
            // Not what a table would show, in either direction.
            ("scale = 5", &[]),
            ("scale = 5600", &[]),
            ("scale = 5624", &[]),
            ("scale = 5623.42", &[]),
            ("scale = 1000.0001", &[]),
            // In orders, too: a value is at most, and at least, what it is shown as.
            ("scale <= 5623", &SCALES[..4]),
            ("scale >= 5623", &SCALES[3..]),
            ("scale < 5623", &SCALES[..3]),
            ("scale > 5623", &SCALES[4..]),
            ("scale between 5623 and 562341", &SCALES[3..]),
            ("scale between 5623 and 5624", &SCALES[3..4]),
            ("scale < 5600", &SCALES[..3]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_that_several_values_are_shown_as_stands_for_itself() {
        let values = [1.0, 0.123_41, 0.123_42];
        let holds = |text: &str, value: f64| {
            let filter = filter(text).as_shown(&|_| Some(values.to_vec()));
            filter.holds(&|_| Value::Number(value)) == Some(true)
        };
        assert!(values.iter().all(|&value| !holds("scale = 0.1234", value)));
        assert!(holds("scale = 0.12341", values[1]) && !holds("scale = 0.12341", values[2]));
        // One of them being the number itself decides.
        let filter = filter("scale = 0.1234").as_shown(&|_| Some(vec![0.1234, 0.123_41]));
        assert_eq!(filter.holds(&|_| Value::Number(0.123_41)), Some(false));
    }

    fn why(text: &str) -> String {
        filter(text).why_none(&|name| match name {
            "scale" => Some(Known::Numbers(SCALES.to_vec())),
            "replicate" => Some(Known::Range(0..50)),
            "paradigm" => {
                Some(Known::Texts(["joint-embedding", "reconstruction"].map(str::to_owned).to_vec()))
            }
            _ => None,
        })
    }

    #[test]
    fn why_no_row_is_left_is_told_by_the_values_there_are() {
        for (text, expected) in [
            (
                "scale = 6000",
                ": scale is 5623.413251903491, 1000, 4.6, 0.30000000000000004 or 562341.3251903491",
            ),
            (
                "scale > 1e6",
                ": scale is 562341.3251903491, 5623.413251903491, 1000, 4.6 or 0.30000000000000004",
            ),
            ("replicate = 99 and scale = 4.6", ": replicate is 0 to 49"),
            ("replicate = 7 and distance > 9", ": replicate is 0 to 49"),
            (
                "paradigm = 'joint_embedding'",
                ": paradigm is 'joint-embedding' or 'reconstruction'; did you mean 'joint-embedding'?",
            ),
            ("paradigm = 'x'", ": paradigm is 'joint-embedding' or 'reconstruction'"),
            ("distance > 9", ""),
        ] {
            assert_eq!(why(text), expected, "{text}");
        }
        let many = Known::Numbers((0..30).map(f64::from).collect());
        let told = filter("scale = 12.4").why_none(&|_| Some(many.clone()));
        assert_eq!(told, ": scale is 12, 13, 11, 14, 10, 15, 9, 16, 8, 17, … (30 values)");
    }

    #[test]
    fn several_data_sets_hold_what_each_holds() {
        let numbers = Known::Numbers(vec![1.0, 10.0]).and(Known::Numbers(vec![10.0, 5.0]));
        assert_eq!(numbers, Known::Numbers(vec![1.0, 5.0, 10.0]));
        assert_eq!(Known::Range(0..5).and(Known::Range(10..20)), Known::Range(0..20));
    }
}
