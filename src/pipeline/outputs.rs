//! Columns of models that have another type than their contract promises, once the models read what the catalog shows.

use super::{Project, compare};
use crate::checks::agree;
use crate::contract::Contract;
use crate::drift::{Change, ChangeKind, Finding, Level};
use crate::schema::{DataType, Table, same_name};
use crate::sql::{Adaptation, Lineage};

/// A column whose build would fail its contract.
#[derive(Debug, Clone, PartialEq)]
pub struct RetypedOutput {
    pub model: String,
    pub column: String,
    /// The model's contract.
    pub file: String,
    pub promised: String,
    pub found: String,
}

/// The promised columns of models whose type was as promised, as far as it can be known, and is another over `sources`.
pub(super) fn retyped(
    project: &Project,
    before: &Lineage,
    adaptation: &Adaptation,
    sources: &[Table],
) -> Vec<RetypedOutput> {
    let mut of_models = project.contracts.iter().filter(|contract| contract.is_of_model()).peekable();
    if of_models.peek().is_none() {
        return Vec::new();
    }
    // What does not resolve is told by the adaptation.
    let Ok(after) = compare::traced_over(project, adaptation, sources) else { return Vec::new() };
    of_models.flat_map(|contract| of_contract(contract, before, &after)).collect()
}

fn of_contract(contract: &Contract, before: &Lineage, after: &Lineage) -> Vec<RetypedOutput> {
    let table = &contract.table;
    let (before, after) = (before.output(&table.name), after.output(&table.name));
    let type_in = |outputs: &[(String, Option<String>)], name: &str| {
        outputs.iter().find(|(output, _)| same_name(output, name)).and_then(|(_, data_type)| data_type.clone())
    };
    let retyped = table.all_columns().filter_map(|column| {
        let promised = column.data_type.to_string();
        let (old, found) = (type_in(&before, &column.name)?, type_in(&after, &column.name)?);
        let breaks = agree(&promised, &old) && !agree(&promised, &found);
        let (model, column, file) = (table.name.clone(), column.name.clone(), contract.file.clone());
        breaks.then_some(RetypedOutput { model, column, file, promised, found })
    });
    retyped.collect()
}

/// A tolerated change of type is breaking where a model's contract promises the old one: the build would fail its checks.
pub(super) fn to_breaking(findings: &mut [Finding], changes: &[Change], retyped: &[RetypedOutput]) {
    use ChangeKind::{FieldAdded, FieldRemoved, FieldReordered, Retyped, TypeShown};
    let is_of_type =
        |change: &Change| matches!(change.kind, Retyped(_) | TypeShown | FieldAdded | FieldRemoved | FieldReordered);
    for finding in findings.iter_mut().filter(|finding| finding.level == Level::Tolerated) {
        if !changes.iter().any(|change| is_of_type(change) && finding.is_of(change)) {
            continue;
        }
        let models = finding.models.clone();
        let is_hit = |output: &&RetypedOutput| {
            models.iter().any(|reader| reader.model == output.model && reader.columns.contains(&output.column))
        };
        for RetypedOutput { model, column, file, promised, found } in retyped.iter().filter(is_hit) {
            finding.level = Level::Breaking;
            finding.message += &format!(
                " {file} promises `{column}` of {model} as {promised} (`physicalType`), and it becomes {found}: the update \
                 writes that, too."
            );
        }
    }
}

/// The contract's table with the types that the columns have from now on.
pub fn with_types(contract: &Contract, retyped: &[RetypedOutput]) -> Table {
    let mut table = contract.table.clone();
    for column in table.columns.iter_mut().chain(&mut table.partition_keys) {
        let of_column = |output: &&RetypedOutput| output.model == contract.table.name && output.column == column.name;
        if let Some(output) = retyped.iter().find(of_column) {
            column.data_type = DataType::parse(&output.found);
        }
    }
    table
}
