//! Expressions: of one row, and the calls that need more than one.

use polars::prelude::*;
use sqlparser::ast::{self, BinaryOperator, CastKind, FunctionArg, FunctionArgExpr, UnaryOperator, Value};

use super::from::{joined, operands};
use super::functions::{self, Call, Each};
use super::select::Block;
use super::{refuse, whole, without};
use crate::QueryError;
use eigensweep_store::source::UnknownName;

/// A comparison of a column with a literal in WHERE.
pub(crate) struct Condition {
    /// The rows that it chooses from.
    pub(crate) frame: LazyFrame,
    /// The column, in the frame and in SQL.
    pub(crate) column: PlSmallStr,
    pub(crate) name: String,
    /// What it is compared with.
    pub(crate) literal: Scalar,
}

/// So many values of IN are compared one after another, so that statistics of files help.
const FEW: usize = 16;

/// So many comparisons are noted for an answer without rows.
const NOTED: usize = 64;

/// Whether a key is among many constants of its own kind, if they all are.
fn within(key: &Expr, kind: &DataType, values: &[Expr]) -> Result<Option<Expr>, QueryError> {
    let Some(scalars) = values.iter().map(literal).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let nulls = scalars.iter().any(Scalar::is_null);
    let known: Vec<AnyValue<'_>> =
        scalars.iter().filter(|scalar| !scalar.is_null()).map(Scalar::as_any_value).collect();
    let own = match kind {
        DataType::String => known.iter().all(|value| value.get_str().is_some()),
        kind if kind.is_integer() => known.iter().all(AnyValue::is_integer),
        DataType::Float64 => known.iter().all(AnyValue::is_primitive_numeric),
        _ => false,
    };
    if !own || known.is_empty() {
        return Ok(None);
    }
    let wide = if kind.is_integer() { &DataType::Int64 } else { kind };
    let known: Vec<AnyValue<'_>> =
        known.iter().map(|value| value.strict_cast(wide).unwrap_or_default()).collect();
    // What the key's type does not hold is equal to none.
    let list = Series::from_any_values_and_dtype("".into(), &known, wide, true)?.cast(kind)?.drop_nulls();
    let found = key.clone().is_in(Expr::Literal(LiteralValue::Scalar(Scalar::new_list(list))), false);
    // Unknown where no value is equal, and one is NULL.
    Ok(Some(if nulls { found.or(lit(NULL).cast(DataType::Boolean)) } else { found }))
}

/// A number: whole ones in 64 bits, all others in floating point.
fn number(text: &str) -> Result<Expr, QueryError> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(lit(whole));
    }
    let unreadable = |_| QueryError::Query { message: format!("`{text}` is no number") };
    Ok(lit(text.parse::<f64>().map_err(unreadable)?))
}

/// The value of an expression without columns, as far as it is written down.
pub(super) fn literal(e: &Expr) -> Option<Scalar> {
    let Expr::Literal(value) = e else { return None };
    let value = value.to_any_value()?.into_static();
    Some(Scalar::new(value.dtype(), value))
}

