//! What a published run leaves behind: N versions of each table, and no data that no catalog entry shows.

use std::collections::BTreeSet;

use super::garbage::{self, folder};
use super::record::{Run, has_ended, runs};
use super::{Ports, RunError, publish, retention};
use crate::plan::{STAGING_PREFIX, run_of_staging};
use crate::port::{PortError, at_once};
use crate::schema::Table;

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Published versions of each table.
    pub versions: usize,
    /// Days that the record of an ended run is kept.
    pub runs_days: u32,
}

/// Drops old versions and staging entries, then the data that nothing shows any more, then old records. What a crash
/// leaves, the next published run finds again.
pub async fn cleanup(ports: Ports<'_>, run: &Run, keep: Keep) -> Result<(), RunError> {
    let ids = runs(ports.store).await?;
    let staging = ended_staging(ports, run, &ids).await?;
    let mut suspects: BTreeSet<String> =
        staging.iter().filter_map(|table| table.location.as_deref()).map(folder).collect();
    let mut live = BTreeSet::new();
    for found in at_once(run.published.iter().map(|published| found(ports, &published.table))).await {
        let (versions, locations) = found?;
        let (kept, old) = versions.split_at(versions.len().min(keep.versions.max(1)));
        live.extend(kept.iter().filter_map(|version| version.location.as_deref()).map(folder));
        // Files that somebody else's table showed before ours took its place are not ours to remove.
        let ours = old.iter().filter(|version| version.parameters.contains_key(publish::RUN));
        suspects.extend(ours.filter_map(|version| version.location.as_deref()).map(folder));
        suspects.extend(locations.iter().map(|location| folder(location)));
    }
    suspects.retain(|location| !live.contains(location));
    let mut garbage = garbage::noted(ports, suspects).await?;
    let mut refused = None;
    for forgotten in at_once(staging.iter().map(|table| ports.catalog.forget(&table.name))).await {
        gone_on(forgotten, &mut refused)?;
    }
    let prunes = run.published.iter().map(|published| ports.catalog.prune(&published.table, keep.versions));
    for pruned in at_once(prunes).await {
        gone_on(pruned, &mut refused)?;
    }
    // An entry that stays may still be gone back to, so its data stays, too.
    if refused.is_none() {
        garbage::collect(ports, run, &ids, &mut garbage).await?;
    }
    retention::expire(ports, run, &ids, keep.runs_days).await?;
    refused.map_or(Ok(()), |error| Err(error.into()))
}

/// A published table's versions, and every location that its builds have written to.
async fn found(ports: Ports<'_>, table: &str) -> Result<(Vec<Table>, Vec<String>), PortError> {
    tokio::try_join!(ports.catalog.versions(table), ports.engine.locations(table))
}

/// Keeps the first error that stays, and lets the others pass: one entry that may not be dropped keeps no other one.
fn gone_on(dropped: Result<(), PortError>, refused: &mut Option<PortError>) -> Result<(), PortError> {
    match dropped {
        Err(error) if error.kind.is_lasting() => drop(refused.get_or_insert(error)),
        dropped => return dropped,
    }
    Ok(())
}

/// The staging entries of this run and of runs that have ended. One of an unfinished run is still read, and one of no run
/// that is known here may be another project's.
async fn ended_staging(ports: Ports<'_>, run: &Run, ids: &[String]) -> Result<Vec<Table>, RunError> {
    let mut ended = Vec::new();
    for table in ports.catalog.tables(STAGING_PREFIX).await? {
        let owner = run_of_staging(&table.name);
        let owner = ids.iter().find(|id| owner.is_some_and(|owner| owner.eq_ignore_ascii_case(id)));
        if let Some(owner) = owner
            && has_ended(ports.store, run, owner).await?
        {
            ended.push(table);
        }
    }
    Ok(ended)
}
