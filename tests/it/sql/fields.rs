//! Fields of structs that models read and that are gone, or of another type.

use crawlguard::schema::StructField;
use crawlguard::sql::{TypeEffect, field_problems};

use super::*;

const BEFORE: &str = "struct<sku:string,price:bigint,at:struct<city:string,zip:string>>";
/// `price` is text now, `zip` is gone, `note` is new.
const AFTER: &str = "struct<sku:string,price:string,at:struct<city:string>,note:string>";

fn raw(item: &str) -> Table {
    let columns = [
        ("id", "int".to_owned()),
        ("item", item.to_owned()),
        ("items", format!("array<{item}>")),
        ("tags", "map<string,string>".to_owned()),
        ("price", "bigint".to_owned()),
    ];
    let columns = columns.iter().map(|(name, text)| Column::new(*name, DataType::parse(text))).collect();
    Table { name: "raw".to_owned(), columns, ..Table::default() }
}

fn problems(models: &[(&str, &str)], before: &str, after: &str) -> Vec<String> {
    let (promised, found) = ([raw(before)], [raw(after)]);
    let models = models.iter().map(|(name, text)| model(name, text)).collect();
    found_problems(&graph(models, &promised), &promised, &found, &[])
}

pub(super) fn effect(before: &DataType, after: &DataType) -> TypeEffect {
    use DataType::{BigInt, Date, Double, Float, Int, SmallInt, Struct, Timestamp, TinyInt};
    match (before, after) {
        (Struct(before), Struct(after)) => {
            let is_value = |field: &StructField| {
                let other = after.iter().find(|other| other.name == field.name);
                other.is_some_and(|other| effect(&field.data_type, &other.data_type) == TypeEffect::Value)
            };
            if before.iter().any(is_value) { TypeEffect::Value } else { TypeEffect::None }
        }
        (Int, BigInt) => TypeEffect::None,
        (Int | SmallInt, Double) | (SmallInt, Float) | (Float, Double) | (Date, Timestamp) => TypeEffect::Computed,
        (TinyInt | SmallInt, Int | BigInt) => TypeEffect::None,
        (DataType::Array(before), DataType::Array(after)) => effect(before, after),
        (DataType::Map(key, before), DataType::Map(key_after, after)) => match effect(key, key_after) {
            TypeEffect::None => effect(before, after),
            other => other,
        },
        (before, after) if before == after => TypeEffect::None,
        _ => TypeEffect::Value,
    }
}

fn found_problems(graph: &Graph, promised: &[Table], found: &[Table], substitutions: &[Substitution]) -> Vec<String> {
    let found = field_problems(graph, promised, found, substitutions, &effect).problems;
    found.iter().map(|problem| format!("{}:{}: {}", problem.file, problem.place, problem.message)).collect()
}

