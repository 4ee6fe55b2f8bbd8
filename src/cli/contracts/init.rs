//! `contracts init`: first contracts, of crawled tables and of models; one for a retired table that is back; and first models.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use super::super::args::Globals;
use super::super::world::{World, now};
use super::super::{exit, print, say};
use super::first::{first_models, is_read};
use super::journal::{self, Edit, text_of};
use super::log::{self, Accepted, Entry};
use super::observe::observe;
use super::{new_file, of, promised, write};
use crate::catalog::gone;
use crate::contract::{Contract, Document};
use crate::problem::{Problem, Problems, closest, shell_word};
use crate::schema::{Table, TableKind, UNREADABLE};
use crate::sql::Model;

pub async fn init(globals: &Globals, world: &World, asked: &[String]) -> anyhow::Result<ExitCode> {
    let (tables, mut written): (Vec<_>, Vec<_>) = write_missing(globals, world, asked).await?.into_iter().unzip();
    let models = first_models(globals, world, if asked.is_empty() { &tables } else { asked }).await?;
    written.extend(models.into_iter().map(|(_, file)| file));
    for skipped in skipped(world).await? {
        say(globals, &skipped);
    }
    if world.is_deployed() && !written.is_empty() {
        let push = world.commands.line("contracts push");
        say(globals, &format!("they are in this folder alone: deploy them with `{push}`"));
    }
    let human = || match written.as_slice() {
        [] => "nothing to write: contracts and models are there\n".to_owned(),
        files => files.iter().map(|file| format!("wrote {file}\n")).collect(),
    };
    print(globals, || json!({"schema_version": 1, "written": written}), human)?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Writes a contract for each table or model asked for, or for each guarded table of the catalog that has none: (table,
/// file), files relative to the project.
pub async fn write_missing(
    globals: &Globals,
    world: &World,
    asked: &[String],
) -> anyhow::Result<Vec<(String, String)>> {
    let who = world.who().await?;
    let _files = journal::lock(world, &format!("{who}, writing first contracts")).await?;
    let contracts = world.contracts()?;
    let tables = world.catalog.tables(world.raw_prefix()).await?;
    let models = models(world, asked, &tables)?;
    if tables.is_empty() && models.is_empty() {
        bail!("the catalog holds no `{}` table; run `crawlguard crawl` first", world.raw_prefix());
    }
    let unread = unread(world, &contracts);
    let (mut refused, mut built) = (Vec::new(), Vec::new());
    for name in asked {
        match models.iter().find(|model| model.name == *name) {
            Some(model) => match built_table(world, model, of(&contracts, name)).await? {
                Ok(table) => built.push((model, table)),
                Err(problem) => refused.push(problem),
            },
            None if unread.contains(name) => {}
            None => refused.extend(not_new(name, &tables, of(&contracts, name))),
        }
    }
    let wanted = |table: &&Table| match asked {
        [] => why_not(table).is_none() && of(&contracts, &table.name).is_none(),
        asked => asked.contains(&table.name) && !unread.contains(&table.name),
    };
    let new = tables.iter().filter(wanted).map(|table| &table.name).chain(built.iter().map(|(model, _)| &model.name));
    refused.extend(new.filter(|name| of(&contracts, name).is_none()).filter_map(|name| in_the_way(world, name)));
    Problems::or(refused, ())?;
    let mut written = Vec::new();
    for table in tables.iter().filter(wanted) {
        let contract = of(&contracts, &table.name);
        let file = match contract {
            Some(retired) => revive(world, &who, retired, &promised(world, contract, table))?,
            None => first(world, &table.name, |file| Document::for_table(file, &promised(world, None, table)))?,
        };
        written.push((table.name.clone(), file));
    }
    for (model, table) in built {
        let observed = observe(world, &table).await;
        if let Err(why) = &observed {
            say(
                globals,
                &format!(
                    "note: nothing was counted of {}, and its contract has no bound from counts: {why}",
                    model.name
                ),
            );
        }
        let observed = observed.ok();
        let document = |file: &str| Document::for_model(file, &table, &model.primary_key, observed.as_ref());
        let file = first(world, &model.name, document)?;
        written.push((model.name.clone(), file));
    }
    Ok(written)
}

/// A file where a first contract would go.
fn in_the_way(world: &World, table: &str) -> Option<Problem> {
    let file = new_file(world, table);
    let help = format!("rename it: the contract of `{table}` goes there");
    world.settings.root.join(&file).exists().then(|| Problem::new(file, "", "is there, and is another table's", help))
}

/// The tables with a contract in force that no model reads; none while the project has problems.
fn unread(world: &World, contracts: &[Contract]) -> Vec<String> {
    let Ok(project) = world.project() else { return Vec::new() };
    let guarded = contracts.iter().filter(|contract| contract.is_guarded()).map(|contract| &contract.table.name);
    guarded.filter(|table| !is_read(&project, table)).cloned().collect()
}

fn first(world: &World, table: &str, document: impl Fn(&str) -> Document) -> anyhow::Result<String> {
    let file = new_file(world, table);
    write(world, &file, &document(&file).to_json())?;
    Ok(file)
}

/// The models among the names; the project is read only if a name is no table's.
fn models(world: &World, asked: &[String], tables: &[Table]) -> Result<Vec<Model>, Problems> {
    if asked.iter().all(|name| tables.iter().any(|table| table.name == *name) || name.starts_with(world.raw_prefix())) {
        return Ok(Vec::new());
    }
    let models = world.project()?.graph.models;
    Ok(models.into_values().filter(|model| asked.contains(&model.name)).collect())
}

/// A model's table as it was last published, or why it gets no first contract.
async fn built_table(
    world: &World,
    model: &Model,
    contract: Option<&Contract>,
) -> anyhow::Result<Result<Table, Problem>> {
    let name = model.name.as_str();
    if let Some(contract) = contract {
        let message = format!("has a contract already, {}", contract.file);
        return Ok(Err(Problem::new(name, "", message, "edit it; to begin anew, remove it and run this again")));
    }
    let published = world.catalog.table(name).await?;
    if let Some(gone) = published.as_ref().and_then(gone) {
        return Ok(Err(Problem::new(name, "", gone, "")));
    }
    Ok(published.ok_or_else(|| {
        let help = "run `crawlguard run` first: the contract says what is built";
        Problem::new(name, "", "is not published yet", help)
    }))
}

/// Puts the contract of a source that is back in force again, whatever the models say: they may read it already.
fn revive(world: &World, who: &str, retired: &Contract, table: &Table) -> anyhow::Result<String> {
    let (file, before) = (retired.file.clone(), text_of(world, &retired.file)?);
    let document = Document::read(&file, before.as_deref().unwrap_or_default())?.accept(table);
    document.contract()?;
    let back = Accepted { rule: "table-new".to_owned(), path: String::new(), before: None, after: None };
    let entry = Entry {
        at: now(),
        who: who.to_owned(),
        reason: None,
        table: table.name.clone(),
        renamed: Default::default(),
        findings: vec![back],
    };
    let log = log::file(world).display().to_string();
    let edits = [
        Edit { file: file.clone(), before, after: Some(document.to_json()) },
        Edit { file: log, before: log::read(world)?, after: Some(log::appended(world, &[entry])?) },
    ];
    journal::carry_out(world, &edits)?;
    Ok(file)
}

/// Why nothing can be promised of a table, and what to do about it.
fn why_not(table: &Table) -> Option<(String, &'static str)> {
    if table.kind == TableKind::View {
        let help = "give the view a name without the raw prefix";
        return Some(("it is a view, and no crawler makes one".to_owned(), help));
    }
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
    let found = catalog.iter().find(|table| table.name == name);
    match (contract, found) {
        (_, Some(table)) if why_not(table).is_some() => {
            return why_not(table).map(|(message, help)| Problem::new(name, "", message, help));
        }
        (Some(contract), Some(_)) if contract.table.deprecated && !contract.file.ends_with(".json") => {
            let help = format!("set `status: active` in {}, whose comments JSON would lose", contract.file);
            return Some(Problem::new(name, "", "has a retired contract in YAML", help));
        }
        (Some(contract), Some(_)) if contract.table.deprecated => return None,
        (Some(contract), _) if !contract.table.deprecated => {
            let message = format!("has a contract already, {}", contract.file);
            return Some(Problem::new(
                name,
                "",
                message,
                format!("run `crawlguard contracts update {name}` to renew it"),
            ));
        }
        (None, Some(_)) => return None,
        _ => {}
    }
    let help = match closest(name, catalog.iter().map(|table| table.name.as_str())) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "run `crawlguard crawl` first".to_owned(),
    };
    Some(Problem::new(name, "", "is not in the catalog", help))
}

/// The tables without a contract for which none is written, and why; and those with one that no model reads.
async fn skipped(world: &World) -> anyhow::Result<Vec<String>> {
    let contracts = world.contracts()?;
    let tables = world.catalog.tables(world.raw_prefix()).await?;
    let without = tables.iter().filter(|table| of(&contracts, &table.name).is_none());
    let without = without.filter_map(|table| Some(format!("skipped {}: {}", table.name, why_not(table)?.0)));
    let unread = unread(world, &contracts).into_iter().map(|table| {
        let init = world.commands.line(&format!("contracts init {}", shell_word(&table)));
        format!("no model reads {table}: `{init}` writes a first one")
    });
    Ok(without.chain(unread).collect())
}
