//! Catalog against contracts, through to adapted models: everything that is decided before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use super::places::drop_of_other_targets;
use super::reading::{Reading, clones, misread, of_models, read};
use super::{Project, RunError, casts, outputs, ways};
use crate::catalog::Catalog;
use crate::checks::CheckSpec;
use crate::config::FILE;
use crate::contract::{Contract, without_output, without_target_column};
use crate::drift::{
    AsPromised, Change, ChangeKind, Finding, Level, Promotion, Verdict, Way, advise, diff_beside, judge,
};
use crate::problem::{Problem, Problems};
use crate::schema::{DataType, Table, path, same_name};
use crate::sql::{Adaptation, Addition, Graph, Lineage, Misread, Reader, Substitution, adapt};

/// What the catalog holds, how it differs, and what that means for the models.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The guarded tables as the catalog shows them; see [`compare_tables`].
    pub tables: Vec<Table>,
    /// The other tables of the database, where they were looked at.
    pub beside: Vec<Table>,
    pub changes: Vec<Change>,
    pub findings: Vec<Finding>,
    pub verdict: Verdict,
    pub lineage: Lineage,
    pub adaptation: Adaptation,
    /// Checks that the adaptation needs, by the table they measure.
    pub extra_checks: BTreeMap<String, Vec<CheckSpec>>,
    /// The tables whose drift `contracts update` accepts as things stand.
    pub acceptable: BTreeSet<String>,
    /// Of each table the renames that are suggested and that `contracts update` accepts, as `old=new`.
    pub renames: BTreeMap<String, Vec<String>>,
}

impl Comparison {
    /// Finds out which findings an update accepts, and words their help by that.
    fn advise(&mut self, project: &Project) {
        let ways = ways::ways(project, self);
        if !ways.add_nothing() {
            advise(&mut self.findings, &self.changes, &ways);
        }
        self.renames = ways::open_renames(project, self, &ways);
        let open = ways.tables.into_iter().filter(|(_, way)| *way == Way::Open);
        self.acceptable = open.map(|(table, _)| table).collect();
    }

    /// The additions that no model took in, in words.
    pub fn not_carried(&self) -> Vec<String> {
        let one = |left: &crate::sql::NotCarried| {
            format!("{}.{} not carried into {}: {}", left.table, left.column, left.model, left.reason)
        };
        self.adaptation.not_carried.iter().map(one).collect()
    }
}

/// Compares the project with the catalog; writes nothing.
pub async fn compare(project: &Project, catalog: &dyn Catalog, prefix: &str) -> Result<Comparison, RunError> {
    of_prefix(project, prefix)?;
    // One list: to list ten thousand raw tables and then what stands beside them would be to list most of them twice.
    let (raw, beside) = catalog.tables("").await?.into_iter().partition(|table| table.name.starts_with(prefix));
    Ok(Comparison { beside, ..compared(project, catalog.marked(raw).await?, &[])? })
}

/// That some promised table begins with the prefix: under one of another setting every table would look as if it were gone.
fn of_prefix(project: &Project, prefix: &str) -> Result<(), Problems> {
    let promised = || project.crawled().iter().map(|contract| contract.table.name.as_str());
    let Some(first) = promised().next().filter(|_| promised().all(|table| !table.starts_with(prefix))) else {
        return Ok(());
    };
    let message =
        format!("`raw_prefix` is `{prefix}`, and none of the tables that contracts promise begins so, as `{first}`");
    let help =
        "mend `raw_prefix`; if the crawler's tables begin so from now on, promise them by `crawlguard contracts init`";
    Err(Problem::new(FILE, "", message, help).into())
}

/// [`compare`], where the guarded tables are known. Of those that were as promised, the comparison holds none.
pub fn compare_tables(project: &Project, prefix: &str, sieve: Sieve) -> Result<Comparison, Problems> {
    of_prefix(project, prefix)?;
    compared(project, sieve.tables, &sieve.as_promised)
}

