//! Athena SQL to DuckDB SQL, by AST.
//!
//! Function names get the prefix `athena_` before the parser sees them, so that no guess of a SQL library about what
//! a function means takes part: every function is a macro of macros.sql or a rewrite in `rewrite`, and both are tested
//! against a real Trino. Everything not known to be the same is refused.

use std::cell::RefCell;
use std::collections::BTreeSet;

use polyglot_sql::expressions::{Alias, Expression, Identifier};
use polyglot_sql::traversal::{ExpressionWalk as _, get_all_tables, is_query, transform_all};
use polyglot_sql::{Dialect, DialectType, Token, TokenType};

use super::functions::{Call, advice, call};
use super::{rewrite, unnest};
use crate::problem::{Problem, Problems};

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
    // polyglot's Athena reads Hive's DDL too, and takes a backslash in a string for an escape; a query has neither.
    let athena = Dialect::get(DialectType::Trino);
    athena.parse(select).map_err(|error| syntax(file, &error))?;
    let tokens = athena.tokenize(select).map_err(|error| syntax(file, &error))?;
    let prefixed = prefix_calls(file, select, &tokens)?;
    let mut statements = athena.parse(&prefixed).map_err(|error| syntax(file, &error))?;
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
        let help = "write one SELECT, without a second statement";
        return Err(Problem::new(file, "", "not exactly one statement", help).into());
    };
    if !is_query(&statement) {
        return Err(Problem::new(file, "", "not a SELECT", "write a SELECT; the engine wraps it").into());
    }
    let mut tables = BTreeSet::new();
    let mut found = unsupported(file, &statement);
    let chars: Vec<char> = select.chars().collect();
    found.extend(unnest::problems(file, &tokens, |token| place(&chars, token.span.start)));
    let ctes = cte_names(&statement);
    let refused = RefCell::new(Vec::new());
    let rewritten = transform_all(statement, &|node| {
        let node = match node {
            Expression::Table(table) => rewrite::table(*table, database),
            other => rewrite::node(other),
        };
        Ok(node.unwrap_or_else(|message| {
            refused.borrow_mut().push(message);
            Expression::null()
        }))
    })
    .map_err(|error| syntax(file, &error))?;
    let help = "write it with functions and syntax that both engines have";
    found.extend(refused.into_inner().into_iter().map(|message| Problem::new(file, "", message, help)));
    for table in get_all_tables(&rewritten) {
        if let Expression::Table(table) = table {
            let name = table.name.name.to_ascii_lowercase();
            if !name.is_empty() && !ctes.contains(&name) {
                tables.insert(name);
            }
        }
    }
    let mut rewritten = rewritten;
    let named = name_columns(&mut rewritten);
    let sql = Dialect::get(DialectType::DuckDB)
        .generate_with_identify(&rewritten)
        .map_err(|error| Problem::new(file, "", error.to_string(), help))?;
    Problems::or(found, Translation { sql, tables: tables.into_iter().collect(), named })
}

fn syntax(file: &str, error: &polyglot_sql::Error) -> Problems {
    use polyglot_sql::Error;
    let (place, message) = match error {
        Error::Tokenize { message, line, column, .. }
        | Error::Parse { message, line, column, .. }
        | Error::Syntax { message, line, column, .. } => (format!("{line}:{column}"), message.clone()),
        other => (String::new(), other.to_string()),
    };
    Problem::new(file, place, message, "write SQL that Athena takes").into()
}

/// The text with every known call renamed; unknown ones are problems at their place.
fn prefix_calls(file: &str, select: &str, tokens: &[Token]) -> Result<String, Problems> {
    let chars: Vec<char> = select.chars().collect();
    let (mut out, mut done, mut found) = (String::new(), 0, Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        if !is_call(tokens, index) {
            continue;
        }
        let name: String = chars[token.span.start..token.span.end].iter().collect();
        let renamed = match call(&name) {
            Some(Call::Kept) => continue,
            Some(Call::Macro) => format!("athena_{}", name.to_ascii_lowercase()),
            Some(Call::Named(duckdb)) => duckdb.to_owned(),
            None => {
                let place = place(&chars, token.span.start);
                let message = format!("the embedded engine has no vetted equal of the function {name}");
                found.push(Problem::new(file, place, message, advice(&name)));
                continue;
            }
        };
        out.extend(&chars[done..token.span.start]);
        out.push_str(&renamed);
        done = token.span.end;
    }
    out.extend(&chars[done..]);
    Problems::or(found, out)
}

