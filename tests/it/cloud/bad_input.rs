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

const CASES: &[Case] = &[
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
