//! Data that no catalog entry shows: noted when that is first seen, removed when no query can be reading it any more.
//!
//! A reader holds the location that its query began with, whatever the catalog shows since. So the clock starts when a
//! location is first seen without an entry, which is never before its last reader began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::advance::ATTEMPTS;
use super::cleanup::has_ended;
use super::record::{Run, put};
use super::{Ports, RunError};
use crate::port::PortErrorKind;
use crate::store::Expect;

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
    let now = Timestamp::now().to_string();
    if ports.engine.longest_query().is_zero() {
        let since = suspects.into_iter().map(|location| (location, now.clone())).collect();
        return Ok(Garbage { schema_version: SCHEMA_VERSION, since, tag: None });
    }
    let mut garbage = Garbage::load(ports).await?;
    let before = garbage.since.len();
    for location in suspects {
        garbage.since.entry(location).or_insert(now.clone());
    }
    if garbage.since.len() != before {
        garbage.save(ports).await?;
    }
    Ok(garbage)
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
    for location in due {
        if shown.contains(&location) {
            garbage.since.remove(&location);
        } else if is_free(ports, run, ids, &location).await? && discarded(ports, &location).await? {
            garbage.since.remove(&location);
        }
    }
    if ports.engine.longest_query().is_zero() { Ok(()) } else { garbage.save(ports).await }
}

/// Whether no unfinished run writes there.
async fn is_free(ports: Ports<'_>, run: &Run, ids: &[String], location: &str) -> Result<bool, RunError> {
    // Which model it is of stands in the location alone.
    let parts: Vec<&str> = location.rsplit('/').take(2).collect();
    let model = parts.last().copied().unwrap_or_default();
    let is_of = |id: &str| (1..=ATTEMPTS).any(|attempt| folder(&ports.engine.location(model, id, attempt)) == location);
    match ids.iter().find(|id| is_of(id)) {
        Some(owner) => has_ended(ports, run, owner).await,
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
        let Some(object) = ports.store.get(KEY).await? else {
            return Ok(Self { schema_version: SCHEMA_VERSION, since: BTreeMap::new(), tag: None });
        };
        let unreadable = |message: String| {
            let message = format!("{message}; remove it, and what it noted is noted anew where it can be found");
            RunError::Record { key: KEY.into(), message }
        };
        let garbage: Self = serde_json::from_slice(&object.bytes).map_err(|error| unreadable(error.to_string()))?;
        if garbage.schema_version != SCHEMA_VERSION {
            return Err(unreadable(format!("schema version {} is not known", garbage.schema_version)));
        }
        if let Some(since) = garbage.since.values().find(|since| since.parse::<Timestamp>().is_err()) {
            return Err(unreadable(format!("`{since}` is no time")));
        }
        Ok(Self { tag: Some(object.tag), ..garbage })
    }

    async fn save(&mut self, ports: Ports<'_>) -> Result<(), RunError> {
        let bytes = serde_json::to_vec_pretty(self).expect("the notes are plain JSON");
        let expect = self.tag.clone().map_or(Expect::Absent, Expect::Tag);
        self.tag = Some(put(ports.store, KEY, &bytes, &expect).await?);
        Ok(())
    }
}
