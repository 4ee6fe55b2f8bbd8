//! JSON Lines: the keys and types of every record, seen without building the records.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::age;
use super::lines::{self, Ends, Lines};
use super::listing::{SourceFile, unreadable};
use super::log::Log;
use super::missing::Missing;
use super::prefix::Inferred;
use super::shape::{Field, Fields, Place, Scalar, Shape};
use crate::problem::Problem;
use crate::schema::{Column, Evidence, Storage, path};

/// 2^63: from here on a whole number may be one that no integer type holds.
const PAST_64_BITS: f64 = 9_223_372_036_854_775_808.0;

/// The union of all records' keys, in first-seen order.
pub(super) fn infer(files: &[SourceFile], gzip: bool, problems: &mut Vec<Problem>) -> Inferred {
    let mut fields = Fields::default();
    let (mut records, mut ends, mut names) = (0, Ends::default(), Vec::new());
    let mut empty = Vec::new();
    for (index, file) in files.iter().enumerate() {
        match lines::open(file, gzip) {
            Ok(reader) => {
                let mut lines = Lines::new(reader);
                let (found, last_empty) = read(&mut lines, index, &mut fields, &mut Log::new(&file.shown, problems));
                records += found;
                empty.extend(last_empty.map(|line| (file.shown.clone(), line)));
                ends = ends.with(lines.ends());
                let here = fields.list.iter().filter(|field| field.last_file == index);
                names.push((file.relative.clone(), here.map(|field| field.key.to_lowercase()).collect()));
            }
            Err(error) => problems.push(unreadable(&file.path, &error)),
        }
    }
    report(&fields, "", files, problems);
    report_commas(&fields, files, problems);
    let mut inferred = describe(&fields, records, files);
    inferred.set_ends(ends);
    inferred.set_empty_lines(&empty, "and every column of it is NULL");
    inferred.names = names;
    inferred
}

/// Reads one file; the number of its records, and the line of the last if that is empty.
fn read(lines: &mut Lines, file: usize, fields: &mut Fields, log: &mut Log<'_>) -> (u64, Option<u64>) {
    let (mut records, mut empty) = (0, None);
    while let Some((line, text)) = lines.next(log) {
        if let Some(line) = empty.take() {
            log.at_line(line, "the line is empty: Athena reads a row of NULLs", "take the empty line out");
        }
        if text.trim_ascii().is_empty() {
            empty = Some(line);
            continue;
        }
        // Between two values JSON takes it for white space.
        if lines::has_lone_cr(text) {
            lines::report_lone_cr(line, log);
            continue;
        }
        records += 1;
        if let Err(error) = observe(text, fields, Place { file, line })
            && explain(text, line, &error, records == 1, log) == Then::GiveUp
        {
            break;
        }
    }
    (records + u64::from(empty.is_some()), empty)
}

#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    /// Every later line would be wrong for the same reason.
    GiveUp,
}

/// Logs why a line is no JSON object.
fn explain(text: &[u8], line: u64, error: &serde_json::Error, is_first: bool, log: &mut Log<'_>) -> Then {
    if let Err(invalid) = std::str::from_utf8(text) {
        log.push(format!("{line}:{}", invalid.valid_up_to() + 1), "invalid UTF-8", "write the file in UTF-8");
    } else if lines::report_nul(line, text, log) {
        return Then::GoOn;
    } else if is_first && text.trim_ascii_start().starts_with(b"[") {
        log.at_line(line, "the file is one JSON array", "write one object a line");
        return Then::GiveUp;
    } else if is_first && error.is_eof() {
        log.at_line(line, "a JSON object does not end on its line", "write one object a line");
        return Then::GiveUp;
    } else {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        log.push(format!("{line}:{}", error.column()), format!("invalid JSON: {message}"), mending(message));
    }
    Then::GoOn
}

