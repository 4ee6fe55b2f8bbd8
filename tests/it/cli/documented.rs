//! What docs/json.md says of every command's JSON is what it prints.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const DOC: &str = include_str!("../../../docs/json.md");

/// A row of the table: the keys of a document, and those of its list's entries.
struct Row {
    keys: BTreeSet<String>,
    entries: BTreeSet<String>,
}

/// Command as it is written → its row.
fn rows() -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    for line in DOC.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let row = |commands: &str| (commands.to_owned(), Row { keys: words(cells[1]), entries: words(cells[2]) });
        rows.extend(words(cells[0]).iter().map(|command| row(command)));
    }
    rows
}

/// What stands in backticks.
fn words(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn names(value: &Value) -> BTreeSet<String> {
    keys(value).into_iter().filter(|key| *key != "schema_version").map(str::to_owned).collect()
}

/// The entries' keys are those of the document's one list of objects.
#[track_caller]
fn check(row: &Row, command: &str, printed: &Value) {
    assert_eq!(printed["schema_version"], 1, "{command}");
    assert_eq!(names(printed), row.keys, "{command}");
    if row.entries.is_empty() {
        return;
    }
    let lists = printed.as_object().unwrap().values().filter_map(Value::as_array);
    let entry = lists.filter_map(|list| list.first()).find(|entry| entry.is_object());
    assert_eq!(names(entry.expect("the list has an entry")), row.entries, "{command}");
}

#[test]
fn every_command_prints_the_documented_keys() {
    let lake = Lake::new();
    let mut rows = rows();
    let mut holds = |command: &str, code: i32, arguments: &[&str]| {
        let row = rows.remove(command).unwrap_or_else(|| panic!("docs/json.md has no row for `{command}`"));
        let printed = json(lake.root(), code, arguments);
        check(&row, command, &printed);
        printed
    };
    let run = holds("run", 0, &["run"]);
    holds("runs RUN", 0, &["runs", run["run_id"].as_str().unwrap()]);
    holds("runs", 0, &["runs"]);
    holds("rollback --list", 0, &["rollback", "int_orders", "--list"]);
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\",\"note\":\"x\"}\n");
    holds("crawl", 0, &["crawl"]);
    holds("check", 0, &["check"]);
    holds("plan", 0, &["plan"]);
    json(lake.root(), 0, &["run"]);
    holds("rollback", 0, &["rollback", "int_orders"]);
    holds("diff", 0, &["diff", "contracts/raw_orders.json", "contracts/raw_orders.json"]);
    let updated = holds("contracts update", 0, &["contracts", "update", "--yes"]);
    let files = ["contracts/raw_orders.json", "contracts/log.jsonl", "sql/int_orders.sql"];
    assert_eq!(updated["files"], serde_json::json!(files));
    holds("contracts list", 0, &["contracts", "list"]);
    holds("contracts log", 0, &["contracts", "log"]);
    holds("contracts init", 0, &["contracts", "init"]);
    holds("init", 0, &["init", "other", "--lake", "lake"]);
    holds("rules", 0, &["rules"]);
    holds("explain RULE", 0, &["explain", "column-removed"]);
    holds("doctor", 0, &["doctor"]);
    // A tour of minutes, which has a test of its own; and two that need AWS, which are tested there.
    for elsewhere in ["demo", "contracts push", "contracts pull"] {
        assert!(rows.remove(elsewhere).is_some(), "{elsewhere}");
    }
    assert_eq!(rows.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "rows of no command");
}
