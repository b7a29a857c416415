//! Medians and quantiles by group that stream.
//!
//! polars' streaming engine knows no quantile of a group: a group-by with one falls back to memory,
//! where it holds all columns of all rows twice (12 GB for 10⁸ rows). It does stream values into a
//! list a group (`implode` without order: 8 bytes a value, and up to twice that while lists grow),
//! and a quantile is a function of that list. So the plan of a query is rewritten before it runs:
//! the same quantiles, by polars' own formula. Quantiles of one column share their list.

use std::sync::Arc;

use polars::lazy::dsl::{AggExpr, DslPlan, FunctionExpr};
use polars::prelude::*;

/// The same frame, the quantiles of its group-bys taken of lists.
pub(super) fn streaming(frame: LazyFrame) -> LazyFrame {
    plan(frame.logical_plan).into()
}

/// Rewrites the group-bys of a plan; kinds of plans that SQL does not make stay as they are, and
/// right.
#[expect(clippy::wildcard_enum_match_arm, reason = "polars' own, of which few kinds matter here")]
fn plan(mut node: DslPlan) -> DslPlan {
    match &mut node {
        // What polars has converted already, with the plan that it came from.
        DslPlan::IR { dsl, .. } => return plan(DslPlan::clone(dsl)),
        DslPlan::GroupBy { input, aggs, predicates, .. } => {
            within(input);
            for expression in aggs.iter_mut().chain(predicates) {
                *expression = std::mem::take(expression).map_expr(of_list);
            }
        }
        DslPlan::Filter { input, .. }
        | DslPlan::Select { input, .. }
        | DslPlan::HStack { input, .. }
        | DslPlan::Distinct { input, .. }
        | DslPlan::Sort { input, .. }
        | DslPlan::Slice { input, .. }
        | DslPlan::MapFunction { input, .. }
        | DslPlan::Sink { input, .. } => within(input),
        DslPlan::Join { input_left, input_right, .. } => {
            within(input_left);
            within(input_right);
        }
        DslPlan::Union { inputs, .. } | DslPlan::HConcat { inputs, .. } => {
            for input in inputs {
                *input = plan(input.clone());
            }
        }
        _ => {}
    }
    node
}

fn within(input: &mut Arc<DslPlan>) {
    *input = Arc::new(plan(DslPlan::clone(input)));
}

/// A median or quantile as a function of its group's list; any other expression as it is.
#[expect(clippy::wildcard_enum_match_arm, reason = "polars' own, of which few kinds matter here")]
fn of_list(expression: Expr) -> Expr {
    let (values, share, method) = match &expression {
        Expr::Agg(AggExpr::Median(values)) => (Expr::clone(values), 0.5, QuantileMethod::Linear),
        Expr::Function { input, function: FunctionExpr::Quantile { method } } => match input.as_slice() {
            [values, Expr::Literal(share)] => match share.to_any_value().and_then(|share| share.extract()) {
                Some(share) => (values.clone(), share, *method),
                None => return expression,
            },
            _ => return expression,
        },
        _ => return expression,
    };
    values.implode(false).map(
        move |lists| quantiles(&lists, share, method),
        |_, field| Ok(Field::new(field.name().clone(), DataType::Float64)),
    )
}

/// The quantile of each list.
fn quantiles(lists: &Column, share: f64, method: QuantileMethod) -> PolarsResult<Column> {
    let quantile = |list: &Series| -> PolarsResult<Option<f64>> {
        polars_ensure!(
            list.dtype().is_numeric() || list.dtype().is_bool(),
            InvalidOperation: "a median or quantile of `{}`, which has no numbers", lists.name()
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
