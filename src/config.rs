//! `crawlguard.toml`: what was written, then what it means.

mod shape;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::catalog::crawl::CsvClassifier;
use crate::problem::{Problem, Problems};

/// The file's name; the nearest one up from the working folder marks the project.
pub const FILE: &str = "crawlguard.toml";

/// `crawlguard.toml`, as written. Unknown keys are errors: a misspelt setting must not be ignored.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The project's name, as alerts show it.
    pub project: String,
    /// The target used when `--target` is not given.
    #[serde(default = "default_target")]
    pub default_target: String,
    /// Folder of the contracts, relative to this file.
    #[serde(default = "default_contracts")]
    pub contracts: PathBuf,
    /// Folder of the models, relative to this file.
    #[serde(default = "default_sql")]
    pub sql: PathBuf,
    /// Folder of the alert templates, relative to this file.
    #[serde(default = "default_alerts")]
    pub alerts: PathBuf,
    /// Where the pipeline runs, by name.
    pub targets: BTreeMap<String, Target>,
}

/// One place where the pipeline runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Target {
    /// Folders on this machine and the embedded engine.
    Local(Local),
    /// Glue, Athena, S3 and SNS of an AWS account.
    Aws(Aws),
}

impl Target {
    /// Prefix of the tables that a crawl makes.
    pub fn raw_prefix(&self) -> &str {
        match self {
            Self::Local(local) => &local.raw_prefix,
            Self::Aws(aws) => &aws.raw_prefix,
        }
    }

    /// Published versions kept of each table, the current one included.
    pub fn keep_versions(&self) -> usize {
        match self {
            Self::Local(local) => local.keep_versions,
            Self::Aws(aws) => aws.keep_versions,
        }
    }

    /// Days after which an alert is sent again while the same things are wrong.
    pub fn remind_after_days(&self) -> u32 {
        match self {
            Self::Local(local) => local.remind_after_days,
            Self::Aws(aws) => aws.remind_after_days,
        }
    }

    /// Days after which the records of ended runs are removed.
    pub fn keep_runs_days(&self) -> u32 {
        match self {
            Self::Local(local) => local.keep_runs_days,
            Self::Aws(aws) => aws.keep_runs_days,
        }
    }

    /// The database's name in the catalog.
    pub fn database(&self) -> &str {
        match self {
            Self::Local(local) => &local.database,
            Self::Aws(aws) => &aws.database,
        }
    }
}

/// A target on this machine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// The lake: one folder a source, relative to this file.
    pub lake: PathBuf,
    /// Catalog, published tables, run records and lock, relative to this file.
    #[serde(default = "default_state")]
    pub state: PathBuf,
    /// The database's name in the catalog.
    pub database: String,
    /// Prefix of the tables that a crawl makes and crawlguard guards.
    #[serde(default = "default_prefix")]
    pub raw_prefix: String,
    /// Published versions kept of each table, the current one included; at least 1.
    #[serde(default = "default_keep")]
    pub keep_versions: usize,
    /// Days after which the records of ended runs, and their alerts, are removed; at least 1.
    #[serde(default = "default_keep_runs")]
    pub keep_runs_days: u32,
    /// How a source's CSV is read where the built-in classifier would guess, by the name of the source's folder.
    #[serde(default)]
    pub classifiers: BTreeMap<String, CsvClassifier>,
    /// Days after which an alert is sent again while the same things are wrong.
    #[serde(default = "default_remind")]
    pub remind_after_days: u32,
}

/// A target in an AWS account. Credentials are never settings: the SDK's default chain finds them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// The account's id, twelve digits; events and credentials of another one are refused.
    pub account: Option<String>,
    /// The region, `eu-central-1` [default: what the environment or profile says].
    pub region: Option<String>,
    /// A profile of the AWS configuration files, for laptops [default: what the environment says].
    pub profile: Option<String>,
    /// The Glue database.
    pub database: String,
    /// The crawler that makes the raw tables; `crawl` starts it, and its events start runs.
    pub crawler: Option<String>,
    /// Prefix of the tables that the crawler makes and crawlguard guards.
    #[serde(default = "default_prefix")]
    pub raw_prefix: String,
    /// The folder above the sources, `s3://bucket/prefix/`: targets that share contracts have the same folders below it.
    pub raw: Option<String>,
    /// The Athena workgroup.
    #[serde(default = "default_workgroup")]
    pub workgroup: String,
    /// Where published and staging tables' files go, `s3://bucket/prefix/`; nothing else may live there.
    pub warehouse: String,
    /// Where run records, alerts and the deployed project are, `s3://bucket/prefix/`.
    pub state: String,
    /// Where Athena writes query results, `s3://bucket/prefix/` [default: what the workgroup says].
    pub results: Option<String>,
    /// The ARN of the SNS topic that alerts go to.
    pub topic: String,
    /// Whether the deployed function is subscribed to the topic and keeps each alert as its receipt, so that none is mailed
    /// twice; `infra/` subscribes it.
    #[serde(default)]
    pub receipts: bool,
    /// The newest files of each CSV table whose header is held against the catalog's columns; 0 looks at none.
    #[serde(default = "default_header_files")]
    pub header_files: usize,
    /// The most files that a CSV table may have for its newest ones to be found; one with more is unknown.
    #[serde(default = "default_header_files_listed")]
    pub header_files_listed: usize,
    /// Published versions kept of each table, the current one included; at least 2: a reader may still be on the last one.
    #[serde(default = "default_keep")]
    pub keep_versions: usize,
    /// Days after which the records of ended runs, and their alerts, are removed; at least 1.
    #[serde(default = "default_keep_runs")]
    pub keep_runs_days: u32,
    /// Days after which an alert is sent again while the same things are wrong.
    #[serde(default = "default_remind")]
    pub remind_after_days: u32,
}

