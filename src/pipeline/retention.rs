//! Old records of ended runs, and their alerts, are removed.

use jiff::{SignedDuration, Timestamp};

use super::record::{Run, day, key, load};
use super::{Ports, RunError};
use crate::notify::outbox_key;
use crate::plan::{run_id, slot as slot_of};
use crate::port::{PortError, PortErrorKind};

/// Records that one run looks at: it comes every day, and must not take long.
const AT_ONCE: usize = 50;

/// Removes the runs whose slot lies more than `days` back and that ended as long ago: a slot may be caught up on years later.
/// `run` has just been published, so the newest published run, which row counts are compared with, is never among them; nor
/// is one that is unfinished or cannot be read.
pub(super) async fn expire(ports: Ports<'_>, run: &Run, ids: &[String], days: u32) -> Result<(), RunError> {
    let Some(oldest) = oldest_kept(&run.slot, days) else { return Ok(()) };
    let Some(since) = ago(Timestamp::now(), days).map(day) else { return Ok(()) };
    let is_due = |run: &Run| run.outcome.is_some() && run.ended_on.as_ref().is_none_or(|ended| *ended < since);
    for id in ids.iter().filter(|id| **id < oldest && **id != run.run_id).take(AT_ONCE) {
        let ended = match load(ports.store, id).await {
            Ok(recorded) => recorded.is_some_and(|recorded| is_due(&recorded.run)),
            Err(RunError::Record { .. }) => false,
            Err(error) => return Err(error),
        };
        // The alert first: a record that is gone leads to nothing else.
        if ended && remove(ports, &outbox_key(id)).await? {
            remove(ports, &key(id)).await?;
        }
    }
    Ok(())
}

/// The id that a run of the oldest slot to be kept would have. A slot in the future must not age the others.
fn oldest_kept(slot: &str, days: u32) -> Option<String> {
    let slot: Timestamp = slot.parse().ok()?;
    ago(slot.min(Timestamp::now()), days).map(|oldest| run_id(&slot_of(oldest)))
}

fn ago(moment: Timestamp, days: u32) -> Option<Timestamp> {
    moment.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok()
}

/// False if that is not allowed: history that stays must not keep a run from its end.
async fn remove(ports: Ports<'_>, key: &str) -> Result<bool, PortError> {
    match ports.store.remove(key).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind == PortErrorKind::Denied => {
            tracing::warn!(%error, key, "it is kept");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_kept_is_days_before_the_slot_or_now() {
        assert_eq!(oldest_kept("2026-01-02T03:04:05Z", 90).as_deref(), Some("20251004T030405Z"));
        assert!(oldest_kept("9998-01-01T00:00:00Z", 90).unwrap() < run_id("2900-01-01T00:00:00Z"));
        assert_eq!(oldest_kept("no time", 90), None);
        assert_eq!(oldest_kept("2026-01-02T03:04:05Z", u32::MAX), None);
    }
}
