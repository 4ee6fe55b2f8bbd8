//! The pipeline on AWS ends as the local one does: verdict, outcome, rows and the words of the alert.

use std::sync::Arc;

use crawlguard::catalog::Catalog;
use crawlguard::cloud::Cloud;
use crawlguard::engine::duckdb::DuckDbEngine;
use crawlguard::engine::{Engine, QueryState, Rows, Statement};
use crawlguard::notify::{Outbox, Rendered};
use crawlguard::pipeline::{Commands, Outcome, Ports, Quiet, Request, Run, run};

use super::lake::{Lake, TARGET};
use crate::support::SLOT;

/// The same run on the local target.
async fn locally(lake: &Lake) -> (Run, Option<String>, Vec<Rows>) {
    let (catalog, store) = (lake.local.catalog(), lake.local.store());
    let engine = DuckDbEngine::new(Arc::clone(&catalog), lake.local.path(".crawlguard/warehouse")).unwrap();
    let outbox = Outbox::new(&store);
    let ports = Ports {
        catalog: catalog.as_ref(),
        engine: &engine,
        notifier: &outbox,
        store: &store,
        reporter: &Quiet,
        inputs: None,
    };
    let request = Request {
        target: TARGET,
        raw_prefix: "raw_",
        keep_versions: 2,
        remind_after_days: 7,
        slot: SLOT,
        inputs: "the files",
        again: false,
        commands: &Commands::default(),
    };
    let run = run(ports, &lake.local.project(), None, request).await.unwrap();
    let text = outbox.sent(&run.run_id).await.unwrap();
    let rows = published(catalog.as_ref(), &engine).await;
    (run, text, rows)
}

async fn on_aws(lake: &Lake) -> (Run, Option<String>, Vec<Rows>) {
    let site = lake.site();
    let run = site.run(SLOT).await;
    let mails = site.aws.account().sns.mails.clone();
    assert!(mails.len() <= 1, "{mails:?}");
    let text = |mail: super::fake::Mail| Rendered { subject: mail.subject, body: mail.body }.to_string();
    let cloud = Cloud::with(site.settings.clone(), &site.aws.process().config);
    let rows = published(&cloud.catalog(), &cloud.engine()).await;
    (run, mails.into_iter().next().map(text), rows)
}

async fn published(catalog: &dyn Catalog, engine: &dyn Engine) -> Vec<Rows> {
    let mut all = Vec::new();
    for table in catalog.tables("").await.unwrap().into_iter().filter(|table| !table.name.starts_with("raw_")) {
        let select = format!("SELECT '{}' AS table_name, t.* FROM {} AS t ORDER BY 2", table.name, table.name);
        let token = format!("{:0>32}", table.name);
        let query = engine.start(&token, &Statement::Query { select }).await.unwrap();
        while engine.state(&query).await.unwrap() == QueryState::Running {
            engine.wait(std::slice::from_ref(&query)).await.unwrap();
        }
        all.push(engine.rows(&query).await.unwrap());
    }
    all
}

/// In any order: they are noted as their queries end.
fn checks(run: &Run) -> Vec<String> {
    let mut checks: Vec<_> = run.checks.iter().map(|check| format!("{check:?}")).collect();
    checks.sort();
    checks
}

async fn check_same(lake: &Lake, outcome: Outcome) -> (Run, Option<String>, Vec<Rows>) {
    let (here, there) = (locally(lake).await, on_aws(lake).await);
    assert_eq!(here.0.outcome, Some(outcome));
    assert_eq!((here.0.outcome, here.0.verdict, &here.0.error), (there.0.outcome, there.0.verdict, &there.0.error));
    assert_eq!(here.0.findings, there.0.findings);
    assert_eq!(checks(&here.0), checks(&there.0));
    assert_eq!(here.0.adapted, there.0.adapted);
    assert_eq!(here.1, there.1, "the alert");
    assert_eq!(here.2, there.2, "the rows");
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_run_publishes_the_same_rows() {
    let (_, alert, rows) = check_same(&Lake::new(), Outcome::Published).await;
    assert_eq!((alert, rows.len()), (None, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tolerated_column_is_carried_alike() {
    let lake = Lake::new();
    lake.local.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\",\"Gift Note\":\" hi \"}\n");
    lake.crawl();
    let (_, alert, rows) = check_same(&lake, Outcome::Published).await;
    assert_eq!(alert, None);
    assert_eq!(rows[1].columns, ["table_name", "id", "city", "gift_note"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn breaking_drift_is_told_in_the_same_words() {
    let lake = Lake::new();
    lake.local.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
    lake.crawl();
    let (_, alert, rows) = check_same(&lake, Outcome::Halted).await;
    assert!(alert.is_some_and(|text| text.contains("crawlguard contracts update raw_orders --yes")));
    assert_eq!(rows, []);
    assert_eq!(lake.aws.account().athena.queries.len(), 0, "nothing was asked of Athena");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_checks_are_told_in_the_same_words() {
    let lake = Lake::new();
    let model = "SELECT city, count(*) AS orders FROM int_orders WHERE city = 'x' GROUP BY city\n";
    lake.local.write("sql/fact_cities.sql", model);
    let (_, alert, _) = check_same(&lake, Outcome::ChecksFailed).await;
    assert!(alert.is_some());
    assert_eq!(lake.aws.account().publications, []);
}
