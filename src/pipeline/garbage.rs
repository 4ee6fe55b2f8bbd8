//! Data that no catalog entry shows: noted when that is first seen, removed when no query can be reading it any more.
//!
//! A reader holds the location that its query began with, whatever the catalog shows since. So the clock starts when a
//! location is first seen without an entry, which is never before its last reader began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::advance::ATTEMPTS;
use super::record::{Run, has_ended};
use super::{Ports, RunError, stored};
use crate::port::{PortErrorKind, at_once};

const KEY: &str = "garbage.json";
const SCHEMA_VERSION: u32 = 1;

/// Locations that nothing shows, each with when that was first seen; stored as `garbage.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Garbage {
    schema_version: u32,
    /// Location without its last slash → `2026-01-02T03:04:05Z`.
    since: BTreeMap<String, String>,
    #[serde(skip)]
    tag: Option<String>,
}

/// A location however it is spelt: engines differ on its last slash, and what is live must be recognised.
pub(super) fn folder(location: &str) -> String {
    location.trim_end_matches('/').to_owned()
}

/// The garbage, `suspects` among it. It is stored before anything that names a location is dropped, so that none is lost
/// of which only the catalog knows.
pub(super) async fn noted(ports: Ports<'_>, suspects: BTreeSet<String>) -> Result<Garbage, RunError> {
    let now = Timestamp::now();
    if ports.engine.longest_query().is_zero() {
        let since = suspects.into_iter().map(|location| (location, now.to_string())).collect();
        return Ok(Garbage { schema_version: SCHEMA_VERSION, since, tag: None });
    }
    let mut garbage = Garbage::load(ports).await?;
    let before = garbage.since.len();
    for location in suspects {
        garbage.since.entry(location).or_insert_with(|| next_hour(now).to_string());
    }
    if garbage.since.len() != before {
        garbage.save(ports).await?;
    }
    Ok(garbage)
}

/// The full hour that comes: a cleanup that is repeated notes the same, and later is as safe.
fn next_hour(now: Timestamp) -> Timestamp {
    let hour = (now.as_second().div_euclid(3600) + 1) * 3600;
    Timestamp::from_second(hour).unwrap_or(Timestamp::MAX)
}

/// Removes what no query can be reading any more, unless a table shows it after all or an unfinished run writes it.
pub(super) async fn collect(
    ports: Ports<'_>,
    run: &Run,
    ids: &[String],
    garbage: &mut Garbage,
) -> Result<(), RunError> {
    let patience = SignedDuration::try_from(ports.engine.longest_query()).expect("hours fit");
    let now = Timestamp::now();
    let is_due = |since: &str| since.parse().is_ok_and(|since: Timestamp| now.duration_since(since) >= patience);
    let due = garbage.since.iter().filter(|(_, since)| is_due(since));
    let due: Vec<String> = due.map(|(location, _)| location.clone()).collect();
    if due.is_empty() {
        return Ok(());
    }
    let tables = ports.catalog.tables("").await?;
    let shown: BTreeSet<String> = tables.iter().filter_map(|table| table.location.as_deref()).map(folder).collect();
    let settled = at_once(due.iter().map(async |location| {
        Ok::<_, RunError>(
            is_shown(&shown, location)
                || (is_free(ports, run, ids, location).await? && discarded(ports, location).await?),
        )
    }));
    for (location, is_settled) in due.iter().zip(settled.await) {
        if is_settled? {
            garbage.since.remove(location);
        }
    }
    if ports.engine.longest_query().is_zero() { Ok(()) } else { garbage.save(ports).await }
}

/// Whether a table shows the location, a folder in it, or one that it is in.
fn is_shown(shown: &BTreeSet<String>, location: &str) -> bool {
    let is_in = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    shown.iter().any(|table| table == location || is_in(table, location) || is_in(location, table))
}

/// Whether no unfinished run writes there.
async fn is_free(ports: Ports<'_>, run: &Run, ids: &[String], location: &str) -> Result<bool, RunError> {
    // Which model it is of stands in the location alone.
    let parts: Vec<&str> = location.rsplit('/').take(2).collect();
    let model = parts.last().copied().unwrap_or_default();
    let is_of = |id: &str| (1..=ATTEMPTS).any(|attempt| folder(&ports.engine.location(model, id, attempt)) == location);
    match ids.iter().find(|id| is_of(id)) {
        Some(owner) => has_ended(ports.store, run, owner).await,
        None => Ok(true),
    }
}

/// Removes a location's files; false if that has to wait for a right that is not given. It must not keep a run from its end.
async fn discarded(ports: Ports<'_>, location: &str) -> Result<bool, RunError> {
    match ports.engine.discard(&format!("{location}/")).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind == PortErrorKind::Denied => {
            tracing::warn!(%error, location, "garbage is kept");
            Ok(false)
        }
        // No place of a build: whoever made it has to remove it.
        Err(error) if error.kind == PortErrorKind::Invalid => {
            tracing::warn!(%error, location, "left alone");
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

impl Garbage {
    async fn load(ports: Ports<'_>) -> Result<Self, RunError> {
        let found = Self::read(ports).await;
        found.map_err(|error| error.advised("remove it, and what it noted is noted anew where it can be found"))
    }

    async fn read(ports: Ports<'_>) -> Result<Self, RunError> {
        let Some((garbage, tag)) = stored::read::<Self>(ports.store, KEY).await? else {
            return Ok(Self { schema_version: SCHEMA_VERSION, since: BTreeMap::new(), tag: None });
        };
        stored::of_version(ports.store, KEY, garbage.schema_version, SCHEMA_VERSION)?;
        if let Some(since) = garbage.since.values().find(|since| since.parse::<Timestamp>().is_err()) {
            return Err(RunError::record(&ports.store.place(KEY), format!("`{since}` is no time")));
        }
        Ok(Self { tag: Some(tag), ..garbage })
    }

    async fn save(&mut self, ports: Ports<'_>) -> Result<(), RunError> {
        self.tag = Some(stored::write(ports.store, KEY, self, self.tag.as_deref()).await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_shown_by_a_table_on_it_in_it_or_around_it() {
        let shown = |table: &str| is_shown(&[table.to_owned()].into(), "s3://b/t/fact/1_1");
        assert!(["s3://b/t/fact/1_1", "s3://b/t/fact/1_1/x", "s3://b/t"].into_iter().all(shown));
        assert!(
            !["s3://b/t/fact/1_10", "s3://b/t/fact/1", "s3://c/t/fact/1_1", "s3://b/t/fact/2_1"].into_iter().any(shown)
        );
    }

    #[test]
    fn what_is_noted_is_the_hour_that_comes() {
        let next = |now: &str| next_hour(now.parse().unwrap()).to_string();
        assert_eq!(next("2026-01-02T03:04:05Z"), "2026-01-02T04:00:00Z");
        assert_eq!(next("2026-01-02T03:00:00Z"), "2026-01-02T04:00:00Z");
        assert_eq!(next("2026-12-31T23:59:59.999Z"), "2027-01-01T00:00:00Z");
    }
}
