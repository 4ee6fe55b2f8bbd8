//! What a user reads when something is wrong.

use serde_json::{Value, json as value};

use super::{crawlguard, expect, json, refused, tree};
use crate::support::Lake;

#[test]
fn faults_of_every_kind_come_in_one_round_and_bring_no_others() {
    let lake = Lake::new();
    lake.write("contracts/raw_broken.json", "{\"kind\": ");
    lake.write("sql/unparsed.sql", "SELECT FROM WHERE");
    lake.write("sql/no_table.sql", "SELECT id FROM raw_ordres");
    lake.write("sql/no_column.sql", "SELECT id,\n  citty FROM int_orders");
    lake.write("sql/one.sql", "SELECT id FROM two");
    lake.write("sql/two.sql", "SELECT id FROM one");
    lake.write("sql/after_contract.sql", "SELECT anything FROM raw_broken");
    lake.write("sql/after_unparsed.sql", "SELECT anything FROM unparsed");
    lake.write("sql/after_circle.sql", "SELECT anything FROM one");
    lake.write("sql/after_no_table.sql", "SELECT anything FROM no_table");
    std::fs::write(lake.path("sql/latin.sql"), b"SELECT '\xe9' AS e FROM raw_orders").unwrap();
    lake.write("sql/after_latin.sql", "SELECT anything FROM latin");
    let message = refused(lake.root(), &["check"]);
    let named: Vec<_> = message.lines().filter(|line| !line.starts_with("  ")).collect();
    insta::assert_snapshot!(named.join("\n"), @r"
    error: contracts/raw_broken.json:1:9: EOF while parsing a value
    error: sql/latin.sql: stream did not contain valid UTF-8
    error: sql/no_column.sql:2:3: unknown column `citty`
    error: sql/no_table.sql:1:16: unknown table `raw_ordres`
    error: sql/one.sql: models read each other in a circle: one → two → one
    error: sql/unparsed.sql:1:13: expected table name or subquery, got Where
    ");
}

#[test]
fn a_source_without_a_contract_gets_one_though_a_model_reads_it_already() {
    let lake = Lake::new();
    lake.write("lake/late/1.json", "{\"x\":1}\n");
    lake.write("sql/int_late.sql", "SELECT x FROM raw_late");
    expect(lake.root(), 0, &["crawl"]);
    let message = refused(lake.root(), &["check"]);
    assert!(message.contains("sql/int_late.sql:1:15: unknown table `raw_late`"), "{message}");
    assert!(message.contains("crawlguard contracts init"), "{message}");
    expect(lake.root(), 0, &["contracts", "init"]);
    assert_eq!(json(lake.root(), 0, &["check"])["verdict"], "clean");
}

#[test]
fn an_engines_refusal_names_the_models_own_file() {
    let lake = Lake::new();
    lake.write("sql/int_a.sql", "SELECT id, CAST(\"ship city\" AS integer) AS n FROM raw_orders");
    lake.write("sql/int_b.sql", "SELECT id, sum(\"ship city\" || 'x') AS n FROM raw_orders GROUP BY id");
    let run = json(lake.root(), 2, &["run"]);
    assert_eq!((&run["verdict"], &run["outcome"]), (&"unknown".into(), &"error".into()));
    let error = run["error"].as_str().unwrap();
    let place = "build int_a: sql/int_a.sql: cannot cast ' Rome ' to an integer\n  help: use TRY_CAST";
    assert!(error.contains(place), "{error}");
    assert!(error.contains("build int_b: sql/int_b.sql: `sum` does not take varchar"), "{error}");
    for word in ["stg_", "LINE ", "Error:", "CREATE", "athena_"] {
        assert!(!error.contains(word), "{word}: {error}");
    }
    let shown = expect(lake.root(), 2, &["run", "--no-crawl"]);
    assert!(shown.contains("error, nothing published") && !shown.contains("clean"), "{shown}");
}

#[test]
fn what_the_engine_does_not_know_is_told_of_all_models_before_anything_is_built() {
    let lake = Lake::new();
    lake.write(
        "sql/int_a.sql",
        "/* crawlguard\nadditions: carry\n*/\n-- ä\nSELECT id,\n  approx_distinct(id) AS n\nFROM raw_orders",
    );
    lake.write("sql/int_b.sql", "SELECT id, 'ö' || soundex('x') AS n FROM raw_orders;\n");
    let message = refused(lake.root(), &["run"]);
    assert!(message.contains("sql/int_a.sql:6:3: the embedded engine has no vetted equal"), "{message}");
    assert!(message.contains("sql/int_b.sql:1:19: the embedded engine has no vetted equal"), "{message}");
    assert!(!lake.path(".crawlguard/runs").exists());
}

#[test]
fn no_answer_is_json_too() {
    let lake = Lake::new();
    lake.write("sql/bad.sql", "SELECT id FROM raw_ordres");
    let problem = value!({"file": "sql/bad.sql", "place": "1:16", "message": "unknown table `raw_ordres`",
        "help": "did you mean `raw_orders`? if not, add its model, or, for a table of the catalog, run `crawlguard contracts init raw_ordres` to put a contract in force"});
    for command in ["check", "plan", "run"] {
        let answer = json(lake.root(), 2, &[command]);
        assert_eq!(answer["errors"], value!([problem]), "{command}");
        assert_eq!((&answer["verdict"], &answer["findings"]), (&"unknown".into(), &value!([])), "{command}");
    }
    assert_eq!(json(lake.root(), 2, &["run"])["outcome"], "error");
    let answer = json(lake.root(), 2, &["contracts", "list"]);
    assert_eq!(answer, value!({"schema_version": 1, "error": {"problems": [problem]}}));
    let answer = json(lake.root(), 2, &["explain", "column-remove"]);
    assert_eq!(
        answer["error"]["problems"][0]["help"],
        "Did you mean `column-removed`? `crawlguard rules` lists them all."
    );
    let output = crawlguard(lake.root(), &["check", "--format", "json"]);
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: sql/bad.sql:1:16: "));
}

#[test]
fn a_rule_is_explained_as_json() {
    let lake = Lake::new();
    let rule = json(lake.root(), 0, &["explain", "column-removed"]);
    assert_eq!((&rule["rule"], &rule["level_read"]), (&"column-removed".into(), &"breaking".into()));
    for section in ["summary", "what_it_does", "why_it_matters", "example", "how_to_resolve", "known_limits"] {
        assert!(rule[section].as_str().is_some_and(|text| !text.is_empty()), "{section}");
    }
}

#[test]
fn a_query_is_told_where_it_is_wrong_and_what_there_is() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    let told = |sql: &str| refused(lake.root(), &["query", sql]);
    let message = told("SELECT id\nFROM int_order");
    assert!(message.contains("query:2:6: unknown table `int_order`"), "{message}");
    assert!(
        message.contains("Did you mean `int_orders`? Known tables: fact_cities, int_orders, raw_orders."),
        "{message}"
    );
    let message = told("SELECT id,\n citty FROM int_orders");
    assert!(message.contains("query:2:2: unknown column `citty`\n  help: did you mean `city`?"), "{message}");
    let message = told("SELECT sum(city) FROM int_orders");
    assert!(message.contains("query:1:8: `sum` takes a number, and this is varchar"), "{message}");
    let message = told("SELECT sum(city || 'x') FROM int_orders");
    assert!(message.contains("`sum` does not take varchar\n  help: ") && !message.contains("Candidate"), "{message}");
    let message = told("SELECT population FROM int_orders");
    assert!(
        message.contains("unknown column `population`\n  help: the tables in this FROM have id, city"),
        "{message}"
    );
    let message = told("SELECT id FROM");
    assert!(message.starts_with("error: query:1:"), "{message}");
    assert!(refused(lake.root(), &["query", "--format", "csv", "SELECT 1"]).contains("--output csv"));
    assert_eq!(expect(lake.root(), 0, &["query", "--output", "csv", "SELECT count(*) FROM int_orders"]), "_col0\n3\n");
}

