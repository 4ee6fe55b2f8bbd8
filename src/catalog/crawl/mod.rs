//! The local crawler: infers each prefix's schema as a Glue crawler would.
//!
//! It differs from Glue in one thing on purpose: Glue samples the first records of a file, this crawler reads every
//! byte, so that a late `12.5` or a broken line is seen before the build meets it.
//! <https://repost.aws/knowledge-center/glue-crawler-detect-schema>

mod age;
mod classifier;
mod csv;
mod day;
mod json;
mod lines;
mod listing;
mod log;
mod missing;
mod parquet;
mod prefix;
mod shape;
mod similarity;
mod sniff;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

pub use classifier::{Classifiers, CsvClassifier, CsvHeader, CsvSerde};
#[cfg(feature = "aws")]
pub(super) use csv::{DELIMITERS, Quotes, cells, column_names};
use listing::Target;

use crate::problem::Problem;
use crate::schema::{Table, UNREADABLE};

/// What a crawl found.
#[derive(Debug, Clone, Default)]
pub struct Crawl {
    pub tables: Vec<Table>,
    /// Tables whose files could not be read: a name and a place, marked with why, so that the catalog keeps no guess.
    pub unread: Vec<Table>,
    /// Everything that could not be read, and why.
    pub problems: Vec<Problem>,
    /// Those of `problems` that are of no one table.
    pub of_lake: Vec<Problem>,
}

/// Crawls every folder of `lake` (one S3 target each); `prefix` is put before table names (`raw_`).
pub fn crawl(lake: &Path, database: &str, prefix: &str) -> Crawl {
    crawl_with(lake, database, prefix, &Classifiers { target: "local", by_source: BTreeMap::new() })
}

/// The same, with the CSV classifiers of a target.
pub fn crawl_with(lake: &Path, database: &str, prefix: &str, classifiers: &Classifiers<'_>) -> Crawl {
    let mut found = Crawl::default();
    let targets = listing::targets(lake, prefix, classifiers, &mut found.of_lake);
    let (targets, clashes) = without_clashes(targets);
    let outcomes = crawl_all(&targets, database);
    for outcome in outcomes.into_iter().chain(clashes.into_iter().map(Err)) {
        match outcome {
            Ok(table) => found.tables.push(table),
            Err(unread) => {
                found.unread.push(unread.table(database));
                found.problems.extend(unread.problems);
            }
        }
    }
    found.problems.extend(found.of_lake.iter().cloned());
    found.tables.sort_by(|a, b| a.name.cmp(&b.name));
    found.unread.sort_by(|a, b| a.name.cmp(&b.name));
    found.problems.sort();
    found
}

type Outcome = Result<Table, Unread>;

/// A table of which nothing can be said, and why; never without a problem.
struct Unread {
    name: String,
    location: Option<String>,
    problems: Vec<Problem>,
}

impl Unread {
    fn of(target: &Target, problems: Vec<Problem>) -> Self {
        Self { name: target.table.clone(), location: prefix::location(target).ok(), problems }
    }

    fn table(&self, database: &str) -> Table {
        let first = self.problems.iter().min().cloned();
        let mut why = first.unwrap_or_else(|| Problem::new("", "", "nothing was found", "deliver the data"));
        let more = self.problems.len().saturating_sub(1);
        if more > 0 {
            why.message += &format!(" (and {more} more, which `crawlguard crawl` lists)");
        }
        Table {
            database: database.to_owned(),
            name: self.name.clone(),
            location: self.location.clone(),
            parameters: [(UNREADABLE.to_owned(), why.to_string())].into(),
            ..Table::default()
        }
    }
}

/// One target a thread, as many at a time as there are processors.
fn crawl_all(targets: &[Target], database: &str) -> Vec<Outcome> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    let queue = Mutex::new(targets.iter());
    let next = || queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    thread::scope(|scope| {
        let work = || {
            let mut outcomes = Vec::new();
            while let Some(target) = next() {
                outcomes.push(prefix::crawl(target, database));
            }
            outcomes
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Takes out the folders whose table names are the same: Glue would add a hash to one of them.
fn without_clashes(targets: Vec<Target>) -> (Vec<Target>, Vec<Unread>) {
    let mut by_table: BTreeMap<String, Vec<Target>> = BTreeMap::new();
    for target in targets {
        by_table.entry(target.table.clone()).or_default().push(target);
    }
    let (mut kept, mut clashes) = (Vec::new(), Vec::new());
    for (table, mut same) in by_table {
        if same.len() == 1 {
            kept.append(&mut same);
            continue;
        }
        let folders: Vec<_> = same.iter().map(|target| format!("`{}`", target.shown)).collect();
        let message = format!("folders {} would all be table `{table}`", folders.join(", "));
        let help = "rename the folders so that they differ in letters or digits";
        let problem = Problem::new(same[0].shown.clone(), "", message, help);
        clashes.push(Unread::of(&same[0], vec![problem]));
    }
    (kept, clashes)
}
