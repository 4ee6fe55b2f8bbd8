//! The proof that an adapted model is the original plus what was inserted, and that its rows and columns stay.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polyglot_sql::Expression;
use polyglot_sql::traversal::transform_all;

use super::dialect::dialect;
use super::lineage::resolve_model;
use super::resolve::{Columns, Origins, Output};
use super::source::Source;
use super::{Model, Substitution};
use crate::problem::{Problem, Problems};

/// True if the adapted text, parsed again, is the original tree plus projections inside `inserted` (bytes).
pub(super) fn is_original_plus(original: &Source, adapted: &Source, inserted: &[Range<usize>]) -> bool {
    let characters = |byte: usize| adapted.text[..byte].chars().count();
    let ranges: Vec<Range<usize>> =
        inserted.iter().map(|range| characters(range.start)..characters(range.end)).collect();
    let removed = transform_all(adapted.tree.clone(), &|mut node| {
        if let Expression::Select(select) = &mut node {
            select.expressions.retain(|projection| !is_inside(projection, &ranges));
        }
        Ok(node)
    });
    let dialect = dialect();
    match (removed, dialect.generate(&original.tree)) {
        (Ok(removed), Ok(before)) => dialect.generate(&removed).is_ok_and(|after| before == after),
        _ => false,
    }
}

fn is_inside(projection: &Expression, ranges: &[Range<usize>]) -> bool {
    let span = match projection {
        Expression::Alias(alias) => alias.alias.span,
        Expression::Column(column) => column.name.span,
        _ => None,
    };
    span.is_some_and(|span| ranges.iter().any(|range| range.start <= span.start && span.end <= range.end))
}

/// Compares a model's columns before with its adapted self over the tables after, and gives the columns after.
pub(super) fn keeps_columns(
    old: &Columns,
    adapted: &Model,
    tables: &BTreeMap<String, Columns>,
    substitutions: &[Substitution],
) -> Result<Columns, Problems> {
    let new = resolve_model(adapted, tables)?;
    let mut problems = new.problems;
    let mut problem = |message: String| {
        let help = "adapt the model by hand, or set `additions: ignore`";
        problems.push(Problem::new(&adapted.file, "", message, help));
    };
    let names: BTreeSet<&str> = old.outputs.iter().map(|output| output.name.as_str()).collect();
    let kept: Vec<&Output> = new.columns.outputs.iter().filter(|output| names.contains(output.name.as_str())).collect();
    if !kept.iter().map(|output| &output.name).eq(old.outputs.iter().map(|output| &output.name)) {
        problem("the adapted model's output columns are not the old ones in their old order".to_owned());
    }
    for (before, after) in old.outputs.iter().zip(&kept) {
        if before.data_type != after.data_type {
            problem(format!("the adapted model changes the type of `{}`", before.name));
        }
        if without_nulls(&before.origins, substitutions) != after.origins {
            problem(format!("the adapted model reads `{}` from other columns", before.name));
        }
    }
    if without_nulls(&old.rows, substitutions) != new.columns.rows {
        problem("a new column would decide which rows the model has".to_owned());
    }
    let last = |columns: &Columns| {
        let skipped = columns.outputs.len().saturating_sub(adapted.partitioned_by.len());
        columns.outputs[skipped..].iter().map(|output| output.name.clone()).collect::<Vec<_>>()
    };
    if last(&new.columns) != adapted.partitioned_by {
        problem("a new column would stand behind the partition columns".to_owned());
    }
    Problems::or(problems, new.columns)
}

/// A column read as NULL is no longer an origin.
fn without_nulls(origins: &Origins, substitutions: &[Substitution]) -> Origins {
    let is_null = |table: &str, column: &str| {
        let nulls = substitutions.iter().filter(|other| matches!(other, Substitution::TypedNull { .. }));
        nulls.into_iter().any(|other| other.table() == table && other.column().to_lowercase() == column)
    };
    origins.iter().filter(|(table, column)| !is_null(table, column)).cloned().collect()
}
