//! What accepting a table's drift means for the models.

use std::collections::{BTreeMap, BTreeSet};

use super::casts::{self, Cast};
use super::compare::{adapted, additions, substitutions};
use super::outputs::{self, RetypedOutput};
use super::reading::{Reading, misread};
use super::ways::without_value;
use super::{Comparison, Project, Rename};
use crate::contract::{Contract, Document, without_accepted_target};
use crate::drift::{Change, ChangeKind, Decode, Finding, Level, Promotion, diff, judge};
use crate::problem::{Problem, Problems, shell_word};
use crate::schema::{Table, UNREADABLE, path};
use crate::sql::{Adaptation, Addition, Misread, Substitution, adapt};

/// How the problem of a table begins that cannot be promised as it is.
pub(super) const REFUSED: &str = "cannot be accepted";

/// The models as they must read once drift is accepted.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// What is promised from now on of each table; marked as deprecated if its source is gone.
    pub tables: BTreeMap<String, Table>,
    /// Columns that models read through a cast from now on, and what they cast of themselves.
    pub casts: Vec<Cast>,
    pub adaptation: Adaptation,
    /// Added columns that no model can take in as it stands, each with its reason: they are promised all the same.
    pub left_out: Vec<String>,
    /// Columns that models read as NULL from now on, or through TRY_CAST, in words.
    pub nulls: Vec<String>,
    /// Columns of models that their contracts promise as another type than they have from now on.
    pub retyped: Vec<RetypedOutput>,
}

impl Accepted {
    /// What somebody has to know before saying yes.
    pub fn notes(&self) -> Vec<String> {
        self.nulls.iter().chain(&self.left_out).cloned().collect()
    }
}

/// The models after the `chosen` tables' drift is accepted, breaking drift included: additions are carried, renamed columns
/// read under their new names, removed columns read as typed NULLs. Nothing that a model does not name is touched. A model
/// that names a field that is gone or of another kind is a problem: nothing proven stands for a field. So is a table that
/// cannot be promised as it is, and a contract that would contradict itself.
pub fn accept(
    project: &Project,
    comparison: &Comparison,
    chosen: &BTreeSet<String>,
    renames: &[Rename],
) -> Result<Accepted, Problems> {
    let Base { mut accepted, sources, additions, substitutions } = base(project, comparison, chosen, renames)?;
    let promised: Vec<Table> = project.crawled().iter().map(|contract| contract.table.clone()).collect();
    let mut carried = Vec::new();
    // One by one: an addition that cannot be carried must not stand in the way of the others, or of accepting.
    for addition in additions {
        carried.push(addition.clone());
        match adapt(&project.graph, &promised, &sources, &carried, &substitutions) {
            Ok(adaptation) => accepted.adaptation = adaptation,
            Err(problems) => {
                carried.pop();
                let column = format!("{}.{}", addition.table, addition.column);
                accepted.left_out.push(format!("{column} is carried into no model: {problems}"));
            }
        }
    }
    accepted.retyped = outputs::retyped(project, &comparison.lineage, &accepted.adaptation, &sources);
    Ok(accepted)
}

/// The chosen tables as the catalog shows them, if they can be promised at all; marked as deprecated if a source is gone.
fn acceptable(comparison: &Comparison, chosen: &BTreeSet<String>) -> Result<BTreeMap<String, Table>, Problems> {
    let (mut tables, mut problems) = (BTreeMap::new(), Vec::new());
    for name in chosen {
        match promisable(comparison, name) {
            Ok(table) => drop(tables.insert(name.clone(), table)),
            Err(found) => problems.push(found),
        }
    }
    Problems::or(problems, tables)
}

