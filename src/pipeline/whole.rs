//! One run from its beginning, or from where it was cut off, to its outcome.

use std::collections::BTreeSet;

use super::Commands;
use super::advance::{ATTEMPTS, Progress, advance, running};
use super::conclude::{compared, conclude};
use super::garbage::folder;
use super::record::{Outcome, Recorded, Run, load, runs};
use super::{Ports, Project, RunError};
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
    /// Days after which people are told again of what is still wrong.
    pub remind_after_days: u32,
    /// The moment a new run stands for, `2026-01-02T03:04:05Z`.
    pub slot: &'a str,
    /// Fingerprint of the files that the run will read.
    pub inputs: &'a str,
    /// Run a slot that has ended already once more, under an id of its own.
    pub again: bool,
    pub commands: &'a Commands,
}

/// Ends the run that was cut off, if what it read is still there, then begins and ends the one asked for. A slot that has
/// ended is answered with its run. `cut` is what [`unfinished`] found; the caller has held the lock since.
pub async fn run(
    ports: Ports<'_>,
    project: &Project,
    cut: Option<Recorded>,
    request: Request<'_>,
) -> Result<Run, RunError> {
    if let Some(cut) = cut {
        let cut = end(ports, project, cut, request).await?;
        if cut.inputs == request.inputs && (request.again || cut.slot == request.slot) {
            return Ok(cut);
        }
    }
    if !request.again
        && let Some(ended) = of_slot(ports.store, request.slot).await?
    {
        return Ok(ended.run);
    }
    let mut recorded = new(ports, project, request).await?;
    finish(ports, project, &mut recorded, request).await?;
    Ok(recorded.run)
}

/// Ends a run that was cut off: it goes on if what it compared is still there, or if it is too late to leave off.
pub async fn end(
    ports: Ports<'_>,
    project: &Project,
    mut cut: Recorded,
    request: Request<'_>,
) -> Result<Run, RunError> {
    // Once it publishes, everything is checked, and only going on leaves all tables or none; once it alerts, people
    // may know already.
    if cut.run.inputs == request.inputs || cut.run.is_publishing() || cut.run.alert.is_some() {
        finish(ports, project, &mut cut, request).await?;
    } else {
        supersede(ports, &mut cut).await?;
    }
    Ok(cut.run)
}

async fn finish(
    ports: Ports<'_>,
    project: &Project,
    recorded: &mut Recorded,
    request: Request<'_>,
) -> Result<(), RunError> {
    while let Progress::Waiting(queries) = advance(ports, recorded).await? {
        ports.engine.wait(&queries).await?;
    }
    conclude(ports, project, recorded, request).await
}

/// What it compared is no longer what it would read: it ends here, unpublished, and a new run takes its place.
async fn supersede(ports: Ports<'_>, cut: &mut Recorded) -> Result<(), RunError> {
    // Nobody waits for what it had started, and an engine may bill it.
    for query in running(&cut.run).values() {
        ports.engine.cancel(query).await?;
    }
    cut.run.end(Outcome::Superseded);
    cut.run.error = Some("cut off, and the files that it had compared changed before it went on".into());
    cut.save(ports.store).await
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
    let id = unused_id(ports, project, request.slot).await?;
    let (_, mut run) = compared(ports, project, request, &id).await?;
    run.inputs = request.inputs.into();
    let mut recorded = Recorded::new(run);
    recorded.save(ports.store).await?;
    Ok(recorded)
}

/// The slot's run: its first that is still on record.
async fn of_slot(store: &dyn Store, slot: &str) -> Result<Option<Recorded>, RunError> {
    let known = runs(store).await?;
    match ids(slot).take(known.len() + 1).find(|id| known.contains(id)) {
        Some(id) => load(store, &id).await,
        None => Ok(None),
    }
}

/// The slot's run id, or the next free one if the slot has run before.
pub(super) async fn free_id(store: &dyn Store, slot: &str) -> Result<String, RunError> {
    let taken = runs(store).await?;
    Ok(ids(slot).find(|id| !taken.contains(id)).expect("numbers do not end"))
}

/// The same, and no place of its builds is taken: one may be of a run whose record is gone, and readers may still see it.
async fn unused_id(ports: Ports<'_>, project: &Project, slot: &str) -> Result<String, RunError> {
    let taken = runs(ports.store).await?;
    let mut places = BTreeSet::new();
    for model in project.graph.models.keys() {
        places.extend(ports.engine.locations(model).await?.iter().map(|location| folder(location)));
    }
    let is_built = |id: &str, model: &str| {
        (1..=ATTEMPTS).any(|attempt| places.contains(&folder(&ports.engine.location(model, id, attempt))))
    };
    let is_free = |id: &String| !taken.contains(id) && !project.graph.models.keys().any(|model| is_built(id, model));
    Ok(ids(slot).find(is_free).expect("numbers do not end"))
}

/// The ids that a slot's runs may have, in their order.
fn ids(slot: &str) -> impl Iterator<Item = String> {
    let base = run_id(slot);
    std::iter::once(base.clone()).chain((2..).map(move |number| format!("{base}_{number}")))
}
