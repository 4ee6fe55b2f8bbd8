//! A project's files, read whole: contracts, models, alert templates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::checks::{CheckKind, CheckSpec};
use crate::config::{Settings, Target};
use crate::contract::{Contract, Document, Origin};
use crate::drift::Rule;
use crate::notify::check_templates;
use crate::plan::STAGING_PREFIX;
use crate::problem::{Problem, Problems};
use crate::sql::{Graph, Model};

/// Everything a run reads from the project's folder.
#[derive(Debug, Clone)]
pub struct Project {
    pub settings: Settings,
    pub documents: Vec<Document>,
    /// What `documents` mean, in the same order.
    pub contracts: Vec<Contract>,
    pub graph: Graph,
    /// File name → text of alerts/.
    pub templates: Vec<(String, String)>,
}

impl Project {
    /// Reads every file before it gives up: one look shows all that is wrong.
    pub fn read(settings: Settings) -> Result<Self, Problems> {
        let root = settings.root.clone();
        let mut problems = Vec::new();
        let mut documents = Vec::new();
        let mut contracts = Vec::new();
        for (file, text) in files(&root, &settings.config.contracts, &["json", "yaml", "yml"], &mut problems) {
            match Document::read(&file, &text).and_then(|document| Ok((document.contract()?, document))) {
                Ok((contract, document)) => {
                    contracts.push(contract);
                    documents.push(document);
                }
                Err(found) => problems.extend(found.0),
            }
        }
        problems.extend(doubles(&contracts));
        problems.extend(contracts.iter().flat_map(unknown_rules));
        problems.extend(contracts.iter().flat_map(baseless_checks));
        let mut models = Vec::new();
        for (file, text) in files(&root, &settings.config.sql, &["sql"], &mut problems) {
            match Model::parse(&file, &text) {
                Ok(model) => models.push(model),
                Err(found) => problems.extend(found.0),
            }
        }
        problems.extend(models.iter().filter_map(|model| taken_name(model, &settings)));
        let templates: Vec<_> = files(&root, &settings.config.alerts, &["txt", "j2"], &mut problems)
            .into_iter()
            .map(|(file, text)| (file_name(&file), text))
            .collect();
        problems.extend(check_templates(&templates).err().map(|found| found.0).unwrap_or_default());
        // Only a whole set of files can be told to have a hole in it.
        Problems::or(std::mem::take(&mut problems), ())?;
        let graph = Graph::new(models, &sources(&contracts))?;
        Ok(Self { settings, documents, contracts, graph, templates })
    }

    /// The contracts of the tables that a crawler makes.
    pub fn crawled(&self) -> Vec<Contract> {
        self.contracts.iter().filter(|contract| contract.origin == Origin::Crawler).cloned().collect()
    }

    /// The contract of a table, and its document.
    pub fn contract(&self, table: &str) -> Option<(&Contract, &Document)> {
        self.contracts.iter().zip(&self.documents).find(|(contract, _)| contract.table.name == table)
    }
}

/// The tables that exist without a model.
fn sources(contracts: &[Contract]) -> Vec<String> {
    let crawled = contracts.iter().filter(|contract| contract.origin == Origin::Crawler);
    crawled.map(|contract| contract.table.name.clone()).collect()
}

fn doubles(contracts: &[Contract]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, contract) in contracts.iter().enumerate() {
        if let Some(first) = contracts[..index].iter().find(|other| other.table.name == contract.table.name) {
            let message = format!("`{}` has a contract already, in {}", contract.table.name, first.file);
            problems.push(Problem::new(&contract.file, "", message, "Keep one of the two files."));
        }
    }
    problems
}

/// A policy that names no rule tolerates nothing, which its author cannot have meant.
fn unknown_rules(contract: &Contract) -> Vec<Problem> {
    let policy = &contract.policy;
    let named: BTreeSet<&String> =
        policy.rules.keys().chain(policy.columns.values().flat_map(BTreeMap::keys)).collect();
    let unknown = named.into_iter().filter(|rule| Rule::by_id(rule).is_none());
    let problem = |rule: &String| {
        let message = format!("the policy names a rule `{rule}`, and there is none");
        Problem::new(&contract.file, "customProperties", message, "Use an id that `crawlguard rules` lists.")
    };
    unknown.map(problem).collect()
}

/// A raw table is never published, so there is no row count of ours to compare with.
fn baseless_checks(contract: &Contract) -> Vec<Problem> {
    let crawled = contract.origin == Origin::Crawler;
    let relative = |check: &&CheckSpec| crawled && matches!(check.kind, CheckKind::RowCountChange { .. });
    let problem = |check: &CheckSpec| {
        let message = format!("`{}` compares with the last published version, and a raw table has none", check.name);
        Problem::new(
            &contract.file,
            "quality",
            message,
            "Bound its row count, or put the rule on a model that reads it.",
        )
    };
    contract.checks.iter().filter(relative).map(problem).collect()
}

/// Staging tables and the crawler's own names are taken: a model under one of them would be cleaned away or crawled over.
fn taken_name(model: &Model, settings: &Settings) -> Option<Problem> {
    let prefixes = settings.config.targets.values().map(Target::raw_prefix);
    let prefix = prefixes.chain([STAGING_PREFIX]).find(|prefix| model.name.starts_with(prefix))?;
    let message = format!("a model's name may not start with `{prefix}`: such tables are not its own");
    Some(Problem::new(&model.file, "", message, "Rename the file."))
}

/// (path relative to the project, text) of a folder's files, by name. A missing folder is an empty one.
fn files(root: &Path, folder: &Path, extensions: &[&str], problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in listing(&root.join(folder), problems) {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let file = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if !extensions.contains(&extension) || file_name(&file).starts_with('.') {
            continue;
        }
        match fs::read_to_string(&path) {
            Ok(text) => found.push((file, text)),
            Err(error) => problems.push(Problem::new(file, "", error.to_string(), "Make it a readable UTF-8 file.")),
        }
    }
    found
}

fn listing(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => paths.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            let file = folder.display().to_string();
            problems.push(Problem::new(file, "", error.to_string(), "Make the folder readable."));
        }
    }
    paths.sort();
    paths
}

fn file_name(file: &str) -> String {
    Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
