//! Where in a document something stands, and what was found wrong there.

use std::fmt;

use serde_json::{Map, Value};

use crate::problem::Problem;

/// A place in a document, written `schema[0].properties[2].physicalType`; built without allocating.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Place::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The problems of one document, and typed access that adds to them. An absent field and a null are the same.
pub(super) struct Found<'a> {
    file: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Found<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, problems: Vec::new() }
    }

    pub(super) fn add(&mut self, at: Place<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.file, at.to_string(), message, help));
    }

    fn wrong_kind(&mut self, at: Place<'_>, value: &Value, wanted: &str) {
        self.add(at, format!("is {}, not {wanted}", kind(value)), format!("make it {wanted}"));
    }

    pub(super) fn object<'v>(&mut self, value: &'v Value, at: Place<'_>) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong_kind(at, value, "an object");
        }
        object
    }

    fn field<'v, T>(
        &mut self,
        object: &'v Map<String, Value>,
        at: &Place<'_>,
        key: &str,
        wanted: &str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Option<T> {
        let value = object.get(key).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.wrong_kind(at.key(key), value, wanted);
        }
        read
    }

    pub(super) fn text<'v>(&mut self, object: &'v Map<String, Value>, at: &Place<'_>, key: &str) -> Option<&'v str> {
        self.field(object, at, key, "a string", Value::as_str)
    }

    pub(super) fn flag(&mut self, object: &Map<String, Value>, at: &Place<'_>, key: &str) -> bool {
        self.field(object, at, key, "true or false", Value::as_bool).unwrap_or(false)
    }

    pub(super) fn number(&mut self, object: &Map<String, Value>, at: &Place<'_>, key: &str) -> Option<f64> {
        self.field(object, at, key, "a number", Value::as_f64)
    }

    pub(super) fn whole(&mut self, object: &Map<String, Value>, at: &Place<'_>, key: &str) -> Option<u64> {
        self.field(object, at, key, "a whole number from 0", Value::as_u64)
    }

    pub(super) fn list<'v>(&mut self, object: &'v Map<String, Value>, at: &Place<'_>, key: &str) -> &'v [Value] {
        self.field(object, at, key, "a list", Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(super) fn map<'v>(
        &mut self,
        object: &'v Map<String, Value>,
        at: &Place<'_>,
        key: &str,
    ) -> Option<&'v Map<String, Value>> {
        self.field(object, at, key, "an object", Value::as_object)
    }

    /// A string that must be there and must not be blank.
    pub(super) fn required_text<'v>(
        &mut self,
        object: &'v Map<String, Value>,
        at: &Place<'_>,
        key: &str,
        help: &str,
    ) -> Option<&'v str> {
        if object.get(key).is_none_or(Value::is_null) {
            self.add(*at, format!("has no `{key}`"), help);
            return None;
        }
        let text = self.text(object, at, key)?;
        if text.trim().is_empty() {
            self.add(at.key(key), "is empty", help);
            return None;
        }
        Some(text)
    }

    /// Says which keys of an object are not among the known ones.
    pub(super) fn only(&mut self, object: &Map<String, Value>, at: &Place<'_>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.add(at.key(key), "is not known here", format!("use one of {}", known.join(", ")));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
