//! Document → [`Contract`], or everything that is wrong with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::layout::{Entry, Layout};
use super::place::{Found, Place};
use super::{Contract, Origin, Policy, Tolerance, custom, quality};
use crate::problem::Problems;
use crate::schema::{Storage, Table, TableKind};

/// The `status` of a contract whose source is gone for good.
pub(super) const RETIRED: &str = "retired";

pub(super) fn contract(file: &str, value: &Value) -> Result<Contract, Problems> {
    let mut found = Found::new(file);
    let empty = Map::new();
    let root = found.object(value, Place::Root).unwrap_or(&empty);
    let id = head(&mut found, root);
    let own = custom::read(&mut found, root, &Place::Root, custom::OF_DOCUMENT);
    let origin = origin(&mut found, &own);
    let mut policy = Policy { rules: tolerances(&mut found, &own, &Place::Root), ..Policy::default() };
    let mut table = Table::default();
    let mut checks = Vec::new();
    let list = Place::Root.key("schema");
    let at = list.index(0);
    if let Some(object) = schema_object(&mut found, root) {
        let layout = Layout::read(&mut found, object, &at);
        checks = quality::checks(&mut found, root, object, &at, &layout);
        table = self::table(&mut found, object, &at, &layout);
        layout.policy(&mut policy);
    }
    if origin == Origin::Model {
        table.storage = Storage::default();
        table.parameters.clear();
        table.location = None;
    } else {
        table.deprecated = is_retired(value);
    }
    let contract = Contract { file: file.to_owned(), id, table, origin, policy, checks };
    Problems::or(found.problems, contract)
}

/// Checks what every ODCS document starts with; gives its id.
fn head(found: &mut Found<'_>, root: &Map<String, Value>) -> String {
    let at = Place::Root;
    if let Some(kind) = found.required_text(root, &at, "kind", "add \"kind\": \"DataContract\"")
        && kind != "DataContract"
    {
        found.add(at.key("kind"), format!("`{kind}` is not a data contract"), "make it `DataContract`");
    }
    if let Some(version) = found.required_text(root, &at, "apiVersion", "add \"apiVersion\": \"v3.2.0\"")
        && !is_readable(version)
    {
        let message = format!("ODCS `{version}` cannot be read");
        found.add(at.key("apiVersion"), message, "use v3.0.x, v3.1.0 or v3.2.0");
    }
    found.required_text(root, &at, "version", "add \"version\": \"1.0.0\"");
    found.required_text(root, &at, "id", "add an id that never changes").unwrap_or_default().to_owned()
}

fn is_readable(version: &str) -> bool {
    let patch = version.strip_prefix("v3.0.");
    matches!(version, "v3.1.0" | "v3.2.0") || patch.is_some_and(|patch| patch.parse::<u8>().is_ok())
}

fn schema_object<'v>(found: &mut Found<'_>, root: &'v Map<String, Value>) -> Option<&'v Map<String, Value>> {
    let at = Place::Root.key("schema");
    match found.list(root, &Place::Root, "schema") {
        [] => {
            found.add(at, "describes no table", "add the table as its one element");
            None
        }
        [first, rest @ ..] => {
            if !rest.is_empty() {
                found.add(at, "describes more than one table", "write one contract a table");
            }
            found.object(first, at.index(0))
        }
    }
}

fn origin(found: &mut Found<'_>, own: &[(&str, &Value)]) -> Origin {
    let Some(value) = custom::get(own, custom::ORIGIN) else { return Origin::Crawler };
    match value.as_str() {
        Some("crawler") => Origin::Crawler,
        Some("model") => Origin::Model,
        _ => {
            found.add(Place::Root.key(custom::ORIGIN), format!("{value} is no origin"), "make it `crawler` or `model`");
            Origin::Crawler
        }
    }
}

/// True if the document is no longer in force.
/// <https://bitol-io.github.io/open-data-contract-standard/latest/fundamentals/>
pub(super) fn is_retired(document: &Value) -> bool {
    document.get("status").and_then(Value::as_str) == Some(RETIRED)
}

/// True if the document says that a model makes the table.
pub(super) fn is_model(document: &Value) -> bool {
    let mut found = Found::new("");
    let own = document.as_object().map(|root| custom::read(&mut found, root, &Place::Root, custom::OF_DOCUMENT));
    origin(&mut found, &own.unwrap_or_default()) == Origin::Model
}

