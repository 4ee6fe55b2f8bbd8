//! The demo's tour, by the program itself, on the endpoint and on the embedded engine: clean, tolerated, breaking, accepted,
//! failed checks, and mended. Both end alike, with the same rows in every table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_config::SdkConfig;
use aws_sdk_s3::primitives::ByteStream;
use crawlguard::aws;
use crawlguard::catalog::{Catalog, FilesCatalog};
use crawlguard::sample::{self, Arrival};
use serde_json::Value;

use super::lake::Lake;

/// One project in two folders, each run on one target.
struct Tour {
    folder: tempfile::TempDir,
    lake: Lake,
    config: SdkConfig,
}

impl Tour {
    async fn new() -> Self {
        let lake = Lake::new("tour").await;
        let config = super::endpoint().await;
        let tour = Self { folder: tempfile::tempdir().unwrap(), lake, config };
        let topic = aws_sdk_sns::Client::new(&tour.config).create_topic().name(&tour.lake.name).send().await.unwrap();
        aws_sdk_athena::Client::new(&tour.config).create_work_group().name(&tour.lake.name).send().await.unwrap();
        for target in ["local", "live"] {
            sample::write(&tour.root(target)).unwrap();
            fs::write(tour.root(target).join("crawlguard.toml"), tour.settings(&topic.topic_arn.clone().unwrap()))
                .unwrap();
        }
        tour
    }

    fn root(&self, target: &str) -> PathBuf {
        self.folder.path().join(target)
    }

    fn settings(&self, topic: &str) -> String {
        let Lake { name, bucket, .. } = &self.lake;
        format!(
            "project = \"tour\"\n[targets.local]\nkind = \"local\"\nlake = \"lake\"\ndatabase = \"{name}\"\n\
             [targets.live]\nkind = \"aws\"\ndatabase = \"{name}\"\nworkgroup = \"{name}\"\ntopic = \"{topic}\"\n\
             warehouse = \"s3://{bucket}/tables/\"\nstate = \"s3://{bucket}/state/\"\nresults = \"s3://{bucket}/results/\"\n"
        )
    }

    /// A command in a target's folder, and the JSON that it prints.
    fn says(&self, folder: &str, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crawlguard"));
        command.current_dir(self.root(folder)).args(["--quiet", "--format", "json"]).args(arguments);
        let output = command.output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {arguments:?} said {output:?}"))
    }

    /// Files land, and a crawler passes over them.
    async fn arrive(&self, land: impl Fn(&Path)) {
        for target in ["local", "live"] {
            land(&self.root(target));
            self.says(target, &["--target", "local", "crawl"]);
        }
        let root = self.root("live");
        let catalog = FilesCatalog::new(root.join(".crawlguard/catalog"), &self.lake.name);
        for mut table in catalog.tables("raw_").await.unwrap() {
            let source = PathBuf::from(table.location.take().unwrap());
            let source = source.file_name().unwrap().to_str().unwrap();
            table.location = Some(format!("s3://{}/raw/{source}/", self.lake.bucket));
            self.upload(&root.join("lake").join(source), source).await;
            self.lake.create(&table);
        }
    }

