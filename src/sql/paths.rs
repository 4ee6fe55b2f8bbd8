//! The ways a table's rows take through the SELECTs of a model to its output.

use std::ops::Range;

use polyglot_sql::TokenType as T;

use super::outline::{Branch, Cte, Query, RelationKind, Select};
use super::source::Source;

/// SELECTs from the one whose FROM has the table to the final one.
#[derive(Debug, Clone, Default)]
pub(super) struct Path<'q> {
    pub links: Vec<Link<'q>>,
    /// Why a column added on this way would change rows, if it would.
    pub blocked: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'q> {
    pub select: &'q Select,
    /// Index of the relation that the column comes through.
    pub relation: usize,
}

impl Link<'_> {
    /// True if the SELECT takes every column of the relation as it is.
    pub fn is_star(&self) -> bool {
        let qualifier = self.select.relations[self.relation].qualifier();
        let stars = self.select.items.iter().filter_map(|item| item.star.as_ref());
        stars.into_iter().any(|star| star.relation.is_none() || star.relation.as_deref() == qualifier)
    }
}

impl Path<'_> {
    fn block(&mut self, reason: &str) {
        self.blocked.get_or_insert_with(|| reason.to_owned());
    }

    /// True if stars carry a new column to the output without help.
    pub fn is_star(&self) -> bool {
        self.blocked.is_none() && self.links.iter().all(Link::is_star)
    }
}

/// Every way from `table` to the output.
pub(super) fn of<'q>(source: &Source, query: &'q Query, table: &str) -> Vec<Path<'q>> {
    Walk { source, table }.query(query, &[])
}

struct Walk<'a> {
    source: &'a Source<'a>,
    table: &'a str,
}

impl Walk<'_> {
    fn query<'q>(&self, query: &'q Query, outer: &[&'q Cte]) -> Vec<Path<'q>> {
        let mut ctes = outer.to_vec();
        ctes.extend(&query.ctes);
        let mut paths = Vec::new();
        for branch in &query.branches {
            paths.extend(match branch {
                Branch::Select(select) => self.select(select, &ctes),
                Branch::Nested(nested) => self.query(nested, &ctes),
                Branch::Values(_) => Vec::new(),
            });
        }
        let limits = |index: usize| matches!(self.source.kind(index), Some(T::Limit | T::Fetch | T::Offset));
        for path in &mut paths {
            if path.links.iter().all(Link::is_star) {
                // The column is taken already; whether it changes rows is for the proof to say.
                continue;
            }
            if query.is_set_operation() {
                path.block("a set operation (UNION, INTERSECT or EXCEPT) needs the same columns on both sides");
            }
            if query.tail.clone().any(limits) {
                path.block("LIMIT keeps some rows only");
            }
        }
        paths
    }

    fn select<'q>(&self, select: &'q Select, ctes: &[&'q Cte]) -> Vec<Path<'q>> {
        let mut paths = Vec::new();
        for (relation, read) in select.relations.iter().enumerate() {
            let mut found = match &read.kind {
                RelationKind::Table { name, parts } => {
                    match ctes.iter().rposition(|cte| parts.len() == 1 && cte.name == *name) {
                        Some(index) => self.cte(ctes[index], &ctes[..index]),
                        None if *name == self.table => vec![Path::default()],
                        None => Vec::new(),
                    }
                }
                RelationKind::Derived(query) => self.query(query, ctes),
                RelationKind::Function { .. } => Vec::new(),
            };
            for path in &mut found {
                path.links.push(Link { select, relation });
                if !read.columns.is_empty() {
                    path.block("its alias lists the columns");
                }
                self.block(path, select);
            }
            paths.extend(found);
        }
        paths
    }

    fn cte<'q>(&self, cte: &'q Cte, outer: &[&'q Cte]) -> Vec<Path<'q>> {
        let mut paths = self.query(&cte.query, outer);
        if !cte.columns.is_empty() {
            paths.iter_mut().for_each(|path| path.block("the CTE lists its columns"));
        }
        paths
    }

    fn block(&self, path: &mut Path, select: &Select) {
        if select.distinct {
            path.block("DISTINCT would keep more rows");
        }
        if select.grouped {
            path.block("GROUP BY makes one row of many");
        }
        if select.items.iter().any(|item| self.aggregates(item.tokens.clone())) {
            path.block("an aggregate makes one row of many");
        }
    }

    /// True if an expression calls an aggregate, outside of its subqueries.
    fn aggregates(&self, range: Range<usize>) -> bool {
        let nested = Query::inside(self.source, range.clone());
        let is_nested = |index: &usize| nested.iter().any(|(inner, _)| inner.contains(index));
        range.filter(|index| !is_nested(index)).any(|index| self.is_aggregate(index))
    }

    /// An aggregate call that is no window function.
    fn is_aggregate(&self, index: usize) -> bool {
        let source = self.source;
        if source.kind(index + 1) != Some(T::LParen) || !AGGREGATES.contains(&source.name(index).as_str()) {
            return false;
        }
        let mut after = source.after(index + 1);
        if source.kind(after) == Some(T::Filter) {
            after = source.after(after + 1);
        }
        source.kind(after) != Some(T::Over)
    }
}

/// What SHOW FUNCTIONS calls an aggregate, those for sets and places included.
/// <https://trino.io/docs/current/functions/aggregate.html>
const AGGREGATES: [&str; 51] = [
    "any_value",
    "approx_distinct",
    "approx_most_frequent",
    "approx_percentile",
    "approx_set",
    "arbitrary",
    "array_agg",
    "avg",
    "bitwise_and_agg",
    "bitwise_or_agg",
    "bitwise_xor_agg",
    "bool_and",
    "bool_or",
    "checksum",
    "convex_hull_agg",
    "corr",
    "count",
    "count_if",
    "covar_pop",
    "covar_samp",
    "entropy",
    "every",
    "geometric_mean",
    "geometry_union_agg",
    "histogram",
    "kurtosis",
    "listagg",
    "make_set_digest",
    "map_agg",
    "map_union",
    "max",
    "max_by",
    "merge",
    "merge_set_digest",
    "min",
    "min_by",
    "multimap_agg",
    "numeric_histogram",
    "qdigest_agg",
    "reduce_agg",
    "regr_intercept",
    "regr_slope",
    "skewness",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "tdigest_agg",
    "var_pop",
    "var_samp",
    "variance",
];
