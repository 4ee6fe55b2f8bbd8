//! The run lock while its holder lives.

use std::time::{Duration, Instant};

use crawlguard::aws::{self, S3Folder};
use crawlguard::store::Store;
use crawlguard::store::s3::S3Store;

use super::fake::{Fault, FaultKind};
use super::lake::{Lake, STATE};

/// Watched until the lock's object is another one.
fn renewed(lake: &Lake, before: &[u8]) -> Vec<u8> {
    let given_up = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < given_up, "the lock is not renewed");
        let lock = lake.aws.account().s3.get(&format!("{STATE}run.lock")).expect("it is held");
        if *lock != *before {
            return lock.to_vec();
        }
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_answer_was_lost_loses_no_lock() {
    let lake = Lake::new();
    let process = lake.aws.process();
    let folder = S3Folder::parse(STATE).unwrap();
    let store = S3Store::new(aws::s3(&process.config), folder).with_lease(Duration::from_millis(600));
    let fault = Fault { service: "s3", action: "PutObject".into(), nth: 2, kind: FaultKind::EveryAnswerLost };
    lake.aws.account().calls.reset(Some(fault));
    let lease = store.lock("ann, run 7").await.unwrap();
    let unanswered = renewed(&lake, b"");
    let unanswered = renewed(&lake, &unanswered);
    renewed(&lake, &unanswered);
    drop(lease);
    assert_eq!(store.get("run.lock").await.unwrap(), None, "it was given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_the_lock_that_hangs_does_not_outlast_it() {
    let lake = Lake::new();
    let process = lake.aws.process();
    let folder = S3Folder::parse(STATE).unwrap();
    let store = S3Store::new(aws::s3(&process.config), folder).with_lease(Duration::from_millis(600));
    let fault = |action: &str, kind| Fault { service: "s3", action: action.into(), nth: 2, kind };
    lake.aws.account().calls.reset(Some(fault("PutObject", FaultKind::EveryAnswerLost)));
    lake.aws.account().calls.also(fault("GetObject", FaultKind::Silence));
    let lease = store.lock("ann, run 7").await.unwrap();
    let unanswered = renewed(&lake, b"");
    let unanswered = renewed(&lake, &unanswered);
    let since = Instant::now();
    renewed(&lake, &unanswered);
    assert!(since.elapsed() < Duration::from_secs(20), "the SDK's own patience is not the lock's");
    drop(lease);
    assert_eq!(store.get("run.lock").await.unwrap(), None, "it was given back");
}
