//! What a table looks like: its columns, types, partition keys and storage. Facts only, no judgement.

mod data_type;
pub mod path;
mod table;

pub use data_type::{DataType, StructField};
pub use table::{
    Binding, Column, DEPRECATED, Evidence, Format, MISSING_IN_NEWEST, MIXED_HEADERS, MIXED_LINE_ENDS, NOTES, RESTORED,
    ROWS, Storage, Table, TableKind, UNREADABLE, same_name,
};
