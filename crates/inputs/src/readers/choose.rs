//! Which columns of a file with names are inputs, and which are wanted beside them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{Wanted, matches};
use crate::InputError;

/// Columns by their places.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Those that are inputs, ascending; none if none are wanted.
    pub(super) inputs: Vec<usize>,
    /// Those that are wanted beside them, in the order of [`Wanted::columns`].
    pub(super) wanted: Vec<usize>,
}

impl Places {
    /// The names of the columns that are wanted for nothing, but for what numbers rows.
    pub(super) fn others(&self, names: &[String]) -> Vec<String> {
        let used: HashSet<usize> = self.inputs.iter().chain(&self.wanted).copied().collect();
        let named = |name: &&String| !name.is_empty() && !name.starts_with(INDEX);
        let others = names.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, name)| name);
        others.filter(named).cloned().collect()
    }
}

/// What the names of an index that pandas writes begin with.
pub(super) const INDEX: &str = "__index_level_";

/// Names that a message lists at most.
const LISTED: usize = 10;

/// Finds what is wanted among the columns of these names.
///
/// # Errors
///
/// [`InputError::NoSuch`] if a name or a pattern is of no column; [`InputError::Unreadable`] if one
/// is of several, if no name is given where there are several columns, and if no column is left for
/// the inputs.
pub(super) fn places(path: &Path, names: &[String], asked: &Wanted<'_>) -> Result<Places, InputError> {
    let refused =
        |place: String, problem: String, remedy: &str| InputError::unreadable(path, place, problem, remedy);
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        places.entry(name).or_default().push(at);
    }
    let twice = |name: &str| {
        let found: Vec<String> = places[name].iter().take(3).map(|at| format!("{}", at + 1)).collect();
        let problem = format!("columns {} have this name", found.join(", "));
        refused(format!("column `{name}`"), problem, "give each a name of its own")
    };
    let mut wanted = Vec::new();
    for &name in asked.columns {
        wanted.push(match name {
            Some(name) => match places.get(name).map(Vec::as_slice) {
                Some([at]) => *at,
                Some(_) => return Err(twice(name)),
                None => return Err(no_such(path, "column", name, names)),
            },
            None if names.len() == 1 => 0,
            None => {
                let problem = format!("there are {}: {}", names.len(), listed(names));
                let remedy = "say which one it is: `{ file = \"…\", column = \"…\" }`";
                return Err(refused("its columns".to_owned(), problem, remedy));
            }
        });
    }
    let mut inputs = Vec::new();
    if let Some(chosen) = asked.inputs {
        for pattern in &chosen.columns {
            let letters = pattern.strip_prefix('!').unwrap_or(pattern);
            let literal = !letters.contains(['*', '?']);
            let found = if literal {
                places.contains_key(letters)
            } else {
                names.iter().any(|name| matches(letters, name))
            };
            if !found {
                let what = if literal { "column" } else { "column like" };
                return Err(no_such(path, what, letters, names));
            }
        }
        inputs = (0..names.len()).filter(|at| !wanted.contains(at) && chosen.has(&names[*at])).collect();
        if let Some(&at) = inputs.iter().find(|&&at| places[&*names[at]].len() > 1) {
            return Err(twice(&names[at]));
        }
        if inputs.is_empty() {
            let problem = format!("none is left for the inputs of {}: {}", names.len(), listed(names));
            let remedy = match chosen.columns.is_empty() {
                true => "give a file that has columns beside those of labels, targets and groups",
                false => "choose others with `columns`",
            };
            return Err(refused("its columns".to_owned(), problem, remedy));
        }
    }
    Ok(Places { inputs, wanted })
}

/// That there is no column of a name, with the nearest one, or what there is.
fn no_such(path: &Path, what: &'static str, name: &str, names: &[String]) -> InputError {
    let near = |other: &&String| strsim::osa_distance(name, other);
    // Of very many, the nearest is not looked for.
    let nearest = names.iter().take(10_000).min_by_key(near).filter(|other| {
        let distance = near(other);
        distance <= 2 && distance < name.chars().count()
    });
    let there = nearest.map_or_else(
        || format!("there are {}: {}", names.len(), listed(names)),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    InputError::NoSuch { path: path.to_owned(), what, name: name.to_owned(), there }
}

/// The first names.
fn listed(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    format!("{}{}", first.join(", "), if names.len() > LISTED { ", …" } else { "" })
}
