//! `diff`: the judgement without a project.

mod data;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use super::args::Globals;
use super::check::both;
use super::world::commands;
use super::{exit, print, say};
use crate::catalog::crawl::{CsvClassifier, CsvHeader, CsvSerde};
use crate::catalog::{glue_json, notes};
use crate::contract::{Contract, Document};
use crate::drift::{Change, Verdict, Way, Ways, advise, diff as facts, judge, likely_renames};
use crate::problem::{Problem, Problems};
use crate::report::human;
use crate::schema::{Storage, Table};

/// Each side: a contract or a folder of them, Glue table JSON, or a data file or folder. One table is compared with one, sets
/// by name.
pub fn diff(globals: &Globals, old: &Path, new: &Path) -> anyhow::Result<ExitCode> {
    let ([promised, found], mut told) = sides(globals, [old, new])?;
    let of_data = |side: &Side| match side {
        Side::Table(table) => Some(table.name.clone()),
        Side::Contract(_) => None,
    };
    let unpromised: Vec<String> = promised.iter().filter_map(of_data).collect();
    let contracts: Vec<_> = promised.into_iter().map(Side::contract).collect::<Result<_, _>>()?;
    let mut tables: Vec<_> = found.into_iter().map(Side::table).collect();
    if let ([contract], [table]) = (contracts.as_slice(), tables.as_mut_slice()) {
        // Two snapshots of one table may bear different names and lie in different places.
        table.name.clone_from(&contract.table.name);
        table.location.clone_from(&contract.table.location);
    }
    if contracts.is_empty() || tables.is_empty() {
        bail!("{} holds no table", if contracts.is_empty() { old } else { new }.display());
    }
    told.extend(notes(&tables));
    told.iter().for_each(|note| say(globals, &format!("note: {note}")));
    let changes = facts(&contracts, &tables);
    let mut findings = judge(&changes, &contracts, None);
    advise(&mut findings, &changes, &without_contract(unpromised, &changes));
    let commands = commands(globals);
    findings.iter_mut().for_each(|finding| finding.help = commands.spell(&finding.help));
    let verdict = Verdict::of(&findings);
    print(
        globals,
        || json!({"schema_version": 1, "verdict": verdict, "findings": findings, "notes": told}),
        || human::findings(verdict, &findings),
    )?;
    Ok(exit::of_verdict(verdict))
}

/// That what is no contract can accept nothing: an update would be refused, or be another table's.
fn without_contract(tables: Vec<String>, changes: &[Change]) -> Ways {
    if tables.is_empty() {
        return Ways::default();
    }
    let why = "there is no contract here that could accept it";
    let renames = likely_renames(changes).into_iter().map(|(table, from, _)| (table, from));
    let no_renames = renames.filter(|(table, _)| tables.contains(table)).collect();
    let tables = tables.into_iter().map(|table| (table, Way::Shut(why.to_owned()))).collect();
    Ways { tables, no_renames, ..Ways::default() }
}

enum Side {
    Contract(Box<Contract>),
    Table(Box<Table>),
}

impl Side {
    fn contract(self) -> Result<Contract, Problems> {
        match self {
            Self::Contract(contract) => Ok(*contract),
            Self::Table(table) => Document::for_table(&table.name, &table).contract(),
        }
    }

    fn table(self) -> Table {
        match self {
            Self::Contract(contract) => contract.table,
            Self::Table(table) => *table,
        }
    }

    fn storage(&self) -> &Storage {
        match self {
            Self::Contract(contract) => &contract.table.storage,
            Self::Table(table) => &table.storage,
        }
    }
}

