//! Sources that change, go, come back or cannot be read, as the command line tells of them.

use crawlguard::catalog::crawl::crawl;
use crawlguard::contract::Document;
use crawlguard::schema::Storage;
use serde_json::Value;

use super::{crawlguard, expect, json, refused};
use crate::support::Lake;

#[test]
fn a_key_renamed_in_a_newer_file_is_no_mere_addition() {
    let lake = Lake::new();
    lake.write("lake/orders/2.json", "{\"Id\":4,\"Ship City Name\":\"Rome\"}\n");
    expect(lake.root(), 0, &["crawl"]);
    let found = json(lake.root(), 1, &["check"]);
    let missing = &found["findings"].as_array().unwrap().iter().find(|it| it["path"] == "ship city").unwrap();
    assert_eq!(missing["rule"], "column-missing-in-newest");
    assert_eq!(missing["models"][0]["model"], "int_orders");
    assert!(missing["help"].as_str().unwrap().contains("Possible rename to `ship city name`"), "{missing}");
    expect(lake.root(), 0, &["contracts", "update", "raw_orders", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["check"])["verdict"], "clean");
}

#[test]
fn a_nested_field_is_found_by_its_path_with_the_models_that_name_it() {
    let lake = Lake::new();
    let order =
        |field: &str, value: &str| format!("{{\"order\":{{\"items\":[{{\"{field}\":{value},\"sku\":\"a\"}}]}}}}\n");
    lake.write("lake/baskets/1.json", &order("price", "2.5"));
    lake.write("sql/int_baskets.sql", "SELECT \"order\".items[1].price AS price FROM raw_baskets\n");
    expect(lake.root(), 0, &["crawl"]);
    lake.write(
        "contracts/raw_baskets.json",
        &Document::for_table("raw_baskets", &crawl(&lake.path("lake"), "shop", "raw_").tables[0]).to_json(),
    );
    for (text, beside, expected) in [
        (order("price", "\"a lot\""), None, vec!["type-lossy order.items[].price"]),
        (
            order("unit_price", "2.5"),
            None,
            vec!["struct-field-removed order.items[].price", "struct-field-added order.items[].unit_price"],
        ),
        (
            order("price", "2.5"),
            Some(order("unit_price", "2.5")),
            vec!["column-missing-in-newest order.items[].price", "struct-field-added order.items[].unit_price"],
        ),
    ] {
        lake.write("lake/baskets/1.json", &text);
        beside.iter().for_each(|beside| lake.write("lake/baskets/2.json", beside));
        expect(lake.root(), 0, &["crawl"]);
        let found = json(lake.root(), 1, &["check"]);
        let found: Vec<_> =
            found["findings"].as_array().unwrap().iter().filter(|it| it["table"] == "raw_baskets").collect();
        let told: Vec<_> = found
            .iter()
            .map(|it| format!("{} {}", it["rule"].as_str().unwrap(), it["path"].as_str().unwrap()))
            .collect();
        assert_eq!(told, expected);
        assert!(found.iter().all(|it| it["models"][0]["model"] == "int_baskets"), "{found:?}");
    }
}

#[test]
fn a_source_that_is_gone_is_retired_if_no_model_reads_it() {
    let lake = Lake::new();
    lake.write("lake/refunds/1.json", "{\"id\":1}\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init"]);
    std::fs::remove_file(lake.path("sql/int_refunds.sql")).unwrap();
    std::fs::remove_dir_all(lake.path("lake/refunds")).unwrap();
    expect(lake.root(), 0, &["crawl"]);
    let found = json(lake.root(), 1, &["check"]);
    assert_eq!(found["findings"][0]["rule"], "table-deprecated");
    expect(lake.root(), 0, &["contracts", "update", "raw_refunds", "--yes"]);
    assert!(expect(lake.root(), 0, &["contracts", "show", "raw_refunds"]).contains("\"status\": \"retired\""));
    assert_eq!(json(lake.root(), 0, &["check"])["verdict"], "clean");
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
    lake.write("lake/refunds/1.json", "{\"id\":1}\n");
    expect(lake.root(), 0, &["crawl"]);
    assert_eq!(json(lake.root(), 0, &["check"])["findings"][0]["rule"], "table-new");
    expect(lake.root(), 0, &["contracts", "update", "raw_refunds", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["check"])["verdict"], "clean");
}

#[test]
fn a_source_that_models_read_cannot_be_retired() {
    let lake = Lake::new();
    lake.write("lake/refunds/1.json", "{\"id\":1}\n");
    std::fs::remove_dir_all(lake.path("lake/orders")).unwrap();
    expect(lake.root(), 0, &["crawl"]);
    let told = refused(lake.root(), &["contracts", "update", "raw_orders", "--yes"]);
    assert!(told.contains("`int_orders`, `fact_cities`"), "{told}");
}

