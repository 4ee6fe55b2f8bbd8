//! What people were told: one notice while the same things are wrong, one when they are over.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::{Delivery, Run};
use super::{Ports, Project, RunError, stored};
use crate::notify::{Outbox, render};
use crate::plan::{Alert, AlertKind, Told, slot};
use crate::port::{PortError, PortErrorKind};
use crate::store::{Store, nonce};

const KEY: &str = "alerts/state.json";
/// How long a receipt is waited for. SNS hands a message to Lambda within seconds.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

const SCHEMA_VERSION: u32 = 1;
/// What to do about a state that cannot be read.
const WAY_ON: &str =
    "put an earlier version of it back; or remove it, and people are told once more of what is still wrong";

/// What every target of a store was told, as stored under `alerts/state.json`.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    /// Version 1 was first written without saying so.
    #[serde(default = "first_version")]
    schema_version: u32,
    targets: BTreeMap<String, Target>,
    #[serde(skip)]
    tag: Option<String>,
}

fn first_version() -> u32 {
    SCHEMA_VERSION
}

impl Default for State {
    fn default() -> Self {
        Self { schema_version: SCHEMA_VERSION, targets: BTreeMap::new(), tag: None }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Target {
    /// The last notice; people wait for its end unless it is `resolved`.
    last: Option<Told>,
    /// Notices that could not be sent, oldest first: the next run sends them.
    unsent: Vec<Alert>,
    /// The first of them was handed to the notifier; whether it went out is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sending: Option<Sending>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Sending {
    /// `2026-01-02T03:04:05Z`
    since: String,
    /// Tells one attempt from another: two that wrote the same could not tell which of them came first.
    by: String,
}

/// Where the oldest unsent notice stands.
enum Standing {
    /// The notifier does not have it, or it cannot be known and would have shown by now.
    Unsent,
    /// It may be out, and its receipt may be on its way.
    InDoubt,
    Sent,
}

/// What is left of a target's unsent notices.
enum Flushed {
    All,
    /// The first one left is in doubt.
    InDoubt(String),
    /// Why the first one left could not be sent.
    Failed(PortError),
}

impl Flushed {
    /// Why some are left, if some are.
    fn why(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::InDoubt(why) => Some(why.clone()),
            Self::Failed(error) => Some(error.to_string()),
        }
    }
}

impl Target {
    /// The last notice that people know of, or will before any other.
    fn last(&self) -> Option<Told> {
        self.unsent.last().map(Told::from).or_else(|| self.last.clone())
    }

    /// What of the notice went before, if this run was cut off after it.
    fn delivery_of(&self, run_id: &str) -> Option<Delivery> {
        if self.last.as_ref().is_some_and(|last| last.run_id == run_id) {
            return Some(Delivery::Sent);
        }
        let kept = self.unsent.iter().any(|alert| alert.run_id == run_id);
        kept.then(|| Delivery::Unsent { error: "kept for the next run".into() })
    }
}

impl State {
    async fn load(store: &dyn Store) -> Result<Self, RunError> {
        let read = stored::read::<Self>(store, KEY).await.map_err(|error| error.advised(WAY_ON))?;
        let Some((state, tag)) = read else { return Ok(Self::default()) };
        stored::of_version(store, KEY, state.schema_version, SCHEMA_VERSION).map_err(|error| error.advised(WAY_ON))?;
        Ok(Self { tag: Some(tag), ..state })
    }

