//! Models: read, ordered, traced, bound and adapted.

use std::collections::BTreeMap;

use crawlguard::problem::Problems;
use crawlguard::schema::{Column, DataType, Table};
use crawlguard::sql::{
    Addition, Graph, Lineage, Materialization, Model, Substitution, adapt, bind_slot, ident, rename_tables,
};
use proptest::prelude::*;
use rstest::rstest;

fn model(name: &str, text: &str) -> Model {
    Model::parse(&format!("sql/{name}.sql"), text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn carrying(name: &str, select: &str) -> Model {
    model(name, &format!("/* crawlguard\nadditions: carry\n*/\n{select}"))
}

/// `a int, email address string`: the last word is the type.
fn table(name: &str, columns: &str) -> Table {
    let column = |text: &str| {
        let (name, data_type) = text.trim().rsplit_once(' ').expect("a name and a type");
        Column::new(name, DataType::parse(data_type))
    };
    Table { name: name.to_owned(), columns: columns.split(',').map(column).collect(), ..Table::default() }
}

fn graph(models: Vec<Model>, sources: &[Table]) -> Graph {
    let names: Vec<String> = sources.iter().map(|table| table.name.clone()).collect();
    Graph::new(models, &names).unwrap_or_else(|problems| panic!("{problems}"))
}

fn messages<T: std::fmt::Debug>(result: Result<T, Problems>) -> Vec<String> {
    let Problems(problems) = result.expect_err("a problem was expected");
    problems.iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()
}

// --- models -------------------------------------------------------------------------------------------------------

#[test]
fn a_header_says_how_a_model_is_made() {
    let text = "/* crawlguard\nmaterialized: iceberg\npartitioned_by: year, \"month\"\nprimary_key: id\n\
                additions: carry\n*/\nSELECT id, y AS year, m AS month FROM db.Raw_A; -- end\n";
    let model = model("int_a", text);
    assert_eq!(model.name, "int_a");
    assert_eq!(model.materialization, Materialization::Iceberg);
    assert_eq!(model.partitioned_by, ["year", "month"]);
    assert_eq!(model.primary_key, ["id"]);
    assert!(model.carries_additions);
    assert_eq!(model.reads, ["raw_a"]);
    assert_eq!(model.select(), "SELECT id, y AS year, m AS month FROM db.Raw_A");
    assert_eq!(model.text, text);
}

#[test]
fn without_a_header_the_defaults_hold() {
    let model = model("a", "/* crawlguards are not a header */ SELECT 1 AS x");
    assert_eq!(model.materialization, Materialization::Table);
    assert!(!model.carries_additions && model.primary_key.is_empty() && model.partitioned_by.is_empty());
    assert!(model.reads.is_empty());
    assert_eq!(model.select(), "/* crawlguards are not a header */ SELECT 1 AS x");
}

#[rstest]
#[case("/* crawlguard\nmaterialised: table\nadditions: yes\n*/\nSELECT 1 AS a",
    &["line 2: unknown key `materialised`", "line 3: `additions` is `yes`"])]
#[case("/* crawlguard\nprimary_key: a,,b\nprimary_key a\n*/\nSELECT 1 AS a",
    &["line 2: `primary_key` has an empty name", "line 3: `primary_key a` is not `key: value`"])]
#[case("/* crawlguard\nadditions: no\n*/\nSELECT a FROM", &["4:10: expected table name or subquery, got From", "line 2: `additions` is `no`"])]
#[case("SELECT 1 AS a;\nSELECT 2 AS b", &["2:1: a second statement"])]
#[case("DELETE FROM x", &["1:1: not a SELECT"])]
#[case("CREATE TABLE x AS SELECT 1 AS a", &["1:1: not a SELECT"])]
#[case("-- nothing\n", &[": no statement"])]
#[case("SELECT a, lower(b) FROM x", &["1:11: an output column has no name"])]
#[case("SELECT a, b AS A FROM x", &["1:11: two output columns are named `a`"])]
#[case("SELECT a,\n  FROM x", &["2:3: nothing between two commas of the select list"])]
#[case("SELECT uuid() AS a, current_time AS b FROM x",
    &["1:21: `current_time` gives other rows at each run", "1:8: `uuid` gives other rows at each run"])]
