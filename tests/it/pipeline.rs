//! Runs on the real adapters: to the end, and killed at every port call.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use crawlguard::catalog::Catalog;
use crawlguard::checks::{CheckResult, CheckStatus};
use crawlguard::config::Settings;
use crawlguard::engine::Engine;
use crawlguard::engine::duckdb::DuckDbEngine;
use crawlguard::notify::{Notifier, Outbox, RecordingNotifier, Rendered};
use crawlguard::pipeline::{
    Commands, Delivery, Outcome, Ports, Project, Quiet, Request, Run, RunError, compare, run, unfinished,
};
use crawlguard::plan::{Alert, AlertKind, asking};
use crawlguard::port::{PortError, PortErrorKind};
use crawlguard::store::Store;

use crate::faulty::{Faulty, Fuse};
use crate::support::{Lake, SLOT};

/// One process: it opens everything anew, as a rerun after a kill does.
async fn process(lake: &Lake, fuse: &Fuse, again: bool) -> Result<Run, RunError> {
    process_over(lake, fuse, again, "the files").await
}

async fn process_over(lake: &Lake, fuse: &Fuse, again: bool, inputs: &str) -> Result<Run, RunError> {
    let (store, asked) = (lake.store(), Asked { again, inputs, slot: SLOT });
    process_with(lake, fuse, &Outbox::new(&store), asked).await
}

/// What differs between one process and another.
#[derive(Clone, Copy)]
struct Asked<'a> {
    again: bool,
    inputs: &'a str,
    slot: &'a str,
}

