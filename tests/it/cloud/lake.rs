//! The small project, on an AWS account.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crawlguard::catalog::{Catalog, glue_json};
use crawlguard::cloud::Cloud;
use crawlguard::config::{Aws, Settings, Target};
use crawlguard::contract::Document;
use crawlguard::engine::Engine;
use crawlguard::lambda::Shell;
use crawlguard::pipeline::{
    Bundle, Commands, Ports, Project, Pushed, Quiet, Request, Run, RunError, Schemas, Step, Why, drive, enqueue, load,
};
use crawlguard::plan::run_id;
use crawlguard::schema::{PARTITIONS_INHERIT, Table};

use super::fake::{FakeAws, described};
use crate::support;

pub const DATABASE: &str = "shop";
pub const WAREHOUSE: &str = "s3://shop/tables/";
pub const STATE: &str = "s3://shop/state/";
pub const RAW: &str = "s3://shop/raw/";

/// How both of them call their target, so that their alerts can be compared.
pub const TARGET: &str = "prod";

/// The function, as Lambda tells it of itself.
pub const FUNCTION: &str = "arn:aws:lambda:eu-central-1:111122223333:function:crawlguard";

pub const SETTINGS: &str = r#"project = "shop"
[targets.local]
kind = "local"
lake = "lake"
database = "shop"
[targets.prod]
kind = "aws"
database = "shop"
workgroup = "crawlguard"
crawler = "raw"
warehouse = "s3://shop/tables/"
state = "s3://shop/state/"
topic = "arn:aws:sns:eu-central-1:111122223333:alerts"
receipts = true
keep_versions = 2
"#;

/// A project in a folder, its local lake, and an account that holds the same.
pub struct Lake {
    pub local: support::Lake,
    pub aws: FakeAws,
    /// What the account's tables promised at first: a contract names the place where the files are.
    contracts: Vec<Table>,
}

impl Lake {
    pub fn new() -> Self {
        let mut lake = Self { local: support::Lake::new(), aws: FakeAws::new(), contracts: Vec::new() };
        lake.local.write("crawlguard.toml", SETTINGS);
        let mut account = lake.aws.account();
        account.s3.create_bucket("shop");
        account.glue.create_database(DATABASE);
        account.athena.create_workgroup("crawlguard", Some("s3://shop/results/"), false);
        account.glue.create_crawler("raw", DATABASE);
        account.glue.crawler("raw").folders = vec![RAW.to_owned()];
        account.sns.create_topic("alerts");
        drop(account);
        lake.crawl();
        lake.contracts = lake.raw_tables();
        lake
    }

    /// From now on the account's tables are promised as they are.
    pub fn promise(&mut self) {
        self.contracts = self.raw_tables();
    }

    /// Crawls the local lake, and the account's: the same files and tables, at places in S3.
    pub fn crawl(&self) {
        self.local.crawl();
        upload(&self.aws, &self.local.path("lake"), RAW);
        for table in self.raw_tables() {
            self.aws.account().glue.put(DATABASE, &described(&glue_json::to_value(&table)), Vec::new());
        }
    }

    /// The local catalog's tables, at their places in S3.
    fn raw_tables(&self) -> Vec<Table> {
        let catalog = self.local.catalog();
        let at_s3 = |table: Table| {
            let name = table.name.strip_prefix("raw_").expect("a raw table");
            let mut parameters = table.parameters;
            parameters.insert("UPDATED_BY_CRAWLER".into(), "raw".into());
            // Glue's crawler writes no such thing.
            parameters.remove(PARTITIONS_INHERIT);
            Table { location: Some(format!("{RAW}{name}/")), parameters, ..table }
        };
        block_on(catalog.tables("raw_")).expect("read").into_iter().map(at_s3).collect()
    }

