//! What a published run leaves behind: N versions of each table, and nothing that no catalog entry shows.

use std::collections::BTreeSet;

use super::record::Run;
use super::{Ports, RunError};
use crate::plan::{Action, STAGING_PREFIX};

/// Drops old versions, staging entries and the data that nothing shows any more. Safe to repeat.
pub async fn cleanup(ports: Ports<'_>, run: &Run, keep: usize) -> Result<(), RunError> {
    let mut candidates = BTreeSet::new();
    for published in &run.published {
        candidates.extend(ports.catalog.prune(&published.table, keep).await?);
    }
    for staging in ports.catalog.tables(STAGING_PREFIX).await? {
        candidates.extend(staging.location.clone());
        ports.catalog.forget(&staging.name).await?;
    }
    for (step, record) in run.plan.steps.iter().zip(&run.steps) {
        if let Action::Build { model, .. } = &step.action {
            candidates.extend((1..record.attempt).map(|attempt| ports.engine.location(model, &run.run_id, attempt)));
        }
    }
    let live = live_locations(ports, run).await?;
    for location in candidates.difference(&live) {
        ports.engine.discard(location).await?;
    }
    Ok(())
}

async fn live_locations(ports: Ports<'_>, run: &Run) -> Result<BTreeSet<String>, RunError> {
    let mut live = BTreeSet::new();
    for published in &run.published {
        let versions = ports.catalog.versions(&published.table).await?;
        live.extend(versions.into_iter().filter_map(|version| version.location));
    }
    Ok(live)
}
