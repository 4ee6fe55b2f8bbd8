use std::collections::{BTreeMap, BTreeSet};

use super::rules::unclassified_change;
use super::{Advice, Change, ChangeKind, Decode, Finding, Level, RULES, Rule, Way, Ways, rename};
use crate::contract::{Contract, Policy, Tolerance};
use crate::schema::same_name;
use crate::sql::{Lineage, Reader};

/// Facts → findings, sorted by table, path and rule. `lineage` is `None` where no project is at hand (`diff OLD NEW`):
/// then every column counts as read.
///
/// A column that a check names is read as well, whoever's contract the check is of.
///
/// The bytes come first: unsafe is breaking and unknown is unknown whatever a policy says. So is a column that went and that a
/// check cannot be measured without. Then, if decode is safe, the contract's policy, else the rule's default for a column that is read, or is not.
pub fn judge(changes: &[Change], contracts: &[Contract], lineage: Option<&Lineage>) -> Vec<Finding> {
    judge_with(changes, contracts, &|change| {
        let lineage = lineage?;
        Some(match change.column() {
            Some(_) => lineage.readers_of(&change.table, change.hit_columns()),
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
    let checks = Checks::of(contracts);
    let by_table = changes.chunk_by(|a, b| a.table == b.table);
    let mut findings: Vec<Finding> = by_table
        .flat_map(|beside| {
            let judged = |change: &Change| {
                let models = readers(change);
                let policy = policies.get(change.table.as_str()).copied();
                of_change(change, beside, Readers { models: models.as_deref(), checks: checks.naming(change) }, policy)
            };
            shut_in(beside.iter().map(judged).collect(), beside)
        })
        .collect();
    // Stable: facts that agree in all three stay in the order of `diff`.
    findings.sort_by(|a, b| (&a.table, &a.path, &a.rule).cmp(&(&b.table, &b.path, &b.rule)));
    findings
}

/// Words the help of findings anew, by what is known of accepting their tables.
pub fn advise(findings: &mut [Finding], changes: &[Change], ways: &Ways) {
    let by_table: BTreeMap<&str, &[Change]> =
        changes.chunk_by(|a, b| a.table == b.table).map(|beside| (beside[0].table.as_str(), beside)).collect();
    for finding in findings.iter_mut().filter(|finding| finding.is_acceptable()) {
        let beside = by_table.get(finding.table.as_str()).copied().unwrap_or_default();
        let words = beside.iter().filter(|change| finding.is_of(change)).map(|change| (change, word(change)));
        if let Some((change, (_, _, advice))) = words.into_iter().find(|(_, (rule, ..))| rule.id == finding.rule) {
            finding.help = help(change, advice, beside, Some(&finding.models), ways);
        }
    }
}

/// Who reads a column, or a table.
struct Readers<'a> {
    /// `None` where no project is at hand.
    models: Option<&'a [Reader]>,
    checks: BTreeSet<Check<'a>>,
}

/// A check's name, and the file of the contract that it is of.
type Check<'a> = (&'a str, &'a str);

/// The checks of all contracts in force by the columns that they cannot be measured without: table and column in lower case.
struct Checks<'a>(BTreeMap<(String, String), BTreeSet<Check<'a>>>);

impl<'a> Checks<'a> {
    fn of(contracts: &'a [Contract]) -> Self {
        let mut named = Self(BTreeMap::new());
        for contract in contracts.iter().filter(|contract| contract.is_in_force()) {
            for check in &contract.checks {
                let own = check.columns().map(|column| (contract.table.name.as_str(), column));
                for (table, column) in own.chain(check.reference()) {
                    let checks = named.0.entry((table.to_lowercase(), column.to_lowercase())).or_default();
                    checks.insert((&check.name, &contract.file));
                }
            }
        }
        named
    }

    fn naming(&self, change: &Change) -> BTreeSet<Check<'a>> {
        let Some(column) = change.column() else { return BTreeSet::new() };
        self.0.get(&(change.table.to_lowercase(), column.to_lowercase())).cloned().unwrap_or_default()
    }
}

fn of_change(change: &Change, beside: &[Change], readers: Readers<'_>, policy: Option<&Policy>) -> Finding {
    let (rule, mut message, advice) = word(change);
    let level = level(change, rule, policy, &readers);
    if level > Level::Tolerated && !readers.checks.is_empty() {
        let names: Vec<String> = readers.checks.iter().map(|(name, file)| format!("`{name}` ({file})")).collect();
        let (checks, read) = if names.len() == 1 { ("check", "reads") } else { ("checks", "read") };
        let read = if is_unmeasurable(change, &readers) { "cannot be measured without" } else { read };
        message += &format!(" The {checks} {} {read} the column.", names.join(", "));
    }
    let models = readers.models;
    Finding {
        rule: rule.id.to_owned(),
        level,
        table: change.table.clone(),
        path: change.path.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
        decode: change.decode,
        models: models.unwrap_or_default().to_vec(),
        message,
        help: help(change, advice, beside, models, &Ways::default()),
    }
}

/// One table's findings: what no update accepts keeps it from accepting the others, too.
fn shut_in(mut findings: Vec<Finding>, beside: &[Change]) -> Vec<Finding> {
    let Some(lock) = findings.iter().find(|finding| !finding.is_acceptable()) else { return findings };
    let why = format!("no update accepts it before what `{}` tells of is mended", lock.rule);
    let table = lock.table.clone();
    let no_renames = rename::likely_renames(beside).into_iter().map(|(table, from, _)| (table, from)).collect();
    let ways = Ways { tables: BTreeMap::from([(table, Way::Shut(why))]), no_renames, ..Ways::default() };
    advise(&mut findings, beside, &ways);
    findings
}

/// The rule that claims a fact, and its words.
fn word(change: &Change) -> (&'static Rule, String, Advice) {
    let claimed = RULES.iter().find_map(|rule| Some((*rule, (rule.detect)(change)?)));
    let (rule, (message, advice)) =
        claimed.unwrap_or_else(|| (&unclassified_change::RULE, unclassified_change::word(change)));
    (rule, message, advice)
}

/// What to do about a fact. `beside`: all facts about the same table; `models`: who reads it, if that is known.
fn help(change: &Change, mut advice: Advice, beside: &[Change], models: Option<&[Reader]>, ways: &Ways) -> String {
    if matches!(change.kind, ChangeKind::TableMissing | ChangeKind::TableDeprecated) {
        advice = advice.after(unread(models));
    }
    let words = advice.words(&change.table, &ways.of(&change.table));
    match rename::suggest(change, beside) {
        Some(rename) => format!("{words} {}", rename.words(&change.table, ways)),
        None => words,
    }
}

/// What has to be done before a source can be given up.
fn unread(models: Option<&[Reader]>) -> String {
    match models {
        None => "see that no model reads it".to_owned(),
        Some([]) => String::new(),
        Some(models) => {
            let names: Vec<String> = models.iter().map(|reader| format!("`{}`", reader.model)).collect();
            let which = match names.len() {
                1 => "the model if it reads nothing else, and its contract",
                _ => "those that read nothing else, and their contracts",
            };
            format!("take it out of {} (or remove {which})", names.join(", "))
        }
    }
}

fn level(change: &Change, rule: &Rule, policy: Option<&Policy>, readers: &Readers<'_>) -> Level {
    match change.decode {
        Decode::Unsafe => return Level::Breaking,
        Decode::Unknown => return Level::Unknown,
        Decode::Safe => {}
    }
    if is_unmeasurable(change, readers) {
        return Level::Breaking;
    }
    match policy.and_then(|policy| tolerance(policy, change, rule.id)) {
        Some(Tolerance::Tolerate) => Level::Tolerated,
        Some(Tolerance::Break) => Level::Breaking,
        None if is_read(change, readers) => rule.level_read,
        None => rule.level_unread,
    }
}

/// True if a check would have nothing to measure: no policy makes an answer of that.
fn is_unmeasurable(change: &Change, readers: &Readers<'_>) -> bool {
    change.kind == ChangeKind::ColumnRemoved && !readers.checks.is_empty()
}

fn is_read(change: &Change, readers: &Readers<'_>) -> bool {
    // Where no project is at hand, what never was promised has no one who could rely on it.
    let by_model = readers.models.map_or(change.kind != ChangeKind::TableNew, |models| !models.is_empty());
    by_model || !readers.checks.is_empty()
}

/// What the contract says: of the column first, then of the table.
fn tolerance(policy: &Policy, change: &Change, rule: &str) -> Option<Tolerance> {
    let column = change.column();
    let mine = |name: &&String| column.as_deref().is_some_and(|column| same_name(column, name));
    let of_column = policy.columns.iter().find(|(name, _)| mine(name)).and_then(|(_, rules)| rules.get(rule));
    of_column.or_else(|| policy.rules.get(rule)).copied()
}
