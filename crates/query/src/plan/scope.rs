//! Which columns a name may mean.

use polars::prelude::*;
use sqlparser::ast::Ident;

use crate::QueryError;
use eigensweep_store::source::UnknownName;

/// Whether a name in SQL means that one: it ignores case unless quoted.
pub(super) fn matches(ident: &Ident, name: &str) -> bool {
    if ident.quote_style.is_some() { ident.value == name } else { ident.value.eq_ignore_ascii_case(name) }
}

/// A column that can be named.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// As it is named.
    pub(super) name: PlSmallStr,
    /// As the frame has it.
    pub(super) column: PlSmallStr,
    /// Whether it is named with its table only: the second of a pair of USING.
    pub(super) hidden: bool,
}

/// The tables of a FROM, in order, and their columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) tables: Vec<(String, Vec<Named>)>,
}

impl Scope {
    /// One table.
    pub(super) fn of(table: &str, schema: &Schema) -> Self {
        let named = |name: PlSmallStr| Named { column: name.clone(), name, hidden: false };
        Self { tables: vec![(table.to_owned(), schema.iter_names_cloned().map(named).collect())] }
    }

    /// The columns of `*`, or of `table.*`.
    pub(super) fn all(&self, table: Option<&Ident>) -> Result<Vec<&Named>, QueryError> {
        let meant = |name: &str| table.is_none_or(|table| matches(table, name));
        let tables: Vec<_> = self.tables.iter().filter(|(name, _)| meant(name)).collect();
        if let (Some(table), true) = (table, tables.is_empty()) {
            let known = self.tables.iter().map(|(name, _)| name.as_str());
            return Err(UnknownName::new("table", &table.value, known).into());
        }
        let columns = tables.into_iter().flat_map(|(_, columns)| columns);
        Ok(columns.filter(|column| table.is_some() || !column.hidden).collect())
    }

    /// The column that a name means.
    pub(super) fn find(&self, table: Option<&Ident>, name: &Ident) -> Result<&Named, QueryError> {
        let all = self.all(table)?;
        let mut found: Vec<&Named> =
            all.iter().copied().filter(|column| matches(name, &column.name)).collect();
        if found.len() > 1 && found.iter().any(|column| column.name == name.value) {
            found.retain(|column| column.name == name.value);
        }
        match found[..] {
            [column] => Ok(column),
            [] if name.quote_style == Some('"') => Err(QueryError::Query {
                message: format!(
                    "there is no column \"{0}\": text stands in single quotes, '{0}', and names in double ones keep their case",
                    name.value
                ),
            }),
            [] if all.is_empty() => Err(QueryError::Query {
                message: format!("there is no column `{}`, since there is no FROM", name.value),
            }),
            [] => {
                let known = all.iter().map(|column| column.name.as_str());
                Err(UnknownName::new("column", &name.value, known).into())
            }
            _ => Err(QueryError::Query {
                message: format!("`{0}` may mean several columns: write table.{0}", name.value),
            }),
        }
    }
}
