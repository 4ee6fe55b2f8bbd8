//! What was asked for and cannot be answered as it was asked.

use super::*;

#[test]
fn an_old_slot_is_run_once_and_not_forgotten() {
    let lake = Lake::new();
    let old = ["run", "--slot", "2025-01-02T03:04:05Z"];
    let first = json(lake.root(), 0, &old);
    expect(lake.root(), 0, &["run"]);
    assert_eq!(json(lake.root(), 0, &old), first, "its record is young, however old the slot");
    let id = first["run_id"].as_str().unwrap();
    // Somebody cleans up, and the slot is wanted again: what was built for it may still be read.
    std::fs::remove_file(lake.path(&format!(".crawlguard/runs/{id}.json"))).unwrap();
    let again = json(lake.root(), 0, &old);
    assert_eq!((&again["outcome"], &again["run_id"]), (&"published".into(), &format!("{id}_2").into()));
    assert_eq!(json(lake.root(), 0, &old)["run_id"], again["run_id"]);
    let listed = expect(lake.root(), 0, &["rollback", "int_orders", "--list"]);
    assert_eq!(listed.matches("built 2025-01-02T03:04:05Z").count(), 2, "with and without its record: {listed}");
}

#[test]
fn a_slot_that_is_still_to_come_is_refused() {
    let lake = Lake::new();
    let message = refused(lake.root(), &["run", "--slot", "2999-01-01T00:00:00Z"]);
    assert!(
        message.contains("2999-01-01T00:00:00Z is still to come") && message.contains("leave --slot out"),
        "{message}"
    );
    // A clock may be slow.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    expect(lake.root(), 0, &["run", "--slot", &soon.to_string()]);
}

