//! Alerts: the text people get, the fingerprint that tells reruns apart, and the notifiers.

use crawlguard::checks::{CheckResult, CheckStatus};
use crawlguard::drift::{Decode, Finding, Level};
use crawlguard::notify::{Notifier, RecordingNotifier, Rendered, check_templates, render};
use crawlguard::plan::{Alert, AlertKind, Told};
use crawlguard::sql::Reader;
use proptest::prelude::*;
use serde_json::{Value, json};

fn alert(kind: AlertKind) -> Alert {
    Alert {
        kind,
        run_id: "20260102T030405Z-1a2b".into(),
        slot: "2026-01-02T03:04:05Z".into(),
        project: "pbright".into(),
        target: "local".into(),
        findings: Vec::new(),
        checks: Vec::new(),
        error: None,
        accept: Vec::new(),
        details: "crawlguard runs 20260102T030405Z-1a2b".into(),
        fingerprint: String::new(),
        resolves: None,
        shown: std::collections::BTreeMap::new(),
        crawl_age_days: None,
    }
}

fn reader(model: &str, columns: &[&str]) -> Reader {
    Reader { model: model.into(), columns: columns.iter().map(ToString::to_string).collect() }
}

fn renamed() -> Finding {
    Finding {
        rule: "column-removed".into(),
        level: Level::Breaking,
        table: "raw_source_3".into(),
        path: "facility id".into(),
        before: Some("bigint".into()),
        after: None,
        decode: Decode::Safe,
        models: vec![reader("int_operations", &["facility_id", "row_shift"])],
        message: "Column `facility id` is gone from `raw_source_3`; `facility number` is new and may be the same \
                  column under another name (score 0.82: same place, same type)."
            .into(),
        help: "Restore the column, or read the new name in sql/int_operations.sql and accept.".into(),
    }
}

fn inserted() -> Finding {
    Finding {
        rule: "column-added-in-middle".into(),
        table: "raw_source_1".into(),
        path: "région".into(),
        before: None,
        after: Some("string".into()),
        decode: Decode::Unsafe,
        message: "Column `région` stands before `county` in a CSV, where columns are found by place.".into(),
        help: "Have the new column written last.".into(),
        models: Vec::new(),
        ..renamed()
    }
}

fn added() -> Finding {
    Finding { rule: "column-added-at-end".into(), level: Level::Tolerated, table: "raw_source_1".into(), ..renamed() }
}

fn failed(check: &str, column: Option<&str>, measured: Value, bound: Value) -> CheckResult {
    let status = if measured.is_null() { CheckStatus::Inconclusive } else { CheckStatus::Fail };
    CheckResult {
        table: "int_operations".into(),
        check: check.into(),
        column: column.map(String::from),
        status,
        measured,
        bound,
    }
}

fn breaking() -> Alert {
    Alert {
        findings: vec![renamed(), inserted(), added()],
        accept: vec![
            "crawlguard contracts update raw_source_1 --yes --expect 0a1b2c".into(),
            "crawlguard contracts update raw_source_3 --yes --expect 0a1b2c".into(),
        ],
        ..alert(AlertKind::Breaking)
    }
}

fn checks_failed() -> Alert {
    Alert {
        checks: vec![
            failed(
                "row count change",
                None,
                json!({ "rows": 14, "published": 29, "change": -0.5172 }),
                json!("at most 50 % more or fewer rows than published"),
            ),
            failed("nulls", Some("facility_id"), json!(3), json!(0)),
            failed(
                "moved rows",
                Some("is_converted"),
                json!({ "in_place": 2, "moved_1": 33, "moved_2": 3, "lost": 1 }),
                json!("no row lost"),
            ),
            failed("freshness", Some("issued_date"), Value::Null, json!("the newest value at most 24 hours old")),
        ],
        findings: vec![added()],
        ..alert(AlertKind::ChecksFailed)
    }
}

fn error() -> Alert {
    let error = "build `int_credentials`: INVALID_CAST_ARGUMENT: Cannot cast 'ada@example.org' to INT\ncrawlguard.toml:3: \
                 unknown target `prod`\n  help: name one of `local`, `demo`";
    Alert { error: Some(error.into()), ..alert(AlertKind::Error) }
}

