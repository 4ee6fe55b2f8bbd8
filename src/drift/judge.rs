use super::{Change, Finding};
use crate::contract::Contract;
use crate::sql::Lineage;

/// Facts → findings, sorted by table, path and rule. `lineage` is `None` where no project is at hand (`diff OLD NEW`):
/// then every column counts as read.
///
/// The bytes come first: unsafe is breaking and unknown is unknown whatever a policy says. Then, if decode is safe, the
/// contract's policy, else the rule's default for a column that is read, or is not.
pub fn judge(_changes: &[Change], _contracts: &[Contract], _lineage: Option<&Lineage>) -> Vec<Finding> {
    todo!()
}