#[test]
fn a_json_row_holds_every_column() {
    let lake = Lake::new();
    let sql = "SELECT 1 AS a, 2 AS a";
    for arguments in [&["query", sql, "--output", "json"][..], &["query", sql, "--format", "json"]] {
        let output = crawlguard(lake.root(), arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(message.contains("two columns are named `a`") && message.contains("AS"), "{message}");
    }
    assert_eq!(expect(lake.root(), 0, &["query", sql, "--output", "csv"]), "a,a\n1,2\n");
}

#[test]
fn a_dump_that_holds_no_tables_is_no_empty_catalog() {
    let lake = Lake::new();
    for text in ["{}", "{\"tables\":[]}", "[{}]", "{\"TableList\":[{\"StorageDescriptor\":{}}]}"] {
        lake.write("dump.json", text);
        let message = refused(lake.root(), &["check", "--catalog", "dump.json"]);
        assert!(message.contains("dump.json") && message.contains("aws glue get-tables"), "{text}: {message}");
    }
    lake.write("dump.json", "{\"TableList\":[]}");
    assert_eq!(json(lake.root(), 1, &["check", "--catalog", "dump.json"])["findings"][0]["rule"], "table-missing");
}

#[test]
fn a_moment_with_its_zone_is_no_column_of_a_table() {
    let lake = Lake::new();
    for value in ["current_timestamp", "now()", "Current_Timestamp(3)"] {
        lake.write("sql/int_late.sql", &format!("SELECT id, {value} AS ts FROM raw_orders\n"));
        for command in ["check", "plan"] {
            let message = refused(lake.root(), &[command]);
            assert!(message.contains("sql/int_late.sql:1:12") && message.contains("with time zone"), "{message}");
            assert!(message.contains("`CAST(current_timestamp AS timestamp)`"), "{message}");
        }
    }
    for (value, expected) in [
        (
            "from_unixtime(id)",
            "1:12: `from_unixtime` is a timestamp with time zone\n  help: a table has no type for it: write `CAST(… AS timestamp)`",
        ),
        (
            "CAST('2026-01-01' AS timestamp with time zone)",
            "a CAST to a timestamp with time zone, which no table can hold: write `CAST(… AS timestamp)`",
        ),
        (
            "CAST(CAST('2026-01-01' AS timestamp) AT TIME ZONE 'UTC' AS timestamp)",
            "does not know AT TIME ZONE\n  help: no table holds a time zone",
        ),
        (
            "CAST(TIMESTAMP '2026-01-01 00:00:00 Asia/Tokyo' AS timestamp)",
            "a time zone, as in TIMESTAMP '2026-01-01 00:00:00 Asia/Tokyo': give the moment in UTC",
        ),
        (
            "CAST(with_timezone(TIMESTAMP '2026-01-01 00:00:00', 'UTC') AS timestamp)",
            "help: no table holds a time zone",
        ),
    ] {
        lake.write("sql/int_late.sql", &format!("SELECT id, {value} AS ts FROM raw_orders\n"));
        let message = refused(lake.root(), &["plan"]);
        assert!(message.contains(expected), "{message}");
    }
    lake.write("sql/int_late.sql", "SELECT id, CAST(current_timestamp AS timestamp) AS ts FROM raw_orders\n");
    expect(lake.root(), 0, &["plan"]);
}

#[test]
fn what_stands_in_for_lateral_is_said() {
    let lake = Lake::new();
    for from in ["CROSS JOIN LATERAL (SELECT o.id + 1 AS v) AS l", "CROSS JOIN LATERAL UNNEST(ARRAY[o.id]) AS l (v)"] {
        lake.write("sql/int_late.sql", &format!("SELECT o.id, l.v FROM raw_orders AS o {from}\n"));
        let message = refused(lake.root(), &["plan"]);
        let expected = "the embedded engine does not know LATERAL\n  help: join a subquery with ON, or an UNNEST";
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_log_says_when_it_has_nothing_to_say() {
    let lake = Lake::new();
    assert_eq!(expect(lake.root(), 0, &["contracts", "log"]), "nothing was accepted yet\n");
    assert_eq!(
        expect(lake.root(), 0, &["contracts", "log", "raw_orders"]),
        "nothing was accepted of `raw_orders` yet\n"
    );
    let message = refused(lake.root(), &["contracts", "log", "NOPE"]);
    assert!(message.contains("no contract for `NOPE`"), "{message}");
}

#[test]
fn counts_are_in_words_that_fit() {
    let lake = Lake::new();
    std::fs::remove_file(lake.path("sql/fact_cities.sql")).unwrap();
    expect(lake.root(), 0, &["run"]);
    let listed = expect(lake.root(), 0, &["runs"]);
    assert!(listed.ends_with(" published 1 table\n") || listed.contains(" 1 table\n"), "{listed}");
    let listed = expect(lake.root(), 0, &["contracts", "list"]);
    assert!(listed.contains("2 columns, ") && listed.contains(" quality rule"), "{listed}");
}

#[test]
fn a_run_that_was_cut_off_and_whose_files_changed_is_not_called_overtaken() {
    let lake = Lake::new();
    let id = json(lake.root(), 0, &["run"])["run_id"].as_str().unwrap().to_owned();
    let file = format!(".crawlguard/runs/{id}.json");
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(lake.path(&file)).unwrap()).unwrap();
    record["outcome"] = Value::Null;
    let last = record["steps"].as_array().unwrap().len() - 1;
    record["steps"][last]["status"] = "pending".into();
    lake.write(&file, &record.to_string());
    lake.write("lake/orders/2.json", "{\"Id\":4,\"Ship City\":\"Bonn\"}\n");
    expect(lake.root(), 0, &["run"]);
    let listed = expect(lake.root(), 0, &["runs"]);
    assert!(listed.contains(&format!("{id}  cut off, and its files changed")), "{listed}");
}

#[test]
fn a_key_that_is_not_unique_is_named() {
    let lake = Lake::new();
    lake.write("lake/orders/2.json", "{\"Id\":1,\"Ship City\":\"Bonn\"}\n");
    let told = expect(lake.root(), 1, &["run"]);
    assert!(
        told.contains("Subject: [crawlguard] shop/local: checks failed - unique of int_orders.id: 1 row\n"),
        "{told}"
    );
    assert!(told.contains("unique of \"id\""), "{told}");
}

#[test]
fn a_table_that_was_never_read_says_why_it_cannot_be() {
    let lake = Lake::new();
    lake.write("lake/fresh/a.json", "{\"x\"");
    expect(lake.root(), 2, &["crawl"]);
    let message = refused(lake.root(), &["query", "--raw", "SELECT * FROM raw_fresh"]);
    assert!(
        message.contains("`raw_fresh` could not be read as it was crawled") && message.contains("line 1"),
        "{message}"
    );
    assert!(!message.contains("none"), "{message}");
}
