//! An AWS in this process: the SDK's clients talk to it in place of a network, and it behaves as the services do.
//!
//! What each service does follows its API model (<https://github.com/boto/botocore/tree/develop/botocore/data>).

mod athena;
mod clock;
mod faults;
mod glue;
mod process;
mod s3;
mod server;
mod sns;
mod sql;
mod wire;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use athena::Athena;
pub use faults::{Call, Fault, FaultKind};
pub use glue::described;
pub use process::Process;
pub use sns::Mail;
pub use wire::Refusal;

use athena::Broken;
use faults::Calls;
use glue::Glue;
use s3::S3;
use sns::Sns;
use wire::{Answer, Request};

pub const REGION: &str = "eu-central-1";
pub const ACCOUNT: &str = "111122223333";

/// Everything that the account holds.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub s3: S3,
    pub glue: Glue,
    pub athena: Athena,
    pub sns: Sns,
    pub calls: Calls,
    /// What is answered to every call of a service and action, of one resource if that is named behind it; to all of the
    /// service's calls if the action is empty.
    pub refusals: Vec<(&'static str, &'static str, Refusal)>,
    /// Each table that somebody made or replaced by Glue's API, and how many queries had been answered by then.
    pub publications: Vec<(String, usize)>,
    /// CloudFormation's word for every stack that is asked for.
    pub stack_status: &'static str,
    /// What EventBridge would deliver, oldest first.
    pub events: Vec<serde_json::Value>,
}

impl Account {
    /// The same for two accounts that hold the same, whatever was called and told on the way.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.s3.all().hash(&mut hasher);
        format!("{:?}{:?}{:?}{:?}", self.glue, self.athena, self.sns, self.publications).hash(&mut hasher);
        hasher.finish()
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.handle(request).unwrap_or_else(|refusal| refusal.answer(request.service))
    }

    fn handle(&mut self, request: &Request) -> Result<Answer, Refusal> {
        if !request.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") {
            return Err(Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"));
        }
        let refused = self.refusals.iter().find(|(service, action, _)| {
            *service == request.service
                && (action.is_empty()
                    || *action == request.action
                    || *action == format!("{} {}", request.action, request.resource))
        });
        if let Some((.., refusal)) = refused {
            return Err(refusal.clone());
        }
        match request.service {
            "s3" => self.s3.handle(request),
            "glue" => {
                let answer = self.glue.handle(request, &mut self.events).map(|json| Answer::json(&json));
                if answer.is_ok() && ["CreateTable", "UpdateTable"].contains(&request.action.as_str()) {
                    self.publications.push((request.resource.clone(), self.athena.answered()));
                }
                answer
            }
            "athena" => {
                let mut lake = sql::Lake { s3: &mut self.s3, glue: &mut self.glue };
                self.athena.handle(request, &mut lake, &mut self.events).map(|json| Answer::json(&json))
            }
            "sns" => self.sns.handle(request),
            "sts" => sns::identity(request),
            "cloudformation" => Ok(Answer::xml(format!("<StackStatus>{}</StackStatus>", self.stack_status))),
            other => panic!("the fake has no {other}"),
        }
    }
}

/// An account that several processes, one after the other or at once, may call.
#[derive(Debug, Clone, Default)]
pub struct FakeAws(Arc<Mutex<Account>>);

impl FakeAws {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another account that holds the same, and shares nothing.
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.account().clone())))
    }

    /// A process that has just started, with credentials for the account.
    pub fn process(&self) -> Process {
        Process::new(self.clone())
    }

    /// Every query that runs comes to its end, without anybody asking after it.
    pub fn finish_queries(&self) {
        let account = &mut *self.account();
        let mut lake = sql::Lake { s3: &mut account.s3, glue: &mut account.glue };
        account.athena.finish(&mut lake, &mut account.events);
    }

    /// The next query whose text contains `part` fails so, once.
    pub fn break_query(&self, part: &str, message: &str, retryable: bool) {
        let broken = Broken { part: part.into(), message: message.into(), retryable };
        self.account().athena.broken.push(broken);
    }
}
