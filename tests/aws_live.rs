//! The AWS adapters against a real endpoint: `AWS_ENDPOINT_URL=… cargo test --features aws --test aws_live`.
//!
//! It makes a database, a bucket and a topic of its own. Without an endpoint it fails: it must not write to an account.

#[path = "it/crawl/catalog_suite.rs"]
mod catalog_suite;
#[path = "aws_live/lake.rs"]
mod lake;
#[path = "aws_live/engine.rs"]
mod engine;
#[path = "aws_live/store.rs"]
mod store;

use std::sync::Arc;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_sdk_glue::config::SharedCredentialsProvider;
use catalog_suite::{a_table, catalog_suite};
use crawlguard::aws;
use crawlguard::catalog::Catalog;
use crawlguard::catalog::glue::GlueCatalog;
use crawlguard::notify::sns::SnsNotifier;
use crawlguard::notify::{Notifier, Rendered};
use crawlguard::plan::{Alert, AlertKind};
use crawlguard::port::PortErrorKind;
use lake::Lake;

#[tokio::test(flavor = "multi_thread")]
async fn glue_is_a_catalog() {
    let lake = Arc::new(Lake::new("catalog").await);
    let catalog = lake.catalog();
    catalog_suite(&catalog, &|table| lake.create(table)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tables_than_a_page_are_listed() {
    let lake = Lake::new("pages").await;
    let names: Vec<String> = (0..130).map(|number| format!("raw_{number:03}")).collect();
    for name in &names {
        lake.create(&a_table(name, "s3://lake/x/"));
    }
    let tables = lake.catalog().tables("raw_").await.unwrap();
    assert_eq!(tables.into_iter().map(|table| table.name).collect::<Vec<_>>(), names);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_are_dropped_and_the_newest_stay() {
    let lake = Lake::new("prune").await;
    let catalog = lake.catalog();
    let mut version = None;
    for run in 0..5 {
        let staging = format!("stg_{run}");
        lake.create(&a_table(&staging, &format!("s3://lake/fact/{run}/")));
        version = catalog.swap("fact", &staging, version.as_deref(), &[]).await.unwrap().version;
    }
    let before = catalog.versions("fact").await.unwrap();
    catalog.prune("fact", 2).await.unwrap();
    assert_eq!(catalog.versions("fact").await.unwrap(), before[..2]);
    catalog.prune("fact", 0).await.unwrap();
    assert_eq!(catalog.versions("fact").await.unwrap(), before[..1]);
    catalog.prune("absent", 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_database_is_named() {
    let lake = Lake::new("absent").await;
    let catalog = GlueCatalog::new(aws_sdk_glue::Client::new(&lake.config), "no_such_database");
    for error in [catalog.tables("raw_").await.unwrap_err(), catalog.table("raw_a").await.unwrap_err()] {
        assert_eq!(error.kind, PortErrorKind::NotFound);
        assert!(error.to_string().contains("no_such_database"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_the_topic() {
    let lake = Lake::new("alert").await;
    let sns = aws_sdk_sns::Client::new(&lake.config);
    let topic = sns.create_topic().name(&lake.name).send().await.unwrap().topic_arn.unwrap();
    let alert = Alert {
        kind: AlertKind::Breaking,
        run_id: "20260102T030405Z".into(),
        slot: "2026-01-02T03:04:05Z".into(),
        project: "shop".into(),
        target: "aws".into(),
        findings: Vec::new(),
        checks: Vec::new(),
        error: None,
        accept: Vec::new(),
        fingerprint: String::new(),
        resolves: None,
    };
    let text = Rendered { subject: "shop: breaking".into(), body: "what changed\n".into() };
    SnsNotifier::new(sns.clone(), &topic).send(&alert, &text).await.unwrap();

    let absent = format!("{topic}_absent");
    let error = SnsNotifier::new(sns, &absent).send(&alert, &text).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::NotFound);
    assert!(error.to_string().contains(&absent), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_credentials_are_no_broken_connection() {
    let lake = Lake::new("credentials").await;
    let profile = ProfileFileCredentialsProvider::builder().profile_name("no_such_profile").build();
    let config = lake.config.to_builder().credentials_provider(SharedCredentialsProvider::new(profile)).build();
    let error = GlueCatalog::new(aws_sdk_glue::Client::new(&config), &lake.name).tables("").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("glue:GetTables"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listening_is_no_answer() {
    let lake = Lake::new("nobody").await;
    let config = aws_sdk_glue::config::Builder::from(&lake.config).endpoint_url("http://127.0.0.1:1").build();
    let catalog = GlueCatalog::new(aws_sdk_glue::Client::from_conf(config), &lake.name);
    let error = catalog.tables("").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unavailable, "{error}");
    assert!(aws::config(Some("eu-west-1"), None).await.region().is_some_and(|region| region.as_ref() == "eu-west-1"));
}