fn mending(message: &str) -> &'static str {
    match message {
        "number out of range" => "write the number as text",
        "recursion limit exceeded" => "nest less than 128 levels deep",
        message if message.contains("escape") || message.contains("control character") => "escape it as JSON demands",
        _ => "write one object a line",
    }
}

/// The SerDe's `paths` divides keys with commas.
fn report_commas(fields: &Fields, files: &[SourceFile], problems: &mut Vec<Problem>) {
    for field in fields.list.iter().filter(|field| field.key.contains(',')) {
        let message = format!("key `{}` holds a comma", field.key);
        problems.push(Problem::new(&files[field.first.file].shown, line(field.first), message, "rename the key"));
    }
}

fn line(place: Place) -> String {
    format!("line {}", place.line)
}

/// Logs what the records do not agree on.
fn report(fields: &Fields, parent: &str, files: &[SourceFile], problems: &mut Vec<Problem>) {
    for field in &fields.list {
        let path = format!("{parent}{}", field.key);
        if let Some(place) = field.twice {
            let message = format!("key `{path}` comes twice in one object, letter case aside");
            let help = "keep one: Athena fails on such a row";
            problems.push(Problem::new(&files[place.file].shown, line(place), message, help));
        }
        report_shape(&field.shape, &path, files, problems);
    }
}

fn report_shape(shape: &Shape, path: &str, files: &[SourceFile], problems: &mut Vec<Problem>) {
    match shape {
        Shape::Mixed { place, before, now } => problems.push(Problem::new(
            &files[place.file].shown,
            line(*place),
            format!("`{path}` is {now} here and {before} before"),
            "give it one type in every record: no Glue type holds both",
        )),
        Shape::Array(items) => report_shape(items, &format!("{path}[]"), files, problems),
        Shape::Struct(fields) => report(fields, &format!("{path}."), files, problems),
        Shape::Empty | Shape::Scalar(_) => {}
    }
}

fn describe(fields: &Fields, records: u64, files: &[SourceFile]) -> Inferred {
    let keys: Vec<_> = fields.list.iter().map(|field| field.key.as_str()).collect();
    let spellings: serde_json::Map<_, _> = fields
        .list
        .iter()
        .filter(|field| !field.former_keys.is_empty())
        .map(|field| (field.key.to_lowercase(), field.former_keys.clone().into()))
        .collect();
    let mut inferred = Inferred::new(Storage::OPENX_JSON, fields.list.iter().map(column).collect(), records);
    inferred.serde_parameters.insert("paths".to_owned(), keys.join(","));
    inferred.set_missing(missing(fields, files));
    if !spellings.is_empty() {
        let spellings = serde_json::Value::Object(spellings).to_string();
        inferred.parameters.insert("crawlguard.former_keys".to_owned(), spellings);
    }
    inferred
}

/// What the newest files no longer have, though they have the object that it was in.
fn missing(fields: &Fields, files: &[SourceFile]) -> Missing {
    let mut missing = Missing::default();
    let newest: Vec<usize> = (files.len() - age::newest(files)..files.len()).collect();
    for field in &fields.list {
        add_missing(field, &path::column(&field.key.to_lowercase()), &newest, files, &mut missing);
    }
    missing
}

/// Adds a field, or what is inside it, that is missing in some of the files `among`.
fn add_missing(field: &Field, here: &str, among: &[usize], files: &[SourceFile], missing: &mut Missing) {
    let (having, lacking): (Vec<usize>, Vec<usize>) = among.iter().partition(|file| field.files.has(**file));
    if let Some(first) = lacking.first() {
        missing.add(here.to_owned(), &files[*first], having.is_empty());
    }
    let (mut shape, mut here) = (&field.shape, here.to_owned());
    while let Shape::Array(items) = shape {
        (shape, here) = (items, path::item(&here));
    }
    if let Shape::Struct(fields) = shape {
        let among: Vec<usize> = having.into_iter().filter(|file| fields.files.has(*file)).collect();
        for field in &fields.list {
            add_missing(field, &path::field(&here, &field.key), &among, files, missing);
        }
    }
}

