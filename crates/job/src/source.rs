//! Where each key's value stands, kept beside the job for problems that are found only later.

use std::collections::BTreeMap;

use eigensweep_theory::views::stages::{Domain, Fault, Kind};

use super::problem::{JobProblems, Place, Problem, SourceText};
use super::tree::{Entry, Node, Tree, Value};

/// Most tables within values whose places are kept, far more than chains may have stages.
const MARKS_LIMIT: usize = 10_000;

/// The texts that a job was read from, and where in them each key got its value.
///
/// The engine keeps it next to the [`JobSpec`](super::JobSpec), so that what turns out wrong after
/// parsing (the data have fewer samples than an axis asks for) is reported like any other problem
/// of the job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSource {
    texts: Vec<SourceText>,
    /// Where values stand, by `table.key`, and those of tables within them by
    /// `table.key[index].key`.
    values: BTreeMap<String, Mark>,
    /// Where tables begin, by name.
    headers: BTreeMap<String, Place>,
}

/// Where a value stands, and, when it is a list, each of its items.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    place: Place,
    items: Vec<Place>,
}

impl JobSource {
    pub(super) fn of_job(texts: Vec<SourceText>, tree: &Tree) -> JobSource {
        let mut source = JobSource { texts, values: BTreeMap::new(), headers: BTreeMap::new() };
        let mut left = MARKS_LIMIT;
        for (name, table) in &tree.tables {
            if let Some(header) = &table.header {
                source.headers.insert(name.clone(), header.clone());
            }
            for entry in table.entries.values() {
                source.mark(format!("{name}.{}", entry.name), &entry.node, &mut left);
            }
        }
        source
    }

    /// The places of a file without tables.
    pub(super) fn of_file(text: SourceText, entries: &[Entry]) -> JobSource {
        let mut source = JobSource { texts: vec![text], values: BTreeMap::new(), headers: BTreeMap::new() };
        let mut left = MARKS_LIMIT;
        entries.iter().for_each(|entry| source.mark(entry.name.clone(), &entry.node, &mut left));
        source
    }

    /// Marks a value, and the tables within it as long as there are not too many.
    fn mark(&mut self, path: String, node: &Node, left: &mut usize) {
        let mut items = Vec::new();
        match &node.value {
            Value::List(list) => {
                items = list.iter().map(|item| item.place.clone()).collect();
                for (at, item) in list.iter().enumerate() {
                    if matches!(item.value, Value::List(_) | Value::Table(_)) && *left > 0 {
                        *left -= 1;
                        self.mark(format!("{path}[{at}]"), item, left);
                    }
                }
            }
            Value::Table(entries) => {
                for entry in entries {
                    if *left > 0 {
                        *left -= 1;
                        self.mark(format!("{path}.{}", entry.name), &entry.node, left);
                    }
                }
            }
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Other(_) => {}
        }
        self.values.insert(path, Mark { place: node.place.clone(), items });
    }

    /// Whether the value of a key is given.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// The texts: the job file first, then each override in the order given.
    #[must_use]
    pub fn texts(&self) -> &[SourceText] {
        &self.texts
    }

    /// Where the value of `key` (`"grid.samples"`, `"augmentation.stages[2].size"`) stands: the
    /// value itself, or what it would stand in (the stage, the header of its table) if the key has
    /// its default, or [`Place::FILE`] if the table is absent too.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        let mut path = key;
        loop {
            if let Some(mark) = self.values.get(path) {
                return mark.place.clone();
            }
            let Some(end) = path.rfind(['.', '[']) else { break };
            path = &path[..end];
        }
        self.headers.get(path).cloned().unwrap_or(Place::FILE)
    }

    /// The problem of a stage that cannot be built; `stage` is its path
    /// (`augmentation.stages[2]`).
    #[must_use]
    pub fn problem_of_fault(&self, stage: &str, fault: &Fault) -> Problem {
        let key = if fault.key.is_empty() { stage.to_owned() } else { format!("{stage}.{}", fault.key) };
        self.problem_at(&key, fault.message.clone(), "does not fit", Some(fault.help.clone()))
    }

    /// The problem of a stage of kind `kind` at the path `stage` that cannot be drawn at values
    /// that may be `found`: it needs `needed`.
    #[must_use]
    pub fn problem_of_domain(&self, stage: &str, kind: &Kind, needed: Domain, found: Domain) -> Problem {
        let message = format!(
            "a stage of kind {:?} cannot be drawn at {}: it needs {}",
            kind.name,
            found.name(),
            needed.name()
        );
        let help = "put it before the stages that leave other values, or take data with such values (`[data] range \
            = \"none\"` leaves them as they are)";
        let key = format!("{stage}.kind");
        self.problem_at(&key, message, format!("needs {}", needed.name()), Some(help.to_owned()))
    }

    /// The problem of views that are to repeat a corruption that draws nothing, such as a fixed
    /// blur: [`Stage::is_fixed`](eigensweep_theory::views::stages::Stage::is_fixed), with an
    /// alignment above 0 as its strength.
    #[must_use]
    pub fn problem_of_fixed_corruption(&self) -> Problem {
        let message =
            "the corruption is always the same, so views cannot be aligned with it at a fixed strength";
        let help = "set augmentation.dose = \"probability\" or \"uniform\", or augmentation.alignment = 0";
        self.problem_at("corruption.stages", message, "nothing random to repeat", Some(help.to_owned()))
    }

    /// A problem with the value of `key`, standing at its [`place`](JobSource::place).
    pub fn problem_at(
        &self,
        key: &str,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Problem {
        Problem { message: message.into(), label: label.into(), help, place: self.place(key) }
    }

    /// Like [`problem_at`](JobSource::problem_at) for value number `index` of an axis: underlines
    /// that item when the axis is written as a list, and the whole value when it is a range or a
    /// single number.
    pub fn problem_at_item(
        &self,
        key: &str,
        index: usize,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Problem {
        let mut problem = self.problem_at(key, message, label, help);
        if let Some(item) = self.values.get(key).and_then(|mark| mark.items.get(index)) {
            problem.place = item.clone();
        }
        problem
    }

    /// Problems of this job together with the texts that they point into, in the order of their
    /// places.
    #[must_use]
    pub fn report(&self, problems: Vec<Problem>) -> JobProblems {
        JobProblems::new(self.texts.clone(), problems)
    }

    /// The text at a place, cut to what fits into a message.
    pub(super) fn excerpt(&self, place: &Place) -> String {
        const SHOWN: usize = 40;
        let text = self.texts.get(place.source).and_then(|source| source.text.get(place.span.clone()));
        let line = text.unwrap_or_default().lines().next().unwrap_or_default();
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        }
    }
}
