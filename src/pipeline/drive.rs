//! Runs moved on by whoever comes by: a Lambda's events, a sweep, a laptop. Between two steps nothing is held but what
//! is stored, and every write is conditional: of two drivers at once one wins, and the other looks again.

use serde::{Deserialize, Serialize};

use super::advance::{Progress, advance};
use super::conclude::{compared, conclude, refused};
use super::record::{Recorded, Run, load};
use super::{Ports, Project, Request, RunError, Schemas, stored, told};
use crate::catalog::CrawlStatus;
use crate::engine::QueryId;
use crate::plan::run_id;
use crate::port::PortErrorKind;
use crate::store::Store;

const KEY: &str = "queue.json";
const SCHEMA_VERSION: u32 = 1;
/// How often a driver that was overtaken looks again before it leaves the run to the others.
const LOOKS: usize = 50;

/// Slots to be run, one at a time; stored as `queue.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Queue {
    schema_version: u32,
    /// The run under way.
    pub active: Option<Slot>,
    /// Oldest first.
    pub waiting: Vec<Slot>,
    /// The newest slot that was ever taken up: an older one would show nothing that its run did not.
    pub newest: Option<String>,
    #[serde(skip)]
    tag: Option<String>,
}

/// A moment to run for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// `2026-01-02T03:04:05Z`
    pub slot: String,
    pub why: Why,
    /// Its run's record is stored; if it is not there any more, somebody removed it.
    #[serde(default)]
    pub begun: bool,
}

/// What asked for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Crawl,
    /// Nothing to run: people are told.
    CrawlFailed {
        message: String,
    },
    Daily,
    Command,
}

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

impl Queue {
    async fn load(store: &dyn Store) -> Result<Self, RunError> {
        let Some((queue, tag)) = stored::read::<Self>(store, KEY).await? else {
            return Ok(Self { schema_version: SCHEMA_VERSION, active: None, waiting: vec![], newest: None, tag: None });
        };
        stored::of_version(KEY, queue.schema_version, SCHEMA_VERSION)?;
        Ok(Self { tag: Some(tag), ..queue })
    }

    async fn save(&self, store: &dyn Store) -> Result<(), RunError> {
        stored::write(store, KEY, self, self.tag.as_deref()).await.map(drop)
    }

    fn is_seen(&self, slot: &str) -> bool {
        let newer = self.newest.as_deref().is_some_and(|newest| newest >= slot);
        newer || self.active.iter().chain(&self.waiting).any(|known| known.slot == slot)
    }
}

/// Asks for a run for `slot`. False if it needs none: it was run, is to be run, or a newer one has seen all it would see.
pub async fn enqueue(store: &dyn Store, slot: &str, why: Why) -> Result<bool, RunError> {
    for _ in 0..LOOKS {
        let mut queue = Queue::load(store).await?;
        if queue.is_seen(slot) {
            return Ok(false);
        }
        queue.waiting.push(Slot { slot: slot.into(), why: why.clone(), begun: false });
        queue.waiting.sort_by(|a, b| a.slot.cmp(&b.slot));
        // Of crawls that no run has begun with, the last one shows what the others would.
        let last = queue.waiting.iter().rposition(|known| known.why == Why::Crawl);
        let mut at = 0..;
        queue.waiting.retain(|known| at.next() == last || known.why != Why::Crawl);
        match queue.save(store).await {
            Err(RunError::Overtaken { .. }) => {}
            saved => return saved.map(|()| true),
        }
    }
    Err(RunError::Overtaken { key: KEY.into() })
}

/// The queue as it stands.
pub async fn status(store: &dyn Store) -> Result<Queue, RunError> {
    Queue::load(store).await
}

/// Moves on what is to be run, as far as it goes without waiting; returns the runs that ended on the way.
pub async fn drive(
    ports: Ports<'_>,
    project: &Project,
    request: Request<'_>,
    holder: &str,
) -> Result<(Vec<Run>, Step), RunError> {
    let mut ended = Vec::new();
    let mut looks = 0;
    loop {
        match step(ports, project, request, holder, &mut ended).await {
            Ok(Some(step)) => return Ok((ended, step)),
            Ok(None) => {}
            Err(RunError::Overtaken { .. }) if looks < LOOKS => looks += 1,
            // A faster driver has published, and taken the staging tables away.
            Err(RunError::Port(error)) if error.kind == PortErrorKind::NotFound && looks < 2 => looks += 1,
            Err(error) => return Err(error),
        }
    }
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
        if queue.waiting.is_empty() {
            told::send_kept(ports, project, request.target, holder).await?;
            return Ok(Some(Step::Idle));
        }
        return take_up(ports, queue).await;
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
        let _lease = match ports.store.lock(holder).await {
            Err(error) if error.kind == PortErrorKind::Conflict => return Ok(Some(Step::Busy { run_id: id })),
            lease => lease?,
        };
        recorded = load(ports.store, &id).await?.unwrap_or(recorded);
        if recorded.run.outcome.is_none() {
            conclude(ports, project, &mut recorded, request).await?;
        }
    }
    queue.active = None;
    queue.save(ports.store).await?;
    ended.push(recorded.run);
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
        return told(&format!(
            "the record of run {id} was removed while it ran; what it had begun is not gone on with"
        ));
    }
    if let Why::CrawlFailed { message } = &slot.why {
        return told(message);
    }
    match ports.catalog.crawl().await? {
        Some(crawl) if crawl.running => return Ok(None),
        // Its tables are of an earlier day, and the files may not be.
        Some(CrawlStatus { crawler, error: Some(error), .. }) => return told(&crawl_failed(&crawler, &error)),
        _ => {}
    }
    match compared(ports, project, request, id).await {
        Ok((comparison, mut run)) => {
            run.inputs = Schemas::of(&comparison.tables);
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

/// Makes the oldest waiting slot the active one.
async fn take_up(ports: Ports<'_>, mut queue: Queue) -> Result<Option<Step>, RunError> {
    let slot = queue.waiting.remove(0);
    queue.newest = queue.newest.max(Some(slot.slot.clone()));
    queue.active = Some(slot);
    queue.save(ports.store).await.map(|()| None)
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
    let id = run_id(request.slot);
    let mut recorded = match load(ports.store, &id).await? {
        // A run that was cut off as it was refused has its error already; any other is its own project's to end.
        Some(recorded) if recorded.run.outcome.is_none() && recorded.run.error.is_some() => recorded,
        Some(recorded) => return Ok(recorded.run),
        None => Recorded::new(refused(project, request, &id, error)),
    };
    conclude(ports, project, &mut recorded, request).await?;
    Ok(recorded.run)
}
