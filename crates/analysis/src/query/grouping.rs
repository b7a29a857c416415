//! Combinations of keys as one number, so that grouping by several columns costs what grouping by one does.
//!
//! polars groups by several keys, or by text, through rows of bytes, encoded, hashed and compared one by one: a third of a query over 10⁸
//! rows. But rows of a data set come sorted by combination of axes: a combination is looked up where its run of rows begins, and
//! the run is filled with its number. So the optimized plan of a query is rewritten before it runs: number the combinations,
//! group by the number, put the keys in its place. Rows in any other order give the same groups, only slower.

use std::sync::Arc;

use eigensweep_store::columns::{METRICS, REPLICATE};
use polars::lazy::dsl::map_multiple;
use polars::polars_utils::arena::{Arena, Node};
use polars::prelude::*;
use polars_plan::plans::expr_ir::{ExprIR, OutputName};
use polars_plan::plans::{AExpr, IR, IRPlan};
use polars_plan::prelude::ProjectionOptions;

use super::combinations::{Combinations, numerable};

/// Column that holds the number of a row's combination.
const COMBINATION: &str = "combination of keys";

/// Rewrites the group-bys of an optimized plan whose keys are axes, text or both.
///
/// # Errors
///
/// What polars says of a plan whose columns do not fit together.
pub(super) fn numbered(mut optimized: IRPlan) -> PolarsResult<IRPlan> {
    let mut nodes = vec![optimized.lp_top];
    while let Some(node) = nodes.pop() {
        rewrite(node, &mut optimized.lp_arena, &mut optimized.expr_arena)?;
        nodes.extend(optimized.lp_arena.get(node).inputs());
    }
    Ok(optimized)
}

/// Rewrites one node if it is a group-by with fitting keys.
fn rewrite(node: Node, plans: &mut Arena<IR>, expressions: &mut Arena<AExpr>) -> PolarsResult<()> {
    let IR::GroupBy { input, keys, aggs, schema, maintain_order, options, apply: None } =
        plans.get(node).clone()
    else {
        return Ok(());
    };
    let given = plans.get(input).schema(plans).into_owned();
    let fields = keys.iter().map(|key| key.field(&given, expressions)).collect::<PolarsResult<Vec<_>>>()?;
    // Rewritten before; or a name that someone chose, against all odds.
    let taken = given.contains(COMBINATION) || schema.contains(COMBINATION);
    // One number is as good a key as another.
    let alone = matches!(
        fields.as_slice(),
        [] | [Field { dtype: DataType::Int32 | DataType::Int64 | DataType::Float64, .. }]
    );
    if taken
        || alone
        || !keys.iter().all(|key| few(key, expressions))
        || !fields.iter().all(|field| numerable(&field.dtype))
    {
        return Ok(());
    }
    let numbers = Arc::new(Combinations::new(fields.len()));
    let number = {
        let numbers = Arc::clone(&numbers);
        let number = move |keys: &mut [Column]| {
            Ok(UInt32Chunked::from_vec(COMBINATION.into(), numbers.number(keys)?).into_column())
        };
        function(number, keys, COMBINATION, DataType::UInt32, expressions)
    };
    let mut numbered = Schema::clone(&given);
    numbered.insert(COMBINATION.into(), DataType::UInt32);
    let input = plans.add(IR::HStack {
        input,
        exprs: vec![number],
        schema: Arc::new(numbered),
        options: ProjectionOptions::default(),
    });
    let mut outputs = Vec::with_capacity(schema.len());
    for (at, Field { name, dtype }) in fields.into_iter().enumerate() {
        let numbers = Arc::clone(&numbers);
        let combination = ExprIR::from_column_name(COMBINATION.into(), expressions);
        let (heading, kind) = (name.clone(), dtype.clone());
        let key = move |combinations: &mut [Column]| numbers.key(at, &combinations[0], &heading, &kind);
        outputs.push(function(key, vec![combination], &name, dtype, expressions));
    }
    let mut grouped = Schema::default();
    grouped.insert(COMBINATION.into(), DataType::UInt32);
    for agg in &aggs {
        let name = agg.output_name();
        grouped.insert(name.clone(), schema.try_get(name)?.clone());
        outputs.push(ExprIR::from_column_name(name.clone(), expressions));
    }
    let keys = vec![ExprIR::from_column_name(COMBINATION.into(), expressions)];
    let input = plans.add(IR::GroupBy {
        input,
        keys,
        aggs,
        schema: Arc::new(grouped),
        maintain_order,
        options,
        apply: None,
    });
    plans.replace(node, IR::Select { input, expr: outputs, schema, options: ProjectionOptions::default() });
    Ok(())
}

/// Whether a key has few values: a column, as it is or cast, that is neither a metric nor the replicate.
fn few(key: &ExprIR, expressions: &Arena<AExpr>) -> bool {
    let mut node = key.node();
    loop {
        match expressions.get(node) {
            AExpr::Cast { expr, .. } => node = *expr,
            AExpr::Column(name) => return name != REPLICATE && !METRICS.contains(&name.as_str()),
            _ => return false,
        }
    }
}