#[test]
fn a_check_says_how_old_its_catalog_is() {
    let lake = Lake::new();
    assert_eq!(json(lake.root(), 0, &["check"])["catalog_as_of"], Value::Null);
    assert!(expect(lake.root(), 0, &["check"]).starts_with("catalog as of: unknown\n"));
    expect(lake.root(), 0, &["crawl"]);
    assert!(expect(lake.root(), 0, &["check"]).contains(" (0 minutes ago)\n"));
    assert!(json(lake.root(), 0, &["check"])["catalog_as_of"].is_string());
}

#[test]
fn a_path_that_cannot_be_written_is_named_and_nothing_is_half_written() {
    let lake = Lake::new();
    // A file where a folder belongs.
    std::fs::remove_dir_all(lake.path(".crawlguard")).unwrap();
    lake.write(".crawlguard", "");
    let before = tree(lake.root());
    for command in ["crawl", "run"] {
        let message = refused(lake.root(), &[command]);
        assert!(message.contains(".crawlguard"), "{command}: {message}");
        assert!(message.contains("help: A file stands where a folder is needed"), "{command}: {message}");
        assert_eq!(tree(lake.root()), before, "{command}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_of_another_system_is_named_and_nothing_is_half_written() {
    let lake = Lake::new();
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    lake.write("crawlguard.toml", &(settings + "state = \"/proc/crawlguard\"\n"));
    let before = tree(lake.root());
    for command in ["crawl", "run"] {
        let message = refused(lake.root(), &[command]);
        assert!(message.contains("/proc/crawlguard"), "{command}: {message}");
        assert_eq!(tree(lake.root()), before, "{command}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    let lake = Lake::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_crawlguard"))
        .current_dir(lake.root())
        .arg("check")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left"));
}

#[test]
fn a_value_that_an_engine_quotes_stays_in_the_record() {
    let lake = Lake::new();
    lake.write("sql/int_orders.sql", "SELECT id, CAST(trim(\"ship city\") AS bigint) AS city FROM raw_orders\n");
    let run = json(lake.root(), 2, &["run"]);
    assert!(run["error"].as_str().unwrap().contains("Rome"), "{run}");
    let told = run["alert"]["error"].as_str().unwrap();
    assert!(told.starts_with("build int_orders (sql/int_orders.sql): "), "{told}");
    assert!(told.contains("TRY_CAST"), "it says what to do: {told}");
    let alerts = std::fs::read_dir(lake.path(".crawlguard/alerts")).unwrap();
    let texts: String = alerts.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for value in ["Rome", "Oslo"] {
        assert!(!told.contains(value) && !texts.contains(value), "{told}\n{texts}");
    }
}
