//! What the crawl describes, read from its files.

use std::sync::Arc;

use crawlguard::catalog::crawl::crawl;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::Lake;

/// The rows of the one source `t`, crawled first.
async fn rows(files: &[(&str, &[u8])]) -> Vec<String> {
    let lake = Lake::new();
    for (name, bytes) in files {
        let path = lake.folder.path().join("lake/t").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let found = crawl(&lake.folder.path().join("lake"), "lake", "raw_");
    assert_eq!(found.problems, []);
    lake.put(&found.tables[0]);
    lake.texts("SELECT * FROM raw_t").await
}

#[tokio::test]
async fn lines_may_end_in_either_way_in_one_table() {
    for text in ["id,name\n1,x\r\n2,y\n3,z\r\n", "id,name\r\n1,x\n2,y\r\n3,z", "id,name\r\n1,x\r\n2,y\r\n3,z\n"] {
        assert_eq!(rows(&[("a.csv", text.as_bytes())]).await, ["1|x", "2|y", "3|z"], "{text:?}");
    }
    let (unix, windows) = (b"id,name\n1,x\n2,\n".as_slice(), b"id,name\r\n3,z\r\n4,\r\n".as_slice());
    assert_eq!(rows(&[("a.csv", unix), ("b.csv", windows)]).await, ["1|x", "2|", "3|z", "4|"]);
    assert_eq!(rows(&[("a.csv", windows), ("b.csv", unix)]).await, ["3|z", "4|", "1|x", "2|"]);
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}{{\"a\":1}}\n{{\"a\":2}}\r\n{{\"a\":3}}");
        assert_eq!(rows(&[("a.json", text.as_bytes())]).await, ["1", "2", "3"], "{text:?}");
    }
}

/// Trino 476 reads the same of these files.
#[tokio::test]
async fn an_empty_line_at_the_end_is_a_row() {
    for end in ["\n\n", "\r\n\r\n", "\n \t\n"] {
        let text = format!("{{\"a\":1,\"o\":{{\"k\":2}}}}{end}");
        assert_eq!(rows(&[("a.json", text.as_bytes())]).await, ["1|{k=2}", "NULL|NULL"], "{text:?}");
    }
    assert_eq!(rows(&[("a.csv", b"n,id\nx,1\n\n")]).await, ["x|1", "|NULL"]);
    assert_eq!(
        rows(&[("a.csv", b"id,n\r\n1,x\r\n\r\n"), ("b.csv", b"id,n\n2,y\n")]).await,
        ["1|x", "NULL|NULL", "2|y"]
    );
}

#[tokio::test]
async fn lines_of_either_end_are_all_there_in_a_file_of_several_buffers() {
    let mut text = "id,name\n".to_owned();
    for id in 0..400_000 {
        let end = if id % 7 < 3 { "\r\n" } else { "\n" };
        text += &format!("{id},{}{end}", "x".repeat(id % 150));
    }
    let lake = Lake::new();
    lake.write("lake/t/a.csv", &text);
    lake.put(&crawl(&lake.folder.path().join("lake"), "lake", "raw_").tables[0]);
    let measured = "SELECT count(*), count(DISTINCT id), sum(length(name) - id % 150), count(name) FROM raw_t";
    assert_eq!(lake.texts(measured).await, ["400000|400000|0|400000"]);
}

#[tokio::test]
async fn integers_past_64_bits_keep_every_digit() {
    let (long, negative) = ("99999999999999999999", "-9223372036854775809");
    let lines = format!("{{\"a\":{long},\"o\":{{\"k\":{negative}}},\"l\":[{long},1]}}\n{{\"a\":1}}\n");
    assert_eq!(
        rows(&[("a.json", lines.as_bytes())]).await,
        [format!("{long}|{{k={negative}}}|[{long}, 1]"), "1|NULL|NULL".to_owned()]
    );
    let lines = format!("{{\"a\":{long},\"o\":{{\"k\":1.50}}}}\n{{\"a\":2.50,\"o\":{{\"k\":{negative}}}}}\n");
    assert_eq!(
        rows(&[("a.json", lines.as_bytes())]).await,
        [format!("{long}|{{k=1.50}}"), format!("2.50|{{k={negative}}}")]
    );
    let lines = format!("id,n\n1,{long}\n2,1.50\n");
    assert_eq!(rows(&[("a.csv", lines.as_bytes())]).await, [format!("1|{long}"), "2|1.50".to_owned()]);
}

