//! `init`: a project from a lake.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::Globals;
use super::world::{World, absolute};
use super::{contracts, crawl, exit, print, say};
use crate::config;
use crate::sql::first_model;
use crate::store::write_whole;

/// The settings of a new project.
pub fn settings(name: &str, lake: &str) -> String {
    let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
    format!(
        r#"#:schema ./crawlguard.schema.json
# A crawlguard project. Paths are relative to this file.

# The name that alerts show.
project = {name}

# The target used when --target is not given.
default_target = "local"

# What is promised of each table, the models that are built, the texts of alerts.
contracts = "contracts"
sql = "sql"
alerts = "alerts"

# This machine: folders and the embedded engine.
[targets.local]
kind = "local"
# One folder a source.
lake = {lake}
# Catalog, published tables and run records; not for version control.
state = ".crawlguard"
# The database's name, and the prefix of the tables that a crawl makes.
database = {name}
raw_prefix = "raw_"
# Published versions kept of each table.
keep_versions = 4
"#,
        name = text(name),
        lake = text(lake),
    )
}

/// Writes settings, contracts from what the catalog holds, and a first model. Never overwrites.
pub async fn init(globals: &Globals, dir: &Path, lake: &Path) -> anyhow::Result<ExitCode> {
    let root = absolute(dir);
    if root.join(config::FILE).exists() {
        bail!("{} is there already; nothing was changed", root.join(config::FILE).display());
    }
    let lake_path = if lake.is_absolute() || !absolute(lake).is_dir() { root.join(lake) } else { absolute(lake) };
    if !lake_path.is_dir() {
        bail!("the lake {} is not a folder; name it with --lake", lake_path.display());
    }
    fs::create_dir_all(&root).with_context(|| format!("create folder {}", root.display()))?;
    let shown = lake_path.strip_prefix(&root).unwrap_or(&lake_path).display().to_string();
    put(&root, "crawlguard.schema.json", &config::json_schema())?;
    put(&root, config::FILE, &settings(&name_of(&root), &shown))?;
    let world = World::open(&Globals { project: Some(root.clone()), ..globals.clone() }).await?;
    let crawled = crawl::update(&world).await?;
    for problem in &crawled.problems {
        say(globals, &problem.to_string());
    }
    let mut written = vec![config::FILE.to_owned(), "crawlguard.schema.json".to_owned()];
    if !crawled.tables.is_empty() {
        written.extend(contracts::write_missing(&world).await?);
        written.extend(model(&world).await?);
    }
    written.extend(ignore_state(&root)?);
    print(
        globals,
        || json!({"schema_version": 1, "project": root, "written": written, "problems": crawled.problems}),
        || written.iter().map(|file| format!("wrote {file}\n")).collect::<String>() + "next: crawlguard run\n",
    )?;
    Ok(ExitCode::from(if crawled.problems.is_empty() { exit::CLEAN } else { exit::NO_ANSWER }))
}

/// A first model over the first table, if there are no models.
async fn model(world: &World) -> anyhow::Result<Option<String>> {
    let prefix = world.raw_prefix();
    let tables = world.catalog.tables(prefix).await?;
    let Some(table) = tables.first() else { return Ok(None) };
    let name = format!("int_{}", table.name.strip_prefix(prefix).unwrap_or(&table.name));
    let file = world.settings.config.sql.join(format!("{name}.sql")).display().to_string();
    if world.settings.root.join(&file).exists() {
        return Ok(None);
    }
    put(&world.settings.root, &file, &first_model(table))?;
    Ok(Some(file))
}

fn ignore_state(root: &Path) -> anyhow::Result<Option<String>> {
    if root.join(".gitignore").exists() {
        return Ok(None);
    }
    put(root, ".gitignore", "/.crawlguard\n")?;
    Ok(Some(".gitignore".into()))
}

fn put(root: &Path, file: &str, text: &str) -> anyhow::Result<()> {
    let path = root.join(file);
    let folder = path.parent().expect("a file has a folder");
    fs::create_dir_all(folder).with_context(|| format!("create folder {}", folder.display()))?;
    write_whole(&path, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

/// The folder's name as a database name: lowercase letters, digits, underscores.
fn name_of(root: &Path) -> String {
    let name = root.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if clean.is_empty() { "lake".into() } else { clean }
}
