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
use crate::port::PortError;

/// Ends the active slot's run, which `error` keeps from beginning or from going on; `None` if there is none.
pub async fn give_up(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    error: &PortError,
) -> Result<Option<Run>, RunError> {
    let Some(active) = status(ports.store).await?.active else { return Ok(None) };
    let request = Request { slot: &active.slot, ..request };
    if load(ports.store, &run_id(&active.slot)).await?.is_some() {
        return stop(ports, project, request, holder, error).await;
    }
    let _lease = ports.store.lock(holder).await?;
    refuse_locked(ports, project, request, &error.to_string()).await.map(Some)
}

/// Ends the active slot's run if it has begun; `None` if it has not, or has ended.
pub async fn stop(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    error: &PortError,
) -> Result<Option<Run>, RunError> {
    let Some(active) = status(ports.store).await?.active else { return Ok(None) };
    let _lease = ports.store.lock(holder).await?;
    let recorded = load(ports.store, &run_id(&active.slot)).await?;
    let Some(mut recorded) = recorded.filter(|recorded| recorded.run.outcome.is_none()) else { return Ok(None) };
    end_steps(ports, &mut recorded, error).await?;
    conclude(ports, project, &mut recorded, Request { slot: &active.slot, ..request }).await?;
    Ok(Some(recorded.run))
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
