//! Arithmetic of whole numbers in 64 bits: exact, or an error.
//!
//! polars wraps without a word, cuts off in casts, and folds constants at the price of a panic.
//! Each operator here is a function of its columns, which names each of its operands once: an
//! expression is as large as its text.

use std::sync::LazyLock;

use polars::prelude::arity::{broadcast_try_binary_elementwise, try_unary_elementwise};
use polars::prelude::*;

use super::expression::literal;

/// An operator of two whole numbers. Where it has no value in 64 bits, that is `Err`; by zero,
/// `None`.
pub(super) struct Operator {
    compute: fn(i64, i64) -> Result<Option<i64>, ()>,
    sign: &'static str,
    /// One that all its uses share, so that the same expressions are equal.
    template: LazyLock<Expr>,
}

macro_rules! operator {
    ($name:ident, $sign:literal, $compute:expr) => {
        pub(super) static $name: Operator = Operator {
            compute: $compute,
            sign: $sign,
            template: LazyLock::new(|| {
                let compute = |columns: &mut [Column]| $name.columns(columns);
                named($sign, col("").map_many(compute, &[], |_, fields| Ok(result(fields, DataType::Int64))))
            }),
        };
    };
}

operator!(PLUS, "+", |a, b| a.checked_add(b).map(Some).ok_or(()));
operator!(MINUS, "-", |a, b| a.checked_sub(b).map(Some).ok_or(()));
operator!(TIMES, "*", |a, b| a.checked_mul(b).map(Some).ok_or(()));
// Towards zero, as C and SQL have it; polars' is towards −∞.
operator!(QUOTIENT, "//", |a, b| if b == 0 { Ok(None) } else { a.checked_div(b).map(Some).ok_or(()) });
// Of the sign of the dividend, as C and SQL have it; polars' has the divisor's.
operator!(REMAINDER, "%", |a, b| Ok((b != 0).then(|| a.wrapping_rem(b))));

impl Operator {
    /// The operator of two expressions of 64-bit whole numbers.
    ///
    /// # Errors
    ///
    /// Of two constants whose result does not fit.
    pub(super) fn of(&self, a: Expr, b: Expr) -> PolarsResult<Expr> {
        let constant = |e: &Expr| literal(e).and_then(|value| value.as_any_value().extract::<i64>());
        if let (Some(a), Some(b)) = (constant(&a), constant(&b))
            && let Some(value) = self.value(a, b)?
        {
            return Ok(lit(value));
        }
        // polars takes a literal alone for one of 32 bits.
        let wide = |e: Expr| constant(&e).map_or(e, |value| Expr::Literal(Scalar::from(value).into()));
        Ok(with_inputs(&self.template, vec![wide(a), wide(b)]))
    }

    fn value(&self, a: i64, b: i64) -> PolarsResult<Option<i64>> {
        (self.compute)(a, b)
            .map_err(|()| polars_err!(ComputeError: "{a} {} {b} does not fit 64 bits", self.sign))
    }

    fn columns(&self, columns: &[Column]) -> PolarsResult<Column> {
        let [a, b] = columns else { polars_bail!(ComputeError: "{} takes two numbers", self.sign) };
        let found: Int64Chunked =
            broadcast_try_binary_elementwise(a.i64()?, b.i64()?, |a: Option<i64>, b: Option<i64>| {
                match (a, b) {
                    (Some(a), Some(b)) => self.value(a, b),
                    _ => Ok(None),
                }
            })?;
        Ok(found.with_name(a.name().clone()).into_column())
    }
}

fn result(fields: &[Field], kind: DataType) -> Field {
    Field::new(fields.first().map_or(PlSmallStr::EMPTY, |field| field.name().clone()), kind)
}

/// The function under a name that --explain shows.
fn named(name: &'static str, mut e: Expr) -> Expr {
    if let Expr::AnonymousFunction { fmt_str, .. } = &mut e {
        **fmt_str = name.into();
    }
    e
}

/// The function of those inputs.
fn with_inputs(template: &Expr, inputs: Vec<Expr>) -> Expr {
    let mut e = template.clone();
    if let Expr::AnonymousFunction { input, .. } = &mut e {
        *input = inputs;
    }
    e
}

/// A function of one column of its own kind.
fn one(name: &'static str, kind: DataType, compute: fn(&Column) -> PolarsResult<Column>) -> Expr {
    named(
        name,
        col("").map_many(
            move |columns| columns.first().map_or_else(|| polars_bail!(ComputeError: "no number"), compute),
            &[],
            move |_, fields| Ok(result(fields, kind.clone())),
        ),
    )
}

