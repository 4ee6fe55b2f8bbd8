//! Which findings `contracts update` accepts as things stand: found out by trying, so that no help names a command that is
//! refused.

use std::collections::{BTreeMap, BTreeSet};

use super::accept::{REFUSED, try_accept};
use super::{Comparison, Project, Rename, renames};
use crate::checks::{CheckKind, CheckSpec};
use crate::drift::{Change, ChangeKind, Way, Ways, likely_renames};
use crate::problem::{Problem, Problems};
use crate::schema::{path, same_name};
use crate::sql::Lineage;

/// Obstacles that one help names.
const NAMED: usize = 3;

/// Tries to accept each table that differs, alone, and each rename that is suggested.
pub(super) fn ways(project: &Project, comparison: &Comparison) -> Ways {
    let differing: BTreeSet<&str> = comparison.findings.iter().map(|finding| finding.table.as_str()).collect();
    let mut ways = Ways::default();
    for table in differing {
        ways.tables.insert(table.to_owned(), way(project, comparison, table));
    }
    for (table, from, to) in likely_renames(&comparison.changes) {
        if !renames_as_asked(project, comparison, &table, &format!("{from}={to}")) {
            ways.no_renames.insert((table, from));
        }
    }
    for change in comparison.changes.iter().filter(|change| change.kind == ChangeKind::ColumnMissingInNewest) {
        let column = path::root(&change.path);
        let models = comparison.lineage.namers(&change.table, &column).map(str::to_owned).collect();
        ways.namers.insert((change.table.clone(), column), models);
    }
    ways
}

/// The renames that are suggested and would be accepted together, by table, each as `old=new`.
pub(super) fn open_renames(project: &Project, comparison: &Comparison, ways: &Ways) -> BTreeMap<String, Vec<String>> {
    let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, from, to) in likely_renames(&comparison.changes) {
        if !ways.no_renames.contains(&(table.clone(), from.clone())) {
            by_table.entry(table).or_default().push(format!("{from}={to}"));
        }
    }
    by_table.retain(|table, pairs| {
        pairs.len() == 1
            || renames(comparison, table, pairs)
                .is_ok_and(|renames| try_accept(project, comparison, table, &renames).is_ok())
    });
    by_table
}

fn renames_as_asked(project: &Project, comparison: &Comparison, table: &str, pair: &str) -> bool {
    let asked: Result<Vec<Rename>, Problems> = renames(comparison, table, &[pair.to_owned()]);
    asked.is_ok_and(|renames| try_accept(project, comparison, table, &renames).is_ok())
}

fn way(project: &Project, comparison: &Comparison, table: &str) -> Way {
    let mut findings = comparison.findings.iter().filter(|finding| finding.table == table);
    if let Some(lock) = findings.find(|finding| !finding.is_acceptable()) {
        return Way::Shut(format!("no update accepts it before what `{}` tells of is mended", lock.rule));
    }
    match try_accept(project, comparison, table, &[]) {
        Ok(()) => {
            let of_table = comparison.changes.iter().filter(|change| change.table == table);
            let needs = of_table.flat_map(|change| without_value(project, &comparison.lineage, change));
            match needs.collect::<BTreeSet<_>>() {
                needs if needs.is_empty() => Way::Open,
                needs => Way::After(needs.into_iter().collect::<Vec<_>>().join(" and ")),
            }
        }
        Err(Problems(problems)) => match problems.iter().find(|problem| problem.file == table) {
            Some(problem) => Way::Shut(problem.message.replacen(REFUSED, "no update accepts it", 1)),
            None => Way::After(format!("mend {}", listed(&problems))),
        },
    }
}

/// What has to be done first about outputs that may not be NULL, or not all of them, and would be once models read NULL where a
/// column went, or where the newest files lack it: then what is asked of the column itself counts as well. Where the column
/// decides a model's rows, every output counts as read from it, and nothing is known of one.
pub(super) fn without_value(project: &Project, lineage: &Lineage, change: &Change) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    let (table, column) = (&change.table, path::root(&change.path));
    // What is nested leaves a column that has values.
    if path::column(&column) != change.path {
        return needs;
    }
    match change.kind {
        ChangeKind::ColumnRemoved => {}
        ChangeKind::ColumnMissingInNewest => {
            needs.extend(rule(project, table, &column).map(|rule| format!("loosen the {rule}")))
        }
        _ => return needs,
    }
    for reader in lineage.readers(table, &column) {
        if reader.columns.len() < lineage.output(&reader.model).len() {
            needs.extend(reader.columns.iter().filter_map(|column| need(project, &reader.model, column)));
        }
    }
    needs
}

/// What an output that would be NULL needs, if anything asks for a value of it: imperative.
fn need(project: &Project, model: &str, column: &str) -> Option<String> {
    let is_key = project.graph.models.get(model).is_some_and(|model| model.primary_key.iter().any(|key| key == column));
    if is_key {
        return Some(format!("give `{column}` of {model}, which may not be NULL, another source"));
    }
    let rule = rule(project, model, column)?;
    Some(format!("give `{column}` of {model} another source or loosen its {rule}"))
}

/// The rule of a table's contract that asks for values of a column, and what it allows.
fn rule(project: &Project, table: &str, column: &str) -> Option<String> {
    let contract = project.contract(table)?;
    let is_of = |check: &&CheckSpec| check.column.as_deref().is_some_and(|name| same_name(name, column));
    let mut of_column = contract.checks.iter().filter(is_of);
    let rule = of_column.find(|check| matches!(check.kind, CheckKind::Nulls { .. }))?;
    Some(format!("rule `{}` in {} ({})", rule.name, contract.file, rule.allowed()))
}

/// Problems as the rest of a sentence.
fn listed(problems: &[Problem]) -> String {
    let place = |problem: &Problem| {
        let place = [&problem.file, &problem.place].map(String::as_str).into_iter().filter(|part| !part.is_empty());
        format!("{} ({})", place.collect::<Vec<_>>().join(":"), problem.message)
    };
    let named: Vec<_> = problems.iter().take(NAMED).map(place).collect();
    match problems.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
