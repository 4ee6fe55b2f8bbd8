//! Casts of models' own that no longer hold every value.

use crawlguard::sql::{Loss, OwnCast, field_problems};

use super::fields::effect;
use super::*;

/// `cast at > column, type` of the casts that lose, and a count of other problems.
fn lost(models: &[(&str, &str)], before: &str, after: &str) -> Vec<String> {
    let (promised, found) = ([table("raw", before)], [table("raw", after)]);
    let graph = graph(models.iter().map(|(name, text)| model(name, text)).collect(), &promised);
    let misread = field_problems(&graph, &promised, &found, &[], &effect);
    assert_eq!(misread.problems, []);
    let one = |cast: &OwnCast| {
        let of = match &cast.loss {
            Loss::Counted { table, column } => format!("{table}.{column}"),
            Loss::Uncounted => "?".to_owned(),
        };
        format!("{}:{} > {of} {}", cast.problem.file, cast.problem.place, cast.data_type)
    };
    misread.casts.iter().map(one).collect()
}

#[rstest]
#[case::direct("SELECT TRY_CAST(n AS integer) AS x FROM raw", &["1:8 > raw.n int"])]
#[case::plain("SELECT CAST(n AS integer) / 2 AS x FROM raw", &["1:8 > raw.n int"])]
#[case::picked("SELECT TRY_CAST(coalesce(max(n), 0) AS integer) AS x FROM raw", &["1:8 > raw.n int"])]
#[case::through_a_cte("WITH s AS (SELECT n AS m FROM raw) SELECT TRY_CAST(s.m AS integer) AS x FROM s", &["1:43 > raw.n int"])]
#[case::computed("SELECT TRY_CAST(n * 2 AS integer) AS x FROM raw", &["1:8 > ? int"])]
#[case::negated("SELECT TRY_CAST(-n AS integer) AS x, TRY_CAST(- -n AS integer) AS y FROM raw", &["1:8 > ? int", "1:38 > ? int"])]
#[case::negated_between("SELECT TRY_CAST(-(n) AS integer) AS x, TRY_CAST(coalesce(-n, 0) AS integer) AS y FROM raw", &["1:8 > ? int", "1:40 > ? int"])]
#[case::nth("SELECT TRY_CAST(nth_value(n, 2) OVER (ORDER BY id) AS integer) AS x FROM raw", &["1:8 > raw.n int"])]
#[case::unknown("SELECT TRY_CAST(some_function(n) AS integer) AS x FROM raw", &["1:8 > ? int"])]
#[case::wide_enough("SELECT CAST(n AS bigint) AS x, CAST(n AS varchar) AS y FROM raw", &[])]
#[case::never_held("SELECT TRY_CAST(n AS smallint) AS x FROM raw", &[])]
#[case::sum("SELECT CAST(avg(n) AS integer) AS x, CAST(sum(n) AS bigint) AS y FROM raw", &[])]
#[case::of_another_type("SELECT TRY_CAST(count(n) AS integer) AS x, TRY_CAST(sum(n) AS integer) AS y FROM raw", &[])]
#[case::held_inside("SELECT TRY_CAST(TRY_CAST(n AS integer) * 2 AS integer) AS x FROM raw", &["1:17 > raw.n int"])]
#[case::behind_a_text("SELECT TRY_CAST(trim(CAST(n AS varchar)) AS integer) AS x FROM raw", &["1:8 > ? int"])]
#[case::behind_a_wider_type("SELECT TRY_CAST(CAST(n AS bigint) AS integer) AS x FROM raw", &["1:8 > raw.n int"])]
#[case::remainder("SELECT CAST(n % 10 AS integer) AS x, CAST(n % 3000000000 AS integer) AS y FROM raw", &["1:38 > ? int"])]
#[case::behind_a_text_held("SELECT TRY_CAST(CAST(n AS varchar) AS bigint) AS x FROM raw", &[])]
fn a_cast_of_the_models_own_that_no_longer_holds_every_value(#[case] select: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|text| format!("sql/m.sql:{text}")).collect();
    assert_eq!(lost(&[("m", select)], "id int, n int", "id int, n bigint"), expected);
    assert_eq!(lost(&[("m", select)], "id int, n int", "id int, n int"), Vec::<String>::new());
}