#[rstest]
#[case::gone("SELECT item.at.zip AS z FROM raw", &["1:16: `item.at` has no field `zip`"])]
#[case::qualified("SELECT r.item.at.zip AS z FROM raw AS r", &["1:18: `r.item.at` has no field `zip`"])]
#[case::subscript("SELECT items[1].at.zip AS z FROM raw", &["1:20: `items[1].at` has no field `zip`"])]
#[case::where_("SELECT id FROM raw WHERE item.at.zip > ''", &["1:34: `item.at` has no field `zip`"])]
#[case::kept("SELECT item.at.city AS z, item.sku FROM raw", &[])]
#[case::column_of_that_name("SELECT price AS p, raw.price AS q FROM raw", &[])]
#[case::retyped("SELECT item.price + 1 AS p FROM raw", &["1:8: `item.price` was bigint and is string"])]
#[case::cast("SELECT TRY_CAST(item.price AS bigint) + 1 AS p FROM raw", &[])]
#[case::cast_of_more("SELECT CAST(item.price + 1 AS varchar) AS p FROM raw", &["1:13: `item.price` was bigint and is string"])]
#[case::lambda("SELECT transform(items, i -> i.price) AS p FROM raw", &["1:32: `.price` may read a field that is gone or has another type"])]
#[case::lambda_cast("SELECT transform(items, i -> TRY_CAST(i.price AS bigint)) AS p FROM raw", &[])]
#[case::function("SELECT element_at(items, 1).price AS p FROM raw", &["1:29: `.price` may read a field that is gone or has another type"])]
#[case::other_column("SELECT transform(ARRAY[id], i -> i) AS x, tags['zip'] AS z FROM raw", &[])]
#[case::whole("SELECT item, items FROM raw", &[])]
#[case::cte("WITH s AS (SELECT item AS i FROM raw) SELECT s.i.at.zip AS z FROM s", &["1:53: `s.i.at` has no field `zip`"])]
#[case::unnest("SELECT u.sku FROM raw CROSS JOIN UNNEST(items) AS u (sku, price, at)", &["1:41: UNNEST gives other columns than it did: the struct has more or fewer fields now"])]
fn a_field_that_changed_is_found_where_it_is_named(#[case] select: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|text| format!("sql/m.sql:{text}")).collect();
    assert_eq!(problems(&[("m", select)], BEFORE, AFTER), expected);
    assert_eq!(problems(&[("m", select)], BEFORE, BEFORE), Vec::<String>::new(), "nothing changed");
}

#[test]
fn a_field_is_followed_through_models() {
    let models = [
        ("int_m", "SELECT id, item AS thing, items AS things FROM raw"),
        ("fact", "SELECT thing.at.zip AS z FROM int_m"),
        ("other", "SELECT filter(things, t -> t.zip > '') AS z FROM int_m"),
    ];
    assert_eq!(
        problems(&models, BEFORE, AFTER),
        [
            "sql/fact.sql:1:17: `thing.at` has no field `zip`",
            "sql/other.sql:1:30: `.zip` may read a field that is gone or has another type"
        ]
    );
}

#[test]
fn a_wider_or_an_added_field_is_no_problem() {
    let text = "SELECT item.a + 1 AS a, transform(items, i -> i.a) AS b FROM raw";
    assert_eq!(problems(&[("m", text)], "struct<a:int>", "struct<a:bigint,b:int>"), Vec::<String>::new());
}

#[test]
fn an_unnest_that_never_fitted_is_found() {
    let text = "SELECT u.i AS i FROM raw CROSS JOIN UNNEST(items) AS u (i)";
    let message = "sql/m.sql:1:44: UNNEST gives more or fewer columns than are named: one for each field of a struct";
    assert_eq!(problems(&[("m", text)], BEFORE, BEFORE), [message]);
}

#[test]
fn an_unnest_of_fields_in_another_order_is_found() {
    let text = "SELECT u.s AS s FROM raw CROSS JOIN UNNEST(items) AS u (s, p)";
    let (before, after) = ("struct<sku:int,price:int>", "struct<price:int,sku:int>");
    let message =
        "sql/m.sql:1:44: UNNEST gives columns by their place, and the struct has its fields in another order now";
    assert_eq!(problems(&[("m", text)], before, after), [message]);
}