    /// The project's files as they stand.
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::from([("crawlguard.toml".to_owned(), SETTINGS.to_owned())]);
        for entry in fs::read_dir(self.local.path("sql")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            files.insert(format!("sql/{name}"), fs::read_to_string(&path).expect("a text"));
        }
        for table in &self.contracts {
            let file = format!("contracts/{}.json", table.name);
            files.insert(file.clone(), Document::for_table(&file, table).to_json());
        }
        files
    }

    /// Puts the project as it stands where a Lambda finds it.
    pub fn deploy(&self) {
        self.put_project(&Bundle::new(self.files(), Pushed::default()));
    }

    pub fn put_project(&self, bundle: &Bundle) {
        let bytes = serde_json::to_vec(bundle).expect("plain JSON");
        self.aws.account().s3.put(&format!("{STATE}project.json"), &bytes);
    }

    /// The project as it stands, set up on the account.
    pub fn site(&self) -> Site {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Bundle::new(self.files(), Pushed::default()).unpack(folder.path()).expect("written");
        let project = Project::read(Settings::read(folder.path()).expect("settings")).expect("a project");
        let Target::Aws(settings) = project.settings.config.targets[TARGET].clone() else { panic!("it is on AWS") };
        Site { aws: self.aws.clone(), project: Arc::new(project), settings, _folder: Arc::new(folder) }
    }
}

/// A project that is set up on an account.
#[derive(Clone)]
pub struct Site {
    pub aws: FakeAws,
    pub project: Arc<Project>,
    pub settings: Aws,
    /// The project reads its contracts' documents again when one is needed.
    _folder: Arc<tempfile::TempDir>,
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
        process.run(drive_to_the_end(&cloud, &self.project, slot)).await
    }

    /// A run that nothing disturbs.
    pub async fn run(&self, slot: &str) -> Run {
        self.process(slot).await.expect("it lives").expect("it ends")
    }

    /// SNS hands what was published to the function.
    pub async fn deliver(&self) {
        let deliveries = std::mem::take(&mut self.aws.account().sns.deliveries);
        for event in deliveries {
            shell(&self.aws).handle(&event).await.expect("a receipt is kept");
        }
    }

    /// So much time passes that a receipt would have come.
    pub fn wait_for_receipts(&self) {
        let uri = format!("{STATE}alerts/state.json");
        let mut account = self.aws.account();
        let Some(bytes) = account.s3.get(&uri) else { return };
        let mut state: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        if let Some(since) = state.pointer_mut(&format!("/targets/{TARGET}/sending/since")) {
            *since = "2026-01-02T03:04:05Z".into();
            account.s3.put(&uri, state.to_string().as_bytes());
        }
    }

    /// So much time passes that a dead process's lock lapses.
    pub fn wait_for_the_lock(&self) {
        let key = format!("{STATE}run.lock");
        let mut account = self.aws.account();
        if account.s3.get(&key).is_some() {
            account.s3.put(&key, br#"{"holder":"a dead test","process":"1","until":"2026-01-02T03:04:05Z"}"#);
        }
    }
}

/// What `crawlguard run --target prod --slot …` does.
async fn drive_to_the_end(cloud: &Cloud, project: &Project, slot: &str) -> Result<Run, RunError> {
    let (catalog, engine, store, notifier) = (cloud.catalog(), cloud.engine(), cloud.store(), cloud.notifier());
    let inputs = Schemas { catalog: &catalog, raw_prefix: "raw_" };
    let ports = Ports {
        catalog: &catalog,
        engine: &engine,
        notifier: &notifier,
        store: &store,
        reporter: &Quiet,
        inputs: Some(&inputs),
    };
    let request = Request {
        target: TARGET,
        raw_prefix: "raw_",
        keep_versions: cloud.settings.keep_versions,
        remind_after_days: cloud.settings.remind_after_days,
        slot,
        inputs: "",
        again: false,
        commands: &Commands::default(),
    };
    enqueue(&store, slot, Why::Command).await?;
    loop {
        let step = drive(ports, project, request, "a test", &mut Vec::new()).await?;
        if let Some(recorded) = load(&store, &run_id(slot)).await?.filter(|recorded| recorded.run.outcome.is_some()) {
            return Ok(recorded.run);
        }
        match step {
            Step::Waiting { queries, .. } => engine.wait(&queries).await?,
            // Nothing else is at work here that could end this.
            Step::Busy { .. } | Step::Crawling | Step::Idle => return Err(RunError::Overtaken { key: slot.into() }),
        }
    }
}

/// The function, as its environment sets it up.
pub fn shell(aws: &FakeAws) -> Shell {
    let process = aws.process();
    let shell = Shell::new(process.config.clone(), &format!("{STATE}project.json"), TARGET).expect("good settings");
    shell.via(process.connector()).invoked_as(FUNCTION)
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
