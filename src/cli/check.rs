//! `check`: the judgement alone; nothing is written.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::args::Globals;
use super::world::World;
use super::{exit, print, provenance, say};
use crate::catalog::{Catalog, doubt, glue_json, updated};
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
    if dump.is_none() {
        world.admit().await?;
    }
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
        provenance::note(globals, &world).await?;
    } else if !comparison.findings.is_empty() {
        say(globals, "note: `contracts update` accepts what the target's own catalog shows, whatever this file says");
    }
    let (verdict, mut findings) = (comparison.verdict, comparison.findings);
    findings.iter_mut().for_each(|finding| finding.help = world.commands.spell(&finding.help));
    print(
        globals,
        || json!({"schema_version": 1, "verdict": verdict, "findings": findings, "catalog_as_of": as_of.map(slot)}),
        || human::catalog_age(as_of, Timestamp::now()) + &human::findings(verdict, &findings),
    )?;
    Ok(exit::of_verdict(verdict))
}

/// Two readings, or the problems of both.
pub(super) fn both<A, B>(first: Result<A, Problems>, second: Result<B, Problems>) -> Result<(A, B), Problems> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => {
            Err(Problems([first.err(), second.err()].into_iter().flatten().flat_map(|found| found.0).collect()))
        }
    }
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
        Ok(Self { tables: glue_json::read_any(&file, &text)?, as_of: updated(&text) })
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
