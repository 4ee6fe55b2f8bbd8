//! The Lambda shell: an event in, the stored runs moved on, no waiting.

mod arrivals;
pub mod deploy;
mod event;
mod log;
mod receipt;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use event::{Trigger, read};

use crate::aws::{self, S3Folder, Signed};
use crate::catalog::glue::GlueCatalog;
use crate::catalog::{Catalog, CrawlStatus};
use crate::cloud::Cloud;
use crate::config::{Aws, Settings, Target};
use crate::engine::athena::AthenaEngine;
use crate::notify::sns::SnsNotifier;
use crate::pipeline::{
    self, Bundle, Commands, Ports, Project, Provenance, Quiet, Request, Run, RunError, Schemas, Step, Stopped, Why,
    bundle,
};
use crate::plan;
use crate::port::{PortError, PortErrorKind};
use crate::problem::Problems;
use crate::store::s3::S3Store;

/// Why an invocation failed; `kind` is the Lambda error type that alarms and retries may rely on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: &'static str,
    pub message: String,
}

impl Failure {
    fn new(kind: &'static str, message: impl ToString) -> Self {
        Self { kind, message: message.to_string() }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let kind = match error.kind {
            PortErrorKind::NotFound => "NotFound",
            PortErrorKind::Denied => "AccessDenied",
            PortErrorKind::Throttled => "Throttled",
            PortErrorKind::Timeout => "Timeout",
            PortErrorKind::Conflict => "Conflict",
            PortErrorKind::Invalid => "InvalidRequest",
            PortErrorKind::Unavailable => "Unavailable",
            PortErrorKind::Unexpected => "Unexpected",
        };
        Self::new(kind, error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Port(error) => error.into(),
            RunError::Problems(problems) => Self::new("ProjectInvalid", problems),
            RunError::Record { .. } => Self::new("StateUnreadable", error),
            RunError::Overtaken { .. } => Self::new("Conflict", error),
        }
    }
}

/// What an invocation needs, made once a process.
#[derive(Debug, Clone)]
pub struct Shell {
    config: SdkConfig,
    signed: Signed,
    /// The folder of run records and of the deployed project.
    state: S3Folder,
    target: String,
    /// The function's account, once it is known.
    account: Option<String>,
}

/// Does what an event asks the function `arn` for. A deployment is answered even by a function whose settings are wrong.
pub async fn handle(shell: &Result<Shell, Failure>, event: &Value, arn: &str) -> Result<Value, Failure> {
    match deploy::read(event) {
        Some(request) => deploy::handle(shell, &request).await,
        None => shell.clone()?.invoked_as(arn).handle(event).await,
    }
}

/// What is deployed: its files in a folder, and its settings.
struct Deployed {
    folder: TempDir,
    project: Settings,
    settings: Aws,
    revision: String,
}

/// The deployed project and the target that it names.
struct World {
    project: Project,
    /// Holds the project's files, for as long as they may be read.
    _folder: TempDir,
    cloud: Cloud,
    catalog: GlueCatalog,
    engine: AthenaEngine,
    notifier: SnsNotifier,
    store: S3Store,
}

impl World {
    fn schemas(&self) -> Schemas<'_> {
        Schemas { catalog: &self.catalog, raw_prefix: &self.cloud.settings.raw_prefix }
    }

    fn ports<'a>(&'a self, inputs: &'a Schemas<'a>) -> Ports<'a> {
        Ports {
            catalog: &self.catalog,
            engine: &self.engine,
            notifier: &self.notifier,
            store: &self.store,
            reporter: &Quiet,
            inputs: Some(inputs),
        }
    }
}

impl Shell {
    /// `project` is the S3 URI of the deployed project, `s3://bucket/prefix/project.json`.
    pub fn new(config: SdkConfig, project: &str, target: impl Into<String>) -> Result<Self, Failure> {
        let state = project.strip_suffix(bundle::KEY).filter(|folder| folder.ends_with('/')).and_then(S3Folder::parse);
        let state = state.ok_or_else(|| {
            Failure::new(
                "SettingsInvalid",
                format!("CRAWLGUARD_PROJECT is `{project}`, and not s3://…/{}", bundle::KEY),
            )
        })?;
        Ok(Self { signed: Signed::new(&config), config, state, target: target.into(), account: None })
    }

