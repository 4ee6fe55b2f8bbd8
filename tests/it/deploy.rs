//! A project as one object of a store: who may put it there, and over what.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use crawlguard::config::Settings;
use crawlguard::pipeline::bundle::{KEY, deployed};
use crawlguard::pipeline::{Bundle, Push, Pushed, push};
use crawlguard::port::PortError;
use crawlguard::store::{Expect, FsStore, Lease, Object, Store};

use crate::support::Lake;

#[cfg(feature = "aws")]
pub mod stack;

const SETTINGS: &str = "project = \"shop\"\ndefault_target = \"prod\"\n[targets.prod]\nkind = \"aws\"\ndatabase = \"shop\"\n\
                        warehouse = \"s3://w/\"\nstate = \"s3://s/\"\ntopic = \"arn:aws:sns:eu-central-1:111122223333:t\"\n";
const LOG: &str = "contracts/log.jsonl";

/// A project of these files beside its settings.
fn project(files: &[(&str, &str)]) -> Bundle {
    let files = files.iter().chain(&[("crawlguard.toml", SETTINGS)]);
    let files: BTreeMap<_, _> = files.map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    Bundle::new(files, Pushed { who: "ann".into(), at: "2026-01-02T03:04:05Z".into(), why: None })
}

fn store() -> (tempfile::TempDir, FsStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = FsStore::new(folder.path());
    (folder, store)
}

#[tokio::test]
async fn a_push_may_not_lose_an_acceptance() {
    // Deployed log, pushed log, and whether the push goes through.
    let cases = [
        ("", "", true),
        ("", "a\n", true),
        ("a\n", "a\nb\n", true),
        ("a\n", "a\n", true),
        // Two branches of git, merged.
        ("a\nc\n", "a\nb\nc\n", true),
        ("a\n", "", false),
        ("a\nb\n", "a\n", false),
        ("a\nb\n", "a\nc\n", false),
        // A near miss: an acceptance is its whole line.
        ("a\n", "ab\n", false),
    ];
    for (there, here, goes) in cases {
        let (_folder, store) = store();
        let first = project(&[(LOG, there), ("sql/a.sql", "SELECT 1")]);
        assert!(matches!(push(&store, &first, None).await.unwrap(), Push::Done { .. }));
        let second = project(&[(LOG, here), ("sql/a.sql", "SELECT 2")]);
        let done = push(&store, &second, None).await.unwrap();
        let (now, _) = deployed(&store).await.unwrap().unwrap();
        match done {
            Push::Done { changes } => {
                assert!(goes, "{there:?} {here:?}");
                assert_eq!(now, second);
                assert!(changes.iter().any(|change| change.file == "sql/a.sql"));
            }
            Push::Refused { deployed } => {
                assert!(!goes, "{there:?} {here:?}");
                assert_eq!((&*deployed, &now), (&first, &first));
            }
            Push::Same => panic!("they differ: {there:?} {here:?}"),
        }
    }
}

#[tokio::test]
async fn the_same_files_are_not_pushed_again() {
    let (_folder, store) = store();
    let first = project(&[("sql/a.sql", "SELECT 1")]);
    push(&store, &first, None).await.unwrap();
    let other = Pushed { who: "bob".into(), ..Pushed::default() };
    let again = Bundle::new(first.files.clone(), other);
    assert_eq!(push(&store, &again, None).await.unwrap(), Push::Same);
    assert_eq!(deployed(&store).await.unwrap().unwrap().0.pushed.who, "ann");
}

/// A store in which somebody else deploys between the first look and the first write.
struct Raced {
    store: FsStore,
    other: Bundle,
    raced: AtomicBool,
}

#[async_trait]
impl Store for Raced {
    async fn get(&self, key: &str) -> Result<Option<Object>, PortError> {
        self.store.get(key).await
    }

    async fn put(&self, key: &str, bytes: &[u8], expect: &Expect) -> Result<String, PortError> {
        if !self.raced.swap(true, Ordering::SeqCst) {
            assert!(matches!(push(&self.store, &self.other, None).await.unwrap(), Push::Done { .. }));
        }
        self.store.put(key, bytes, expect).await
    }

