//! Facts about two descriptions of a table; no severity, no wording.

use serde::{Deserialize, Serialize};

use super::Promotion;
use crate::schema::path;

/// Whether the stored bytes still decode to the right column under the new description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decode {
    Safe,
    Unsafe,
    Unknown,
}

/// One fact: what differs, and both sides of it. Ordered by table, path and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The contracted table; for [`ChangeKind::TableNew`] the uncontracted one.
    pub table: String,
    /// `order.items[].price`; the column's name alone for a top-level column, empty for the table.
    pub path: String,
    pub kind: ChangeKind,
    /// Where something added or removed stands, or stood, among its siblings; from 1.
    pub place: Option<usize>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub decode: Decode,
    /// What our crawler advises about the source, where it knows better than a rule: the settings to write.
    pub advice: Option<String>,
    /// The file that shows it, where our crawler recorded one.
    pub file: Option<String>,
    /// Promised columns beside it whose values are no longer found where they are looked for.
    pub shifted: Vec<String>,
    /// What was added beside something that the newest files lack, and stands in all of them: paths.
    pub came: Vec<String>,
}

impl Change {
    /// A fact about a whole table, sides left open.
    pub(super) fn of_table(table: &str, kind: ChangeKind, decode: Decode) -> Self {
        let table = table.to_owned();
        let (path, shifted, came) = (String::new(), Vec::new(), Vec::new());
        let (place, before, after, advice, file) = (None, None, None, None, None);
        Self { table, path, kind, place, before, after, decode, advice, file, shifted, came }
    }

    /// The top-level column (or partition key) the fact is about; `None` if it is about the table.
    pub fn column(&self) -> Option<String> {
        (!self.path.is_empty()).then(|| path::root(&self.path))
    }

    /// The columns whose readers are hit: its own, and those that it shifted.
    pub fn hit_columns(&self) -> impl Iterator<Item = String> {
        self.column().into_iter().chain(self.shifted.iter().cloned())
    }
}

/// What differs. Each kind is claimed by exactly one rule.
///
/// Without field ids a rename is a removal and an addition; it is suggested, never assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// `before` and `after` of columns, fields and keys are types.
    ColumnAddedAtEnd,
    ColumnAddedInMiddle,
    /// Under a name that another column or a partition key has.
    ColumnDuplicated,
    ColumnRemoved,
    /// Of a column or a nested field that our crawler saw in older files and not in the newest; `before` is its type, `after`
    /// tells if some of the newest files have it.
    ColumnMissingInNewest,
    /// Of one that the contract knows to be missing in the newest files; `after` is its type.
    ColumnBackInNewest,
    /// One a moved block: `path` is its first column, the sides are places, counted from 1.
    ColumnReordered,
    /// The name, of a column or a struct's field, differs in case alone: the sides are names.
    ColumnCaseChanged,
    /// Every column is now called `col0`, `col1`, …: the crawler took the header for data.
    HeaderLost,
    /// Of a column or of anything nested in it.
    Retyped(Promotion),
    /// Of a column that was promised without a value seen, its type a placeholder.
    TypeShown,
    FieldAdded,
    FieldRemoved,
    FieldReordered,
    PartitionKeyAdded,
    PartitionKeyRemoved,
    PartitionKeyRetyped,
    /// The sides are the keys in order.
    PartitionKeyReordered,
    FormatChanged,
    /// Another SerDe of the same format.
    SerdeChanged,
    /// Of a SerDe parameter that decides how bytes are read; both sides are `key=value`.
    SerdeParameterChanged,
    DelimiterChanged,
    /// Values stand in quotes that the SerDe takes for a part of them, as none did: `after` is the file and line.
    ValuesQuoted,
    HeaderLinesChanged,
    CompressionChanged,
    LocationChanged,
    TableMissing,
    TableDeprecated,
    /// A table that has no contract.
    TableNew,
    /// A table that a crawler split off a contracted one: `after` is its name.
    StraySibling,
    /// Table, view or Iceberg table.
    TableKindChanged,
    /// A type or SerDe this program does not know, where it is not the one that was promised; without `before` of what
    /// was added.
    Unreadable,
    /// `after` is why the files could not be read. It stands alone: what else the table says is older.
    FilesUnreadable,
    /// Of files read by position: `before` is the newest header, none if the files have none; `after` says where others depart
    /// from it.
    HeadersDiffer,
}

impl ChangeKind {
    /// Every kind there is.
    pub const ALL: &[Self] = &[
        Self::ColumnAddedAtEnd,
        Self::ColumnAddedInMiddle,
        Self::ColumnDuplicated,
        Self::ColumnRemoved,
        Self::ColumnMissingInNewest,
        Self::ColumnBackInNewest,
        Self::ColumnReordered,
        Self::ColumnCaseChanged,
        Self::HeaderLost,
        Self::Retyped(Promotion::Widening),
        Self::Retyped(Promotion::Narrowing),
        Self::Retyped(Promotion::Lossy),
        Self::Retyped(Promotion::Incompatible),
        Self::TypeShown,
        Self::FieldAdded,
        Self::FieldRemoved,
        Self::FieldReordered,
        Self::PartitionKeyAdded,
        Self::PartitionKeyRemoved,
        Self::PartitionKeyRetyped,
        Self::PartitionKeyReordered,
        Self::FormatChanged,
        Self::SerdeChanged,
        Self::SerdeParameterChanged,
        Self::DelimiterChanged,
        Self::ValuesQuoted,
        Self::HeaderLinesChanged,
        Self::CompressionChanged,
        Self::LocationChanged,
        Self::TableMissing,
        Self::TableDeprecated,
        Self::TableNew,
        Self::StraySibling,
        Self::TableKindChanged,
        Self::Unreadable,
        Self::FilesUnreadable,
        Self::HeadersDiffer,
    ];
}
