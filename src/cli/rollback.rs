//! `rollback`: the versions of a published table, and putting one back.

mod history;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use history::{History, Shown};

use super::args::Globals;
use super::world::World;
use super::{exit, print};
use crate::catalog::gone;
use crate::pipeline::{ROWS, RUN, Slot, load, under_way, unfinished};
use crate::plan::{STAGING_PREFIX, run_id, slot_of};
use crate::problem::{Problem, Problems};
use crate::schema::{RESTORED, Table};

/// A kept version of a published table.
struct Version {
    number: String,
    /// The run that built it, and the moment that run stands for.
    run: Option<String>,
    slot: Option<String>,
    rows: Option<String>,
    /// The number of the version that it is, if it was put back.
    restored: Option<u64>,
    /// What it shows: versions of one build have the same data.
    build: String,
    /// What became of its files, if they are gone.
    gone: Option<String>,
}

impl Version {
    async fn of(world: &World, table: Table) -> anyhow::Result<Self> {
        let run = table.parameters.get(RUN).cloned();
        let slot = match &run {
            Some(id) => load(world.store.as_ref(), id).await?.map(|recorded| recorded.run.slot),
            None => None,
        };
        let slot = slot.or_else(|| run.as_deref().and_then(slot_of));
        let (rows, gone) = (table.parameters.get(ROWS).cloned(), gone(&table));
        let restored = table.parameters.get(RESTORED).and_then(|number| number.parse().ok());
        let number = table.version.unwrap_or_default();
        let build = run.clone().or(table.location).unwrap_or_else(|| number.clone());
        Ok(Self { number, run, slot, rows, restored, build, gone })
    }

    fn words(&self) -> String {
        let unknown = "an unknown number of";
        let rows = self.rows.as_deref().unwrap_or(unknown);
        let built = self.slot.as_deref().or(self.run.as_deref()).unwrap_or("an unknown time");
        let noun = if rows == "1" { "row" } else { "rows" };
        format!("version {}, built {built}, {rows} {noun}", self.number)
    }

    fn json(&self, history: &History<'_>) -> serde_json::Value {
        let rows = self.rows.as_ref().and_then(|rows| rows.parse::<u64>().ok());
        let rolled_back = history.is_rolled_back(&self.build);
        json!({"version": self.number, "run_id": self.run, "slot": self.slot, "rows": rows, "rolled_back": rolled_back, "files_gone": self.gone.is_some()})
    }
}

/// Prints a table's kept versions, newest first: of each build the newest.
pub async fn list(globals: &Globals, table: &str) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    world.admit().await?;
    let kept = versions(&world, table).await?;
    let (history, builds) = (history(&kept), builds(&kept));
    let rows = || builds.iter().map(|version| version.json(&history)).collect::<Vec<_>>();
    let human = || {
        let line = |(index, version): (usize, &&Version)| {
            let mark = match history.is_rolled_back(&version.build) {
                _ if index == 0 => "  (what readers see)",
                true => "  (rolled back)",
                false => "",
            };
            let gone = if version.gone.is_some() { "  (its files are gone)" } else { "" };
            format!("{}{mark}{gone}\n", version.words())
        };
        builds.iter().enumerate().map(line).collect()
    };
    print(globals, || json!({"schema_version": 1, "table": table, "versions": rows()}), human)?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Makes an earlier version what readers see, until the next run publishes: the one that `to` names, else the one before
