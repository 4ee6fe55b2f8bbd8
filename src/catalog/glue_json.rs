//! Glue's table JSON (as `aws glue get-table` prints it) ↔ [`Table`].

use serde_json::Value;

use crate::problem::Problems;
use crate::schema::Table;

/// Reads what `aws glue get-table` or `get-tables` prints (also a bare `Table` or `TableList` element).
pub fn read(_file: &str, _text: &str) -> Result<Vec<Table>, Problems> {
    todo!()
}

/// One Glue `Table` object.
pub fn to_value(_table: &Table) -> Value {
    todo!()
}
