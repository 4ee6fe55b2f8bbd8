//! What each command promises, by the program itself.

use super::*;

#[test]
fn a_clean_run_prints_the_promised_json() {
    let lake = Lake::new();
    let run = json(lake.root(), 0, &["run"]);
    for key in ["schema_version", "run_id", "verdict", "outcome", "findings", "steps", "checks", "published", "alert"] {
        assert!(run.get(key).is_some(), "{key} is missing: {:?}", keys(&run));
    }
    assert_eq!((&run["verdict"], &run["outcome"], &run["alert"]), (&"clean".into(), &"published".into(), &Value::Null));
    assert_eq!(keys(&run["checks"][0]), ["table", "check", "column", "status", "measured", "bound"]);
}

#[test]
fn check_prints_the_promised_json_and_writes_nothing() {
    let lake = Lake::new();
    lake.write("lake/orders/1.json", RENAMED);
    expect(lake.root(), 0, &["crawl"]);
    let before = tree(lake.root());
    let check = json(lake.root(), 1, &["check"]);
    assert_eq!(tree(lake.root()), before);
    assert_eq!(keys(&check), ["schema_version", "verdict", "findings", "notes", "catalog_as_of"]);
    assert_eq!(check["verdict"], "breaking");
    let finding =
        &check["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "column-removed").unwrap();
    assert_eq!(
        keys(finding),
        ["rule", "level", "table", "path", "before", "after", "decode", "models", "message", "help"]
    );
    assert_eq!(finding["models"][0]["model"], "int_orders");
    assert_eq!(finding["models"][0]["columns"], serde_json::json!(["city"]));
}

#[test]
fn plan_writes_nothing_and_names_the_steps_of_the_run() {
    let lake = Lake::new();
    let before = tree(lake.root());
    let plan = json(lake.root(), 0, &["plan"]);
    assert_eq!(tree(lake.root()), before);
    let run = json(lake.root(), 0, &["run"]);
    let names = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&plan["plan"]["steps"]), names(&run["steps"]));
}

#[test]
fn the_alerts_own_line_accepts_and_the_next_run_is_clean() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/orders/1.json", RENAMED);
    let halted = json(lake.root(), 1, &["run"]);
    assert_eq!(halted["outcome"], "halted");
    assert_eq!(halted["published"], serde_json::json!([]));
    let lines = halted["alert"]["accept"].as_array().unwrap();
    let asking = lines[0].as_str().and_then(asking);
    assert_eq!(asking, Some("crawlguard contracts update raw_orders --rename 'ship city=city'"));
    let words: Vec<_> = lines[1].as_str().unwrap().split(' ').collect();
    assert_eq!(words[0], "crawlguard");
    let shown = expect(lake.root(), 0, &words[1..]);
    assert!(shown.contains("CAST(NULL AS varchar)"), "{shown}");
    let run = json(lake.root(), 1, &["run"]);
    // Every city is NULL now, so the fact table is empty: that is for the checks to say, and drift has nothing to add.
    assert_eq!((&run["verdict"], &run["outcome"]), (&"clean".into(), &"checks_failed".into()));
    let log = json(lake.root(), 0, &["contracts", "log"]);
    assert_eq!(log["log"][0]["table"], "raw_orders");
    assert_eq!(json(lake.root(), 0, &["contracts", "update"])["updated"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_carried_is_promised_all_the_same() {
    let lake = Lake::new();
    // The new column's name is an output column of the model already.
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\",\"City\":\"Roma\"}\n");
    let halted = json(lake.root(), 1, &["run"]);
    assert_eq!(halted["verdict"], "breaking");
    expect(lake.root(), 0, &["contracts", "update", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["run"])["verdict"], "clean");
}

#[test]
fn nobody_to_ask_is_no_consent() {
    let lake = Lake::new();
    lake.write("lake/orders/1.json", RENAMED);
    expect(lake.root(), 0, &["crawl"]);
    let contract = std::fs::read_to_string(lake.path("contracts/raw_orders.json")).unwrap();
    let message = refused(lake.root(), &["contracts", "update"]);
    assert!(message.contains("--yes"), "{message}");
    assert_eq!(std::fs::read_to_string(lake.path("contracts/raw_orders.json")).unwrap(), contract);
    assert!(!lake.path("contracts/log.jsonl").exists());
}

#[test]
fn published_rows_can_be_read_and_put_back() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    let sql = "SELECT id, city FROM int_orders ORDER BY id";
    let rows = json(lake.root(), 0, &["query", sql]);
    assert_eq!(
        rows,
        serde_json::json!([{"id": 1, "city": "Rome"}, {"id": 2, "city": "Oslo"}, {"id": 3, "city": null}])
    );
    assert_eq!(expect(lake.root(), 0, &["query", sql, "--output", "csv"]), "id,city\n1,Rome\n2,Oslo\n3,\n");
    lake.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\"}\n");
    expect(lake.root(), 0, &["run"]);
    let count = "SELECT count(*) AS n FROM int_orders";
    assert_eq!(json(lake.root(), 0, &["query", count])[0]["n"], 4);
    let listed = json(lake.root(), 0, &["rollback", "int_orders", "--list"]);
    let versions: Vec<_> =
        listed["versions"].as_array().unwrap().iter().map(|it| (&it["version"], &it["rows"])).collect();
    assert_eq!(versions, [(&"2".into(), &4.into()), (&"1".into(), &3.into())]);
    let message = refused(lake.root(), &["rollback", "int_order"]);
    assert!(message.contains("there are: fact_cities, int_orders"), "{message}");
    let message = refused(lake.root(), &["rollback", "int_orders", "--to", "9"]);
    assert!(message.contains("no version 9; kept: version 2, built"), "{message}");
    let said = expect(lake.root(), 0, &["rollback", "int_orders"]);
    assert!(said.contains("version 1, built") && said.contains("3 rows, the one before"), "{said}");
    assert!(said.contains("the next run publishes again"), "{said}");
    assert_eq!(json(lake.root(), 0, &["query", count])[0]["n"], 3);
    let message = refused(lake.root(), &["query", "SELECT * FROM raw_orders"]);
    assert!(message.contains("--raw"), "{message}");
    assert_eq!(json(lake.root(), 0, &["query", "--raw", "SELECT count(*) AS n FROM raw_orders"])[0]["n"], 4);
}

