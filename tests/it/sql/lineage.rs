//! Which output columns come from which raw columns.

use super::*;

/// `m: x y; n: z` for who reads raw.column.
fn readers(models: &[(&str, &str)], column: &str) -> String {
    let sources = [table("raw", RAW), table("other", "id int, o string")];
    let models = models.iter().map(|(name, text)| model(name, text)).collect();
    let lineage = Lineage::trace(&graph(models, &sources), &sources).unwrap_or_else(|problems| panic!("{problems}"));
    let readers = lineage.readers("raw", column);
    readers
        .iter()
        .map(|reader| format!("{}: {}", reader.model, reader.columns.join(" ")))
        .collect::<Vec<_>>()
        .join("; ")
}

#[rstest]
#[case::plain("SELECT a AS x, b AS y FROM raw", "a", "m: x")]
#[case::not_read("SELECT a AS x, b AS y FROM raw", "c", "")]
#[case::typed_literal("SELECT a AS x, BIGINT '4' + id AS y FROM raw", "id", "m: y")]
#[case::spaces("SELECT \"email address\" AS x, b AS y FROM raw", "email address", "m: x")]
#[case::case("SELECT A AS x, \"B\" AS y FROM raw", "b", "m: y")]
#[case::where_("SELECT a AS x, b AS y FROM raw WHERE c > ''", "c", "m: x y")]
#[case::group("SELECT a AS x, count(*) AS n FROM raw GROUP BY a", "a", "m: x n")]
#[case::having("SELECT a AS x, count(*) AS n FROM raw GROUP BY a HAVING max(c) > ''", "c", "m: x n")]
#[case::order("SELECT a AS x, b AS y FROM raw ORDER BY c LIMIT 1", "c", "m: x y")]
#[case::window("SELECT a AS x, row_number() OVER (PARTITION BY b ORDER BY c DESC) AS n FROM raw", "c", "m: n")]
#[case::join("SELECT r.a AS x, o.o AS y FROM raw AS r JOIN other AS o ON o.id = r.id", "id", "m: x y")]
#[case::using("SELECT a AS x, o AS y FROM raw JOIN other USING (id)", "id", "m: x y")]
#[case::distinct("SELECT DISTINCT a AS x, b AS y FROM raw", "b", "m: x y")]
#[case::star("SELECT * FROM raw", "email address", "m: email address")]
#[case::qualified_star("SELECT r.*, o.o FROM raw AS r, other AS o WHERE r.id = o.id", "c", "m: c")]
#[case::cte(
    "WITH s AS (SELECT a, b AS bb FROM raw), t AS (SELECT a, bb FROM s) SELECT a AS x, bb AS y FROM t",
    "b",
    "m: y"
)]
#[case::cte_columns("WITH s (p, q) AS (SELECT a, b FROM raw) SELECT q AS x, p AS y FROM s", "b", "m: x")]
#[case::cte_star("WITH s AS (SELECT * FROM raw) SELECT a AS x, b AS y FROM s", "b", "m: y")]
#[case::derived("SELECT t.q AS x, 1 AS y FROM (SELECT b AS q FROM raw) AS t", "b", "m: x")]
#[case::array(
    "WITH s AS (SELECT id, ARRAY[a, b, c] AS cells FROM raw) SELECT id AS i, element_at(cells, 2) AS x FROM s",
    "c",
    "m: x"
)]
#[case::subscript("SELECT id AS i, ARRAY[a, b][1] AS x FROM raw", "b", "m: x")]
#[case::lambda("SELECT id AS i, transform(list, a -> a || b) AS x FROM raw", "b", "m: x")]
#[case::lambda_shadows("SELECT a AS i, transform(list, a -> lower(a)) AS x FROM raw", "a", "m: i")]
#[case::lambda_two("SELECT c AS i, reduce(list, '', (s, v) -> s || v || a, s -> s) AS x FROM raw", "a", "m: x")]
#[case::unnest(
    "SELECT r.id AS i, u.v AS x FROM raw AS r CROSS JOIN UNNEST(r.list) WITH ORDINALITY AS u (v, n)",
    "list",
    "m: i x"
)]
#[case::unnest_array("SELECT r.id AS i, v AS x FROM raw AS r CROSS JOIN UNNEST(ARRAY[a, b]) AS u (v)", "b", "m: x")]
#[case::subquery("SELECT o AS x, (SELECT max(a) FROM raw) AS y FROM other", "a", "m: y")]
#[case::correlated(
    "SELECT o AS x FROM other WHERE EXISTS (SELECT 1 FROM raw WHERE raw.id = other.id AND b = o)",
    "b",
    "m: x"
)]
#[case::union("SELECT a AS x, b AS y FROM raw UNION ALL SELECT c, o FROM raw JOIN other ON true", "c", "m: x")]
#[case::except("SELECT a AS x, b AS y FROM raw EXCEPT SELECT o, o FROM other", "a", "m: x y")]
#[case::intersect("SELECT o AS x, o AS y FROM other INTERSECT SELECT b, c FROM raw", "c", "m: x y")]
#[case::exists_star("SELECT o AS x FROM other WHERE EXISTS (SELECT * FROM raw)", "a", "")]
#[case::field_of_an_alias(
    "SELECT t.b AS x FROM (SELECT CAST(ROW(b) AS ROW(b varchar)) AS t FROM raw) AS t",
    "b",
    "m: x"
)]
#[case::using_without_origin(
    "SELECT x FROM (SELECT a AS x, 1 AS k FROM raw) AS s JOIN (SELECT 1 AS k) AS t USING (k)",
    "a",
    "m: x"
)]
#[case::quotes("SELECT \"\"\"q\" AS x, a AS y FROM raw", "\"q", "m: x")]
#[case::recursive(
    "WITH RECURSIVE n (i, t) AS (SELECT id, a FROM raw UNION ALL SELECT i + 1, b FROM n JOIN raw ON id = i) SELECT i AS x, t AS y FROM n",
    "b",
    "m: y"
)]
#[case::within_group("SELECT a AS x, listagg(b, ',') WITHIN GROUP (ORDER BY c) AS y FROM raw GROUP BY a", "c", "m: y")]
#[case::lateral("SELECT r.id AS i, l.bb AS x FROM raw AS r CROSS JOIN LATERAL (SELECT r.b AS bb) AS l", "b", "m: x")]
#[case::named_window("SELECT id AS i, lag(a) OVER w AS x FROM raw WINDOW w AS (ORDER BY c)", "c", "m: i x")]
#[case::values("SELECT v.y AS x FROM (VALUES (1, 'a')) AS v (i, y) JOIN raw ON raw.id = v.i", "id", "m: x")]
#[case::case_when("SELECT CASE WHEN a = '' THEN b ELSE c END AS x, id AS y FROM raw", "c", "m: x")]
#[case::filter("SELECT count(*) FILTER (WHERE a <> '') AS n, max(b) AS y FROM raw", "a", "m: n")]
#[case::keywords("SELECT extract(year FROM CAST(a AS date)) AS x, DATE '2024-01-01' AS d FROM raw", "a", "m: x")]
#[case::named_and_dropped("WITH s AS (SELECT a, c FROM raw) SELECT a AS x FROM s", "c", "m: x")]
fn lineage_of_one_model(#[case] text: &str, #[case] column: &str, #[case] expected: &str) {
    assert_eq!(readers(&[("m", text)], column), expected);
}

