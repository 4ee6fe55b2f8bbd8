//! CSV.

use std::collections::BTreeMap;

use crawlguard::catalog::crawl::{Classifiers, Crawl, CsvClassifier, CsvHeader, CsvSerde, crawl_with};
use crawlguard::catalog::notes;
use crawlguard::schema::Storage;

use super::lake::{Lake, check_columns, columns, gzip};

/// The table of one file, or the messages, under a classifier.
fn classified(text: &str, classifier: &CsvClassifier) -> Result<crawlguard::schema::Table, Vec<String>> {
    let lake = Lake::of(&[("a.csv", text.as_bytes())]);
    let by_source = BTreeMap::from([("t".to_owned(), classifier.clone())]);
    let classifiers = Classifiers { target: "local", by_source };
    let Crawl { mut tables, problems, .. } = crawl_with(lake.path(), "lake", "raw_", &classifiers);
    match tables.pop() {
        Some(table) => Ok(table),
        None => Err(problems.into_iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()),
    }
}

#[test]
fn an_open_csv_classifier_makes_every_column_a_string() {
    let classifier = CsvClassifier { serde: CsvSerde::OpenCSVSerDe, ..CsvClassifier::default() };
    let table = classified("id,name\n1,\"Doe, Ann\"\n\"2\",\"say \"\"hi\"\"\"\n", &classifier).expect("a table");
    assert_eq!(columns(&table), ["id string", "name string"]);
    assert_eq!(table.storage.serde.as_deref(), Some(Storage::OPEN_CSV));
    assert_eq!(table.storage.skip_header_lines, 1);
    let parameters: Vec<_> = table.storage.serde_parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(parameters, ["escapeChar=\\", "quoteChar=\"", "separatorChar=,"]);
    let table =
        classified("1;'a;b'\n", &CsvClassifier { quote: Some('\''), delimiter: Some(';'), ..classifier.clone() });
    assert_eq!(columns(&table.expect("a table")), ["col0 string", "col1 string"]);
    for (row, problem) in [
        ("1,K\" Street", "line 2: a quote stands inside a cell that does not start with one"),
        ("1,\"a\"b", "line 2: text follows a closing quote"),
        ("1,\"a", "line 2: a quoted cell does not end on its line"),
        ("1,\"a\",", "line 2: 3 cells in a file of 2 columns"),
    ] {
        assert_eq!(classified(&format!("id,name\n{row}\n"), &classifier), Err(vec![problem.to_owned()]));
    }
}

#[test]
fn a_classifier_says_whether_there_is_a_header() {
    let with = |header| CsvClassifier { header, ..CsvClassifier::default() };
    let text = "name,city\nx,y\n";
    for (header, expected, skip) in [
        (CsvHeader::Unknown, ["col0 string", "col1 string"], 0),
        (CsvHeader::Present, ["name string", "city string"], 1),
        (CsvHeader::Absent, ["col0 string", "col1 string"], 0),
    ] {
        let table = classified(text, &with(header)).expect("a table");
        assert_eq!((columns(&table), table.storage.skip_header_lines), (expected.map(str::to_owned).to_vec(), skip));
    }
    let one = CsvClassifier { delimiter: Some(','), ..with(CsvHeader::Present) };
    assert_eq!(columns(&classified("name\nx\n", &one).expect("a table")), ["name string"]);
}

#[test]
fn what_a_classifier_says_already_is_not_advised_again() {
    let classifier = CsvClassifier { header: CsvHeader::Present, ..CsvClassifier::default() };
    let table = classified("name,city\nAnn,\"Rome\"\n", &classifier).expect("a table");
    let help = &notes(std::slice::from_ref(&table))[0].help;
    assert_eq!(help, "write below `[targets.local.classifiers.t]` in crawlguard.toml:\n    serde = \"OpenCSVSerDe\"");
}

