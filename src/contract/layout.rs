//! The columns of a document: which property describes which, and in what order.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::place::{Found, Place};
use super::{Policy, Tolerance, custom, read};
use crate::schema::{Column, DataType, Evidence};

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

    /// Adds what the columns say of themselves.
    pub(super) fn policy(self, policy: &mut Policy) {
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
    column.comment = found.text(property, at, "description").map(Box::from);
    if let Some(value) = custom::get(&own, custom::EVIDENCE) {
        match value.as_str() {
            Some("none") => column.evidence = Evidence::None,
            Some("seen") => {}
            _ => found.add(at.key(custom::EVIDENCE), format!("{value} is no evidence"), "make it `none` or `seen`"),
        }
    }
    let pinned = custom::get(&own, custom::PINNED).is_some_and(|value| {
        if !value.is_boolean() {
            found.add(at.key(custom::PINNED), "is not true or false", "make it true or false");
        }
        value == &Value::Bool(true)
    });
    let partitioned = found.flag(property, at, "partitioned");
    let position = if partitioned { partition_position(found, property, at) } else { ordinal(found, &own, at) };
    let tolerances = read::tolerances(found, &own, at);
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
    let value = custom::get(own, custom::ORDINAL)?;
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
