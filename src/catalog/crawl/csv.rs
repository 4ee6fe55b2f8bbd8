//! CSV by the rules of Glue's built-in classifier, or by those of a source's own.
//! <https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html>

mod cells;
mod open_csv;
mod scan;

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "aws")]
pub(in crate::catalog) use cells::{Quotes, cells};
#[cfg(feature = "aws")]
pub(in crate::catalog) use scan::DELIMITERS;
use scan::{Cell, EMPTY_ROW, Scan};

use super::age;
use super::classifier::{CsvClassifier, CsvHeader};
use super::lines::Ends;
use super::listing::{SourceFile, Target};
use super::log::Log;
use super::missing::Missing;
use super::prefix::Inferred;
use crate::problem::Problem;
use crate::schema::{Column, DataType, Evidence, MIXED_HEADERS, QUOTED_VALUES, Storage, path, reads_like_name};

/// A scanned file and whether its first row is a header.
struct Part<'a> {
    file: &'a SourceFile,
    scan: Scan,
    has_header: bool,
    /// Of the newest files.
    is_newest: bool,
}

/// The newest file's header, and types that hold the values of every file.
pub(super) fn infer(target: &Target, files: &[SourceFile], gzip: bool, problems: &mut Vec<Problem>) -> Inferred {
    let header = target.classifier.as_ref().map_or(CsvHeader::Unknown, |classifier| classifier.header);
    let mut parts = Vec::new();
    let old = files.len() - age::newest(files);
    for (index, file) in files.iter().enumerate() {
        if let Some(scan) = scan::scan(target, file, gzip, &mut Log::new(&file.shown, problems)) {
            let has_header = match header {
                CsvHeader::Unknown => scan.has_header(),
                CsvHeader::Present => true,
                CsvHeader::Absent => false,
            };
            parts.push(Part { file, scan, has_header, is_newest: index >= old });
        }
    }
    if header == CsvHeader::Unknown {
        share_headers(&mut parts, problems);
    }
    report_delimiters(&parts, problems);
    report_duplicates(&parts, problems);
    let mut inferred = describe(&parts);
    inferred.notes.extend(note(target, &parts));
    inferred.set_ends(parts.iter().fold(Ends::default(), |ends, part| ends.with(part.scan.ends)));
    let ends = parts.iter().filter_map(|part| Some((part.file.shown.clone(), part.scan.empty?)));
    inferred.set_empty_lines(&ends.collect::<Vec<_>>(), EMPTY_ROW);
    let names = |part: &Part<'_>| (part.file.relative.clone(), part.names().into_iter().collect());
    inferred.names = parts.iter().map(names).collect();
    match target.classifier.as_ref().filter(|classifier| classifier.is_open_csv()) {
        Some(classifier) => as_open_csv(inferred, classifier),
        None => {
            report_quoted_numbers(target, &parts, problems);
            inferred
        }
    }
}

const OPEN_CSV: &str = "serde = \"OpenCSVSerDe\"";
const HEADER: &str = "header = \"present\"";

/// The way out for a source that needs quotes understood.
fn use_open_csv(target: &Target) -> String {
    let settings = [OPEN_CSV, HEADER];
    let said = usize::from(is_guessed(target));
    format!("write the cells without quotes, or {}", target.classify(&settings[..=said]))
}

/// True if nobody says whether the source's files have a header.
fn is_guessed(target: &Target) -> bool {
    target.classifier.as_ref().is_none_or(|classifier| classifier.header == CsvHeader::Unknown)
}

