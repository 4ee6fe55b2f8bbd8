//! Glue's JSON as a table.

use crawlguard::schema::UNREADABLE;

use super::*;

#[test]
fn glue_output_is_read_in_every_wrapping() {
    let table = json!({
        "Name": "raw_orders", "DatabaseName": "lake", "VersionId": "7", "TableType": "EXTERNAL_TABLE",
        "CreateTime": "2026-01-02T03:04:05+00:00", "Retention": 0,
        "Parameters": {"classification": "csv", "skip.header.line.count": "1", "CRAWL_RUN_ID": "x"},
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": {
            "Columns": [
                {"Name": "e \"mail\" address", "Type": "string", "Comment": "c"},
                {"Name": "empty", "Type": "string", "Parameters": {"crawlguard.evidence": "none"}},
                {"Name": "odd", "Type": "interval day"},
            ],
            "Location": "s3://lake/orders/",
            "SerdeInfo": {"SerializationLibrary": "com.example.Serde", "Parameters": {"k": "v"}},
            "Parameters": {"compressionType": "gzip"},
        },
    });
    let wrappings = [json!({"Table": table}), json!({"TableList": [table]}), json!([table]), table.clone()];
    let read: Vec<_> =
        wrappings.iter().map(|value| glue_json::read("dump.json", &value.to_string()).expect("reads")).collect();
    assert!(read.windows(2).all(|pair| pair[0] == pair[1]));
    let table = &read[0][0];
    assert_eq!(
        (table.name.as_str(), table.database.as_str(), table.version.as_deref()),
        ("raw_orders", "lake", Some("7"))
    );
    assert_eq!(table.columns[0].name, "e \"mail\" address");
    assert_eq!(table.columns[1].evidence, Evidence::None);
    assert_eq!(table.columns[2].data_type, DataType::Unrecognized("interval day".into()));
    assert_eq!(table.storage.serde.as_deref(), Some("com.example.Serde"));
    assert_eq!((table.storage.skip_header_lines, table.storage.compression.as_deref()), (1, Some("gzip")));
    assert_eq!(table.parameters["CRAWL_RUN_ID"], "x");
}

#[test]
fn glue_kinds_and_the_crawlers_marker() {
    let read = |table_type: &str, parameters: Value| {
        let table = json!({"Name": "t", "TableType": table_type, "Parameters": parameters, "StorageDescriptor": {}});
        let table = glue_json::read("t.json", &table.to_string()).expect("reads").remove(0);
        (table.kind, table.deprecated)
    };
    assert_eq!(read("VIRTUAL_VIEW", json!({})), (TableKind::View, false));
    assert_eq!(read("EXTERNAL_TABLE", json!({"table_type": "ICEBERG"})), (TableKind::Iceberg, false));
    assert_eq!(read("EXTERNAL_TABLE", json!({"table_type": "HIVE"})), (TableKind::External, false));
    assert_eq!(read("EXTERNAL_TABLE", json!({"DEPRECATED_BY_CRAWLER": "1767323045000"})), (TableKind::External, true));
}

#[test]
fn glue_output_that_is_not_whole_is_refused() {
    let cases = [
        ("{\"TableList\": [{\"Name\": \"a\"", vec!["1:27"]),
        ("{\"TableList\": [], \"NextToken\": \"x\"}", vec!["NextToken"]),
        ("{\"Table\": {\"Name\": 7}}", vec!["1:20"]),
        ("", vec!["1:1"]),
        (
            "[{\"StorageDescriptor\": {\"Columns\": [{\"Name\": \"a\"}, {\"Type\": \"int\"}]}}, {\"Name\": \"link\"}]",
            vec![
                "table 1 (`?`)",
                "table 1 (`?`).StorageDescriptor.Columns[0]",
                "table 1 (`?`).StorageDescriptor.Columns[1]",
                "table 2 (`link`)",
            ],
        ),
    ];
    for (text, expected) in cases {
        let problems = glue_json::read("dump.json", text).expect_err(text).0;
        let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, expected, "{problems:?}");
    }
}

#[test]
fn a_catalogs_reader_marks_what_is_no_table_of_files() {
    let text = "[{\"Name\": \"link\"}, {\"Name\": \"half\", \"StorageDescriptor\": {\"Columns\": [{\"Name\": \"a\"}]}}, {\"Name\": \"t\", \"StorageDescriptor\": {}}]";
    let tables = glue_json::read_any("Glue", text).unwrap();
    let why = |index: usize| tables[index].parameters.get(UNREADABLE).map(String::as_str);
    assert!(why(0).unwrap().starts_with("it has no `StorageDescriptor`; mend it"), "{:?}", why(0));
    assert!(why(1).unwrap().starts_with("its StorageDescriptor.Columns[0] has no `Type`; mend it"), "{:?}", why(1));
    assert_eq!(why(2), None);
}