/// What both paths hold, and what was assumed to read it. CSV is read as the project beside it says, else as the other side
/// says, else as Glue would, unless quotes forbid that: then both sides' CSV is read with its quotes understood.
fn sides(globals: &Globals, paths: [&Path; 2]) -> anyhow::Result<([Vec<Side>; 2], Vec<Problem>)> {
    let settings = data::Settings::of(globals, paths)?;
    let read = |path: &Path, csv: Option<&CsvClassifier>| match written(path)? {
        Some(side) => Ok(side),
        None => settings.read(path, csv).map(of_tables),
    };
    let (old, new) = both(written(paths[0]), written(paths[1]))?;
    let [of_old, of_new] = [old, new].map(|side| quoted(&side?));
    let problems = match both(read(paths[0], of_new.as_ref()), read(paths[1], of_old.as_ref())) {
        Ok((old, new)) => return Ok(([old, new], Vec::new())),
        Err(problems) => problems,
    };
    let open_csv = CsvClassifier { serde: CsvSerde::OpenCSVSerDe, ..CsvClassifier::default() };
    let again = |path: &Path| read(path, Some(&open_csv));
    // What stood in the way is told as it was, if quotes were not all of it.
    let (old, new) = both(again(paths[0]), again(paths[1])).map_err(|_| problems.clone())?;
    let note = |problem: Problem| Problem {
        message: format!("{}; read as OpenCSVSerDe reads it, all columns as text", problem.message),
        ..problem
    };
    Ok(([old, new], problems.0.into_iter().take(1).map(note).collect()))
}

fn of_tables(tables: Vec<Table>) -> Vec<Side> {
    tables.into_iter().map(Box::new).map(Side::Table).collect()
}

/// How the one table of a side has its quotes read, if it has.
fn quoted(side: &[Side]) -> Option<CsvClassifier> {
    let [side] = side else { return None };
    let storage = side.storage();
    let sign = |key: &str| storage.serde_parameters.get(key).and_then(|sign| sign.chars().next());
    let header = if storage.skip_header_lines > 0 { CsvHeader::Present } else { CsvHeader::Unknown };
    (storage.serde.as_deref() == Some(Storage::OPEN_CSV)).then(|| CsvClassifier {
        serde: CsvSerde::OpenCSVSerDe,
        header,
        quote: sign("quoteChar"),
        delimiter: None,
    })
}

/// The contracts or Glue tables that a path holds; `None` if it holds data. A `.json` file is a contract if it says so
/// (`kind: DataContract`), Glue's if it has Glue's keys; a folder holds contracts if one of its files is one.
fn written(path: &Path) -> Result<Option<Vec<Side>>, Problems> {
    let file = path.display().to_string();
    if !path.exists() {
        return Err(Problem::new(file, "", "no such file or folder", "Check the path.").into());
    }
    if path.is_dir() {
        return contracts(path);
    }
    let text =
        || fs::read_to_string(path).map_err(|error| Problem::new(&file, "", error.to_string(), "Make it readable."));
    match extension(path) {
        "yaml" | "yml" => Ok(Some(vec![contract(&file, &text()?)?])),
        "json" => {
            let text = text()?;
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let has = |key: &str| value.get(key).is_some();
            if has("kind") && has("apiVersion") {
                Ok(Some(vec![contract(&file, &text)?]))
            } else if has("Table") || has("TableList") || has("StorageDescriptor") || value.is_array() {
                Ok(Some(of_tables(glue_json::read(&file, &text)?)))
            } else {
                Ok(None)
            }
        }
        _ => Ok(None),
    }
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn contract(file: &str, text: &str) -> Result<Side, Problems> {
    Ok(Side::Contract(Box::new(Document::read(file, text)?.contract()?)))
}

/// The contracts of crawled tables in a folder, if it is one of contracts.
fn contracts(folder: &Path) -> Result<Option<Vec<Side>>, Problems> {
    let unreadable =
        |error: std::io::Error| Problem::new(folder.display().to_string(), "", error.to_string(), "Make it readable.");
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut files = paths.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    files.retain(|path| path.is_file() && ["json", "yaml", "yml"].contains(&extension(path)));
    files.sort();
    if !files.iter().any(|file| data::head(file).contains("DataContract")) {
        return Ok(None);
    }
    let (mut sides, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        let text = fs::read_to_string(&path).map_err(|error| Problems::from(unreadable(error)));
        match text.and_then(|text| contract(&path.display().to_string(), &text)) {
            Ok(Side::Contract(contract)) if !contract.is_guarded() => {}
            Ok(side) => sides.push(side),
            Err(Problems(found)) => problems.extend(found),
        }
    }
    Problems::or(problems, Some(sides))
}
