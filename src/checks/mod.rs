//! What is measured of a table: checks as data, one statement a table, and the judgement of its numbers.

mod evaluate;
mod spec;
mod statement;

pub use evaluate::{CheckResult, CheckStatus, Measured, evaluate};
pub use spec::{CheckKind, CheckSpec};
pub use statement::statement;
