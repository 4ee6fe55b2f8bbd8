//! Contract against catalog: facts, then findings, then a verdict.
//!
//! [`diff()`] states facts ([`Change`]) and knows no severity. A [`Rule`] recognises a fact and words it. [`judge()`]
//! joins the two with policy and lineage, and is the only place where a level is decided.

mod change;
mod diff;
mod judge;
mod rule;
mod rules;
mod verdict;

pub use change::{Change, ChangeKind, Decode};
pub use diff::diff;
pub use judge::judge;
pub use rule::{RULES, Rule};
pub use verdict::{Finding, Level, Verdict};
