//! Typed reading of one table: a call per key, which gives its value or its default, or records what is wrong.
//!
//! Every reader returns `None` only after it has recorded a problem, so a table is read in full before its parts
//! are put together with `?`, and one pass finds all that is wrong.

use std::collections::BTreeMap;

use super::axis::Axis;
use super::problem::{Place, Problem};
use super::source::JobSource;
use super::tree::{Entry, Node, Tree, Value};

/// The keys of every table, in canonical order: what `to_toml` writes and what an unknown key is compared with.
pub(super) const TABLES: [(&str, &[&str]); 8] = [
    ("job", &["name", "seed", "replicates", "first_replicate"]),
    (
        "data",
        &[
            "source",
            "images",
            "labels",
            "components",
            "spectrum",
            "scale",
            "decay",
            "teacher",
            "label_count",
            "separation",
            "label_noise",
        ],
    ),
    ("corruption", &["kind", "components", "spectrum", "scale", "decay"]),
    ("augmentation", &["kind", "spectrum", "scale", "decay", "alignment"]),
    ("model", &["paradigms", "dimension"]),
    ("grid", &["samples"]),
    ("sampler", &["kind"]),
    ("output", &["metrics", "detail", "part_rows", "max_failed"]),
];

/// Similarity (Jaro–Winkler, 0 to 1) from which a name counts as a slip of another: `sample` for `samples` has 0.97,
/// `augment` for `augmentation` 0.92, `dim` for `dimension` 0.84, whereas `shape` and `scale` have 0.76.
const SIMILAR: f64 = 0.78;

/// Longest name worth comparing: the comparison takes quadratic time, and nobody mistypes a page.
const LONGEST_NAME: usize = 64;

/// Reads one table of the job, then the next.
pub(super) struct TableReader<'a> {
    tree: &'a Tree,
    name: &'static str,
    pub(super) source: &'a JobSource,
    problems: &'a mut Vec<Problem>,
    /// The axes of whole numbers read so far, by full name, for checks between tables: they outlive a table that has
    /// something else wrong with it.
    pub(super) sizes: BTreeMap<String, Axis<i64>>,
}

impl<'a> TableReader<'a> {
    /// A reader that stands at no table yet.
    pub(super) fn new(
        tree: &'a Tree,
        source: &'a JobSource,
        problems: &'a mut Vec<Problem>,
    ) -> TableReader<'a> {
        TableReader { tree, name: "", source, problems, sizes: BTreeMap::new() }
    }

    /// Goes to a table; one that the job does not have reads as empty.
    pub(super) fn table(&mut self, name: &'static str) -> &mut TableReader<'a> {
        self.name = name;
        self
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.tree.tables.get(self.name)?.entries.get(key)
    }

    /// The value of a key, if it is given.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The full name of a key, as messages spell it.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    /// Records a problem; returns `None` for the reader to return in turn.
    pub(super) fn refuse<T>(
        &mut self,
        place: &Place,
        message: String,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        let place = place.clone();
        self.problems.push(Problem { message, label: label.into(), help: Some(help.into()), place });
        None
    }

    /// Records that a key is given although other choices leave it without a meaning.
    pub(super) fn not_applicable(&mut self, keys: &[&str], circumstance: &str, help: &str) {
        for key in keys {
            if let Some(entry) = self.entry(key) {
                let message = format!("`{}` has no meaning with {circumstance}", self.path(key));
                self.refuse::<()>(&entry.key, message, "does not apply", help);
            }
        }
    }

    /// Records that a value has the wrong type.
    pub(super) fn wrong_type<T>(&mut self, node: &Node, name: &str, expected: &str, help: &str) -> Option<T> {
        let found = node.value.type_name();
        self.refuse(&node.place, format!("`{name}` must be {expected}, not {found}"), found, help)
    }

    /// A string; `help` says what it is for.
    pub(super) fn text(&mut self, key: &str, help: &str) -> Option<Option<&'a str>> {
        match self.node(key) {
            None => Some(None),
            Some(Node { value: Value::Text(text), .. }) => Some(Some(text)),
            Some(node) => self.wrong_type(node, &self.path(key), "a string in quotes", help),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
        default: T,
    ) -> Option<T> {
        match self.node(key) {
            None => Some(default),
            Some(node) => self.word(node, &self.path(key), all, name),
        }
    }

    /// A value that must be one of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        path: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let names: Vec<&str> = all.iter().map(|&one| name(one)).collect();
        let allowed = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ");
        let Value::Text(text) = &node.value else {
            return self.wrong_type(node, path, &allowed, &format!("write one of {allowed}, in quotes"));
        };
        let found = all.iter().copied().find(|&one| name(one) == text);
        found.or_else(|| {
            let help = match nearest(text, names.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("write {allowed}"),
            };
            let found = self.source.excerpt(&node.place);
            self.refuse(&node.place, format!("`{path}` must be {allowed}, not {found}"), "not known", help)
        })
    }

    /// A list of words without repeats, not empty; the result is in the order of `all`, which is also the default.
    pub(super) fn words<T: Copy + PartialEq>(
        &mut self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<Vec<T>> {
        let Some(node) = self.node(key) else { return Some(all.to_vec()) };
        let path = self.path(key);
        let names = all.iter().map(|&one| format!("{:?}", name(one))).collect::<Vec<_>>().join(", ");
        let help = format!("any of {names}; leave the key out for all of them");
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, &path, "a list of strings", &help);
        };
        if items.is_empty() {
            return self.refuse(&node.place, format!("`{path}` is empty"), "nothing is asked for", help);
        }
        let mut chosen = Vec::new();
        let mut sound = true;
        for item in items {
            match self.word(item, &path, all, name) {
                Some(word) if chosen.contains(&word) => {
                    let message = format!("`{path}` names {:?} twice", name(word));
                    self.refuse::<()>(&item.place, message, "second time", "name each once");
                    sound = false;
                }
                Some(word) => chosen.push(word),
                None => sound = false,
            }
        }
        sound.then(|| all.iter().copied().filter(|one| chosen.contains(one)).collect())
    }

    /// One whole number between two bounds, both included. Not an axis: a list or range is refused as such.
    pub(super) fn whole(&mut self, key: &str, low: u64, high: u64, default: u64, help: &str) -> Option<u64> {
        let Some(node) = self.node(key) else { return Some(default) };
        let path = self.path(key);
        let found = match node.value {
            Value::Integer(integer) => u64::try_from(integer).ok(),
            Value::Float(float) => exact_integer(float).and_then(|integer| u64::try_from(integer).ok()),
            Value::List(_) | Value::Table(_) => return self.refuse_axis(node, &path),
            Value::Text(_) | Value::Other(_) => return self.wrong_type(node, &path, "a whole number", help),
        };
        found.filter(|found| (low..=high).contains(found)).or_else(|| {
            let found = self.source.excerpt(&node.place);
            let message = format!("`{path}` must be a whole number from {low} to {high}, not {found}");
            self.refuse(&node.place, message, "out of range", help)
        })
    }

    /// Records that a key takes no list and no range.
    pub(super) fn refuse_axis<T>(&mut self, node: &Node, path: &str) -> Option<T> {
        let message = format!("`{path}` takes one number, not {}", node.value.type_name());
        self.refuse(&node.place, message, "not an axis", AXIS_KEYS)
    }
}

