//! A CSV file's own header line, held against the columns that the catalog gives its table.
//!
//! Athena skips the line unread and takes cells by position: where the two differ, one column's values are read as another's.

use super::crawl::{DELIMITERS, column_names};
use crate::schema::{Format, Storage, Table};

/// Whether the table's files are read by position and begin with a line of names.
pub(super) fn is_expected(table: &Table) -> bool {
    table.storage.format() == Format::Csv && table.storage.skip_header_lines > 0
}

/// The header that stands in front of a file, if it is not the table's; a file of blank lines has none. `head` is the file's
/// first bytes, unpacked, and `whole` says that there are no more. The error says why there is no telling.
///
/// Names are told, data is not: a line that shares too few names with the table is data, and its columns are `col0`, `col1`, ….
pub(super) fn other(table: &Table, head: &[u8], whole: bool) -> Result<Option<Vec<String>>, String> {
    let columns: Vec<String> = table.columns.iter().map(|column| comparable(&column.name)).collect();
    let lines = lines(head, whole, table.storage.skip_header_lines)?;
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Ok(None);
    }
    let named = lines.iter().map(|line| names(line, &table.storage)).max_by_key(|names| shared(names, &columns));
    let named = named.filter(|names| is_header(names, &columns));
    if let Some(names) = named {
        return Ok((!fits(&names, &columns)).then_some(names));
    }
    if let Some(line) = lines.iter().find(|line| is_divided_otherwise(line, &columns)) {
        return Ok(Some(vec![comparable(line)]));
    }
    let cells = lines.first().map_or(1, |line| names(line, &table.storage).len());
    Ok(Some((0..cells).map(|index| format!("col{index}")).collect()))
}

/// The skipped lines, as Athena splits them: on `\n` alone.
fn lines(head: &[u8], whole: bool, count: u32) -> Result<Vec<&str>, String> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut lines = Vec::new();
    let mut rest = head;
    for _ in 0..count {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            if !whole {
                let help = "shorten it, or set `header_files = 0` in the target: then no header is looked at";
                let why = format!("its header is longer than the {} bytes that are looked at", head.len());
                return Err(format!("{why}\n  help: {help}"));
            }
            lines.push(rest);
            break;
        };
        lines.push(&rest[..end]);
        rest = &rest[end + 1..];
    }
    let text = |line| std::str::from_utf8(line).map_err(|_| "its header is no UTF-8 text".to_owned());
    lines.into_iter().map(|line| text(line.strip_suffix(b"\r").unwrap_or(line))).collect()
}

fn names(line: &str, storage: &Storage) -> Vec<String> {
    let parameter = |key: &str| storage.serde_parameters.get(key).and_then(|value| value.bytes().next());
    let is_open_csv = storage.serde.as_deref() == Some(Storage::OPEN_CSV);
    let (delimiter, quote) = match is_open_csv {
        true => (parameter("separatorChar").unwrap_or(b','), Some(parameter("quoteChar").unwrap_or(b'"'))),
        // Hive's own default.
        false => (parameter("field.delim").or(parameter("serialization.format")).unwrap_or(1), None),
    };
    column_names(line, delimiter, quote).iter().map(|name| comparable(name)).collect()
}

/// A name as the catalog may have it: in lower case, without the spaces around it.
fn comparable(name: &str) -> String {
    name.trim().to_lowercase()
}

fn shared(names: &[String], columns: &[String]) -> usize {
    names.iter().filter(|name| columns.contains(name)).count()
}

/// A line is a header if half of its cells are names of the table, or all of the table's names are in it.
fn is_header(names: &[String], columns: &[String]) -> bool {
    let shared = shared(names, columns);
    shared > 0 && (shared * 2 >= names.len() || shared >= columns.len())
}

/// Values stand where the table looks for them: trailing columns may be missing (they are NULL) or follow the last one
/// (nothing reads them).
fn fits(names: &[String], columns: &[String]) -> bool {
    names.iter().zip(columns).all(|(name, column)| name == column)
}

