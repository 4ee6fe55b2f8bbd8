//! Glue's Data Catalog and its crawlers.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/API_Operations.html>

mod crawlers;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ACCOUNT;
use super::wire::{Refusal, Request, page};
use crawlers::Crawler;

/// What one page of tables or versions holds at most.
const A_PAGE: usize = 100;

type Result<T = Value> = std::result::Result<T, Refusal>;

#[derive(Debug, Clone, Default)]
pub struct Glue {
    databases: BTreeMap<String, BTreeMap<String, Stored>>,
    crawlers: BTreeMap<String, Crawler>,
}

#[derive(Debug, Clone)]
struct Stored {
    /// By number; the highest is current.
    versions: BTreeMap<u64, Value>,
    partitions: Vec<Value>,
}

impl Stored {
    fn number(&self) -> u64 {
        *self.versions.last_key_value().expect("a table has a version").0
    }

    fn current(&self) -> &Value {
        self.versions.last_key_value().expect("a table has a version").1
    }
}

impl Glue {
    pub fn create_database(&mut self, name: &str) {
        self.databases.entry(name.into()).or_default();
    }

    pub fn table(&self, database: &str, name: &str) -> Option<&Value> {
        self.databases.get(database)?.get(name).map(Stored::current)
    }

    /// Names of a database's tables.
    pub fn names(&self, database: &str) -> Vec<String> {
        self.databases.get(database).map(|tables| tables.keys().cloned().collect()).unwrap_or_default()
    }

    /// Somebody drops a table.
    pub fn remove(&mut self, database: &str, name: &str) {
        self.databases.get_mut(database).and_then(|tables| tables.remove(name)).expect("a table that is there");
    }

    /// Makes a table, or its next version if there is one already and it differs.
    pub fn put(&mut self, database: &str, input: &Value, partitions: Vec<Value>) {
        let name = name_of(input);
        let before = self.table(database, &name).cloned();
        match before {
            None => self.create(database, input, partitions).expect("a table that is not there"),
            Some(before) if described(&before) == *input => {}
            Some(_) => self.update(database, input, None).expect("a table that is there"),
        }
    }

    pub fn handle(&mut self, request: &Request, events: &mut Vec<Value>) -> Result {
        let json = &request.json;
        let (database, name) = (request.text("DatabaseName"), request.text("Name").to_lowercase());
        match request.action.as_str() {
            "CreateDatabase" => {
                self.create_database(json["DatabaseInput"]["Name"].as_str().unwrap_or_default());
                Ok(json!({}))
            }
            "GetTables" => self.get_tables(request),
            "GetTable" => self.stored(database, &name).map(|stored| json!({"Table": stored.current()})),
            "CreateTable" => self.create(database, &json["TableInput"], Vec::new()).map(|()| json!({})),
            "UpdateTable" => self.update(database, &json["TableInput"], Some(request)).map(|()| json!({})),
            "DeleteTable" => {
                self.stored(database, &name)?;
                self.tables(database)?.remove(&name);
                Ok(json!({}))
            }
            "GetTableVersions" => self.get_versions(request),
            "GetTableVersion" => {
                let version = request.text("VersionId").to_owned();
                let stored = self.stored(database, &request.text("TableName").to_lowercase())?;
                let table = version.parse().ok().and_then(|number: u64| stored.versions.get(&number));
                let table = table.ok_or_else(|| gone(format!("TableVersion {version} not found.")))?;
                Ok(json!({"TableVersion": {"Table": table, "VersionId": version}}))
            }
            "DeleteTableVersion" => self.delete_version(request),
            "GetPartitions" => {
                let stored = self.stored(database, &request.text("TableName").to_lowercase())?;
                let (found, next) = page(&stored.partitions, request.text("NextToken"), size(request, 1000)?);
                Ok(json!({"Partitions": found, "NextToken": next}))
            }
            "StartCrawler" | "GetCrawler" => self.handle_crawler(request, events),
            other => panic!("the fake's Glue has no {other}"),
        }
    }

    fn tables(&mut self, database: &str) -> Result<&mut BTreeMap<String, Stored>> {
        self.databases.get_mut(database).ok_or_else(|| gone(format!("Database {database} not found.")))
    }

    fn stored(&mut self, database: &str, name: &str) -> Result<&mut Stored> {
        self.tables(database)?.get_mut(name).ok_or_else(|| gone(format!("Table {name} not found.")))
    }

    fn get_tables(&mut self, request: &Request) -> Result {
        let size = size(request, A_PAGE)?;
        let pattern = match request.text("Expression") {
            "" => ".*".to_owned(),
            given => given.to_owned(),
        };
        let pattern = regex::Regex::new(&format!("^(?:{pattern})$")).map_err(|error| invalid(error.to_string()))?;
        let tables = self.tables(request.text("DatabaseName"))?;
        let matching: Vec<_> = tables.iter().filter(|(name, _)| pattern.is_match(name)).collect();
        let (found, next) = page(&matching, request.text("NextToken"), size);
        let found: Vec<_> = found.into_iter().map(|(_, stored)| stored.current()).collect();
        Ok(json!({"TableList": found, "NextToken": next}))
    }

