//! Everything in a document that is measured: quality rules, keys, relationships, and the freshness in its SLA.

use serde_json::{Map, Value};

use super::layout::{Entry, Layout};
use super::place::{Found, Place};
use super::rule::{Rules, texts};
use crate::checks::{CheckKind, CheckSpec};

pub(super) fn checks(
    found: &mut Found<'_>,
    root: &Map<String, Value>,
    object: &Map<String, Value>,
    at: &Place<'_>,
    layout: &Layout<'_>,
) -> Vec<CheckSpec> {
    let mut checks = Vec::new();
    Rules { found, layout, column: None }.read(object, at, &mut checks);
    let key = primary_key(found, at, layout, &mut checks);
    for entry in layout.entries() {
        let list = at.key("properties");
        let at = list.index(entry.index);
        let is_key = key.contains(&entry.column.name.as_str());
        marks(found, entry, is_key, &at, &mut checks);
        Rules { found, layout, column: Some(&entry.column.name) }.read(entry.property, &at, &mut checks);
        relationships(found, entry.property, &at, Source::Column(&entry.column.name), &mut checks);
        nested(found, entry.property, &at);
    }
    relationships(found, object, at, Source::Table(object, layout), &mut checks);
    freshness(found, root, object, layout, &mut checks);
    checks
}

fn spec(column: &str, kind: CheckKind) -> CheckSpec {
    CheckSpec { name: kind.name().to_owned(), column: Some(column.to_owned()), kind }
}

/// The key's columns are unique together.
fn primary_key<'l>(
    found: &mut Found<'_>,
    at: &Place<'_>,
    layout: &'l Layout<'_>,
    checks: &mut Vec<CheckSpec>,
) -> Vec<&'l str> {
    let list = at.key("properties");
    let mut key = Vec::new();
    for entry in layout.entries() {
        let at = list.index(entry.index);
        if found.flag(entry.property, &at, "primaryKey") {
            let position = entry.property.get("primaryKeyPosition").and_then(Value::as_i64);
            key.push((position.unwrap_or(-1), entry.column.name.as_str()));
        }
    }
    key.sort_by_key(|(position, _)| *position);
    let key: Vec<&str> = key.into_iter().map(|(_, name)| name).collect();
    if !key.is_empty() {
        let columns = key.iter().map(|name| (*name).to_owned()).collect();
        checks.push(CheckSpec { name: "primary key".to_owned(), column: None, kind: CheckKind::Unique { columns } });
    }
    key
}

/// What a property's own fields promise: `required`, `unique`, a primary key without NULL, and ODCS 3.2's `enum`.
fn marks(found: &mut Found<'_>, entry: &Entry<'_>, is_key: bool, at: &Place<'_>, checks: &mut Vec<CheckSpec>) {
    let name = &entry.column.name;
    if found.flag(entry.property, at, "required") || is_key {
        let none = spec(name, CheckKind::Nulls { max_rows: Some(0), max_share: None });
        checks.push(CheckSpec { name: "required".to_owned(), ..none });
    }
    if found.flag(entry.property, at, "unique") {
        checks.push(spec(name, CheckKind::Unique { columns: vec![name.clone()] }));
    }
    let list = found.list(entry.property, at, "enum");
    if !list.is_empty() {
        let values: Vec<Value> = list.iter().map(|one| one.get("value").unwrap_or(one).clone()).collect();
        let values = texts(found, &values, &at.key("enum"));
        checks.push(spec(name, CheckKind::AcceptedValues { values, max_rows: 0 }));
    }
}

/// Fields inside a column are not measured: a promise about one is refused, not passed over.
fn nested(found: &mut Found<'_>, property: &Map<String, Value>, at: &Place<'_>) {
    let list = at.key("properties");
    for (index, inner) in found.list(property, at, "properties").iter().enumerate() {
        inside(found, inner, list.index(index));
    }
    if let Some(items) = property.get("items") {
        inside(found, items, at.key("items"));
    }
    let map_at = at.key("map");
    for (key, inner) in found.map(property, at, "map").into_iter().flatten() {
        inside(found, inner, map_at.key(key));
    }
}

fn inside(found: &mut Found<'_>, inner: &Value, at: Place<'_>) {
    let Some(inner) = found.object(inner, at) else { return };
    for key in ["quality", "relationships", "enum", "required", "unique", "primaryKey"] {
        let says_nothing = |value: &Value| {
            value.is_null() || value == &Value::Bool(false) || value.as_array().is_some_and(Vec::is_empty)
        };
        if inner.get(key).is_some_and(|value| !says_nothing(value)) {
            found.add(at.key(key), "fields inside a column are not checked", "move it to the column, or remove it");
        }
    }
    nested(found, inner, &at);
}

