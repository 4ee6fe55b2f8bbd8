//! What is removed on AWS, and when: nothing that a live table shows or that a query may still be reading.

use std::collections::BTreeSet;

use crawlguard::catalog::Catalog;
use crawlguard::cloud::Cloud;
use crawlguard::drift::Verdict;
use crawlguard::pipeline::{Outcome, Run};
use serde_json::{Value, json};

use super::lake::{DATABASE, Lake, STATE, Site, WAREHOUSE};

const SLOTS: [&str; 4] =
    ["2026-01-01T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z", "2026-01-04T03:04:05Z"];

async fn published(site: &Site, slot: &str) -> Run {
    let run = site.run(slot).await;
    assert_eq!(run.outcome, Some(Outcome::Published), "{:?}", run.error);
    run
}

/// The folders under a prefix that hold files.
fn folders(site: &Site, prefix: &str) -> BTreeSet<String> {
    let objects = site.aws.account().s3.list(prefix);
    objects.iter().filter_map(|(uri, _)| Some(uri.rsplit_once('/')?.0.to_owned())).collect()
}

fn garbage(site: &Site) -> Option<Value> {
    let object = site.aws.account().s3.get(&format!("{STATE}garbage.json"))?;
    Some(serde_json::from_slice(&object).unwrap())
}

fn noted(site: &Site) -> BTreeSet<String> {
    let garbage = garbage(site).unwrap_or_else(|| json!({"since": {}}));
    garbage["since"].as_object().unwrap().keys().cloned().collect()
}

/// Six hours go by: longer than any query.
fn wait_for_readers(site: &Site) {
    let mut garbage = garbage(site).expect("there is some");
    for since in garbage["since"].as_object_mut().unwrap().values_mut() {
        let then: jiff::Timestamp = since.as_str().unwrap().parse().unwrap();
        *since = (then - jiff::SignedDuration::from_hours(6)).to_string().into();
    }
    site.aws.account().s3.put(&format!("{STATE}garbage.json"), garbage.to_string().as_bytes());
}

/// The locations that some kept version of a model shows.
async fn shown(site: &Site) -> BTreeSet<String> {
    let catalog = Cloud::with(site.settings.clone(), &site.aws.process().config).catalog();
    let mut shown = BTreeSet::new();
    for model in ["int_orders", "fact_cities"] {
        let versions = catalog.versions(model).await.unwrap();
        assert!(versions.len() <= 2, "{model}");
        shown.extend(versions.into_iter().map(|version| version.location.unwrap().trim_end_matches('/').to_owned()));
    }
    shown
}

