//! Runs that cannot go on: they end, people are told once, and readers never see a mix unsaid.

use crawlguard::aws::{self, S3Folder};
use crawlguard::catalog::glue::crawler;
use crawlguard::cloud::Cloud;
use crawlguard::pipeline::Outcome;
use crawlguard::store::Store;
use crawlguard::store::s3::S3Store;
use serde_json::{Value, json};

use super::bad_input::occupy;
use super::fake::{Fault, FaultKind, Refusal, described};
use super::lake::{DATABASE, Lake, STATE};
use super::lambda::{DAILY, crawled, daily, deployed, end_state, ended, invoke, sweep};
use super::laptop::Laptop;

const NEXT: &str = "2026-01-03T12:00:00Z";

/// Every call of this action, of one resource if that is named behind it, is refused from now on.
fn refuse(lake: &Lake, service: &'static str, action: &'static str, code: &'static str, message: &str) {
    let status = if service == "s3" || service == "sns" { 403 } else { 400 };
    lake.aws.account().refusals.push((service, action, Refusal::new(status, code, message)));
}

fn deny(lake: &Lake, service: &'static str, action: &'static str) {
    let code = if service == "sns" { "AuthorizationError" } else { "AccessDeniedException" };
    refuse(lake, service, action, code, "not authorized");
}

fn allow(lake: &Lake) {
    lake.aws.account().refusals.clear();
}

async fn to_the_end(lake: &Lake) -> Value {
    for _ in 0..10 {
        ended(lake);
        invoke(lake, &sweep()).await.unwrap();
    }
    end_state(lake)
}

