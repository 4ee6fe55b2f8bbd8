//! Parquet, from the files' footers alone.

mod glue_type;
mod merge;

use std::fs::File;

use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::age;
use super::listing::{SourceFile, unreadable};
use super::log::Log;
use super::prefix::Inferred;
use crate::problem::Problem;
use crate::schema::{Column, Storage};

/// The union of all files' columns by name, in first-seen order.
pub(super) fn infer(files: &[SourceFile], problems: &mut Vec<Problem>) -> Inferred {
    let (mut columns, mut newest, mut records) = (Vec::new(), Vec::new(), 0);
    let mut names = Vec::new();
    let old = files.len() - age::newest(files);
    for (index, file) in files.iter().enumerate() {
        match footer(file) {
            Ok(reader) => {
                let meta = reader.metadata().file_metadata();
                records += u64::try_from(meta.num_rows()).unwrap_or(0);
                let mut log = Log::new(&file.shown, problems);
                let found = read_columns(meta.schema(), &mut log);
                names.push((file.relative.clone(), found.iter().map(|column| column.name.clone()).collect()));
                newest.extend((index >= old).then(|| (file, found.clone())));
                merge::columns(&mut columns, found, &mut log);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let missing = merge::missing(&columns, &newest);
    let mut inferred = Inferred::new(Storage::PARQUET, columns, records);
    inferred.set_missing(missing);
    inferred.names = names;
    inferred.serde_parameters.insert("serialization.format".to_owned(), "1".to_owned());
    inferred
}

fn footer(file: &SourceFile) -> Result<SerializedFileReader<File>, Problem> {
    let opened = File::open(&file.path).map_err(|error| unreadable(&file.path, &error))?;
    SerializedFileReader::new(opened).map_err(|error| {
        let place = format!("byte {}", file.bytes);
        let message = format!("the Parquet footer cannot be read: {error}");
        Problem::new(&file.shown, place, message, "copy the file again; it is cut off or damaged")
    })
}

fn read_columns(schema: &::parquet::schema::types::Type, log: &mut Log<'_>) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for field in schema.get_fields() {
        let name = field.name().to_lowercase();
        if columns.iter().any(|column| column.name == name) {
            let message = format!("column `{name}` comes twice, letter case aside");
            log.push("schema", message, "rename one of them");
            continue;
        }
        match glue_type::glue_type(field) {
            Ok(data_type) => columns.push(Column::new(name, data_type)),
            Err(refused) => log.push("schema", format!("column `{name}`: {refused}"), "write it as another type"),
        }
    }
    columns
}
