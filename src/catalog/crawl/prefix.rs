//! One target: its files, what they agree on, and the table that makes.

use std::collections::{BTreeMap, BTreeSet};

use super::age;
use super::lines::Ends;
use super::listing::{self, SourceFile, Target, unreadable};
use super::missing::Missing;
use super::sniff::{Kind, Sniffed, sniff};
use super::{Outcome, Unread};
use super::{csv, json, parquet, similarity};
use crate::problem::Problem;
use crate::schema::{
    Column, DataType, EMPTY_LINES, MIXED_LINE_ENDS, NOTES, OUR_CRAWLER, PARTITIONS_INHERIT, Storage, Table, TableKind,
    UPDATED_BY_CRAWLER,
};

/// What the files of one format say, before it becomes a table.
pub(super) struct Inferred {
    pub(super) serde: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) records: u64,
    pub(super) serde_parameters: BTreeMap<String, String>,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) skip_header_lines: u32,
    /// What is no fault, and what people would want to know.
    pub(super) notes: Vec<Problem>,
    /// The names of the columns of each file.
    pub(super) names: Vec<(String, BTreeSet<String>)>,
}

impl Inferred {
    pub(super) fn new(serde: &'static str, columns: Vec<Column>, records: u64) -> Self {
        let (serde_parameters, parameters) = Default::default();
        let (notes, names) = Default::default();
        Self { serde, columns, records, serde_parameters, parameters, skip_header_lines: 0, notes, names }
    }

    /// Records which ends the lines of all files have, where a reader must know.
    pub(super) fn set_ends(&mut self, ends: Ends) {
        if ends.are_mixed() {
            self.parameters.insert(MIXED_LINE_ENDS.to_owned(), "true".to_owned());
        }
    }

    /// Records which files end in an empty line, and where: no fault, but a row that nobody meant.
    pub(super) fn set_empty_lines(&mut self, ends: &[(String, u64)], row: &str) {
        let Some((file, line)) = ends.first() else { return };
        let others = match ends.len() - 1 {
            0 => String::new(),
            1 => ", and so does another file".to_owned(),
            count => format!(", and so do {count} other files"),
        };
        let message = format!("the file ends in an empty line{others}: Athena reads a row from it, {row}");
        let help = "take the empty line out where the file is written, or drop such rows in the model";
        self.notes.push(Problem::new(file.clone(), format!("line {line}"), message, help));
        self.parameters.insert(EMPTY_LINES.to_owned(), "true".to_owned());
    }

    /// Records what the newest files lack.
    pub(super) fn set_missing(&mut self, missing: Missing) {
        self.parameters.extend(missing.parameters());
    }
}

/// The table of one folder.
pub(super) fn crawl(target: &Target, database: &str) -> Outcome {
    let mut problems = Vec::new();
    let mut files = listing::files(target, &mut problems);
    report_companions(target, &mut files, &mut problems);
    let (groups, empty) = by_format(&files, &mut problems);
    if groups.is_empty() && problems.is_empty() {
        let (message, help) = match files.is_empty() {
            true => ("the folder holds no data file", "deliver the data, or remove the folder"),
            false => ("every file is empty", "deliver the data again"),
        };
        problems.push(Problem::new(&target.shown, "", message, help));
    }
    report_formats(target, &groups, &mut problems);
    report_empty(&files, &empty, &mut problems);
    let mut table = None;
    for (sniffed, files) in &groups {
        let inferred = infer(target, *sniffed, files, &mut problems);
        table = build(target, database, *sniffed, files, inferred, &mut problems);
    }
    match table {
        Some(table) if problems.is_empty() => Ok(table),
        _ => Err(Unread::of(target, problems)),
    }
}

type Group = (Sniffed, Vec<SourceFile>);

