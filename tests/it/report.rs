//! What people see of a run, whole.

use anstream::adapter::strip_str;
use crawlguard::checks::{CheckResult, CheckStatus};
use crawlguard::drift::{Decode, Finding, Level, Verdict};
use crawlguard::pipeline::{Delivery, Outcome, Published, Run, StepStatus};
use crawlguard::plan::{Action, Alert, AlertKind, Plan, Step, Told};
use crawlguard::report::human;
use crawlguard::sql::Reader;
use serde_json::{Value, json};

fn step(name: &str, action: Action) -> Step {
    Step { name: name.into(), after: Vec::new(), action }
}

fn ended(verdict: Verdict, findings: Vec<Finding>, outcome: Outcome) -> Run {
    let build = Action::Build {
        model: "int_orders".into(),
        file: "sql/int_orders.sql".into(),
        staging: "stg_int_orders".into(),
        select: "SELECT 1".into(),
        partitioned_by: Vec::new(),
        iceberg: false,
    };
    let steps = match outcome {
        Outcome::Halted => Vec::new(),
        _ => vec![step("build int_orders", build), step("publish", Action::Publish { tables: Vec::new() })],
    };
    let plan = Plan { run_id: "20260102T030405Z".into(), slot: "2026-01-02T03:04:05Z".into(), steps };
    let mut run = Run::new("shop", "local", verdict, findings, plan);
    run.outcome = Some(outcome);
    for step in &mut run.steps {
        step.status = StepStatus::Succeeded;
        (step.rows, step.millis) = (Some(3), Some(1234));
    }
    run
}

fn removed() -> Finding {
    Finding {
        rule: "column-removed".into(),
        level: Level::Breaking,
        table: "raw_orders".into(),
        path: "ship city".into(),
        before: Some("string".into()),
        after: None,
        decode: Decode::Safe,
        models: vec![Reader { model: "int_orders".into(), columns: vec!["city".into()] }],
        message: "Column `ship city` was removed.".into(),
        help: "Restore it.".into(),
    }
}

fn check(check: &str, column: Option<&str>, status: CheckStatus, measured: Value, bound: Value) -> CheckResult {
    CheckResult {
        table: "int_orders".into(),
        check: check.into(),
        column: column.map(Into::into),
        status,
        measured,
        bound,
    }
}

fn alert(run: &Run, kind: AlertKind) -> Alert {
    Alert {
        kind,
        run_id: run.run_id.clone(),
        slot: run.slot.clone(),
        project: "shop".into(),
        target: "local".into(),
        findings: run.findings.clone(),
        checks: Vec::new(),
        error: None,
        accept: vec!["crawlguard contracts update raw_orders --yes --expect 0a1b2c".into()],
        details: String::new(),
        fingerprint: String::new(),
        resolves: None,
        shown: std::collections::BTreeMap::new(),
        crawl_age_days: None,
    }
}

fn shown(run: &Run) -> String {
    strip_str(&human::run(run, &[])).to_string()
}

#[test]
fn a_published_run() {
    let mut run = ended(Verdict::Clean, Vec::new(), Outcome::Published);
    run.checks = vec![check("row count", None, CheckStatus::Pass, json!(3), json!("not empty"))];
    let table = "int_orders".into();
    run.published = vec![Published { table, version: Some("7".into()), replaced: Some("6".into()), rows: 3 }];
    run.orphans = vec!["int_gone".into()];
    let told = Told::from(&Alert { run_id: "20260101T030405Z".into(), ..alert(&run, AlertKind::Breaking) });
    run.alert = Some(Alert { resolves: Some(told), accept: Vec::new(), ..alert(&run, AlertKind::Resolved) });
    run.delivery = Some(Delivery::Sent);
    insta::assert_snapshot!(shown(&run));
}

#[test]
fn a_halted_run_that_people_know_of() {
    let mut run = ended(Verdict::Breaking, vec![removed()], Outcome::Halted);
    run.alert = Some(alert(&run, AlertKind::Breaking));
    let slot = "2026-01-01T03:04:05Z".into();
    run.delivery = Some(Delivery::AlreadyTold { run_id: "20260101T030405Z".into(), slot });
    insta::assert_snapshot!(shown(&run));
}

#[test]
fn failed_checks_show_what_was_measured_and_allowed() {
    let mut run = ended(Verdict::Clean, Vec::new(), Outcome::ChecksFailed);
    let change = json!({"rows": 15, "published": 30, "change": -0.5});
    run.checks = vec![
        check("row count", None, CheckStatus::Pass, json!(15), json!("not empty")),
        check("row count change", None, CheckStatus::Fail, change, json!("at most 40 % more or fewer rows")),
        check("nulls", Some("city"), CheckStatus::Fail, json!(15), json!(0)),
        check("freshness", Some("day"), CheckStatus::Inconclusive, Value::Null, json!("at most 24 hours old")),
    ];
    run.delivery = Some(Delivery::Unsent { error: "publish alert to the topic: it is away".into() });
    insta::assert_snapshot!(shown(&run));
}

#[test]
fn an_error_is_never_under_the_word_clean() {
    let mut run = ended(Verdict::Clean, Vec::new(), Outcome::Error);
    run.steps[0].status = StepStatus::Failed;
    run.steps[0].error = Some("Cannot cast 'x' to INT".into());
    let text = shown(&run);
    assert!(!text.contains("clean") && !text.contains("drift"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn no_models_are_nothing_to_publish() {
    let mut run = ended(Verdict::Clean, Vec::new(), Outcome::Published);
    run.plan.steps.clear();
    assert_eq!(shown(&run), "run 20260102T030405Z: nothing to build: sql/ has no models\ndrift: none\n");
}

#[test]
fn runs_are_listed_with_what_stopped_them() {
    let published = ended(Verdict::Clean, Vec::new(), Outcome::Published);
    let halted = ended(Verdict::Breaking, vec![removed()], Outcome::Halted);
    insta::assert_snapshot!(strip_str(&human::runs(&[published, halted])).to_string());
}

#[test]
fn a_contract_changes_in_words() {
    let contract = |version: &str, columns: &str| {
        format!(
            r#"{{"apiVersion": "v3.1.0", "kind": "DataContract", "id": "raw_x", "version": "{version}", "status": "active",
                "schema": [{{"name": "raw_x", "physicalName": "raw_x", "logicalType": "object", "physicalType": "table", "properties": [{columns}]}}]}}"#
        )
    };
    let column = |name: &str, data_type: &str| format!(r#"{{"name": "{name}", "physicalType": "{data_type}"}}"#);
    let before = contract("1.0.0", &[column("id", "int"), column("city", "string")].join(","));
    let after = contract("2.0.0", &[column("id", "bigint"), column("town", "string")].join(","));
    insta::assert_snapshot!(strip_str(&human::contract_change("contracts/raw_x.json", &before, &after)).to_string());
    // What is no change of a column is shown as it stands.
    let other = contract("1.0.1", &[column("id", "int"), column("city", "string")].join(","));
    assert!(human::contract_change("contracts/raw_x.json", &before, &other).contains("+++ contracts/raw_x.json"));
}
