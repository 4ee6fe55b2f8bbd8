//! What is asked for: slots to be run, one at a time, and crawls. Stored as `queue.json`; every write is conditional.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RunError, stored};
use crate::plan::slot;
use crate::store::Store;

const KEY: &str = "queue.json";
const SCHEMA_VERSION: u32 = 1;
/// A run that its tables overtake is taken over so often in a row; then people are told.
const AGAIN: u32 = 2;
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
    /// How many runs before it, one after the other, were overtaken by changing tables.
    #[serde(default)]
    pub again: u32,
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

    /// The slot that takes the place of the active one, whose run was overtaken by its tables: the next that is to be run,
    /// or now. `None` once that has happened too often.
    pub(super) fn successor(&self, active: &Slot, now: Timestamp) -> Option<String> {
        let is_run = |waiting: &&Slot| !matches!(waiting.why, Why::CrawlFailed { .. });
        let next = || self.waiting.iter().find(is_run).map(|next| next.slot.clone());
        let after: Option<Timestamp> = active.slot.parse().ok();
        let later =
            || after.map_or(now, |after| now.max(after.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now)));
        (active.again < AGAIN).then(|| next().unwrap_or_else(|| slot(later())))
    }

    /// Lets `slot` take the place of the active one.
    pub(super) fn supersede(&mut self, active: &Slot, slot: &str) {
        let again = active.again + 1;
        match self.waiting.iter_mut().find(|known| known.slot == slot) {
            Some(next) => next.again = again,
            None => self.waiting.insert(0, Slot { slot: slot.into(), why: active.why.clone(), begun: false, again }),
        }
    }

    fn add(&mut self, slot: &str, why: &Why) -> bool {
        if self.is_seen(slot) {
            return false;
        }
        self.waiting.push(Slot { slot: slot.into(), why: why.clone(), begun: false, again: 0 });
        self.waiting.sort_by(|a, b| a.slot.cmp(&b.slot));
        // Of crawls that no run has begun with, the last one shows what the others would.
        let crawls = || self.waiting.iter().filter(|known| known.why == Why::Crawl);
        let again = crawls().map(|crawl| crawl.again).max();
        let last = self.waiting.iter().rposition(|known| known.why == Why::Crawl);
        let mut at = 0..;
        self.waiting.retain(|known| at.next() == last || known.why != Why::Crawl);
        if let Some(last) = self.waiting.iter_mut().find(|known| known.why == Why::Crawl) {
            last.again = again.unwrap_or_default();
        }
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