fn promisable(comparison: &Comparison, name: &str) -> Result<Table, Problem> {
    let refused = |why: &str, help: &str| Problem::new(name, "", format!("{REFUSED}: {why}"), help);
    let findings = || comparison.findings.iter().filter(|finding| finding.table == name);
    let table = comparison.tables.iter().find(|table| table.name == name);
    if let Some(why) = table.and_then(|table| table.parameters.get(UNREADABLE)) {
        // As a problem is written, whose help may be lines to paste.
        let (why, help) = why.split_once("\n  help: ").unwrap_or((why, "mend what it names"));
        let again = if help.contains('\n') { "\n  then crawl again" } else { ", then crawl again" };
        return Err(refused(&format!("its files cannot be read: {why}"), &format!("{help}{again}")));
    }
    if let Some(lock) = findings().find(|finding| !finding.is_acceptable()) {
        return Err(refused(lock.message.trim_end_matches('.'), &lock.help));
    }
    if findings().any(Finding::is_gone) {
        return Ok(Table { name: name.to_owned(), deprecated: true, ..Table::default() });
    }
    let Some(table) = table else { return Err(refused("it is not in the catalog", "crawl again")) };
    let unknown = table.all_columns().find(|column| column.data_type.has_unrecognized());
    match unknown {
        Some(column) => {
            let why = format!("the type `{}` of `{}` is not known", column.data_type, column.name);
            Err(refused(&why, "use a documented Glue type; no contract can hold this one"))
        }
        None => Ok(table.clone()),
    }
}

/// The contracts that there are, with the accepted tables promised; each is read back, for a rule may name what went, and so
/// may another contract's reference.
fn accepted_documents(
    project: &Project,
    tables: &BTreeMap<String, Table>,
    renames: &[Rename],
    casts: &[Cast],
) -> Result<(), Problems> {
    let (mut problems, mut all) = (Vec::new(), Vec::new());
    for table in tables.values() {
        let accepted = match project.document(&table.name) {
            Ok(Some(document)) => accepted_document(&document, table, renames, casts),
            Ok(None) => continue,
            Err(found) => Err(found),
        };
        match accepted.and_then(|accepted| accepted.contract()) {
            Ok(contract) => {
                problems.extend(left(&contract, table));
                all.push(contract);
            }
            Err(found) => problems.extend(found.0),
        }
    }
    let others = project.contracts.iter().filter(|contract| !tables.contains_key(&contract.table.name));
    problems.extend(without_accepted_target(others.chain(&all), &all));
    Problems::or(problems, ())
}

/// What would still stop a run once a table is accepted.
fn left(contract: &Contract, table: &Table) -> Option<Problem> {
    let contracts = std::slice::from_ref(contract);
    let findings = judge(&diff(contracts, std::slice::from_ref(table)), contracts, None);
    let lock = findings.into_iter().find(|finding| !finding.is_acceptable())?;
    Some(Problem::new(&table.name, "", format!("{REFUSED}: {}", lock.message.trim_end_matches('.')), lock.help))
}

/// A contract that promises a table as it is now, and counts what the casts lose that models make of it.
pub fn accepted_document(
    document: &Document,
    table: &Table,
    renames: &[Rename],
    casts: &[Cast],
) -> Result<Document, Problems> {
    let of_table = renames.iter().filter(|rename| rename.table == table.name);
    let pairs: BTreeMap<String, String> = of_table.map(|rename| (rename.from.clone(), rename.to.clone())).collect();
    let mut accepted = document.accept_renamed(table, &pairs);
    for cast in casts.iter().filter(|cast| cast.table == table.name) {
        accepted = accepted.counting_loss(&cast.column, &cast.data_type);
    }
    accepted.contract().map(|_| accepted)
}

fn casts(substitutions: &[Substitution]) -> Vec<Cast> {
    let cast = |substitution: &Substitution| match substitution.clone() {
        Substitution::TryCast { table, column, data_type } => Some(Cast { table, column, data_type }),
        _ => None,
    };
    substitutions.iter().filter_map(cast).collect()
}

/// That accepting one table's drift is not refused; see [`accept()`].
pub(super) fn try_accept(
    project: &Project,
    comparison: &Comparison,
    table: &str,
    renames: &[Rename],
) -> Result<(), Problems> {
    let chosen = BTreeSet::from([table.to_owned()]);
    if !comparison.lineage.table_readers(table).is_empty() {
        return base(project, comparison, &chosen, renames).map(drop);
    }
    // No model has a say: of many tables that nobody reads each is tried alone.
    accepted_documents(project, &acceptable(comparison, &chosen)?, renames, &[])
}

/// Everything that an acceptance can be refused for; the additions are still to be carried.
struct Base {
    accepted: Accepted,
    sources: Vec<Table>,
    additions: Vec<Addition>,
    substitutions: Vec<Substitution>,
}

