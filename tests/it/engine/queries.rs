//! Queries as Trino 476 answers them, over the same rows.

use crawlguard::catalog::Catalog as _;

use super::*;

/// `p (x, k, j)` and `q (k, y)`, in this order of columns.
fn lake() -> Lake {
    let lake = Lake::new();
    lake.write("p/1.json", "{\"x\":1,\"k\":10,\"j\":7}\n{\"x\":2,\"k\":20,\"j\":8}\n");
    lake.put(&lake.table("p", Storage::OPENX_JSON, &[("x", "int"), ("k", "int"), ("j", "int")]));
    lake.write("q/1.json", "{\"k\":20,\"y\":5}\n{\"k\":30,\"y\":6}\n");
    lake.put(&lake.table("q", Storage::OPENX_JSON, &[("k", "int"), ("y", "int")]));
    lake
}

#[tokio::test]
async fn set_operations_run_as_queries_and_as_models() {
    let lake = lake();
    for (select, expected) in [
        ("SELECT k FROM p UNION SELECT k FROM q ORDER BY k DESC LIMIT 2", vec!["30", "20"]),
        ("SELECT k FROM p UNION ALL SELECT k FROM q ORDER BY k", vec!["10", "20", "20", "30"]),
        ("SELECT k FROM p INTERSECT SELECT k FROM q", vec!["20"]),
        ("SELECT k FROM p EXCEPT SELECT k FROM q", vec!["10"]),
        ("(SELECT k FROM p)", vec!["10", "20"]),
        ("WITH a AS (SELECT k FROM p) (SELECT k FROM a EXCEPT SELECT k FROM q) UNION ALL SELECT 1", vec!["10", "1"]),
    ] {
        assert_eq!(lake.texts(select).await, expected, "{select}");
        let location = lake.engine.location("int_u", "run", expected.len() as u32 * 10 + select.len() as u32);
        assert_eq!(lake.build("int_u", select, &location, &[]).await, Ok(expected.len() as u64), "{select}");
    }
}

#[tokio::test]
async fn a_cte_may_be_called_like_a_table() {
    let lake = lake();
    for (select, expected) in [
        ("WITH p AS (SELECT x + 1 AS x FROM p) SELECT x FROM p ORDER BY x", vec!["2", "3"]),
        ("WITH P AS (SELECT p.x FROM lake.p) SELECT p.x, q.y FROM p, q WHERE q.k = 20 ORDER BY 1", vec!["1|5", "2|5"]),
        ("SELECT x FROM p WHERE k IN (WITH p AS (SELECT k FROM q) SELECT k FROM p)", vec!["2"]),
        (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
            vec!["1", "2", "3"],
        ),
    ] {
        assert_eq!(lake.texts(select).await, expected, "{select}");
    }
}

#[tokio::test]
async fn a_star_over_using_gives_shared_columns_first() {
    let lake = lake();
    for (select, columns, expected) in [
        ("SELECT * FROM p JOIN q USING (k)", "k x j y", vec!["20|2|8|5"]),
        ("SELECT * FROM p RIGHT JOIN q USING (k) ORDER BY k", "k x j y", vec!["20|2|8|5", "30|NULL|NULL|6"]),
        (
            "SELECT *, 1 AS one FROM p FULL JOIN q USING (k) ORDER BY k",
            "k x j y one",
            vec!["10|1|7|NULL|1", "20|2|8|5|1", "30|NULL|NULL|6|1"],
        ),
        ("SELECT * FROM p JOIN q USING (k) JOIN q AS r USING (k)", "k x j y y", vec!["20|2|8|5|5"]),
        (
            "SELECT * FROM p JOIN (SELECT 2e1 AS k, y FROM q) AS r USING (k) ORDER BY y",
            "k x j y",
            vec!["20.0|2|8|5", "20.0|2|8|6"],
        ),
        ("SELECT * FROM p JOIN q ON p.k = q.k", "x k j k y", vec!["2|20|8|20|5"]),
    ] {
        let rows = lake.query(select).await.unwrap_or_else(|message| panic!("{select}: {message}"));
        assert_eq!(rows.columns.join(" "), columns, "{select}");
        assert_eq!(lake.texts(select).await, expected, "{select}");
    }
    for select in [
        "SELECT p.*, y FROM p JOIN q USING (k)",
        "SELECT * FROM p AS z, p JOIN q USING (k)",
        "SELECT * FROM p JOIN q USING (k) JOIN p AS r ON r.x = y",
        "SELECT * FROM p JOIN (q JOIN q AS r USING (y)) USING (k)",
    ] {
        assert!(lake.query(select).await.is_err(), "{select}");
    }
}

