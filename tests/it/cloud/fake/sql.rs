//! Where the fake's SQL really runs: the embedded engine, over copies of the objects that a query reads.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crawlguard::catalog::{Catalog, FilesCatalog, glue_json};
use crawlguard::digest::sha256_hex;
use crawlguard::engine::duckdb::{DuckDbEngine, translate};
use crawlguard::engine::{Engine, QueryState, Rows, Statement};
use crawlguard::schema::{Table, TableKind};
use regex::Regex;
use serde_json::{Value, json};

use super::glue::{Glue, described};
use super::s3::S3;

/// The folder of an Iceberg table that holds no rows.
const METADATA: &str = "/metadata/";

/// What a query reads and writes.
pub struct Lake<'a> {
    pub s3: &'a mut S3,
    pub glue: &'a mut Glue,
}

/// Where a query runs.
pub struct Place<'a> {
    pub database: &'a str,
    /// Where a build goes that names no place.
    pub tables: String,
    /// The workgroup decides where results go.
    pub is_enforced: bool,
}

pub enum Ran {
    Answered(Rows),
    /// Rows written.
    Built(u64),
}

#[derive(Debug, Clone)]
pub struct SqlError {
    pub message: String,
    pub retryable: bool,
}

fn fault(message: impl Into<String>) -> SqlError {
    SqlError { message: message.into(), retryable: false }
}

/// CREATE TABLE AS, taken apart.
struct Ctas {
    table: String,
    location: String,
    partitioned_by: Vec<String>,
    iceberg: bool,
    select: String,
}

/// Runs a SELECT or a CREATE TABLE AS to its end.
pub fn run(sql: &str, place: &Place<'_>, lake: &mut Lake<'_>) -> Result<Ran, SqlError> {
    let ctas = ctas(sql, place)?;
    if let Some(ctas) = &ctas {
        refuse(ctas, place, lake)?;
    }
    let (table, select) = ctas.as_ref().map_or(("query", sql), |ctas| (&ctas.table, &ctas.select));
    let inputs = inputs(table, select, place.database, lake)?;
    let keys = ctas.as_ref().map(|ctas| ctas.partitioned_by.clone());
    let output = computed(&Work { database: place.database, table, select, keys, inputs: &inputs })?;
    match (output, &ctas) {
        (Output::Rows(rows), _) => Ok(Ran::Answered(rows)),
        (Output::Table { table, files, rows }, Some(ctas)) => {
            register(ctas, place, lake, &table, &files);
            Ok(Ran::Built(rows))
        }
        (Output::Table { .. }, None) => unreachable!("only a build makes a table"),
    }
}

fn ctas(sql: &str, place: &Place<'_>) -> Result<Option<Ctas>, SqlError> {
    static CTAS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?s)^CREATE TABLE "((?:[^"]|"")+)"\s+WITH \((.*?)\)\s+AS (.*)$"#).expect("a pattern")
    });
    let Some(found) = CTAS.captures(sql) else { return Ok(None) };
    let property = |name: &str| {
        let pattern = Regex::new(&format!(r"\b{name} = (?:'((?:[^']|'')*)'|ARRAY\[(.*?)\])")).expect("a pattern");
        let found = pattern.captures(&found[2])?;
        Some(found.get(1).or(found.get(2)).map_or("", |text| text.as_str()).replace("''", "'"))
    };
    let iceberg = property("table_type").as_deref() == Some("ICEBERG");
    let location = property(if iceberg { "location" } else { "external_location" });
    if location.is_some() && place.is_enforced && !iceberg {
        return Err(fault(
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to \
             an Athena Workgroup that enforces a centralized output location for all queries. Please remove the \
             'external_location' property and resubmit the query.",
        ));
    }
    let keys = property(if iceberg { "partitioning" } else { "partitioned_by" }).unwrap_or_default();
    Ok(Some(Ctas {
        table: found[1].replace("\"\"", "\"").to_lowercase(),
        location: location.unwrap_or_else(|| place.tables.clone()),
        partitioned_by: keys
            .split(", ")
            .filter(|key| !key.is_empty())
            .map(|key| key.trim_matches('\'').into())
            .collect(),
        iceberg,
        select: found[3].to_owned(),
    }))
}

/// What Athena does not overwrite.
fn refuse(ctas: &Ctas, place: &Place<'_>, lake: &Lake<'_>) -> Result<(), SqlError> {
    if lake.glue.table(place.database, &ctas.table).is_some() {
        let name = format!("awsdatacatalog.{}.{}", place.database, ctas.table);
        return Err(fault(format!("TABLE_ALREADY_EXISTS: line 1:1: Destination table '{name}' already exists")));
    }
    if !lake.s3.list(&ctas.location).is_empty() {
        let (table, location) = (format!("{}.{}", place.database, ctas.table), &ctas.location);
        return Err(fault(format!(
            "HIVE_PATH_ALREADY_EXISTS: Target directory for table '{table}' already exists: {location}. You may need to \
             manually clean the data at location '{location}' before retrying."
        )));
    }
    Ok(())
}

/// A table that a query reads, with its objects.
struct Input {
    table: Value,
    objects: Vec<(String, Arc<[u8]>)>,
}

fn inputs(table: &str, select: &str, database: &str, lake: &Lake<'_>) -> Result<Vec<Input>, SqlError> {
    let translation = translate(&format!("sql/{table}.sql"), select, database);
    let translation = translation.map_err(|problems| fault(format!("SYNTAX_ERROR: {problems}")))?;
    let input = |name: &String| {
        let missing =
            || fault(format!("TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist"));
        let table = lake.glue.table(database, name).ok_or_else(missing)?;
        let location = table["StorageDescriptor"]["Location"].as_str().unwrap_or_default();
        Ok(Input { table: table.clone(), objects: lake.s3.list(&format!("{}/", location.trim_end_matches('/'))) })
    };
    translation.tables.iter().map(input).collect()
}

