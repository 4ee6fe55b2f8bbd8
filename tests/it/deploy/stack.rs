//! The project deployed with a CloudFormation stack.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use crawlguard::lambda::deploy::{Request, answer, deploy, handle, read, send, settle};
use crawlguard::lambda::{self, Failure, Shell};
use serde_json::{Value, json};

use super::*;

const STACK: &str = "arn:aws:cloudformation:eu-central-1:111122223333:stack/shop/1";

/// What CloudFormation sends.
pub fn event(kind: &str, url: &str) -> Value {
    json!({"RequestType": kind, "ResponseURL": url, "StackId": STACK, "RequestId": "r-1", "LogicalResourceId": "Project",
           "ResourceType": "Custom::CrawlguardProject",
           "ResourceProperties": {"ServiceToken": "arn", "Bundle": "no uri"}})
}

fn request(kind: &str, url: &str) -> Request {
    read(&event(kind, url)).unwrap()
}

/// Takes one request, answers with `status`, and hands over head and body.
pub fn listener(status: &'static str) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/answer?X-Amz-Signature=secret", listener.local_addr().unwrap());
    let take = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let taken = take_one(&mut stream);
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        taken
    };
    (url, std::thread::spawn(take))
}

fn take_one(stream: &mut TcpStream) -> (String, String) {
    let mut taken = Vec::new();
    let mut byte = [0];
    while !taken.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        taken.push(byte[0]);
    }
    let head = String::from_utf8(taken).unwrap().to_lowercase();
    let length =
        head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok()).unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn an_answer_is_put_without_a_content_type() {
    let (url, taken) = listener("200 OK");
    send(&url, "{\"a\":1}").await.unwrap();
    let (head, body) = taken.join().unwrap();
    assert!(head.starts_with("put /answer?x-amz-signature=secret http/1.1\r\n"), "{head}");
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type:"));
    assert_eq!(kind.unwrap_or_default().trim(), "", "{head}");
    assert_eq!(body, "{\"a\":1}");
}

