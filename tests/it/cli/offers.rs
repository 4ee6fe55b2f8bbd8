//! Every command that a finding offers is accepted as it is printed, and leaves nothing of it to find; where none is offered,
//! none would be accepted.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use crawlguard::config::Settings;
use crawlguard::drift::{Level, seen};
use crawlguard::pipeline::{Commands, Comparison, Project, accept, begin, compare};
use crawlguard::plan::UNASKED;
use crawlguard::schema::{DataType, Table};

use super::*;
use crate::drift::cases;
use crate::support::SLOT;

const ACCEPT: &str = "`crawlguard contracts update ";
/// Nothing that a command could look at: what a person has to know of the files.
const BY_FILES: &str = "see that every stored file fits the new description";

/// Who reads the promised table.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Read {
    Not,
    /// Every column as a whole, the first as the key.
    Columns,
    /// What is inside structs, too.
    Fields,
}

/// A project that promises a case's table, over the catalog that the case shows.
fn drifted(promised: &Table, catalog: &[Table], read: Read) -> tempfile::TempDir {
    let lake = tempfile::tempdir().unwrap();
    let put = |file: &str, text: &str| {
        let path = lake.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put(
        "crawlguard.toml",
        "project = \"shop\"\n[targets.local]\nkind = \"local\"\nlake = \"lake\"\ndatabase = \"shop\"\n",
    );
    let other = Table { name: "raw_other".to_owned(), location: None, ..promised.clone() };
    for table in [promised, &other] {
        let file = format!("contracts/{}.json", table.name);
        put(&file, &crawlguard::contract::Document::for_table(&file, table).to_json());
    }
    if read != Read::Not {
        put("sql/int_orders.sql", &model(promised, read));
    }
    let files = crawlguard::catalog::FilesCatalog::new(lake.path().join(".crawlguard/catalog"), "shop");
    for table in catalog.iter().chain([&other]) {
        files.put(table).unwrap();
    }
    lake
}

fn model(table: &Table, read: Read) -> String {
    let mut outputs = Vec::new();
    for (index, column) in table.columns.iter().chain(&table.partition_keys).enumerate() {
        let name = format!("\"{}\"", column.name);
        outputs.push(match &column.data_type {
            DataType::Struct(fields) if read == Read::Fields => {
                format!("{name}.\"{}\" AS c{index}", fields.last().unwrap().name)
            }
            _ => format!("{name} AS c{index}"),
        });
    }
    let key = if outputs.len() > 1 { "/* crawlguard\nprimary_key: c0\n*/\n" } else { "" };
    format!("{key}SELECT {} FROM {}\n", outputs.join(", "), table.name)
}

fn compared(root: &Path) -> (Project, Comparison) {
    let project = Project::read(Settings::read(root).unwrap()).unwrap();
    let catalog = crawlguard::catalog::FilesCatalog::new(root.join(".crawlguard/catalog"), "shop");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let comparison = runtime.block_on(compare(&project, &catalog, "raw_")).unwrap();
    (project, comparison)
}

/// The commands of a help that may be run at once, as lines for whoever has seen what it is of.
fn offered(help: &str, seen: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for (at, _) in help.match_indices(ACCEPT) {
        let waits = help[..at].rsplit_once("; or ").is_some_and(|(_, first)| first != format!("{BY_FILES}, then run "));
        let command = help[at + 1..].split('`').next().unwrap();
        if !waits || command.contains("--rename") {
            commands.push(format!("{command}{UNASKED} {seen}"));
        }
    }
    commands
}

/// What is wrong with what the findings of one case offer.
fn faults(case: &cases::Case, read: Read) -> String {
    let mut faults = String::new();
    let lake = drifted(&case.promised, &case.catalog, read);
    let (project, comparison) = compared(lake.path());
    let run = begin(&project, "local", &comparison, SLOT, "run", &Commands::default()).unwrap();
    let line = |table: &String| Commands::default().accept(table, &[], &seen(&run.findings, table));
    let mut lines: BTreeSet<String> = run.acceptable.iter().map(line).collect();
    let findings = &comparison.findings;
    lines.extend(findings.iter().flat_map(|finding| offered(&finding.help, &seen(findings, &finding.table))));
    for line in &lines {
        let lake = drifted(&case.promised, &case.catalog, read);
        let output = paste(lake.path(), line);
        let table = line.split(' ').nth(3).unwrap();
        let left: Vec<_> = match output.status.success() {
            true => compared(lake.path()).1.findings.into_iter().filter(|finding| finding.table == table).collect(),
            false => Vec::new(),
        };
        if !output.status.success() || !left.is_empty() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            writeln!(faults, "{}/{} {read:?}: {line}: {stderr}{left:#?}", case.rule, case.name).unwrap();
        }
    }
    faults + &withheld(case, read, (&project, &comparison), &lines)
}

/// A table that stops the run and for which no line is printed: none must do, but for what stands in its help.
fn withheld(
    case: &cases::Case,
    read: Read,
    (project, comparison): (&Project, &Comparison),
    lines: &BTreeSet<String>,
) -> String {
    let findings = &comparison.findings;
    let mut faults = String::new();
    let stops: BTreeSet<&str> =
        findings.iter().filter(|finding| finding.level != Level::Tolerated).map(|it| it.table.as_str()).collect();
    for table in stops {
        let line = Commands::default().accept(table, &[], &seen(findings, table));
        let of_table = || findings.iter().filter(|finding| finding.table == table);
        let needs_value = of_table().any(|finding| finding.help.contains("another source"));
        if lines.contains(&line) || needs_value {
            continue;
        }
        if accept(project, comparison, &BTreeSet::from([table.to_owned()]), &[]).is_ok() {
            writeln!(faults, "{}/{} {read:?}: withheld: {line}", case.rule, case.name).unwrap();
        }
        if of_table().any(|finding| !finding.help.contains("update"))
            && of_table().all(|finding| finding.is_acceptable())
        {
            writeln!(faults, "{}/{} {read:?}: no way out", case.rule, case.name).unwrap();
        }
    }
    faults
}

#[test]
fn every_line_that_a_finding_prints_is_accepted_and_leaves_nothing() {
    let mut all = cases::all();
    // What no contract can promise.
    all.retain(|case| !case.promised.columns.iter().any(|column| column.data_type.has_unrecognized()));
    let work: Vec<_> = all
        .iter()
        .flat_map(|case| [Read::Not, Read::Columns, Read::Fields].map(|read| (case, read)))
        .filter(|(case, read)| {
            *read != Read::Fields || case.promised.columns.iter().any(|it| matches!(it.data_type, DataType::Struct(_)))
        })
        .collect();
    let faults: String = std::thread::scope(|scope| {
        let parts: Vec<_> = work
            .chunks(work.len().div_ceil(4))
            .map(|part| scope.spawn(|| part.iter().map(|(case, read)| faults(case, *read)).collect::<String>()))
            .collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{faults}");
}
