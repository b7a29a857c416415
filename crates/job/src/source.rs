//! Where each key's value stands, kept beside the job for problems that are found only later.

use std::collections::BTreeMap;

use super::problem::{JobProblems, Place, Problem, SourceText};
use super::tree::{Tree, Value};

/// The texts that a job was read from, and where in them each key got its value.
///
/// The engine keeps it next to the [`JobSpec`](super::JobSpec), so that what turns out wrong after
/// parsing (the data have fewer samples than an axis asks for) is reported like any other problem
/// of the job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSource {
    texts: Vec<SourceText>,
    /// Where values stand, by `table.key`.
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
    pub(super) fn new(texts: Vec<SourceText>, tree: &Tree) -> JobSource {
        let mut source = JobSource { texts, values: BTreeMap::new(), headers: BTreeMap::new() };
        for (name, table) in &tree.tables {
            if let Some(header) = &table.header {
                source.headers.insert(name.clone(), header.clone());
            }
            for entry in table.entries.values() {
                let list = if let Value::List(items) = &entry.node.value { &items[..] } else { &[] };
                let items = list.iter().map(|item| item.place.clone()).collect();
                let mark = Mark { place: entry.node.place.clone(), items };
                source.values.insert(format!("{name}.{}", entry.name), mark);
            }
        }
        source
    }

    /// The texts: the job file first, then each override in the order given.
    #[must_use]
    pub fn texts(&self) -> &[SourceText] {
        &self.texts
    }

    /// Where the value of `key` (`"grid.samples"`) stands: the value itself, or the header of its
    /// table if the key has its default, or [`Place::FILE`] if the table is absent too.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        let table = key.split('.').next().unwrap_or(key);
        let value = self.values.get(key).map(|mark| &mark.place);
        value.or_else(|| self.headers.get(table)).cloned().unwrap_or(Place::FILE)
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
