//! What an invocation makes of events that are none of its business, and of a run that cannot begin.

use serde_json::{Value, json};

use super::fake::Refusal;
use super::fake::{Fault, FaultKind};
use super::lake::{Lake, STATE};
use super::lambda::{DAILY, crawled, daily, deployed, end_state, ended, invoke, sweep};

fn calls(lake: &Lake) -> Vec<String> {
    let account = lake.aws.account();
    account.calls.log.iter().map(|call| format!("{} {}", call.action, call.resource)).collect()
}

fn queried(query: &str, state: &str) -> Value {
    json!({"source": "aws.athena", "detail-type": "Athena Query State Change", "account": "111122223333", "time": DAILY,
           "detail": {"currentState": state, "queryExecutionId": query, "workgroupName": "crawlguard"}})
}

/// The calls that an event costs, and that it is ignored.
async fn ignored(lake: &Lake, event: &Value) -> Vec<String> {
    lake.aws.account().calls.reset(None);
    let answer = invoke(lake, event).await.unwrap();
    assert!(answer["ignored"].is_string(), "{event}: {answer}");
    calls(lake)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_others_does_not_have_the_project_read() {
    let lake = deployed();
    let queue = format!("GetObject {STATE}queue.json");
    assert_eq!(ignored(&lake, &queried("theirs", "RUNNING")).await, [""; 0]);
    assert_eq!(ignored(&lake, &crawled(DAILY, "Started")).await, [""; 0]);
    assert_eq!(
        ignored(&lake, &queried("theirs", "SUCCEEDED")).await,
        std::slice::from_ref(&queue),
        "no run is under way"
    );
    invoke(&lake, &daily(DAILY)).await.unwrap();
    let run = format!("GetObject {STATE}runs/20260102T120000Z.json");
    assert_eq!(ignored(&lake, &queried("theirs", "SUCCEEDED")).await, [queue, run], "the run has other queries");
    for event in ended(&lake).iter().filter(|event| event["detail"]["currentState"] == "SUCCEEDED") {
        assert_eq!(invoke(&lake, event).await.unwrap()["ignored"], Value::Null, "it is the run's own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_may_not_begin_is_told_of_once_and_the_next_one_ends_it() {
    let lake = deployed();
    let denied = Refusal::new(400, "AccessDeniedException", "the test said so");
    for (time, mails) in [(DAILY, 1), ("2026-01-03T12:00:00Z", 1)] {
        lake.aws.account().refusals = vec![("glue", "GetTables", denied.clone())];
        let answer = invoke(&lake, &daily(time)).await.unwrap();
        assert_eq!((&answer["ended"][0]["outcome"], &answer["state"]), (&json!("error"), &json!("idle")), "{answer}");
        lake.aws.account().refusals.clear();
        invoke(&lake, &sweep()).await.unwrap();
        assert_eq!(lake.aws.account().sns.mails.len(), mails, "{time}");
    }
    let body = lake.aws.account().sns.mails[0].body.clone();
    assert!(body.contains("glue:GetTables"), "{body}");
    lake.aws.account().calls.reset(None);
    invoke(&lake, &daily("2026-01-04T12:00:00Z")).await.unwrap();
    for _ in 0..10 {
        ended(&lake);
        invoke(&lake, &sweep()).await.unwrap();
    }
    let state = end_state(&lake);
    assert_eq!(state["runs"].as_object().unwrap().values().collect::<Vec<_>>(), ["error", "error", "published"]);
    assert_eq!(lake.aws.account().sns.mails.len(), 2, "it is over, and people are told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_is_not_given_up_for_a_right_that_is_a_moment_late() {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    let fault =
        Fault { service: "athena", action: "BatchGetQueryExecution".into(), nth: 1, kind: FaultKind::AccessDenied };
    lake.aws.account().calls.reset(Some(fault));
    assert_eq!(invoke(&lake, &sweep()).await.unwrap()["state"], "waiting");
    lake.aws.account().calls.reset(None);
    for _ in 0..10 {
        ended(&lake);
        invoke(&lake, &sweep()).await.unwrap();
    }
    let state = end_state(&lake);
    assert_eq!(state["runs"].as_object().unwrap().values().collect::<Vec<_>>(), ["published"]);
    assert_eq!(state["mails"], 0);
}