#[tokio::test]
async fn an_answer_that_is_not_taken_fails_without_telling_the_url() {
    let (url, taken) = listener("403 Forbidden");
    let refused = send(&url, "{}").await.unwrap_err();
    taken.join().unwrap();
    assert_eq!(refused, "the ResponseURL answered with HTTP 403");
    for url in ["http://127.0.0.1:1/?X-Amz-Signature=secret", "secret:\\", ""] {
        let failed = send(url, "{}").await.unwrap_err();
        assert!(failed.contains("ResponseURL") && !failed.contains("secret"), "{failed}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_answered() {
    let unset: Result<Shell, Failure> =
        Err(Failure { kind: "SettingsInvalid", message: "CRAWLGUARD_TARGET is not set".into() });
    let config = aws_config::SdkConfig::builder().build();
    let shell = Shell::new(config, "s3://state/project.json", "prod");
    let cases = [
        (&unset, "Create", "FAILED", "CRAWLGUARD_TARGET is not set"),
        (&unset, "Delete", "SUCCESS", "nothing is removed"),
        (&shell, "Update", "FAILED", "`no uri` is no s3:// URI"),
    ];
    for (shell, kind, status, reason) in cases {
        let (url, taken) = listener("200 OK");
        let done = lambda::handle(shell, &event(kind, &url), "").await.unwrap();
        let answer: Value = serde_json::from_str(&taken.join().unwrap().1).unwrap();
        assert_eq!(answer["Status"], status, "{answer}");
        assert!(answer["Reason"].as_str().unwrap().contains(reason), "{answer}");
        assert_eq!((&answer["StackId"], &answer["RequestId"]), (&STACK.into(), &"r-1".into()));
        assert_eq!(answer["LogicalResourceId"], "Project");
        assert_eq!(done["deployed"], status == "SUCCESS");
    }
    let (url, taken) = listener("500 Oops");
    let failure = handle(&unset, &request("Create", &url)).await.unwrap_err();
    taken.join().unwrap();
    assert_eq!(failure.kind, "AnswerNotSent");
}

#[test]
fn other_events_are_no_deployment() {
    assert!(read(&json!({"command": "run"})).is_none());
    assert!(read(&json!({"source": "aws.glue", "detail-type": "Glue Crawler State Change"})).is_none());
}

#[test]
fn an_answer_keeps_its_id_and_fits() {
    let mut again = event("Update", "https://x");
    again["PhysicalResourceId"] = "s3://old/project.json".into();
    let again = read(&again).unwrap();
    let id = |request: &Request, place: Option<&str>| {
        let text = answer(request, place.map(str::to_owned), &Ok(String::new()));
        serde_json::from_str::<Value>(&text).unwrap()["PhysicalResourceId"].as_str().unwrap().to_owned()
    };
    assert_eq!(id(&again, Some("s3://new/project.json")), "s3://old/project.json");
    assert_eq!(id(&request("Create", "u"), Some("s3://new/project.json")), "s3://new/project.json");
    assert_eq!(id(&request("Create", "u"), None), "Project");
    for reason in ["x".repeat(9000), "é\n\"".repeat(4000), "short".into()] {
        let text = answer(&again, None, &Err(reason.clone()));
        let read: Value = serde_json::from_str(&text).unwrap();
        let kept = read["Reason"].as_str().unwrap();
        assert!(text.len() <= 4096, "{}", text.len());
        assert!(kept == reason || (text.len() > 4000 && kept.ends_with('…')), "{}", text.len());
        assert_eq!(read["Status"], "FAILED");
    }
}

fn bytes(bundle: &Bundle) -> Vec<u8> {
    serde_json::to_vec(bundle).unwrap()
}

#[tokio::test]
async fn a_stack_deploys_by_the_rule_of_a_push() {
    let (_folder, store) = store();
    let first = project(&[(LOG, "a\n"), ("sql/int_a.sql", "SELECT 1 AS a\n")]);
    let done = deploy(&store, "prod", &bytes(&first), Some(&first.revision), STACK).await.unwrap();
    assert!(done.starts_with("deployed revision"), "{done}");
    let (now, _) = deployed(&store).await.unwrap().unwrap();
    assert_eq!((now.files, now.pushed.who), (first.files.clone(), format!("ann, {STACK}")));
    let again = deploy(&store, "prod", &bytes(&first), None, STACK).await.unwrap();
    assert!(again.contains("already"), "{again}");

    let stale = project(&[(LOG, ""), ("sql/int_a.sql", "SELECT 2 AS a\n")]);
    let refused = deploy(&store, "prod", &bytes(&stale), None, STACK).await.unwrap_err();
    assert!(refused.contains("contracts pull") && refused.contains("contracts/log.jsonl, sql/int_a.sql"), "{refused}");
    let files = json!({"files": stale.files}).to_string();
    assert_eq!(deploy(&store, "prod", files.as_bytes(), None, STACK).await.unwrap_err(), refused);
    assert_eq!(deployed(&store).await.unwrap().unwrap().0.files, first.files);
}

#[tokio::test]
async fn a_stack_deploys_nothing_that_cannot_be_run() {
    let (_folder, store) = store();
    let broken = project(&[("contracts/raw_a.json", "{")]);
    let sound = project(&[]);
    let cases = [
        (bytes(&broken), None, "contracts/raw_a.json:1:1"),
        (bytes(&sound), Some("another"), "not what the template names"),
        (b"[]".to_vec(), None, "the bundle cannot be read"),
    ];
    for (bytes, digest, reason) in cases {
        let refused = deploy(&store, "prod", &bytes, digest, STACK).await.unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
    let refused = deploy(&store, "dev", &bytes(&sound), None, STACK).await.unwrap_err();
    assert!(refused.contains("no target `dev`"), "{refused}");
    assert!(deployed(&store).await.unwrap().is_none());
}

/// CloudFormation, as far as one resource sees it: what it has, and what becomes of an update.
struct Stack<'a> {
    store: &'a dyn Store,
    has: Option<Bundle>,
    /// Bundles that somebody removed from the bucket.
    gone: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Ended {
    Updated,
    /// Why, and what the rollback was answered.
    RolledBack(String, String),
}

impl Stack<'_> {
    async fn ask(&self, kind: &str, from: Option<&Bundle>, to: &Bundle, rolls_back: bool) -> Result<String, String> {
        let mut event = event(kind, "https://x");
        event["ResourceProperties"]["Digest"] = to.revision.clone().into();
        if let Some(from) = from {
            event["OldResourceProperties"] = json!({"Bundle": "no uri", "Digest": from.revision});
        }
        let is_gone = self.gone.contains(&to.revision);
        let bytes = if is_gone { Err("NoSuchKey".to_owned()) } else { Ok(bytes(to)) };
        let request = read(&event).unwrap();
        settle(self.store, "prod", &request, bytes, async { rolls_back }).await
    }

    /// An update whose answer may be lost; a stack whose rollback is refused is stuck.
    async fn update(&mut self, to: &Bundle, is_heard: bool) -> Ended {
        let from = self.has.clone().expect("a stack that was created");
        let answer = self.ask("Update", Some(&from), to, false).await;
        // Lambda delivers an event twice now and then.
        let again = self.ask("Update", Some(&from), to, false).await;
        assert_eq!(answer.is_ok(), again.is_ok(), "{answer:?} {again:?}");
        let why = match answer {
            Ok(_) if is_heard => {
                self.has = Some(to.clone());
                return Ended::Updated;
            }
            Ok(_) => "the answer was lost".to_owned(),
            Err(why) => why,
        };
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(self.ask("Update", Some(to), &from, true).await.expect("UPDATE_ROLLBACK_FAILED"));
        }
        Ended::RolledBack(why, answers.swap_remove(0))
    }
}

async fn created<'a>(store: &'a FsStore, first: &Bundle) -> Stack<'a> {
    let stack = Stack { store, has: Some(first.clone()), gone: Vec::new() };
    stack.ask("Create", None, first, false).await.unwrap();
    stack
}

