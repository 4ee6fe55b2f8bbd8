//! What the newest files lack, and what stands elsewhere in files that are read by position; and what models' contracts say of it.

use super::*;

fn read(lake: &Lake, file: &str) -> String {
    std::fs::read_to_string(lake.path(file)).unwrap()
}

/// A source `t` of these files, with a contract and a model that reads it.
fn source(files: &[(&str, &str)], model: &str) -> Lake {
    let lake = Lake::new();
    files.iter().for_each(|(file, text)| lake.write(&format!("lake/t/{file}"), text));
    lake.write("sql/int_t.sql", model);
    lake.crawl();
    expect(lake.root(), 0, &["contracts", "init", "raw_t"]);
    lake
}

/// `rule path level` of what a check finds of the source.
fn found(lake: &Lake) -> Vec<String> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let one = |it: &Value| format!("{} {} {}", text(it, "rule"), text(it, "path"), text(it, "level"));
    checked(lake).iter().map(one).collect()
}

/// The findings about the source, after a crawl.
fn checked(lake: &Lake) -> Vec<Value> {
    lake.crawl();
    let output = crawlguard(lake.root(), &["--format", "json", "check"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    found["findings"].as_array().unwrap().iter().filter(|it| it["table"] == "raw_t").cloned().collect()
}

const MODEL: &str = "SELECT id, amt FROM raw_t\n";

#[test]
fn a_column_that_is_back_may_not_go_a_second_time() {
    let lake = source(&[("2026-01-01.json", "{\"id\":1,\"amt\":2.5}\n")], MODEL);
    lake.write("lake/t/2026-01-02.json", "{\"id\":2}\n");
    const MISSING: &str = "column-missing-in-newest amt breaking";
    assert_eq!(found(&lake), [MISSING]);
    let said = crawlguard(lake.root(), &["contracts", "update", "raw_t"]);
    let shown = String::from_utf8(said.stderr).unwrap();
    assert!(shown.contains("  ~ amt may be missing in the newest files\n"), "{shown}");
    assert!(shown.contains("note: `amt` of raw_t is missing in the newest files: their rows read NULL"), "{shown}");
    expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert_eq!(found(&lake), [""; 0]);
    lake.write("lake/t/2026-01-03.json", "{\"id\":3,\"amt\":1}\n");
    assert_eq!(found(&lake), ["column-back-in-newest amt tolerated"]);
    let shown = expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert!(shown.contains("  ~ amt may no longer be missing in the newest files\n"), "{shown}");
    assert_eq!(found(&lake), [""; 0]);
    lake.write("lake/t/2026-01-04.json", "{\"id\":4}\n");
    assert_eq!(found(&lake), [MISSING]);
}

#[test]
fn every_file_of_the_newest_day_counts() {
    const ROW: &str = "{\"id\":1,\"amt\":2.5}\n";
    let lake = source(&[("dt=2026-01-01/eu.json", ROW), ("dt=2026-01-01/us.json", ROW)], MODEL);
    lake.write("lake/t/dt=2026-01-02/us.json", "{\"id\":4}\n");
    lake.write("lake/t/dt=2026-01-02/eu.json", ROW);
    assert_eq!(found(&lake), ["column-missing-in-newest amt breaking"]);
    let message = checked(&lake)[0]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("`dt=2026-01-02/us.json` no longer has `amt` (`double`), though others"), "{message}");
    expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert_eq!(found(&lake), [""; 0]);
    // What some may lack, not all may.
    lake.write("lake/t/dt=2026-01-02/eu.json", "{\"id\":4}\n");
    assert_eq!(found(&lake), ["column-missing-in-newest amt breaking"]);
}

#[test]
fn an_empty_newest_file_stops_the_run() {
    let lake = source(&[("1.json", "{\"id\":1,\"amt\":2.5}\n")], MODEL);
    lake.write("lake/t/2.json", "");
    let run = json(lake.root(), 2, &["run"]);
    let message = run["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("2.json: is one of the newest files, and it is empty"), "{message}");
}

#[test]
fn whoever_reads_a_shifted_column_is_hit() {
    let lake =
        source(&[("a.csv", "id,x,y,z\n1,a,b,c\n")], "SELECT id, x AS x1, y AS y1, z AS z1, id + 1 AS k FROM raw_t\n");
    let hit = |text: &str| -> Vec<(String, Value)> {
        lake.write("lake/t/a.csv", text);
        let of = |it: &Value| (it["path"].as_str().unwrap().to_owned(), it["models"][0]["columns"].clone());
        checked(&lake).iter().map(of).collect()
    };
    assert_eq!(hit("id,y,x,z\n1,b,a,c\n"), [("x".to_owned(), serde_json::json!(["x1", "y1"]))]);
    assert_eq!(hit("id,new,x,y,z\n1,N,a,b,c\n"), [("new".to_owned(), serde_json::json!(["x1", "y1", "z1"]))]);
    assert_eq!(hit("id,x,z\n1,a,c\n"), [("y".to_owned(), serde_json::json!(["y1", "z1"]))]);
    // What stands behind everything moves nothing.
    assert_eq!(hit("id,x,y\n1,a,b\n"), [("z".to_owned(), serde_json::json!(["z1"]))]);
}

#[test]
fn what_a_models_own_cast_loses_of_a_wider_column_is_counted() {
    let lake = source(&[("1.json", "{\"id\":1}\n")], "SELECT\n  TRY_CAST(id AS integer) AS id\nFROM raw_t\n");
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/t/2.json", "{\"id\":3000000000}\n");
    let run = json(lake.root(), 1, &["run"]);
    let finding = &run["findings"][0];
    assert_eq!((&finding["rule"], &finding["level"]), (&"type-widened".into(), &"tolerated".into()));
    let message = finding["message"].as_str().unwrap();
    let expected =
        "sql/int_t.sql:2:3: `TRY_CAST(id AS integer)` held every value while `id` was int, and it is bigint; a check";
    assert!(message.contains(expected), "{message}");
    let failed = |run: &Value| {
        let checks = run["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "fail");
        checks.map(|it| format!("{} {} {}", it["table"], it["check"], it["measured"])).collect::<Vec<_>>()
    };
    assert_eq!((&run["outcome"], failed(&run)), (&"checks_failed".into(), vec![r#""raw_t" "cast_loss" 1"#.to_owned()]));
    let said = String::from_utf8(crawlguard(lake.root(), &["contracts", "update", "raw_t"]).stderr).unwrap();
    assert!(said.contains("say how many in `maxLost` of the castLoss of `id` in the contract of raw_t"), "{said}");
    expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    let run = json(lake.root(), 1, &["run"]);
    assert_eq!((run["findings"].as_array().unwrap().len(), failed(&run).len()), (0, 1));
    lake.write(
        "contracts/raw_t.json",
        &read(&lake, "contracts/raw_t.json").replace("\"maxLost\": 0", "\"maxLost\": 1"),
    );
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
}

#[test]
fn what_nothing_can_count_stops_the_run_and_is_said_with_the_question() {
    let model = "SELECT TRY_CAST(id * 2 AS integer) AS id, TRY_CAST(s.n AS integer) AS n FROM raw_t\n";
    let lake = source(&[("1.json", "{\"id\":1,\"s\":{\"n\":1}}\n")], model);
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/t/1.json", "{\"id\":3000000000,\"s\":{\"n\":3000000000}}\n");
    assert_eq!(found(&lake), ["type-widened id breaking", "type-widened s.n breaking"]);
    let message = checked(&lake)[0]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("sql/int_t.sql:1:8: `TRY_CAST(id * 2 AS integer)` held every value while `id * 2` was int"),
        "{message}"
    );
    let said = String::from_utf8(crawlguard(lake.root(), &["contracts", "update", "raw_t"]).stderr).unwrap();
    for cast in ["sql/int_t.sql:1:8: `TRY_CAST(id * 2 AS integer)`", "sql/int_t.sql:1:43: `TRY_CAST(s.n AS integer)`"] {
        assert!(said.contains(cast), "{said}");
    }
    assert_eq!(said.matches("what that makes NULL, rounds or cuts no check counts").count(), 2, "{said}");
    expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
}

#[test]
fn a_cast_of_what_was_computed_before_it_stops_the_run() {
    let model = "WITH t AS (\n  SELECT element_at(amounts, 1) AS f, mod(amount, 1000000000000) AS m, -id AS n FROM raw_t\n)\n\
                 SELECT TRY_CAST(f AS integer) AS f, TRY_CAST(m AS integer) AS m, TRY_CAST(n AS integer) AS n FROM t\n";
    let lake = source(&[("1.json", "{\"id\":1,\"amount\":1,\"amounts\":[1]}\n")], model);
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/t/2.json", "{\"id\":-2147483648,\"amount\":9999999999,\"amounts\":[9999999999]}\n");
    lake.write("lake/t/3.json", "{\"id\":2147483648,\"amount\":1,\"amounts\":[1]}\n");
    let run = json(lake.root(), 1, &["run"]);
    let told = run["findings"].to_string();
    for cast in ["4:8: `TRY_CAST(f AS integer)`", "4:37: `TRY_CAST(m AS integer)`", "4:66: `TRY_CAST(n AS integer)`"] {
        assert!(told.contains(&format!("sql/int_t.sql:{cast} held every value")), "{told}");
    }
    let levels: Vec<&Value> = run["findings"].as_array().unwrap().iter().map(|it| &it["level"]).collect();
    assert_eq!(levels, ["breaking"; 3]);
    assert_eq!(run["checks"].to_string().matches("cast_loss").count(), 0, "nothing counts them");
}

#[test]
fn a_wider_type_is_written_into_the_models_contract_too() {
    let lake = source(&[("1.json", "{\"id\":1}\n")], "SELECT id FROM raw_t\n");
    expect(lake.root(), 0, &["run"]);
    expect(lake.root(), 0, &["contracts", "init", "int_t"]);
    lake.write("lake/t/1.json", "{\"id\":3000000000}\n");
    let finding = &json(lake.root(), 1, &["run"])["findings"][0];
    assert_eq!((&finding["rule"], &finding["level"]), (&"type-widened".into(), &"breaking".into()));
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("contracts/int_t.json promises `id` of int_t as int (`physicalType`)"), "{message}");
    let shown = expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert!(
        shown.contains("contracts/int_t.json, version 1.0.0 becomes 2.0.0\n  ~ id int becomes bigint\n"),
        "{shown}"
    );
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
    // Somebody promises what is not built.
    lake.write("contracts/int_t.json", &read(&lake, "contracts/int_t.json").replace("\"bigint\"", "\"int\""));
    let said = expect(lake.root(), 1, &["run"]);
    assert!(said.contains("write it into the contract of int_t:"), "{said}");
}

#[test]
fn a_name_that_is_taken_is_told_in_one_sentence_of_the_column_that_has_it() {
    let lake = Lake::new();
    let row = |names: [&str; 3]| {
        let pairs: Vec<String> = names.iter().map(|name| format!("\"{name}\":\"x\"")).collect();
        format!("{{\"Id\":1,\"Ship City\":\"Rome\",{}}}\n", pairs.join(","))
    };
    let told = |names: [&str; 3]| -> Vec<(String, String, String, usize)> {
        lake.write("lake/orders/1.json", &row(names));
        lake.crawl();
        let found = json(lake.root(), 1, &["check"]);
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        let one = |it: &Value| {
            (text(it, "path"), text(it, "level"), text(it, "message"), it["models"].as_array().unwrap().len())
        };
        found["findings"].as_array().unwrap().iter().map(one).collect()
    };
    let [(_, breaking, message, models), (_, tolerated, other, _), (last, ..)] = &told(["City", "kind", "note"])[..]
    else {
        panic!("three columns")
    };
    assert_eq!((breaking.as_str(), *models), ("breaking", 1));
    assert!(message.contains("a column of this SELECT already is (rename the model's column, or"), "{message}");
    assert_eq!((tolerated.as_str(), last.as_str()), ("tolerated", "note"));
    assert!(!other.contains("proven"), "{other}");
    let twins = told(["a b", "a-b", "note"]);
    assert!(twins.iter().any(|(_, _, message, _)| message.contains("another added column already is")), "{twins:?}");
}

#[test]
fn a_removed_column_names_the_rule_that_its_loss_would_break() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    expect(lake.root(), 0, &["contracts", "init", "int_orders"]);
    lake.write("lake/orders/1.json", "{\"Id\":1}\n{\"Id\":2}\n{\"Id\":3}\n");
    lake.crawl();
    let found = json(lake.root(), 1, &["check"]);
    let help = found["findings"][0]["help"].as_str().unwrap();
    assert!(help.contains("loosen its rule `nulls` in contracts/int_orders.json (at most "), "{help}");
    assert!(help.contains("then run `crawlguard contracts update raw_orders`"), "{help}");
}

#[test]
fn an_update_says_what_the_nulls_that_it_leaves_would_break() {
    let noted = |arguments: &[&str]| {
        let lake = Lake::new();
        expect(lake.root(), 0, &["run"]);
        expect(lake.root(), 0, &["contracts", "init", "int_orders"]);
        lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\"}\n");
        lake.crawl();
        let output = crawlguard(lake.root(), &[&["contracts", "update", "raw_orders", "--yes"], arguments].concat());
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let gone = noted(&[]);
    assert!(gone.contains("before the next run give `city` of int_orders another source or loosen its rule"), "{gone}");
    let renamed = noted(&["--rename", "ship city=city"]);
    assert!(!renamed.contains("before the next run"), "it is read under its new name: {renamed}");
}

#[test]
fn a_key_that_the_newest_file_lacks_names_what_its_loss_would_break() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/orders/2.json", "{\"Ship City\":\"Bonn\"}\n");
    let run = json(lake.root(), 1, &["run"]);
    let help = run["findings"][0]["help"].as_str().unwrap();
    let need = "give `id` of int_orders, which may not be NULL, another source";
    assert!(help.contains(&format!("; or {need}, then run `crawlguard contracts update raw_orders`")), "{help}");
    let alert = std::fs::read_dir(lake.path(".crawlguard/alerts")).unwrap().map(|file| file.unwrap().path());
    let texts: Vec<String> = alert.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    assert!(!texts.is_empty() && texts.iter().all(|text| !text.contains("--expect")), "{texts:?}");
    let output = crawlguard(lake.root(), &["contracts", "update", "raw_orders", "--yes"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("before the next run {need}")) && !said.contains("no check"), "{said}");
    let failed = json(lake.root(), 1, &["run"]);
    assert_eq!(failed["outcome"], "checks_failed", "as was said");
}

#[test]
fn what_the_newest_file_lacks_names_the_rules_that_ask_for_it() {
    let lake = source(&[("1.json", "{\"id\":1,\"amt\":2.5}\n")], MODEL);
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/t/2.json", "{\"id\":2}\n");
    lake.crawl();
    let said = |lake: &Lake| json(lake.root(), 1, &["check"])["findings"][0]["help"].as_str().unwrap().to_owned();
    assert!(said(&lake).starts_with("Restore it at its source, or run"), "{}", said(&lake));
    let mut contract: Value =
        serde_json::from_str(&std::fs::read_to_string(lake.path("contracts/raw_t.json")).unwrap()).unwrap();
    for column in contract["schema"][0]["properties"].as_array_mut().unwrap() {
        if column["name"] == "amt" {
            column["quality"] = serde_json::json!([{"metric": "nullValues", "mustBe": 0}]);
        }
    }
    lake.write("contracts/raw_t.json", &contract.to_string());
    assert!(said(&lake).contains("; or loosen the rule `nulls` in contracts/raw_t.json (no row"), "{}", said(&lake));
    expect(lake.root(), 0, &["contracts", "init", "int_t"]);
    let help = said(&lake);
    assert!(
        help.contains("give `amt` of int_t another source or loosen its rule `nulls` in contracts/int_t"),
        "{help}"
    );
}

#[test]
fn a_likely_rename_names_the_models_that_name_the_column_themselves() {
    let lake = source(&[("1.json", "{\"id\":1,\"amt\":2.5}\n")], MODEL);
    lake.write("sql/fact_t.sql", "SELECT sum(amt) AS amt FROM int_t\n");
    lake.write("lake/t/2.json", "{\"id\":2,\"amount\":2.5}\n");
    let found = checked(&lake);
    let missing = found.iter().find(|it| it["rule"] == "column-missing-in-newest").unwrap();
    assert_eq!(missing["models"].as_array().unwrap().len(), 2, "both are hit");
    let help = missing["help"].as_str().unwrap();
    assert!(help.ends_with("write `coalesce(amount, amt)` for `amt` in `int_t`."), "{help}");
}

#[test]
fn a_row_that_stands_for_a_vanished_header_is_in_no_finding() {
    let lake = Lake::new();
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    let classifier = "[targets.local.classifiers.t]\nserde = \"OpenCSVSerDe\"\nheader = \"present\"\n";
    lake.write("crawlguard.toml", &(settings + classifier));
    lake.write("lake/t/1.csv", "\"id\",\"name\"\n\"1\",\"ann\"\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "init", "raw_t"]);
    lake.write("sql/int_t.sql", "SELECT id, name FROM raw_t\n");
    expect(lake.root(), 0, &["run"]);
    for row in ["\"7\",\"secret\"\n\"8\",\"secret\"\n", "\"7777\",\"7777\"\n\"8\",\"secret\"\n"] {
        for (file, rule) in [("2.csv", "header-lost"), ("0.csv", "headers-differ")] {
            lake.write(&format!("lake/t/{file}"), row);
            let run = String::from_utf8(crawlguard(lake.root(), &["--format", "json", "run"]).stdout).unwrap();
            let found: Value = serde_json::from_str(&run).unwrap();
            let told = found["findings"].to_string();
            let rule = if row.contains("7777") { "files-unreadable" } else { rule };
            assert!(told.contains(rule), "{run}");
            assert!(!run.contains("secret") && !told.contains("7777"), "{run}");
            std::fs::remove_file(lake.path(&format!("lake/t/{file}"))).unwrap();
        }
    }
}

#[test]
fn another_header_is_told_by_file_and_place() {
    let lake = source(&[("2026-01-01.csv", "id,x,y\n1,a,b\n")], "SELECT id, x FROM raw_t\n");
    lake.write("lake/t/2026-01-02.csv", "id,y,x\n1,b,a\n");
    let message = |lake: &Lake, rule: &str| {
        let found = checked(lake);
        let of_rule = found.iter().find(|it| it["rule"] == rule).unwrap_or_else(|| panic!("{found:?}"));
        of_rule["message"].as_str().unwrap().to_owned()
    };
    let said = message(&lake, "headers-differ");
    assert!(said.contains("which has `id, y, x`: `2026-01-01.csv` has `x` in the place of `y`; the files"), "{said}");
    let lake = source(&[("2026-01-01.csv", "1,a,b\n2,c,d\n")], "SELECT col0, col1 FROM raw_t\n");
    lake.write("lake/t/2026-01-02.csv", "1,a\n2,c\n");
    let said = message(&lake, "headers-differ");
    assert!(
        said.contains("rows of another length than the newest: `2026-01-01.csv` has 3 cells a row, and the"),
        "{said}"
    );
}

/// The local crawl takes the order of keys from the oldest file: which that is says nothing of the files that are read by name.
#[test]
fn old_days_of_json_that_go_or_come_late_stop_nothing() {
    const OLD: &str = "{\"id\":1,\"msg\":\"m\"}\n";
    const NEW: &str = "{\"id\":3,\"app\":\"A\",\"msg\":\"m\"}\n";
    let model = "SELECT id, msg FROM raw_t\n";
    let lake = source(&[("dt=2026-11-01/a.json", OLD)], model);
    lake.write("lake/t/dt=2026-11-03/a.json", NEW);
    assert_eq!(found(&lake), ["column-added-at-end app tolerated"]);
    expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert_eq!(found(&lake), [""; 0]);
    std::fs::remove_dir_all(lake.path("lake/t/dt=2026-11-01")).unwrap();
    assert_eq!(found(&lake), ["column-reordered msg tolerated"]);

    for (late, expected) in [
        ("{\"id\":0,\"msg\":\"m\"}\n", "column-reordered app tolerated"),
        ("{\"msg\":\"m\",\"app\":\"A\",\"id\":0}\n", "tolerated"),
    ] {
        let lake = source(&[("dt=2026-11-03/a.json", NEW)], model);
        lake.write("lake/t/dt=2026-11-01/a.json", late);
        let found = found(&lake);
        assert!(!found.is_empty() && found.iter().all(|it| it.ends_with(expected)), "{found:?}");
    }
}

/// As the docs of `type-lossy` say it.
#[test]
fn decimals_that_happen_to_be_whole_are_accepted_and_come_back_as_a_widening() {
    let lake = source(&[("a.json", "{\"id\":1,\"amt\":20.5}\n")], MODEL);
    lake.write("lake/t/a.json", "{\"id\":1,\"amt\":20.0}\n");
    assert_eq!(found(&lake), [""; 0]);
    lake.write("lake/t/a.json", "{\"id\":1,\"amt\":20}\n");
    assert_eq!(found(&lake), ["type-lossy amt breaking"]);
    expect(lake.root(), 0, &["contracts", "update", "raw_t", "--yes"]);
    assert!(read(&lake, "sql/int_t.sql").contains("TRY_CAST(amt AS double)"));
    lake.write("lake/t/a.json", "{\"id\":1,\"amt\":20.5}\n");
    assert_eq!(found(&lake), ["type-widened amt tolerated"]);
}

/// As Athena reads it: no partition has a type of its own, and a whole number is a double, too.
#[test]
fn a_decimal_in_a_later_day_of_whole_numbers_stops_nothing() {
    let lake = source(&[("dt=2026-11-01/a.json", "{\"id\":1,\"amt\":2}\n")], MODEL);
    lake.write("lake/t/dt=2026-11-02/a.json", "{\"id\":2,\"amt\":2.5}\n");
    assert_eq!(found(&lake), ["type-widened amt tolerated"]);
}
