//! Reading the tables by the table of keys: each value by its key's kind, or what is wrong with it.
//!
//! A reader returns `None` only after it has recorded a problem, so everything is read before
//! anything is put together, and one pass finds all that is wrong.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use eigensweep_inputs::readers;
use eigensweep_theory::views::stages::Shape;

use super::axis::{AXIS_LIMIT, Axis};
use super::keys::{self, Default, KEYS, Key, Kind, When};
use super::numbers::{Allowed, RELATIVE, exact_integer};
use super::problem::{Place, Problem};
use super::source::JobSource;
use super::spec::SpectrumShape;
use super::tree::{self, Node, Tree, Value};
use super::values::{Given, Values};

/// Similarity (Jaro–Winkler, 0 to 1) from which a name counts as a slip of another: `sample` for
/// `samples` has 0.97, `augment` for `augmentation` 0.92, `dim` for `dimension` 0.84, whereas
/// `shape` and `scale` have 0.76.
const SIMILAR: f64 = 0.78;

/// Longest name worth comparing: the comparison takes quadratic time, and nobody mistypes a page.
const LONGEST_NAME: usize = 64;

/// Reads every key of a job. Relative paths of the file are joined to `base_dir`; the job of a data
/// set that is there (`None`) has none.
pub(super) fn read(
    tree: &Tree,
    source: &JobSource,
    base_dir: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Values {
    refuse_unknown(tree, problems);
    let (stored, base_dir) = (base_dir.is_none(), base_dir.unwrap_or(Path::new("")));
    let mut reader = Reader::new(source, stored, base_dir, problems);
    let stages = tree.entries().any(|(table, entry)| keys::makes_stages(table, &entry.name));
    let views = if stages { keys::STAGES } else { keys::SPECTRAL };
    reader.values.0.insert(keys::VIEWS.to_owned(), Some(Given::Word(views)));
    // Words and spectra first: they decide which other keys have a meaning, and some defaults.
    let (deciding, others): (Vec<&Key>, Vec<&Key>) =
        KEYS.iter().partition(|key| matches!(key.kind, Kind::Word(_) | Kind::Spectrum(_) | Kind::Replicates));
    for key in deciding.into_iter().chain(others) {
        let value = match reader.meaning(key) {
            Meaning::Some => reader.value(key, tree.entry(key.table, key.name).map(|entry| &entry.node)),
            Meaning::Unknown => Some(None),
            Meaning::None(_) => None,
        };
        if let Some(value) = value {
            reader.values.0.insert(key.path.clone(), value);
        }
    }
    reader.refuse_meaningless(tree);
    reader.values
}

/// Whether a key means anything in a job.
enum Meaning {
    Some,
    /// A condition fails.
    None(&'static When),
    /// A value that a condition is about could not be read.
    Unknown,
}

/// Reads values, and records what is wrong.
pub(super) struct Reader<'a> {
    pub(super) source: &'a JobSource,
    /// Whether the job is that of a data set, which may be one that is refused today.
    pub(super) stored: bool,
    base_dir: &'a Path,
    problems: &'a mut Vec<Problem>,
    values: Values,
    /// Stages read so far.
    pub(super) stages: usize,
    /// Whether numbers of stages may be axes.
    pub(super) axes: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        source: &'a JobSource,
        stored: bool,
        base_dir: &'a Path,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        Self { source, stored, base_dir, problems, values: Values::default(), stages: 0, axes: true }
    }
}

