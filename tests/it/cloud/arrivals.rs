//! Files that arrive: S3 → SNS → SQS → the function → a crawl.

use crawlguard::catalog::glue::crawler;
use crawlguard::cloud::Cloud;
use serde_json::{Value, json};

use super::fake::{Fault, FaultKind};
use super::lake::{Lake, STATE};
use super::lambda::{crawled, deployed, invoke, sweep};

/// S3's notification of a new object. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
fn told(name: &str, bucket: &str, key: &str) -> String {
    let record = json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name, "eventTime": "2026-01-02T03:04:05.000Z",
                        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 7}}});
    json!({"Records": [record]}).to_string()
}

fn put(key: &str) -> String {
    told("ObjectCreated:Put", "shop", key)
}

/// The same, where a subscription is not raw.
fn wrapped(message: &str) -> String {
    json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:111122223333:raw", "Message": message})
        .to_string()
}

/// A batch of a queue; the messages' ids are `0`, `1`, …
fn batch(bodies: &[String]) -> Value {
    let message = |(at, body): (usize, &String)| json!({"messageId": at.to_string(), "receiptHandle": "h", "body": body, "eventSource": "aws:sqs", "attributes": {}});
    json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()})
}

/// The ids of messages that are to come again.
async fn failed(lake: &Lake, bodies: &[String]) -> Vec<String> {
    let answer = invoke(lake, &batch(bodies)).await.unwrap();
    assert_eq!(answer.as_object().unwrap().len(), 1, "Lambda reads this answer, and nothing else may stand in it");
    let items = answer["batchItemFailures"].as_array().unwrap();
    items.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

fn starts(lake: &Lake) -> usize {
    lake.aws.account().events.iter().filter(|event| event["detail"]["state"] == "Started").count()
}

fn is_asked_for(lake: &Lake) -> bool {
    let queue = lake.aws.account().s3.get(&format!("{STATE}queue.json"));
    queue.is_some_and(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap().get("crawl").is_some())
}

/// The crawl that runs comes to its end.
async fn end_crawl(lake: &Lake) {
    let cloud = Cloud::with(lake.site().settings, &lake.aws.process().config);
    while crawler::status(&cloud.glue, "raw").await.unwrap().running {}
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_start_one_crawl_and_its_end_starts_a_run() {
    let lake = deployed();
    let files = [put("raw/orders/2026.json"), wrapped(&put("raw/orders/a+b%2Bc.json")), put("raw/cities/1.csv")];
    assert_eq!(failed(&lake, &files).await, [""; 0]);
    assert_eq!(starts(&lake), 1);
    end_crawl(&lake).await;
    let answer = invoke(&lake, &crawled("2026-01-02T05:10:08Z", "Succeeded")).await.unwrap();
    assert_eq!(answer["state"], "waiting", "{answer}");
    assert_eq!(starts(&lake), 1, "no file came while the crawler was at work");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_none_of_the_crawlers_files_starts_nothing_and_does_not_come_again() {
    let lake = deployed();
    let others = [
        told("ObjectCreated:Put", "theirs", "raw/orders/1.json"),
        put("rawest/orders/1.json"),
        put("tables/int_orders/1.parquet"),
        told("ObjectRemoved:Delete", "shop", "raw/orders/1.json"),
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "shop"}).to_string(),
    ];
    assert_eq!(failed(&lake, &others).await, [""; 0]);
    assert_eq!(starts(&lake), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_comes_again_alone() {
    let lake = deployed();
    let no_key = json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "shop"}}}]});
    let bodies = ["{".to_owned(), put("raw/orders/2.json"), "{}".into(), wrapped("no JSON"), no_key.to_string()];
    assert_eq!(failed(&lake, &bodies).await, ["0", "2", "3", "4"]);
    assert_eq!(starts(&lake), 1);
    let none = json!({"Records": [{"eventSource": "aws:sqs"}]});
    assert_eq!(invoke(&lake, &none).await.unwrap_err().kind, "UnknownEvent");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_again_if_no_crawl_can_be_had() {
    let lake = deployed();
    let bodies = [put("raw/orders/2.json"), put("elsewhere/2.json"), put("raw/orders/3.json")];
    for (action, kind) in [("StartCrawler", FaultKind::AccessDenied), ("StartCrawler", FaultKind::InternalError)] {
        lake.aws.account().calls.reset(Some(Fault { service: "glue", action: action.into(), nth: 1, kind }));
        assert_eq!(failed(&lake, &bodies).await, ["0", "2"], "{kind:?}");
    }
    lake.aws.account().calls.reset(None);
    assert_eq!(failed(&lake, &bodies).await, [""; 0]);
    assert_eq!(starts(&lake), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_during_a_crawl_leads_to_another_one_after_it() {
    let lake = deployed();
    lake.aws.account().glue.crawler("raw").looks = 3;
    assert_eq!(failed(&lake, &[put("raw/orders/2.json")]).await, [""; 0]);
    for key in ["raw/orders/3.json", "raw/orders/4.json"] {
        assert_eq!(failed(&lake, &[put(key)]).await, [""; 0], "the crawl under way may have passed it");
    }
    assert_eq!((starts(&lake), is_asked_for(&lake)), (1, true));
    invoke(&lake, &sweep()).await.unwrap();
    assert_eq!((starts(&lake), is_asked_for(&lake)), (1, true), "the crawl is not over");
    end_crawl(&lake).await;
    let answer = invoke(&lake, &crawled("2026-01-02T05:10:08Z", "Succeeded")).await.unwrap();
    assert_eq!(answer["state"], "waiting", "files that never stop must not keep a run from beginning: {answer}");
    assert_eq!((starts(&lake), is_asked_for(&lake)), (2, false));
    end_crawl(&lake).await;
    invoke(&lake, &sweep()).await.unwrap();
    assert_eq!(starts(&lake), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_is_owed_is_begun_by_the_sweep_if_the_event_was_lost() {
    let lake = deployed();
    failed(&lake, &[put("raw/orders/2.json")]).await;
    failed(&lake, &[put("raw/orders/3.json")]).await;
    end_crawl(&lake).await;
    for _ in 0..3 {
        invoke(&lake, &sweep()).await.unwrap();
    }
    assert_eq!((starts(&lake), is_asked_for(&lake)), (2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_start_a_crawl_by_a_project_that_cannot_be_run() {
    let lake = deployed();
    lake.put_project(&super::lambda::broken(&lake));
    assert_eq!(failed(&lake, &[put("raw/orders/2.json")]).await, [""; 0]);
    assert_eq!(starts(&lake), 1);
}
