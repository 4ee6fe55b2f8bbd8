//! The Lambda shell on the fake account: events in time, late, twice, out of order or never.

use std::collections::BTreeMap;

use crawlguard::lambda::{self, Failure};
use crawlguard::pipeline::{Bundle, Pushed};
use serde_json::{Value, json};

use crate::deploy::stack;

use super::fake::{Fault, FaultKind};
use super::lake::{DATABASE, FUNCTION, Lake, SETTINGS, STATE, shell};

pub const DAILY: &str = "2026-01-02T12:00:00Z";

pub async fn invoke(lake: &Lake, event: &Value) -> Result<Value, Failure> {
    shell(&lake.aws).handle(event).await
}

pub fn daily(time: &str) -> Value {
    json!({"source": "aws.events", "detail-type": "Scheduled Event", "account": "111122223333", "time": time, "detail": {}})
}

pub fn crawled(time: &str, state: &str) -> Value {
    json!({"source": "aws.glue", "detail-type": "Glue Crawler State Change", "account": "111122223333", "time": time,
           "detail": {"crawlerName": "raw", "state": state, "errorMessage": "Internal Service Exception"}})
}

pub fn sweep() -> Value {
    json!({"command": "sweep"})
}

/// A deployed project, on an account whose queries take their time.
pub fn deployed() -> Lake {
    let lake = Lake::new();
    lake.deploy();
    lake.aws.account().athena.is_held = true;
    lake
}

/// Lets every query end, and returns the events that tell of it.
pub fn ended(lake: &Lake) -> Vec<Value> {
    lake.aws.account().events.clear();
    lake.aws.account().athena.is_held = false;
    lake.aws.finish_queries();
    lake.aws.account().athena.is_held = true;
    lake.aws.account().events.clone()
}

/// What remains: tables with their rows and versions, builds, mails and runs' outcomes.
pub fn end_state(lake: &Lake) -> Value {
    let account = lake.aws.account();
    let names: Vec<_> = account.glue.names(DATABASE).into_iter().filter(|name| !name.starts_with("raw_")).collect();
    let about = |name: &String| {
        let table = account.glue.table(DATABASE, name).expect("it was listed");
        json!({"rows": table["Parameters"]["crawlguard.rows"], "run": table["Parameters"]["crawlguard.run_id"]})
    };
    let tables: BTreeMap<_, _> = names.iter().map(|name| (name, about(name))).collect();
    let runs = account.s3.list(&format!("{STATE}runs/"));
    let outcome = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("a run")["outcome"].clone();
    let outcomes: BTreeMap<_, _> = runs.iter().map(|(uri, bytes)| (uri, outcome(bytes))).collect();
    json!({"tables": tables, "runs": outcomes, "builds": account.athena.builds().count(), "mails": account.sns.mails.len()})
}