impl Reader<'_> {
    fn meaning(&self, key: &'static Key) -> Meaning {
        for when in &key.when {
            match self.values.0.get(&when.path(key.table)) {
                Some(None) => return Meaning::Unknown,
                Some(Some(given)) if when.is.contains(&given.choice()) => {}
                Some(Some(_)) | None => return Meaning::None(when),
            }
        }
        Meaning::Some
    }

    /// The value of a key that has a meaning; `None` if it has none of its own.
    fn value(&mut self, key: &'static Key, node: Option<&Node>) -> Option<Option<Given>> {
        let default = match (node, &key.default) {
            (Some(node), _) => return Some(self.given(key, node)),
            (None, Default::Derived(_)) => return None,
            (None, Default::Is(value)) => value.clone(),
            (None, Default::Listed { named, listed, .. }) => {
                let list = self.values.list(&format!("{}.spectrum", key.table));
                list.map_or_else(|| (*named).to_owned(), |list| listed(list.len()))
            }
            (None, Default::Required) => {
                let message = match key.when.first() {
                    Some(when) => format!("{} = {:?} needs `{}`", when.key, when.is.join(" or "), key.path),
                    None => format!("`{}` is needed", key.path),
                };
                let place = self.source.place(&key.path);
                return Some(self.refuse(&place, message, "not given", key.help.as_str()));
            }
        };
        Some(self.given(key, &tree::value(&default)))
    }

    fn given(&mut self, key: &'static Key, node: &Node) -> Option<Given> {
        let path = &key.path;
        match &key.kind {
            Kind::Text => self.text(key, node).map(Given::Text),
            Kind::Path => {
                let text = self.text(key, node)?;
                if text.is_empty() {
                    let message = format!("`{path}` is empty");
                    return self.refuse(&node.place, message, "no path", key.help.as_str());
                }
                Some(Given::Path(self.path(node, &text)))
            }
            Kind::Word(all) => self.word(node, path, all).map(Given::Word),
            Kind::Words(all) => self.some_of(node, path, all).map(Given::Words),
            Kind::Whole(within) => {
                let within = within(&self.values);
                self.whole(node, path, &within, &key.help).map(Given::Whole)
            }
            Kind::Replicates => {
                if let Value::Table(entries) = &node.value {
                    return self.adaptive(node, path, entries).map(Given::Adaptive);
                }
                self.whole(node, path, &keys::REPLICATES, &key.help).map(Given::Whole)
            }
            Kind::Number(_)
                if key.axis.is_none() && matches!(node.value, Value::List(_) | Value::Table(_)) =>
            {
                self.refuse_axis(node, path)
            }
            Kind::Number(allowed) => {
                let axis = if key.relative {
                    self.axis_or_relative(node, path, *allowed, RELATIVE)
                } else {
                    self.absolute_axis(node, path, *allowed)
                }?;
                if !allowed.whole {
                    return Some(Given::Floats(axis));
                }
                let whole = axis.values().iter().copied().filter_map(exact_integer);
                Axis::new(whole.collect()).map(Given::Integers)
            }
            Kind::Numbers(allowed) => {
                self.absolute_axis(node, path, *allowed).map(|axis| Given::List(axis.values().to_vec()))
            }
            Kind::NumberOr(_, words) if matches!(node.value, Value::Text(_)) => {
                self.word(node, path, words).map(Given::Word)
            }
            Kind::NumberOr(allowed, _) => match node.value {
                Value::List(_) | Value::Table(_) => self.refuse_axis(node, path),
                Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Other(_) => {
                    self.absolute_axis(node, path, *allowed).map(Given::Floats)
                }
            },
            Kind::Spectrum(allowed) => {
                if let Value::List(items) = &node.value {
                    return self.list(node, path, items, *allowed).map(Given::List);
                }
                self.word(node, path, &SpectrumShape::NAMES).map(Given::Word)
            }
            Kind::Stages(_) => {
                let filled = (key.table == "corruption" && self.source.has("corruption.severity"))
                    .then(|| self.values.severities());
                self.chain(node, path, filled).map(Given::Chain)
            }
            Kind::Own(_) => self.own_chain(node, path).map(Given::Chain),
            Kind::Shape => self.shape(node, path).map(Given::Shape),
            Kind::Columns => {
                let reader = self.values.word("data.source").and_then(readers::named)?;
                self.columns(node, path, reader).map(Given::Columns)
            }
            Kind::Flag => match node.value {
                Value::Flag(flag) => Some(Given::Flag(flag)),
                Value::Text(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::List(_)
                | Value::Table(_)
                | Value::Other(_) => self.wrong_type(node, path, "true or false", &key.help),
            },
            Kind::Patterns => self.names(node, path, &key.help).map(Given::Names),
            Kind::Range(words) => {
                if matches!(node.value, Value::Text(_)) {
                    return self.word(node, path, words).map(Given::Word);
                }
                self.value_range(node, path, &key.help).map(Given::Range)
            }
        }
    }

    /// Channels, rows and columns.
    pub(super) fn shape(&mut self, node: &Node, path: &str) -> Option<Shape> {
        const HELP: &str =
            "write [channels, rows, columns], such as [1, 28, 28]; of plain features [1, 1, 784]";
        let items = match &node.value {
            Value::List(items) if items.len() == 3 => items,
            Value::List(_)
            | Value::Table(_)
            | Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Flag(_)
            | Value::Other(_) => {
                let found = self.source.excerpt(&node.place);
                let message = format!("`{path}` must be three whole numbers, not {found}");
                return self.refuse(&node.place, message, "not three numbers", HELP);
            }
        };
        let sizes: Vec<_> = items.iter().map(|item| self.whole(item, path, &(1..=1_000_000), HELP)).collect();
        let sizes = sizes.into_iter().collect::<Option<Vec<u64>>>()?;
        let sizes: Vec<usize> =
            sizes.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        let [channels, rows, columns] = sizes[..] else { return None };
        if channels
            .checked_mul(rows)
            .and_then(|size| size.checked_mul(columns))
            .is_none_or(|size| size > 1_000_000)
        {
            let message = format!("`{path}` has more than 1000000 features");
            return self.refuse(&node.place, message, "too many", HELP);
        }
        Some(Shape { channels, rows, columns })
    }

    /// Two numbers, the smaller one first.
    fn value_range(&mut self, node: &Node, path: &str, help: &str) -> Option<[f64; 2]> {
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, path, "two numbers or \"none\"", help);
        };
        let finite = Allowed::real("finite", f64::is_finite, "the least and the largest value");
        let values: Vec<_> = items.iter().map(|item| self.number(item, path, finite)).collect();
        match values.into_iter().collect::<Option<Vec<f64>>>()?[..] {
            [low, high] if low < high => Some([low, high]),
            _ => {
                let found = self.source.excerpt(&node.place);
                let message = format!("`{path}` must be two numbers, the smaller one first, not {found}");
                self.refuse(&node.place, message, "no range of values", help)
            }
        }
    }

    /// A path, relative to the file in which it stands. That of an override is relative to where
    /// the program was started, as on any command line.
    pub(super) fn path(&self, node: &Node, text: &str) -> PathBuf {
        let base = if node.place.source == 0 { self.base_dir } else { Path::new("") };
        base.join(text)
    }

    /// Refuses keys that are given although other choices leave them without a meaning.
    fn refuse_meaningless(&mut self, tree: &Tree) {
        for (table, entry) in tree.entries() {
            let meanings = keys::named(table, &entry.name).map(|key| match self.meaning(key) {
                Meaning::None(when) => Some(when),
                Meaning::Some | Meaning::Unknown => None,
            });
            let Some(failing) = meanings.collect::<Option<Vec<&When>>>() else { continue };
            let Some(first) = failing.first() else { continue };
            let (circumstance, help) = if let Some((circumstance, help)) = first.otherwise {
                (circumstance.to_owned(), help.to_owned())
            } else {
                let choices = failing
                    .iter()
                    .flat_map(|when| when.is.iter().map(|word| format!("{} = {word:?}", when.key)));
                let path = keys::named(table, &entry.name).next().map(|key| first.path(key.table));
                let found = path.and_then(|path| self.values.word(&path)).unwrap_or_default();
                let choices = keys::unique(choices).join(" or ");
                let help = format!("only {choices} has {}", entry.name.replace('_', " "));
                (format!("{} = {found:?}", first.key), help)
            };
            let message = format!("`{table}.{}` has no meaning with {circumstance}", entry.name);
            self.refuse::<()>(&entry.key, message, "does not apply", help);
        }
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

    /// Records that a value has the wrong type.
    pub(super) fn wrong_type<T>(&mut self, node: &Node, name: &str, expected: &str, help: &str) -> Option<T> {
        let found = node.value.type_name();
        self.refuse(&node.place, format!("`{name}` must be {expected}, not {found}"), found, help)
    }

    fn text(&mut self, key: &Key, node: &Node) -> Option<String> {
        let Value::Text(text) = &node.value else {
            return self.wrong_type(node, &key.path, "a string in quotes", &key.help);
        };
        Some(text.clone())
    }

    /// A value that must be one of a few words.
    pub(super) fn word(&mut self, node: &Node, path: &str, all: &[&'static str]) -> Option<&'static str> {
        let allowed = all.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ");
        let Value::Text(text) = &node.value else {
            return self.wrong_type(node, path, &allowed, &format!("write one of {allowed}, in quotes"));
        };
        let found = all.iter().copied().find(|one| one == text);
        found.or_else(|| {
            let help = match nearest(text, all.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("write {allowed}"),
            };
            let found = self.source.excerpt(&node.place);
            self.refuse(&node.place, format!("`{path}` must be {allowed}, not {found}"), "not known", help)
        })
    }

    /// A list of words without repeats, not empty; the result is in the order of `all`.
    fn some_of(&mut self, node: &Node, path: &str, all: &[&'static str]) -> Option<Vec<&'static str>> {
        let names = all.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let help = format!("any of {names}; leave the key out for the default");
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, path, "a list of strings", &help);
        };
        if items.is_empty() {
            return self.refuse(&node.place, format!("`{path}` is empty"), "nothing is asked for", help);
        }
        let mut chosen = Vec::new();
        let mut sound = true;
        for item in items {
            match self.word(item, path, all) {
                Some(word) if chosen.contains(&word) => {
                    let message = format!("`{path}` names {word:?} twice");
                    self.refuse::<()>(&item.place, message, "second time", "name each once");
                    sound = false;
                }
                Some(word) => chosen.push(word),
                None => sound = false,
            }
        }
        sound.then(|| all.iter().copied().filter(|one| chosen.contains(one)).collect())
    }

    /// One whole number. Not an axis: a list or range is refused as such.
    pub(super) fn whole(
        &mut self,
        node: &Node,
        path: &str,
        within: &RangeInclusive<u64>,
        help: &str,
    ) -> Option<u64> {
        let found = match node.value {
            Value::Integer(integer) => u64::try_from(integer).ok(),
            Value::Float(float) => exact_integer(float).and_then(|integer| u64::try_from(integer).ok()),
            Value::List(_) | Value::Table(_) => return self.refuse_axis(node, path),
            Value::Text(_) | Value::Flag(_) | Value::Other(_) => {
                return self.wrong_type(node, path, "a whole number", help);
            }
        };
        found.filter(|found| within.contains(found)).or_else(|| {
            let found = self.source.excerpt(&node.place);
            let message = format!("`{path}` must be {}, not {found}", keys::in_words(within));
            self.refuse(&node.place, message, "out of range", help)
        })
    }

    /// The items of a spectrum given as a list. Repeats are fine: it is one spectrum, not an axis.
    fn list(&mut self, node: &Node, path: &str, items: &[Node], allowed: Allowed) -> Option<Vec<f64>> {
        if items.is_empty() {
            let help = "list the eigenvalues, or write \"uniform\", \"flat\" or \"power-law\"";
            return self.refuse(&node.place, format!("`{path}` has no eigenvalues"), "empty", help);
        }
        if items.len() > AXIS_LIMIT {
            let message = format!("`{path}` has {} eigenvalues", items.len());
            let help = "the covariances are dense: a few thousand at most";
            return self.refuse(&node.place, message, "too many", help);
        }
        let values: Vec<_> = items.iter().map(|item| self.number(item, path, allowed)).collect();
        values.into_iter().collect()
    }

    /// Records that a key takes no list and no range.
    fn refuse_axis<T>(&mut self, node: &Node, path: &str) -> Option<T> {
        let message = format!("`{path}` takes one number, not {}", node.value.type_name());
        let axes = keys::axes();
        let (last, others) = axes.split_last().unwrap_or((&"", &[]));
        let help = format!("the keys that can be axes are {} and {last}", others.join(", "));
        self.refuse(&node.place, message, "not an axis", help)
    }
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

/// Records every table and key that does not exist, each with its likely meaning and what is
/// allowed instead.
fn refuse_unknown(tree: &Tree, problems: &mut Vec<Problem>) {
    let tables = keys::tables();
    for stray in &tree.strays {
        let name = &stray.name;
        let (message, label, help) = if tables.contains(&name.as_str()) {
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
                belongs(name, "", &tables),
            )
        };
        let place = stray.key.clone();
        problems.push(Problem { message, label: label.into(), help: Some(help), place });
    }
    for (name, table) in &tree.tables {
        let names = keys::names(name);
        if names.is_empty() {
            let help = belongs(name, "", &tables);
            let message = format!("there is no table [{name}]");
            let place = table.key.clone();
            problems.push(Problem { message, label: "unknown table".into(), help: Some(help), place });
            continue;
        }
        for entry in table.entries.values().filter(|entry| !names.contains(&entry.name.as_str())) {
            problems.push(Problem {
                message: format!("[{name}] has no key `{}`", entry.name),
                label: "unknown key".into(),
                help: Some(belongs(&entry.name, name, &names)),
                place: entry.key.clone(),
            });
        }
    }
}

/// What an unknown name was probably meant to be, and the names allowed where it stands (`table` is
/// empty at the top).
fn belongs(name: &str, table: &str, allowed: &[&str]) -> String {
    let list = allowed.join(", ");
    let list = if table.is_empty() {
        format!("the tables are {list}")
    } else {
        format!("the keys of [{table}] are {list}")
    };
    let homes = keys::tables().into_iter().filter(|home| keys::find(home, name).is_some());
    let homes = homes.map(|home| format!("[{home}]")).collect::<Vec<_>>().join(", ");
    match nearest(name, allowed.iter().copied()) {
        _ if !homes.is_empty() => format!("`{name}` is a key of {homes} ({list})"),
        Some(near) => format!("did you mean `{near}`? ({list})"),
        None => list,
    }
}
