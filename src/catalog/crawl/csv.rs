//! CSV by the rules of Glue's built-in classifier.
//! <https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html>

mod cells;
mod scan;

use std::collections::{BTreeMap, BTreeSet};

use scan::{Cell, Scan};

use super::listing::SourceFile;
use super::log::Log;
use super::prefix::Inferred;
use crate::problem::Problem;
use crate::schema::{Column, DataType, Evidence, MIXED_HEADERS, Storage};

/// A scanned file and whether its first row is a header.
struct Part<'a> {
    file: &'a SourceFile,
    scan: Scan,
    has_header: bool,
}

/// The newest file's header, and types that hold the values of every file.
pub(super) fn infer(files: &[SourceFile], gzip: bool, problems: &mut Vec<Problem>) -> Inferred {
    let mut parts = Vec::new();
    for file in files {
        if let Some(scan) = scan::scan(file, gzip, &mut Log::new(&file.shown, problems)) {
            let has_header = scan.has_header();
            parts.push(Part { file, scan, has_header });
        }
    }
    share_headers(&mut parts, problems);
    report_delimiters(&parts, problems);
    report_duplicates(&parts, problems);
    describe(&parts)
}

/// A file whose values are all text has a header if it shares names with a file that surely has one.
fn share_headers(parts: &mut [Part<'_>], problems: &mut Vec<Problem>) {
    let known: BTreeSet<String> =
        parts.iter().filter(|part| part.has_header).flat_map(|part| header_names(&part.scan)).collect();
    let Some(with) = parts.iter().find(|part| part.has_header).map(|part| part.file.relative.clone()) else {
        return;
    };
    for part in parts.iter_mut().filter(|part| !part.has_header) {
        let shared = header_names(&part.scan).iter().filter(|name| known.contains(*name)).count();
        part.has_header = shared * 2 >= part.scan.first.len();
        if !part.has_header {
            Log::new(&part.file.shown, problems).at_line(
                part.scan.first_line,
                format!("the file has no header, `{with}` has one"),
                "put the header back: without it Athena skips a row of data",
            );
        }
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
                let message = format!("column `{name}` comes twice, letter case aside");
                log.at_line(part.scan.first_line, message, "rename one of them");
            }
            seen.insert(name);
        }
    }
}

/// Lowercase, an empty cell by its place, as Glue names columns without a header.
fn header_names(scan: &Scan) -> Vec<String> {
    let name = |(index, cell): (usize, &String)| {
        if cell.is_empty() { format!("col{index}") } else { cell.to_lowercase() }
    };
    scan.first.iter().enumerate().map(name).collect()
}

impl Part<'_> {
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

fn describe(parts: &[Part<'_>]) -> Inferred {
    let Some(newest) = parts.last() else { return Inferred::new(Storage::LAZY_SIMPLE, Vec::new(), 0) };
    let names = newest.names();
    let mut types: BTreeMap<String, Cell> = BTreeMap::new();
    for part in parts {
        for (name, cell) in part.names().into_iter().zip(part.cells()) {
            let known = types.entry(name).or_insert(Cell::Empty);
            *known = known.with(cell);
        }
    }
    let records = parts.iter().map(|part| part.scan.body_rows + u64::from(!part.has_header)).sum();
    let columns = names.iter().map(|name| column(name, types[name])).collect();
    let mut inferred = Inferred::new(Storage::LAZY_SIMPLE, columns, records);
    let delimiter = char::from(newest.scan.delimiter).to_string();
    inferred.serde_parameters.insert("field.delim".to_owned(), delimiter.clone());
    let mut set = |key: &str, value: String| inferred.parameters.insert(key.to_owned(), value);
    set("delimiter", delimiter);
    set("columnsOrdered", "true".to_owned());
    set("areColumnsQuoted", parts.iter().any(|part| part.scan.quoted).to_string());
    if let Some(mixed) = mixed_headers(parts, &names) {
        set(MIXED_HEADERS, mixed);
    }
    if newest.has_header {
        set("skip.header.line.count", "1".to_owned());
        inferred.skip_header_lines = 1;
    }
    inferred
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
