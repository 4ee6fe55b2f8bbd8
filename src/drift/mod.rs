//! Contract against catalog: facts, then findings, then a verdict.
//!
//! [`diff()`] states facts ([`Change`]) and knows no severity. A [`Rule`] recognises a fact and words it. [`judge()`]
//! joins the two with policy and lineage, and is the only place where a level is decided.
//!
//! Deliberately not a rule:
//!
//! - *A rename.* Without field ids it is a removal and an addition. It is suggested, never assumed.
//! - *Nullability.* Glue columns have none; a check on the values verifies it.
//! - *Comments, record counts, run ids.* Crawlers rewrite them, and no value depends on them.
//! - *The type of a column without evidence.* An empty sample shows no type; the first that does is a fact, and no retype.

mod advice;
mod align;
mod change;
mod columns;
mod decode;
mod diff;
mod facts;
mod judge;
mod promotion;
mod recorded;
mod rename;
mod rule;
mod rules;
mod seen;
mod storage;
mod verdict;

pub use advice::{Advice, Way, Ways};
pub use change::{Change, ChangeKind, Decode};
pub use decode::Update;
pub use diff::{AsPromised, diff, diff_beside};
pub use judge::{advise, judge, judge_with};
pub use promotion::Promotion;
pub use rename::likely_renames;
pub use rule::{AcceptedBy, RULES, Rule};
pub use seen::{is_seen, seen};
pub use verdict::{Finding, Level, Verdict};
