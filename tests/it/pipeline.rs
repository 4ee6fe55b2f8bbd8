//! Runs on the real adapters: to the end, and killed at every port call.

use std::collections::BTreeMap;
use std::fs;

use crawlguard::catalog::Catalog;
use crawlguard::checks::{CheckResult, CheckStatus};
use crawlguard::engine::Engine;
use crawlguard::engine::duckdb::DuckDbEngine;
use crawlguard::notify::Outbox;
use crawlguard::pipeline::{Commands, Outcome, Ports, Quiet, Request, Run, RunError, run, unfinished};

use crawlguard::store::Store;

use crate::faulty::{Faulty, Fuse};
use crate::support::{Lake, SLOT};

/// One process: it opens everything anew, as a rerun after a kill does.
async fn process(lake: &Lake, fuse: &Fuse, again: bool) -> Result<Run, RunError> {
    process_over(lake, fuse, again, "the files").await
}

async fn process_over(lake: &Lake, fuse: &Fuse, again: bool, inputs: &str) -> Result<Run, RunError> {
    let (catalog, store) = (lake.catalog(), lake.store());
    let engine = DuckDbEngine::new(lake.catalog(), lake.path(".crawlguard/warehouse"))?;
    let faulty_store = Faulty::<dyn Store> { inner: &store, fuse };
    let outbox = Outbox::new(&store);
    let ports = Ports {
        catalog: &Faulty::<dyn Catalog> { inner: catalog.as_ref(), fuse },
        engine: &Faulty::<dyn Engine> { inner: &engine, fuse },
        notifier: &Faulty { inner: &outbox, fuse },
        store: &faulty_store,
        reporter: &Quiet,
    };
    let commands = Commands::default();
    let request = Request {
        target: "local",
        raw_prefix: "raw_",
        keep_versions: 2,
        slot: SLOT,
        inputs,
        again,
        commands: &commands,
    };
    let cut = unfinished(ports.store).await?;
    run(ports, &lake.project(), cut, request).await
}

async fn healthy(lake: &Lake) -> Run {
    process(lake, &Fuse::new(usize::MAX, false), false).await.unwrap()
}

async fn again(lake: &Lake) -> Run {
    process(lake, &Fuse::new(usize::MAX, false), true).await.unwrap()
}

/// What somebody who looks at the folder afterwards sees.
#[derive(Debug, PartialEq, Eq)]
struct EndState {
    outcome: Option<Outcome>,
    /// Published table → (version, rows), staging tables included if any are left.
    tables: BTreeMap<String, (Option<String>, Option<String>)>,
    alerts: usize,
    runs: usize,
    /// Builds kept on disk.
    builds: usize,
}

async fn end_state(lake: &Lake, run: &Run) -> EndState {
    let tables = lake.catalog().tables("").await.unwrap().into_iter().filter(|table| !table.name.starts_with("raw_"));
    let count = |folder: &str| fs::read_dir(lake.path(folder)).map_or(0, Iterator::count);
    let builds = ["int_orders", "fact_cities"].map(|model| count(&format!(".crawlguard/warehouse/{model}")));
    EndState {
        outcome: run.outcome,
        tables: tables
            .map(|table| (table.name, (table.version, table.parameters.get("crawlguard.rows").cloned())))
            .collect(),
        alerts: lake.store().list("alerts/").await.unwrap().len(),
        runs: lake.store().list("runs/").await.unwrap().len(),
        builds: builds.iter().sum(),
    }
}

