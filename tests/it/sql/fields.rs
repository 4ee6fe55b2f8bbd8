//! Fields of structs that models read and that are gone, or of another type.

use crawlguard::sql::field_problems;

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
    let is_wider = |before: &DataType, after: &DataType| (before, after) == (&DataType::Int, &DataType::BigInt);
    let found = field_problems(&graph(models, &promised), &promised, &found, &is_wider);
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
fn an_unnest_that_fits_what_is_there_now_is_accepted() {
    let text = "SELECT u.s FROM raw CROSS JOIN UNNEST(items) AS u (s, p, a, n)";
    assert_eq!(problems(&[("m", text)], BEFORE, AFTER), Vec::<String>::new());
}