#[case("SELECT a FROM cat.db.x", &["1:15: a table name with a catalog"])]
#[case("/* crawlguard\npartitioned_by: d\n*/\nSELECT d, a FROM x",
    &["4:1: the last output columns are not `partitioned_by: d`"])]
#[case("/* crawlguard\nprimary_key: id\n*/\nSELECT a FROM x", &["4:1: primary_key `id` is no output column"])]
fn what_is_wrong_with_a_model_is_said_with_its_place(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(messages(Model::parse("sql/m.sql", text)), expected);
}

#[rstest]
#[case("WITH a AS (SELECT * FROM t1), b AS (SELECT * FROM a JOIN t2 ON true) SELECT * FROM b", &["t1", "t2"])]
#[case("SELECT x FROM T1 AS a, (SELECT y FROM t3) AS b WHERE x IN (SELECT z FROM t2)", &["t1", "t2", "t3"])]
#[case("SELECT x FROM t1 CROSS JOIN UNNEST(ARRAY[1, 2]) AS u (x)", &["t1"])]
#[case("WITH t1 AS (SELECT * FROM t1) SELECT * FROM t1", &["t1"])]
#[case("WITH a AS (SELECT 1 AS x) SELECT x FROM db.a", &["a"])]
#[case("SELECT x FROM t1 UNION ALL (SELECT x FROM t2) ORDER BY x", &["t1", "t2"])]
#[case("SELECT extract(year FROM d) AS x, a IS DISTINCT FROM b AS y FROM t1", &["t1"])]
#[case("SELECT 'FROM t9' AS \"from t8\" /* FROM t7 */ FROM (t1 JOIN t2 USING (id))", &["t1", "t2"])]
#[case(r"SELECT replace(a, '\', '/') AS x FROM t1", &["t1"])]
#[case("SELECT \"\"\"a\"\"\" AS x FROM \"\"\"t\"", &["\"t"])]
fn the_tables_that_a_model_reads(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(model("m", text).reads, expected);
}

// --- graph --------------------------------------------------------------------------------------------------------

#[test]
fn models_come_after_what_they_read() {
    let models = vec![
        model("fact", "SELECT a FROM int_b JOIN int_a USING (a)"),
        model("int_b", "SELECT a FROM raw"),
        model("int_a", "SELECT a FROM raw"),
        model("top", "SELECT a FROM fact"),
    ];
    let graph = graph(models, &[table("raw", "a int")]);
    assert_eq!(graph.order, ["int_a", "int_b", "fact", "top"]);
    assert_eq!(graph.upstream("fact"), ["int_a", "int_b"]);
    assert_eq!(graph.downstream("int_a"), ["fact", "top"]);
    assert_eq!(graph.downstream("raw"), ["int_a", "int_b", "fact", "top"]);
    assert!(graph.upstream("int_a").is_empty() && graph.downstream("top").is_empty());
}

#[test]
fn every_fault_of_a_graph_is_found_at_once() {
    let models = vec![
        model("a", "SELECT x FROM c"),
        model("b", "SELECT x FROM a"),
        model("c", "SELECT x FROM b"),
        model("reads_a", "SELECT x FROM a"),
        model("d", "SELECT x\nFROM raw_sorce"),
        model("d", "SELECT x FROM raw_source"),
        model("e", "SELECT x FROM elsewhere"),
        model("self", "SELECT x FROM self"),
    ];
    let Problems(problems) = Graph::new(models, &["raw_source".to_owned()]).expect_err("faults");
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "sql/a.sql: models read each other in a circle: a → c → b → a\n  help: take one of the reads out",
            "sql/d.sql: a second model named `d`, beside sql/d.sql\n  help: rename or remove one of the two",
            "sql/d.sql:2:6: unknown table `raw_sorce`\n  help: did you mean `raw_source`?",
            "sql/e.sql:1:15: unknown table `elsewhere`\n  help: add a model or a contract for it",
            "sql/self.sql: models read each other in a circle: self → self\n  help: take one of the reads out",
        ]
    );
}

// --- lineage ------------------------------------------------------------------------------------------------------

