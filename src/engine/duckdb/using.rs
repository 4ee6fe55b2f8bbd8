//! USING: Athena brings both sides to their common type, and DuckDB gives the column the type of one of them.
//!
//! A relation whose column has another type is read through a SELECT that casts it. Only DuckDB knows the types, and which
//! of several joined relations has the column: see `choices`.
//! <https://github.com/trinodb/trino/blob/476/core/trino-main/src/main/java/io/trino/sql/analyzer/StatementAnalyzer.java>

use std::collections::BTreeMap;

use polyglot_sql::expressions::{BinaryOp, Expression, Identifier, IsNull, Join, JoinKind, Paren, Select, Where};
use polyglot_sql::traversal::transform_all;
use polyglot_sql::{Dialect, DialectType};

use super::build::data_type;
use super::choices::{Choices, Types};
use super::readers::type_of;
use super::rewrite::Rewritten;
use super::rows::type_name;
use crate::sql::common_type;
use crate::sql::ident::quote;

/// A SELECT in which both sides of every USING have one type.
pub(super) fn of_one_type(mut select: Select, choices: &Choices<'_>) -> Result<Select, String> {
    let Some(from) = select.from.as_mut() else { return Ok(select) };
    if !from.expressions.iter().any(has_using) && !joins_using(&select.joins) {
        return Ok(select);
    }
    let mut relations = Vec::new();
    for relation in from.expressions.iter_mut().chain(select.joins.iter_mut().map(|join| &mut join.this)) {
        leaves(relation, &mut relations);
    }
    let names = relations.iter_mut().enumerate().map(|(at, relation)| named(relation, at));
    let mut walk =
        Walk { names: names.collect::<Result<_, _>>()?, choices, met: 0, guards: Vec::new(), casts: Vec::new() };
    let from = select.from.as_ref().map_or(&[][..], |from| &from.expressions);
    let (last, before) = from.split_last().ok_or("USING without relations")?;
    for relation in before {
        walk.relation(relation)?;
    }
    walk.chain(last, &select.joins)?;
    let Walk { names, guards, casts, .. } = walk;
    let mut relations = Vec::new();
    let from = select.from.iter_mut().flat_map(|from| &mut from.expressions);
    for relation in from.chain(select.joins.iter_mut().map(|join| &mut join.this)) {
        leaves(relation, &mut relations);
    }
    for Cast { relation, column, to } in casts {
        let whole = std::mem::replace(relations[relation], Expression::null());
        *relations[relation] = cast(whole, &names[relation], &column, &to)?;
    }
    for guard in guards {
        let guard = Expression::IsNull(Box::new(IsNull { this: guard, not: false, postfix_form: false }));
        let with = |other: Where| Expression::And(Box::new(BinaryOp::new(paren(other.this), guard.clone())));
        let this = select.where_clause.take().map_or_else(|| guard.clone(), with);
        select.where_clause = Some(Where { this });
    }
    Ok(select)
}

fn joins_using(joins: &[Join]) -> bool {
    joins.iter().any(|join| !join.using.is_empty() || has_using(&join.this))
}

fn has_using(relation: &Expression) -> bool {
    match relation {
        Expression::JoinedTable(table) => has_using(&table.left) || joins_using(&table.joins),
        Expression::Paren(paren) => has_using(&paren.this),
        Expression::Subquery(subquery) => has_using(&subquery.this),
        Expression::Alias(alias) => has_using(&alias.this),
        _ => false,
    }
}

/// True for brackets around joins, without a name of their own.
fn is_bracket(relation: &Expression) -> bool {
    let joined = |inner: &Expression| matches!(inner, Expression::JoinedTable(_) | Expression::Paren(_));
    matches!(relation, Expression::Subquery(subquery) if subquery.alias.is_none() && joined(&subquery.this))
}

/// The relations that are joined, from left to right.
fn leaves<'a>(relation: &'a mut Expression, found: &mut Vec<&'a mut Expression>) {
    let is_bracket = is_bracket(relation);
    match relation {
        Expression::JoinedTable(table) => {
            leaves(&mut table.left, found);
            table.joins.iter_mut().for_each(|join| leaves(&mut join.this, found));
        }
        Expression::Paren(paren) => leaves(&mut paren.this, found),
        bracket if !is_bracket => found.push(bracket),
        Expression::Subquery(subquery) => leaves(&mut subquery.this, found),
        relation => found.push(relation),
    }
}

/// What qualifies a relation's columns; one without a name gets one.
fn named(relation: &mut Expression, at: usize) -> Result<String, String> {
    if has_using(relation) {
        return Err("an alias of joins with USING: write `(SELECT … FROM a JOIN b USING (k)) AS t`".to_owned());
    }
    let alias = match relation {
        Expression::Table(table) => return Ok(table.alias.as_ref().unwrap_or(&table.name).name.clone()),
        Expression::Alias(alias) => return Ok(alias.alias.name.clone()),
        Expression::Subquery(subquery) => &mut subquery.alias,
        Expression::Values(values) => &mut values.alias,
        other => return Err(format!("USING with this kind of relation: {}", other.variant_name().replace('_', " "))),
    };
    Ok(alias.get_or_insert_with(|| Identifier::new(format!("athena_relation_{at}"))).name.clone())
}