fn default_workgroup() -> String {
    "primary".into()
}
fn default_target() -> String {
    "local".into()
}
fn default_contracts() -> PathBuf {
    "contracts".into()
}
fn default_sql() -> PathBuf {
    "sql".into()
}
fn default_alerts() -> PathBuf {
    "alerts".into()
}
fn default_state() -> PathBuf {
    ".crawlguard".into()
}
fn default_prefix() -> String {
    "raw_".into()
}
fn default_keep() -> usize {
    4
}
fn default_keep_runs() -> u32 {
    90
}
fn default_header_files() -> usize {
    5
}
fn default_header_files_listed() -> usize {
    10_000
}
fn default_remind() -> u32 {
    7
}

/// A project folder with its settings read and checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that holds `crawlguard.toml`.
    pub root: PathBuf,
    pub config: Config,
}

impl Settings {
    /// Reads the settings of the project in `root`.
    pub fn read(root: &Path) -> Result<Self, Problems> {
        let path = root.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let help = "Run `crawlguard init`, or name the project's folder with --project.";
            Problem::new(path.display().to_string(), "", error.to_string(), help)
        })?;
        Ok(Self { root: root.to_path_buf(), config: parse(&text)? })
    }

    /// The nearest project at or above `from`.
    pub fn find(from: &Path) -> Result<Self, Problems> {
        match from.ancestors().find(|folder| folder.join(FILE).is_file()) {
            Some(root) => Self::read(root),
            None => Err(Problem::new(
                FILE,
                "",
                format!("no project in `{}` or above it", from.display()),
                "Run `crawlguard init`, or name the project's folder with --project.",
            )
            .into()),
        }
    }

    /// The target named, or the default one, and its name.
    pub fn target(&self, name: Option<&str>) -> Result<(&str, &Target), Problems> {
        let name = name.unwrap_or(&self.config.default_target);
        match self.config.targets.get_key_value(name) {
            Some((name, target)) => Ok((name, target)),
            None => {
                let known: Vec<_> = self.config.targets.keys().map(String::as_str).collect();
                let help = format!("Use one of: {}.", known.join(", "));
                Err(Problem::new(FILE, "targets", format!("no target `{name}`"), help).into())
            }
        }
    }
}

/// Reads the text of `crawlguard.toml`.
pub fn parse(text: &str) -> Result<Config, Problems> {
    shape::check(text, schemars::schema_for!(Config).as_value())?;
    let config: Config = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(String::new(), |span| line_column(text, span.start));
        Problem::new(FILE, place, error.message().replace('\n', ", "), "See the schema that `crawlguard init` writes.")
    })?;
    let mut problems: Vec<_> = config.targets.iter().flat_map(|(name, target)| target_problems(name, target)).collect();
    problems.extend(shared_states(&config));
    Problems::or(problems, config)
}

fn target_problems(name: &str, target: &Target) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |setting: &str, message: &str, help: &str| {
        problems.push(Problem::new(FILE, format!("targets.{name}.{setting}"), message, help));
    };
    if target.raw_prefix().is_empty() {
        let help = "Set the crawler's table prefix, for example \"raw_\".";
        wrong("raw_prefix", "an empty prefix would guard the published tables too", help);
    }
    if target.keep_runs_days() == 0 {
        wrong("keep_runs_days", "0 would keep no record of a run", "Set it to 1 or more.");
    }
    match target {
        Target::Local(local) => local_problems(local, &mut wrong),
        Target::Aws(aws) => aws_problems(aws, &mut wrong),
    }
    problems
}

