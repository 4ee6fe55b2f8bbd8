//! Facts about how and where a table's bytes are stored.
//!
//! A contract that says nothing about a property promises nothing about it. Of the parameters a crawler rewrites every
//! time (record counts, run ids, its own name, the JSON SerDe's `paths`) none is looked at.

use std::collections::BTreeSet;

use super::decode::{safe_if, same_format, serde_parameter};
use super::facts::Facts;
use super::{ChangeKind, Decode, recorded};
use crate::schema::{Format, QUOTED_VALUES, Storage, Table};

/// Keys of the delimiter: LazySimpleSerDe's, OpenCSVSerde's.
const DELIMITER: [&str; 2] = ["field.delim", "separatorChar"];

/// `paths` repeats the columns, `serialization.format` the delimiter or a constant.
const DERIVED: [&str; 2] = ["paths", "serialization.format"];

/// States what differs in format, SerDe and location. `same_columns`: nothing differs in the columns.
pub(super) fn storage(facts: &mut Facts<'_>, before: &Table, after: &Table, same_columns: bool) {
    location(facts, before, after);
    compression(facts, &before.storage, &after.storage);
    if !decoder(facts, &before.storage, &after.storage) {
        return;
    }
    // Another SerDe has other parameters: they are compared only within one.
    if before.storage.serde.is_some() {
        delimiter(facts, before, after);
        quoted_values(facts, before, after);
        // Where the header is lost its line is no longer skipped: one cause, one fact.
        if !facts.has(ChangeKind::HeaderLost) {
            header_lines(facts, &before.storage, &after.storage);
        }
        serde_parameters(facts, &before.storage, &after.storage);
    }
    if same_columns {
        avro_schema(facts, before, after);
    }
}

/// Format and SerDe: one fact, the gravest. True if the bytes are read by the same decoder as before.
fn decoder(facts: &mut Facts<'_>, before: &Storage, after: &Storage) -> bool {
    let serde = (&before.serde, &after.serde);
    let labels = [
        (&before.classification, &after.classification),
        serde,
        (&before.input_format, &after.input_format),
        (&before.output_format, &after.output_format),
    ];
    // A SerDe that was never promised is no change, but to be read it must be known.
    let foreign = after.format() == Format::Unknown && serde.0 != serde.1;
    let same_serde = !promised_otherwise(serde);
    if foreign {
        facts.add("", ChangeKind::Unreadable, serde.0.clone(), serde.1.clone(), Decode::Unknown);
    } else if !same_serde && same_format(before, after) {
        facts.add("", ChangeKind::SerdeChanged, serde.0.clone(), serde.1.clone(), Decode::Unsafe);
    } else if let Some((from, to)) = labels.into_iter().find(|sides| promised_otherwise(*sides)) {
        facts.add("", ChangeKind::FormatChanged, from.clone(), to.clone(), Decode::Unsafe);
    } else {
        return true;
    }
    false
}

fn promised_otherwise((before, after): (&Option<String>, &Option<String>)) -> bool {
    before.is_some() && before != after
}

fn compression(facts: &mut Facts<'_>, before: &Storage, after: &Storage) {
    // Where nothing at all is promised of the storage, neither is this. Else unset and `none` are the same.
    if before.serde.is_none() && before.compression.is_none() {
        return;
    }
    let codec = |storage: &Storage| storage.compression.clone().unwrap_or_else(|| "none".to_owned());
    let (from, to) = (codec(before), codec(after));
    if !from.eq_ignore_ascii_case(&to) {
        facts.add("", ChangeKind::CompressionChanged, Some(from), Some(to), Decode::Safe);
    }
}

fn location(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let place = |table: &Table| table.location.as_deref().map(|uri| uri.trim_end_matches('/').to_owned());
    // A project whose contracts promise a place in the cloud is also tried on a machine's folders.
    let is_remote = |table: &Table| table.location.as_ref().is_some_and(|uri| uri.contains("://"));
    let is_elsewhere = is_remote(before) && !is_remote(after) && after.location.is_some();
    if before.location.is_some() && !is_elsewhere && place(before) != place(after) {
        let (from, to) = (before.location.clone(), after.location.clone());
        facts.add("", ChangeKind::LocationChanged, from, to, Decode::Safe);
    }
}

fn delimiter(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let delimiter = |table: &Table| {
        let serde = DELIMITER.iter().find_map(|key| table.storage.serde_parameters.get(*key));
        serde.or_else(|| table.parameters.get("delimiter")).cloned()
    };
    let (from, to) = (delimiter(before), delimiter(after));
    if from != to {
        facts.add("", ChangeKind::DelimiterChanged, from, to, Decode::Unsafe);
    }
}

/// The bytes decode, and the values are others. Quotes that go away again are not told: a writer may need them in some rows only.
fn quoted_values(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    let Some(place) = after.parameters.get(QUOTED_VALUES) else { return };
    if !before.parameters.contains_key(QUOTED_VALUES) {
        facts.add("", ChangeKind::ValuesQuoted, None, Some(place.clone()), Decode::Safe);
        facts.advise(recorded::classify(after));
    }
}

fn header_lines(facts: &mut Facts<'_>, before: &Storage, after: &Storage) {
    let (from, to) = (before.skip_header_lines, after.skip_header_lines);
    if from != to {
        facts.add("", ChangeKind::HeaderLinesChanged, Some(from.to_string()), Some(to.to_string()), Decode::Unsafe);
    }
}

fn serde_parameters(facts: &mut Facts<'_>, before: &Storage, after: &Storage) {
    let (before, after) = (&before.serde_parameters, &after.serde_parameters);
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let looked_at = |key: &&String| !DELIMITER.contains(&key.as_str()) && !DERIVED.contains(&key.as_str());
    for key in keys.into_iter().filter(looked_at) {
        let side = |value: Option<&String>| value.map(|value| format!("{key}={value}"));
        let (from, to) = (side(before.get(key)), side(after.get(key)));
        if from != to {
            facts.add("", ChangeKind::SerdeParameterChanged, from, to, serde_parameter(key));
        }
    }
}

/// Avro's literal is a second copy of the columns: it must follow them, and may not change without them.
fn avro_schema(facts: &mut Facts<'_>, before: &Table, after: &Table) {
    const KEY: &str = "avro.schema.literal";
    let (from, to) = (before.parameters.get(KEY), after.parameters.get(KEY));
    if from.is_some() && from != to {
        let side = |value: Option<&String>| value.map(|value| format!("{KEY}={value}"));
        facts.add("", ChangeKind::SerdeParameterChanged, side(from), side(to), safe_if(false));
    }
}
