//! Which findings stay tolerated where some adaptation cannot be proven.

use std::collections::BTreeMap;

use crawlguard::catalog::Catalog;
use crawlguard::config::Settings;
use crawlguard::drift::{Level, Verdict};
use crawlguard::pipeline::{Comparison, Project, Rename, accept, compare};
use crawlguard::schema::{DataType, Table};

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

/// A contract of `raw_a` with a column that refers to `raw_b`.
fn referring(lake: &Lake, column: &str) {
    let mut contract = text(lake, "raw_a");
    contract["schema"][0]["properties"][0]["relationships"] = serde_json::json!([{ "to": format!("RAW_B.{column}") }]);
    lake.write("contracts/raw_a.json", &contract.to_string());
}

fn text(lake: &Lake, table: &str) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(lake.path(&format!("contracts/{table}.json"))).unwrap()).unwrap()
}

fn accepted(lake: &Lake, comparison: &Comparison, renames: &[Rename]) -> Result<(), String> {
    let chosen = std::collections::BTreeSet::from(["raw_b".to_owned()]);
    accept(&lake.project(), comparison, &chosen, renames).map(drop).map_err(|problems| problems.to_string())
}

#[tokio::test]
async fn what_another_contract_refers_to_is_not_accepted_away() {
    let lake = lake(&[("int_b", "SELECT 1 AS one FROM raw_b")]);
    referring(&lake, "id");
    put(&lake, "raw_b", "no int");
    let comparison = compared(&lake).await;
    let removed = comparison.findings.iter().find(|finding| finding.rule == "column-removed").unwrap();
    assert_eq!(removed.level, Level::Breaking);
    assert!(
        removed.help.contains("mend contracts/raw_a.json (`id` refers to `raw_b`.`id`, which goes)"),
        "{}",
        removed.help
    );
    assert!(comparison.acceptable.is_empty(), "{:?}", comparison.acceptable);
    let said = "contracts/raw_a.json: `id` refers to `raw_b`.`id`, which goes\n  help: take the reference out, or let it name \
                another column";
    assert_eq!(accepted(&lake, &comparison, &[]), Err(said.to_owned()));
    let rename = Rename { table: "raw_b".into(), from: "id".into(), to: "no".into(), data_type: DataType::Int };
    assert_eq!(accepted(&lake, &comparison, std::slice::from_ref(&rename)), Err(said.to_owned()));
    // Mended first, it names what is there by then.
    referring(&lake, "NO");
    let comparison = compared(&lake).await;
    assert_eq!(accepted(&lake, &comparison, &[]), Ok(()));
    assert_eq!(accepted(&lake, &comparison, &[rename]), Ok(()));
    // What is not in force refers to nothing.
    referring(&lake, "id");
    let mut retired = text(&lake, "raw_a");
    retired["status"] = "retired".into();
    lake.write("contracts/raw_a.json", &retired.to_string());
    let comparison = compared(&lake).await;
    assert_eq!(accepted(&lake, &comparison, &[]), Ok(()));
}

#[tokio::test]
async fn a_table_that_another_contract_refers_to_is_not_retired() {
    let lake = lake(&[("int_c", "SELECT id FROM raw_c")]);
    referring(&lake, "id");
    lake.catalog().forget("raw_b").await.unwrap();
    let comparison = compared(&lake).await;
    let said = accepted(&lake, &comparison, &[]).expect_err("it is referred to");
    assert!(said.contains("contracts/raw_a.json: `id` refers to `raw_b`, whose source is gone"), "{said}");
}

#[tokio::test]
async fn a_reference_to_a_column_that_nobody_has_is_named_before_anything_runs() {
    let lake = lake(&[("int_c", "SELECT id FROM raw_c")]);
    referring(&lake, "idd");
    let catalog = lake.catalog();
    let said =
        compare(&lake.project(), catalog.as_ref(), "raw_").await.expect_err("it could not be measured").to_string();
    let expected = "contracts/raw_a.json: `id` refers to `raw_b`.`idd`, and there is no such column\n  help: did you mean \
                    `id`? if not, take the reference out";
    assert_eq!(said, expected);
    referring(&lake, "id");
    compared(&lake).await;
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