/// What Glue's choices make of the files without anything failing: names that became a row, quotes that stay in values.
fn note(target: &Target, parts: &[Part<'_>]) -> Option<Problem> {
    let is_guessed = is_guessed(target);
    let named = parts.iter().find(|part| is_guessed && !part.has_header && part.scan.may_have_header());
    let named = named.map(|part| (part, part.scan.first_line));
    let is_open_csv = target.classifier.as_ref().is_some_and(CsvClassifier::is_open_csv);
    let quoted = quoted(parts).filter(|_| !is_open_csv);
    let (part, line) = named.or(quoted)?;
    let (mut told, mut settings) = (Vec::new(), Vec::new());
    if named.is_some() {
        told.push("looks like a header and became a row: where all columns are text, or a name is empty, Glue sees no header, and calls them `col0`, `col1`, …");
        settings.push("header = \"present\" # \"absent\" if it is data");
    }
    if quoted.is_some() {
        told.push(
            "cells stand in quotes, and their values keep them: Glue chooses LazySimpleSerDe, which knows no quotes",
        );
        settings.insert(0, OPEN_CSV);
        // OpenCSVSerDe makes text of all columns, and then no header is seen.
        let header = if part.has_header { HEADER } else { "header = \"absent\"" };
        settings.extend((is_guessed && named.is_none()).then_some(header));
    }
    Some(Problem::new(&part.file.shown, format!("line {line}"), told.join("; "), target.classify(&settings)))
}

/// The first file with a value in quotes, and the line.
fn quoted<'a>(parts: &'a [Part<'a>]) -> Option<(&'a Part<'a>, u64)> {
    parts.iter().find_map(|part| Some((part, part.quoted_line()?)))
}

/// LazySimpleSerDe takes the quotes for a part of the cell, and reads it as NULL.
fn report_quoted_numbers(target: &Target, parts: &[Part<'_>], problems: &mut Vec<Problem>) {
    let types = types(parts);
    for part in parts {
        let mut log = Log::new(&part.file.shown, problems);
        for (name, line) in part.names().iter().zip(&part.scan.quoted_numbers) {
            if let Some(line) = line
                && types[name].is_number()
            {
                let message = format!("a number of {} stands in quotes: LazySimpleSerDe reads NULL", told(name));
                log.at_line(*line, message, use_open_csv(target));
            }
        }
    }
}

/// All columns are strings, as Glue's classifier makes them.
/// <https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html>
fn as_open_csv(mut inferred: Inferred, classifier: &CsvClassifier) -> Inferred {
    inferred.serde = Storage::OPEN_CSV;
    inferred.parameters.remove(QUOTED_VALUES);
    for column in &mut inferred.columns {
        column.data_type = DataType::String;
    }
    if let Some(delimiter) = inferred.serde_parameters.remove("field.delim") {
        inferred.serde_parameters.insert("separatorChar".to_owned(), delimiter);
    }
    inferred.serde_parameters.insert("quoteChar".to_owned(), classifier.quote_char().to_string());
    inferred.serde_parameters.insert("escapeChar".to_owned(), "\\".to_owned());
    inferred
}

/// A file whose values are all text has a header if it shares names with a file that surely has one. After that the files that
/// are not like the oldest are problems: the source was one way before they came.
fn share_headers(parts: &mut [Part<'_>], problems: &mut Vec<Problem>) {
    let known: BTreeSet<String> =
        parts.iter().filter(|part| part.has_header).flat_map(|part| header_names(&part.scan)).collect();
    for part in parts.iter_mut().filter(|part| !part.has_header) {
        let shared = header_names(&part.scan).iter().filter(|name| known.contains(*name)).count();
        part.has_header = shared > 0 && shared * 2 >= part.scan.first.len();
    }
    let Some(oldest) = parts.first() else { return };
    for part in parts.iter().filter(|part| part.has_header != oldest.has_header) {
        let other = &oldest.file.relative;
        let (message, help) = match oldest.has_header {
            true => (
                format!("the file has no header, `{other}` has one"),
                "put the header back: without it Athena skips a row of data",
            ),
            false => (
                format!("the file has a header, `{other}` has none"),
                "take the header away, or give every file one: the table is read with or without it as a whole",
            ),
        };
        Log::new(&part.file.shown, problems).at_line(part.scan.first_line, message, help);
    }
}

fn report_delimiters(parts: &[Part<'_>], problems: &mut Vec<Problem>) {
    let Some(first) = parts.first() else { return };
    for part in parts.iter().filter(|part| part.scan.delimiter != first.scan.delimiter) {
        let [here, there] = [part, first].map(|part| char::from(part.scan.delimiter).escape_debug());
        Log::new(&part.file.shown, problems).at_line(
            part.scan.first_line,
            format!("cells are divided by `{here}`, in `{}` by `{there}`", first.file.relative),
            "use one delimiter in every file",
        );
    }
}

fn report_duplicates(parts: &[Part<'_>], problems: &mut Vec<Problem>) {
    for part in parts.iter().filter(|part| part.has_header) {
        let mut log = Log::new(&part.file.shown, problems);
        let mut seen = BTreeSet::new();
        for name in header_names(&part.scan) {
            if seen.contains(&name) {
                let message = format!("{} comes twice, letter case aside", told(&name));
                log.at_line(part.scan.first_line, message, "rename one of them");
            }
            seen.insert(name);
        }
    }
}

/// A column by its name, unless that may be a value: where a header is lost, the row that stands for it is not told of.
fn told(name: &str) -> String {
    if reads_like_name(name) { format!("column `{name}`") } else { "a column whose name reads like a value".to_owned() }
}

fn header_names(scan: &Scan) -> Vec<String> {
    named(&scan.first)
}

/// Lowercase, an empty cell by its place, as Glue names columns without a header.
fn named(cells: &[String]) -> Vec<String> {
    let name = |(index, cell): (usize, &String)| {
        if cell.is_empty() { format!("col{index}") } else { cell.to_lowercase() }
    };
    cells.iter().enumerate().map(name).collect()
}

/// The names in a header line: divided as OpenCSVSerde does, if it is given its quote.
#[cfg(feature = "aws")]
pub(in crate::catalog) fn column_names(line: &str, delimiter: u8, quote: Option<u8>) -> Vec<String> {
    let divided = quote.and_then(|quote| open_csv::cells(line.as_bytes(), delimiter, quote).ok());
    let cells: Vec<String> = match divided {
        Some(cells) => cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect(),
        None => cells::cells(line.as_bytes(), delimiter).map(|cell| cell.text()).collect(),
    };
    named(&cells)
}

impl Part<'_> {
    /// The first line with a value in quotes; those around a header's names are no part of them.
    fn quoted_line(&self) -> Option<u64> {
        let first = (self.scan.quoted && !self.has_header).then_some(self.scan.first_line);
        self.scan.quoted_line.or(first)
    }

    fn names(&self) -> Vec<String> {
        if self.has_header {
            header_names(&self.scan)
        } else {
            (0..self.scan.first.len()).map(|index| format!("col{index}")).collect()
        }
    }

    /// What each column holds, the first row included if it is data.
    fn cells(&self) -> Vec<Cell> {
        let Scan { first, body, .. } = &self.scan;
        let first_row = |cell: &String| if self.has_header { Cell::Empty } else { Cell::of(cell.as_bytes()) };
        body.iter().zip(first).map(|(cell, first)| cell.with(first_row(first))).collect()
    }
}

/// What every file holds of each column.
fn types(parts: &[Part<'_>]) -> BTreeMap<String, Cell> {
    let mut types: BTreeMap<String, Cell> = BTreeMap::new();
    for part in parts {
        for (name, cell) in part.names().into_iter().zip(part.cells()) {
            let known = types.entry(name).or_insert(Cell::Empty);
            *known = known.with(cell);
        }
    }
    types
}

fn describe(parts: &[Part<'_>]) -> Inferred {
    let Some(newest) = parts.last() else { return Inferred::new(Storage::LAZY_SIMPLE, Vec::new(), 0) };
    let (names, types) = (newest.names(), types(parts));
    let records = parts.iter().map(|part| part.scan.body_rows + u64::from(!part.has_header)).sum();
    let columns = names.iter().map(|name| column(name, types[name])).collect();
    let missing = missing(parts, &names);
    let mut inferred = Inferred::new(Storage::LAZY_SIMPLE, columns, records);
    let delimiter = char::from(newest.scan.delimiter).to_string();
    inferred.serde_parameters.insert("field.delim".to_owned(), delimiter.clone());
    let mut set = |key: &str, value: String| inferred.parameters.insert(key.to_owned(), value);
    set("delimiter", delimiter);
    set("columnsOrdered", "true".to_owned());
    set("areColumnsQuoted", parts.iter().any(|part| part.scan.quoted).to_string());
    if let Some((part, line)) = quoted(parts) {
        set(QUOTED_VALUES, format!("{}, line {line}", part.file.relative));
    }
    if let Some(mixed) = mixed_headers(parts, &names) {
        set(MIXED_HEADERS, mixed);
    }
    if newest.has_header {
        set("skip.header.line.count", "1".to_owned());
        inferred.skip_header_lines = 1;
    }
    inferred.set_missing(missing);
    inferred
}

/// The table's last columns that others of the newest files end without: they read NULL. What stands elsewhere in them is told
/// by their headers.
fn missing(parts: &[Part<'_>], names: &[String]) -> Missing {
    let mut missing = Missing::default();
    let mut there = names.len();
    for part in parts.iter().filter(|part| part.is_newest) {
        let header = part.names();
        if header.len() < there && names.starts_with(&header) {
            let lacking = &names[header.len()..there];
            lacking.iter().for_each(|name| missing.add(path::column(name), part.file, false));
            there = header.len();
        }
    }
    missing
}

/// The files whose columns are not the table's, as a JSON list: Athena reads them by the table's positions.
fn mixed_headers(parts: &[Part<'_>], names: &[String]) -> Option<String> {
    let other = |part: &Part<'_>| {
        let header = part.names();
        (header != names).then(|| serde_json::json!({ "file": part.file.relative, "header": header }))
    };
    let others: Vec<_> = parts.iter().filter_map(other).collect();
    (!others.is_empty()).then(|| serde_json::Value::Array(others).to_string())
}

fn column(name: &str, cell: Cell) -> Column {
    let (data_type, evidence) = match cell {
        Cell::Empty => (DataType::String, Evidence::None),
        Cell::BigInt => (DataType::BigInt, Evidence::Seen),
        Cell::Double => (DataType::Double, Evidence::Seen),
        Cell::String => (DataType::String, Evidence::Seen),
    };
    Column { evidence, ..Column::new(name, data_type) }
}