/// What a statement gives, in a form that any account can take in.
#[derive(Clone)]
enum Output {
    Rows(Rows),
    /// `files`: paths below the table's location.
    Table {
        table: Box<Table>,
        files: Vec<(String, Arc<[u8]>)>,
        rows: u64,
    },
}

struct Work<'a> {
    database: &'a str,
    table: &'a str,
    select: &'a str,
    /// The partition keys of a build.
    keys: Option<Vec<String>>,
    inputs: &'a [Input],
}

impl Work<'_> {
    fn fingerprint(&self) -> String {
        let mut text = format!("{}|{}|{}|{:?}", self.database, self.table, self.select, self.keys);
        for input in self.inputs {
            text += &described(&input.table).to_string();
            for (key, bytes) in &input.objects {
                text += &format!("|{key}|{}", sha256_hex(bytes));
            }
        }
        sha256_hex(text)
    }
}

/// The same statement over the same objects gives the same: it is computed once in all tests.
fn computed(work: &Work<'_>) -> Result<Output, SqlError> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Result<Output, SqlError>>>> = LazyLock::new(Mutex::default);
    let key = work.fingerprint();
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    known.unwrap_or_else(|| {
        let output = std::thread::scope(|scope| scope.spawn(|| compute(work)).join()).expect("no panic");
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(key, output.clone());
        output
    })
}

fn compute(work: &Work<'_>) -> Result<Output, SqlError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let catalog = Arc::new(FilesCatalog::new(folder.path().join("catalog"), work.database));
    for input in work.inputs {
        copy(input, &folder.path().join("s3"), &catalog);
    }
    let engine = DuckDbEngine::new(Arc::clone(&catalog), folder.path().join("out")).expect("an engine");
    let out = folder.path().canonicalize().expect("a folder").join("out/built");
    let statement = match &work.keys {
        None => Statement::Query { select: work.select.to_owned() },
        Some(keys) => Statement::Build {
            table: work.table.to_owned(),
            select: work.select.to_owned(),
            location: format!("{}/", out.display()),
            partitioned_by: keys.clone(),
            iceberg: false,
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let query = engine.start("query", &statement).await.expect("started");
        let rows = loop {
            match engine.state(&query).await.expect("known") {
                QueryState::Running => engine.wait(std::slice::from_ref(&query)).await.expect("waited"),
                QueryState::Succeeded { rows, .. } => break rows.unwrap_or_default(),
                QueryState::Failed { message, .. } => return Err(fault(message)),
                QueryState::Lost => unreachable!("it was just started"),
            }
        };
        if work.keys.is_none() {
            return Ok(Output::Rows(engine.rows(&query).await.expect("rows")));
        }
        let table = catalog.table(work.table).await.expect("read").expect("a build makes a table");
        let mut files = Vec::new();
        collect(&out, "", &mut files);
        Ok(Output::Table { table: Box::new(table), files, rows })
    })
}

/// Lays a table's objects into a folder, and the table beside them.
fn copy(input: &Input, root: &Path, catalog: &FilesCatalog) {
    let mut tables = glue_json::read("Glue", &input.table.to_string()).expect("a Glue table");
    let mut table = tables.pop().expect("one table");
    let local = |uri: &str| root.join(uri.strip_prefix("s3://").expect("an S3 location"));
    for (uri, bytes) in input.objects.iter().filter(|(uri, _)| !uri.contains(METADATA)) {
        let path = local(uri);
        fs::create_dir_all(path.parent().expect("in a bucket")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }
    table.location = table.location.map(|location| format!("{}/", local(location.trim_end_matches('/')).display()));
    // The engine reads the files; an Iceberg table's are Parquet too.
    table.kind = TableKind::External;
    table.parameters.remove("table_type");
    catalog.put(&table).expect("written");
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Arc<[u8]>)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().display());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, fs::read(entry.path()).expect("a file").into()));
        }
    }
}

/// Writes a build's objects and its table, as a CTAS does.
fn register(ctas: &Ctas, place: &Place<'_>, lake: &mut Lake<'_>, table: &Table, files: &[(String, Arc<[u8]>)]) {
    for (name, bytes) in files {
        lake.s3.put(&format!("{}{name}", ctas.location), bytes);
    }
    let mut table = Table { location: Some(ctas.location.trim_end_matches('/').to_owned()), ..table.clone() };
    let mut partitions = Vec::new();
    if ctas.iceberg {
        let metadata = format!("{}{METADATA}00000.metadata.json", ctas.location.trim_end_matches('/'));
        lake.s3.put(&metadata, b"{}");
        let columns = std::mem::take(&mut table.partition_keys);
        table.columns.extend(columns);
        table.parameters.insert("table_type".into(), "ICEBERG".into());
        table.parameters.insert("metadata_location".into(), metadata);
    } else {
        let mut folders: Vec<&str> = files.iter().filter_map(|(name, _)| Some(name.rsplit_once('/')?.0)).collect();
        folders.dedup();
        let values = |folder: &str| -> Vec<String> {
            folder.split('/').filter_map(|level| Some(level.split_once('=')?.1.to_owned())).collect()
        };
        partitions.extend(folders.iter().map(|folder| {
            json!({"Values": values(folder), "StorageDescriptor": {"Location": format!("{}{folder}", ctas.location)}})
        }));
    }
    lake.glue.put(place.database, &described(&glue_json::to_value(&table)), partitions);
}
