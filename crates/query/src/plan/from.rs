//! FROM: tables, subqueries and joins.

use polars::prelude::*;
use sqlparser::ast::{self, BinaryOperator, JoinConstraint, JoinOperator, TableFactor};

use super::scope::Scope;
use super::select::Block;
use super::{Planner, refuse, renamed, without};
use crate::QueryError;

/// Two keys of a join in one type: polars joins no numbers of two.
pub(super) fn comparable(left: (Expr, &DataType), right: (Expr, &DataType)) -> (Expr, Expr) {
    match (left.1, right.1) {
        (one, other) if one == other => (left.0, right.0),
        (one, other) if one.is_integer() && other.is_integer() => {
            (left.0.cast(DataType::Int64), right.0.cast(DataType::Int64))
        }
        (one, other) if one.is_numeric() && other.is_numeric() => {
            (left.0.cast(DataType::Float64), right.0.cast(DataType::Float64))
        }
        _ => (left.0, right.0),
    }
}

/// The conditions that AND joins.
pub(super) fn conjuncts(expression: &ast::Expr) -> Vec<&ast::Expr> {
    operands(expression, &BinaryOperator::And)
}

/// What an operator joins for which parentheses make no difference, in order.
pub(super) fn operands<'e>(expression: &'e ast::Expr, operator: &BinaryOperator) -> Vec<&'e ast::Expr> {
    let (mut found, mut rest) = (Vec::new(), vec![expression]);
    while let Some(e) = rest.pop() {
        match e {
            ast::Expr::BinaryOp { left, op, right } if op == operator => rest.extend([&**right, &**left]),
            ast::Expr::Nested(inner) => rest.push(inner),
            other => found.push(other),
        }
    }
    found
}

/// Expressions joined by such an operator, as a tree that is no deeper than it must be.
pub(super) fn joined(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        let mut halved = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(one) = pairs.next() {
            halved.push(match pairs.next() {
                Some(other) => join(one, other),
                None => one,
            });
        }
        parts = halved;
    }
    parts.pop()
}

