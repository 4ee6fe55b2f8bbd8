//! A project's files, read whole: contracts, models, alert templates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Provenance;
use super::compare::traced;
use crate::config::{Settings, Target};
use crate::contract::{Contract, Document, without_model, without_target};
use crate::drift::Rule;
use crate::notify::check_templates;
use crate::plan::STAGING_PREFIX;
use crate::port::io_help;
use crate::problem::{Problem, Problems};
use crate::schema::same_name;
use crate::sql::{Graph, Model};

/// Everything a run reads from the project's folder, which has to stay where it is: see [`Project::document`].
#[derive(Debug, Clone)]
pub struct Project {
    pub settings: Settings,
    /// What the documents mean: first those that are held against the catalog, each part in the order of its files. The documents themselves are read again where one is needed:
    /// of ten thousand tables they fill the memory.
    pub contracts: Vec<Contract>,
    pub graph: Graph,
    /// File name → text of alerts/.
    pub templates: Vec<(String, String)>,
    /// What the records of its runs say of it; whoever begins runs knows.
    pub provenance: Option<Provenance>,
}

impl Project {
    /// Reads every file before it gives up: one look shows all that is wrong.
    pub fn read(settings: Settings) -> Result<Self, Problems> {
        let mut reading = Reading::default();
        reading.contracts(&settings);
        reading.models(&settings);
        let templates = reading.templates(&settings);
        let Reading { mut problems, unread, mut contracts, models } = reading;
        contracts.sort_by_key(|contract| !contract.is_guarded());
        let crawled = contracts.iter().filter(|contract| contract.is_guarded());
        let sources: Vec<_> = crawled.map(|contract| contract.table.name.clone()).collect();
        let (graph, faults) = Graph::of(models, &sources, &unread);
        problems.extend(faults);
        problems.extend(without_model(&contracts, &graph, &unread));
        problems.extend(without_target(&contracts, &graph, &unread));
        if !problems.is_empty() {
            // A sound project's columns are traced when it is compared; one that goes no further shows them here.
            problems.extend(traced(&graph, &contracts).err().map(|found| found.0).unwrap_or_default());
        }
        Problems::or(problems, Self { settings, contracts, graph, templates, provenance: None })
    }

    /// A project of which only the settings are known: enough to say that the rest cannot be read.
    pub fn of(settings: Settings) -> Self {
        let (contracts, templates) = (Vec::new(), Vec::new());
        Self { settings, contracts, graph: Graph::default(), templates, provenance: None }
    }

    /// The contracts alone, whatever the models say: they may be broken for want of the very contract that is to be added.
    pub fn contracts(settings: &Settings) -> Result<Vec<Contract>, Problems> {
        let mut reading = Reading::default();
        reading.contracts(settings);
        Problems::or(reading.problems, reading.contracts)
    }

    /// The contracts in force of the tables that a crawler makes.
    pub fn crawled(&self) -> &[Contract] {
        &self.contracts[..self.contracts.partition_point(Contract::is_guarded)]
    }

    /// The contract of a table.
    pub fn contract(&self, table: &str) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.table.name == table)
    }

    /// The document of a table's contract, which must still mean what was read first.
    pub fn document(&self, table: &str) -> Result<Option<Document>, Problems> {
        let Some(contract) = self.contract(table) else { return Ok(None) };
        let file = &contract.file;
        let document = Document::read(file, &text(file, &self.settings.root.join(file))?)?;
        if document.contract()? != *contract {
            let help = "Run the command again.";
            return Err(Problem::new(file, "", "was changed by somebody else at the same time", help).into());
        }
        Ok(Some(document))
    }
}

/// What has been read so far, and what was wrong with it.
#[derive(Default)]
struct Reading {
    problems: Vec<Problem>,
    /// Tables whose contract or model is a problem already.
    unread: BTreeSet<String>,
    contracts: Vec<Contract>,
    models: Vec<Model>,
}

impl Reading {
    fn contracts(&mut self, settings: &Settings) {
        let folder = &settings.config.contracts;
        for (file, path) in files(&settings.root, folder, &["json", "yaml", "yml"], &mut self.problems) {
            match text(&file, &path).and_then(|text| Document::read(&file, &text)?.contract()) {
                Ok(contract) => self.contracts.push(contract),
                Err(found) => self.refuse(&file, found),
            }
        }
        self.problems.extend(doubles(&self.contracts));
        self.problems.extend(self.contracts.iter().flat_map(unknown_rules));
    }