fn base(
    project: &Project,
    comparison: &Comparison,
    chosen: &BTreeSet<String>,
    renames: &[Rename],
) -> Result<Base, Problems> {
    let tables = acceptable(comparison, chosen)?;
    let tolerated = |finding: &Finding| Finding { level: Level::Tolerated, ..finding.clone() };
    let findings: Vec<Finding> =
        comparison.findings.iter().filter(|finding| chosen.contains(&finding.table)).map(tolerated).collect();
    let changes: Vec<Change> =
        comparison.changes.iter().filter(|change| chosen.contains(&change.table)).cloned().collect();
    let crawled = project.crawled();
    let sources = sources(crawled, &comparison.tables, chosen);
    let mut substitutions = substitutions(&changes, &findings, crawled, &comparison.lineage);
    substitutions.retain(|other| !renames.iter().any(|rename| other.is_of(&rename.table, &rename.from)));
    let additions: Vec<Addition> = additions(&changes, &findings)
        .into_iter()
        .filter(|added| !renames.iter().any(|rename| rename.table == added.table && rename.to == added.column))
        .collect();
    Problems::or(substitutions.iter().filter_map(|cast| castless(cast, &comparison.tables)).collect(), ())?;
    let (mut nulls, mut casts) = (nulls(&substitutions, &additions), casts(&substitutions));
    nulls.extend(casts.iter().map(|cast| cast_note(cast, &changes)));
    substitutions.extend(renames.iter().map(renamed));
    let Misread { problems, casts: own_casts } = misread(project, crawled, &sources, &substitutions, Reading::Accepted);
    nulls.extend(casts::notes(&own_casts));
    casts.extend(casts::counted(&own_casts));
    nulls.extend(changes.iter().filter_map(|change| nested_note(change, &findings)));
    let is_renamed = |change: &Change| {
        let is_of = |rename: &Rename| rename.table == change.table && path::column(&rename.from) == change.path;
        renames.iter().any(is_of)
    };
    let needs = |change: &Change| without_value(project, &comparison.lineage, change);
    nulls.extend(changes.iter().filter_map(|change| missing_note(change, !needs(change).is_empty())));
    let unmet: BTreeSet<String> = changes.iter().filter(|change| !is_renamed(change)).flat_map(needs).collect();
    nulls.extend((!unmet.is_empty()).then(|| unmet_note(unmet)));
    accepted_documents(project, &tables, renames, &casts)?;
    let adaptation = adapted(project, crawled, &sources, &[], &substitutions, problems)
        .map_err(|problems| because(problems, &findings))?;
    let accepted = Accepted { tables, casts, adaptation, nulls, ..Accepted::default() };
    Ok(Base { accepted, sources, additions, substitutions })
}

/// That no cast makes the promised type of the one that is there: neither engine has one between what is nested and what is
/// of another kind.
fn castless(substitution: &Substitution, tables: &[Table]) -> Option<Problem> {
    let Substitution::TryCast { table, column, data_type } = substitution else { return None };
    let found = &tables.iter().find(|found| found.name == *table)?.column(column)?.data_type;
    let is_of_another_kind = std::mem::discriminant(found) != std::mem::discriminant(data_type);
    ((found.is_nested() || data_type.is_nested()) && is_of_another_kind).then(|| {
        let message =
            format!("{REFUSED} while models name `{column}`: it is {found} now, and no cast makes {data_type} of it");
        let help =
            "mend the source; or take the column out of the models that name it, accept, and name it anew as it is now";
        Problem::new(table, "", message, help)
    })
}

fn renamed(rename: &Rename) -> Substitution {
    let Rename { table, from, to, data_type } = rename.clone();
    Substitution::Renamed { table, column: from, to, data_type }
}

/// One sentence for each column that is read as NULL from now on; a rename is offered where the type allows one.
fn nulls(substitutions: &[Substitution], additions: &[Addition]) -> Vec<String> {
    let note = |substitution: &Substitution| {
        let Substitution::TypedNull { table, column, data_type } = substitution else { return None };
        let null = format!("`{column}` of {table} is gone: models read NULL in its place from now on");
        let fits = |added: &&Addition| added.table == *table && added.data_type == *data_type;
        let names: Vec<String> =
            additions.iter().filter(fits).map(|added| shell_word(&format!("{column}={}", added.column))).collect();
        Some(match names.as_slice() {
            [] => null,
            names => format!(
                "{null}; if it only has a new name, accept with --rename {} instead",
                names.join(" or --rename ")
            ),
        })
    };
    substitutions.iter().filter_map(note).collect()
}