/// Where a relationship starts.
#[derive(Clone, Copy)]
enum Source<'s> {
    Column(&'s str),
    /// The relationship's `from` says.
    Table(&'s Map<String, Value>, &'s Layout<'s>),
}

/// Foreign keys: every value is one of the other column's.
fn relationships(
    found: &mut Found<'_>,
    object: &Map<String, Value>,
    at: &Place<'_>,
    source: Source<'_>,
    checks: &mut Vec<CheckSpec>,
) {
    let list = at.key("relationships");
    for (index, relationship) in found.list(object, at, "relationships").iter().enumerate() {
        let at = list.index(index);
        let Some(relationship) = found.object(relationship, at) else { continue };
        if let Some(other) = found.text(relationship, &at, "type").filter(|kind| *kind != "foreignKey") {
            found.add(at.key("type"), format!("`{other}` is no relationship known here"), "make it `foreignKey`");
        }
        let from = match source {
            Source::Column(name) => Some(name),
            Source::Table(table, layout) => {
                let from = relationship.get("from").and_then(Value::as_str).unwrap_or_default();
                let column = column_of(from, table, layout);
                if column.is_none() {
                    found.add(at.key("from"), "is no column of this table", "write `table.column`");
                }
                column
            }
        };
        let to = relationship.get("to").and_then(Value::as_str).unwrap_or_default();
        match (from, to.split_once('.')) {
            (Some(from), Some((table, column))) if is_plain(table) && is_plain(column) => {
                let (table, column) = (table.to_lowercase(), column.to_owned());
                checks.push(spec(from, CheckKind::References { table, column }));
            }
            (None, _) => {}
            _ => found.add(at.key("to"), "is not one column of another table", "write `table.column`"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '/', '#'])
}

/// The column that `column` or `table.column` means.
fn column_of<'l>(element: &str, object: &Map<String, Value>, layout: &'l Layout<'_>) -> Option<&'l str> {
    layout.find(element).or_else(|| {
        let names = ["name", "physicalName"].into_iter().filter_map(|key| object.get(key)?.as_str());
        let mut columns = names.filter_map(|name| element.strip_prefix(name)?.strip_prefix('.'));
        columns.find_map(|column| layout.find(column))
    })
}

/// SLA `latency` (which ODCS prefers to `freshness`): the newest value of its element is at most this old.
///
/// <https://bitol-io.github.io/open-data-contract-standard/latest/service-level-agreement/>
fn freshness(
    found: &mut Found<'_>,
    root: &Map<String, Value>,
    object: &Map<String, Value>,
    layout: &Layout<'_>,
    checks: &mut Vec<CheckSpec>,
) {
    let list = Place::Root.key("slaProperties");
    let default = found.text(root, &Place::Root, "slaDefaultElement");
    for (index, sla) in found.list(root, &Place::Root, "slaProperties").iter().enumerate() {
        let at = list.index(index);
        let Some(sla) = found.object(sla, at) else { continue };
        let property = found.text(sla, &at, "property").unwrap_or_default().to_ascii_lowercase();
        if !matches!(property.as_str(), "freshness" | "latency" | "ly") {
            continue;
        }
        let elements = found.text(sla, &at, "element").or(default).unwrap_or_default();
        let hours = max_age_hours(found, sla, &at);
        for element in elements.split(',').map(str::trim) {
            match (column_of(element, object, layout), hours) {
                (Some(column), Some(max_age_hours)) => {
                    checks.push(spec(column, CheckKind::Freshness { max_age_hours }));
                }
                (None, _) => found.add(
                    at.key("element"),
                    format!("`{element}` is no column of this table"),
                    "name the column with the date or timestamp",
                ),
                (Some(_), None) => {}
            }
        }
    }
}

fn max_age_hours(found: &mut Found<'_>, sla: &Map<String, Value>, at: &Place<'_>) -> Option<u64> {
    let hours = match found.text(sla, at, "unit") {
        Some("h" | "hr" | "hour" | "hours") => 1.0,
        Some("d" | "day" | "days") => 24.0,
        _ => {
            found.add(at.key("unit"), "is no unit of age known here", "use `h` or `d`");
            return None;
        }
    };
    let age = sla.get("value").and_then(Value::as_f64).map(|value| value * hours);
    let age = age.filter(|age| *age > 0.0 && age.fract() == 0.0);
    if age.is_none() {
        found.add(at.key("value"), "is no whole number of hours or days", "write a number above 0");
    }
    age.map(|age| age as u64)
}