#[test]
fn a_lake_becomes_a_project_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("lake/Würfel & Co");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("a.csv"), "select,from \"x\",größe\n1,a,2.5\n2,b,3.5\n").unwrap();
    let made = json(folder.path(), 0, &["init"]);
    assert!(made["written"].as_array().unwrap().len() >= 4, "{made}");
    let run = json(folder.path(), 0, &["run"]);
    assert_eq!(run["outcome"], "published");
    let again = refused(folder.path(), &["init"]);
    assert!(again.contains("nothing was changed"), "{again}");
}

#[test]
fn every_source_that_can_be_read_gets_a_model() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("orders/a.csv", "id,Ship City\n1, Rome \n2,\n"),
        ("people/a.json", "{\"Name\":\" Ann \",\"Age\":7}\n"),
        ("torn/a.json", "{\"x\""),
    ] {
        let path = folder.path().join("lake").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = crawlguard(folder.path(), &["init"]);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2), "{stdout}{stderr}");
    assert!(stderr.contains("torn/a.json") && stdout.contains("contracts init"), "{stdout}{stderr}");
    std::fs::remove_dir_all(folder.path().join("lake/torn")).unwrap();
    assert_eq!(json(folder.path(), 0, &["run"])["outcome"], "published");
    let rows = json(folder.path(), 0, &["query", "SELECT ship_city FROM int_orders ORDER BY id"]);
    assert_eq!(rows, serde_json::json!([{"ship_city": "Rome"}, {"ship_city": null}]));
    let rows = json(folder.path(), 0, &["query", "SELECT * FROM int_people"]);
    assert_eq!(rows, serde_json::json!([{"name": "Ann", "age": 7}]));
}

