//! Athena SQL to DuckDB SQL, by AST.
//!
//! Function names get the prefix `athena_` before the parser sees them, so that no guess of a SQL library about what
//! a function means takes part: every function is a macro of macros.sql or a rewrite in `rewrite`, and both are tested
//! against a real Trino. Everything not known to be the same is refused.

use std::cell::RefCell;
use std::collections::BTreeSet;

use polyglot_sql::expressions::{Alias, Expression, Identifier};
use polyglot_sql::traversal::{ExpressionWalk as _, transform_all};
use polyglot_sql::{Dialect, DialectType};

use super::marked::marked;
use super::{rewrite, syntax};
use crate::problem::{Problem, Problems};
use crate::sql::dialect;

/// What to do about what the two engines do not have in common.
pub(super) const HELP: &str = "write it with functions and syntax that both engines have";

/// A SELECT in DuckDB's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    pub sql: String,
    /// The tables it reads, lowercase, sorted, names of CTEs left out.
    pub tables: Vec<String>,
    /// True if every output column has a name of its own; Athena makes a table only of such.
    pub named: bool,
}

/// Translates one Athena SELECT; `database` is the only one whose tables it may name.
pub fn translate(file: &str, select: &str, database: &str) -> Result<Translation, Problems> {
    let marked = marked(file, select, database)?;
    let statement = read(file, &marked.text)?;
    let mut found = syntax::problems(file, &statement);
    let mut rewritten = rewritten(file, statement, database, &mut found)?;
    let named = name_columns(&mut rewritten);
    let sql = Dialect::get(DialectType::DuckDB)
        .generate_with_identify(&rewritten)
        .map_err(|error| Problem::new(file, "", error.to_string(), HELP))?;
    Problems::or(found, Translation { sql, tables: marked.tables.into_iter().collect(), named })
}

fn read(file: &str, text: &str) -> Result<Expression, Problems> {
    let unreadable = |error: String| Problem::new(file, "", error, HELP);
    let statements = dialect().parse(text).map_err(|error| unreadable(error.to_string()))?;
    let [statement] =
        <[Expression; 1]>::try_from(statements).map_err(|_| unreadable("not exactly one statement".to_owned()))?;
    Ok(statement)
}

/// The statement with every node in DuckDB's terms; what has none is added to the problems.
fn rewritten(
    file: &str,
    statement: Expression,
    database: &str,
    found: &mut Vec<Problem>,
) -> Result<Expression, Problems> {
    let ctes = cte_names(&statement);
    let refused = RefCell::new(Vec::new());
    let rewritten = transform_all(statement, &|node| {
        let node = match node {
            Expression::Table(table) => rewrite::table(*table, database, &ctes),
            other => rewrite::node(other),
        };
        Ok(node.unwrap_or_else(|message| {
            refused.borrow_mut().push(message);
            Expression::null()
        }))
    })
    .map_err(|error| Problem::new(file, "", error.to_string(), HELP))?;
    found.extend(refused.into_inner().into_iter().map(|message| Problem::new(file, "", message, HELP)));
    Ok(rewritten)
}

fn cte_names(statement: &Expression) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for node in statement.dfs() {
        let with = match node {
            Expression::Select(select) => select.with.as_ref(),
            Expression::Union(union) => union.with.as_ref(),
            Expression::Intersect(intersect) => intersect.with.as_ref(),
            Expression::Except(except) => except.with.as_ref(),
            _ => None,
        };
        names.extend(with.into_iter().flat_map(|with| &with.ctes).map(|cte| cte.alias.name.to_ascii_lowercase()));
    }
    names
}

/// Gives nameless output columns the names that Athena gives them; false if there was one.
fn name_columns(statement: &mut Expression) -> bool {
    match statement {
        Expression::Select(select) => {
            let mut named = true;
            for (index, column) in select.expressions.iter_mut().enumerate() {
                if matches!(
                    column,
                    Expression::Alias(_) | Expression::Column(_) | Expression::Star(_) | Expression::Dot(_)
                ) {
                    continue;
                }
                named = false;
                let nameless = std::mem::replace(column, Expression::null());
                *column = Expression::Alias(Box::new(Alias::new(nameless, Identifier::new(format!("_col{index}")))));
            }
            named
        }
        Expression::Union(union) => name_columns(&mut union.left),
        Expression::Intersect(intersect) => name_columns(&mut intersect.left),
        Expression::Except(except) => name_columns(&mut except.left),
        Expression::Subquery(subquery) => name_columns(&mut subquery.this),
        Expression::Paren(paren) => name_columns(&mut paren.this),
        _ => false,
    }
}
