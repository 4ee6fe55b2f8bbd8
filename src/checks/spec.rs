//! Checks as data.

/// One check of a table, from an ODCS quality rule.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CheckSpec {
    /// Name as shown: the quality rule's `name`, else the kind's.
    pub name: String,
    /// The column it is about, if one.
    pub column: Option<String>,
    pub kind: CheckKind,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum CheckKind {
    /// Rows, inclusive bounds. An empty table fails even without bounds.
    RowCount { min: Option<u64>, max: Option<u64> },
    /// Change of the row count against the last published version, as a share of it: 0.5 = ± 50 %.
    RowCountChange { max_share: f64 },
    /// NULLs in the column: at most this many rows, or this share of rows (0.0–1.0).
    Nulls { max_rows: Option<u64>, max_share: Option<f64> },
    /// No two rows share these columns' values.
    Unique { columns: Vec<String> },
    /// Values outside the list (NULL is no value): at most `max_rows`.
    AcceptedValues { values: Vec<String>, max_rows: u64 },
    /// Values that do not match the regular expression (Trino syntax, whole value): at most `max_rows`.
    Pattern { regex: String, max_rows: u64 },
    /// The newest value (date or timestamp) is at most this old at the run's slot, in hours.
    Freshness { max_age_hours: u64 },
    /// Every non-NULL value appears in another model's column.
    References { table: String, column: String },
    /// Rows whose values stand in a neighbouring column, seen at an anchor whose domain is narrow.
    MovedRows {
        /// Domain of the anchor column (the spec's `column`): the accepted texts, or a pattern.
        values: Vec<String>,
        regex: Option<String>,
        /// How many places left and right to look.
        max_distance: u32,
        /// The table's data columns in catalog order, to know the neighbours.
        columns: Vec<String>,
        /// Rows that may be moved (distance ≥ 1); `None` = counted, not bounded.
        max_moved: Option<u64>,
        /// Rows in which the anchor was found nowhere; 0 unless said.
        max_lost: u64,
    },
    /// A retype carried by TRY_CAST: values that were not NULL and became NULL.
    CastLoss { column_expression: String, target_type: String, max_rows: u64 },
}
