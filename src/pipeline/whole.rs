//! One run from its beginning, or from where it was cut off, to its outcome.

use super::advance::{Progress, advance};
use super::conclude::{Commands, begin, conclude};
use super::record::{Recorded, Run, load, runs};
use super::{Ports, Project, RunError, compare};
use crate::plan::run_id;
use crate::store::Store;

/// What a run is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub target: &'a str,
    /// Prefix of the tables that a crawl makes.
    pub raw_prefix: &'a str,
    /// Published versions kept of each table.
    pub keep_versions: usize,
    /// The moment a new run stands for, `2026-01-02T03:04:05Z`.
    pub slot: &'a str,
    /// Run a slot that has ended already once more, under an id of its own.
    pub again: bool,
    pub commands: &'a Commands,
}

/// Ends the run that was cut off, or begins and ends a new one; a slot that has ended is answered with its run. The caller
/// holds the lock.
pub async fn run(ports: Ports<'_>, project: &Project, request: Request<'_>) -> Result<Run, RunError> {
    let mut recorded = match unfinished(ports.store).await? {
        Some(recorded) => recorded,
        None => match load(ports.store, &run_id(request.slot)).await? {
            Some(ended) if !request.again => return Ok(ended.run),
            _ => new(ports, project, request).await?,
        },
    };
    while let Progress::Waiting(queries) = advance(ports, &mut recorded).await? {
        ports.engine.wait(&queries).await?;
    }
    conclude(ports, project, &mut recorded, request).await?;
    Ok(recorded.run)
}

/// The run that has no outcome yet; under one lock there is at most one. Every record is looked at, newest first: a run for
/// an older slot is not the newest by name.
pub async fn unfinished(store: &dyn Store) -> Result<Option<Recorded>, RunError> {
    for id in runs(store).await?.iter().rev() {
        if let Some(recorded) = load(store, id).await?
            && recorded.run.outcome.is_none()
        {
            return Ok(Some(recorded));
        }
    }
    Ok(None)
}

async fn new(ports: Ports<'_>, project: &Project, request: Request<'_>) -> Result<Recorded, RunError> {
    let comparison = compare(project, ports.catalog, request.raw_prefix).await?;
    let id = free_id(ports.store, request.slot).await?;
    let run = begin(project, request.target, &comparison, request.slot, &id)?;
    let mut recorded = Recorded::new(run);
    recorded.save(ports.store).await?;
    Ok(recorded)
}

/// The slot's run id, or the next free one if the slot has run before.
async fn free_id(store: &dyn Store, slot: &str) -> Result<String, RunError> {
    let taken = runs(store).await?;
    let base = run_id(slot);
    let numbered = (2..).map(|number| format!("{base}_{number}"));
    Ok(std::iter::once(base.clone()).chain(numbered).find(|id| !taken.contains(id)).expect("numbers do not end"))
}
