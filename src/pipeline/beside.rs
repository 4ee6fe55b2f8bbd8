//! The tables that stand beside those a run is about to build.

use super::publish::RUN;
use super::{Project, Run, RunError};
use crate::catalog::Catalog;
use crate::plan::STAGING_PREFIX;
use crate::problem::{Problem, Problems};
use crate::schema::{Table, TableKind};

/// Notes which tables a run published that no model builds any more: readers still see them, and nothing renews them. A run
/// that would take the place of somebody else's table is refused.
pub async fn look_beside(project: &Project, catalog: &dyn Catalog, run: &mut Run) -> Result<(), RunError> {
    let tables = catalog.tables("").await?;
    if !run.plan.steps.is_empty() {
        let in_the_way = tables.iter().filter(|table| !is_ours(table));
        Problems::or(in_the_way.filter_map(|table| taken(project, table)).collect(), ())?;
    }
    let orphans = tables.iter().filter(|table| is_ours(table) && !table.name.starts_with(STAGING_PREFIX));
    let orphans = orphans.map(|table| &table.name).filter(|name| !project.graph.models.contains_key(*name));
    run.orphans = orphans.cloned().collect();
    Ok(())
}

/// True of a table that a run published.
pub fn is_ours(table: &Table) -> bool {
    table.parameters.contains_key(RUN)
}

/// That a table bears a model's name.
fn taken(project: &Project, table: &Table) -> Option<Problem> {
    let model = project.graph.models.get(&table.name)?;
    let kind = if table.kind == TableKind::View { "view" } else { "table" };
    let message = format!(
        "a {kind} named `{}` is in database `{}`, and no run published it: a run would put its own in its place",
        table.name, table.database
    );
    let help = format!(
        "rename the model, or drop or rename the {kind}; if runs are to replace it, give it the table parameter `{RUN}` \
         (any value)"
    );
    Some(Problem::new(&model.file, "", message, help))
}