/// The absolute value of a whole number.
pub(super) fn magnitude(e: Expr) -> Expr {
    static TEMPLATE: LazyLock<Expr> = LazyLock::new(|| {
        one("abs", DataType::Int64, |column| {
            let found: Int64Chunked = try_unary_elementwise(column.i64()?, |value: Option<i64>| {
                let fits = |value: i64| {
                    value
                        .checked_abs()
                        .ok_or_else(|| polars_err!(ComputeError: "ABS({value}) does not fit 64 bits"))
                };
                value.map(fits).transpose()
            })?;
            Ok(found.into_column())
        })
    });
    with_inputs(&TEMPLATE, vec![e])
}

/// The whole number nearest to one in floating point, halves to even; what does not fit is an
/// error, or NULL if `lenient`.
pub(super) fn nearest(e: Expr, lenient: bool) -> Expr {
    /// 2⁶³, the first that does not fit.
    const END: f64 = 9_223_372_036_854_775_808.0;
    fn columns(column: &Column, lenient: bool) -> PolarsResult<Column> {
        let column = column.cast(&DataType::Float64)?;
        let found: Int64Chunked = try_unary_elementwise(column.f64()?, |value: Option<f64>| {
            let Some(value) = value else { return Ok(None) };
            let whole = value.round_ties_even();
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 64 bits")]
            if (-END..END).contains(&whole) {
                return Ok(Some(whole as i64));
            }
            polars_ensure!(lenient, ComputeError: "conversion of {value} to a whole number: it does not fit 64 bits");
            Ok(None)
        })?;
        Ok(found.into_column())
    }
    static STRICT: LazyLock<Expr> =
        LazyLock::new(|| one("cast", DataType::Int64, |column| columns(column, false)));
    static LENIENT: LazyLock<Expr> =
        LazyLock::new(|| one("try_cast", DataType::Int64, |column| columns(column, true)));
    with_inputs(if lenient { &LENIENT } else { &STRICT }, vec![e])
}

/// The remainder in floating point, of the sign of the dividend.
pub(super) fn float_remainder(a: Expr, b: Expr) -> Expr {
    static TEMPLATE: LazyLock<Expr> = LazyLock::new(|| {
        let compute = |columns: &mut [Column]| {
            let [a, b] = columns else { polars_bail!(ComputeError: "% takes two numbers") };
            let found: Float64Chunked =
                broadcast_try_binary_elementwise(a.f64()?, b.f64()?, |a: Option<f64>, b: Option<f64>| {
                    Ok::<_, PolarsError>(a.zip(b).map(|(a, b)| a % b))
                })?;
            Ok(found.with_name(a.name().clone()).into_column())
        };
        named("%", col("").map_many(compute, &[], |_, fields| Ok(result(fields, DataType::Float64))))
    });
    with_inputs(&TEMPLATE, vec![a.cast(DataType::Float64), b.cast(DataType::Float64)])
}

/// The upper and the lower 32 bits of whole numbers, whose sums do not wrap.
pub(super) fn halves(e: Expr) -> [Expr; 2] {
    static HIGH: LazyLock<Expr> = LazyLock::new(|| {
        one("high", DataType::Int64, |column| {
            Ok(column.i64()?.apply_values(|value| value >> 32).into_column())
        })
    });
    static LOW: LazyLock<Expr> = LazyLock::new(|| {
        one("low", DataType::Int64, |column| {
            Ok(column.i64()?.apply_values(|value| value & 0xffff_ffff).into_column())
        })
    });
    [with_inputs(&HIGH, vec![e.clone()]), with_inputs(&LOW, vec![e])]
}

/// The sum of whole numbers from those of their [`halves`].
pub(super) fn sum(high: Expr, low: Expr) -> Expr {
    static TEMPLATE: LazyLock<Expr> = LazyLock::new(|| {
        let compute = |columns: &mut [Column]| {
            let [high, low] = columns else { polars_bail!(ComputeError: "SUM takes one number") };
            let whole = |(high, low): (i64, i64)| {
                i64::try_from((i128::from(high) << 32) + i128::from(low))
                    .map_err(|_| polars_err!(ComputeError: "a SUM does not fit 64 bits"))
            };
            let found: Int64Chunked = broadcast_try_binary_elementwise(
                high.i64()?,
                low.i64()?,
                |high: Option<i64>, low: Option<i64>| high.zip(low).map(whole).transpose(),
            )?;
            Ok(found.with_name(high.name().clone()).into_column())
        };
        named("sum", col("").map_many(compute, &[], |_, fields| Ok(result(fields, DataType::Int64))))
    });
    with_inputs(&TEMPLATE, vec![high, low])
}
