//! `contracts …`: what is promised, and accepting what the catalog shows instead.

mod log;
mod update;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::{Contracts, Globals};
use super::world::World;
use super::{exit, print, say};
use crate::contract::{Document, Origin};
use crate::pipeline::Project;
use crate::schema::Table;
use crate::store::write_whole;

pub use update::{Update, accept};

pub async fn contracts(globals: &Globals, command: &Contracts) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    match command {
        Contracts::Init => init(globals, &world).await,
        Contracts::Update { tables, reason, yes } => {
            update::update(globals, &world, Update { tables, reason: reason.as_deref(), yes: *yes }).await
        }
        Contracts::List => list(globals, &world),
        Contracts::Show { table } => show(&world, table),
        Contracts::Log { table } => log::print_log(globals, &world, table.as_deref()),
    }
}

async fn init(globals: &Globals, world: &World) -> anyhow::Result<ExitCode> {
    let written = write_missing(world).await?;
    for table in without_files(world).await? {
        say(globals, &format!("skipped {table}: the crawler no longer finds its files"));
    }
    let human = || match written.as_slice() {
        [] => "no table wants a contract\n".to_owned(),
        files => files.iter().map(|file| format!("wrote {file}\n")).collect(),
    };
    print(globals, || json!({"schema_version": 1, "written": written}), human)?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Writes a contract for each guarded table of the catalog that has none; returns the files, relative to the project.
pub async fn write_missing(world: &World) -> anyhow::Result<Vec<String>> {
    // Models may be broken for want of the very contracts that are written here.
    let promised_already = Project::promised_tables(&world.settings)?;
    let tables = world.catalog.tables(world.raw_prefix()).await?;
    if tables.is_empty() {
        bail!("the catalog holds no `{}` table; run `crawlguard crawl` first", world.raw_prefix());
    }
    let mut written = Vec::new();
    for table in tables.iter().filter(|table| !promised_already.contains(&table.name)) {
        if table.deprecated {
            continue;
        }
        let file = new_file(world, &table.name);
        write(world, &file, &Document::for_table(&file, &promised(table)).to_json())?;
        written.push(file);
    }
    Ok(written)
}

/// The tables without a contract for which none is written.
async fn without_files(world: &World) -> anyhow::Result<Vec<String>> {
    let project = Project::read(world.settings.clone())?;
    let mut tables = world.catalog.tables(world.raw_prefix()).await?;
    tables.retain(|table| table.deprecated && project.contract(&table.name).is_none());
    Ok(tables.into_iter().map(|table| table.name).collect())
}

/// What a contract of a local target promises: everything but the folder on this machine.
fn promised(table: &Table) -> Table {
    Table { location: None, ..table.clone() }
}

fn new_file(world: &World, table: &str) -> String {
    world.settings.config.contracts.join(format!("{table}.json")).display().to_string()
}

/// Writes a project file, whole or not at all.
fn write(world: &World, file: &str, text: &str) -> anyhow::Result<()> {
    let path = world.settings.root.join(file);
    let folder = path.parent().expect("a file has a folder");
    fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
    write_whole(&path, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

fn list(globals: &Globals, world: &World) -> anyhow::Result<ExitCode> {
    let project = Project::read(world.settings.clone())?;
    let origin = |origin| if origin == Origin::Crawler { "crawler" } else { "model" };
    let rows = || {
        project.contracts.iter().map(|contract| {
            json!({"table": contract.table.name, "file": contract.file, "origin": origin(contract.origin),
                   "columns": contract.table.columns.len(), "checks": contract.checks.len()})
        })
    };
    let human = || {
        let line = |contract: &crate::contract::Contract| {
            format!(
                "{}  {}, {} columns, {} checks  {}\n",
                contract.table.name,
                origin(contract.origin),
                contract.table.columns.len(),
                contract.checks.len(),
                contract.file
            )
        };
        project.contracts.iter().map(line).collect()
    };
    print(globals, || json!({"schema_version": 1, "contracts": rows().collect::<Vec<_>>()}), human)?;
    Ok(ExitCode::from(exit::CLEAN))
}

fn show(world: &World, table: &str) -> anyhow::Result<ExitCode> {
    use std::io::Write;

    let project = Project::read(world.settings.clone())?;
    let (_, document) = project.contract(table).with_context(|| format!("no contract for `{table}`"))?;
    anstream::stdout().write_all(document.to_json().as_bytes())?;
    Ok(ExitCode::from(exit::CLEAN))
}