/// Types as Trino 476 gives them.
#[tokio::test]
async fn a_column_of_using_has_athenas_type() {
    let lake = lake();
    for (a, b, expected) in [
        ("integer", "bigint", "bigint"),
        ("smallint", "tinyint", "smallint"),
        ("bigint", "real", "real"),
        ("real", "double", "double"),
        ("decimal(4,1)", "decimal(10,4)", "decimal(10,4)"),
        ("decimal(10,1)", "decimal(5,4)", "decimal(13,4)"),
        ("decimal(4,1)", "bigint", "decimal(20,1)"),
        ("decimal(4,1)", "real", "real"),
        ("decimal(4,1)", "double", "double"),
        ("date", "timestamp", "timestamp"),
        ("varchar(3)", "varchar", "varchar"),
    ] {
        for (a, b) in [(a, b), (b, a)] {
            for join in ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"] {
                let [a, b] = [a, b].map(|to| format!("(SELECT CAST(NULL AS {to}) AS k)"));
                let select = format!("SELECT k FROM {a} AS a {join} {b} AS b USING (k)");
                assert_eq!(lake.query(&select).await.map(|rows| rows.types), Ok(vec![expected.to_owned()]), "{select}");
            }
        }
    }
    let key = |to: &str| format!("(SELECT CAST(NULL AS {to}) AS k)");
    for (a, b, shown) in [
        ("integer", "varchar", "integer and varchar"),
        ("decimal(38,1)", "decimal(10,4)", "decimal(38,1) and decimal(10,4)"),
        ("ROW(a integer)", "ROW(a bigint)", "struct(a integer) and struct(a bigint)"),
    ] {
        let select = format!("SELECT 1 AS one FROM {} AS a JOIN {} AS b USING (k)", key(a), key(b));
        let message = lake.query(&select).await.unwrap_err();
        assert!(message.contains(&format!("`USING (k)` of {shown}: CAST one side")), "{message}");
    }
    for (select, said) in [
        ("SELECT k FROM p JOIN q USING (k) JOIN q AS r USING (nope)", "nope"),
        ("SELECT z.k FROM p JOIN q USING (k) JOIN (SELECT 7e0 AS j) AS r USING (j)", "\"z\" not found"),
    ] {
        let message = lake.query(select).await.unwrap_err();
        assert!(message.contains(said) && !message.contains("ATHENA"), "{message}");
    }
}

/// Types as Trino 476 gives them.
#[tokio::test]
async fn arithmetic_has_athenas_types() {
    let lake = lake();
    for (number, (expression, expected)) in [
        ("100.0 * sum(x) / count(*)", "decimal(23,1)"),
        ("1.0 / sum(k)", "decimal(2,1)"),
        ("sum(0.5 * x) / 0.25", "decimal(38,2)"),
        ("count(*) / 2.5", "decimal(21,1)"),
        ("sum(1.5) / max(2e0)", "double"),
        ("min(1.0 / 3 / 3.00)", "decimal(5,2)"),
        ("min(CAST(x AS smallint) / 2)", "int"),
        ("min(CAST(x AS smallint) % 2)", "int"),
        ("min(CAST(x AS smallint) - 1)", "int"),
        ("min(CAST(x AS bigint) / 2)", "bigint"),
    ]
    .into_iter()
    .enumerate()
    {
        let (location, select) = (lake.engine.location("int_d", "run", 1), format!("SELECT {expression} AS d FROM p"));
        let location = format!("{location}{number}");
        assert_eq!(lake.build("int_d", &select, &location, &[]).await, Ok(1), "{expression}");
        let table = lake.catalog.table("int_d").await.unwrap().unwrap();
        assert_eq!(table.columns[0].data_type.to_string(), expected, "{expression}");
    }
}

