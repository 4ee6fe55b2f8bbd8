//! Tests of the embedded engine.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crawlguard::catalog::FilesCatalog;
use crawlguard::engine::duckdb::{DuckDbEngine, evaluate, translate};
use crawlguard::engine::{Engine, QueryId, QueryState, Rows, Statement};
use crawlguard::schema::{Column, DataType, Storage, Table};

mod files;
mod queries;

const TRINO: &str = include_str!("../fixtures/engine/trino.tsv");

/// Expression and Trino's answer, of the part of the fixture after the line `from`.
fn answers(from: &str, to: &str) -> Vec<(&'static str, &'static str)> {
    let start = TRINO.find(from).expect("the fixture has this part");
    let end = TRINO.find(to).unwrap_or(TRINO.len());
    let lines = TRINO[start..end].lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').expect("expression, tab, answer")).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                other => out.extend(other),
            },
            _ => out.push(c),
        }
    }
    out
}

fn selects(answers: &[(&str, &str)]) -> Vec<String> {
    answers.iter().map(|(expression, _)| format!("SELECT {expression} AS answer")).collect()
}

#[test]
fn every_expression_gives_what_trino_gives() {
    let mut wrong = Vec::new();
    let answers = answers("# strings", "# refused");
    for ((expression, expected), got) in answers.iter().zip(evaluate(&selects(&answers))) {
        let equal = match (&got, *expected) {
            (Err(_), "ERROR") => true,
            (Ok(rows), "\\N") => rows.rows == [[None]],
            (Ok(rows), _) if *expected != "ERROR" => rows.rows == [[Some(unescaped(expected))]],
            _ => false,
        };
        if !equal {
            wrong.push(format!("{expression}\n    expected {expected}\n    got      {:?}", got.map(|rows| rows.rows)));
        }
    }
    assert!(answers.len() > 400, "the fixture is short: {}", answers.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_vetted_is_refused_before_it_runs() {
    for select in selects(&answers("# refused", "# failed")) {
        let refused = translate("model.sql", &select, "lake");
        assert!(refused.is_err(), "{select} was translated: {refused:?}");
    }
}

#[test]
fn what_types_decide_fails_rather_than_differs() {
    let selects = selects(&answers("# failed", "# end"));
    for (select, got) in selects.iter().zip(evaluate(&selects)) {
        assert!(got.is_err(), "{select} gave {got:?}");
    }
}

/// An engine over the tables of a folder, laid by each test.
struct Lake {
    folder: tempfile::TempDir,
    catalog: Arc<FilesCatalog>,
    engine: DuckDbEngine,
    queries: AtomicU32,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Arc::new(FilesCatalog::new(folder.path().join("catalog"), "lake"));
        let engine = DuckDbEngine::new(Arc::clone(&catalog), folder.path().join("warehouse")).unwrap();
        Self { folder, catalog, engine, queries: AtomicU32::new(0) }
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn table(&self, name: &str, serde: &str, columns: &[(&str, &str)]) -> Table {
        let column = |(name, data_type): &(&str, &str)| Column::new(*name, DataType::parse(data_type));
        Table {
            database: "lake".to_owned(),
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
            storage: Storage { serde: Some(serde.to_owned()), ..Storage::default() },
            location: Some(format!("{}/", self.folder.path().join(name).display())),
            ..Table::default()
        }
    }

    fn put(&self, table: &Table) {
        self.catalog.put(table).unwrap();
    }

    async fn end(&self, token: &str, statement: &Statement) -> (QueryId, QueryState) {
        let query = self.engine.start(token, statement).await.unwrap();
        loop {
            match self.engine.state(&query).await.unwrap() {
                QueryState::Running => self.engine.wait(std::slice::from_ref(&query)).await.unwrap(),
                state => return (query, state),
            }
        }
    }

    async fn query(&self, select: &str) -> Result<Rows, String> {
        // A token runs once; the files may have changed since the same SELECT ran.
        let token = format!("{} {select}", self.queries.fetch_add(1, Ordering::Relaxed));
        match self.end(&token, &Statement::Query { select: select.to_owned() }).await {
            (query, QueryState::Succeeded { .. }) => Ok(self.engine.rows(&query).await.unwrap()),
            (_, QueryState::Failed { message, .. }) => Err(message),
            (_, state) => panic!("{state:?}"),
        }
    }

    async fn texts(&self, select: &str) -> Vec<String> {
        let rows = self.query(select).await.unwrap().rows;
        let text = |row: Vec<Option<String>>| row.into_iter().map(|cell| cell.unwrap_or("NULL".to_owned()));
        rows.into_iter().map(|row| text(row).collect::<Vec<_>>().join("|")).collect()
    }

    async fn build(&self, table: &str, select: &str, location: &str, keys: &[&str]) -> Result<u64, String> {
        let statement = Statement::Build {
            table: table.to_owned(),
            select: select.to_owned(),
            location: location.to_owned(),
            partitioned_by: keys.iter().map(ToString::to_string).collect(),
            iceberg: false,
        };
        match self.end(location, &statement).await.1 {
            QueryState::Succeeded { rows, .. } => Ok(rows.expect("a build tells what it wrote")),
            QueryState::Failed { message, .. } => Err(message),
            state => panic!("{state:?}"),
        }
    }
}

#[tokio::test]
async fn json_is_read_by_key_whatever_its_case() {
    let lake = Lake::new();
    let rows = "{\"Id\":1,\"Ship City\":\"Rome\",\"zip\":78069}\n{\"ID\":\"2\",\"zip\":\"0123\",\"new\":true}\n";
    lake.write("raw_orders/day=2024-05-17/1.json", rows);
    lake.write("raw_orders/day=2024-05-18/_SUCCESS", "not data");
    lake.write("raw_orders/day=2024-05-18/1.json", "{\"id\":null}\n");
    let columns = [("id", "int"), ("ship city", "string"), ("zip", "string"), ("gone", "date")];
    let mut table = lake.table("raw_orders", Storage::OPENX_JSON, &columns);
    table.partition_keys = vec![Column::new("day", DataType::String)];
    lake.put(&table);
    assert_eq!(
        lake.texts("SELECT id, \"ship city\", zip, gone, day FROM raw_orders ORDER BY day, id").await,
        ["1|Rome|78069|NULL|2024-05-17", "2|NULL|0123|NULL|2024-05-17", "NULL|NULL|NULL|NULL|2024-05-18"]
    );
}

/// Trino 476 reads the same of these files.
#[tokio::test]
async fn nested_json_is_read_by_key_whatever_its_case() {
    let lake = Lake::new();
    lake.write("raw_orders/1.json", "{\"o\":{\"Id\":1,\"Items\":[{\"SKU\":\"a\"}]}}\n{\"o\":null}\n");
    lake.write("raw_orders/2.json", "{\"O\":{\"ID\":\"2\",\"items\":[{\"sku\":7,\"x\":1},null]}}\n");
    let columns = [("o", "struct<id:int,items:array<struct<sku:string>>,gone:date>")];
    lake.put(&lake.table("raw_orders", Storage::OPENX_JSON, &columns));
    assert_eq!(
        lake.texts("SELECT o FROM raw_orders").await,
        ["{id=1, items=[{sku=a}], gone=null}", "NULL", "{id=2, items=[{sku=7}, null], gone=null}"]
    );
    lake.write("raw_orders/3.json", "{\"o\":{\"id\":1,\"ID\":2}}\n");
    let message = lake.query("SELECT o FROM raw_orders").await.unwrap_err();
    assert_eq!(message, "HIVE_CURSOR_ERROR: a row has the key `raw_orders`.`o`.`id` twice, letter case aside");
    lake.write("raw_orders/3.json", "{\"o\":{\"id\":\"x\"}}\n");
    assert!(lake.query("SELECT o FROM raw_orders").await.is_err());
    lake.write("raw_orders/3.json", "{\"o\":5}\n");
    assert!(lake.query("SELECT o FROM raw_orders").await.is_err());
}

/// Trino 476 gives the same texts.
#[tokio::test]
async fn a_json_number_in_a_column_of_text_keeps_its_text() {
    let lake = Lake::new();
    let columns =
        [("id", "int"), ("v", "string"), ("s", "struct<f:string,n:double>"), ("l", "array<string>"), ("d", "double")];
    lake.put(&lake.table("raw_numbers", Storage::OPENX_JSON, &columns));
    for (number, text) in [
        ("1.50", "1.50"),
        ("-12.340", "-12.340"),
        ("1.0", "1.0"),
        ("0.10", "0.10"),
        ("-0.0", "0.0"),
        ("1e3", "1E+3"),
        ("1.0E2", "1.0E+2"),
        ("123456.789e3", "123456789"),
        ("0.000001", "0.000001"),
        ("0.00000001", "1E-8"),
        ("1.5e-7", "1.5E-7"),
        ("10000000000000000000000.0", "10000000000000000000000.0"),
        // These need no care.
        ("-0", "0"),
        ("100", "100"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("true", "true"),
        ("null", "NULL"),
    ] {
        let row = |value: &str| {
            format!(
                "{{\"id\": 1, \"v\": {value}, \"s\":{{\"f\":{value},\"n\":2.50}},\"l\":[\"x\",{value}],\"d\":2.50}}\n"
            )
        };
        lake.write("raw_numbers/1.json", &row(number));
        assert_eq!(
            lake.texts("SELECT v, s.f, l[2], s.n, d FROM raw_numbers").await,
            [format!("{text}|{text}|{text}|2.5|2.5")]
        );
        // Beside text, in one place alone, and after a byte order mark.
        lake.write("raw_numbers/1.json", &format!("\u{feff}{}{}", row(number), row(r#""a\": 1.50""#)));
        assert_eq!(lake.texts("SELECT v FROM raw_numbers").await, [text, "a\": 1.50"]);
        lake.write("raw_numbers/1.json", &format!("{{\"l\":[\"x\"]}}\n{{\"l\":[{number}]}}\n"));
        assert_eq!(lake.texts("SELECT l[1] FROM raw_numbers").await, ["x", text]);
    }
}

#[tokio::test]
async fn any_json_key_can_be_a_column_and_a_byte_order_mark_is_passed_over() {
    let lake = Lake::new();
    let row = r#"{"a\"b":1,"c\\d":2,"e/f~g":3,"h.i[0]":4,"$":5,"it's":6}"#;
    let names = ["a\"b", "c\\d", "e/f~g", "h.i[0]", "$", "it's"];
    for text in [format!("{row}\n"), format!("\u{feff}{row}\n\n"), format!("{row}\n{{\"A\\\"B\":7}}\n")] {
        lake.write("raw_odd/1.json", &text);
        lake.put(&lake.table("raw_odd", Storage::OPENX_JSON, &names.map(|name| (name, "int"))));
        assert_eq!(lake.texts("SELECT * FROM raw_odd").await[0], "1|2|3|4|5|6", "{text}");
    }
}

#[tokio::test]
async fn open_csv_cells_are_read_as_opencsv_reads_them() {
    let lake = Lake::new();
    lake.write(
        "raw_shops/1.csv",
        "\u{feff}\"1\",\"Doe, \"\"Ann\"\" \\\"x\\\" \\\\ \\n\"\n2,C:\\d\n,\"\"\n\n3\n4,a,b\n",
    );
    let table = lake.table("raw_shops", Storage::OPEN_CSV, &[("id", "string"), ("name", "string")]);
    lake.put(&table);
    assert_eq!(
        lake.texts("SELECT * FROM raw_shops").await,
        ["1|Doe, \"Ann\" \"x\" \\ n", "2|C:d", "|", "|NULL", "3|NULL", "4|a"]
    );
    lake.write("raw_shops/1.csv", "1,K\" Street\n");
    let message = lake.query("SELECT * FROM raw_shops").await.unwrap_err();
    assert!(message.starts_with("HIVE_BAD_DATA: `raw_shops` holds a line whose quotes do not pair up"), "{message}");
}

#[tokio::test]
async fn lines_hold_any_character() {
    let lake = Lake::new();
    lake.write("raw_shops/1.csv", "1,a\u{1f}b\n2,\u{1e}\n\n");
    let mut table = lake.table("raw_shops", Storage::LAZY_SIMPLE, &[("id", "string"), ("name", "string")]);
    table.storage.serde_parameters.insert("field.delim".to_owned(), ",".to_owned());
    lake.put(&table);
    assert_eq!(lake.texts("SELECT * FROM raw_shops").await, ["1|a\u{1f}b", "2|\u{1e}", "|NULL"]);
}

#[tokio::test]
async fn a_format_that_is_not_read_is_refused_by_name() {
    let lake = Lake::new();
    let mut by_index = lake.table("raw_x", Storage::PARQUET, &[("id", "int")]);
    assert_eq!(lake.engine.refusal(&by_index), None);
    by_index.storage.serde_parameters.insert("parquet.column.index.access".to_owned(), "true".to_owned());
    for (table, format) in [
        (lake.table("raw_x", Storage::ORC, &[("id", "int")]), "is stored as ORC"),
        (lake.table("raw_x", Storage::AVRO, &[("id", "int")]), "is stored as Avro"),
        (by_index, "is Parquet read by index (`parquet.column.index.access`)"),
        (lake.table("raw_x", "org.example.SerDe", &[("id", "int")]), "has the SerDe `org.example.SerDe`"),
    ] {
        let expected = format!("{format}, which the embedded engine does not read");
        assert_eq!(lake.engine.refusal(&table), Some(expected.clone()));
        lake.put(&table);
        let message = lake.query("SELECT id FROM raw_x").await.unwrap_err();
        assert!(message.contains(&expected), "{message}");
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_names_its_column() {
    let lake = Lake::new();
    lake.write("raw_orders/1.json", "{\"id\":1}\n{\"id\":\"x\"}\n");
    lake.put(&lake.table("raw_orders", Storage::OPENX_JSON, &[("id", "int")]));
    let message = lake.query("SELECT id FROM raw_orders").await.unwrap_err();
    assert_eq!(message, "HIVE_BAD_DATA: `raw_orders`.`id` is int, not x");
}

#[tokio::test]
async fn csv_is_read_by_position_and_without_quotes() {
    let lake = Lake::new();
    lake.write("raw_shops/1.csv", "id,name,city\n1,\"Ann, Bob\",Rome\nx,,\n3\n4,a,b,c\n");
    let mut table =
        lake.table("raw_shops", Storage::LAZY_SIMPLE, &[("id", "bigint"), ("name", "string"), ("city", "string")]);
    table.storage.skip_header_lines = 1;
    table.storage.serde_parameters.insert("field.delim".to_owned(), ",".to_owned());
    lake.put(&table);
    assert_eq!(lake.texts("SELECT * FROM raw_shops").await, ["1|\"Ann| Bob\"", "NULL||", "3|NULL|NULL", "4|a|b"]);
    table.storage.serde = Some(Storage::OPEN_CSV.to_owned());
    table.columns[0].data_type = DataType::String;
    lake.write("raw_shops/1.csv", "id,name,city\n1,\"Ann, Bob\",Rome\n");
    lake.put(&table);
    assert_eq!(lake.texts("SELECT *, 1 AS again FROM raw_shops").await, ["1|Ann, Bob|Rome|1"]);
}

#[tokio::test]
async fn a_build_is_a_table_that_can_be_read() {
    let lake = Lake::new();
    let select = "SELECT x AS Id, CAST(x AS varchar) || '!' AS t, sum(x) OVER () AS total, ARRAY[x] AS list, DATE '2024-05-17' AS d
        FROM (VALUES 1, 2) AS v(x)";
    let location = lake.engine.location("int_x", "run", 1);
    assert_eq!(lake.build("int_x", select, &location, &["d"]).await, Ok(2));
    let table = crawlguard::catalog::Catalog::table(lake.catalog.as_ref(), "int_x").await.unwrap().unwrap();
    let types: Vec<String> =
        table.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    assert_eq!(types, ["id int", "t string", "total bigint", "list array<int>"]);
    assert_eq!(table.location, Some(location.clone()));
    assert_eq!(
        lake.texts("SELECT * FROM lake.int_x ORDER BY id").await,
        ["1|1!|3|[1]|2024-05-17", "2|2!|3|[2]|2024-05-17"]
    );
    assert_eq!(lake.engine.locations("int_x").await.unwrap(), std::slice::from_ref(&location));
    lake.engine.discard(&location).await.unwrap();
    assert!(!Path::new(&location).exists());
}

#[tokio::test]
async fn columns_keep_their_names_also_those_that_come_twice() {
    let lake = Lake::new();
    for (select, names) in [
        ("SELECT 1 AS x, 2 AS x_1", ["x", "x_1"].as_slice()),
        ("SELECT 1 AS x, 2 AS x", &["x", "x"]),
        ("SELECT 1 AS x, 2 AS x_1, 3 AS x", &["x", "x_1", "x"]),
        ("SELECT 1 AS x_1, 2 AS x_2", &["x_1", "x_2"]),
    ] {
        assert_eq!(lake.query(select).await.unwrap().columns, names, "{select}");
    }
}

#[tokio::test]
async fn a_build_fails_where_athena_fails_and_leaves_nothing() {
    let lake = Lake::new();
    for (attempt, (select, keys, code)) in [
        ("SELECT NULL AS x", vec![], "COLUMN_TYPE_UNKNOWN"),
        ("SELECT 1 AS x, 2 AS X", vec![], "DUPLICATE_COLUMN_NAME"),
        ("SELECT 1", vec![], "COLUMN_NAME_NOT_SPECIFIED"),
        ("SELECT 1 AS d, 2 AS x", vec!["d"], "HIVE_COLUMN_ORDER_MISMATCH"),
        ("SELECT 1 / x AS y FROM (VALUES 1, 0) AS v(x)", vec![], "division by zero"),
        ("SELECT x FROM nowhere", vec![], "TABLE_NOT_FOUND"),
        ("SELECT approx_distinct(1) AS x", vec![], "1:8: the embedded engine has no"),
    ]
    .into_iter()
    .enumerate()
    {
        let location = lake.engine.location("int_x", "run", u32::try_from(attempt).unwrap());
        let message = lake.build("int_x", select, &location, &keys).await.unwrap_err();
        assert!(message.contains(code), "{select}: {message}");
        assert!(!Path::new(&location).exists(), "{select}");
    }
    let location = lake.engine.location("int_x", "run", 99);
    fs::create_dir_all(&location).unwrap();
    fs::write(Path::new(&location).join("old.parquet"), "").unwrap();
    let message = lake.build("int_x", "SELECT 1 AS x", &location, &[]).await.unwrap_err();
    assert!(message.starts_with("HIVE_PATH_ALREADY_EXISTS"), "{message}");
    assert!(Path::new(&location).join("old.parquet").exists());
}

#[tokio::test]
async fn a_token_runs_once_and_an_unknown_handle_is_lost() {
    let lake = Lake::new();
    let statement = Statement::Query { select: "SELECT 1 AS x".to_owned() };
    let first = lake.end("token", &statement).await;
    assert_eq!(lake.end("token", &statement).await, first);
    let other = Statement::Query { select: "SELECT 2 AS x".to_owned() };
    assert!(lake.engine.start("token", &other).await.is_err());
    assert_eq!(lake.engine.state(&QueryId("gone".to_owned())).await.unwrap(), QueryState::Lost);
}