/// Takes the guarded tables one by one. Of one that is as promised, and that no model reads, only the place stays: of ten
/// thousand tables their columns fill the memory.
#[derive(Default)]
pub struct Sieve<'a> {
    /// The contracts of tables that no model reads, by table.
    contracts: BTreeMap<String, &'a Contract>,
    tables: Vec<Table>,
    as_promised: Vec<AsPromised>,
}

impl<'a> Sieve<'a> {
    pub fn new(project: &'a Project) -> Self {
        let read = read(&project.graph);
        let named = project.crawled().iter().map(|contract| (contract.table.name.to_ascii_lowercase(), contract));
        let contracts = named.filter(|(name, _)| !read.contains(name.as_str())).collect();
        Self { contracts, ..Self::default() }
    }

    pub fn add(&mut self, table: Table) {
        let contract = self.contracts.get(&table.name.to_ascii_lowercase());
        match contract.and_then(|contract| AsPromised::of(contract, &table)) {
            Some(place) => self.as_promised.push(place),
            None => self.tables.push(table),
        }
    }
}

fn compared(project: &Project, tables: Vec<Table>, as_promised: &[AsPromised]) -> Result<Comparison, Problems> {
    let crawled = project.crawled();
    let lineage = traced(&project.graph, &project.contracts)?;
    Problems::or(without_target_column(&project.contracts, &tables, &lineage), ())?;
    let mut changes = diff_beside(crawled, &tables, as_promised);
    drop_of_other_targets(&mut changes, &project.settings, &tables);
    let findings = judge(&changes, &project.contracts, Some(&lineage));
    let additions = additions(&changes, &findings);
    let substitutions = substitutions(&changes, &findings, crawled, &lineage);
    let mut extra_checks = casts::checks(&substitutions, &tables);
    let (mut unproven, mut retyped) = (Unproven::new(), Vec::new());
    let is_as_traced = additions.is_empty() && substitutions.is_empty() && {
        let promised = of_models(&project.graph, crawled.iter().map(|contract| &contract.table));
        shapes(promised) == shapes(of_models(&project.graph, tables.iter()))
    };
    let (adaptation, own_casts) = if is_as_traced {
        (Problems::or(lineage.misread().to_vec(), Adaptation::default()), Vec::new())
    } else {
        let Misread { problems, casts } = misread(project, crawled, &tables, &substitutions, Reading::Unaccepted);
        (adapted(project, crawled, &tables, &additions, &substitutions, problems), casts)
    };
    casts::check(&mut extra_checks, &own_casts, &tables);
    let adaptation = match adaptation {
        Ok(adaptation) => {
            if !findings.is_empty() {
                retyped = outputs::retyped(project, &lineage, &adaptation, &tables);
            }
            adaptation
        }
        Err(_) if Verdict::of(&findings) > Verdict::Tolerated => Adaptation::default(),
        // Nothing drifted, so it is the models that are not what the contracts promise.
        Err(problems) if findings.is_empty() => return Err(problems),
        Err(problems) => {
            let tolerated = Tolerated { project, tables: &tables, additions, substitutions };
            unproven = tolerated.blamed(&changes, tolerated.unproven(&findings, &lineage, problems));
            Adaptation::default()
        }
    };
    let (acceptable, renames, beside) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    let verdict = Verdict::Clean;
    let mut comparison = Comparison {
        tables,
        beside,
        changes,
        findings,
        verdict,
        lineage,
        adaptation,
        extra_checks,
        acceptable,
        renames,
    };
    comparison.advise(project);
    casts::tell(&mut comparison.findings, &own_casts);
    to_breaking(project, &comparison.lineage, &mut comparison.findings, &unproven);
    outputs::to_breaking(&mut comparison.findings, &comparison.changes, &retyped);
    comparison.verdict = Verdict::of(&comparison.findings);
    Ok(comparison)
}

/// The adapted models' columns over the tables as they are from now on.
pub(super) fn traced_over(project: &Project, adaptation: &Adaptation, sources: &[Table]) -> Result<Lineage, Problems> {
    let mut graph = project.graph.clone();
    graph.models.extend(adaptation.models.iter().map(|model| (model.name.clone(), model.clone())));
    Lineage::trace(&graph, &clones(of_models(&graph, sources.iter())))
}