/// Which keys can be axes, for whoever made one of another key.
const AXIS_KEYS: &str = "the keys that can be axes are grid.samples, data.components, data.scale, data.decay, \
    data.separation, data.label_noise, corruption.components, corruption.scale, corruption.decay, \
    augmentation.scale, augmentation.decay, augmentation.alignment and model.dimension";

/// The integer that a float written without a fraction stands for, where every integer has a float of its own.
pub(super) fn exact_integer(float: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2⁵³
    #[expect(clippy::cast_possible_truncation, reason = "integral and within ±2⁵³, checked just before")]
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
}

/// The allowed name most like `name`, if any is like it at all.
#[must_use]
pub fn nearest<'n>(name: &str, allowed: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let scored = allowed.map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
    let best = scored.max_by(|(left, _), (right, _)| left.total_cmp(right))?;
    (best.0 >= SIMILAR).then_some(best.1)
}

/// Records every table and key that does not exist, each with its likely meaning and what is allowed instead.
pub(super) fn refuse_unknown(tree: &Tree, problems: &mut Vec<Problem>) {
    let table_names = || TABLES.iter().map(|(name, _)| *name);
    for stray in &tree.strays {
        let name = &stray.name;
        let (message, label, help) = if table_names().any(|table| table == name) {
            let message = format!("`{name}` is a table, not {}", stray.node.value.type_name());
            (
                message,
                "a single [table] is meant",
                format!("write [{name}] on a line of its own, then its keys"),
            )
        } else {
            (
                format!("`{name}` stands outside of every table"),
                "before any [table]",
                belongs(name, "", table_names()),
            )
        };
        let place = stray.key.clone();
        problems.push(Problem { message, label: label.into(), help: Some(help), place });
    }
    for (name, table) in &tree.tables {
        let Some((_, keys)) = TABLES.iter().find(|(known, _)| known == name) else {
            let help = belongs(name, "", table_names());
            let message = format!("there is no table [{name}]");
            let place = table.key.clone();
            problems.push(Problem { message, label: "unknown table".into(), help: Some(help), place });
            continue;
        };
        for entry in table.entries.values().filter(|entry| !keys.contains(&entry.name.as_str())) {
            problems.push(Problem {
                message: format!("[{name}] has no key `{}`", entry.name),
                label: "unknown key".into(),
                help: Some(belongs(&entry.name, name, keys.iter().copied())),
                place: entry.key.clone(),
            });
        }
    }
}

/// What an unknown name was probably meant to be, and the names allowed where it stands (`table` is empty at the top).
fn belongs<'n>(name: &str, table: &str, allowed: impl Iterator<Item = &'n str> + Clone) -> String {
    let list = allowed.clone().collect::<Vec<_>>().join(", ");
    let list = if table.is_empty() {
        format!("the tables are {list}")
    } else {
        format!("the keys of [{table}] are {list}")
    };
    let homes = TABLES.iter().filter(|(_, keys)| keys.contains(&name)).map(|(home, _)| format!("[{home}]"));
    let homes = homes.collect::<Vec<_>>().join(", ");
    match nearest(name, allowed) {
        _ if !homes.is_empty() => format!("`{name}` is a key of {homes} ({list})"),
        Some(near) => format!("did you mean `{near}`? ({list})"),
        None => list,
    }
}
