//! What arrives broken: each a problem that names file and place, and no table.

use proptest::prelude::*;

use super::lake::{Lake, gzip};
use super::parquet::parquet;

#[track_caller]
fn check(files: &[(&str, &[u8])], expected: &[&str]) {
    assert_eq!(Lake::of(files).problems(), expected);
}

#[test]
fn empty_files() {
    check(&[("a.csv", b""), ("b.csv.gz", b"")], &["t: every file is empty"]);
    check(&[("a.json", b"\xef\xbb\xbf"), ("b.csv", b"\xef\xbb\xbf")], &["t: every file is empty"]);
    check(&[("a.json.gz", &gzip(b""))], &["t: every file is empty"]);
    check(&[("a.json", b"{}\n")], &["t: no column was found"]);
    // An old one was told of when it was new.
    let lake = Lake::of(&[("a.json", b""), ("b.json", b"{\"a\":1}")]);
    assert_eq!(lake.table().parameters["objectCount"], "1");
}

#[test]
fn empty_lines_are_rows_to_athena() {
    let message = "starts with lines of white space alone: Athena reads a row from each";
    check(&[("a.json", b"\n \n"), ("b.json", b"{\"a\":1}\n")], &[&format!("t/a.json:byte 0: {message}")]);
    check(&[("a.csv", b"\xef\xbb\xbf\r\n"), ("b.csv", b"id,n\n1,x\n")], &[&format!("t/a.csv:byte 0: {message}")]);
    let far = [b" \n".repeat(3000).as_slice(), b"{\"a\":1}\n"].concat();
    check(&[("a.json", &far), ("b.json", b"{\"a\":1}\n")], &[&format!("t/a.json:byte 0: {message}")]);
    let message = "the line is empty: Athena reads a row of NULLs";
    check(
        &[("a.json", b"{\"a\":1}\n\n{\"a\":2}\n \t\r\n\n")],
        &[&format!("t/a.json:line 2: {message}"), &format!("t/a.json:line 4: {message}")],
    );
}

#[test]
fn one_empty_line_at_the_end_is_a_row_and_a_note() {
    let said = |files: &[(&str, &[u8])]| {
        let table = Lake::of(files).table();
        let notes = crawlguard::catalog::notes(std::slice::from_ref(&table));
        let note = notes.first().map(|note| format!("{}: {}", note.place, note.message));
        (table.parameters["recordCount"].clone(), note)
    };
    let json = "the file ends in an empty line: Athena reads a row from it, and every column of it is NULL";
    assert_eq!(said(&[("a.json", b"{\"a\":1}\n")]), ("1".to_owned(), None));
    assert_eq!(said(&[("a.json", b"{\"a\":1}\n\n")]), ("2".to_owned(), Some(format!("line 2: {json}"))));
    assert_eq!(said(&[("a.json", b"{\"a\":1}\r\n \r\n")]), ("2".to_owned(), Some(format!("line 2: {json}"))));
    let row = "Athena reads a row from it, with nothing in its first column and NULL in the others";
    let csv = format!("line 3: the file ends in an empty line: {row}");
    assert_eq!(said(&[("a.csv", b"id,n\n1,x\n\n")]), ("2".to_owned(), Some(csv)));
    let both = format!("line 3: the file ends in an empty line, and so does another file: {row}");
    let files: &[(&str, &[u8])] = &[("a.csv", b"id,n\n1,x\n\n"), ("b.csv", b"id,n\n2,y\n\n")];
    assert_eq!(said(files), ("4".to_owned(), Some(both)));
    check(&[("a.csv", b"id,n\n1,x\n\n\n")], &[&format!("t/a.csv:line 3: the line is empty: {row}")]);
}

