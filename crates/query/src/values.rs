//! The values that there are, where a query compares with one that is not.

use polars::prelude::*;

use crate::plan::Condition;
use crate::{QueryError, collect};

/// So many are named.
const NAMED: usize = 10;

/// A sentence with the values of a column, nearest first, if that of a condition is not among them.
pub(crate) fn absent(condition: &Condition) -> Result<Option<String>, QueryError> {
    let Condition { frame, column, name, literal } = condition;
    let values = frame.clone().select([col(column.clone())]).unique(None, UniqueKeepStrategy::Any);
    let values = collect(values)?;
    let values = values.column(column)?.as_materialized_series();
    let mut known: Vec<AnyValue<'_>> = values.iter().filter(|value| !value.is_null()).collect();
    let asked = literal.as_any_value();
    let number = |value: &AnyValue<'_>| value.extract::<f64>();
    // All digits, so that it can be typed.
    let text = |value: &AnyValue<'_>| match (value.get_str(), number(value)) {
        (Some(text), _) => format!("'{text}'"),
        (None, Some(number)) => number.to_string(),
        (None, None) => value.to_string(),
    };
    match (number(&asked), asked.get_str()) {
        (Some(asked), _) => {
            let apart =
                |value: &AnyValue<'_>| number(value).map_or(f64::INFINITY, |value| (value - asked).abs());
            known.sort_by(|a, b| apart(a).total_cmp(&apart(b)));
            if known.first().is_none_or(|first| apart(first) <= 0.0) {
                return Ok(None);
            }
        }
        (None, Some(asked)) => {
            known.sort_by_cached_key(text);
            if known.iter().any(|value| value.get_str() == Some(asked)) || known.is_empty() {
                return Ok(None);
            }
            let near =
                eigensweep_job::nearest(asked, known.iter().filter_map(AnyValue::get_str)).map(str::to_owned);
            known.sort_by_key(|value| value.get_str() != near.as_deref());
        }
        (None, None) => return Ok(None),
    }
    let shown: Vec<String> = known.iter().take(NAMED).map(text).collect();
    let more = known.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(Some(format!("no row has {name} = {}: there are {}{more}", text(&asked), shown.join(", "))))
}