#[test]
fn a_classifier_of_no_source_is_told() {
    let lake = Lake::of(&[("a.csv", b"id,name\n1,x\n")]);
    let by_source = BTreeMap::from([("orders".to_owned(), CsvClassifier::default())]);
    let classifiers = Classifiers { target: "local", by_source };
    let crawl = crawl_with(lake.path(), "lake", "raw_", &classifiers);
    assert_eq!(crawl.problems[0].place, "targets.local.classifiers.orders");
    let gone = "if the source is gone for good, remove `[targets.local.classifiers.orders]`";
    assert!(crawl.problems[0].help.ends_with(gone), "{}", crawl.problems[0]);
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_columns(&[("a.csv", text)], expected);
}

#[test]
fn types() {
    check(
        "id,price,day,note\n1,2.5,2024-01-01,\n-2,3,2024-01-02,\n",
        &["id bigint", "price double", "day string", "note string?"],
    );
    check("a,b\n1,x\n1.5,y\n", &["a double", "b string"]);
    check("a,b\n1,1\nN/A,2\n", &["a string", "b bigint"]);
    check("a,b\n1,00123\n2,\n", &["a bigint", "b bigint"]);
    check("a,b\n1,9223372036854775808\n", &["a bigint", "b string"]);
    check("a,b\n1,true\n", &["a bigint", "b string"]);
    check("a,b\n1,1e5\n", &["a bigint", "b double"]);
    check("a,b\n1,.5\n", &["a bigint", "b double"]);
    check("a,b\n1,-5.\n", &["a bigint", "b double"]);
    check("a,b\n1,-.\n", &["a bigint", "b string"]);
    check("a,b\n1,2.5x\n", &["a bigint", "b string"]);
    check("a,b\n1,1.2.3\n", &["a bigint", "b string"]);
    check("a,b\n1,inf\n2,NaN\n", &["a bigint", "b string"]);
    check("a,b\n1, 2\n", &["a bigint", "b string"]);
    check("a,b\n1,\\N\n", &["a bigint", "b string?"]);
}

#[test]
fn the_header_rule_of_the_built_in_classifier() {
    // All text: no header is seen, and its row is data.
    let table = check_columns(&[("a.csv", "id,name\nA1,x\n")], &["col0 string", "col1 string"]);
    assert_eq!(table.parameters["recordCount"], "2");
    assert_eq!(table.storage.skip_header_lines, 0);
    assert!(!table.parameters.contains_key("skip.header.line.count"));
    // One number below makes it a header.
    let table = check_columns(&[("a.csv", "ID,Full Name\n1,x\n")], &["id bigint", "full name string"]);
    assert_eq!(table.parameters["recordCount"], "1");
    assert_eq!(table.storage.skip_header_lines, 1);
    assert_eq!(table.parameters["skip.header.line.count"], "1");
    // A number in the first row is data.
    check("1,x\n2,y\n", &["col0 bigint", "col1 string"]);
    check("id,2024\n1,5\n", &["col0 string", "col1 bigint"]);
    // A header alone has no row below.
    check("id,name\n", &["col0 string", "col1 string"]);
    // An empty name is allowed in the last place only.
    check("id,name,\n1,x,\n", &["id bigint", "name string", "col2 string?"]);
    check("id,,n\n1,x,2\n", &["col0 string", "col1 string", "col2 string"]);
    let long = "n".repeat(150);
    check(&format!("id,{long}\n1,x\n"), &["col0 string", "col1 string"]);
    check(&format!("id,{}\n1,x\n", &long[1..]), &["id bigint", &format!("{} string", &long[1..])]);
}

#[test]
fn delimiters() {
    for delimiter in [",", "\t", "|", ";"] {
        let text = "id,note,n\n1,x,2.5\n2,y,3\n".replace(',', delimiter);
        let table = check_columns(&[("a.csv", &text)], &["id bigint", "note string", "n double"]);
        assert_eq!(table.storage.serde_parameters["field.delim"], delimiter);
        assert_eq!(table.parameters["delimiter"], delimiter);
    }
    // A decimal comma does not divide.
    check("id;price\n1;2,5\n2;3,5\n", &["id bigint", "price string"]);
    check("id,note\n1,x;y\n2,z;w\n", &["id bigint", "note string"]);
}

