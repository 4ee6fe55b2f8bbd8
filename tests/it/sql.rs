//! Models: read, ordered, traced, bound and adapted.

use std::collections::BTreeMap;

use crawlguard::problem::Problems;
use crawlguard::schema::{Column, DataType, Table};
use crawlguard::sql::{
    Addition, Graph, Lineage, Materialization, Model, Substitution, adapt, bind_slot, ident, rename_tables,
};
use proptest::prelude::*;
use rstest::rstest;

mod adaptation;
mod battery;
mod arguments;
mod casts;
mod meets;
mod fields;
mod lineage;
mod slot;

/// Columns of the table that most tests read.
const RAW: &str = "id int, a string, b string, c string, email address string, \"q string, list array<string>";

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
#[case("\u{feff}SELECT 1 AS a", &["1:1: a byte order mark"])]
#[case("/* crawlguard\nadditions: carry\nSELECT 1 AS a", &[": no statement", "1:1: the header block does not end"])]
#[case("DELETE FROM x", &["1:1: not a SELECT"])]
#[case("CREATE TABLE x AS SELECT 1 AS a", &["1:1: not a SELECT"])]
#[case("-- nothing\n", &[": no statement"])]
#[case("SELECT a, lower(b) FROM x", &["1:11: an output column has no name"])]
#[case("SELECT a, b AS A FROM x", &["1:11: two output columns are named `a`"])]
#[case("SELECT a,\n  FROM x", &["2:3: nothing between two commas of the select list"])]
#[case("SELECT uuid() AS a, current_time AS b FROM x",
    &["1:8: `uuid` gives other rows at each run", "1:21: `current_time` gives other rows at each run"])]
#[case("SELECT \"random\"() AS a, system.builtin.uuid() AS b FROM x",
    &["1:8: `random` gives other rows at each run", "1:40: `uuid` gives other rows at each run"])]
#[case("SELECT a::varchar AS b FROM x", &["1:9: `::` is no cast on Athena"])]
#[case("SELECT DISTINCT ON (a) a FROM x", &["1:8: DISTINCT ON is not known to Athena"])]
#[case("SELECT a FROM x GROUP BY ALL", &["1:23: ALL names no columns on Athena"])]
#[case("SELECT a FROM x UNION ALL CORRESPONDING SELECT a FROM y", &["1:17: CORRESPONDING is not understood"])]
#[case("SELECT list[1] AS a FROM x", &["1:8: a column of this name is not understood before `[`"])]
#[case("SELECT \"array\"[1] AS a FROM x", &["1:8: a column of this name is not understood before `[`"])]
#[case("SELECT CHAR '4' AS a FROM x", &["1:8: a literal with this type before it is not understood"])]
#[case("(1)", &["1:1: not a SELECT"])]
#[case("SELECT a FROM cat.db.x", &["1:15: a table name with a catalog"])]
#[case("/* crawlguard\npartitioned_by: d\n*/\nSELECT d, a FROM x",
    &["line 2: the last output columns are not `partitioned_by: d`"])]
#[case("/* crawlguard\nprimary_key: id\n*/\nSELECT a FROM x", &["line 2: primary_key `id` is no output column"])]
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
#[case("SELECT t.list[1] AS a, ARRAY[1] AS b, DATE '2026-01-02' AS c FROM t1 AS t", &["t1"])]
#[case("SELECT \"\"\"a\"\"\" AS x FROM \"\"\"t\"", &["\"t"])]
fn the_tables_that_a_model_reads(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(model("m", text).reads, expected);
}

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
            "sql/d.sql:2:6: unknown table `raw_sorce`\n  help: did you mean `raw_source`? if not, add its model, or, for a table of the catalog, run `crawlguard contracts init raw_sorce` to put a contract in force",
            "sql/e.sql:1:15: unknown table `elsewhere`\n  help: add its model, or, for a table of the catalog, run `crawlguard contracts init elsewhere` to put a contract in force",
            "sql/self.sql: models read each other in a circle: self → self\n  help: take one of the reads out",
        ]
    );
}
