//! Reading chains of stages, by the tables of their kinds: no kind is known by name here.
//!
//! What a kind finds only once it is built (values that do not fit each other or the samples) is
//! told by [`JobSource::problem_of_fault`](super::JobSource::problem_of_fault).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use eigensweep_theory::views::stages::{
    self, Bounds, KINDS, Key, Kind, Severities, Shape, Takes, Unless, Value as Fixed,
};
use faer::Mat;

use super::axis::AXIS_LIMIT;
use super::numbers::Allowed;
use super::read::{Reader, nearest};
use super::stages::{DoseOf, StageNumber, StageSpec, StageValue, takes_list};
use super::tree::{Entry, Node, Value, find};

/// What the table of the kinds of stages goes by.
pub const STAGES: &str = "stages";

/// Most stages of a job, those within stages included: chains that mean something have a handful.
pub const STAGES_LIMIT: usize = 1000;

/// Longest name of a stage in bytes; a column is called by it.
pub const STAGE_NAME_LIMIT: usize = 64;

/// Keys of every stage beside those of its kind.
const COMMON: [&str; 4] = ["kind", "name", PROBABILITY, STRENGTH];

const PROBABILITY: &str = "probability";
const STRENGTH: &str = "strength";
const UNIFORM: &str = "uniform";

/// `{ values = [ … ] }`: an axis of a key where a list is a value of its own.
const VALUES: &str = "values";

/// What a stage is written as.
const FORM: &str = "write a stage as { kind = \"dropout\", probability = 0.5 }, and a chain as a list of them, or each \
    stage under a [[…stages]] of its own";

/// A text that is kept for ever; equal texts once. Columns of axes are told by it.
pub(super) fn intern(text: String) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text.as_str()) {
        return known;
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    kept.insert(text);
    text
}

/// The column of an axis of a stage: names of columns have no `-`.
pub(super) fn column(name: &str, key: &str) -> &'static str {
    intern(format!("{name}_{key}").replace('-', "_"))
}

/// What a key that is a variance takes in units of the data.
const RELATIVE: Allowed = Allowed::real(
    "above 0",
    |value| value > 0.0,
    "`relative` is what multiplies the mean variance of the clean data's features, such as { relative = 0.1 }",
);

/// The numbers that a key takes.
fn allowed(bounds: Bounds, help: &'static str) -> Allowed {
    let share = (bounds.holds)(0.5) && !(bounds.holds)(1.5);
    Allowed { whole: bounds.whole, share, holds: bounds.holds, words: bounds.words, help }
}