/// One row: an id, a document, a document in a struct and one in a list.
fn documents() -> Vec<u8> {
    let schema = "message m { required int64 id; required binary j (JSON); required group s { required binary J (JSON); } \
                  required group l (LIST) { repeated group list { required binary element (JSON); } } \
                  required binary e (ENUM); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(WriterProperties::builder().build())).unwrap();
    let mut group = file.next_row_group().unwrap();
    let text = |text: &str| [ByteArray::from(text)];
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1], None, None).unwrap();
    column.close().unwrap();
    for (value, levels) in [("{\"a\":  1.50}", None), ("[1, 2]", None), ("\"x\"", Some(([1], [0]))), ("red", None)] {
        let mut column = group.next_column().unwrap().unwrap();
        let (definition, repetition) = match &levels {
            Some((definition, repetition)) => (Some(definition.as_slice()), Some(repetition.as_slice())),
            None => (None, None),
        };
        column.typed::<ByteArrayType>().write_batch(&text(value), definition, repetition).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

/// Numbers from 0 on, as an integer and as a decimal of two places.
fn numbers(decimal: &str, count: i64) -> Vec<u8> {
    let schema = format!("message m {{ required int64 id; required int64 price (DECIMAL({decimal})); }}");
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut bytes = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    let values: Vec<i64> = (0..count).collect();
    for _ in 0..2 {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

#[tokio::test]
async fn decimals_of_one_table_are_read_as_the_widest() {
    let (narrow, wide) = (numbers("10,2", 2), numbers("18,2", 2));
    let expected = ["0|0.00", "1|0.01", "0|0.00", "1|0.01"];
    assert_eq!(rows(&[("a.parquet", &narrow), ("b.parquet", &wide)]).await, expected);
    let by_day = rows(&[("dt=1/a.parquet", &narrow), ("dt=2/b.parquet", &wide)]).await;
    assert_eq!(by_day, ["0|0.00|1", "1|0.01|1", "0|0.00|2", "1|0.01|2"]);
}

#[tokio::test]
async fn a_damaged_page_is_told_by_its_file() {
    let whole = numbers("10,2", 60);
    let (_, end) = whole.split_at(whole.len() - 8);
    let footer = whole.len() - 8 - usize::try_from(u32::from_le_bytes(end[..4].try_into().unwrap())).unwrap();
    let mut told = 0;
    for at in (4..footer).step_by(37) {
        let mut damaged = whole.clone();
        damaged[at..(at + 60).min(footer)].fill(0xff);
        let lake = Lake::new();
        std::fs::create_dir_all(lake.folder.path().join("lake/t")).unwrap();
        for (name, bytes) in [("a.parquet", &whole), ("b.parquet", &damaged)] {
            std::fs::write(lake.folder.path().join("lake/t").join(name), bytes).unwrap();
        }
        lake.put(&crawl(&lake.folder.path().join("lake"), "lake", "raw_").tables[0]);
        let Err(message) = lake.query("SELECT sum(id) AS id, sum(price) AS price FROM raw_t").await else { continue };
        assert!(message.starts_with("the file `b.parquet` is damaged, or cannot be read"), "{at}: {message}");
        told += 1;
    }
    assert!(told > 2, "{told}");
}

#[tokio::test]
async fn a_document_in_parquet_is_its_text() {
    assert_eq!(rows(&[("a.parquet", &documents())]).await, ["1|{\"a\":  1.50}|{J=[1, 2]}|[\"x\"]|red"]);
    // A name tells nothing of Parquet.
    assert_eq!(rows(&[("a.snappy", &documents())]).await.len(), 1);
}

#[tokio::test]
async fn text_is_unpacked_by_the_end_of_its_name_alone() {
    let lake = Lake::new();
    let table = lake.table("raw_t", crawlguard::schema::Storage::LAZY_SIMPLE, &[("line", "string")]);
    lake.put(&table);
    lake.write("raw_t/1.csv.GZ", "a\n");
    assert_eq!(lake.texts("SELECT line FROM raw_t").await, ["a"]);
    lake.write("raw_t/2.csv.zst", "b\n");
    assert_eq!(lake.texts("SELECT line FROM raw_t").await, ["a", "b"]);
    lake.write("raw_t/3.csv.gz", "");
    assert_eq!(lake.texts("SELECT line FROM raw_t").await, ["a", "b"]);
    lake.write("raw_t/3.csv.gz", "c\n");
    let message = lake.query("SELECT line FROM raw_t").await.unwrap_err();
    assert!(message.contains("has files with and without `.gz` in one folder"), "{message}");
}