const RAW: &str = "id int, a string, b string, c string, email address string, \"q string, list array<string>";

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
#[case::quotes("SELECT \"\"\"q\" AS x, a AS y FROM raw", "\"q", "m: x")]
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
                count(*) OVER () AS n, coalesce(price, price) AS p, id + 1 AS unknown, CAST(id AS varchar) AS v FROM raw";
    let lineage = Lineage::trace(&graph(vec![model("m", text)], &sources), &sources).expect("it resolves");
    let output = lineage.output("m");
    let shown: Vec<String> =
        output.iter().map(|(name, data_type)| format!("{name} {}", data_type.as_deref().unwrap_or("?"))).collect();
    assert_eq!(shown, ["id int", "b string", "c decimal(10,2)", "d date", "n ?", "p double", "unknown ?", "v string"]);
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
fn what_does_not_resolve_is_said_with_its_place(#[case] text: &str, #[case] expected: &[&str]) {
    let sources = [table("raw", RAW), table("other", "id int, o string")];
    assert_eq!(messages(Lineage::trace(&graph(vec![model("m", text)], &sources), &sources)), expected);
}

// --- slot ---------------------------------------------------------------------------------------------------------

#[rstest]
#[case("SELECT current_date AS d", "SELECT DATE '2026-01-02' AS d")]
#[case("SELECT CURRENT_TIMESTAMP AS t", "SELECT TIMESTAMP '2026-01-02 03:04:05.000 UTC' AS t")]
#[case(
    "SELECT current_timestamp(3) t, now() n",
    "SELECT TIMESTAMP '2026-01-02 03:04:05.000 UTC' t, TIMESTAMP '2026-01-02 03:04:05.000 UTC' n"
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

// --- adaptation ---------------------------------------------------------------------------------------------------

fn addition(column: &str, data_type: &str) -> Addition {
    Addition { table: "raw".to_owned(), column: column.to_owned(), data_type: DataType::parse(data_type) }
}

fn with(additions: &[Addition]) -> Vec<Table> {
    let mut raw = table("raw", RAW);
    raw.columns.extend(additions.iter().map(|added| Column::new(&added.column, added.data_type.clone())));
    vec![raw, table("other", "id int, o string")]
}