/// The files that hold something, by format and compression; and those that hold nothing, by their paths.
fn by_format<'a>(files: &'a [SourceFile], problems: &mut Vec<Problem>) -> (Vec<Group>, BTreeSet<&'a str>) {
    let (mut groups, mut empty) = (Vec::<Group>::new(), BTreeSet::new());
    for file in files {
        let sniffed = match sniff(file) {
            Ok(None) => {
                empty.insert(file.relative.as_str());
                continue;
            }
            Ok(Some(sniffed)) => sniffed,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        match groups.iter_mut().find(|(known, _)| *known == sniffed) {
            Some((_, same)) => same.push(file.clone()),
            None => groups.push((sniffed, vec![file.clone()])),
        }
    }
    (groups, empty)
}

/// Ends of names that are put behind a data file's own: checksums, uploads that go on, marks that one is complete.
const COMPANIONS: [&str; 16] = [
    "md5", "sha1", "sha256", "sha512", "crc", "crc32", "tmp", "temp", "partial", "filepart", "bak", "ok", "done",
    "sig", "asc", "swp",
];

/// Takes out the files that are no data by their names, and reports them once: Athena reads all whose names do not begin with
/// `_` or `.`, whatever a crawler leaves out.
/// <https://docs.aws.amazon.com/athena/latest/ug/glue-best-practices.html>
fn report_companions(target: &Target, files: &mut Vec<SourceFile>, problems: &mut Vec<Problem>) {
    let all: BTreeSet<String> = files.iter().map(|file| file.relative.clone()).collect();
    let is_companion = |file: &SourceFile| {
        let Some((data, end)) = file.relative.rsplit_once('.') else { return false };
        COMPANIONS.contains(&end.to_ascii_lowercase().as_str()) && (all.contains(data) || listing::is_data(data))
    };
    let (companions, data) = std::mem::take(files).into_iter().partition(is_companion);
    *files = data;
    let companions: Vec<SourceFile> = companions;
    let Some(first) = companions.first() else { return };
    let others: Vec<_> = companions[1..].iter().take(4).map(|file| format!("`{}`", file.relative)).collect();
    let message = match companions.len() {
        1 => "is no data by its name, and Athena reads it as if it were".to_owned(),
        count if count <= 5 => {
            format!("is no data by its name, nor is {}; Athena reads them all", others.join(", nor "))
        }
        count => format!("is no data by its name, nor are {} others; Athena reads them all", count - 1),
    };
    let help = format!(
        "move it out of `{}`, or begin its name with `_` or `.`: those alone Athena passes over, and a crawler's exclude \
         patterns mean nothing to it",
        target.shown
    );
    problems.push(Problem::new(&first.shown, "", message, help));
}

/// A newest file that holds nothing is an upload that went wrong, or a day that nothing came of: nobody could tell which. Older
/// ones were told of in their time. Hadoop's writers leave an empty part where a task had no rows: beside a part that holds
/// something it says nothing.
fn report_empty(files: &[SourceFile], empty: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    if empty.len() == files.len() {
        return;
    }
    let newest = &files[files.len() - age::newest(files)..];
    let is_empty = |file: &&SourceFile| empty.contains(file.relative.as_str());
    let filled: BTreeSet<&str> = files.iter().filter(|file| !is_empty(file)).filter_map(part_of).collect();
    for file in newest.iter().filter(is_empty).filter(|file| part_of(file).is_none_or(|job| !filled.contains(job))) {
        let help = "deliver it again; if there was nothing to deliver, take it away";
        problems.push(Problem::new(&file.shown, "", "is one of the newest files, and it is empty", help));
    }
}

/// The folder that the job wrote whose part a file is, by its name: `part-00003-…`, `000003_0`.
fn part_of(file: &SourceFile) -> Option<&str> {
    let (folder, name) = file.relative.rsplit_once('/').unwrap_or(("", &file.relative));
    let is_task = |name: &str| name.len() > 7 && name.as_bytes()[..6].iter().all(u8::is_ascii_digit);
    (name.starts_with("part-") || (is_task(name) && name[6..].starts_with('_'))).then_some(folder)
}

/// Glue makes several tables of a folder whose files differ in format or compression.
fn report_formats(target: &Target, groups: &[Group], problems: &mut Vec<Problem>) {
    if groups.len() < 2 {
        return;
    }
    let name = |(sniffed, files): &Group| {
        let packed = if sniffed.gzip { ", gzip" } else { "" };
        format!("`{}` ({}{packed})", files[0].relative, sniffed.kind.classification())
    };
    let names: Vec<_> = groups.iter().map(name).collect();
    problems.push(Problem::new(
        &target.shown,
        "",
        format!("files differ in format or compression: {}", names.join(", ")),
        "keep one format and compression a folder",
    ));
}

fn infer(target: &Target, sniffed: Sniffed, files: &[SourceFile], problems: &mut Vec<Problem>) -> Inferred {
    match sniffed.kind {
        Kind::Json => json::infer(files, sniffed.gzip, problems),
        Kind::Csv => csv::infer(target, files, sniffed.gzip, problems),
        Kind::Parquet => parquet::infer(files, problems),
    }
}

fn build(
    target: &Target,
    database: &str,
    sniffed: Sniffed,
    files: &[SourceFile],
    inferred: Inferred,
    problems: &mut Vec<Problem>,
) -> Option<Table> {
    let partition_keys = partition_keys(target, files, problems);
    check_names(target, &inferred.columns, &partition_keys, problems);
    let mut parameters = parameters(target, sniffed, files, &inferred);
    if !partition_keys.is_empty() {
        parameters.insert(PARTITIONS_INHERIT.to_owned(), "true".to_owned());
    }
    let location = location(target).map_err(|problem| problems.push(problem)).ok()?;
    Some(Table {
        database: database.to_owned(),
        name: target.table.clone(),
        columns: inferred.columns,
        partition_keys,
        storage: Storage {
            classification: Some(sniffed.kind.classification().to_owned()),
            serde: Some(inferred.serde.to_owned()),
            serde_parameters: inferred.serde_parameters,
            input_format: Some(input_format(sniffed.kind).to_owned()),
            output_format: Some(output_format(sniffed.kind).to_owned()),
            compression: Some(compression(sniffed).to_owned()),
            skip_header_lines: inferred.skip_header_lines,
        },
        location: Some(location),
        kind: TableKind::External,
        deprecated: false,
        parameters,
        version: None,
    })
}

/// The folder's real path: however the lake is typed, its tables stay where they are.
pub(super) fn location(target: &Target) -> Result<String, Problem> {
    let real = target.folder.canonicalize().map_err(|error| unreadable(&target.folder, &error))?;
    let text = real.to_str().ok_or_else(|| Problem::new(&target.shown, "", "the path is not UTF-8", "rename it"))?;
    Ok(format!("{text}/"))
}

/// `k=v` folders become key `k`, other levels `partition_0`, `partition_1`, …
fn partition_keys(target: &Target, files: &[SourceFile], problems: &mut Vec<Problem>) -> Vec<Column> {
    let keys = |file: &SourceFile| -> Vec<String> { file.levels().enumerate().map(partition_key).collect() };
    let Some(first) = files.first() else { return Vec::new() };
    let expected = keys(first);
    if let Some(other) = files.iter().find(|file| keys(file) != expected) {
        problems.push(Problem::new(
            &target.shown,
            "",
            format!("`{}` and `{}` are in folders of different partition keys", first.relative, other.relative),
            "lay all files in the same levels of folders",
        ));
    }
    expected.into_iter().map(|key| Column::new(key, DataType::String)).collect()
}

fn partition_key((level, folder): (usize, &str)) -> String {
    match folder.split_once('=') {
        Some((key, _)) if !key.is_empty() => key.to_lowercase(),
        _ => format!("partition_{level}"),
    }
}

/// Names and types that the catalog cannot hold.
fn check_names(target: &Target, columns: &[Column], keys: &[Column], problems: &mut Vec<Problem>) {
    if columns.is_empty() && problems.is_empty() {
        problems.push(Problem::new(
            &target.shown,
            "",
            "no column was found",
            "deliver records with at least one field",
        ));
    }
    let mut push = |message: String, help: &str| problems.push(Problem::new(&target.shown, "", message, help));
    for (index, key) in keys.iter().enumerate() {
        if columns.iter().chain(&keys[..index]).any(|other| other.name == key.name) {
            push(format!("partition key `{}` is also a column", key.name), "rename the folder's key or the column");
        }
    }
    for Column { name, data_type, .. } in columns {
        // https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
        let is_sign = |c: char| c.is_ascii_control() && c != '\t' && c != '\u{7f}';
        if name.trim().is_empty() || name.len() > 255 || name.contains(is_sign) {
            let message = format!("column name `{}` does not fit the catalog", name.escape_debug());
            let help = match name.trim().is_empty() {
                true => "give the column a name in its files: spaces alone are none",
                false => "rename the column in its files: at most 255 bytes, on one line, without control characters",
            };
            push(message, help);
        }
        let written = data_type.to_string();
        // https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
        if written.len() > 131_072 {
            let message =
                format!("the type of column `{name}` is {} bytes long, 131072 fit the catalog", written.len());
            push(message, "write keys that are values (ids, dates) as an array of objects");
        } else if let Some(field) = unreadable_field(data_type) {
            let message = format!(
                "the field `{}` inside column `{name}` has a name that Athena cannot read",
                field.escape_debug()
            );
            push(
                message,
                "use letters, digits, `_`, `.`, `$` and inner spaces only: other signs end the whole table's type",
            );
        } else if DataType::parse(&written) != *data_type {
            let message = format!("the type of column `{name}` cannot be written as a Glue type");
            push(message, "rename the fields inside it");
        }
    }
}

/// The first field whose name Hive's type parser, which Athena uses, stops at.
/// <https://github.com/apache/hive/blob/rel/release-3.1.3/serde/src/java/org/apache/hadoop/hive/serde2/typeinfo/TypeInfoUtils.java>
fn unreadable_field(data_type: &DataType) -> Option<&str> {
    let is_sound = |name: &str| {
        !name.is_empty() && name.trim() == name && name.chars().all(|c| c.is_alphanumeric() || "_. $".contains(c))
    };
    match data_type {
        DataType::Array(item) => unreadable_field(item),
        DataType::Map(key, value) => unreadable_field(key).or_else(|| unreadable_field(value)),
        DataType::Struct(fields) => fields.iter().find_map(|field| {
            if is_sound(&field.name) { unreadable_field(&field.data_type) } else { Some(field.name.as_str()) }
        }),
        _ => None,
    }
}

/// What a crawler writes about the data.
fn parameters(
    target: &Target,
    sniffed: Sniffed,
    files: &[SourceFile],
    inferred: &Inferred,
) -> BTreeMap<String, String> {
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let entries = [
        ("CrawlerSchemaDeserializerVersion", "1.0".to_owned()),
        ("CrawlerSchemaSerializerVersion", "1.0".to_owned()),
        (UPDATED_BY_CRAWLER, OUR_CRAWLER.to_owned()),
        ("averageRecordSize", bytes.checked_div(inferred.records).unwrap_or(0).to_string()),
        ("classification", sniffed.kind.classification().to_owned()),
        ("compressionType", compression(sniffed).to_owned()),
        ("objectCount", files.len().to_string()),
        ("recordCount", inferred.records.to_string()),
        ("sizeKey", bytes.to_string()),
        ("typeOfData", "file".to_owned()),
    ];
    let mut parameters = inferred.parameters.clone();
    let notes: Vec<_> =
        inferred.notes.iter().cloned().chain(similarity::note(&target.shown, &inferred.names)).collect();
    if !notes.is_empty() {
        parameters.insert(NOTES.to_owned(), serde_json::json!(notes).to_string());
    }
    parameters.extend(entries.map(|(key, value)| (key.to_owned(), value)));
    parameters
}

fn compression(sniffed: Sniffed) -> &'static str {
    if sniffed.gzip { "gzip" } else { "none" }
}

fn input_format(kind: Kind) -> &'static str {
    match kind {
        Kind::Json | Kind::Csv => "org.apache.hadoop.mapred.TextInputFormat",
        Kind::Parquet => "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    }
}

fn output_format(kind: Kind) -> &'static str {
    match kind {
        Kind::Json | Kind::Csv => "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        Kind::Parquet => "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    }
}