/// What a wider type holds before and after, in whatever place it is made.
#[rstest]
#[case::cte("WITH s AS (SELECT CAST(n AS bigint) AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:59 > raw.n int"])]
#[case::text("WITH s AS (SELECT CAST(n AS varchar) AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:60 > raw.n int"])]
#[case::trimmed("WITH s AS (SELECT trim(CAST(n AS varchar)) AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:66 > ? int"])]
#[case::cut("WITH s AS (SELECT CAST(n AS varchar) AS m FROM raw) SELECT CAST(substr(m, 2) AS integer) AS x FROM s", &["1:60 > ? int"])]
#[case::literal("SELECT TRY_CAST(coalesce(n, 3000000000) AS integer) AS x FROM raw", &["1:8 > raw.n int"])]
#[case::of_two("SELECT TRY_CAST(CASE WHEN id = 1 THEN n ELSE b END AS integer) AS x FROM raw", &["1:8 > raw.n int"])]
#[case::derived("SELECT CAST(q.m AS integer) + 1 AS x FROM (SELECT coalesce(n, b) AS m FROM raw) AS q", &["1:8 > raw.n int"])]
#[case::united("WITH s AS (SELECT n AS m FROM raw UNION ALL SELECT b FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:71 > raw.n int"])]
#[case::joined("SELECT TRY_CAST(m AS integer) AS x FROM (SELECT n AS m FROM raw) AS s JOIN (SELECT b AS m FROM raw) AS t USING (m)", &["1:8 > raw.n int"])]
#[case::computed("WITH s AS (SELECT CAST(n + 1 AS bigint) AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:63 > ? int"])]
#[case::unknown("WITH s AS (SELECT CAST(n AS bigint) AS m FROM raw) SELECT TRY_CAST(some(m) AS integer) AS x FROM s", &["1:59 > ? int"])]
#[case::array("SELECT TRY_CAST(v AS integer) AS x FROM raw CROSS JOIN UNNEST(coalesce(list, big)) AS u (v)", &["1:8 > ? int"])]
#[case::element("WITH s AS (SELECT coalesce(list, big) AS l FROM raw) SELECT CAST(l[1] AS integer) AS x, CAST(element_at(l, 2) AS integer) AS y FROM s", &["1:61 > ? int", "1:89 > ? int"])]
#[case::rounded("WITH s AS (SELECT CAST(n AS double) AS m FROM raw) SELECT CAST(round(m) AS integer) AS x FROM s", &["1:19 > raw.n double", "1:59 > ? int"])]
#[case::twice("WITH s AS (SELECT CAST(n AS bigint) AS m FROM raw), t AS (SELECT max(m) AS k FROM s) SELECT TRY_CAST(k AS integer) AS x FROM t", &["1:93 > raw.n int"])]
#[case::beside_what_nothing_counts("SELECT TRY_CAST(coalesce(n, abs(k)) AS integer) AS x FROM raw", &["1:8 > ? int", "1:8 > raw.n int"])]
#[case::beside_an_unknown("SELECT TRY_CAST(coalesce(n, some(k)) AS integer) AS x FROM raw", &["1:8 > raw.n int", "1:8 > ? int"])]
#[case::cut_on_one_way("WITH s AS (SELECT TRY_CAST(n AS smallint) AS m FROM raw UNION ALL SELECT n FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:93 > raw.n int"])]
#[case::cut_on_the_other("WITH s AS (SELECT n AS m FROM raw UNION ALL SELECT TRY_CAST(n AS smallint) FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:93 > raw.n int"])]
#[case::cut_in_one_result("WITH s AS (SELECT coalesce(TRY_CAST(n AS smallint), n) AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:78 > raw.n int"])]
#[case::joined_text("WITH s AS (SELECT array_join(list, ',') AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM s", &["1:63 > ? int"])]
#[case::text_with_others("WITH s AS (SELECT concat_ws('-', 'a', CAST(n AS varchar)) AS m FROM raw) SELECT TRY_CAST(split_part(m, '-', 2) AS integer) AS x FROM s", &["1:81 > ? int"])]
#[case::text_of_a_length("SELECT TRY_CAST(n AS varchar(11)) AS x, TRY_CAST(n AS varchar(20)) AS y, TRY_CAST(n AS varchar(9)) AS z FROM raw", &["1:8 > raw.n varchar(11)"])]
#[case::double_precision("SELECT CAST(n AS double precision) AS x FROM raw", &["1:8 > raw.n double"])]
#[case::unknown_type("SELECT CAST(n AS ipaddress) AS x, CAST(n AS json) AS y FROM raw", &["1:8 > ? ipaddress"])]
#[case::never_held("WITH s AS (SELECT TRY_CAST(n AS smallint) AS m FROM raw) SELECT CAST(m AS integer) AS x FROM s", &[])]
#[case::held("WITH s AS (SELECT CAST(n AS varchar) AS m FROM raw) SELECT CAST(m AS bigint) AS x, CAST(length(m) AS integer) AS y FROM s", &[])]
#[case::other("WITH s AS (SELECT CAST(id AS bigint) AS m, n FROM raw) SELECT CAST(m AS integer) AS x, n FROM s", &[])]
fn a_value_is_followed_behind_a_wider_type(#[case] select: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|text| format!("sql/m.sql:{text}")).collect();
    let columns = |n: &str| format!("id int, b bigint, big array<bigint>, n {n}, k {n}, list array<{n}>");
    assert_eq!(lost(&[("m", select)], &columns("int"), &columns("bigint")), expected);
    assert_eq!(lost(&[("m", select)], &columns("int"), &columns("int")), Vec::<String>::new());
}

