use std::collections::BTreeMap;

use super::rules::unclassified_change;
use super::{Change, ChangeKind, Decode, Finding, Level, RULES, Rule, rename};
use crate::contract::{Contract, Policy, Tolerance};
use crate::sql::{Lineage, Reader};

/// Facts → findings, sorted by table, path and rule. `lineage` is `None` where no project is at hand (`diff OLD NEW`):
/// then every column counts as read.
///
/// The bytes come first: unsafe is breaking and unknown is unknown whatever a policy says. Then, if decode is safe, the
/// contract's policy, else the rule's default for a column that is read, or is not.
pub fn judge(changes: &[Change], contracts: &[Contract], lineage: Option<&Lineage>) -> Vec<Finding> {
    judge_with(changes, contracts, &|change| {
        let lineage = lineage?;
        Some(match change.column() {
            Some(column) => lineage.readers(&change.table, &column),
            None => lineage.table_readers(&change.table),
        })
    })
}

/// [`judge`] over any source of readers; `None` where nobody knows who reads.
pub fn judge_with(
    changes: &[Change],
    contracts: &[Contract],
    readers: &dyn Fn(&Change) -> Option<Vec<Reader>>,
) -> Vec<Finding> {
    let policies: BTreeMap<&str, &Policy> =
        contracts.iter().map(|contract| (contract.table.name.as_str(), &contract.policy)).collect();
    let by_table = changes.chunk_by(|a, b| a.table == b.table);
    let mut findings: Vec<Finding> = by_table
        .flat_map(|beside| beside.iter().map(move |change| (change, beside)))
        .map(|(change, beside)| {
            let (rule, message, help) = word(change, beside);
            let models = readers(change);
            let level = level(change, rule, policies.get(change.table.as_str()).copied(), models.as_deref());
            Finding {
                rule: rule.id.to_owned(),
                level,
                table: change.table.clone(),
                path: change.path.clone(),
                before: change.before.clone(),
                after: change.after.clone(),
                decode: change.decode,
                models: models.unwrap_or_default(),
                message,
                help,
            }
        })
        .collect();
    // Stable: facts that agree in all three stay in the order of `diff`.
    findings.sort_by(|a, b| (&a.table, &a.path, &a.rule).cmp(&(&b.table, &b.path, &b.rule)));
    findings
}

/// The rule that claims a fact, and its words. `beside`: all facts about the same table.
fn word(change: &Change, beside: &[Change]) -> (&'static Rule, String, String) {
    let claimed = RULES.iter().find_map(|rule| Some((*rule, (rule.detect)(change)?)));
    let (rule, (message, mut help)) =
        claimed.unwrap_or_else(|| (&unclassified_change::RULE, unclassified_change::word(change)));
    if let Some(rename) = rename::suggest(change, beside) {
        help = format!("{help} {rename}");
    }
    (rule, message, help)
}

fn level(change: &Change, rule: &Rule, policy: Option<&Policy>, readers: Option<&[Reader]>) -> Level {
    match change.decode {
        Decode::Unsafe => return Level::Breaking,
        Decode::Unknown => return Level::Unknown,
        Decode::Safe => {}
    }
    match policy.and_then(|policy| tolerance(policy, change, rule.id)) {
        Some(Tolerance::Tolerate) => Level::Tolerated,
        Some(Tolerance::Break) => Level::Breaking,
        None if is_read(change, readers) => rule.level_read,
        None => rule.level_unread,
    }
}

fn is_read(change: &Change, readers: Option<&[Reader]>) -> bool {
    // Where no project is at hand, what never was promised has no one who could rely on it.
    readers.map_or(change.kind != ChangeKind::TableNew, |readers| !readers.is_empty())
}

/// What the contract says: of the column first, then of the table.
fn tolerance(policy: &Policy, change: &Change, rule: &str) -> Option<Tolerance> {
    let column = change.column();
    let mine = |name: &&String| column.as_deref().is_some_and(|column| column.eq_ignore_ascii_case(name));
    let of_column = policy.columns.iter().find(|(name, _)| mine(name)).and_then(|(_, rules)| rules.get(rule));
    of_column.or_else(|| policy.rules.get(rule)).copied()
}