/// The adapted SELECT of one model, or why its addition was not carried.
fn adapted(select: &str, additions: &[Addition]) -> String {
    let sources = with(additions);
    let graph = graph(vec![carrying("m", select)], &sources);
    let adaptation = adapt(&graph, &sources, additions, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    match (adaptation.models.as_slice(), adaptation.not_carried.as_slice()) {
        ([model], []) => model.select().to_owned(),
        ([], []) => "unchanged".to_owned(),
        ([], [not, ..]) => format!("not carried: {}", not.reason),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::text("SELECT a FROM raw", "SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw")]
#[case::lines(
    "SELECT\n    a,\n    b AS x -- last\nFROM raw",
    "SELECT\n    a,\n    b AS x,\n    nullif(trim(\"new col\"), '') AS new_col -- last\nFROM raw"
)]
#[case::comma_first(
    "SELECT\n    a\n  , b\nFROM raw",
    "SELECT\n    a\n  , b\n  , nullif(trim(\"new col\"), '') AS new_col\nFROM raw"
)]
#[case::crlf(
    "SELECT\r\n  a,\r\n  b\r\nFROM raw",
    "SELECT\r\n  a,\r\n  b,\r\n  nullif(trim(\"new col\"), '') AS new_col\r\nFROM raw"
)]
#[case::cte(
    "WITH s AS (SELECT a FROM raw WHERE b > ''), t AS (SELECT lower(a) AS x FROM s) SELECT x FROM t",
    "WITH s AS (SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw WHERE b > ''), t AS (SELECT lower(a) AS x, new_col FROM s) SELECT x, new_col FROM t"
)]
#[case::inner_star(
    "WITH s AS (SELECT * FROM raw) SELECT a FROM s",
    "WITH s AS (SELECT * FROM raw) SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM s"
)]
#[case::outer_star(
    "WITH s AS (SELECT a FROM raw) SELECT * FROM s",
    "WITH s AS (SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw) SELECT * FROM s"
)]
#[case::join(
    "SELECT r.a, o.o FROM raw AS r LEFT JOIN other AS o ON o.id = r.id",
    "SELECT r.a, o.o, nullif(trim(r.\"new col\"), '') AS new_col FROM raw AS r LEFT JOIN other AS o ON o.id = r.id"
)]
#[case::other_star(
    "SELECT r.a, o.* FROM raw AS r, other AS o",
    "SELECT r.a, o.*, nullif(trim(r.\"new col\"), '') AS new_col FROM raw AS r, other AS o"
)]
#[case::derived(
    "SELECT t.a FROM (SELECT a FROM raw) AS t ORDER BY t.a",
    "SELECT t.a, new_col FROM (SELECT a, nullif(trim(\"new col\"), '') AS new_col FROM raw) AS t ORDER BY t.a"
)]
#[case::window(
    "SELECT a, row_number() OVER (ORDER BY b) AS n, max(b) OVER () AS x FROM raw",
    "SELECT a, row_number() OVER (ORDER BY b) AS n, max(b) OVER () AS x, nullif(trim(\"new col\"), '') AS new_col FROM raw"
)]
#[case::dead_end(
    "WITH n AS (SELECT count(*) AS n FROM raw) SELECT a, n FROM raw CROSS JOIN n",
    "WITH n AS (SELECT count(*) AS n FROM raw) SELECT a, n, nullif(trim(raw.\"new col\"), '') AS new_col FROM raw CROSS JOIN n"
)]
#[case::star("SELECT * FROM raw", "unchanged")]
#[case::distinct("SELECT DISTINCT a FROM raw", "not carried: DISTINCT would keep more rows")]
#[case::group("SELECT a, count(*) AS n FROM raw GROUP BY a", "not carried: GROUP BY makes one row of many")]
#[case::aggregate("SELECT count(*) AS n FROM raw", "not carried: an aggregate makes one row of many")]
#[case::filtered(
    "SELECT sum(id) FILTER (WHERE a > '') AS n FROM raw",
    "not carried: an aggregate makes one row of many"
)]
#[case::inner_group(
    "WITH s AS (SELECT a FROM raw GROUP BY a) SELECT a FROM s",
    "not carried: GROUP BY makes one row of many"
)]
#[case::union(
    "SELECT a FROM raw UNION ALL SELECT o FROM other",
    "not carried: a set operation (UNION, INTERSECT or EXCEPT) needs the same columns on both sides"
)]
#[case::limit("SELECT a FROM raw ORDER BY a LIMIT 3", "not carried: LIMIT keeps some rows only")]
#[case::twice(
    "SELECT x.a FROM raw AS x JOIN raw AS y ON x.id = y.id",
    "not carried: the model reads the table in more than one place"
)]
#[case::expression(
    "SELECT o FROM other WHERE id IN (SELECT id FROM raw)",
    "not carried: only a subquery inside an expression reads the table"
)]
#[case::listed("WITH s (x) AS (SELECT a FROM raw) SELECT x FROM s", "not carried: the CTE lists its columns")]
fn an_added_text_column(#[case] select: &str, #[case] expected: &str) {
    assert_eq!(adapted(select, &[addition("new col", "string")]), expected);
}

#[test]
fn other_types_are_carried_as_they_are() {
    let additions = [addition("rating", "int"), addition("9 Lives!", "double"), addition("order", "array<string>")];
    let expected = "SELECT a, rating, \"9 lives!\" AS _9_lives, \"order\" FROM raw";
    assert_eq!(adapted("SELECT a FROM raw", &additions), expected);
}

#[test]
fn partition_columns_stay_last() {
    let text = "/* crawlguard\nadditions: carry\npartitioned_by: d\n*/\nSELECT a, b AS d FROM raw";
    let additions = [addition("n", "int")];
    let sources = with(&additions);
    let adaptation = adapt(&graph(vec![model("m", text)], &sources), &sources, &additions, &[]).expect("it carries");
    assert_eq!(adaptation.models[0].text, text.replace("SELECT a,", "SELECT a, n,"));
}

