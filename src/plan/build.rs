//! Project and slot → plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::checks::{CheckKind, CheckSpec, ColumnType, statement_over};
use crate::contract::Contract;
use crate::problem::Problems;
use crate::schema::{Table, same_name};
use crate::sql::{Graph, Materialization, Model, bind_slot, rename_tables, to_dml};

use super::{Action, Plan, Step};

/// Staging tables' names start so; nothing else's may.
pub const STAGING_PREFIX: &str = "stg_";

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub run_id: &'a str,
    pub slot: &'a str,
    /// The models as they will run: adapted already.
    pub graph: &'a Graph,
    pub contracts: &'a [Contract],
    /// The guarded tables as the catalog shows them: a promised column may be gone.
    pub tables: &'a [Table],
    /// Checks that an adaptation brought (table → checks), beside the contracts' own.
    pub extra_checks: &'a BTreeMap<String, Vec<CheckSpec>>,
}

/// A moment as a slot is written, to the second: `2026-01-02T03:04:05Z`.
pub fn slot(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A run's id: its slot without punctuation, so that ids sort by time.
pub fn run_id(slot: &str) -> String {
    slot.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The slot of a run's id, whose record may be gone: the reverse of [`run_id`], whichever run of the slot it is.
pub fn slot_of(run_id: &str) -> Option<String> {
    let id = run_id.split('_').next().filter(|id| is_stamp(&id.to_ascii_lowercase()))?;
    let at = |from: usize, to: usize| &id[from..to];
    Some(format!("{}-{}-{}T{}:{}:{}Z", at(0, 4), at(4, 6), at(6, 8), at(9, 11), at(11, 13), at(13, 15)))
}

/// Sources are checked, models built in dependency order and checked in staging, then all is published. A source that refers
/// to a model is checked once that is built.
pub fn build(inputs: Inputs<'_>) -> Result<Plan, Problems> {
    let graph = inputs.graph;
    let staging: BTreeMap<String, String> =
        graph.order.iter().map(|name| (name.clone(), staging_name(name, inputs.run_id))).collect();
    let sources = inputs.contracts.iter().filter(|contract| contract.is_guarded()).map(|contract| &contract.table.name);
    let (late, early): (Vec<_>, Vec<_>) =
        sources.partition(|name| references(&checks_of(inputs, name)).any(|table| staging.contains_key(table)));
    let mut built = BTreeMap::new();
    let mut steps: Vec<Step> = early.into_iter().map(|name| check(inputs, name, &staging, &built)).collect();
    let mut problems = Vec::new();
    for name in &graph.order {
        let model = &graph.models[name];
        match select(model, inputs.slot, &staging) {
            Ok(select) => {
                let after = model.reads.iter().filter_map(|read| built.get(read).copied()).collect();
                built.insert(name.clone(), steps.len());
                steps.push(build_step(model, &staging[name], select, after));
            }
            Err(found) => problems.extend(found.0),
        }
    }
    steps.extend(late.into_iter().chain(&graph.order).map(|name| check(inputs, name, &staging, &built)));
    if !graph.order.is_empty() {
        let after = (0..steps.len()).collect();
        let tables = staging.into_iter().collect();
        steps.push(Step { name: "publish".into(), after, action: Action::Publish { tables } });
    }
    Problems::or(problems, Plan { run_id: inputs.run_id.into(), slot: inputs.slot.into(), steps })
}

fn select(model: &Model, slot: &str, staging: &BTreeMap<String, String>) -> Result<String, Problems> {
    let bound = bind_slot(model.select(), slot)?;
    rename_tables(&bound, staging)
}

fn build_step(model: &Model, staging: &str, select: String, after: Vec<usize>) -> Step {
    let action = Action::Build {
        model: model.name.clone(),
        file: model.file.clone(),
        staging: staging.into(),
        select,
        partitioned_by: model.partitioned_by.clone(),
        iceberg: model.materialization == Materialization::Iceberg,
    };
    Step { name: format!("build {}", model.name), after, action }
}

/// The check of a raw table, or of what this run `built` of a model, once that and all it refers to is there.
fn check(inputs: Inputs<'_>, table: &str, staging: &BTreeMap<String, String>, built: &BTreeMap<String, usize>) -> Step {
    let checks = checks_of(inputs, table);
    let needed: BTreeSet<&str> = references(&checks).chain([table]).collect();
    let mut after: Vec<usize> = needed.into_iter().filter_map(|table| built.get(table).copied()).collect();
    after.sort_unstable();
    let as_they_are = |check| in_staging(as_found(check, inputs.tables, table), staging);
    let checks: Vec<CheckSpec> = checks.into_iter().map(as_they_are).collect();
    let reads = staging.get(table).map_or(table, String::as_str).to_owned();
    let select = statement_over(&reads, &checks, inputs.slot, &|table, column| has(inputs.tables, table, column));
    let columns = promised(inputs, table);
    let action = Action::Check { table: table.into(), reads, select, checks, columns };
    Step { name: format!("check {table}"), after, action }
}

/// True if a table has a column; of one that the run has yet to build, too.
fn has(tables: &[Table], table: &str, column: &str) -> bool {
    let Some(table) = tables.iter().find(|found| same_name(&found.name, table)) else { return true };
    table.all_columns().any(|found| same_name(&found.name, column))
}

/// The columns that a contract promises of a model.
fn promised(inputs: Inputs<'_>, table: &str) -> Vec<ColumnType> {
    let of_models = inputs.contracts.iter().filter(|contract| contract.is_of_model());
    of_models
        .filter(|contract| contract.table.name == table)
        .flat_map(|contract| ColumnType::of(&contract.table))
        .collect()
}

/// The contract's checks, the run's own, and what the model's primary key implies.
fn checks_of(inputs: Inputs<'_>, table: &str) -> Vec<CheckSpec> {
    let contract = inputs.contracts.iter().find(|contract| contract.table.name == table);
    let mut checks = contract.map(|contract| contract.checks.clone()).unwrap_or_default();
    checks.extend(inputs.extra_checks.get(table).cloned().unwrap_or_default());
    if let Some(model) = inputs.graph.models.get(table) {
        let implied = key_checks(&model.primary_key).filter(|check| !has_kind(&checks, check)).collect::<Vec<_>>();
        checks.extend(implied);
    }
    checks
}

/// A primary key is unique and never NULL.
fn key_checks(key: &[String]) -> impl Iterator<Item = CheckSpec> {
    let unique = (!key.is_empty()).then(|| (None, CheckKind::Unique { columns: key.to_vec() }));
    let nulls =
        key.iter().map(|column| (Some(column.clone()), CheckKind::Nulls { max_rows: Some(0), max_share: None }));
    unique.into_iter().chain(nulls).map(|(column, kind)| CheckSpec { name: kind.name().into(), column, kind })
}

fn has_kind(checks: &[CheckSpec], wanted: &CheckSpec) -> bool {
    checks.iter().any(|check| match (&check.kind, &wanted.kind) {
        (CheckKind::Unique { columns }, CheckKind::Unique { columns: key }) => columns == key,
        // A laxer rule does not stand for it.
        (CheckKind::Nulls { max_rows, max_share }, CheckKind::Nulls { .. }) => {
            let allows_some = max_rows.map_or(max_share.is_some(), |rows| rows > 0) && *max_share != Some(0.0);
            !allows_some && check.column == wanted.column
        }
        _ => false,
    })
}

fn references(checks: &[CheckSpec]) -> impl Iterator<Item = &str> {
    checks.iter().filter_map(|check| check.reference().map(|(table, _)| table))
}

/// What a cast loses is seen by the type that the column has now: a tolerated change may be newer than the contract.
fn as_found(mut check: CheckSpec, tables: &[Table], table: &str) -> CheckSpec {
    if let (CheckKind::CastLoss { source_type, .. }, Some(column)) = (&mut check.kind, &check.column)
        && let Some(found) = tables.iter().find(|found| same_name(&found.name, table))
        && let Some(found) = found.all_columns().find(|found| same_name(&found.name, column))
    {
        *source_type = to_dml(&found.data_type);
    }
    check
}

/// A reference to a model of this run is a reference to what this run built.
fn in_staging(mut check: CheckSpec, staging: &BTreeMap<String, String>) -> CheckSpec {
    if let CheckKind::References { table, .. } = &mut check.kind
        && let Some(name) = staging.get(table)
    {
        table.clone_from(name);
    }
    check
}

/// The run, in lower case, that a staging table of this name is of; `None` if a run gives no such name.
pub fn run_of_staging(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(STAGING_PREFIX)?;
    let (before, last) = rest.rsplit_once('_')?;
    if is_stamp(last) {
        return Some(last);
    }
    // A slot's second run is `…z_2`.
    let (_, stamp) = before.rsplit_once('_')?;
    let is_numbered = is_stamp(stamp) && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    is_numbered.then(|| &rest[before.len() - stamp.len()..])
}

/// `20260102t030405z`
fn is_stamp(text: &str) -> bool {
    let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    text.bytes().map(shape).eq(*b"00000000t000000z")
}

/// Lowercase letters, digits and underscores only: what Athena takes as a table name.
/// <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>
fn staging_name(model: &str, run_id: &str) -> String {
    format!("{STAGING_PREFIX}{model}_{}", run_id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_id_tells_its_slot() {
        for (id, slot) in [
            ("20260102T030405Z", Some("2026-01-02T03:04:05Z")),
            ("20260102T030405Z_2", Some("2026-01-02T03:04:05Z")),
            ("", None),
            ("crawl", None),
            ("2026-01-02", None),
        ] {
            assert_eq!(slot_of(id).as_deref(), slot, "{id}");
        }
    }

    #[test]
    fn a_staging_name_tells_its_run_and_no_other_name_does() {
        for id in ["20260102T030405Z", "20260102T030405Z_2", "20260102T030405Z_17"] {
            for model in ["a", "fact_a_1", "stg", "a_20250102t030405z"] {
                let name = staging_name(model, id);
                assert_eq!(run_of_staging(&name), Some(id.to_ascii_lowercase().as_str()), "{name}");
            }
        }
        for name in
            ["stg_orders", "stg_20260102t030405z", "stg_a_2026", "stg_a_20260102t030405z_", "a_20260102t030405z"]
        {
            assert_eq!(run_of_staging(name), None, "{name}");
        }
    }
}
