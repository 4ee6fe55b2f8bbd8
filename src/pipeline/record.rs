//! The run record: what a run found, does and did. Stored before and after every effect.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{RunError, stored};
use crate::checks::CheckResult;
use crate::drift::{Finding, Verdict};
use crate::engine::QueryId;
use crate::plan::{Action, Alert, Plan};
use crate::problem::Problem;
use crate::store::Store;

const SCHEMA_VERSION: u32 = 1;

/// One run, as stored under `runs/<run_id>.json` and as `run --format json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub schema_version: u32,
    pub run_id: String,
    /// The moment the run stands for, `2026-01-02T03:04:05Z`.
    pub slot: String,
    /// Fingerprint of the files that the run compared and reads; a cut-off run goes on only over the same ones.
    pub inputs: String,
    pub project: String,
    pub target: String,
    /// `None` of a run that was recorded before there was any.
    #[serde(default)]
    pub provenance: Option<Provenance>,
    pub verdict: Verdict,
    /// `None` while the run is under way.
    pub outcome: Option<Outcome>,
    /// The day on which it ended, `2026-01-02`, whatever moment it stands for: its record's age. `None` while it is under
    /// way, and of a run that ended before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<String>,
    pub findings: Vec<Finding>,
    /// Models that ran with an adapted text.
    pub adapted: Vec<AdaptedModel>,
    /// Additions that were tolerated and not carried, in words.
    pub not_carried: Vec<String>,
    /// Tables whose drift stopped the run, and is accepted by `contracts update` as it stands.
    #[serde(default)]
    pub acceptable: BTreeSet<String>,
    /// Likely renames of tables whose drift stopped the run, which `contracts update --rename` accepts: `old=new`.
    #[serde(default)]
    pub renames: BTreeMap<String, Vec<String>>,
    /// What the crawl noticed of the tables that is no fault.
    #[serde(default)]
    pub notes: Vec<Problem>,
    /// One entry for each step of the plan, in its order.
    pub steps: Vec<StepRecord>,
    pub checks: Vec<CheckResult>,
    /// Rows of each raw table as this run counted them: what a later run's `rowCountChange` compares with.
    #[serde(default)]
    pub source_rows: BTreeMap<String, u64>,
    pub published: Vec<Published>,
    /// What the run had to tell people.
    pub alert: Option<Alert>,
    /// What became of `alert`.
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// Tables published by earlier runs that no model builds any more.
    #[serde(default)]
    pub orphans: Vec<String>,
    /// What went wrong, where the outcome is `error`.
    pub error: Option<String>,
    /// The run that each table shows, where a publication stopped halfway and could not be put back; `None` if that is not
    /// known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shown: BTreeMap<String, Option<String>>,
    /// When the crawl began whose tables were compared, `2026-01-02T03:04:05Z`; `None` where no crawler is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawled_at: Option<String>,
    /// The slot whose run takes the place of this one, where the outcome is `superseded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    pub plan: Plan,
}

/// Which text of the project a run goes by, and who began it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Hash of the project's files, as `contracts push` deploys them.
    pub revision: String,
    /// Whether they are what is deployed; `None` where nothing is.
    pub deployed: Option<bool>,
    /// A person's name or ARN, or the function's log stream.
    pub by: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Published,
    Halted,
    ChecksFailed,
    Error,
    /// Its tables changed while it ran; another run takes its place, and nobody is told.
    Superseded,
}

/// What became of a run's alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Sent,
    /// Not sent, because people know: an earlier run told them the same.
    AlreadyTold {
        run_id: String,
        slot: String,
    },
    /// Could not be sent; the next run tries again.
    Unsent {
        error: String,
    },
}

/// A model's text as it ran, beside the one in sql/.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdaptedModel {
    pub model: String,
    pub file: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    pub name: String,
    pub status: StepStatus,
    /// From 1; a lost or retryable query is tried again under the next number.
    pub attempt: u32,
    pub query: Option<QueryId>,
    /// Rows written or returned.
    pub rows: Option<u64>,
    /// The engine's own time.
    pub millis: Option<u64>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    /// Not run, because a step it needs failed.
    Skipped,
}

/// A table that this run made visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub table: String,
    /// The catalog version that readers now see; `None` until the swap is known to have happened.
    pub version: Option<String>,
    /// The version replaced; `None` if there was none.
    pub replaced: Option<String>,
    pub rows: u64,
}

impl Run {
    pub fn new(project: &str, target: &str, verdict: Verdict, findings: Vec<Finding>, plan: Plan) -> Self {
        let steps = plan.steps.iter().map(|step| StepRecord::new(&step.name)).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            run_id: plan.run_id.clone(),
            slot: plan.slot.clone(),
            inputs: String::new(),
            project: project.into(),
            target: target.into(),
            provenance: None,
            verdict,
            outcome: None,
            ended_on: None,
            findings,
            adapted: Vec::new(),
            not_carried: Vec::new(),
            acceptable: BTreeSet::new(),
            renames: BTreeMap::new(),
            notes: Vec::new(),
            steps,
            checks: Vec::new(),
            source_rows: BTreeMap::new(),
            published: Vec::new(),
            alert: None,
            delivery: None,
            orphans: Vec::new(),
            error: None,
            shown: BTreeMap::new(),
            crawled_at: None,
            superseded_by: None,
            plan,
        }
    }
}

