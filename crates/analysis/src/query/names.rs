//! Names that are not there: which ones were meant.

use crate::AnalysisError;

/// Most names that are suggested.
const SUGGESTIONS: usize = 3;

/// Least similarity of a suggestion, 0 to 1 (Jaro–Winkler; 0.7 keeps `noise` → `noise_scale` and `dist` → `distance`, and leaves out
/// what merely shares letters; tried on the columns of a data set).
const SIMILAR: f64 = 0.7;

/// An error that suggests names, if a message of polars says that a column or a table was not found.
pub(crate) fn explain(message: &str, columns: &[String], tables: &[&str]) -> Option<AnalysisError> {
    if let Some(name) = between(message, "unable to find column \"", '"')
        .or_else(|| between(message, "unable to find column '", '\''))
        .or_else(|| between(message, "column not found: ", ' '))
        .or_else(|| between(message, "Column(s) not found: ", ' '))
        .or_else(|| between(message, "no column named '", '\''))
    {
        return Some(unknown("column", name, columns));
    }
    let table = between(message, "relation '", '\'')
        .or_else(|| between(message, "no table or alias named '", '\''))?;
    Some(unknown("table", table, &tables.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()))
}

/// The error for one unknown name.
pub(crate) fn unknown(kind: &'static str, name: &str, known: &[String]) -> AnalysisError {
    AnalysisError::Unknown {
        kind,
        name: name.to_owned(),
        nearest: nearest(name, known),
        known: known.to_vec(),
    }
}

/// The known names that are most like `name`, the closest first.
pub(crate) fn nearest(name: &str, known: &[String]) -> Vec<String> {
    let name = name.to_lowercase();
    let likeness = |other: &String| {
        let other = other.to_lowercase();
        let contained = other.contains(&name) || name.contains(&other);
        strsim::jaro_winkler(&name, &other).max(if contained { SIMILAR } else { 0.0 })
    };
    let mut close: Vec<(f64, &String)> =
        known.iter().map(|other| (likeness(other), other)).filter(|(score, _)| *score >= SIMILAR).collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0));
    close.dedup_by(|a, b| a.1 == b.1);
    close.into_iter().take(SUGGESTIONS).map(|(_, other)| other.clone()).collect()
}

/// What stands between `before` and the next `end`.
fn between<'a>(message: &'a str, before: &str, end: char) -> Option<&'a str> {
    let rest = message.split_once(before)?.1;
    let name = rest.split([end, '\n']).next()?.trim_matches(['"', '\'', '`', ',', ';', ':']);
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let known =
            ["replicate", "samples", "noise_scale", "alignment", "paradigm", "distance"].map(str::to_owned);
        assert_eq!(nearest("distanc", &known)[0], "distance");
        assert_eq!(nearest("noise", &known)[0], "noise_scale");
        assert_eq!(nearest("Alignement", &known)[0], "alignment");
        assert!(nearest("xyz", &known).is_empty());
    }
}