/// The models' columns over what contracts promise of raw tables: what is promised of the models must be among them.
pub(super) fn traced(graph: &Graph, contracts: &[Contract]) -> Result<Lineage, Problems> {
    let crawled = contracts.iter().filter(|contract| contract.is_guarded());
    let lineage = Lineage::trace(graph, &clones(of_models(graph, crawled.map(|contract| &contract.table))))?;
    Problems::or(without_output(contracts, &lineage), lineage)
}

/// [`adapt`] to the tables as they are from now on, where models must misread nothing of them: `problems` are those that do.
pub(super) fn adapted(
    project: &Project,
    crawled: &[Contract],
    sources: &[Table],
    additions: &[Addition],
    substitutions: &[Substitution],
    mut problems: Vec<Problem>,
) -> Result<Adaptation, Problems> {
    let graph = &project.graph;
    let promised = clones(of_models(graph, crawled.iter().map(|contract| &contract.table)));
    let sources = clones(of_models(graph, sources.iter()));
    if additions.is_empty() && substitutions.is_empty() && shapes(promised.iter()) == shapes(sources.iter()) {
        // What was traced over the promised tables holds for those that are there.
        return Problems::or(problems, Adaptation::default());
    }
    let adaptation = adapt(graph, &promised, &sources, additions, substitutions).unwrap_or_else(|Problems(found)| {
        problems.extend(found);
        Adaptation::default()
    });
    Problems::or(problems, adaptation)
}

/// Of each table what SQL sees of it.
fn shapes<'a>(tables: impl IntoIterator<Item = &'a Table>) -> BTreeMap<&'a str, Vec<(&'a str, &'a DataType)>> {
    let shape = |table: &'a Table| {
        let columns = table.all_columns();
        (table.name.as_str(), columns.map(|column| (column.name.as_str(), &column.data_type)).collect())
    };
    tables.into_iter().map(shape).collect()
}

/// That an engine can read every table that is promised. `refusal` is the engine's; a format is known before anything runs.
pub fn readable(
    project: &Project,
    comparison: &Comparison,
    refusal: impl Fn(&Table) -> Option<String>,
) -> Result<(), Problems> {
    let promised = project.crawled();
    let is_promised = |table: &&Table| promised.iter().any(|contract| contract.table.name == table.name);
    let problem = |table: &Table| {
        let help = "deliver it as JSON Lines, CSV or Parquet, or run it on Athena";
        Some(Problem::new(
            table.location.as_deref().unwrap_or_default(),
            "",
            format!("table `{}` {}", table.name, refusal(table)?),
            help,
        ))
    };
    Problems::or(comparison.tables.iter().filter(is_promised).filter_map(problem).collect(), ())
}

/// The changes whose finding is tolerated.
fn tolerated<'a>(changes: &'a [Change], findings: &'a [Finding]) -> impl Iterator<Item = &'a Change> {
    changes.iter().filter(|change| {
        findings.iter().filter(|finding| finding.is_of(change)).any(|finding| finding.level == Level::Tolerated)
    })
}

/// Tolerated columns that models may take in.
pub(super) fn additions(changes: &[Change], findings: &[Finding]) -> Vec<Addition> {
    let added =
        |change: &&Change| matches!(change.kind, ChangeKind::ColumnAddedAtEnd | ChangeKind::ColumnAddedInMiddle);
    tolerated(changes, findings)
        .filter(added)
        .map(|change| Addition {
            table: change.table.clone(),
            column: change.column().unwrap_or_default(),
            data_type: DataType::parse(change.after.as_deref().unwrap_or_default()),
        })
        .collect()
}

/// Tolerated changes of columns that a model names, each with what stands in for the column.
pub(super) fn substitutions(
    changes: &[Change],
    findings: &[Finding],
    contracts: &[Contract],
    lineage: &Lineage,
) -> Vec<Substitution> {
    let read =
        |change: &&Change| change.column().is_some_and(|column| !lineage.readers(&change.table, &column).is_empty());
    tolerated(changes, findings).filter(read).filter_map(|change| substitution(change, contracts)).collect()
}

