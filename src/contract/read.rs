//! Document → [`Contract`], or everything that is wrong with it.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::place::{Found, Place};
use super::{Contract, Origin, Policy, Tolerance, custom, quality};
use crate::problem::Problems;
use crate::schema::{Column, DataType, Evidence, Storage, Table, TableKind};

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
    let Some(value) = get(own, custom::ORIGIN) else { return Origin::Crawler };
    match value.as_str() {
        Some("crawler") => Origin::Crawler,
        Some("model") => Origin::Model,
        _ => {
            found.add(Place::Root.key(custom::ORIGIN), format!("{value} is no origin"), "make it `crawler` or `model`");
            Origin::Crawler
        }
    }
}

/// True if the document says that a model makes the table.
pub(super) fn is_model(document: &Value) -> bool {
    let mut found = Found::new("");
    let own = document.as_object().map(|root| custom::read(&mut found, root, &Place::Root, custom::OF_DOCUMENT));
    origin(&mut found, &own.unwrap_or_default()) == Origin::Model
}

fn get<'v>(own: &[(&str, &'v Value)], name: &str) -> Option<&'v Value> {
    own.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn tolerances(found: &mut Found<'_>, own: &[(&str, &Value)], at: &Place<'_>) -> BTreeMap<String, Tolerance> {
    let at = at.key(custom::POLICY);
    let Some(value) = get(own, custom::POLICY) else { return BTreeMap::new() };
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
    let mut text = |name: &'static str| {
        let value = get(&own, name)?;
        if !value.is_string() {
            found.add(at.key(name), "is not a string", "make it a string");
        }
        value.as_str().map(str::to_owned)
    };
    let mut storage = Storage {
        classification: text(custom::CLASSIFICATION),
        serde: text(custom::SERDE),
        input_format: text(custom::INPUT_FORMAT),
        output_format: text(custom::OUTPUT_FORMAT),
        compression: text(custom::COMPRESSION),
        ..Storage::default()
    };
    let location = text(custom::LOCATION);
    if let Some(value) = get(&own, custom::SERDE_PARAMETERS) {
        storage.serde_parameters = string_map(found, value, at.key(custom::SERDE_PARAMETERS));
    }
    if let Some(value) = get(&own, custom::SKIP_HEADER_LINES) {
        match value.as_u64().and_then(|lines| u32::try_from(lines).ok()) {
            Some(lines) => storage.skip_header_lines = lines,
            None => found.add(at.key(custom::SKIP_HEADER_LINES), "is no count of lines", "make it 0, 1, …"),
        }
    }
    let kind = match found.text(object, at, "physicalType") {
        Some("view") => TableKind::View,
        Some("iceberg") => TableKind::Iceberg,
        _ => TableKind::External,
    };
    let columns = |entries: &[Entry<'_>]| entries.iter().map(|entry| entry.column.clone()).collect();
    let (columns, partition_keys) = (columns(&layout.data), columns(&layout.keys));
    Table { name, columns, partition_keys, storage, location, kind, ..Table::default() }
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

/// The columns of a schema object, in their order, each with the property that describes it.
pub(super) struct Layout<'v> {
    pub(super) data: Vec<Entry<'v>>,
    pub(super) keys: Vec<Entry<'v>>,
    /// The order comes from `crawlguard.ordinal`.
    pub(super) has_ordinals: bool,
}

pub(super) struct Entry<'v> {
    /// The property's place in `properties`.
    pub(super) index: usize,
    pub(super) property: &'v Map<String, Value>,
    pub(super) column: Column,
    partitioned: bool,
    position: Option<u64>,
    pinned: bool,
    tolerances: BTreeMap<String, Tolerance>,
}