pub(super) fn tolerances(found: &mut Found<'_>, own: &[(&str, &Value)], at: &Place<'_>) -> BTreeMap<String, Tolerance> {
    let at = at.key(custom::POLICY);
    let Some(value) = custom::get(own, custom::POLICY) else { return BTreeMap::new() };
    let Some(rules) = found.object(value, at) else { return BTreeMap::new() };
    let mut tolerances = BTreeMap::new();
    for (rule, value) in rules {
        let tolerance = match value.as_str() {
            Some("tolerate") => Tolerance::Tolerate,
            Some("break") => Tolerance::Break,
            _ => {
                found.add(at.key(rule), format!("{value} is no tolerance"), "make it `tolerate` or `break`");
                continue;
            }
        };
        tolerances.insert(rule.clone(), tolerance);
    }
    tolerances
}

pub(super) fn table(found: &mut Found<'_>, object: &Map<String, Value>, at: &Place<'_>, layout: &Layout<'_>) -> Table {
    let name = table_name(found, object, at).unwrap_or_default().to_lowercase();
    let own = custom::read(found, object, at, custom::OF_SCHEMA);
    let kind = match found.text(object, at, "physicalType") {
        Some("view") => TableKind::View,
        Some("iceberg") => TableKind::Iceberg,
        _ => TableKind::External,
    };
    let columns = |entries: &[Entry<'_>]| entries.iter().map(|entry| entry.column.clone()).collect();
    Table {
        name,
        columns: columns(&layout.data),
        partition_keys: columns(&layout.keys),
        storage: storage(found, &own, at),
        location: own_text(found, &own, at, custom::LOCATION),
        kind,
        parameters: parameters(found, &own, at),
        ..Table::default()
    }
}

fn storage(found: &mut Found<'_>, own: &[(&str, &Value)], at: &Place<'_>) -> Storage {
    let mut storage = Storage {
        classification: own_text(found, own, at, custom::CLASSIFICATION),
        serde: own_text(found, own, at, custom::SERDE),
        input_format: own_text(found, own, at, custom::INPUT_FORMAT),
        output_format: own_text(found, own, at, custom::OUTPUT_FORMAT),
        compression: own_text(found, own, at, custom::COMPRESSION),
        ..Storage::default()
    };
    if let Some(value) = custom::get(own, custom::SERDE_PARAMETERS) {
        storage.serde_parameters = string_map(found, value, at.key(custom::SERDE_PARAMETERS));
    }
    if let Some(value) = custom::get(own, custom::SKIP_HEADER_LINES) {
        match value.as_u64().and_then(|lines| u32::try_from(lines).ok()) {
            Some(lines) => storage.skip_header_lines = lines,
            None => found.add(at.key(custom::SKIP_HEADER_LINES), "is no count of lines", "make it 0, 1, …"),
        }
    }
    storage
}

fn parameters(found: &mut Found<'_>, own: &[(&str, &Value)], at: &Place<'_>) -> BTreeMap<String, String> {
    let at = at.key(custom::PARAMETERS);
    let Some(value) = custom::get(own, custom::PARAMETERS) else { return BTreeMap::new() };
    if let Some(object) = value.as_object() {
        found.only(object, &at, custom::PROMISED_PARAMETERS);
    }
    string_map(found, value, at)
}

fn own_text(found: &mut Found<'_>, own: &[(&str, &Value)], at: &Place<'_>, name: &str) -> Option<String> {
    let value = custom::get(own, name)?;
    if !value.is_string() {
        found.add(at.key(name), "is not a string", "make it a string");
    }
    value.as_str().map(str::to_owned)
}

fn table_name<'v>(found: &mut Found<'_>, object: &'v Map<String, Value>, at: &Place<'_>) -> Option<&'v str> {
    let name = found.required_text(object, at, "name", "name the table");
    found.text(object, at, "physicalName").or(name)
}

fn string_map(found: &mut Found<'_>, value: &Value, at: Place<'_>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (key, value) in found.object(value, at).into_iter().flatten() {
        match value.as_str() {
            Some(text) => drop(map.insert(key.clone(), text.to_owned())),
            None => found.add(at.key(key), "is not a string", "make it a string"),
        }
    }
    map
}
