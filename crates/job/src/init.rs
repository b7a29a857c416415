//! Commented jobs to begin with, from the table of keys.

use std::fmt::Write;

use super::keys::{self, Default, KEYS, Key, Kind, Shown};
use super::spec::SpectrumShape;

/// Longest line of a comment, in characters.
const WIDTH: usize = 100;

/// A job that is all defaults, in TOML, each key below a sentence on what it means.
///
/// [`Shown::Minimal`] has the keys that most studies begin with, [`Shown::Common`] what they take,
/// too, and [`Shown::Full`] all keys; those that have no meaning beside the defaults, or no value
/// of their own, are commented out, and so are other choices.
#[must_use]
pub fn commented(shown: Shown) -> String {
    let mut text = String::new();
    let rest = if shown == Shown::Full { "" } else { " What is not here has its default, too:" };
    let head = format!(
        "A job for eigensweep; every value is the default.{rest} `eigensweep keys` is the table of all \
         keys. `eigensweep plan FILE` says what this job takes, and `eigensweep run FILE` runs it."
    );
    comment(&mut text, &head);
    for table in keys::tables() {
        let own = KEYS.iter().filter(|key| key.table == table && key.shown <= shown);
        let own: Vec<&Key> = own.filter(|key| shown == Shown::Full || means_something(key)).collect();
        if own.is_empty() {
            continue;
        }
        let _ = write!(text, "\n[{table}]");
        for key in own {
            text.push('\n');
            entry(&mut text, key, shown);
        }
    }
    text
}

/// A key with what is said of it.
fn entry(text: &mut String, key: &Key, shown: Shown) {
    comment(text, &sentence(&key.help));
    if shown > Shown::Minimal {
        let (allowed, condition) = (key.allowed(), key.condition());
        let (values, axis) = allowed
            .strip_suffix("; *axis*")
            .map_or((&*allowed, ""), |values| (values, "; a list or a range is an axis"));
        let where_ = if condition.is_empty() { condition } else { format!(" Only where {condition}.") };
        let unless_given = match key.default {
            Default::Derived(words) => format!(" Unless given: {}.", words.replace('*', "")),
            Default::Required | Default::Is(_) | Default::Listed { .. } => String::new(),
        };
        comment(text, &format!("Takes {values}{axis}.{where_}{unless_given}"));
    }
    let example = example(key);
    let (value, given) = match &key.default {
        Default::Is(value) => (&**value, true),
        Default::Listed { named, .. } => (*named, true),
        Default::Required => ("\"path/to/file\"", false),
        Default::Derived(_) => (&*example, false),
    };
    let mark = if given && means_something(key) { "" } else { "# " };
    let _ = writeln!(text, "{mark}{} = {value}", key.name);
    if shown == Shown::Full {
        for other in others(key).iter().filter(|other| *other != value) {
            let _ = writeln!(text, "# {} = {other}", key.name);
        }
    }
}

/// A value of a key that has none of its own.
fn example(key: &Key) -> String {
    let text = match &key.kind {
        Kind::Text => "\"study\"",
        Kind::Path => "\"path/to/file\"",
        Kind::Number(allowed) | Kind::NumberOr(allowed, _) => {
            let taken = |text: &&str| text.parse().is_ok_and(allowed.holds);
            ["50", "3", "0.5"].into_iter().find(taken).unwrap_or("1")
        }
        Kind::Own(_) => "{ stages = [] }",
        Kind::Shape => "[1, 28, 28]",
        Kind::Columns => "\"label\"",
        Kind::Patterns => "[\"*\", \"!id\"]",
        Kind::Flag => "true",
        Kind::Word(words) => return words.first().map_or_else(String::new, |word| format!("{word:?}")),
        Kind::Words(_)
        | Kind::Whole(_)
        | Kind::Numbers(_)
        | Kind::Spectrum(_)
        | Kind::Replicates
        | Kind::Stages(_)
        | Kind::Range(_) => "50",
    };
    text.to_owned()
}

/// Other choices of a key than numbers.
fn others(key: &Key) -> Vec<String> {
    let quoted = |words: &[&str]| words.iter().map(|word| format!("{word:?}")).collect();
    match &key.kind {
        Kind::Word(words) => quoted(words),
        Kind::Spectrum(_) => quoted(&SpectrumShape::NAMES),
        Kind::Replicates => vec!["{ min = 50, max = 10000, relative_error = 0.02 }".to_owned()],
        Kind::Number(_) if key.relative => vec!["{ relative = 0.1 }".to_owned()],
        Kind::Stages(_) => vec!["[{ kind = \"dropout\", probability = 0.5 }]".to_owned()],
        Kind::Range(_) => vec!["[0.0, 1.0]".to_owned()],
        Kind::NumberOr(_, words) => words.iter().map(|word| format!("{word:?}")).collect(),
        Kind::Text
        | Kind::Path
        | Kind::Words(_)
        | Kind::Whole(_)
        | Kind::Number(_)
        | Kind::Numbers(_)
        | Kind::Own(_)
        | Kind::Columns
        | Kind::Patterns
        | Kind::Flag
        | Kind::Shape => Vec::new(),
    }
}

/// Whether a key has a meaning where all others have their defaults.
fn means_something(key: &Key) -> bool {
    key.is_for(keys::SPECTRAL)
        && key.when.iter().filter(|when| when.key != keys::VIEWS).all(|when| {
            let (table, name) = when.place(key.table);
            keys::named(table, name).any(|other| {
                let Default::Is(value) = &other.default else { return false };
                let choice = if value.parse::<f64>().is_ok() { "a number" } else { value.trim_matches('"') };
                means_something(other) && when.is.contains(&choice)
            })
        })
}

/// Help as a sentence of its own; a symbol that it begins with stays small.
fn sentence(help: &str) -> String {
    let word = |letter: char| letter.is_ascii_lowercase() || letter == ' ';
    let first = help.chars().next().filter(|_| help.chars().nth(1).is_some_and(word));
    let first = first.map_or_else(String::new, |first| first.to_ascii_uppercase().to_string());
    format!("{first}{}.", &help[first.len()..])
}

/// Text as lines of a comment, none of which ends within backticks.
fn comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    let mut code = false;
    let words = words.split(|letter| {
        code ^= letter == '`';
        letter == ' ' && !code
    });
    for word in words {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
