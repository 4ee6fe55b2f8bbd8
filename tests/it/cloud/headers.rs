//! The headers of CSV files are read where the catalog cannot show a shift.

use std::io::Write;

use crawlguard::catalog::notes;
use crawlguard::cloud::Cloud;
use crawlguard::drift::Verdict;
use crawlguard::pipeline::{Comparison, Outcome, RunError, compare};
use serde_json::json;

use super::fake::{Fault, FaultKind, described};
use super::lake::{DATABASE, Lake, RAW, Site, shell};
use super::laptop::Laptop;
use crate::support::SLOT;

/// The small project, and a promised CSV source beside it.
fn with_sales() -> Lake {
    let mut lake = Lake::new();
    lake.local.write("lake/sales/2026-01.csv", "id,amount,channel\n1,2.5,web\n2,3.5,shop\n");
    lake.crawl();
    lake.promise();
    lake
}

async fn compared(site: &Site) -> Result<Comparison, RunError> {
    let cloud = Cloud::with(site.settings.clone(), &site.aws.process().config);
    compare(&site.project, &cloud.catalog(), "raw_").await
}

/// What is found once this file lies beside the first, and no crawl has seen it.
async fn found(name: &str, bytes: &[u8]) -> (Verdict, Vec<(String, String)>) {
    let site = with_sales().site();
    site.aws.account().s3.put(&format!("{RAW}sales/{name}"), bytes);
    let compared = compared(&site).await.unwrap();
    let findings = compared.findings.into_iter().map(|finding| (finding.rule, finding.message));
    (compared.verdict, findings.collect())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_is_breaking_before_a_row_is_misread() {
    let shifted = "id,channel,amount\n3,web,4.5\n";
    for (name, bytes) in [("2026-02.csv", shifted.as_bytes().to_vec()), ("2026-02.csv.gz", gzip(shifted))] {
        let (verdict, findings) = found(name, &bytes).await;
        assert_eq!(verdict, Verdict::Breaking, "{findings:?}");
        let [(rule, message)] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(rule, "headers-differ");
        assert!(message.contains(&format!("`{name}` has `channel` in the place of `amount`")), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_header_is_breaking_and_its_data_is_not_told() {
    let (verdict, findings) = found("2026-02.csv", b"77,8.5,secret\n").await;
    assert_eq!(verdict, Verdict::Breaking);
    assert!(findings[0].1.contains("`2026-02.csv` has `col0` in the place of `id`"), "{findings:?}");
    assert!(!format!("{findings:?}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_is_clean() {
    for (name, text) in [
        ("2026-02.csv", "ID,Amount,Channel\r\n3,4.5,web\r\n"),
        ("2026-02.csv", "id,amount\n3,4.5\n"),
        ("empty.csv", ""),
        // Athena passes these over.
        ("_SUCCESS", "id,channel,amount\n"),
        (".hidden/2026-02.csv", "id,channel,amount\n"),
    ] {
        let (verdict, findings) = found(name, text.as_bytes()).await;
        assert_eq!((verdict, findings.as_slice()), (Verdict::Clean, [].as_slice()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_unknown() {
    let (verdict, findings) = found("2026-02.csv.gz", b"id,amount,channel\n").await;
    assert_eq!(verdict, Verdict::Unknown);
    assert!(findings[0].1.contains("s3://shop/raw/sales/2026-02.csv.gz`: it is named `.gz`"), "{findings:?}");

    let site = with_sales().site();
    let fault = Fault { service: "s3", action: "GetObject".into(), nth: 1, kind: FaultKind::AccessDenied };
    site.aws.account().calls.reset(Some(fault));
    let compared = compared(&site).await.unwrap();
    assert_eq!(compared.verdict, Verdict::Unknown);
    let message = &compared.findings[0].message;
    assert!(message.contains("`s3://shop/raw/sales/2026-01.csv`") && message.contains("`s3:GetObject`"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_files_are_looked_at_and_no_others() {
    let site = with_sales().site();
    // Written first, and the last of the listing.
    for month in [9, 2, 3, 4, 5, 6, 7, 8] {
        let header = if month == 9 { "id,channel,amount" } else { "id,amount,channel" };
        site.aws.account().s3.put(&format!("{RAW}sales/2026-0{month}.csv"), format!("{header}\n1,2,3\n").as_bytes());
    }
    site.aws.account().calls.reset(None);
    assert_eq!(compared(&site).await.unwrap().verdict, Verdict::Clean);
    let count = |action: &str| site.aws.account().calls.log.iter().filter(|call| call.action == action).count();
    // The table of JSON files costs nothing.
    assert_eq!((count("GetTables"), count("ListObjectsV2"), count("GetObject")), (1, 1, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_too_many_files_is_unknown_and_probing_can_be_left_out() {
    let mut site = with_sales().site();
    for number in 0..1000 {
        site.aws.account().s3.put(&format!("{RAW}sales/a{number}.csv"), b"id,channel,amount\n");
    }
    site.settings.header_files_listed = 1;
    let found = compared(&site).await.unwrap();
    assert_eq!(found.verdict, Verdict::Unknown);
    assert!(found.findings[0].message.contains("header_files_listed"), "{:?}", found.findings);
    site.settings.header_files = 0;
    assert_eq!(compared(&site).await.unwrap().verdict, Verdict::Clean);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_halts_on_a_shift() {
    let site = with_sales().site();
    site.aws.account().s3.put(&format!("{RAW}sales/2026-02.csv"), b"id,channel,amount\n3,web,4.5\n");
    let run = site.run(SLOT).await;
    assert_eq!(run.outcome, Some(Outcome::Halted));
    assert_eq!(site.aws.account().athena.queries.len(), 0);
    let words = site.aws.account().sns.mails[0].body.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("`2026-02.csv` has `channel` in the place of `amount`"), "{words}");
}

/// What is said of a table that LazySimpleSerDe reads, once this file lies beside the first.
async fn quoted(text: &str) -> (Verdict, Vec<String>, Vec<String>) {
    let site = with_sales().site();
    site.aws.account().s3.put(&format!("{RAW}sales/2026-02.csv"), text.as_bytes());
    let compared = compared(&site).await.unwrap();
    let findings = compared.findings.iter().map(|finding| finding.message.clone() + " " + &finding.help);
    (compared.verdict, findings.collect(), notes(&compared.tables).iter().map(ToString::to_string).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quoted_cell_that_the_serde_misreads_is_never_clean() {
    for (text, line, why) in [
        ("id,amount,channel\n3,4.5,\"web, shop\"\n", "line 2", "a quoted cell holds the delimiter"),
        ("id,amount,channel\n3,4.5,web\n4,\"5.5\",web\n", "line 3", "a value of column `amount` stands in quotes"),
        ("id,amount,channel\n3,4.5,\"web\nshop\"\n", "line 2", "a quoted cell does not end on its line"),
    ] {
        let (verdict, findings, _) = quoted(text).await;
        assert_eq!(verdict, Verdict::Unknown, "{text}");
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert!(finding.contains("2026-02.csv") && finding.contains(line) && finding.contains(why), "{finding}");
        assert!(finding.contains("a custom CSV classifier (`Serde` OpenCSVSerDe"), "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_are_looked_for_below_the_headers_bytes_as_far_as_is_said() {
    let rows = |bytes: usize| "id,amount,channel\n".to_owned() + &"3,4.5,web\n".repeat(bytes / 10);
    let quoted_row = "4,5.5,\"web, shop\"\n";
    let (verdict, findings, _) = quoted(&(rows(60 * 1024) + quoted_row)).await;
    assert_eq!(verdict, Verdict::Unknown, "{findings:?}");
    let (verdict, findings, _) = quoted(&(rows(70 * 1024) + quoted_row)).await;
    assert_eq!((verdict, findings), (Verdict::Clean, vec![]), "docs/aws.md names what counts these");
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_that_stay_in_text_are_noted_and_drift_where_values_have_none() {
    for (text, found) in [
        ("id,amount,channel\n3,4.5,\"web\"\n", &["stand in quotes since `2026-02.csv, line 2`"][..]),
        ("\"id\",\"amount\",\"channel\"\n3,4.5,web\n", &[]),
    ] {
        let (verdict, findings, notes) = quoted(text).await;
        assert_eq!(verdict == Verdict::Clean, found.is_empty(), "{text}: {findings:?}");
        assert_eq!(findings.len(), found.len());
        assert!(findings.iter().zip(found).all(|(finding, words)| finding.contains(words)), "{findings:?}");
        assert!(notes.len() == 1 && notes[0].contains("2026-02.csv") && notes[0].contains("quotes"), "{notes:?}");
    }
    assert_eq!(quoted("id,amount,channel\n3,4.5,web\n").await.2, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_that_arrives_while_a_run_builds_is_not_published() {
    let lake = with_sales();
    lake.deploy();
    lake.aws.account().athena.is_held = true;
    let waiting = shell(&lake.aws).handle(&json!({"command": "run"})).await.unwrap();
    assert_eq!(waiting["state"], "waiting");
    lake.aws.account().s3.put(&format!("{RAW}sales/2026-02.csv"), b"id,channel,amount\n3,web,4.5\n");
    lake.aws.account().athena.is_held = false;
    let mut state = json!(null);
    while state != "idle" {
        lake.aws.finish_queries();
        state = shell(&lake.aws).handle(&json!({"command": "sweep"})).await.unwrap()["state"].take();
    }
    assert_eq!(lake.aws.account().publications, []);
    let mails = lake.aws.account().sns.mails.clone();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    let words = mail.body.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("`2026-02.csv` has `channel` in the place of `amount`"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_looks_twice_and_no_more() {
    let site = with_sales().site();
    site.aws.account().calls.reset(None);
    assert_eq!(site.run(SLOT).await.outcome, Some(Outcome::Published));
    let reads = |action: &str| {
        let log = &site.aws.account().calls.log;
        log.iter().filter(|call| call.action == action && call.resource.contains("raw/sales")).count()
    };
    assert_eq!((reads("ListObjectsV2"), reads("GetObject")), (2, 2), "{:?}", site.aws.account().calls.log);
}

#[test]
fn a_renamed_column_is_accepted_while_older_files_have_the_older_name() {
    let lake = with_sales();
    let laptop = Laptop::new(&lake);
    lake.aws.account().s3.put(&format!("{RAW}sales/2026-02.csv"), b"id,total,channel\n3,4.5,web\n");
    {
        let mut account = lake.aws.account();
        let mut table = described(account.glue.table(DATABASE, "raw_sales").expect("a table"));
        table["StorageDescriptor"]["Columns"][1]["Name"] = json!("total");
        account.glue.put(DATABASE, &table, Vec::new());
    }
    let update = ["contracts", "update", "raw_sales", "--rename", "amount=total", "--yes"];
    let said = laptop.says(&update);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("say `headers-differ: tolerate` in the policy"), "{said:?}");
    let contract = std::fs::read_to_string(laptop.root().join("contracts/raw_sales.json")).unwrap();
    let mut contract: serde_json::Value = serde_json::from_str(&contract).unwrap();
    let policy = json!({"property": "crawlguard.policy", "value": {"headers-differ": "tolerate"}});
    contract["customProperties"].as_array_mut().unwrap().push(policy);
    laptop.write("contracts/raw_sales.json", &contract.to_string());
    assert_eq!(laptop.says(&update).code, Some(0));
    let said = laptop.says(&["check", "--format", "json"]);
    assert_eq!((said.code, &said.json()["verdict"]), (Some(0), &json!("tolerated")), "{said:?}");
    // A shift stays what it is, whatever the policy says.
    lake.aws.account().s3.put(&format!("{RAW}sales/2026-03.csv"), b"id,channel,total\n3,web,4.5\n");
    assert_eq!(laptop.says(&["check"]).code, Some(1));
}
