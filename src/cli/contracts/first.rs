//! `contracts init`: a first contract, and a first model, for each source that has none.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use super::super::args::Globals;
use super::super::world::World;
use super::super::{exit, print, say};
use super::{new_file, of, promised, write};
use crate::contract::{Contract, Document};
use crate::problem::{Problem, Problems};
use crate::schema::{Table, UNREADABLE};
use crate::sql::{first_model, ident};

pub(super) async fn init(globals: &Globals, world: &World, asked: &[String]) -> anyhow::Result<ExitCode> {
    let (tables, mut written): (Vec<_>, Vec<_>) = write_missing(world, asked).await?.into_iter().unzip();
    let models = first_models(globals, world, &tables).await?;
    written.extend(models.into_iter().map(|(_, file)| file));
    for skipped in skipped(world).await? {
        say(globals, &skipped);
    }
    if world.is_deployed() && !written.is_empty() {
        say(
            globals,
            &format!("they are in this folder alone: deploy them with `{}`", world.commands.line("contracts push")),
        );
    }
    let human = || match written.as_slice() {
        [] => "no table wants a contract\n".to_owned(),
        files => files.iter().map(|file| format!("wrote {file}\n")).collect(),
    };
    print(globals, || json!({"schema_version": 1, "written": written}), human)?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Writes a contract for each table asked for, or for each guarded table of the catalog that has none: (table, file), files
/// relative to the project.
pub async fn write_missing(world: &World, asked: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let contracts = world.contracts()?;
    let tables = world.catalog.tables(world.raw_prefix()).await?;
    if tables.is_empty() {
        bail!("the catalog holds no `{}` table; run `crawlguard crawl` first", world.raw_prefix());
    }
    let refused = asked.iter().filter_map(|name| not_new(name, &tables, of(&contracts, name)));
    Problems::or(refused.collect(), ())?;
    let wanted = |table: &&Table| match asked {
        [] => why_not(table).is_none() && of(&contracts, &table.name).is_none(),
        asked => asked.contains(&table.name),
    };
    let mut written = Vec::new();
    for table in tables.iter().filter(wanted) {
        let file = new_file(world, &table.name);
        write(world, &file, &Document::for_table(&file, &promised(world, None, table)).to_json())?;
        written.push((table.name.clone(), file));
    }
    Ok(written)
}

/// Writes a first model over each of these tables that no model reads yet: (model, file). A file that is there stays.
pub async fn first_models(
    globals: &Globals,
    world: &World,
    tables: &[String],
) -> anyhow::Result<Vec<(String, String)>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(project) = world.project() else {
        say(globals, "no first model is written while the project has problems: `crawlguard plan` names them");
        return Ok(Vec::new());
    };
    let prefix = world.raw_prefix();
    let is_read = |table: &Table| project.graph.models.values().any(|model| model.reads.contains(&table.name));
    let mut written = Vec::new();
    for table in world.catalog.tables(prefix).await?.iter().filter(|table| tables.contains(&table.name)) {
        let model = format!("int_{}", table.name.strip_prefix(prefix).unwrap_or(&table.name));
        let file = world.settings.config.sql.join(format!("{model}.sql")).display().to_string();
        if !is_read(table) && !world.settings.root.join(&file).exists() {
            write(world, &file, &first_model(table))?;
            written.push((model, file));
        }
    }
    Ok(written)
}

/// Why nothing can be promised of a table, and what to do about it.
fn why_not(table: &Table) -> Option<(String, &'static str)> {
    if let Some(why) = table.parameters.get(UNREADABLE) {
        let why = why.lines().next().unwrap_or_default();
        return Some((format!("its files cannot be read: {why}"), "mend them, and run `crawlguard crawl`"));
    }
    let gone =
        || ("the crawler no longer finds its files".to_owned(), "bring its files back, and run `crawlguard crawl`");
    table.deprecated.then(gone)
}

/// Why a table that was asked for gets no first contract.
fn not_new(name: &str, catalog: &[Table], contract: Option<&Contract>) -> Option<Problem> {
    if let Some(contract) = contract {
        let message = format!("has a contract already, {}", contract.file);
        return Some(Problem::new(name, "", message, format!("run `crawlguard contracts update {name}` to renew it")));
    }
    if let Some(table) = catalog.iter().find(|table| table.name == name) {
        return why_not(table).map(|(message, help)| Problem::new(name, "", message, help));
    }
    let help = match ident::closest(name, catalog.iter().map(|table| table.name.as_str())) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "run `crawlguard crawl` first".to_owned(),
    };
    Some(Problem::new(name, "", "is not in the catalog", help))
}

/// The tables without a contract for which none is written, and why.
async fn skipped(world: &World) -> anyhow::Result<Vec<String>> {
    let contracts = world.contracts()?;
    let tables = world.catalog.tables(world.raw_prefix()).await?;
    let without = tables.iter().filter(|table| of(&contracts, &table.name).is_none());
    Ok(without.filter_map(|table| Some(format!("skipped {}: {}", table.name, why_not(table)?.0))).collect())
}