#[test]
fn a_value_is_followed_behind_a_wider_type_through_models() {
    let models = [
        ("a", "SELECT CAST(n AS varchar) AS x, CAST(s.k AS varchar) AS f FROM raw"),
        ("b", "SELECT *, 1 AS one FROM a"),
        ("c", "SELECT CAST(x AS integer) AS y, CAST(f AS integer) AS z FROM b"),
    ];
    let columns = |n: &str| format!("n {n}, s struct<k:{n}>");
    assert_eq!(
        lost(&models, &columns("int"), &columns("bigint")),
        ["sql/c.sql:1:8 > raw.n int", "sql/c.sql:1:33 > ? int"]
    );
}

/// What becomes of the column once its type is known no more.
#[rstest]
#[case::cte("WITH t AS (SELECT mod(n, 1000000000000) AS m FROM raw) SELECT TRY_CAST(m AS integer) AS x FROM t", &["1:63 > ? int"])]
#[case::derived("SELECT TRY_CAST(t.m AS integer) AS x FROM (SELECT some(n) AS m FROM raw) AS t", &["1:8 > ? int"])]
#[case::deeper("WITH t AS (SELECT some(n) AS m FROM raw), u AS (SELECT other(m) AS k FROM t) SELECT CAST(k + 1 AS integer) AS x FROM u", &["1:85 > ? int"])]
#[case::values("SELECT (SELECT TRY_CAST(m AS integer) FROM (VALUES (n)) AS v (m)) AS x FROM raw", &["1:16 > ? int"])]
#[case::unnested("SELECT TRY_CAST(v AS integer) AS x FROM raw CROSS JOIN UNNEST(some(n)) AS u (v)", &["1:8 > ? int"])]
#[case::lambda("WITH t AS (SELECT array_agg(n) AS m FROM raw) SELECT transform(m, y -> TRY_CAST(y AS integer)) AS x FROM t", &["1:72 > ? int"])]
#[case::lambda_at_once("SELECT transform(array_agg(n), y -> TRY_CAST(y AS integer)) AS x FROM raw", &["1:37 > ? int"])]
#[case::lambda_in_a_test("WITH t AS (SELECT array_agg(n) AS m FROM raw) SELECT contains(transform(m, y -> TRY_CAST(y AS integer)), 3) AS x FROM t", &["1:81 > ? int"])]
#[case::field("WITH t AS (SELECT some(n) AS m FROM raw) SELECT TRY_CAST(m.k AS integer) AS x FROM t", &["1:49 > ? int"])]
#[case::recursive("WITH RECURSIVE t (m) AS (SELECT 1 AS m UNION ALL SELECT TRY_CAST(m AS integer) + n FROM t CROSS JOIN raw) SELECT m AS x FROM t", &["1:57 > ? int"])]
#[case::twice("WITH t AS (SELECT some(n) AS m FROM raw) SELECT TRY_CAST(m * m AS integer) AS x FROM t", &["1:49 > ? int"])]
#[case::of_another("WITH t AS (SELECT some(id) AS m, some(n) AS k FROM raw) SELECT TRY_CAST(m AS integer) AS x, k FROM t", &[])]
#[case::wide_enough("WITH t AS (SELECT some(n) AS m FROM raw) SELECT TRY_CAST(m AS bigint) AS x FROM t", &[])]
#[case::compared("WITH t AS (SELECT some(n) AS m FROM raw) SELECT CAST(CASE WHEN m > 3 THEN 1 ELSE 0 END AS integer) AS x FROM t", &[])]
#[case::counted("WITH t AS (SELECT some(n) AS m FROM raw) SELECT TRY_CAST(count(m) AS integer) AS x FROM t", &[])]
fn a_cast_of_what_no_type_is_known_of(#[case] select: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|text| format!("sql/m.sql:{text}")).collect();
    assert_eq!(lost(&[("m", select)], "id int, n int", "id int, n bigint"), expected);
    assert_eq!(lost(&[("m", select)], "id int, n int", "id int, n int"), Vec::<String>::new());
}

