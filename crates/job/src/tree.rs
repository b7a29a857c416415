//! The job's text as a tree of values that know where they stand, with the overrides already in it.
//!
//! The file and every override are sources of their own. An override replaces a key's whole value,
//! so a value keeps the place of whichever source it came from, and everything after this module is
//! blind to the difference.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Error};

use super::problem::{Place, Problem, SourceText};

/// Syntax errors shown of one source: a file that is no TOML at all has one on every line, and the
/// first few say so.
const SYNTAX_ERRORS_SHOWN: usize = 20;

/// A value and the text that it was read from.
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A TOML value. Integers past 128 bits become floats: every range check refuses them as such.
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// True or false.
    Flag(bool),
    /// A date, which no key takes; holds the name of the type.
    Other(&'static str),
}

impl Value {
    /// What a problem calls a value of this type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) => "a string",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Flag(_) => "a boolean",
            Value::Other(name) => name,
        }
    }
}

/// A key with its value.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) key: Place,
    pub(super) node: Node,
}

/// One of the file's tables.
pub(super) struct Table {
    /// Where its name stands.
    pub(super) key: Place,
    /// Its header in the file; a table that only overrides mention has none.
    pub(super) header: Option<Place>,
    /// The entries by name.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// The whole job as written: tables by name, and what stands outside of them.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) strays: Vec<Entry>,
}

/// Reads the file (source 0) and the overrides (sources 1 …) into one tree.
///
/// Returns false if the file is so broken that looking at its values would only produce further,
/// made-up problems.
pub(super) fn read(sources: &[SourceText], problems: &mut Vec<Problem>) -> (Tree, bool) {
    let mut tree = Tree::default();
    let mut sound = true;
    for (source, SourceText { text, .. }) in sources.iter().enumerate() {
        if source == 0 {
            sound = tree.read_file(text, problems);
        } else if let Err(problem) = tree.read_override(source, text) {
            problems.push(problem);
        }
    }
    (tree, sound)
}

impl Tree {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.strays.is_empty()
    }

    /// The entry of a key, if it is given.
    pub(super) fn entry(&self, table: &str, key: &str) -> Option<&Entry> {
        self.tables.get(table)?.entries.get(key)
    }

    /// All entries with the names of their tables.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.tables
            .iter()
            .flat_map(|(name, table)| table.entries.values().map(move |entry| (name.as_str(), entry)))
    }

    fn read_file(&mut self, text: &str, problems: &mut Vec<Problem>) -> bool {
        let (root, sound) = recover(text, problems);
        for (key, value) in root.into_inner() {
            let header = Place::new(0, value.span());
            let mut entry = entry(0, 0, key, value);
            if let Value::Table(entries) = &mut entry.node.value {
                let entries =
                    std::mem::take(entries).into_iter().map(|entry| (entry.name.clone(), entry)).collect();
                self.tables.insert(entry.name, Table { key: entry.key, header: Some(header), entries });
            } else {
                self.strays.push(entry);
            }
        }
        sound
    }

    /// Applies `table.key=value`; a value that is no TOML is a string if it looks like one that
    /// lost its quotes.
    fn read_override(&mut self, source: usize, text: &str) -> Result<(), Problem> {
        let malformed = |message: &str, label: &str, span| Problem {
            message: message.into(),
            label: label.into(),
            help: Some("an override reads `table.key=value`, such as `--set grid.samples=[100,400]`".into()),
            place: Place::new(source, span),
        };
        let Some((path, rest)) = text.split_once('=') else {
            return Err(malformed("this override has no `=`", "no value is given", 0..text.len()));
        };
        let span = trimmed(path, 0);
        let (table, key) = match path.trim().split('.').map(str::trim).collect::<Vec<_>>()[..] {
            [table, key] if !table.is_empty() && !key.is_empty() => (table, key),
            [_, _, _, ..] => {
                let message = "an override names a key of a table, and replaces its whole value";
                let mut problem = malformed(message, "more than `table.key`", span);
                problem.help = Some(
                    "so is a range, `grid.samples={ from = 100, to = 800, ratio = 2 }`, and a chain, \
                     `augmentation.reconstruction={ stages = [] }`"
                        .into(),
                );
                return Err(problem);
            }
            _ => return Err(malformed("an override names a table and a key", "not `table.key`", span)),
        };
        let start = path.len() + 1;
        let value_span = trimmed(rest, start);
        let value_text = rest.trim();
        if value_text.is_empty() {
            return Err(malformed("this override has no value", "nothing follows the `=`", 0..text.len()));
        }
        let (value, errors) = DeValue::parse_recoverable(value_text);
        let value = match errors.first() {
            None => node(source, value_span.start, value),
            Some(error) if !is_bare_string(value_text) => {
                let place = error.span().unwrap_or(0..value_text.len());
                let place = value_span.start + place.start..value_span.start + place.end;
                let message = format!("the value of `{table}.{key}` is no TOML: {}", error.message());
                return Err(malformed(&message, "here", place));
            }
            Some(_) => Node { place: Place::new(source, value_span), value: Value::Text(value_text.into()) },
        };
        let key_place = Place::new(source, span);
        let entry = Entry { name: key.into(), key: key_place.clone(), node: value };
        let table = self.tables.entry(table.into()).or_insert_with(|| Table {
            key: key_place,
            header: None,
            entries: BTreeMap::new(),
        });
        table.entries.insert(key.into(), entry);
        Ok(())
    }
}

