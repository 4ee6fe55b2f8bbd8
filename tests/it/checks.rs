//! Checks: what the statement measures on a real engine, and how the numbers are judged.

#[cfg(feature = "embedded")]
mod measured;

use crawlguard::checks::{Baseline, CheckKind, CheckResult, CheckSpec, CheckStatus, Measured, evaluate, statement};
use polyglot_sql::{DialectType, parse_one};
use proptest::prelude::*;
use serde_json::{Value, json};

const SLOT: &str = "2026-01-02T03:04:05Z";

fn check(kind: CheckKind) -> CheckSpec {
    CheckSpec { name: kind.name().to_owned(), column: Some("status".to_owned()), kind }
}

fn row_count(min: Option<u64>, max: Option<u64>) -> CheckSpec {
    check(CheckKind::RowCount { min, max })
}

fn nulls(max_rows: Option<u64>, max_share: Option<f64>) -> CheckSpec {
    check(CheckKind::Nulls { max_rows, max_share })
}

fn moved(max_moved: Option<u64>, max_lost: u64) -> CheckSpec {
    check(CheckKind::MovedRows {
        values: vec!["TRUE".into(), "FALSE".into()],
        regex: None,
        max_distance: 2,
        columns: ["a", "b", "status", "c"].map(String::from).to_vec(),
        max_moved,
        max_lost,
    })
}

/// One check of every kind.
fn every_kind() -> Vec<CheckSpec> {
    vec![
        row_count(Some(1), Some(9)),
        check(CheckKind::RowCountChange { max_share: 0.5 }),
        nulls(Some(0), None),
        nulls(None, Some(0.1)),
        check(CheckKind::Unique { columns: vec!["status".into(), "odd \"name".into()] }),
        check(CheckKind::AcceptedValues { values: vec!["it's".into()], max_rows: 0 }),
        check(CheckKind::Pattern { regex: r"\d{3}-\d+|x".into(), max_rows: 0 }),
        check(CheckKind::Freshness { max_age_hours: 24 }),
        check(CheckKind::References { table: "int_leads".into(), column: "id".into() }),
        moved(None, 0),
        check(CheckKind::CastLoss {
            column_expression: "\"status\"".into(),
            source_type: Some("double".into()),
            target_type: "bigint".into(),
            max_rows: 0,
        }),
    ]
}

fn row(values: &[Option<&str>]) -> Measured {
    Measured(values.iter().map(|value| value.map(String::from)).collect())
}

fn numbers(values: &[u64]) -> Measured {
    Measured(values.iter().map(|value| Some(value.to_string())).collect())
}

/// The last result of one check.
#[track_caller]
fn judged(spec: &CheckSpec, measured: &Measured, published: Option<u64>) -> CheckResult {
    evaluate("t", std::slice::from_ref(spec), Some(measured), published.map_or(Baseline::First, Baseline::Rows))
        .pop()
        .expect("one check, one result")
}

#[track_caller]
fn expect(spec: &CheckSpec, measured: &[u64], published: Option<u64>, status: CheckStatus, shown: Value) {
    let result = judged(spec, &numbers(measured), published);
    assert_eq!((result.status, result.measured), (status, shown), "{spec:?} at {measured:?}");
}

use CheckStatus::{Fail, Inconclusive, Pass};