#[test]
fn an_addition_goes_on_to_the_models_that_opted_in() {
    let models = vec![
        carrying("int_m", "SELECT a FROM raw"),
        carrying("fact", "SELECT a FROM int_m"),
        model("closed", "SELECT a FROM int_m"),
        carrying("behind", "SELECT a FROM closed"),
        carrying("summed", "SELECT count(*) AS n FROM int_m"),
        model("star", "SELECT * FROM raw"),
        carrying("of_star", "SELECT a FROM star"),
    ];
    let additions = [addition("New", "string")];
    let sources = with(&additions);
    let adaptation = adapt(&graph(models, &sources), &sources, &additions, &[]).expect("it carries");
    let texts: BTreeMap<&str, &str> =
        adaptation.models.iter().map(|model| (model.name.as_str(), model.select())).collect();
    assert_eq!(
        texts,
        BTreeMap::from([
            ("int_m", "SELECT a, nullif(trim(new), '') AS new FROM raw"),
            ("fact", "SELECT a, new FROM int_m"),
            ("of_star", "SELECT a, nullif(trim(new), '') AS new FROM star"),
        ])
    );
    let not: Vec<&str> = adaptation.not_carried.iter().map(|not| not.model.as_str()).collect();
    assert_eq!(not, ["summed"]);
}

#[rstest]
#[case::collision("SELECT a, b AS new_col FROM raw", "new col", "1: an added column would be named `new_col`")]
#[case::inner_collision(
    "WITH s AS (SELECT a, b AS new_col FROM raw) SELECT a FROM s",
    "new col",
    "an added column would be named `new_col`"
)]
#[case::distinct_star("SELECT DISTINCT * FROM raw", "new col", "a new column would decide which rows the model has")]
#[case::union_star(
    "SELECT * FROM raw UNION ALL SELECT id, a, b, c, a, a, list FROM raw",
    "new col",
    "a set operation of 8 and 7 columns"
)]
#[case::ambiguous(
    "WITH s AS (SELECT id FROM raw) SELECT s.id FROM s JOIN other AS t ON t.id = s.id WHERE o > ''",
    "o",
    "ambiguous column `o`"
)]
#[case::captured(
    "WITH s AS (SELECT id FROM raw) SELECT id FROM other AS t WHERE o IN (SELECT o FROM s) UNION SELECT id FROM s",
    "zz",
    ""
)]
#[case::no_name("SELECT a FROM raw", "!!", "has no letter or digit to make a name of")]
fn what_cannot_be_proven_is_a_problem(#[case] select: &str, #[case] column: &str, #[case] expected: &str) {
    let additions = [addition(column, "string")];
    let sources = with(&additions);
    let result = adapt(&graph(vec![carrying("m", select)], &sources), &sources, &additions, &[]);
    match expected {
        "" => assert_eq!(result.expect("it is proven").models, []),
        _ => assert!(messages(result).join("\n").contains(expected)),
    }
}

#[test]
fn two_additions_of_one_name_collide() {
    let additions = [addition("new col", "string"), addition("new-col", "string")];
    let sources = with(&additions);
    let result = adapt(&graph(vec![carrying("m", "SELECT a FROM raw")], &sources), &sources, &additions, &[]);
    assert!(messages(result)[0].contains("would be named `new_col`"));
}

/// `raw` has lost c, and its id has become a string.
fn substituted(select: &str) -> Result<String, Problems> {
    let sources = [table("raw", "id string, a string, b string"), table("other", "id int, o string")];
    let changes = [
        Substitution::TypedNull { table: "raw".into(), column: "c".into(), data_type: DataType::String },
        Substitution::TryCast { table: "raw".into(), column: "id".into(), data_type: DataType::Int },
    ];
    let adaptation = adapt(&graph(vec![model("m", select)], &sources), &sources, &[], &changes)?;
    Ok(adaptation.models.first().map_or_else(|| "unchanged".to_owned(), |model| model.select().to_owned()))
}

