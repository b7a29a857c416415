//! Functions: a line each. What is not here is refused.

use std::f64::consts::{E, PI};

use polars::lazy::dsl::{max_horizontal, min_horizontal};
use polars::prelude::*;
use sqlparser::ast;

use super::expression::literal;
use super::{refuse, whole};
use crate::{QueryError, quantiles};

/// A function of one row: its name, the least and most arguments, and what it computes.
type Scalar = (&'static str, usize, usize, fn(Vec<Expr>) -> Result<Expr, QueryError>);

/// An aggregate: its name, its number of arguments, and what it computes.
pub(super) type Aggregate = (&'static str, usize, fn(&Call, &mut dyn Each) -> Result<Expr, QueryError>);

/// Where the parts of an aggregate are computed: in groups, or in windows.
pub(super) trait Each {
    /// The column that an aggregate of polars becomes.
    fn each(&mut self, e: Expr) -> Result<Expr, QueryError>;
    /// Whether in windows, where a list of values cannot stand.
    fn windowed(&self) -> bool;
}

/// A call of an aggregate or of a window's function.
pub(super) struct Call {
    /// As it was written.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) values: Vec<Expr>,
    /// The type of the first.
    pub(super) kind: DataType,
    /// COUNT(*).
    pub(super) star: bool,
    pub(super) distinct: bool,
}

impl Call {
    /// Whether the aggregate takes these arguments.
    pub(super) fn checked(&self, (name, arguments, _): &Aggregate) -> Result<(), QueryError> {
        if !self.star && self.values.len() != *arguments {
            return refuse(&format!("`{}`", self.text), &format!("{name} takes {arguments}"));
        }
        // Of distinct values, these are the same.
        if self.distinct && !matches!(*name, "count" | "min" | "max") {
            return refuse(&format!("`{}`", self.text), "aggregate a subquery with SELECT DISTINCT");
        }
        Ok(())
    }

    pub(super) fn build(&self, aggregate: &Aggregate, each: &mut dyn Each) -> Result<Expr, QueryError> {
        (aggregate.2)(self, each)
    }

    fn first(&self) -> Expr {
        self.values.first().cloned().unwrap_or_else(|| lit(NULL))
    }

    /// The first, as truth values.
    fn truths(&self) -> Result<Expr, QueryError> {
        truth(self.first(), &self.kind, || format!("`{}`", self.text))
    }

    /// Two columns, where both have a value.
    fn pair(&self) -> (Expr, Expr) {
        let (a, b) = (self.first(), self.values.get(1).cloned().unwrap_or_else(|| lit(NULL)));
        let both = a.clone().is_not_null().and(b.clone().is_not_null());
        let kept = |e: Expr| when(both.clone()).then(e.cast(DataType::Float64)).otherwise(lit(NULL));
        (kept(a), kept(b))
    }

    /// The share of a quantile.
    fn share(&self) -> Result<f64, QueryError> {
        let share =
            self.values.get(1).and_then(literal).and_then(|share| share.as_any_value().extract::<f64>());
        match share {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(share),
            _ => refuse(&format!("`{}`", self.text), "the share is a number from 0 to 1"),
        }
    }

    fn quantile(&self, share: f64, method: QuantileMethod, each: &mut dyn Each) -> Result<Expr, QueryError> {
        let values = self.first();
        if each.windowed() {
            return each.each(values.quantile(lit(share), method));
        }
        // A list, which streams; quantiles of one column share it.
        let lists = each.each(values.implode(false))?;
        Ok(quantiles::of_lists(lists, share, method, self.text.clone()))
    }
}

pub(super) const AGGREGATES: &[Aggregate] = &[
    ("count", 1, |call, each| {
        let count = if call.star {
            len()
        } else if call.distinct {
            call.first().drop_nulls().n_unique()
        } else {
            call.first().count()
        };
        // In 64 bits here already: polars sums the counts of several scans in 128, and panics.
        each.each(count.cast(DataType::Int64))
    }),
    ("sum", 1, |call, each| {
        // Of no values it is NULL, and polars' is 0; of truth values, how many are true.
        let values = call.first();
        let count = each.each(values.clone().count().cast(DataType::Int64))?;
        let sum = if call.kind.is_integer() {
            let [high, low] = whole::halves(values);
            whole::sum(each.each(high.sum())?, each.each(low.sum())?)
        } else {
            each.each(values.sum())?
        };
        Ok(when(count.gt(lit(0))).then(sum).otherwise(lit(NULL)))
    }),
    ("avg", 1, |call, each| each.each(call.first().mean())),
    ("mean", 1, |call, each| each.each(call.first().mean())),
    ("min", 1, |call, each| each.each(call.first().min())),
    ("max", 1, |call, each| {
        let greatest = each.each(call.first().max())?;
        if !call.kind.is_float() {
            return Ok(greatest);
        }
        // It orders NaN last, and polars leaves it out, as MIN does.
        let nans = each.each(call.first().is_nan().sum().cast(DataType::Int64))?;
        Ok(when(nans.gt(lit(0))).then(lit(f64::NAN)).otherwise(greatest))
    }),
    ("stddev", 1, |call, each| each.each(call.first().std(1))),
    ("stddev_samp", 1, |call, each| each.each(call.first().std(1))),
    ("stddev_pop", 1, |call, each| each.each(call.first().std(0))),
    ("variance", 1, |call, each| each.each(call.first().var(1))),
    ("var_samp", 1, |call, each| each.each(call.first().var(1))),
    ("var_pop", 1, |call, each| each.each(call.first().var(0))),
    ("median", 1, |call, each| call.quantile(0.5, QuantileMethod::Linear, each)),
    ("quantile_cont", 2, |call, each| call.quantile(call.share()?, QuantileMethod::Linear, each)),
    ("quantile_disc", 2, |call, each| call.quantile(call.share()?, QuantileMethod::Equiprobable, each)),
    ("corr", 2, |call, each| {
        let (a, b) = call.pair();
        each.each(pearson_corr(a, b))
    }),
    ("covar_samp", 2, |call, each| {
        let (a, b) = call.pair();
        each.each(cov(a, b, 1))
    }),
    ("covar_pop", 2, |call, each| {
        let (a, b) = call.pair();
        each.each(cov(a, b, 0))
    }),
    ("bool_and", 1, |call, each| {
        let falses = each.each(call.truths()?.not().sum().cast(DataType::Int64))?;
        let count = each.each(call.truths()?.count().cast(DataType::Int64))?;
        Ok(when(count.gt(lit(0))).then(falses.eq(lit(0))).otherwise(lit(NULL)))
    }),
    ("bool_or", 1, |call, each| {
        let trues = each.each(call.truths()?.sum().cast(DataType::Int64))?;
        let count = each.each(call.truths()?.count().cast(DataType::Int64))?;
        Ok(when(count.gt(lit(0))).then(trues.gt(lit(0))).otherwise(lit(NULL)))
    }),
];

/// Whether an item of a SELECT list has an aggregate that is no window.
pub(super) fn aggregates(item: &ast::SelectItem) -> bool {
    fn within(e: &ast::Expr) -> bool {
        match e {
            ast::Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                let own = AGGREGATES.iter().any(|(known, ..)| *known == name) && function.over.is_none();
                let ast::FunctionArguments::List(list) = &function.args else { return own };
                own || list.args.iter().any(|argument| match argument {
                    ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) => within(e),
                    _ => false,
                })
            }
            ast::Expr::BinaryOp { left, right, .. } => within(left) || within(right),
            ast::Expr::UnaryOp { expr, .. } | ast::Expr::Nested(expr) | ast::Expr::Cast { expr, .. } => {
                within(expr)
            }
            _ => false,
        }
    }
    match item {
        ast::SelectItem::UnnamedExpr(e) | ast::SelectItem::ExprWithAlias { expr: e, .. } => within(e),
        _ => false,
    }
}