#[rstest]
#[case("a", "int_m: x; fact: p n")]
#[case("b", "int_m: y; fact: q")]
#[case("id", "int_m: x y z; rows: n; fact: p q n")]
#[case("c", "int_m: z")]
fn lineage_through_models(#[case] column: &str, #[case] expected: &str) {
    let models = [
        ("int_m", "SELECT a AS x, b AS y, c AS z FROM raw WHERE id > 0"),
        ("fact", "SELECT x AS p, y AS q, n FROM int_m CROSS JOIN (SELECT count(x) AS n FROM int_m) AS t"),
        ("rows", "SELECT count(*) AS n FROM int_m"),
    ];
    let sorted = |text: &str| {
        let mut parts: Vec<String> = text.split("; ").map(str::to_owned).collect();
        parts.sort();
        parts
    };
    assert_eq!(sorted(&readers(&models, column)), sorted(expected));
}

#[test]
fn outputs_have_the_types_that_are_certain() {
    let sources = [table("raw", "id int, a string, when timestamp, price double")];
    let text = "SELECT id, nullif(trim(a), '') AS b, TRY_CAST(a AS decimal(10, 2)) AS c, date(\"when\") AS d, \
                count(*) OVER () AS n, coalesce(price, price) AS p, some_function(id) AS unknown, CAST(id AS varchar) AS v, \
                CAST(a AS decimal) AS w FROM raw";
    let lineage = Lineage::trace(&graph(vec![model("m", text)], &sources), &sources).expect("it resolves");
    let output = lineage.output("m");
    let shown: Vec<String> =
        output.iter().map(|(name, data_type)| format!("{name} {}", data_type.as_deref().unwrap_or("?"))).collect();
    assert_eq!(
        shown,
        [
            "id int",
            "b string",
            "c decimal(10,2)",
            "d date",
            "n bigint",
            "p double",
            "unknown ?",
            "v string",
            "w decimal(38,0)"
        ]
    );
}