#[test]
fn quoted_cells() {
    let text = "\"id\",\"Say \"\"hi\"\"\"\n1,\"a b\"\n";
    let table = check_columns(&[("a.csv", text)], &["id bigint", "say \"hi\" string"]);
    assert_eq!(table.parameters["areColumnsQuoted"], "true");
    assert_eq!(table.storage.serde.as_deref(), Some(Storage::LAZY_SIMPLE));
    let table = check_columns(&[("a.csv", "id,name\n1,K\" Street\n")], &["id bigint", "name string"]);
    assert_eq!(table.parameters["areColumnsQuoted"], "false");
    assert_eq!(table.parameters["columnsOrdered"], "true");
}

#[test]
fn the_newest_header_rules_and_the_others_are_told() {
    let table = check_columns(
        &[("b.csv", "id,price\n1,2.5\n"), ("a.csv", "id,city,price\n2,Oslo,3\n")],
        &["id bigint", "city string", "price double"],
    );
    let mixed: serde_json::Value = serde_json::from_str(&table.parameters["crawlguard.mixed_headers"]).expect("JSON");
    assert_eq!(mixed, serde_json::json!([{"file": "b.csv", "header": ["id", "price"]}]));

    let table =
        check_columns(&[("a.csv", "id,price\n1,2.5\n"), ("b.csv", "ID,Price\n2,3\n")], &["id bigint", "price double"]);
    assert!(!table.parameters.contains_key("crawlguard.mixed_headers"));
}

