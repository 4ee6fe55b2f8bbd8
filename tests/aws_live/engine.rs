//! Athena as an engine: build, swap, read.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_athena::types::{ResultConfiguration, WorkGroupConfiguration};
use crawlguard::aws::{self, S3Folder};
use crawlguard::catalog::Catalog;
use crawlguard::engine::athena::{AthenaEngine, AthenaSettings};
use crawlguard::engine::{Engine, QueryId, QueryState, Rows, Statement};
use crawlguard::port::PortErrorKind;

use super::lake::Lake;

async fn engine(lake: &Lake, enforced: bool) -> AthenaEngine {
    let client = aws_sdk_athena::Client::new(&lake.config);
    let output = format!("s3://{}/results/", lake.bucket);
    let results = ResultConfiguration::builder().output_location(&output).build();
    let configuration = WorkGroupConfiguration::builder()
        .enforce_work_group_configuration(enforced)
        .result_configuration(results)
        .build();
    client.create_work_group().name(&lake.name).configuration(configuration).send().await.unwrap();
    let settings = AthenaSettings {
        workgroup: lake.name.clone(),
        database: lake.name.clone(),
        warehouse: S3Folder::parse(&format!("s3://{}/warehouse/", lake.bucket)).unwrap(),
        output: None,
    };
    AthenaEngine::new(client, aws::s3(&lake.config), settings)
}

/// One that no other query of the account has had, as long as Athena wants it.
fn token() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let stamp = jiff::Timestamp::now().as_nanosecond();
    format!("{stamp:0>32}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

async fn ended(engine: &AthenaEngine, query: &QueryId) -> QueryState {
    loop {
        match engine.state(query).await.unwrap() {
            QueryState::Running => engine.wait(std::slice::from_ref(query)).await.unwrap(),
            state => return state,
        }
    }
}

async fn select(engine: &AthenaEngine, select: &str) -> Rows {
    let query = engine.start(&token(), &Statement::Query { select: select.into() }).await.unwrap();
    let state = ended(engine, &query).await;
    assert!(matches!(state, QueryState::Succeeded { .. }), "{state:?}");
    engine.rows(&query).await.unwrap()
}

fn build(engine: &AthenaEngine, table: &str, attempt: u32, iceberg: bool) -> Statement {
    Statement::Build {
        table: table.into(),
        select: "SELECT * FROM (VALUES (1, 'a'), (2, ''), (3, CAST(NULL AS varchar))) AS t (id, city)".into(),
        location: engine.location("fact", "run", attempt),
        partitioned_by: Vec::new(),
        iceberg,
    }
}

async fn publishes(iceberg: bool, enforced: bool) {
    let lake = Lake::new("engine").await;
    let (engine, catalog) = (engine(&lake, enforced).await, lake.catalog());
    let mut version = None;
    for attempt in [1, 2] {
        let staging = format!("stg_fact_{attempt}");
        let statement = build(&engine, &staging, attempt, iceberg);
        let token = token();
        let query = engine.start(&token, &statement).await.unwrap();
        assert_eq!(engine.start(&token, &statement).await.unwrap(), query, "no second run");
        let state = ended(&engine, &query).await;
        assert!(matches!(state, QueryState::Succeeded { rows: Some(3), .. }), "{state:?}");
        let notes = [("crawlguard.rows".to_owned(), "3".to_owned())];
        let published = catalog.swap("fact", &staging, version.as_deref(), &notes).await.unwrap();
        assert_eq!(published.parameters["crawlguard.rows"], "3");
        catalog.forget(&staging).await.unwrap();
        version = published.version;
    }
    let rows = select(&engine, "SELECT id, city FROM fact ORDER BY id").await;
    assert_eq!(rows.columns, ["id", "city"]);
    let texts: Vec<Vec<_>> = rows.rows.iter().map(|row| row.iter().map(Option::as_deref).collect()).collect();
    assert_eq!(texts, [[Some("1"), Some("a")], [Some("2"), Some("")], [Some("3"), None]]);
    if enforced && !iceberg {
        return;
    }
    let locations = [1, 2].map(|attempt| engine.location("fact", "run", attempt));
    assert_eq!(engine.locations("fact").await.unwrap(), locations);
    engine.discard(&locations[0]).await.unwrap();
    engine.discard(&locations[0]).await.unwrap();
    assert_eq!(engine.locations("fact").await.unwrap(), locations[1..]);
    assert_eq!(select(&engine, "SELECT count(*) AS n FROM fact").await.rows, [[Some("3".to_owned())]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hive_build_is_published() {
    publishes(false, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_iceberg_build_is_published() {
    publishes(true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workgroup_may_enforce_its_output_location() {
    publishes(false, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hive_partitions_are_not_swapped_halfway() {
    let lake = Lake::new("partitions").await;
    let engine = engine(&lake, false).await;
    let Statement::Build { table, select, location, iceberg, .. } = build(&engine, "stg_fact", 1, false) else {
        unreachable!("a build")
    };
    let statement = Statement::Build { table, select, location, partitioned_by: vec!["city".into()], iceberg };
    let query = engine.start(&token(), &statement).await.unwrap();
    assert!(matches!(ended(&engine, &query).await, QueryState::Succeeded { .. }));
    let error = lake.catalog().swap("fact", "stg_fact", None, &[]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Invalid);
    assert_eq!(lake.catalog().table("fact").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_over_pages_and_without_the_header() {
    let lake = Lake::new("rows").await;
    let engine = engine(&lake, false).await;
    let rows = select(&engine, "SELECT n FROM UNNEST(sequence(1, 2500)) AS t (n) ORDER BY n").await;
    let numbers: Vec<_> = (1..=2500).map(|number| vec![Some(number.to_string())]).collect();
    assert_eq!(rows.rows, numbers);
    assert_eq!(select(&engine, "SELECT 1 AS n WHERE false").await.rows, Vec::<Vec<Option<String>>>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told() {
    let lake = Lake::new("wrong").await;
    let engine = engine(&lake, false).await;
    let query = engine.start(&token(), &Statement::Query { select: "SELECT nope FROM nowhere".into() }).await.unwrap();
    let state = ended(&engine, &query).await;
    assert!(
        matches!(&state, QueryState::Failed { retryable: false, message } if message.contains("nowhere")),
        "{state:?}"
    );
    let unknown = QueryId("00000000-0000-0000-0000-000000000000".into());
    assert_eq!(engine.state(&unknown).await.unwrap(), QueryState::Lost);
    engine.cancel(&unknown).await.unwrap();
    engine.cancel(&query).await.unwrap();
    engine.wait(&[unknown]).await.unwrap();
    let long = Statement::Query { select: format!("SELECT '{}'", "x".repeat(262_144)) };
    assert_eq!(engine.start(&token(), &long).await.unwrap_err().kind, PortErrorKind::Invalid);
    for outside in ["s3://other/warehouse/fact/run_1/", &format!("s3://{}/warehouse/fact/", lake.bucket)] {
        assert_eq!(engine.discard(outside).await.unwrap_err().kind, PortErrorKind::Invalid);
    }
}
