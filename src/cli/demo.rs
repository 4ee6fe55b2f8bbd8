//! `demo`: the tour, on bundled data, through the same commands that a user types.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::{Format, Globals};
use super::contracts::{self, Update};
use super::world::{World, absolute, program};
use super::{crawl, exit, init, run};
use crate::config;
use crate::drift::seen;
use crate::notify::wrap;
use crate::pipeline::{Commands, Outcome, Run};
use crate::problem::shell_word;
use crate::sample;
use crate::store::write_whole;

/// A file that only the demo writes: what lies beside it is the demo's to replace.
const MARKER: &str = ".crawlguard-demo";

/// Makes the lake and a first build, then lets three arrivals land.
pub async fn demo(globals: &Globals, dir: &Path) -> anyhow::Result<ExitCode> {
    let root = absolute(dir);
    lay_out(&root)?;
    // The report says what a run did; a line for each of its steps would bury it.
    let globals = Globals { project: Some(root.clone()), target: None, quiet: true, ..globals.clone() };
    let mut world = World::open(&globals).await?;
    let folder = shell_word(&dir.display().to_string());
    world.commands = Commands { program: program(), globals: vec!["--project".into(), folder] };
    let mut tour = Tour { globals: &globals, world, runs: Vec::new() };
    tour.clean().await?;
    tour.tolerated().await?;
    tour.breaking().await?;
    tour.bad_file().await?;
    tour.end(dir)
}

struct Tour<'a> {
    globals: &'a Globals,
    world: World,
    runs: Vec<(String, Run)>,
}

impl Tour<'_> {
    async fn clean(&mut self) -> anyhow::Result<()> {
        self.title("The start: a lake, its contracts, a first build")?;
        self.says(
            "Six sources lie in lake/: JSON Lines, a CSV with a header, Parquet. contracts/ promises their \
             schemas, sql/ builds eight tables.",
        )?;
        crawl::update(&self.world).await?;
        contracts::write_missing(self.globals, &self.world, &[]).await?;
        self.run("first build", Outcome::Published).await?;
        self.says("Every table was built aside, checked, and then shown to readers: all, or none.")
    }

    async fn tolerated(&mut self) -> anyhow::Result<()> {
        self.arrive(0)?;
        self.run(sample::ARRIVALS[0].title, Outcome::Published).await?;
        self.says(
            "Harmless: the files read as before. The new columns went through the models, cleaned, and are \
             published. Accepting makes them part of the contracts, and writes the same insertions into sql/.",
        )?;
        self.accept(&["raw_source_1", "raw_salesforce_leads"]).await
    }

    async fn breaking(&mut self) -> anyhow::Result<()> {
        self.arrive(1)?;
        self.run(sample::ARRIVALS[1].title, Outcome::Halted).await?;
        self.says(
            "The build would have failed on one table and shown shifted values in the other. Readers still see \
             the tables of the last good run, and one alert went out. Mend the source, or accept what changed \
             with the alert's own commands. `county` only has a new name, so its command keeps the values.",
        )?;
        self.accept_renamed("raw_source_3", "county=county name").await?;
        self.accept(&["raw_source_4"]).await?;
        self.run("after accepting", Outcome::Published).await
    }

    async fn bad_file(&mut self) -> anyhow::Result<()> {
        self.arrive(2)?;
        self.run(sample::ARRIVALS[2].title, Outcome::ChecksFailed).await?;
        self.says(
            "No schema changed, so only the numbers can tell. The tables were built aside and stay there: readers \
             see none of it. Now the sender corrects the file.",
        )?;
        sample::ARRIVALS[2].take_back(&self.world.settings.root).context("write the corrected files")?;
        self.run("after the corrected file", Outcome::Published).await
    }

    fn end(&self, dir: &Path) -> anyhow::Result<ExitCode> {
        if self.globals.format == Format::Json {
            let runs: Vec<_> = self.runs.iter().map(|(title, run)| json!({"title": title, "run": run})).collect();
            let text = serde_json::to_string_pretty(&json!({"schema_version": 1, "runs": runs}))? + "\n";
            anstream::stdout().write_all(text.as_bytes())?;
        }
        self.title("Where everything is")?;
        let project = dir.display();
        self.says(&format!(
            "The project is the folder {project}: lake/, contracts/ and sql/ are plain files; .crawlguard/ holds the \
             catalog, the tables, the runs and the alerts as they were sent."
        ))?;
        self.text("\nLook around:\n")?;
        let query =
            "query 'SELECT inspection_grade, count(*) AS credentials FROM int_credentials GROUP BY inspection_grade'";
        for command in ["runs", query, "contracts log"] {
            self.text(&format!("  {}\n", self.world.commands.line(command)))?;
        }
        Ok(ExitCode::from(exit::CLEAN))
    }

    fn arrive(&self, index: usize) -> anyhow::Result<()> {
        let arrival = &sample::ARRIVALS[index];
        self.title(&format!("Arrival {} of {}", index + 1, sample::ARRIVALS.len()))?;
        let files: Vec<_> = arrival.files.iter().map(|file| file.path).collect();
        self.says(&format!("{}: {}.", files.join(" and "), arrival.title))?;
        arrival.land(&self.world.settings.root).context("write the arrival's files")
    }

    /// `crawlguard run`, and what it must lead to if this tour tells the truth.
    async fn run(&mut self, title: &str, expected: Outcome) -> anyhow::Result<()> {
        self.command("run")?;
        let run = run::execute(self.globals, &self.world, run::Asked { crawls: true, ..Default::default() }).await?.run;
        self.text(&run::shown(&self.world, &run).await?)?;
        if run.outcome != Some(Outcome::Published) {
            self.text("\n(exit code 1)\n")?;
        }
        let outcome = run.outcome;
        self.runs.push((title.to_owned(), run));
        if outcome != Some(expected) {
            bail!("the demo expected {expected:?} and saw {outcome:?}; please report this");
        }
        Ok(())
    }

    async fn accept(&self, tables: &[&str]) -> anyhow::Result<()> {
        self.update(tables, &[]).await
    }

    async fn accept_renamed(&self, table: &str, pair: &str) -> anyhow::Result<()> {
        self.update(&[table], &[pair.to_owned()]).await
    }

    async fn update(&self, tables: &[&str], renames: &[String]) -> anyhow::Result<()> {
        let found = self.runs.last().map(|(_, run)| run.findings.as_slice()).unwrap_or_default();
        for table in tables {
            self.text(&format!("\n$ {}", self.world.commands.accept(table, renames, &seen(found, table))))?;
        }
        let tables: Vec<_> = tables.iter().map(|table| (*table).to_owned()).collect();
        let request = Update { tables: &tables, renames, reason: Some("seen in the demo"), ..Update::default() };
        let updated = contracts::accept(self.globals, &self.world, request, None).await?;
        let seen = self.runs.last().map(|(_, run)| run.adapted.as_slice()).unwrap_or_default();
        self.text(&format!("\n{}", updated.shown_after(seen)))
    }

    fn title(&self, title: &str) -> anyhow::Result<()> {
        self.text(&format!("\n{0}\n{title}\n{0}\n", "=".repeat(72)))
    }

    fn command(&self, subcommand: &str) -> anyhow::Result<()> {
        self.text(&format!("\n$ {}\n", self.world.commands.line(subcommand)))
    }

    /// What it means, in the tour's own words.
    fn says(&self, text: &str) -> anyhow::Result<()> {
        self.text(&format!("\n{}\n", wrap(text, 0)))
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
