//! Contracts: what is read, what is refused, and that nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use crawlguard::catalog::glue_json;
use crawlguard::checks::{CheckKind, CheckSpec};
use crawlguard::contract::{Contract, Document, Origin, Tolerance};
use crawlguard::schema::{Column, DataType, Evidence, Storage, StructField, Table, TableKind};
use serde_json::{Value, json};

mod glue;
mod properties;

const FULL: &str = include_str!("contract/full.json");

fn texts<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn document(value: &Value) -> Document {
    Document::read("contracts/c.json", &value.to_string()).expect("the test's document is well formed")
}

fn full() -> Value {
    serde_json::from_str(FULL).expect("the fixture is JSON")
}

/// A document with one table of the given properties and table-level rules.
fn small(properties: Value, quality: Value) -> Value {
    json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "t", "version": "1.0.0",
        "schema": [{"name": "t", "properties": properties, "quality": quality}],
    })
}

#[track_caller]
fn contract(value: &Value) -> Contract {
    document(value).contract().unwrap_or_else(|problems| panic!("{problems}"))
}

/// The places of what is wrong, in their order.
fn places(value: &Value) -> Vec<String> {
    let problems = document(value).contract().expect_err("has problems").0;
    problems
        .into_iter()
        .map(|problem| {
            assert!(!problem.help.is_empty() && !problem.message.ends_with('.'), "{problem}");
            problem.place
        })
        .collect()
}

#[test]
fn a_full_document_is_understood() {
    let contract = contract(&full());
    assert_eq!((contract.id.as_str(), contract.origin), ("orders-1", Origin::Crawler));
    let table = &contract.table;
    let names = |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    assert_eq!(table.name, "raw_orders");
    assert_eq!(names(&table.columns), ["order id", "status", "items"], "by ordinal; the measure is no column");
    assert_eq!(names(&table.partition_keys), ["year", "day"], "by position");
    assert_eq!(table.columns[2].data_type.to_string(), "array<struct<sku:string,price:decimal(10,2)>>");
    assert_eq!(table.columns[1].evidence, Evidence::None);
    assert_eq!(table.columns[0].comment.as_deref(), Some("The shop's number."));
    assert_eq!(table.storage.serde.as_deref(), Some(Storage::LAZY_SIMPLE));
    assert_eq!(table.storage.serde_parameters["field.delim"], ",");
    assert_eq!(table.storage.skip_header_lines, 1);
    assert_eq!(table.location.as_deref(), Some("s3://lake/orders/"));
    assert_eq!(contract.policy.rules["column-added-at-end"], Tolerance::Tolerate);
    assert_eq!(contract.policy.columns["status"]["column-removed"], Tolerance::Break);
    assert_eq!(contract.policy.pinned, ["order id"]);
}

