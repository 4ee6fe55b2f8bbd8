//! `init`: a project from a lake.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::Globals;
use super::world::{World, absolute, apart, program};
use super::{contracts, crawl, exit, print, say};
use crate::catalog::crawl::Crawl;
use crate::catalog::notes;
use crate::config;
use crate::pipeline::Commands;
use crate::problem::{shell_word, texts};
use crate::schema::Table;
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
# Days after which an alert is sent again while the same things are wrong.
remind_after_days = 7
"#,
        name = text(name),
        lake = text(lake),
    )
}

/// Writes settings, contracts from what the catalog holds, and a first model for each source. Never overwrites.
pub async fn init(globals: &Globals, dir: &Path, lake: &Path) -> anyhow::Result<ExitCode> {
    let root = absolute(dir);
    if root.join(config::FILE).exists() {
        bail!(
            "{} is there already; nothing was changed\n  help: for sources without a contract, run `{}` and `{}`, which \
             writes first models too",
            root.join(config::FILE).display(),
            commands(dir).line("crawl"),
            commands(dir).line("contracts init")
        );
    }
    let lake_path = if lake.is_absolute() || !absolute(lake).is_dir() { root.join(lake) } else { absolute(lake) };
    if !lake_path.is_dir() {
        bail!("the lake {} is not a folder; name it with --lake", lake_path.display());
    }
    apart(&root, &lake_path, &root.join(".crawlguard"))?;
    if !has_source(&lake_path)? {
        bail!(
            "the lake {} holds no source; nothing was made\n  help: put one folder a source into it (JSON Lines, CSV or \
             Parquet), then run this again",
            lake_path.display()
        );
    }
    fs::create_dir_all(&root).with_context(|| format!("create folder {}", root.display()))?;
    let shown = relative(&root, &lake_path).display().to_string();
    put(&root, "crawlguard.schema.json", &config::json_schema())?;
    put(&root, config::FILE, &settings(&name_of(&root), &shown))?;
    let world = World::open(&Globals { project: Some(root.clone()), ..globals.clone() }).await?;
    let crawled = crawl::update(&world).await?;
    for text in texts(&crawled.problems) {
        writeln!(anstream::stderr(), "{text}")?;
    }
    crawl::say_notes(globals, &crawled);
    let mut written = vec![config::FILE.to_owned(), "crawlguard.schema.json".to_owned()];
    let mut models = Vec::new();
    if !crawled.tables.is_empty() {
        let (tables, files): (Vec<_>, Vec<_>) =
            contracts::write_missing(globals, &world, &[]).await?.into_iter().unzip();
        written.extend(files);
        models = contracts::first_models(globals, &world, &tables).await?;
        written.extend(models.iter().map(|(_, file)| file.clone()));
    }
    written.extend(ignore_state(&root)?);
    if let Some(told) = following(dir, &crawled, &written) {
        say(globals, &told);
    }
    print(
        globals,
        || json!({"schema_version": 1, "project": root, "written": written, "problems": crawled.problems, "notes": notes(&crawled.tables)}),
        || if globals.quiet { String::new() } else { told(&written) + &next(dir, &models, &crawled) },
    )?;
    Ok(ExitCode::from(if crawled.problems.is_empty() { exit::CLEAN } else { exit::NO_ANSWER }))
}

/// Whether the lake has any folder that a crawl does not pass over.
fn has_source(lake: &Path) -> anyhow::Result<bool> {
    let failed = || format!("list {}", lake.display());
    for entry in fs::read_dir(lake).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !name.starts_with(['_', '.']) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The lake as the project's settings name it: so that the two can be moved together, it is relative where it lies inside
/// the project or beside it.
fn relative(root: &Path, lake: &Path) -> PathBuf {
    if let Ok(inside) = lake.strip_prefix(root) {
        return inside.to_owned();
    }
    let (Ok(real_root), Ok(real_lake)) = (root.canonicalize(), lake.canonicalize()) else { return lake.to_owned() };
    let beside = || {
        let parent = real_root.parent().filter(|parent| parent.parent().is_some())?;
        Some(Path::new("..").join(real_lake.strip_prefix(parent).ok()?))
    };
    real_lake.strip_prefix(&real_root).map(Path::to_owned).ok().or_else(beside).unwrap_or_else(|| lake.to_owned())
}

/// How a note of the crawl is followed, once its lines stand in the settings: what was written of its table is written anew.
fn following(dir: &Path, crawled: &Crawl, written: &[String]) -> Option<String> {
    let has_lines =
        |table: &&Table| notes(std::slice::from_ref(*table)).iter().any(|note| note.help.contains(config::FILE));
    let noted: Vec<&str> = crawled.tables.iter().filter(has_lines).map(|table| table.name.as_str()).collect();
    let is_of = |file: &&String, table: &str| {
        let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
        stem == table || table.strip_prefix("raw_").is_some_and(|source| stem == format!("int_{source}"))
    };
    let files = written.iter().filter(|file| noted.iter().any(|table| is_of(file, table)));
    let files: Vec<String> = files.map(|file| shell_word(&dir.join(file).display().to_string())).collect();
    let lines = [format!("rm {}", files.join(" ")), commands(dir).line("crawl"), commands(dir).line("contracts init")];
    (!files.is_empty()).then(|| format!("to follow a note, append its lines, then\n  {}", lines.join("\n  ")))
}

fn told(written: &[String]) -> String {
    written.iter().map(|file| format!("wrote {file}\n")).collect()
}

/// How the project in `dir` is called from where the user stands.
fn commands(dir: &Path) -> Commands {
    let mut commands = Commands { program: program(), globals: Vec::new() };
    if absolute(dir) != absolute(Path::new(".")) {
        commands.globals.extend(["--project".to_owned(), shell_word(&dir.display().to_string())]);
    }
    commands
}

/// What to type now, from where the user stands.
fn next(dir: &Path, models: &[(String, String)], crawled: &Crawl) -> String {
    let commands = commands(dir);
    let mut lines = Vec::new();
    let mut text = String::new();
    if crawled.tables.is_empty() || !crawled.problems.is_empty() {
        text += match crawled.problems.is_empty() {
            true => "\nthe lake holds no source yet: put one folder a source into it, then\n",
            false => "\nnot everything could be read: mend or remove what is named above, then\n",
        };
        lines.extend(["crawl", "contracts init"].map(|command| commands.line(command)));
        lines.push(commands.line("run"));
    } else {
        text += "\nnext:\n";
        lines.push(commands.line("run"));
        let query = models.first().map(|(model, _)| format!("query 'SELECT * FROM {model} LIMIT 10'"));
        lines.extend(query.map(|query| commands.line(&query)));
        if !models.is_empty() {
            let names: Vec<&str> = models.iter().map(|(model, _)| model.as_str()).collect();
            let init = commands.line(&format!("contracts init {}", names.join(" ")));
            lines.push(format!("{init}   # then: checks of the models, from what was published"));
        }
    }
    text + &lines.iter().map(|line| format!("  {line}\n")).collect::<String>()
}

fn ignore_state(root: &Path) -> anyhow::Result<Option<String>> {
    const FILE: &str = ".gitignore";
    let mut text = match fs::read_to_string(root.join(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context(format!("read {}", root.join(FILE).display())),
    };
    if text.lines().any(|line| line.trim().trim_matches('/') == ".crawlguard") {
        return Ok(None);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    put(root, FILE, &(text + "/.crawlguard\n"))?;
    Ok(Some(FILE.into()))
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
