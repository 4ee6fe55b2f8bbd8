//! What is wrong with an account, its settings or its events: each is told by name, ends with exit code 2, and is never clean.

use serde_json::{Value, json};

use super::fake::{Refusal, described};
use super::lake::{DATABASE, Lake, SETTINGS, shell};
use super::laptop::Laptop;
use crawlguard::pipeline::{Bundle, Pushed};

/// What is wrong, the command that meets it, and what it says of it on stderr or in its result.
struct Case {
    name: &'static str,
    arrange: fn(&Lake, &mut Laptop),
    command: &'static [&'static str],
    says: &'static [&'static str],
}

fn set(laptop: &Laptop, old: &str, new: &str) {
    assert!(SETTINGS.contains(old), "{old}");
    laptop.write("crawlguard.toml", &SETTINGS.replace(old, new));
}

fn refuse(lake: &Lake, service: &'static str, action: &'static str, status: u16, code: &'static str, message: &str) {
    lake.aws.account().refusals.push((service, action, Refusal::new(status, code, message)));
}

/// Changes the raw table as the account has it.
fn change(lake: &Lake, pointer: &str, value: Value) {
    let mut account = lake.aws.account();
    let mut table = described(account.glue.table(DATABASE, "raw_orders").expect("a table"));
    *table.pointer_mut(pointer).expect("a field") = value;
    account.glue.put(DATABASE, &table, Vec::new());
}

/// A table of somebody else's, under a model's name.
pub fn occupy(lake: &Lake, kind: &str, parameters: Value, partitions: Vec<Value>) {
    let mut account = lake.aws.account();
    let mut table = described(account.glue.table(DATABASE, "raw_orders").expect("a table"));
    table["Name"] = json!("int_orders");
    table["TableType"] = json!(kind);
    table["Parameters"] = parameters;
    if !partitions.is_empty() {
        table["PartitionKeys"] = json!([{"Name": "dt", "Type": "string"}]);
    }
    account.glue.put(DATABASE, &table, partitions);
}

