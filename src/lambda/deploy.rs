//! The project as a resource of a CloudFormation stack: deployed with it, by the same rule as `contracts push`.
//!
//! A stack waits for the answer, for up to an hour: every request is answered, whatever went wrong.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>
//!
//! A stack that rolls back asks for what it had before, as an update like any other. It is never refused that: the stack
//! would be stuck in UPDATE_ROLLBACK_FAILED. Where what it had may not be put back, what is there stays.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::config::AsyncSleep;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, Shell, now};
use crate::aws::{self, Call, S3Folder};
use crate::pipeline::{self, Bundle, Push, Pushed, RunError, bundle, deploy};
use crate::port::{PortError, PortErrorKind};
use crate::store::Store;

const READ: Call = Call::new("read", "s3:GetObject");
const STACK: Call = Call::new("read stack", "cloudformation:DescribeStacks");
/// The longest answer that CloudFormation takes, in bytes.
const LONGEST: usize = 4096;
/// Well within the function's own time, so that there is some left to answer in.
const PATIENCE: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(20);
/// A role that has just been made or changed opens everywhere some seconds later: how often it is tried, and how long apart.
const TRIES: usize = 8;
const APART: Duration = Duration::from_secs(5);

/// What CloudFormation asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    request_type: String,
    /// Presigned: whoever has it can answer, so it is never logged.
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
    #[serde(default)]
    resource_properties: Value,
    /// What the resource had before; of updates alone.
    #[serde(default)]
    old_resource_properties: Value,
}

impl Request {
    /// The revision that the template names.
    fn digest(&self) -> Option<&str> {
        self.resource_properties["Digest"].as_str()
    }
}

/// The project that is to be deployed: a bundle, or its files alone.
#[derive(Debug, Deserialize)]
struct Offered {
    files: BTreeMap<String, String>,
    pushed: Option<Pushed>,
}

/// The request in an event; `None` if it is of another kind.
pub fn read(event: &Value) -> Option<Request> {
    Request::deserialize(event).ok()
}

/// Does what is asked and answers it. The answer is the invocation's result too; an answer that cannot be given is a
/// failure, so that Lambda tries again.
pub async fn handle(shell: &Result<Shell, Failure>, request: &Request) -> Result<Value, Failure> {
    let outcome = match shell {
        _ if request.request_type == "Delete" => Ok("nothing is removed with the stack".to_owned()),
        Ok(shell) => match tokio::time::timeout(PATIENCE, carry_out(shell, request)).await {
            Ok(outcome) => outcome,
            Err(_) => too_late(shell, request).await,
        },
        Err(failure) => Err(failure.to_string()),
    };
    tracing::info!(kind = request.request_type, stack = request.stack_id, ?outcome, "deployment");
    let place = shell.as_ref().ok().map(|shell| shell.state.uri(bundle::KEY));
    let answer = answer(request, place, &outcome);
    send(&request.response_url, &answer).await.map_err(|why| Failure::new("AnswerNotSent", why))?;
    Ok(json!({"schema_version": 1, "deployed": outcome.is_ok(), "reason": outcome.unwrap_or_else(|why| why)}))
}

/// Nothing half done is left: the project is one object.
async fn too_late(shell: &Shell, request: &Request) -> Result<String, String> {
    let why = format!("not done within {} s", PATIENCE.as_secs());
    match tokio::time::timeout(ANSWER, rolls_back(shell, request)).await {
        Ok(true) => Ok(format!("what is deployed stays: {why}")),
        _ => Err(format!("{why}; deploy again")),
    }
}

async fn carry_out(shell: &Shell, request: &Request) -> Result<String, String> {
    let bytes = match request.resource_properties["Bundle"].as_str() {
        Some(uri) => fetch(shell, uri).await,
        None => Err("the resource has no property `Bundle`, the s3:// URI of the project".to_owned()),
    };
    settle(&shell.store(), &shell.target, request, bytes, rolls_back(shell, request)).await
}