    async fn remove(&self, key: &str) -> Result<(), PortError> {
        self.store.remove(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, PortError> {
        self.store.list(prefix).await
    }

    async fn lock(&self, holder: &str) -> Result<Lease, PortError> {
        self.store.lock(holder).await
    }
}

#[tokio::test]
async fn a_race_is_judged_again_by_what_won_it() {
    for (won, goes) in [("a\n", true), ("a\nc\n", false)] {
        let (_folder, store) = store();
        push(&store, &project(&[(LOG, "")]), None).await.unwrap();
        let other = project(&[(LOG, won), ("sql/c.sql", "SELECT 3")]);
        let raced = Raced { store: store.clone(), other: other.clone(), raced: AtomicBool::new(false) };
        let mine = project(&[(LOG, "a\nb\n")]);
        let done = push(&raced, &mine, None).await.unwrap();
        assert_eq!(matches!(done, Push::Done { .. }), goes, "{done:?}");
        assert_eq!(deployed(&store).await.unwrap().unwrap().0, if goes { mine } else { other });
    }
}

#[tokio::test]
async fn a_deployed_project_that_is_damaged_is_never_overwritten() {
    let (_folder, store) = store();
    let mut by_hand = project(&[("sql/a.sql", "SELECT 1")]);
    by_hand.files.insert("sql/a.sql".into(), "SELECT 2".into());
    let by_hand = serde_json::to_vec(&by_hand).unwrap();
    let mut tag = None;
    for (bytes, why) in [(&b"{\"schema_version\": 1"[..], "EOF"), (&by_hand[..], "changed by hand")] {
        let expect = tag.take().map_or(Expect::Absent, Expect::Tag);
        tag = Some(store.put(KEY, bytes, &expect).await.unwrap());
        let error = push(&store, &project(&[]), None).await.unwrap_err().to_string();
        assert!(
            error.contains("`project.json`") && error.contains(why) && error.contains("put an earlier version"),
            "{error}"
        );
        assert_eq!(store.get(KEY).await.unwrap().unwrap().bytes, bytes);
    }
}

#[test]
fn what_a_run_would_not_take_is_told_before_it_is_deployed() {
    let broken = project(&[("contracts/raw_a.json", "{"), ("sql/int_a.sql", "SELECT x FROM nothing")]);
    let problems = broken.check("prod").unwrap_err().to_string();
    assert!(problems.contains("contracts/raw_a.json:1:1") && problems.contains("sql/int_a.sql"), "{problems}");
    let missing = project(&[]).check("dev").unwrap_err().to_string();
    assert!(missing.contains("no target `dev`") && missing.contains("prod"), "{missing}");
    let outside = project(&[("../a.sql", "SELECT 1")]).check("prod").unwrap_err().to_string();
    assert!(outside.contains("leads out of the project"), "{outside}");
    let bare = Bundle::new(BTreeMap::new(), Pushed::default()).check("prod").unwrap_err().to_string();
    assert!(bare.contains("crawlguard.toml: is not among the files"), "{bare}");
    project(&[]).check("prod").unwrap();
}

#[test]
fn a_project_is_what_a_run_reads_and_its_log() {
    let lake = Lake::new();
    lake.write(LOG, "{}\n");
    lake.write("contracts/raw_orders.yaml.bak", "old\n");
    lake.write("sql/.int_orders.sql.swp", "old\n");
    let bundle = Bundle::collect(&Settings::read(lake.root()).unwrap(), Pushed::default()).unwrap();
    let files: Vec<_> = bundle.files.keys().map(String::as_str).collect();
    let expected = [LOG, "contracts/raw_orders.json", "crawlguard.toml", "sql/fact_cities.sql", "sql/int_orders.sql"];
    assert_eq!(files, expected);
}

#[test]
fn a_folder_outside_of_the_project_is_not_left_behind_unsaid() {
    let lake = Lake::new();
    lake.write("shared/int_a.sql", "SELECT 1 AS a\n");
    lake.write("shop/crawlguard.toml", &format!("sql = \"../shared\"\n{SETTINGS}"));
    let settings = Settings::read(&lake.path("shop")).unwrap();
    let problems = Bundle::collect(&settings, Pushed::default()).unwrap_err().to_string();
    assert!(problems.contains("../shared/int_a.sql: lies outside"), "{problems}");
}
