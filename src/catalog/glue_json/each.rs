//! A dump, table by table: ten thousand of them are not held at once for the sake of reading them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use serde_json::Value;

use super::Converted;

/// Hands out each table as soon as it is read; true if AWS says that more would follow.
pub(super) fn each(text: &str, take: &mut dyn FnMut(Converted)) -> serde_json::Result<bool> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = serde_json::Deserializer::from_str(text);
    if text.trim_start().starts_with('[') {
        List(take).deserialize(&mut reader)?;
        reader.end()?;
        return Ok(false);
    }
    let Envelope { holds_tables, is_cut_off } = Tables(take).deserialize(&mut reader)?;
    reader.end()?;
    if !holds_tables {
        if !is_table(text) {
            return Err(Error::custom("this is no table, and holds none"));
        }
        take(serde_json::from_str(text)?);
    }
    Ok(is_cut_off)
}

/// Whether an object has what every table has: a name, or files.
fn is_table(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    ["Name", "StorageDescriptor"].iter().any(|key| value.get(key).is_some())
}

struct Envelope {
    /// Else it is a table itself.
    holds_tables: bool,
    is_cut_off: bool,
}

struct Tables<'t>(&'t mut dyn FnMut(Converted));

impl<'de> DeserializeSeed<'de> for Tables<'_> {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Envelope, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tables<'_> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct Envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Envelope, A::Error> {
        let (mut table, mut list, mut token) = (None, None, None);
        while let Some(key) = fields.next_key::<String>()? {
            match key.as_str() {
                "Table" => {
                    fresh(&table, "Table")?;
                    table = Some(fields.next_value::<Option<Converted>>()?.map(&mut *self.0));
                }
                "TableList" => {
                    fresh(&list, "TableList")?;
                    list = Some(fields.next_value_seed(Optional(&mut *self.0))?);
                }
                "NextToken" => {
                    fresh(&token, "NextToken")?;
                    token = Some(fields.next_value::<Option<String>>()?);
                }
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        let holds_tables = table.flatten().is_some() || list.flatten().is_some();
        Ok(Envelope { holds_tables, is_cut_off: token.flatten().is_some() })
    }
}

fn fresh<T, E: Error>(field: &Option<T>, name: &'static str) -> Result<(), E> {
    if field.is_some() { Err(E::duplicate_field(name)) } else { Ok(()) }
}

/// A list of tables, or null.
struct Optional<'t>(&'t mut dyn FnMut(Converted));

impl<'de> DeserializeSeed<'de> for Optional<'_> {
    type Value = Option<()>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Option<()>, D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Optional<'_> {
    type Value = Option<()>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("option")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<()>, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Option<()>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<Option<()>, D::Error> {
        List(self.0).deserialize(reader).map(Some)
    }
}

struct List<'t>(&'t mut dyn FnMut(Converted));

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tables: A) -> Result<(), A::Error> {
        while let Some(table) = tables.next_element()? {
            (self.0)(table);
        }
        Ok(())
    }
}