/// Two targets on AWS with one state would take each other's runs for their own.
fn shared_states(config: &Config) -> Vec<Problem> {
    let states = config.targets.iter().filter_map(|(name, target)| match target {
        Target::Aws(aws) => Some((name, aws.state.as_str())),
        Target::Local(_) => None,
    });
    let states: Vec<_> = states.collect();
    let mut problems = Vec::new();
    for (at, (name, state)) in states.iter().enumerate() {
        for (first, other) in &states[..at] {
            if is_inside(state, other) || is_inside(other, state) {
                let message =
                    format!("it and the `state` of target `{first}` are the same folder, or lie in each other");
                let help = "Give each target a state folder of its own.";
                problems.push(Problem::new(FILE, format!("targets.{name}.state"), message, help));
            }
        }
    }
    problems
}

fn local_problems(local: &Local, wrong: &mut impl FnMut(&str, &str, &str)) {
    if local.keep_versions == 0 {
        wrong("keep_versions", "0 would keep no published table", "Set it to 1 or more.");
    }
    for (source, classifier) in &local.classifiers {
        if let Some((message, help)) = classifier.fault() {
            wrong(&format!("classifiers.{source}"), message, help);
        }
    }
}

fn aws_problems(aws: &Aws, wrong: &mut impl FnMut(&str, &str, &str)) {
    if aws.keep_versions < 2 {
        let help = "Set it to 2 or more.";
        wrong("keep_versions", "readers that began before a publication still read the version before it", help);
    }
    let own = [("warehouse", Some(&aws.warehouse)), ("state", Some(&aws.state))];
    let folders = own.into_iter().chain([("results", aws.results.as_ref()), ("raw", aws.raw.as_ref())]);
    for (setting, uri) in folders.filter_map(|(setting, uri)| Some((setting, uri?))) {
        if !is_s3_folder(uri) {
            wrong(setting, &format!("`{uri}` is no S3 folder"), "Write it as \"s3://bucket/prefix/\".");
        }
    }
    if is_inside(&aws.state, &aws.warehouse) || is_inside(&aws.warehouse, &aws.state) {
        let help = "Give state and warehouse folders of their own.";
        wrong("warehouse", "it and `state` lie in each other, and old builds are removed from the warehouse", help);
    }
    if !is_topic(&aws.topic) {
        let help = "Write it as \"arn:aws:sns:region:account:name\".";
        wrong("topic", &format!("`{}` is no topic's ARN", aws.topic), help);
    }
    if aws.topic.ends_with(".fifo") {
        wrong("topic", "a FIFO topic does not deliver to email", "Use a standard topic.");
    }
    if let Some(account) = &aws.account
        && !(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
    {
        wrong("account", &format!("`{account}` is no account id"), "Write its twelve digits, in quotes.");
    }
}

fn is_s3_folder(uri: &str) -> bool {
    uri.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains("//"))
}

fn is_inside(inner: &str, outer: &str) -> bool {
    let folder = |uri: &str| uri.trim_end_matches('/').to_owned() + "/";
    folder(inner).starts_with(&folder(outer))
}

/// `arn:partition:sns:region:account:name`.
fn is_topic(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "sns", region, account, name] if [region, account, name].iter().all(|part| !part.is_empty()))
}

/// The JSON schema of `crawlguard.toml`, pretty-printed.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Config);
    serde_json::to_string_pretty(&schema).expect("a schema is plain JSON") + "\n"
}

