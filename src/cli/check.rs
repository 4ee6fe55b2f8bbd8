//! `check` and `diff`: the judgement alone; nothing is written.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::args::Globals;
use super::world::{World, absolute};
use super::{exit, print, provenance};
use crate::catalog::crawl::crawl as infer;
use crate::catalog::{Catalog, doubt, glue_json, updated};
use crate::contract::{Contract, Document};
use crate::drift::{Finding, Verdict, diff as facts, judge};
use crate::pipeline::compare;
use crate::plan::slot;
use crate::port::{PortError, PortErrorKind};
use crate::problem::{Problem, Problems};
use crate::report::human;
use crate::schema::Table;

pub async fn check(globals: &Globals, dump: Option<&Path>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let dump = dump.map(Dump::read).transpose();
    let (project, dump) = both(world.project(), dump)?;
    let as_of = match &dump {
        Some(dump) => dump.as_of,
        None => world.crawled_at().await?,
    };
    let catalog: &dyn Catalog = match &dump {
        Some(dump) => dump,
        None => world.catalog.as_ref(),
    };
    let comparison = compare(&project, catalog, world.raw_prefix()).await?;
    if comparison.tables.is_empty() && project.crawled().is_empty() {
        bail!(
            "there is nothing to compare: the catalog holds no `{0}` table, and no contract promises one; crawl first, or \
             mend `raw_prefix` in crawlguard.toml",
            world.raw_prefix()
        );
    }
    if dump.is_none() {
        provenance::note(globals, &world).await;
    }
    report(globals, &comparison.findings, Some(as_of))
}

/// Two readings, or the problems of both.
fn both<A, B>(first: Result<A, Problems>, second: Result<B, Problems>) -> Result<(A, B), Problems> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => {
            Err(Problems([first.err(), second.err()].into_iter().flatten().flat_map(|found| found.0).collect()))
        }
    }
}

/// `as_of` is when the catalog was made, where there is one; its time may not be known.
fn report(globals: &Globals, findings: &[Finding], as_of: Option<Option<Timestamp>>) -> anyhow::Result<ExitCode> {
    let verdict = Verdict::of(findings);
    let as_json = || {
        let mut value = json!({"schema_version": 1, "verdict": verdict, "findings": findings});
        if let Some(as_of) = as_of {
            value["catalog_as_of"] = as_of.map(slot).into();
        }
        value
    };
    let as_text = || {
        let age = as_of.map(|as_of| human::catalog_age(as_of, Timestamp::now())).unwrap_or_default();
        age + &human::findings(verdict, findings)
    };
    print(globals, as_json, as_text)?;
    Ok(exit::of_verdict(verdict))
}

/// Each side: a contract, Glue table JSON, or a data file or folder. One table is compared with one, sets by name.
pub fn diff(globals: &Globals, old: &Path, new: &Path) -> anyhow::Result<ExitCode> {
    let (promised, found) = both(side(old), side(new))?;
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
    report(globals, &judge(&facts(&contracts, &tables), &contracts, None), None)
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
}

/// What a path holds. A `.json` file is a contract if it says so (`kind: DataContract`), Glue's if it has Glue's keys, else data.
fn side(path: &Path) -> Result<Vec<Side>, Problems> {
    let file = path.display().to_string();
    let tables = |tables: Vec<Table>| tables.into_iter().map(Box::new).map(Side::Table).collect();
    if !path.exists() {
        return Err(Problem::new(file, "", "no such file or folder", "Check the path.").into());
    }
    if path.is_dir() {
        return data(path).map(tables);
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let text =
        || fs::read_to_string(path).map_err(|error| Problem::new(&file, "", error.to_string(), "Make it readable."));
    match extension {
        "yaml" | "yml" => contract(&file, &text()?),
        "json" => {
            let text = text()?;
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let has = |key: &str| value.get(key).is_some();
            if has("kind") && has("apiVersion") {
                contract(&file, &text)
            } else if has("Table") || has("TableList") || has("StorageDescriptor") || value.is_array() {
                glue_json::read(&file, &text).map(tables)
            } else {
                data(path).map(tables)
            }
        }
        _ => data(path).map(tables),
    }
}

fn contract(file: &str, text: &str) -> Result<Vec<Side>, Problems> {
    Ok(vec![Side::Contract(Box::new(Document::read(file, text)?.contract()?))])
}

/// A data file or folder, crawled as the one source of a lake of its own.
fn data(path: &Path) -> Result<Vec<Table>, Problems> {
    let path = absolute(path);
    let file = path.display().to_string();
    let io = |error: std::io::Error| Problem::new(&file, "", error.to_string(), "Make it readable.");
    let lake = tempfile::tempdir().map_err(io)?;
    let source = lake.path().join("data");
    if path.is_dir() {
        link(&path, &source).map_err(io)?;
    } else {
        fs::create_dir(&source).map_err(io)?;
        link(&path, &source.join(path.file_name().unwrap_or_default())).map_err(io)?;
    }
    let mut crawled = infer(lake.path(), "diff", "");
    let inside = source.display().to_string();
    let outside = if path.is_dir() {
        file.clone()
    } else {
        path.parent().map(|parent| parent.display().to_string()).unwrap_or_default()
    };
    for problem in &mut crawled.problems {
        problem.file = problem.file.replacen(&inside, &outside, 1);
    }
    for table in &mut crawled.tables {
        table.location = Some(outside.clone() + "/");
    }
    Problems::or(crawled.problems, crawled.tables)
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to).map(drop)
}

/// A dump of `aws glue get-tables` as a catalog that cannot be written.
struct Dump {
    tables: Vec<Table>,
    /// The newest of its tables' update times.
    as_of: Option<Timestamp>,
}

impl Dump {
    fn read(path: &Path) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| Problem::new(&file, "", error.to_string(), "Check the path, and that you may read it."))?;
        Ok(Self { tables: glue_json::read(&file, &text)?, as_of: updated(&text) })
    }
}

#[async_trait]
impl Catalog for Dump {
    async fn tables(&self, prefix: &str) -> Result<Vec<Table>, PortError> {
        Ok(self.tables.iter().filter(|table| table.name.starts_with(prefix)).cloned().collect())
    }

    async fn crawled(&self, prefix: &str) -> Result<Vec<Table>, PortError> {
        Ok(self.tables(prefix).await?.into_iter().map(|table| doubt(table, None)).collect())
    }

    async fn table(&self, name: &str) -> Result<Option<Table>, PortError> {
        Ok(self.tables.iter().find(|table| table.name == name).cloned())
    }

    async fn swap(&self, target: &str, _: &str, _: Option<&str>, _: &[(String, String)]) -> Result<Table, PortError> {
        Err(read_only(target))
    }

    async fn versions(&self, name: &str) -> Result<Vec<Table>, PortError> {
        Ok(self.table(name).await?.into_iter().collect())
    }

    async fn restore(&self, name: &str, _: &str) -> Result<Table, PortError> {
        Err(read_only(name))
    }

    async fn prune(&self, name: &str, _: usize) -> Result<(), PortError> {
        Err(read_only(name))
    }

    async fn forget(&self, name: &str) -> Result<(), PortError> {
        Err(read_only(name))
    }
}

fn read_only(table: &str) -> PortError {
    PortError::new(PortErrorKind::Denied, "write table", format!("`{table}`"), "a dump of a catalog is read-only")
}
