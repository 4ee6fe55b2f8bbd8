//! Accepting drift: `contracts init` and `contracts update`, through the binary.

use super::*;

fn read(lake: &Lake, file: &str) -> String {
    std::fs::read_to_string(lake.path(file)).unwrap()
}

/// A lake whose orders call their city otherwise now.
fn renamed() -> Lake {
    let lake = Lake::new();
    lake.write("lake/orders/1.json", RENAMED);
    lake.crawl();
    lake
}

/// Baskets with a struct, and a model that reads a field of it.
fn nested() -> Lake {
    let lake = Lake::new();
    lake.write("lake/baskets/1.json", "{\"id\":1,\"buyer\":{\"name\":\"Ann\",\"city\":\"Rome\"}}\n");
    lake.write("sql/int_baskets.sql", "SELECT\n    id,\n    buyer.city AS city\nFROM raw_baskets\n");
    lake.crawl();
    expect(lake.root(), 0, &["contracts", "init", "raw_baskets"]);
    expect(lake.root(), 0, &["run"]);
    lake
}

#[test]
fn a_field_that_models_name_is_not_accepted_away() {
    let lake = nested();
    lake.write("lake/baskets/1.json", "{\"id\":1,\"buyer\":{\"name\":\"Ann\"}}\n");
    assert_eq!(json(lake.root(), 1, &["run"])["findings"][0]["rule"], "struct-field-removed");
    let contract = read(&lake, "contracts/raw_baskets.json");
    let message = refused(lake.root(), &["contracts", "update", "--yes"]);
    assert!(message.contains("sql/int_baskets.sql:3:11: `buyer` has no field `city`"), "{message}");
    assert_eq!(read(&lake, "contracts/raw_baskets.json"), contract);
    lake.write("sql/int_baskets.sql", "SELECT\n    id,\n    buyer.name AS city\nFROM raw_baskets\n");
    expect(lake.root(), 0, &["contracts", "update", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
}

#[test]
fn a_field_of_another_type_is_mended_in_the_model_first() {
    let lake = nested();
    lake.write("lake/baskets/1.json", "{\"id\":1,\"buyer\":{\"name\":\"Ann\",\"city\":7}}\n");
    expect(lake.root(), 1, &["run"]);
    let message = refused(lake.root(), &["contracts", "update", "--yes"]);
    assert!(message.contains("sql/int_baskets.sql:3:5: `buyer.city` was string and is int"), "{message}");
    let mended = "SELECT\n    id,\n    TRY_CAST(buyer.city AS varchar) AS city\nFROM raw_baskets\n";
    lake.write("sql/int_baskets.sql", mended);
    let output = crawlguard(lake.root(), &["contracts", "update", "--yes"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("note: `buyer.city` of raw_baskets is int now"), "{said}");
    assert!(said.contains("no check counts"), "{said}");
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
}

#[test]
fn a_tolerated_loss_of_a_field_breaks_where_a_model_names_it() {
    let lake = nested();
    let mut contract: Value = serde_json::from_str(&read(&lake, "contracts/raw_baskets.json")).unwrap();
    let policy = serde_json::json!({"property": "crawlguard.policy", "value": {"struct-field-removed": "tolerate"}});
    contract["customProperties"].as_array_mut().unwrap().push(policy);
    lake.write("contracts/raw_baskets.json", &contract.to_string());
    lake.write("lake/baskets/1.json", "{\"id\":1,\"buyer\":{\"name\":\"Ann\"}}\n");
    let run = json(lake.root(), 1, &["run"]);
    let message = run["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("sql/int_baskets.sql:3:11: `buyer` has no field `city`"), "{message}");
    lake.write("sql/int_baskets.sql", "SELECT\n    id,\n    buyer.name\nFROM raw_baskets\n");
    assert_eq!(json(lake.root(), 0, &["run"])["verdict"], "tolerated");
}

#[test]
fn a_model_of_a_field_that_nothing_promises_is_a_problem_before_anything_runs() {
    let lake = nested();
    lake.write("sql/int_baskets.sql", "SELECT id, buyer.town AS city FROM raw_baskets\n");
    for command in ["check", "plan", "run"] {
        let message = refused(lake.root(), &[command]);
        assert!(message.contains("sql/int_baskets.sql:1:18: `buyer` has no field `town`"), "{command}: {message}");
    }
}

/// As if the machine had died between the contract and the model.
fn cut_off(lake: &Lake) -> (String, String) {
    let (contract, model) = (read(lake, "contracts/raw_orders.json"), read(lake, "sql/int_orders.sql"));
    let accepted = contract.replace("1.0.0", "2.0.0");
    let edits = serde_json::json!([
        {"file": "contracts/raw_orders.json", "before": contract, "after": accepted},
        {"file": "sql/int_orders.sql", "before": model, "after": format!("{model}-- accepted\n")},
        {"file": "contracts/log.jsonl", "before": null, "after": ""},
    ]);
    lake.write("contracts/raw_orders.json", &accepted);
    lake.write(".crawlguard/update.json", &edits.to_string());
    (accepted, model)
}

#[test]
fn half_an_acceptance_is_read_by_nobody_and_finished_by_the_next() {
    let lake = Lake::new();
    let (accepted, model) = cut_off(&lake);
    for arguments in [&["check"][..], &["plan"], &["run"], &["contracts", "init"]] {
        let message = refused(lake.root(), arguments);
        assert!(message.contains("run `crawlguard contracts update`"), "{arguments:?}: {message}");
    }
    expect(lake.root(), 0, &["contracts", "update"]);
    assert_eq!(read(&lake, "contracts/raw_orders.json"), accepted);
    assert_eq!(read(&lake, "sql/int_orders.sql"), format!("{model}-- accepted\n"));
    assert!(!lake.path(".crawlguard/update.json").exists());
    expect(lake.root(), 0, &["check"]);
}

#[test]
fn a_file_edited_since_an_acceptance_was_cut_off_is_kept() {
    let lake = Lake::new();
    let (accepted, model) = cut_off(&lake);
    lake.write("sql/int_orders.sql", &format!("{model}-- mine\n"));
    let message = refused(lake.root(), &["contracts", "update", "--yes"]);
    assert!(message.contains("sql/int_orders.sql: was edited") && message.contains("update.json"), "{message}");
    assert!(!message.contains("raw_orders.json: was edited"), "{message}");
    assert_eq!(read(&lake, "sql/int_orders.sql"), format!("{model}-- mine\n"));
    // The help's second way out: everything as it stands.
    std::fs::remove_file(lake.path(".crawlguard/update.json")).unwrap();
    expect(lake.root(), 0, &["contracts", "update", "--yes"]);
    assert_eq!(read(&lake, "contracts/raw_orders.json"), accepted);
}

#[test]
fn the_question_shows_the_change_and_needs_no_lock() {
    use crawlguard::store::Store;

    let lake = renamed();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _lease = runtime.block_on(lake.store().lock("ann, process 7")).unwrap();
    let message = refused(lake.root(), &["contracts", "update"]);
    assert!(message.contains("CAST(NULL AS varchar)"), "{message}");
    assert!(message.contains("`ship city` of raw_orders is gone: models read NULL in its place"), "{message}");
    assert!(message.contains("--rename 'ship city=city'"), "{message}");
    assert!(message.contains("add --yes"), "{message}");
    let message = refused(lake.root(), &["contracts", "update", "--yes"]);
    assert!(message.contains("ann, process 7"), "writing takes the lock: {message}");
}

#[test]
fn a_rename_that_somebody_states_keeps_the_column() {
    let lake = renamed();
    let property = |lake: &Lake| {
        let contract: Value = serde_json::from_str(&read(lake, "contracts/raw_orders.json")).unwrap();
        (contract["schema"][0]["properties"][1].clone(), contract["version"].clone())
    };
    let (before, _) = property(&lake);
    let check = json(lake.root(), 1, &["check"]);
    let removed = check["findings"].as_array().unwrap().iter().find(|found| found["rule"] == "column-removed").unwrap();
    let flag = "crawlguard contracts update raw_orders --rename 'ship city=city'";
    assert!(removed["help"].as_str().unwrap().contains(flag), "{removed}");
    let shown = expect(lake.root(), 0, &["contracts", "update", "raw_orders", "--rename", "ship city=city", "--yes"]);
    assert!(!shown.contains("CAST(NULL"), "{shown}");
    assert!(read(&lake, "sql/int_orders.sql").contains("    nullif(trim(city), '') AS city\n"));
    let (after, version) = property(&lake);
    assert_eq!((&after["id"], &after["name"]), (&before["id"], &"city".into()));
    assert_eq!(version, "2.0.0");
    let log = json(lake.root(), 0, &["contracts", "log"]);
    assert_eq!(log["log"][0]["renamed"], serde_json::json!({"ship city": "city"}));
    assert_eq!(json(lake.root(), 0, &["run"])["verdict"], "clean");
    let rows = json(lake.root(), 0, &["query", "SELECT id, city FROM int_orders"]);
    assert_eq!(rows, serde_json::json!([{"id": 1, "city": "Rome"}]));
}

#[test]
fn renames_that_do_not_hold_are_all_told() {
    let lake = Lake::new();
    lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":7}\n");
    lake.crawl();
    let update = |more: &[&str]| refused(lake.root(), &[&["contracts", "update", "--yes"], more].concat());
    let message = update(&["raw_orders", "--rename", "ship cty=town", "--rename", "ship city=city", "--rename", "x"]);
    for part in [
        "`ship cty` is not a removed column of raw_orders\n  help: did you mean `ship city`?",
        "`town` is not an added column of raw_orders\n  help: name one of `city`",
        "`ship city` was string, and `city` is int",
        "--rename x: is not OLD=NEW",
    ] {
        assert!(message.contains(part), "{part} is missing: {message}");
    }
    assert!(update(&["--rename", "ship city=city"]).contains("--rename is of one table"));
    assert!(!lake.path("contracts/log.jsonl").exists());
}

#[test]
fn the_log_names_whom_git_would_name() {
    let lake = renamed();
    let update = |lake: &Lake, variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crawlguard"));
        command.current_dir(lake.root()).args(["contracts", "update", "--yes"]);
        command.env_remove("GIT_AUTHOR_NAME").env_remove("GIT_AUTHOR_EMAIL").env_remove("USER");
        assert!(command.envs(variables.iter().copied()).output().unwrap().status.success());
        let log = json(lake.root(), 0, &["contracts", "log"]);
        log["log"].as_array().unwrap().last().unwrap()["who"].as_str().unwrap().to_owned()
    };
    let author = [("GIT_AUTHOR_NAME", "Ann Lee"), ("GIT_AUTHOR_EMAIL", "ann@example.org")];
    assert_eq!(update(&lake, &author), "Ann Lee <ann@example.org>");
    lake.write("lake/orders/1.json", "{\"Id\":1,\"City\":\"Rome\",\"Note\":\"x\"}\n");
    lake.crawl();
    for words in [&["init", "-q"][..], &["config", "user.name", "Bo"], &["config", "user.email", "bo@example.org"]] {
        assert!(Command::new("git").current_dir(lake.root()).args(words).status().unwrap().success());
    }
    assert_eq!(update(&lake, &[]), "Bo <bo@example.org>");
}

#[test]
fn contracts_are_made_for_the_tables_that_are_named() {
    let lake = Lake::new();
    for source in ["apples", "pears"] {
        lake.write(&format!("lake/{source}/1.json"), "{\"id\":1}\n");
    }
    lake.crawl();
    // A first contract needs no model to be sound.
    lake.write("sql/int_pears.sql", "SELECT id FROM\n");
    let made = json(lake.root(), 0, &["contracts", "init", "raw_pears"]);
    assert_eq!(made["written"], serde_json::json!(["contracts/raw_pears.json"]));
    let message = refused(lake.root(), &["contracts", "init", "raw_orders", "raw_aples", "raw_apples"]);
    assert!(message.contains("raw_orders: has a contract already"), "{message}");
    assert!(message.contains("raw_aples: is not in the catalog\n  help: did you mean `raw_apples`?"), "{message}");
    assert!(!lake.path("contracts/raw_apples.json").exists());
    assert!(refused(lake.root(), &["init"]).contains("crawlguard contracts init"));
}

#[test]
fn a_yaml_contract_becomes_json_and_says_so() {
    let lake = renamed();
    let yaml = format!("# ours\n{}", read(&lake, "contracts/raw_orders.json"));
    std::fs::remove_file(lake.path("contracts/raw_orders.json")).unwrap();
    lake.write("contracts/raw_orders.yaml", &yaml);
    let shown = refused(lake.root(), &["contracts", "update"]);
    let note =
        "contracts/raw_orders.yaml becomes contracts/raw_orders.json; it is kept as contracts/raw_orders.yaml.bak";
    assert!(shown.contains(note) && shown.contains("comments of lines 1"), "{shown}");
    lake.write("contracts/raw_orders.yaml.bak", "an older one\n");
    assert!(refused(lake.root(), &["contracts", "update", "--yes"]).contains("raw_orders.yaml.bak is in the way"));
    std::fs::remove_file(lake.path("contracts/raw_orders.yaml.bak")).unwrap();
    expect(lake.root(), 0, &["contracts", "update", "--yes"]);
    assert_eq!(read(&lake, "contracts/raw_orders.yaml.bak"), yaml);
    let listed = json(lake.root(), 0, &["contracts", "list"]);
    assert_eq!(listed["contracts"].as_array().unwrap().len(), 1);
    assert_eq!(listed["contracts"][0]["file"], "contracts/raw_orders.json");
}

#[test]
fn a_lost_header_is_refused_for_what_it_is() {
    let lake = Lake::new();
    lake.write("lake/people/1.csv", "id,name\n1,Ann\n2,Bob\n");
    lake.crawl();
    expect(lake.root(), 0, &["contracts", "init", "raw_people"]);
    lake.write("sql/int_people.sql", "SELECT id, name FROM raw_people\n");
    lake.write("lake/people/1.csv", "1,Ann\n2,Bob\n");
    lake.crawl();
    let message = refused(lake.root(), &["contracts", "update", "--yes"]);
    assert!(message.contains("raw_people: cannot be accepted: its header is lost"), "{message}");
    assert!(message.contains("restore the header row") && !message.contains("unknown column"), "{message}");
}

#[test]
fn a_retired_source_that_comes_back_while_a_model_reads_it_has_a_way_in() {
    let lake = Lake::new();
    lake.write("lake/pears/1.json", "{\"id\":1}\n");
    lake.crawl();
    expect(lake.root(), 0, &["contracts", "init", "raw_pears"]);
    std::fs::remove_file(lake.path("sql/int_pears.sql")).unwrap();
    std::fs::remove_dir_all(lake.path("lake/pears")).unwrap();
    expect(lake.root(), 0, &["crawl"]);
    let check = json(lake.root(), 1, &["check"]);
    assert_eq!(
        check["findings"][0]["help"],
        "Bring the files back and crawl again, or run `crawlguard contracts update raw_pears` to retire it."
    );
    expect(lake.root(), 0, &["contracts", "update", "raw_pears", "--yes"]);
    let retired = |lake: &Lake| json(lake.root(), 0, &["contracts", "list"])["contracts"][1]["retired"].clone();
    assert_eq!(retired(&lake), true);
    assert!(expect(lake.root(), 0, &["contracts", "list"]).contains("raw_pears  retired, crawler"));
    lake.write("lake/pears/1.json", "{\"id\":1,\"sort\":\"x\"}\n");
    lake.write("sql/int_pears.sql", "SELECT id FROM raw_pears\n");
    expect(lake.root(), 0, &["crawl"]);
    let message = refused(lake.root(), &["contracts", "update", "raw_pears", "--yes"]);
    assert!(message.contains("`crawlguard contracts init raw_pears`"), "{message}");
    expect(lake.root(), 0, &["contracts", "init", "raw_pears"]);
    assert_eq!(retired(&lake), false);
    assert_eq!(json(lake.root(), 0, &["run"])["verdict"], "clean");
    let log = json(lake.root(), 0, &["contracts", "log", "raw_pears"]);
    assert_eq!(log["log"][1]["findings"][0]["rule"], "table-new");
    let message = refused(lake.root(), &["contracts", "init", "raw_pears"]);
    assert!(message.contains("has a contract already"), "{message}");
}

#[test]
fn a_model_gets_a_first_contract_from_what_is_published() {
    let lake = Lake::new();
    let message = refused(lake.root(), &["contracts", "init", "int_orders"]);
    assert!(message.contains("int_orders: is not published yet\n  help: run `crawlguard run` first"), "{message}");
    expect(lake.root(), 0, &["run"]);
    let made = json(lake.root(), 0, &["contracts", "init", "int_orders"]);
    assert_eq!(made["written"], serde_json::json!(["contracts/int_orders.json"]));
    let contract: Value = serde_json::from_str(&read(&lake, "contracts/int_orders.json")).unwrap();
    let object = &contract["schema"][0];
    assert_eq!(contract["customProperties"][0]["value"], "model");
    assert_eq!(
        (&object["properties"][0]["name"], &object["properties"][0]["primaryKey"]),
        (&"id".into(), &true.into())
    );
    assert!(object["quality"].as_array().unwrap().iter().all(|rule| rule["description"].is_string()), "{object}");
    let city = &object["properties"][1]["quality"][0];
    assert_eq!(city["mustBeLessOrEqualTo"], 44, "one of three is NULL, and ten points more: {city}");
    assert!(city["description"].as_str().unwrap().contains("1 of 3 rows without a value"), "{city}");
    let run = json(lake.root(), 0, &["run"]);
    let checks = run["checks"].as_array().unwrap().iter().filter(|check| check["table"] == "int_orders");
    let names: Vec<&str> = checks.map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["row count", "row count change", "primary key", "required", "nulls", "column type", "column type"]
    );
    let message = refused(lake.root(), &["contracts", "init", "int_orders"]);
    assert!(message.contains("has a contract already") && message.contains("edit it"), "{message}");
}

#[test]
fn a_run_names_the_models_that_no_contract_checks_and_the_line_that_does() {
    let lake = Lake::new();
    let hint = "\n  crawlguard contracts init int_orders fact_cities\n";
    assert!(expect(lake.root(), 0, &["run"]).contains(hint));
    assert!(paste(lake.root(), hint).status.success());
    let said = expect(lake.root(), 0, &["run"]);
    assert!(!said.contains("contracts init") && said.contains("checks: "), "{said}");
    let contract: Value = serde_json::from_str(&read(&lake, "contracts/fact_cities.json")).unwrap();
    let rules = contract["schema"][0]["quality"].as_array().unwrap();
    let key = rules.iter().find(|rule| rule["id"] == "key").expect("no header says its key");
    let words = key["description"].as_str().unwrap();
    assert!(words.contains("in each of the 2 rows: `city`. "), "every city has one order, which names none: {words}");
    // A night on which the column comes back empty.
    lake.write(
        "lake/orders/1.json",
        "{\"Id\":1,\"Ship City\":\"\"}\n{\"Id\":2,\"Ship City\":\"Oslo\"}\n{\"Id\":3,\"Ship City\":\"\"}\n",
    );
    let run = json(lake.root(), 1, &["run"]);
    let failed: Vec<_> = run["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "fail").collect();
    assert_eq!((failed.len(), &failed[0]["column"]), (1, &"city".into()), "{failed:?}");
}

#[test]
fn what_an_accepted_retype_loses_is_counted_from_then_on() {
    let lake = Lake::new();
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\"}\n{\"Id\":\"n/a\",\"Ship City\":\"Oslo\"}\n");
    // Without a key, which may not be NULL.
    let model = read(&lake, "sql/int_orders.sql").replace("primary_key: id\n", "");
    lake.write("sql/int_orders.sql", &model);
    expect(lake.root(), 1, &["run"]);
    let output = crawlguard(lake.root(), &["contracts", "update", "raw_orders", "--yes"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("note: models read `id` of raw_orders through TRY_CAST as int from now on"), "{said}");
    assert!(said.contains("say how many in `maxLost`"), "{said}");
    assert!(read(&lake, "sql/int_orders.sql").contains("TRY_CAST(id AS"));
    let loss = |run: &Value| {
        let checks = run["checks"].as_array().unwrap().iter();
        let found: Vec<&Value> = checks.filter(|check| check["check"] == "cast_loss").collect();
        assert_eq!(found.len(), 1, "{run}");
        (found[0]["status"].clone(), found[0]["measured"].clone())
    };
    assert_eq!(loss(&json(lake.root(), 1, &["run"])), ("fail".into(), 1.into()), "nobody said that one may be lost");
    let contract = read(&lake, "contracts/raw_orders.json");
    lake.write("contracts/raw_orders.json", &contract.replace("\"maxLost\": 0", "\"maxLost\": 1"));
    assert_eq!(loss(&json(lake.root(), 0, &["run"])), ("pass".into(), 1.into()));
}

/// `2.5` as a whole number is 3: published, it would be another value than the source's.
#[test]
fn what_a_cast_rounds_stops_the_run_whether_it_is_tolerated_pinned_or_accepted() {
    let promised = |file: &str, whole: &str| {
        let lake = Lake::new();
        lake.write(file, whole);
        lake.write("sql/int_sales.sql", "SELECT id, amount FROM raw_sales\n");
        lake.crawl();
        expect(lake.root(), 0, &["contracts", "init", "raw_sales"]);
        expect(lake.root(), 0, &["run"]);
        lake
    };
    let says = |lake: &Lake, place: &str, property: &str, value: Value| {
        let mut contract: Value = serde_json::from_str(&read(lake, "contracts/raw_sales.json")).unwrap();
        let own = contract.pointer_mut(place).unwrap().as_object_mut().unwrap();
        let list = own.entry("customProperties").or_insert_with(|| serde_json::json!([])).as_array_mut().unwrap();
        list.push(serde_json::json!({"property": property, "value": value}));
        lake.write("contracts/raw_sales.json", &contract.to_string());
    };
    let is_counted = |lake: &Lake| {
        let run = json(lake.root(), 1, &["run"]);
        let checks = run["checks"].as_array().unwrap().iter();
        let found: Vec<_> = checks.filter(|check| check["check"] == "cast_loss").collect();
        assert_eq!(found.len(), 1, "{run}");
        assert_eq!(
            (&found[0]["status"], &found[0]["measured"]),
            (&"fail".into(), &2.into()),
            "2.0 is as whole as 2: {run}"
        );
        assert!(
            !expect(lake.root(), 0, &["query", "SELECT amount FROM int_sales"]).contains('0'),
            "nothing is published"
        );
    };
    let (csv, json_lines) = ("lake/sales/1.csv", "lake/sales/1.json");
    let whole_csv = "id,amount\n1,2\n2,3\n";
    let broken_csv = "id,amount\n1,2.5\n2,0.4\n3,2.0\n";

    let lake = promised(csv, whole_csv);
    lake.write(csv, broken_csv);
    says(&lake, "", "crawlguard.policy", serde_json::json!({"type-lossy": "tolerate"}));
    is_counted(&lake);

    let lake = promised(csv, whole_csv);
    lake.write(csv, broken_csv);
    expect(lake.root(), 1, &["run"]);
    expect(lake.root(), 0, &["contracts", "update", "raw_sales", "--yes"]);
    is_counted(&lake);

    let lake = promised(json_lines, "{\"id\":1,\"amount\":2}\n{\"id\":2,\"amount\":3}\n");
    let properties: Value = serde_json::from_str(&read(&lake, "contracts/raw_sales.json")).unwrap();
    let properties = properties["schema"][0]["properties"].as_array().unwrap();
    let index = properties.iter().position(|property| property["name"] == "amount").unwrap();
    says(&lake, &format!("/schema/0/properties/{index}"), "crawlguard.pinned", true.into());
    lake.write(json_lines, "{\"id\":1,\"amount\":2.5}\n{\"id\":2,\"amount\":0.4}\n{\"id\":3,\"amount\":2.0}\n");
    is_counted(&lake);
}

/// Nothing but a person knows whether `007` is a number.
#[test]
fn the_first_numbers_of_an_empty_csv_column_wait_for_a_person() {
    let lake = Lake::new();
    lake.write("lake/parts/1.csv", "id,code\n1,\n2,\n");
    lake.write("sql/int_parts.sql", "SELECT id, code FROM raw_parts\n");
    lake.crawl();
    expect(lake.root(), 0, &["contracts", "init", "raw_parts"]);
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/parts/1.csv", "id,code\n1,007\n2,0123\n");
    let run = json(lake.root(), 1, &["run"]);
    let finding = &run["findings"][0];
    let told = (&finding["rule"], &finding["level"], &finding["decode"]);
    assert_eq!(told, (&"type-shown".into(), &"breaking".into(), &"unsafe".into()), "{run}");
    assert!(finding["help"].as_str().unwrap().contains("a code such as 007 reads as 7"), "{finding}");
    expect(lake.root(), 0, &["contracts", "update", "raw_parts", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
}

#[test]
fn targets_of_one_project_write_contracts_one_at_a_time() {
    use crawlguard::store::{FsStore, Store};

    let lake = renamed();
    let settings = read(&lake, "crawlguard.toml");
    let other = "[targets.other]\nkind = \"local\"\nlake = \"lake\"\nstate = \".other\"\ndatabase = \"shop\"\n";
    lake.write("crawlguard.toml", &format!("default_target = \"local\"\n{settings}{other}"));
    expect(lake.root(), 0, &["--target", "other", "crawl"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lease =
        runtime.block_on(FsStore::new(lake.path(".crawlguard/contracts")).lock("ann, accepting drift")).unwrap();
    let message = refused(lake.root(), &["--target", "other", "contracts", "update", "--yes"]);
    assert!(message.contains("ann, accepting drift"), "{message}");
    drop(lease);
    let update = |target: &str| paste(lake.root(), &format!("crawlguard --target {target} contracts update --yes"));
    let (one, two) = std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(|| update("local")), scope.spawn(|| update("other")));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert!(one.status.success() || two.status.success(), "{one:?}{two:?}");
    expect(lake.root(), 0, &["contracts", "update", "--yes"]);
    assert_eq!(read(&lake, "contracts/log.jsonl").lines().count(), 1);
    assert!(!lake.path(".crawlguard/update.json").exists());
    expect(lake.root(), 0, &["check"]);
}

#[test]
fn no_cast_is_offered_between_what_is_nested_and_what_is_not() {
    for (before, after, kind) in
        [("\"x\"", "{\"a\":1}", "struct<"), ("{\"a\":1}", "\"x\"", "string"), ("7", "[7]", "array<")]
    {
        let lake = Lake::new();
        lake.write("lake/caps/1.json", &format!("{{\"id\":1,\"total cap\":{before}}}\n"));
        lake.write("sql/int_caps.sql", "SELECT id, \"total cap\" AS cap FROM raw_caps\n");
        lake.crawl();
        expect(lake.root(), 0, &["contracts", "init", "raw_caps"]);
        lake.write("lake/caps/1.json", &format!("{{\"id\":1,\"total cap\":{after}}}\n"));
        let run = json(lake.root(), 1, &["run"]);
        let finding = &run["findings"][0];
        assert_eq!(finding["rule"], "type-incompatible", "{run}");
        let help = finding["help"].as_str().unwrap();
        assert!(help.contains("no update accepts it while models name `total cap`: it is"), "{help}");
        assert_eq!(run["acceptable"], serde_json::json!([]), "{run}");
        let message = refused(lake.root(), &["contracts", "update", "raw_caps", "--yes"]);
        assert!(message.contains(kind) && message.contains("take the column out of the models"), "{message}");
        lake.write("sql/int_caps.sql", "SELECT id FROM raw_caps\n");
        expect(lake.root(), 0, &["contracts", "update", "raw_caps", "--yes"]);
        assert_eq!(json(lake.root(), 0, &["run"])["outcome"], "published");
    }
}
