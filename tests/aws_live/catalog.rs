//! Glue as a catalog.

use std::sync::Arc;

use crawlguard::catalog::Catalog;
use crawlguard::catalog::glue::GlueCatalog;
use crawlguard::port::PortErrorKind;

use super::catalog_suite::{a_table, catalog_suite};
use super::lake::Lake;

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
