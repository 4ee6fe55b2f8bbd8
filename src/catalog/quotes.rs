//! Quotes in the rows of a CSV file whose SerDe knows none: LazySimpleSerDe divides a quoted cell that holds the delimiter, and
//! leaves the quotes in the values of the others.

use super::crawl::{Quotes, cells};
use crate::schema::{DataType, Storage, Table};

/// What quotes do to a file's rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Quoted {
    No,
    /// Values keep their quotes, from this line on; or those of a header that is not read, if no row has any.
    Kept(usize),
    /// A row is misread, and how.
    Misread(usize, String),
}

/// True of a table whose SerDe takes quotes for a part of a value.
pub(super) fn are_unknown_to(table: &Table) -> bool {
    table.storage.serde.as_deref() == Some(Storage::LAZY_SIMPLE)
}

/// Looks at a file's first bytes, unpacked; `whole` says that there are no more. A line that is cut off is not looked at.
pub(super) fn found(table: &Table, head: &[u8], whole: bool) -> Quoted {
    let end = if whole { head.len() } else { head.iter().rposition(|byte| *byte == b'\n').unwrap_or(0) };
    let text = head[..end].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head[..end]);
    let parameter = |key: &str| table.storage.serde_parameters.get(key).and_then(|value| value.bytes().next());
    // Hive's own default.
    let delimiter = parameter("field.delim").or(parameter("serialization.format")).unwrap_or(1);
    let header = usize::try_from(table.storage.skip_header_lines).unwrap_or(usize::MAX);
    let mut kept = Quoted::No;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        for (cell, column) in cells(line, delimiter).zip(table.columns.iter().map(Some).chain(std::iter::repeat(None)))
        {
            let wrong = match cell.quotes {
                Quotes::None => continue,
                // What stands in a header is not read.
                _ if index < header => None,
                Quotes::Open => Some("a quoted cell does not end on its line, and Athena splits there".to_owned()),
                Quotes::Closed if cell.bytes.contains(&delimiter) => {
                    Some("a quoted cell holds the delimiter, and LazySimpleSerDe splits there".to_owned())
                }
                Quotes::Closed => column.filter(|column| !is_text(&column.data_type)).map(|column| {
                    format!("a value of column `{}` stands in quotes, which LazySimpleSerDe reads as NULL", column.name)
                }),
            };
            match wrong {
                Some(why) => return Quoted::Misread(index + 1, why),
                None if matches!(kept, Quoted::Kept(line) if line > header || index < header) => {}
                None => kept = Quoted::Kept(index + 1),
            }
        }
    }
    kept
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::String | DataType::Varchar(_) | DataType::Char(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Column;

    fn table(skip: u32) -> Table {
        Table {
            columns: vec![Column::new("id", DataType::BigInt), Column::new("name", DataType::String)],
            storage: Storage {
                serde: Some(Storage::LAZY_SIMPLE.into()),
                serde_parameters: [("field.delim".to_owned(), ",".to_owned())].into(),
                skip_header_lines: skip,
                ..Storage::default()
            },
            ..Table::default()
        }
    }

    #[track_caller]
    fn misread(text: &str, line: usize, why: &str) {
        let found = found(&table(1), text.as_bytes(), true);
        assert!(matches!(&found, Quoted::Misread(at, told) if *at == line && told.contains(why)), "{found:?}");
    }

    #[test]
    fn a_quote_that_moves_or_loses_a_value_is_told() {
        misread("id,name\n1,a\n2,\"b,c\"\n", 3, "holds the delimiter");
        misread("id,name\n1,\"a\n", 2, "does not end on its line");
        misread("id,name\r\n\"1\",a\r\n", 2, "column `id` stands in quotes");
    }

    #[test]
    fn quotes_around_text_stay_in_it_and_those_of_a_header_say_that_there_may_be_some() {
        let found = |skip, text: &str, whole| found(&table(skip), text.as_bytes(), whole);
        assert_eq!(found(1, "id,name\n1,a\n2,\"b\"\n", true), Quoted::Kept(3));
        assert_eq!(found(1, "\"id\",\"name, both\"\n1,a\n", true), Quoted::Kept(1));
        assert_eq!(found(1, "\"id\",\"name\"\n1,a\n2,\"b\"\n3,\"c\"\n", true), Quoted::Kept(3));
        assert_eq!(found(1, "id,name\n1,a \"quoted\" word\n", true), Quoted::No);
        // Without a header the first line is a row.
        assert_eq!(found(0, "1,\"a\"\n", true), Quoted::Kept(1));
    }

    #[test]
    fn a_line_that_is_cut_off_is_not_looked_at() {
        assert_eq!(found(&table(1), b"id,name\n1,a\n2,\"b", false), Quoted::No);
        assert_eq!(found(&table(1), b"id,name\n1,a\n2,b,\"", false), Quoted::No);
        assert_eq!(found(&table(1), b"\"id", false), Quoted::No);
    }
}