/// `line:column` of a byte offset, both from 1.
fn line_column(text: &str, offset: usize) -> String {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    format!("{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "project = \"p\"\n[targets.local]\nkind = \"local\"\nlake = \"lake\"\ndatabase = \"d\"\n";

    #[test]
    fn defaults_are_filled_in() {
        let config = parse(GOOD).unwrap();
        let target = &config.targets["local"];
        assert_eq!((target.raw_prefix(), target.keep_versions(), target.database()), ("raw_", 4, "d"));
        assert_eq!(config.contracts, PathBuf::from("contracts"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_its_place() {
        let wrong = "projet = \"p\"\ndefault_target = 3\nfolder = 1\n[targets.a]\nkind = \"local\"\nlakes = \"l\"\n\
                     keep_versions = -1\n[targets.b]\nlake = \"l\"\n[targets.c]\nkind = \"gcp\"\n";
        let broken = "project = \"p\ntargets = 1\nsql = [\n";
        let texts = [wrong, broken, "project = \"p\"\ntargets = 1\n", "project = \"p\"\n[targets]\na = 1\n", ""];
        let shown: Vec<_> = texts.iter().map(|text| parse(text).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(shown.join("\n\n"), @r#"
        crawlguard.toml:1:1: `project` is missing
          help: The project's name, as alerts show it.
        crawlguard.toml:1:1: `projet` is no setting
          help: Did you mean `project`?
        crawlguard.toml:2:18: `default_target` is a whole number, not text in quotes
          help: Write text in quotes: The target used when `--target` is not given.
        crawlguard.toml:3:1: `folder` is no setting
          help: Use one of: project, default_target, contracts, sql, alerts, targets.
        crawlguard.toml:4:1: `targets.a.database` is missing
          help: The database's name in the catalog.
        crawlguard.toml:4:1: `targets.a.lake` is missing
          help: The lake: one folder a source, relative to this file.
        crawlguard.toml:6:1: `targets.a.lakes` is no setting
          help: Did you mean `lake`?
        crawlguard.toml:7:17: `targets.a.keep_versions` is less than 0
          help: Published versions kept of each table, the current one included; at least 1.
        crawlguard.toml:8:1: `targets.b.kind` is missing
        crawlguard.toml:11:8: `targets.c.kind` is "gcp"
          help: Use one of: "local", "aws".

        crawlguard.toml:1:13: invalid basic string, expected `"`
        crawlguard.toml:3:8: unclosed array, expected `]`
          help: Mend the TOML there: <https://toml.io>.

        crawlguard.toml:2:11: `targets` is a whole number, not a table
          help: Write a table: Where the pipeline runs, by name.

        crawlguard.toml:3:5: `targets.a` is a whole number, not a table
          help: Write a table: One place where the pipeline runs.

        crawlguard.toml:1:1: `project` is missing
          help: The project's name, as alerts show it.
        crawlguard.toml:1:1: `targets` is missing
          help: Where the pipeline runs, by name.
        "#);
    }

    #[test]
    fn targets_on_aws_share_no_state() {
        let target = |name: &str, state: &str| {
            format!(
                "[targets.{name}]\nkind = \"aws\"\ndatabase = \"d\"\nwarehouse = \"s3://lake/{name}/\"\n\
                 state = \"s3://state/{state}\"\ntopic = \"arn:aws:sns:eu-central-1:123456789012:t\"\n"
            )
        };
        let of = |states: [&str; 3]| {
            let targets: String = ["a", "b", "c"].iter().zip(states).map(|(name, state)| target(name, state)).collect();
            parse(&format!("project = \"p\"\n{targets}"))
        };
        of(["x/", "y/", "xy/"]).unwrap();
        let told = of(["x/", "x", "x/y/"]).unwrap_err().to_string();
        assert_eq!(told.matches("targets.b.state").count(), 1, "{told}");
        assert_eq!(told.matches("targets.c.state").count(), 2, "{told}");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_place() {
        let problems = parse(&GOOD.replace("lake =", "lakes =")).unwrap_err();
        assert!(problems.to_string().contains("crawlguard.toml:"), "{problems}");
        assert!(problems.to_string().contains("lake"), "{problems}");
    }

    #[test]
    fn an_aws_target_is_read_and_all_that_is_wrong_in_it_is_named() {
        let good = "project = \"p\"\n[targets.prod]\nkind = \"aws\"\ndatabase = \"d\"\nwarehouse = \"s3://lake/tables/\"\n\
                    state = \"s3://lake/state/\"\ntopic = \"arn:aws:sns:eu-central-1:123456789012:alerts\"\n";
        assert_eq!(parse(good).unwrap().targets["prod"].keep_versions(), 4);
        let bad = good.replace("s3://lake/state/", "s3://lake/tables/state").replace(":alerts", ".fifo")
            + "keep_versions = 1\naccount = \"12\"\nresults = \"lake\"\nraw = \"raw\"\n";
        let problems = parse(&bad).unwrap_err();
        let places: Vec<_> = problems.0.iter().map(|problem| problem.place.as_str()).collect();
        let settings = ["account", "keep_versions", "raw", "results", "topic", "topic", "warehouse"];
        assert_eq!(places, settings.map(|setting| format!("targets.prod.{setting}")), "{problems}");
    }

    #[test]
    fn classifiers_are_checked() {
        let of = |settings: &str| parse(&format!("{GOOD}[targets.local.classifiers.\"my shops\"]\n{settings}"));
        assert!(of("serde = \"OpenCSVSerDe\"\nquote = \"'\"\nheader = \"absent\"\ndelimiter = \";\"\n").is_ok());
        for bad in [
            "quote = \"'\"",
            "delimiter = \"é\"",
            "serde = \"OpenCSVSerDe\"\ndelimiter = '\"'",
            "headers = \"present\"",
            "header = \"presnt\"",
            "header = 1",
            "[targets.local.classifiers.x.header]",
        ] {
            let problems = of(bad).unwrap_err().to_string();
            assert!(problems.starts_with("crawlguard.toml:"), "{bad}: {problems}");
        }
    }

    #[test]
    fn every_bad_value_is_reported_at_once() {
        let text = format!("{GOOD}keep_versions = 0\nraw_prefix = \"\"\n");
        assert_eq!(parse(&text).unwrap_err().0.len(), 2);
    }
}
