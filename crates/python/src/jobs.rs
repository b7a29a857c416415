//! Jobs as Python hands them over: a path, TOML, or a dictionary as JSON.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use eigensweep_engine::EngineError;
use eigensweep_job::{self as job, Job};
use pyo3::prelude::*;
use serde_json::Value;

/// What a job without a file is called.
const NAME: &str = "job";

/// A job that is still to be read: what kind of text it is, the text (of a file its path), and what
/// is set over it, each key with its value as JSON.
#[derive(Debug, FromPyObject)]
pub(crate) struct JobText(String, String, Vec<(String, String)>);

impl JobText {
    /// Reads and checks it. Relative paths are relative to the file, or to the working directory.
    ///
    /// # Errors
    ///
    /// [`EngineError::Job`], or [`EngineError::Io`] of a file.
    pub(crate) fn read(&self) -> Result<Job, EngineError> {
        let Self(kind, text, set) = self;
        let overrides = overrides(set);
        let (name, text, directory) = match kind.as_str() {
            "path" => {
                let path = Path::new(text);
                let content = fs::read_to_string(path).map_err(|source| EngineError::Io {
                    action: "read the job file",
                    path: path.to_path_buf(),
                    source,
                })?;
                (text.as_str(), content, path.parent().unwrap_or(Path::new("")))
            }
            "json" => (NAME, document(&value_of(text)), Path::new("")),
            _ => (NAME, text.clone(), Path::new("")),
        };
        Ok(job::parse(name, &text, &overrides, directory)?)
    }
}

/// What is set over a job, each key with its value as JSON, as the program takes it.
pub(crate) fn overrides(set: &[(String, String)]) -> Vec<String> {
    set.iter().map(|(key, value)| format!("{key}={}", inline(&value_of(value)))).collect()
}

/// Python's own JSON can be read.
pub(crate) fn value_of(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

/// A dictionary as the text of a job file, or of a file of views: a line a key, so that problems
/// have places.
pub(crate) fn document(job: &Value) -> String {
    let (mut strays, mut tables) = (String::new(), String::new());
    for (name, value) in job.as_object().into_iter().flatten() {
        if let Value::Object(entries) = value {
            let _ = writeln!(tables, "[{}]", key(name));
            for (name, value) in entries {
                let _ = writeln!(tables, "{} = {}", key(name), inline(value));
            }
        } else {
            let _ = writeln!(strays, "{} = {}", key(name), inline(value));
        }
    }
    strays + &tables
}

/// A value in one line of TOML.
fn inline(value: &Value) -> String {
    match value {
        // There is nothing like it in TOML; what reads it says so.
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