#[test]
fn what_no_type_is_known_of_is_followed_through_models() {
    let models = [
        ("a", "SELECT some(n) AS x FROM raw"),
        ("b", "SELECT x AS y FROM a"),
        ("c", "SELECT CAST(y AS integer) AS z FROM b"),
    ];
    assert_eq!(lost(&models, "n int", "n bigint"), ["sql/c.sql:1:8 > ? int"]);
    assert_eq!(lost(&models, "n struct<a:int>", "n struct<a:bigint>"), ["sql/c.sql:1:8 > ? int"]);
    assert_eq!(lost(&models, "n int", "n int"), Vec::<String>::new());
}

#[test]
fn a_cast_is_followed_through_models_and_rounds_too() {
    let models = [("a", "SELECT n AS x FROM raw"), ("b", "SELECT CAST(x AS integer) AS y FROM a")];
    assert_eq!(lost(&models, "n int", "n double"), ["sql/b.sql:1:8 > raw.n int"]);
    let inside = [("m", "SELECT TRY_CAST(s.n AS integer) AS x FROM raw")];
    assert_eq!(lost(&inside, "s struct<n:int>", "s struct<n:bigint>"), ["sql/m.sql:1:8 > ? int"]);
    let sum = [("m", "SELECT CAST(sum(n) AS bigint) AS x FROM raw")];
    assert_eq!(lost(&sum, "n int", "n double"), ["sql/m.sql:1:8 > ? bigint"]);
    let time = [("m", "SELECT CAST(n AS date) AS x FROM raw")];
    assert_eq!(lost(&time, "n date", "n timestamp"), ["sql/m.sql:1:8 > raw.n date"]);
}

