//! The embedded engine: the same Athena SQL, translated by AST and run by DuckDB.
//!
//! `translate` turns a SELECT into DuckDB's SQL or refuses it, `readers` makes the tables it names, `build` writes its
//! rows; a statement runs on a thread and a connection of its own.

mod aggregates;
mod build;
mod casts;
mod choices;
mod divisions;
mod functions;
mod json;
#[cfg(not(feature = "bundled"))]
mod library;
mod marked;
mod patterns;
mod readers;
mod regexes;
mod rewrite;
mod rows;
mod runs;
mod session;
mod spoken;
mod star;
mod syntax;
mod translate;
mod unnest;
mod using;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io, thread};

use async_trait::async_trait;
use duckdb::Connection;

pub use readers::refusal;
pub use translate::{Translation, translate};

use super::{Engine, QueryId, QueryState, Rows, Statement};
use crate::catalog::{Catalog as _, FilesCatalog};
use crate::port::{PortError, PortErrorKind};
use crate::schema::Table;
use crate::sql::ident::quote;
use choices::Learned;
use runs::{Done, Runs};

/// DuckDB over the tables of a local catalog.
pub struct DuckDbEngine {
    catalog: Arc<FilesCatalog>,
    warehouse: PathBuf,
    database: Mutex<Connection>,
    runs: Arc<Runs>,
    workers: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Drop for DuckDbEngine {
    /// Nothing goes on writing once the engine is gone.
    fn drop(&mut self) {
        self.runs.cancel_all();
        for worker in self.workers.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = worker.join();
        }
    }
}

impl DuckDbEngine {
    /// An engine in memory that builds under `warehouse`.
    pub fn new(catalog: Arc<FilesCatalog>, warehouse: PathBuf) -> Result<Self, PortError> {
        #[cfg(not(feature = "bundled"))]
        library::load().map_err(|why| {
            let message = format!("{why}; keep the library beside the program, or build with the feature `bundled`");
            PortError::new(PortErrorKind::NotFound, "load", "the engine's library", message)
        })?;
        let made = fs::create_dir_all(&warehouse).and_then(|()| warehouse.canonicalize());
        let warehouse = made.map_err(|error| PortError::io("open warehouse", &warehouse, error))?;
        let database =
            session::open(Some(&warehouse.join(".spill"))).map_err(|error| failed("open engine", "", error))?;
        Ok(Self { catalog, warehouse, database: Mutex::new(database), runs: Arc::default(), workers: Mutex::default() })
    }

    /// A connection of its own: temporary views are seen by nobody else.
    fn connection(&self) -> Result<Connection, PortError> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        session::another(&database).map_err(|error| failed("open connection", "", error))
    }

    /// What a statement reads, or why it cannot run at all.
    async fn prepare(&self, statement: &Statement) -> Result<Result<Prepared, String>, PortError> {
        let (Statement::Build { select, .. } | Statement::Query { select }) = statement;
        let translation = match translate("", select, &self.catalog.database) {
            Ok(translation) => translation,
            Err(problems) => return Ok(Err(problems.to_string())),
        };
        let mut tables = Vec::new();
        for name in &translation.tables {
            match self.catalog.table(name).await? {
                Some(table) => tables.push(table),
                None => {
                    let database = &self.catalog.database;
                    return Ok(Err(format!("TABLE_NOT_FOUND: table '{database}.{name}' does not exist")));
                }
            }
        }
        Ok(Ok(Prepared { translation, tables }))
    }
}

/// A statement that can be run.
struct Prepared {
    translation: Translation,
    tables: Vec<Table>,
}

fn failed(operation: &'static str, subject: &str, error: duckdb::Error) -> PortError {
    PortError::new(PortErrorKind::Unexpected, operation, subject, session::message(error))
}

#[async_trait]
impl Engine for DuckDbEngine {
    fn refusal(&self, table: &Table) -> Option<String> {
        refusal(table)
    }

    async fn start(&self, token: &str, statement: &Statement) -> Result<QueryId, PortError> {
        let query = QueryId(token.to_owned());
        if self.runs.knows(&query, statement)? {
            return Ok(query);
        }
        let prepared = self.prepare(statement).await?;
        let connection = self.connection()?;
        if !self.runs.begin(&query, statement, connection.interrupt_handle())? {
            return Ok(query);
        }
        let (runs, catalog) = (Arc::clone(&self.runs), Arc::clone(&self.catalog));
        let (id, statement) = (query.clone(), statement.clone());
        let worker = thread::spawn(move || {
            let ended = prepared.and_then(|prepared| {
                let ended = run(&connection, &catalog, &statement, &prepared);
                ended.map_err(|message| of_file(&connection, &prepared.tables, message))
            });
            let ended = ended.map_err(|message| words::explained(&message));
            runs.end(&id, ended);
        });
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        Ok(query)
    }