const CASES: &[Case] = &[
    Case {
        name: "somebody else's table under a model's name, for a plan",
        arrange: |lake, _| occupy(lake, "EXTERNAL_TABLE", json!({"owner": "nightly"}), Vec::new()),
        command: &["plan"],
        says: &["sql/int_orders.sql: a table named `int_orders` is in database `shop`", "rename the model, or drop"],
    },
    Case {
        name: "somebody else's table under a model's name, for a check",
        arrange: |lake, _| occupy(lake, "EXTERNAL_TABLE", json!({"owner": "nightly"}), Vec::new()),
        command: &["check"],
        says: &["sql/int_orders.sql: a table named `int_orders` is in database `shop`", "rename the model, or drop"],
    },
    Case {
        name: "somebody else's table under a model's name, for a run",
        arrange: |lake, _| occupy(lake, "EXTERNAL_TABLE", json!({"owner": "nightly"}), Vec::new()),
        command: &["run"],
        says: &["a table named `int_orders` is in database `shop`, and no run published it", "`crawlguard.run_id`"],
    },
    Case {
        name: "a view under a model's name",
        arrange: |lake, _| occupy(lake, "VIRTUAL_VIEW", json!({"presto_view": "true"}), Vec::new()),
        command: &["run"],
        says: &["a view named `int_orders` is in database `shop`", "drop or rename the view"],
    },
    Case {
        name: "no credentials",
        arrange: |_, laptop| laptop.has_credentials = false,
        command: &["check"],
        says: &["crawler `raw`: no credentials", "; log in (`aws sso login`), set `profile` in crawlguard.toml"],
    },
    Case {
        name: "no region",
        arrange: |_, laptop| laptop.region = None,
        command: &["check"],
        says: &["crawlguard.toml:targets.prod.region: no region is set", "region = \"eu-central-1\"", "AWS_REGION"],
    },
    Case {
        name: "no region, for a command that writes, nor an endpoint that is one",
        arrange: |_, laptop| {
            laptop.region = None;
            laptop.url = "localhost:5555".into();
        },
        command: &["run"],
        says: &["crawlguard.toml:targets.prod.region: no region", "AWS_ENDPOINT_URL: `localhost:5555` is no URL"],
    },
    Case {
        name: "nobody at the endpoint",
        arrange: |_, laptop| laptop.url = "http://127.0.0.1:1".into(),
        command: &["check"],
        says: &["crawler `raw`: ", "Connection refused", "check the network and `region`, and AWS_ENDPOINT_URL"],
    },
    Case {
        name: "credentials of another account, for a command that only reads",
        arrange: |_, laptop| set(laptop, "kind = \"aws\"", "kind = \"aws\"\naccount = \"999988887777\""),
        command: &["check"],
        says: &["account 999988887777", "account 111122223333", "mend `account`", "crawlguard.toml"],
    },
    Case {
        name: "expired credentials",
        arrange: |lake, _| {
            let message = "The security token included in the request is expired";
            refuse(lake, "glue", "", 400, "ExpiredTokenException", message);
        },
        command: &["check"],
        says: &["crawler `raw`", "ExpiredTokenException", "log in again (`aws sso login`)"],
    },
    Case {
        name: "a right is missing",
        arrange: |lake, _| {
            refuse(lake, "athena", "StartQueryExecution", 400, "AccessDeniedException", "not authorized")
        },
        command: &["run"],
        says: &["`crawlguard`", "credentials that allow `athena:StartQueryExecution`"],
    },
    Case {
        name: "Lake Formation denies",
        arrange: |lake, _| {
            let message = "Insufficient Lake Formation permission(s): Required Describe on shop";
            refuse(lake, "glue", "GetTables", 400, "AccessDeniedException", message);
        },
        command: &["check"],
        says: &["Glue database `shop`", "Required Describe on shop", "grant what it names in Lake Formation"],
    },
    Case {
        name: "another region's bucket",
        arrange: |lake, _| refuse(lake, "s3", "", 301, "PermanentRedirect", "must be addressed using another endpoint"),
        command: &["run"],
        says: &["s3://shop/state/", "the bucket is in another region: mend `region` or the bucket's name"],
    },
    Case {
        name: "another region's database",
        arrange: |_, laptop| set(laptop, "database = \"shop\"\nworkgroup", "database = \"elsewhere\"\nworkgroup"),
        command: &["check"],
        says: &["Glue database `elsewhere`", "mend `database` or `region` in crawlguard.toml"],
    },
    Case {
        name: "no such crawler",
        arrange: |_, laptop| set(laptop, "crawler = \"raw\"", "crawler = \"nobody\""),
        command: &["check"],
        says: &["`nobody`", "mend `crawler` or `region` in crawlguard.toml"],
    },
    Case {
        name: "no such bucket",
        arrange: |_, laptop| set(laptop, "s3://shop/state/", "s3://nowhere/state/"),
        command: &["run"],
        says: &["s3://nowhere/state/", "create the bucket, or mend its name in crawlguard.toml"],
    },
    Case {
        name: "no such workgroup",
        arrange: |_, laptop| set(laptop, "workgroup = \"crawlguard\"", "workgroup = \"nights\""),
        command: &["run"],
        says: &["nights", "mend `workgroup` or `region` in crawlguard.toml"],
    },
    Case {
        name: "nobody says where results go",
        arrange: |lake, _| lake.aws.account().athena.create_workgroup("crawlguard", None, false),
        command: &["run"],
        says: &["set `results` in crawlguard.toml, or the workgroup's output location"],
    },
    Case {
        name: "no such topic, and something to tell",
        arrange: |lake, _| {
            lake.aws.account().sns.topics.clear();
            change(lake, "/StorageDescriptor/Columns/0/Type", json!("binary"));
        },
        command: &["run"],
        says: &["arn:aws:sns:eu-central-1:111122223333:alerts", "mend `topic` or `region` in crawlguard.toml"],
    },
    Case {
        name: "a cut-off is hit",
        arrange: |lake, _| {
            let message = "Query cancelled! : Bytes scanned limit was exceeded";
            lake.aws.break_query("CREATE TABLE \"stg_int_orders", message, false);
        },
        command: &["run"],
        says: &["sql/int_orders.sql", "Bytes scanned limit was exceeded", "(BytesScannedCutoffPerQuery)"],
    },
    Case {
        name: "a table that two crawlers write",
        arrange: |lake, _| change(lake, "/Parameters/UPDATED_BY_CRAWLER", json!("theirs")),
        command: &["check"],
        says: &["unknown[files-unreadable] raw_orders", "crawler `theirs` wrote it last, and the target's is `raw`"],
    },
    Case {
        name: "a view among the raw tables",
        arrange: |lake, _| change(lake, "/TableType", json!("VIRTUAL_VIEW")),
        command: &["check"],
        says: &["raw_orders", "it is a view, and no crawler makes one"],
    },
    Case {
        name: "a raw prefix that nothing has",
        arrange: |_, laptop| {
            set(laptop, "crawler = \"raw\"", "raw_prefix = \"row_\"");
            std::fs::remove_dir_all(laptop.root().join("contracts")).expect("removed");
            std::fs::remove_dir_all(laptop.root().join("sql")).expect("removed");
        },
        command: &["check"],
        says: &["there is nothing to compare: the catalog holds no `row_` table", "mend `raw_prefix`"],
    },
    Case {
        name: "a raw prefix that no promised table has",
        arrange: |_, laptop| set(laptop, "crawler = \"raw\"", "raw_prefix = \"row_\""),
        command: &["check"],
        says: &["crawlguard.toml: `raw_prefix` is `row_`, and none of the tables", "`raw_orders`", "mend `raw_prefix`"],
    },
    Case {
        name: "a deployed project that is half written",
        arrange: |lake, _| lake.aws.account().s3.put("s3://shop/state/project.json", b"{\"schema_version\": 1, \"rev"),
        command: &["run"],
        says: &["project.json", "put an earlier version of the object back"],
    },
];

