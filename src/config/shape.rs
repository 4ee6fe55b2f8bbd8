//! `crawlguard.toml` held against its own JSON schema: every key that is unknown, missing or of another type, at once.
//!
//! What the schema cannot say is for the reader of the values.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FILE, line_column};
use crate::problem::{Problem, Problems, closest};

/// Every fault of the text's form; none if it has the schema's shape.
pub(super) fn check(text: &str, schema: &Value) -> Result<(), Problems> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut shape = Shape { text, schema, problems: Vec::new() };
    for error in errors {
        let message = error.message().replace('\n', ", ");
        shape.add(error.span().unwrap_or_default(), message, "Mend the TOML there: <https://toml.io>.".into());
    }
    // A table that was cut short by a syntax error would seem to miss keys.
    if shape.problems.is_empty() {
        shape.table("", document.span(), document.get_ref(), schema);
    }
    Problems::or(shape.problems, ())
}

struct Shape<'a> {
    text: &'a str,
    schema: &'a Value,
    problems: Vec<Problem>,
}

impl Shape<'_> {
    fn add(&mut self, at: Range<usize>, message: String, help: String) {
        self.problems.push(Problem::new(FILE, line_column(self.text, at.start), message, help));
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>, schema: &Value) {
        let schema = self.resolved(schema);
        let wanted = types(&schema);
        let given = type_of(value.get_ref());
        let fits = wanted.is_empty() || wanted.contains(&given) || (given == "integer" && wanted.contains(&"number"));
        if !fits {
            let message = format!("`{path}` is {}, not {}", a(given), a(wanted[0]));
            return self.add(value.span(), message, format!("Write {}: {}", a(wanted[0]), about(&schema)));
        }
        if let DeValue::Integer(_) = value.get_ref()
            && schema["minimum"].as_i64() == Some(0)
            && self.text[value.span()].starts_with('-')
        {
            self.add(value.span(), format!("`{path}` is less than 0"), about(&schema));
        }
        if let DeValue::Table(table) = value.get_ref() {
            match schema["oneOf"].as_array() {
                Some(variants) => self.variant(path, value.span(), table, variants),
                None => self.table(path, value.span(), table, &schema),
            }
        }
    }

    fn table(&mut self, path: &str, at: Range<usize>, table: &DeTable<'_>, schema: &Value) {
        let none = Map::new();
        let known = schema["properties"].as_object().unwrap_or(&none);
        let missing: Vec<&str> = list(schema, "required").filter(|key| !table.contains_key(*key)).collect();
        for (key, value) in table.iter() {
            let name: &str = key.get_ref();
            let inside = joined(path, name);
            match (known.get(name), &schema["additionalProperties"]) {
                (Some(schema), _) => self.value(&inside, value, schema),
                (None, Value::Object(_)) => self.value(&inside, value, &schema["additionalProperties"]),
                (None, _) => {
                    let free = known.keys().map(String::as_str).filter(|key| !table.contains_key(*key));
                    let help = match closest(name, free) {
                        Some(known) => format!("Did you mean `{known}`?"),
                        None => format!("Use one of: {}.", known.keys().cloned().collect::<Vec<_>>().join(", ")),
                    };
                    self.add(key.span(), format!("`{inside}` is no setting"), help);
                }
            }
        }
        for key in missing {
            self.add(at.clone(), format!("`{}` is missing", joined(path, key)), about(&self.resolved(&known[key])));
        }
    }

    /// A table whose `kind` says which of several it is.
    fn variant(&mut self, path: &str, at: Range<usize>, table: &DeTable<'_>, variants: &[Value]) {
        let kind_of = |schema: &Value| schema["properties"]["kind"]["const"].as_str().unwrap_or_default().to_owned();
        let kinds: Vec<String> = variants.iter().map(kind_of).collect();
        let kind = table.get("kind");
        let given = kind.and_then(|kind| kind.get_ref().as_str());
        if let Some(schema) = variants.iter().find(|schema| given == Some(&kind_of(schema))) {
            return self.table(path, at, table, schema);
        }
        let message = match kind {
            Some(kind) => format!("`{path}.kind` is {}", &self.text[kind.span()]),
            None => format!("`{path}.kind` is missing"),
        };
        let help =
            format!("Use one of: {}.", kinds.iter().map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(", "));
        self.add(kind.map_or(at, Spanned::span), message, help);
    }

    /// The schema that a `$ref` names, or the schema itself.
    fn resolved(&self, schema: &Value) -> Value {
        let named = schema["$ref"].as_str().and_then(|path| self.schema.pointer(path.trim_start_matches('#')));
        named.unwrap_or(schema).clone()
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn list<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    schema[key].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The types that a schema allows, by itself or by its variants: `"string"`, or `["string", "null"]`.
fn types(schema: &Value) -> Vec<&str> {
    let own = schema["type"].as_str().into_iter().chain(list(schema, "type"));
    let variants = schema["oneOf"].as_array().into_iter().flatten().flat_map(types);
    own.chain(variants).collect()
}

/// A schema's own words about a setting.
fn about(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or("See crawlguard.schema.json.").replace('\n', " ")
}

/// In JSON schema's names.
fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

/// A type in TOML's words.
fn a(kind: &str) -> &str {
    match kind {
        "string" => "text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "date" => "a date",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}