    async fn state(&self, query: &QueryId) -> Result<QueryState, PortError> {
        Ok(self.runs.state(query))
    }

    async fn wait(&self, queries: &[QueryId]) -> Result<(), PortError> {
        self.runs.wait(queries).await;
        Ok(())
    }

    async fn rows(&self, query: &QueryId) -> Result<Rows, PortError> {
        self.runs.rows(query)
    }

    async fn cancel(&self, query: &QueryId) -> Result<(), PortError> {
        self.runs.cancel(query);
        Ok(())
    }

    fn location(&self, model: &str, run_id: &str, attempt: u32) -> String {
        located(&self.warehouse.join(model).join(format!("{run_id}-{attempt}")))
    }

    async fn locations(&self, model: &str) -> Result<Vec<String>, PortError> {
        let folder = self.warehouse.join(model);
        let failed = |error| PortError::io("list builds", &folder, error);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut locations = Vec::new();
        for entry in entries {
            locations.push(located(&entry.map_err(failed)?.path()));
        }
        locations.sort();
        Ok(locations)
    }

    async fn discard(&self, location: &str) -> Result<(), PortError> {
        let folder = Path::new(location);
        if !folder.starts_with(&self.warehouse) {
            let message = "lies outside the warehouse";
            return Err(PortError::new(PortErrorKind::Invalid, "discard build", format!("`{location}`"), message));
        }
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PortError::io("discard build", folder, error)),
            _ => Ok(()),
        }
    }
}

/// As the catalog writes a location: with a slash at the end.
fn located(folder: &Path) -> String {
    format!("{}/", folder.display())
}

fn run(
    connection: &Connection,
    catalog: &FilesCatalog,
    statement: &Statement,
    prepared: &Prepared,
) -> Result<Done, String> {
    for table in &prepared.tables {
        let relation =
            readers::relation(connection, table).map_err(|reason| format!("table `{}` {reason}", table.name))?;
        connection
            .execute_batch(&format!("CREATE TEMP VIEW {} AS {relation}", quote(&table.name)))
            .map_err(|error| format!("table `{}`: {}", table.name, session::message(error)))?;
    }
    let (Statement::Build { select, .. } | Statement::Query { select }) = statement;
    let sql = &settled(connection, select, &catalog.database, &prepared.translation)?;
    let Statement::Build { table, location, partitioned_by, .. } = statement else {
        return session::query(connection, sql).map(Done::Answered);
    };
    if !prepared.translation.named {
        return Err("COLUMN_NAME_NOT_SPECIFIED: every column of a table needs a name; add AS".to_owned());
    }
    let wanted = build::Build { database: &catalog.database, table, select: sql, location, partitioned_by };
    let (built, rows) = build::build(connection, &wanted)?;
    catalog.put(&built).map_err(|error| error.to_string())?;
    Ok(Done::Built(rows))
}

/// The message, with the damaged file that it comes of: of a page inside one, DuckDB says what is wrong, and not where.
fn of_file(connection: &Connection, tables: &[Table], message: String) -> String {
    if !words::may_be_of_a_file(&message) {
        return message;
    }
    match readers::damaged(connection, tables) {
        Some((file, why)) => words::of_file(&file, &why),
        None => message,
    }
}

/// The statement in which what types decide is decided: see `choices`.
fn settled(connection: &Connection, select: &str, database: &str, translation: &Translation) -> Result<String, String> {
    let (mut settled, mut learned) = (translation.clone(), Learned::default());
    while settled.open {
        let message = session::columns(connection, &settled.sql).err();
        if !message.is_some_and(|message| learned.note(&message, &settled.tried)) {
            break;
        }
        settled = translate::translate_with("", select, database, &learned).map_err(|problems| problems.to_string())?;
    }
    Ok(settled.sql)
}

/// Evaluates Athena SELECTs that read no table, each on its own.
pub fn evaluate(selects: &[String]) -> Vec<Result<Rows, String>> {
    let connection = session::open(None).map_err(session::message);
    let one = |select: &String| {
        let translation = translate("query", select, "").map_err(|problems| problems.to_string())?;
        let connection = connection.as_ref().map_err(Clone::clone)?;
        session::query(connection, &settled(connection, select, "", &translation)?)
    };
    selects.iter().map(one).collect()
}
