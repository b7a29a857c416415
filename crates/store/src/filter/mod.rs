//! Conditions on rows, in the words of SQL: `noise_scale = 1e6 and alignment < 1 and status <>
//! 'ok'`.
//!
//! A condition is read once ([`Filter::parse`], grammar in `grammar.rs`), checked against the
//! columns there are, and asked row by row ([`Filter::holds`]) under SQL's three-valued logic: a
//! comparison with no value is neither true nor false. The same makes it cheap to pass over parts:
//! asked with only the coordinates known, a condition that is already false needs no file. Numbers
//! are read as tables show them ([`Filter::as_shown`]), and where no row is left, it is said why
//! ([`Filter::why_none`]).

mod grammar;
mod values;

use std::fmt;

pub use values::Known;

/// A value of a row, or of a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
    /// There is none (null).
    Missing,
    /// It is not known here.
    Unknown,
}

/// A condition on a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    condition: Condition,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare { column: String, relation: Relation, literal: Literal },
    Among { column: String, literals: Vec<Literal> },
    Missing { column: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    /// A number, and how many significant digits it was typed with.
    Number {
        value: f64,
        digits: usize,
    },
    Text(String),
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It cannot be read.
    #[error(
        "the condition cannot be read from here on: {rest:?}. Write comparisons such as alignment < 1 or paradigm = 'reconstruction', \
         joined by and, or, not and parentheses; also x in (1, 2), x between 1 and 2, x is null"
    )]
    Syntax {
        /// What could not be read.
        rest: String,
    },
    /// There is no such column.
    #[error("there is no column {column:?}{}; the columns are {}", meant(near.as_deref()), columns.join(", "))]
    Column {
        /// What was asked for.
        column: String,
        /// The column with the most similar name.
        near: Option<String>,
        /// All columns.
        columns: Vec<String>,
    },
    /// A column of numbers is compared with a text, or the other way round.
    #[error("{column} holds {holds}, and is compared with {literal}")]
    Kind {
        /// The column.
        column: String,
        /// What it holds.
        holds: &'static str,
        /// What it is compared with.
        literal: String,
    },
}

fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!(", did you mean {near:?}?"))
}

impl Filter {
    /// Reads a condition on `columns`, each with whether it holds texts.
    ///
    /// # Errors
    ///
    /// [`FilterError`].
    pub fn parse(text: &str, columns: &[(&str, bool)]) -> Result<Self, FilterError> {
        let condition = grammar::parse(text).map_err(|rest| FilterError::Syntax { rest })?;
        condition.check(columns)?;
        Ok(Self { condition })
    }

    /// The columns that the condition names; some perhaps twice.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut tests = Vec::new();
        self.condition.tests(&mut tests);
        tests.into_iter().filter_map(Condition::test).map(|(column, _)| column).collect()
    }

    /// Whether the condition holds for a row with these values; `None` if that is not known, or if
    /// a value is missing.
    pub fn holds<'v>(&self, value: &impl Fn(&str) -> Value<'v>) -> Option<bool> {
        self.condition.holds(value)
    }
}

impl Condition {
    fn holds<'v>(&self, value: &impl Fn(&str) -> Value<'v>) -> Option<bool> {
        match self {
            Self::And(all) => {
                all.iter().try_fold(Some(true), |so_far, condition| match (so_far, condition.holds(value)) {
                    (_, Some(false)) => Err(Some(false)),
                    (Some(true), Some(true)) => Ok(Some(true)),
                    _ => Ok(None),
                })
            }
            Self::Or(all) => {
                all.iter().try_fold(Some(false), |so_far, condition| match (so_far, condition.holds(value)) {
                    (_, Some(true)) => Err(Some(true)),
                    (Some(false), Some(false)) => Ok(Some(false)),
                    _ => Ok(None),
                })
            }
            Self::Not(condition) => return condition.holds(value).map(|holds| !holds),
            Self::Compare { column, relation, literal } => return relation.holds(value(column), literal),
            Self::Among { column, literals } => {
                let found = value(column);
                let mut each = literals.iter().map(|literal| Relation::Equal.holds(found, literal));
                return match each.any(|same| same == Some(true)) {
                    true => Some(true),
                    // Literals are of the column's kind: all are comparable or none is.
                    false => Relation::Equal.holds(found, literals.first()?),
                };
            }
            Self::Missing { column } => {
                return match value(column) {
                    Value::Unknown => None,
                    Value::Missing => Some(true),
                    Value::Number(_) | Value::Text(_) => Some(false),
                };
            }
        }
        .unwrap_or_else(|decided| decided)
    }

    fn check(&self, columns: &[(&str, bool)]) -> Result<(), FilterError> {
        let mut tests = Vec::new();
        self.tests(&mut tests);
        tests.into_iter().filter_map(Self::test).try_for_each(|test| check(test, columns))
    }
}

