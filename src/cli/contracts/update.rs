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
use super::{new_file, promised, write};
use crate::contract::Document;
use crate::pipeline::{self, AdaptedModel, Comparison, Project, compare};
use crate::report::human;
use crate::schema::{Table, UNREADABLE};
use crate::store::write_whole;

/// What to accept, and how.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// Empty: every table that differs.
    pub tables: &'a [String],
    pub reason: Option<&'a str>,
    /// Do not ask.
    pub yes: bool,
}

/// What was accepted.
#[derive(Debug, Clone, Default)]
pub struct Updated {
    pub tables: BTreeSet<String>,
    edits: Vec<Edit>,
}

impl Updated {
    /// The edits as a diff, and the tables.
    pub fn shown(&self) -> String {
        self.shown_after(&[])
    }

    /// The same, for somebody who has `seen` the new texts of these models.
    pub fn shown_after(&self, seen: &[AdaptedModel]) -> String {
        if self.tables.is_empty() {
            return "nothing differs\n".into();
        }
        let (known, new): (Vec<_>, Vec<_>) = self
            .edits
            .iter()
            .cloned()
            .partition(|edit| seen.iter().any(|model| (&model.file, &model.after) == (&edit.file, &edit.after)));
        let known = known.iter().map(|edit| format!("{}: as it ran, shown above\n", edit.file));
        shown(&new)
            + &known.collect::<String>()
            + &self.tables.iter().map(|table| format!("accepted {table}\n")).collect::<String>()
    }
}

/// A project file before and after; `after` is empty for a file that goes out of the way.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Edit {
    file: String,
    before: String,
    after: String,
}

/// The edits of an update that has begun; the file is removed when all are written.
const PENDING: &str = "update.json";

pub async fn update(globals: &Globals, world: &World, request: Update<'_>) -> anyhow::Result<ExitCode> {
    let updated = accept(globals, world, request).await?;
    let files: Vec<_> = updated.edits.iter().map(|edit| edit.file.as_str()).collect();
    print(globals, || json!({"schema_version": 1, "updated": updated.tables, "files": files}), || updated.shown())?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Accepts the drift of the tables asked for: contracts, models and log together.
pub async fn accept(globals: &Globals, world: &World, request: Update<'_>) -> anyhow::Result<Updated> {
    let _lease = world.store.lock(&format!("{}, accepting drift", who())).await?;
    finish_pending(world)?;
    let project = Project::read(world.settings.clone())?;
    let comparison = compare(&project, world.catalog.as_ref(), world.raw_prefix()).await?;
    let tables = choose(&comparison, &project, request.tables)?;
    if tables.is_empty() {
        return Ok(Updated::default());
    }
    let models = pipeline::accept(&project, &comparison, &tables)?;
    for left in &models.left_out {
        say(globals, &format!("note: {left}"));
    }
    let mut edits = edits(world, &project, &comparison, &tables, request.reason)?;
    for model in models.adaptation.models {
        let before = project.graph.models[&model.name].text.clone();
        edits.push(Edit { file: model.file, before, after: model.text });
    }
    for document in &project.documents {
        if !document.comment_lines.is_empty() && edits.iter().any(|edit| edit.file == document.file) {
            let file = &document.file;
            say(globals, &format!("note: JSON cannot carry the comments of {file}; it is kept as {file}.bak"));
        }
    }
    if !request.yes && !confirmed(&shown(&edits))? {
        bail!("not confirmed, nothing written; add --yes to accept without being asked");
    }
    apply(world, &edits)?;
    Ok(Updated { tables, edits })
}

/// The diff that is shown; the log is a record of it, not part.
fn shown(edits: &[Edit]) -> String {
    let seen = edits.iter().filter(|edit| !edit.file.ends_with(".jsonl"));
    seen.map(|edit| match edit.file.ends_with(".json") {
        true => human::contract_change(&edit.file, &edit.before, &edit.after),
        false => human::diff(&edit.file, &edit.before, &edit.after),
    })
    .collect()
}

/// The tables to accept: those asked for, or all that differ.
fn choose(comparison: &Comparison, project: &Project, asked: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let differing: BTreeSet<String> = comparison.findings.iter().map(|finding| finding.table.clone()).collect();
    let known = |table: &String| {
        project.contract(table).is_some() || comparison.tables.iter().any(|found| found.name == *table)
    };
    let strangers: Vec<_> = asked.iter().filter(|table| !known(table)).map(|table| format!("`{table}`")).collect();
    if !strangers.is_empty() {
        bail!("no table {} in the catalog or the contracts", strangers.join(", "));
    }
    if asked.is_empty() {
        return Ok(differing);
    }
    Ok(asked.iter().filter(|table| differing.contains(*table)).cloned().collect())
}

fn edits(
    world: &World,
    project: &Project,
    comparison: &Comparison,
    chosen: &BTreeSet<String>,
    reason: Option<&str>,
) -> anyhow::Result<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut entries = Vec::new();
    for name in chosen {
        edits.extend(contract_edits(world, project, &promised(&acceptable(comparison, name)?))?);
        let findings =
            comparison.findings.iter().filter(|finding| finding.table == *name).map(Accepted::from).collect();
        let reason = reason.map(str::to_owned);
        entries.push(Entry { at: now(), who: who(), reason, table: name.clone(), findings });
    }
    let file = log::file(world).display().to_string();
    edits.push(Edit { file, before: String::new(), after: log::appended(world, &entries)? });
    Ok(edits)
}

