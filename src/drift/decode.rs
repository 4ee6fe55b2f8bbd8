//! The decode axis: which schema updates leave the stored bytes readable, by format.

use super::promotion::documented;
use super::{Decode, Promotion};
use crate::schema::{Binding, DataType, Format, Storage, Table};

/// A row of AWS's grid of schema updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Another name in the same place. By name the column does not fail, it silently comes back NULL.
    Rename,
    /// At the start or in the middle.
    AddInMiddle,
    AddAtEnd,
    Remove,
    Reorder,
    /// Between compatible types, and for Parquet and ORC only in a partitioned table.
    ChangeType,
}

impl Update {
    /// The rows, in the grid's order.
    pub const ALL: [Self; 6] =
        [Self::Rename, Self::AddInMiddle, Self::AddAtEnd, Self::Remove, Self::Reorder, Self::ChangeType];

    /// CSV · JSON · Avro · Parquet by name · Parquet by index · ORC by index · ORC by name.
    /// <https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html>
    fn row(self) -> [bool; 7] {
        let (y, n) = (true, false);
        match self {
            Self::Rename => [y, n, n, n, y, y, n],
            Self::AddInMiddle | Self::Remove | Self::Reorder => [n, y, y, y, n, n, y],
            Self::AddAtEnd | Self::ChangeType => [y, y, y, y, y, y, y],
        }
    }

    /// The grid's cell for one format.
    pub fn decode(self, format: Format) -> Decode {
        let [csv, json, avro, parquet_name, parquet_index, orc_index, orc_name] = self.row();
        let supported = match format {
            Format::Csv => csv,
            Format::Json => json,
            Format::Avro => avro,
            Format::Parquet(Binding::Name) => parquet_name,
            Format::Parquet(Binding::Position) => parquet_index,
            Format::Orc(Binding::Position) => orc_index,
            Format::Orc(Binding::Name) => orc_name,
            Format::Unknown => return Decode::Unknown,
        };
        safe_if(supported)
    }
}

/// How a table's bytes are read, as far as a schema update depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    format: Format,
    partitioned: bool,
    /// Partitions may have column lists of their own, which the table's is compared with.
    own_lists: bool,
    case_sensitive: bool,
    /// By OpenCSVSerde, which reads other types than LazySimpleSerDe, and some of them otherwise.
    open_csv: bool,
}

impl Reading {
    /// The new description decides: it is what the next query reads by.
    pub(super) fn of(table: &Table) -> Self {
        let format = table.storage.format();
        let asked = table.storage.serde_parameters.get("case.insensitive");
        Self {
            format,
            partitioned: !table.partition_keys.is_empty(),
            own_lists: table.may_have_partition_lists(),
            open_csv: table.storage.serde.as_deref() == Some(Storage::OPEN_CSV),
            case_sensitive: match format {
                Format::Json => asked.is_some_and(|value| value.eq_ignore_ascii_case("false")),
                // Avro matches names as they are spelt.
                Format::Avro => true,
                _ => false,
            },
        }
    }

    pub(super) fn by_position(self) -> bool {
        self.format.binding() == Some(Binding::Position)
    }

    /// Whether a column that stands elsewhere in some files is still found there.
    pub(super) fn by_place(self) -> Decode {
        self.format.binding().map_or(Decode::Unknown, |binding| safe_if(binding == Binding::Name))
    }

    /// What an update of the files alone does; the table's column list stays.
    pub(super) fn in_files(self, update: Update) -> Decode {
        update.decode(self.format)
    }

    /// An update of the columns. Unless partitions inherit the table's column list they keep their own. Parquet and ORC find a
    /// column in it by name, CSV, JSON and Avro by index: there nothing may move.
    /// <https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html>
    pub(super) fn update(self, update: Update) -> Decode {
        let by_index = self.own_lists && matches!(self.format, Format::Csv | Format::Json | Format::Avro);
        match self.in_files(update) {
            Decode::Safe if by_index => {
                safe_if(matches!(update, Update::Rename | Update::AddAtEnd | Update::ChangeType))
            }
            decode => decode,
        }
    }

