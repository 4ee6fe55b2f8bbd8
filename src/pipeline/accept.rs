//! What accepting a table's drift means for the models.

use std::collections::BTreeSet;

use super::compare::{adapted, additions, substitutions};
use super::{Comparison, Project, Rename};
use crate::contract::Contract;
use crate::drift::{Finding, Level};
use crate::problem::{Problem, Problems, shell_word};
use crate::schema::Table;
use crate::sql::{Adaptation, Addition, Substitution, adapt};

/// The models as they must read once drift is accepted.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    pub adaptation: Adaptation,
    /// Added columns that no model can take in as it stands, each with its reason: they are promised all the same.
    pub left_out: Vec<String>,
    /// Removed columns that models read as NULL from now on, in words.
    pub nulls: Vec<String>,
}

impl Accepted {
    /// What somebody has to know before saying yes.
    pub fn notes(&self) -> Vec<String> {
        self.nulls.iter().chain(&self.left_out).cloned().collect()
    }
}

/// The models after the `chosen` tables' drift is accepted, breaking drift included: additions are carried, renamed columns
/// read under their new names, removed columns read as typed NULLs. Nothing that a model does not name is touched. A model
/// that names a field that is gone or of another kind is a problem: nothing proven stands for a field.
pub fn accept(
    project: &Project,
    comparison: &Comparison,
    chosen: &BTreeSet<String>,
    renames: &[Rename],
) -> Result<Accepted, Problems> {
    let tolerated = |finding: &Finding| Finding { level: Level::Tolerated, ..finding.clone() };
    let findings: Vec<Finding> =
        comparison.findings.iter().filter(|finding| chosen.contains(&finding.table)).map(tolerated).collect();
    let crawled = project.crawled();
    let sources = sources(&crawled, &comparison.tables, chosen);
    let mut substitutions = substitutions(&comparison.changes, &findings, &crawled, &comparison.lineage);
    substitutions.retain(|other| !renames.iter().any(|rename| other.is_of(&rename.table, &rename.from)));
    let additions: Vec<Addition> = additions(&comparison.changes, &findings)
        .into_iter()
        .filter(|added| !renames.iter().any(|rename| rename.table == added.table && rename.to == added.column))
        .collect();
    let nulls = nulls(&substitutions, &additions);
    substitutions.extend(renames.iter().map(renamed));
    let adaptation =
        adapted(project, &crawled, &sources, &[], &substitutions).map_err(|problems| because(problems, &findings))?;
    let mut accepted = Accepted { adaptation, left_out: Vec::new(), nulls };
    let mut carried = Vec::new();
    // One by one: an addition that cannot be carried must not stand in the way of the others, or of accepting.
    for addition in additions {
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

fn renamed(rename: &Rename) -> Substitution {
    let Rename { table, from, to, data_type } = rename.clone();
    Substitution::Renamed { table, column: from, to, data_type }
}

/// One sentence for each column that is read as NULL from now on; a rename is offered where the type allows one.
fn nulls(substitutions: &[Substitution], additions: &[Addition]) -> Vec<String> {
    let note = |substitution: &Substitution| {
        let Substitution::TypedNull { table, column, data_type } = substitution else { return None };
        let null = format!("`{column}` of {table} is gone: models read NULL in its place from now on");
        let fits = |added: &&Addition| added.table == *table && added.data_type == *data_type;
        let names: Vec<String> =
            additions.iter().filter(fits).map(|added| shell_word(&format!("{column}={}", added.column))).collect();
        Some(match names.as_slice() {
            [] => null,
            names => format!(
                "{null}; if it only has a new name, accept with --rename {} instead",
                names.join(" or --rename ")
            ),
        })
    };
    substitutions.iter().filter_map(note).collect()
}

/// Where all names are lost, that says more than each name that a model does not find.
fn because(problems: Problems, findings: &[Finding]) -> Problems {
    let lost: Vec<Problem> = findings
        .iter()
        .filter(|finding| finding.rule == "header-lost")
        .map(|finding| {
            let names = finding.after.as_deref().unwrap_or("col0, col1, …");
            let models: Vec<&str> = finding.models.iter().map(|reader| reader.model.as_str()).collect();
            let message = format!(
                "cannot be accepted: its header is lost, its columns are called {names} now, and {} name them otherwise",
                models.join(", ")
            );
            let help = "restore the header row in its files, or tell the crawler that there is one (a CSV classifier with \
                        `ContainsHeader=PRESENT`), and crawl again";
            Problem::new(&finding.table, "", message, help)
        })
        .collect();
    if lost.is_empty() { problems } else { Problems(lost) }
}

/// The tables as promised from now on; one that is not accepted stays what its contract says.
fn sources(contracts: &[Contract], catalog: &[Table], chosen: &BTreeSet<String>) -> Vec<Table> {
    let source = |contract: &Contract| {
        let found = catalog.iter().find(|table| table.name == contract.table.name && chosen.contains(&table.name));
        found.unwrap_or(&contract.table).clone()
    };
    contracts.iter().map(source).collect()
}
