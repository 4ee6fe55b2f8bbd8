//! What a laptop's commands say of the crawler and of the deployed project.

use serde_json::{Value, json};

use super::lake::{Lake, STATE};
use super::laptop::{Laptop, Said};

const MODEL: &str = "SELECT city, count(*) AS orders FROM int_orders GROUP BY city\n";

fn deployed() -> (Lake, Laptop) {
    let lake = Lake::new();
    lake.deploy();
    let laptop = Laptop::new(&lake);
    (lake, laptop)
}

fn ran(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{said:?}");
    let run = said.json();
    assert_eq!(run["outcome"], "published");
    run["provenance"].clone()
}

#[test]
fn a_run_says_which_text_it_went_by_and_who_began_it() {
    let (lake, laptop) = deployed();
    let provenance = ran(&laptop.says(&["run", "--format", "json"]));
    let bundle: Value =
        serde_json::from_slice(&lake.aws.account().s3.get(&format!("{STATE}project.json")).unwrap()).unwrap();
    assert_eq!(provenance["revision"], bundle["revision"]);
    assert_eq!(provenance["deployed"], true);
    let by = provenance["by"].as_str().unwrap();
    assert!(by.starts_with("arn:aws:"), "{by}");
    let id = laptop.says(&["runs", "--format", "json"]).json()["runs"][0]["run_id"].clone();
    let shown = laptop.says(&["runs", id.as_str().unwrap()]).out;
    let revision = &bundle["revision"].as_str().unwrap()[..12];
    assert!(shown.ends_with(&format!("\nrevision {revision}, as deployed; begun by {by}\n")), "{shown}");
}

#[test]
fn a_folder_that_is_not_what_is_deployed_runs_only_when_it_is_asked_for() {
    let (lake, laptop) = deployed();
    laptop.write("sql/fact_cities.sql", MODEL);
    let refused = laptop.says(&["run"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("not what is deployed on target `prod`; different: sql/fact_cities.sql"),
        "{refused:?}"
    );
    assert!(refused.err.contains("crawlguard --target prod contracts push`"), "{refused:?}");
    assert_eq!(lake.aws.account().athena.queries.len(), 0);
    for command in ["plan", "check"] {
        let said = laptop.says(&[command]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.err.contains("note: this folder is not what is deployed"), "{said:?}");
    }
    assert_eq!(ran(&laptop.says(&["run", "--undeployed", "--format", "json"]))["deployed"], false);
    assert_eq!(laptop.says(&["contracts", "push", "-q"]).code, Some(0));
    // Later than the run before, which was for now.
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(120)).to_string();
    assert_eq!(ran(&laptop.says(&["run", "--slot", &soon, "--format", "json"]))["deployed"], true);
    assert!(!laptop.says(&["plan"]).err.contains("note:"));
}

#[test]
fn where_nothing_is_deployed_a_folder_runs_as_it_is() {
    let lake = Lake::new();
    let laptop = Laptop::new(&lake);
    assert_eq!(ran(&laptop.says(&["run", "--format", "json"]))["deployed"], Value::Null);
}

#[test]
fn nothing_is_compared_while_a_crawl_writes_or_after_one_that_failed() {
    let (lake, laptop) = deployed();
    let commands = [&["check"][..], &["plan"], &["contracts", "update", "--yes"]];
    let crawl = |looks: usize, fails: Option<&str>| {
        let mut account = lake.aws.account();
        account.glue.start_crawler("raw");
        let crawler = account.glue.crawler("raw");
        (crawler.looks, crawler.fails) = (looks, fails.map(str::to_owned));
    };
    crawl(commands.len(), None);
    for command in commands {
        let said = laptop.says(command);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("crawler `raw` is at work"), "{said:?}");
    }
    let said = laptop.says(&["check"]);
    assert!(said.out.starts_with("catalog as of 2026-01-02T03:04:05Z ("), "{said:?}");
    assert_eq!(laptop.says(&["plan", "--format", "json"]).json()["catalog_as_of"], json!("2026-01-02T03:04:05Z"));
    crawl(0, Some("Internal Service Exception"));
    for command in commands {
        let said = laptop.says(command);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("crawler `raw` failed: Internal Service Exception"), "{said:?}");
    }
}

#[test]
fn a_crawl_that_began_before_is_followed_by_another() {
    let (lake, laptop) = deployed();
    let said = laptop.says(&["crawl"]);
    assert_eq!((said.code, lake.aws.account().calls.count("glue", "StartCrawler")), (Some(0), 1), "{said:?}");
    lake.aws.account().glue.start_crawler("raw");
    lake.aws.account().calls.reset(None);
    let said = laptop.says(&["crawl"]);
    assert_eq!((said.code, lake.aws.account().calls.count("glue", "StartCrawler")), (Some(0), 2), "{said:?}");
    assert!(said.err.contains("crawler `raw` is at work already"), "{said:?}");
    assert_eq!(said.out, "crawler `raw` succeeded\n");
}