#[rstest]
#[case::compared("SELECT id FROM raw WHERE item = ROW(1, 2)", 1)]
#[case::sorted("SELECT array_max(items) AS m FROM raw", 1)]
#[case::whole("SELECT item, items, item.sku AS s FROM raw", 0)]
#[case::lambda("SELECT transform(items, x -> x.price) AS m, any_match(items, x -> x.sku > 3) AS n FROM raw", 0)]
#[case::filtered("SELECT transform(filter(items, x -> x.sku > 3), (x) -> x.price + x.sku) AS m FROM raw", 0)]
#[case::filtered_whole("SELECT filter(items, x -> x.sku > 3) AS m FROM raw", 0)]
#[case::lambda_whole("SELECT transform(items, x -> x) AS m FROM raw", 1)]
#[case::lambda_compared("SELECT filter(items, x -> x > item) AS m FROM raw", 2)]
#[case::element("SELECT element_at(items, 1).price AS m, items[1].sku AS n, cardinality(items) AS c FROM raw", 0)]
#[case::element_compared("SELECT element_at(items, 1) = item AS m FROM raw", 2)]
#[case::tested("SELECT id FROM raw WHERE item IS NOT NULL", 0)]
#[case::array_sort("SELECT array_sort(items) AS m FROM raw", 1)]
#[case::grouped("SELECT count(*) AS m FROM raw GROUP BY item", 1)]
#[case::counted("SELECT count(DISTINCT item) AS m FROM raw", 1)]
#[case::unnested_by_name("SELECT x.price FROM raw CROSS JOIN UNNEST(items) AS x", 0)]
#[case::unnested_by_place("SELECT x.price FROM raw CROSS JOIN UNNEST(items) AS x (sku, price)", 1)]
fn a_struct_of_fields_in_another_order_compares_otherwise(#[case] select: &str, #[case] expected: usize) {
    let (before, after) = ("struct<sku:int,price:int>", "struct<price:int,sku:int>");
    assert_eq!(problems(&[("m", select)], before, after).len(), expected);
}

#[rstest]
#[case::union("SELECT n AS x FROM raw UNION ALL SELECT big FROM other", "1:50: `x`")]
#[case::using("SELECT * FROM raw FULL JOIN (SELECT big AS n FROM other) AS o USING (n)", "1:70: `n`")]
fn a_wider_side_must_not_change_the_other(#[case] select: &str, #[case] place: &str) {
    let other = table("other", "big bigint");
    let (promised, found) = ([table("raw", "n int"), other.clone()], [table("raw", "n double"), other]);
    let graph = graph(vec![model("m", select)], &promised);
    let expected = format!("sql/m.sql:{place} was bigint and becomes double, values of the other side too");
    assert_eq!(found_problems(&graph, &promised, &found, &[]), [expected]);
}

#[test]
fn an_unnest_that_fits_what_is_there_now_is_accepted() {
    let text = "SELECT u.s FROM raw CROSS JOIN UNNEST(items) AS u (s, p, a, n)";
    assert_eq!(problems(&[("m", text)], BEFORE, AFTER), Vec::<String>::new());
}

/// What is said of models over `raw` and `other`, of which `raw` changed from one list of columns to the other.
fn widened(select: &str, before: &str, after: &str) -> Vec<String> {
    let promised = [table("raw", before), table("other", "k int, f float")];
    let found = [table("raw", after), table("other", "k int, f float")];
    let models = vec![model("m", select), model("n", "SELECT x FROM m WHERE x > 1")];
    found_problems(&graph(models, &promised), &promised, &found, &[])
}

const COMPUTED: &str = "was int and is double, which changes what is computed from it";

