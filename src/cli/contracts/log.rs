//! Who accepted what: one JSON object a line, in `log.jsonl` of the contracts folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::args::Globals;
use super::super::world::World;
use super::super::{exit, print};
use super::deployed;
use super::journal::text_of;
use crate::drift::Finding;
use crate::pipeline::{Acceptance, deploy};

/// One acceptance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `2026-01-02T03:04:05Z`.
    pub at: String,
    pub who: String,
    pub reason: Option<String>,
    pub table: String,
    /// Old name → new name of columns that were accepted as renamed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<String, String>,
    pub findings: Vec<Accepted>,
}

/// A finding that was accepted, without its wording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    pub rule: String,
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl From<&Finding> for Accepted {
    fn from(finding: &Finding) -> Self {
        let Finding { rule, path, before, after, .. } = finding.clone();
        Self { rule, path, before, after }
    }
}

/// The log's file, relative to the project.
pub fn file(world: &World) -> PathBuf {
    world.settings.config.contracts.join(deploy::LOG)
}

/// The log's text with `entries` at its end.
pub fn appended(world: &World, entries: &[Entry]) -> anyhow::Result<String> {
    let mut text = read(world)?.unwrap_or_default();
    for entry in entries {
        text += &serde_json::to_string(entry)?;
        text.push('\n');
    }
    Ok(text)
}

/// The log's text, if anything was accepted yet.
pub fn read(world: &World) -> anyhow::Result<Option<String>> {
    text_of(world, &file(world).display().to_string())
}

/// What was accepted at this time or later, as far as this folder's log tells.
pub fn accepted_since(world: &World, time: &str) -> anyhow::Result<Vec<Acceptance>> {
    let (text, name) = (read(world)?.unwrap_or_default(), file(world).display().to_string());
    let entry = |(index, line): (usize, &str)| {
        serde_json::from_str::<Entry>(line).with_context(|| format!("{name}:{}", index + 1))
    };
    let mut accepted = Vec::new();
    for entry in text.lines().enumerate().map(entry) {
        let Entry { at, who, table, .. } = entry?;
        if at.as_str() >= time {
            accepted.push(Acceptance { table, who, at });
        }
    }
    Ok(accepted)
}

/// Prints the acceptances: on AWS those that are deployed, if all of this folder's are.
pub async fn print_log(globals: &Globals, world: &World, table: Option<&str>) -> anyhow::Result<ExitCode> {
    let (mut text, mut name) = (read(world)?.unwrap_or_default(), file(world).display().to_string());
    world.admit().await?;
    let deployed = deployed::of(world).await?;
    if let Some(deployed) = &deployed {
        let (here, there) = (deploy::missing(&text, deployed.log()), deploy::missing(deployed.log(), &text));
        deployed::say_difference(globals, world, here, there);
        if here == 0 {
            (text, name) = (deployed.log().to_owned(), deployed.log_file());
        }
    }
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let entry: Entry = serde_json::from_str(line).with_context(|| format!("{name}:{}", index + 1))?;
        if table.is_none_or(|table| table == entry.table) {
            entries.push(entry);
        }
    }
    if let Some(table) = table.filter(|_| entries.is_empty())
        && !world.contracts()?.iter().any(|contract| contract.table.name == table)
    {
        bail!(
            "no contract for `{table}`, and nothing was ever accepted of it; `crawlguard contracts list` lists the contracts"
        );
    }
    let none = entries.is_empty().then(|| match table {
        Some(table) => format!("nothing was accepted of `{table}` yet\n"),
        None => "nothing was accepted yet\n".to_owned(),
    });
    let mut json = json!({"schema_version": 1, "log": entries});
    if let Some(deployed) = &deployed {
        json["deployed"] = json!({"revision": deployed.revision, "pushed": deployed.pushed});
    }
    let pushed = deployed.as_ref().map(|deployed| format!("deployed: {}\n", deployed::origin(deployed)));
    print(globals, || json, || entries.iter().map(human).chain(none).chain(pushed).collect())?;
    Ok(ExitCode::from(exit::CLEAN))
}

fn human(entry: &Entry) -> String {
    let reason = entry.reason.as_deref().unwrap_or("no reason given");
    let mut text = format!("{}  {}  {}: {reason}\n", entry.at, entry.table, entry.who);
    for (old, new) in &entry.renamed {
        text += &format!("  renamed {old} → {new}\n");
    }
    for finding in &entry.findings {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".into());
        text += &format!("  {} {}: {} → {}\n", finding.rule, finding.path, side(&finding.before), side(&finding.after));
    }
    text
}
