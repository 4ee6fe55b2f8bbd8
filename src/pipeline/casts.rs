//! Casts that models make themselves of columns which are wider now: what they lose, they lose unsaid.

use std::collections::BTreeMap;

use super::Project;
use super::accept::Cast;
use super::compare::{clones, of_models};
use crate::checks::{CheckKind, CheckSpec};
use crate::contract::Contract;
use crate::drift::Finding;
use crate::schema::{DataType, Table, path, same_name};
use crate::sql::ident::quote;
use crate::sql::{Misread, OwnCast, Substitution, TypeEffect, field_problems, to_dml};

/// What the models make of the tables as they are from now on; see [`field_problems`].
pub(super) fn misread(
    project: &Project,
    crawled: &[Contract],
    sources: &[Table],
    substitutions: &[Substitution],
    effect: &dyn Fn(&DataType, &DataType) -> TypeEffect,
) -> Misread {
    let graph = &project.graph;
    let promised = clones(of_models(graph, crawled.iter().map(|contract| &contract.table)));
    let sources = clones(of_models(graph, sources.iter()));
    let mut misread = field_problems(graph, &promised, &sources, substitutions, effect);
    for cast in &mut misread.casts {
        // As the contract spells them. What is no column of a source nothing counts.
        cast.of = cast.of.take().and_then(|(table, column)| {
            let table = promised.iter().find(|promised| same_name(&promised.name, &table))?;
            let column = table.column(&column)?;
            Some((table.name.clone(), column.name.clone()))
        });
    }
    misread
}

/// The count of what each cast loses, which may be nothing, by the table it measures.
pub(super) fn check(checks: &mut BTreeMap<String, Vec<CheckSpec>>, casts: &[OwnCast], tables: &[Table]) {
    for Cast { table, column, data_type } in counted(casts) {
        checks.entry(table.clone()).or_default().extend(cast_check(&table, &column, &data_type, tables));
    }
}

/// A count of what a column's values lose in a cast; by default none may be lost.
pub(super) fn cast_check(table: &str, column: &str, data_type: &DataType, tables: &[Table]) -> Option<CheckSpec> {
    let target_type = to_dml(data_type)?;
    let found = tables.iter().find(|found| found.name == table).and_then(|found| found.column(column));
    let source_type = found.and_then(|found| to_dml(&found.data_type));
    let kind = CheckKind::CastLoss { column_expression: quote(column), source_type, target_type, max_rows: 0 };
    Some(CheckSpec { name: "cast_loss".into(), column: Some(column.to_owned()), kind })
}

/// The casts whose loss a check counts, each once.
pub(super) fn counted(casts: &[OwnCast]) -> Vec<Cast> {
    let mut counted: Vec<Cast> = Vec::new();
    for cast in casts {
        let Some((table, column)) = cast.of.clone() else { continue };
        let cast = Cast { table, column, data_type: cast.data_type.clone() };
        if !counted.contains(&cast) {
            counted.push(cast);
        }
    }
    counted
}

/// Tells of the casts in the findings about their columns.
pub(super) fn tell(findings: &mut [Finding], casts: &[OwnCast]) {
    for OwnCast { of, problem, .. } in casts {
        let Some((table, column)) = of else { continue };
        let is_of = |finding: &&mut Finding| finding.table == *table && same_name(&path::root(&finding.path), column);
        for finding in findings.iter_mut().filter(is_of) {
            finding.message += &format!(
                " {}:{}: {}; a check counts what that loses, and the run fails if it is anything.",
                problem.file, problem.place, problem.message
            );
        }
    }
}

/// What somebody has to know before saying yes to the new type.
pub(super) fn notes(casts: &[OwnCast]) -> Vec<String> {
    let note = |OwnCast { of, problem, .. }: &OwnCast| {
        let said = format!("{}:{}: {}", problem.file, problem.place, problem.message);
        match of {
            Some((table, column)) => format!(
                "{said}: a run fails if that loses a value or a part of it; where some may be lost, say how many in `maxLost` of \
                 the castLoss of `{column}` in the contract of {table}"
            ),
            None => format!("{said}: what that makes NULL, rounds or cuts no check counts ({})", problem.help),
        }
    };
    casts.iter().map(note).collect()
}
