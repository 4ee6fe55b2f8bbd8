//! `doctor` on a local target, and on one on AWS that cannot be reached.

use std::fs;

use super::{crawlguard, expect, json};
use crate::support::Lake;

fn states(examined: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let all = examined["examined"].as_array().unwrap();
    all.iter().map(|one| (text(&one["what"]), text(&one["state"]))).collect()
}

#[test]
fn what_is_well_and_what_is_missing_is_told_with_its_fix() {
    let lake = Lake::new();
    let pair = |what: &str, state: &str| (what.to_owned(), state.to_owned());
    let well = ["project", "lake", "state", "published tables", "engine"].map(|what| pair(what, "ok"));
    assert_eq!(states(&json(lake.root(), 0, &["doctor"])), well);
    assert!(!lake.path(".crawlguard/doctor.probe").exists());

    fs::rename(lake.path("lake"), lake.path("gone")).unwrap();
    lake.write("sql/int_broken.sql", "SELECT 1 AS one FROM nowhere\n");
    let ill = states(&json(lake.root(), 1, &["doctor"]));
    assert_eq!(ill[..2], [pair("project", "missing"), pair("lake", "missing")]);
    let text = expect(lake.root(), 1, &["doctor"]);
    assert!(text.contains("sql/int_broken.sql") && text.contains("set `lake` in crawlguard.toml"), "{text}");
}

#[test]
fn without_credentials_nothing_else_is_asked() {
    let lake = Lake::new();
    lake.write(
        "crawlguard.toml",
        "project = \"shop\"\n[targets.prod]\nkind = \"aws\"\nregion = \"eu-central-1\"\ndatabase = \"shop\"\n\
         warehouse = \"s3://shop/tables/\"\nstate = \"s3://shop/state/\"\n\
         topic = \"arn:aws:sns:us-east-1:111122223333:alerts\"\n",
    );
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_crawlguard"))
        .current_dir(lake.root())
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("AWS_")))
        .envs([
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "none"),
            ("AWS_SHARED_CREDENTIALS_FILE", "none"),
        ])
        .args(["doctor", "--target", "prod"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let words = [
        "ok          project:",
        "missing     region: `eu-central-1`, and the topic is in `us-east-1`",
        "unknown     identity:",
    ];
    assert!(words.iter().all(|word| text.contains(word)) && text.contains("aws sso login"), "{text}");
    assert!(!text.contains("database:"), "{text}");
}

#[test]
fn a_target_that_is_not_there_is_named() {
    let output = crawlguard(Lake::new().root(), &["doctor", "--target", "prod"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no target `prod`"));
}
