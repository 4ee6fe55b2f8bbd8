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

impl CheckSpec {
    /// The columns of its own table that it cannot be measured without.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let (column, key) = match &self.kind {
            CheckKind::RowCount { .. } | CheckKind::RowCountChange { .. } => (None, &[][..]),
            CheckKind::Unique { columns } => (None, columns.as_slice()),
            _ => (self.column.as_deref(), &[][..]),
        };
        column.into_iter().chain(key.iter().map(String::as_str))
    }

    /// What it allows, in words.
    pub fn allowed(&self) -> String {
        allowed(&self.kind)
    }

    /// The table and column that its values must stand in.
    pub fn reference(&self) -> Option<(&str, &str)> {
        match &self.kind {
            CheckKind::References { table, column } => Some((table, column)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum CheckKind {
    /// Rows, inclusive bounds. An empty table fails whatever the bounds.
    RowCount { min: Option<u64>, max: Option<u64> },
    /// Change of the row count against the last published version, as a share of it: 0.5 = ± 50 %.
    RowCountChange { max_share: f64 },
    /// NULLs in the column: at most this many rows and at most this share of rows (0.0–1.0); none if neither is given.
    Nulls { max_rows: Option<u64>, max_share: Option<f64> },
    /// No two rows share these columns' values. A key of NULLs alone is no key; beside a value, NULL equals NULL.
    Unique { columns: Vec<String> },
    /// Values outside the list (NULL is no value): at most `max_rows`.
    AcceptedValues { values: Vec<String>, max_rows: u64 },
    /// Values that do not match the regular expression (Trino syntax, whole value): at most `max_rows`.
    Pattern { regex: String, max_rows: u64 },
    /// The newest value (date or timestamp) is at most this old at the run's slot, in hours. Values after the slot
    /// do not count: one wrong year would hide a table that stands still.
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
        /// The table's data columns in the order of the contract, which tells the neighbours.
        columns: Vec<String>,
        /// Rows that may be moved (distance ≥ 1); `None` = counted, not bounded.
        max_moved: Option<u64>,
        /// Rows in which the anchor was found nowhere; 0 unless said.
        max_lost: u64,
    },
    /// A retype carried by TRY_CAST: values that became NULL or, if they are no texts, another value. Types are spelled as
    /// in DML; of a source whose type is not known only what became NULL is counted.
    CastLoss {
        column_expression: String,
        #[serde(default)]
        source_type: Option<String>,
        target_type: String,
        max_rows: u64,
    },
}

impl CheckKind {
    /// The kind's name: what a check is called that has no name of its own.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RowCount { .. } => "row count",
            Self::RowCountChange { .. } => "row count change",
            Self::Nulls { .. } => "nulls",
            Self::Unique { .. } => "unique",
            Self::AcceptedValues { .. } => "accepted values",
            Self::Pattern { .. } => "pattern",
            Self::Freshness { .. } => "freshness",
            Self::References { .. } => "references",
            Self::MovedRows { .. } => "moved rows",
            Self::CastLoss { .. } => "cast loss",
        }
    }
}

/// What a check allows, in words.
pub(super) fn allowed(kind: &CheckKind) -> String {
    match kind {
        CheckKind::RowCount { min, max } => rows_between(*min, *max),
        CheckKind::RowCountChange { max_share } => {
            format!("at most {} % more or fewer rows than published", percent(*max_share))
        }
        CheckKind::Nulls { max_rows, max_share } => nulls(*max_rows, *max_share),
        CheckKind::Unique { columns } => format!("no two rows share {}", names(columns)),
        CheckKind::AcceptedValues { values, max_rows } => {
            format!("{} outside the {} accepted values", at_most(*max_rows), values.len())
        }
        CheckKind::Pattern { regex, max_rows } => format!("{} against the pattern {regex}", at_most(*max_rows)),
        CheckKind::Freshness { max_age_hours } => format!("the newest value at most {max_age_hours} hours old"),
        CheckKind::References { table, column } => format!("every value stands in `{table}`.`{column}`"),
        CheckKind::MovedRows { max_moved, max_lost, .. } => {
            let moved = max_moved.map(|max| format!("{} moved, ", at_most(max))).unwrap_or_default();
            format!("{moved}{} lost", at_most(*max_lost))
        }
        CheckKind::CastLoss { target_type, max_rows, .. } => {
            format!("{} lost by the cast to {target_type}", at_most(*max_rows))
        }
    }
}

fn at_most(rows: u64) -> String {
    match rows {
        0 => "no row".to_owned(),
        1 => "at most 1 row".to_owned(),
        rows => format!("at most {rows} rows"),
    }
}

fn rows_between(min: Option<u64>, max: Option<u64>) -> String {
    let min = min.unwrap_or(1).max(1);
    match max {
        Some(max) => format!("{min} to {max} rows"),
        None => format!("at least {min} {}", if min == 1 { "row" } else { "rows" }),
    }
}

fn nulls(max_rows: Option<u64>, max_share: Option<f64>) -> String {
    let share = |share| format!("at most {} % of rows", percent(share));
    let bounds = match (max_rows, max_share) {
        (Some(max_rows), Some(max_share)) => format!("{} and {}", at_most(max_rows), share(max_share)),
        (None, Some(max_share)) => share(max_share),
        (max_rows, None) => at_most(max_rows.unwrap_or(0)),
    };
    format!("{bounds} without a value")
}

fn names(columns: &[String]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}

/// A share as a percentage without the noise of binary fractions: 0.07 is 7, not 7.000000000000001.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}