    async fn save(&mut self, store: &dyn Store) -> Result<(), RunError> {
        self.tag = Some(stored::write(store, KEY, self, self.tag.as_deref()).await?);
        Ok(())
    }
}

/// The last notice of `target` whose end people still wait for.
pub(super) async fn open(store: &dyn Store, target: &str) -> Result<Option<Told>, RunError> {
    let state = State::load(store).await?;
    let last = state.targets.get(target).and_then(Target::last);
    Ok(last.filter(|last| last.kind != AlertKind::Resolved))
}

/// Sends what earlier runs could not, then `alert`, unless people were told the same within `remind_after_days` of the
/// run's slot. What cannot be sent is kept: it does not fail the run. Repeated after a crash, it says nothing twice where
/// the notifier leaves receipts, or knows a run's notice by its id.
pub(super) async fn tell(
    ports: Ports<'_>,
    project: &Project,
    run: &Run,
    alert: Option<&Alert>,
    remind_after_days: u32,
) -> Result<Option<Delivery>, RunError> {
    let mut state = State::load(ports.store).await?;
    let flushed = flush(ports, project, &mut state, &run.target).await?;
    let Some(alert) = alert else { return Ok(None) };
    let target = state.targets.entry(run.target.clone()).or_default();
    if let Some(before) = target.delivery_of(&run.run_id) {
        return Ok(Some(before));
    }
    if let Some(last) = target.last().filter(|last| is_repetition(last, alert, remind_after_days)) {
        return Ok(Some(match flushed.why() {
            None => Delivery::AlreadyTold { run_id: last.run_id, slot: last.slot },
            // What waits to be sent says the same, and nobody knows it yet.
            Some(why) => {
                Delivery::Unsent { error: format!("that of run {} says the same, and is kept: {why}", last.run_id) }
            }
        }));
    }
    target.unsent.push(alert.clone());
    let error = match flush(ports, project, &mut state, &run.target).await? {
        Flushed::All => return Ok(Some(Delivery::Sent)),
        Flushed::Failed(error) => error.to_string(),
        Flushed::InDoubt(error) => {
            // It is an earlier notice that stands before this one.
            state.save(ports.store).await?;
            error
        }
    };
    Ok(Some(Delivery::Unsent { error }))
}

/// Sends what earlier runs could not, where no run is under way that would; of two drivers at once, one does it.
pub(super) async fn send_kept(ports: Ports<'_>, project: &Project, target: &str, holder: &str) -> Result<(), RunError> {
    let is_kept = |state: &State| state.targets.get(target).is_some_and(|target| !target.unsent.is_empty());
    if !is_kept(&State::load(ports.store).await?) {
        return Ok(());
    }
    let _lease = match ports.store.lock(holder).await {
        Err(error) if error.kind == PortErrorKind::Conflict => return Ok(()),
        lease => lease?,
    };
    let mut state = State::load(ports.store).await?;
    match flush(ports, project, &mut state, target).await? {
        Flushed::Failed(error) => Err(PortError::new(error.kind, "send", "a kept alert", error.to_string()).into()),
        Flushed::All | Flushed::InDoubt(_) => Ok(()),
    }
}

/// Sends the kept notices in order. Each is noted before it goes out and after: whoever is cut off in between leaves the
/// note to whoever comes next, and of two who would send it at once, for want of a lock, one is overtaken at the note.
async fn flush(ports: Ports<'_>, project: &Project, state: &mut State, name: &str) -> Result<Flushed, RunError> {
    while let Some(alert) = state.targets.get(name).and_then(|target| target.unsent.first().cloned()) {
        let target = state.targets.entry(name.to_owned()).or_default();
        match standing(ports, target.sending.as_ref(), &alert).await? {
            Standing::Sent => {}
            Standing::InDoubt => return Ok(Flushed::InDoubt(in_doubt(&alert))),
            Standing::Unsent => {
                target.sending = Some(Sending { since: slot(Timestamp::now()), by: nonce() });
                state.save(ports.store).await?;
                if let Err(error) = send(ports, project, &alert).await? {
                    return failed(ports, state, name, error).await;
                }
            }
        }
        let target = state.targets.entry(name.to_owned()).or_default();
        target.unsent.remove(0);
        target.sending = None;
        target.last = Some(Told::from(&alert));
        state.save(ports.store).await?;
    }
    Ok(Flushed::All)
}

/// Whether a notice went out that was handed to the notifier: what did is in the outbox, where somebody keeps it there.
async fn standing(ports: Ports<'_>, sending: Option<&Sending>, alert: &Alert) -> Result<Standing, RunError> {
    let Some(Sending { since, .. }) = sending else { return Ok(Standing::Unsent) };
    if Outbox::new(ports.store).sent(&alert.run_id).await?.is_some() {
        return Ok(Standing::Sent);
    }
    let is_young = age(since, &slot(Timestamp::now())).is_some_and(|age| age < PATIENCE);
    let waits = is_young && ports.notifier.leaves_receipts();
    Ok(if waits { Standing::InDoubt } else { Standing::Unsent })
}

async fn send(ports: Ports<'_>, project: &Project, alert: &Alert) -> Result<Result<(), PortError>, RunError> {
    // A template that fails on just these facts must not cost the alert: the built-in texts always render.
    let text = render(alert, &project.templates).or_else(|_| render(alert, &[]))?;
    Ok(ports.notifier.send(alert, &text).await)
}

/// What was surely not taken may be sent at once by whoever comes next.
async fn failed(ports: Ports<'_>, state: &mut State, name: &str, error: PortError) -> Result<Flushed, RunError> {
    if !error.may_have_taken_effect() {
        state.targets.entry(name.to_owned()).or_default().sending = None;
        state.save(ports.store).await?;
    }
    Ok(Flushed::Failed(error))
}

fn in_doubt(alert: &Alert) -> String {
    format!("whether the alert of run {} went out is not known yet", alert.run_id)
}

fn is_repetition(last: &Told, alert: &Alert, remind_after_days: u32) -> bool {
    let same = last.kind == alert.kind && last.fingerprint == alert.fingerprint;
    let patience = SignedDuration::from_hours(24 * i64::from(remind_after_days));
    same && age(&last.slot, &alert.slot).is_some_and(|age| age < patience)
}

/// From one slot to another; a slot that cannot be read is no reason for silence.
fn age(from: &str, to: &str) -> Option<SignedDuration> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    Some(to.duration_since(from))
}
