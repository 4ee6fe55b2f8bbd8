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