#[test]
fn a_table_without_files_gets_no_contract() {
    let lake = Lake::new();
    lake.write("lake/refunds/1.json", "{\"id\":1}\n");
    expect(lake.root(), 0, &["crawl"]);
    std::fs::remove_dir_all(lake.path("lake/refunds")).unwrap();
    expect(lake.root(), 0, &["crawl"]);
    assert_eq!(json(lake.root(), 0, &["check"])["verdict"], "clean");
    let output = crawlguard(lake.root(), &["contracts", "init"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("skipped raw_refunds"), "{told}");
    let told = refused(lake.root(), &["contracts", "init", "raw_refunds"]);
    assert!(told.contains("raw_refunds: the crawler no longer finds its files"), "{told}");
    assert!(!lake.path("contracts/raw_refunds.json").exists());
}

#[test]
fn a_raw_row_count_is_compared_with_the_last_run_that_published() {
    let lake = Lake::new();
    let text = std::fs::read_to_string(lake.path("contracts/raw_orders.json")).unwrap();
    let mut contract: Value = serde_json::from_str(&text).unwrap();
    let change = serde_json::json!({"type": "custom", "engine": "crawlguard",
                                    "implementation": {"check": "rowCountChange", "maxShare": 0.5}});
    contract["schema"][0]["quality"].as_array_mut().unwrap().push(change);
    lake.write("contracts/raw_orders.json", &contract.to_string());
    let changed = |run: &Value| {
        let checks = run["checks"].as_array().unwrap();
        checks
            .iter()
            .find(|check| check["table"] == "raw_orders" && check["check"] == "row count change")
            .unwrap()
            .clone()
    };
    let first = json(lake.root(), 0, &["run"]);
    assert_eq!(
        (&changed(&first)["status"], &changed(&first)["bound"]),
        (&"pass".into(), &"no published version yet".into())
    );
    for _ in 0..2 {
        // The run that failed is no baseline for the next.
        lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\"}\n");
        expect(lake.root(), 0, &["crawl"]);
        let halved = json(lake.root(), 1, &["run"]);
        assert_eq!(halved["outcome"], "checks_failed");
        assert_eq!(changed(&halved)["measured"], serde_json::json!({"rows": 1, "published": 3, "change": -0.6667}));
    }
}

#[test]
fn a_format_that_the_engine_does_not_read_stops_a_run_before_it_starts() {
    let lake = Lake::new();
    let catalog = lake.path(".crawlguard/catalog/shop/raw_orders");
    let versions = std::fs::read_dir(catalog).unwrap().map(|entry| entry.unwrap().path());
    for file in versions.chain([lake.path("contracts/raw_orders.json")]) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(Storage::OPENX_JSON), "{}", file.display());
        std::fs::write(&file, text.replace(Storage::OPENX_JSON, Storage::ORC)).unwrap();
    }
    json(lake.root(), 0, &["check"]);
    for arguments in [["plan", "-q"], ["run", "--no-crawl"]] {
        let message = refused(lake.root(), &arguments);
        assert!(
            message.contains("table `raw_orders` is stored as ORC, which the embedded engine does not read"),
            "{message}"
        );
        assert!(message.contains("help: "), "{message}");
    }
    assert_eq!(json(lake.root(), 0, &["runs"])["runs"], Value::Array(Vec::new()));
}

#[test]
fn a_sources_classifier_makes_its_quoted_csv_readable() {
    let lake = Lake::new();
    lake.write("lake/shops/1.csv", "id,name\n1,\"Doe, Ann\"\n");
    let run = json(lake.root(), 2, &["run"]);
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    let classifier = pasted(&run["findings"][0]["help"]);
    assert_eq!(classifier, "[targets.local.classifiers.shops]\nserde = \"OpenCSVSerDe\"\nheader = \"present\"\n");
    let sent =
        std::fs::read_to_string(lake.path(&format!(".crawlguard/alerts/{}.txt", run["run_id"].as_str().unwrap())));
    assert!(sent.unwrap().contains("\n  [targets.local.classifiers.shops]\n  serde = \"OpenCSVSerDe\"\n"));
    lake.write("crawlguard.toml", &format!("{settings}{classifier}"));
    expect(lake.root(), 0, &["crawl"]);
    let rows = expect(lake.root(), 0, &["query", "--raw", "SELECT * FROM raw_shops", "--output", "csv"]);
    assert_eq!(rows, "id,name\n1,\"Doe, Ann\"\n");
    lake.write("crawlguard.toml", &format!("{settings}{}", classifier.replace("Open", "open")));
    let message = refused(lake.root(), &["crawl"]);
    assert!(message.contains("crawlguard.toml:") && message.contains("OpenCSVSerDe"), "{message}");
}

