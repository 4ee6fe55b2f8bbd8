//! What is done once more: a rollback after a rollback, a run that was cut off, a record that is old by now.

use super::*;

/// (version, rows, rolled back) of what `rollback --list` shows.
fn listed(lake: &Lake) -> Vec<(String, u64, bool)> {
    let listed = json(lake.root(), 0, &["rollback", "int_orders", "--list"]);
    let row = |row: &Value| {
        let version = row["version"].as_str().unwrap().to_owned();
        (version, row["rows"].as_u64().unwrap(), row["rolled_back"].as_bool().unwrap())
    };
    listed["versions"].as_array().unwrap().iter().map(row).collect()
}

fn rows(lake: &Lake) -> Value {
    json(lake.root(), 0, &["query", "SELECT count(*) AS n FROM int_orders"])[0]["n"].clone()
}

fn row(version: &str, rows: u64, rolled_back: bool) -> (String, u64, bool) {
    (version.to_owned(), rows, rolled_back)
}

#[test]
fn each_rollback_goes_one_further_back() {
    let lake = Lake::new();
    for file in 2..=4 {
        expect(lake.root(), 0, &["run"]);
        lake.write(&format!("lake/orders/{file}.json"), &format!("{{\"Id\":{},\"Ship City\":\"Bonn\"}}\n", file + 2));
    }
    assert_eq!(rows(&lake), 5);
    expect(lake.root(), 0, &["rollback", "int_orders"]);
    assert_eq!(rows(&lake), 4);
    expect(lake.root(), 0, &["rollback", "int_orders"]);
    assert_eq!(rows(&lake), 3);
    assert_eq!(listed(&lake), [row("5", 3, false), row("4", 4, true), row("3", 5, true)], "each build once");
    let message = refused(lake.root(), &["rollback", "int_orders"]);
    assert!(message.contains("no version before the one that readers see; kept: version 5"), "{message}");
    // The way forward; and once it is gone, nothing more is written.
    expect(lake.root(), 0, &["rollback", "int_orders", "--to", "3"]);
    let said = expect(lake.root(), 0, &["rollback", "int_orders", "--to", "3"]);
    assert!(said.contains("already"), "{said}");
    assert_eq!(listed(&lake), [row("6", 5, false), row("5", 3, false), row("4", 4, false)]);
    // A run that publishes stands on what readers see.
    expect(lake.root(), 0, &["rollback", "int_orders", "--to", "5"]);
    expect(lake.root(), 0, &["run"]);
    assert_eq!(rows(&lake), 6);
    let said = expect(lake.root(), 0, &["rollback", "int_orders"]);
    assert!(said.contains("3 rows, the one before"), "not what readers were taken back from: {said}");
}

#[test]
fn a_run_that_goes_on_says_so() {
    let lake = Lake::new();
    let run = json(lake.root(), 0, &["run"]);
    let id = run["run_id"].as_str().unwrap();
    // As if it were under way, then as if it had been cut off at its very end.
    let file = format!(".crawlguard/runs/{id}.json");
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(lake.path(&file)).unwrap()).unwrap();
    record["outcome"] = Value::Null;
    let ended = record.clone();
    let last = record["steps"].as_array().unwrap().len() - 1;
    record["steps"][last]["status"] = "pending".into();
    record["steps"][last - 1]["status"] = "running".into();
    lake.write(&file, &record.to_string());
    let shown = expect(lake.root(), 0, &["runs", id]);
    let name = record["steps"][last - 1]["name"].as_str().unwrap();
    let steps = format!("steps: {} of {} done\n  running {name}\n  waiting publish\n", last - 1, last + 1);
    assert!(shown.contains(&steps), "{shown}");
    lake.write(&file, &ended.to_string());
    let output = crawlguard(lake.root(), &["run"]);
    let said = String::from_utf8(output.stderr).unwrap();
    let going_on = format!("going on with run {id}, which was cut off: {0} of its {0} steps are done", last + 1);
    assert!(said.contains(&going_on), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn an_old_record_offers_no_line_that_was_pasted_since() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/orders/1.json", RENAMED);
    let run = json(lake.root(), 1, &["run"]);
    let id = run["run_id"].as_str().unwrap().to_owned();
    let line = run["alert"]["accept"][1].as_str().unwrap();
    let before = expect(lake.root(), 0, &["runs", &id]);
    assert!(before.contains(line) && !before.contains("since accepted"), "{before}");
    assert!(paste(lake.root(), line).status.success());
    let after = expect(lake.root(), 0, &["runs", &id]);
    assert!(!after.contains("--yes") && after.contains("since accepted: raw_orders, by "), "{after}");
}

#[test]
fn one_cause_is_told_once() {
    let lake = Lake::new();
    for model in ["int_a", "int_b", "int_c"] {
        lake.write(&format!("sql/{model}.sql"), "SELECT CAST(\"ship city\" AS integer) AS city FROM raw_orders\n");
    }
    let output = crawlguard(lake.root(), &["run"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.matches("failed build int_a: sql/int_a.sql: cannot cast").count(), 1, "{told}");
    assert_eq!(told.matches("the same: build int_b, build int_c").count(), 2, "once here, once in the alert: {told}");
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(!progress.contains("help:"), "the result has it: {progress}");
    let id = json(lake.root(), 0, &["runs"])["runs"][0]["run_id"].as_str().unwrap().to_owned();
    let error = json(lake.root(), 0, &["runs", &id])["error"].as_str().unwrap().to_owned();
    assert_eq!(error.matches("help:").count(), 1, "{error}");
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let lake = Lake::new();
    // Long enough to be met at work; a build that would take days.
    let row = "{\"Id\":1,\"Ship City\":\"Rome\"}\n";
    lake.write("lake/orders/1.json", &row.repeat(3000));
    lake.write(
        "sql/int_much.sql",
        "SELECT count(*) AS n FROM raw_orders a, raw_orders b, raw_orders c, raw_orders d\n",
    );
    let mut run = Command::new(env!("CARGO_BIN_EXE_crawlguard"));
    let run = run.arg0("crawlguard").current_dir(lake.root()).args(["run", "--format", "json"]);
    let child = run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let is_building = || {
        let ids = json(lake.root(), 0, &["runs"]);
        let id = ids["runs"][0]["run_id"].as_str().map(str::to_owned);
        id.is_some_and(|id| expect(lake.root(), 0, &["runs", &id]).contains("  running build int_much\n"))
    };
    let given_up = std::time::Instant::now() + std::time::Duration::from_secs(300);
    while !is_building() {
        assert!(std::time::Instant::now() < given_up, "it never came to build");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(130), 0), "{said}");
    assert!(
        said.contains("interrupted") && said.contains("`crawlguard run` goes on with the run where it stands"),
        "{said}"
    );
}

/// A text that came into a column of numbers would be read as NULL, and no check would count it.
#[test]
fn a_run_without_a_crawl_reads_no_files_that_were_not_crawled() {
    let lake = Lake::new();
    lake.write("lake/shops/1.csv", "id,seats\n1,10\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init"]);
    expect(lake.root(), 0, &["run", "--no-crawl"]);
    lake.write("lake/shops/2.csv", "id,seats\n2,many\n");
    let told = expect(lake.root(), 2, &["run", "--no-crawl"]);
    assert!(told.contains("are not those that were crawled"), "{told}");
    assert!(told.contains("run `crawlguard crawl` first, or leave out --no-crawl"), "{told}");
    assert_eq!(json(lake.root(), 1, &["run"])["findings"][0]["rule"], "type-lossy");
}