/// what they see now, so that each rollback goes one further back.
pub async fn rollback(globals: &Globals, table: &str, to: Option<&str>) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let _lease = world.store.lock(&format!("{}, rolling back {table}", world.who().await?)).await?;
    nothing_under_way(&world).await?;
    let kept = versions(&world, table).await?;
    let found = match to {
        Some(wanted) => kept.iter().find(|version| version.number == wanted),
        None => history(&kept).before().and_then(|build| kept.iter().find(|version| version.build == build)),
    };
    let Some(chosen) = found else {
        let all: Vec<_> = builds(&kept).into_iter().map(Version::words).collect();
        match to {
            Some(wanted) => bail!("`{table}` has no version {wanted}; kept: {}", all.join("; ")),
            None => bail!("`{table}` has no version before the one that readers see; kept: {}", all.join("; ")),
        }
    };
    if let Some(gone) = &chosen.gone {
        bail!("version {} of `{table}` {gone}", chosen.number);
    }
    let shows_it = kept.first().is_some_and(|now| now.build == chosen.build);
    let version = match shows_it {
        true => kept[0].number.clone(),
        false => {
            let mark = [(RESTORED.to_owned(), origin(&kept, chosen))];
            world.catalog.restore(table, &chosen.number, &mark).await?.version.unwrap_or_default()
        }
    };
    print(
        globals,
        || json!({"schema_version": 1, "table": table, "restored": chosen.number, "version": version}),
        || match shows_it {
            true => format!("{table} shows {} already\n", chosen.words()),
            false => restored(table, chosen, &version, to),
        },
    )?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// A run that has begun, or is asked for already, would publish over the version that was put back. The caller holds the
/// lock, but between two steps a run on AWS holds none, nor does one that was cut off.
async fn nothing_under_way(world: &World) -> anyhow::Result<()> {
    let store = world.store.as_ref();
    let (run, command) = match under_way(store).await? {
        Some(Slot { slot, begun, .. }) => {
            let command = world.commands.line(&format!("run --slot {slot}"));
            (Some((run_id(&slot), if begun { "is under way" } else { "is asked for" })), command)
        }
        None if world.is_deployed() => (None, String::new()),
        None => {
            let cut = unfinished(store)
                .await?
                .map(|recorded| (recorded.run.run_id, "was cut off and goes on with the next `run`"));
            (cut, world.commands.line("run"))
        }
    };
    let Some((id, state)) = run else { return Ok(()) };
    let message = format!("run {id} {state}, and would publish over what is put back");
    let help = format!("let it end (`{command}` takes it to its end), then roll back");
    Err(Problems::from(Problem::new("", "", message, help)).into())
}

fn restored(table: &str, chosen: &Version, version: &str, to: Option<&str>) -> String {
    let chose = if to.is_none() { ", the one before" } else { "" };
    format!(
        "{table} shows {}{chose}, again (now version {version})\nthe next run publishes again; mend the source or the model \
         before it\n",
        chosen.words()
    )
}

/// What readers saw, from the kept versions, newest first.
fn history(kept: &[Version]) -> History<'_> {
    History::of(kept.iter().rev().map(|version| Shown {
        build: &version.build,
        number: version.number.parse().unwrap_or_default(),
        restored: version.restored,
    }))
}

/// The number that a version's build was first shown under, as far as it is known.
fn origin(kept: &[Version], version: &Version) -> String {
    let first = kept.iter().rfind(|other| other.build == version.build).unwrap_or(version);
    first.restored.map_or_else(|| first.number.clone(), |number| number.to_string())
}

/// The newest version of each build.
fn builds(kept: &[Version]) -> Vec<&Version> {
    let mut seen = BTreeSet::new();
    kept.iter().filter(|version| seen.insert(&version.build)).collect()
}

/// The kept versions of a published table, newest first; there is at least one.
async fn versions(world: &World, table: &str) -> anyhow::Result<Vec<Version>> {
    let prefix = world.raw_prefix();
    if table.starts_with(prefix) {
        bail!("`{table}` is the crawler's, not a published table");
    }
    if world.catalog.table(table).await?.is_none() {
        let all = world.catalog.tables("").await?.into_iter().map(|table| table.name);
        let known: Vec<_> = all.filter(|name| !name.starts_with(prefix) && !name.starts_with(STAGING_PREFIX)).collect();
        match known.as_slice() {
            [] => bail!("no table `{table}`: nothing is published yet; `crawlguard run` publishes"),
            known => bail!("no published table `{table}`; there are: {}", known.join(", ")),
        }
    }
    let mut versions = Vec::new();
    for kept in world.catalog.versions(table).await? {
        versions.push(Version::of(world, kept).await?);
    }
    Ok(versions)
}