impl Run {
    /// Notes how the run ended.
    pub(super) fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.ended_on = Some(day(Timestamp::now()));
    }

    /// Whether its publication has begun: readers may see what it built.
    pub fn is_publishing(&self) -> bool {
        let mut steps = self.plan.steps.iter().zip(&self.steps);
        steps.any(|(step, record)| {
            let begun = matches!(record.status, StepStatus::Running | StepStatus::Succeeded);
            begun && matches!(step.action, Action::Publish { .. })
        })
    }

    /// The failed steps, those together that failed for the same reason; each as its index.
    pub fn failures(&self) -> Vec<Vec<usize>> {
        let mut causes: Vec<(&str, Vec<usize>)> = Vec::new();
        for (index, step) in self.steps.iter().enumerate().filter(|(_, step)| step.status == StepStatus::Failed) {
            let cause = self.cause(index, step.error.as_deref().unwrap_or_default());
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, steps)) => steps.push(index),
                None => causes.push((cause, vec![index])),
            }
        }
        causes.into_iter().map(|(_, steps)| steps).collect()
    }

    /// Days from the crawl whose tables were compared to the moment that the run stands for, once that is two or more:
    /// newer files are not seen.
    pub fn crawl_age_days(&self) -> Option<i64> {
        let (crawled, slot): (Timestamp, Timestamp) =
            (self.crawled_at.as_ref()?.parse().ok()?, self.slot.parse().ok()?);
        Some(slot.duration_since(crawled).as_hours() / 24).filter(|days| *days >= 2)
    }

    /// The failed steps, each with its error without its model's file.
    pub(super) fn failed_with(&self) -> impl Iterator<Item = (&str, &str)> {
        let failed = self.steps.iter().enumerate().filter(|(_, step)| step.status == StepStatus::Failed);
        failed.map(|(index, step)| (step.name.as_str(), self.cause(index, step.error.as_deref().unwrap_or_default())))
    }

    /// A failed step's error without its model's file.
    fn cause<'e>(&self, index: usize, error: &'e str) -> &'e str {
        let file = match &self.plan.steps[index].action {
            Action::Build { file, .. } => file.as_str(),
            _ => "",
        };
        error.strip_prefix(file).and_then(|error| error.strip_prefix(": ")).unwrap_or(error)
    }
}

impl StepRecord {
    fn new(name: &str) -> Self {
        let status = StepStatus::Pending;
        Self { name: name.into(), status, attempt: 0, query: None, rows: None, millis: None, error: None }
    }
}

/// A run and the tag of its stored form, so that only one driver can move it on.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub run: Run,
    tag: Option<String>,
}

impl Recorded {
    pub fn new(run: Run) -> Self {
        Self { run, tag: None }
    }

    /// Stores the run as it stands.
    pub async fn save(&mut self, store: &dyn Store) -> Result<(), RunError> {
        self.tag = Some(stored::write(store, &key(&self.run.run_id), &self.run, self.tag.as_deref()).await?);
        Ok(())
    }
}

/// A moment's day in UTC: `2026-01-02`.
pub(super) fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

pub(super) fn key(run_id: &str) -> String {
    format!("runs/{run_id}.json")
}

/// One run's record, or `None`.
pub async fn load(store: &dyn Store, run_id: &str) -> Result<Option<Recorded>, RunError> {
    let key = key(run_id);
    let read = stored::read::<Run>(store, &key).await;
    let Some((run, tag)) = read.map_err(|error| {
        error.advised("put an earlier version of it back; or remove it, and the run is told of as an error")
    })?
    else {
        return Ok(None);
    };
    stored::of_version(store, &key, run.schema_version, SCHEMA_VERSION)?;
    Ok(Some(Recorded { run, tag: Some(tag) }))
}

/// Whether the run with this id does nothing any more; of `run`, which is at its end, only the cleaning up is left.
pub(super) async fn has_ended(store: &dyn Store, run: &Run, id: &str) -> Result<bool, RunError> {
    Ok(id == run.run_id || is_ended(store, id).await?)
}

/// Whether the run with this id is on record and has its outcome.
pub async fn is_ended(store: &dyn Store, id: &str) -> Result<bool, RunError> {
    Ok(load(store, id).await?.is_some_and(|recorded| recorded.run.outcome.is_some()))
}

/// Ids of all runs, oldest first.
pub async fn runs(store: &dyn Store) -> Result<Vec<String>, RunError> {
    let keys = store.list("runs/").await?;
    Ok(keys.iter().filter_map(|key| key.strip_prefix("runs/")?.strip_suffix(".json")).map(str::to_owned).collect())
}
