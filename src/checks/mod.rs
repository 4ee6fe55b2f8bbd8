//! What is measured of a table: checks as data, one statement a table, and the judgement of its numbers.
//!
//! `measure` says which numbers a check needs; [`statement()`] asks for them and [`evaluate()`] reads them, both by
//! that one list. No number, no pass.

mod evaluate;
mod measure;
mod spec;
mod statement;
mod types;
mod words;

pub use evaluate::{Baseline, CheckResult, CheckStatus, Measured, evaluate};
pub use spec::{CheckKind, CheckSpec};
pub use statement::{statement, statement_over};
pub use types::{COLUMN_TYPE, ColumnType, agree, column_types};
pub use words::{numbers, sentence};