#[test]
fn companions_of_data_files() {
    let said = "is no data by its name, and Athena reads it as if it were";
    let (row, sum) = (b"{\"a\":1}\n".as_slice(), b"9e107d9d372bb6826bd81d3542a419d6  a.json\n".as_slice());
    check(&[("a.json", row), ("a.json.md5", sum)], &[&format!("t/a.json.md5: {said}")]);
    check(&[("b.json", row), ("a.json.tmp", row)], &[&format!("t/a.json.tmp: {said}")]);
    check(&[("p=1/part", row), ("p=1/part.CRC", sum)], &[&format!("t/p=1/part.CRC: {said}")]);
    check(
        &[("a.json", row), ("a.json.md5", sum), ("b.json", row), ("b.json.md5", sum)],
        &["t/a.json.md5: is no data by its name, nor is `b.json.md5`; Athena reads them all"],
    );
    let lake = Lake::of(&[("a.json", row), ("_a.json.md5", sum), (".a.json.crc", sum), ("a.json.1", row)]);
    assert_eq!(lake.table().parameters["objectCount"], "2");
}

#[test]
fn an_empty_file_among_the_newest() {
    const ROW: &[u8] = b"{\"a\":1}";
    const SAID: &str = "is one of the newest files, and it is empty";
    check(&[("1.json", ROW), ("2.json", b"")], &[&format!("t/2.json: {SAID}")]);
    check(
        &[("dt=2026-01-01/eu.json", b""), ("dt=2026-01-02/eu.json", ROW), ("dt=2026-01-02/us.json", b"")],
        &[&format!("t/dt=2026-01-02/us.json: {SAID}")],
    );
    // A whole job that wrote nothing, in the day's second folder.
    let parts = |last: &'static [u8]| -> [(&'static str, &'static [u8]); 4] {
        [
            ("dt=2026-01-01/h=1/part-00000-a.json", ROW),
            ("dt=2026-01-02/h=1/part-00000-b.json", b""),
            ("dt=2026-01-02/h=1/part-00001-b.json", ROW),
            ("dt=2026-01-02/h=2/000000_0.json", last),
        ]
    };
    check(&parts(b""), &[&format!("t/dt=2026-01-02/h=2/000000_0.json: {SAID}")]);
    assert_eq!(Lake::of(&parts(ROW)).table().parameters["objectCount"], "3");
    for (filled, empty) in [("part-00000-a.json", "part-00001-a.json"), ("000000_0", "000001_0")] {
        assert_eq!(Lake::of(&[(filled, ROW), (empty, b"")]).table().parameters["objectCount"], "1", "{empty}");
    }
}

#[test]
fn json_that_is_not_one_object_a_line() {
    check(&[("a.json", b"[{\"a\":1},\n{\"a\":2}]\n")], &["t/a.json:line 1: the file is one JSON array"]);
    check(&[("a.json", b"[\n{\"a\":2}\n]\n")], &["t/a.json:line 1: the file is one JSON array"]);
    check(&[("a.json", b"{\n  \"a\": 1\n}\n")], &["t/a.json:line 1: a JSON object does not end on its line"]);
    check(
        &[("a.json", b"{\"a\":1}\n{\"a\":}\n{\"a\":2}{\"a\":3}\n7\n")],
        &[
            "t/a.json:2:6: invalid JSON: expected value",
            "t/a.json:3:8: invalid JSON: trailing characters",
            "t/a.json:4:1: invalid JSON: invalid type: integer `7`, expected an object",
        ],
    );
    check(&[("a.json", b"{\"a\":1}\n{\"a\":\"cut")], &["t/a.json:2:9: invalid JSON: EOF while parsing a string"]);
}

#[test]
fn json_values_that_no_type_holds() {
    check(
        &[
            ("1.json", b"{\"a\":1,\"b\":{\"c\":[1]},\"d\":[1]}\n"),
            ("2.json", b"{\"a\":2}\n{\"a\":{\"x\":1},\"b\":{\"c\":[{\"y\":1}]},\"d\":\"x\"}\n"),
        ],
        &[
            "t/2.json:line 2: `a` is an object here and a plain value before",
            "t/2.json:line 2: `b.c[]` is an object here and a plain value before",
            "t/2.json:line 2: `d` is a plain value here and an array before",
        ],
    );
}