#[test]
fn what_init_tells_to_type_works_and_quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("lake/orders")).unwrap();
    std::fs::write(folder.path().join("lake/orders/a.csv"), "id,city\n1,Rome\n").unwrap();
    assert_eq!(expect(folder.path(), 0, &["-q", "init", "quiet", "--lake", "lake"]), "");
    let said = expect(folder.path(), 0, &["init", "my shop", "--lake", "lake"]);
    let (_, commands) = said.split_once("next:\n").expect("it says what is next");
    assert_eq!(commands.lines().count(), 3, "{commands}");
    for command in commands.lines() {
        let output = paste(folder.path(), command.trim());
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_is_printed_can_be_pasted_where_the_user_stands() {
    let lake = Lake::new();
    lake.write("lake/orders/1.json", RENAMED);
    let (elsewhere, program) = (tempfile::tempdir().unwrap(), env!("CARGO_BIN_EXE_crawlguard"));
    let root = lake.root().display().to_string();
    let from_there = |arguments: &[&str]| {
        let output =
            Command::new(program).current_dir(elsewhere.path()).args(["--project", &root]).args(arguments).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let alert = from_there(&["--target", "local", "run"]);
    let globals = format!("{program} --project {root} --target local");
    let mail = alert.split_once("The alert that was sent:").expect("an alert").1;
    assert_eq!(mail.matches(" contracts update ").count(), 2, "each command once: {mail}");
    let lines: Vec<&str> = alert.lines().map(|line| line.trim_start_matches("| More: ")).collect();
    let mut commands = lines.into_iter().filter(|line| line.starts_with(program));
    let rename = commands.next().expect("a line that takes it for a new name");
    assert_eq!(asking(rename), Some(&*format!("{globals} contracts update raw_orders --rename 'ship city=city'")));
    let accept = commands.next().expect("a line that accepts");
    assert_eq!(asking(accept), Some(&*format!("{globals} contracts update raw_orders")));
    for command in [rename, accept, commands.next().expect("a line that shows the run")] {
        let output = Command::new("sh").current_dir(elsewhere.path()).args(["-c", command]).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    lake.write("sql/int_late.sql", "SELECT id FROM raw_late\n");
    let errors = from_there(&["check", "--format", "json"]);
    assert!(errors.contains(&format!("`{program} --project {root} contracts init raw_late`")), "{errors}");
}

#[test]
fn every_problem_is_told_at_once_and_nothing_runs() {
    let lake = Lake::new();
    lake.write("contracts/broken.json", "{\"kind\": ");
    lake.write("sql/bad.sql", "SELECT FROM WHERE");
    lake.write("sql/two.sql", "SELECT 1 AS a; SELECT 2 AS b");
    let before = tree(&lake.path(".crawlguard/catalog"));
    let message = refused(lake.root(), &["run", "--no-crawl"]);
    for file in ["contracts/broken.json", "sql/bad.sql", "sql/two.sql"] {
        assert!(message.contains(file), "{file} is not named: {message}");
    }
    assert_eq!(tree(&lake.path(".crawlguard/catalog")), before);
    assert!(!lake.path(".crawlguard/runs").exists());
}

#[test]
fn files_that_cannot_be_read_stop_the_run() {
    let lake = Lake::new();
    lake.write("lake/orders/2.json", "{\"Id\": 4, \"Ship City\"");
    let run = json(lake.root(), 2, &["run"]);
    assert_eq!((&run["verdict"], &run["outcome"]), (&"unknown".into(), &"error".into()));
    assert_eq!(run["findings"][0]["rule"], "files-unreadable");
    refused(lake.root(), &["contracts", "update", "--yes"]);
}

#[test]
fn a_quoted_cell_that_the_serde_would_split_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("lake/c")).unwrap();
    std::fs::write(folder.path().join("lake/c/c.csv"), "id,name,land\n1,Ann,CH\n").unwrap();
    json(folder.path(), 0, &["init"]);
    std::fs::write(folder.path().join("lake/c/c.csv"), "id,name,land\n1,\"Ann, M\",CH\n").unwrap();
    let run = json(folder.path(), 2, &["run"]);
    assert_eq!((&run["verdict"], &run["published"]), (&"unknown".into(), &serde_json::json!([])));
    assert_eq!(run["alert"]["accept"], serde_json::json!([]), "no command can accept it");
}

#[test]
fn a_source_that_was_never_read_is_not_passed_over() {
    let lake = Lake::new();
    lake.write("lake/fresh/a.json", "{\"x\"");
    let run = json(lake.root(), 2, &["run"]);
    assert_eq!((&run["verdict"], &run["outcome"]), (&"unknown".into(), &"error".into()));
    let finding = &run["findings"][0];
    assert_eq!((&finding["rule"], &finding["table"]), (&"files-unreadable".into(), &"raw_fresh".into()));
    assert!(finding["message"].as_str().unwrap().contains("fresh/a.json:line 1"), "{finding}");
    assert_eq!(
        finding["help"],
        "Write one object a line, then run `crawlguard run`, which looks again; nothing accepts it."
    );
    assert_eq!(run["delivery"], "sent");
    // It is told once, is no table to promise, and leaves nothing behind.
    let again = json(lake.root(), 2, &["run"]);
    assert_eq!(again["delivery"]["already_told"]["run_id"], run["run_id"]);
    assert_eq!(json(lake.root(), 2, &["check"])["findings"], run["findings"]);
    assert_eq!(json(lake.root(), 0, &["contracts", "init"])["written"], serde_json::json!([]));
    let message = refused(lake.root(), &["contracts", "init", "raw_fresh"]);
    assert!(message.contains("raw_fresh: its files cannot be read: "), "{message}");
    std::fs::remove_dir_all(lake.path("lake/fresh")).unwrap();
    let over = json(lake.root(), 0, &["run"]);
    assert_eq!((&over["findings"], &over["alert"]["kind"]), (&serde_json::json!([]), &"resolved".into()));
    assert!(!lake.path(".crawlguard/catalog/shop/raw_fresh").exists());
}

#[test]
fn what_is_wrong_with_the_lake_as_a_whole_is_recorded_and_told() {
    let lake = Lake::new();
    lake.write("lake/stray.csv", "id,name\n1,Ann\n");
    let run = json(lake.root(), 2, &["run"]);
    assert_eq!(
        (&run["verdict"], &run["outcome"], &run["delivery"]),
        (&"unknown".into(), &"error".into(), &"sent".into())
    );
    assert!(run["error"].as_str().unwrap().contains("stray.csv: a data file lies in no source's folder"), "{run}");
    assert_eq!(json(lake.root(), 0, &["runs"])["runs"].as_array().unwrap().len(), 1);
    std::fs::remove_file(lake.path("lake/stray.csv")).unwrap();
    assert_eq!(json(lake.root(), 0, &["run"])["alert"]["kind"], "resolved");
}

#[test]
fn a_lake_beside_the_project_is_named_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    for lake in ["lake", "shop/inside"] {
        std::fs::create_dir_all(folder.path().join(lake).join("orders")).unwrap();
        std::fs::write(folder.path().join(lake).join("orders/a.csv"), "id,city\n1,Rome\n").unwrap();
    }
    let absolute = folder.path().join("lake").display().to_string();
    for (project, lake, expected) in
        [("one", "lake", "../lake"), ("two", absolute.as_str(), "../lake"), ("shop", "inside", "inside")]
    {
        expect(folder.path(), 0, &["-q", "init", project, "--lake", lake]);
        let settings = std::fs::read_to_string(folder.path().join(project).join("crawlguard.toml")).unwrap();
        assert!(settings.contains(&format!("\nlake = \"{expected}\"\n")), "{project}: {settings}");
    }
    // Both move together.
    let moved = tempfile::tempdir().unwrap();
    for part in ["one", "lake"] {
        std::fs::rename(folder.path().join(part), moved.path().join(part)).unwrap();
    }
    assert_eq!(json(&moved.path().join("one"), 0, &["run"])["outcome"], "published");
}