async fn process_with<N: Notifier>(lake: &Lake, fuse: &Fuse, notifier: &N, asked: Asked<'_>) -> Result<Run, RunError> {
    let (catalog, store) = (lake.catalog(), lake.store());
    let engine = DuckDbEngine::new(lake.catalog(), lake.path(".crawlguard/warehouse"))?;
    let faulty_store = Faulty::<dyn Store> { inner: &store, fuse };
    let ports = Ports {
        catalog: &Faulty::<dyn Catalog> { inner: catalog.as_ref(), fuse },
        engine: &Faulty::<dyn Engine> { inner: &engine, fuse },
        notifier: &Faulty { inner: notifier, fuse },
        store: &faulty_store,
        reporter: &Quiet,
        inputs: None,
    };
    let commands = Commands::default();
    let request = Request {
        target: "local",
        raw_prefix: "raw_",
        keep_versions: 2,
        remind_after_days: 7,
        slot: asked.slot,
        inputs: asked.inputs,
        again: asked.again,
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

async fn the_night_before(lake: &Lake) -> Run {
    let asked = Asked { again: false, inputs: "the files", slot: "2026-01-01T03:04:05Z" };
    process_with(lake, &Fuse::new(usize::MAX, false), &Outbox::new(&lake.store()), asked).await.unwrap()
}

/// What somebody who looks at the folder afterwards sees.
#[derive(Debug, PartialEq, Eq)]
struct EndState {
    outcome: Option<Outcome>,
    /// Published table → (version, rows), staging tables included if any are left.
    tables: BTreeMap<String, (Option<String>, Option<String>)>,
    alerts: usize,
    /// What the next run takes people to know.
    told: Option<String>,
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
        alerts: alerts(lake).await.len(),
        told: lake
            .store()
            .get("alerts/state.json")
            .await
            .unwrap()
            .map(|object| String::from_utf8(object.bytes).unwrap()),
        runs: lake.store().list("runs/").await.unwrap().len(),
        builds: builds.iter().sum(),
    }
}

/// Subjects of what was sent, oldest run first.
async fn alerts(lake: &Lake) -> Vec<String> {
    let mut subjects = Vec::new();
    for key in lake.store().list("alerts/").await.unwrap().iter().filter(|key| key.ends_with(".txt")) {
        let text = String::from_utf8(lake.store().get(key).await.unwrap().unwrap().bytes).unwrap();
        subjects.push(text.lines().next().unwrap().to_owned());
    }
    subjects
}

/// Kills a run at each of its port calls, before and after the call took effect, and reruns it.
async fn survives_every_crash(name: &str, prepare: impl AsyncFn(&Lake)) {
    let whole = Lake::new();
    prepare(&whole).await;
    let fuse = Fuse::new(usize::MAX, false);
    let expected = process(&whole, &fuse, false).await.unwrap();
    let expected = end_state(&whole, &expected).await;
    // How often an engine is asked while it works varies from run to run, so the end is found, not counted beforehand.
    let mut tried = 0;
    for after in [false, true] {
        for at in 0.. {
            let lake = Lake::new();
            prepare(&lake).await;
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
    survives_every_crash("published", async |_| {}).await;
}

fn rename(lake: &Lake) {
    lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
    lake.crawl();
}

fn mend(lake: &Lake) {
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\"}\n{\"Id\":2,\"Ship City\":\"Oslo\"}\n");
    lake.crawl();
}

#[tokio::test(flavor = "multi_thread")]
async fn breaking_drift_alerts_once_whatever_crashes() {
    survives_every_crash("halted", async |lake| rename(lake)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_drift_again_is_no_second_alert_whatever_crashes() {
    survives_every_crash("halted again", async |lake| {
        rename(lake);
        assert_eq!(the_night_before(lake).await.delivery, Some(Delivery::Sent));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_drift_is_told_once_whatever_crashes() {
    survives_every_crash("resolved", async |lake| {
        fs::remove_file(lake.path("sql/fact_cities.sql")).unwrap();
        rename(lake);
        the_night_before(lake).await;
        mend(lake);
    })
    .await;
}

/// Two nights of the same drift, then two clean ones: one alert, one notice that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn drift_is_told_when_it_begins_and_when_it_ends() {
    let lake = Lake::new();
    assert_eq!(again(&lake).await.delivery, None, "nothing was wrong before");
    rename(&lake);
    let first = again(&lake).await;
    let second = again(&lake).await;
    assert_eq!(first.delivery, Some(Delivery::Sent));
    assert_eq!(second.delivery, Some(Delivery::AlreadyTold { run_id: first.run_id.clone(), slot: SLOT.into() }));
    assert_eq!(second.alert.unwrap().accept, first.alert.unwrap().accept, "what to do is said all the same");
    mend(&lake);
    let resolved = again(&lake).await;
    assert_eq!(resolved.outcome, Some(Outcome::Published));
    assert_eq!(resolved.alert.unwrap().resolves.unwrap().run_id, first.run_id);
    assert_eq!(again(&lake).await.alert, None);
    let told = alerts(&lake).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("stopped - raw_orders lost column") && told[1].contains("resolved"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_wrong_after_a_week_is_told_again() {
    let lake = Lake::new();
    rename(&lake);
    let store = lake.store();
    let outbox = Outbox::new(&store);
    let mut delivered = Vec::new();
    for slot in ["2026-01-02T03:04:05Z", "2026-01-09T03:04:04Z", "2026-01-09T03:04:05Z", "2026-01-10T03:04:05Z"] {
        let asked = Asked { again: true, inputs: "the files", slot };
        let run = process_with(&lake, &Fuse::new(usize::MAX, false), &outbox, asked).await.unwrap();
        delivered.push(run.delivery.unwrap() == Delivery::Sent);
    }
    assert_eq!(delivered, [true, false, true, false]);
}

/// A topic that is away, then back.
#[derive(Default)]
struct Topic {
    away: AtomicBool,
    sent: RecordingNotifier,
}

#[async_trait]
impl Notifier for Topic {
    async fn send(&self, alert: &Alert, text: &Rendered) -> Result<(), PortError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(PortError::new(PortErrorKind::Unavailable, "publish alert to", "the topic", "it is away"));
        }
        self.sent.send(alert, text).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_could_not_be_sent_is_sent_by_the_next_run() {
    let lake = Lake::new();
    rename(&lake);
    let topic = Topic::default();
    let whole = Fuse::new(usize::MAX, false);
    let asked = Asked { again: true, inputs: "the files", slot: SLOT };
    topic.away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let run = process_with(&lake, &whole, &topic, asked).await.unwrap();
        assert_eq!(run.outcome, Some(Outcome::Halted), "the verdict stands without the mail");
        assert!(run.delivery != Some(Delivery::Sent) && topic.sent.sent().is_empty());
    }
    mend(&lake);
    topic.away.store(false, Ordering::SeqCst);
    let run = process_with(&lake, &whole, &topic, asked).await.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Published));
    let kinds: Vec<_> = topic.sent.sent().into_iter().map(|(alert, _)| alert.kind).collect();
    assert_eq!(kinds, [AlertKind::Breaking, AlertKind::Resolved]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_without_a_model_are_mentioned_and_kept() {
    let lake = Lake::new();
    assert_eq!(again(&lake).await.orphans, [""; 0]);
    fs::remove_file(lake.path("sql/fact_cities.sql")).unwrap();
    assert_eq!(again(&lake).await.orphans, ["fact_cities"]);
    assert!(lake.catalog().table("fact_cities").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_checks_alert_once_whatever_crashes() {
    survives_every_crash("checks failed", async |lake| {
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
    let accept = run.alert.unwrap().accept;
    let renamed = "crawlguard contracts update raw_orders --rename 'ship city=city'";
    let asking: Vec<_> = accept.iter().filter_map(|line| asking(line)).collect();
    assert_eq!(asking, [renamed, "crawlguard contracts update raw_orders"]);
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

/// Contract of `int_orders`, promising these columns.
fn promise(lake: &Lake, columns: &[(&str, &str)]) {
    let property = |(name, data_type): &(&str, &str)| serde_json::json!({"name": name, "physicalType": data_type});
    let contract = serde_json::json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "int_orders", "version": "1.0.0", "status": "active",
        "schema": [{"name": "int_orders", "properties": columns.iter().map(property).collect::<Vec<_>>()}],
        "customProperties": [{"property": "crawlguard.origin", "value": "model"}],
    });
    lake.write("contracts/int_orders.json", &contract.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_other_types_than_promised_is_not_published() {
    let lake = Lake::new();
    for (id, outcome, failed) in [
        ("bigint", Outcome::ChecksFailed, vec![("id".to_owned(), "int".into(), "bigint".into())]),
        ("integer", Outcome::Published, Vec::new()),
    ] {
        promise(&lake, &[("id", id), ("city", "varchar(20)")]);
        let run = again(&lake).await;
        let wrong = run.checks.iter().filter(|check| check.status != CheckStatus::Pass);
        let wrong: Vec<(String, serde_json::Value, serde_json::Value)> =
            wrong.map(|it| (it.column.clone().unwrap_or_default(), it.measured.clone(), it.bound.clone())).collect();
        assert_eq!((run.outcome, wrong), (Some(outcome), failed), "{id}: {:?}", run.error);
        let is_published = lake.catalog().table("int_orders").await.unwrap().is_some();
        assert_eq!(is_published, outcome == Outcome::Published, "{id}");
        let types = run.checks.iter().filter(|check| check.check == "column type");
        assert_eq!(types.map(|check| check.table.as_str()).collect::<Vec<_>>(), ["int_orders"; 2]);
    }
}

#[tokio::test]
async fn a_promised_column_that_a_model_lacks_is_told_before_anything_runs() {
    let lake = Lake::new();
    promise(&lake, &[("id", "int"), ("ciity", "string"), ("weight", "double")]);
    let error = compare(&lake.project(), lake.catalog().as_ref(), "raw_").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "contracts/int_orders.json: the contract promises a column `ciity`, and `int_orders` has none\n  \
         help: did you mean `city`? if not, add the column to the model, or take it out of the contract\n\
         contracts/int_orders.json: the contract promises a column `weight`, and `int_orders` has none\n  \
         help: add the column to the model, or take it out of the contract"
    );
}

#[test]
fn a_contract_of_no_model_is_told_when_the_project_is_read() {
    let lake = Lake::new();
    promise(&lake, &[("id", "int")]);
    let problems = || Project::read(Settings::read(lake.root()).unwrap()).err().map(|found| found.to_string());
    assert_eq!(problems(), None);
    fs::rename(lake.path("sql/int_orders.sql"), lake.path("sql/int_order.sql")).unwrap();
    let said = problems().unwrap();
    assert!(
        said.contains(
            "contracts/int_orders.json: the contract is of a model `int_orders`, and there is none\n  help: did you mean \
             `int_order`? if not, add the model, remove the contract or, if a crawler makes the table, \
             take `crawlguard.origin` out"
        ),
        "{said}"
    );
    // A model that cannot be read is one problem, not two.
    fs::rename(lake.path("sql/int_order.sql"), lake.path("sql/int_orders.sql")).unwrap();
    lake.write("sql/int_orders.sql", "SELECT FROM");
    let said = problems().unwrap();
    assert!(said.contains("sql/int_orders.sql") && !said.contains("contracts/"), "{said}");
}
