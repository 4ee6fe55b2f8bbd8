//! `contracts update`: the contract becomes what the catalog shows, and the models follow.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use super::super::args::Globals;
use super::super::world::{World, now};
use super::super::{exit, print, say};
use super::deployed;
use super::journal::{self, Edit, text_of};
use super::log::{self, Accepted, Entry};
use super::{new_file, promised};
use crate::contract::{Contract, Document};
use crate::drift::{is_seen, seen};
use crate::pipeline::{self, AdaptedModel, Cast, Comparison, Project, Rename, compare, unseen};
use crate::problem::{Problem, Problems};
use crate::report::human;
use crate::schema::Table;

/// What to accept, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Update<'a> {
    /// Empty: every table that differs.
    pub tables: &'a [String],
    /// `old=new`: a removed column of the one table, and what it is called now.
    pub renames: &'a [String],
    /// What somebody has [`seen`] of the one table.
    pub expect: Option<&'a str>,
    pub reason: Option<&'a str>,
}

/// Who accepts, and when.
struct By {
    at: String,
    who: String,
}

/// Asks whether what it is shown may be written.
pub type Ask<'a> = &'a dyn Fn(&str) -> anyhow::Result<bool>;

/// What was accepted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Updated {
    pub tables: BTreeSet<String>,
    edits: Vec<Edit>,
    /// File → what changes in it, for reading: a diff, or a line a column.
    diffs: Vec<(String, String)>,
    notes: Vec<String>,
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
        let (known, new): (Vec<_>, Vec<_>) = self.diffs.iter().partition(|(file, _)| self.is_as_seen(file, seen));
        let known: String = known.iter().map(|(file, _)| format!("{file}: as it ran, shown above\n")).collect();
        let new: String = new.into_iter().map(|(_, diff)| diff.as_str()).collect();
        let tables: String = self.tables.iter().map(|table| format!("accepted {table}\n")).collect();
        new + &known + &tables
    }

    fn is_as_seen(&self, file: &str, seen: &[AdaptedModel]) -> bool {
        let after = self.edits.iter().find(|edit| edit.file == file).and_then(|edit| edit.after.as_deref());
        seen.iter().any(|model| model.file == file && Some(model.after.as_str()) == after)
    }

    /// What somebody has to see before saying yes.
    fn proposed(&self) -> String {
        let diffs: String = self.diffs.iter().map(|(_, diff)| diff.as_str()).collect();
        diffs + &self.notes.iter().map(|note| format!("note: {note}\n")).collect::<String>()
    }

    fn add(&mut self, edit: Edit, diffed_with: &str) {
        let after = edit.after.as_deref().unwrap_or_default();
        let diff = match edit.file.ends_with(".json") {
            true => human::contract_change(&edit.file, diffed_with, after),
            false => human::diff(&edit.file, diffed_with, after),
        };
        self.diffs.push((edit.file.clone(), diff));
        self.edits.push(edit);
    }
}