#[tokio::test]
async fn an_array_of_rows_of_one_field_is_unnested_into_it() {
    let lake = Lake::new();
    lake.write("o/1.json", "{\"id\":1,\"items\":[{\"sku\":\"A\"},{\"sku\":\"B\"}],\"l\":[7]}\n{\"id\":2}\n");
    let columns = [("id", "int"), ("items", "array<struct<sku:string>>"), ("l", "array<int>")];
    lake.put(&lake.table("o", Storage::OPENX_JSON, &columns));
    for (select, expected) in [
        ("SELECT o.id, i.sku FROM o CROSS JOIN UNNEST(o.items) AS i (sku) ORDER BY 2", vec!["1|A", "1|B"]),
        (
            "SELECT id, sku, n FROM o LEFT JOIN UNNEST(items) WITH ORDINALITY AS i (sku, n) ON true ORDER BY 1, 3",
            vec!["1|A|1", "1|B|2", "2|NULL|NULL"],
        ),
        (
            "SELECT sku, e FROM o, UNNEST(l) AS l (e), UNNEST(items) AS i (sku) WHERE e / 2 = 3 ORDER BY 1",
            vec!["A|7", "B|7"],
        ),
        ("SELECT sku FROM (SELECT filter(items, x -> x.sku = 'B') AS f FROM o) AS q, UNNEST(f) AS i (sku)", vec!["B"]),
    ] {
        assert_eq!(lake.texts(select).await, expected, "{select}");
    }
}

#[test]
fn what_is_refused_is_told_at_once_with_its_place_and_the_authors_names() {
    let select = "SELECT\n  substring(a FROM 2) AS a,\n  date_parse(b, c) AS b,\n  trim(LEADING 'x' FROM c) AS c,\n  \
                  greatest(d) AS d,\n  json_extract(e, '$..x') AS e\nFROM t";
    let problems = translate("sql/m.sql", select, "lake").unwrap_err().to_string();
    for place in ["sql/m.sql:3:", "sql/m.sql:5:", "sql/m.sql:6:"] {
        assert!(problems.contains(place), "{place} in\n{problems}");
    }
    assert!(!problems.contains("athena_"), "{problems}");
}

#[tokio::test]
async fn messages_name_functions_as_the_model_does() {
    let lake = lake();
    for select in
        ["SELECT substring(x, 1) AS a FROM p", "SELECT split_part(x) AS a FROM p", "SELECT x || k AS a FROM p"]
    {
        let message = lake.query(select).await.unwrap_err();
        assert!(!message.contains("athena_"), "{select}: {message}");
    }
}

#[tokio::test]
async fn a_name_may_begin_with_a_quote() {
    let lake = Lake::new();
    lake.write("odd/1.json", "{\"\\\"size\":4}\n");
    lake.put(&lake.table("odd", Storage::OPENX_JSON, &[("\"size", "int")]));
    assert_eq!(lake.texts("SELECT \"\"\"size\" AS \"size\" FROM odd").await, ["4"]);
}

#[tokio::test]
async fn null_is_cast_to_any_type() {
    let lake = lake();
    let select = "SELECT CAST(NULL AS ROW(a integer, b array(varchar))) AS r, CAST(NULL AS array(ROW(a real))) AS l, \
                  TRY_CAST(NULL AS map(varchar, integer)) AS m FROM p WHERE x = 1";
    assert_eq!(lake.texts(select).await, ["NULL|NULL|NULL"]);
    let location = lake.engine.location("int_n", "run", 1);
    assert_eq!(lake.build("int_n", select, &location, &[]).await, Ok(1));
}

#[test]
fn what_only_duckdb_takes_is_refused() {
    for select in [
        "SELECT content FROM \"read_text\"('/etc/hostname')",
        "SELECT content FROM read_text('/etc/hostname')",
        "SELECT a FROM \"query\"('SELECT 1 AS a') AS t (a)",
        "WITH q AS (SELECT 1 AS a) SELECT t.a FROM q AS \"t\" (a), \"query\"('SELECT 1')",
        "SELECT \"approx_quantile\"(x, 0.5) AS a FROM p",
        "SELECT x.\"upper\"() AS a FROM p",
        "SELECT DISTINCT ON (x) x FROM p",
        "SELECT x FROM p GROUP BY ALL",
        "SELECT x FROM p ORDER BY ALL",
        "SELECT x::varchar AS x FROM p",
        "SELECT * EXCLUDE (x) FROM p",
        "SELECT x FROM p QUALIFY row_number() OVER (ORDER BY x) = 1",
        "SELECT x FROM p SEMI JOIN q ON p.k = q.k",
        "SELECT x FROM p FOR VERSION AS OF 3",
        "SELECT x FROM p UNION BY NAME SELECT x FROM p",
    ] {
        let translated = translate("model.sql", select, "lake");
        assert!(translated.is_err(), "{select} was translated: {translated:?}");
    }
}
