//! What the fake promises to tests of event-driven runs: queries and crawls that take their time, and tell of it.

use crawlguard::catalog::Catalog;
use crawlguard::catalog::glue::crawler;
use crawlguard::cloud::Cloud;
use crawlguard::config::Aws;
use crawlguard::engine::{Engine, QueryState, Statement};
use crawlguard::port::PortErrorKind;
use serde_json::Value;

use super::fake::{Fault, FaultKind};
use super::lake::Lake;

fn states(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["detail"]["currentState"].as_str()).collect()
}

#[tokio::test]
async fn a_held_query_runs_until_it_is_let_go_and_tells_each_state() {
    let lake = Lake::new();
    lake.aws.account().athena.is_held = true;
    let process = lake.aws.process();
    let engine = Cloud::with(lake.site().settings, &process.config).engine();
    let statement = Statement::Query { select: "SELECT count(*) AS n FROM raw_orders".into() };
    let query = engine.start(&"t".repeat(32), &statement).await.unwrap();
    for _ in 0..3 {
        assert_eq!(engine.state(&query).await.unwrap(), QueryState::Running);
    }
    assert_eq!(states(&lake.aws.account().events), ["QUEUED", "RUNNING"]);
    lake.aws.account().athena.is_held = false;
    lake.aws.finish_queries();
    assert_eq!(states(&lake.aws.account().events), ["QUEUED", "RUNNING", "SUCCEEDED"]);
    assert_eq!(engine.state(&query).await.unwrap(), QueryState::Succeeded { rows: None, millis: 7 });
    assert_eq!(engine.rows(&query).await.unwrap().rows, [[Some("3".to_owned())]]);
}

#[tokio::test]
async fn a_token_is_remembered_with_what_it_asked_for() {
    let lake = Lake::new();
    let process = lake.aws.process();
    let engine = Cloud::with(lake.site().settings, &process.config).engine();
    let select = |select: &str| Statement::Query { select: select.into() };
    let token = "t".repeat(32);
    let first = engine.start(&token, &select("SELECT 1 AS x")).await.unwrap();
    assert_eq!(engine.start(&token, &select("SELECT 1 AS x")).await.unwrap(), first);
    let error = engine.start(&token, &select("SELECT 2 AS x")).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Invalid);
    assert_eq!(lake.aws.account().athena.queries.len(), 1);
    // Another target in the account, whose run of the same slot has the same steps.
    let settings = Aws { warehouse: "s3://shop/others/".into(), ..lake.site().settings };
    let other = Cloud::with(settings, &process.config).engine();
    assert_ne!(other.start(&token, &select("SELECT 2 AS x")).await.unwrap(), first);
}

#[tokio::test]
async fn a_query_may_be_broken_once() {
    let lake = Lake::new();
    lake.aws.break_query("SELECT 1", "GENERIC_INTERNAL_ERROR: try again", true);
    let process = lake.aws.process();
    let engine = Cloud::with(lake.site().settings, &process.config).engine();
    for (attempt, retryable) in [("a", Some(true)), ("b", None)] {
        let query =
            engine.start(&attempt.repeat(32), &Statement::Query { select: "SELECT 1 AS x".into() }).await.unwrap();
        engine.wait(std::slice::from_ref(&query)).await.unwrap();
        let failed = match engine.state(&query).await.unwrap() {
            QueryState::Failed { retryable, .. } => Some(retryable),
            _ => None,
        };
        assert_eq!(failed, retryable);
    }
}

#[tokio::test]
async fn a_dead_process_calls_nobody() {
    let lake = Lake::new();
    let fault = Fault { service: "glue", action: "GetTables".into(), nth: 1, kind: FaultKind::CrashAfter };
    lake.aws.account().calls.reset(Some(fault));
    let process = lake.aws.process();
    let catalog = Cloud::with(lake.site().settings, &process.config).catalog();
    assert!(process.run(catalog.tables("raw_")).await.is_none());
    assert_eq!(catalog.tables("raw_").await.unwrap_err().kind, PortErrorKind::Unavailable);
    assert_eq!(lake.aws.account().calls.count("glue", "GetTables"), 1);
}

#[tokio::test]
async fn a_crawler_runs_until_it_has_been_looked_at_and_tells_how_it_ended() {
    let lake = Lake::new();
    let process = lake.aws.process();
    let cloud = Cloud::with(lake.site().settings, &process.config);
    for failure in [None, Some("Internal Service Exception")] {
        lake.aws.account().glue.crawler("raw").looks = 1;
        lake.aws.account().glue.crawler("raw").fails = failure.map(str::to_owned);
        assert!(crawler::start(&cloud.glue, "raw").await.unwrap());
        assert!(!crawler::start(&cloud.glue, "raw").await.unwrap(), "it is under way");
        assert!(crawler::status(&cloud.glue, "raw").await.unwrap().running);
        let status = crawler::status(&cloud.glue, "raw").await.unwrap();
        assert_eq!((status.running, status.error.as_deref()), (false, failure));
    }
    let account = lake.aws.account();
    let states: Vec<_> = account.events.iter().filter_map(|event| event["detail"]["state"].as_str()).collect();
    assert_eq!(states, ["Started", "Succeeded", "Started", "Failed"]);
}
