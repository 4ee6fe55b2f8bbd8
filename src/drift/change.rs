//! Facts about two descriptions of a table; no severity, no wording.

use serde::{Deserialize, Serialize};

/// Whether the stored bytes still decode to the right column under the new description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decode {
    Safe,
    Unsafe,
    Unknown,
}

/// One fact. Both sides are kept; the drift helper completes the kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub table: String,
    /// `order.items[].price`; the column's name alone for a top-level column, empty for the table.
    pub path: String,
    pub kind: ChangeKind,
    pub before: Option<String>,
    pub after: Option<String>,
    pub decode: Decode,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    // drift helper: one variant a fact
}
