//! Medians and quantiles by group that stream.
//!
//! polars' streaming engine knows no quantile of a group: a group-by with one falls back to memory,
//! where it holds all columns of all rows twice (12 GB for 10⁸ rows). It does stream values into a
//! list a group (`implode` without order: 8 bytes a value, and up to twice that while lists grow),
//! and a quantile is a function of that list: by polars' own formula.

use polars::prelude::*;

/// The quantile of each list; `text` is how SQL asks for it.
pub(crate) fn of_lists(lists: Expr, share: f64, method: QuantileMethod, text: String) -> Expr {
    lists.map(
        move |lists| quantiles(&lists, share, method, &text),
        |_, field| Ok(Field::new(field.name().clone(), DataType::Float64)),
    )
}

fn quantiles(lists: &Column, share: f64, method: QuantileMethod, text: &str) -> PolarsResult<Column> {
    let quantile = |list: &Series| -> PolarsResult<Option<f64>> {
        polars_ensure!(
            list.dtype().is_numeric() || list.dtype().is_bool(),
            InvalidOperation: "`{text}` is of a column which has no numbers"
        );
        list.cast(&DataType::Float64)?.f64()?.quantile(share, method)
    };
    let found: Float64Chunked = lists
        .list()?
        .amortized_iter()
        .map(|list| list.map_or(Ok(None), |list| quantile(list.as_ref())))
        .collect::<PolarsResult<_>>()?;
    Ok(found.with_name(lists.name().clone()).into_column())
}