#[test]
fn a_full_document_is_measured() {
    let shown: Vec<String> = contract(&full())
        .checks
        .iter()
        .map(|CheckSpec { name, column, kind }| format!("{name} | {} | {kind:?}", column.as_deref().unwrap_or("-")))
        .collect();
    let expected = [
        "row count | - | RowCount { min: Some(1), max: Some(1000) }",
        "halved | - | RowCountChange { max_share: 0.5 }",
        r#"unique | - | Unique { columns: ["order id", "day"] }"#,
        r#"primary key | - | Unique { columns: ["day", "order id"] }"#,
        "required | order id | Nulls { max_rows: Some(0), max_share: None }",
        r#"unique | order id | Unique { columns: ["order id"] }"#,
        r#"moved rows | order id | MovedRows { values: [], regex: Some("[0-9]+"), max_distance: 2, columns: ["order id", "status", "items"], max_moved: Some(3), max_lost: 0 }"#,
        r#"accepted values | status | AcceptedValues { values: ["open", "7"], max_rows: 0 }"#,
        "nulls | status | Nulls { max_rows: None, max_share: Some(0.25) }",
        r#"known | status | AcceptedValues { values: ["open", "paid"], max_rows: 4 }"#,
        r#"pattern | status | Pattern { regex: "[a-z]+", max_rows: 0 }"#,
        r#"references | status | References { table: "int_status", column: "name" }"#,
        r#"references | status | References { table: "int_other", column: "a b" }"#,
        "required | day | Nulls { max_rows: Some(0), max_share: None }",
        "freshness | day | Freshness { max_age_hours: 26 }",
        r#"references | day | References { table: "int_days", column: "day" }"#,
        "freshness | day | Freshness { max_age_hours: 48 }",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn versions_of_the_standard() {
    for (version, is_read) in [
        ("v3.0.0", true),
        ("v3.0.2", true),
        ("v3.1.0", true),
        ("v3.2.0", true),
        ("v3.3.0", false),
        ("v3.0.x", false),
        ("v2.2.2", false),
        ("3.2.0", false),
    ] {
        let mut value = full();
        value["apiVersion"] = json!(version);
        assert_eq!(document(&value).contract().is_ok(), is_read, "{version}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let value = json!({
        "apiVersion": "v4.0.0", "kind": "DataProduct", "version": 1.0,
        "schema": [
            {"name": "", "properties": [
                {"name": "a", "physicalType": "varchar2(3)", "required": "yes"},
                {"physicalType": "int"},
                {"name": "A", "physicalType": "int"},
                {"name": "b"},
                7,
            ], "customProperties": [
                {"property": "crawlguard.serd", "value": "x"},
                {"property": "crawlguard.skipHeaderLines", "value": -1},
                {"property": "mine", "value": -1},
            ]},
            {"name": "second"},
        ],
        "customProperties": [
            {"property": "crawlguard.policy", "value": {"column-removed": "ignore"}},
            {"property": "crawlguard.origin", "value": "table"},
        ],
    });
    let expected = [
        "",
        "apiVersion",
        "crawlguard.origin",
        "crawlguard.policy.column-removed",
        "kind",
        "schema",
        "schema[0].crawlguard.skipHeaderLines",
        "schema[0].customProperties[0].property",
        "schema[0].name",
        "schema[0].properties[0].physicalType",
        "schema[0].properties[0].required",
        "schema[0].properties[1]",
        "schema[0].properties[2].name",
        "schema[0].properties[3]",
        "schema[0].properties[4]",
        "version",
    ];
    assert_eq!(places(&value), expected);
}

#[test]
fn a_rule_that_cannot_be_understood_is_a_problem() {
    let at = "schema[0].properties[0].quality[0]";
    let cases = [
        (json!({"metric": "nullValues"}), at, "no comparator"),
        (json!({"metric": "nullValues", "mustBeGreaterThan": 3}), at, "no upper bound"),
        (json!({"metric": "nullValues", "mustNotBe": 3}), ".mustNotBe", ""),
        (json!({"metric": "nullValues", "mustBe": 0, "unit": "bytes"}), ".unit", ""),
        (json!({"metric": "rowCount", "mustBe": 3}), ".metric", "of the table"),
        (json!({"metric": "uniqueness", "mustBe": 0}), ".metric", ""),
        (json!({"metric": "duplicateValues", "mustBeLessThan": 5}), at, ""),
        (json!({"metric": "invalidValues", "mustBe": 0}), ".arguments", ""),
        (
            json!({"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": [null, ""]}}),
            ".arguments.missingValues",
            "",
        ),
        (json!({"type": "sql", "query": "SELECT 1", "mustBe": 1}), ".type", ""),
        (json!({"type": "custom", "engine": "soda", "implementation": "x"}), ".engine", ""),
        (json!({"type": "custom", "engine": "crawlguard", "implementation": "x"}), ".implementation", ""),
        (
            json!({"type": "custom", "engine": "crawlguard", "implementation": {"check": "fresh"}}),
            ".implementation.check",
            "",
        ),
        (
            json!({"type": "custom", "engine": "crawlguard", "implementation": {"check": "freshness"}}),
            ".implementation",
            "",
        ),
        (
            json!({"type": "custom", "engine": "crawlguard", "implementation": {"check": "freshness", "maxAgeHours": 2, "max": 1}}),
            ".implementation.max",
            "",
        ),
        (
            json!({"type": "custom", "engine": "crawlguard", "implementation": {"check": "movedRows", "values": ["x"], "maxDistance": 0}}),
            ".implementation.maxDistance",
            "no neighbour",
        ),
        (json!({"description": "hm"}), at, "neither type nor metric"),
        (json!("nullValues"), at, ""),
    ];
    for (rule, place, why) in cases {
        let place = if place == at { at.to_owned() } else { format!("{at}{place}") };
        let properties =
            json!([{"name": "a", "physicalType": "string", "quality": [rule]}, {"name": "b", "physicalType": "int"}]);
        assert_eq!(places(&small(properties, json!([]))), [place], "{rule} {why}");
    }
    let prose =
        json!([{"name": "a", "physicalType": "string", "quality": [{"type": "text", "description": "Is true."}]}]);
    assert_eq!(contract(&small(prose, json!([]))).checks, []);
}

#[test]
fn promises_that_are_not_kept_watch_over_are_problems() {
    let nested =
        json!([{"name": "a", "physicalType": "struct<b:int>", "properties": [{"name": "b", "required": true}]}]);
    assert_eq!(places(&small(nested, json!([]))), ["schema[0].properties[0].properties[0].required"]);

    let column = json!([{"name": "a", "physicalType": "date"}]);
    let unknown = json!([{"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["a", "gone"]}}]);
    assert_eq!(places(&small(column.clone(), unknown)), ["schema[0].quality[0].arguments.properties[1]"]);

    let mut late = small(column, json!([]));
    late["slaProperties"] = json!([
        {"property": "latency", "value": 4, "unit": "d", "element": "t.gone"},
        {"property": "latency", "value": 4, "unit": "y", "element": "t.a"},
        {"property": "retention", "value": 3, "unit": "y"},
    ]);
    assert_eq!(places(&late), ["slaProperties[0].element", "slaProperties[1].unit"]);
}

#[test]
fn text_that_is_no_document_is_refused_with_its_place() {
    let cases = [
        ("c.json", "{\"a\": [1, 2", "1:11"),
        ("c.json", "{\"a\": 1} x", "1:10"),
        ("c.json", "\u{feff}{}", ""),
        ("c.json", "[]", ""),
        ("c.json", "", "1:1"),
        ("c.json", "{\"a\": {\"b\": 1, \"c\": [{\"d\": 1, \"d\": 2}]}}", "a.c[0].d"),
        ("c.json", "{\"a\": 123456789012345678901234567890}", "1:36"),
        ("c.yaml", "a: 1\nb: [\n", "3:1"),
        ("c.yaml", "a: 1\na: 2\n", "a"),
        ("c.yaml", "a: .nan\n", "1:4"),
        ("c.yaml", "a: 1\n---\nb: 1\n", ""),
        ("c.yml", "x: &x {a: 1}\ny:\n  <<: *x\n", "y.<<"),
        ("c.yaml", "- a\n", ""),
    ];
    for (file, text, place) in cases {
        let problems = Document::read(file, text).expect_err(text).0;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!((problems[0].file.as_str(), problems[0].place.as_str()), (file, place), "{text}: {}", problems[0]);
    }
    let both = Document::read("c.json", "\u{feff}{\"a\": 1, \"a\": 2}").expect_err("two problems").0;
    assert_eq!(both.len(), 2);
}

#[test]
fn yaml_means_what_json_means() {
    let yaml = serde_yaml_ng::to_string(&full()).expect("writes");
    let text = format!("# The shop's orders.\n{yaml}");
    let read = Document::read("contracts/orders.odcs.yaml", &text).expect("reads");
    assert_eq!(read.to_json(), document(&full()).to_json(), "values and their order");
    assert_eq!(read.comment_lines, [1]);
    assert_eq!(Document::read("c.json", FULL).expect("reads").to_json(), FULL, "and JSON is written as it was");
    let keys = Document::read("c.yaml", "1: a\ntrue: &x b\n'': *x\nd: 2026-01-02\n").expect("reads");
    assert_eq!(keys.value, json!({"1": "a", "true": "b", "": "b", "d": "2026-01-02"}));
}

/// The table that a document promises, as a catalog would show it.
fn promised(value: &Value) -> Table {
    contract(value).table
}

#[test]
fn a_renamed_column_keeps_its_property_under_the_new_name() {
    let value = small(
        json!([
            {"id": "p1", "name": "Client", "physicalName": "client", "physicalType": "string", "required": true},
            {"id": "p2", "name": "town", "physicalType": "string", "x-team": 1},
        ]),
        json!([]),
    );
    let mut table = promised(&value);
    table.columns = vec![Column::new("city", DataType::String), Column::new("customer", DataType::String)];
    let renamed = texts([("client", "customer"), ("town", "city")]);
    let accepted = document(&value).accept_renamed(&table, &renamed).value;
    let properties = &accepted["schema"][0]["properties"];
    let city = json!({"id": "p2", "name": "city", "physicalType": "string", "x-team": 1});
    let customer =
        json!({"id": "p1", "name": "Client", "physicalName": "customer", "physicalType": "string", "required": true});
    assert_eq!((&properties[0], &properties[1]), (&city, &customer));
    assert_eq!(accepted["version"], json!("2.0.0"));
}

#[test]
fn accepting_changes_the_schema_alone() {
    let mut table = promised(&full());
    table.columns[0].data_type = DataType::Decimal { precision: 20, scale: 0 };
    table.columns.remove(1);
    table.columns.insert(0, Column::new("weird \"name\"", DataType::Timestamp));
    table.storage.serde_parameters.insert("field.delim".to_owned(), ";".to_owned());
    let before = full();
    let mut after = document(&before).accept(&table).value;
    assert_eq!(after["version"], json!("2.0.0"));

    let properties = after["schema"][0]["properties"].as_array().expect("a list").clone();
    let names: Vec<_> = properties.iter().map(|property| property["name"].as_str().expect("named")).collect();
    assert_eq!(names, ["weird \"name\"", "order id", "items", "year", "day", "revenue"]);
    assert_eq!(properties[0]["physicalType"], json!("timestamp"));
    let kept = &properties[1];
    assert_eq!((&kept["physicalType"], &kept["logicalType"]), (&json!("decimal(20,0)"), &json!("number")));
    assert_eq!(
        (&kept["x-team"], &kept["quality"]),
        (&json!({"z": 1, "a": [null]}), &before["schema"][0]["properties"][3]["quality"])
    );

    after["version"] = before["version"].clone();
    after["schema"][0]["properties"] = before["schema"][0]["properties"].clone();
    after["schema"][0]["customProperties"][3]["value"] = json!({"field.delim": ","});
    assert_eq!(after, before, "everything else is as it was");
}

#[test]
fn how_far_the_version_rises() {
    type Change = fn(&mut Table);
    let cases: [(&str, Change, &str); 8] = [
        ("nothing", |_| {}, "1.4.2"),
        ("a column more", |t| t.columns.push(Column::new("n", DataType::Int)), "1.5.0"),
        ("a column in the middle", |t| t.columns.insert(1, Column::new("n", DataType::Int)), "1.5.0"),
        ("other order", |t| t.columns.swap(0, 1), "1.5.0"),
        ("other case", |t| t.columns[0].name = "Order ID".to_owned(), "1.5.0"),
        ("other place", |t| t.location = None, "1.5.0"),
        ("other type", |t| t.columns[1].data_type = DataType::Int, "2.0.0"),
        (
            "a data column made a key",
            |t| {
                let c = t.columns.remove(1);
                t.partition_keys.push(c)
            },
            "2.0.0",
        ),
    ];
    for (what, change, version) in cases {
        let mut table = promised(&full());
        change(&mut table);
        let next = document(&full()).accept(&table);
        assert_eq!(next.value["version"], json!(version), "{what}");
        let mut again = next.contract().map(|contract| contract.table);
        if what == "a data column made a key" {
            // Its comment and the like stay, so only the layout is compared.
            again = again.map(|again| Table { columns: table.columns.clone(), ..again });
        }
        assert_eq!(again, Ok(table), "{what}");
    }
}

#[test]
fn a_model_keeps_its_storage_out_of_the_contract() {
    let mut value = small(json!([{"name": "a", "physicalType": "int"}]), json!([]));
    value["customProperties"] = json!([{"property": "crawlguard.origin", "value": "model"}]);
    let mut table = promised(&value);
    table.location = Some("s3://lake/int_a/".to_owned());
    table.storage.serde = Some(Storage::PARQUET.to_owned());
    assert_eq!(document(&value).accept(&table).value, value);
}

#[test]
fn a_skeleton_is_filled() {
    let mut value = small(json!([]), json!([]));
    value["schema"][0].as_object_mut().expect("an object").shift_remove("properties");
    assert_eq!(places(&value), ["schema[0]"]);
    let table = Table { name: "t".to_owned(), columns: vec![Column::new("a", DataType::Int)], ..Table::default() };
    assert_eq!(document(&value).accept(&table).contract().map(|contract| contract.table), Ok(table));
}

#[test]
fn the_page_shows_contracts_that_are_read() {
    let page = include_str!("../../docs/contracts.md");
    let mut blocks = page.split("```json\n").skip(1).map(|block| block.split("```").next().expect("closed"));
    let example: Value = serde_json::from_str(blocks.next().expect("an example")).expect("is JSON");
    assert_eq!(contract(&example).checks.len(), 4, "rows, key unique, key present, accepted values");

    let rule: Value = serde_json::from_str(blocks.next().expect("a rule")).expect("is JSON");
    let columns = json!([{"name": "a", "physicalType": "int"}]);
    let checks = contract(&small(columns, json!([rule]))).checks;
    assert!(matches!(checks[0].kind, CheckKind::RowCountChange { max_share: 0.5 }));
}

#[test]
fn a_first_document_asks_for_rows() {
    let table = promised(&full());
    let contract = Document::for_table("contracts/raw_orders.json", &table).contract().expect("is a contract");
    let [CheckSpec { kind: CheckKind::RowCount { min: Some(1), max: None }, column: None, .. }] = &contract.checks[..]
    else {
        panic!("{:?}", contract.checks);
    };
}

#[test]
fn only_the_parameters_that_decide_how_bytes_are_read_are_promised() {
    let columns = vec![Column::new("a", DataType::Int)];
    let parameters = texts([("recordCount", "7"), ("delimiter", ";"), ("avro.schema.literal", "{}")]);
    let table = Table { name: "t".to_owned(), columns, parameters, ..Table::default() };
    let first = Document::for_table("c.json", &table);
    assert_eq!(promised_parameters(&first), texts([("delimiter", ";"), ("avro.schema.literal", "{}")]));

    let recounted =
        Table { parameters: texts([("recordCount", "8"), ("delimiter", ";"), ("avro.schema.literal", "{}")]), ..table };
    assert_eq!(first.accept(&recounted), first);
    let changed = Table { parameters: texts([("delimiter", "|")]), ..recounted };
    assert_eq!(promised_parameters(&first.accept(&changed)), texts([("delimiter", "|")]));
}

fn promised_parameters(document: &Document) -> BTreeMap<String, String> {
    document.contract().expect("is a contract").table.parameters
}

#[test]
fn ids_stay_apart_and_are_stable() {
    let names = ["a b", "a_b", "a-b", "a\"b", "é", "日本", ""];
    let columns = names.iter().map(|name| Column::new(*name, DataType::Int)).collect();
    let table = Table { name: "t".to_owned(), columns, ..Table::default() };
    let value = Document::for_table("c.json", &table).value;
    let properties = value["schema"][0]["properties"].as_array().expect("a list");
    let ids: BTreeSet<_> = properties.iter().map(|property| property["id"].as_str()).collect();
    assert_eq!(ids.len(), names.len());
    assert_eq!(properties[0]["id"], json!("a_b-c8687a08"));
}