fn substitution(change: &Change, contracts: &[Contract]) -> Option<Substitution> {
    let contract = contracts.iter().find(|contract| contract.table.name == change.table)?;
    let column = contract.table.column(&change.column()?)?;
    if change.path != path::column(&column.name) {
        // Inside a column: no expression stands for a part of it.
        return None;
    }
    let (table, name, data_type) = (change.table.clone(), column.name.clone(), column.data_type.clone());
    match change.kind {
        ChangeKind::ColumnRemoved => Some(Substitution::TypedNull { table, column: name, data_type }),
        ChangeKind::Retyped(Promotion::Widening) if !contract.policy.pinned.contains(&column.name) => None,
        ChangeKind::Retyped(Promotion::Identical) => None,
        ChangeKind::Retyped(_) | ChangeKind::TypeShown => {
            Some(Substitution::TryCast { table, column: name, data_type })
        }
        _ => None,
    }
}

/// What no adaptation is proven for: table and, where one column's change fails alone, that column; with the reasons.
type Unproven = BTreeMap<(String, Option<String>), Problems>;

/// Tolerated drift that cannot be adapted to as a whole.
struct Tolerated<'a> {
    project: &'a Project,
    tables: &'a [Table],
    additions: Vec<Addition>,
    substitutions: Vec<Substitution>,
}

impl Tolerated<'_> {
    /// The tables whose drift no adaptation is proven for, each with the reason: those that fail alone, and, if the others fail
    /// together, those of them whose rows reach what failed.
    fn unproven(&self, findings: &[Finding], lineage: &Lineage, whole: Problems) -> BTreeMap<String, Problems> {
        let drifted: BTreeSet<&str> = findings.iter().map(|finding| finding.table.as_str()).collect();
        let alone = |table: &str| self.try_adapt(&BTreeSet::from([table])).err().map(|found| (table.to_owned(), found));
        let mut unproven: BTreeMap<String, Problems> = drifted.iter().copied().filter_map(alone).collect();
        let others: BTreeSet<&str> = drifted.into_iter().filter(|table| !unproven.contains_key(*table)).collect();
        let together = self.try_adapt(&others).err();
        // Only the whole fails, and no part of it: then nothing of it is proven.
        if let Some(problems) = together.or_else(|| unproven.is_empty().then_some(whole)) {
            let reaches = |table: &&str| self.reaches(lineage, table, &problems);
            let mut reaching: Vec<&str> = others.iter().copied().filter(reaches).collect();
            if reaching.is_empty() {
                reaching = others.into_iter().collect();
            }
            unproven.extend(reaching.into_iter().map(|table| (table.to_owned(), problems.clone())));
        }
        unproven
    }

    /// Of each table the columns that fail alone; the table as a whole if none does.
    fn blamed(&self, changes: &[Change], tables: BTreeMap<String, Problems>) -> Unproven {
        let mut blamed = Unproven::new();
        for (table, problems) in tables {
            let of_table = changes.iter().filter(|change| change.table == table);
            let columns: BTreeSet<String> = of_table.filter_map(Change::column).collect();
            let alone = |column: &String| {
                let problems = self.try_column(&table, column).err()?;
                Some(((table.clone(), Some(column.clone())), problems))
            };
            let alone: Unproven = columns.iter().filter_map(alone).collect();
            match alone.is_empty() {
                true => drop(blamed.insert((table, None), problems)),
                false => blamed.extend(alone),
            }
        }
        blamed
    }

    /// Adapts to one column of one table as the catalog shows it, and to everything else as it is promised.
    fn try_column(&self, table: &str, column: &str) -> Result<Adaptation, Problems> {
        let crawled = self.project.crawled();
        let found = self.tables.iter().find(|found| found.name == table).and_then(|found| found.column(column));
        let source = |contract: &Contract| {
            let mut source = contract.table.clone();
            if source.name == table {
                match (source.columns.iter().position(|known| same_name(&known.name, column)), found) {
                    (Some(place), Some(found)) => source.columns[place] = found.clone(),
                    (Some(place), None) => drop(source.columns.remove(place)),
                    (None, found) => source.columns.extend(found.cloned()),
                }
            }
            source
        };
        let sources: Vec<Table> = crawled.iter().map(source).collect();
        let is_added = |addition: &&Addition| addition.table == table && same_name(&addition.column, column);
        let additions: Vec<_> = self.additions.iter().filter(is_added).cloned().collect();
        let substitutions: Vec<_> =
            self.substitutions.iter().filter(|other| other.is_of(table, column)).cloned().collect();
        self.try_over(&sources, &additions, &substitutions)
    }

    /// Adapts to the chosen tables as the catalog shows them, and to the others as they are promised.
    fn try_adapt(&self, chosen: &BTreeSet<&str>) -> Result<Adaptation, Problems> {
        let crawled = self.project.crawled();
        let shown = |name: &str| self.tables.iter().find(|table| chosen.contains(name) && table.name == name);
        let source = |contract: &Contract| shown(&contract.table.name).unwrap_or(&contract.table).clone();
        let sources: Vec<Table> = crawled.iter().map(source).collect();
        let additions: Vec<_> =
            self.additions.iter().filter(|addition| chosen.contains(addition.table.as_str())).cloned().collect();
        let substitutions: Vec<_> =
            self.substitutions.iter().filter(|other| chosen.contains(other.table())).cloned().collect();
        self.try_over(&sources, &additions, &substitutions)
    }

    fn try_over(
        &self,
        sources: &[Table],
        additions: &[Addition],
        substitutions: &[Substitution],
    ) -> Result<Adaptation, Problems> {
        let crawled = self.project.crawled();
        let Misread { problems, .. } = misread(self.project, crawled, sources, substitutions, Reading::Unaccepted);
        adapted(self.project, crawled, sources, additions, substitutions, problems)
    }

    fn reaches(&self, lineage: &Lineage, table: &str, problems: &Problems) -> bool {
        let files: BTreeSet<&str> = problems.0.iter().map(|problem| problem.file.as_str()).collect();
        let file = |reader: &Reader| self.project.graph.models.get(&reader.model).map(|model| model.file.as_str());
        lineage.table_readers(table).iter().filter_map(file).any(|file| files.contains(file))
    }
}