/// Refuses a test of a column that there is not, or of one of another kind.
fn check((column, literals): (&str, &[Literal]), columns: &[(&str, bool)]) -> Result<(), FilterError> {
    let Some(&(_, text)) = columns.iter().find(|(name, _)| *name == column) else {
        let names = || columns.iter().map(|(name, _)| *name);
        return Err(FilterError::Column {
            column: column.to_owned(),
            near: eigensweep_job::nearest(column, names()).map(str::to_owned),
            columns: names().map(str::to_owned).collect(),
        });
    };
    let odd = literals.iter().find(|literal| matches!(literal, Literal::Text(_)) != text);
    odd.map_or(Ok(()), |literal| {
        Err(FilterError::Kind {
            column: column.to_owned(),
            holds: if text { "texts" } else { "numbers" },
            literal: literal.to_string(),
        })
    })
}

impl Relation {
    fn holds(self, found: Value<'_>, literal: &Literal) -> Option<bool> {
        let order = match (found, literal) {
            (Value::Number(found), Literal::Number { value, .. }) => found.partial_cmp(value)?,
            (Value::Text(found), Literal::Text(literal)) => found.cmp(literal),
            _ => return None,
        };
        Some(match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { value, .. } => write!(f, "{value}"),
            Self::Text(text) => write!(f, "'{text}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, FilterError, Value};

    const COLUMNS: [(&str, bool); 4] =
        [("alignment", false), ("samples", false), ("paradigm", true), ("gap", false)];

    fn value(name: &str) -> Value<'static> {
        match name {
            "alignment" => Value::Number(0.5),
            "samples" => Value::Number(1000.0),
            "paradigm" => Value::Text("reconstruction"),
            "gap" => Value::Missing,
            _ => Value::Unknown,
        }
    }

    fn holds(text: &str) -> Option<bool> {
        Filter::parse(text, &COLUMNS).unwrap_or_else(|error| panic!("{text}: {error}")).holds(&value)
    }

    #[test]
    fn conditions_read_as_in_sql() {
        for (text, expected) in [
            ("alignment = 0.5", Some(true)),
            ("alignment=5e-1 AND samples >= 1000", Some(true)),
            ("alignment <> 0.5 or samples = 1e3", Some(true)),
            ("not alignment < 1", Some(false)),
            ("not (alignment > 1 or samples <= 10)", Some(true)),
            ("alignment < 0.1 or alignment > 0.4 and samples = 7", Some(false)),
            ("paradigm = 'reconstruction'", Some(true)),
            ("paradigm in ('supervised', \"joint-embedding\")", Some(false)),
            ("samples in (10, 1000)", Some(true)),
            ("samples not in (10, 1000)", Some(false)),
            ("samples between 999 and 1000", Some(true)),
            ("samples not between 999 and 1000", Some(false)),
            ("gap is null", Some(true)),
            ("gap is not null", Some(false)),
            ("alignment is null", Some(false)),
            // What has no value is not known to be anything.
            ("gap > 1", None),
            ("gap > 1 or samples = 1000", Some(true)),
            ("gap > 1 and samples = 1000", None),
            ("gap > 1 and samples = 1", Some(false)),
            ("not gap > 1", None),
            ("gap in (1, 2)", None),
            ("paradigm != 'o''clock'", Some(true)),
        ] {
            assert_eq!(holds(text), expected, "{text}");
        }
    }

    #[test]
    fn unknown_values_decide_what_they_can() {
        let filter = Filter::parse("samples = 1 and gap > 2", &COLUMNS).unwrap();
        assert_eq!(
            filter.holds(&|name| if name == "gap" { Value::Unknown } else { value(name) }),
            Some(false)
        );
        let filter = Filter::parse("samples = 1000 and gap is null", &COLUMNS).unwrap();
        assert_eq!(filter.holds(&|name| if name == "gap" { Value::Unknown } else { value(name) }), None);
    }

    #[test]
    fn a_condition_tells_its_columns() {
        let filter =
            Filter::parse("not (samples in (1, 2) or gap is null) and alignment > 1", &COLUMNS).unwrap();
        assert_eq!(filter.columns(), ["samples", "gap", "alignment"]);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| Filter::parse(text, &COLUMNS).unwrap_err();
        let FilterError::Column { near, .. } = error("alignmnet = 1") else { panic!("a column") };
        assert_eq!(near.as_deref(), Some("alignment"));
        assert!(matches!(error("alignment = 'big'"), FilterError::Kind { .. }));
        assert!(matches!(error("paradigm > 3"), FilterError::Kind { .. }));
        for (text, rest) in [
            ("", ""),
            ("alignment", ""),
            ("alignment = 1 samples = 2", "samples = 2"),
            ("(alignment = 1", ""),
            ("alignment = = 1", "= 1"),
        ] {
            let FilterError::Syntax { rest: found } = error(text) else { panic!("{text}: syntax") };
            assert_eq!(found, rest, "{text}");
        }
        // Depth is bounded: a condition is typed, not generated.
        assert!(matches!(error(&"(".repeat(100_000)), FilterError::Syntax { .. }));
        assert!(matches!(error(&"not ".repeat(100_000)), FilterError::Syntax { .. }));
    }
}
