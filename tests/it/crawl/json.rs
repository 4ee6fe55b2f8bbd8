//! JSON Lines.

use std::collections::BTreeMap;

use crawlguard::schema::Storage;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::lake::{Lake, check_columns, columns, gzip};

#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    check_columns(&[("a.json", lines)], expected);
}

#[test]
fn each_value_widens_its_column_no_further_than_needed() {
    check(r#"{"a":1}"#, &["a int"]);
    check("{\"a\":1}\n{\"a\":2147483647}\n", &["a int"]);
    check("{\"a\":1}\n{\"a\":2147483648}\n", &["a bigint"]);
    check("{\"a\":-2147483649}\n{\"a\":1}\n", &["a bigint"]);
    check("{\"a\":1}\n{\"a\":12.5}\n", &["a double"]);
    check("{\"a\":9000000000}\n{\"a\":1e3}\n", &["a double"]);
    check("{\"a\":18446744073709551615}\n", &["a string"]);
    check("{\"a\":1}\n{\"a\":99999999999999999999}\n", &["a string"]);
    check("{\"a\":-9223372036854775809}\n{\"a\":1.5}\n", &["a string"]);
    check("{\"a\":-9223372036854775808,\"b\":1e20}\n", &["a bigint", "b double"]);
    check("{\"a\":1234567890123456789,\"b\":12345678901234567890.5}\n", &["a bigint", "b double"]);
    let text = r#"{"a":"\"\\","b":[99999999999999999999,1],"c":{"9":-99999999999999999999},"99999999999999999999":2}"#;
    check(text, &["a string", "b array<string>", "c struct<9:string>", "99999999999999999999 int"]);
    check("{\"a\":1}\n{\"a\":\"N/A\"}\n", &["a string"]);
    check("{\"a\":true}\n{\"a\":1}\n", &["a string"]);
    check("{\"a\":true}\n{\"a\":null}\n", &["a boolean"]);
    check("{\"a\":\"2024-01-01\"}\n", &["a string"]);
}

#[test]
fn a_late_value_counts() {
    let mut lines = "{\"a\":1}\n".repeat(5_000);
    lines.push_str("{\"a\":12.5}\n");
    check(&lines, &["a double"]);
}

#[test]
fn nothing_seen_is_no_evidence() {
    check(
        r#"{"a":null,"b":[],"c":{},"d":[null],"e":[[]]}"#,
        &["a string?", "b array<string>?", "c string?", "d array<string>?", "e array<array<string>>?"],
    );
    check("{\"a\":null,\"b\":[]}\n{\"a\":1,\"b\":[2]}\n", &["a int", "b array<int>"]);
}

#[test]
fn nested_values_merge() {
    check("{\"o\":{\"Id\":1}}\n{\"o\":{\"price\":2.5,\"Id\":9000000000}}\n", &["o struct<Id:bigint,price:double>"]);
    check(
        "{\"items\":[{\"a\":1},{\"b\":\"x\"}]}\n{\"items\":[{\"a\":1.5}]}\n",
        &["items array<struct<a:double,b:string>>"],
    );
    check("{\"a\":[1,\"x\"]}\n", &["a array<string>"]);
    check("{\"o\":{\"x\":null}}\n", &["o struct<x:string>"]);
}

#[test]
fn a_new_key_comes_last_whichever_file_is_listed_first() {
    let table = check_columns(
        &[("z.json", "{\"id\":1,\"name\":\"x\"}\n"), ("a.json", "{\"new\":true,\"id\":2,\"name\":\"y\"}\n")],
        &["id int", "name string", "new boolean"],
    );
    assert_eq!(table.storage.serde_parameters["paths"], "id,name,new");
    assert_eq!(table.parameters["objectCount"], "2");
    assert_eq!(table.parameters["recordCount"], "2");
}

#[test]
fn a_key_that_the_newest_file_lacks_stays_and_is_told() {
    let old = ("1.json", "{\"Id\":1,\"Email Address\":\"x\"}\n");
    let table = check_columns(
        &[old, ("2.json", "{\"Id\":2,\"E-Mail\":\"y\"}\n")],
        &["id int", "email address string", "e-mail string"],
    );
    assert_eq!(table.parameters["crawlguard.missing_in_newest"], r#"["email address"]"#);
    let newest = ("2.json", "{\"Email Address\":null}\n{\"Id\":2}\n");
    let table = check_columns(&[old, newest], &["id int", "email address string"]);
    assert!(!table.parameters.contains_key("crawlguard.missing_in_newest"));
}

#[test]
fn what_one_file_of_the_newest_day_lacks_is_told_whichever_was_written_last() {
    let old = ("dt=2026-01-01/eu.json", "{\"id\":1,\"amt\":2,\"o\":{\"a\":1,\"b\":1}}\n");
    let eu = ("dt=2026-01-02/eu.json", "{\"id\":1,\"amt\":2,\"o\":{\"a\":1}}\n");
    let us = ("dt=2026-01-02/us.json", "{\"id\":1}\n");
    for files in [[old, eu, us], [us, eu, old]] {
        let table = check_columns(&files, &["id int", "amt int", "o struct<a:int,b:int>"]);
        assert_eq!(table.parameters["crawlguard.missing_in_some"], r#"["amt","o"]"#);
        // Of the files that have the object, none has the field.
        assert_eq!(table.parameters["crawlguard.missing_in_newest"], r#"["o.b"]"#);
        let files = r#"{"amt":"dt=2026-01-02/us.json","o":"dt=2026-01-02/us.json","o.b":"dt=2026-01-02/eu.json"}"#;
        assert_eq!(table.parameters["crawlguard.lacking_files"], files);
    }
    let table =
        check_columns(&[old, eu, ("dt=2026-01-02/us.json", eu.1)], &["id int", "amt int", "o struct<a:int,b:int>"]);
    assert!(!table.parameters.contains_key("crawlguard.missing_in_some"));
}

#[test]
fn names_are_lowercased_and_otherwise_kept() {
    let line = r#"{"Email Address":"x","Código \"ñ\"":1,"select":2,"日付":"x","a.b":1}"#;
    let table = check_columns(
        &[("a.json", line)],
        &["email address string", "código \"ñ\" int", "select int", "日付 string", "a.b int"],
    );
    assert_eq!(table.storage.serde_parameters["paths"], "Email Address,Código \"ñ\",select,日付,a.b");
}

#[test]
fn a_changed_spelling_is_the_same_column_and_is_told() {
    let files = [("1.json", "{\"Id\":1,\"x\":1}\n"), ("2.json", "{\"ID\":2,\"x\":1}\n")];
    let table = check_columns(&files, &["id int", "x int"]);
    assert_eq!(table.storage.serde_parameters["paths"], "ID,x");
    assert_eq!(table.parameters["crawlguard.former_keys"], r#"{"id":["Id"]}"#);
}

#[test]
fn the_table_is_as_glue_writes_it() {
    let lake = Lake::of(&[("part/a.json.gz", &gzip(b"{\"Id\":1}\n{\"Id\":2}\n"))]);
    let table = lake.table();
    assert_eq!(columns(&table), ["id int"]);
    assert_eq!((table.database.as_str(), table.name.as_str()), ("lake", "raw_t"));
    assert_eq!(table.storage.serde.as_deref(), Some(Storage::OPENX_JSON));
    assert_eq!(table.storage.classification.as_deref(), Some("json"));
    assert_eq!(table.storage.compression.as_deref(), Some("gzip"));
    assert_eq!(table.storage.input_format.as_deref(), Some("org.apache.hadoop.mapred.TextInputFormat"));
    let real = lake.path().canonicalize().expect("the lake is there");
    assert_eq!(table.location, Some(format!("{}/t/", real.display())));
    assert_eq!(table.parameters["compressionType"], "gzip");
    assert_eq!(table.parameters["classification"], "json");
    assert_eq!(table.parameters["typeOfData"], "file");
    assert_eq!(table.parameters["UPDATED_BY_CRAWLER"], "crawlguard");
    assert_eq!(table.parameters["recordCount"], "2");
    assert_eq!(table.partition_keys[0].name, "partition_0");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data() {
    check("\u{feff}{\"a\":1}\r\n{\"a\":2}\r\n", &["a int"]);
}

/// Records whose columns hold one kind of value each, and nulls.
fn records() -> impl Strategy<Value = Vec<Value>> {
    let number = prop_oneof![any::<i32>().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(json!(1.5))];
    let text = prop_oneof![Just(json!(true)), ".{0,3}".prop_map(Value::from), any::<i32>().prop_map(Value::from)];
    let items = proptest::collection::vec(any::<i32>(), 0..3).prop_map(Value::from);
    let object = proptest::option::of(any::<i64>()).prop_map(|id| json!({ "Id": id }));
    let record = (
        proptest::option::of(number),
        proptest::option::of(text),
        proptest::option::of(items),
        proptest::option::of(object),
    );
    let record = record.prop_map(|(n, t, i, o)| json!({ "n": n, "t": t, "i": i, "o": o }));
    proptest::collection::vec(record, 1..6)
}

fn types(records: &[Value]) -> BTreeMap<String, String> {
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    let table = Lake::of(&[("a.json", lines.as_bytes())]).table();
    table.columns.into_iter().map(|column| (column.name, column.data_type.to_string())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn types_do_not_depend_on_the_order_of_records(records in records()) {
        let turned: Vec<_> = records.iter().rev().cloned().collect();
        prop_assert_eq!(types(&records), types(&turned));
    }
}