/// The alert as the mail reads; no line longer than one of a mail may be.
#[track_caller]
fn text(alert: &Alert) -> String {
    let Rendered { subject, body } = render(alert, &[]).expect("the built-in templates render");
    assert_subject(&subject);
    for line in body.lines() {
        assert!(line.len() <= 998, "long line: {line}");
        assert_eq!(line, line.trim_end(), "trailing space: {line}");
    }
    assert!(!body.contains("\n\n\n"), "two empty lines in a row:\n{body}");
    format!("{subject}\n\n{body}")
}

#[track_caller]
fn assert_subject(subject: &str) {
    assert!((1..=99).contains(&subject.len()), "{} characters", subject.len());
    assert!(subject.chars().all(|char| char == ' ' || char.is_ascii_graphic()), "{subject:?}");
    assert!(!subject.starts_with(' '), "{subject:?}");
}

#[test]
fn a_breaking_change() {
    insta::assert_snapshot!(text(&breaking()));
}

#[test]
fn an_unknown_finding_is_said_to_be_unknown() {
    let finding = Finding {
        rule: "unreadable".into(),
        level: Level::Unknown,
        path: String::new(),
        before: None,
        decode: Decode::Unknown,
        help: String::new(),
        ..renamed()
    };
    insta::assert_snapshot!(text(&Alert { findings: vec![finding], ..alert(AlertKind::Breaking) }));
}

#[test]
fn forty_findings_are_capped() {
    let columns: Vec<_> = (0..30).map(|n| format!("column_{n}")).collect();
    let models: Vec<_> = (0..20).map(|n| Reader { model: format!("int_{n:02}"), columns: columns.clone() }).collect();
    let finding = |n| Finding { table: format!("raw_{n:02}"), models: models.clone(), ..renamed() };
    let findings = (0..40).map(finding).collect();
    let accept = (0..40).map(|n| format!("crawlguard contracts update raw_{n:02} --yes --expect 0a1b2c")).collect();
    let text = text(&Alert { findings, accept, ..alert(AlertKind::Breaking) });
    assert!(text.contains("and 39 more changes") && text.contains("and 30 more tables"), "{text}");
    assert!(text.contains("and 16 more models") && text.contains("column_7 and 22 more"), "{text}");
    assert!(text.lines().count() < 250, "{} lines", text.lines().count());
}

#[test]
fn two_hundred_findings_and_checks_are_counted() {
    let findings: Vec<_> = (0..200).map(|n| Finding { path: format!("c{n}"), ..renamed() }).collect();
    let breaking = text(&Alert { findings: findings.clone(), ..breaking() });
    assert!(breaking.contains("and 199 more changes.") && breaking.contains("and 195 more changes of this table"));
    let checks = (0..200).map(|n| failed("nulls", Some(&format!("c{n}")), json!(3), json!(0))).collect();
    let failed = text(&Alert { checks, findings, ..alert(AlertKind::ChecksFailed) });
    assert!(failed.contains("and 192 more checks of this table") && failed.contains("and 192 more changes"));
    for text in [breaking, failed] {
        assert!(text.len() < 8_000, "{} bytes", text.len());
    }
}

#[test]
fn failed_checks() {
    insta::assert_snapshot!(text(&checks_failed()));
}

#[test]
fn an_error_shows_no_row_data() {
    let text = text(&error());
    assert!(!text.contains("ada@example.org"));
    insta::assert_snapshot!(text);
}

/// Drift that cannot be judged and checks that could not be measured end a run as an error.
#[test]
fn an_error_names_what_could_not_be_told() {
    let finding = Finding {
        rule: "unreadable".into(),
        level: Level::Unknown,
        message: "The newest file ends in the middle of a row.".into(),
        ..renamed()
    };
    insta::assert_snapshot!(text(&Alert {
        findings: vec![finding, added()],
        checks: checks_failed().checks[3..].to_vec(),
        accept: vec!["crawlguard contracts update raw_source_3 --yes --expect 0a1b2c".into()],
        ..error()
    }));
}

#[test]
fn a_resolved_drift() {
    let resolves = Told::from(&Alert { run_id: "20260101T030405Z-0f9e".into(), ..breaking() });
    let alert = Alert { findings: vec![added()], resolves: Some(resolves), ..alert(AlertKind::Resolved) };
    insta::assert_snapshot!(text(&alert));
}

