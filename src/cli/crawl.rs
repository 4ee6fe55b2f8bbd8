//! `crawl`: the lake's schemas into the local catalog.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::args::Globals;
#[cfg(feature = "aws")]
use super::cloud;
#[cfg(feature = "aws")]
use super::world::Place;
use super::world::{Here, World, now};
use super::{exit, inputs, print, say};
use crate::catalog::crawl::{Classifiers, Crawl, crawl_with};
use crate::catalog::{Catalog, notes};
use crate::pipeline::Commands;
use crate::port::PortError;
use crate::problem::{Problem, Problems, texts};
use crate::schema::{DEPRECATED, Evidence, Table, UNREADABLE};
use crate::store::write_whole;

pub async fn crawl(globals: &Globals) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    #[cfg(feature = "aws")]
    if let Place::Cloud(cloud) = &world.place {
        let status = cloud::crawl(globals, &world, cloud).await?;
        let json = || json!({"schema_version": 1, "crawler": status.crawler, "began": status.last});
        print(globals, json, || format!("crawler `{}` succeeded\n", status.crawler))?;
        return Ok(ExitCode::from(exit::CLEAN));
    }
    let crawled = update(&world).await?;
    say_notes(globals, &crawled);
    let names: Vec<_> = crawled.tables.iter().map(|table| table.name.as_str()).collect();
    let as_json = || {
        let (problems, notes) = (&crawled.problems, notes(&crawled.tables));
        json!({"schema_version": 1, "tables": names, "problems": problems, "notes": notes})
    };
    print(globals, as_json, || human(&crawled))?;
    Ok(ExitCode::from(if crawled.problems.is_empty() { exit::CLEAN } else { exit::NO_ANSWER }))
}

/// Crawls the lake and writes what changed. A table that cannot be read stays as it was and is marked unreadable, so that
/// no comparison takes the old schema for today's.
pub async fn update(world: &World) -> anyhow::Result<Crawl> {
    let here = world.folders()?;
    let (lake, database, prefix) = (&here.lake, &here.local.database, world.raw_prefix());
    if !lake.is_dir() {
        let help = "Put the lake there, or set `lake` in crawlguard.toml.";
        let problem = Problem::new(lake.display().to_string(), "", "the lake is not a folder", help);
        return Err(Problems::from(problem).into());
    }
    // Before the crawl: what comes meanwhile may not be in what it says.
    let inputs = inputs::fingerprint(lake)?;
    let classifiers = Classifiers { target: &world.target, by_source: here.local.classifiers.clone() };
    let crawled = crawl_with(lake, database, prefix, &classifiers);
    let known = world.catalog.tables(prefix).await?;
    let mut known: BTreeMap<_, _> = known.into_iter().map(|table| (table.name.clone(), table)).collect();
    for table in &crawled.tables {
        let before = known.remove(&table.name);
        here.catalog.put(&with_known_types(table, before.as_ref()))?;
    }
    for unread in &crawled.unread {
        let mut table = known.remove(&unread.name).unwrap_or_else(|| unread.clone());
        table.parameters.extend(unread.parameters.clone());
        here.catalog.put(&table)?;
    }
    for mut table in known.into_values() {
        table.parameters.remove(UNREADABLE);
        if let Some(why) = unseen(&table, &crawled.of_lake) {
            table.parameters.insert(UNREADABLE.into(), why);
        } else if table.columns.is_empty() {
            // It was never read, so there is nothing to remember of it.
            here.catalog.forget(&table.name).await?;
            continue;
        } else {
            table.deprecated = true;
            table.parameters.insert(DEPRECATED.into(), "true".into());
        }
        here.catalog.put(&table)?;
    }
    let note = note(here);
    std::fs::create_dir_all(&here.state).map_err(|error| PortError::io("create folder", &here.state, error))?;
    write_whole(&note, format!("{}\n{inputs}\n", now()).as_bytes())
        .map_err(|error| PortError::io("note crawl", &note, error))?;
    Ok(crawled)
}

/// When the catalog was last crawled, if it is known.
pub fn last(here: &Here) -> Option<Timestamp> {
    std::fs::read_to_string(note(here)).ok()?.lines().next()?.trim().parse().ok()
}

/// That the lake is as it was when it was crawled, as far as that is known: by position, a column of other files may be read as
/// NULL where the catalog has another type.
pub fn changed_since(here: &Here, inputs: &str, commands: &Commands) -> Option<Problem> {
    let text = std::fs::read_to_string(note(here)).ok()?;
    let crawled = text.lines().nth(1).filter(|crawled| *crawled != inputs)?;
    let help = format!("run `{}` first, or leave out --no-crawl", commands.line("crawl"));
    let message = "the lake's files are not those that were crawled, and what the catalog says of them may be wrong";
    (!crawled.is_empty()).then(|| Problem::new(here.lake.display().to_string(), "", message, help))
}

fn note(here: &Here) -> PathBuf {
    here.state.join("last_crawl")
}

/// Tells people what the crawl noticed.
pub fn say_notes(globals: &Globals, crawled: &Crawl) {
    notes(&crawled.tables).iter().for_each(|note| say(globals, &format!("note: {note}")));
}

/// A column without a value keeps the type that the catalog knew: a placeholder is no evidence against it.
fn with_known_types(table: &Table, known: Option<&Table>) -> Table {
    let mut table = table.clone();
    for column in table.columns.iter_mut().filter(|column| column.evidence == Evidence::None) {
        if let Some(known) = known.and_then(|known| known.column(&column.name)) {
            column.data_type = known.data_type.clone();
        }
    }
    table
}

/// Why a table that the crawl does not show is not known to be gone: only a folder that is not there is.
fn unseen(table: &Table, of_lake: &[Problem]) -> Option<String> {
    let is_gone = table.location.as_ref().is_some_and(|location| matches!(Path::new(location).try_exists(), Ok(false)));
    let why = || of_lake.first().map(ToString::to_string);
    (!is_gone).then(|| why().unwrap_or_else(|| "its folder is there, and the crawl shows no table of it".to_owned()))
}

fn human(crawled: &Crawl) -> String {
    let mut text = String::new();
    for table in &crawled.tables {
        let format = table.storage.classification.as_deref().unwrap_or("unknown");
        text += &format!("{}  {} columns, {format}\n", table.name, table.columns.len());
    }
    text + &texts(&crawled.problems).iter().map(|problem| format!("{problem}\n")).collect::<String>()
}
