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
use super::super::update::{Ask, Update, accept};
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
        pull(&globals(&self.root(name), "prod"), &self.world(name), false, ask).await
    }

    /// A file of somebody's folder.
    fn text(&self, name: &str, file: &str) -> String {
        fs::read_to_string(self.root(name).join(file)).unwrap()
    }

    fn writes(&self, name: &str, file: &str, text: &str) {
        let path = self.root(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
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

const MODEL: &str = "sql/int_orders.sql";
const OTHER: &str = "sql/int_ids.sql";

/// ann has deployed two models, and bob has pulled them.
async fn two_models() -> Account {
    let account = Account::new().await;
    account.writes("ann", MODEL, "SELECT id FROM raw_orders\n");
    account.writes("ann", OTHER, "SELECT id FROM raw_orders WHERE id > 1\n");
    account.pushes("ann").await.unwrap();
    account.joins("bob");
    account.pulls("bob", None).await.unwrap();
    account
}

fn unasked(shown: &str) -> anyhow::Result<bool> {
    panic!("asked: {shown}")
}

#[tokio::test]
async fn what_was_edited_here_alone_stays_and_the_advice_of_a_refused_push_leads_through() {
    let account = two_models().await;
    account.accepts("bob").await.unwrap();
    account.writes("ann", MODEL, "SELECT id FROM raw_orders WHERE id > 7\n");
    account.writes("ann", "sql/int_new.sql", "SELECT id FROM int_ids\n");
    fs::remove_file(account.root("ann").join(OTHER)).unwrap();
    account.writes("ann", "sql/int_new.sql", "SELECT id FROM int_orders\n");
    let refused = account.pushes("ann").await.unwrap_err().to_string();
    assert!(refused.contains("contracts pull`, which leaves alone what was changed here alone"), "{refused}");
    account.pulls("ann", Some(&unasked)).await.unwrap();
    assert!(
        account.text("ann", MODEL).contains("id > 7") && account.text("ann", "sql/int_new.sql").contains("int_orders")
    );
    assert!(!account.root("ann").join(OTHER).exists(), "a deletion is an edit");
    assert!(account.text("ann", "contracts/raw_orders.json").contains("note"), "what bob accepted is here");
    account.pushes("ann").await.unwrap();
    assert_eq!(account.deployed().await.files, account.files("ann"));
}

#[tokio::test]
async fn what_was_edited_on_both_sides_is_asked_about_and_kept_beside_the_deployed_text() {
    let account = two_models().await;
    for (name, bound) in [("ann", 7), ("bob", 8)] {
        account.writes(name, MODEL, &format!("SELECT id FROM raw_orders WHERE id > {bound}\n"));
    }
    account.pushes("bob").await.unwrap();
    let mine = account.text("ann", MODEL);
    let refused = account.pushes("ann").await.unwrap_err().to_string();
    assert!(refused.contains("a push would undo that: sql/int_orders.sql"), "{refused}");
    let no = |shown: &str| {
        assert!(shown.contains("-SELECT id FROM raw_orders WHERE id > 7") && shown.contains("+SELECT"), "{shown}");
        Ok(false)
    };
    let unsaid = account.pulls("ann", Some(&no)).await.unwrap_err().to_string();
    assert!(
        unsaid.contains("changed here and there; nothing was written: sql/int_orders.sql")
            && unsaid.contains("pull --yes`"),
        "{unsaid}"
    );
    assert_eq!(account.text("ann", MODEL), mine);
    account.writes("ann", "sql/int_orders.sql.bak", "an older one");
    account.pulls("ann", None).await.unwrap();
    assert!(account.text("ann", MODEL).contains("id > 8"));
    assert_eq!(account.text("ann", "sql/int_orders.sql.2.bak"), mine);
    assert_eq!(account.text("ann", "sql/int_orders.sql.bak"), "an older one");
    // What is decided is decided: the same texts are no conflict again.
    account.writes("ann", MODEL, &mine);
    account.pulls("ann", Some(&unasked)).await.unwrap();
    assert_eq!(account.text("ann", MODEL), mine);
    account.pushes("ann").await.unwrap();
}

#[tokio::test]
async fn a_folder_that_never_was_in_step_loses_nothing() {
    let account = two_models().await;
    account.joins("eve");
    account.writes("eve", MODEL, "SELECT id AS mine FROM raw_orders\n");
    account.writes("eve", "sql/int_own.sql", "SELECT id FROM raw_orders\n");
    let unsaid = account.pulls("eve", Some(&|_: &str| Ok(false))).await.unwrap_err().to_string();
    assert!(unsaid.contains("never was in step"), "{unsaid}");
    account.pulls("eve", None).await.unwrap();
    assert!(account.text("eve", "sql/int_orders.sql.bak").contains("mine"));
    assert_eq!(account.text("eve", "sql/int_own.sql"), "SELECT id FROM raw_orders\n");
}

#[tokio::test]
async fn what_is_to_be_overwritten_is_named_and_kept_too() {
    let account = two_models().await;
    account.writes("ann", MODEL, "SELECT id AS mine FROM raw_orders\n");
    pull(&globals(&account.root("ann"), "prod"), &account.world("ann"), true, None).await.unwrap();
    assert_eq!(account.files("ann"), account.deployed().await.files);
    assert!(account.text("ann", "sql/int_orders.sql.bak").contains("mine"));
}

#[tokio::test]
async fn acceptances_on_both_sides_come_together_unless_they_are_of_one_file() {
    let account = two_models().await;
    let log = "contracts/log.jsonl";
    account.writes("ann", log, "{\"mine\":1}\n");
    account.pulls("ann", Some(&unasked)).await.unwrap();
    assert_eq!(account.text("ann", log), "{\"mine\":1}\n", "it is ahead");
    account.accepts("bob").await.unwrap();
    let contract = account.text("ann", "contracts/raw_orders.json");
    let edited = contract.replace("1.0.0", "1.0.7");
    assert_ne!(edited, contract);
    account.writes("ann", "contracts/raw_orders.json", &edited);
    let apart = account.pulls("ann", None).await.unwrap_err().to_string();
    assert!(
        apart.contains("1 acceptance of this folder is not deployed") && apart.contains("raw_orders.json"),
        "{apart}"
    );
    assert!(apart.contains("contracts pull --overwrite`") && !apart.contains("contracts push`"), "{apart}");
    assert_eq!(account.text("ann", "contracts/raw_orders.json"), edited);
    account.writes("ann", "contracts/raw_orders.json", &contract);
    account.pulls("ann", Some(&unasked)).await.unwrap();
    assert_eq!(account.text("ann", log), format!("{}{{\"mine\":1}}\n", account.deployed().await.log()));
    account.pushes("ann").await.unwrap();
    assert_eq!(account.deployed().await.files, account.files("ann"));
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
    for refusal in [push(&globals, &world, None).await, pull(&globals, &world, false, None).await] {
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
