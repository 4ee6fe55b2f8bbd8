//! The small project, on an AWS account.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crawlguard::catalog::{Catalog, glue_json};
use crawlguard::cloud::Cloud;
use crawlguard::config::{Aws, Target};
use crawlguard::digest::sha256_hex;
use crawlguard::pipeline::{Commands, Ports, Project, Quiet, Request, Run, RunError, run, unfinished};
use crawlguard::store::Store;
use serde_json::json;

use super::fake::FakeAws;
use crate::support;

pub const DATABASE: &str = "shop";
pub const WAREHOUSE: &str = "s3://shop/tables/";
pub const STATE: &str = "s3://shop/state/";
const RAW: &str = "s3://shop/raw/";

/// How both of them call their target, so that their alerts can be compared.
pub const TARGET: &str = "prod";

const SETTINGS: &str = r#"project = "shop"
[targets.local]
kind = "local"
lake = "lake"
database = "shop"
[targets.prod]
kind = "aws"
database = "shop"
workgroup = "crawlguard"
warehouse = "s3://shop/tables/"
state = "s3://shop/state/"
topic = "arn:aws:sns:eu-central-1:111122223333:alerts"
keep_versions = 2
"#;

/// A project in a folder, its local lake, and an account that holds the same.
pub struct Lake {
    pub local: support::Lake,
    pub aws: FakeAws,
}

impl Lake {
    pub fn new() -> Self {
        let lake = Self { local: support::Lake::new(), aws: FakeAws::new() };
        lake.local.write("crawlguard.toml", SETTINGS);
        let mut account = lake.aws.account();
        account.s3.create_bucket("shop");
        account.glue.create_database(DATABASE);
        account.athena.create_workgroup("crawlguard", Some("s3://shop/results/"), false);
        account.sns.create_topic("alerts");
        drop(account);
        lake.crawl();
        lake
    }

    /// Crawls the local lake, and the account's: the same files and tables, at places in S3.
    pub fn crawl(&self) {
        self.local.crawl();
        upload(&self.aws, &self.local.path("lake"), RAW);
        let catalog = self.local.catalog();
        for table in block_on(catalog.tables("raw_")).expect("read") {
            let mut input = glue_json::to_value(&table);
            let name = table.name.strip_prefix("raw_").expect("a raw table");
            input["StorageDescriptor"]["Location"] = json!(format!("{RAW}{name}/"));
            let fields = input.as_object_mut().expect("an object");
            fields.retain(|key, _| !["DatabaseName", "VersionId"].contains(&key.as_str()));
            self.aws.account().glue.put(DATABASE, &input, Vec::new());
        }
    }

    pub fn site(&self) -> Site {
        let project = self.local.project();
        let Target::Aws(settings) = project.settings.config.targets[TARGET].clone() else { panic!("it is on AWS") };
        Site { aws: self.aws.clone(), project: Arc::new(project), settings }
    }
}

/// A project that is set up on an account.
#[derive(Clone)]
pub struct Site {
    pub aws: FakeAws,
    pub project: Arc<Project>,
    pub settings: Aws,
}

impl Site {
    /// The same, on an account of its own.
    pub fn fork(&self) -> Self {
        Self { aws: self.aws.fork(), ..self.clone() }
    }

    /// What one process makes of the slot; `None` if it dies.
    pub async fn process(&self, slot: &str) -> Option<Result<Run, RunError>> {
        let process = self.aws.process();
        let cloud = Cloud::with(self.settings.clone(), &process.config);
        process.run(drive(&cloud, &self.project, slot)).await
    }

    /// A run that nothing disturbs.
    pub async fn run(&self, slot: &str) -> Run {
        self.process(slot).await.expect("it lives").expect("it ends")
    }

    /// So much time passes that a dead process's lock lapses.
    pub fn wait_for_the_lock(&self) {
        let key = format!("{STATE}run.lock");
        let mut account = self.aws.account();
        if let Some(bytes) = account.s3.get(&key) {
            let mut note: serde_json::Value = serde_json::from_slice(&bytes).expect("a lock is JSON");
            note["until"] = json!("2026-01-02T03:04:05Z");
            account.s3.put(&key, note.to_string().as_bytes());
        }
    }
}

/// What `crawlguard run --target prod --slot …` does.
async fn drive(cloud: &Cloud, project: &Project, slot: &str) -> Result<Run, RunError> {
    let (catalog, engine, store, notifier) = (cloud.catalog(), cloud.engine(), cloud.store(), cloud.notifier());
    let _lease = store.lock("a test").await?;
    let cut = unfinished(&store).await?;
    let tables = catalog.tables("raw_").await?;
    let ports = Ports { catalog: &catalog, engine: &engine, notifier: &notifier, store: &store, reporter: &Quiet };
    let request = Request {
        target: TARGET,
        raw_prefix: "raw_",
        keep_versions: cloud.settings.keep_versions,
        slot,
        inputs: &sha256_hex(format!("{tables:?}")),
        again: false,
        commands: &Commands::default(),
    };
    run(ports, project, cut, request).await
}

fn upload(aws: &FakeAws, folder: &Path, uri: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if path.is_dir() {
            upload(aws, &path, &format!("{uri}{name}/"));
        } else {
            aws.account().s3.put(&format!("{uri}{name}"), &fs::read(&path).expect("a file"));
        }
    }
}

/// Runs a future to its end on a thread of its own: the caller may be inside a runtime already.
pub fn block_on<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(work)).join()).expect("no panic")
}
