//! What contracts promise of models, against what the models say.

use std::collections::BTreeSet;

use super::Contract;
use crate::problem::{Problem, closest};
use crate::schema::{Table, same_name};
use crate::sql::{Graph, Lineage};

/// The contracts of models that are not there. `unread` are the tables whose model is a problem already.
pub fn without_model(contracts: &[Contract], graph: &Graph, unread: &BTreeSet<String>) -> Vec<Problem> {
    let is_lost = |contract: &&Contract| {
        let name = &contract.table.name;
        contract.is_of_model() && !graph.models.contains_key(name) && !unread.contains(name)
    };
    contracts.iter().filter(is_lost).map(|contract| lost(contract, graph)).collect()
}

fn lost(contract: &Contract, graph: &Graph) -> Problem {
    let name = &contract.table.name;
    let hint = closest(name, graph.models.keys().map(String::as_str));
    let hint = hint.map(|name| format!("did you mean `{name}`? if not, ")).unwrap_or_default();
    let help = format!(
        "{hint}add the model, remove the contract or, if a crawler makes the table, take `crawlguard.origin` out"
    );
    Problem::new(&contract.file, "", format!("the contract is of a model `{name}`, and there is none"), help)
}

/// References of contracts in force to tables that nobody makes. `unread` are the tables whose own file is a problem already.
pub fn without_target(contracts: &[Contract], graph: &Graph, unread: &BTreeSet<String>) -> Vec<Problem> {
    let in_force = contracts.iter().filter(|contract| contract.is_in_force());
    let promised: BTreeSet<&str> = in_force.map(|contract| contract.table.name.as_str()).collect();
    let is_known = |table: &str| graph.models.contains_key(table) || promised.contains(table) || unread.contains(table);
    let lost = |(contract, column, (table, _)): Reference<'_>| {
        let message = format!(
            "`{column}` refers to a table `{table}`, and there is neither a model nor a contract in force of it"
        );
        let hint = closest(table, graph.models.keys().map(String::as_str).chain(promised.iter().copied()));
        let hint = hint.map(|name| format!("did you mean `{name}`? if not, ")).unwrap_or_default();
        let help = format!("{hint}add the model or the contract, or take the reference out");
        Problem::new(&contract.file, "", message, help)
    };
    references(contracts).filter(|(_, _, (table, _))| !is_known(table)).map(lost).collect()
}

/// References of contracts in force to columns that are neither promised nor `found`, which no drift would tell of.
pub fn without_target_column(contracts: &[Contract], found: &[Table], lineage: &Lineage) -> Vec<Problem> {
    let promised = contracts.iter().map(|contract| &contract.table);
    let tables: Vec<&Table> = promised.chain(found).collect();
    let lost = |(contract, column, (table, target)): Reference<'_>| {
        let outputs = lineage.output(table).into_iter().map(|(name, _)| name);
        let columns = tables.iter().filter(|other| same_name(&other.name, table)).flat_map(|other| other.all_columns());
        let names: Vec<String> = outputs.chain(columns.map(|column| column.name.clone())).collect();
        // Of a table without columns nothing is known: it is a problem itself.
        if names.is_empty() || names.iter().any(|name| same_name(name, target)) {
            return None;
        }
        let message = format!("`{column}` refers to `{table}`.`{target}`, and there is no such column");
        let hint = closest(target, names.iter().map(String::as_str));
        let hint = hint.map(|name| format!("did you mean `{name}`? if not, ")).unwrap_or_default();
        Some(Problem::new(&contract.file, "", message, format!("{hint}take the reference out")))
    };
    references(contracts).filter_map(lost).collect()
}

/// References of contracts in force to what the `accepted` contracts, which are among them, no longer promise.
pub fn without_accepted_target<'c>(
    contracts: impl Iterator<Item = &'c Contract>,
    accepted: &[Contract],
) -> Vec<Problem> {
    let lost = |(contract, column, (table, target)): Reference<'_>| {
        let promised = accepted.iter().find(|other| same_name(&other.table.name, table))?;
        let (what, help) = match promised.is_in_force() {
            true if promised.table.all_columns().any(|found| same_name(&found.name, target)) => return None,
            true => {
                (format!("`{table}`.`{target}`, which goes"), "take the reference out, or let it name another column")
            }
            false => (format!("`{table}`, whose source is gone"), "take the reference out"),
        };
        Some(Problem::new(&contract.file, "", format!("`{column}` refers to {what}"), help))
    };
    references(contracts).filter_map(lost).collect()
}

/// A contract, its column that refers to another table, and that table's name and column.
type Reference<'c> = (&'c Contract, &'c str, (&'c str, &'c str));

fn references<'c>(contracts: impl IntoIterator<Item = &'c Contract>) -> impl Iterator<Item = Reference<'c>> {
    let in_force = contracts.into_iter().filter(|contract| contract.is_in_force());
    let checks = in_force.flat_map(|contract| contract.checks.iter().map(move |check| (contract, check)));
    checks.filter_map(|(contract, check)| {
        Some((contract, check.column.as_deref().unwrap_or_default(), check.reference()?))
    })
}

/// The promised columns that no model puts out. A model whose outputs are not known is passed over: it is a problem itself.
pub fn without_output(contracts: &[Contract], lineage: &Lineage) -> Vec<Problem> {
    let of_models = contracts.iter().filter(|contract| contract.is_of_model());
    of_models.flat_map(|contract| absent(contract, &lineage.output(&contract.table.name))).collect()
}

fn absent(contract: &Contract, outputs: &[(String, Option<String>)]) -> Vec<Problem> {
    let table = &contract.table;
    let is_absent = |name: &&String| !outputs.iter().any(|(output, _)| output.eq_ignore_ascii_case(name));
    let promised = table.all_columns().map(|column| &column.name);
    let absent = promised.filter(|_| !outputs.is_empty()).filter(is_absent);
    absent.map(|name| no_output(contract, name, outputs)).collect()
}

fn no_output(contract: &Contract, column: &str, outputs: &[(String, Option<String>)]) -> Problem {
    let message = format!("the contract promises a column `{column}`, and `{}` has none", contract.table.name);
    let hint = closest(column, outputs.iter().map(|(name, _)| name.as_str()));
    let hint = hint.map(|name| format!("did you mean `{name}`? if not, ")).unwrap_or_default();
    Problem::new(
        &contract.file,
        "",
        message,
        format!("{hint}add the column to the model, or take it out of the contract"),
    )
}