impl Planner<'_> {
    /// The rows of a FROM; without one, a single row without columns that could be named.
    pub(super) fn from(&mut self, from: &[ast::TableWithJoins]) -> Result<(LazyFrame, Scope), QueryError> {
        let mut tables = from.iter();
        let Some(first) = tables.next() else {
            let row = DataFrame::new_infer_height(vec![Column::new("#".into(), [0i64])])?;
            return Ok((row.lazy(), Scope::default()));
        };
        let mut rows = self.joined(first)?;
        for table in tables {
            let other = self.joined(table)?;
            rows = self.join(rows, other, JoinType::Inner, &JoinConstraint::None)?;
        }
        Ok(rows)
    }

    fn joined(&mut self, table: &ast::TableWithJoins) -> Result<(LazyFrame, Scope), QueryError> {
        let mut rows = self.factor(&table.relation)?;
        for join in &table.joins {
            let other = self.factor(&join.relation)?;
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::CrossJoin(on) => {
                    (JoinType::Inner, on)
                }
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (JoinType::Left, on),
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (JoinType::Right, on),
                JoinOperator::FullOuter(on) => (JoinType::Full, on),
                JoinOperator::Semi(on) | JoinOperator::LeftSemi(on) => (JoinType::Semi, on),
                JoinOperator::Anti(on) | JoinOperator::LeftAnti(on) => (JoinType::Anti, on),
                _ => return refuse(&format!("`{}`", join.to_string().trim()), "use JOIN or LEFT JOIN"),
            };
            rows = self.join(rows, other, kind, constraint)?;
        }
        Ok(rows)
    }

    /// A table or a subquery.
    fn factor(&mut self, factor: &TableFactor) -> Result<(LazyFrame, Scope), QueryError> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                let files = "only the tables of the data sets are read";
                without(args.is_some(), &format!("the table function `{name}`"), files)?;
                let more = *with_ordinality || version.is_some() || json_path.is_some() || sample.is_some();
                let hints = !with_hints.is_empty() || !partitions.is_empty() || !index_hints.is_empty();
                without(more || hints, &format!("`{factor}` in FROM"), "name the table alone")?;
                let [ast::ObjectNamePart::Identifier(ident)] = &name.0[..] else {
                    return refuse(&format!("`{name}` in FROM"), files);
                };
                let mut frame = self.table(ident)?;
                if let Some(alias) = alias {
                    frame = renamed(frame, alias)?;
                }
                let known = alias.as_ref().map_or(&ident.value, |alias| &alias.name.value);
                let schema = frame.collect_schema()?;
                Ok((frame, Scope::of(known, &schema)))
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                without(*lateral, "LATERAL", "")?;
                without(sample.is_some(), "SAMPLE", "")?;
                let mut frame = self.query(subquery)?;
                if let Some(alias) = alias {
                    frame = renamed(frame, alias)?;
                }
                let known = alias.as_ref().map_or("", |alias| &alias.name.value);
                let schema = frame.collect_schema()?;
                Ok((frame, Scope::of(known, &schema)))
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.joined(table_with_joins),
            TableFactor::UNNEST { .. } => refuse("UNNEST", ""),
            other => refuse(&format!("`{other}` in FROM"), "name a table, or a subquery in parentheses"),
        }
    }

    /// Two tables joined. Each keeps its columns; those of the right that the left has, too, get
    /// names of their own in the frame.
    fn join(
        &mut self,
        (mut left, mut names): (LazyFrame, Scope),
        (mut right, mut others): (LazyFrame, Scope),
        kind: JoinType,
        constraint: &JoinConstraint,
    ) -> Result<(LazyFrame, Scope), QueryError> {
        let schema = left.collect_schema()?;
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for column in others.tables.iter_mut().flat_map(|(_, columns)| columns) {
            if schema.contains(&column.column) {
                old.push(column.column.clone());
                column.column = self.fresh();
                new.push(column.column.clone());
            }
        }
        if !old.is_empty() {
            right = right.rename(old, new, true);
        }
        let other_schema = right.collect_schema()?;
        let mut both = (*schema).clone();
        both.extend(other_schema.iter().map(|(name, kind)| (name.clone(), kind.clone())));
        let mut scope = names.clone();
        scope.tables.extend(others.tables.clone());

        let (mut pairs, mut rest) = (Vec::new(), Vec::new());
        let shared = match constraint {
            JoinConstraint::None => Vec::new(),
            JoinConstraint::On(condition) => {
                let mut block = Block::new(self, left.clone(), scope.clone(), Arc::new(both.clone()));
                block.barred = Some("ON");
                for condition in conjuncts(condition) {
                    let mut key = None;
                    if let ast::Expr::BinaryOp { left: one, op: BinaryOperator::Eq, right: other } = condition
                    {
                        let (one, other) = (block.expression(one)?, block.expression(other)?);
                        let within = |e: &Expr, schema: &Schema| {
                            let roots = e.clone().meta().root_names();
                            !roots.is_empty() && roots.iter().all(|root| schema.contains(root))
                        };
                        if within(&one, &schema) && within(&other, &other_schema) {
                            key = Some((one, other));
                        } else if within(&other, &schema) && within(&one, &other_schema) {
                            key = Some((other, one));
                        }
                    }
                    match key {
                        Some(pair) => pairs.push(pair),
                        None => rest.push(block.truth(condition)?),
                    }
                }
                without(!block.subqueries.is_empty(), "a subquery in ON", "")?;
                Vec::new()
            }
            JoinConstraint::Using(columns) => {
                let single = |name: &ast::ObjectName| match &name.0[..] {
                    [ast::ObjectNamePart::Identifier(ident)] => Ok(ident.clone()),
                    _ => refuse(&format!("USING ({name})"), "name a column of both tables"),
                };
                columns.iter().map(single).collect::<Result<Vec<_>, _>>()?
            }
            JoinConstraint::Natural => {
                let there = others.all(None)?;
                let both =
                    names.all(None)?.into_iter().filter(|one| there.iter().any(|it| it.name == one.name));
                both.map(|one| ast::Ident::with_quote('"', one.name.as_str())).collect()
            }
        };
        without(!shared.is_empty() && kind == JoinType::Full, "FULL JOIN … USING", "use ON")?;
        for name in &shared {
            let one = names.find(None, name)?.column.clone();
            let other = others.find(None, name)?.column.clone();
            pairs.push((col(one.clone()), col(other.clone())));
            let hide = if kind == JoinType::Right { one } else { other };
            let columns = scope.tables.iter_mut().flat_map(|(_, columns)| columns);
            columns.filter(|column| column.column == hide).for_each(|column| column.hidden = true);
        }
        if pairs.is_empty() || !rest.is_empty() {
            let what = "an outer JOIN on anything but equal columns";
            without(kind != JoinType::Inner, what, "join ON a.x = b.x AND …, and filter with WHERE")?;
        }
        let (on_left, on_right): (Vec<Expr>, Vec<Expr>) = pairs
            .into_iter()
            .map(|(one, other)| {
                let (kind, other_kind) = (one.to_field(&both)?.dtype, other.to_field(&both)?.dtype);
                Ok(comparable((one, &kind), (other, &other_kind)))
            })
            .collect::<PolarsResult<Vec<_>>>()?
            .into_iter()
            .unzip();
        let mut frame = if on_left.is_empty() {
            left.cross_join(right, None)
        } else {
            let args = JoinArgs::new(kind.clone()).with_coalesce(JoinCoalesce::KeepColumns);
            left.join(right, on_left, on_right, args)
        };
        for condition in rest {
            frame = self.kept(frame, condition);
        }
        if matches!(kind, JoinType::Semi | JoinType::Anti) {
            std::mem::swap(&mut scope, &mut names);
        }
        Ok((frame, scope))
    }
}