#[rstest]
#[case::bare("SELECT n AS x, raw.n AS y FROM raw")]
#[case::star("SELECT *, n AS x FROM (SELECT n FROM raw)")]
#[case::compared("SELECT id AS x FROM raw WHERE n > 3 AND 2 < n OR NOT n IS NULL")]
#[case::distinct_from("SELECT id AS x FROM raw WHERE n IS DISTINCT FROM 3 OR 4 IS NOT DISTINCT FROM n")]
#[case::between(
    "SELECT id AS x FROM raw WHERE n BETWEEN 1 AND 5 OR n NOT BETWEEN 1 AND 5 OR 3 BETWEEN n AND 5 OR 3 BETWEEN 1 AND n"
)]
#[case::within("SELECT id AS x FROM raw WHERE n IN (1, 2) OR n NOT IN (3) OR id IN (1, n)")]
#[case::joined("SELECT id AS x FROM raw JOIN other ON n = k")]
#[case::chosen("SELECT CASE WHEN n = 1 THEN 'a' END AS x, CASE n WHEN 1 THEN 'a' END AS y FROM raw")]
#[case::branch(
    "SELECT CASE WHEN id = 1 THEN n ELSE 0 END AS x, if(id = 1, n, NULL) AS y, coalesce(n, 0) AS z FROM raw"
)]
#[case::united("SELECT n AS x FROM raw UNION ALL SELECT k FROM other")]
#[case::grouped("SELECT n AS x, count(*) AS c FROM raw GROUP BY n ORDER BY n DESC")]
#[case::sets("SELECT count(*) AS x FROM raw GROUP BY ROLLUP (n, id)")]
#[case::window(
    "SELECT row_number() OVER (PARTITION BY n ORDER BY n DESC NULLS LAST) AS x, lag(n, 1, 0) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS y, nth_value(n, 2) OVER (ORDER BY id) AS z FROM raw"
)]
#[case::aggregates(
    "SELECT max(n) AS x, min(n) AS a, sum(n) AS b, avg(n) AS c, count(n) AS d, count(DISTINCT n) AS e, stddev(n) AS f FROM raw"
)]
#[case::filtered("SELECT sum(n) FILTER (WHERE n > 1) AS x, sum(n) OVER (PARTITION BY id) AS y FROM raw")]
#[case::having("SELECT id AS x FROM raw GROUP BY id HAVING sum(n) > 5 ORDER BY sum(n)")]
#[case::added("SELECT n + 1 AS x, n - 1 AS a, 2 * n AS b, -n AS c, (n + id) * 2 - n AS d, n + 1 > 3 AS e FROM raw")]
#[case::in_doubles("SELECT n / CAST(id AS double) AS x, avg(n) / 2 AS y, sqrt(n) * 0.5 AS z FROM raw")]
#[case::sum_is_ordered(
    "WITH s AS (SELECT id, sum(n) AS t FROM raw GROUP BY id) SELECT max(t) AS x FROM s WHERE t > 3 ORDER BY max(t)"
)]
#[case::sum_as_double("SELECT CAST(sum(n) AS double) / count(*) AS x FROM raw")]
#[case::subquery(
    "SELECT id AS x FROM raw WHERE id IN (SELECT n FROM raw) AND id < (SELECT max(n) FROM raw) AND EXISTS (SELECT n FROM raw)"
)]
#[case::picked_by("SELECT max_by(id, n) AS x, min_by(n, id) AS y FROM raw")]
#[case::absolute("SELECT abs(n) AS x, round(n) AS y, floor(n) + 1 AS z FROM raw")]
#[case::as_double("SELECT CAST(n AS double) / 2 AS x FROM raw")]
fn an_int_that_became_a_double_computes_the_same(#[case] select: &str) {
    let (before, after) = ("id int, n int", "id int, n double");
    assert_eq!(widened(select, before, after), Vec::<String>::new());
    assert_eq!(widened(select, before, "id int, n bigint"), Vec::<String>::new(), "of the same arithmetic");
}

