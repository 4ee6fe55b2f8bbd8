//! `check`: the judgement alone; nothing is written.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use super::args::Globals;
use super::world::{Crawled, World};
use super::{exit, print, provenance, say};
use crate::catalog::{doubt, glue_json, notes, updated};
use crate::drift::Verdict;
use crate::pipeline::{Sieve, compare, compare_tables, free_names};
use crate::plan::slot;
use crate::problem::{Problem, Problems};
use crate::report::human;

pub async fn check(globals: &Globals, dump: Option<&Path>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let project = world.project();
    let sieve = project.as_ref().map(Sieve::new).unwrap_or_default();
    let dump = dump.map(|path| Dump::read(path, world.raw_prefix(), sieve)).transpose();
    let (project, dump) = both(project.as_ref().map_err(Clone::clone), dump)?;
    if dump.is_none() {
        world.admit().await?;
    }
    let Crawled { at: as_of, notes: mut noted } = match &dump {
        Some(dump) => Crawled { at: dump.as_of, notes: Vec::new() },
        None => world.crawled_at().await?,
    };
    let is_live = dump.is_none();
    let comparison = match dump {
        Some(dump) => compare_tables(project, world.raw_prefix(), dump.tables)?,
        None => compare(project, world.catalog.as_ref(), world.raw_prefix()).await?,
    };
    if comparison.tables.is_empty() && project.crawled().is_empty() {
        bail!(
            "there is nothing to compare: the catalog holds no `{0}` table, and no contract promises one; crawl first, or \
             mend `raw_prefix` in crawlguard.toml",
            world.raw_prefix()
        );
    }
    if is_live && comparison.verdict <= Verdict::Tolerated {
        free_names(project, &comparison)?;
    }
    if is_live {
        provenance::note(globals, &world).await?;
    } else if !comparison.findings.is_empty() {
        say(globals, "note: `contracts update` accepts what the target's own catalog shows, whatever this file says");
    }
    noted.extend(notes(&comparison.tables));
    let (verdict, mut findings) = (comparison.verdict, comparison.findings);
    findings.iter_mut().for_each(|finding| finding.help = world.commands.spell(&finding.help));
    print(
        globals,
        || json!({"schema_version": 1, "verdict": verdict, "findings": findings, "notes": noted, "catalog_as_of": as_of.map(slot)}),
        || human::catalog_age(as_of, Timestamp::now()) + &human::findings(verdict, &findings) + &human::noted(&noted),
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

/// A dump of `aws glue get-tables`.
struct Dump<'a> {
    /// The tables that a crawler makes.
    tables: Sieve<'a>,
    /// The newest of its tables' update times.
    as_of: Option<Timestamp>,
}

impl<'a> Dump<'a> {
    fn read(path: &Path, prefix: &str, mut tables: Sieve<'a>) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| Problem::new(&file, "", error.to_string(), "Check the path, and that you may read it."))?;
        glue_json::read_each(&file, &text, |table| {
            if table.name.starts_with(prefix) {
                tables.add(doubt(table, None));
            }
        })?;
        Ok(Self { tables, as_of: updated(&text) })
    }
}
