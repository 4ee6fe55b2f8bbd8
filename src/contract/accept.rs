//! A document with another schema promised, and nothing else touched.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::layout::{Entry, Layout};
use super::place::{Found, Place};
use super::rule::CAST_LOSS;
use super::{create, custom, read};
use crate::schema::{Column, DataType, Table};

pub(super) fn accept(document: &Value, table: &Table, renamed: &BTreeMap<String, String>) -> Value {
    let under_new_names = with_names(document, renamed);
    let mut next = under_new_names.clone();
    if table.deprecated {
        retire(&mut next);
        return next;
    }
    let Some(old_object) = under_new_names.pointer("/schema/0").and_then(Value::as_object) else {
        return next;
    };
    // Problems are `contract`'s to tell; what cannot be read here counts as absent.
    let layout = Layout::read(&mut Found::new(""), old_object, &Place::Root);
    let api_version = document.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if let Some(object) = next.pointer_mut("/schema/0").and_then(Value::as_object_mut) {
        let columns = Columns { layout: &layout, table, api_version };
        columns.write(object);
        if !read::is_model(document) {
            write_storage(object, old_object, &layout, table);
        }
    }
    if read::is_retired(document) && !read::is_model(document) {
        next["status"] = json!("active");
    }
    if next != *document {
        bump(&mut next, !renamed.is_empty() || breaks(&layout, table));
    }
    next
}

/// The document with columns under their new names; each property keeps its id and every other field.
fn with_names(document: &Value, renamed: &BTreeMap<String, String>) -> Value {
    let mut next = document.clone();
    let properties = next.pointer_mut("/schema/0/properties").and_then(Value::as_array_mut);
    for property in properties.into_iter().flatten().filter_map(Value::as_object_mut) {
        let old = property.get("physicalName").or_else(|| property.get("name")).and_then(Value::as_str);
        if let Some((_, new)) = renamed.iter().find(|(name, _)| old.is_some_and(|old| old.eq_ignore_ascii_case(name))) {
            set_name(property, new);
        }
    }
    next
}

/// The document with a count of what models lose that read a column through TRY_CAST. Nothing may be lost until somebody
/// says how much: whoever accepted the cast has not seen the values.
pub(super) fn counting_loss(document: &Value, column: &str, data_type: &DataType) -> Value {
    let mut next = document.clone();
    let check = json!({"check": CAST_LOSS, "type": data_type.to_string()});
    let properties = next.pointer_mut("/schema/0/properties").and_then(Value::as_array_mut);
    let of_column = |property: &&mut Map<String, Value>| {
        let name = property.get("physicalName").or_else(|| property.get("name")).and_then(Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case(column))
    };
    let property = properties.into_iter().flatten().filter_map(Value::as_object_mut).find(of_column);
    let rules = property.and_then(|property| property.entry("quality").or_insert_with(|| json!([])).as_array_mut());
    if let Some(rules) = rules {
        let is_there = |rule: &Value| ["check", "type"].iter().all(|key| rule["implementation"][key] == check[key]);
        if !rules.iter().any(is_there) {
            let check = json!({"check": CAST_LOSS, "type": data_type.to_string(), "maxLost": 0});
            rules.push(json!({"name": "cast_loss", "type": "custom", "engine": "crawlguard", "implementation": check}));
        }
    }
    next
}

/// Sets the name that the catalog knows.
fn set_name(property: &mut Map<String, Value>, name: &str) {
    let key = if property.get("physicalName").is_some_and(Value::is_string) { "physicalName" } else { "name" };
    property.insert(key.to_owned(), json!(name));
}

/// Takes a contract out of force; what it promised stays on record.
fn retire(document: &mut Value) {
    if document.is_object() && !read::is_retired(document) && !read::is_model(document) {
        document["status"] = json!(read::RETIRED);
        bump(document, true);
    }
}

/// True if a column went, or changed its type or side.
fn breaks(layout: &Layout<'_>, table: &Table) -> bool {
    let gone = |old: &[Entry<'_>], new: &[Column]| {
        old.iter().any(|entry| !new.iter().any(|column| is_same(&entry.column, column, true)))
    };
    gone(&layout.data, &table.columns) || gone(&layout.keys, &table.partition_keys)
}

fn is_same(old: &Column, new: &Column, with_type: bool) -> bool {
    old.name.eq_ignore_ascii_case(&new.name) && (!with_type || old.data_type == new.data_type)
}

fn write_storage(object: &mut Map<String, Value>, old: &Map<String, Value>, layout: &Layout<'_>, table: &Table) {
    let old = read::table(&mut Found::new(""), old, &Place::Root, layout);
    if old.kind != table.kind {
        object.insert("physicalType".to_owned(), json!(create::kind_name(table.kind)));
    }
    for ((name, before), (_, after)) in create::storage(&old).into_iter().zip(create::storage(table)) {
        if before != after {
            custom::set(object, name, after);
        }
    }
}