#[rstest]
#[case::divided("SELECT n / 4 AS x FROM raw", "1:8: `n`")]
#[case::remainder("SELECT n % 4 AS x FROM raw", "1:8: `n`")]
#[case::rest("SELECT mod(n, 4) AS x FROM raw", "1:12: `n`")]
#[case::divided_later("SELECT (n + 1) / 4 AS x FROM raw", "1:9: `n`")]
#[case::divisor("SELECT 1 + id / n AS x FROM raw", "1:17: `n`")]
#[case::partly("SELECT CAST(id AS double) + n / 4 AS x FROM raw", "1:29: `n`")]
#[case::text("SELECT CAST(n AS varchar) AS x FROM raw", "1:13: `n`")]
#[case::text_of_more("SELECT CAST(n + 1 AS varchar) AS x FROM raw", "1:13: `n`")]
#[case::decimal("SELECT n * 0.1 AS x FROM raw", "1:8: `n`")]
#[case::decimal_cast("SELECT CAST(n AS decimal(10,2)) AS x FROM raw", "1:13: `n`")]
#[case::bigint("SELECT n + b AS x FROM raw", "1:8: `n`")]
#[case::nth_divided("SELECT nth_value(n, 2) OVER (ORDER BY id) / 2 AS x FROM raw", "1:18: `n`")]
#[case::bigint_beside("SELECT coalesce(n, b) AS x FROM raw", "1:17: `n`")]
#[case::subscript("SELECT ARRAY[1, 2][n] AS x FROM raw", "1:20: `n`")]
#[case::unknown("SELECT some_function(n) AS x FROM raw", "1:22: `n`")]
#[case::substr("SELECT substr('abc', n) AS x FROM raw", "1:22: `n`")]
#[case::sequence("SELECT sequence(1, n) AS x FROM raw", "1:20: `n`")]
#[case::bits("SELECT bitwise_and(n, 1) AS x FROM raw", "1:20: `n`")]
#[case::places("SELECT round(2.55e0, n) AS x FROM raw", "1:22: `n`")]
#[case::rows("SELECT ROW(n) AS x FROM raw", "1:12: `n`")]
#[case::concat("SELECT 'a' || CAST(n AS varchar) AS x FROM raw", "1:20: `n`")]
#[case::frame("SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN n PRECEDING AND CURRENT ROW) AS x FROM raw", "1:47: `n`")]
#[case::condition("SELECT id AS x FROM raw WHERE n / 4 = 1", "1:31: `n`")]
#[case::scalar("SELECT (SELECT max(n) AS m FROM raw) / 2 AS x FROM raw", "1:20: `n`")]
#[case::row("SELECT id AS x FROM raw WHERE (n, id) IN (SELECT id, id FROM raw)", "1:32: `n`")]
#[case::derived("SELECT q.m / 4 AS x FROM (SELECT n AS m FROM raw) AS q", "1:8: `q.m`")]
#[case::sum_divided("SELECT sum(n) / count(*) AS x FROM raw", "1:12: `n`")]
fn an_int_that_became_a_double_computes_otherwise(#[case] select: &str, #[case] at: &str) {
    let (before, after) = ("id int, n int, b bigint", "id int, n double, b bigint");
    assert_eq!(widened(select, before, after), [format!("sql/m.sql:{at} {COMPUTED}")]);
    assert_eq!(widened(select, before, "id int, n bigint, b bigint"), Vec::<String>::new(), "of the same arithmetic");
}

/// Sums of whole numbers are bigint, and of doubles double: they do not compare alike beyond 2^53.
#[rstest]
#[case::equal("SELECT id AS x FROM raw GROUP BY id HAVING sum(n) = 100", "1:48: `n` was int and is double")]
#[case::within("SELECT id AS x FROM raw GROUP BY id HAVING sum(n) IN (1, 2)", "1:48: `n` was int and is double")]
#[case::joined(
    "SELECT k AS x FROM other JOIN (SELECT sum(n) AS t FROM raw) AS s ON s.t = k",
    "1:69: `s.t` was bigint and is double"
)]
#[case::grouped(
    "WITH s AS (SELECT sum(n) AS t FROM raw) SELECT t AS x FROM s GROUP BY t",
    "1:71: `t` was bigint and is double"
)]
#[case::divided(
    "WITH s AS (SELECT sum(n) AS t FROM raw) SELECT t / 2 AS x FROM s",
    "1:48: `t` was bigint and is double"
)]
#[case::distinct("SELECT DISTINCT sum(n) AS x FROM raw", "1:21: `n` was int and is double")]
fn a_sum_that_became_a_double_is_not_compared(#[case] select: &str, #[case] expected: &str) {
    let found = widened(select, "id int, n int", "id int, n double");
    assert!(found[0].contains(expected), "{found:?}");
}