impl<'v> Layout<'v> {
    pub(super) fn read(found: &mut Found<'_>, object: &'v Map<String, Value>, at: &Place<'_>) -> Self {
        let list = at.key("properties");
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        let properties = found.list(object, at, "properties");
        if properties.is_empty() {
            found.add(*at, "has no columns", "describe them in `properties`");
        }
        for (index, property) in properties.iter().enumerate() {
            let at = list.index(index);
            let Some(property) = found.object(property, at) else { continue };
            if is_measure(property) {
                continue;
            }
            let entry = entry(found, property, index, &at);
            if !entry.column.name.is_empty() && !seen.insert(entry.column.name.to_ascii_lowercase()) {
                let message = format!("column `{}` is described twice", entry.column.name);
                found.add(at.key("name"), message, "keep one; Glue does not tell upper from lower case");
            }
            entries.push(entry);
        }
        let (mut keys, mut data): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.partitioned);
        let has_ordinals = sort(found, &list, &mut data, custom::ORDINAL);
        sort(found, &list, &mut keys, "partitionKeyPosition");
        Self { data, keys, has_ordinals }
    }

    /// Data columns, then partition keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<'v>> {
        self.data.iter().chain(&self.keys)
    }

    /// The column's name as the contract writes it.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.entries().map(|entry| entry.column.name.as_str()).find(|column| column.eq_ignore_ascii_case(name))
    }

    fn policy(self, policy: &mut Policy) {
        for entry in self.data.into_iter().chain(self.keys) {
            if entry.pinned {
                policy.pinned.push(entry.column.name.clone());
            }
            if !entry.tolerances.is_empty() {
                policy.columns.insert(entry.column.name, entry.tolerances);
            }
        }
    }
}

/// An ODCS 3.2 measure is computed, not stored: no column of the table.
fn is_measure(property: &Map<String, Value>) -> bool {
    property.get("semanticType").and_then(Value::as_str) == Some("measure")
}

fn entry<'v>(found: &mut Found<'_>, property: &'v Map<String, Value>, index: usize, at: &Place<'_>) -> Entry<'v> {
    let own = custom::read(found, property, at, custom::OF_PROPERTY);
    let name = found.required_text(property, at, "name", "name the column as the catalog does");
    let name = found.text(property, at, "physicalName").or(name).unwrap_or_default();
    let mut column = Column::new(name, data_type(found, property, at));
    column.comment = found.text(property, at, "description").map(str::to_owned);
    if let Some(value) = get(&own, custom::EVIDENCE) {
        match value.as_str() {
            Some("none") => column.evidence = Evidence::None,
            Some("seen") => {}
            _ => found.add(at.key(custom::EVIDENCE), format!("{value} is no evidence"), "make it `none` or `seen`"),
        }
    }
    let pinned = get(&own, custom::PINNED).is_some_and(|value| {
        if !value.is_boolean() {
            found.add(at.key(custom::PINNED), "is not true or false", "make it true or false");
        }
        value == &Value::Bool(true)
    });
    let partitioned = found.flag(property, at, "partitioned");
    let position = if partitioned { partition_position(found, property, at) } else { ordinal(found, &own, at) };
    let tolerances = tolerances(found, &own, at);
    Entry { index, property, column, partitioned, position, pinned, tolerances }
}

fn data_type(found: &mut Found<'_>, property: &Map<String, Value>, at: &Place<'_>) -> DataType {
    let help = "write the Glue type: `string`, `bigint`, `struct<a:int>`, …";
    let text = found.required_text(property, at, "physicalType", help).unwrap_or_default();
    let data_type = DataType::parse(text);
    if !text.is_empty() && data_type.has_unrecognized() {
        found.add(at.key("physicalType"), format!("`{text}` is no type known here"), help);
    }
    data_type
}

/// ODCS writes -1 for "no position".
fn partition_position(found: &mut Found<'_>, property: &Map<String, Value>, at: &Place<'_>) -> Option<u64> {
    const KEY: &str = "partitionKeyPosition";
    if property.get(KEY).and_then(Value::as_i64) == Some(-1) { None } else { found.whole(property, at, KEY) }
}

fn ordinal(found: &mut Found<'_>, own: &[(&str, &Value)], at: &Place<'_>) -> Option<u64> {
    let value = get(own, custom::ORDINAL)?;
    if !value.is_u64() {
        found.add(at.key(custom::ORDINAL), "is no place in the table", "count the columns from 1");
    }
    value.as_u64()
}

/// Puts entries in the order of their positions, if they have any: then they must be 1, 2, … without a gap.
fn sort(found: &mut Found<'_>, list: &Place<'_>, entries: &mut [Entry<'_>], key: &str) -> bool {
    if entries.iter().all(|entry| entry.position.is_none()) {
        return false;
    }
    entries.sort_by_key(|entry| entry.position);
    for (wanted, entry) in (1..).zip(&*entries) {
        if entry.position != Some(wanted) {
            let message = format!("`{key}` does not count the columns 1, 2, … without a gap");
            found.add(list.index(entry.index), message, format!("number every column, or none; here {wanted} is next"));
            break;
        }
    }
    true
}