#[test]
fn json_keys_that_no_column_holds() {
    check(
        &[("a.json", b"{\"a\":1}\n{\"a\":1,\"A\":2,\"b\":{\"x\":1,\"x\":2}}\n")],
        &[
            "t/a.json:line 2: key `A` comes twice in one object, letter case aside",
            "t/a.json:line 2: key `b.x` comes twice in one object, letter case aside",
        ],
    );
    check(&[("a.json", b"{\"a,b\":1}\n")], &["t/a.json:line 1: key `a,b` holds a comma"]);
    check(&[("a.json", b"{\"\":1}\n")], &["t: column name `` does not fit the catalog"]);
    check(&[("a.json", b"{\"a\\nb\":1}\n")], &["t: column name `a\\nb` does not fit the catalog"]);
    check(
        &[("a.json", b"{\"o\":{\"x:y\":1}}\n")],
        &["t: the field `x:y` inside column `o` has a name that Athena cannot read"],
    );
    for name in ["a-b", "a\\\"b", "a(b", "a/b", "a#b", " a"] {
        let line = format!("{{\"o\":[{{\"k\":{{\"{name}\":1}}}}]}}\n");
        let problems = Lake::of(&[("a.json", line.as_bytes())]).problems();
        assert!(problems[0].ends_with("inside column `o` has a name that Athena cannot read"), "{problems:?}");
    }
    let fine = "{\"o\":{\"a b\":1,\"a.b\":1,\"a$b\":1,\"é\":1,\"a_1\":1}}";
    assert_eq!(Lake::of(&[("a.json", fine.as_bytes())]).table().columns.len(), 1);
}

#[test]
fn keys_that_are_values_make_a_type_too_long() {
    let ids: Vec<_> = (0..12_000).map(|id| format!("\"k{id:06}\":1")).collect();
    let line = format!("{{\"by_id\":{{{}}}}}", ids.join(","));
    let problems = Lake::of(&[("a.json", line.as_bytes())]).problems();
    assert_eq!(problems, ["t: the type of column `by_id` is 144007 bytes long, 131072 fit the catalog"]);
}

#[test]
fn text_that_is_no_utf8() {
    check(&[("a.json", b"{\"a\":1}\n{\"a\":\"\xff\"}\n")], &["t/a.json:2:7: invalid UTF-8"]);
    check(&[("a.csv", b"id,name\n1,x\n2,Jos\xe9\n")], &["t/a.csv:3:6: invalid UTF-8"]);
    check(&[("a.csv", b"\xff\xfei\0d\0")], &["t/a.csv:byte 0: is UTF-16 (little-endian) text"]);
    check(&[("a.json", b"\xfe\xff\0{\0}")], &["t/a.json:byte 0: is UTF-16 (big-endian) text"]);
    check(&[("a.csv", b"i\0d\0,\0")], &["t/a.csv:byte 0: holds binary data or UTF-16 text"]);
}

#[test]
fn lines_that_end_in_a_carriage_return() {
    let message = "a lone carriage return ends a line";
    check(&[("a.json", b"{\"a\":1}\r{\"a\":2}\r")], &[&format!("t/a.json:line 1: {message}")]);
    check(&[("a.csv", b"id,name\r1,x\r2,y\r")], &[&format!("t/a.csv:line 1: {message}")]);
    check(&[("a.csv", b"id,name\n1,x\r2,y\n3,z\n")], &[&format!("t/a.csv:line 2: {message}")]);
    check(&[("a.csv", b"id,name\n1,x\r\n2,y\r\r\n")], &[&format!("t/a.csv:line 3: {message}")]);
    // At the end of a file, and where JSON allows white space.
    check(&[("a.csv", b"id,name\n1,x\r")], &[&format!("t/a.csv:line 2: {message}")]);
    check(&[("a.json", b"{\"a\":1}\n{\"a\":2}\r")], &[&format!("t/a.json:line 2: {message}")]);
    check(&[("a.json", b"{\"a\":1}\n{\"a\":2,\r\"b\":1}\n")], &[&format!("t/a.json:line 2: {message}")]);
}