#[test]
fn values_that_stand_in_quotes_from_today_on_are_other_values() {
    let lake = Lake::new();
    lake.write("lake/stock/2026-11-01.csv", "sku,name,n\nS1,Ann,1\nS2,Bob,2\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init"]);
    lake.write("sql/int_stock.sql", "SELECT sku, name, n FROM raw_stock\n");
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/stock/2026-11-02.csv", "\"sku\",\"name\",\"n\"\n\"S3\",\"Ann\",1\n");
    let run = json(lake.root(), 1, &["run"]);
    let [finding] = run["findings"].as_array().unwrap().as_slice() else { panic!("{run}") };
    assert_eq!((&finding["rule"], &finding["models"][0]["model"]), (&"values-quoted".into(), &"int_stock".into()));
    assert!(finding["message"].as_str().unwrap().contains("`2026-11-02.csv, line 2`"), "{finding}");
    assert_eq!(
        pasted(&finding["help"]),
        "[targets.local.classifiers.stock]\nserde = \"OpenCSVSerDe\"\nheader = \"present\"\n"
    );
    expect(lake.root(), 0, &["contracts", "update", "raw_stock", "--yes"]);
    lake.write("lake/stock/2026-11-03.csv", "sku,name,n\n\"S4\",\"Ann\",1\n");
    assert_eq!(json(lake.root(), 0, &["run"])["findings"], Value::Array(Vec::new()));
}

/// The settings that a help names, as somebody would copy them.
fn pasted(help: &Value) -> String {
    let lines = help.as_str().unwrap().lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_header_that_glue_takes_for_a_row_is_told_until_the_project_says_what_it_is() {
    let lake = Lake::new();
    lake.write("lake/people/1.csv", "name,city\nAnn,Rome\nBob,Oslo\n");
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    let crawled = json(lake.root(), 0, &["crawl"]);
    let note = &crawled["notes"][0];
    assert_eq!(
        (&note["file"], &note["place"]),
        (&lake.path("lake/people/1.csv").display().to_string().into(), &"line 1".into())
    );
    assert!(note["message"].as_str().unwrap().starts_with("looks like a header and became a row"), "{note}");
    let run = json(lake.root(), 0, &["run"]);
    assert_eq!((&run["outcome"], &run["notes"]), (&"published".into(), &crawled["notes"]));
    assert_eq!(json(lake.root(), 0, &["plan"])["notes"], crawled["notes"]);
    assert!(expect(lake.root(), 0, &["run"]).contains("[targets.local.classifiers.people]"));
    for (said, columns) in [("present", ["city", "name"]), ("absent", ["col0", "col1"])] {
        let classifier = pasted(&note["help"]).replace("\"present\"", &format!("\"{said}\""));
        lake.write("crawlguard.toml", &format!("{settings}{classifier}"));
        assert_eq!(json(lake.root(), 0, &["crawl"])["notes"], Value::Array(Vec::new()));
        let row = &json(lake.root(), 0, &["query", "--raw", "SELECT * FROM raw_people"])[0];
        assert!(columns.iter().all(|column| row.get(column).is_some()), "{said}: {row}");
    }
}

#[test]
fn a_header_that_became_a_row_names_the_setting_that_brings_it_back() {
    let lake = Lake::new();
    lake.write("lake/people/1.csv", "id,name\n1,Ann\n2,Bob\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init", "raw_people"]);
    lake.write("lake/people/1.csv", "id,name\nA1,Ann\nA2,Bob\n");
    let run = json(lake.root(), 1, &["run"]);
    assert_eq!(run["findings"][0]["rule"], "header-lost");
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    lake.write("crawlguard.toml", &format!("{settings}{}", pasted(&run["findings"][0]["help"])));
    expect(lake.root(), 0, &["crawl"]);
    let found = json(lake.root(), 1, &["check"]);
    assert_eq!(
        (&found["findings"][0]["path"], found["findings"].as_array().unwrap().len()),
        (&"id".into(), 1),
        "{found}"
    );
}

