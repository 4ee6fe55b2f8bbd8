//! `rollback` beside a run that was cut off.

use super::*;

#[test]
fn a_table_is_not_put_back_under_a_run_that_was_cut_off() {
    let lake = Lake::new();
    for _ in 0..2 {
        expect(lake.root(), 0, &["run"]);
    }
    let id = json(lake.root(), 0, &["runs"])["runs"][0]["run_id"].as_str().unwrap().to_owned();
    let path = lake.path(&format!(".crawlguard/runs/{id}.json"));
    let mut run: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    run["outcome"] = Value::Null;
    std::fs::write(&path, run.to_string()).unwrap();
    let message = refused(lake.root(), &["rollback", "int_orders"]);
    assert!(message.contains(&format!("run {id} was cut off")) && message.contains("`crawlguard run`"), "{message}");
    expect(lake.root(), 0, &["run"]);
    expect(lake.root(), 0, &["rollback", "int_orders"]);
}

/// The good build's first version is pruned, and what is kept of it is the one that was put back.
#[test]
fn a_rollback_does_not_lead_to_what_was_rolled_back() {
    let lake = Lake::new();
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    lake.write("crawlguard.toml", &(settings + "keep_versions = 3\n"));
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"bad\"}\n");
    expect(lake.root(), 0, &["run"]);
    expect(lake.root(), 0, &["rollback", "int_orders"]);
    lake.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\"}\n{\"Id\":5,\"Ship City\":\"Bern\"}\n");
    expect(lake.root(), 0, &["run"]);
    let said = expect(lake.root(), 0, &["rollback", "int_orders"]);
    assert!(said.contains("3 rows, the one before"), "{said}");
    let message = refused(lake.root(), &["rollback", "int_orders"]);
    assert!(message.contains("no version before the one that readers see"), "{message}");
    // It can be had by its name.
    let said = expect(lake.root(), 0, &["rollback", "int_orders", "--to", "2"]);
    assert!(said.contains("4 rows"), "{said}");
}