#[test]
fn every_statement_parses() {
    for spec in every_kind() {
        let sql = statement("raw \"leads\"", std::slice::from_ref(&spec), SLOT);
        parse_one(&sql, DialectType::Athena).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
}

#[test]
fn the_statement_measures_as_many_numbers_as_the_judgement_reads() {
    let checks = every_kind();
    let asked = statement("t", &checks, SLOT).matches(" AS m").count();
    let whole = numbers(&vec![1; asked]);
    let statuses = |measured: &Measured| -> Vec<_> {
        evaluate("t", &checks, Some(measured), Baseline::First).into_iter().map(|result| result.status).collect()
    };
    assert!(statuses(&whole).contains(&Pass));
    for length in [0, asked - 1, asked + 1] {
        assert!(statuses(&numbers(&vec![1; length])).iter().all(|status| *status == Inconclusive), "{length} numbers");
    }
}

#[test]
fn row_count_is_judged_by_its_bounds_and_never_passes_empty() {
    expect(&row_count(None, None), &[1], None, Pass, json!(1));
    expect(&row_count(None, None), &[0], None, Fail, json!(0));
    expect(&row_count(Some(0), None), &[0], None, Fail, json!(0));
    expect(&row_count(Some(20), Some(40)), &[20], None, Pass, json!(20));
    expect(&row_count(Some(20), Some(40)), &[19], None, Fail, json!(19));
    expect(&row_count(Some(20), Some(40)), &[41], None, Fail, json!(41));
}

#[test]
fn an_empty_table_fails_even_without_checks() {
    let results = evaluate("t", &[], Some(&numbers(&[0])), Baseline::First);
    assert_eq!(
        results.iter().map(|result| (result.check.as_str(), result.status)).collect::<Vec<_>>(),
        [("row count", Fail)]
    );
    let with_nulls = evaluate("t", &[nulls(Some(0), None)], Some(&numbers(&[0, 0])), Baseline::First);
    assert_eq!(with_nulls[0].status, Fail);
}

#[test]
fn row_count_change_is_a_share_of_the_published_rows() {
    let spec = check(CheckKind::RowCountChange { max_share: 0.5 });
    let shown = |rows, change| json!({ "rows": rows, "published": 38, "change": change });
    expect(&spec, &[19], Some(38), Pass, shown(19, -0.5));
    expect(&spec, &[18], Some(38), Fail, shown(18, -0.5263));
    expect(&spec, &[57], Some(38), Pass, shown(57, 0.5));
    expect(&spec, &[58], Some(38), Fail, shown(58, 0.5263));
    expect(&spec, &[5], Some(0), Inconclusive, Value::Null);
}

#[test]
fn a_first_build_has_nothing_to_compare_with() {
    let spec = check(CheckKind::RowCountChange { max_share: 0.5 });
    let result = judged(&spec, &numbers(&[5]), None);
    assert_eq!((result.status, result.measured, result.bound), (Pass, Value::Null, json!("no published version yet")));
    assert_eq!(judged(&spec, &row(&[None]), None).status, Inconclusive);
}

#[test]
fn a_baseline_that_cannot_be_told_is_no_first_build() {
    let checks = [check(CheckKind::RowCountChange { max_share: 0.5 }), row_count(None, None)];
    let results = evaluate("t", &checks, Some(&numbers(&[5])), Baseline::Unknown);
    assert_eq!(results.iter().map(|result| result.status).collect::<Vec<_>>(), [Inconclusive, Pass]);
}

#[test]
fn nulls_are_bounded_by_rows_and_by_share() {
    expect(&nulls(Some(2), None), &[10, 2], None, Pass, json!(2));
    expect(&nulls(Some(2), None), &[10, 3], None, Fail, json!(3));
    expect(&nulls(None, Some(0.3)), &[10, 3], None, Pass, json!({ "nulls": 3, "share": 0.3 }));
    expect(&nulls(None, Some(0.3)), &[10, 4], None, Fail, json!({ "nulls": 4, "share": 0.4 }));
    expect(&nulls(Some(2), Some(0.3)), &[10, 3], None, Fail, json!({ "nulls": 3, "share": 0.3 }));
    expect(&nulls(None, None), &[10, 1], None, Fail, json!(1));
    expect(&nulls(None, Some(0.3)), &[0, 0], None, Inconclusive, Value::Null);
    expect(&nulls(None, Some(f64::NAN)), &[10, 0], None, Fail, json!({ "nulls": 0, "share": 0.0 }));
}

#[test]
fn freshness_is_exact_to_the_second() {
    let spec = check(CheckKind::Freshness { max_age_hours: 24 });
    expect(&spec, &[1, 86_400], None, Pass, json!({ "age_hours": 24.0 }));
    expect(&spec, &[1, 86_401], None, Fail, json!({ "age_hours": 24.0003 }));
    assert_eq!(judged(&spec, &row(&[Some("1"), None]), None).status, Inconclusive);
}

#[test]
fn moved_rows_are_counted_by_distance() {
    let shown = json!({ "in_place": 2, "moved_1": 33, "moved_2": 3, "lost": 0 });
    expect(&moved(None, 0), &[38, 2, 33, 3, 0], None, Pass, shown.clone());
    expect(&moved(Some(36), 0), &[38, 2, 33, 3, 0], None, Pass, shown.clone());
    expect(&moved(Some(35), 0), &[38, 2, 33, 3, 0], None, Fail, shown);
    let lost = json!({ "in_place": 37, "moved_1": 0, "moved_2": 0, "lost": 1 });
    expect(&moved(None, 0), &[38, 37, 0, 0, 1], None, Fail, lost.clone());
    expect(&moved(None, 1), &[38, 37, 0, 0, 1], None, Pass, lost);
}

#[test]
fn numbers_that_cannot_be_are_inconclusive() {
    expect(&nulls(Some(99), None), &[10, 11], None, Inconclusive, Value::Null);
    expect(&moved(None, 99), &[38, 2, 33, 3, 1], None, Inconclusive, Value::Null);
    expect(&moved(None, 99), &[0, u64::MAX, 1, 0, 0], None, Inconclusive, Value::Null);
    for garbled in ["", "-1", "1.0", "1e3", "NaN", "many"] {
        assert_eq!(judged(&nulls(Some(99), None), &row(&[Some("10"), Some(garbled)]), None).status, Inconclusive);
        assert_eq!(judged(&nulls(Some(99), None), &row(&[Some(garbled), Some("0")]), None).status, Inconclusive);
    }
}

#[test]
fn a_check_that_names_no_column_is_inconclusive() {
    for mut spec in every_kind() {
        let needs_column = !matches!(
            spec.kind,
            CheckKind::RowCount { .. }
                | CheckKind::RowCountChange { .. }
                | CheckKind::Unique { .. }
                | CheckKind::CastLoss { .. }
        );
        spec.column = None;
        if needs_column {
            let sql = statement("t", std::slice::from_ref(&spec), SLOT);
            assert!(sql.contains("CAST(NULL AS varchar) AS m1"), "{sql}");
            assert_eq!(judged(&spec, &row(&[Some("9"), None]), None).status, Inconclusive);
        }
    }
}

#[test]
fn a_failed_statement_proves_nothing() {
    let results = evaluate("t", &every_kind(), None, Baseline::Rows(38));
    assert_eq!(results.len(), every_kind().len());
    assert!(results.iter().all(|result| result.status == Inconclusive && result.measured.is_null()));
}

#[test]
fn checks_say_what_they_allow() {
    let results = evaluate("t", &every_kind(), None, Baseline::Rows(38));
    let line = |result: &CheckResult| format!("{}: {}", result.check, result.bound);
    let lines = results.iter().map(line).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(lines, @r#"
    row count: "1 to 9 rows"
    row count change: "at most 50 % more or fewer rows than published"
    nulls: 0
    nulls: "at most 10 % of rows without a value"
    unique: 0
    accepted values: 0
    pattern: 0
    freshness: "the newest value at most 24 hours old"
    references: 0
    moved rows: "no row lost"
    cast loss: 0
    "#);
}

fn gravity(status: CheckStatus) -> u8 {
    match status {
        Pass => 0,
        Inconclusive => 1,
        Fail => 2,
    }
}

proptest! {
    /// More of what a check counts never makes its verdict better.
    #[test]
    fn worse_numbers_never_look_better(rows in 1_u64..50, a in 0_u64..50, b in 0_u64..50, max in 0_u64..50) {
        let (fewer, more) = (a.min(b).min(rows), a.max(b).min(rows));
        let max_share = Some(max as f64 / 50.0);
        for spec in [nulls(Some(max), None), nulls(None, max_share), check(CheckKind::Pattern { regex: "x".into(), max_rows: max })] {
            let of = |count| gravity(judged(&spec, &numbers(&[rows, count]), None).status);
            prop_assert!(of(fewer) <= of(more));
        }
        let of = |lost| gravity(judged(&moved(None, max), &numbers(&[rows, rows - lost, 0, 0, lost]), None).status);
        prop_assert!(of(fewer) <= of(more));
    }

    /// A row with a number missing never passes the check that needs it, and disturbs no other.
    #[test]
    fn a_missing_number_is_never_a_pass(gone in 0_usize..100) {
        let checks = every_kind();
        let count = statement("t", &checks, SLOT).matches(" AS m").count();
        // In nine rows nothing is wrong: every anchor is in place (m9), every other count is 0.
        let whole: Vec<_> = (0..count).map(|index| if index == 0 || index == 9 { 9 } else { 0 }).collect();
        let whole = numbers(&whole);
        let mut holed = whole.clone();
        let gone = gone % (count - 1) + 1;
        holed.0[gone] = None;
        let before = evaluate("t", &checks, Some(&whole), Baseline::First);
        let after = evaluate("t", &checks, Some(&holed), Baseline::First);
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).map(|(_, b)| b.status).collect();
        prop_assert!(changed.iter().all(|status| *status == Inconclusive) && changed.len() == 1, "{changed:?}");
    }
}