struct Columns<'a> {
    layout: &'a Layout<'a>,
    table: &'a Table,
    api_version: &'a str,
}

impl Columns<'_> {
    fn write(&self, object: &mut Map<String, Value>) {
        let properties = object.entry("properties").or_insert_with(|| json!([]));
        let Some(properties) = properties.as_array_mut() else { return };
        if self.same_order() {
            for (entry, column) in self.pairs() {
                if let Some(property) = properties[entry.index].as_object_mut() {
                    self.update(property, &entry.column, column);
                }
            }
        } else {
            *properties = self.rebuilt(std::mem::take(properties));
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&Entry<'_>, &Column)> {
        self.layout.entries().zip(self.table.all_columns())
    }

    fn same_order(&self) -> bool {
        self.layout.data.len() == self.table.columns.len()
            && self.layout.keys.len() == self.table.partition_keys.len()
            && self.pairs().all(|(entry, column)| is_same(&entry.column, column, false))
    }

    /// Data columns, then partition keys, in the table's order; what describes no column comes last.
    fn rebuilt(&self, properties: Vec<Value>) -> Vec<Value> {
        let mut rest: Vec<Option<Value>> = properties.into_iter().map(Some).collect();
        let mut built = Vec::new();
        for (ordinal, column) in (1u64..).zip(&self.table.columns) {
            let mut property = self.take(&mut rest, column);
            create::set_partitioned(&mut property, None);
            let ordinal = self.layout.has_ordinals.then(|| json!(ordinal));
            custom::set(&mut property, custom::ORDINAL, ordinal);
            built.push(Value::Object(property));
        }
        for (position, column) in (1u64..).zip(&self.table.partition_keys) {
            let mut property = self.take(&mut rest, column);
            create::set_partitioned(&mut property, Some(position));
            custom::set(&mut property, custom::ORDINAL, None);
            built.push(Value::Object(property));
        }
        for entry in self.layout.entries() {
            rest[entry.index] = None;
        }
        built.extend(rest.into_iter().flatten());
        built
    }

    /// The column's property, brought up to date, or a new one.
    fn take(&self, rest: &mut [Option<Value>], column: &Column) -> Map<String, Value> {
        let old =
            self.layout.entries().find(|entry| is_same(&entry.column, column, false) && rest[entry.index].is_some());
        if let Some(entry) = old
            && let Some(Value::Object(mut property)) = rest[entry.index].take()
        {
            self.update(&mut property, &entry.column, column);
            return property;
        }
        create::property(column, self.api_version)
    }

    fn update(&self, property: &mut Map<String, Value>, old: &Column, new: &Column) {
        if old.name != new.name {
            set_name(property, &new.name);
        }
        if old.data_type != new.data_type {
            self.retype(property, &new.data_type);
        }
        if old.evidence != new.evidence {
            custom::set(property, custom::EVIDENCE, create::evidence(new.evidence));
        }
    }

    fn retype(&self, property: &mut Map<String, Value>, data_type: &DataType) {
        property.insert("physicalType".to_owned(), json!(data_type.to_string()));
        if property.contains_key("logicalType") {
            match create::logical_type(data_type, self.api_version) {
                Some(logical) => property.insert("logicalType".to_owned(), json!(logical)),
                None => property.shift_remove("logicalType"),
            };
        }
    }
}

/// Raises `version`; one that is not `1`, `1.2` or `1.2.3` stays.
fn bump(document: &mut Value, major: bool) {
    let Some(text) = document.get("version").and_then(Value::as_str) else { return };
    if let Some(next) = bumped(text, major) {
        document["version"] = json!(next);
    }
}

fn bumped(version: &str, is_major: bool) -> Option<String> {
    let digits = version.strip_prefix('v');
    let prefix = if digits.is_some() { "v" } else { "" };
    let numbers: Vec<u64> =
        digits.unwrap_or(version).split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (major, minor) = match numbers[..] {
        [major] | [major, _] | [major, _, _] if is_major => (major + 1, 0),
        [major] => (major, 1),
        [major, minor] | [major, minor, _] => (major, minor + 1),
        _ => return None,
    };
    Some(format!("{prefix}{major}.{minor}.0"))
}

#[cfg(test)]
mod tests {
    use super::bumped;

    #[test]
    fn versions_rise_and_what_is_none_stays() {
        let cases = [
            ("1.2.3", false, Some("1.3.0")),
            ("1.2.3", true, Some("2.0.0")),
            ("1.2", false, Some("1.3.0")),
            ("v3", false, Some("v3.1.0")),
            ("2026-01", true, None),
            ("1.2.3-rc1", false, None),
            ("1.2.3.4", true, None),
            ("", true, None),
        ];
        for (version, major, expected) in cases {
            assert_eq!(bumped(version, major).as_deref(), expected, "{version}");
        }
    }
}