pub async fn update(globals: &Globals, world: &World, request: Update<'_>, yes: bool) -> anyhow::Result<ExitCode> {
    let ask: Ask = &|shown| confirmed(shown, "Accept this?");
    let updated = accept(globals, world, request, (!yes).then_some(ask)).await?;
    let files: Vec<_> = updated.edits.iter().map(|edit| edit.file.as_str()).collect();
    print(globals, || json!({"schema_version": 1, "updated": updated.tables, "files": files}), || updated.shown())?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Accepts the drift of the tables asked for: contracts, models and log together.
///
/// The lock is held while files are written, not while somebody reads the question; so what was shown is worked out again
/// under the lock, and must be the same.
pub async fn accept(
    globals: &Globals,
    world: &World,
    request: Update<'_>,
    ask: Option<Ask<'_>>,
) -> anyhow::Result<Updated> {
    expectable(request)?;
    let who = world.who().await?;
    let holder = format!("{who}, accepting drift");
    if journal::is_there(world) {
        let (_lease, _files) = (world.store.lock(&holder).await?, journal::lock(world, &holder).await?);
        journal::finish(world)?;
        say(globals, "note: finished the acceptance that had been cut off");
    }
    let by = By { at: now(), who };
    let proposal = propose(globals, world, request, &by).await?;
    if proposal.tables.is_empty() {
        return Ok(proposal);
    }
    match ask {
        Some(ask) if !ask(&proposal.proposed())? => {
            bail!("not confirmed, nothing written; add --yes to accept without being asked");
        }
        Some(_) => {}
        None => proposal.notes.iter().for_each(|note| say(globals, &format!("note: {note}"))),
    }
    let (_lease, _files) = (world.store.lock(&holder).await?, journal::lock(world, &holder).await?);
    if propose(globals, world, request, &by).await? != proposal {
        bail!("the catalog, a contract or a model changed meanwhile, so nothing was written; look at it again");
    }
    // Deployed first: a push that is refused leaves everything as it was, here too.
    let deployed = deployed::with_edits(globals, world, &proposal.edits, &by.who, request.reason).await?;
    journal::carry_out(world, &proposal.edits)?;
    if let Some(deployed) = deployed {
        deployed::in_step(world, &deployed)?;
    }
    Ok(proposal)
}

/// Everything that accepting would write; writes nothing.
async fn propose(globals: &Globals, world: &World, request: Update<'_>, by: &By) -> anyhow::Result<Updated> {
    let project = world.project()?;
    world.crawled_at().await?;
    let comparison = compare(&project, world.catalog.as_ref(), world.raw_prefix()).await?;
    let tables = choose(&comparison, &project, request.tables)?;
    // Its line may be pasted by each who got it; the second finds nothing to rename either.
    if tables.is_empty() {
        return Ok(Updated::default());
    }
    let renames = renames(&comparison, request)?;
    let models = pipeline::accept(&project, &comparison, &tables, &renames)?;
    as_expected(world, &comparison, request).await?;
    let mut proposal = Updated { notes: models.notes(), ..Updated::default() };
    for name in &tables {
        let table = promised(world, project.contract(name), &models.tables[name]);
        contract_edits(world, &project, &table, (&renames, &models.casts), &mut proposal)?;
    }
    let is_retyped = |contract: &&Contract| models.retyped.iter().any(|output| output.model == contract.table.name);
    for contract in project.contracts.iter().filter(is_retyped) {
        let table = pipeline::with_types(contract, &models.retyped);
        contract_edits(world, &project, &table, (&[], &[]), &mut proposal)?;
    }
    let entry = |table: &String| Entry {
        at: by.at.clone(),
        who: by.who.clone(),
        reason: request.reason.map(str::to_owned),
        table: table.clone(),
        renamed: renames.iter().map(|rename| (rename.from.clone(), rename.to.clone())).collect(),
        findings: comparison.findings.iter().filter(|found| found.table == *table).map(Accepted::from).collect(),
    };
    let entries: Vec<Entry> = tables.iter().map(entry).collect();
    let file = log::file(world).display().to_string();
    // The log is a record of the diff, not part of it.
    proposal.edits.push(Edit { file, before: log::read(world)?, after: Some(log::appended(world, &entries)?) });
    for model in models.adaptation.models {
        let before = project.graph.models[&model.name].text.clone();
        proposal.add(Edit { file: model.file, before: Some(before.clone()), after: Some(model.text) }, &before);
    }
    proposal.notes.extend(deployed::brought_along(globals, world, &proposal.edits).await?);
    proposal.tables = tables;
    Ok(proposal)
}

/// The renames asked for: they are of one table, which has to be named.
fn renames(comparison: &Comparison, request: Update<'_>) -> anyhow::Result<Vec<Rename>> {
    match (request.renames, request.tables) {
        ([], _) => Ok(Vec::new()),
        (asked, [table]) => Ok(pipeline::renames(comparison, table, asked)?),
        _ => bail!("--rename is of one table: name it, as in `crawlguard contracts update TABLE --rename old=new`"),
    }
}

/// That nothing is found of the one table but what somebody has seen. It is asked once nothing else stands in the way, so the
/// line that accepts it all is accepted as it is printed.
async fn as_expected(world: &World, comparison: &Comparison, request: Update<'_>) -> anyhow::Result<()> {
    let (Some(expected), [table]) = (request.expect, request.tables) else { return Ok(()) };
    let Some(unseen) = unseen(world.store.as_ref(), &comparison.findings, table, expected).await? else {
        return Ok(());
    };
    let digits = seen(&comparison.findings, table);
    let line = |renames: &[String]| world.commands.accept(table, renames, &digits);
    let message =
        format!("nothing is accepted: what is found of it is not what `--expect {expected}` was printed for\n{unseen}");
    let likely = comparison.renames.get(table).filter(|likely| likely.as_slice() != request.renames);
    let renamed = likely.map(|likely| format!("\n{}\nor, as it was asked for,", line(likely))).unwrap_or_default();
    let help = format!("mend the source, or accept all that is found now:{renamed}\n{}", line(request.renames));
    Err(Problems::from(Problem::new(table, "", message, help)).into())
}

/// That `--expect` is of one table, which is named, and that it may have been printed.
fn expectable(request: Update<'_>) -> anyhow::Result<()> {
    match (request.expect, request.tables) {
        (Some(_), [] | [_, _, ..]) => {
            bail!("--expect is of one table: name it, as in `crawlguard contracts update TABLE --expect DIGITS`")
        }
        (Some(expected), _) if !is_seen(expected) => {
            bail!(
                "--expect `{expected}`: no alert printed that; paste its line whole, it ends in 6 digits or letters a to f"
            )
        }
        _ => Ok(()),
    }
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

/// The contract's new text, read back before it is offered. One that was YAML becomes JSON, and the YAML goes out of the way:
/// no table may have two contracts.
fn contract_edits(
    world: &World,
    project: &Project,
    table: &Table,
    (renames, casts): (&[Rename], &[Cast]),
    proposal: &mut Updated,
) -> anyhow::Result<()> {
    let Some(document) = project.document(&table.name)? else {
        let file = new_file(world, &table.name);
        let document = Document::for_table(&file, table);
        document.contract()?;
        proposal.add(Edit { file, before: None, after: Some(document.to_json()) }, "");
        return Ok(());
    };
    let accepted = pipeline::accepted_document(&document, table, renames, casts)?;
    let (file, after) = (document.file.clone(), Some(accepted.to_json()));
    let before = text_of(world, &file)?;
    if file.ends_with(".json") {
        let text = before.clone().unwrap_or_default();
        proposal.add(Edit { file, before, after }, &text);
        return Ok(());
    }
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
    let (json, aside) = (format!("{stem}.json"), format!("{file}.bak"));
    for other in [&json, &aside] {
        if text_of(world, other)?.is_some() {
            bail!("{other} is in the way: {file} becomes {json} and is kept as {aside}; move it and accept again");
        }
    }
    proposal.notes.push(moved_aside(&document, &json, &aside));
    proposal.add(Edit { file: json, before: None, after }, &document.to_json());
    proposal.edits.push(Edit { file, before, after: None });
    Ok(())
}

fn moved_aside(document: &Document, json: &str, aside: &str) -> String {
    let lines: Vec<String> = document.comment_lines.iter().map(ToString::to_string).collect();
    let comments = match lines.as_slice() {
        [] => String::new(),
        lines => format!(", and with it the comments of lines {}, which JSON cannot carry", lines.join(", ")),
    };
    format!("{} becomes {json}; it is kept as {aside}, which nothing reads{comments}", document.file)
}

/// Shows the change, and asks where there is somebody to ask.
pub fn confirmed(shown: &str, question: &str) -> anyhow::Result<bool> {
    let mut stderr = anstream::stderr();
    write!(stderr, "{shown}")?;
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(stderr, "\n{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::args::{Color, Format};
    use super::super::super::{crawl, init};
    use super::*;

    fn globals(root: &std::path::Path) -> Globals {
        let project = Some(root.to_owned());
        Globals { project, target: None, format: Format::Human, quiet: true, verbose: 0, color: Color::Never }
    }

    /// A project whose orders have a column more than their contract.
    async fn drifted(root: &std::path::Path) -> World {
        fs::create_dir_all(root.join("lake/orders")).unwrap();
        let file = root.join("lake/orders/1.json");
        fs::write(&file, "{\"id\":1}\n").unwrap();
        fs::write(root.join("crawlguard.toml"), init::settings("shop", "lake")).unwrap();
        let world = World::open(&globals(root)).await.unwrap();
        crawl::update(&world).await.unwrap();
        super::super::write_missing(&globals(root), &world, &[]).await.unwrap();
        fs::write(&file, "{\"id\":1,\"note\":\"x\"}\n").unwrap();
        crawl::update(&world).await.unwrap();
        world
    }

    #[tokio::test]
    async fn what_changed_while_somebody_was_asked_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let world = drifted(folder.path()).await;
        let contract = folder.path().join("contracts/raw_orders.json");
        let edited = fs::read_to_string(&contract).unwrap().replace("1.0.0", "1.0.7");
        let ask = |_: &str| {
            fs::write(&contract, &edited)?;
            Ok(true)
        };
        let error = accept(&globals(folder.path()), &world, Update::default(), Some(&ask)).await.unwrap_err();
        assert!(error.to_string().contains("changed meanwhile"), "{error}");
        assert_eq!(fs::read_to_string(&contract).unwrap(), edited);
        let yes = |shown: &str| Ok(shown.contains("note"));
        let updated = accept(&globals(folder.path()), &world, Update::default(), Some(&yes)).await.unwrap();
        assert_eq!(updated.tables, BTreeSet::from(["raw_orders".to_owned()]));
        assert!(!journal::is_there(&world));
    }
}
