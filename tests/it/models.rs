//! The first user's contracts and models, on the sample lake.

#[cfg(feature = "embedded")]
mod embedded;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crawlguard::catalog::crawl;
use crawlguard::contract::{Contract, Document, Origin};
use crawlguard::drift::{Change, diff};
use crawlguard::sample;
use crawlguard::schema::DataType;
use crawlguard::sql::{Addition, Graph, Model, adapt};
use serde_json::{Map, Value};

/// What Trino made of the sample lake: see tests/parity/models.py.
const ON_TRINO: &str = include_str!("../fixtures/models/sample_on_trino.json");

#[test]
fn contracts_promise_what_the_lake_holds() {
    let project = project();
    assert_eq!(drift(project.path()), Vec::<String>::new());
}

#[test]
fn contracts_promise_the_columns_that_models_make() {
    let project = project();
    let contracts = contracts(project.path());
    for (model, rows) in &on_trino() {
        let contract = contracts.iter().find(|contract| contract.table.name == *model).expect(model);
        let promised: Vec<_> = contract.table.columns.iter().map(|column| column.name.as_str()).collect();
        let made: Vec<_> = rows[0].keys().map(String::as_str).collect();
        assert_eq!(promised, made, "{model}");
    }
}

#[test]
fn every_model_has_a_contract_with_its_key() {
    let project = project();
    let contracts = contracts(project.path());
    let of_models = contracts.iter().filter(|contract| contract.origin == Origin::Model).count();
    let models = graph(project.path(), &contracts).models;
    assert_eq!(of_models, models.len());
    for (name, model) in models {
        let contract = contracts.iter().find(|contract| contract.table.name == name).expect(&name);
        let columns = model.primary_key.clone();
        let key = crawlguard::checks::CheckKind::Unique { columns };
        assert!(contract.checks.iter().any(|check| check.kind == key), "{name}: {:?}", model.primary_key);
    }
}

#[test]
fn arrivals_drift_as_their_titles_say() {
    let expected: [&[&str]; 3] = [
        &["raw_salesforce_leads.referral_code ColumnAddedAtEnd", "raw_source_1.inspection grade ColumnAddedAtEnd"],
        &[
            "raw_source_3.county ColumnRemoved",
            "raw_source_3.county name ColumnAddedInMiddle",
            "raw_source_4.visit kind ColumnAddedInMiddle",
        ],
        &[],
    ];
    for (arrival, expected) in sample::ARRIVALS.iter().zip(expected) {
        let project = project();
        arrival.land(project.path()).expect("the folder is writable");
        assert_eq!(drift(project.path()), expected, "{}", arrival.title);
    }
}

/// Model → rows, each a map from column to text.
fn on_trino() -> BTreeMap<String, Vec<Map<String, Value>>> {
    serde_json::from_str(ON_TRINO).expect("the fixture is JSON")
}

#[test]
fn the_first_arrival_is_carried_by_the_models_that_opted_in() {
    let project = project();
    sample::ARRIVALS[0].land(project.path()).expect("the folder is writable");
    let contracts = contracts(project.path());
    let sources = crawl::crawl(&project.path().join("lake"), "pbright", "raw_").tables;
    let additions = [("raw_salesforce_leads", "referral_code"), ("raw_source_1", "inspection grade")];
    let additions = additions.map(|(table, column)| Addition {
        table: table.to_owned(),
        column: column.to_owned(),
        data_type: DataType::String,
    });
    let adapted =
        adapt(&graph(project.path(), &contracts), &sources, &sources, &additions, &[]).expect("it can be proven");
    let names: Vec<_> = adapted.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["int_credentials", "int_salesforce_leads"]);
    assert!(adapted.models[0].text.contains(r#"nullif(trim("inspection grade"), '') AS inspection_grade"#));
}

fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a temporary folder");
    sample::write(project.path()).expect("the folder is writable");
    project
}

/// Every file of a folder, by name.
fn read(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).expect("the sample has it").map(|entry| entry.expect("it can be listed").path());
    let text = |path: &Path| fs::read_to_string(path).expect("it is UTF-8");
    files.map(|path| (path.file_name().expect("a file").to_string_lossy().into_owned(), text(&path))).collect()
}

fn contracts(project: &Path) -> Vec<Contract> {
    let files = read(&project.join("contracts"));
    let contract = |(file, text): (&String, &String)| Document::read(file, text)?.contract();
    files.iter().map(|file| contract(file).unwrap_or_else(|problems| panic!("{problems}"))).collect()
}

fn graph(project: &Path, contracts: &[Contract]) -> Graph {
    let files = read(&project.join("sql"));
    let models = files.iter().map(|(file, text)| Model::parse(file, text));
    let models = models.map(|model| model.unwrap_or_else(|problems| panic!("{problems}"))).collect();
    let sources = contracts.iter().filter(|contract| contract.origin == Origin::Crawler);
    let sources: Vec<_> = sources.map(|contract| contract.table.name.clone()).collect();
    Graph::new(models, &sources).unwrap_or_else(|problems| panic!("{problems}"))
}

/// How the lake differs from the raw tables' contracts: `table.path kind`.
fn drift(project: &Path) -> Vec<String> {
    let crawled = crawl::crawl(&project.join("lake"), "pbright", "raw_");
    assert_eq!(crawled.problems, []);
    let contracts: Vec<_> =
        contracts(project).into_iter().filter(|contract| contract.origin == Origin::Crawler).collect();
    let fact = |change: &Change| format!("{}.{} {:?}", change.table, change.path, change.kind);
    diff(&contracts, &crawled.tables).iter().map(fact).collect()
}
