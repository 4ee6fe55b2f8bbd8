//! `diff`: two sides, judged without a project.

use std::fs;

use serde_json::Value;

use super::{RENAMED, expect, json, refused};
use crate::support::Lake;

/// A folder of these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn rules(found: &Value) -> Vec<&str> {
    found["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn two_files_are_judged() {
    let folder = folder(&[
        ("old.csv", "id,name\n1,a\n"),
        ("end.csv", "id,name,note\n1,a,x\n"),
        ("middle.csv", "id,note,name\n1,x,a\n"),
    ]);
    assert_eq!(json(folder.path(), 0, &["diff", "old.csv", "old.csv"])["verdict"], "clean");
    assert_eq!(json(folder.path(), 0, &["diff", "old.csv", "end.csv"])["verdict"], "tolerated");
    assert_eq!(json(folder.path(), 1, &["diff", "old.csv", "middle.csv"])["verdict"], "breaking");
}

#[test]
fn quoted_csv_is_read_with_its_quotes_on_both_sides_and_that_is_told() {
    let folder = folder(&[
        ("plain.csv", "id,name\n1,Ann\n"),
        ("quoted.csv", "id,name\n1,\"Doe, Ann\"\n"),
        ("shifted.csv", "id,age,name\n1,7,\"Doe, Ann\"\n"),
        ("torn.csv", "id,name\n1,\"Doe, Ann\n"),
    ]);
    let found = json(folder.path(), 0, &["diff", "plain.csv", "quoted.csv"]);
    assert_eq!(found["verdict"], "clean", "{found}");
    let note = &found["notes"][0];
    assert!(note["file"].as_str().unwrap().ends_with("/quoted.csv"), "{note}");
    assert!(
        note["message"].as_str().unwrap().ends_with("; read as OpenCSVSerDe reads it, all columns as text"),
        "{note}"
    );
    assert_eq!(rules(&json(folder.path(), 1, &["diff", "quoted.csv", "shifted.csv"])), ["column-added-in-middle"]);
    let message = refused(folder.path(), &["diff", "plain.csv", "torn.csv"]);
    assert!(message.contains("torn.csv:line 2: a quoted cell does not end on its line"), "{message}");
}

#[test]
fn csv_is_read_as_the_project_at_hand_or_the_other_side_says() {
    let settings = "project = \"p\"\n[targets.local]\nkind = \"local\"\nlake = \"lake\"\ndatabase = \"d\"\n\
                    [targets.local.classifiers.shops]\nserde = \"OpenCSVSerDe\"\nheader = \"present\"\n";
    let text = "name,city\nAnn,\"Rome, Lazio\"\n";
    let folder = folder(&[
        ("p/crawlguard.toml", settings),
        ("p/lake/shops/1.csv", text),
        ("p/lake/shops/2.csv", "name,city\nBob,Oslo\n"),
        ("elsewhere/1.csv", text),
    ]);
    for sides in [["p/lake/shops", "p/lake/shops"], ["p/lake/shops/1.csv", "p/lake/shops/2.csv"]] {
        let found = json(folder.path(), 0, &["diff", sides[0], sides[1]]);
        assert_eq!((&found["verdict"], &found["notes"]), (&"clean".into(), &Value::Array(Vec::new())), "{sides:?}");
    }
    let project = folder.path().join("p");
    expect(&project, 0, &["crawl"]);
    expect(&project, 0, &["contracts", "init"]);
    let found = json(folder.path(), 0, &["diff", "p/contracts/raw_shops.json", "elsewhere/1.csv"]);
    assert_eq!((&found["verdict"], &found["notes"]), (&"clean".into(), &Value::Array(Vec::new())), "{found}");
}

#[test]
fn folders_of_contracts_are_judged_table_by_table() {
    let lake = Lake::new();
    lake.write("lake/people/1.json", "{\"id\":1}\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init"]);
    assert_eq!(json(lake.root(), 0, &["diff", "contracts", "contracts"])["verdict"], "clean");
    fs::create_dir(lake.path("older")).unwrap();
    fs::copy(lake.path("contracts/raw_orders.json"), lake.path("older/raw_orders.json")).unwrap();
    assert_eq!(rules(&json(lake.root(), 0, &["diff", "older", "contracts"])), ["table-new"]);
    assert_eq!(rules(&json(lake.root(), 1, &["diff", "contracts", "older"])), ["table-missing"]);
    // One contract in it, or one table beside it, is compared whatever the names.
    assert_eq!(json(lake.root(), 0, &["diff", "older", "lake/orders"])["verdict"], "clean");
    lake.write("older/broken.json", "{");
    let message = refused(lake.root(), &["diff", "older", "contracts"]);
    assert!(message.contains("older/broken.json"), "{message}");
}

#[test]
fn what_is_no_contract_is_not_said_to_be_updated() {
    let folder = folder(&[
        ("lake/o/old.csv", "id,county,name\n1,x,a\n"),
        ("lake/o/new.csv", "id,counties,name\n1,x,a\n"),
        ("lake/p/1.csv", "id,name\n1,a\n"),
    ]);
    for sides in [["lake/o/old.csv", "lake/o/new.csv"], ["lake/o/old.csv", "lake/p"]] {
        let found = expect(folder.path(), 1, &["diff", sides[0], sides[1]]);
        assert!(!found.contains("contracts update"), "{found}");
        assert!(found.contains("there is no contract here that could accept it"), "{found}");
    }
    let lake = Lake::new();
    lake.write("new/orders/1.json", RENAMED);
    let found = expect(lake.root(), 1, &["diff", "contracts/raw_orders.json", "new/orders"]);
    assert!(found.contains("`crawlguard contracts update raw_orders"), "{found}");
}
