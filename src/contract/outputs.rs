//! What contracts promise of models, against what the models say.

use std::collections::BTreeSet;

use super::Contract;
use crate::checks::CheckKind;
use crate::problem::{Problem, closest};
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
    let promised: BTreeSet<&str> = contracts.iter().map(|contract| contract.table.name.as_str()).collect();
    let is_known = |table: &str| graph.models.contains_key(table) || promised.contains(table) || unread.contains(table);
    let mut problems = Vec::new();
    for contract in contracts {
        for check in &contract.checks {
            let CheckKind::References { table, .. } = &check.kind else { continue };
            if !is_known(table) {
                let column = check.column.as_deref().unwrap_or_default();
                let message = format!(
                    "`{column}` refers to a table `{table}`, and there is neither a model nor a contract of it"
                );
                let hint = closest(table, graph.models.keys().map(String::as_str).chain(promised.iter().copied()));
                let hint = hint.map(|name| format!("did you mean `{name}`? if not, ")).unwrap_or_default();
                let help = format!("{hint}add the model or the contract, or take the reference out");
                problems.push(Problem::new(&contract.file, "", message, help));
            }
        }
    }
    problems
}

/// The promised columns that no model puts out. A model whose outputs are not known is passed over: it is a problem itself.
pub fn without_output(contracts: &[Contract], lineage: &Lineage) -> Vec<Problem> {
    let of_models = contracts.iter().filter(|contract| contract.is_of_model());
    of_models.flat_map(|contract| absent(contract, &lineage.output(&contract.table.name))).collect()
}

fn absent(contract: &Contract, outputs: &[(String, Option<String>)]) -> Vec<Problem> {
    let table = &contract.table;
    let is_absent = |name: &&String| !outputs.iter().any(|(output, _)| output.eq_ignore_ascii_case(name));
    let promised = table.columns.iter().chain(&table.partition_keys).map(|column| &column.name);
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