#[rstest]
#[case::grouped("SELECT n AS x, max(n) AS y, count(*) AS c FROM raw GROUP BY n ORDER BY n", 0)]
#[case::whole_number("SELECT id AS x FROM raw WHERE n > 3 OR n BETWEEN 1 AND 5 OR n = 4", 0)]
#[case::other_float("SELECT id AS x FROM raw JOIN other ON n = f", 1)]
#[case::decimal("SELECT id AS x FROM raw WHERE n = 0.1", 1)]
#[case::within("SELECT id AS x FROM raw WHERE n IN (1, 2)", 1)]
fn a_float_that_became_a_double(#[case] select: &str, #[case] expected: usize) {
    assert_eq!(widened(select, "id int, n float", "id int, n double").len(), expected);
}

#[rstest]
#[case::parts("SELECT year(n) AS x, max(n) AS y FROM raw WHERE n > DATE '2026-01-01' GROUP BY year(n)", 0)]
#[case::text("SELECT CAST(n AS varchar) AS x FROM raw", 1)]
fn a_date_that_became_a_timestamp(#[case] select: &str, #[case] expected: usize) {
    assert_eq!(widened(select, "id int, n date", "id int, n timestamp").len(), expected);
}

#[test]
fn a_float_that_became_a_double_compares_otherwise() {
    let select = "SELECT id AS x FROM raw WHERE n = CAST('0.1' AS real)";
    let expected = "sql/m.sql:1:31: `n` was float and is double, which changes what is computed from it";
    assert_eq!(widened(select, "id int, n float", "id int, n double"), [expected]);
}

#[test]
fn a_wider_column_is_followed_into_the_models_that_read_it() {
    let promised = [table("raw", "n int")];
    let models = vec![model("a", "SELECT n AS x FROM raw"), model("b", "SELECT x / 2 AS y FROM a")];
    let graph = graph(models, &promised);
    let found = [table("raw", "n double")];
    assert_eq!(found_problems(&graph, &promised, &found, &[]), [format!("sql/b.sql:1:8: `x` {COMPUTED}")]);
    let pinned = Substitution::TryCast { table: "raw".into(), column: "n".into(), data_type: DataType::Int };
    assert_eq!(found_problems(&graph, &promised, &found, &[pinned]), Vec::<String>::new());
}

const ROW: &str = "CAST(ROW(1) AS ROW(a integer))";

#[rstest]
#[case::cast("SELECT CAST(item AS ROW(a bigint)) AS i FROM raw".to_owned(), "1:13: `item` was struct<a:int> and is struct<a:int,b:int>")]
#[case::json("SELECT CAST(item AS json) AS i FROM raw".to_owned(), "1:13: `item` was")]
#[case::array("SELECT CAST(items AS array(ROW(a integer))) AS i FROM raw".to_owned(), "1:13: `items` was array<")]
#[case::union(format!("SELECT item FROM raw UNION ALL SELECT {ROW} FROM raw"), "`item` of struct<a:int,b:int> and of struct<a:int> become one column")]
fn a_struct_that_gained_a_field_fits_no_cast_and_no_other_struct(#[case] select: String, #[case] expected: &str) {
    let [found] = &problems(&[("m", &select)], "struct<a:int>", "struct<a:int,b:int>")[..] else {
        panic!("one problem is expected")
    };
    assert!(found.contains(expected), "{found}");
    assert_eq!(problems(&[("m", &select)], "struct<a:int>", "struct<a:int>"), Vec::<String>::new());
}

#[test]
fn one_struct_on_both_sides_of_a_set_operation_still_fits() {
    let text = "SELECT item FROM raw UNION ALL SELECT item FROM raw";
    assert_eq!(problems(&[("m", text)], "struct<a:int>", "struct<a:int,b:int>"), Vec::<String>::new());
}
