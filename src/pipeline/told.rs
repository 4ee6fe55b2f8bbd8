//! What people were told: one notice while the same things are wrong, one when they are over.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::record::{Delivery, Run};
use super::{Ports, Project, RunError, stored};
use crate::notify::render;
use crate::plan::{Alert, AlertKind, Told};
use crate::port::{PortError, PortErrorKind};
use crate::store::Store;

const KEY: &str = "alerts/state.json";

/// What every target of a store was told, as stored under `alerts/state.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    targets: BTreeMap<String, Target>,
    #[serde(skip)]
    tag: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Target {
    /// The last notice; people wait for its end unless it is `resolved`.
    last: Option<Told>,
    /// Notices that could not be sent, oldest first: the next run sends them.
    unsent: Vec<Alert>,
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
        let Some((state, tag)) = stored::read::<Self>(store, KEY).await? else { return Ok(Self::default()) };
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
/// run's slot. What cannot be sent is kept: it does not fail the run. Repeated after a crash, it says nothing twice to a
/// notifier that knows a run's notice by its id.
pub(super) async fn tell(
    ports: Ports<'_>,
    project: &Project,
    run: &Run,
    alert: Option<&Alert>,
    remind_after_days: u32,
) -> Result<Option<Delivery>, RunError> {
    let mut state = State::load(ports.store).await?;
    flush(ports, project, &mut state, &run.target).await?;
    let Some(alert) = alert else { return Ok(None) };
    let target = state.targets.entry(run.target.clone()).or_default();
    if let Some(before) = target.delivery_of(&run.run_id) {
        return Ok(Some(before));
    }
    if let Some(last) = target.last().filter(|last| is_repetition(last, alert, remind_after_days)) {
        return Ok(Some(Delivery::AlreadyTold { run_id: last.run_id, slot: last.slot }));
    }
    target.unsent.push(alert.clone());
    let failed = flush(ports, project, &mut state, &run.target).await?;
    Ok(Some(failed.map_or(Delivery::Sent, |error| Delivery::Unsent { error })))
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
        Some(error) => Err(PortError::new(PortErrorKind::Unavailable, "send", "a kept alert", error).into()),
        None => Ok(()),
    }
}

/// Sends the kept notices in order, each noted as soon as it is out; the answer is why the first one left is left.
async fn flush(ports: Ports<'_>, project: &Project, state: &mut State, name: &str) -> Result<Option<String>, RunError> {
    while let Some(alert) = state.targets.get(name).and_then(|target| target.unsent.first().cloned()) {
        // A template that fails on just these facts must not cost the alert: the built-in texts always render.
        let text = render(&alert, &project.templates).or_else(|_| render(&alert, &[]))?;
        if let Err(error) = ports.notifier.send(&alert, &text).await {
            state.save(ports.store).await?;
            return Ok(Some(error.to_string()));
        }
        let target = state.targets.entry(name.to_owned()).or_default();
        target.unsent.remove(0);
        target.last = Some(Told::from(&alert));
        state.save(ports.store).await?;
    }
    Ok(None)
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
