//! What a change of a table's row count is measured against.

use super::record::{Outcome, load, runs};
use super::{Ports, RunError, publish};
use crate::checks::Baseline;

/// Rows of the version of a model that readers see now, as its publication noted them.
pub(super) async fn published(ports: Ports<'_>, table: &str) -> Result<Baseline, RunError> {
    let Some(table) = ports.catalog.table(table).await? else { return Ok(Baseline::First) };
    Ok(match (table.parameters.get(publish::ROWS), table.parameters.get(publish::RUN)) {
        (Some(rows), _) => rows.parse().map_or(Baseline::Unknown, Baseline::Rows),
        (None, Some(_)) => Baseline::Unknown,
        // Somebody else's table stands there: of ours nothing was published yet.
        (None, None) => Baseline::First,
    })
}

/// Rows of a raw table as the newest other run that published counted them.
pub(super) async fn counted(ports: Ports<'_>, run_id: &str, table: &str) -> Result<Baseline, RunError> {
    for id in runs(ports.store).await?.iter().rev().filter(|id| *id != run_id) {
        if let Some(recorded) = load(ports.store, id).await?
            && recorded.run.outcome == Some(Outcome::Published)
            && let Some(rows) = recorded.run.source_rows.get(table)
        {
            return Ok(Baseline::Rows(*rows));
        }
    }
    Ok(Baseline::First)
}