async fn what_nothing_shows_waits_for_its_last_reader(site: &Site, place: &str) {
    for slot in &SLOTS[..2] {
        published(site, slot).await;
    }
    let first_two = folders(site, place);
    assert_eq!((first_two.len(), noted(site).len()), (4, 0));
    published(site, SLOTS[2]).await;
    // The first run's two builds are shown no more, and a query that began before may read them.
    let all = folders(site, place);
    let left: BTreeSet<_> = all.difference(&shown(site).await).cloned().collect();
    assert_eq!((all.len(), left.len()), (6, 2));
    assert_eq!(noted(site), left);
    wait_for_readers(site);
    published(site, SLOTS[3]).await;
    let now = folders(site, place);
    assert_eq!(now.intersection(&left).count(), 0, "{now:?}");
    assert!(shown(site).await.is_subset(&now));
    // And the second run's now wait in their place.
    assert_eq!(noted(site), now.difference(&shown(site).await).cloned().collect());
    assert_eq!(noted(site).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_builds_wait_for_their_last_reader() {
    what_nothing_shows_waits_for_its_last_reader(&Lake::new().site(), WAREHOUSE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_builds_of_a_workgroup_that_enforces_its_place_do_so_too() {
    let lake = Lake::new();
    lake.aws.account().athena.create_workgroup("crawlguard", Some("s3://shop/results/"), true);
    let site = lake.site();
    what_nothing_shows_waits_for_its_last_reader(&site, "s3://shop/results/tables/").await;
    assert_eq!(folders(&site, WAREHOUSE).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_again_is_not_removed() {
    let site = Lake::new().site();
    for slot in &SLOTS[..3] {
        published(&site, slot).await;
    }
    wait_for_readers(&site);
    // Somebody's own table over a build that waits.
    let kept = noted(&site).into_iter().next().unwrap();
    let table = json!({"Name": "mine", "StorageDescriptor": {"Columns": [], "Location": format!("{kept}/")}});
    site.aws.account().glue.put(DATABASE, &table, Vec::new());
    published(&site, SLOTS[3]).await;
    assert!(folders(&site, WAREHOUSE).contains(&kept));
}

/// Neither a link to another catalog's table nor a half-made one is this project's, and a cleanup reads every table.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_table_of_files_keeps_no_run_from_its_end() {
    let site = Lake::new().site();
    let half =
        json!({"Name": "half", "StorageDescriptor": {"Columns": [{"Name": "a"}], "Location": "s3://shop/half/"}});
    for table in [json!({"Name": "link", "TargetTable": {"DatabaseName": "other", "Name": "t"}}), half] {
        site.aws.account().glue.put(DATABASE, &table, Vec::new());
    }
    published(&site, SLOTS[0]).await;
    let names = site.aws.account().glue.names(DATABASE);
    assert!(names.contains(&"link".to_owned()) && names.contains(&"half".to_owned()), "{names:?}");
    // Among the crawled ones each is a finding of its own.
    site.aws.account().glue.put(DATABASE, &json!({"Name": "raw_link"}), Vec::new());
    let run = site.run(SLOTS[1]).await;
    assert_eq!(run.verdict, Verdict::Unknown);
    let [finding] = run.findings.as_slice() else { panic!("{:?}", run.findings) };
    assert_eq!((finding.rule.as_str(), finding.table.as_str()), ("files-unreadable", "raw_link"));
    assert!(finding.message.contains("no `StorageDescriptor`"), "{}", finding.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_deleted_is_tried_again() {
    let site = Lake::new().site();
    for slot in &SLOTS[..3] {
        published(&site, slot).await;
    }
    wait_for_readers(&site);
    let folder = noted(&site).into_iter().next().unwrap();
    let (file, _) = site.aws.account().s3.list(&format!("{folder}/")).into_iter().next().unwrap();
    site.aws.account().s3.kept.insert(file.trim_start_matches("s3://").to_owned());
    published(&site, SLOTS[3]).await;
    assert!(noted(&site).contains(&folder), "it is still to be removed");
    site.aws.account().s3.kept.clear();
    published(&site, "2026-01-05T03:04:05Z").await;
    assert!(!folders(&site, WAREHOUSE).contains(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn staging_entries_go_with_their_run_and_others_stay() {
    let site = Lake::new().site();
    let stale = published(&site, SLOTS[0]).await.run_id.to_lowercase();
    // The run of another slot, cut off: its record says that it has not ended.
    let record = site.aws.account().s3.get(&format!("{STATE}runs/20260101T030405Z.json")).unwrap();
    let mut record: Value = serde_json::from_slice(&record).unwrap();
    record["run_id"] = "20251231T030405Z".into();
    record["outcome"] = Value::Null;
    site.aws.account().s3.put(&format!("{STATE}runs/20251231T030405Z.json"), record.to_string().as_bytes());
    let names = [
        format!("stg_int_orders_{stale}"),
        "stg_int_orders_20251231t030405z".into(),
        // Another project's, and nobody's.
        "stg_int_orders_20251230t030405z".into(),
        "stg_mine".into(),
    ];
    for name in &names {
        let table = json!({"Name": name, "StorageDescriptor": {"Columns": [], "Location": "s3://shop/elsewhere/"}});
        site.aws.account().glue.put(DATABASE, &table, Vec::new());
    }
    published(&site, SLOTS[1]).await;
    let left = site.aws.account().glue.names(DATABASE);
    let left: Vec<_> = left.into_iter().filter(|name| name.starts_with("stg_")).collect();
    assert_eq!(left, ["stg_int_orders_20251230t030405z", "stg_int_orders_20251231t030405z", "stg_mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_ended_runs_go_after_their_days() {
    let site = Lake::new().site();
    published(&site, SLOTS[0]).await;
    published(&site, SLOTS[1]).await;
    let runs = || {
        let records = site.aws.account().s3.list(&format!("{STATE}runs/"));
        records.into_iter().map(|(uri, _)| uri.rsplit_once('/').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    // Slots that are caught up on late are no old runs.
    published(&site, "2026-04-01T03:04:06Z").await;
    assert_eq!(runs(), ["20260101T030405Z.json", "20260102T030405Z.json", "20260401T030406Z.json"]);
    for id in ["20260101T030405Z", "20260102T030405Z"] {
        let uri = format!("{STATE}runs/{id}.json");
        let mut account = site.aws.account();
        let mut record: Value = serde_json::from_slice(&account.s3.get(&uri).unwrap()).unwrap();
        assert!(record["ended_on"].is_string(), "{record}");
        record["ended_on"] = json!("2026-01-03");
        account.s3.put(&uri, record.to_string().as_bytes());
    }
    published(&site, "2026-04-01T03:04:07Z").await;
    assert_eq!(runs(), ["20260102T030405Z.json", "20260401T030406Z.json", "20260401T030407Z.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partitioned_hive_model_is_refused_before_anything_runs() {
    let lake = Lake::new();
    let select = "SELECT count(*) AS orders, city FROM int_orders GROUP BY city\n";
    let header = |words: &str| format!("/* crawlguard\n{words}partitioned_by: city\n*/\n{select}");
    lake.local.write("sql/fact_cities.sql", &header(""));
    let run = lake.site().run(SLOTS[0]).await;
    assert_eq!((run.outcome, run.steps.len()), (Some(Outcome::Error), 0));
    let error = run.error.unwrap();
    assert!(error.starts_with("sql/fact_cities.sql:line 2: target `prod` cannot replace the partitions"), "{error}");
    assert!(error.contains("help: write `materialized: iceberg`"), "{error}");
}
