//! The statements on the embedded engine, translated as the engine does it.

use duckdb::Connection;
use rstest::rstest;

use super::*;

/// Lays `rows` (a VALUES list with its column names) as table `t`, and measures `checks` of it.
#[track_caller]
fn measure(rows: &str, checks: &[CheckSpec]) -> Measured {
    let database = Connection::open_in_memory().expect("in memory");
    database.execute_batch(&format!("CREATE TABLE t AS SELECT * FROM (VALUES {rows}")).expect("the table is laid");
    database.execute_batch("CREATE TABLE other AS SELECT * FROM (VALUES (1), (2), (NULL)) AS v(id)").expect("laid");
    let sql = statement("t", checks, SLOT);
    let translated = polyglot_sql::transpile(&sql, DialectType::Athena, DialectType::DuckDB).expect("translates");
    let mut query = database.prepare(&translated[0]).unwrap_or_else(|error| panic!("{error}\n{}", translated[0]));
    let mut found = query.query([]).unwrap_or_else(|error| panic!("{error}\n{}", translated[0]));
    let row = found.next().expect("a row can be read").expect("there is one row");
    let width = statement("t", checks, SLOT).matches(" AS m").count();
    Measured((0..width).map(|index| row.get::<_, Option<String>>(index).expect("text")).collect())
}

#[track_caller]
fn expect_numbers(rows: &str, spec: CheckSpec, wanted: &[Option<&str>]) {
    assert_eq!(measure(rows, &[spec]), row(wanted), "{rows}");
}

fn of(column: &str, kind: CheckKind) -> CheckSpec {
    CheckSpec { name: kind.name().to_owned(), column: Some(column.to_owned()), kind }
}

#[rstest]
#[case::none("(1), (2)) AS v(\"odd \"\"name\")", "0")]
#[case::some("(NULL), (2), (NULL)) AS v(\"odd \"\"name\")", "2")]
fn nulls_are_counted(#[case] rows: &str, #[case] wanted: &str) {
    let found = measure(rows, &[of("odd \"name", CheckKind::Nulls { max_rows: None, max_share: None })]);
    assert_eq!(found.0[1].as_deref(), Some(wanted));
}

#[rstest]
#[case::distinct("(1, 'a'), (1, 'b'), (2, 'a')) AS v(a, b)", "0")]
#[case::shared("(1, 'a'), (1, 'a'), (1, 'a')) AS v(a, b)", "2")]
#[case::null_beside_a_value("(1, NULL), (1, NULL), (2, NULL), (NULL, 2)) AS v(a, b)", "1")]
#[case::only_nulls("(NULL, NULL), (NULL, NULL), (1, 1)) AS v(a, b)", "0")]
#[case::no_gluing("('a', 'bc'), ('ab', 'c')) AS v(a, b)", "0")]
fn surplus_rows_of_a_key_are_counted(#[case] rows: &str, #[case] wanted: &str) {
    let spec = of("a", CheckKind::Unique { columns: vec!["a".into(), "b".into()] });
    assert_eq!(measure(rows, &[spec]).0[1].as_deref(), Some(wanted));
}

#[test]
fn a_null_is_no_key() {
    let spec = of("a", CheckKind::Unique { columns: vec!["a".into()] });
    expect_numbers("(1), (NULL), (NULL), (2), (2)) AS v(a)", spec, &[Some("5"), Some("1")]);
}

#[test]
fn values_outside_the_list_are_counted() {
    let values = vec!["it's".to_owned(), "b".to_owned()];
    let spec = of("a", CheckKind::AcceptedValues { values, max_rows: 0 });
    expect_numbers("('it''s'), ('B'), ('b '), ('b'), (''), (NULL)) AS v(a)", spec, &[Some("6"), Some("3")]);
    let nothing = of("a", CheckKind::AcceptedValues { values: Vec::new(), max_rows: 0 });
    expect_numbers("('b'), (NULL)) AS v(a)", nothing, &[Some("2"), Some("1")]);
    let numbers = of("a", CheckKind::AcceptedValues { values: vec!["1".into()], max_rows: 0 });
    expect_numbers("(1), (2)) AS v(a)", numbers, &[Some("2"), Some("1")]);
}