/// A relation's column, and the type that it is brought to.
struct Cast {
    relation: usize,
    column: String,
    to: String,
}

/// Relations that are joined: their numbers, and for columns that a USING named the relations that have them.
struct Side {
    relations: Vec<usize>,
    shared: BTreeMap<String, Vec<usize>>,
}

struct Walk<'a> {
    /// What qualifies each relation.
    names: Vec<String>,
    choices: &'a Choices<'a>,
    met: usize,
    guards: Vec<Expression>,
    casts: Vec<Cast>,
}

impl Walk<'_> {
    fn relation(&mut self, relation: &Expression) -> Result<Side, String> {
        match relation {
            Expression::JoinedTable(table) => self.chain(&table.left, &table.joins),
            Expression::Paren(paren) => self.relation(&paren.this),
            Expression::Subquery(subquery) if is_bracket(relation) => self.relation(&subquery.this),
            _ => {
                self.met += 1;
                Ok(Side { relations: vec![self.met - 1], shared: BTreeMap::new() })
            }
        }
    }

    fn chain(&mut self, first: &Expression, joins: &[Join]) -> Result<Side, String> {
        if joins.iter().any(|join| join.nesting_group != 0 || join.deferred_condition) {
            return Err("USING in joins that nest without brackets: write `(a JOIN b USING (k))`".to_owned());
        }
        let mut left = self.relation(first)?;
        for join in joins {
            let right = self.relation(&join.this)?;
            if join.kind == JoinKind::Implicit {
                // A comma binds less than JOIN.
                left = right;
                continue;
            }
            for column in &join.using {
                let (ours, theirs) = (self.owners(&left, &column.name), self.owners(&right, &column.name));
                self.bring(&column.name, &ours, &theirs)?;
                left.shared.insert(column.name.to_lowercase(), ours.into_iter().chain(theirs).collect());
            }
            left.relations.extend(right.relations);
            for (column, owners) in right.shared {
                left.shared.entry(column).or_insert(owners);
            }
        }
        Ok(left)
    }

    /// The relations that have a column; none, if DuckDB said so of each: it says that of the USING, too.
    fn owners(&self, side: &Side, column: &str) -> Vec<usize> {
        if let Some(owners) = side.shared.get(&column.to_lowercase()) {
            return owners.clone();
        }
        if let [only] = side.relations.as_slice() {
            return vec![*only];
        }
        let names: Vec<&str> = side.relations.iter().map(|&relation| self.names[relation].as_str()).collect();
        self.choices.owner(&names, column).map(|at| side.relations[at]).into_iter().collect()
    }

    /// Brings a column of both sides to one type.
    fn bring(&mut self, column: &str, left: &[usize], right: &[usize]) -> Result<(), String> {
        let (Some(first), Some(second)) = (left.first(), right.first()) else { return Ok(()) };
        let [a, b] =
            [first, second].map(|&relation| Expression::qualified_column(self.names[relation].as_str(), column));
        let (a, b) = match self.choices.types(a, b) {
            Types::One(guard) => {
                self.guards.push(guard);
                return Ok(());
            }
            Types::Two(a, b) => (a, b),
        };
        let to = common(&a, &b).ok_or_else(|| {
            let shown = [&a, &b].map(|duckdb| type_name(duckdb));
            format!(
                "`USING ({column})` of {} and {}: CAST one side to the type of the other, in a subquery",
                shown[0], shown[1]
            )
        })?;
        for (relations, of) in [(left, &a), (right, &b)] {
            let other = relations.iter().filter(|_| **of != to);
            self.casts.extend(other.map(|&relation| Cast { relation, column: column.to_owned(), to: to.clone() }));
        }
        Ok(())
    }
}

/// The type in DuckDB that Athena brings both to.
fn common(a: &str, b: &str) -> Option<String> {
    const NULL: &str = "\"NULL\"";
    match (a, b) {
        (NULL, known) | (known, NULL) => Some(known.to_owned()),
        _ => type_of(&common_type(&data_type(a)?, &data_type(b)?)?).ok(),
    }
}

/// The relation with one of its columns in another type.
fn cast(relation: Expression, name: &str, column: &str, to: &str) -> Rewritten {
    let (name, column) = (quote(name), quote(column));
    let read = format!("SELECT * REPLACE (CAST({column} AS {to}) AS {column}) FROM relation_");
    let parsed = Dialect::get(DialectType::DuckDB).parse(&format!("SELECT 1 FROM ({read}) AS {name}"));
    let template = match parsed.map_err(|error| error.to_string())?.into_iter().next() {
        Some(Expression::Select(select)) => select.from.and_then(|from| from.expressions.into_iter().next()),
        _ => None,
    };
    let put = |node| match node {
        Expression::Table(table) if table.name.name == "relation_" => Ok(relation.clone()),
        other => Ok(other),
    };
    transform_all(template.ok_or("USING")?, &put).map_err(|error| error.to_string())
}

fn paren(condition: Expression) -> Expression {
    Expression::Paren(Box::new(Paren { this: condition, trailing_comments: Vec::new() }))
}
