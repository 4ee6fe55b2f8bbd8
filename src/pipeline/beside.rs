//! The tables that stand beside those a run is about to build.

use super::publish::RUN;
use super::{Comparison, Project, Run};
use crate::plan::STAGING_PREFIX;
use crate::problem::{Problem, Problems};
use crate::schema::{Table, TableKind};

/// Notes which tables a run published that no model builds any more: readers still see them, and nothing renews them. A run
/// that would take the place of somebody else's table is refused.
pub fn look_beside(project: &Project, comparison: &Comparison, run: &mut Run) -> Result<(), Problems> {
    if !run.plan.steps.is_empty() {
        free_names(project, comparison)?;
    }
    let orphans = comparison.beside.iter().filter(|table| is_ours(table) && !table.name.starts_with(STAGING_PREFIX));
    let orphans = orphans.map(|table| &table.name).filter(|name| !project.graph.models.contains_key(*name));
    run.orphans = orphans.cloned().collect();
    Ok(())
}

/// That no model bears the name of somebody else's table.
pub fn free_names(project: &Project, comparison: &Comparison) -> Result<(), Problems> {
    let all = comparison.beside.iter().chain(&comparison.tables);
    Problems::or(all.filter_map(|table| taken(project, table)).collect(), ())
}

/// True of a table that a run published.
pub fn is_ours(table: &Table) -> bool {
    table.parameters.contains_key(RUN)
}

/// That a table bears a model's name.
fn taken(project: &Project, table: &Table) -> Option<Problem> {
    foreign(&project.graph.models.get(&table.name)?.file, table)
}

/// That a table stands where the model of `file` would be published, and that no run put it there.
pub(super) fn foreign(file: &str, table: &Table) -> Option<Problem> {
    if is_ours(table) {
        return None;
    }
    let kind = if table.kind == TableKind::View { "view" } else { "table" };
    let message = format!(
        "a {kind} named `{}` is in database `{}`, and no run published it: a run would put its own in its place",
        table.name, table.database
    );
    let help = format!(
        "rename the model, or drop or rename the {kind}; if runs are to replace it, give it the table parameter `{RUN}` \
         (any value)"
    );
    Some(Problem::new(file, "", message, help))
}