/// What Trino 476 answers.
#[rstest]
#[case("SELECT * FROM p JOIN q USING (j, k)", "j k x y z")]
#[case("SELECT * FROM p JOIN q USING (k) JOIN r USING (w)", "")]
#[case("SELECT * FROM p JOIN q USING (k, j) JOIN r USING (j)", "j k x y z w")]
#[case("SELECT p.*, q.* FROM p JOIN q USING (k, j)", "x y z")]
#[case("SELECT * FROM r, p JOIN q USING (k, j)", "")]
#[case("SELECT * FROM p JOIN (q JOIN r USING (j)) USING (k, j)", "k j x y z w")]
#[case("SELECT k AS a, w AS b FROM p JOIN q USING (k, j) CROSS JOIN UNNEST(ARRAY[k]) AS u (w)", "a b")]
fn a_star_gives_shared_columns_first(#[case] text: &str, #[case] expected: &str) {
    let sources =
        [table("p", "x int, k int, j int"), table("q", "y int, k int, z int, j int"), table("r", "w int, j int")];
    let lineage = Lineage::trace(&graph(vec![model("m", text)], &sources), &sources);
    let names = |lineage: Lineage| lineage.output("m").into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ");
    assert_eq!(lineage.map(names).unwrap_or_default(), expected);
}

#[rstest]
#[case("SELECT a, nme FROM raw", &["1:11: unknown column `nme`"])]
#[case("WITH s AS (\n  SELECT a FROM raw\n)\nSELECT a,\n  b FROM s", &["5:3: unknown column `b`"])]
#[case("SELECT id FROM raw JOIN other ON raw.id = other.id", &["1:8: ambiguous column `id`"])]
#[case("SELECT r.o AS x FROM raw AS r, other AS o", &["1:8: unknown column `o`"])]
#[case("SELECT z.* FROM raw", &["1:8: `z.*` names no relation of this FROM"])]
#[case("SELECT a, b FROM raw UNION ALL SELECT a FROM raw", &["1:46: a set operation of 2 and 1 columns"])]
#[case("SELECT list, lower(x), transform(list, v -> v || w) AS y FROM raw".replace("lower(x)", "lower(x) AS x").leak(),
    &["1:20: unknown column `x`", "1:55: unknown column `w`"])]
