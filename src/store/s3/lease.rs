//! The run lock in S3: an object that names its holder and when it lapses.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aws_sdk_s3::Client;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::S3Store;
use crate::aws::Call;
use crate::port::{PortError, PortErrorKind};
use crate::store::{Expect, Lease, Object, Store, nonce};

const KEY: &str = "run.lock";
const OPERATION: &str = "take";
const GIVE_BACK: Call = Call::new("give back", "s3:DeleteObject");
/// How often a lock that somebody gives back at that very moment is tried for.
const ATTEMPTS: usize = 3;

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    holder: String,
    /// Tells two processes of one holder apart.
    process: String,
    /// `2026-01-02T03:04:05Z`
    until: String,
}

/// Takes the lock if it is free, was given back, or has lapsed.
pub async fn take(store: &S3Store, holder: &str) -> Result<Lease, PortError> {
    let process = nonce();
    for _ in 0..ATTEMPTS {
        let note = Note { holder: holder.into(), process: process.clone(), until: lapse(store.lease) };
        let expect = match store.get(KEY).await? {
            None => Expect::Absent,
            Some(found) => Expect::Tag(lapsed(store, found)?),
        };
        match store.put(KEY, &bytes(&note), &expect).await {
            Ok(tag) => return Ok(Lease(Box::new(Keeper::start(store.clone(), note, tag)?))),
            Err(error) if error.kind == PortErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(refused(store, "others take it at the same time"))
}

/// The tag of a lock that has lapsed; else who holds it.
fn lapsed(store: &S3Store, found: Object) -> Result<String, PortError> {
    let unreadable = |error: String| {
        let message = format!("the object cannot be read ({error}); remove it if no run is under way");
        PortError::new(PortErrorKind::Invalid, OPERATION, store.subject(KEY), message)
    };
    let note: Note = serde_json::from_slice(&found.bytes).map_err(|error| unreadable(error.to_string()))?;
    let until: Timestamp = note.until.parse().map_err(|error: jiff::Error| unreadable(error.to_string()))?;
    if until > Timestamp::now() {
        return Err(refused(store, &format!("held by {} until {until}", note.holder)));
    }
    Ok(found.tag)
}

fn refused(store: &S3Store, message: &str) -> PortError {
    PortError::new(PortErrorKind::Conflict, OPERATION, format!("the run lock {}", store.subject(KEY)), message)
}

fn bytes(note: &Note) -> Vec<u8> {
    serde_json::to_vec_pretty(note).expect("a note is strings and a moment")
}

fn lapse(after: Duration) -> String {
    let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
    Timestamp::now().checked_add(after).unwrap_or(Timestamp::MAX).to_string()
}

/// Renews the lock until it is dropped, then gives it back. A thread of its own, so that the drop can wait for it on any
/// runtime and a busy one does not let the lock lapse.
struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    fn start(store: S3Store, note: Note, tag: String) -> Result<Self, PortError> {
        let (stop, stopped) = mpsc::channel();
        let failed = |error: std::io::Error| {
            PortError::new(PortErrorKind::Unexpected, OPERATION, "the run lock", error.to_string())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let thread = thread::Builder::new().name("run lock".into()).spawn(move || {
            // The caller's connections belong to the caller's runtime.
            let store = S3Store { client: Client::from_conf(store.client.config().clone()), ..store };
            let mut held = Some(tag);
            while stopped.recv_timeout(store.lease / 3) == Err(RecvTimeoutError::Timeout) {
                held = runtime.block_on(renew(&store, &note, held));
            }
            if let Some(tag) = held {
                runtime.block_on(give_back(&store, &tag));
            }
        });
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(failed)?) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the run lock was not given back; it lapses by itself");
        }
    }
}

/// The new tag; `None` once the lock is somebody else's. The run's own records are then what keeps two drivers apart.
async fn renew(store: &S3Store, note: &Note, held: Option<String>) -> Option<String> {
    let tag = held?;
    let note = Note { holder: note.holder.clone(), process: note.process.clone(), until: lapse(store.lease) };
    let (bytes, expect) = (bytes(&note), Expect::Tag(tag.clone()));
    // One call that hangs must not outlast the lock.
    match tokio::time::timeout(store.lease / 3, store.put(KEY, &bytes, &expect)).await {
        Ok(Ok(tag)) => Some(tag),
        Ok(Err(error)) if error.kind == PortErrorKind::Conflict => ours(store, &note, tag).await,
        Ok(Err(error)) => {
            tracing::warn!("the run lock was not renewed: {error}");
            Some(tag)
        }
        Err(_) => {
            tracing::warn!("the run lock was not renewed: S3 gives no answer");
            Some(tag)
        }
    }
}

/// The tag of a lock that is this process's, though not as it knew it: the answer to an earlier renewal was lost.
async fn ours(store: &S3Store, note: &Note, tag: String) -> Option<String> {
    let found = match tokio::time::timeout(store.lease / 3, store.get(KEY)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::warn!("whether the run lock is still held is not known: {error}");
            return Some(tag);
        }
        Err(_) => {
            tracing::warn!("whether the run lock is still held is not known: S3 gives no answer");
            return Some(tag);
        }
    };
    let is_ours =
        |found: &Object| serde_json::from_slice(&found.bytes).is_ok_and(|kept: Note| kept.process == note.process);
    let kept = found.filter(is_ours).map(|found| found.tag);
    if kept.is_none() {
        tracing::warn!("the run lock was lost to somebody else");
    }
    kept
}

async fn give_back(store: &S3Store, tag: &str) {
    let delete = store.client.delete_object().bucket(&store.folder.bucket).key(store.key(KEY)).if_match(tag);
    if let Err(error) = delete.send().await {
        let error = GIVE_BACK.failed(store.subject(KEY), error);
        tracing::warn!("the run lock was not given back, it lapses by itself: {error}");
    }
}