    /// The same, of a function whose ARN Lambda tells: `arn:aws:lambda:region:account:function:name`.
    pub fn invoked_as(self, arn: &str) -> Self {
        let account = arn.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned);
        Self { account, ..self }
    }

    /// The same, whose calls without an SDK go by a way of the caller's.
    pub fn via(self, connector: SharedHttpConnector) -> Self {
        Self { signed: self.signed.via(connector), ..self }
    }

    /// A shell with what the function's environment says: `CRAWLGUARD_PROJECT` and `CRAWLGUARD_TARGET`.
    pub async fn from_environment() -> Result<Self, Failure> {
        let variable =
            |name: &str| std::env::var(name).map_err(|_| Failure::new("SettingsInvalid", format!("{name} is not set")));
        Self::new(aws::config_for_lambda().await, &variable("CRAWLGUARD_PROJECT")?, variable("CRAWLGUARD_TARGET")?)
    }

    /// Does what an event asks for, as far as it goes without waiting. An event is first judged by what stands in it, then
    /// by the run under way, then by the target's settings; only what passes has the whole project read.
    pub async fn handle(&self, event: &Value) -> Result<Value, Failure> {
        match record_source(event) {
            Some("aws:sns") => return receipt::keep(&self.store(), &self.target, event).await,
            Some("aws:sqs") => return arrivals::take(self, event).await,
            _ => {}
        }
        let trigger = read(event).map_err(|why| Failure::new("UnknownEvent", why))?;
        tracing::info!(?trigger, "event");
        match &trigger {
            Trigger::Ignore { why } => return Ok(ignored(why)),
            Trigger::Queried { query } if !pipeline::awaits(&self.store(), query).await? => {
                return Ok(ignored("no run waits for this query"));
            }
            _ => {}
        }
        let deployed = self.deployed().await?;
        if let Some(why) = event::foreign(event, &deployed.settings, self.account.as_deref()) {
            return Ok(ignored(&why));
        }
        let (world, unread) = self.open(deployed);
        match unread {
            None => self.act(&world, trigger).await,
            Some(problems) => Err(self.tell(&world, &trigger, problems).await),
        }
    }

    async fn act(&self, world: &World, trigger: Trigger) -> Result<Value, Failure> {
        match trigger {
            Trigger::Ignore { why } => Ok(ignored(&why)),
            Trigger::Check => self.check(world).await,
            Trigger::Status => Ok(json!({"schema_version": 1, "queue": pipeline::status(&world.store).await?})),
            Trigger::Queried { .. } => self.drive(world).await,
            Trigger::Daily { slot } => self.ask(world, &slot, Why::Daily).await,
            Trigger::Run => self.ask(world, &now(), Why::Command).await,
            // What the crawl left is compared first: files that never stop arriving must not keep runs from beginning.
            Trigger::Sweep => self.then_crawl(world, self.drive(world).await).await,
            Trigger::Crawled { slot } => self.then_crawl(world, self.ask(world, &slot, Why::Crawl).await).await,
            Trigger::CrawlFailed { slot, message } => {
                let answer = self.ask(world, &slot, Why::CrawlFailed { message }).await;
                self.then_crawl(world, answer).await
            }
        }
    }

    async fn then_crawl(&self, world: &World, answer: Result<Value, Failure>) -> Result<Value, Failure> {
        let crawled = arrivals::crawl_again(self, &world.cloud).await;
        answer.and_then(|answer| crawled.map(|()| answer))
    }

    fn store(&self) -> S3Store {
        S3Store::new(aws::s3(&self.config), self.state.clone())
    }

    /// What is deployed, as far as its settings.
    async fn deployed(&self) -> Result<Deployed, Failure> {
        let found = bundle::deployed(&self.store()).await?;
        let uri = self.state.uri(bundle::KEY);
        let (bundle, _) = found.ok_or_else(|| {
            Failure::new("ProjectMissing", format!("no project at `{uri}`; run `crawlguard contracts push`"))
        })?;
        let (folder, project) = unpacked(&bundle)?;
        let (_, target) = project.target(Some(&self.target)).map_err(invalid)?;
        let Target::Aws(settings) = target.clone() else {
            return Err(Failure::new("SettingsInvalid", format!("target `{}` is not on AWS", self.target)));
        };
        // Two folders would be two queues and two locks over one database.
        if S3Folder::parse(&settings.state).as_ref() != Some(&self.state) {
            let (target, state) = (&self.target, &settings.state);
            let message = format!("the function reads `{uri}`, and target `{target}` keeps its state in `{state}`");
            return Err(Failure::new("SettingsInvalid", message));
        }
        if let (Some(wanted), Some(own)) = (&settings.account, &self.account)
            && wanted != own
        {
            let message = format!(
                "target `{}` is in account {wanted}, and the function in {own}; mend `account` in crawlguard.toml, or \
                 deploy into the other account",
                self.target
            );
            return Err(Failure::new("SettingsInvalid", message));
        }
        Ok(Deployed { folder, project, settings, revision: bundle.revision })
    }

    /// The deployed project, and why it cannot be read if only its settings can.
    fn open(&self, deployed: Deployed) -> (World, Option<Problems>) {
        let Deployed { folder, project, settings, revision } = deployed;
        let (mut project, unread) = match Project::read(project.clone()) {
            Ok(project) => (project, None),
            Err(problems) => (Project::of(project), Some(problems)),
        };
        project.provenance = Some(Provenance { revision, deployed: Some(true), by: holder() });
        let cloud = Cloud::with(settings, &self.config);
        let (catalog, engine, notifier) = (cloud.catalog(), cloud.engine(), cloud.notifier());
        let store = self.store();
        (World { project, _folder: folder, cloud, catalog, engine, notifier, store }, unread)
    }

    /// Tells people that nothing can be run by the deployed project, where something was to be run. An error that they
    /// know of is not told again, so the failure that every event gets is no second alert.
    async fn tell(&self, world: &World, trigger: &Trigger, problems: Problems) -> Failure {
        let message = format!("the project deployed at `{}` cannot be read:\n{problems}", self.state.uri(bundle::KEY));
        let slot = match trigger {
            Trigger::Crawled { slot } | Trigger::CrawlFailed { slot, .. } | Trigger::Daily { slot } => {
                Some(slot.clone())
            }
            Trigger::Run => Some(now()),
            Trigger::Queried { .. } | Trigger::Sweep | Trigger::Check | Trigger::Status | Trigger::Ignore { .. } => {
                None
            }
        };
        let told = match slot {
            Some(slot) => self.refuse(world, &slot, &message).await,
            None => Ok(()),
        };
        let untold = told.err().map_or_else(String::new, |error| format!("\npeople could not be told: {error}"));
        Failure::new("ProjectInvalid", message + &untold)
    }

    async fn ask(&self, world: &World, slot: &str, why: Why) -> Result<Value, Failure> {
        let asked = pipeline::enqueue(&world.store, slot, why).await?;
        tracing::info!(slot, ?asked, "asked for");
        let mut answer = self.drive(world).await?;
        if let Some(why) = asked.refusal(slot) {
            answer["ignored"] = why.into();
        }
        Ok(answer)
    }

    async fn drive(&self, world: &World) -> Result<Value, Failure> {
        let (inputs, commands) = (world.schemas(), self.commands());
        let (ports, project, request) = (world.ports(&inputs), &world.project, self.request(world, "", &commands));
        let mut ended = Vec::new();
        let driven = loop {
            match pipeline::drive(ports, project, request, &holder(), &mut ended).await {
                // A run that cannot begin or go on would be tried by each sweep, and nobody would hear of it.
                Err(RunError::Port(error)) if error.kind.is_lasting() => {
                    match pipeline::give_up(ports, project, request, &holder(), &error).await {
                        Ok(Stopped::Ended(run)) => ended.push(*run),
                        Ok(Stopped::Nothing) => break Err(error.into()),
                        Ok(Stopped::Busy { run_id }) => break Ok(Step::Busy { run_id }),
                        Err(error) => break Err(error),
                    }
                }
                driven => break driven,
            }
        };
        log::ended(&ended, Timestamp::now());
        let step = driven?;
        log::open(&step, Timestamp::now());
        Ok(answer(&ended, &step))
    }

    async fn refuse(&self, world: &World, slot: &str, message: &str) -> Result<(), RunError> {
        let (inputs, commands) = (world.schemas(), self.commands());
        let ports = world.ports(&inputs);
        let run =
            pipeline::refuse(ports, &world.project, self.request(world, slot, &commands), &holder(), message).await?;
        log::ended(&[run], Timestamp::now());
        Ok(())
    }

    async fn check(&self, world: &World) -> Result<Value, Failure> {
        match world.catalog.crawl().await? {
            Some(CrawlStatus { crawler, running: true, .. }) => {
                return Err(Failure::new("Crawling", format!("crawler `{crawler}` is at work; check when it is done")));
            }
            Some(CrawlStatus { crawler, error: Some(error), .. }) => {
                return Err(Failure::new("CrawlFailed", pipeline::crawl_failed(&crawler, &error)));
            }
            _ => {}
        }
        let found = pipeline::compare(&world.project, &world.catalog, &world.cloud.settings.raw_prefix).await?;
        Ok(json!({"schema_version": 1, "verdict": found.verdict, "findings": found.findings}))
    }

    /// Alerts are read on a laptop, where the target has to be named.
    fn commands(&self) -> Commands {
        Commands { globals: vec!["--target".into(), self.target.clone()], ..Commands::default() }
    }

    fn request<'a>(&'a self, world: &'a World, slot: &'a str, commands: &'a Commands) -> Request<'a> {
        Request {
            target: &self.target,
            raw_prefix: &world.cloud.settings.raw_prefix,
            keep_versions: world.cloud.settings.keep_versions,
            remind_after_days: world.cloud.settings.remind_after_days,
            slot,
            inputs: "",
            again: false,
            commands,
        }
    }
}