#[case("SELECT t.x AS x FROM (SELECT a AS x, b AS x FROM raw) AS t", &["1:8: ambiguous column `x`"])]
#[case("SELECT raw.id AS x FROM raw JOIN other USING (id)", &["1:8: `raw.id`: the USING made one column of `id`, which belongs to no relation"])]
#[case("SELECT raw.ix AS x FROM raw JOIN other USING (id)", &["1:8: unknown column `ix`"])]
#[case("SELECT a FROM raw JOIN other USING (o)", &["1:37: unknown column `o`"])]
#[case("SELECT x FROM (SELECT a, b FROM raw) AS t (x)", &["1:15: an alias lists 1 columns of 2"])]
#[case("WITH t (x, y) AS (SELECT a FROM raw) SELECT x FROM t", &["1:6: an alias lists 2 columns of 1"])]
#[case("SELECT o FROM other NATURAL JOIN raw", &["1:21: `natural` in FROM is not understood"])]
#[case("SELECT a FROM raw FOR TIMESTAMP AS OF now()", &["1:19: `for` in FROM is not understood"])]
#[case("SELECT * FROM TABLE(sequence(1, 3))", &["1:15: `table` in FROM is not understood"])]
#[case("SELECT id FROM raw MATCH_RECOGNIZE (PARTITION BY a MEASURES A.id AS x PATTERN (A) DEFINE A AS A.id > 1)", &["1:20: `match_recognize` in FROM is not understood"])]
fn what_does_not_resolve_is_said_with_its_place(#[case] text: &str, #[case] expected: &[&str]) {
    let sources = [table("raw", RAW), table("other", "id int, o string")];
    assert_eq!(messages(Lineage::trace(&graph(vec![model("m", text)], &sources), &sources)), expected);
}

#[test]
fn a_place_in_a_group_by_is_the_column_that_stands_there() {
    let sources = [table("raw", "id int, city string, day date")];
    let models = vec![
        model(
            "m",
            "SELECT city, day, count(*) AS n, round(avg(id), 1) AS r FROM raw GROUP BY 1, day ORDER BY 3 DESC, 1",
        ),
        model("fact", "SELECT sum(n) AS s FROM m"),
    ];
    let lineage = Lineage::trace(&graph(models, &sources), &sources).expect("it resolves");
    let reached = |column: &str| {
        lineage
            .readers("raw", column)
            .into_iter()
            .map(|reader| (reader.model, reader.columns.join(",")))
            .collect::<Vec<_>>()
    };
    let everything = [("m".to_owned(), "city,day,n,r".to_owned()), ("fact".to_owned(), "s".to_owned())];
    assert_eq!(reached("city"), everything);
    assert_eq!(reached("day"), everything);
    assert_eq!(reached("id"), [("m".to_owned(), "r".to_owned())]);
}

#[rstest]
#[case::group("SELECT id, a FROM raw GROUP BY 1, 3", "1:35: no output column has the place 3")]
#[case::zero("SELECT id FROM raw ORDER BY 0", "1:29: no output column has the place 0")]
#[case::union("SELECT id FROM raw UNION ALL SELECT id FROM raw ORDER BY 2", "1:58: no output column has the place 2")]
fn a_place_beyond_the_columns_is_a_problem(#[case] text: &str, #[case] expected: &str) {
    let sources = [table("raw", RAW)];
    assert_eq!(messages(Lineage::trace(&graph(vec![model("m", text)], &sources), &sources)), [expected]);
}

#[test]
fn types_of_several_greatest_and_of_both_sides_are_certain() {
    let sources = [table("raw", "id int, n bigint, a string")];
    for (text, expected) in [
        ("SELECT max(id, 2) AS x FROM raw", Some("array<int>")),
        ("SELECT max(id) AS x FROM raw", Some("int")),
        ("SELECT id AS x FROM raw UNION ALL SELECT n FROM raw", Some("bigint")),
        ("SELECT id AS x FROM raw UNION ALL SELECT NULL FROM raw", None),
        ("SELECT coalesce(id, n) AS x FROM raw", Some("bigint")),
    ] {
        let lineage = Lineage::trace(&graph(vec![model("m", text)], &sources), &sources).expect("it resolves");
        assert_eq!(lineage.output("m"), [("x".to_owned(), expected.map(str::to_owned))], "{text}");
    }
}