    fn create(&mut self, database: &str, input: &Value, partitions: Vec<Value>) -> Result<()> {
        let name = name_of(input);
        let table = entry(database, input, 0)?;
        let tables = self.tables(database)?;
        if tables.contains_key(&name) {
            return Err(Refusal::new(400, "AlreadyExistsException", "Table already exists."));
        }
        tables.insert(name, Stored { versions: [(0, table)].into(), partitions });
        Ok(())
    }

    /// Replaces the whole definition, if it is at the version that the request expects.
    fn update(&mut self, database: &str, input: &Value, request: Option<&Request>) -> Result<()> {
        let stored = self.stored(database, &name_of(input))?;
        let number = stored.number();
        let expected = request.map_or("", |request| request.text("VersionId"));
        if !expected.is_empty() && expected != number.to_string() {
            let message = "Update table failed due to concurrent modifications.";
            return Err(Refusal::new(400, "ConcurrentModificationException", message));
        }
        if request.is_some_and(|request| request.json["SkipArchive"] == true) {
            stored.versions.remove(&number);
        }
        stored.versions.insert(number + 1, entry(database, input, number + 1)?);
        Ok(())
    }

    fn get_versions(&mut self, request: &Request) -> Result {
        let size = size(request, A_PAGE)?;
        let stored = self.stored(request.text("DatabaseName"), &request.text("TableName").to_lowercase())?;
        let version = |(number, table): (&u64, &Value)| json!({"Table": table, "VersionId": number.to_string()});
        let all: Vec<_> = stored.versions.iter().rev().map(version).collect();
        let (found, next) = page(&all, request.text("NextToken"), size);
        Ok(json!({"TableVersions": found, "NextToken": next}))
    }

    fn delete_version(&mut self, request: &Request) -> Result {
        let version = request.text("VersionId");
        let stored = self.stored(request.text("DatabaseName"), &request.text("TableName").to_lowercase())?;
        if version == stored.number().to_string() {
            return Err(invalid("the current version cannot be deleted"));
        }
        let removed = version.parse().ok().and_then(|number: u64| stored.versions.remove(&number));
        removed.map(|_| json!({})).ok_or_else(|| gone(format!("TableVersion {version} not found.")))
    }
}

fn gone(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "EntityNotFoundException", message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidInputException", message)
}

fn size(request: &Request, most: usize) -> Result<usize> {
    match request.json["MaxResults"].as_u64() {
        None => Ok(most),
        Some(size) if size >= 1 && size <= most as u64 => Ok(size as usize),
        Some(size) => Err(Refusal::new(
            400,
            "ValidationException",
            format!("Value '{size}' at 'maxResults' is not in 1 to {most}"),
        )),
    }
}

/// Glue stores names in lower case.
fn name_of(input: &Value) -> String {
    input["Name"].as_str().unwrap_or_default().to_lowercase()
}

/// What GetTable shows of a TableInput.
fn entry(database: &str, input: &Value, version: u64) -> Result {
    let mut table = input.as_object().cloned().ok_or_else(|| invalid("TableInput is missing"))?;
    let name = name_of(input);
    if name.is_empty() || name.len() > 255 {
        return Err(Refusal::new(400, "ValidationException", "Value at 'name' must have length in 1 to 255"));
    }
    let columns = input["StorageDescriptor"]["Columns"].as_array();
    for comment in columns.into_iter().flatten().filter_map(|column| column["Comment"].as_str()) {
        if comment.len() > 255 || comment.contains('\n') {
            return Err(Refusal::new(400, "ValidationException", "Value at 'comment' is too long or has line breaks"));
        }
    }
    let mut set = |key: &str, value: Value| drop(table.insert(key.to_owned(), value));
    set("Name", json!(name));
    set("DatabaseName", json!(database));
    set("CatalogId", json!(ACCOUNT));
    set("IsRegisteredWithLakeFormation", json!(false));
    set("CreateTime", json!(1_767_323_045.0));
    set("VersionId", json!(version.to_string()));
    let mut table = Value::Object(table);
    // The SDK sends maps in any order.
    table.sort_all_objects();
    Ok(table)
}

/// What of a table is its TableInput.
pub fn described(table: &Value) -> Value {
    let own = ["DatabaseName", "CatalogId", "IsRegisteredWithLakeFormation", "CreateTime", "VersionId"];
    let fields = table.as_object().into_iter().flatten().filter(|(key, _)| !own.contains(&key.as_str()));
    Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}
