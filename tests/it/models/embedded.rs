//! The models on the embedded engine, value by value against Trino.

use std::path::Path;
use std::sync::Arc;

use crawlguard::catalog::FilesCatalog;
use crawlguard::engine::duckdb::DuckDbEngine;
use crawlguard::engine::{Engine, QueryId, QueryState, Rows, Statement};
use crawlguard::sql::bind_slot;

use super::*;

/// The slot that tests/parity/models.py binds.
const SLOT: &str = "2026-01-02T03:04:05Z";

#[tokio::test]
async fn models_make_the_rows_that_trino_made() {
    let project = project();
    let engine = engine(project.path());
    let on_trino = on_trino();
    let graph = graph(project.path(), &contracts(project.path()));
    assert_eq!(graph.models.keys().collect::<Vec<_>>(), on_trino.keys().collect::<Vec<_>>());
    for name in &graph.order {
        build(&engine, &graph.models[name]).await;
        let made = rows(&engine, name).await;
        let expected = &on_trino[name];
        assert_eq!(made.columns, expected[0].keys().cloned().collect::<Vec<_>>(), "{name}");
        assert_eq!(sorted(made.rows), sorted(expected.iter().map(texts).collect()), "{name}");
    }
}

fn engine(project: &Path) -> DuckDbEngine {
    let catalog = FilesCatalog::new(project.join("catalog"), "pbright");
    for table in crawl::crawl(&project.join("lake"), "pbright", "raw_").tables {
        catalog.put(&table).expect("the folder is writable");
    }
    DuckDbEngine::new(Arc::new(catalog), project.join("warehouse")).expect("the engine starts")
}

async fn build(engine: &DuckDbEngine, model: &Model) {
    let select = bind_slot(model.select(), SLOT).expect("the model parses");
    let location = engine.location(&model.name, "run", 1);
    let table = model.name.clone();
    let statement = Statement::Build { table, select, location, partitioned_by: Vec::new(), iceberg: false };
    run(engine, &statement).await;
}

async fn rows(engine: &DuckDbEngine, table: &str) -> Rows {
    let query = run(engine, &Statement::Query { select: format!("SELECT * FROM {table}") }).await;
    engine.rows(&query).await.expect("the query succeeded")
}

async fn run(engine: &DuckDbEngine, statement: &Statement) -> QueryId {
    let query = engine.start(&format!("{statement:?}"), statement).await.expect("it starts");
    loop {
        match engine.state(&query).await.expect("the engine knows its query") {
            QueryState::Running => engine.wait(std::slice::from_ref(&query)).await.expect("it can be waited for"),
            QueryState::Succeeded { .. } => return query,
            state => panic!("{state:?}\n{statement:?}"),
        }
    }
}

fn texts(row: &Map<String, Value>) -> Vec<Option<String>> {
    row.values().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn sorted(mut rows: Vec<Vec<Option<String>>>) -> Vec<Vec<Option<String>>> {
    rows.sort();
    rows
}