fn record(lake: &Lake, id: &str) -> Value {
    let bytes = lake.aws.account().s3.get(&format!("{STATE}runs/{id}.json")).expect("a record");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn queue(lake: &Lake) -> Value {
    let bytes = lake.aws.account().s3.get(&format!("{STATE}queue.json")).expect("a queue");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn mail(lake: &Lake) -> (String, String) {
    let account = lake.aws.account();
    assert_eq!(account.sns.mails.len(), 1, "{:?}", account.sns.mails);
    let mail = &account.sns.mails[0];
    // Wherever a line ends.
    (mail.body.split_whitespace().collect::<Vec<_>>().join(" "), mail.attributes["verdict"].clone())
}

/// The run that each table shows.
fn shown(lake: &Lake) -> [Value; 2] {
    let state = end_state(lake);
    ["int_orders", "fact_cities"].map(|table| state["tables"][table]["run"].clone())
}

fn outcomes(state: &Value) -> Vec<&Value> {
    state["runs"].as_object().expect("runs by their records").values().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_may_not_go_on_is_put_back_and_told_once() {
    for table in ["UpdateTable int_orders", "UpdateTable fact_cities"] {
        let lake = deployed();
        invoke(&lake, &daily(DAILY)).await.unwrap();
        to_the_end(&lake).await;
        let before = shown(&lake);
        deny(&lake, "glue", table);
        invoke(&lake, &daily(NEXT)).await.unwrap();
        let state = to_the_end(&lake).await;
        assert_eq!(outcomes(&state), ["published", "error"], "{table}");
        assert_eq!(shown(&lake), before, "{table}");
        let (body, verdict) = mail(&lake);
        assert!(body.contains("glue:UpdateTable") && body.contains("Nothing was published"), "{body}");
        assert_eq!(verdict, "unknown");
        allow(&lake);
        invoke(&lake, &daily("2026-01-04T12:00:00Z")).await.unwrap();
        assert_eq!(outcomes(&to_the_end(&lake).await), ["published", "error", "published"], "{table}");
    }
}

/// What can neither be published nor put back.
async fn halfway() -> Lake {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    to_the_end(&lake).await;
    deny(&lake, "glue", "GetTableVersion");
    // Whichever comes second.
    let order = record(&lake, "20260102T120000Z")["published"][1]["table"].as_str().unwrap().to_owned();
    deny(&lake, "glue", if order == "int_orders" { "UpdateTable int_orders" } else { "UpdateTable fact_cities" });
    invoke(&lake, &daily(NEXT)).await.unwrap();
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_back_is_told_table_by_table() {
    let lake = halfway().await;
    assert_eq!(outcomes(&to_the_end(&lake).await), ["published", "error"]);
    let (body, _) = mail(&lake);
    for said in ["shows run 20260102T120000Z", "shows run 20260103T120000Z", "int_orders", "fact_cities"] {
        assert!(body.contains(said), "{body}");
    }
    assert!(!body.contains("Nothing was published"), "{body}");
    allow(&lake);
    invoke(&lake, &daily("2026-01-04T12:00:00Z")).await.unwrap();
    assert_eq!(outcomes(&to_the_end(&lake).await), ["published", "error", "published"]);
    assert_eq!(shown(&lake), [json!("20260104T120000Z"), json!("20260104T120000Z")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staging_table_that_is_gone_before_it_is_published_ends_the_run() {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    for _ in 0..10 {
        ended(&lake);
        let run = record(&lake, "20260102T120000Z");
        let steps = run["steps"].as_array().unwrap().clone();
        if steps.iter().all(|step| step["name"] == "publish" || step["status"] != "pending") {
            break;
        }
        invoke(&lake, &sweep()).await.unwrap();
    }
    let names = lake.aws.account().glue.names(DATABASE);
    for name in names.iter().filter(|name| name.starts_with("stg_")) {
        lake.aws.account().glue.remove(DATABASE, name);
    }
    let state = to_the_end(&lake).await;
    assert_eq!(outcomes(&state), ["error"]);
    let (body, _) = mail(&lake);
    assert!(body.contains("there is no such table; it was there until the run published"), "{body}");
    assert!(body.contains("Nothing was published"), "{body}");
    assert_eq!(queue(&lake)["active"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_queries_may_not_be_started_ends_and_is_told_once() {
    let lake = deployed();
    deny(&lake, "athena", "StartQueryExecution");
    for time in [DAILY, NEXT] {
        let answer = invoke(&lake, &daily(time)).await.unwrap();
        assert_eq!((&answer["ended"][0]["outcome"], &answer["state"]), (&json!("error"), &json!("idle")), "{answer}");
    }
    let (body, verdict) = mail(&lake);
    assert!(body.contains("athena:StartQueryExecution"), "{body}");
    assert_eq!(verdict, "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cause_in_the_same_step_is_told_anew() {
    let lake = deployed();
    let start = |message| refuse(&lake, "athena", "StartQueryExecution", "InvalidRequestException", message);
    start("No output location provided.");
    invoke(&lake, &daily(DAILY)).await.unwrap();
    invoke(&lake, &daily(NEXT)).await.unwrap();
    assert_eq!(lake.aws.account().sns.mails.len(), 1, "the same, told once");
    allow(&lake);
    start("WorkGroup crawlguard is not found.");
    invoke(&lake, &daily("2026-01-04T12:00:00Z")).await.unwrap();
    assert_eq!(lake.aws.account().sns.mails.len(), 2, "{:?}", lake.aws.account().sns.mails);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_cleaned_up_is_noted_and_stops_no_run() {
    let damaged = "{";
    for action in ["DeleteTable", "DeleteTableVersion", ""] {
        let lake = deployed();
        for time in [DAILY, NEXT, "2026-01-04T12:00:00Z"] {
            match action {
                "" => lake.aws.account().s3.put(&format!("{STATE}garbage.json"), damaged.as_bytes()),
                action => deny(&lake, "glue", action),
            }
            invoke(&lake, &daily(time)).await.unwrap();
            to_the_end(&lake).await;
        }
        assert_eq!(outcomes(&end_state(&lake)), ["published"; 3], "{action}");
        let notes = record(&lake, "20260104T120000Z")["notes"].to_string();
        let named = if action.is_empty() { "s3://shop/state/garbage.json" } else { action };
        assert!(notes.contains("not cleaned up") && notes.contains(named), "{notes}");
        assert_eq!(lake.aws.account().sns.mails.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_state_is_named_with_its_place_and_the_way_on() {
    for (key, way) in [("queue.json", "--slot"), ("alerts/state.json", "told once more")] {
        let lake = deployed();
        lake.aws.account().s3.put(&format!("{STATE}{key}"), b"{");
        let failure = invoke(&lake, &crawled(DAILY, "Failed")).await.unwrap_err();
        assert_eq!(failure.kind, "StateUnreadable");
        assert!(failure.message.contains(&format!("`{STATE}{key}`")) && failure.message.contains(way), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_was_told_is_not_said_to_be_told() {
    let lake = deployed();
    deny(&lake, "sns", "Publish");
    for time in ["2026-01-02T05:10:08Z", "2026-01-03T05:10:08Z"] {
        let failure = invoke(&lake, &crawled(time, "Failed")).await.unwrap_err();
        assert_eq!(failure.kind, "AccessDenied", "{failure}");
    }
    let delivery = record(&lake, "20260103T051008Z")["delivery"].clone();
    assert!(delivery["unsent"]["error"].as_str().is_some_and(|why| why.contains("sns:Publish")), "{delivery}");
    allow(&lake);
    for _ in 0..3 {
        invoke(&lake, &sweep()).await.unwrap();
    }
    assert_eq!(lake.aws.account().sns.mails.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_removed_after_tables_were_swapped_is_told_with_what_they_show() {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    to_the_end(&lake).await;
    let mut queue = queue(&lake);
    queue["active"] = json!({"slot": DAILY, "why": "daily", "begun": true});
    lake.aws.account().s3.remove(&format!("{STATE}runs/20260102T120000Z.json"));
    lake.aws.account().s3.put(&format!("{STATE}queue.json"), queue.to_string().as_bytes());
    invoke(&lake, &sweep()).await.unwrap();
    let (body, _) = mail(&lake);
    assert!(body.contains("was removed") && body.contains("int_orders shows run 20260102T120000Z"), "{body}");
    assert!(!body.contains("Nothing was published"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn daily_builds_that_wait_are_one_and_one_that_is_to_come_waits_for_its_time() {
    let lake = deployed();
    for time in [DAILY, NEXT, "2026-01-04T12:00:00Z", "2136-01-04T12:00:00Z"] {
        invoke(&lake, &daily(time)).await.unwrap();
    }
    let waiting = queue(&lake)["waiting"].clone();
    let slots: Vec<_> = waiting.as_array().unwrap().iter().map(|slot| slot["slot"].clone()).collect();
    assert_eq!(slots, ["2026-01-04T12:00:00Z", "2136-01-04T12:00:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_goes_on_with_the_run_under_way_and_builds_nothing_twice() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    invoke(&lake, &daily(DAILY)).await.unwrap();
    lake.aws.account().athena.is_held = false;
    let said = laptop.says(&["run"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("going on with run 20260102T120000Z"), "{said:?}");
    let state = end_state(&lake);
    assert_eq!((outcomes(&state), &state["builds"]), (vec![&json!("published")], &json!(2)));
    assert_eq!(laptop.says(&["run"]).code, Some(0));
    assert_eq!(end_state(&lake)["builds"], 4, "with none under way a run is a new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_ends_a_laptops_run_with_an_alert() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    lake.aws.account().athena.is_held = false;
    refuse(&lake, "athena", "StartQueryExecution", "ResourceNotFoundException", "there is none");
    let said = laptop.says(&["run"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("error, nothing published"), "{said:?}");
    let (body, _) = mail(&lake);
    assert!(
        body.contains("(ResourceNotFoundException: there is none)") && body.contains("Nothing was published"),
        "{body}"
    );
    assert_eq!(queue(&lake)["active"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_breaks_off_says_so_and_the_next_run_ends_it() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    lake.aws.account().athena.is_held = false;
    let first = laptop.says(&["run", "--format", "json"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let fault = Fault { service: "glue", action: "UpdateTable".into(), nth: 1, kind: FaultKind::InternalError };
    lake.aws.account().calls.reset(Some(fault));
    let broken = laptop.says(&["run"]);
    assert_eq!(broken.code, Some(2), "{broken:?}");
    let words = "stands amid its publication, and readers may see tables of two runs until it goes on: `";
    assert!(broken.err.contains(words), "{broken:?}");
    assert!(laptop.says(&["runs"]).out.contains("amid its publication"));
    lake.aws.account().calls.reset(None);
    let ended = laptop.says(&["run", "--format", "json"]);
    assert_eq!((ended.code, &ended.json()["outcome"]), (Some(0), &json!("published")), "{ended:?}");
    // However soon it was asked for, it was never the first run's answer.
    assert_ne!(ended.json()["run_id"], first.json()["run_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_else_changed_is_told_in_words() {
    let lake = Lake::new();
    let site = lake.site();
    site.run(DAILY).await;
    let fault = Fault { service: "glue", action: "UpdateTable".into(), nth: 1, kind: FaultKind::CrashAfter };
    lake.aws.account().calls.reset(Some(fault));
    assert!(site.process(NEXT).await.is_none());
    lake.aws.account().calls.reset(None);
    let second = record(&lake, "20260103T120000Z")["published"][1]["table"].as_str().unwrap().to_owned();
    let mut table = described(lake.aws.account().glue.table(DATABASE, &second).unwrap());
    table["Description"] = "somebody's".into();
    lake.aws.account().glue.put(DATABASE, &table, Vec::new());
    site.wait_for_the_lock();
    let run = site.run(NEXT).await;
    assert_eq!(run.outcome, Some(Outcome::Error));
    let (body, _) = mail(&lake);
    let expected = "was changed by somebody else while this run published; only crawlguard may write to it";
    assert!(body.contains(expected), "{body}");
    assert!(run.error.unwrap().contains("is at version"), "the record says all");
    assert_eq!(shown(&lake), [json!("20260102T120000Z"), json!("20260102T120000Z")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_made_under_a_models_name_while_a_run_built_is_not_replaced() {
    let lake = deployed();
    invoke(&lake, &daily(DAILY)).await.unwrap();
    occupy(&lake, "EXTERNAL_TABLE", json!({"owner": "nightly"}), Vec::new());
    assert_eq!(outcomes(&to_the_end(&lake).await), ["error"]);
    let (body, _) = mail(&lake);
    let said = "sql/int_orders.sql: a table named `int_orders` is in database `shop`, and no run published it";
    assert!(body.contains(said) && body.contains("rename the model, or drop or rename the table"), "{body}");
    assert!(body.contains("Nothing was published"), "{body}");
    let account = lake.aws.account();
    assert_eq!(described(account.glue.table(DATABASE, "int_orders").unwrap())["Parameters"]["owner"], "nightly");
    assert_eq!(account.glue.table(DATABASE, "fact_cities"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_waits_for_whoever_is_at_the_end_of_its_run() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    lake.aws.account().athena.is_held = false;
    refuse(&lake, "athena", "StartQueryExecution", "ResourceNotFoundException", "there is none");
    let process = lake.aws.process();
    let store = S3Store::new(aws::s3(&process.config), S3Folder::parse(STATE).unwrap());
    let lease = store.lock("ann, run 7").await.unwrap();
    let said = std::thread::scope(|scope| {
        lake.aws.account().calls.reset(None);
        let run = scope.spawn(|| laptop.says(&["run"]));
        let looks = || lake.aws.account().calls.log.iter().filter(|call| is_look_at_lock(call)).count();
        while looks() < 2 && !run.is_finished() {
            std::thread::yield_now();
        }
        drop(lease);
        run.join().unwrap()
    });
    assert!(said.code == Some(2) && said.out.contains("error, nothing published"), "{said:?}");
    assert!(!said.err.contains("held by"), "{said:?}");
    assert!(mail(&lake).0.contains("there is none"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_leaves_a_run_to_whoever_is_at_its_end() {
    let lake = deployed();
    refuse(&lake, "athena", "StartQueryExecution", "ResourceNotFoundException", "there is none");
    let process = lake.aws.process();
    let store = S3Store::new(aws::s3(&process.config), S3Folder::parse(STATE).unwrap());
    let lease = store.lock("ann, run 7").await.unwrap();
    let answer = invoke(&lake, &daily(DAILY)).await.unwrap();
    assert_eq!((&answer["state"], &answer["ended"]), (&json!("busy"), &json!([])), "{answer}");
    drop(lease);
    let answer = invoke(&lake, &sweep()).await.unwrap();
    assert_eq!((&answer["state"], &answer["ended"][0]["outcome"]), (&json!("idle"), &json!("error")), "{answer}");
    assert!(mail(&lake).0.contains("there is none"));
}

fn is_look_at_lock(call: &super::fake::Call) -> bool {
    call.action == "GetObject" && call.resource.ends_with("run.lock")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_mail_accepts_on_a_laptop_what_the_mail_showed() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    let describe = |columns: Value| {
        let mut account = lake.aws.account();
        let mut table = described(account.glue.table(DATABASE, "raw_orders").expect("a table"));
        table["StorageDescriptor"]["Columns"] = columns;
        account.glue.put(DATABASE, &table, Vec::new());
    };
    let column = |name: &str, data_type: &str| json!({"Name": name, "Type": data_type});
    let (id, town) = (column("id", "bigint"), column("town", "string"));
    describe(json!([id, town]));
    invoke(&lake, &daily(DAILY)).await.unwrap();
    let body = lake.aws.account().sns.mails[0].body.clone();
    let lines =
        || body.lines().filter_map(|line| line.strip_prefix("crawlguard --target prod contracts update raw_orders"));
    let line = lines().find(|rest| rest.starts_with(" --yes --expect ")).expect("a line that accepts");
    let words: Vec<&str> = ["contracts", "update", "raw_orders"].into_iter().chain(line.split_whitespace()).collect();
    describe(json!([id, town, column("note", "string")]));
    let said = laptop.says(&words);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("not so in run 20260102T120000Z:\n    tolerated column-added-at-end"), "{said:?}");
    describe(json!([id, town]));
    assert_eq!(laptop.says(&words).code, Some(0));
}

/// A laptop's rights are not the function's.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_laptop_may_not_do_is_left_to_the_function() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    lake.aws.account().athena.is_held = false;
    deny(&lake, "athena", "StartQueryExecution");
    for _ in 0..2 {
        let said = laptop.says(&["run"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("stays under way, and nothing of it is published: `"), "{said:?}");
        assert!(said.err.contains("so does the function where one is deployed"), "{said:?}");
    }
    allow(&lake);
    let state = to_the_end(&lake).await;
    assert_eq!((outcomes(&state), &state["mails"]), (vec![&json!("published")], &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_project_that_is_gone_is_not_guessed_over() {
    let lake = deployed();
    let laptop = Laptop::new(&lake);
    lake.aws.account().athena.is_held = false;
    assert_eq!(laptop.says(&["run"]).code, Some(0));
    lake.aws.account().s3.remove(&format!("{STATE}project.json"));
    let said = laptop.says(&["run"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("is gone from target `prod`") && said.err.contains("contracts push`"), "{said:?}");
    let said = laptop.says(&["run", "--undeployed"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_how_old_the_crawl_is_that_it_goes_by() {
    let lake = deployed();
    let cloud = Cloud::with(lake.site().settings, &lake.aws.process().config);
    crawler::start(&cloud.glue, "raw").await.unwrap();
    while crawler::status(&cloud.glue, "raw").await.unwrap().running {}
    invoke(&lake, &daily("2026-01-05T12:00:00Z")).await.unwrap();
    to_the_end(&lake).await;
    let run = record(&lake, "20260105T120000Z");
    assert_eq!((&run["outcome"], &run["crawled_at"]), (&json!("published"), &json!("2026-01-02T03:04:05Z")));
    let runs = Laptop::new(&lake).says(&["runs"]);
    assert!(runs.out.contains("crawl 3 days old"), "{runs:?}");
    deny(&lake, "athena", "StartQueryExecution");
    let answer = invoke(&lake, &daily("2026-01-06T12:00:00Z")).await.unwrap();
    assert_eq!(answer["ended"][0]["crawled_at"], "2026-01-02T03:04:05Z", "{answer}");
    assert!(mail(&lake).0.contains("4 days before"), "{}", mail(&lake).0);
}
