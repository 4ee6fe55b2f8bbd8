//! What accepting a table's drift means for the models.

use std::collections::BTreeSet;

use super::compare::{additions, substitutions};
use super::{Comparison, Project};
use crate::contract::Contract;
use crate::drift::{Finding, Level};
use crate::problem::Problems;
use crate::schema::Table;
use crate::sql::{Adaptation, adapt};

/// The models as they must read once drift is accepted.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    pub adaptation: Adaptation,
    /// Added columns that no model can take in as it stands, each with its reason: they are promised all the same.
    pub left_out: Vec<String>,
}

/// The models after the `chosen` tables' drift is accepted, breaking drift included: additions are carried, removed columns
/// read as typed NULLs. Nothing that a model does not name is touched.
pub fn accept(project: &Project, comparison: &Comparison, chosen: &BTreeSet<String>) -> Result<Accepted, Problems> {
    let tolerated = |finding: &Finding| Finding { level: Level::Tolerated, ..finding.clone() };
    let findings: Vec<Finding> =
        comparison.findings.iter().filter(|finding| chosen.contains(&finding.table)).map(tolerated).collect();
    let crawled = project.crawled();
    let sources = sources(&crawled, &comparison.tables, chosen);
    let substitutions = substitutions(&comparison.changes, &findings, &crawled, &comparison.lineage);
    let mut accepted =
        Accepted { adaptation: adapt(&project.graph, &sources, &[], &substitutions)?, left_out: Vec::new() };
    let mut carried = Vec::new();
    // One by one: an addition that cannot be carried must not stand in the way of the others, or of accepting.
    for addition in additions(&comparison.changes, &findings) {
        carried.push(addition.clone());
        match adapt(&project.graph, &sources, &carried, &substitutions) {
            Ok(adaptation) => accepted.adaptation = adaptation,
            Err(problems) => {
                carried.pop();
                let column = format!("{}.{}", addition.table, addition.column);
                accepted.left_out.push(format!("{column} is carried into no model: {problems}"));
            }
        }
    }
    Ok(accepted)
}

/// The tables as promised from now on; one that is not accepted stays what its contract says.
fn sources(contracts: &[Contract], catalog: &[Table], chosen: &BTreeSet<String>) -> Vec<Table> {
    let source = |contract: &Contract| {
        let found = catalog.iter().find(|table| table.name == contract.table.name && chosen.contains(&table.name));
        found.unwrap_or(&contract.table).clone()
    };
    contracts.iter().map(source).collect()
}
