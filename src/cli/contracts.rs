//! `contracts …`: what is promised, and accepting what the catalog shows instead.

mod deployed;
mod first;
mod init;
mod journal;
mod log;
mod observe;
mod update;

use std::fs;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::args::{Contracts, Globals};
use super::world::{Place, World};
use super::{exit, print};
use crate::contract::{Contract, Origin};
use crate::schema::Table;
use crate::store::write_whole;

pub use deployed::of as deployed_project;
pub use first::first_models;
pub use init::write_missing;
pub use journal::unfinished;
pub use log::accepted_since;
pub use update::{Ask, Update, accept};

pub async fn contracts(globals: &Globals, command: &Contracts) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    match command {
        Contracts::Init { tables } => init::init(globals, &world, tables).await,
        Contracts::Update { tables, rename, expect, reason, yes } => {
            let (expect, reason) = (expect.as_deref(), reason.as_deref());
            let request = Update { tables, renames: rename, expect, reason };
            update::update(globals, &world, request, *yes).await
        }
        Contracts::List => list(globals, &world),
        Contracts::Show { table } => show(&world, table),
        Contracts::Log { table } => log::print_log(globals, &world, table.as_deref()).await,
        Contracts::Push { reason } => deployed::push(globals, &world, reason.as_deref()).await,
        Contracts::Pull { yes, overwrite } => {
            let ask: Ask = &|shown| update::confirmed(shown, "Take the deployed text, and keep this folder's as .bak?");
            deployed::pull(globals, &world, *overwrite, (!yes).then_some(ask)).await
        }
    }
}

/// A table's contract.
fn of<'a>(contracts: &'a [Contract], table: &str) -> Option<&'a Contract> {
    contracts.iter().find(|contract| contract.table.name == table)
}

/// What a contract promises: everything but a folder on this machine; what it says of another target's place stays.
fn promised(world: &World, contract: Option<&Contract>, table: &Table) -> Table {
    match world.place {
        Place::Here(_) if !table.location.as_deref().is_some_and(|location| location.contains("://")) => {
            let location = contract.and_then(|contract| contract.table.location.clone());
            Table { location, ..table.clone() }
        }
        _ => table.clone(),
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
    let mut project = world.project()?;
    project.contracts.sort_by(|a, b| a.file.cmp(&b.file));
    let origin = |origin| if origin == Origin::Crawler { "crawler" } else { "model" };
    let rows = || {
        project.contracts.iter().map(|contract| {
            json!({"table": contract.table.name, "file": contract.file, "origin": origin(contract.origin),
                   "retired": contract.table.deprecated,
                   "columns": contract.table.columns.len(), "checks": contract.checks.len()})
        })
    };
    let human = || {
        let line = |contract: &Contract| {
            format!(
                "{}  {}{}, {}, {}  {}\n",
                contract.table.name,
                if contract.table.deprecated { "retired, " } else { "" },
                origin(contract.origin),
                counted(contract.table.columns.len(), "column"),
                counted(contract.checks.len(), "quality rule"),
                contract.file
            )
        };
        project.contracts.iter().map(line).collect()
    };
    print(globals, || json!({"schema_version": 1, "contracts": rows().collect::<Vec<_>>()}), human)?;
    Ok(ExitCode::from(exit::CLEAN))
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn show(world: &World, table: &str) -> anyhow::Result<ExitCode> {
    use std::io::Write;

    let project = world.project()?;
    let document = project.document(table)?.with_context(|| format!("no contract for `{table}`"))?;
    anstream::stdout().write_all(document.to_json().as_bytes())?;
    Ok(ExitCode::from(exit::CLEAN))
}