    pub(super) fn case_change(self) -> Decode {
        match self.format {
            Format::Unknown => Decode::Unknown,
            _ => safe_if(!self.case_sensitive),
        }
    }

    /// An update of a struct's fields. Against a partition's own column list structs are compared by position: there only
    /// the end of a struct may change.
    pub(super) fn field_update(self, update: Update) -> Decode {
        match self.update(update) {
            Decode::Safe => safe_if(!self.own_lists || update == Update::AddAtEnd),
            other => other,
        }
    }

    /// The first type that a column shows: no file holds a value of another, but a partition's own column list does. A file
    /// of text has no types: the `007` of a code is read as the number 7.
    pub(super) fn first_type(self, from: &DataType, to: &DataType) -> Decode {
        match self.format {
            Format::Csv => self.retype(from, to),
            Format::Json if !self.own_lists => Decode::Safe,
            _ => self.allowed(from, to),
        }
    }

    /// A change of type between two that are not both arrays, both maps or both structs.
    ///
    /// That a text may be read as a number, as AWS documents it, says nothing of those that are none: they fail the query or
    /// read as NULL, and a crawler that sampled the files has not seen them.
    pub(super) fn retype(self, from: &DataType, to: &DataType) -> Decode {
        match self.allowed(from, to) {
            Decode::Safe => safe_if(!is_text(from) || is_text(to)),
            decode => decode,
        }
    }

    /// A change of type that AWS documents, or that text allows.
    fn allowed(self, from: &DataType, to: &DataType) -> Decode {
        let readable = documented(from, to) || longer_text(from, to);
        match self.format {
            Format::Unknown => Decode::Unknown,
            Format::Csv if self.open_csv && !open_csv_reads(from, to) => Decode::Unsafe,
            // Text holds no type: what the old one could read, a wider one can. A partition's own column list can not.
            Format::Csv | Format::Json => safe_if(readable || (!self.own_lists && reads_as_text(from, to))),
            Format::Avro => safe_if(readable),
            Format::Parquet(_) | Format::Orc(_) => safe_if(readable && self.partitioned),
        }
    }
}

/// OpenCSVSerde takes no other type out of a cell's text: dates and timestamps are numbers there, and what is said of the
/// rest is nothing.
/// <https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html>
fn open_csv_reads(from: &DataType, to: &DataType) -> bool {
    use DataType::{BigInt, Boolean, Double, Int};
    is_text(to) && is_text(from)
        || matches!(
            (from, to),
            (Boolean | Int | BigInt | Double, DataType::String) | (Int, BigInt) | (Int | BigInt, Double)
        )
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::String | DataType::Varchar(_) | DataType::Char(_))
}

fn longer_text(from: &DataType, to: &DataType) -> bool {
    use DataType::{String, Varchar};
    matches!((from, to), (Varchar(_), Varchar(_) | String)) && Promotion::of(from, to) == Promotion::Widening
}

fn reads_as_text(from: &DataType, to: &DataType) -> bool {
    use DataType::{BigInt, Date, Double, Float, Int, SmallInt, String, Timestamp, TinyInt};
    match (from, to) {
        // A date's text is no timestamp's.
        (Date, Timestamp) => false,
        (TinyInt | SmallInt | Int | BigInt, Float | Double) => true,
        (_, String) => Promotion::of(from, to) != Promotion::Incompatible,
        _ => Promotion::of(from, to) == Promotion::Widening,
    }
}

/// A partition key: its values are text in the path, never bytes in a file.
pub(super) fn partition_key_retype(from: &DataType, to: &DataType) -> Decode {
    safe_if(documented(from, to))
}

/// A SerDe parameter. Only those known to leave the values of a row where they are count as safe.
pub(super) fn serde_parameter(key: &str) -> Decode {
    safe_if(key == "ignore.malformed.json")
}

/// Whether two storages are read by the same format; bindings aside, which are a parameter.
pub(super) fn same_format(before: &Storage, after: &Storage) -> bool {
    std::mem::discriminant(&before.format()) == std::mem::discriminant(&after.format())
}

pub(super) fn safe_if(safe: bool) -> Decode {
    if safe { Decode::Safe } else { Decode::Unsafe }
}
