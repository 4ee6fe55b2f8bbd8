//! Fields of structs that models read and that are gone, or of another type.

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

fn effect(before: &DataType, after: &DataType) -> TypeEffect {
    use DataType::{BigInt, Double, Float, Int, Struct};
    match (before, after) {
        (Int, BigInt) | (Struct(_), Struct(_)) => TypeEffect::None,
        (Int, Double) | (Float, Double) => TypeEffect::Computed,
        (before, after) if before == after => TypeEffect::None,
        _ => TypeEffect::Value,
    }
}

fn found_problems(graph: &Graph, promised: &[Table], found: &[Table], substitutions: &[Substitution]) -> Vec<String> {
    let found = field_problems(graph, promised, found, substitutions, &effect);
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
#[case::bare("SELECT n AS x, raw.n AS y FROM raw", None)]
#[case::star("SELECT *, n AS x FROM (SELECT n FROM raw)", None)]
#[case::compared("SELECT id AS x FROM raw WHERE n > 3 AND 2 < n OR NOT n IS NULL", None)]
#[case::joined("SELECT id AS x FROM raw JOIN other ON n = k", None)]
#[case::chosen("SELECT CASE WHEN n = 1 THEN 'a' END AS x FROM raw", None)]
#[case::pinned("SELECT TRY_CAST(n AS integer) / 2 AS x FROM raw", None)]
#[case::united("SELECT n AS x FROM raw UNION ALL SELECT k FROM other", None)]
#[case::divided("SELECT n / 4 AS x FROM raw", Some("1:8: `n`"))]
#[case::text("SELECT CAST(n AS varchar) AS x FROM raw", Some("1:13: `n`"))]
#[case::summed("SELECT sum(n) AS x FROM raw", Some("1:12: `n`"))]
#[case::condition("SELECT id AS x FROM raw WHERE n / 4 = 1", Some("1:31: `n`"))]
#[case::derived("SELECT q.m / 4 AS x FROM (SELECT n AS m FROM raw) AS q", Some("1:8: `q.m`"))]
fn an_int_that_became_a_double(#[case] select: &str, #[case] expected: Option<&str>) {
    let expected: Vec<String> = expected.map(|at| format!("sql/m.sql:{at} {COMPUTED}")).into_iter().collect();
    assert_eq!(widened(select, "id int, n int", "id int, n double"), expected);
    assert_eq!(widened(select, "id int, n int", "id int, n bigint"), Vec::<String>::new(), "of the same arithmetic");
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