fn place(chars: &[char], at: usize) -> String {
    let before = &chars[..at];
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    format!("{line}:{column}")
}

/// A word before a parenthesis, unless it names a CTE, the alias of a relation, or a type.
fn is_call(tokens: &[Token], index: usize) -> bool {
    let token = &tokens[index];
    let word = token.text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let literal = matches!(token.token_type, TokenType::String | TokenType::QuotedIdentifier);
    let opens = tokens.get(index + 1).is_some_and(|next| next.token_type == TokenType::LParen);
    if !word || literal || !opens {
        return false;
    }
    let previous = index.checked_sub(1).map(|at| &tokens[at]);
    let text = |token: &Token| token.text.to_ascii_uppercase();
    match previous.map(text).as_deref() {
        // `AS t(x)`, `AS map(varchar, integer)`; `x) t(y)`; `WITH a(b) AS (`
        Some("AS" | ")" | "WITH" | "ORDINALITY") => false,
        Some(",") => !closes_before_as(tokens, index + 1),
        _ => true,
    }
}

/// `, name (columns) AS (` of a list of CTEs.
fn closes_before_as(tokens: &[Token], open: usize) -> bool {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.token_type {
            TokenType::LParen => depth += 1,
            TokenType::RParen => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let follows =
                |at: usize, text: &str| tokens.get(at).is_some_and(|next| next.text.eq_ignore_ascii_case(text));
            return follows(index + 1, "AS") && follows(index + 2, "(");
        }
    }
    false
}

/// Syntax outside the list: names, literals, operators, clauses, and the calls that were kept.
const SYNTAX: &[&str] = &[
    "add",
    "aggregate_function",
    "alias",
    "and",
    "any_value",
    "array",
    "array_agg",
    "array_func",
    "avg",
    "between",
    "boolean",
    "case",
    "cast",
    "coalesce",
    "column",
    "concat",
    "count",
    "count_if",
    "cte",
    "cume_dist",
    "data_type",
    "dense_rank",
    "div",
    "dot",
    "eq",
    "except",
    "exists",
    "extract",
    "first_value",
    "from",
    "function",
    "group_by",
    "gt",
    "gte",
    "having",
    "identifier",
    "in",
    "intersect",
    "interval",
    "is",
    "is_false",
    "is_null",
    "is_true",
    "join",
    "joined_table",
    "lag",
    "lambda",
    "last_value",
    "lead",
    "like",
    "limit",
    "literal",
    "logical_and",
    "logical_or",
    "lt",
    "lte",
    "max",
    "min",
    "mod",
    "mul",
    "n_tile",
    "neg",
    "neq",
    "not",
    "nth_value",
    "null",
    "null_safe_eq",
    "null_safe_neq",
    "offset",
    "or",
    "order_by",
    "ordered",
    "over",
    "paren",
    "percent_rank",
    "rank",
    "row_number",
    "select",
    "star",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sub",
    "subquery",
    "subscript",
    "sum",
    "table",
    "try_cast",
    "tuple",
    "union",
    "unnest",
    "values",
    "where",
    "window",
    "window_function",
    "with",
];

fn unsupported(file: &str, statement: &Expression) -> Vec<Problem> {
    let kinds: BTreeSet<&str> =
        statement.dfs().map(Expression::variant_name).filter(|kind| !SYNTAX.contains(kind)).collect();
    let help = "write it with functions and syntax that both engines have";
    kinds
        .into_iter()
        .map(|kind| Problem::new(file, "", format!("the embedded engine does not know this syntax: {kind}"), help))
        .collect()
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