/// A truth value; NULL is one, and a number is none.
pub(super) fn truth(e: Expr, kind: &DataType, what: impl FnOnce() -> String) -> Result<Expr, QueryError> {
    match kind {
        DataType::Boolean => Ok(e),
        DataType::Null => Ok(lit(NULL).cast(DataType::Boolean)),
        _ => refuse(&format!("{} of what is neither true nor false", what()), "compare it: x <> 0"),
    }
}

/// The quotient, in floating point; of a division by zero, as floating point has it.
pub(super) fn divide(a: Expr, b: Expr) -> Expr {
    a.cast(DataType::Float64) / b.cast(DataType::Float64)
}

/// Arguments by their places; the arity was checked.
fn of<const N: usize>(values: Vec<Expr>) -> [Expr; N] {
    let mut values = values.into_iter();
    std::array::from_fn(|_| values.next().unwrap_or_else(|| lit(NULL)))
}

/// A function of one value.
macro_rules! one {
    ($name:literal, |$x:ident| $value:expr) => {
        ($name, 1, 1, |values| {
            let [$x] = of(values);
            Ok($value)
        })
    };
}

/// A function of two values.
macro_rules! two {
    ($name:literal, |$x:ident, $y:ident| $value:expr) => {
        ($name, 2, 2, |values| {
            let [$x, $y] = of(values);
            Ok($value)
        })
    };
}

const MANY: usize = 64;

/// Functions whose first argument is text.
pub(super) const OF_TEXT: [&str; 11] = [
    "lower",
    "upper",
    "length",
    "trim",
    "starts_with",
    "ends_with",
    "contains",
    "replace",
    "substr",
    "left",
    "right",
];

