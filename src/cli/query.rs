//! `query`: published tables, in Athena SQL.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Map, Value};

use super::args::{Format, Globals, Output};
use super::exit;
use super::world::{World, now};
use crate::catalog::Catalog;
use crate::digest::sha256_hex;
use crate::engine::{Engine, QueryState, Rows, Statement};
use crate::plan::STAGING_PREFIX;
use crate::problem::{Problem, Problems, closest};
use crate::sql::{Graph, Lineage, Model, bind_slot};

pub async fn query(globals: &Globals, sql: &str, raw: bool, output: Output) -> anyhow::Result<ExitCode> {
    let world = World::open(globals).await?;
    let model = Model::query(sql)?;
    if let Some(table) = model.reads.iter().find(|table| !raw && table.starts_with(world.raw_prefix())) {
        bail!("`{table}` is a raw table; add --raw to read it");
    }
    let select = bind_slot(model.select(), &now())?;
    world.admit().await?;
    let rows = match rows(world.engine()?.as_ref(), select).await? {
        Ok(rows) => rows,
        Err(message) => return Err(faults(model, world.catalog.as_ref(), message).await?.into()),
    };
    let text = match (globals.format, output) {
        (Format::Json, _) | (_, Output::Json) => {
            named_once(&rows)?;
            serde_json::to_string_pretty(&objects(&rows))? + "\n"
        }
        (_, Output::Csv) => csv(&rows)?,
        (_, Output::Table) => table(&rows),
    };
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// Why the engine refused a query: its names that the catalog does not have, with places, or else the engine's words.
async fn faults(query: Model, catalog: &dyn Catalog, message: String) -> anyhow::Result<Problems> {
    let mut tables = catalog.tables("").await?;
    tables.retain(|table| !table.name.starts_with(STAGING_PREFIX));
    let names: Vec<_> = tables.iter().map(|table| table.name.clone()).collect();
    let unknown = query.reads.iter().filter(|table| !names.contains(table));
    let found: Vec<_> = unknown.map(|table| unknown_table(&query, table, &names)).collect();
    let untraced = Problems(vec![Problem::new("query", "", message, "")]);
    if !found.is_empty() {
        return Ok(Problems(found));
    }
    let graph = Graph::new(vec![query], &names).unwrap_or_default();
    Ok(Lineage::trace(&graph, &tables).err().unwrap_or(untraced))
}

fn unknown_table(query: &Model, table: &str, names: &[String]) -> Problem {
    let known = match names {
        [] => "The catalog holds no table: run `crawlguard run` first.".to_owned(),
        names => format!("Known tables: {}.", names.join(", ")),
    };
    let help = match closest(table, names.iter().map(String::as_str)) {
        Some(name) => format!("Did you mean `{name}`? {known}"),
        None => known,
    };
    Problem::new("query", query.place_of(table), format!("unknown table `{table}`"), help)
}

/// A token of its own for each query: two that are asked one after the other may have two answers.
fn token(select: &str) -> String {
    sha256_hex(format!("query|{}|{}|{select}", std::process::id(), jiff::Timestamp::now().as_nanosecond()))
}

/// The rows, or the engine's refusal.
pub(super) async fn rows(engine: &dyn Engine, select: String) -> anyhow::Result<Result<Rows, String>> {
    let query = engine.start(&token(&select), &Statement::Query { select }).await?;
    loop {
        match engine.state(&query).await? {
            QueryState::Succeeded { .. } => return Ok(Ok(engine.rows(&query).await?)),
            QueryState::Failed { message, .. } => return Ok(Err(message)),
            QueryState::Lost => bail!("the engine lost the query"),
            QueryState::Running => engine.wait(std::slice::from_ref(&query)).await?,
        }
    }
}

/// That every column has a name of its own: an object holds one value a name.
fn named_once(rows: &Rows) -> Result<(), Problems> {
    let mut seen = BTreeSet::new();
    match rows.columns.iter().find(|name| !seen.insert(*name)) {
        Some(name) => {
            let help = "give each a name of its own with AS, or print --output csv";
            Err(Problem::new("query", "", format!("two columns are named `{name}`"), help).into())
        }
        None => Ok(()),
    }
}

/// Row objects; numbers and booleans as such, all else as text.
fn objects(rows: &Rows) -> Vec<Value> {
    let object = |row: &Vec<Option<String>>| {
        let pairs = rows.columns.iter().zip(&rows.types).zip(row);
        pairs
            .map(|((column, kind), value)| {
                (column.clone(), value.as_ref().map_or(Value::Null, |text| json_value(kind, text)))
            })
            .collect::<Map<_, _>>()
            .into()
    };
    rows.rows.iter().map(object).collect()
}

fn json_value(kind: &str, text: &str) -> Value {
    let kind = kind.to_ascii_lowercase();
    let number =
        ["int", "integer", "bigint", "smallint", "tinyint", "double", "float", "real"].contains(&kind.as_str());
    let plain = number || kind == "boolean";
    let parsed = plain.then(|| serde_json::from_str(text).ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn csv(rows: &Rows) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&rows.columns)?;
    for row in &rows.rows {
        writer.write_record(row.iter().map(|value| value.as_deref().unwrap_or_default()))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn table(rows: &Rows) -> String {
    let cells = |row: &Vec<Option<String>>| {
        row.iter().map(|value| value.as_deref().unwrap_or("NULL").replace('\n', "⏎")).collect::<Vec<_>>()
    };
    let lines: Vec<Vec<String>> = std::iter::once(rows.columns.clone()).chain(rows.rows.iter().map(cells)).collect();
    let width = |index: usize| lines.iter().map(|line| line[index].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows.columns.len()).map(width).collect();
    let pad = |line: &Vec<String>| {
        let padded: Vec<_> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let rule = widths.iter().map(|&width| "-".repeat(width)).collect::<Vec<_>>().join("  ") + "\n";
    let noun = if rows.rows.len() == 1 { "row" } else { "rows" };
    pad(&lines[0])
        + &rule
        + &lines[1..].iter().map(pad).collect::<String>()
        + &format!("({} {noun})\n", rows.rows.len())
}