#[rstest]
#[case::whole(r"\d+", "('12'), ('12x'), ('x12'), (NULL)) AS v(a)", "2")]
#[case::alternatives("a|ab", "('a'), ('ab'), ('abc'), ('b')) AS v(a)", "2")]
#[case::last_line_break(r"\d+", "(E'12\\n')) AS v(a)", "1")]
#[case::quote(r"'\w'", "('''x'''), ('x')) AS v(a)", "1")]
fn values_that_do_not_match_are_counted(#[case] regex: &str, #[case] rows: &str, #[case] wanted: &str) {
    let spec = of("a", CheckKind::Pattern { regex: regex.to_owned(), max_rows: 0 });
    assert_eq!(measure(rows, &[spec]).0[1].as_deref(), Some(wanted));
}

#[rstest]
#[case::date("(DATE '2026-01-02'), (DATE '2025-12-01')) AS v(a)", Some("11045"))]
#[case::timestamp("(TIMESTAMP '2026-01-02 03:04:05'), (NULL)) AS v(a)", Some("0"))]
#[case::text("('2026-01-01 03:04:05'), ('soon'), ('')) AS v(a)", Some("86400"))]
#[case::a_wrong_year_hides_nothing("(DATE '2062-01-01'), (DATE '2026-01-01')) AS v(a)", Some("97445"))]
#[case::a_begun_second("(TIMESTAMP '2026-01-02 00:04:05.5')) AS v(a)", Some("10800"))]
#[case::only_nulls("(CAST(NULL AS DATE))) AS v(a)", None)]
fn the_newest_value_up_to_the_slot_has_an_age(#[case] rows: &str, #[case] wanted: Option<&str>) {
    let spec = of("a", CheckKind::Freshness { max_age_hours: 1 });
    assert_eq!(measure(rows, &[spec]).0[1].as_deref(), wanted);
}

#[test]
fn values_without_their_counterpart_are_counted() {
    let spec = of("a", CheckKind::References { table: "other".into(), column: "id".into() });
    expect_numbers("(1), (2), (3), (3), (NULL)) AS v(a)", spec, &[Some("5"), Some("2")]);
}

/// A bare name would resolve to the checked table's own column, and every row would pass.
#[test]
#[should_panic(expected = "Binder Error")]
fn a_reference_to_a_missing_column_is_an_error() {
    measure("(1)) AS v(a)", &[of("a", CheckKind::References { table: "other".into(), column: "a".into() })]);
}

#[test]
fn an_anchor_is_looked_for_outwards() {
    let columns = ["a", "b", "c", "d"].map(String::from).to_vec();
    let spec = of(
        "C",
        CheckKind::MovedRows {
            values: vec!["TRUE".into(), "FALSE".into()],
            regex: None,
            max_distance: 2,
            columns,
            max_moved: None,
            max_lost: 0,
        },
    );
    let rows = "('x', 'x', 'TRUE', 'x'), ('TRUE', 'TRUE', 'FALSE', 'TRUE'), ('x', 'TRUE', 'x', 'x'), \
                ('x', NULL, NULL, 'FALSE'), ('TRUE', 'x', 'x', 'x'), ('true', 'x', 'x', 'x'), \
                (NULL, NULL, NULL, NULL)) AS v(a, b, c, d)";
    expect_numbers(rows, spec, &[Some("7"), Some("2"), Some("2"), Some("1"), Some("2")]);
}

#[test]
fn a_moved_anchor_may_be_a_pattern_and_stand_at_the_edge() {
    let spec = of(
        "id",
        CheckKind::MovedRows {
            values: vec!["none".into()],
            regex: Some(r"\d{5,}".into()),
            max_distance: 9,
            columns: vec!["id".into(), "next".into()],
            max_moved: None,
            max_lost: 0,
        },
    );
    let rows = "('12345', 'x'), ('none', 'x'), ('x', '123456'), ('x', '1')) AS v(id, next)";
    expect_numbers(rows, spec, &[Some("4"), Some("2"), Some("1"), Some("0"), Some("1")]);
}