/// What becomes of a column that the newest files lack; whether a check tells of it is said of all such columns.
fn missing_note(change: &Change, is_checked: bool) -> Option<String> {
    if change.kind != ChangeKind::ColumnMissingInNewest || change.path.is_empty() {
        return None;
    }
    let which = if change.after.is_some() { "some of the newest files" } else { "the newest files" };
    let rest = if change.after.is_some() { "others" } else { "older ones" };
    let unchecked = if is_checked { "" } else { ", and no check is known to tell of it" };
    Some(format!(
        "`{}` of {} is missing in {which}: their rows read NULL from now on, those of {rest} their values{unchecked}",
        change.path, change.table
    ))
}

/// That checks fail of what reads NULL.
fn unmet_note(needs: BTreeSet<String>) -> String {
    let needs: Vec<String> = needs.into_iter().collect();
    format!("checks may fail of what reads NULL from now on: before the next run {}", needs.join(" and "))
}

/// What becomes of values that do not fit.
fn cast_note(cast: &Cast, changes: &[Change]) -> String {
    let Cast { table, column, data_type } = cast;
    let note = format!(
        "models read `{column}` of {table} through TRY_CAST as {data_type} from now on, and a run fails if that loses a value \
         or a part of it (NULL, digits, a time of day, the end of a text): where some may be lost, say how many in `maxLost` of \
         the column's castLoss in the contract"
    );
    let is_of = |change: &&Change| {
        change.table == *table && change.column().is_some_and(|name| name.eq_ignore_ascii_case(column))
    };
    match changes.iter().find(is_of).filter(|change| change.decode != Decode::Safe) {
        Some(change) => format!(
            "{note}; what its files hold that is no {} fails the build or reads as NULL before the cast, and no check counts it",
            change.after.as_deref().unwrap_or("value of the new type")
        ),
        None => note,
    }
}

/// Nothing stands for a part of a column, so nothing counts what becomes of its values either.
fn nested_note(change: &Change, findings: &[Finding]) -> Option<String> {
    let is_read = || findings.iter().any(|finding| finding.is_of(change) && !finding.models.is_empty());
    let is_nested = path::column(&change.column()?) != change.path;
    let is_widened = matches!(change.kind, ChangeKind::Retyped(Promotion::Identical | Promotion::Widening));
    let is_retyped = matches!(change.kind, ChangeKind::Retyped(_)) && !is_widened;
    (is_nested && is_retyped && is_read()).then(|| {
        format!(
            "`{}` of {} is {} now: what a TRY_CAST that a model makes of it turns to NULL, rounds or cuts, no check counts; \
             give the model's own column a check of its NULLs",
            change.path,
            change.table,
            change.after.as_deref().unwrap_or_default()
        )
    })
}

/// Where all names are lost, that says more than each name that a model does not find.
fn because(problems: Problems, findings: &[Finding]) -> Problems {
    let lost: Vec<Problem> = findings
        .iter()
        .filter(|finding| finding.rule == "header-lost")
        .map(|finding| {
            let names = finding.after.as_deref().unwrap_or("as a row of data reads");
            let models: Vec<&str> = finding.models.iter().map(|reader| reader.model.as_str()).collect();
            let message = format!(
                "{REFUSED}: its header is lost, its columns are called {names} now, and {} name them otherwise",
                models.join(", ")
            );
            let help = "restore the header row in its files, or tell the crawler that there is one (a CSV classifier with \
                        `ContainsHeader=PRESENT`), and crawl again";
            Problem::new(&finding.table, "", message, help)
        })
        .collect();
    if lost.is_empty() { problems } else { Problems(lost) }
}

/// The tables as promised from now on; one that is not accepted stays what its contract says.
fn sources(contracts: &[Contract], catalog: &[Table], chosen: &BTreeSet<String>) -> Vec<Table> {
    let source = |contract: &Contract| {
        let found = catalog.iter().find(|table| table.name == contract.table.name && chosen.contains(&table.name));
        found.unwrap_or(&contract.table).clone()
    };
    contracts.iter().map(source).collect()
}