fn float(e: Expr) -> Expr {
    e.cast(DataType::Float64)
}

/// Digits of ROUND and TRUNC: a number that is written down.
fn digits(values: &[Expr]) -> Result<u32, QueryError> {
    let Some(digits) = values.get(1) else { return Ok(0) };
    match literal(digits).and_then(|digits| digits.as_any_value().extract::<u32>()) {
        Some(digits) => Ok(digits),
        None => refuse("ROUND to digits that are not written as a whole number", "write ROUND(x, 3)"),
    }
}

pub(super) const SCALAR: &[Scalar] = &[
    one!("abs", |x| x.abs()),
    one!("ceil", |x| x.ceil()),
    one!("ceiling", |x| x.ceil()),
    one!("floor", |x| x.floor()),
    ("round", 1, 2, |values| {
        let digits = digits(&values)?;
        let [x] = of(values);
        Ok(x.round(digits, RoundMode::HalfAwayFromZero))
    }),
    one!("trunc", |x| x.truncate(0)),
    one!("sqrt", |x| float(x).sqrt()),
    one!("cbrt", |x| float(x).cbrt()),
    one!("exp", |x| float(x).exp()),
    one!("ln", |x| float(x).log(lit(E))),
    one!("log2", |x| float(x).log(lit(2.0))),
    one!("log10", |x| float(x).log(lit(10.0))),
    ("log", 1, 2, |values| {
        // LOG(x) is of base 10; LOG(base, x).
        let base = if values.len() == 2 { values.first().cloned() } else { None };
        let x = values.into_iter().next_back().unwrap_or_else(|| lit(NULL));
        Ok(float(x).log(base.map_or(lit(10.0), float)))
    }),
    two!("power", |x, y| float(x).pow(float(y))),
    two!("pow", |x, y| float(x).pow(float(y))),
    // Of 64 bits at once; polars' own brings decimals in.
    one!("sign", |x| x.clone().gt(lit(0)).cast(DataType::Int64) - x.lt(lit(0)).cast(DataType::Int64)),
    one!("sin", |x| float(x).sin()),
    one!("cos", |x| float(x).cos()),
    one!("tan", |x| float(x).tan()),
    one!("asin", |x| float(x).arcsin()),
    one!("acos", |x| float(x).arccos()),
    one!("atan", |x| float(x).arctan()),
    two!("atan2", |x, y| float(x).arctan2(float(y))),
    one!("degrees", |x| float(x).degrees()),
    one!("radians", |x| float(x).radians()),
    ("pi", 0, 0, |_| Ok(lit(PI))),
    ("coalesce", 1, MANY, |values| Ok(coalesce(&values))),
    ("if", 3, 3, |values| {
        let [condition, x, y] = of(values);
        Ok(when(condition).then(x).otherwise(y))
    }),
    two!("ifnull", |x, y| coalesce(&[x, y])),
    two!("nullif", |x, y| when(x.clone().eq(y)).then(lit(NULL)).otherwise(x)),
    ("greatest", 1, MANY, |values| Ok(max_horizontal(values)?)),
    ("least", 1, MANY, |values| Ok(min_horizontal(values)?)),
    one!("lower", |x| x.str().to_lowercase()),
    one!("upper", |x| x.str().to_uppercase()),
    one!("length", |x| x.str().len_chars().cast(DataType::Int64)),
    one!("trim", |x| x.str().strip_chars(lit(NULL))),
    two!("starts_with", |x, y| x.str().starts_with(y)),
    two!("ends_with", |x, y| x.str().ends_with(y)),
    two!("contains", |x, y| x.str().contains_literal(y)),
    ("replace", 3, 3, |values| {
        let [x, from, to] = of(values);
        // Nothing is nowhere; polars finds it between all letters.
        Ok(when(from.clone().eq(lit(""))).then(x.clone()).otherwise(x.str().replace_all(from, to, true)))
    }),
    ("substr", 2, 3, |values| {
        let length = values.get(2).cloned().unwrap_or_else(|| lit(NULL));
        let [x, from] = of(values);
        match literal(&from).and_then(|from| from.as_any_value().extract::<i64>()) {
            Some(from @ 1..) => Ok(x.str().slice(lit(from - 1), length)),
            _ => {
                refuse("SUBSTR from a place that is not written as a number from 1", "write SUBSTR(x, 1, 3)")
            }
        }
    }),
    two!("left", |x, y| x.str().head(y)),
    two!("right", |x, y| x.str().tail(y)),
    ("concat", 1, MANY, |values| {
        let texts: Vec<Expr> = values.into_iter().map(|e| e.cast(DataType::String)).collect();
        Ok(concat_str(texts, "", true))
    }),
];