#[test]
fn each_is_told_by_name_and_is_never_clean() {
    let mut untold = Vec::new();
    for Case { name, arrange, command, says } in CASES {
        let lake = Lake::new();
        let mut laptop = Laptop::new(&lake);
        arrange(&lake, &mut laptop);
        let said = laptop.says(command);
        let text = said.out.clone() + &said.err;
        let is_told = said.code == Some(2) && says.iter().all(|words| text.contains(words));
        if !is_told || text.contains("verdict: clean") || !lake.aws.account().publications.is_empty() {
            untold.push(format!("{name}: {said:#?}"));
        }
    }
    assert!(untold.is_empty(), "{}", untold.join("\n"));
}

#[test]
fn a_cut_off_query_is_not_tried_again() {
    let lake = Lake::new();
    lake.aws.break_query("CREATE TABLE \"stg_int_orders", "Query cancelled! : Bytes scanned limit was exceeded", false);
    assert_eq!(Laptop::new(&lake).says(&["run"]).code, Some(2));
    assert_eq!(lake.aws.account().athena.builds().count(), 1);
}

#[test]
fn a_workgroup_may_enforce_its_output_location() {
    let lake = Lake::new();
    lake.aws.account().athena.create_workgroup("crawlguard", Some("s3://shop/results/"), true);
    let said = Laptop::new(&lake).says(&["run"]);
    assert_eq!((said.code, lake.aws.account().publications.len()), (Some(0), 2), "{said:?}");
}