#[test]
fn an_alert_without_lists_still_says_what_to_do() {
    for kind in [AlertKind::Breaking, AlertKind::ChecksFailed, AlertKind::Error, AlertKind::Resolved] {
        let text = text(&alert(kind));
        assert!(text.contains("20260102T030405Z-1a2b") && text.contains("2026-01-02 03:04 UTC"), "{text}");
        assert!(text.ends_with("Run: 20260102T030405Z-1a2b\n"), "{text}");
        assert_eq!(text.contains("Nothing was published"), kind != AlertKind::Resolved, "{text}");
        assert_eq!(text.contains("run again"), kind != AlertKind::Resolved, "{text}");
    }
}

#[test]
fn the_accept_command_stays_whole() {
    let table = "raw_long_name_".repeat(9);
    let command = format!("crawlguard contracts update {table} --reason 'a  b'");
    let findings = vec![Finding { table, help: String::new(), ..renamed() }];
    let text = render(&Alert { accept: vec![command.clone()], findings, ..breaking() }, &[]).expect("it renders").body;
    assert!(text.lines().any(|line| line == command), "{text}");
}

#[test]
fn the_accept_command_of_a_table_that_a_shell_would_divide_is_there() {
    let table = "raw_my orders";
    let command = "crawlguard contracts update 'raw_my orders' --yes --expect 0a1b2c";
    let rename = "crawlguard contracts update 'raw_my orders' --rename a=b --yes --expect 0a1b2c";
    let findings = vec![Finding { table: table.into(), ..renamed() }];
    let alert = Alert { accept: vec![rename.into(), command.into()], findings, ..breaking() };
    let body = render(&alert, &[]).expect("it renders").body;
    assert!(body.contains(&format!("If it only has a new name:\n{rename}\n")), "{body}");
    assert!(body.contains(&format!("from then on:\n{command}\n")), "{body}");
}

#[test]
fn names_cannot_break_the_subject_or_a_line() {
    let finding =
        Finding { table: "raw_é\r\nBcc: x@example.org".into(), path: "\u{1b}[31mid\u{202e}".into(), ..renamed() };
    let Rendered { subject, body } = render(&Alert { findings: vec![finding], ..breaking() }, &[]).expect("it renders");
    assert_eq!(
        subject,
        "[crawlguard] pbright/local: stopped - raw_?  Bcc: x@example.org lost column \" [31mid?\" (1 model)"
    );
    assert!(body.chars().all(|char| char == '\n' || !char.is_control()));
}

#[test]
fn a_long_subject_is_cut() {
    let finding = Finding { path: "x".repeat(200), ..renamed() };
    let subject = render(&Alert { findings: vec![finding], ..breaking() }, &[]).expect("it renders").subject;
    assert_eq!((subject.len(), &subject[96..]), (99, "..."));
}

#[test]
fn a_body_has_room_in_a_message() {
    let finding = Finding { message: "é".repeat(300_000), ..renamed() };
    let body = render(&Alert { findings: vec![finding], ..breaking() }, &[]).expect("it renders").body;
    assert!(body.len() <= 200_000 && body.ends_with("... (the rest is left out)\n"), "{}", body.len());
}

fn own(file: &str, text: &str) -> Vec<(String, String)> {
    vec![(file.to_owned(), text.to_owned())]
}

#[test]
fn an_own_template_wins() {
    let templates = own("error.txt", "Subject: {{ project }}\r\n\r\n<{{ run_id }}>\r\n");
    let rendered = render(&error(), &templates).expect("it renders");
    assert_eq!(rendered, Rendered { subject: "pbright".into(), body: "<20260102T030405Z-1a2b>\n".into() });
    assert_eq!(render(&breaking(), &templates), render(&breaking(), &[]));
}