    async fn upload(&self, folder: &Path, source: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let key = format!("raw/{source}/{}", path.file_name().unwrap().to_str().unwrap());
            let body = ByteStream::from(fs::read(&path).unwrap());
            aws::s3(&self.config).put_object().bucket(&self.lake.bucket).key(key).body(body).send().await.unwrap();
        }
    }

    /// A run of each target for the same slot.
    fn run(&self, day: u8, outcome: &str) {
        let slot = format!("2026-01-{day:02}T03:04:05Z");
        let [here, there] = ["local", "live"].map(|target| {
            let run = self.says(target, &["--target", target, "run", "--slot", &slot]);
            assert_eq!(run["outcome"], outcome, "{target}, day {day}: {run:#}");
            (self.rows(target, &run), run)
        });
        for key in ["verdict", "findings", "adapted", "not_carried"] {
            assert_eq!(unspelt(&here.1[key], "local"), unspelt(&there.1[key], "live"), "{key} of day {day}");
        }
        assert_eq!(checks(&here.1), checks(&there.1), "day {day}");
        assert_eq!(here.0.is_empty(), outcome != "published", "day {day}");
        for (table, rows) in &here.0 {
            let differing = rows.iter().zip(&there.0[table]).find(|(here, there)| here != there);
            assert_eq!(differing, None, "{table} of day {day}");
            assert_eq!(rows.len(), there.0[table].len(), "{table} of day {day}");
        }
    }

    /// Every row of every table that a run published, as text: engines name types by their own words.
    fn rows(&self, target: &str, run: &Value) -> BTreeMap<String, Vec<String>> {
        let published = run["published"].as_array().into_iter().flatten().filter(|_| run["outcome"] == "published");
        let rows = |table: &Value| {
            let table = table["table"].as_str().unwrap().to_owned();
            let rows = self.says(target, &["--target", target, "query", &format!("SELECT * FROM {table}")]);
            let mut rows: Vec<_> = rows.as_array().unwrap().iter().map(text).collect();
            rows.sort();
            assert!(!rows.is_empty(), "{table}");
            (table, rows)
        };
        published.map(rows).collect()
    }

    /// Both accept the drift of the same tables, and write the same models.
    fn accept(&self, tables: [&str; 2]) {
        let [here, there] = ["local", "live"].map(|target| {
            self.says(target, &["--target", target, "contracts", "update", tables[0], tables[1], "--yes"]);
            models(&self.root(target))
        });
        assert_eq!(here, there);
    }
}

/// What a run says, with its commands as nobody in particular would type them.
fn unspelt(said: &Value, target: &str) -> String {
    let said = format!("{said:#}").replace(env!("CARGO_BIN_EXE_crawlguard"), "crawlguard");
    said.replace(&format!(" --target {target}"), "")
}

/// A run's checks. A text column of one engine has the longest of its literals' lengths, of the other none.
fn checks(run: &Value) -> Vec<Value> {
    let mut checks = run["checks"].as_array().unwrap().clone();
    for check in checks.iter_mut().filter(|check| check["check"] == "column type") {
        check["measured"].take();
    }
    checks
}

fn text(row: &Value) -> String {
    let cell = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text:?}"),
        Value::Null => format!("{name} is NULL"),
        other => format!("{name}={:?}", other.to_string()),
    };
    row.as_object().unwrap().iter().map(cell).collect::<Vec<_>>().join(", ")
}

/// The texts of a project's models.
fn models(root: &Path) -> BTreeMap<PathBuf, String> {
    let files = fs::read_dir(root.join("sql")).unwrap().map(|entry| entry.unwrap().path());
    let models = files.filter(|path| path.extension().is_some_and(|extension| extension == "sql"));
    models.map(|path| (path.file_name().unwrap().into(), fs::read_to_string(&path).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_ends_alike_here_and_there() {
    let tour = Tour::new().await;
    let lands = |arrival: &'static Arrival| move |root: &Path| arrival.land(root).unwrap();
    tour.arrive(|_| {}).await;
    tour.run(1, "published");
    tour.arrive(lands(&sample::ARRIVALS[0])).await;
    tour.run(2, "published");
    tour.accept(["raw_source_1", "raw_salesforce_leads"]);
    tour.arrive(lands(&sample::ARRIVALS[1])).await;
    tour.run(3, "halted");
    tour.accept(["raw_source_3", "raw_source_4"]);
    tour.run(4, "published");
    tour.arrive(lands(&sample::ARRIVALS[2])).await;
    tour.run(5, "checks_failed");
    tour.arrive(|root| sample::ARRIVALS[2].take_back(root).unwrap()).await;
    tour.run(6, "published");
}