fn column(field: &Field) -> Column {
    // An all-empty array or object says as little as a null: a later value is no change of type.
    let (data_type, evidence) = match &field.shape {
        shape if shape.is_blank() => (shape.data_type(), Evidence::None),
        shape => (shape.data_type(), Evidence::Seen),
    };
    Column { evidence, ..Column::new(field.key.to_lowercase(), data_type) }
}

/// Widens `fields` by one record.
fn observe(record: &[u8], fields: &mut Fields, place: Place) -> serde_json::Result<()> {
    let past_64_bits = Cell::new(false);
    visit(record, fields, At { place, past_64_bits: &past_64_bits })?;
    // The reader rounds such an integer. Once more, as text, it makes its column text.
    match past_64_bits.get().then(|| long_integers_as_text(record)).flatten() {
        Some(text) => visit(&text, fields, At { place, past_64_bits: &past_64_bits }),
        None => Ok(()),
    }
}

fn visit(record: &[u8], fields: &mut Fields, at: At<'_>) -> serde_json::Result<()> {
    let mut reader = serde_json::Deserializer::from_slice(record);
    (&mut reader).deserialize_map(Record { fields, at })?;
    reader.end()
}

/// The record with the integers past 64 bits in quotes, `None` if it has none.
fn long_integers_as_text(record: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut rest, mut found) = (Vec::new(), record, false);
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| b"+-.eE0123456789".contains(byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        let digits = token.strip_prefix(b"-").unwrap_or(token);
        let is_long = digits.len() >= 19 && digits.iter().all(u8::is_ascii_digit) && !fits(token);
        let quote: &[u8] = if is_long { b"\"" } else { b"" };
        out.extend([quote, token, quote].concat());
        found |= is_long;
        rest = after;
    }
    found.then_some(out)
}

fn fits(integer: &[u8]) -> bool {
    std::str::from_utf8(integer).is_ok_and(|text| text.parse::<i64>().is_ok())
}

/// How long a string is with both its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// Where a value stands, and whether its record holds a number that may be an integer past 64 bits.
#[derive(Clone, Copy)]
struct At<'a> {
    place: Place,
    past_64_bits: &'a Cell<bool>,
}

/// An object whose keys and types go into `fields`.
struct Record<'a> {
    fields: &'a mut Fields,
    at: At<'a>,
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { fields, at } = self;
        fields.start(at.place);
        let mut likely = 0;
        while let Some(index) = map.next_key_seed(Key { fields, likely, place: at.place })? {
            map.next_value_seed(Value { shape: &mut fields.list[index].shape, at })?;
            likely = index + 1;
        }
        Ok(())
    }
}

/// A key, read as its index in `fields`.
struct Key<'a> {
    fields: &'a mut Fields,
    likely: usize,
    place: Place,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        Ok(self.fields.index_of(key, self.likely, self.place))
    }
}

/// Any value, whose type goes into `shape`.
struct Value<'a> {
    shape: &'a mut Shape,
    at: At<'a>,
}

impl Value<'_> {
    fn scalar<E>(self, scalar: Scalar) -> Result<(), E> {
        self.shape.see_scalar(scalar, self.at.place);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar(Scalar::Boolean)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.scalar(if i32::try_from(number).is_ok() { Scalar::Int } else { Scalar::BigInt })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            // Past bigint, text alone keeps every digit.
            Err(_) => self.scalar(Scalar::String),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if number.abs() >= PAST_64_BITS {
            self.at.past_64_bits.set(true);
        }
        self.scalar(Scalar::Double)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar(Scalar::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some(item) = self.shape.see_array(self.at.place) else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        while items.next_element_seed(Value { shape: item, at: self.at })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(fields) = self.shape.see_struct(self.at.place) else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        Record { fields, at: self.at }.visit_map(map)
    }
}
