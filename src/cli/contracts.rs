//! `contracts …`: what is promised, and accepting what the catalog shows instead.

mod deployed;
mod journal;
mod log;
mod update;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::{Contracts, Globals};
use super::world::{Place, World};
use super::{exit, print, say};
use crate::contract::{Contract, Document, Origin};
use crate::problem::{Problem, Problems};
use crate::schema::Table;
use crate::sql::ident;
use crate::store::write_whole;

pub use deployed::of as deployed_project;
pub use journal::unfinished;
pub use update::{Ask, Update, accept};

pub async fn contracts(globals: &Globals, command: &Contracts) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    match command {
        Contracts::Init { tables } => init(globals, &world, tables).await,
        Contracts::Update { tables, rename, reason, yes } => {
            let request = Update { tables, renames: rename, reason: reason.as_deref() };
            update::update(globals, &world, request, *yes).await
        }
        Contracts::List => list(globals, &world),
        Contracts::Show { table } => show(&world, table),
        Contracts::Log { table } => log::print_log(globals, &world, table.as_deref()).await,
        Contracts::Push { reason } => deployed::push(globals, &world, reason.as_deref()).await,
        Contracts::Pull { yes } => {
            let ask: Ask = &|shown| update::confirmed(shown, "Overwrite this folder's files?");
            deployed::pull(globals, &world, (!yes).then_some(ask)).await
        }
    }
}

async fn init(globals: &Globals, world: &World, asked: &[String]) -> anyhow::Result<ExitCode> {
    let written = write_missing(world, asked).await?;
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

/// Writes a contract for each table asked for, or for each guarded table of the catalog that has none; returns the files,
/// relative to the project.
pub async fn write_missing(world: &World, asked: &[String]) -> anyhow::Result<Vec<String>> {
    let contracts = world.contracts()?;
    let tables = world.catalog.tables(world.raw_prefix()).await?;
    if tables.is_empty() {
        bail!("the catalog holds no `{}` table; run `crawlguard crawl` first", world.raw_prefix());
    }
    let refused = asked.iter().filter_map(|name| not_new(name, &tables, of(&contracts, name)));
    Problems::or(refused.collect(), ())?;
    let wanted = |table: &&Table| match asked {
        [] => !table.deprecated && of(&contracts, &table.name).is_none(),
        asked => asked.contains(&table.name),
    };
    let mut written = Vec::new();
    for table in tables.iter().filter(wanted) {
        let file = new_file(world, &table.name);
        write(world, &file, &Document::for_table(&file, &promised(world, None, table)).to_json())?;
        written.push(file);
    }
    Ok(written)
}

/// Why a table that was asked for gets no first contract.
fn not_new(name: &str, catalog: &[Table], contract: Option<&Contract>) -> Option<Problem> {
    if let Some(contract) = contract {
        let message = format!("has a contract already, {}", contract.file);
        return Some(Problem::new(name, "", message, format!("run `crawlguard contracts update {name}` to renew it")));
    }
    match catalog.iter().find(|table| table.name == name) {
        Some(table) if table.deprecated => {
            let help = "bring its files back, and run `crawlguard crawl`";
            return Some(Problem::new(name, "", "the crawler no longer finds its files", help));
        }
        Some(_) => return None,
        None => {}
    }
    let help = match ident::closest(name, catalog.iter().map(|table| table.name.as_str())) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "run `crawlguard crawl` first".to_owned(),
    };
    Some(Problem::new(name, "", "is not in the catalog", help))
}

/// The tables without a contract for which none is written.
async fn without_files(world: &World) -> anyhow::Result<Vec<String>> {
    let contracts = world.contracts()?;
    let mut tables = world.catalog.tables(world.raw_prefix()).await?;
    tables.retain(|table| table.deprecated && of(&contracts, &table.name).is_none());
    Ok(tables.into_iter().map(|table| table.name).collect())
}

/// A table's contract.
fn of<'a>(contracts: &'a [Contract], table: &str) -> Option<&'a Contract> {
    contracts.iter().find(|contract| contract.table.name == table)
}

/// What a contract promises: everything but, of a local target, the folder on this machine; what it says of another
/// target's place stays.
fn promised(world: &World, contract: Option<&Contract>, table: &Table) -> Table {
    match world.place {
        Place::Here(_) => {
            let location = contract.and_then(|contract| contract.table.location.clone());
            Table { location, ..table.clone() }
        }
        #[cfg(feature = "aws")]
        Place::Cloud(_) => table.clone(),
    }
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
    let project = world.project()?;
    let origin = |origin| if origin == Origin::Crawler { "crawler" } else { "model" };
    let rows = || {
        project.contracts.iter().map(|contract| {
            json!({"table": contract.table.name, "file": contract.file, "origin": origin(contract.origin),
                   "columns": contract.table.columns.len(), "checks": contract.checks.len()})
        })
    };
    let human = || {
        let line = |contract: &Contract| {
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

    let project = world.project()?;
    let (_, document) = project.contract(table).with_context(|| format!("no contract for `{table}`"))?;
    anstream::stdout().write_all(document.to_json().as_bytes())?;
    Ok(ExitCode::from(exit::CLEAN))
}