#[rstest]
#[case::lambda("SELECT transform(list, x -> TRY_CAST(x AS integer)) AS x FROM raw", &["1:29 > ? int"])]
#[case::element("SELECT TRY_CAST(element_at(list, 1) AS integer) AS x FROM raw", &["1:8 > ? int"])]
#[case::whole("SELECT TRY_CAST(transform(list, x -> x + 1) AS array(integer)) AS x FROM raw", &["1:8 > ? array<int>"])]
#[case::unnested("SELECT TRY_CAST(v AS integer) AS x FROM raw CROSS JOIN UNNEST(list) AS u (v)", &["1:8 > ? int"])]
#[case::field("SELECT transform(items, x -> TRY_CAST(x.price * 2 AS integer)) AS x FROM raw", &["1:30 > ? int"])]
#[case::row("SELECT TRY_CAST(ROW(n) AS ROW(a integer)) AS x FROM raw", &["1:8 > ? struct<a:int>"])]
#[case::picked_in_a_cte("WITH t AS (SELECT element_at(list, 1) AS f, array_max(list) AS g, array_min(list) AS h FROM raw) SELECT TRY_CAST(f AS integer) AS f, TRY_CAST(g AS integer) AS g, TRY_CAST(h AS integer) AS h FROM t", &["1:105 > ? int", "1:134 > ? int", "1:163 > ? int"])]
#[case::keys_in_a_cte("WITH t AS (SELECT map_keys(by_key) AS k FROM raw) SELECT CAST(k AS array(integer)) AS x FROM t", &["1:58 > ? array<int>"])]
#[case::mapped_in_a_cte("WITH t AS (SELECT transform(items, x -> x.price) AS p FROM raw) SELECT CAST(p AS array(integer)) AS x FROM t", &["1:72 > ? array<int>"])]
#[case::nested("SELECT transform(lists, x -> transform(x, y -> TRY_CAST(y AS integer))) AS x FROM raw", &["1:48 > ? int"])]
#[case::flattened("SELECT TRY_CAST(element_at(flatten(lists), 1) AS integer) AS y FROM raw", &["1:8 > ? int"])]
#[case::inner_whole("SELECT transform(lists, x -> TRY_CAST(x AS array(integer))) AS x FROM raw", &["1:30 > ? array<int>"])]
#[case::first_parameter("SELECT zip_with(list, lists, (x, y) -> TRY_CAST(x AS integer)) AS x FROM raw", &["1:40 > ? int"])]
#[case::key("SELECT TRY_CAST(map_keys(by_key)[1] AS integer) AS x FROM raw", &["1:8 > ? int"])]
#[case::key_in_a_lambda("SELECT transform_values(by_key, (k, v) -> TRY_CAST(k AS integer)) AS x FROM raw", &["1:43 > ? int"])]
#[case::struct_of_a_list("SELECT TRY_CAST(element_at(items, 1) AS row(price integer)) AS x FROM raw", &["1:8 > ? struct<price:int>"])]
#[case::struct_in_a_lambda("SELECT transform(items, x -> TRY_CAST(x AS row(price integer))) AS x FROM raw", &["1:30 > ? struct<price:int>"])]
#[case::length("SELECT CAST(cardinality(list) AS integer) AS x FROM raw", &[])]
#[case::cast_whole("SELECT CAST(list AS array(integer)) AS x, CAST(list AS array(bigint)) AS y, CAST(list AS json) AS z FROM raw", &["1:8 > ? array<int>"])]
#[case::cast_whole_in_a_cte("WITH s AS (SELECT CAST(list AS array(bigint)) AS l FROM raw) SELECT CAST(l AS array(integer)) AS x, transform(l, v -> CAST(v AS integer)) AS y FROM s", &["1:69 > ? array<int>", "1:119 > ? int"])]
#[case::held("SELECT transform(list, x -> TRY_CAST(x AS bigint)) AS x, transform(items, x -> x.price) AS y FROM raw", &[])]
fn a_cast_inside_a_column_that_no_longer_holds_every_value(#[case] select: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|text| format!("sql/m.sql:{text}")).collect();
    let columns = |wide: &str| {
        let names = [
            ("n", wide.to_owned()),
            ("list", format!("array<{wide}>")),
            ("lists", format!("array<array<{wide}>>")),
            ("by_key", format!("map<{wide},string>")),
            ("items", format!("array<struct<price:{wide}>>")),
        ];
        let columns = names.iter().map(|(name, text)| Column::new(*name, DataType::parse(text))).collect();
        Table { name: "raw".to_owned(), columns, ..Table::default() }
    };
    let (promised, found) = ([columns("int")], [columns("bigint")]);
    let misread = field_problems(&graph(vec![model("m", select)], &promised), &promised, &found, &[], &effect);
    let one = |cast: &OwnCast| {
        let of = if cast.loss == Loss::Uncounted { "?" } else { "!" };
        format!("{}:{} > {of} {}", cast.problem.file, cast.problem.place, cast.data_type)
    };
    assert_eq!((misread.problems, misread.casts.iter().map(one).collect::<Vec<_>>()), (Vec::new(), expected));
}
