//! The proof that an adapted model is the original plus what was inserted, and that its rows and columns stay.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polyglot_sql::Expression;
use polyglot_sql::traversal::transform_all;

use super::dialect::dialect;
use super::lineage::resolve_model;
use super::origins::Origins;
use super::resolved::{Columns, Output, Resolved};
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
    before: &Resolved,
    adapted: &Model,
    is_adapted: bool,
    tables: &BTreeMap<String, Columns>,
    substitutions: &[Substitution],
) -> Result<Columns, Problems> {
    let old = &before.columns;
    let new = resolve_model(adapted, tables)?;
    let mut problems = new.problems;
    let names: BTreeSet<&str> = old.outputs.iter().map(|output| output.name.as_str()).collect();
    let kept: Vec<&Output> = new.columns.outputs.iter().filter(|output| names.contains(output.name.as_str())).collect();
    let mut moved = if is_adapted { Vec::new() } else { moved(old, &kept, &new.columns.rows) };
    let now =
        |(one, other): &(Origins, Origins)| (after_change(one, substitutions), after_change(other, substitutions));
    if !before.paired.iter().map(now).all(|pair| new.paired.contains(&pair)) {
        moved.push("what a set operation or an IN puts together".to_owned());
    }
    if problems.is_empty() && !moved.is_empty() {
        return Err(by_order(adapted, &moved).into());
    }
    let mut problem = |message: String| {
        let help = "adapt the model by hand, or set `additions: ignore`";
        problems.push(Problem::new(&adapted.file, "", message, help));
    };
    if !kept.iter().map(|output| &output.name).eq(old.outputs.iter().map(|output| &output.name)) {
        problem("the adapted model's output columns are not the old ones in their old order".to_owned());
    }
    for (before, after) in old.outputs.iter().zip(&kept) {
        if before.data_type != after.data_type {
            problem(format!("the adapted model changes the type of `{}`", before.name));
        }
        if after_change(&before.origins, substitutions) != after.origins {
            problem(format!("the adapted model reads `{}` from other columns", before.name));
        }
    }
    if after_change(&old.rows, substitutions) != new.columns.rows {
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

/// What a text that stays as it is reads otherwise over the tables as they are now.
fn moved(old: &Columns, kept: &[&Output], rows: &Origins) -> Vec<String> {
    let is_other = |index: usize, before: &Output| {
        kept.get(index).is_none_or(|after| (&after.name, &after.origins) != (&before.name, &before.origins))
    };
    let outputs = old.outputs.iter().enumerate().filter(|(index, before)| is_other(*index, before));
    let mut moved: Vec<String> = outputs.map(|(_, output)| format!("`{}`", output.name)).collect();
    if !old.rows.is_subset(rows) {
        moved.push("which rows there are".to_owned());
    }
    moved
}

fn by_order(model: &Model, moved: &[String]) -> Problem {
    let message = format!(
        "`*`, or a place in GROUP BY or ORDER BY, takes columns in another order now, or a name means another column; it changes {}",
        moved.join(", ")
    );
    Problem::new(
        &model.file,
        "",
        message,
        "name the columns there in place of `*` or the number, each with its relation",
    )
}

/// What stands for the origins: a column read as NULL is none, a renamed one goes by its new name.
fn after_change(origins: &Origins, substitutions: &[Substitution]) -> Origins {
    let now = |(table, column): &(String, String)| match substitutions.iter().find(|other| other.is_of(table, column)) {
        Some(Substitution::TypedNull { .. }) => None,
        Some(other) => Some((table.clone(), other.name_now().to_lowercase())),
        None => Some((table.clone(), column.clone())),
    };
    origins.iter().filter_map(now).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads both texts; `inserted` is the byte range of the second that was put in.
    fn proven(original: &str, adapted: &str, inserted: Range<usize>) -> bool {
        let read = |text| Source::read(text).expect("the text is a SELECT");
        is_original_plus(&read(original), &read(adapted), &[inserted])
    }

    #[test]
    fn only_inserted_projections_may_differ() {
        let original = "SELECT a FROM t WHERE a > 1";
        assert!(proven(original, "SELECT a, lower(b) AS c FROM t WHERE a > 1", 8..23));
        assert!(proven(original, "SELECT a /* c */, b FROM t WHERE a > 1", 16..19));
        assert!(!proven(original, "SELECT a, b FROM t WHERE a > 1", 0..0));
        assert!(!proven(original, "SELECT a, b AS c FROM t WHERE a > 2", 8..16));
        assert!(!proven(original, "SELECT a, b AS c FROM t", 8..16));
        assert!(!proven(original, "SELECT DISTINCT a, b FROM t WHERE a > 1", 17..20));
    }
}
