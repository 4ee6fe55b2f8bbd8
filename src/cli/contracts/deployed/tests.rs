//! Two people and one deployed project, which is in a folder here; who calls is a stub's word.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::super::super::args::{Color, Format};
use super::super::super::world::{Place, World};
use super::super::super::{crawl, init};
use super::super::update::{Update, accept};
use super::*;
use crate::catalog::FilesCatalog;
use crate::cloud::Cloud;
use crate::pipeline::Commands;
use crate::store::FsStore;

const ACCOUNT: &str = "111122223333";

fn globals(root: &Path, target: &str) -> Globals {
    let (project, target) = (Some(root.to_owned()), Some(target.to_owned()));
    Globals { project, target, format: Format::Json, quiet: true, verbose: 0, color: Color::Never }
}

/// STS, which knows one caller.
#[derive(Debug)]
struct Sts(&'static str, &'static str);

impl HttpConnector for Sts {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let Self(account, name) = self;
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:user/{name}</Arn><UserId>1</UserId><Account>{account}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().expect("a status"), body.into())))
    }
}

fn caller(account: &'static str, name: &'static str) -> SdkConfig {
    let connector = SharedHttpConnector::new(Sts(account, name));
    let credentials = Credentials::new("key", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build()
}

/// An account and the people who work with it, each in a folder of their own.
struct Account {
    folder: tempfile::TempDir,
}

impl Account {
    /// Orders that have a column more than their contract, which ann has written.
    async fn new() -> Self {
        let account = Self { folder: tempfile::tempdir().unwrap() };
        let root = account.root("ann");
        let file = root.join("lake/orders/1.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "{\"id\":1}\n").unwrap();
        let prod = format!(
            "[targets.prod]\nkind = \"aws\"\naccount = \"{ACCOUNT}\"\ndatabase = \"shop\"\nwarehouse = \"s3://w/\"\n\
             state = \"s3://s/\"\ntopic = \"arn:aws:sns:eu-central-1:{ACCOUNT}:t\"\n"
        );
        fs::write(root.join("crawlguard.toml"), init::settings("shop", "lake") + &prod).unwrap();
        let world = World::open(&globals(&root, "local")).await.unwrap();
        crawl::update(&world).await.unwrap();
        super::super::write_missing(&globals(&root, "local"), &world, &[]).await.unwrap();
        fs::write(&file, "{\"id\":1,\"note\":\"x\"}\n").unwrap();
        crawl::update(&world).await.unwrap();
        account
    }

    fn root(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn world(&self, name: &'static str) -> World {
        self.world_in(name, ACCOUNT)
    }

    fn world_in(&self, name: &'static str, account: &'static str) -> World {
        let settings = Settings::read(&self.root(name)).unwrap();
        let Target::Aws(aws) = settings.config.targets["prod"].clone() else { panic!("prod is on AWS") };
        let commands = Commands { globals: vec!["--target".into(), "prod".into()], ..Commands::default() };
        World {
            settings,
            target: "prod".into(),
            catalog: Arc::new(FilesCatalog::new(self.root("ann/.crawlguard/catalog"), "shop")),
            store: Arc::new(FsStore::new(self.folder.path().join("state"))),
            shared: commands.clone(),
            commands,
            place: Place::Cloud(Box::new(Cloud::with(aws, &caller(account, name)))),
        }
    }

    /// A colleague's folder, with nothing in it but the settings.
    fn joins(&self, name: &str) {
        fs::create_dir_all(self.root(name)).unwrap();
        fs::copy(self.root("ann/crawlguard.toml"), self.root(name).join("crawlguard.toml")).unwrap();
    }

    fn files(&self, name: &'static str) -> BTreeMap<String, String> {
        Bundle::collect(&self.world(name).settings, Pushed::default()).unwrap().files
    }

    async fn pushes(&self, name: &'static str) -> anyhow::Result<ExitCode> {
        push(&globals(&self.root(name), "prod"), &self.world(name), Some("a push")).await
    }

    async fn pulls(&self, name: &'static str, ask: Option<Ask<'_>>) -> anyhow::Result<ExitCode> {
        pull(&globals(&self.root(name), "prod"), &self.world(name), ask).await
    }

    async fn accepts(&self, name: &'static str) -> anyhow::Result<super::super::update::Updated> {
        let request = Update { reason: Some("it is new"), ..Update::default() };
        accept(&globals(&self.root(name), "prod"), &self.world(name), request, None).await
    }

    async fn deployed(&self) -> Bundle {
        of(&self.world("ann")).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn an_acceptance_is_deployed_under_the_callers_name() {
    let account = Account::new().await;
    account.accepts("ann").await.unwrap();
    let deployed = account.deployed().await;
    assert_eq!(deployed.files, account.files("ann"));
    let ann = format!("arn:aws:iam::{ACCOUNT}:user/ann");
    assert_eq!((deployed.pushed.who.as_str(), deployed.pushed.why.as_deref()), (ann.as_str(), Some("it is new")));
    let entry: serde_json::Value = serde_json::from_str(deployed.log().trim()).unwrap();
    assert_eq!((&entry["who"], &entry["reason"]), (&ann.into(), &"it is new".into()));
    assert!(deployed.files["contracts/raw_orders.json"].contains("note"));
}

#[tokio::test]
async fn an_acceptance_that_would_undo_another_writes_nothing_anywhere() {
    let account = Account::new().await;
    account.pushes("ann").await.unwrap();
    account.joins("bob");
    account.pulls("bob", None).await.unwrap();
    assert_eq!(account.files("bob"), account.files("ann"));
    account.accepts("bob").await.unwrap();

    let (before, deployed) = (account.files("ann"), account.deployed().await);
    for error in [account.accepts("ann").await.unwrap_err(), account.pushes("ann").await.unwrap_err()] {
        let error = error.to_string();
        assert!(error.contains("1 deployed acceptance is not in this folder"), "{error}");
        assert!(error.contains("run `crawlguard --target prod contracts pull`"), "{error}");
    }
    assert_eq!((account.files("ann"), account.deployed().await), (before, deployed));
    account.pulls("ann", None).await.unwrap();
    assert_eq!(account.files("ann"), account.files("bob"));
    assert!(account.accepts("ann").await.unwrap().tables.is_empty());
}

#[tokio::test]
async fn a_pull_asks_before_it_overwrites_and_never_undoes_an_acceptance() {
    let account = Account::new().await;
    account.pushes("ann").await.unwrap();
    let contract = account.root("ann").join("contracts/raw_orders.json");
    let edited = fs::read_to_string(&contract).unwrap().replace("1.0.0", "1.0.7");
    fs::write(&contract, &edited).unwrap();
    let no = |shown: &str| {
        assert!(shown.contains("-") && shown.contains("1.0.7"), "{shown}");
        Ok(false)
    };
    assert!(account.pulls("ann", Some(&no)).await.unwrap_err().to_string().contains("nothing written"));
    assert_eq!(fs::read_to_string(&contract).unwrap(), edited);
    account.pulls("ann", Some(&|_: &str| Ok(true))).await.unwrap();
    assert_eq!(account.files("ann"), account.deployed().await.files);

    let log = account.root("ann").join("contracts/log.jsonl");
    fs::write(&log, "{\"mine\":1}\n").unwrap();
    let ahead = account.pulls("ann", None).await.unwrap_err().to_string();
    assert!(
        ahead.contains("1 acceptance of this folder is not deployed") && ahead.contains("contracts push`"),
        "{ahead}"
    );
    account.joins("bob");
    account.pulls("bob", None).await.unwrap();
    account.accepts("bob").await.unwrap();
    let apart = account.pulls("ann", None).await.unwrap_err().to_string();
    assert!(apart.contains("merge"), "{apart}");
    // Merged as git would, with the lines of both, it goes.
    fs::write(&log, format!("{}{{\"mine\":1}}\n", account.deployed().await.log())).unwrap();
    account.pushes("ann").await.unwrap();
}

#[tokio::test]
async fn a_file_that_went_is_moved_aside_and_does_not_come_back() {
    let account = Account::new().await;
    fs::create_dir_all(account.root("ann").join("alerts")).unwrap();
    fs::write(account.root("ann").join("alerts/notes.txt"), "x\n").unwrap();
    account.pushes("ann").await.unwrap();
    account.joins("bob");
    account.pulls("bob", None).await.unwrap();
    fs::remove_file(account.root("ann").join("alerts/notes.txt")).unwrap();
    account.pushes("ann").await.unwrap();
    account.pulls("bob", None).await.unwrap();
    assert!(account.root("bob").join("alerts/notes.txt.bak").exists());
    assert_eq!(account.files("bob"), account.deployed().await.files);
}

#[tokio::test]
async fn credentials_of_another_account_write_nothing() {
    let account = Account::new().await;
    account.joins("eve");
    let world = account.world_in("eve", "999988887777");
    let globals = globals(&account.root("eve"), "prod");
    let before = account.files("eve");
    let refusals = [
        push(&globals, &world, None).await.map(drop),
        accept(&globals, &world, Update::default(), None).await.map(drop),
        world.who().await.map(drop),
    ];
    for refusal in refusals {
        let message = refusal.unwrap_err().to_string();
        assert!(
            message.contains(ACCOUNT) && message.contains("999988887777") && message.contains("user/eve"),
            "{message}"
        );
    }
    assert_eq!(account.files("eve"), before);
    assert!(of(&account.world("ann")).await.unwrap().is_none());
}

#[tokio::test]
async fn only_a_target_on_aws_is_deployed_to() {
    let account = Account::new().await;
    let globals = globals(&account.root("ann"), "local");
    let world = World::open(&globals).await.unwrap();
    for refusal in [push(&globals, &world, None).await, pull(&globals, &world, None).await] {
        let message = refusal.unwrap_err().to_string();
        assert!(message.contains("target `local`") && message.contains("--target: prod"), "{message}");
    }
    let nothing = account.pulls("ann", None).await.unwrap_err().to_string();
    assert!(nothing.contains("nothing is deployed") && nothing.contains("contracts push"), "{nothing}");
}

#[tokio::test]
async fn a_project_that_does_not_read_is_not_deployed() {
    let account = Account::new().await;
    fs::create_dir_all(account.root("ann").join("sql")).unwrap();
    fs::write(account.root("ann").join("sql/int_a.sql"), "SELECT x FROM nothing\n").unwrap();
    let message = account.pushes("ann").await.unwrap_err().to_string();
    assert!(message.contains("sql/int_a.sql"), "{message}");
    assert!(of(&account.world("ann")).await.unwrap().is_none());
}