/// The line is a header by another delimiter than the table's.
fn is_divided_otherwise(line: &str, columns: &[String]) -> bool {
    let by = |delimiter: &u8| {
        let names: Vec<String> = column_names(line, *delimiter, None).iter().map(|name| comparable(name)).collect();
        names.len() > 1 && is_header(&names, columns)
    };
    DELIMITERS.iter().any(by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, DataType};

    fn table(serde: &str, parameter: (&str, &str), skip: u32) -> Table {
        let column = |name: &str| Column::new(name, DataType::String);
        Table {
            columns: ["id", "amount", "channel"].map(column).to_vec(),
            storage: Storage {
                serde: Some(serde.into()),
                serde_parameters: [(parameter.0.to_owned(), parameter.1.to_owned())].into(),
                skip_header_lines: skip,
                ..Storage::default()
            },
            ..Table::default()
        }
    }

    #[track_caller]
    fn check(table: &Table, head: &str, expected: Result<Option<&[&str]>, &str>) {
        let found = other(table, head.as_bytes(), true);
        let expected = match expected {
            Ok(names) => Ok(names.map(|names| names.iter().map(|name| (*name).to_owned()).collect())),
            Err(why) => Err(why.to_owned()),
        };
        assert_eq!(found, expected, "{head:?}");
    }

    #[test]
    fn a_header_is_the_tables_or_it_is_told() {
        let comma = table(Storage::LAZY_SIMPLE, ("field.delim", ","), 1);
        for fits in [
            "id,amount,channel\n1,2,web\n",
            "Id, Amount ,CHANNEL\r\n1,2,web\r\n",
            "\u{feff}id,amount,channel",
            "\"id\",\"amount\",\"channel\"\n",
            // Older, shorter; newer, longer: by place every value is where it is looked for.
            "id,amount\n1,2\n",
            "id,amount,channel,note\n1,2,web,x\n",
            // Nothing to misread.
            "\n",
            "",
        ] {
            check(&comma, fits, Ok(None));
        }
        check(&comma, "id,channel,amount\n", Ok(Some(&["id", "channel", "amount"])));
        check(&comma, "id,shop,amount,channel\n", Ok(Some(&["id", "shop", "amount", "channel"])));
        check(&comma, "amount,channel\n", Ok(Some(&["amount", "channel"])));
        check(&comma, "id,total,channel\n", Ok(Some(&["id", "total", "channel"])));
    }

    #[test]
    fn a_line_of_data_is_never_shown() {
        let comma = table(Storage::LAZY_SIMPLE, ("field.delim", ","), 1);
        check(&comma, "7,12.50,Ann Doe\n", Ok(Some(&["col0", "col1", "col2"])));
        check(&comma, "7,id,Ann Doe\n", Ok(Some(&["col0", "col1", "col2"])));
        check(&comma, "7;12.50;Ann Doe\n", Ok(Some(&["col0"])));
    }

    #[test]
    fn another_delimiter_is_shown_as_it_stands() {
        let comma = table(Storage::LAZY_SIMPLE, ("field.delim", ","), 1);
        check(&comma, "id;amount;channel\n1;2;web\n", Ok(Some(&["id;amount;channel"])));
        let semicolon = table(Storage::OPEN_CSV, ("separatorChar", ";"), 1);
        check(&semicolon, "\"id\";\"amount\";\"channel\"\n", Ok(None));
        check(&semicolon, "\"id\";\"channel\";\"amount\"\n", Ok(Some(&["id", "channel", "amount"])));
    }

    #[test]
    fn of_several_skipped_lines_one_is_the_header() {
        let two = table(Storage::LAZY_SIMPLE, ("field.delim", ","), 2);
        check(&two, "Export of May\nid,amount,channel\n1,2,web\n", Ok(None));
        check(&two, "Export of May\nid,channel,amount\n1,2,web\n", Ok(Some(&["id", "channel", "amount"])));
        // The third line is data and is not looked at.
        check(&two, "Export of May\nby Ann\nid,amount,channel\n", Ok(Some(&["col0"])));
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        let comma = table(Storage::LAZY_SIMPLE, ("field.delim", ","), 1);
        let cut = other(&comma, b"id,amount,chan", false);
        let why = cut.unwrap_err();
        assert!(why.starts_with("its header is longer than the 14 bytes that are looked at\n  help: "), "{why}");
        assert!(why.contains("`header_files = 0`"), "{why}");
        assert_eq!(other(&comma, b"id,\xff\xfe\n", true), Err("its header is no UTF-8 text".into()));
        // What follows the header is not looked at.
        assert_eq!(other(&comma, b"id,amount,channel\n\xff", false), Ok(None));
    }

    #[test]
    fn only_files_with_a_header_that_are_read_by_position_are_looked_at() {
        assert!(is_expected(&table(Storage::OPEN_CSV, ("separatorChar", ","), 1)));
        assert!(!is_expected(&table(Storage::LAZY_SIMPLE, ("field.delim", ","), 0)));
        assert!(!is_expected(&table(Storage::OPENX_JSON, ("paths", "id"), 1)));
    }
}
