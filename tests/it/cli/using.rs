//! A side of a USING that drifts: what the alert prints is accepted, and the next run is clean.

use super::*;

fn lake(join: &str) -> Lake {
    let lake = Lake::new();
    lake.write("lake/a/1.json", "{\"k\":1,\"x\":\"p\"}\n{\"k\":4,\"x\":\"q\"}\n{\"k\":6,\"x\":\"q\"}\n");
    lake.write("lake/b/1.json", "{\"k\":1,\"y\":\"r\"}\n{\"k\":4,\"y\":\"s\"}\n{\"k\":5,\"y\":\"s\"}\n");
    lake.write("sql/int_ab.sql", &format!("SELECT k, x, y FROM raw_a {join} raw_b USING (k)\n"));
    lake.write("sql/int_keys.sql", "SELECT k, count(*) AS n FROM int_ab GROUP BY k\n");
    lake.crawl();
    expect(lake.root(), 0, &["contracts", "init", "raw_a", "raw_b"]);
    expect(lake.root(), 0, &["run"]);
    expect(lake.root(), 0, &["contracts", "init", "int_ab", "int_keys"]);
    lake
}

/// The type that a contract promises of the key.
fn promised(lake: &Lake, table: &str) -> String {
    let text = std::fs::read_to_string(lake.path(&format!("contracts/{table}.json"))).unwrap();
    let contract: Value = serde_json::from_str(&text).unwrap();
    let columns = contract["schema"][0]["properties"].as_array().unwrap();
    let key = columns.iter().find(|column| column["name"] == "k").unwrap();
    key["physicalType"].as_str().unwrap().to_owned()
}

#[test]
fn a_side_that_widens_is_accepted_as_printed_and_the_next_run_is_clean() {
    for (join, side) in [("JOIN", "b"), ("JOIN", "a"), ("FULL JOIN", "b"), ("LEFT JOIN", "b"), ("RIGHT JOIN", "b")] {
        let lake = lake(join);
        assert_eq!(promised(&lake, "int_keys"), "int");
        let file = format!("lake/{side}/1.json");
        let rows = std::fs::read_to_string(lake.path(&file)).unwrap();
        lake.write(&file, &rows.replace("\"k\":5", "\"k\":5000000000").replace("\"k\":6", "\"k\":6000000000"));
        let run = json(lake.root(), 1, &["run"]);
        let lines: Vec<&str> = run["alert"]["accept"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(!lines.is_empty(), "{run:#}");
        for line in lines {
            let output = paste(lake.root(), line);
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        }
        for model in ["int_ab", "int_keys"] {
            assert_eq!(promised(&lake, model), "bigint", "{join} {side}");
        }
        let run = json(lake.root(), 0, &["run"]);
        assert_eq!((&run["outcome"], &run["verdict"]), (&"published".into(), &"clean".into()), "{join} {side}");
    }
}