/// The table as the catalog shows it, if it can be promised at all; marked as deprecated if its source is gone.
fn acceptable(comparison: &Comparison, name: &str) -> anyhow::Result<Table> {
    let mut findings = comparison.findings.iter().filter(|finding| finding.table == name);
    if let Some(gone) = findings.find(|finding| finding.is_gone()) {
        if !gone.models.is_empty() {
            let models: Vec<_> = gone.models.iter().map(|reader| format!("`{}`", reader.model)).collect();
            bail!(
                "`{name}` cannot be retired while models read it ({}); bring its files back, or take it out of the models",
                models.join(", ")
            );
        }
        return Ok(Table { name: name.to_owned(), deprecated: true, ..Table::default() });
    }
    let table = comparison.tables.iter().find(|table| table.name == name);
    let table = table.with_context(|| format!("`{name}` is not in the catalog"))?;
    if let Some(why) = table.parameters.get(UNREADABLE) {
        bail!("`{name}` cannot be accepted while its files cannot be read: {why}");
    }
    if comparison.findings.iter().any(|finding| finding.table == name && finding.rule == "headers-differ") {
        bail!("`{name}` cannot be accepted while its files have different headers; rewrite the older ones");
    }
    if let Some(column) =
        table.columns.iter().chain(&table.partition_keys).find(|column| column.data_type.has_unrecognized())
    {
        bail!(
            "`{name}` cannot be accepted: the type `{}` of `{}` is not known, and nothing can be promised of it",
            column.data_type,
            column.name
        );
    }
    Ok(table.clone())
}

/// The contract's new text, read back before it is offered; for one that was YAML, JSON beside it and the YAML out of the way.
fn contract_edits(world: &World, project: &Project, table: &Table) -> anyhow::Result<Vec<Edit>> {
    let Some((_, document)) = project.contract(&table.name) else {
        let file = new_file(world, &table.name);
        let document = Document::for_table(&file, table);
        document.contract()?;
        return Ok(vec![Edit { file, before: String::new(), after: document.to_json() }]);
    };
    let accepted = document.accept(table);
    accepted.contract().context("the accepted contract would not be valid; edit it by hand")?;
    let (file, before, after) = (document.file.clone(), document.to_json(), accepted.to_json());
    if file.ends_with(".json") {
        return Ok(vec![Edit { file, before, after }]);
    }
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
    Ok(vec![Edit { file: stem + ".json", before: before.clone(), after }, Edit { file, before, after: String::new() }])
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
    let pending = world.scratch().join(PENDING);
    write_whole(&pending, &serde_json::to_vec(edits)?).with_context(|| format!("write {}", pending.display()))?;
    for edit in edits {
        let path = world.settings.root.join(&edit.file);
        if !edit.after.is_empty() {
            write(world, &edit.file, &edit.after)?;
        } else if path.exists() {
            let aside = path.with_added_extension("bak");
            std::fs::rename(&path, &aside).with_context(|| format!("move {} aside", path.display()))?;
        }
    }
    std::fs::remove_file(&pending).with_context(|| format!("remove {}", pending.display()))
}

fn finish_pending(world: &World) -> anyhow::Result<()> {
    let pending = world.scratch().join(PENDING);
    if !pending.exists() {
        return Ok(());
    }
    let bytes = std::fs::read(&pending).with_context(|| format!("read {}", pending.display()))?;
    let edits: Vec<Edit> = serde_json::from_slice(&bytes).with_context(|| format!("read {}", pending.display()))?;
    apply(world, &edits)
}
