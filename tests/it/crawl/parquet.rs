//! Parquet.

use std::sync::Arc;

use crawlguard::schema::Storage;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::lake::{Lake, columns};

/// A Parquet file of these fields and no row.
pub fn parquet(fields: &str) -> Vec<u8> {
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).expect("the test's schema is sound");
    let mut bytes = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    SerializedFileWriter::new(&mut bytes, Arc::new(schema), properties)
        .and_then(|writer| writer.close())
        .expect("written in memory");
    bytes
}

#[test]
fn columns_come_from_the_footer() {
    let fields = "required int64 ID; optional binary Name (UTF8); optional int32 d (DATE); \
        optional fixed_len_byte_array(8) price (DECIMAL(18,2)); optional int64 at (TIMESTAMP_MICROS); \
        optional group tags (LIST) { repeated group list { optional binary element (UTF8); } } \
        optional group o { optional double Lat; } \
        optional group m (MAP) { repeated group key_value { required binary key (UTF8); optional int32 value; } }";
    let table = Lake::of(&[("a.parquet", &parquet(fields))]).table();
    assert_eq!(
        columns(&table),
        [
            "id bigint",
            "name string",
            "d date",
            "price decimal(18,2)",
            "at timestamp",
            "tags array<string>",
            "o struct<Lat:double>",
            "m map<string,int>",
        ]
    );
    assert_eq!(table.storage.serde.as_deref(), Some(Storage::PARQUET));
    assert_eq!(table.storage.classification.as_deref(), Some("parquet"));
    assert_eq!(table.parameters["compressionType"], "none");
    assert_eq!(table.parameters["recordCount"], "0");
}

#[test]
fn files_merge_by_name() {
    let old = parquet("required int32 id; required float x; required int32 Gone;");
    let new = parquet("required double x; required boolean is_new; required int64 id;");
    let table = Lake::of(&[("b.parquet", &old), ("a.parquet", &new)]).table();
    assert_eq!(columns(&table), ["id bigint", "x double", "gone int", "is_new boolean"]);
    assert_eq!(table.parameters["crawlguard.missing_in_newest"], r#"["gone"]"#);
}

#[test]
fn decimals_merge_to_the_one_that_holds_both() {
    let decimals = |price: &str, rate: &str| {
        parquet(&format!(
            "required int32 id; required fixed_len_byte_array(8) price (DECIMAL({price})); \
             required fixed_len_byte_array(8) rate (DECIMAL({rate}));"
        ))
    };
    let (narrow, wide) = (decimals("10,2", "12,4"), decimals("18,2", "10,2"));
    let lake = Lake::of(&[("a.parquet", &narrow), ("b.parquet", &wide)]);
    assert_eq!(columns(&lake.table()), ["id int", "price decimal(18,2)", "rate decimal(12,4)"]);
    let other = decimals("10,4", "12,4");
    let neither = Lake::of(&[("a.parquet", &narrow), ("b.parquet", &other)]).problems();
    assert_eq!(neither, ["t/b.parquet:schema: column `price` is decimal(10,4) here and decimal(10,2) in older files"]);
}

#[test]
fn every_file_of_the_newest_day_is_looked_at() {
    let all = parquet("required int32 id; required int32 x; required group o { required int32 a; required int32 b; }");
    let without_x = parquet("required int32 id; required group o { required int32 a; }");
    let without_o = parquet("required int32 id; required int32 x;");
    let lake = Lake::of(&[
        ("dt=2026-01-01/a.parquet", &all),
        ("dt=2026-01-02/b.parquet", &without_x),
        ("dt=2026-01-02/a.parquet", &without_o),
    ]);
    let table = lake.table();
    assert_eq!(table.parameters["crawlguard.missing_in_some"], r#"["o","x"]"#);
    assert_eq!(table.parameters["crawlguard.missing_in_newest"], r#"["o.b"]"#);
}

#[test]
fn types_that_do_not_agree_are_a_problem() {
    let old = parquet("required int32 id; required binary x (UTF8); required int32 y (DATE);");
    let new = parquet("required binary id (UTF8); required binary x (UTF8); required int64 y (TIMESTAMP_MILLIS);");
    let lake = Lake::of(&[("a.parquet", &old), ("b.parquet", &new)]);
    assert_eq!(
        lake.problems(),
        [
            "t/b.parquet:schema: column `id` is string here and int in older files",
            "t/b.parquet:schema: column `y` is timestamp here and date in older files",
        ]
    );
}

#[test]
fn a_type_without_a_glue_type_is_a_problem() {
    let bytes = parquet(
        "required int32 id; required int32 t (TIME_MILLIS); required int32 ID; \
         optional group o { required fixed_len_byte_array(16) u (UUID); }",
    );
    let problems = Lake::of(&[("a.parquet", &bytes)]).problems();
    assert_eq!(problems.len(), 3);
    assert!(problems[0].contains("column `id` comes twice"), "{problems:?}");
    assert!(problems[1].contains("column `o`: no Glue type holds a UUID"), "{problems:?}");
    assert!(problems[2].contains("column `t`: no Glue type holds a time of day"), "{problems:?}");
}

#[test]
fn a_file_cut_off_anywhere_is_a_problem() {
    let whole = parquet("required int32 id;");
    for length in 4..whole.len() {
        let problems = Lake::of(&[("a.parquet", &whole[..length])]).problems();
        assert_eq!(problems.len(), 1, "{length} bytes");
        assert!(problems[0].starts_with(&format!("t/a.parquet:byte {length}: the Parquet footer")), "{problems:?}");
    }
}