#[test]
fn nul_bytes() {
    let (row, line) = (b"1,xxxxxxxxxxxxxxxxxx\n".repeat(400), b"{\"a\":\"xxxxxxxxxxxx\"}\n".repeat(400));
    for (bad, place) in [(b"2,a\0b\n".as_slice(), "402:4"), (b"2,\xc3\xa9\0\n", "402:5"), (b"\0\0\0\0", "402:1")] {
        let text = [b"id,name\n".as_slice(), &row, bad, b"3,x\n"].concat();
        let problems = Lake::of(&[("a.csv", &text)]).problems();
        assert_eq!(problems[0], format!("t/a.csv:{place}: holds a NUL byte"));
    }
    for (bad, place) in [(b"{\"a\":\"x\0\"}\n".as_slice(), "401:8"), (b"\0\0\0\0", "401:1"), (b"{\"a\":\0 1}", "401:6")]
    {
        let text = [&line, bad].concat();
        check(&[("a.json", &text)], &[&format!("t/a.json:{place}: holds a NUL byte")]);
    }
    check(&[("a.json", b"{\"a\\u0000\":1}\n")], &["t: column name `a\\0` does not fit the catalog"]);
}

#[test]
fn csv_files_that_differ() {
    check(
        &[("a.csv", b"id,name\n1,x\n"), ("b.csv", b"id;name\n1;x\n")],
        &["t/b.csv:line 1: cells are divided by `;`, in `a.csv` by `,`"],
    );
    check(
        &[("a.csv", b"id,name\n1,x\n"), ("b.csv", b"2,y\n3,z\n"), ("c.csv", b"x,y\nz,w\n")],
        &[
            "t/b.csv:line 1: the file has no header, `a.csv` has one",
            "t/c.csv:line 1: the file has no header, `a.csv` has one",
        ],
    );
    check(
        &[("a.csv", b"2,y\n3,z\n"), ("b.csv", b"4,w\n"), ("c.csv", b"id,name\n1,x\n")],
        &["t/c.csv:line 1: the file has a header, `a.csv` has none"],
    );
}

#[test]
fn csv_rows_and_names() {
    check(
        &[("a.csv", b"id,name\n1,x\n2\n3,y,z\n\n4,w\n")],
        &[
            "t/a.csv:line 3: 1 cell in a file of 2 columns",
            "t/a.csv:line 4: 3 cells in a file of 2 columns",
            "t/a.csv:line 5: the line is empty: Athena reads a row from it, with nothing in its first column and NULL in \
             the others",
        ],
    );
    check(
        &[("a.csv", b"id,name,ID,name\n1,x,2,y\n")],
        &[
            "t/a.csv:line 1: column `id` comes twice, letter case aside",
            "t/a.csv:line 1: column `name` comes twice, letter case aside",
        ],
    );
    check(
        &[("a.csv", b"id,name\n1,\"two\nlines\"\n")],
        &["t/a.csv:line 2: a quoted cell does not end on its line", "t/a.csv:line 3: 1 cell in a file of 2 columns"],
    );
    check(
        &[("a.csv", b"name\nx\n")],
        &["t/a.csv:line 1: one column only, or none of `,`, tab, `|` and `;` divides the cells"],
    );
}

#[test]
fn formats_that_are_not_read() {
    check(&[("a.orc", b"ORC\x0a")], &["t/a.orc:byte 0: is an ORC file, which is not read here"]);
    check(&[("a.avro", b"Obj\x01\x04")], &["t/a.avro:byte 0: is an Avro file, which is not read here"]);
    check(&[("a.csv", b"PK\x03\x04")], &["t/a.csv:byte 0: is a zip archive, which is not read here"]);
}

