//! Columns of files: labels, targets and groups of a job, as they are read and printed.

use std::path::Path;

use eigensweep_inputs::Columns;
use eigensweep_inputs::readers::Reader;
use eigensweep_inputs::source::is_path;

use super::fields::quoted;
use super::read::Reader as JobReader;
use super::tree::{Node, Value, find};

const FORMS: &str = "write the name of a column of the inputs' file, the path of a file of its own, or \
    { file = \"…\", column = \"…\" }";

impl JobReader<'_> {
    /// The columns that a value names; `reader` reads the inputs.
    pub(super) fn columns(&mut self, node: &Node, path: &str, reader: &Reader) -> Option<Columns> {
        let columns = self.columns_of(node, path, reader)?;
        if columns.file.is_none() && !reader.columns {
            let message =
                format!("`{path}` names columns, and files of source = {:?} have none", reader.name);
            return self.refuse(&node.place, message, "no columns", "give the path of a file of its own");
        }
        Some(columns)
    }

    fn columns_of(&mut self, node: &Node, path: &str, reader: &Reader) -> Option<Columns> {
        match &node.value {
            Value::Text(text) if text.is_empty() => {
                self.refuse(&node.place, format!("`{path}` is empty"), "no name", FORMS)
            }
            Value::Text(text) if !reader.columns || is_path(text) => {
                Some(Columns { file: Some(self.path(node, text)), names: Vec::new() })
            }
            Value::Text(text) => Some(Columns { file: None, names: vec![text.clone()] }),
            Value::List(_) => Some(Columns { file: None, names: self.names(node, path, FORMS)? }),
            Value::Table(entries) => {
                let sound = self.known_only(&format!("`{path}`"), entries, &["file", "column"], FORMS);
                let file = match find(entries, "file").map(|node| (node, &node.value)) {
                    None => None,
                    Some((node, Value::Text(text))) if !text.is_empty() => Some(self.path(node, text)),
                    Some((node, _)) => {
                        return self.wrong_type(node, &format!("{path}.file"), "a path", FORMS);
                    }
                };
                let column = find(entries, "column");
                if file.is_none() && column.is_none() {
                    return self.refuse(
                        &node.place,
                        format!("`{path}` names nothing"),
                        "no file, no column",
                        FORMS,
                    );
                }
                let names = match column.map(|node| (node, &node.value)) {
                    None => Vec::new(),
                    Some((_, Value::Text(text))) => vec![text.clone()],
                    Some((node, _)) => self.names(node, &format!("{path}.column"), FORMS)?,
                };
                sound.then_some(Columns { file, names })
            }
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Other(_) => {
                self.wrong_type(node, path, "a column or a file", FORMS)
            }
        }
    }

    /// A list of names, none of them empty or twice.
    pub(super) fn names(&mut self, node: &Node, path: &str, help: &str) -> Option<Vec<String>> {
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, path, "a list of names in quotes", help);
        };
        let mut names: Vec<String> = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) if text.is_empty() || names.contains(text) => {
                    let message = format!("`{path}` names {text:?} where a new name is expected");
                    return self.refuse(&item.place, message, "empty, or the second time", help);
                }
                Value::Text(text) => names.push(text.clone()),
                Value::Integer(_)
                | Value::Float(_)
                | Value::List(_)
                | Value::Table(_)
                | Value::Flag(_)
                | Value::Other(_) => return self.wrong_type(item, path, "a list of names in quotes", help),
            }
        }
        if names.is_empty() {
            return self.refuse(&node.place, format!("`{path}` is empty"), "no name", help);
        }
        Some(names)
    }
}

/// Columns as they stand in a job whose inputs `reader` reads.
pub(super) fn columns_toml(columns: &Columns, reader: &Reader) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let names = || match &columns.names[..] {
        [name] => quoted(name),
        names => list_toml(names),
    };
    match (&columns.file, columns.names.is_empty()) {
        (Some(file), true) if !reader.columns || is_path(&file.to_string_lossy()) => path(file),
        (Some(file), true) => format!("{{ file = {} }}", path(file)),
        (Some(file), false) => format!("{{ file = {}, column = {} }}", path(file), names()),
        (None, _) if columns.names.len() == 1 && is_path(&columns.names[0]) => {
            format!("{{ column = {} }}", names())
        }
        (None, _) => names(),
    }
}

/// A list of texts.
pub(super) fn list_toml(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}