/// The file's table, with its syntax errors recorded; false if it is so broken that looking at its
/// values would only produce further, made-up problems.
fn recover<'t>(text: &'t str, problems: &mut Vec<Problem>) -> (Spanned<DeTable<'t>>, bool) {
    let (root, mut errors) = DeTable::parse_recoverable(text);
    // A repeated key leaves the tree whole (the first value stands), so everything else can
    // still be checked.
    let sound = errors.iter().all(|error| error.message() == "duplicate key");
    let start = |error: &Error| error.span().map_or(text.len(), |span| span.start);
    errors.sort_by_key(start);
    // One mistake often gives several errors in a row: the first of a line tells.
    let mut kept: Vec<&Error> = Vec::new();
    for error in &errors {
        let gap = kept.last().and_then(|last| text.get(start(last)..start(error)));
        if gap.is_none_or(|gap| gap.contains('\n')) {
            kept.push(error);
        }
    }
    let hidden = kept.len().saturating_sub(SYNTAX_ERRORS_SHOWN);
    kept.truncate(SYNTAX_ERRORS_SHOWN);
    problems.extend(kept.into_iter().map(|error| syntax_problem(error, text, hidden)));
    (root, sound)
}

/// The keys of a file that has no tables, in the order written.
pub(super) fn read_flat(text: &str, problems: &mut Vec<Problem>) -> (Vec<Entry>, bool) {
    let (root, errors) = recover(text, problems);
    (root.into_inner().into_iter().map(|(key, value)| entry(0, 0, key, value)).collect(), errors)
}

/// The value of a key of an inline table, if it is given.
pub(super) fn find<'e>(entries: &'e [Entry], key: &str) -> Option<&'e Node> {
    entries.iter().find(|entry| entry.name == key).map(|entry| &entry.node)
}

/// A value of the program's own, such as a default; it stands nowhere.
pub(super) fn value(text: &str) -> Node {
    let (value, _) = DeValue::parse_recoverable(text);
    Node { place: Place::FILE, ..node(0, 0, value) }
}

/// Whether text that is no TOML value can be a string without its quotes, rather than a mistyped
/// list or table.
fn is_bare_string(text: &str) -> bool {
    !text.starts_with(['[', '{', '"', '\'']) && !text.chars().any(char::is_control)
}

/// The byte range of `text` without its outer blanks, moved by `offset`.
fn trimmed(text: &str, offset: usize) -> std::ops::Range<usize> {
    let start = offset + text.len() - text.trim_start().len();
    start..start + text.trim().len()
}

fn syntax_problem(error: &Error, text: &str, hidden: usize) -> Problem {
    let (message, label, help) = match error.message() {
        "duplicate key" => ("this key is given twice", "second time", Some("keep one of the two".into())),
        message if hidden == 0 => (message, "here", None),
        message => (message, "here", Some(format!("{hidden} further syntax errors are not shown"))),
    };
    let place = Place::new(0, error.span().unwrap_or(text.len()..text.len()));
    Problem { message: message.into(), label: label.into(), help, place }
}

fn entry(source: usize, offset: usize, key: Spanned<DeString<'_>>, value: Spanned<DeValue<'_>>) -> Entry {
    let place = key.span();
    Entry {
        name: key.into_inner().into_owned(),
        key: Place::new(source, place.start + offset..place.end + offset),
        node: node(source, offset, value),
    }
}

/// An owned copy of the parser's tree, spans moved by `offset`; the parser bounds the depth.
fn node(source: usize, offset: usize, value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(float) => float.as_str().parse().map_or(Value::Other("no number"), Value::Float),
        DeValue::Array(items) => {
            Value::List(items.into_iter().map(|item| node(source, offset, item)).collect())
        }
        DeValue::Table(items) => {
            Value::Table(items.into_iter().map(|(key, item)| entry(source, offset, key, item)).collect())
        }
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { place: Place::new(source, span.start + offset..span.end + offset), value }
}
