//! A line that accepts takes in what its reader has seen, and nothing that came since.

use super::*;

/// The renamed city, and a column that nobody has seen yet.
const RENAMED_AND_NEW: &str = "{\"Id\":1,\"City\":\"Rome\",\"Note\":\"x\"}\n";

/// A lake whose run was halted by a renamed column, that run, and the line of its alert that accepts.
fn halted() -> (Lake, String, String) {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/orders/1.json", RENAMED);
    let run = json(lake.root(), 1, &["run"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (lake, text(&run["run_id"]), text(&run["alert"]["accept"][1]))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn contract(lake: &Lake) -> String {
    std::fs::read_to_string(lake.path("contracts/raw_orders.json")).unwrap()
}

#[test]
fn what_came_since_is_refused_shown_and_accepted_by_the_line_that_says_so() {
    let (lake, run, line) = halted();
    lake.write("lake/orders/1.json", RENAMED_AND_NEW);
    expect(lake.root(), 0, &["crawl"]);
    let before = contract(&lake);
    let refused = paste(lake.root(), &line);
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert_eq!(contract(&lake), before);
    let at = |words: &str| told.find(words).unwrap_or_else(|| panic!("{words}: {told}"));
    let new = at(&format!("not so in run {run}:\n    tolerated column-added-at-end: Column `note`"));
    let kept = at("as it was there:\n");
    assert!(new < kept && kept < at("column-removed: Column `ship city`"), "{told}");
    assert!(!told.contains("no longer"), "{told}");
    let again = told.lines().find(|line| asking(line).is_some_and(|line| line.starts_with("crawlguard contracts")));
    let again = again.unwrap_or_else(|| panic!("no line to paste: {told}"));
    assert!(again != line && paste(lake.root(), again).status.success(), "{again}");
    assert_ne!(contract(&lake), before);
}

#[test]
fn a_line_that_renames_may_be_pasted_by_each_who_got_it() {
    let (lake, run, _) = halted();
    let line = json(lake.root(), 0, &["runs", &run])["alert"]["accept"][0].as_str().unwrap().to_owned();
    assert!(line.contains("--rename") && paste(lake.root(), &line).status.success(), "{line}");
    let again = paste(lake.root(), &line);
    assert_eq!((again.status.code(), again.stdout.as_slice()), (Some(0), b"nothing differs\n".as_slice()));
}

#[test]
fn a_likely_rename_is_offered_by_the_refusal_too() {
    let (lake, _, line) = halted();
    lake.write("lake/orders/1.json", RENAMED_AND_NEW);
    expect(lake.root(), 0, &["crawl"]);
    let told = said(&paste(lake.root(), &line));
    let lines = told.lines().filter(|line| line.contains("contracts update raw_orders"));
    let renames: Vec<bool> = lines.map(|line| line.contains("--rename 'ship city=city'")).collect();
    assert_eq!(renames, [true, false], "{told}");
}

#[test]
fn what_is_no_longer_found_is_told_too() {
    let (lake, run, line) = halted();
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\",\"Note\":\"x\"}\n");
    expect(lake.root(), 0, &["crawl"]);
    let told = said(&paste(lake.root(), &line));
    assert!(told.contains(&format!("no longer as in run {run}:\n")), "{told}");
    // Nothing at all is left to accept.
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\"}\n");
    expect(lake.root(), 0, &["crawl"]);
    let output = paste(lake.root(), &line);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"nothing differs\n".as_slice()));
}

#[test]
fn a_rename_is_held_against_what_was_seen_as_well() {
    let (lake, ..) = halted();
    let words = ["contracts", "update", "raw_orders", "--rename", "ship city=city", "--yes", "--expect", "0a1b2c"];
    let told = refused(lake.root(), &words);
    assert!(told.contains("no run of late is known"), "{told}");
    let again = told.lines().find(|line| line.contains("--rename 'ship city=city' --yes --expect ")).unwrap();
    assert!(paste(lake.root(), again).status.success(), "{told}");
    let model = std::fs::read_to_string(lake.path("sql/int_orders.sql")).unwrap();
    assert!(model.contains("city") && !model.contains("ship city"), "{model}");
}

#[test]
fn digits_that_no_alert_printed_or_of_many_tables_are_refused() {
    let (lake, ..) = halted();
    let update = |more: &[&str]| refused(lake.root(), &[&["contracts", "update", "--yes", "--expect"], more].concat());
    for word in ["", "0a1b2", "0A1B2C", "0a1b2cd", "raw_orders"] {
        assert!(update(&[word, "raw_orders"]).contains("no alert printed that"), "{word}");
    }
    for tables in [&[][..], &["raw_orders", "raw_orders"]] {
        assert!(update(&[&["0a1b2c"], tables].concat()).contains("--expect is of one table"), "{tables:?}");
    }
}
