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

use super::choices::{Choices, Learned, Tried};
use super::marked::{Marked, marked};
use super::{divisions, rewrite, syntax, words};
use crate::problem::{Problem, Problems};
use crate::sql::{dialect, place};

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
    /// True if it holds what DuckDB may complain about: see `choices`.
    pub(super) open: bool,
    pub(super) tried: Vec<Tried>,
}

/// Translates one Athena SELECT; `database` is the only one whose tables it may name.
pub fn translate(file: &str, select: &str, database: &str) -> Result<Translation, Problems> {
    translate_with(file, select, database, &Learned::default())
}

/// The same, with what DuckDB said of the nodes that it complained about.
pub(super) fn translate_with(
    file: &str,
    select: &str,
    database: &str,
    learned: &Learned,
) -> Result<Translation, Problems> {
    let marked = marked(file, select, database)?;
    let statement = read(file, &marked.text)?;
    let at = |node: &Expression| start(node).map_or_else(String::new, |start| place(select, marked.origin(start)));
    let mut found = syntax::problems(file, &statement, at);
    let choices = Choices::new(learned);
    let mut rewritten = rewritten(&Source { file, database, at: &at, choices: &choices }, statement, &mut found)?;
    let named = name_columns(&mut rewritten);
    let sql = Dialect::get(DialectType::DuckDB)
        .generate_with_identify(&rewritten)
        .map_err(|error| Problem::new(file, "", words::named(&error.to_string()), HELP))?;
    let Marked { tables, .. } = marked;
    let (tables, open) = (tables.into_iter().collect(), choices.is_open());
    Problems::or(found, Translation { sql, tables, named, open, tried: choices.tried() })
}

/// Where a node starts in the marked text, as far as the parser kept it.
fn start(node: &Expression) -> Option<usize> {
    let of = |node: &Expression| match node {
        Expression::Function(function) => function.span,
        Expression::Column(column) => column.span.or(column.name.span),
        Expression::Identifier(identifier) => identifier.span,
        _ => None,
    };
    node.dfs().find_map(of).map(|span| span.start)
}

fn read(file: &str, text: &str) -> Result<Expression, Problems> {
    let unreadable = |error: String| Problem::new(file, "", words::named(&error), HELP);
    let statements = dialect().parse(text).map_err(|error| unreadable(error.to_string()))?;
    let [statement] =
        <[Expression; 1]>::try_from(statements).map_err(|_| unreadable("not exactly one statement".to_owned()))?;
    Ok(statement)
}

/// What is translated, and where its nodes stand.
struct Source<'a> {
    file: &'a str,
    database: &'a str,
    at: &'a dyn Fn(&Expression) -> String,
    choices: &'a Choices<'a>,
}

/// The statement with every node in DuckDB's terms; what has none is added to the problems.
fn rewritten(source: &Source<'_>, statement: Expression, found: &mut Vec<Problem>) -> Result<Expression, Problems> {
    let Source { file, database, .. } = *source;
    let ctes = cte_names(&statement);
    let refused = RefCell::new(Vec::new());
    let unreadable = |error: polyglot_sql::Error| Problem::new(file, "", words::named(&error.to_string()), HELP);
    let rewritten = transform_all(divisions::scoped(statement).map_err(unreadable)?, &|node| {
        let at = (source.at)(&node);
        let node = match node {
            Expression::Table(table) => rewrite::table(*table, database, &ctes),
            other => rewrite::node(other, source.choices),
        };
        Ok(node.unwrap_or_else(|message| {
            refused.borrow_mut().push(Problem::new(file, at, message, HELP));
            Expression::null()
        }))
    })
    .map_err(unreadable)?;
    found.extend(refused.into_inner());
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