/// Where the records of an event come from, if it has any; SNS and SQS spell the key differently.
fn record_source(event: &Value) -> Option<&str> {
    let first = event.pointer("/Records/0")?;
    first.get("EventSource").or_else(|| first.get("eventSource"))?.as_str()
}

fn ignored(why: &str) -> Value {
    json!({"schema_version": 1, "ignored": why})
}

/// The project's files in a folder of their own, and its settings.
fn unpacked(bundle: &Bundle) -> Result<(TempDir, Settings), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::new("StateUnreadable", format!("unpack: {error}")))?;
    let settings = bundle.unpack(folder.path()).and_then(|()| Settings::read(folder.path())).map_err(invalid)?;
    Ok((folder, settings))
}

fn invalid(problems: Problems) -> Failure {
    Failure::new("ProjectInvalid", problems)
}

fn answer(ended: &[Run], step: &Step) -> Value {
    let run = |run: &Run| json!({"run_id": run.run_id, "verdict": run.verdict, "outcome": run.outcome, "crawled_at": run.crawled_at});
    let runs = ended.iter().map(run);
    let (state, run_id) = match step {
        Step::Idle => ("idle", None),
        Step::Crawling => ("crawling", None),
        Step::Waiting { run_id, .. } => ("waiting", Some(run_id)),
        Step::Busy { run_id } => ("busy", Some(run_id)),
    };
    json!({"schema_version": 1, "ended": runs.collect::<Vec<_>>(), "state": state, "run_id": run_id})
}

fn now() -> String {
    plan::slot(Timestamp::now())
}

fn holder() -> String {
    format!("Lambda {}", std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_else(|_| "on a laptop".into()))
}
