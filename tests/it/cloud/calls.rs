//! How many calls a check and a run make: AWS bills and throttles by them.

use std::collections::BTreeMap;

use crawlguard::cloud::Cloud;
use crawlguard::engine::{Engine, QueryId, QueryState, Statement};
use crawlguard::pipeline::Outcome;
use serde_json::json;

use super::fake::{Call, FakeAws};
use super::lake::{DATABASE, Lake, RAW};
use super::laptop::Laptop;
use crate::support::SLOT;

/// `service:action` → how often it was called.
fn made(aws: &FakeAws) -> BTreeMap<String, usize> {
    let mut made = BTreeMap::new();
    for call in &aws.account().calls.log {
        *made.entry(format!("{}:{}", call.service, call.action)).or_default() += 1;
    }
    made
}

/// Tables of JSON files beside the lake's own, `count` in all.
pub fn crawled(lake: &Lake, count: usize) {
    let mut account = lake.aws.account();
    let mut table = account.glue.table(DATABASE, "raw_orders").map(super::fake::described).expect("the lake's own");
    for number in 1..count {
        table["Name"] = json!(format!("raw_t{number:05}"));
        table["StorageDescriptor"]["Location"] = json!(format!("{RAW}t{number:05}/"));
        account.glue.put(DATABASE, &table, Vec::new());
    }
}

#[test]
fn a_clean_check_lists_tables_by_the_hundred_and_asks_for_none_by_itself() {
    for (tables, pages) in [(1, 1), (100, 1), (101, 2), (250, 3)] {
        let lake = Lake::new();
        crawled(&lake, tables);
        let laptop = Laptop::new(&lake);
        assert_eq!(laptop.says(&["contracts", "init"]).code, Some(0));
        lake.aws.account().calls.reset(None);
        let said = laptop.says(&["check"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.ends_with("verdict: clean\n"), "{said:?}");
        // How the crawler stands, and what is deployed: once, however many tables there are.
        let expected = [("glue:GetCrawler", 1), ("glue:GetTables", pages), ("s3:GetObject", 1)];
        assert_eq!(made(&lake.aws), expected.map(|(call, count)| (call.to_owned(), count)).into(), "{tables} tables");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_a_statement_a_model_and_one_a_tables_checks() {
    let site = Lake::new().site();
    site.aws.account().calls.reset(None);
    let run = site.run(SLOT).await;
    assert_eq!((run.outcome, run.published.len()), (Some(Outcome::Published), 2));
    let statements: Vec<_> = site.aws.account().athena.queries.iter().map(|query| query.is_build()).collect();
    let builds = statements.iter().filter(|is_build| **is_build).count();
    // Two models; the checks of both, and of the raw table.
    assert_eq!((builds, statements.len() - builds), (2, 3));
    let calls = made(&site.aws);
    assert_eq!((calls["athena:StartQueryExecution"], calls["athena:GetQueryResults"]), (5, 5), "{calls:?}");
    assert_eq!((calls["athena:GetWorkGroup"], calls.get("athena:GetQueryExecution")), (1, None), "{calls:?}");
}

/// How often a run of this many more models stores its record, and how many tables it publishes.
async fn record_writes(more: usize) -> (usize, usize) {
    let lake = Lake::new();
    for number in 0..more {
        lake.local.write(&format!("sql/more_{number}.sql"), "SELECT id FROM raw_orders");
    }
    let site = lake.site();
    site.aws.account().calls.reset(None);
    let run = site.run(SLOT).await;
    let account = site.aws.account();
    let is_write = |call: &&Call| call.action == "PutObject" && call.resource.contains("runs/");
    (account.calls.log.iter().filter(is_write).count(), run.published.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_start_together_are_recorded_together() {
    let (few, many) = (record_writes(0).await, record_writes(9).await);
    assert_eq!((few.1, many.1), (2, 11));
    assert_eq!(few.0, many.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_asked_after_by_the_fifty_and_an_unknown_one_by_itself() {
    let site = Lake::new().site();
    site.aws.account().athena.is_held = true;
    let engine = Cloud::with(site.settings.clone(), &site.aws.process().config).engine();
    let mut queries = vec![QueryId("00000000-0000-0000-0000-000000000000".into())];
    for number in 0..100 {
        let statement = Statement::Query { select: "SELECT 1 AS x".into() };
        queries.push(engine.start(&format!("{number:0>32}"), &statement).await.unwrap());
    }
    site.aws.account().calls.reset(None);
    let states = engine.states(&queries).await.unwrap();
    assert_eq!((states.len(), &states[0]), (101, &QueryState::Lost));
    assert!(states[1..].iter().all(|state| *state == QueryState::Running), "{states:?}");
    let expected = [("athena:BatchGetQueryExecution", 3), ("athena:GetQueryExecution", 1)];
    assert_eq!(made(&site.aws), expected.map(|(call, count)| (call.to_owned(), count)).into());
}
