//! S3 as a store: conditional writes and the run lock.

use std::time::Duration;

use crawlguard::aws::{self, S3Folder};
use crawlguard::port::PortErrorKind;
use crawlguard::store::s3::S3Store;
use crawlguard::store::{Expect, Store};

use super::lake::Lake;

fn store(lake: &Lake) -> S3Store {
    let folder = S3Folder::parse(&format!("s3://{}/state", lake.bucket)).unwrap();
    S3Store::new(aws::s3(&lake.config), folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_needs_what_it_expects() {
    let store = store(&Lake::new("store").await);
    assert_eq!(store.get("runs/a.json").await.unwrap(), None);
    let first = store.put("runs/a.json", b"1", &Expect::Absent).await.unwrap();
    assert_eq!(store.put("runs/a.json", b"2", &Expect::Absent).await.unwrap_err().kind, PortErrorKind::Conflict);
    let second = store.put("runs/a.json", b"2", &Expect::Tag(first.clone())).await.unwrap();
    assert_eq!(
        store.put("runs/a.json", b"3", &Expect::Tag(first.clone())).await.unwrap_err().kind,
        PortErrorKind::Conflict
    );
    let found = store.get("runs/a.json").await.unwrap().unwrap();
    assert_eq!((found.bytes.as_slice(), &found.tag), (b"2".as_slice(), &second));
    // The write that took effect and lost its answer, sent again.
    assert_eq!(store.put("runs/a.json", b"2", &Expect::Tag(first.clone())).await.unwrap(), second);
    assert_eq!(store.put("runs/gone.json", b"1", &Expect::Tag(first)).await.unwrap_err().kind, PortErrorKind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_one_wins() {
    let store = store(&Lake::new("writers").await);
    for round in 0..10 {
        let key = format!("runs/{round}.json");
        let (a, b) = tokio::join!(store.put(&key, b"a", &Expect::Absent), store.put(&key, b"b", &Expect::Absent));
        let kinds: Vec<_> = [&a, &b].into_iter().filter_map(|put| put.as_ref().err()).map(|error| error.kind).collect();
        assert_eq!(kinds, [PortErrorKind::Conflict]);
        let winner = if a.is_ok() { b"a" } else { b"b" };
        assert_eq!(store.get(&key).await.unwrap().unwrap().bytes, winner);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_over_pages() {
    let store = store(&Lake::new("list").await);
    for number in 0..1005 {
        store.put(&format!("runs/{number:04}.json"), b"1", &Expect::Absent).await.unwrap();
    }
    store.put("other/1.json", b"1", &Expect::Absent).await.unwrap();
    let keys: Vec<_> = (0..1005).map(|number| format!("runs/{number:04}.json")).collect();
    assert_eq!(store.list("runs/").await.unwrap(), keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_bucket_is_named() {
    let mut lake = Lake::new("bucket").await;
    lake.bucket = "no-such-bucket-anywhere".into();
    for error in [
        store(&lake).get("a").await.unwrap_err(),
        store(&lake).list("a").await.unwrap_err(),
        store(&lake).put("a", b"1", &Expect::Absent).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, PortErrorKind::NotFound);
        assert!(error.to_string().contains("no-such-bucket-anywhere"), "{error}");
    }
}

/// On one thread: giving back must not need the runtime that the drop blocks.
#[tokio::test]
async fn a_lock_is_held_renewed_and_given_back() {
    let store = store(&Lake::new("lock").await).with_lease(Duration::from_secs(2));
    let lease = store.lock("ann, run 7").await.unwrap();
    let first = store.get("run.lock").await.unwrap().unwrap();
    let refused = store.lock("bob").await.err().unwrap();
    assert_eq!(refused.kind, PortErrorKind::Conflict);
    assert!(refused.to_string().contains("ann, run 7"), "{refused}");
    // Watched until it is another object: renewed before it lapsed.
    while store.get("run.lock").await.unwrap().unwrap() == first {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(store.lock("bob").await.is_err());
    drop(lease);
    assert_eq!(store.get("run.lock").await.unwrap(), None);
    drop(store.lock("bob").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_holders_lock_lapses() {
    let store = store(&Lake::new("lapse").await);
    let note = |until: &str| format!("{{\"holder\":\"ann\",\"process\":\"1\",\"until\":\"{until}\"}}");
    let dead = store.put("run.lock", note("2026-01-02T03:04:05Z").as_bytes(), &Expect::Absent).await.unwrap();
    let (a, b) = tokio::join!(store.lock("bob"), store.lock("eve"));
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|taken| **taken).count(), 1, "one takes it over");
    assert_ne!(store.get("run.lock").await.unwrap().unwrap().tag, dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_cannot_be_read_is_not_taken() {
    let store = store(&Lake::new("garbled").await);
    store.put("run.lock", b"{", &Expect::Absent).await.unwrap();
    assert_eq!(store.lock("bob").await.err().unwrap().kind, PortErrorKind::Invalid);
}