#[test]
fn names_of_staging_and_raw_tables_are_taken() {
    let lake = Lake::new();
    lake.write("sql/stg_x.sql", "SELECT id FROM raw_orders");
    lake.write("sql/raw_y.sql", "SELECT id FROM raw_orders");
    let message = refused(lake.root(), &["run"]);
    assert!(message.contains("sql/stg_x.sql") && message.contains("sql/raw_y.sql"), "{message}");
}

#[test]
fn a_file_name_is_no_pattern() {
    let lake = Lake::new();
    lake.write("lake/orders/o[1].json", "{\"Id\":10,\"Ship City\":\"Bonn\"}\n");
    lake.write("lake/orders/o1.json", "{\"Id\":20,\"Ship City\":\"Bern\"}\n");
    expect(lake.root(), 0, &["run"]);
    let rows = json(lake.root(), 0, &["query", "SELECT id FROM int_orders WHERE id > 9 ORDER BY id"]);
    assert_eq!(rows, serde_json::json!([{"id": 10}, {"id": 20}]));
}

#[test]
fn a_column_without_a_value_keeps_its_type() {
    let lake = Lake::new();
    expect(lake.root(), 0, &["run"]);
    lake.write("lake/orders/1.json", "{\"Id\":null,\"Ship City\":\"Rome\"}\n");
    expect(lake.root(), 0, &["crawl"]);
    let rows = json(lake.root(), 0, &["query", "--raw", "SELECT sum(id) AS total FROM raw_orders"]);
    assert_eq!(rows, serde_json::json!([{"total": null}]), "a sum of text would be refused");
}

