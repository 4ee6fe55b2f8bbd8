//! CSV, by position, as LazySimpleSerDe and OpenCSVSerde read it.

use super::{Columns, cast, checked, lines_of};
use crate::schema::{DataType, Storage, Table};
use crate::sql::ident::{literal, quote};

pub(super) fn columns(table: &Table, files: &[String]) -> Result<Columns, String> {
    match table.storage.serde.as_deref() {
        Some(Storage::OPEN_CSV) => open_csv(table, files),
        _ => lazy_simple(table, files),
    }
}

fn lazy_simple(table: &Table, files: &[String]) -> Result<Columns, String> {
    let parameters = &table.storage.serde_parameters;
    let delimiter = parameters.get("field.delim").or_else(|| parameters.get("serialization.format"));
    let delimiter = delimiter.map_or("\u{1}", String::as_str);
    let mut list = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let cell = format!("nullif(cells[{}], '\\N')", index + 1);
        // LazySimpleSerDe gives NULL for what is not of the column's type.
        let value = match column.data_type {
            DataType::String | DataType::Char(_) | DataType::Varchar(_) => cast(&cell, &column.data_type)?,
            _ => format!("TRY({})", cast(&cell, &column.data_type)?),
        };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    // Neither quotes nor the number of cells mean anything to this SerDe.
    let lines = lines_of(table, files, table.storage.skip_header_lines)?;
    let source = format!("(SELECT string_split(coalesce(line, ''), {}) AS cells FROM {lines})", literal(delimiter));
    Ok(Columns { list, source })
}

/// <https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html>
fn open_csv(table: &Table, files: &[String]) -> Result<Columns, String> {
    let signs = Signs::of(table)?;
    let mut list = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let cell = signs.unquoted(&format!("cells[{}]", index + 1));
        let value = match column.data_type {
            DataType::Date => format!("DATE '1970-01-01' + athena_to_integer({cell})"),
            DataType::Timestamp => format!("TIMESTAMP '1970-01-01' + to_milliseconds(athena_to_bigint({cell}))"),
            _ => checked(table, column, &cell)?,
        };
        list.push(format!("{value} AS {}", quote(&column.name)));
    }
    let lines = lines_of(table, files, table.storage.skip_header_lines)?;
    // Every cell has a delimiter before it, so that no match is empty.
    let line = format!("{} || coalesce(line, '')", literal(&signs.delimiter));
    let bad = literal(&format!("HIVE_BAD_DATA: `{}` holds a line whose quotes do not pair up: ", table.name));
    let source = format!(
        "(SELECT CASE WHEN regexp_full_match(line, {whole}) THEN regexp_extract_all(line, {cell}, 1) \
         ELSE athena_fail({bad} || line, ['']) END AS cells FROM (SELECT {line} AS line FROM {lines}))",
        whole = literal(&format!("(?s)(?:{})+", signs.cell())),
        cell = literal(&format!("(?s){}", signs.cell())),
    );
    Ok(Columns { list, source })
}

/// The three characters that mean something to OpenCSVSerde.
struct Signs {
    delimiter: String,
    quote: String,
    escape: String,
}

impl Signs {
    fn of(table: &Table) -> Result<Self, String> {
        let one = |name: &str, default: &str| {
            let given = table.storage.serde_parameters.get(name).map_or(default, String::as_str);
            match given.chars().count() {
                1 => Ok(given.to_owned()),
                _ => Err(format!("has the SerDe parameter {name} = `{given}`, which is not one character")),
            }
        };
        Ok(Self {
            delimiter: one("separatorChar", ",")?,
            quote: one("quoteChar", "\"")?,
            escape: one("escapeChar", "\\")?,
        })
    }

    /// A pattern of a delimiter and the cell after it, quotes included.
    fn cell(&self) -> String {
        let Self { delimiter: d, quote: q, escape: e } = self.as_pattern();
        format!("{d}({q}(?:[^{q}{e}]|{q}{q}|{e}.)*{q}|[^{d}{q}]*)")
    }

    fn as_pattern(&self) -> Self {
        let code = |sign: &String| sign.chars().map(|c| format!("\\x{{{:x}}}", u32::from(c))).collect();
        Self { delimiter: code(&self.delimiter), quote: code(&self.quote), escape: code(&self.escape) }
    }

    /// A cell's text. The escape character is dropped, and kept only where it or a quote is escaped inside quotes.
    fn unquoted(&self, cell: &str) -> String {
        let Self { quote: q, escape: e, .. } = self.as_pattern();
        let inner = format!("substring({cell}, 2, length({cell}) - 2)");
        let inner = format!("regexp_replace({inner}, {}, '\\1', 'g')", literal(&format!("(?s)[{q}{e}](.)")));
        let bare = format!("replace({cell}, {}, '')", literal(&self.escape));
        format!("CASE WHEN starts_with({cell}, {}) THEN {inner} ELSE {bare} END", literal(&self.quote))
    }
}
