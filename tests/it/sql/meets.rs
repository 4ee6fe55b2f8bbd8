//! Values of two types that meet.

use super::arguments::problems;
use super::*;

#[rstest]
#[case::number_and_text("id = name", "1:29: `=` brings together integer and varchar, which Athena does not")]
#[case::literal("name > 5", "1:31: `>` brings together varchar and bigint, which Athena does not")]
#[case::negative("name <> -5", "1:31: `<>` brings together varchar and bigint, which Athena does not")]
#[case::date("day >= '2026-01-01'", "1:30: `>=` brings together date and varchar, which Athena does not")]
#[case::turned("'2026-01-01' <= day", "1:39: `<=` brings together varchar and date, which Athena does not")]
#[case::boolean("ok = 1", "1:29: `=` brings together boolean and bigint, which Athena does not")]
#[case::field("item.price = 'x'", "1:37: `=` brings together double and varchar, which Athena does not")]
#[case::call("trim(name) = 1 AND ok", "1:37: `=` brings together varchar and bigint, which Athena does not")]
#[case::among("ok AND (name = 1 OR id = 2)", "1:39: `=` brings together varchar and bigint, which Athena does not")]
#[case::list("id IN (1, '2')", "1:29: `IN` brings together integer and varchar, which Athena does not")]
#[case::not_in("id NOT IN ('1')", "1:33: `IN` brings together integer and varchar, which Athena does not")]
#[case::between("id BETWEEN 1 AND '3'", "1:29: `BETWEEN` brings together integer and varchar, which Athena does not")]
#[case::coalesce(
    "coalesce(id, '0') IS NULL",
    "1:26: `coalesce` brings together integer and varchar, which Athena does not"
)]
#[case::nullif("nullif(name, 0) = 'a'", "1:26: `nullif` brings together varchar and bigint, which Athena does not")]
#[case::branches(
    "CASE WHEN ok THEN 1 ELSE 'x' END IS NULL",
    "1:26: `CASE` brings together bigint and varchar, which Athena does not"
)]
#[case::simple_case(
    "CASE id WHEN '1' THEN ok END",
    "1:26: `CASE` brings together integer and varchar, which Athena does not"
)]
#[case::if_call("if(ok, id, name) IS NULL", "1:26: `if` brings together integer and varchar, which Athena does not")]
fn types_that_athena_brings_not_together_are_refused(#[case] condition: &str, #[case] expected: &str) {
    assert_eq!(problems(&format!("SELECT id FROM raw WHERE {condition}")), [expected]);
}

#[rstest]
#[case::join(
    "SELECT a.id FROM raw AS a JOIN raw AS b ON a.id = b.name",
    "1:49: `=` brings together integer and varchar, which Athena does not"
)]
#[case::using(
    "SELECT 1 AS one FROM raw AS a JOIN (SELECT name AS id FROM raw) AS b USING (id)",
    "1:77: `id` of integer and of varchar become one column, which Athena refuses"
)]
#[case::union(
    "SELECT id FROM raw UNION ALL SELECT name FROM raw",
    "1:47: `id` of integer and of varchar become one column, which Athena refuses"
)]
fn relations_meet_in_types_too(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(problems(text), [expected]);
}

#[rstest]
#[case::numbers("id = 1.5 AND paid > id AND id IN (1, 2.0) AND id BETWEEN -1 AND paid")]
#[case::texts("name = 'a' AND name IN ('a', x) AND coalesce(name, 'a') > trim(x)")]
#[case::null("id = NULL OR coalesce(id, NULL) IN (NULL, 1) OR nullif(name, NULL) IS NULL")]
#[case::times("day = DATE '2026-01-01' AND day < TIMESTAMP '2026-01-01 00:00' AND day <= current_date")]
#[case::cast("CAST(id AS varchar) = name AND id = TRY_CAST(name AS integer)")]
#[case::arithmetic("length(name) + id = 5 AND id * 2 = paid AND 1 = id % 2")]
#[case::uncertain("json_extract_scalar(name, '$.a') = 'b' AND id + 1 = paid AND date_diff('day', day, day) > 3")]
#[case::subquery("name = (SELECT max(x) FROM raw) AND id = ANY (SELECT id FROM raw) AND id IN (SELECT id FROM raw)")]
#[case::lambda("cardinality(filter(list, id -> id = 'a')) = 1")]
#[case::branches("CASE WHEN id = 1 THEN 'a' WHEN ok THEN name ELSE NULL END = 'a'")]
#[case::nested_branches("CASE WHEN ok THEN CASE id WHEN 1 THEN 'a' END ELSE 'b' END = 'a'")]
#[case::simple_case("CASE name WHEN 'a' THEN 1 WHEN 'b' THEN 2.5 END > 1")]
#[case::subscript("tags['a'] = 'b' AND raw.list[1] = 'c' AND element_at(list, 1) = 'c'")]
#[case::rows("(id, name) = (1, 'a') AND (id) = (1)")]
#[case::booleans("(id = 1) = (name = 'a') AND ok = true AND NOT ok = false")]
fn types_that_meet_pass(#[case] condition: &str) {
    assert_eq!(problems(&format!("SELECT id FROM raw WHERE {condition}")), [""; 0]);
}