impl Block<'_, '_, '_> {
    /// A column that is made before the expression that names it.
    pub(super) fn made(&mut self, name: PlSmallStr, kind: DataType) -> Expr {
        Arc::make_mut(&mut self.schema).insert(name.clone(), kind);
        col(name)
    }

    pub(super) fn kind(&self, e: &Expr) -> Result<DataType, QueryError> {
        Ok(e.to_field(&self.schema)?.dtype)
    }

    /// Whole numbers in 64 bits, as SQL counts: polars computes in the bits of the column.
    pub(super) fn wide(&self, e: Expr) -> Result<Expr, QueryError> {
        if let Some(whole) = literal(&e).filter(|scalar| scalar.dtype().is_integer())
            && let Some(whole) = whole.as_any_value().extract::<i64>()
        {
            return Ok(Expr::Literal(LiteralValue::Scalar(Scalar::from(whole))));
        }
        let kind = self.kind(&e)?;
        Ok(if kind.is_integer() && kind != DataType::Int64 { e.cast(DataType::Int64) } else { e })
    }

    /// Translates an expression.
    pub(super) fn expression(&mut self, e: &ast::Expr) -> Result<Expr, QueryError> {
        self.deeper(1, |block| block.translated(e))
    }

    /// [`Planner::deeper`](super::Planner::deeper), of this block.
    fn deeper<T>(
        &mut self,
        levels: usize,
        translate: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.planner.level += levels;
        let found = self.planner.shallow().and_then(|()| translate(self));
        self.planner.level -= levels;
        found
    }

    /// A condition.
    pub(super) fn truth(&mut self, e: &ast::Expr) -> Result<Expr, QueryError> {
        let condition = self.expression(e)?;
        let kind = self.kind(&condition)?;
        functions::truth(condition, &kind, || format!("the condition `{e}`"))
    }

    fn translated(&mut self, e: &ast::Expr) -> Result<Expr, QueryError> {
        match e {
            ast::Expr::Identifier(name) => self.column(None, name),
            ast::Expr::CompoundIdentifier(parts) => match &parts[..] {
                [table, name] => self.column(Some(table), name),
                _ => refuse(&format!("`{e}`"), "write table.column"),
            },
            ast::Expr::Value(value) => match &value.value {
                Value::Number(text, _) => number(text),
                Value::SingleQuotedString(text) => Ok(lit(text.clone())),
                Value::Boolean(value) => Ok(lit(*value)),
                Value::Null => Ok(lit(NULL)),
                _ => refuse(&format!("the value {e}"), "write a number or 'text'"),
            },
            ast::Expr::Nested(inner) => self.expression(inner),
            ast::Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            ast::Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                let parts = operands(e, op).into_iter().map(|e| self.truth(e));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                let join = if *op == BinaryOperator::And { Expr::and } else { Expr::or };
                Ok(joined(parts, join).unwrap_or_else(|| lit(NULL)))
            }
            ast::Expr::BinaryOp { op: op @ BinaryOperator::StringConcat, .. } => {
                let parts =
                    operands(e, op).into_iter().map(|e| Ok(self.expression(e)?.cast(DataType::String)));
                let parts = parts.collect::<Result<Vec<_>, QueryError>>()?;
                Ok(joined(parts, |a, b| a + b).unwrap_or_else(|| lit(NULL)))
            }
            ast::Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            ast::Expr::IsNull(e) => Ok(self.expression(e)?.is_null()),
            ast::Expr::IsNotNull(e) => Ok(self.expression(e)?.is_not_null()),
            ast::Expr::IsTrue(e) => Ok(self.expression(e)?.eq_missing(lit(true))),
            ast::Expr::IsNotTrue(e) => Ok(self.expression(e)?.neq_missing(lit(true))),
            ast::Expr::IsFalse(e) => Ok(self.expression(e)?.eq_missing(lit(false))),
            ast::Expr::IsNotFalse(e) => Ok(self.expression(e)?.neq_missing(lit(false))),
            ast::Expr::IsDistinctFrom(a, b) => Ok(self.expression(a)?.neq_missing(self.expression(b)?)),
            ast::Expr::IsNotDistinctFrom(a, b) => Ok(self.expression(a)?.eq_missing(self.expression(b)?)),
            ast::Expr::Between { expr, negated, low, high } => {
                let (e, low, high) = (self.expression(expr)?, self.expression(low)?, self.expression(high)?);
                let within = e.clone().gt_eq(low).and(e.lt_eq(high));
                Ok(if *negated { within.not() } else { within })
            }
            ast::Expr::InList { expr, list, negated } => {
                let any = self.among(expr, list)?;
                Ok(if *negated { any.not() } else { any })
            }
            ast::Expr::Like { negated, any, expr, pattern, escape_char } => {
                without(*any || escape_char.is_some(), &format!("`{e}`"), "use LIKE 'pattern'")?;
                self.like(expr, pattern, "(?s)", *negated)
            }
            ast::Expr::ILike { negated, any, expr, pattern, escape_char } => {
                without(*any || escape_char.is_some(), &format!("`{e}`"), "use ILIKE 'pattern'")?;
                self.like(expr, pattern, "(?is)", *negated)
            }
            ast::Expr::Case { operand, conditions, else_result, .. } => {
                let mut found = else_result.as_deref().map_or(Ok(lit(NULL)), |e| self.expression(e))?;
                // Each WHEN is within the ELSE of the one before.
                self.deeper(conditions.len(), |block| {
                    for case in conditions.iter().rev() {
                        let condition = match operand {
                            Some(operand) => block.binary(operand, &BinaryOperator::Eq, &case.condition)?,
                            None => block.truth(&case.condition)?,
                        };
                        found = when(condition).then(block.expression(&case.result)?).otherwise(found);
                    }
                    Ok(found)
                })
            }
            ast::Expr::Cast { kind, expr, data_type, array, format } => {
                without(*array || format.is_some(), &format!("`{e}`"), "use CAST(x AS type)")?;
                self.cast(expr, data_type, matches!(kind, CastKind::TryCast | CastKind::SafeCast))
            }
            ast::Expr::Ceil {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.call("ceil", &[expr]),
            ast::Expr::Floor {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.call("floor", &[expr]),
            ast::Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let arguments: Vec<&ast::Expr> =
                    [expr, from].into_iter().chain(substring_for).map(|e| &**e).collect();
                self.call("substr", &arguments)
            }
            ast::Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => {
                self.call("trim", &[expr])
            }
            ast::Expr::Function(function) => self.function(function),
            ast::Expr::Subquery(query) => self.subquery(query),
            ast::Expr::InSubquery { .. } => {
                refuse("IN (SELECT …) here", "join WHERE's conditions by AND, or use a JOIN")
            }
            ast::Expr::Exists { .. } => refuse("EXISTS", "use IN (SELECT …), or a JOIN"),
            other => refuse(&format!("`{other}`"), ""),
        }
    }

    /// A column, or the expression that the SELECT list gives that name.
    fn column(&mut self, table: Option<&ast::Ident>, name: &ast::Ident) -> Result<Expr, QueryError> {
        let unknown = match self.scope.find(table, name) {
            Ok(column) => return Ok(col(column.column.clone())),
            Err(unknown) => unknown,
        };
        let alias = self.aliases.iter().find(|(alias, _)| super::scope::matches(name, &alias.value));
        match alias {
            Some(&(_, e)) if table.is_none() && self.depth < 8 => {
                self.depth += 1;
                let found = self.expression(e);
                self.depth -= 1;
                found
            }
            _ => Err(unknown),
        }
    }

    fn unary(&mut self, op: UnaryOperator, operand: &ast::Expr) -> Result<Expr, QueryError> {
        // The least whole number is not the negative of one.
        if let (UnaryOperator::Minus, ast::Expr::Value(value)) = (op, operand)
            && let Value::Number(text, _) = &value.value
            && let Ok(least @ i64::MIN) = format!("-{text}").parse::<i64>()
        {
            return Ok(lit(least));
        }
        let e = self.expression(operand)?;
        match op {
            UnaryOperator::Minus => match literal(&e) {
                Some(value) if value.dtype().is_float() => {
                    Ok(lit(-value.as_any_value().extract::<f64>().unwrap_or(f64::NAN)))
                }
                _ => {
                    let e = self.wide(e)?;
                    if self.kind(&e)?.is_integer() {
                        Ok(whole::MINUS.of(lit(0i64), e)?)
                    } else {
                        Ok(lit(0i64) - e)
                    }
                }
            },
            UnaryOperator::Plus => self.wide(e),
            UnaryOperator::Not => {
                let kind = self.kind(&e)?;
                Ok(functions::truth(e, &kind, || "NOT".to_owned())?.not())
            }
            _ => refuse(&format!("the operator {op}"), ""),
        }
    }

    fn binary(
        &mut self,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
    ) -> Result<Expr, QueryError> {
        let (a, b) = (self.expression(left)?, self.expression(right)?);
        if *op == BinaryOperator::Eq {
            self.note(&a, &b);
        }
        Ok(match op {
            BinaryOperator::Eq => a.eq(b),
            BinaryOperator::NotEq => a.neq(b),
            BinaryOperator::Lt => a.lt(b),
            BinaryOperator::LtEq => a.lt_eq(b),
            BinaryOperator::Gt => a.gt(b),
            BinaryOperator::GtEq => a.gt_eq(b),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::DuckIntegerDivide => return self.arithmetic(a, op, b),
            _ => return refuse(&format!("the operator {op}"), ""),
        })
    }

    /// Arithmetic: of whole numbers in 64 bits, or else in floating point.
    fn arithmetic(&self, a: Expr, op: &BinaryOperator, b: Expr) -> Result<Expr, QueryError> {
        let (a, b) = (self.wide(a)?, self.wide(b)?);
        let kinds = [self.kind(&a)?, self.kind(&b)?];
        for kind in &kinds {
            let number = kind.is_numeric() || kind.is_bool() || kind.is_null();
            without(!number, &format!("{op} of what is no number"), "CAST it")?;
        }
        let whole = kinds.iter().all(DataType::is_integer);
        Ok(match op {
            BinaryOperator::Plus if whole => whole::PLUS.of(a, b)?,
            BinaryOperator::Minus if whole => whole::MINUS.of(a, b)?,
            BinaryOperator::Multiply if whole => whole::TIMES.of(a, b)?,
            BinaryOperator::Modulo if whole => whole::REMAINDER.of(a, b)?,
            BinaryOperator::DuckIntegerDivide if whole => whole::QUOTIENT.of(a, b)?,
            BinaryOperator::Plus => a + b,
            BinaryOperator::Minus => a - b,
            BinaryOperator::Multiply => a * b,
            BinaryOperator::Divide => functions::divide(a, b),
            BinaryOperator::Modulo => whole::float_remainder(a, b),
            BinaryOperator::DuckIntegerDivide => {
                return refuse("// of numbers that are not whole", "use FLOOR(a / b)");
            }
            _ => return refuse(&format!("the operator {op}"), ""),
        })
    }

    /// `e IN (…)`.
    fn among(&mut self, e: &ast::Expr, list: &[ast::Expr]) -> Result<Expr, QueryError> {
        let values = list.iter().map(|value| self.expression(value)).collect::<Result<Vec<_>, _>>()?;
        let key = self.expression(e)?;
        for value in &values {
            self.note(&key, value);
        }
        if values.len() > FEW
            && let Some(found) = within(&key, &self.kind(&key)?, &values)?
        {
            return Ok(found);
        }
        let parts = values.into_iter().map(|value| key.clone().eq(value)).collect();
        Ok(joined(parts, Expr::or).unwrap_or_else(|| lit(false)))
    }

    /// Notes a comparison of a column with a literal in WHERE.
    fn note(&mut self, a: &Expr, b: &Expr) {
        let ((Expr::Column(column), value) | (value, Expr::Column(column))) = (a, b) else { return };
        let mut named = self.scope.tables.iter().flat_map(|(_, columns)| columns);
        if self.barred == Some("WHERE")
            && self.planner.conditions.len() < NOTED
            && let Some(literal) = literal(value)
            && let Some(named) = named.find(|named| named.column == *column)
        {
            let (frame, name) = (self.source.clone(), named.name.to_string());
            self.planner.conditions.push(Condition { frame, column: column.clone(), name, literal });
        }
    }

    /// LIKE: `%` is any text, `_` any character.
    fn like(
        &mut self,
        e: &ast::Expr,
        pattern: &ast::Expr,
        flags: &str,
        negated: bool,
    ) -> Result<Expr, QueryError> {
        let ast::Expr::Value(ast::ValueWithSpan { value: Value::SingleQuotedString(pattern), .. }) = pattern
        else {
            return refuse(&format!("LIKE {pattern}"), "write the pattern as 'text'");
        };
        let mut regex = format!("^{flags}");
        for character in pattern.chars() {
            match character {
                '%' => regex.push_str(".*"),
                '_' => regex.push('.'),
                c if c.is_alphanumeric() || c.is_whitespace() => regex.push(c),
                c if c.is_ascii() => regex.extend(['\\', c]),
                c => regex.push(c),
            }
        }
        let found = self.expression(e)?.str().contains(lit(regex + "$"), true);
        Ok(if negated { found.not() } else { found })
    }

    fn cast(&mut self, e: &ast::Expr, to: &ast::DataType, lenient: bool) -> Result<Expr, QueryError> {
        let e = self.expression(e)?;
        let kind = match &*to.to_string().to_uppercase() {
            "BIGINT" | "INT8" | "INT64" | "INTEGER" | "INT" | "INT4" | "INT32" | "SMALLINT" => {
                if self.kind(&e)?.is_float() {
                    return Ok(whole::nearest(e, lenient));
                }
                DataType::Int64
            }
            "DOUBLE" | "DOUBLE PRECISION" | "FLOAT8" | "FLOAT64" => DataType::Float64,
            "VARCHAR" | "TEXT" | "STRING" => DataType::String,
            "BOOLEAN" | "BOOL" => {
                without(self.kind(&e)?.is_string(), "CAST of text as BOOLEAN", "write x = 'true'")?;
                DataType::Boolean
            }
            _ => return refuse(&format!("the type {to}"), "use BIGINT, DOUBLE, VARCHAR or BOOLEAN"),
        };
        Ok(if lenient { e.cast(kind) } else { e.strict_cast(kind) })
    }

    /// `(SELECT …)` as a value.
    fn subquery(&mut self, query: &ast::Query) -> Result<Expr, QueryError> {
        let single = matches!(
            &query.limit_clause,
            Some(ast::LimitClause::LimitOffset { limit: Some(limit), .. }) if limit.to_string() == "1"
        );
        let total = query.body.as_select().is_some_and(|select| {
            let groups =
                matches!(&select.group_by, ast::GroupByExpr::Expressions(keys, _) if keys.is_empty());
            groups && matches!(&select.projection[..], [item] if functions::aggregates(item))
        });
        without(
            !single && !total,
            "a subquery of several rows as a value",
            "select an aggregate, or LIMIT 1",
        )?;
        let mut frame = self.planner.query(query)?;
        let schema = frame.collect_schema()?;
        let mut columns = schema.iter();
        let (Some((column, kind)), None) = (columns.next(), columns.next()) else {
            return refuse("a subquery of several columns as a value", "select one");
        };
        let name = self.planner.fresh();
        let value = frame.select([col(column.clone()).first().alias(name.clone())]);
        self.subqueries.push((name.clone(), value));
        Ok(self.made(name, kind.clone()))
    }

    /// A function of the values of one row.
    fn call(&mut self, name: &str, arguments: &[&ast::Expr]) -> Result<Expr, QueryError> {
        if let ("mod", [a, b]) = (name, arguments) {
            let (a, b) = (self.expression(a)?, self.expression(b)?);
            return self.arithmetic(a, &BinaryOperator::Modulo, b);
        }
        let Some((_, least, most, build)) = functions::SCALAR.iter().find(|(known, ..)| *known == name)
        else {
            let scalar = functions::SCALAR.iter().map(|(name, ..)| *name);
            let known = scalar.chain(functions::AGGREGATES.iter().map(|(name, ..)| *name));
            let unknown = UnknownName::new("function", name, known);
            return match unknown.nearest {
                Some(_) => Err(unknown.into()),
                None => refuse(&format!("the function {name}"), "docs/queries.md lists those that are"),
            };
        };
        if !(*least..=*most).contains(&arguments.len()) {
            return refuse(&format!("{name} of {} arguments", arguments.len()), "");
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let value = self.expression(argument)?;
            values.push(if matches!(value, Expr::Literal(_)) { value } else { self.wide(value)? });
        }
        if let Some(first) = values.first_mut() {
            let kind = self.kind(first)?;
            if name == "abs" && kind.is_integer() {
                return Ok(whole::magnitude(self.wide(std::mem::take(first))?));
            }
            if functions::OF_TEXT.contains(&name) {
                let text = kind.is_string() || kind.is_null();
                without(!text, &format!("{name} of what is no text"), "CAST it AS VARCHAR")?;
                if kind.is_null() {
                    *first = lit(NULL).cast(DataType::String);
                }
            }
        }
        build(values)
    }

    fn function(&mut self, function: &ast::Function) -> Result<Expr, QueryError> {
        let ast::Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            filter,
            null_treatment,
            over,
            within_group,
        } = function;
        let shown = name.to_string();
        without(!within_group.is_empty(), &format!("{shown} … WITHIN GROUP"), "use QUANTILE_CONT(x, share)")?;
        let odd =
            *uses_odbc_syntax || null_treatment.is_some() || *parameters != ast::FunctionArguments::None;
        without(odd, &format!("`{function}`"), "")?;
        let (mut arguments, mut star, mut distinct) = (Vec::new(), false, false);
        match args {
            ast::FunctionArguments::None => {}
            ast::FunctionArguments::Subquery(_) => return refuse(&format!("`{function}`"), ""),
            ast::FunctionArguments::List(list) => {
                without(!list.clauses.is_empty(), &format!("`{function}`"), "")?;
                distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
                for argument in &list.args {
                    match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => arguments.push(e),
                        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star = true,
                        other => return refuse(&format!("the argument `{other}`"), ""),
                    }
                }
            }
        }
        let name = shown.to_lowercase();
        let star = star || (name == "count" && arguments.is_empty());
        without(
            star && (name != "count" || distinct || !arguments.is_empty()),
            &format!("`{function}`"),
            "",
        )?;
        let aggregate = functions::AGGREGATES.iter().find(|(known, ..)| *known == name);
        if aggregate.is_none() && over.is_none() {
            without(filter.is_some() || distinct, &format!("`{function}`"), "")?;
            return self.call(&name, &arguments);
        }
        if let Some(clause) = self.barred {
            let remedy = if clause == "WHERE" { "use HAVING or QUALIFY, or a subquery" } else { "" };
            return refuse(&format!("`{function}` in {clause}"), remedy);
        }
        let inside = if over.is_some() { None } else { Some("an aggregate") };
        self.barred = inside;
        let values: Result<Vec<Expr>, _> = arguments.iter().map(|e| self.expression(e)).collect();
        let filter = filter.as_deref().map(|e| self.truth(e)).transpose();
        self.barred = None;
        let mut values = values?;
        if let Some(condition) = filter? {
            without(aggregate.is_none(), &format!("`{function}`"), "")?;
            if star {
                values.push(lit(1i64));
            }
            if let Some(value) = values.first_mut() {
                *value = when(condition).then(value.clone()).otherwise(lit(NULL));
            }
        }
        if let Some(first) = values.first_mut() {
            *first = self.wide(first.clone())?;
        }
        let star = star && values.is_empty();
        let kind = values.first().map_or(Ok(DataType::Null), |value| self.kind(value))?;
        let call = Call { name: shown, text: function.to_string(), values, kind, star, distinct };
        match (over, aggregate) {
            (Some(over), _) => self.window(over, call, aggregate),
            (None, Some(aggregate)) => {
                let mut call = call;
                for value in call.values.iter_mut().take(1) {
                    if !value.into_iter().any(|e| matches!(e, Expr::Column(_))) {
                        // An aggregate of a constant is of as many as there are rows.
                        let (name, kind) = (self.planner.fresh(), self.kind(value)?);
                        self.constants.push(value.clone().alias(name.clone()));
                        *value = self.made(name, kind);
                    }
                }
                call.checked(aggregate)?;
                call.build(aggregate, &mut Groups(self))
            }
            (None, None) => Ok(lit(NULL)),
        }
    }
}

/// Aggregates that become columns of groups.
struct Groups<'b, 'p, 'q, 'a>(&'b mut Block<'p, 'q, 'a>);

impl Each for Groups<'_, '_, '_, '_> {
    fn each(&mut self, e: Expr) -> Result<Expr, QueryError> {
        if let Some((name, _)) = self.0.aggregates.iter().find(|(_, known)| *known == e) {
            return Ok(col(name.clone()));
        }
        let (name, kind) = (self.0.planner.fresh(), self.0.kind(&e)?);
        self.0.aggregates.push((name.clone(), e));
        Ok(self.0.made(name, kind))
    }

    fn windowed(&self) -> bool {
        false
    }
}