    fn models(&mut self, settings: &Settings) {
        for (file, path) in files(&settings.root, &settings.config.sql, &["sql"], &mut self.problems) {
            match text(&file, &path).and_then(|text| Model::parse(&file, &text)) {
                Ok(model) => self.models.push(model),
                Err(found) => self.refuse(&file, found),
            }
        }
        self.problems.extend(self.models.iter().filter_map(|model| taken_name(model, settings)));
        self.problems.extend(self.models.iter().flat_map(|model| other_databases(model, settings)));
    }

    /// File name and text of each.
    fn templates(&mut self, settings: &Settings) -> Vec<(String, String)> {
        let mut templates = Vec::new();
        for (file, path) in files(&settings.root, &settings.config.alerts, &["txt", "j2"], &mut self.problems) {
            match text(&file, &path) {
                Ok(text) => templates.push((file_name(&file), text)),
                Err(found) => self.problems.extend(found.0),
            }
        }
        // Of a project without its own, the tests have checked the built-in ones.
        if !templates.is_empty() {
            self.problems.extend(check_templates(&templates).err().map(|found| found.0).unwrap_or_default());
        }
        templates
    }

    /// A contract or model that says nothing for now: its file is named like its table.
    fn refuse(&mut self, file: &str, found: Problems) {
        let stem = Path::new(file).file_stem().unwrap_or_default();
        self.unread.insert(stem.to_string_lossy().to_lowercase());
        self.problems.extend(found.0);
    }
}

fn doubles(contracts: &[Contract]) -> Vec<Problem> {
    let (mut problems, mut first) = (Vec::new(), BTreeMap::new());
    for contract in contracts {
        let known: &mut &str = first.entry(&contract.table.name).or_insert(&contract.file);
        if *known != contract.file {
            let message = format!("`{}` has a contract already, in {known}", contract.table.name);
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

/// Staging tables and the crawler's own names are taken: a model under one of them would be cleaned away or crawled over.
fn taken_name(model: &Model, settings: &Settings) -> Option<Problem> {
    let prefixes = settings.config.targets.values().map(Target::raw_prefix);
    let prefix = prefixes.chain([STAGING_PREFIX]).find(|prefix| model.name.starts_with(prefix))?;
    let message = format!("a model's name may not start with `{prefix}`: such tables are not its own");
    Some(Problem::new(&model.file, "", message, "Rename the file."))
}

/// A table is one of the target's database, whatever a model writes before its name: another one's would be taken for it.
fn other_databases(model: &Model, settings: &Settings) -> Vec<Problem> {
    let databases: BTreeSet<&str> = settings.config.targets.values().map(Target::database).collect();
    let is_ours = |named: &str| databases.iter().all(|ours| same_name(ours, named));
    let others = model.databases.iter().filter(|(_, named, _)| !is_ours(named));
    let problem = |(place, named, table): &(String, String, String)| {
        let ours: Vec<String> = databases.iter().map(|ours| format!("`{ours}`")).collect();
        let message = format!("`{named}.{table}` is not of the targets' database, {}", ours.join(" or "));
        let help = format!("Write `{table}`: the target decides the database.");
        Problem::new(&model.file, place, message, help)
    };
    others.map(problem).collect()
}

/// A folder's files by name, each with its path relative to the project. A missing folder is an empty one.
fn files(root: &Path, folder: &Path, extensions: &[&str], problems: &mut Vec<Problem>) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for path in listing(&root.join(folder), problems) {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let file = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if extensions.contains(&extension) && !file_name(&file).starts_with('.') {
            found.push((file, path));
        }
    }
    found
}

fn text(file: &str, path: &Path) -> Result<String, Problems> {
    let unreadable = |error: std::io::Error| {
        let help = match io_help(error.kind()) {
            "" => "Make it a readable UTF-8 file.",
            help => help,
        };
        Problem::new(file, "", error.to_string(), help).into()
    };
    fs::read_to_string(path).map_err(unreadable)
}

/// A project may be without a folder that nobody named.
fn is_usual(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| ["contracts", "sql", "alerts"].iter().any(|usual| name == *usual))
}

/// A folder's files, by name.
pub(super) fn listing(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => paths.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_usual(folder) => {}
        Err(error) => {
            let file = folder.display().to_string();
            problems.push(Problem::new(
                file,
                "",
                error.to_string(),
                "Make it a folder that can be read, or mend its name in crawlguard.toml.",
            ));
        }
    }
    paths.sort();
    paths
}

fn file_name(file: &str) -> String {
    Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