/// A function of columns, row by row, as an expression of an optimized plan.
fn function(
    function: impl Fn(&mut [Column]) -> PolarsResult<Column> + Send + Sync + 'static,
    inputs: Vec<ExprIR>,
    name: &str,
    dtype: DataType,
    expressions: &mut Arena<AExpr>,
) -> ExprIR {
    let name = PlSmallStr::from(name);
    let field = Field::new(name.clone(), dtype.clone());
    let Expr::AnonymousFunction { function, options, .. } =
        map_multiple(function, [], move |_, _| Ok(field.clone()))
    else {
        unreachable!("map_multiple makes an anonymous function")
    };
    let fmt_str = Box::new(PlSmallStr::from_static("combination"));
    let node = expressions.add(AExpr::AnonymousFunction { input: inputs, function, options, fmt_str });
    ExprIR::new(node, OutputName::Alias(name)).with_dtype(dtype)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows of few keys, in runs and out of order, with nulls, both zeros and NaN, in several chunks; text on both sides of what fits into a
    /// view.
    fn frames() -> impl Strategy<Value = DataFrame> {
        let key = (0..4_usize, 0..5_usize, 0..4_usize, 0..3_usize, 1..6_usize);
        let chunk = proptest::collection::vec(key, 0..12);
        let value = |at: usize| [Some(0.0), Some(-0.0), Some(f64::NAN), Some(1.5), None][at];
        let text =
            |at: usize| [Some("supervised"), Some("joint-embedding"), Some("joint-embeddinG"), None][at];
        proptest::collection::vec(chunk, 1..4).prop_map(move |chunks| {
            let frames = chunks.into_iter().map(|runs| {
                let rows: Vec<_> = runs.into_iter().flat_map(|run| std::iter::repeat_n(run, run.4)).collect();
                df![
                    "text" => rows.iter().map(|row| text(row.0)).collect::<Vec<_>>(),
                    "float" => rows.iter().map(|row| value(row.1)).collect::<Vec<_>>(),
                    "long" => rows.iter().map(|row| i64::try_from(row.2).ok().filter(|it| *it > 0)).collect::<Vec<_>>(),
                    "short" => rows.iter().map(|row| i32::try_from(row.3).ok()).collect::<Vec<_>>(),
                    "metric" => (0..rows.len()).map(|at| at as f64).collect::<Vec<_>>(),
                ]
                .expect("columns of one length")
            });
            frames.reduce(|all, more| all.vstack(&more).expect("one schema")).expect("a chunk at least")
        })
    }

    /// A frame's lines as text, sorted: groups come in any order.
    fn lines(frame: &DataFrame) -> Vec<String> {
        let line = |row| {
            frame
                .columns()
                .iter()
                .map(|column| format!("{:?};", column.get(row).map(AnyValue::into_static)))
                .collect()
        };
        let mut lines: Vec<String> = (0..frame.height()).map(line).collect();
        lines.sort();
        lines
    }

    fn ways(frame: &DataFrame, by: &[&str]) -> [DataFrame; 2] {
        let grouped = || {
            let keys: Vec<Expr> = by.iter().map(|name| col(*name).alias(format!("key {name}"))).collect();
            let outputs =
                [col("metric").sum().alias("sum"), col("metric").max().alias("max"), len().alias("n")];
            frame.clone().lazy().group_by(keys).agg(outputs)
        };
        let theirs = grouped().collect_with_engine(Engine::Streaming).expect("polars groups").unwrap_single();
        let mut plan =
            numbered(grouped().with_streaming(true).to_alp_optimized().expect("a plan")).expect("a plan");
        assert_eq!(plan.describe().contains(COMBINATION), by != ["float"], "{}", plan.describe());
        plan.ensure_root_node_is_sink();
        let run = polars_stream::run_query(plan.lp_top, &mut plan.lp_arena, &mut plan.expr_arena);
        [theirs, run.expect("the rewritten plan runs").unwrap_single()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Groups, their keys, and their types and names are polars' own.
        #[test]
        fn groups_are_those_of_polars(frame in frames()) {
            let all: [&[&str]; 5] =
                [&["text"], &["float"], &["float", "long"], &["short", "text", "float", "long"], &["text", "short", "long"]];
            for by in all {
                let [theirs, ours] = ways(&frame, by);
                prop_assert_eq!(theirs.schema(), ours.schema());
                // Which of the zeros a group is called by is left open.
                let without_sign = |frame: &DataFrame| -> Vec<String> {
                    lines(frame).iter().map(|line| line.replace("-0.0", "0.0")).collect()
                };
                prop_assert_eq!(without_sign(&theirs), without_sign(&ours));
            }
        }
    }

    /// A replicate or a metric has as many values as there are rows: nothing is gained by numbering them.
    #[test]
    fn keys_of_many_values_stay_as_they_are() {
        let frame =
            df!["replicate" => [0, 1], "paradigm" => ["a", "b"], "distance" => [0.5, 1.5]].expect("a frame");
        for key in ["replicate", "distance"] {
            let grouped = frame.clone().lazy().group_by([col("paradigm"), col(key)]).agg([len().alias("n")]);
            let plan = numbered(grouped.to_alp_optimized().expect("a plan")).expect("a plan");
            assert!(!plan.describe().contains(COMBINATION), "{}", plan.describe());
        }
    }

    /// A result that bears the name of our column keeps it, and its group-by is polars' own.
    #[test]
    fn a_result_may_have_our_column_s_name() {
        let frame = df!["paradigm" => ["a", "b", "a"]].expect("a frame");
        let grouped = frame.lazy().group_by([col("paradigm")]).agg([len().alias(COMBINATION)]);
        let mut plan =
            numbered(grouped.with_streaming(true).to_alp_optimized().expect("a plan")).expect("a plan");
        plan.ensure_root_node_is_sink();
        let run = polars_stream::run_query(plan.lp_top, &mut plan.lp_arena, &mut plan.expr_arena);
        let found = run.expect("the plan runs").unwrap_single();
        assert_eq!(found.get_column_names(), ["paradigm", COMBINATION]);
        assert_eq!(found.height(), 2);
    }
}