/// Kills a run at each of its port calls, before and after the call took effect, and reruns it.
async fn survives_every_crash(name: &str, prepare: impl Fn(&Lake)) {
    let whole = Lake::new();
    prepare(&whole);
    let fuse = Fuse::new(usize::MAX, false);
    let expected = process(&whole, &fuse, false).await.unwrap();
    let expected = end_state(&whole, &expected).await;
    // How often an engine is asked while it works varies from run to run, so the end is found, not counted beforehand.
    let mut tried = 0;
    for after in [false, true] {
        for at in 0.. {
            let lake = Lake::new();
            prepare(&lake);
            let fuse = Fuse::new(at, after);
            let cut = process(&lake, &fuse, false).await;
            if fuse.calls() <= at {
                break;
            }
            assert!(cut.is_err(), "{name}: call {at} failed and the run did not stop");
            let run = healthy(&lake).await;
            assert_eq!(end_state(&lake, &run).await, expected, "{name}: killed at call {at}, after: {after}");
            tried += 1;
        }
    }
    assert!(tried > 10, "{name}: only {tried} places to crash");
    println!("{name}: {tried}/{tried} crashes end as the whole run did");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_run_publishes_and_a_crash_changes_nothing() {
    survives_every_crash("published", |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn breaking_drift_alerts_once_whatever_crashes() {
    survives_every_crash("halted", |lake| {
        lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
        lake.crawl();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_checks_alert_once_whatever_crashes() {
    survives_every_crash("checks failed", |lake| {
        lake.write(
            "sql/fact_cities.sql",
            "SELECT city, count(*) AS orders FROM int_orders WHERE city = 'x' GROUP BY city\n",
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_runs_once_unless_it_is_asked_for_again() {
    let lake = Lake::new();
    let first = healthy(&lake).await;
    assert_eq!(healthy(&lake).await, first);
    for number in 2..5 {
        let run = again(&lake).await;
        assert_eq!(run.outcome, Some(Outcome::Published));
        assert_eq!(run.run_id, format!("{}_{number}", first.run_id));
    }
    let versions = lake.catalog().versions("int_orders").await.unwrap();
    assert_eq!(versions.len(), 2, "keep_versions");
    let builds = fs::read_dir(lake.path(".crawlguard/warehouse/int_orders")).unwrap().count();
    assert_eq!(builds, 2, "data of dropped versions is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_go_on_over_other_files_than_it_compared() {
    let lake = Lake::new();
    // Cut off in the middle of its builds, long before it publishes.
    assert!(process(&lake, &Fuse::new(8, true), false).await.is_err());
    lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
    lake.crawl();
    let run = process_over(&lake, &Fuse::new(usize::MAX, false), true, "other files").await.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Halted));
    assert_eq!(lake.catalog().table("int_orders").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn halted_runs_leave_the_last_good_tables() {
    let lake = Lake::new();
    healthy(&lake).await;
    let before = lake.catalog().table("int_orders").await.unwrap();
    lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
    lake.crawl();
    let run = again(&lake).await;
    assert_eq!(run.outcome, Some(Outcome::Halted));
    assert_eq!(run.alert.unwrap().accept, ["crawlguard contracts update raw_orders --yes"]);
    assert_eq!(lake.catalog().table("int_orders").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tolerated_column_reaches_the_published_table() {
    let lake = Lake::new();
    lake.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\",\"Gift Note\":\" hi \"}\n");
    lake.crawl();
    let run = healthy(&lake).await;
    assert_eq!(run.outcome, Some(Outcome::Published), "{:?}", run.error);
    let table = lake.catalog().table("int_orders").await.unwrap().unwrap();
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "city", "gift_note"]);
}

#[tokio::test]
async fn a_published_count_that_cannot_be_read_is_no_pass() {
    let lake = Lake::new();
    let contract = serde_json::json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "int_orders", "version": "1.0.0", "status": "active",
        "schema": [{"name": "int_orders", "properties": [{"name": "id", "physicalType": "int"}], "quality": [
            {"type": "custom", "engine": "crawlguard", "implementation": {"check": "rowCountChange", "maxShare": 0.5}}
        ]}],
        "customProperties": [{"property": "crawlguard.origin", "value": "model"}],
    });
    lake.write("contracts/int_orders.json", &contract.to_string());
    assert_eq!(healthy(&lake).await.outcome, Some(Outcome::Published));
    let mut table = lake.catalog().table("int_orders").await.unwrap().unwrap();
    table.parameters.insert("crawlguard.rows".to_owned(), "many".to_owned());
    lake.catalog().put(&table).unwrap();
    let run = again(&lake).await;
    let inconclusive = |check: &&CheckResult| check.status == CheckStatus::Inconclusive;
    let unmeasured: Vec<_> = run.checks.iter().filter(inconclusive).map(|check| check.check.as_str()).collect();
    assert_eq!((run.outcome, unmeasured), (Some(Outcome::Error), vec!["row count change"]));
}
