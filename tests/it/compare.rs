//! Which findings stay tolerated where some adaptation cannot be proven.

use std::collections::BTreeMap;

use crawlguard::catalog::Catalog;
use crawlguard::config::Settings;
use crawlguard::drift::{Level, Verdict};
use crawlguard::pipeline::{Comparison, Project, compare};
use crawlguard::schema::Table;

use crate::drift::lake::json;
use crate::support::Lake;

/// A lake with contracts for `raw_a`, `raw_b` and `raw_c`, each `id int`, under these models.
fn lake(models: &[(&str, &str)]) -> Lake {
    let lake = Lake::new();
    for name in ["raw_a", "raw_b", "raw_c"] {
        put(&lake, name, "id int");
        let table = Table { name: name.to_owned(), ..json("id int") };
        let file = format!("contracts/{name}.json");
        lake.write(&file, &crawlguard::contract::Document::for_table(&file, &table).to_json());
    }
    for (name, select) in models {
        lake.write(&format!("sql/{name}.sql"), &format!("/* crawlguard\nadditions: carry\n*/\n{select}\n"));
    }
    lake
}

fn put(lake: &Lake, name: &str, text: &str) {
    let table = Table { name: name.to_owned(), database: "shop".to_owned(), ..json(text) };
    lake.catalog().put(&table).unwrap();
}

async fn compared(lake: &Lake) -> Comparison {
    let catalog = lake.catalog();
    compare(&lake.project(), catalog.as_ref(), "raw_").await.unwrap()
}

/// Level by table; where it is not tolerated the reason must be told.
async fn levels(lake: &Lake) -> BTreeMap<String, Level> {
    let comparison = compared(lake).await;
    for finding in comparison.findings.iter().filter(|finding| finding.level != Level::Tolerated) {
        assert!(finding.message.contains("could not be proven safe"), "{}", finding.message);
    }
    comparison.findings.into_iter().map(|finding| (finding.table, finding.level)).collect()
}

fn expected(levels: &[(&str, Level)]) -> BTreeMap<String, Level> {
    levels.iter().map(|(table, level)| ((*table).to_owned(), *level)).collect()
}

#[tokio::test]
async fn one_tables_failed_adaptation_leaves_the_others_tolerated() {
    let lake = lake(&[("int_a", "SELECT id, id + 1 AS note FROM raw_a"), ("int_b", "SELECT id FROM raw_b")]);
    put(&lake, "raw_a", "id int, note string");
    put(&lake, "raw_b", "id int, note string");
    let expected = expected(&[("raw_a", Level::Breaking), ("raw_b", Level::Tolerated)]);
    assert_eq!(levels(&lake).await, expected);
}

#[tokio::test]
async fn tables_that_fail_only_together_are_both_breaking() {
    let both = "SELECT a.id, b.id AS other FROM raw_a AS a JOIN raw_b AS b ON a.id = b.id";
    let lake = lake(&[("int_ab", both), ("int_c", "SELECT id FROM raw_c")]);
    for name in ["raw_a", "raw_b", "raw_c"] {
        put(&lake, name, "id int, note string");
    }
    let expected = expected(&[("raw_a", Level::Breaking), ("raw_b", Level::Breaking), ("raw_c", Level::Tolerated)]);
    assert_eq!(levels(&lake).await, expected);
}

/// The model reads on what it was written for; a list has no text, and nothing can be proven of it.
#[tokio::test]
async fn the_first_values_of_an_empty_column_keep_the_types_of_models() {
    let lake = Lake::new();
    lake.write("lake/sales/1.json", "{\"id\":1,\"amount\":null}\n");
    lake.crawl();
    let table = lake.catalog().table("raw_sales").await.unwrap().unwrap();
    lake.write("contracts/raw_sales.json", &crawlguard::contract::Document::for_table("raw_sales", &table).to_json());
    lake.write("sql/int_sales.sql", "SELECT id, nullif(trim(amount), '') AS amount FROM raw_sales\n");
    for (value, verdict) in [("5", Verdict::Tolerated), ("[5]", Verdict::Breaking)] {
        lake.write("lake/sales/1.json", &format!("{{\"id\":1,\"amount\":{value}}}\n"));
        lake.crawl();
        let comparison = compared(&lake).await;
        assert_eq!(comparison.verdict, verdict, "{:#?}", comparison.findings);
        let adapted = comparison.adaptation.models.iter().map(|model| model.select()).collect::<Vec<_>>();
        match verdict {
            Verdict::Tolerated => assert!(adapted[0].contains("TRY_CAST(amount AS varchar)"), "{adapted:?}"),
            _ => assert!(adapted.is_empty()),
        }
    }
}

#[test]
fn a_table_of_another_database_is_none_of_this_projects() {
    let lake = Lake::new();
    let problems = |from: &str| {
        lake.write("sql/int_x.sql", &format!("SELECT id FROM {from}\n"));
        Project::read(Settings::read(lake.root()).unwrap()).err().map(|problems| problems.to_string())
    };
    for ours in ["raw_orders", "shop.raw_orders", "\"SHOP\".raw_orders"] {
        assert_eq!(problems(ours), None, "{ours}");
    }
    insta::assert_snapshot!(problems("archive.raw_orders").expect("refused"), @r"
    sql/int_x.sql:1:16: `archive.raw_orders` is not of the targets' database, `shop`
      help: Write `raw_orders`: the target decides the database.
    ");
}