#[test]
fn a_file_of_the_newest_day_that_ends_sooner_is_told() {
    let old = ("2026-01-01-eu.csv", "id,city,price\n1,Oslo,2.5\n");
    let short = ("2026-01-02-us.csv", "id,city\n3,Rome\n");
    let table = check_columns(
        &[old, short, ("2026-01-02-eu.csv", "id,city,price\n2,Oslo,3\n")],
        &["id bigint", "city string", "price double"],
    );
    assert_eq!(table.parameters["crawlguard.missing_in_some"], r#"["price"]"#);
    // An older one may: the column was added since.
    let table = check_columns(
        &[("2026-01-01-us.csv", "id,city\n3,Rome\n"), ("2026-01-02-eu.csv", "id,city,price\n2,Oslo,3\n")],
        &["id bigint", "city string", "price bigint"],
    );
    assert!(!table.parameters.contains_key("crawlguard.missing_in_some"));
}

#[test]
fn a_file_of_text_alone_has_a_header_if_it_shares_names_with_one_that_has() {
    let table =
        check_columns(&[("a.csv", "id,name\n1,x\n"), ("b.csv", "id,name\nA2,y\n")], &["id string", "name string"]);
    assert_eq!(table.parameters["recordCount"], "2");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_names() {
    check("\u{feff}id,name\r\n1,x\r\n", &["id bigint", "name string"]);
    check("\u{feff}id\tname\n1\tx\n", &["id bigint", "name string"]);
    // Delimiters alone are cells without a name: no header.
    for delimiter in [",", "\t", "|", ";"] {
        let text = "\u{feff},,\n1,2,x\n".replace(',', delimiter);
        let table = check_columns(&[("a.csv", &text)], &["col0 bigint", "col1 bigint", "col2 string"]);
        assert_eq!(table.parameters["recordCount"], "2");
    }
}

#[test]
fn lines_that_end_in_two_ways_are_told_to_readers() {
    let mixed = |files: &[(&str, &str)]| {
        let table = check_columns(files, &["id bigint", "name string"]);
        table.parameters.contains_key("crawlguard.mixed_line_ends")
    };
    let (unix, windows) = ("id,name\n1,x\n", "id,name\r\n1,x\r\n");
    assert!(!mixed(&[("a.csv", unix), ("b.csv", "id,name\n1,x")]));
    assert!(!mixed(&[("a.csv", windows), ("b.csv", "id,name\r\n1,x")]));
    assert!(mixed(&[("a.csv", unix), ("b.csv", windows)]));
    assert!(mixed(&[("a.csv", "id,name\n1,x\r\n")]));
}

#[test]
fn gzip_is_unpacked() {
    let lake = Lake::of(&[("a.csv.gz", &gzip(b"id,name\n1,x\n"))]);
    assert_eq!(columns(&lake.table()), ["id bigint", "name string"]);
}

#[test]
fn what_glue_makes_of_a_text_header_and_of_quotes_is_noted() {
    let note = |text: &str| {
        let table = Lake::of(&[("a.csv", text.as_bytes())]).table();
        let mut notes = notes(std::slice::from_ref(&table));
        assert!(notes.len() < 2, "one note a table");
        notes.pop().map(|note| {
            let settings: Vec<_> = note.help.lines().skip(2).map(|line| line.trim().to_owned()).collect();
            format!("{} {}", note.place, settings.join(", "))
        })
    };
    let (serde, header) = ("serde = \"OpenCSVSerDe\"", "header = \"present\" # \"absent\" if it is data");
    let present = format!("line 2 {serde}, header = \"present\"");
    for (text, expected) in [
        ("name,city\nAnn,Rome\n", Some(format!("line 1 {header}"))),
        ("name,city\n", Some(format!("line 1 {header}"))),
        ("\"name\",\"city\"\n\"Ann\",\"Rome\"\n", Some(format!("line 1 {serde}, {header}"))),
        ("id,name\n1,\"Ann\"\n", Some(present)),
        ("1,\"Ann\"\n2,Bob\n", Some(format!("line 1 {serde}, header = \"absent\""))),
        // Nothing is above a row number.
        (",id\n0,7\n1,8\n", Some(format!("line 1 {header}"))),
        (",\n0,7\n", None),
        // The names alone are in quotes, and Glue takes these off.
        ("\"id\",\"name\"\n1,Ann\n", None),
        ("id,name\n1,Ann\n", None),
        // No row of names: a number, an empty cell, a name twice, a sentence.
        ("1,Ann\n2,Bob\n", None),
        ("name,\nAnn,Rome\n", None),
        ("Rome,Rome\nAnn,Oslo\n", None),
        ("Hello! World,x\nAnn,Oslo\n", None),
    ] {
        assert_eq!(note(text), expected, "{text:?}");
    }
}

#[test]
fn files_that_glue_would_not_put_into_one_table_are_noted() {
    let note = |files: &[(&str, &[u8])]| {
        let notes = notes(&[Lake::of(files).table()]);
        notes.into_iter().map(|note| note.message).collect::<Vec<_>>()
    };
    let splits = "a Glue crawler may make several tables of the folder";
    let csv: [(&str, &[u8]); 2] = [("1.csv", b"id,a\n1,x\n"), ("2.csv", b"id,b,c\n1,x,y\n")];
    assert_eq!(note(&csv), [format!("has 1 of 3 columns in common with `1.csv`: {splits}")]);
    let json: [(&str, &[u8]); 2] = [("y=1/1.json", b"{\"A\":1,\"B\":2}"), ("y=2/1.json", b"{\"C\":3,\"D\":4}")];
    assert_eq!(note(&json), [format!("has 0 of 2 columns in common with `y=1/1.json`: {splits}")]);
    let json: [(&str, &[u8]); 2] = [("y=1/1.json", b"{\"A\":1,\"B\":2}"), ("y=2/1.json", b"{\"a\":3,\"b\":4}")];
    assert_eq!(note(&json), Vec::<String>::new());
    let parquet = ["required int32 a;", "required int32 b;"].map(super::parquet::parquet);
    let parquet: [(&str, &[u8]); 2] = [("1.parquet", &parquet[0]), ("2.parquet", &parquet[1])];
    assert_eq!(note(&parquet), [format!("has 0 of 1 columns in common with `1.parquet`: {splits}")]);
}
