//! Text → value, with key order kept, and duplicate keys and what JSON cannot hold refused.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::place::Place;
use crate::problem::{Problem, json_place};

/// Reads YAML if the file's extension says so, else JSON.
pub(super) fn parse(file: &str, text: &str) -> Result<Value, Vec<Problem>> {
    let found = RefCell::new(Vec::new());
    let root = Place::Root;
    let seed = Strict { file, at: &root, found: &found };
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if body.len() != text.len() {
        seed.note("starts with a byte order mark", "save it as UTF-8 without one");
    }
    let value = if is_yaml(file) { from_yaml(seed, body) } else { from_json(seed, body) };
    let mut problems = found.into_inner();
    match value {
        Ok(value) if problems.is_empty() => return Ok(value),
        Ok(_) => {}
        Err((place, message)) => problems.push(Problem::new(file, place, message, "mend the text there")),
    }
    Err(problems)
}

pub(super) fn is_yaml(file: &str) -> bool {
    let extension = file.rsplit('.').next().unwrap_or_default();
    extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
}

/// A place (`line:column`) and what is wrong there.
type SyntaxError = (String, String);

fn from_json(seed: Strict<'_>, text: &str) -> Result<Value, SyntaxError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| (json_place(text, &error), bare_message(&error.to_string())))
}

fn from_yaml(seed: Strict<'_>, text: &str) -> Result<Value, SyntaxError> {
    seed.deserialize(serde_yaml_ng::Deserializer::from_str(text)).map_err(|error| {
        let place = error.location().map(|at| format!("{}:{}", at.line(), at.column()));
        (place.unwrap_or_default(), bare_message(&error.to_string()))
    })
}

/// The message without the position, which the problem's place says.
fn bare_message(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// Builds a [`Value`], noting every duplicate key.
#[derive(Clone, Copy)]
struct Strict<'a> {
    file: &'a str,
    at: &'a Place<'a>,
    found: &'a RefCell<Vec<Problem>>,
}

impl Strict<'_> {
    fn note(&self, message: &str, help: &str) {
        self.found.borrow_mut().push(Problem::new(self.file, self.at.to_string(), message, help));
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can hold")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // An integer past 64 bits arrives here rounded: refused, since it would be written back changed.
        let exact = value.abs() < 2f64.powi(64);
        let number = Number::from_f64(value).filter(|_| exact);
        number.map(Value::Number).ok_or_else(|| E::custom("a number that JSON cannot hold exactly"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let at = self.at.index(list.len());
            match items.next_element_seed(Strict { at: &at, ..self })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let at = self.at.key(&key);
            let inner = Strict { at: &at, ..self };
            let value = entries.next_value_seed(inner)?;
            if key == "<<" && is_yaml(self.file) {
                inner.note("is a YAML merge key", "write the merged fields out");
            } else if map.contains_key(&key) {
                inner.note("is given twice", "keep one of the two");
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
