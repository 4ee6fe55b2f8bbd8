//! Syntax that the embedded engine knows. What is not listed here is refused.

use std::collections::BTreeMap;

use polyglot_sql::expressions::{Expression, JoinKind, Select};
use polyglot_sql::traversal::ExpressionWalk as _;

use super::functions::advice;
use super::translate::HELP;
use crate::problem::Problem;

/// Names, literals, operators, clauses, and the calls that were kept.
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
    "cube",
    "cume_dist",
    "data_type",
    "dense_rank",
    "div",
    "dot",
    "eq",
    "except",
    "exists",
    "extract",
    "filter",
    "first_value",
    "from",
    "function",
    "group_by",
    "grouping",
    "grouping_sets",
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
    "rollup",
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
    "var_pop",
    "var_samp",
    "variance",
    "values",
    "where",
    "window",
    "window_function",
    "with",
    "within_group",
];

/// What a statement is written with that the two engines do not have in common; `at` tells where a node stands.
pub(super) fn problems(file: &str, statement: &Expression, at: impl Fn(&Expression) -> String) -> Vec<Problem> {
    let unknown = |node: &Expression| match node {
        Expression::Select(select) => clause(select),
        Expression::Union(union) => union.by_name.then_some("by name"),
        Expression::Intersect(intersect) => intersect.by_name.then_some("by name"),
        Expression::Except(except) => except.by_name.then_some("by name"),
        node => Some(node.variant_name()).filter(|kind| !SYNTAX.contains(kind)),
    };
    let mut kinds: BTreeMap<&str, String> = BTreeMap::new();
    for node in statement.dfs() {
        if let Some(kind) = unknown(node) {
            kinds.entry(kind).or_insert_with(|| at(node));
        }
    }
    let problem = |(kind, at): (&str, String)| {
        let (name, help) = words(kind);
        Problem::new(file, at, format!("the embedded engine does not know {name}"), help)
    };
    kinds.into_iter().map(problem).collect()
}

/// What a kind of syntax is called, and what to write in its place.
fn words(kind: &str) -> (String, &'static str) {
    match kind {
        "lateral" => ("LATERAL".to_owned(), advice("lateral")),
        "at_time_zone" => ("AT TIME ZONE".to_owned(), advice("at_timezone")),
        other => (format!("this syntax: {}", other.replace('_', " ")), HELP),
    }
}

/// A clause of a SELECT that DuckDB has, and Athena has not.
fn clause(select: &Select) -> Option<&'static str> {
    use JoinKind::{Cross, Full, Implicit, Inner, Left, Right};
    let has = [
        ("qualify", select.qualify.is_some()),
        ("sample", select.sample.is_some()),
        ("limit by", select.limit_by.is_some()),
        ("top", select.top.is_some()),
        ("into", select.into.is_some()),
        ("sort by", select.sort_by.is_some() || select.cluster_by.is_some() || select.distribute_by.is_some()),
        ("lateral view", !select.lateral_views.is_empty()),
        ("exclude", select.exclude.is_some()),
    ];
    let join = |kind: &JoinKind| !matches!(kind, Inner | Left | Right | Full | Cross | Implicit);
    let joined = select.joins.iter().any(|other| join(&other.kind)).then_some("this kind of join");
    has.into_iter().find(|(_, has)| *has).map(|(name, _)| name).or(joined)
}
