//! What is asked for: slots to be run, one at a time, and crawls. Stored as `queue.json`; every write is conditional.

use serde::{Deserialize, Serialize};

use super::{RunError, stored};
use crate::store::Store;

const KEY: &str = "queue.json";
const SCHEMA_VERSION: u32 = 1;
/// How often a writer that was overtaken looks again.
pub(super) const LOOKS: usize = 50;

/// The stored queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Queue {
    schema_version: u32,
    /// The run under way.
    pub active: Option<Slot>,
    /// Oldest first.
    pub waiting: Vec<Slot>,
    /// The newest slot that was ever taken up: an older one would show nothing that its run did not.
    pub newest: Option<String>,
    /// The moment of the last file that the crawl under way may have missed: another one is to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawl: Option<String>,
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

impl Queue {
    pub(super) async fn load(store: &dyn Store) -> Result<Self, RunError> {
        let Some((queue, tag)) = stored::read::<Self>(store, KEY).await? else {
            let (waiting, schema_version) = (Vec::new(), SCHEMA_VERSION);
            return Ok(Self { schema_version, active: None, waiting, newest: None, crawl: None, tag: None });
        };
        stored::of_version(KEY, queue.schema_version, SCHEMA_VERSION)?;
        Ok(Self { tag: Some(tag), ..queue })
    }

    pub(super) async fn save(&self, store: &dyn Store) -> Result<(), RunError> {
        stored::write(store, KEY, self, self.tag.as_deref()).await.map(drop)
    }

    /// Makes the oldest waiting slot the active one; false if none waits.
    pub(super) fn take_up(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let slot = self.waiting.remove(0);
        self.newest = self.newest.take().max(Some(slot.slot.clone()));
        self.active = Some(slot);
        true
    }

    fn add(&mut self, slot: &str, why: &Why) -> bool {
        if self.is_seen(slot) {
            return false;
        }
        self.waiting.push(Slot { slot: slot.into(), why: why.clone(), begun: false });
        self.waiting.sort_by(|a, b| a.slot.cmp(&b.slot));
        // Of crawls that no run has begun with, the last one shows what the others would.
        let last = self.waiting.iter().rposition(|known| known.why == Why::Crawl);
        let mut at = 0..;
        self.waiting.retain(|known| at.next() == last || known.why != Why::Crawl);
        true
    }

    fn is_seen(&self, slot: &str) -> bool {
        let newer = self.newest.as_deref().is_some_and(|newest| newest >= slot);
        newer || self.active.iter().chain(&self.waiting).any(|known| known.slot == slot)
    }
}

/// The queue as it stands.
pub async fn status(store: &dyn Store) -> Result<Queue, RunError> {
    Queue::load(store).await
}

/// Asks for a run for `slot`. False if it needs none: it was run, is to be run, or a newer one has seen all it would see.
pub async fn enqueue(store: &dyn Store, slot: &str, why: Why) -> Result<bool, RunError> {
    change(store, |queue| queue.add(slot, &why)).await
}

/// Asks for a crawl as soon as the one under way has ended, for a file that arrived by `moment`.
pub async fn ask_for_crawl(store: &dyn Store, moment: &str) -> Result<(), RunError> {
    let ask = |queue: &mut Queue| {
        queue.crawl = queue.crawl.take().max(Some(moment.to_owned()));
        true
    };
    change(store, ask).await.map(drop)
}

/// Notes that a crawl began after the file that arrived by `moment`; one that arrived later still waits.
pub async fn crawl_began(store: &dyn Store, moment: &str) -> Result<(), RunError> {
    let note = |queue: &mut Queue| queue.crawl.take_if(|asked| asked.as_str() <= moment).is_some();
    change(store, note).await.map(drop)
}

/// Stores what `change` makes of the queue, if it makes anything of it, and looks again when overtaken.
async fn change(store: &dyn Store, change: impl Fn(&mut Queue) -> bool) -> Result<bool, RunError> {
    for _ in 0..LOOKS {
        let mut queue = Queue::load(store).await?;
        if !change(&mut queue) {
            return Ok(false);
        }
        match queue.save(store).await {
            Err(RunError::Overtaken { .. }) => {}
            saved => return saved.map(|()| true),
        }
    }
    Err(RunError::Overtaken { key: KEY.into() })
}