impl Reader<'_> {
    /// A chain of stages.
    ///
    /// `filled` is the table of severities that fills in what is not given, if one does.
    pub(super) fn chain(
        &mut self,
        node: &Node,
        path: &str,
        filled: Option<Severities>,
    ) -> Option<Vec<StageSpec>> {
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, path, "a list of stages", FORM);
        };
        let before = self.stages;
        self.stages = before.saturating_add(items.len());
        if self.stages > STAGES_LIMIT {
            if before > STAGES_LIMIT {
                return None;
            }
            let message = format!("the chains have more than {STAGES_LIMIT} stages");
            let help = "one stage that draws from many cases (`choice`, or a kind's own list) does what many stages do";
            return self.refuse(&node.place, message, "too many", help);
        }
        let stages: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.stage(item, &format!("{path}[{at}]"), filled))
            .collect();
        stages.into_iter().collect()
    }

    /// `{ stages = [ … ] }`.
    pub(super) fn own_chain(&mut self, node: &Node, path: &str) -> Option<Vec<StageSpec>> {
        let help = "stages of its own stand in a table: `stages = [ … ]` in it, or [[…stages]] below it";
        let Value::Table(entries) = &node.value else {
            return self.wrong_type(node, path, "a table", help);
        };
        let sound = self.known_only(&format!("`{path}`"), entries, &["stages"], help);
        let Some(stages) = find(entries, "stages") else {
            return self.refuse(&node.place, format!("`{path}` has no stages"), "no stages", help);
        };
        self.chain(stages, &format!("{path}.stages"), None).filter(|_| sound)
    }

    fn stage(&mut self, node: &Node, path: &str, filled: Option<Severities>) -> Option<StageSpec> {
        let Value::Table(entries) = &node.value else {
            return self.wrong_type(node, path, "a stage", FORM);
        };
        let Some(kind_node) = find(entries, "kind") else {
            let help = format!("the kinds are {}", kinds());
            return self.refuse(&node.place, format!("`{path}` has no `kind`"), "no kind", help);
        };
        let kind = self.kind(kind_node, path)?;
        let mut known: Vec<&str> = kind.keys.iter().map(|key| key.name).collect();
        known.extend(COMMON.iter().filter(|name| kind.keys.iter().all(|key| key.name != **name)));
        let forms = format!("a stage of kind {:?} has {}", kind.name, known.join(", "));
        let mut sound = self.known_only(&format!("`{path}`"), entries, &known, &forms);
        let name = self.stage_name(find(entries, "name"), path, kind);
        sound &= name.is_some();
        let name = name.unwrap_or_else(|| kind.name.to_owned());
        // The keys that a severity fills in are the same for each, and for any shape.
        let any = Shape { channels: 1, rows: 8, columns: 8 };
        let by_severity = filled.zip(kind.severity).map_or_else(Vec::new, |(table, of)| of(table, 1, any));
        let mut values = Vec::new();
        for key in kind.keys {
            match find(entries, key.name) {
                Some(node) => {
                    match self.stage_value(node, &format!("{path}.{}", key.name), key, &name, filled) {
                        Some(value) => values.push((key.name, value)),
                        None => sound = false,
                    }
                }
                None if key.unless == Unless::Required
                    && by_severity.iter().all(|(one, _)| *one != key.name) =>
                {
                    let message = format!("a stage of kind {:?} needs `{}`", kind.name, key.name);
                    self.refuse::<()>(&kind_node.place, message, "not given", key.help);
                    sound = false;
                }
                None => {}
            }
        }
        let dose = self.dose(entries, path, kind, &name);
        sound &= dose.is_some();
        let dose = dose.flatten();
        sound.then_some(StageSpec { kind, name, values, dose })
    }

    fn kind(&mut self, node: &Node, path: &str) -> Option<&'static Kind> {
        let help = format!("the kinds are {}", kinds());
        let Value::Text(text) = &node.value else {
            return self.wrong_type(node, &format!("{path}.kind"), "a kind of stages, in quotes", &help);
        };
        stages::named(text).or_else(|| {
            let near = nearest(text, KINDS.iter().map(|kind| kind.name));
            let help = near.map_or(help, |near| format!("did you mean {near:?}?"));
            let found = self.source.excerpt(&node.place);
            self.refuse(&node.place, format!("there is no kind of stages {found}"), "not known", help)
        })
    }

    fn stage_name(&mut self, node: Option<&Node>, path: &str, kind: &Kind) -> Option<String> {
        const HELP: &str = "columns of its axes are called by it: letters from a to z, digits, `-` and `_`, beginning with \
            a letter, at most 64; a `-` is a `_` in the column";
        let Some(node) = node else { return Some(kind.name.to_owned()) };
        let path = format!("{path}.name");
        let Value::Text(text) = &node.value else {
            return self.wrong_type(node, &path, "a string in quotes", HELP);
        };
        let plain =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        let sound = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.chars().all(plain)
            && text.len() <= STAGE_NAME_LIMIT;
        if sound {
            return Some(text.clone());
        }
        self.refuse(&node.place, format!("`{path}` cannot name a column"), "no name of a column", HELP)
    }

    /// `probability` or `strength` of a stage whose kind has no such key.
    #[expect(clippy::option_option, reason = "none given is not none that could be read")]
    fn dose(
        &mut self,
        entries: &[Entry],
        path: &str,
        kind: &Kind,
        name: &str,
    ) -> Option<Option<(DoseOf, StageNumber)>> {
        let given = |key: &str| {
            let own = kind.keys.iter().any(|one| one.name == key);
            entries.iter().find(|entry| entry.name == key && !own)
        };
        let (probability, strength) = (given(PROBABILITY), given(STRENGTH));
        if let (Some(_), Some(strength)) = (probability, strength) {
            let message = format!("`{path}` has both a probability and a strength");
            let help = "give one of the two; to have both, put the stage into one of kind \"sometimes\" or \"strength\"";
            return self.refuse(&strength.key, message, "the second dose", help);
        }
        if let Some(entry) = probability {
            let allowed = allowed(Bounds::SHARE, "the probability with which the stage is applied");
            let path = format!("{path}.{PROBABILITY}");
            let number = self.stage_number(&entry.node, &path, allowed, false, (name, PROBABILITY))?;
            return Some(Some((DoseOf::Probability, number)));
        }
        let Some(entry) = strength else { return Some(None) };
        let path = format!("{path}.{STRENGTH}");
        let help = "v + a (T(v) − v) with a the strength, or uniform from 0 to t with { uniform = t }";
        let allowed = allowed(Bounds::NOT_NEGATIVE, help);
        if let Value::Table(inner) = &entry.node.value
            && let Some(most) = find(inner, UNIFORM)
        {
            let sound = self.known_only(&format!("`{path}`"), inner, &[UNIFORM], help);
            let path = format!("{path}.{UNIFORM}");
            let number = self.stage_number(most, &path, allowed, false, (name, STRENGTH))?;
            return sound.then_some(Some((DoseOf::Uniform, number)));
        }
        let number = self.stage_number(&entry.node, &path, allowed, false, (name, STRENGTH))?;
        Some(Some((DoseOf::Strength, number)))
    }

    /// A number, which is an axis where it is a list or a range.
    fn stage_number(
        &mut self,
        node: &Node,
        path: &str,
        allowed: Allowed,
        relative: bool,
        (name, key): (&str, &str),
    ) -> Option<StageNumber> {
        let values = if relative {
            self.axis_or_relative(node, path, allowed, RELATIVE)
        } else {
            self.absolute_axis(node, path, allowed)
        }?;
        let inner = match &node.value {
            Value::Table(entries) if values.is_relative() => find(entries, "relative").unwrap_or(node),
            Value::Table(_)
            | Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Flag(_)
            | Value::Other(_) => node,
        };
        let several = matches!(inner.value, Value::List(_) | Value::Table(_));
        if several && !self.axes {
            let message = format!("`{path}` takes one number, not {}", inner.value.type_name());
            return self.refuse(&inner.place, message, "not an axis", "only numbers of jobs are axes");
        }
        Some(StageNumber { column: several.then(|| column(name, key)), values })
    }

    fn stage_value(
        &mut self,
        node: &Node,
        path: &str,
        key: &'static Key,
        name: &str,
        filled: Option<Severities>,
    ) -> Option<StageValue> {
        let list = |reader: &mut Self, items: &[Node], bounds| {
            reader
                .stage_list(node, path, items, allowed(bounds, key.help))
                .map(Fixed::List)
                .map(StageValue::Fixed)
        };
        let number = |reader: &mut Self, bounds| {
            let allowed = allowed(bounds, key.help);
            if takes_list(key.takes)
                && let Value::Table(entries) = &node.value
                && let Some(values) = find(entries, VALUES)
            {
                let sound = reader.known_only(&format!("`{path}`"), entries, &[VALUES], key.help);
                let path = format!("{path}.{VALUES}");
                let Value::List(_) = &values.value else {
                    return reader.wrong_type(values, &path, "a list of numbers", key.help);
                };
                let number = reader.stage_number(values, &path, allowed, false, (name, key.name));
                return number.filter(|_| sound).map(StageValue::Number);
            }
            reader
                .stage_number(node, path, allowed, key.is_variance(), (name, key.name))
                .map(StageValue::Number)
        };
        match (key.takes, &node.value) {
            (Takes::Number(bounds), _) => number(self, bounds),
            (
                Takes::NumberOrList(bounds) | Takes::NumberListOrWord(bounds, _) | Takes::List(bounds),
                Value::List(items),
            ) => list(self, items, bounds),
            (Takes::NumberListOrWord(_, words), Value::Text(text)) if !is_file(text) => {
                if let Some(&word) = words.iter().find(|word| *word == text) {
                    return Some(StageValue::Fixed(Fixed::Word(word)));
                }
                let words = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
                let found = self.source.excerpt(&node.place);
                let message =
                    format!("`{path}` must be numbers, {words} or the path of an .npy file, not {found}");
                self.refuse(&node.place, message, "not known", "the file's name ends with .npy")
            }
            (
                Takes::NumberOrList(_)
                | Takes::NumberListOrWord(..)
                | Takes::List(_)
                | Takes::Pairs(_)
                | Takes::Matrix,
                Value::Text(text),
            ) => self.stage_file(node, path, text),
            (Takes::NumberOrList(bounds) | Takes::NumberListOrWord(bounds, _), _) => number(self, bounds),
            (Takes::List(_), _) => {
                let help = "a set within one view is a list, such as [1, 2, 4]; it is no axis";
                self.wrong_type(node, path, "a list of numbers, or the path of an .npy file", help)
            }
            (Takes::Pair(bounds), Value::List(items)) if items.len() == 2 => list(self, items, bounds),
            (Takes::Pair(_), _) => {
                let help = "write [rows, columns], such as [4, 4]";
                let found = self.source.excerpt(&node.place);
                let message = format!("`{path}` must be two numbers, not {found}");
                self.refuse(&node.place, message, "not two numbers", help)
            }
            (Takes::Pairs(bounds), Value::List(rows)) => {
                self.stage_rows(node, path, rows, allowed(bounds, key.help), Some(2))
            }
            (Takes::Matrix, Value::List(rows)) => {
                self.stage_rows(node, path, rows, allowed(Bounds::FINITE, key.help), None)
            }
            (Takes::Pairs(_) | Takes::Matrix, _) => {
                let help = "write rows as [[1, 0], [0, 1]], or the path of an .npy file in quotes";
                self.wrong_type(node, path, "a list of rows, or the path of an .npy file", help)
            }
            (Takes::Word(words), _) => self.word(node, path, words).map(Fixed::Word).map(StageValue::Fixed),
            (Takes::Stages, _) => {
                let chain = self.chain(node, path, filled)?;
                if chain.is_empty() {
                    return self.refuse(&node.place, format!("`{path}` is empty"), "no stage", FORM);
                }
                Some(StageValue::Stages(chain))
            }
            (Takes::Options, Value::List(items)) => {
                if items.is_empty() {
                    return self.refuse(&node.place, format!("`{path}` is empty"), "no option", key.help);
                }
                let each = items.iter().enumerate();
                let options: Vec<_> =
                    each.map(|(at, item)| self.chain(item, &format!("{path}[{at}]"), filled)).collect();
                options.into_iter().collect::<Option<_>>().map(StageValue::Options)
            }
            (Takes::Options, _) => self.wrong_type(node, path, "a list of chains of stages", FORM),
        }
    }

    /// The items of a list, of which repeats are fine: it is one value, not an axis.
    fn stage_list(&mut self, node: &Node, path: &str, items: &[Node], allowed: Allowed) -> Option<Vec<f64>> {
        if items.is_empty() {
            return self.refuse(&node.place, format!("`{path}` is empty"), "no numbers", allowed.help);
        }
        if items.len() > AXIS_LIMIT {
            let message = format!("`{path}` has {} numbers; a list may have {AXIS_LIMIT}", items.len());
            return self.refuse(&node.place, message, "too many", "put them into an .npy file");
        }
        let values: Vec<_> = items.iter().map(|item| self.number(item, path, allowed)).collect();
        values.into_iter().collect()
    }

    /// Rows of equal length; of a given one, if there is one.
    fn stage_rows(
        &mut self,
        node: &Node,
        path: &str,
        rows: &[Node],
        allowed: Allowed,
        width: Option<usize>,
    ) -> Option<StageValue> {
        const HELP: &str = "write rows of equal length, such as [[1, 0], [0, 1]]";
        if rows.is_empty() {
            return self.refuse(&node.place, format!("`{path}` is empty"), "no rows", HELP);
        }
        let (mut values, mut width) = (Vec::new(), width);
        for row in rows {
            let Value::List(items) = &row.value else {
                return self.wrong_type(row, path, "a list of rows", HELP);
            };
            let expected = *width.get_or_insert(items.len());
            if items.len() != expected || items.is_empty() {
                let message = format!("a row of `{path}` has {} numbers, not {expected}", items.len());
                return self.refuse(&row.place, message, "another length", HELP);
            }
            values.push(self.stage_list(row, path, items, allowed)?);
        }
        let matrix = Mat::from_fn(values.len(), width.unwrap_or(0), |row, column| values[row][column]);
        Some(StageValue::Fixed(Fixed::Matrix(matrix)))
    }

    fn stage_file(&mut self, node: &Node, path: &str, text: &str) -> Option<StageValue> {
        if is_file(text) {
            return Some(StageValue::File(self.path(node, text)));
        }
        let found = self.source.excerpt(&node.place);
        let message = format!("`{path}` must be numbers or the path of an .npy file, not {found}");
        self.refuse(&node.place, message, "no .npy file", "the file's name ends with .npy")
    }
}