#[test]
fn a_second_run_is_told_who_holds_the_lock() {
    use crawlguard::store::Store;

    let lake = Lake::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _lease = runtime.block_on(lake.store().lock("ann, process 7")).unwrap();
    let message = refused(lake.root(), &["run"]);
    assert!(message.contains("ann, process 7"), "{message}");
}

#[test]
fn usage_errors_have_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["run"][..], &["nonsense"], &["explain", "no-such-rule"], &["diff", "a", "b"]] {
        refused(folder.path(), arguments);
    }
    assert!(expect(folder.path(), 0, &["--help"]).contains("Exit codes"));
}

#[test]
fn rules_are_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let rules = json(folder.path(), 0, &["rules"]);
    for rule in rules["rules"].as_array().unwrap() {
        let id = rule["rule"].as_str().unwrap();
        assert!(expect(folder.path(), 0, &["explain", id]).starts_with(&format!("# {id}\n")));
    }
}

#[test]
fn the_demo_tells_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let tour = json(folder.path(), 0, &["demo"]);
    let outcomes: Vec<_> =
        tour["runs"].as_array().unwrap().iter().map(|run| run["run"]["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["published", "published", "halted", "published", "checks_failed", "published"]);
    assert_eq!(tour["runs"][3]["run"]["verdict"], "clean");
    let said = expect(folder.path(), 0, &["demo", "the tour"]);
    let (_, commands) = said.split_once("Look around:\n").expect("it ends with what to type");
    for command in commands.lines() {
        let output = paste(folder.path(), command.trim());
        assert!(output.status.success() && !output.stdout.is_empty(), "{command}");
    }
    // A folder that is not a demo's is left alone; a demo's is made anew.
    refused(folder.path(), &["demo", "."]);
}

#[test]
fn a_catalog_that_was_never_crawled_says_nothing_of_the_lake() {
    let lake = Lake::new();
    std::fs::remove_dir_all(lake.path(".crawlguard")).unwrap();
    for arguments in [&["check"][..], &["plan"], &["contracts", "update", "raw_orders", "--yes"]] {
        let message = refused(lake.root(), arguments);
        assert!(message.contains("nothing has been crawled yet") && message.contains("crawlguard crawl"), "{message}");
    }
    assert!(!std::fs::read_to_string(lake.path("contracts/raw_orders.json")).unwrap().contains("retired"));
}

#[test]
fn an_acceptance_goes_through_wherever_the_state_is() {
    let lake = Lake::new();
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    lake.write("crawlguard.toml", &(settings + "state = \"elsewhere\"\n"));
    std::fs::remove_dir_all(lake.path(".crawlguard")).unwrap();
    lake.write("lake/orders/1.json", "{\"Id\":1,\"Ship City\":\"Rome\",\"Gift Note\":\"x\"}\n");
    expect(lake.root(), 0, &["crawl"]);
    expect(lake.root(), 0, &["contracts", "update", "raw_orders", "--yes"]);
    assert_eq!(json(lake.root(), 0, &["check"])["verdict"], "clean");
}

#[test]
fn a_folder_that_is_named_and_not_there_is_no_empty_project() {
    let lake = Lake::new();
    let settings = std::fs::read_to_string(lake.path("crawlguard.toml")).unwrap();
    lake.write("crawlguard.toml", &format!("sql = \"sqlz\"\n{settings}"));
    let message = refused(lake.root(), &["run"]);
    assert!(message.contains("sqlz"), "{message}");
}
