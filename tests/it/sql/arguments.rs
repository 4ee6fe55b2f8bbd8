//! Calls with an argument that the function does not take.

use super::*;

pub(super) fn problems(text: &str) -> Vec<String> {
    let columns = [
        ("id", "int"),
        ("name", "string"),
        ("paid", "double"),
        ("day", "date"),
        ("ok", "boolean"),
        ("tags", "map<string,string>"),
        ("list", "array<string>"),
        ("item", "struct<price:double,sku:string>"),
        ("x", "string"),
    ];
    let columns = columns.iter().map(|(name, text)| Column::new(*name, DataType::parse(text))).collect();
    let raw = [Table { name: "raw".to_owned(), columns, ..Table::default() }];
    let models = vec![model("m", text)];
    match Lineage::trace(&graph(models, &raw), &raw) {
        Ok(_) => Vec::new(),
        Err(Problems(found)) => found.iter().map(|found| format!("{}: {}", found.place, found.message)).collect(),
    }
}

#[rstest]
#[case::sum("SELECT sum(name) AS s FROM raw", "1:8: `sum` takes a number, and this is varchar")]
#[case::distinct("SELECT avg(DISTINCT day) AS s FROM raw", "1:8: `avg` takes a number, and this is date")]
#[case::field("SELECT sum(item.sku) AS s FROM raw", "1:8: `sum` takes a number, and this is varchar")]
#[case::nested("SELECT sum(coalesce(name, x)) AS s FROM raw", "1:8: `sum` takes a number, and this is varchar")]
#[case::inside("SELECT 1 + abs(trim(name)) AS s FROM raw", "1:12: `abs` takes a number, and this is varchar")]
#[case::having(
    "SELECT id FROM raw GROUP BY id HAVING max(tags) IS NULL",
    "1:39: `max` takes what can be sorted, and this is map(varchar, varchar)"
)]
#[case::text("SELECT lower(id) AS s FROM raw", "1:8: `lower` takes text, and this is integer")]
#[case::length(
    "SELECT length(list) AS s FROM raw",
    "1:8: `length` takes text or binary data, and this is array(varchar)"
)]
#[case::boolean("SELECT count_if(id) AS s FROM raw", "1:8: `count_if` takes a boolean, and this is integer")]
#[case::time("SELECT year(name) AS s FROM raw", "1:8: `year` takes a date or timestamp, and this is varchar")]
#[case::collection(
    "SELECT cardinality(name) AS s FROM raw",
    "1:8: `cardinality` takes an array or a map, and this is varchar"
)]
#[case::subquery(
    "SELECT id FROM raw WHERE id IN (SELECT sum(r.name) FROM raw AS r)",
    "1:40: `sum` takes a number, and this is varchar"
)]
#[case::cte(
    "WITH c AS (SELECT trim(name) AS paid FROM raw) SELECT sum(paid) AS s FROM c",
    "1:55: `sum` takes a number, and this is varchar"
)]
fn a_call_that_athena_would_refuse_is_refused_where_it_stands(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(problems(text), [expected]);
}

#[rstest]
#[case::numbers("SELECT sum(id) AS a, avg(paid) AS b, round(paid, 1) AS c, sum(item.price) AS d FROM raw")]
#[case::cast("SELECT sum(TRY_CAST(name AS double)) AS a, length(CAST(id AS varchar)) AS b FROM raw")]
#[case::ordered("SELECT min(name) AS a, max(day) AS b, min(list) AS c, max(ok) AS d, min(item) AS e FROM raw")]
#[case::not_certain(
    "SELECT sum(CASE WHEN ok THEN 1 ELSE 0 END) AS a, length(name || x) AS b, lower(element_at(tags, 'a')) AS c FROM raw"
)]
#[case::own_scope("SELECT id FROM raw WHERE id IN (SELECT sum(r.paid) FROM (SELECT id AS paid FROM raw) AS r)")]
#[case::other_arguments("SELECT split_part(name, ',', id) AS a, date_trunc('day', day) AS b FROM raw")]
#[case::parameter("SELECT transform(ARRAY[1, 2], x -> abs(x)) AS a FROM raw")]
#[case::collections("SELECT cardinality(list) AS a, cardinality(tags) AS b, year(day) AS c, bool_or(ok) AS d FROM raw")]
fn a_call_that_may_be_right_is_none_of_these(#[case] text: &str) {
    assert_eq!(problems(text), Vec::<String>::new());
}
