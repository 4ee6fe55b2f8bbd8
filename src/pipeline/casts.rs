//! Casts that models make themselves of columns which are wider now: what they lose, they lose unsaid.

use std::collections::BTreeMap;

use crate::checks::{CheckKind, CheckSpec};
use crate::drift::Finding;
use crate::schema::{DataType, Table, path, same_name};
use crate::sql::ident::quote;
use crate::sql::{Loss, OwnCast, Substitution, to_dml};

/// A column that models read as another type than it has.
#[derive(Debug, Clone, PartialEq)]
pub struct Cast {
    pub table: String,
    pub column: String,
    /// What it is read as.
    pub data_type: DataType,
}

/// A cast that may lose values is counted; by default it may lose none.
pub(super) fn checks(substitutions: &[Substitution], tables: &[Table]) -> BTreeMap<String, Vec<CheckSpec>> {
    let mut checks: BTreeMap<String, Vec<CheckSpec>> = BTreeMap::new();
    for substitution in substitutions {
        if let Substitution::TryCast { table, column, data_type } = substitution {
            checks.entry(table.clone()).or_default().extend(cast_check(table, column, data_type, tables));
        }
    }
    checks
}

/// The count of what each cast loses, which may be nothing, by the table it measures.
pub(super) fn check(checks: &mut BTreeMap<String, Vec<CheckSpec>>, casts: &[OwnCast], tables: &[Table]) {
    for Cast { table, column, data_type } in counted(casts) {
        checks.entry(table.clone()).or_default().extend(cast_check(&table, &column, &data_type, tables));
    }
}

/// A count of what a column's values lose in a cast; by default none may be lost.
fn cast_check(table: &str, column: &str, data_type: &DataType, tables: &[Table]) -> Option<CheckSpec> {
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
        let Loss::Counted { table, column } = cast.loss.clone() else { continue };
        let cast = Cast { table, column, data_type: cast.data_type.clone() };
        if !counted.contains(&cast) {
            counted.push(cast);
        }
    }
    counted
}

/// Tells of the casts in the findings about their columns.
pub(super) fn tell(findings: &mut [Finding], casts: &[OwnCast]) {
    for OwnCast { loss, problem, .. } in casts {
        let Loss::Counted { table, column } = loss else { continue };
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
    let note = |OwnCast { loss, problem, .. }: &OwnCast| {
        let said = format!("{}:{}: {}", problem.file, problem.place, problem.message);
        match loss {
            Loss::Counted { table, column } => format!(
                "{said}: a run fails if that loses a value or a part of it; where some may be lost, say how many in `maxLost` of \
                 the castLoss of `{column}` in the contract of {table}"
            ),
            Loss::Uncounted => {
                format!("{said}: what that makes NULL, rounds or cuts no check counts ({})", problem.help)
            }
        }
    };
    casts.iter().map(note).collect()
}
