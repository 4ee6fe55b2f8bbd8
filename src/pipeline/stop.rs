//! Ending a run that cannot go on, whoever comes by: with what stopped it, and one alert.

use super::advance::{fail, running};
use super::conclude::conclude;
use super::drive::refuse_locked;
use super::publish::put_back;
use super::queue::status;
use super::record::{Recorded, Run, StepStatus, load};
use super::{Ports, Project, Request, RunError, failure};
use crate::drift::Verdict;
use crate::plan::{Action, run_id};
use crate::port::{PortError, PortErrorKind};
use crate::store::Lease;

/// What became of ending a run.
#[derive(Debug)]
pub enum Stopped {
    Ended(Box<Run>),
    /// There is none to end, or it has ended.
    Nothing,
    /// Another driver is at the run's end.
    Busy {
        run_id: String,
    },
}

/// Ends the active slot's run, which `error` keeps from beginning or from going on.
pub async fn give_up(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    error: &PortError,
) -> Result<Stopped, RunError> {
    let Some(active) = status(ports.store).await?.active else { return Ok(Stopped::Nothing) };
    let request = Request { slot: &active.slot, ..request };
    let id = run_id(&active.slot);
    if load(ports.store, &id).await?.is_some() {
        return stop(ports, project, request, holder, error).await;
    }
    let Some(_lease) = free(ports, holder).await? else { return Ok(Stopped::Busy { run_id: id }) };
    let run = refuse_locked(ports, project, request, &error.to_string()).await?;
    Ok(Stopped::Ended(Box::new(run)))
}

/// The run lock, unless another driver has it.
pub(super) async fn free(ports: Ports<'_>, holder: &str) -> Result<Option<Lease>, RunError> {
    match ports.store.lock(holder).await {
        Err(error) if error.kind == PortErrorKind::Conflict => Ok(None),
        lease => Ok(Some(lease?)),
    }
}

/// Ends the active slot's run if it has begun.
pub async fn stop(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    error: &PortError,
) -> Result<Stopped, RunError> {
    let Some(active) = status(ports.store).await?.active else { return Ok(Stopped::Nothing) };
    let id = run_id(&active.slot);
    let Some(_lease) = free(ports, holder).await? else { return Ok(Stopped::Busy { run_id: id }) };
    let recorded = load(ports.store, &id).await?.filter(|recorded| recorded.run.outcome.is_none());
    let Some(mut recorded) = recorded else { return Ok(Stopped::Nothing) };
    end_steps(ports, &mut recorded, error).await?;
    conclude(ports, project, &mut recorded, Request { slot: &active.slot, ..request }).await?;
    Ok(Stopped::Ended(Box::new(recorded.run)))
}

/// Fails the steps that `error` is of, and skips those that wait. A publication is put back.
async fn end_steps(ports: Ports<'_>, recorded: &mut Recorded, error: &PortError) -> Result<(), RunError> {
    let words = failure::of_port(error);
    let run = &recorded.run;
    let of = |status| (0..run.steps.len()).filter(move |index| run.steps[*index].status == status);
    let (begun, waiting): (Vec<_>, Vec<_>) = (of(StepStatus::Running).collect(), of(StepStatus::Pending).collect());
    if let Some(index) = begun.iter().find(|index| matches!(run.plan.steps[**index].action, Action::Publish { .. })) {
        let cause = run.steps[*index].error.clone().unwrap_or(words);
        return put_back(ports, recorded, *index, cause).await;
    }
    if begun.is_empty() && waiting.is_empty() {
        return Ok(());
    }
    for query in running(run).values() {
        // Nobody waits for it any more; one that cannot be cancelled ends by itself.
        if let Err(error) = ports.engine.cancel(query).await {
            tracing::warn!(%error, "a query is left to its end");
        }
    }
    // What was not handed to the engine is what the error is of; else it is of all that runs.
    let unstarted: Vec<usize> = begun.iter().copied().filter(|index| run.steps[*index].query.is_none()).collect();
    let hit = if unstarted.is_empty() { begun.clone() } else { unstarted };
    let run = &mut recorded.run;
    for index in begun.into_iter().chain(waiting).filter(|index| !hit.contains(index)) {
        run.steps[index].status = StepStatus::Skipped;
    }
    for index in &hit {
        fail(ports, run, *index, words.clone());
    }
    if hit.is_empty() {
        run.verdict = Verdict::Unknown;
        run.error = Some(words);
    }
    Ok(())
}
