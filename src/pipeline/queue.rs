//! What is asked for: slots to be run, one at a time, and crawls. Stored as `queue.json`; every write is conditional.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{RunError, stored};
use crate::plan::slot;
use crate::store::Store;

const KEY: &str = "queue.json";
const SCHEMA_VERSION: u32 = 1;
/// What to do about a queue that cannot be read.
const WAY_ON: &str = "put an earlier version of it back; or remove it, and ask again for what `crawlguard runs` shows as under \
                      way: `crawlguard run --slot` with its slot";
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
        let read = stored::read::<Self>(store, KEY).await.map_err(|error| error.advised(WAY_ON))?;
        let Some((queue, tag)) = read else {
            let (waiting, schema_version) = (Vec::new(), SCHEMA_VERSION);
            return Ok(Self { schema_version, active: None, waiting, newest: None, crawl: None, tag: None });
        };
        stored::of_version(store, KEY, queue.schema_version, SCHEMA_VERSION).map_err(|error| error.advised(WAY_ON))?;
        Ok(Self { tag: Some(tag), ..queue })
    }

    pub(super) async fn save(&self, store: &dyn Store) -> Result<(), RunError> {
        stored::write(store, KEY, self, self.tag.as_deref()).await.map(drop)
    }

    /// Makes the oldest waiting slot the active one; false if none waits. A slot that is still to come shows what is there
    /// `now`, and so takes no place of the slots until then.
    pub(super) fn take_up(&mut self, now: &str) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let slot = self.waiting.remove(0);
        self.newest = self.newest.take().max(Some(slot.slot.as_str().min(now).to_owned()));
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

    /// Of runs for the same reason that have not begun, the last one shows what the others would. One for a moment after
    /// `until` is still to come, and takes no place of those before.
    fn merge(&mut self, why: &Why, until: Option<&str>) {
        let is_meant = |known: &Slot| known.why == *why && until.is_none_or(|until| known.slot.as_str() <= until);
        let again = self.waiting.iter().filter(|known| is_meant(known)).map(|known| known.again).max();
        let last = self.waiting.iter().rposition(is_meant);
        let mut at = 0..;
        self.waiting.retain(|known| at.next() == last || !is_meant(known));
        if let Some(last) = self.waiting.iter_mut().find(|known| is_meant(known)) {
            last.again = again.unwrap_or_default();
        }
    }

    fn add(&mut self, slot: &str, why: &Why, now: &str) -> Asked {
        if self.active.iter().chain(&self.waiting).any(|known| known.slot == slot) {
            return Asked::Known;
        }
        if let Some(newest) = self.newest.as_deref().filter(|newest| *newest >= slot) {
            return if newest == slot { Asked::Known } else { Asked::Overtaken { by: newest.to_owned() } };
        }
        self.waiting.push(Slot { slot: slot.into(), why: why.clone(), begun: false, again: 0 });
        self.waiting.sort_by(|a, b| a.slot.cmp(&b.slot));
        self.merge(&Why::Crawl, None);
        self.merge(&Why::Daily, Some(now));
        Asked::New
    }
}

/// What became of a slot that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    New,
    /// It waits, is under way, or was the newest that was run.
    Known,
    /// It needs no run: the one for a later slot has seen all that it would see.
    Overtaken {
        by: String,
    },
}

impl Asked {
    /// Why a slot is not taken up, and what to do if it is wanted all the same.
    pub fn refusal(&self, slot: &str) -> Option<String> {
        match self {
            Self::New => None,
            Self::Known => Some(format!("slot {slot} was asked for already, and a slot is run once")),
            Self::Overtaken { by } => Some(format!(
                "slot {slot} is older than {by}, whose run has begun already: it would show nothing new; for another run \
                 ask for a slot after {by}"
            )),
        }
    }
}

/// The queue as it stands.
pub async fn status(store: &dyn Store) -> Result<Queue, RunError> {
    Queue::load(store).await
}

/// The slot whose run is under way, or else the one that is run next.
pub async fn under_way(store: &dyn Store) -> Result<Option<Slot>, RunError> {
    let queue = Queue::load(store).await?;
    let is_run = |slot: &Slot| !matches!(slot.why, Why::CrawlFailed { .. });
    Ok(queue.active.into_iter().chain(queue.waiting).find(is_run))
}

/// The slot that a run for now goes on with, if it would show nothing else: the one under way, or else the last that
/// waits. `None` if there is none.
pub async fn joined(store: &dyn Store) -> Result<Option<Slot>, RunError> {
    let queue = Queue::load(store).await?;
    let now = slot(Timestamp::now());
    let is_run = |known: &Slot| !matches!(known.why, Why::CrawlFailed { .. }) && known.slot <= now;
    Ok(queue.active.filter(is_run).or_else(|| queue.waiting.into_iter().rev().find(is_run)))
}

/// Asks for a run for `slot`.
pub async fn enqueue(store: &dyn Store, slot: &str, why: Why) -> Result<Asked, RunError> {
    let now = self::slot(Timestamp::now());
    change(store, |queue| {
        let asked = queue.add(slot, &why, &now);
        (asked == Asked::New, asked)
    })
    .await
}

/// Asks for a crawl as soon as the one under way has ended, for a file that arrived by `moment`.
pub async fn ask_for_crawl(store: &dyn Store, moment: &str) -> Result<(), RunError> {
    let ask = |queue: &mut Queue| {
        queue.crawl = queue.crawl.take().max(Some(moment.to_owned()));
        (true, ())
    };
    change(store, ask).await
}

/// Notes that a crawl began after the file that arrived by `moment`; one that arrived later still waits.
pub async fn crawl_began(store: &dyn Store, moment: &str) -> Result<(), RunError> {
    let note = |queue: &mut Queue| (queue.crawl.take_if(|asked| asked.as_str() <= moment).is_some(), ());
    change(store, note).await
}

/// Stores what `change` makes of the queue, if it says that it made anything of it, and looks again when overtaken.
async fn change<T>(store: &dyn Store, change: impl Fn(&mut Queue) -> (bool, T)) -> Result<T, RunError> {
    for _ in 0..LOOKS {
        let mut queue = Queue::load(store).await?;
        let (is_changed, made) = change(&mut queue);
        if !is_changed {
            return Ok(made);
        }
        match queue.save(store).await {
            Err(RunError::Overtaken { .. }) => {}
            saved => return saved.map(|()| made),
        }
    }
    Err(RunError::Overtaken { key: KEY.into() })
}