/// Whether the stack is on its way back. One that cannot be asked is not.
async fn rolls_back(shell: &Shell, request: &Request) -> bool {
    let form = format!("Action=DescribeStacks&Version=2010-05-15&StackName={}", escaped(&request.stack_id));
    match shell.signed.query(STACK, &request.stack_id, &form).await {
        Ok(text) => aws::element(&text, "StackStatus").is_some_and(|status| status.contains("ROLLBACK_IN_PROGRESS")),
        Err(error) => {
            tracing::warn!(%error, "deployment");
            false
        }
    }
}

/// An ARN inside a form.
fn escaped(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

async fn fetch(shell: &Shell, uri: &str) -> Result<Vec<u8>, String> {
    let (folder, key) = uri
        .rsplit_once('/')
        .and_then(|(folder, key)| Some((S3Folder::parse(folder)?, key)))
        .ok_or_else(|| format!("`{uri}` is no s3:// URI of an object"))?;
    for _ in 1..TRIES {
        match get(shell, &folder, key).await {
            Err(error) if error.kind == PortErrorKind::Denied => pause(shell).await,
            answer => return answer.map_err(|error| error.to_string()),
        }
    }
    get(shell, &folder, key).await.map_err(|error| error.to_string())
}

async fn pause(shell: &Shell) {
    match shell.config.sleep_impl() {
        Some(sleep) => sleep.sleep(APART).await,
        None => tokio::time::sleep(APART).await,
    }
}

async fn get(shell: &Shell, folder: &S3Folder, key: &str) -> Result<Vec<u8>, PortError> {
    let client = aws::s3(&shell.config);
    let uri = folder.uri(key);
    let get = client.get_object().bucket(&folder.bucket).key(format!("{}{key}", folder.prefix));
    let answer = get.send().await.map_err(|error| READ.failed(format!("`{uri}`"), error))?;
    let bytes = answer.body.collect().await.map_err(|error| READ.invalid(format!("`{uri}`"), error.to_string()))?;
    Ok(bytes.to_vec())
}

/// Deploys what a request names; where that fails and the stack `rolls_back`, as much of it as may be.
pub async fn settle(
    store: &dyn Store,
    target: &str,
    request: &Request,
    bytes: Result<Vec<u8>, String>,
    rolls_back: impl Future<Output = bool>,
) -> Result<String, String> {
    let done = match &bytes {
        Ok(bytes) => deploy(store, target, bytes, request.digest(), &request.stack_id).await,
        Err(why) => Err(why.clone()),
    };
    let Err(why) = done else { return done };
    if request.request_type != "Update" || !rolls_back.await {
        return Err(why);
    }
    Ok(match taken_back(store, target, request, bytes).await {
        Ok(revision) => format!("put revision {revision} back"),
        Err(instead) => format!("what is deployed stays: {why}; {instead}"),
    })
}

/// Puts back what the stack had before, in the place of what this stack itself has just deployed.
async fn taken_back(
    store: &dyn Store,
    target: &str,
    request: &Request,
    bytes: Result<Vec<u8>, String>,
) -> Result<String, String> {
    let failed = request.old_resource_properties["Digest"].as_str().ok_or("the request does not name what failed")?;
    let bundle = offered(target, &bytes?, request.digest(), &request.stack_id)?;
    match pipeline::take_back(store, failed, &bundle).await {
        Ok(true) => Ok(bundle.revision),
        Ok(false) => Err("it is not what this deployment brought".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Deploys the bundle in `bytes` for `target`; the answer, or why not, in words.
pub async fn deploy(
    store: &dyn Store,
    target: &str,
    bytes: &[u8],
    digest: Option<&str>,
    stack: &str,
) -> Result<String, String> {
    let bundle = offered(target, bytes, digest, stack)?;
    match pipeline::push(store, &bundle, None).await.map_err(|error: RunError| error.to_string())? {
        Push::Same => Ok(format!("revision {} is deployed already", bundle.revision)),
        Push::Done { .. } => Ok(format!("deployed revision {}", bundle.revision)),
        Push::Refused { deployed } => Err(refusal(&deployed, &bundle, target)),
    }
}

/// The bundle in `bytes`, if it is the one that the template names and `target` can run it.
fn offered(target: &str, bytes: &[u8], digest: Option<&str>, stack: &str) -> Result<Bundle, String> {
    let offered: Offered =
        serde_json::from_slice(bytes).map_err(|error| format!("the bundle cannot be read: {error}"))?;
    let pushed = offered.pushed.unwrap_or_default();
    let who = [pushed.who.as_str(), stack].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let bundle = Bundle::new(offered.files, Pushed { who, at: now(), why: pushed.why });
    if digest.is_some_and(|digest| digest != bundle.revision) {
        return Err(format!("the bundle is revision {}, and not what the template names", bundle.revision));
    }
    bundle.check(target).map_err(|problems| format!("the project cannot be run:\n{problems}"))?;
    Ok(bundle)
}

fn refusal(deployed: &Bundle, bundle: &Bundle, target: &str) -> String {
    let changes = deploy::changes(&deployed.files, &bundle.files);
    let files: Vec<_> = changes.iter().map(|change| change.file.as_str()).collect();
    format!(
        "{} acceptance(s) on target `{target}` are not in the project that is deployed here, and it would undo them: run \
         `crawlguard --target {target} contracts pull` in the project, commit what it writes, and deploy again; files that \
         differ: {}",
        deploy::missing(deployed.log(), bundle.log()),
        files.join(", ")
    )
}

/// The answer's text, short enough for CloudFormation.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>
pub fn answer(request: &Request, place: Option<String>, outcome: &Result<String, String>) -> String {
    // A stack that sees another id than before takes the resource for replaced, and asks for the old one's removal.
    let id = request.physical_resource_id.clone().or(place).unwrap_or_else(|| request.logical_resource_id.clone());
    let status = if outcome.is_ok() { "SUCCESS" } else { "FAILED" };
    let (Ok(reason) | Err(reason)) = outcome;
    let written = |reason: &str| {
        json!({"Status": status, "Reason": reason, "PhysicalResourceId": id, "StackId": request.stack_id,
               "RequestId": request.request_id, "LogicalResourceId": request.logical_resource_id})
        .to_string()
    };
    let mut kept: String = reason.clone();
    let mut text = written(&kept);
    while text.len() > LONGEST && !kept.is_empty() {
        let excess = (text.len() - LONGEST).div_ceil(6).max(1);
        let left = kept.chars().count().saturating_sub(excess + 1);
        kept = kept.chars().take(left).chain(['…']).collect();
        if left == 0 {
            kept.clear();
        }
        text = written(&kept);
    }
    text
}

/// Puts an answer where CloudFormation waits for it. Errors do not tell the URL.
pub async fn send(url: &str, answer: &str) -> Result<(), String> {
    let connector = aws::tls();
    let mut request = HttpRequest::new(answer.to_owned().into());
    request.set_method("PUT").map_err(|_| "PUT is no method")?;
    request.set_uri(url).map_err(|_| "the ResponseURL is no URL")?;
    // The URL was signed without a type, so S3 refuses any other.
    request.headers_mut().insert("content-type", "");
    request.headers_mut().insert("content-length", answer.len().to_string());
    let sent = tokio::time::timeout(ANSWER, connector.call(request)).await;
    let response = sent.map_err(|_| format!("no answer from the ResponseURL within {} s", ANSWER.as_secs()))?;
    let response = response.map_err(|error| match error.is_timeout() || error.is_io() {
        true => "the ResponseURL cannot be reached",
        false => "the answer could not be sent to the ResponseURL",
    })?;
    match response.status().as_u16() {
        200..300 => Ok(()),
        status => Err(format!("the ResponseURL answered with HTTP {status}")),
    }
}
