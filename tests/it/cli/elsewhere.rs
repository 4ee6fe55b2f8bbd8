//! Another machine, another folder: the same answers.

use std::fs;

use super::*;

/// Runs as on a machine whose clock shows Tokyo's time.
fn in_tokyo(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_crawlguard"))
        .current_dir(root)
        .env_remove("CRAWLGUARD_LOG")
        .env("TZ", "Asia/Tokyo")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_machines_time_zone_changes_nothing() {
    let lake = Lake::new();
    lake.write(
        "sql/int_moments.sql",
        "SELECT CAST(current_timestamp AS timestamp) AS at,\n    CAST(date_trunc('day', current_timestamp) AS timestamp) AS day\n\
         FROM raw_orders WHERE id = 1\n",
    );
    in_tokyo(lake.root(), &["run", "--slot", "2026-01-02T20:00:00Z"]);
    let rows = "at,day\n2026-01-02 20:00:00.000,2026-01-02 00:00:00.000\n";
    assert_eq!(expect(lake.root(), 0, &["query", "SELECT at, day FROM int_moments", "--output", "csv"]), rows);
    let asked = "SELECT CAST(TIMESTAMP '2026-01-02 20:00:00 UTC' AS timestamp) AS at";
    assert_eq!(in_tokyo(lake.root(), &["query", asked, "--output", "csv"]), "at\n2026-01-02 20:00:00.000\n");
}

/// (rows of the published table, rows of the raw one)
fn counted(root: &Path) -> (Value, Value) {
    let one = |arguments: &[&str]| json(root, 0, arguments)[0]["n"].clone();
    (
        one(&["query", "SELECT count(*) AS n FROM int_orders"]),
        one(&["query", "--raw", "SELECT count(*) AS n FROM raw_orders"]),
    )
}

fn copied(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_project_that_was_moved_or_copied_reads_its_own_tables() {
    let folder = tempfile::tempdir().unwrap();
    let [here, copy, moved] = ["here", "copy", "moved"].map(|name| folder.path().join(name));
    let deliver = |file: &str, text: &str| fs::write(here.join("lake/orders").join(file), text).unwrap();
    fs::create_dir_all(here.join("lake/orders")).unwrap();
    deliver("1.json", "{\"Id\":1}\n{\"Id\":2}\n{\"Id\":3}\n");
    expect(&here, 0, &["init", "shop", "--lake", "lake"]);
    let shop = here.join("shop");
    expect(&shop, 0, &["run"]);
    copied(&here, &copy);
    deliver("2.json", "{\"Id\":4}\n");
    expect(&shop, 0, &["run"]);
    assert_eq!(counted(&copy.join("shop")), (3.into(), 3.into()), "not what the original has published since");
    fs::rename(&here, &moved).unwrap();
    let shop = moved.join("shop");
    assert_eq!(counted(&shop), (4.into(), 4.into()));
    assert_eq!(json(&shop, 0, &["check"])["verdict"], "clean");
    // The same files, so what was crawled of them holds; and what is put back is there.
    assert_eq!(json(&shop, 0, &["run", "--no-crawl"])["outcome"], "published");
    expect(&shop, 0, &["rollback", "int_orders", "--to", "1"]);
    assert_eq!(counted(&shop), (3.into(), 4.into()));
}

#[test]
fn a_table_whose_files_are_gone_is_no_empty_table() {
    let lake = Lake::new();
    let builds =
        |run: &Value| lake.path(&format!(".crawlguard/warehouse/int_orders/{}-1", run["run_id"].as_str().unwrap()));
    let first = builds(&json(lake.root(), 0, &["run"]));
    let second = builds(&json(lake.root(), 0, &["run"]));
    fs::remove_dir_all(&first).unwrap();
    let listed = json(lake.root(), 0, &["rollback", "int_orders", "--list"]);
    assert_eq!([&listed["versions"][0]["files_gone"], &listed["versions"][1]["files_gone"]], [false, true]);
    let message = refused(lake.root(), &["rollback", "int_orders"]);
    assert!(message.contains("version 1 of `int_orders` has lost its files"), "{message}");
    expect(lake.root(), 0, &["doctor"]);
    // The folder is there, and what was in it is not.
    fs::remove_file(second.join("part-0.parquet")).unwrap();
    for arguments in [&["query", "SELECT * FROM int_orders"][..], &["contracts", "init", "int_orders"]] {
        let message = refused(lake.root(), arguments);
        assert!(
            message.contains("has lost its files")
                && message.contains("int_orders")
                && message.contains("`crawlguard run`"),
            "{message}"
        );
    }
    let examined = json(lake.root(), 1, &["doctor"]);
    let published =
        examined["examined"].as_array().unwrap().iter().find(|one| one["what"] == "published tables").unwrap();
    assert_eq!(published["state"], "missing");
    assert!(published["found"].as_str().unwrap().starts_with("`int_orders` has lost its files"), "{published}");
    fs::rename(lake.path("lake/orders"), lake.path("orders")).unwrap();
    let message = refused(lake.root(), &["query", "--raw", "SELECT * FROM raw_orders"]);
    assert!(message.contains("`raw_orders` has lost its files"), "{message}");
}

#[test]
fn a_lake_holds_no_project_and_a_project_needs_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("lake/o")).unwrap();
    fs::write(path("lake/o/1.json"), "{\"id\":1}\n").unwrap();
    fs::create_dir_all(path("empty")).unwrap();
    for (arguments, why) in [
        (&["init", "lake", "--lake", "lake"][..], "the project's folder lies in the lake"),
        (&["init", "lake/p", "--lake", "lake"], "the project's folder lies in the lake"),
        (&["init", "p", "--lake", "empty"], "holds no source; nothing was made"),
    ] {
        let before = tree(folder.path());
        let message = refused(folder.path(), arguments);
        assert!(message.contains(why) && !message.contains("os error"), "{arguments:?}: {message}");
        assert_eq!(tree(folder.path()), before);
        assert!(!path("p").exists() && !path("lake/p").exists());
    }
    fs::create_dir_all(path("p")).unwrap();
    fs::write(path("p/.gitignore"), "*.bak").unwrap();
    expect(folder.path(), 0, &["init", "p", "--lake", "lake"]);
    assert_eq!(fs::read_to_string(path("p/.gitignore")).unwrap(), "*.bak\n/.crawlguard\n");
    let settings = fs::read_to_string(path("p/crawlguard.toml")).unwrap();
    let settings: String =
        settings.lines().filter(|line| !line.starts_with("state =")).map(|line| format!("{line}\n")).collect();
    for (lake, state, why) in [
        ("../lake", "../lake/state", "the state's folder lies in the lake"),
        ("../lake", "../lake", "the state's folder lies in the lake"),
        ("../lake/o", "../lake", "the lake lies in the state's folder"),
        ("..", ".crawlguard", "the project's folder lies in the lake"),
    ] {
        let set = settings.replace("lake = \"../lake\"", &format!("lake = \"{lake}\"\nstate = \"{state}\""));
        fs::write(path("p/crawlguard.toml"), set).unwrap();
        let message = refused(&path("p"), &["crawl"]);
        assert!(message.contains(why), "{lake}, {state}: {message}");
    }
}
