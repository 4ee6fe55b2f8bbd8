//! Models bound to a run.

use super::*;

#[rstest]
#[case("SELECT current_date AS d", "SELECT DATE '2026-01-02' AS d")]
#[case("SELECT CURRENT_TIMESTAMP AS t", "SELECT TIMESTAMP '2026-01-02 03:04:05.000 UTC' AS t")]
#[case(
    "SELECT current_timestamp(3) t, now() n",
    "SELECT TIMESTAMP '2026-01-02 03:04:05.000 UTC' t, TIMESTAMP '2026-01-02 03:04:05.000 UTC' n"
)]
#[case("SELECT \"now\"() AS t", "SELECT TIMESTAMP '2026-01-02 03:04:05.000 UTC' AS t")]
#[case(
    "WITH random (a) AS (SELECT 1) SELECT a FROM random AS \"uuid\" (a)",
    "WITH random (a) AS (SELECT 1) SELECT a FROM random AS \"uuid\" (a)"
)]
#[case("SELECT localtimestamp AS t", "SELECT TIMESTAMP '2026-01-02 03:04:05.000' AS t")]
#[case(
    "SELECT 'current_date' AS \"now\" -- now()\n, t.current_date, now FROM t",
    "SELECT 'current_date' AS \"now\" -- now()\n, t.current_date, now FROM t"
)]
#[case("SELECT 'é', current_date", "SELECT 'é', DATE '2026-01-02'")]
fn the_clock_is_the_slot(#[case] select: &str, #[case] expected: &str) {
    assert_eq!(bind_slot(select, "2026-01-02T03:04:05Z").expect("it binds"), expected);
}

#[rstest]
#[case("SELECT random() AS r", "2026-01-02T03:04:05Z")]
#[case("SELECT \"shuffle\"(ARRAY[1]) AS r", "2026-01-02T03:04:05Z")]
#[case("SELECT system.builtin.now() AS r", "2026-01-02T03:04:05Z")]
#[case("SELECT rand(5) AS r", "2026-01-02T03:04:05Z")]
#[case("SELECT a FROM t TABLESAMPLE BERNOULLI (10)", "2026-01-02T03:04:05Z")]
#[case("SELECT 1 AS a", "2026-01-02")]
#[case("SELECT 1 AS a", "2026-13-02T03:04:05Z")]
#[case("SELECT 1 AS a", "2026-01-02T03:04:05'Z")]
fn what_no_slot_can_fix_is_refused(#[case] select: &str, #[case] slot: &str) {
    bind_slot(select, slot).expect_err("it is refused");
}

#[rstest]
#[case("SELECT int_x.a FROM int_x", "SELECT int_x.a FROM \"stg\".\"new\" AS int_x")]
#[case("SELECT t.a FROM Int_X AS t JOIN b ON true", "SELECT t.a FROM \"stg\".\"new\" AS t JOIN b ON true")]
#[case(
    "WITH int_x AS (SELECT a FROM db.\"int_x\") SELECT int_x FROM int_x",
    "WITH int_x AS (SELECT a FROM \"stg\".\"new\" AS \"int_x\") SELECT int_x FROM int_x"
)]
#[case(
    "SELECT 'int_x' AS int_x FROM y WHERE k IN (SELECT k FROM int_x)",
    "SELECT 'int_x' AS int_x FROM y WHERE k IN (SELECT k FROM \"stg\".\"new\" AS int_x)"
)]
fn tables_are_renamed_and_nothing_else(#[case] select: &str, #[case] expected: &str) {
    let names = BTreeMap::from([("int_x".to_owned(), "stg.new".to_owned())]);
    assert_eq!(rename_tables(select, &names).expect("it renames"), expected);
}