#[test]
fn what_a_cast_loses_is_counted() {
    let lost = |target_type: &str| {
        of(
            "a",
            CheckKind::CastLoss {
                column_expression: "nullif(trim(\"a\"), '')".into(),
                source_type: Some("varchar".into()),
                target_type: target_type.into(),
                max_rows: 0,
            },
        )
    };
    let rows = "('1'), ('x'), (' '), (NULL), ('2.5')) AS v(a)";
    expect_numbers(rows, lost("double"), &[Some("5"), Some("1")]);
    expect_numbers(rows, lost("varchar"), &[Some("5"), Some("0")]);
    expect_numbers(rows, lost("real"), &[Some("5"), Some("1")]);
}

/// A cast that rounds or cuts loses, too; a text that is spelt otherwise does not.
#[rstest]
#[case::rounded("double", "bigint", "(2.5E0), (0.4E0), (2.0E0), (1E30), (NULL)) AS v(a)", "3")]
#[case::less_exact("double", "real", "(0.1E0), (0.5E0)) AS v(a)", "1")]
#[case::digits_behind_the_point("double", "decimal(10,2)", "(2.345E0), (2.34E0), (-1E0)) AS v(a)", "1")]
#[case::smaller_scale("decimal(10,2)", "decimal(10,1)", "(CAST(2.25 AS decimal(10,2))), (2.20)) AS v(a)", "1")]
#[case::too_many_digits("bigint", "double", "(9007199254740993), (9007199254740992)) AS v(a)", "1")]
#[case::no_truth("bigint", "boolean", "(5), (1), (0)) AS v(a)", "1")]
#[case::time_of_day(
    "timestamp",
    "date",
    "(TIMESTAMP '2026-01-02 03:04:05'), (TIMESTAMP '2026-01-02 00:00:00')) AS v(a)",
    "1"
)]
#[case::a_day_has_no_time("date", "timestamp", "(DATE '2026-01-02')) AS v(a)", "0")]
#[case::a_number_as_text("bigint", "varchar", "(7), (-1)) AS v(a)", "0")]
#[case::another_spelling("varchar", "bigint", "('007'), ('7'), ('N/A')) AS v(a)", "1")]
#[case::empty("varchar", "double", "(''), ('  '), (NULL), ('7.5'), ('n/a')) AS v(a)", "1")]
#[case::a_list("array(double)", "bigint", "('x')) AS v(a)", "1")]
fn what_a_cast_rounds_or_cuts_is_counted(
    #[case] source: &str,
    #[case] target: &str,
    #[case] rows: &str,
    #[case] wanted: &str,
) {
    let kind = CheckKind::CastLoss {
        column_expression: "\"a\"".into(),
        source_type: Some(source.into()),
        target_type: target.into(),
        max_rows: 0,
    };
    assert_eq!(measure(rows, &[of("a", kind)]).0[1].as_deref(), Some(wanted), "{source} → {target}");
}

/// Whatever the contract took it for: where the two are of another type, the statement would not even begin on Athena.
#[test]
fn both_sides_of_a_cast_are_compared_as_one_type() {
    let kind = CheckKind::CastLoss {
        column_expression: "\"a\"".into(),
        source_type: Some("double".into()),
        target_type: "bigint".into(),
        max_rows: 0,
    };
    let sql = statement("t", &[of("a", kind)], SLOT);
    let own = "TRY_CAST((\"a\") AS double)";
    let back = "TRY_CAST(TRY_CAST((\"a\") AS bigint) AS double)";
    assert!(sql.contains(&format!("{back} IS DISTINCT FROM {own}")), "{sql}");
}

#[test]
fn over_no_rows_counts_are_zero_and_the_age_is_missing() {
    let checks = [
        of("a", CheckKind::Nulls { max_rows: None, max_share: None }),
        of("a", CheckKind::Unique { columns: vec!["a".into()] }),
        of("a", CheckKind::Freshness { max_age_hours: 1 }),
    ];
    let found = measure("(1)) AS v(a) WHERE false", &checks);
    assert_eq!(found, row(&[Some("0"), Some("0"), Some("0"), None]));
    let statuses: Vec<_> =
        evaluate("t", &checks, Some(&found), Baseline::First).into_iter().map(|r| r.status).collect();
    assert_eq!(statuses, [Fail, Pass, Pass, Inconclusive]);
}
