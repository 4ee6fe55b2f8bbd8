//! What a published run leaves behind: N versions of each table, and no data that no catalog entry shows.

use std::collections::BTreeSet;

use super::record::Run;
use super::{Ports, Project, RunError, publish};
use crate::catalog::Catalog;
use crate::plan::STAGING_PREFIX;

/// Drops old versions and staging entries, then the data that nothing shows any more. What a crash leaves, the next
/// published run finds again: garbage is found by looking, not remembered.
pub async fn cleanup(ports: Ports<'_>, run: &Run, keep: usize) -> Result<(), RunError> {
    for staging in ports.catalog.tables(STAGING_PREFIX).await? {
        ports.catalog.forget(&staging.name).await?;
    }
    for published in &run.published {
        ports.catalog.prune(&published.table, keep).await?;
        let versions = ports.catalog.versions(&published.table).await?;
        let live: BTreeSet<String> =
            versions.iter().filter_map(|version| version.location.as_deref().map(folder)).collect();
        for location in ports.engine.locations(&published.table).await? {
            if !live.contains(&folder(&location)) {
                ports.engine.discard(&location).await?;
            }
        }
    }
    Ok(())
}

/// A location however it is spelt: engines differ on its last slash, and what is live must be recognised.
fn folder(location: &str) -> String {
    location.trim_end_matches('/').to_owned()
}

/// Tables that a run published and no model builds any more: readers still see them, and nothing renews them.
pub async fn orphans(project: &Project, catalog: &dyn Catalog) -> Result<Vec<String>, RunError> {
    let tables = catalog
        .tables("")
        .await?
        .into_iter()
        .filter(|table| table.parameters.contains_key(publish::RUN) && !table.name.starts_with(STAGING_PREFIX));
    Ok(tables.map(|table| table.name).filter(|name| !project.graph.models.contains_key(name)).collect())
}
