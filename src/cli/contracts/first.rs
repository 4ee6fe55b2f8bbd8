//! A first model for each source that no model reads yet.

use super::super::args::Globals;
use super::super::say;
use super::super::world::World;
use super::{journal, write};
use crate::pipeline::{Project, is_ours};
use crate::sql::first_model;

/// Writes a first model over each of these tables that no model reads yet: (model, file). A file that is there stays.
pub async fn first_models(
    globals: &Globals,
    world: &World,
    tables: &[String],
) -> anyhow::Result<Vec<(String, String)>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(project) = world.project() else {
        let plan = world.commands.line("plan");
        say(globals, &format!("no first model is written while the project has problems: `{plan}` names them"));
        return Ok(Vec::new());
    };
    let _files = journal::lock(world, "writing first models").await?;
    let prefix = world.raw_prefix();
    let mut written = Vec::new();
    for table in world.catalog.tables(prefix).await?.iter().filter(|table| tables.contains(&table.name)) {
        let model = format!("int_{}", table.name.strip_prefix(prefix).unwrap_or(&table.name));
        let file = world.settings.config.sql.join(format!("{model}.sql")).display().to_string();
        if is_read(&project, &table.name) || world.settings.root.join(&file).exists() {
            continue;
        }
        if world.catalog.table(&model).await?.is_some_and(|found| !is_ours(&found)) {
            let why = format!("`{model}` is there, and no run published it: write a model of another name");
            say(globals, &format!("no first model is written over {}: {why}", table.name));
        } else {
            write(world, &file, &first_model(table))?;
            written.push((model, file));
        }
    }
    Ok(written)
}

/// True if a model reads the table.
pub(super) fn is_read(project: &Project, table: &str) -> bool {
    project.graph.models.values().any(|model| model.reads.iter().any(|read| read.eq_ignore_ascii_case(table)))
}