#[rstest]
#[case("SELECT id, c FROM raw", "SELECT TRY_CAST(id AS integer) AS id, CAST(NULL AS varchar) AS c FROM raw")]
#[case(
    "SELECT r.id AS i, lower(r.\"C\") AS x FROM raw AS r",
    "SELECT TRY_CAST(r.id AS integer) AS i, lower(CAST(NULL AS varchar)) AS x FROM raw AS r"
)]
#[case(
    "WITH s AS (SELECT id, a FROM raw WHERE c > '') SELECT id, a FROM s",
    "WITH s AS (SELECT TRY_CAST(id AS integer) AS id, a FROM raw WHERE CAST(NULL AS varchar) > '') SELECT id, a FROM s"
)]
#[case(
    "SELECT o FROM other WHERE id IN (SELECT id FROM raw)",
    "SELECT o FROM other WHERE id IN (SELECT TRY_CAST(id AS integer) AS id FROM raw)"
)]
#[case(
    "SELECT a, transform(ARRAY[c], id -> id) AS x FROM raw",
    "SELECT a, transform(ARRAY[CAST(NULL AS varchar)], id -> id) AS x FROM raw"
)]
#[case("SELECT id, o FROM other", "unchanged")]
fn tolerated_changes_are_written_where_the_column_is_named(#[case] select: &str, #[case] expected: &str) {
    let adapted = substituted(select).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        adapted.replace("SELECT TRY_CAST(id AS integer) FROM", "SELECT TRY_CAST(id AS integer) AS id FROM"),
        expected
    );
}

#[rstest]
#[case("SELECT * FROM raw")]
#[case("SELECT a, o FROM raw JOIN other USING (id)")]
fn a_changed_column_taken_unnamed_is_a_problem(#[case] select: &str) {
    assert!(messages(substituted(select))[0].contains("of raw changed and is taken unnamed here"));
}

// --- properties ---------------------------------------------------------------------------------------------------

fn select() -> impl Strategy<Value = String> {
    let item =
        prop::sample::select(vec!["a", "lower(b) AS x", "ARRAY[a, c][1] AS y", "\"email address\"", "'é, ''q''' AS z"]);
    let gap = prop::sample::select(vec![", ", ",\n    ", " , /* , */ ", ",\r\n\t", "\n  , "]);
    let from = prop::sample::select(vec![
        "FROM raw",
        "FROM raw AS r WHERE r.a > 'FROM'",
        "FROM (SELECT a, b, c, \"email address\" FROM raw) AS t -- é",
        "FROM raw CROSS JOIN other ORDER BY 1",
    ]);
    (prop::collection::btree_set(item, 1..5), gap, from)
        .prop_map(|(items, gap, from)| format!("SELECT {} {from}", Vec::from_iter(items).join(gap)))
}

proptest! {
    #[test]
    fn nothing_added_changes_nothing(select in select()) {
        let sources = with(&[]);
        let adaptation = adapt(&graph(vec![carrying("m", &select)], &sources), &sources, &[], &[]);
        prop_assert_eq!(adaptation, Ok(Default::default()));
    }

    /// The original text is left when the insertions, found by a diff of bytes, are taken out.
    #[test]
    fn an_adaptation_only_inserts(select in select(), column in "[a-z]{3,8}[ -~é]{0,6}") {
        let additions = [addition(&column, "string")];
        let sources = with(&additions);
        let model = carrying("m", &select);
        let original = model.text.clone();
        let adaptation = adapt(&graph(vec![model], &sources), &sources, &additions, &[]).expect("it carries");
        let text = &adaptation.models[0].text;
        prop_assert!(text.len() > original.len());
        let mut wanted = original.bytes().peekable();
        for byte in text.bytes() {
            wanted.next_if_eq(&byte);
        }
        prop_assert_eq!(wanted.next(), None);
    }

    #[test]
    fn any_identifier_survives_quoting(name in "[^\0]{1,12}") {
        let text = format!("SELECT a AS {} FROM raw", ident::quote(&name));
        let sources = with(&[]);
        let lineage = Lineage::trace(&graph(vec![model("m", &text)], &sources), &sources).expect("it resolves");
        prop_assert_eq!(&lineage.output("m")[0].0, &name.to_lowercase());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(SELECT|WITH|FROM|[ a-z(),.*'\"\\[\\]>-]|é|AS|UNION|JOIN|CASE|OVER|UNNEST|ORDER BY|\n){0,30}") {
        let _ = Model::parse("sql/m.sql", &text);
        let _ = bind_slot(&text, "2026-01-02T03:04:05Z");
    }
}