/// What cannot be proven safe is breaking, with the reason, and it reaches the models that it fails in.
fn to_breaking(project: &Project, lineage: &Lineage, findings: &mut [Finding], unproven: &Unproven) {
    for finding in findings.iter_mut().filter(|finding| finding.level == Level::Tolerated) {
        let of_table = unproven.get(&(finding.table.clone(), None));
        let root = (!finding.path.is_empty()).then(|| path::root(&finding.path));
        let of_column = || unproven.get(&(finding.table.clone(), Some(root?)));
        let Some(Problems(problems)) = of_table.or_else(of_column) else { continue };
        let reasons: Vec<_> = problems.iter().map(in_a_sentence).collect();
        finding.level = Level::Breaking;
        finding.message =
            format!("{} The adapted SQL could not be proven safe: {}.", finding.message, reasons.join("; "));
        for model in project.graph.order.iter().filter_map(|name| project.graph.models.get(name)) {
            let fails = problems.iter().any(|problem| problem.file == model.file);
            if fails && !finding.models.iter().any(|reader| reader.model == model.name) {
                let columns = lineage.output(&model.name).into_iter().map(|(name, _)| name).collect();
                finding.models.push(Reader { model: model.name.clone(), columns });
            }
        }
    }
}

/// A problem as a part of a sentence: its help follows in brackets.
fn in_a_sentence(problem: &Problem) -> String {
    let help = if problem.help.is_empty() { String::new() } else { format!(" ({})", problem.help) };
    format!("{}{help}", Problem { help: String::new(), ..problem.clone() })
}
