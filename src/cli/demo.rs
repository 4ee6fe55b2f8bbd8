//! `demo`: the tour, on bundled data, through the same commands that a user types.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::{Format, Globals};
use super::contracts::{self, Update};
use super::world::{World, absolute, shell_word};
use super::{crawl, exit, init, run};
use crate::config;
use crate::notify::Outbox;
use crate::pipeline::{Outcome, Run};
use crate::report::human;
use crate::sample;
use crate::store::write_whole;

/// A file that only the demo writes: what lies beside it is the demo's to replace.
const MARKER: &str = ".crawlguard-demo";

/// Makes the lake and a first build, then lets three arrivals land.
pub async fn demo(globals: &Globals, dir: &Path) -> anyhow::Result<ExitCode> {
    let root = absolute(dir);
    lay_out(&root)?;
    let globals = Globals { project: Some(root.clone()), target: None, ..globals.clone() };
    let mut tour = Tour { globals: &globals, world: World::open(&globals).await?, runs: Vec::new() };
    tour.clean().await?;
    tour.tolerated().await?;
    tour.breaking().await?;
    tour.bad_file().await?;
    tour.end(&root)
}

struct Tour<'a> {
    globals: &'a Globals,
    world: World,
    runs: Vec<(String, Run)>,
}

impl Tour<'_> {
    async fn clean(&mut self) -> anyhow::Result<()> {
        self.title("A lake, its contracts and a first build")?;
        crawl::update(&self.world).await?;
        contracts::write_missing(&self.world).await?;
        self.run("first build", Outcome::Published).await
    }

    async fn tolerated(&mut self) -> anyhow::Result<()> {
        self.arrive(0)?;
        self.run(sample::ARRIVALS[0].title, Outcome::Published).await?;
        self.text("\nThe new columns are in the published tables, cleaned. Accepting them writes the same insertion into sql/:\n")?;
        self.accept(&["raw_source_1", "raw_salesforce_leads"]).await
    }

    async fn breaking(&mut self) -> anyhow::Result<()> {
        self.arrive(1)?;
        self.run(sample::ARRIVALS[1].title, Outcome::Halted).await?;
        self.text("\nThe tables of the last good run are still what readers see. The alert's own commands accept the change:\n")?;
        self.accept(&["raw_source_3", "raw_source_4"]).await?;
        self.run("after accepting", Outcome::Published).await
    }

    async fn bad_file(&mut self) -> anyhow::Result<()> {
        self.arrive(2)?;
        self.run(sample::ARRIVALS[2].title, Outcome::ChecksFailed).await
    }

    fn end(&self, root: &Path) -> anyhow::Result<ExitCode> {
        if self.globals.format == Format::Json {
            let runs: Vec<_> = self.runs.iter().map(|(title, run)| json!({"title": title, "run": run})).collect();
            let text = serde_json::to_string_pretty(&json!({"schema_version": 1, "runs": runs}))? + "\n";
            anstream::stdout().write_all(text.as_bytes())?;
        }
        let folder = shell_word(&root.display().to_string());
        self.text(&format!(
            "\nThe demo's project is {folder}. Look around:\n  crawlguard --project {folder} runs\n  crawlguard --project {folder} query 'SELECT * FROM fact_leads'\n  crawlguard --project {folder} contracts log\n"
        ))?;
        Ok(ExitCode::from(exit::CLEAN))
    }

    fn arrive(&self, index: usize) -> anyhow::Result<()> {
        let arrival = &sample::ARRIVALS[index];
        self.title(&format!("Arrival {}: {}", index + 1, arrival.title))?;
        arrival.land(&self.world.settings.root).context("write the arrival's files")
    }

    /// `crawlguard run`, and what it must lead to if this tour tells the truth.
    async fn run(&mut self, title: &str, expected: Outcome) -> anyhow::Result<()> {
        let run = run::execute(self.globals, &self.world, None, true).await?;
        self.text(&format!("$ crawlguard run\n{}", human::run(&run)))?;
        if let Some(alert) = Outbox::new(self.world.store.as_ref()).sent(&run.run_id).await? {
            let code = if matches!(run.outcome, Some(Outcome::Error)) { exit::NO_ANSWER } else { exit::NO };
            self.text(&format!("\n{alert}\nexit code {code}\n"))?;
        }
        let outcome = run.outcome;
        self.runs.push((title.to_owned(), run));
        if outcome != Some(expected) {
            bail!("the demo expected {expected:?} and saw {outcome:?}; please report this");
        }
        Ok(())
    }

    async fn accept(&self, tables: &[&str]) -> anyhow::Result<()> {
        for table in tables {
            self.text(&format!("$ {}\n", self.world.commands.accept(table)))?;
        }
        let tables: Vec<_> = tables.iter().map(|table| (*table).to_owned()).collect();
        let request = Update { tables: &tables, reason: Some("seen in the demo"), yes: true };
        let updated = contracts::accept(self.globals, &self.world, request).await?;
        self.text(&updated.shown())
    }

    fn title(&self, title: &str) -> anyhow::Result<()> {
        self.text(&format!("\n{0}\n{title}\n{0}\n", "=".repeat(72)))
    }

    /// Human text only: JSON is printed whole, at the end.
    fn text(&self, text: &str) -> anyhow::Result<()> {
        if self.globals.format == Format::Human {
            anstream::stdout().write_all(text.as_bytes())?;
        }
        Ok(())
    }
}

/// Writes the demo's project; an earlier demo in the same folder is replaced, anything else is left alone.
fn lay_out(root: &Path) -> anyhow::Result<()> {
    if root.join(MARKER).is_file() {
        fs::remove_dir_all(root).with_context(|| format!("remove the earlier demo in {}", root.display()))?;
    } else if fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; name another folder: crawlguard demo DIR", root.display());
    }
    fs::create_dir_all(root).with_context(|| format!("create folder {}", root.display()))?;
    let put = |file: &str, text: &str| {
        let path = root.join(file);
        write_whole(&path, text.as_bytes()).with_context(|| format!("write {}", path.display()))
    };
    put(MARKER, "made by crawlguard demo, which replaces this folder when it runs again\n")?;
    put(config::FILE, &init::settings("pbright", "lake"))?;
    put("crawlguard.schema.json", &config::json_schema())?;
    sample::write(root).with_context(|| format!("write {}", root.display()))
}