async fn files_of(store: &FsStore) -> BTreeMap<String, String> {
    deployed(store).await.unwrap().unwrap().0.files
}

fn version(log: &str, sql: &str) -> Bundle {
    project(&[(LOG, log), ("sql/int_a.sql", sql)])
}

#[tokio::test]
async fn an_update_that_would_undo_an_acceptance_leaves_it_and_a_stack_that_is_not_stuck() {
    let (_folder, store) = store();
    let mut stack = created(&store, &version("", "SELECT 1 AS a\n")).await;
    let accepted = version("a\n", "SELECT 2 AS a\n");
    push(&store, &accepted, None).await.unwrap();
    let Ended::RolledBack(why, answer) = stack.update(&version("", "SELECT 3 AS a\n"), true).await else { panic!() };
    assert!(why.contains("contracts pull") && answer.contains("stays"), "{why} {answer}");
    assert_eq!(files_of(&store).await, accepted.files);
    // Pulled and committed, it goes through; and that is no rollback of anything.
    assert_eq!(stack.update(&version("a\n", "SELECT 3 AS a\n"), true).await, Ended::Updated);
}

#[tokio::test]
async fn a_rollback_takes_back_what_the_stack_itself_has_deployed() {
    let (_folder, store) = store();
    let before = version("", "SELECT 1 AS a\n");
    let mut stack = created(&store, &before).await;
    // It holds an acceptance that the one before lacks.
    let after = version("a\n", "SELECT 2 AS a\n");
    let Ended::RolledBack(_, answer) = stack.update(&after, false).await else { panic!() };
    assert!(answer.contains(&format!("put revision {} back", before.revision)), "{answer}");
    assert_eq!(files_of(&store).await, before.files);
}

#[tokio::test]
async fn a_rollback_leaves_what_was_accepted_since() {
    let (_folder, store) = store();
    let mut stack = created(&store, &version("", "SELECT 1 AS a\n")).await;
    let after = version("", "SELECT 2 AS a\n");
    stack.ask("Update", stack.has.as_ref(), &after, false).await.unwrap();
    let accepted = version("a\n", "SELECT 2 AS a\n");
    push(&store, &accepted, None).await.unwrap();
    let back = stack.ask("Update", Some(&after), stack.has.as_ref().unwrap(), true).await.unwrap();
    assert!(back.contains("stays") && back.contains("not what this deployment brought"), "{back}");
    assert_eq!(files_of(&store).await, accepted.files);
    // The same request from a stack that goes forward is refused.
    stack.has = Some(after.clone());
    stack.ask("Update", Some(&after), &version("", "SELECT 1 AS a\n"), false).await.unwrap_err();
}

#[tokio::test]
async fn a_rollback_to_a_bundle_that_is_gone_leaves_what_is_there() {
    let (_folder, store) = store();
    let before = version("", "SELECT 1 AS a\n");
    let mut stack = created(&store, &before).await;
    stack.gone.push(before.revision.clone());
    let Ended::RolledBack(_, answer) = stack.update(&version("", "SELECT 2 AS a\n"), false).await else { panic!() };
    assert!(answer.contains("stays") && answer.contains("NoSuchKey"), "{answer}");
    // An update that did nothing has nothing to take back either.
    let broken = project(&[("contracts/raw_a.json", "{")]);
    let Ended::RolledBack(why, _) = stack.update(&broken, true).await else { panic!() };
    assert!(why.contains("raw_a.json"), "{why}");
}