#[test]
fn text_that_is_not_packed_with_gzip() {
    for (bytes, name) in [
        (b"BZh91AY&SY\xbc\xe6".as_slice(), "bzip2 data"),
        (b"\x28\xb5\x2f\xfd\x24\x11\x89", "Zstandard data"),
        (b"\xff\x06\0\0sNaPpY\x01", "Snappy data"),
        (b"\x04\x22\x4d\x18\x64\x40", "LZ4 data"),
        (b"\x89LZO\0\x0d\x0a\x1a\x0a", "LZO data"),
        (b"\xfd7zXZ\0\0\x04", "xz data"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
        (b"PK\x05\x06\0\0", "a zip archive"),
    ] {
        let message = format!("is {name}, which is not read here");
        check(&[("a.json", bytes)], &[&format!("t/a.json:byte 0: {message}")]);
        check(&[("a.csv.gz", &gzip(bytes))], &[&format!("t/a.csv.gz:byte 0: {message}")]);
    }
    let text = b"id,name\n1,x\n";
    for end in ["bz2", "zst", "ZST", "snappy", "lz4", "lzo", "deflate", "zip", "xz", "gzip"] {
        let message = format!("is named `.{}`, which is not read here", end.to_lowercase());
        check(&[(&format!("a.csv.{end}"), text)], &[&format!("t/a.csv.{end}:byte 0: {message}")]);
    }
    // A header that only starts like bzip2 is text, and an empty file is nothing.
    assert_eq!(Lake::of(&[("a.csv.zst", b""), ("b.csv", b"BZh1,n\n1,2\n")]).table().columns[0].name, "bzh1");
    let mut lake = Lake::new();
    lake.add("orders.csv.zst", b"");
    assert_eq!(lake.problems(), ["orders.csv.zst: a data file lies in no source's folder"]);
}

#[test]
fn folders_without_data_and_data_without_a_folder() {
    check(&[("_SUCCESS", b""), (".a.json.crc", b"x")], &["t: the folder holds no data file"]);
    let mut lake = Lake::new();
    lake.add("orders.CSV.gz", b"");
    lake.add("README.md", b"about the lake");
    assert_eq!(lake.problems(), ["orders.CSV.gz: a data file lies in no source's folder"]);
}

#[test]
fn numbers_and_depths_that_are_not_read() {
    check(&[("a.json", b"{\"a\":1e400}\n")], &["t/a.json:1:10: invalid JSON: number out of range"]);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    check(&[("a.json", deep.as_bytes())], &["t/a.json:1:132: invalid JSON: recursion limit exceeded"]);
}

#[test]
fn quotes_that_lazy_simple_serde_does_not_know() {
    check(
        &[("a.csv", b"id,name\n1,\"Doe, Ann\"\n")],
        &[
            "t/a.csv:line 2: a quoted cell holds the delimiter: LazySimpleSerDe, which a crawler chooses for CSV, splits there",
        ],
    );
    check(
        &[("a.csv", b"id,name\n1,\"x\"\n2,y\n"), ("b.csv", b"id,name\n3,z\n\"4\",w\n\"5\",w\n")],
        &["t/b.csv:line 3: a number of column `id` stands in quotes: LazySimpleSerDe reads NULL"],
    );
    let help = &Lake::of(&[("a.csv", b"id,name\n1,\"Doe, Ann\"\n")]).crawl().problems[0].help;
    assert!(
        help.ends_with("[targets.local.classifiers.t]\n    serde = \"OpenCSVSerDe\"\n    header = \"present\""),
        "{help}"
    );
}

#[test]
fn files_that_are_not_what_they_are_named() {
    check(&[("a.json.gz", b"{\"a\":1}\n")], &["t/a.json.gz:byte 0: is named `.gz` and holds no gzip data"]);
    check(&[("a.json", &gzip(b"{\"a\":1}\n"))], &["t/a.json:byte 0: holds gzip data and is not named `.gz`"]);
    let problem = "t/a.json.GZ:byte 0: holds gzip data and is not named `.gz`";
    check(&[("a.json.GZ", &gzip(b"{\"a\":1}\n"))], &[problem]);
    check(&[("a.json.GZ", b"{\"a\":1}\n")], &["t/a.json.GZ:byte 0: is named `.gz` and holds no gzip data"]);
    check(&[("a.parquet", b"id,name\n1,x\n")], &["t/a.parquet:byte 0: is named `.parquet` and does not start as one"]);
    let packed = gzip(&parquet("required int32 id;"));
    check(&[("a.parquet.gz", &packed)], &["t/a.parquet.gz:byte 0: is Parquet inside gzip"]);
    let cut = gzip("{\"a\":1}\n".repeat(100).as_bytes());
    let problems = Lake::of(&[("a.json.gz", &cut[..cut.len() - 12])]).problems();
    assert!(problems[0].starts_with("t/a.json.gz") && problems[0].contains("cannot be read"), "{problems:?}");
}

#[test]
fn folders_whose_files_do_not_belong_together() {
    check(
        &[("a.json", b"{\"a\":1}"), ("b.csv", b"id,name\n1,x\n"), ("c.parquet", &parquet("required int32 a;"))],
        &["t: files differ in format or compression: `a.json` (json), `b.csv` (csv), `c.parquet` (parquet)"],
    );
    check(
        &[("a.json", b"{\"a\":1}"), ("b.json.gz", &gzip(b"{\"a\":1}"))],
        &["t: files differ in format or compression: `a.json` (json), `b.json.gz` (json, gzip)"],
    );
    check(
        &[("y=1/a.json", b"{\"a\":1}"), ("b.json", b"{\"a\":1}")],
        &["t: `y=1/a.json` and `b.json` are in folders of different partition keys"],
    );
    check(&[("A=1/a.json", b"{\"a\":1}")], &["t: partition key `a` is also a column"]);
}

#[test]
fn folders_of_one_table_name() {
    let mut lake = Lake::new();
    lake.add("source-1/a.json", b"{\"a\":1}");
    lake.add("source_1/a.json", b"{\"a\":1}");
    let problems = lake.problems();
    assert_eq!(problems, ["source-1: folders `source-1`, `source_1` would all be table `raw_source_1`"]);
}

#[test]
fn everything_wrong_is_told_at_once_and_one_bad_file_does_not_fill_the_screen() {
    let mut bad = b"id,name\n1,x\n".to_vec();
    bad.extend(b"1\n".repeat(1000));
    let problems = Lake::of(&[("a.csv", &bad), ("b.json", b"{"), ("c.csv", b"id,name\n1\n")]).problems();
    assert_eq!(problems.iter().filter(|problem| problem.starts_with("t/a.csv")).count(), 21);
    assert!(
        problems.iter().any(|problem| problem == "t/a.csv:line 23: 980 more problems like these, from here on"),
        "{problems:?}"
    );
    assert!(problems.iter().any(|problem| problem.starts_with("t/b.json:line 1")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.starts_with("t/c.csv:line 2")), "{problems:?}");
}

#[test]
fn what_cannot_be_opened() {
    let missing = Lake::new();
    let crawl = crawlguard::catalog::crawl::crawl(&missing.path().join("nowhere"), "lake", "raw_");
    assert_eq!(crawl.problems.len(), 1);
    assert!(crawl.problems[0].message.starts_with("cannot be read"));

    #[cfg(unix)]
    {
        let lake = Lake::of(&[("a.json", b"{\"a\":1}")]);
        std::os::unix::fs::symlink("nowhere", lake.path().join("t/b.json")).expect("a link");
        let problems = lake.problems();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("t/b.json: cannot be read"), "{problems:?}");
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..80),
        "[\\[\\]{}\":,0-9a-z\r\n -]{1,80}".prop_map(String::into_bytes),
        "([a-c0-2\";]{0,3}[,;\t\n\r]){1,20}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_give_a_table_or_a_problem(bytes in bytes(), start in prop_oneof![Just("PAR1"), Just("{\"a\":"), Just("")]) {
        let bytes = [start.as_bytes(), &bytes].concat();
        let crawl = Lake::of(&[("a", &bytes)]).crawl();
        prop_assert_eq!(crawl.tables.is_empty(), !crawl.problems.is_empty());
        for table in crawl.tables {
            prop_assert!(!table.columns.is_empty());
            prop_assert!(table.columns.iter().all(|column| !column.data_type.has_unrecognized()));
        }
    }
}

#[test]
fn a_damaged_parquet_footer_is_a_problem_or_another_schema_and_no_panic() {
    let whole = parquet("required int32 id; optional group a (LIST) { repeated group list { optional int64 x; } }");
    for at in 4..whole.len() {
        for damage in [0x00, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = damage;
            let crawl = Lake::of(&[("a.parquet", &bytes)]).crawl();
            assert_eq!(crawl.tables.is_empty(), !crawl.problems.is_empty(), "byte {at} = {damage}");
        }
    }
}