/// Whether a text is the path of a file of numbers.
fn is_file(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
}

/// All kinds in words.
fn kinds() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

/// What a key takes, in words.
#[must_use]
pub fn takes(key: &Key) -> String {
    let number = |bounds: &Bounds| match bounds.words {
        "finite" => "a finite number".to_owned(),
        words if bounds.whole => words.to_owned(),
        words => format!("a number {words}"),
    };
    let words =
        |words: &[&str]| words.iter().map(|word| format!("`{word:?}`")).collect::<Vec<_>>().join(" or ");
    let mut text = match &key.takes {
        Takes::Number(bounds) => number(bounds),
        Takes::NumberOrList(bounds) => format!("{}, or a list of them", number(bounds)),
        Takes::NumberListOrWord(bounds, all) => {
            format!("{}, or a list of them, or {}", number(bounds), words(all))
        }
        Takes::List(bounds) => format!("a list, each {}", number(bounds)),
        Takes::Pair(bounds) => format!("`[rows, columns]`, each {}", number(bounds)),
        Takes::Pairs(bounds) => format!("a list of `[rows, columns]`, each {}", number(bounds)),
        Takes::Matrix => "a list of rows".to_owned(),
        Takes::Word(all) => words(all),
        Takes::Stages => "a list of stages".to_owned(),
        Takes::Options => "a list of lists of stages".to_owned(),
    };
    if key.is_variance() {
        text.push_str(", or `{ relative = x }` with x above 0");
    }
    if takes_list(key.takes) {
        text.push_str("; *axis* as a range or `{ values = […] }`");
    } else if matches!(key.takes, Takes::Number(_)) {
        text.push_str("; *axis*");
    }
    text
}

/// What a key is unless given, in words.
#[must_use]
pub fn unless_given(key: &Key) -> String {
    match key.unless {
        Unless::Required => "*required*".to_owned(),
        Unless::Absent(words) => words.to_owned(),
        Unless::Number(number) => format!("`{number}`"),
        Unless::Word(word) => format!("`{word:?}`"),
    }
}

/// The kinds of stages in Markdown: a line a key.
pub(super) fn markdown() -> String {
    let mut text =
        "### Kinds of stages\n\n| kind | key | value | default | meaning |\n|---|---|---|---|---|\n"
            .to_owned();
    for kind in KINDS {
        let severities = if kind.severity.is_some() { "; has severities" } else { "" };
        let _ = writeln!(text, "| `{}` | | | | {}{severities} |", kind.name, kind.help);
        for key in kind.keys {
            let _ = writeln!(
                text,
                "| | `{}` | {} | {} | {} |",
                key.name,
                takes(key),
                unless_given(key),
                key.help
            );
        }
    }
    text
}