/// The state after events that come in time, once and in order.
async fn in_good_order() -> Value {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    loop {
        let events = ended(&lake);
        if events.is_empty() {
            return end_state(&lake);
        }
        for event in events {
            invoke(&lake, &event).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_moved_on_by_the_events_of_its_own_queries() {
    let state = in_good_order().await;
    assert_eq!(state["builds"], 2);
    assert_eq!(state["mails"], 0);
    assert_eq!(state["tables"]["int_orders"], json!({"rows": "3", "run": "20260102T120000Z"}));
    assert_eq!(state["runs"].as_object().unwrap().values().collect::<Vec<_>>(), ["published"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_never_waits_for_a_query() {
    let lake = deployed();
    let answer = invoke(&lake, &daily(DAILY)).await.unwrap();
    assert_eq!((&answer["state"], &answer["run_id"]), (&json!("waiting"), &json!("20260102T120000Z")));
    let before = lake.aws.account().calls.log.len();
    assert_eq!(invoke(&lake, &sweep()).await.unwrap()["state"], "waiting");
    let account = lake.aws.account();
    let looks = account.calls.log[before..].iter().filter(|call| call.service == "athena").count();
    assert_eq!(looks, 1, "one look at all that runs, and no second one");
    let puts = account.calls.log[before..].iter().filter(|call| call.action == "PutObject").count();
    assert_eq!(puts, 0, "a look that finds nothing new writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_lost_doubled_or_reordered_change_nothing() {
    let expected = in_good_order().await;
    for (name, disturb) in [
        ("lost", (|_| vec![sweep()]) as fn(Vec<Value>) -> Vec<Value>),
        ("doubled", |events| events.iter().chain(&events).cloned().collect()),
        ("reordered", |events| events.into_iter().rev().collect()),
        ("beside the daily event again", |events| events.into_iter().flat_map(|event| [daily(DAILY), event]).collect()),
    ] {
        let lake = deployed();
        invoke(&lake, &daily(DAILY)).await.unwrap();
        for _ in 0..20 {
            for event in disturb(ended(&lake)) {
                invoke(&lake, &event).await.unwrap();
            }
        }
        assert_eq!(end_state(&lake), expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_invocations_at_once_give_one_run() {
    let expected = in_good_order().await;
    let lake = std::sync::Arc::new(deployed());
    let mut told = 0;
    for _ in 0..20 {
        let invocations: Vec<_> = (0..50)
            .map(|_| {
                let lake = std::sync::Arc::clone(&lake);
                tokio::spawn(async move { invoke(&lake, &daily(DAILY)).await })
            })
            .collect();
        for invocation in invocations {
            match invocation.await.unwrap() {
                Ok(answer) => told += answer["ended"].as_array().map_or(0, Vec::len),
                Err(failure) => assert_eq!(failure.kind, "Conflict", "{failure}"),
            }
        }
        ended(&lake);
    }
    invoke(&lake, &sweep()).await.unwrap();
    assert_eq!(end_state(&lake), expected);
    assert_eq!(told, 1, "of a run's drivers, the one that ended it says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_crawl_is_told_once_however_often_its_event_comes() {
    let lake = deployed();
    let answer = invoke(&lake, &crawled("2026-01-02T05:10:08Z", "Failed")).await.unwrap();
    assert_eq!(answer["ended"][0]["outcome"], "error");
    for _ in 0..2 {
        invoke(&lake, &crawled("2026-01-02T05:10:08Z", "Failed")).await.unwrap();
    }
    let account = lake.aws.account();
    assert_eq!(account.sns.mails.len(), 1);
    assert!(account.sns.mails[0].body.contains("Internal Service Exception"), "{}", account.sns.mails[0].body);
    assert_eq!(account.athena.queries.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_still_runs_is_not_compared() {
    let lake = deployed();
    lake.aws.account().glue.crawler("raw").looks = 2;
    let cloud = crawlguard::cloud::Cloud::with(lake.site().settings, &lake.aws.process().config);
    crawlguard::catalog::glue::crawler::start(&cloud.glue, "raw").await.unwrap();
    assert_eq!(invoke(&lake, &daily(DAILY)).await.unwrap()["state"], "crawling");
    assert_eq!(invoke(&lake, &sweep()).await.unwrap()["state"], "crawling");
    assert_eq!(invoke(&lake, &sweep()).await.unwrap()["state"], "waiting", "the crawl is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_event_that_comes_late_starts_nothing() {
    let lake = deployed();
    invoke(&lake, &crawled("2026-01-02T06:00:00Z", "Succeeded")).await.unwrap();
    for _ in 0..20 {
        ended(&lake);
        invoke(&lake, &sweep()).await.unwrap();
    }
    let before = end_state(&lake);
    let answer = invoke(&lake, &crawled("2026-01-02T00:00:00Z", "Succeeded")).await.unwrap();
    assert_eq!(answer["state"], "idle");
    let why = answer["ignored"].as_str().unwrap();
    assert!(why.contains("2026-01-02T00:00:00Z is older than 2026-01-02T06:00:00Z"), "{why}");
    let answer = invoke(&lake, &crawled("2026-01-02T06:00:00Z", "Succeeded")).await.unwrap();
    assert!(answer["ignored"].as_str().unwrap().contains("was asked for already"), "{answer}");
    assert_eq!(end_state(&lake), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_for_a_slot_that_is_still_to_come_keeps_no_other_from_running() {
    let lake = deployed();
    let to_the_end = async || {
        for _ in 0..20 {
            ended(&lake);
            invoke(&lake, &sweep()).await.unwrap();
        }
        end_state(&lake)["runs"].as_object().unwrap().len()
    };
    invoke(&lake, &daily("2136-01-02T12:00:00Z")).await.unwrap();
    assert_eq!(to_the_end().await, 1);
    // The clock may still show the second in which that was taken up.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
    let answer = invoke(&lake, &daily(&crawlguard::plan::slot(soon))).await.unwrap();
    assert!(answer.get("ignored").is_none(), "{answer}");
    assert_eq!(to_the_end().await, 2);
    invoke(&lake, &daily("2136-01-02T12:00:00Z")).await.unwrap();
    assert_eq!(to_the_end().await, 2, "a slot is run once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_asked_for_by_hand_while_a_newer_one_is_known_says_what_to_do() {
    let lake = deployed();
    lake.aws.account().s3.put(
        &format!("{STATE}queue.json"),
        br#"{"schema_version": 1, "active": null, "waiting": [], "newest": "2136-01-02T12:00:00Z"}"#,
    );
    let answer = invoke(&lake, &json!({"command": "run"})).await.unwrap();
    let why = answer["ignored"].as_str().unwrap();
    assert!(why.contains("for another run ask for a slot after 2136-01-02T12:00:00Z"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_runs_nothing_of_another_account() {
    let lake = deployed();
    let theirs = json!({"source": "aws.glue", "detail-type": "Glue Crawler State Change", "account": "999988887777",
                        "time": DAILY, "detail": {"crawlerName": "raw", "state": "Succeeded"}});
    let answer = invoke(&lake, &theirs).await.unwrap();
    let why = answer["ignored"].as_str().unwrap();
    assert!(why.contains("`999988887777`") && why.contains("111122223333"), "{why}");
    let unknown = shell(&lake.aws).invoked_as("").handle(&theirs).await.unwrap();
    assert!(unknown["ignored"].as_str().unwrap().contains("set `account` in crawlguard.toml"), "{unknown}");
    assert_eq!(lake.aws.account().athena.queries.len(), 0);

    let mut files = lake.files();
    files.insert(
        "crawlguard.toml".into(),
        SETTINGS.replace("kind = \"aws\"", "kind = \"aws\"\naccount = \"999988887777\""),
    );
    lake.put_project(&Bundle::new(files, Pushed::default()));
    for event in [theirs, crawled(DAILY, "Succeeded"), json!({"command": "run"})] {
        let failure = invoke(&lake, &event).await.unwrap_err();
        assert_eq!(failure.kind, "SettingsInvalid");
        assert!(failure.message.contains("account 999988887777, and the function in 111122223333"), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_others_are_left_alone_and_unknown_ones_refused() {
    let lake = deployed();
    let of = |pointer: &str, value: &str| {
        let mut event = crawled(DAILY, "Succeeded");
        *event.pointer_mut(pointer).unwrap() = json!(value);
        event
    };
    let other = invoke(&lake, &of("/detail/crawlerName", "theirs")).await.unwrap();
    assert!(other["ignored"].as_str().unwrap().contains("`theirs`"), "{other}");
    for event in [of("/source", "aws.ec2"), json!({"command": "dance"}), json!({}), of("/detail/state", "Confused")] {
        assert_eq!(invoke(&lake, &event).await.unwrap_err().kind, "UnknownEvent", "{event}");
    }
    assert_eq!(lake.aws.account().athena.queries.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_broken_is_named() {
    let lake = Lake::new();
    let missing = invoke(&lake, &sweep()).await.unwrap_err();
    assert_eq!(missing.kind, "ProjectMissing");
    assert!(missing.message.contains("s3://shop/state/project.json"), "{missing}");
    lake.deploy();
    let uri = format!("{STATE}project.json");
    let bytes = lake.aws.account().s3.get(&uri).unwrap();
    let bundle: Bundle = serde_json::from_slice(&bytes).unwrap();
    let mut files = bundle.files;
    files.insert("contracts/raw_orders.json".into(), "{".into());
    lake.put_project(&Bundle::new(files, Pushed::default()));
    let broken = invoke(&lake, &json!({"command": "check"})).await.unwrap_err();
    assert_eq!(broken.kind, "ProjectInvalid");
    assert!(broken.message.contains("contracts/raw_orders.json"), "{broken}");
    lake.aws.account().s3.put(&uri, &bytes[..bytes.len() / 2]);
    assert_eq!(invoke(&lake, &sweep()).await.unwrap_err().kind, "StateUnreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_record_that_was_removed_is_told_of_and_not_begun_again() {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    let uri = format!("{STATE}runs/20260102T120000Z.json");
    lake.aws.account().s3.remove(&uri);
    let builds = lake.aws.account().athena.builds().count();
    let answer = invoke(&lake, &sweep()).await.unwrap();
    assert_eq!(answer["ended"][0]["outcome"], "error");
    let account = lake.aws.account();
    assert_eq!(account.athena.builds().count(), builds);
    assert_eq!(account.sns.mails.len(), 1);
    assert!(account.sns.mails[0].body.contains("was removed"), "{}", account.sns.mails[0].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_could_not_be_sent_is_sent_by_the_next_sweep() {
    let lake = deployed();
    lake.aws.account().sns.topics.clear();
    for event in [crawled("2026-01-02T05:10:08Z", "Failed"), sweep()] {
        assert!(invoke(&lake, &event).await.is_err(), "people know nothing, so that is no success");
    }
    assert_eq!(end_state(&lake)["runs"].as_object().unwrap().len(), 1);
    lake.aws.account().sns.create_topic("alerts");
    for _ in 0..3 {
        invoke(&lake, &sweep()).await.unwrap();
    }
    assert_eq!(lake.aws.account().sns.mails.len(), 1);
}

/// A run that takes another one's place has a slot of its own time, beside which others are not old.
fn just_now() -> String {
    crawlguard::plan::slot(jiff::Timestamp::now())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_change_while_a_run_reads_them_are_left_to_the_run_that_takes_its_place() {
    let lake = deployed();
    invoke(&lake, &daily(&just_now())).await.unwrap();
    lake.local.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\",\"Gift Note\":\"x\"}\n");
    lake.crawl();
    for _ in 0..10 {
        ended(&lake);
        invoke(&lake, &sweep()).await.unwrap();
    }
    let state = end_state(&lake);
    assert_eq!(state["runs"].as_object().unwrap().values().collect::<Vec<_>>(), ["superseded", "published"]);
    assert_eq!((&state["tables"]["int_orders"]["rows"], &state["mails"]), (&json!("4"), &json!(0)), "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_never_stop_changing_are_told_of_once_and_not_published() {
    let lake = deployed();
    invoke(&lake, &daily(&just_now())).await.unwrap();
    for number in 0..15 {
        let row = format!("{{\"Id\":4,\"Ship City\":\"Bonn\",\"Note {number}\":\"x\"}}\n");
        lake.local.write("lake/orders/2.json", &row);
        lake.crawl();
        ended(&lake);
        invoke(&lake, &sweep()).await.unwrap();
    }
    let state = end_state(&lake);
    assert_eq!(
        state["runs"].as_object().unwrap().values().collect::<Vec<_>>(),
        ["superseded", "superseded", "error"],
        "{state}"
    );
    assert!(state["tables"].get("int_orders").is_none(), "{state}");
    let account = lake.aws.account();
    assert_eq!(account.sns.mails.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_crawl_nothing_is_published_and_people_are_told_once() {
    let lake = deployed();
    lake.aws.account().glue.crawler("raw").fails = Some("Internal Service Exception".into());
    let cloud = crawlguard::cloud::Cloud::with(lake.site().settings, &lake.aws.process().config);
    crawlguard::catalog::glue::crawler::start(&cloud.glue, "raw").await.unwrap();
    while crawlguard::catalog::glue::crawler::status(&cloud.glue, "raw").await.unwrap().running {}
    invoke(&lake, &crawled("2026-01-02T05:10:08Z", "Failed")).await.unwrap();
    let answer = invoke(&lake, &daily(DAILY)).await.unwrap();
    assert_eq!(answer["ended"][0]["outcome"], "error");
    assert_eq!(lake.aws.account().athena.queries.len(), 0);
    assert_eq!(lake.aws.account().sns.mails.len(), 1);
    let failure = invoke(&lake, &json!({"command": "check"})).await.unwrap_err();
    assert_eq!(failure.kind, "CrawlFailed");
    assert!(failure.message.contains("Internal Service Exception"), "{failure}");
}

/// The deployed project with a contract that nobody can read.
pub fn broken(lake: &Lake) -> Bundle {
    let bytes = lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap();
    let mut files = serde_json::from_slice::<Bundle>(&bytes).unwrap().files;
    files.insert("contracts/raw_orders.json".into(), "{".into());
    Bundle::new(files, Pushed::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_cannot_be_read_is_told_of_once() {
    let lake = deployed();
    lake.put_project(&broken(&lake));
    assert_eq!(invoke(&lake, &sweep()).await.unwrap_err().kind, "ProjectInvalid");
    assert_eq!(lake.aws.account().sns.mails.len(), 0, "nothing was to be run");
    for time in [DAILY, DAILY, "2026-01-03T12:00:00Z"] {
        assert_eq!(invoke(&lake, &daily(time)).await.unwrap_err().kind, "ProjectInvalid");
    }
    let account = lake.aws.account();
    assert_eq!(account.sns.mails.len(), 1);
    let body = &account.sns.mails[0].body;
    assert!(body.contains("project.json") && body.contains("contracts/raw_orders.json"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_deploys_the_bundle_that_it_names() {
    let lake = deployed();
    let before = lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap();
    let mut files = serde_json::from_slice::<Bundle>(&before).unwrap().files;
    files.insert("sql/int_more.sql".into(), "SELECT id FROM raw_orders\n".into());
    let bundle = Bundle::new(files.clone(), Pushed::default());
    let offered = [("good", &bundle), ("bad", &broken(&lake))];
    for (name, bundle) in offered {
        lake.aws.account().s3.put(&format!("{STATE}{name}.json"), &serde_json::to_vec(bundle).unwrap());
    }
    for (name, status, reason) in [
        ("bad", "FAILED", "raw_orders.json:1:"),
        ("gone", "FAILED", "NoSuchKey"),
        ("good", "SUCCESS", &bundle.revision),
    ] {
        let (url, taken) = stack::listener("200 OK");
        let mut event = stack::event("Update", &url);
        event["ResourceProperties"]["Bundle"] = format!("{STATE}{name}.json").into();
        lambda::handle(&Ok(shell(&lake.aws)), &event, FUNCTION).await.unwrap();
        let answer: Value = serde_json::from_str(&taken.join().unwrap().1).unwrap();
        assert_eq!(answer["Status"], status, "{answer}");
        assert!(answer["Reason"].as_str().unwrap().contains(reason), "{answer}");
        assert_eq!(answer["PhysicalResourceId"], format!("{STATE}project.json"));
    }
    let after = lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Bundle>(&after).unwrap().files, files);
}

/// What a stack is answered that asks for the bundle of a name, and how the deployed files look then.
async fn asked(lake: &Lake, name: &str, status: &'static str) -> (Value, BTreeMap<String, String>) {
    lake.aws.account().stack_status = status;
    let (url, taken) = stack::listener("200 OK");
    let mut event = stack::event("Update", &url);
    event["ResourceProperties"]["Bundle"] = format!("{STATE}{name}.json").into();
    lambda::handle(&Ok(shell(&lake.aws)), &event, FUNCTION).await.unwrap();
    let answer = serde_json::from_str(&taken.join().unwrap().1).unwrap();
    let deployed = lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap();
    (answer, serde_json::from_slice::<Bundle>(&deployed).unwrap().files)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_rolls_back_is_never_refused() {
    let lake = deployed();
    for (status, answered) in [
        ("UPDATE_IN_PROGRESS", "FAILED"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "SUCCESS"),
        ("UPDATE_ROLLBACK_FAILED", "FAILED"),
        ("", "FAILED"),
    ] {
        let (answer, _) = asked(&lake, "gone", status).await;
        assert_eq!(answer["Status"], answered, "{status} {answer}");
        assert!(answer["Reason"].as_str().unwrap().contains("NoSuchKey"), "{answer}");
    }
    let calls = lake.aws.account().calls.log.clone();
    assert!(calls.iter().any(|call| (call.service, call.action.as_str()) == ("cloudformation", "DescribeStacks")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_not_open_yet_is_waited_for() {
    let lake = deployed();
    let bundle = lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap();
    lake.aws.account().s3.put(&format!("{STATE}good.json"), &bundle);
    let fault = Fault { service: "s3", action: "GetObject".into(), nth: 1, kind: FaultKind::AccessDenied };
    lake.aws.account().calls.reset(Some(fault));
    let (answer, _) = asked(&lake, "good", "UPDATE_IN_PROGRESS").await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
}
