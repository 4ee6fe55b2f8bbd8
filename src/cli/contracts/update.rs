//! `contracts update`: the contract becomes what the catalog shows, and the models follow.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::args::Globals;
use super::super::world::{World, now, who};
use super::super::{exit, print, say};
use super::log::{self, Accepted, Entry};
use super::{new_file, write};
use crate::contract::Document;
use crate::pipeline::{Comparison, Project, accepted_models, compare};
use crate::report::human;
use crate::store::Store;

/// A project file before and after.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Edit {
    file: String,
    before: String,
    after: String,
}

/// The edits of an update that has begun; its file is removed when all are written.
const PENDING: &str = "update.json";

pub async fn update(globals: &Globals, world: &World, tables: &[String], reason: Option<&str>, yes: bool) -> anyhow::Result<ExitCode> {
    let _lease = world.store.lock(&format!("{}, accepting drift", who())).await?;
    finish_pending(world)?;
    let project = Project::read(world.settings.clone())?;
    let comparison = compare(&project, world.catalog.as_ref(), &world.local.raw_prefix).await?;
    let chosen = choose(&comparison, &project, tables)?;
    if chosen.is_empty() {
        print(globals, || json!({"schema_version": 1, "updated": []}), || "nothing differs\n".into())?;
        return Ok(ExitCode::from(exit::CLEAN));
    }
    let edits = edits(world, &project, &comparison, &chosen, reason)?;
    let shown: String = edits.iter().filter(|edit| !edit.file.ends_with(".jsonl")).map(|edit| human::diff(&edit.file, &edit.before, &edit.after)).collect();
    for document in project.documents.iter().filter(|document| !document.comment_lines.is_empty() && edits.iter().any(|edit| edit.file == document.file)) {
        say(globals, &format!("note: {} has comments, which JSON cannot carry; its YAML is kept as {}.bak", document.file, document.file));
    }
    if !yes && !confirmed(&shown)? {
        bail!("not confirmed, nothing written; add --yes to accept without being asked");
    }
    apply(world, &edits)?;
    let files: Vec<_> = edits.iter().map(|edit| edit.file.as_str()).collect();
    print(
        globals,
        || json!({"schema_version": 1, "updated": chosen, "files": files}),
        || shown + &chosen.iter().map(|table| format!("accepted {table}\n")).collect::<String>(),
    )?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// The tables to accept: those asked for, or all that differ.
fn choose(comparison: &Comparison, project: &Project, asked: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let differing: BTreeSet<String> = comparison.findings.iter().map(|finding| finding.table.clone()).collect();
    let known = |table: &String| project.contract(table).is_some() || comparison.tables.iter().any(|found| found.name == *table);
    let strangers: Vec<_> = asked.iter().filter(|table| !known(table)).map(|table| format!("`{table}`")).collect();
    if !strangers.is_empty() {
        bail!("no table {} in the catalog or the contracts", strangers.join(", "));
    }
    Ok(if asked.is_empty() { differing } else { asked.iter().filter(|table| differing.contains(*table)).cloned().collect() })
}

fn edits(world: &World, project: &Project, comparison: &Comparison, chosen: &BTreeSet<String>, reason: Option<&str>) -> anyhow::Result<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut entries = Vec::new();
    for name in chosen {
        let table = comparison.tables.iter().find(|table| table.name == *name);
        let table = table.with_context(|| format!("`{name}` is not in the catalog; bring its files back, or delete its contract and models"))?;
        if let Some(why) = table.parameters.get(crate::schema::UNREADABLE) {
            bail!("`{name}` cannot be accepted while its files cannot be read: {why}");
        }
        edits.extend(contract_edits(world, project, table));
        let accepted = comparison.findings.iter().filter(|finding| finding.table == *name).map(Accepted::from).collect();
        entries.push(Entry { at: now(), who: who(), reason: reason.map(str::to_owned), table: name.clone(), findings: accepted });
    }
    for model in accepted_models(project, comparison, chosen)? {
        let before = project.graph.models[&model.name].text.clone();
        edits.push(Edit { file: model.file, before, after: model.text });
    }
    let file = log::file(world).display().to_string();
    edits.push(Edit { file, before: String::new(), after: log::appended(world, &entries)? });
    Ok(edits)
}

/// The contract's new text; for one that was YAML, JSON beside it and the YAML out of the way.
fn contract_edits(world: &World, project: &Project, table: &crate::schema::Table) -> Vec<Edit> {
    let Some((_, document)) = project.contract(&table.name) else {
        let file = new_file(world, &table.name);
        let after = Document::for_table(&file, table).to_json();
        return vec![Edit { file, before: String::new(), after }];
    };
    let (file, before, after) = (document.file.clone(), document.to_json(), document.accept(table).to_json());
    if file.ends_with(".json") {
        return vec![Edit { file, before, after }];
    }
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
    vec![Edit { file: stem + ".json", before: before.clone(), after }, Edit { file, before, after: String::new() }]
}

/// Shows the change and asks, where there is somebody to ask.
fn confirmed(shown: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut stderr = anstream::stderr();
    write!(stderr, "{shown}\nAccept this? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Writes all edits: first together as the pending update, then one by one; cut off in between, the next update goes on.
fn apply(world: &World, edits: &[Edit]) -> anyhow::Result<()> {
    let pending = world.settings.root.join(&world.local.state).join(PENDING);
    crate::store::write_whole(&pending, &serde_json::to_vec(edits)?).with_context(|| format!("write {}", pending.display()))?;
    for edit in edits {
        if edit.after.is_empty() {
            let path = world.settings.root.join(&edit.file);
            if path.exists() {
                std::fs::rename(&path, path.with_added_extension("bak")).with_context(|| format!("move {}", path.display()))?;
            }
        } else {
            write(world, &edit.file, &edit.after)?;
        }
    }
    std::fs::remove_file(&pending).with_context(|| format!("remove {}", pending.display()))
}

fn finish_pending(world: &World) -> anyhow::Result<()> {
    let pending = world.settings.root.join(&world.local.state).join(PENDING);
    if !pending.exists() {
        return Ok(());
    }
    let bytes = std::fs::read(&pending).with_context(|| format!("read {}", pending.display()))?;
    let edits: Vec<Edit> = serde_json::from_slice(&bytes).with_context(|| format!("read {}", pending.display()))?;
    apply(world, &edits)
}