#[test]
fn ten_thousand_tables_are_compared_and_those_that_nobody_promised_are_told() {
    let lake = Lake::new();
    super::calls::crawled(&lake, 10_000);
    let laptop = Laptop::new(&lake);
    lake.aws.account().calls.reset(None);
    let said = laptop.says(&["check", "--format", "json"]);
    assert_eq!(said.code, Some(0), "{:?}", said.err);
    assert_eq!(said.json()["findings"].as_array().map(Vec::len), Some(9_999));
    assert_eq!(lake.aws.account().calls.count("glue", "GetTables"), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_dropped_after_it_was_listed_publishes_nothing() {
    let lake = Lake::new();
    lake.deploy();
    lake.aws.account().athena.is_held = true;
    let shell = || shell(&lake.aws);
    let waiting = shell().handle(&json!({"command": "run"})).await.unwrap();
    assert_eq!(waiting["state"], "waiting");
    lake.aws.account().glue.remove(DATABASE, "raw_orders");
    lake.aws.account().athena.is_held = false;
    let mut state = Value::Null;
    while state != "idle" {
        lake.aws.finish_queries();
        state = shell().handle(&json!({"command": "sweep"})).await.unwrap()["state"].take();
    }
    assert_eq!(lake.aws.account().publications, []);
    let mails = lake.aws.account().sns.mails.clone();
    assert!(mails.len() == 1 && mails[0].body.contains("raw_orders"), "{mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_account_starts_nothing() {
    let lake = Lake::new();
    let mut files = lake.files();
    let settings = SETTINGS.replace("kind = \"aws\"", "kind = \"aws\"\naccount = \"111122223333\"");
    files.insert("crawlguard.toml".into(), settings);
    lake.put_project(&Bundle::new(files, Pushed::default()));
    let event = |account: &str| {
        json!({"source": "aws.glue", "detail-type": "Glue Crawler State Change", "account": account,
               "time": "2026-01-02T12:00:00Z", "detail": {"crawlerName": "raw", "state": "Succeeded"}})
    };
    let answer = shell(&lake.aws).handle(&event("999988887777")).await.unwrap();
    let why = answer["ignored"].as_str().unwrap();
    assert!(why.contains("`999988887777`") && why.contains("111122223333"), "{why}");
    assert_eq!(lake.aws.account().athena.queries.len(), 0);
    let own = shell(&lake.aws).handle(&event("111122223333")).await.unwrap();
    assert!(own.get("ignored").is_none(), "{own}");
}

#[test]
fn no_first_model_takes_the_name_of_a_table_that_is_there() {
    let lake = Lake::new();
    let laptop = Laptop::new(&lake);
    occupy(&lake, "EXTERNAL_TABLE", json!({"owner": "nightly"}), Vec::new());
    for folder in ["contracts", "sql"] {
        std::fs::remove_dir_all(laptop.root().join(folder)).unwrap();
    }
    let said = laptop.says(&["contracts", "init"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("no first model is written over raw_orders: `int_orders` is there"), "{said:?}");
    assert!(!laptop.root().join("sql/int_orders.sql").exists());
}

#[test]
fn nothing_is_promised_of_a_view() {
    let lake = Lake::new();
    let laptop = Laptop::new(&lake);
    std::fs::remove_dir_all(laptop.root().join("contracts")).unwrap();
    std::fs::remove_dir_all(laptop.root().join("sql")).unwrap();
    change(&lake, "/TableType", json!("VIRTUAL_VIEW"));
    let said = laptop.says(&["contracts", "init"]);
    assert!(said.err.contains("skipped raw_orders: it is a view, and no crawler makes one"), "{said:?}");
    assert!(!laptop.root().join("contracts/raw_orders.json").exists());
    let said = laptop.says(&["contracts", "init", "raw_orders"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("give the view a name without the raw prefix"), "{said:?}");
}

#[test]
fn a_crawler_that_hides_changes_is_noted() {
    for (set, words) in [
        (json!({"SchemaChangePolicy": {"UpdateBehavior": "LOG"}}), "only logs changes of columns"),
        (
            json!({"Configuration": "{\"CrawlerOutput\":{\"Tables\":{\"AddOrUpdateBehavior\":\"MergeNewColumns\"}}}"}),
            "merges",
        ),
    ] {
        let lake = Lake::new();
        lake.aws.account().glue.crawler("raw").set = set;
        let laptop = Laptop::new(&lake);
        for command in ["check", "plan", "run"] {
            let said = laptop.says(&[command]);
            assert_eq!(said.code, Some(0), "{said:?}");
            assert!(said.out.contains("note: crawler `raw`") && said.out.contains(words), "{command}: {said:?}");
        }
        let notes = laptop.says(&["check", "--format", "json"]).json()["notes"].take();
        assert!(notes[0]["message"].as_str().is_some_and(|message| message.contains(words)), "{notes}");
    }
}

/// Athena compares a partition's own columns with the table's by place; where it has none, JSON goes by name.
#[test]
fn a_key_that_moved_is_harmless_only_where_the_crawler_rewrites_all_partitions() {
    const INHERIT: &str = r#"{"CrawlerOutput":{"Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}}}"#;
    let with = |key: &str, value: serde_json::Value| {
        let mut set = json!({"Configuration": INHERIT});
        set[key] = value;
        set
    };
    for (set, code) in [
        (with("SchemaChangePolicy", json!({"UpdateBehavior": "UPDATE_IN_DATABASE"})), 0),
        (with("RecrawlPolicy", json!({"RecrawlBehavior": "CRAWL_EVERYTHING"})), 0),
        (json!({}), 1),
        (with("Configuration", json!("{")), 1),
        (with("SchemaChangePolicy", json!({"UpdateBehavior": "LOG"})), 1),
        (with("RecrawlPolicy", json!({"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"})), 1),
        (with("RecrawlPolicy", json!({"RecrawlBehavior": "CRAWL_EVENT_MODE"})), 1),
    ] {
        let mut lake = Lake::new();
        lake.local.write("lake/log/dt=1/a.json", "{\"id\":1,\"msg\":\"m\"}\n");
        lake.crawl();
        lake.promise();
        lake.aws.account().glue.crawler("raw").set = set.clone();
        let laptop = Laptop::new(&lake);
        lake.local.write("lake/log/dt=1/a.json", "{\"msg\":\"m\",\"id\":1}\n");
        lake.crawl();
        let said = laptop.says(&["check"]);
        let level = if code == 0 { "tolerated" } else { "breaking" };
        assert_eq!(said.code, Some(code), "{set}: {said:?}");
        assert!(said.out.contains(&format!("{level}[column-reordered]")), "{set}: {said:?}");
    }
}

#[test]
fn a_contract_of_another_target_is_of_the_same_place() {
    let lake = Lake::new();
    let laptop = Laptop::new(&lake);
    let contract = std::fs::read_to_string(laptop.root().join("contracts/raw_orders.json")).unwrap();
    assert!(contract.contains("s3://shop/raw/orders/"), "{contract}");
    laptop.write("contracts/raw_orders.json", &contract.replace("s3://shop/raw/orders/", "s3://shop-dev/in/orders/"));
    let said = laptop.says(&["check"]);
    assert!(said.code == Some(1) && said.out.contains("breaking[location-changed]"), "{said:?}");
    let (local, prod) = SETTINGS.split_once("[targets.prod]").unwrap();
    let prod = format!("{prod}raw = \"s3://shop/raw/\"\n");
    let dev = prod
        .replace("database = \"shop\"", "database = \"dev\"")
        .replace("s3://shop/raw/", "s3://shop-dev/in/")
        .replace("s3://shop/state/", "s3://shop-dev/state/");
    laptop.write("crawlguard.toml", &format!("{local}[targets.prod]{prod}[targets.dev]{dev}"));
    let said = laptop.says(&["check"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    laptop.write("contracts/raw_orders.json", &contract.replace("s3://shop/raw/orders/", "s3://shop-dev/in/old/"));
    assert_eq!(laptop.says(&["check"]).code, Some(1));
}

#[test]
fn a_table_whose_partitions_cannot_be_replaced_is_to_be_dropped_or_renamed() {
    let lake = Lake::new();
    let ours = json!({"crawlguard.run_id": "20260101T000000Z"});
    occupy(&lake, "EXTERNAL_TABLE", ours, vec![json!({"Values": ["x"]})]);
    let said = Laptop::new(&lake).says(&["run"]);
    let words =
        "`shop.int_orders` (its Hive partitions cannot be replaced in one step)\n  help: drop or rename the table";
    assert!(said.code == Some(2) && said.out.contains(words), "{said:?}");
    assert_eq!(lake.aws.account().glue.table(DATABASE, "fact_cities"), None);
}
