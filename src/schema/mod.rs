//! What a table looks like: its columns, types, partition keys and storage. Facts only, no judgement.

mod data_type;
mod names;
pub mod path;
mod table;

pub use data_type::{DataType, StructField};
pub use names::{reads_like_name, reads_like_row};
pub use table::{
    Binding, Column, DEPRECATED, EMPTY_LINES, Evidence, Format, LACKING_FILES, MISSING_IN_NEWEST, MISSING_IN_SOME,
    MIXED_HEADERS, MIXED_LINE_ENDS, NOTES, OUR_CRAWLER, PARTITIONS_INHERIT, QUOTED_VALUES, RESTORED, ROWS, Storage,
    Table, TableKind, UNREADABLE, UPDATED_BY_CRAWLER, same_name,
};
