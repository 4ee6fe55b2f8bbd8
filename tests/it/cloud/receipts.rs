//! Exactly one mail, whatever becomes of the answer to a Publish: receipts that the function keeps.

use std::sync::Arc;

use crawlguard::digest::sha256_hex;
use crawlguard::pipeline::{Bundle, Pushed};
use serde_json::{Value, json};

use super::fake::{Fault, FaultKind};
use super::lake::{Lake, STATE, Site};
use super::lambda::{crawled, deployed, invoke, sweep};

const TIME: &str = "2026-01-02T05:10:08Z";
const OUTBOX: &str = "s3://shop/state/alerts/20260102T051008Z.txt";

/// A failed crawl whose alert goes to SNS, and that goes wrong.
async fn told(kind: FaultKind) -> (Lake, Site) {
    told_by(deployed(), kind).await
}

async fn told_by(lake: Lake, kind: FaultKind) -> (Lake, Site) {
    let fault = Fault { service: "sns", action: "Publish".into(), nth: 1, kind };
    lake.aws.account().calls.reset(Some(fault));
    let answer = invoke(&lake, &crawled(TIME, "Failed")).await.unwrap();
    assert_eq!(answer["ended"][0]["outcome"], "error", "the run ends without knowing");
    lake.aws.account().calls.reset(None);
    let site = lake.site();
    (lake, site)
}

fn mails(lake: &Lake) -> usize {
    lake.aws.account().sns.mails.len()
}

fn told_state(lake: &Lake) -> Value {
    let bytes = lake.aws.account().s3.get(&format!("{STATE}alerts/state.json")).expect("it is stored");
    serde_json::from_slice::<Value>(&bytes).unwrap()["targets"]["prod"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_sns_took_without_an_answer_is_not_sent_again() {
    for kind in [FaultKind::AnswerLost, FaultKind::EveryAnswerLost] {
        let (lake, site) = told(kind).await;
        assert_eq!(mails(&lake), 1, "{kind:?}: the SDK does not repeat what SNS may have taken");
        invoke(&lake, &sweep()).await.unwrap();
        assert_eq!(told_state(&lake)["unsent"].as_array().unwrap().len(), 1, "{kind:?}: nothing is known yet");
        site.deliver().await;
        site.wait_for_receipts();
        invoke(&lake, &sweep()).await.unwrap();
        assert_eq!(mails(&lake), 1, "{kind:?}");
        let state = told_state(&lake);
        assert_eq!((&state["unsent"], state.get("sending")), (&json!([]), None), "{kind:?}");
        assert_eq!(state["last"]["run_id"], "20260102T051008Z");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_sns_did_not_take_is_sent_once_its_receipt_must_have_come() {
    let (lake, site) = told(FaultKind::InternalError).await;
    invoke(&lake, &sweep()).await.unwrap();
    assert_eq!(mails(&lake), 0, "it may have been taken");
    site.wait_for_receipts();
    for _ in 0..3 {
        invoke(&lake, &sweep()).await.unwrap();
        assert_eq!(mails(&lake), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_sns_refused_is_sent_by_the_next_sweep() {
    for kind in [FaultKind::AccessDenied, FaultKind::Throttled] {
        let (lake, _) = told(kind).await;
        invoke(&lake, &sweep()).await.unwrap();
        assert_eq!(mails(&lake), 1, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sweeps_at_once_send_a_kept_alert_once() {
    for lake in [deployed(), without_receipts()] {
        let (lake, site) = told_by(lake, FaultKind::InternalError).await;
        site.wait_for_receipts();
        fifty_sweeps(lake).await;
    }
}

/// A deployed project whose topic has no function to keep receipts.
fn without_receipts() -> Lake {
    let lake = deployed();
    let bytes = lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap();
    let mut files = serde_json::from_slice::<Bundle>(&bytes).unwrap().files;
    let settings = files["crawlguard.toml"].replace("receipts = true\n", "");
    files.insert("crawlguard.toml".into(), settings);
    lake.put_project(&Bundle::new(files, Pushed::default()));
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn without_receipts_no_alert_is_lost_and_the_next_sweep_sends_it() {
    for (kind, expected) in [(FaultKind::InternalError, 1), (FaultKind::AnswerLost, 2)] {
        let (lake, _) = told_by(without_receipts(), kind).await;
        for _ in 0..2 {
            invoke(&lake, &sweep()).await.unwrap();
        }
        assert_eq!(mails(&lake), expected, "{kind:?}");
    }
}

async fn fifty_sweeps(lake: Lake) {
    let lake = Arc::new(lake);
    let sweeps: Vec<_> = (0..50)
        .map(|_| {
            let lake = Arc::clone(&lake);
            tokio::spawn(async move { invoke(&lake, &sweep()).await })
        })
        .collect();
    for sweep in sweeps {
        sweep.await.unwrap().unwrap();
    }
    assert_eq!(mails(&lake), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_is_the_alert_as_it_was_mailed_and_is_kept_once() {
    let lake = deployed();
    invoke(&lake, &crawled(TIME, "Failed")).await.unwrap();
    let [event] = lake.aws.account().sns.deliveries.clone().try_into().expect("one message");
    for _ in 0..2 {
        assert_eq!(invoke(&lake, &event).await.unwrap()["receipts"], json!(["20260102T051008Z"]));
    }
    let mail = lake.aws.account().sns.mails[0].clone();
    let text = String::from_utf8(lake.aws.account().s3.get(OUTBOX).unwrap().to_vec()).unwrap();
    assert_eq!(text, format!("Subject: {}\n\n{}", mail.subject, mail.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_needs_no_project_that_can_be_read() {
    let lake = deployed();
    invoke(&lake, &crawled(TIME, "Failed")).await.unwrap();
    lake.aws.account().s3.remove(&format!("{STATE}project.json"));
    lake.site().deliver().await;
    assert!(lake.aws.account().s3.get(OUTBOX).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_alert_of_the_target_leaves_no_receipt() {
    let lake = deployed();
    let state = |lake: &Lake| sha256_hex(format!("{:?}", lake.aws.account().s3.list(STATE)));
    let before = state(&lake);
    let message = |attributes: Value| {
        let sns = json!({"Subject": "s", "Message": "m", "TopicArn": "t", "MessageAttributes": attributes});
        json!({"Records": [{"EventSource": "aws:sns", "Sns": sns}]})
    };
    let named = |run_id: &str, target: &str| {
        message(json!({"run_id": {"Type": "String", "Value": run_id}, "target": {"Type": "String", "Value": target}}))
    };
    for event in [message(json!({})), named("20260102T051008Z", "dev"), named("../queue", "prod"), named("", "prod")] {
        assert_eq!(invoke(&lake, &event).await.unwrap()["receipts"], json!([]), "{event}");
    }
    let broken = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Subject": "s"}}]});
    assert_eq!(invoke(&lake, &broken).await.unwrap_err().kind, "UnknownEvent");
    assert_eq!(state(&lake), before);
}
