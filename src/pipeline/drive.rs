//! Runs moved on by whoever comes by: a Lambda's events, a sweep, a laptop. Between two steps nothing is held but what
//! is stored, and every write is conditional: of two drivers at once one wins, and the other looks again.

use jiff::Timestamp;

use super::advance::{Progress, advance};
use super::conclude::{compared, conclude, refused};
use super::publish::{TRIES, is_as_compared, shown_of};
use super::queue::{LOOKS, Queue, Slot, Why, status};
use super::record::{Recorded, Run, StepStatus, load};
use super::stop::free;
use super::whole::free_id;
use super::{Ports, Project, Request, RunError, Schemas, told};
use crate::catalog::CrawlStatus;
use crate::engine::QueryId;
use crate::plan::{self, run_id};
use crate::port::PortErrorKind;
use crate::store::Store;

/// Where a driver leaves off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is asked for.
    Idle,
    /// The crawler writes; what it leaves is compared when it is done.
    Crawling,
    /// Queries run.
    Waiting { run_id: String, queries: Vec<QueryId> },
    /// Another driver is at the run's end.
    Busy { run_id: String },
}

/// Moves on what is to be run, as far as it goes without waiting; adds to `ended` the runs whose end this driver stored.
pub async fn drive(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    ended: &mut Vec<Run>,
) -> Result<Step, RunError> {
    let (mut looks, mut tries) = (0, 1);
    loop {
        match step(ports, project, request, holder, ended).await {
            Ok(Some(step)) => return Ok(step),
            Ok(None) => {}
            Err(RunError::Overtaken { .. }) if looks < LOOKS => looks += 1,
            // A faster driver has published, and taken the staging tables away; or a right is a moment late.
            Err(RunError::Port(error)) if is_tried_again(error.kind) && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

fn is_tried_again(kind: PortErrorKind) -> bool {
    matches!(kind, PortErrorKind::NotFound | PortErrorKind::Denied)
}

/// Whether the run under way may wait for a query: for one of its own, or for one that is not stored yet.
pub async fn awaits(store: &dyn Store, query: &QueryId) -> Result<bool, RunError> {
    let Some(active) = status(store).await?.active else { return Ok(false) };
    let Some(recorded) = load(store, &run_id(&active.slot)).await? else { return Ok(true) };
    let is_awaited = |step: &super::StepRecord| match &step.query {
        Some(own) => own == query,
        None => step.status == StepStatus::Running,
    };
    Ok(recorded.run.steps.iter().any(is_awaited))
}

/// One look at the queue; `None` if there is more to do.
async fn step(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    ended: &mut Vec<Run>,
) -> Result<Option<Step>, RunError> {
    let mut queue = Queue::load(ports.store).await?;
    let Some(active) = queue.active.clone() else {
        if queue.take_up(&plan::slot(Timestamp::now())) {
            return queue.save(ports.store).await.map(|()| None);
        }
        told::send_kept(ports, project, request.target, holder).await?;
        return Ok(Some(Step::Idle));
    };
    let (id, request) = (run_id(&active.slot), Request { slot: &active.slot, ..request });
    let Some(mut recorded) = load(ports.store, &id).await? else {
        let Some(mut first) = begun(ports, project, request, &id, &active).await? else {
            return Ok(Some(Step::Crawling));
        };
        return first.save(ports.store).await.map(|()| None);
    };
    if !active.begun {
        queue.active = Some(Slot { begun: true, ..active.clone() });
        queue.save(ports.store).await?;
        return Ok(None);
    }
    if recorded.run.outcome.is_none() {
        if let Progress::Waiting(queries) = advance(ports, &mut recorded).await? {
            return Ok(Some(Step::Waiting { run_id: id, queries }));
        }
        // An alert cannot be taken back, so one driver at a time is at a run's end.
        let Some(_lease) = free(ports, holder).await? else { return Ok(Some(Step::Busy { run_id: id })) };
        recorded = load(ports.store, &id).await?.unwrap_or(recorded);
        if recorded.run.outcome.is_none() {
            // Tables that change under a build can fail it, too.
            let has_failed = recorded.run.steps.iter().any(|step| step.status == StepStatus::Failed);
            // A publication that stands halfway is told, whatever takes its place.
            if has_failed && recorded.run.shown.is_empty() && !is_as_compared(ports, &recorded.run).await? {
                recorded.run.superseded_by = queue.successor(&active, Timestamp::now());
            }
            conclude(ports, project, &mut recorded, request).await?;
            ended.push(recorded.run.clone());
        }
    }
    if let Some(slot) = &recorded.run.superseded_by {
        queue.supersede(&active, slot);
    }
    queue.active = None;
    queue.save(ports.store).await?;
    Ok(None)
}

/// A run's first record; `None` while the crawler is at work. What cannot be compared or planned ends as an error that
/// people are told of.
async fn begun(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    id: &str,
    slot: &Slot,
) -> Result<Option<Recorded>, RunError> {
    let told = |why: &str| Ok(Some(Recorded::new(refused(project, request, id, why))));
    if slot.begun {
        let why = format!("the record of run {id} was removed while it ran; what it had begun is not gone on with");
        let shown = shown_of(ports, id).await?;
        return Ok(Some(Recorded::new(Run { shown, ..refused(project, request, id, &why) })));
    }
    if let Why::CrawlFailed { message } = &slot.why {
        return told(message);
    }
    let crawl = ports.catalog.crawl().await?;
    let crawled_at = crawl.as_ref().and_then(|crawl| crawl.last.clone());
    match &crawl {
        Some(crawl) if crawl.running => return Ok(None),
        // Its tables are of an earlier day, and the files may not be.
        Some(CrawlStatus { crawler, error: Some(error), .. }) => return told(&crawl_failed(crawler, error)),
        _ => {}
    }
    match compared(ports, project, request, id).await {
        Ok((comparison, mut run)) => {
            run.inputs = Schemas::of(&comparison.tables);
            run.crawled_at = crawled_at;
            run.notes.extend(crawl.into_iter().flat_map(|crawl| crawl.notes));
            Ok(Some(Recorded::new(run)))
        }
        Err(RunError::Problems(problems)) => told(&problems.to_string()),
        // It would be the same at every look, and nobody would hear of it.
        Err(RunError::Port(error)) if error.kind == PortErrorKind::Invalid => told(&error.to_string()),
        Err(error) => Err(error),
    }
}

/// What people are told of a crawl that did not succeed; the same words each time, so that they are told once.
pub fn crawl_failed(crawler: &str, error: &str) -> String {
    format!("crawler `{crawler}` failed: {error}")
}

/// Ends a slot that cannot be run at all, with the alert that says why. The queue is left alone: a project that cannot be
/// read may move nothing on.
pub async fn refuse(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
    error: &str,
) -> Result<Run, RunError> {
    let _lease = ports.store.lock(holder).await?;
    refuse_locked(ports, project, request, error).await
}

/// [`refuse`], for whoever holds the lock already.
pub async fn refuse_locked(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    error: &str,
) -> Result<Run, RunError> {
    let id = match request.again {
        true => free_id(ports.store, request.slot).await?,
        false => run_id(request.slot),
    };
    let mut recorded = match load(ports.store, &id).await? {
        // A run that was cut off as it was refused has its error already; any other is its own project's to end.
        Some(recorded) if recorded.run.outcome.is_none() && recorded.run.error.is_some() => recorded,
        Some(recorded) => return Ok(recorded.run),
        None => Recorded::new(refused(project, request, &id, error)),
    };
    conclude(ports, project, &mut recorded, request).await?;
    Ok(recorded.run)
}