#[test]
fn template_errors_name_file_and_line() {
    let of = |text: &str| {
        let problems = check_templates(&own("error.txt", text)).expect_err("it is wrong").0;
        problems
            .into_iter()
            .map(|it| format!("{}:{}: {}", it.file, it.place, it.message))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}";
    let found = [
        of("Subject: x\n\n{% if %}\n"),
        of("Subject: x\n\n\n{{ run }}\n"),
        of("Subject: x\n\n{{ 1 | shout }}\n"),
        of(&format!("Subject: x\n\n{endless}")),
        of("Topic: x\n\nbody"),
        of("Subject: x\nbody"),
        of("Subject: x\n\n  \n"),
        of("Subject:\n\nbody"),
    ];
    insta::assert_snapshot!(found.join("\n"), @r"
    alerts/error.txt:3: syntax error: unexpected end of block
    alerts/error.txt:4: undefined value: `run` is undefined
    alerts/error.txt:3: unknown filter: filter shout is unknown
    alerts/error.txt:3: engine ran out of fuel
    alerts/error.txt:1: the text is not a `Subject: …` line, an empty line and a body
    alerts/error.txt:1: the text is not a `Subject: …` line, an empty line and a body
    alerts/error.txt:1: the text is not a `Subject: …` line, an empty line and a body
    alerts/error.txt:1: the text is not a `Subject: …` line, an empty line and a body
    ");
}

/// All files at once, and what only an empty alert meets.
#[test]
fn every_template_error_is_reported() {
    let templates = vec![
        ("error.txt".to_owned(), "Subject: x\n\n{{ oops }}".to_owned()),
        ("breaking.txt".to_owned(), "Subject: {{ findings[0].table }}\n\n{{ run_id }}".to_owned()),
    ];
    let problems = check_templates(&templates).expect_err("both are wrong").0;
    assert_eq!(
        problems.iter().map(|it| it.file.as_str()).collect::<Vec<_>>(),
        ["alerts/breaking.txt", "alerts/error.txt"]
    );
}

#[test]
fn the_built_in_templates_are_sound() {
    check_templates(&[]).expect("no problem");
}

#[test]
fn the_schema_names_every_field() {
    let schema: Value = serde_json::from_str(include_str!("../../alerts/alert.schema.json")).expect("it is JSON");
    let alert = serde_json::to_value(checks_failed()).expect("it is JSON");
    assert_fields(&schema, &alert);
    assert_fields(&schema["$defs"]["finding"], &alert["findings"][0]);
    assert_fields(&schema["$defs"]["check"], &alert["checks"][0]);
}

#[track_caller]
fn assert_fields(schema: &Value, value: &Value) {
    let names = |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    assert_eq!(names(&schema["properties"]), names(value));
    assert_eq!(schema["required"], json!(names(value)));
}

#[test]
fn a_fingerprint_tells_what_is_wrong_and_nothing_else() {
    let checks = checks_failed().checks;
    let print = Alert::fingerprint_of(&[renamed(), inserted()], &checks, &[]);
    assert!(print.len() == 16 && print.chars().all(|char| char.is_ascii_hexdigit()), "{print}");

    let reworded = Finding { message: "Other words.".into(), help: "Other help.".into(), ..renamed() };
    let recounted: Vec<_> = checks.iter().rev().map(|it| CheckResult { measured: json!(99), ..it.clone() }).collect();
    assert_eq!(Alert::fingerprint_of(&[inserted(), added(), reworded], &recounted, &[]), print);

    for (findings, checks) in [
        (vec![renamed()], checks.clone()),
        (vec![renamed(), inserted()], checks[1..].to_vec()),
        (vec![Finding { path: "id".into(), ..renamed() }, inserted()], checks.clone()),
        (vec![Finding { after: Some("int".into()), ..renamed() }, inserted()], checks.clone()),
    ] {
        assert_ne!(Alert::fingerprint_of(&findings, &checks, &[]), print);
    }
    // Two errors without a finding or a check are two things if other steps failed.
    let error = |step| Alert::fingerprint_of(&[], &[], &[step]);
    assert_ne!(error("build int_operations"), error("build int_credentials"));
}

#[tokio::test]
async fn a_notifier_takes_an_alert_as_it_is() {
    let rendered = render(&breaking(), &[]).expect("it renders");
    let recording = RecordingNotifier::new();
    recording.send(&breaking(), &rendered).await.expect("it is sent");
    assert_eq!(recording.sent(), [(breaking(), rendered)]);
}

proptest! {
    #[test]
    fn any_names_render(table in ".{0,200}", path in ".{0,200}", message in ".{0,400}", error in "(?s).{0,400}") {
        let finding = Finding { table, path, message, ..renamed() };
        for kind in [AlertKind::Breaking, AlertKind::ChecksFailed, AlertKind::Error, AlertKind::Resolved] {
            let alert = Alert { findings: vec![finding.clone()], error: Some(error.clone()), ..alert(kind) };
            let rendered = render(&alert, &[]).expect("it renders");
            assert_subject(&rendered.subject);
            prop_assert!(rendered.body.len() > 100 && rendered.body.chars().all(|char| char == '\n' || !char.is_control()));
        }
    }
}
