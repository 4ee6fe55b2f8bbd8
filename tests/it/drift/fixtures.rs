//! Every rule on every fixture: a contract and a catalog as people store them, read by the readers they meet.
//!
//! `tests/fixtures/drift/<rule>/<case>/` holds `contract.json`, an ODCS document, and `catalog.json`, what
//! `aws glue get-tables` prints. The case's folder says what is expected: its rule and no other, or, where it is called
//! `near-miss-…`, not its rule. `BLESS=1` writes the first of both kinds of every rule anew from the cases.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{env, fs};

use crawlguard::catalog::glue_json;
use crawlguard::contract::{Contract, Document};
use crawlguard::drift::{Finding, Level, RULES, diff, judge};
use crawlguard::problem::Problems;
use crawlguard::schema::Table;
use crawlguard::sql::{Graph, Lineage, Model};
use serde_json::{Value, json};

use super::cases::{self, Case};
use super::lake::Edit;
use super::laws::line;

const CONTRACT: &str = "contract.json";
const CATALOG: &str = "catalog.json";
const NEAR_MISS: &str = "near-miss-";

struct Fixture {
    rule: String,
    case: String,
    contract: Contract,
    catalog: Vec<Table>,
}

impl Fixture {
    fn read(rule: &str, case: &str) -> Self {
        let folder = folder().join(rule).join(case);
        assert_eq!(names(&folder), [CATALOG, CONTRACT], "{rule}/{case}");
        let text = |file: &str| fs::read_to_string(folder.join(file)).expect("readable");
        let document = Document::read(CONTRACT, &text(CONTRACT)).unwrap_or_else(|fault| wrong(rule, case, &fault));
        Self {
            rule: rule.to_owned(),
            case: case.to_owned(),
            contract: document.contract().unwrap_or_else(|fault| wrong(rule, case, &fault)),
            catalog: glue_json::read(CATALOG, &text(CATALOG)).unwrap_or_else(|fault| wrong(rule, case, &fault)),
        }
    }

    fn findings(&self, lineage: Option<&Lineage>) -> Vec<Finding> {
        let contracts = std::slice::from_ref(&self.contract);
        judge(&diff(contracts, &self.catalog), contracts, lineage)
    }
}

fn wrong(rule: &str, case: &str, fault: &Problems) -> ! {
    panic!("{rule}/{case}: {fault}")
}

fn folder() -> PathBuf {
    static BLESSED: Once = Once::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/drift");
    BLESSED.call_once(|| {
        if env::var_os("BLESS").is_some() {
            bless(&folder)
        }
    });
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn fixtures() -> Vec<Fixture> {
    let cases = |rule: String| names(&folder().join(&rule)).into_iter().map(move |case| Fixture::read(&rule, &case));
    names(&folder()).into_iter().flat_map(cases).collect()
}

#[test]
fn every_fixture_fires_its_rule_and_no_other() {
    let mut shown = String::new();
    for fixture in fixtures() {
        let Fixture { rule, case, .. } = &fixture;
        let findings = fixture.findings(None);
        let fired: BTreeSet<_> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        match case.starts_with(NEAR_MISS) {
            true => assert!(!fired.contains(rule.as_str()), "{rule}/{case}: {fired:?}"),
            false => assert_eq!(fired, BTreeSet::from([rule.as_str()]), "{rule}/{case}"),
        }
        writeln!(shown, "{rule}/{case}").expect("a string");
        for finding in &findings {
            writeln!(shown, "  {}\n    {}\n    help: {}", line(finding), finding.message, finding.help)
                .expect("a string");
        }
    }
    insta::assert_snapshot!("fixtures", shown);
}

#[test]
fn a_contract_against_what_it_promises_gives_nothing() {
    for Fixture { rule, case, contract, .. } in fixtures() {
        let printed = json!({ "Table": glue_json::to_value(&contract.table) }).to_string();
        let catalog = glue_json::read(CATALOG, &printed).unwrap_or_else(|fault| wrong(&rule, &case, &fault));
        assert_eq!(diff(&[contract], &catalog), [], "{rule}/{case}");
    }
}

#[test]
fn every_rule_has_a_fixture_and_a_near_miss_and_every_folder_a_rule() {
    let rules: Vec<_> = RULES.iter().map(|rule| rule.id).filter(|id| *id != "unclassified-change").collect();
    assert_eq!(names(&folder()), rules);
    for rule in rules {
        let cases = names(&folder().join(rule));
        let near = cases.iter().filter(|case| case.starts_with(NEAR_MISS)).count();
        assert!(near > 0 && near < cases.len(), "{rule}: {cases:?}");
    }
}

fn bless(folder: &Path) {
    for rule in RULES {
        let cases = cases::all().into_iter().filter(|case| case.rule == rule.id);
        let (near, fires): (Vec<_>, Vec<_>) = cases.partition(|case| case.name.starts_with("near_miss"));
        near.first().into_iter().chain(fires.first()).for_each(|case| store(folder, case));
    }
}

fn store(folder: &Path, case: &Case) {
    let folder = folder.join(case.rule).join(case.name.replace('_', "-"));
    fs::create_dir_all(&folder).expect("writable");
    let contract = Document::for_table(CONTRACT, &case.promised).to_json();
    fs::write(folder.join(CONTRACT), contract).expect("writable");
    let tables: Vec<Value> = case.catalog.iter().map(printed).collect();
    let catalog = match tables.as_slice() {
        [table] => json!({ "Table": table }),
        tables => json!({ "TableList": tables }),
    };
    fs::write(folder.join(CATALOG), format!("{catalog:#}\n")).expect("writable");
}

/// A table with what AWS prints beside what is read.
fn printed(table: &Table) -> Value {
    let mut value = glue_json::to_value(&table.clone().edit(|table| table.database = "lake".to_owned()));
    value["CreateTime"] = json!("2024-05-02T03:10:00+00:00");
    value["CatalogId"] = json!("111122223333");
    value
}

#[test]
fn a_finding_names_every_model_that_it_reaches() {
    let fixture = Fixture::read("column-removed", "json");
    let model = |name: &str, text: &str| {
        Model::parse(&format!("sql/{name}.sql"), text).unwrap_or_else(|problems| panic!("{problems}"))
    };
    let models = vec![
        model("int_orders", "SELECT id, amount * 100 AS cents FROM raw_orders"),
        model("fact_revenue", "SELECT sum(cents) AS revenue, count(*) AS orders FROM int_orders"),
        model("fact_ids", "SELECT count(id) AS ids FROM raw_orders"),
    ];
    let table = &fixture.contract.table;
    let graph = Graph::new(models, std::slice::from_ref(&table.name)).expect("it is acyclic");
    let lineage = Lineage::trace(&graph, std::slice::from_ref(table)).expect("it resolves");
    let findings = fixture.findings(Some(&lineage));
    let hit: Vec<_> = findings[0].models.iter().map(|reader| (reader.model.as_str(), reader.columns.clone())).collect();
    let expected = [("int_orders", vec!["cents".to_owned()]), ("fact_revenue", vec!["revenue".to_owned()])];
    assert_eq!((hit, findings[0].level), (expected.to_vec(), Level::Breaking));
}