#[test]
fn a_source_that_comes_later_gets_its_contract_and_a_first_model_by_one_command() {
    let lake = Lake::new();
    lake.write("lake/late/1.json", "{\"Full Name\":\" Ann \"}\n");
    let run = json(lake.root(), 0, &["run"]);
    let finding = &run["findings"][0];
    assert_eq!((&finding["rule"], &finding["level"]), (&"table-new".into(), &"tolerated".into()));
    let help = finding["help"].as_str().unwrap();
    assert!(help.starts_with("Run `crawlguard contracts init raw_late` for a contract and a first model"), "{help}");
    let made = json(lake.root(), 0, &["contracts", "init", "raw_late"]);
    assert_eq!(made["written"], serde_json::json!(["contracts/raw_late.json", "sql/int_late.sql"]));
    assert_eq!(json(lake.root(), 0, &["run"])["verdict"], "clean");
    let rows = json(lake.root(), 0, &["query", "SELECT * FROM int_late"]);
    assert_eq!(rows, serde_json::json!([{"full_name": "Ann"}]));
    // A source that a model reads already, or whose model's name is taken, gets none.
    lake.write("lake/read/1.json", "{\"x\":1}\n");
    lake.write("lake/taken/1.json", "{\"x\":1}\n");
    lake.write("sql/fact_read.sql", "SELECT x FROM raw_read\n");
    lake.write("sql/int_taken.sql", "SELECT id FROM raw_orders\n");
    expect(lake.root(), 0, &["crawl"]);
    let made = json(lake.root(), 0, &["contracts", "init"]);
    assert_eq!(made["written"], serde_json::json!(["contracts/raw_read.json", "contracts/raw_taken.json"]));
}

/// What its files were like when they were last seen says nothing of a source that is gone.
#[test]
fn a_source_that_is_gone_is_one_finding_and_can_be_given_up() {
    let lake = Lake::new();
    lake.write("lake/shops/1.csv", "id,name\n1,a\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init"]);
    lake.write("lake/shops/2.csv", "name,id,town\nb,2,Rome\n");
    expect(lake.root(), 1, &["run"]);
    std::fs::remove_dir_all(lake.path("lake/shops")).unwrap();
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    lake.write("crawlguard.toml", &format!("{settings}[targets.local.classifiers.shops]\nheader = \"present\"\n"));
    let told = expect(lake.root(), 2, &["run"]);
    assert!(told.contains("if the source is gone for good, remove `[targets.local.classifiers.shops]`"), "{told}");
    lake.write("crawlguard.toml", &settings);
    let run = json(lake.root(), 1, &["run"]);
    let found: Vec<_> = run["findings"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
    assert_eq!(found, ["table-deprecated"]);
    let help = run["findings"][0]["help"].as_str().unwrap();
    assert!(
        help.contains("take it out of `int_shops` (or remove the model if it reads nothing else, and its contract)"),
        "{help}"
    );
    std::fs::remove_file(lake.path("sql/int_shops.sql")).unwrap();
    expect(lake.root(), 0, &["contracts", "update", "raw_shops", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["run"])["verdict"], "clean");
}

#[test]
fn what_mends_many_lines_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("lake/people");
    std::fs::create_dir_all(&source).unwrap();
    let rows: String = (1..=9).map(|id| format!("{id},\"Doe, {id}\"\n")).collect();
    std::fs::write(source.join("a.csv"), format!("id,name\n{rows}")).unwrap();
    let output = crawlguard(folder.path(), &["init"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches("a quoted cell holds the delimiter").count(), 9, "{told}");
    assert_eq!(told.matches("serde = \"OpenCSVSerDe\"").count(), 1, "{told}");
}

#[test]
fn a_table_that_cannot_be_read_is_refused_with_one_help() {
    let lake = Lake::new();
    lake.write("lake/shops/1.csv", "id,name\n1,Ada\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init"]);
    lake.write("lake/shops/2.csv", "id,name, \n2,Bob,x\n");
    json(lake.root(), 2, &["run"]);
    let message = refused(lake.root(), &["contracts", "update", "raw_shops", "--yes"]);
    let expected = "column name ` ` does not fit the catalog\n  help: give the column a name in its files: spaces alone are \
                    none, then crawl again\n";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn files_unlike_one_another_are_noted_and_nothing_is_to_be_appended() {
    let lake = Lake::new();
    lake.write("lake/shops/1.csv", "id,city\n1,Rome\n");
    lake.write("lake/shops/2.csv", "id,town,zip\n2,Oslo,A\n");
    let made = json(lake.root(), 0, &["init", "new", "--lake", "lake"]);
    let message = made["notes"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("has 1 of 3 columns in common with `1.csv`"), "{message}");
    let told = crawlguard(lake.root(), &["init", "other", "--lake", "lake"]).stderr;
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("note: ") && !told.contains("append its lines"), "{told}");
    lake.write("lake/people/1.csv", "name,city\nAnn,Rome\n");
    let told = crawlguard(lake.root(), &["init", "third", "--lake", "lake"]);
    let told = String::from_utf8([told.stdout, told.stderr].concat()).unwrap();
    let rm = told.lines().find(|line| line.trim_start().starts_with("rm ")).unwrap();
    assert!(rm.contains("raw_people.json") && !rm.contains("raw_shops"), "{rm}");
}
