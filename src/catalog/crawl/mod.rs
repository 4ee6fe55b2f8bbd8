//! The local crawler: infers each prefix's schema as a Glue crawler would.
//!
//! It differs from Glue in one thing on purpose: Glue samples the first records of a file, this crawler reads every
//! byte, so that a late `12.5` or a broken line is seen before the build meets it.
//! <https://repost.aws/knowledge-center/glue-crawler-detect-schema>

mod classifier;
mod csv;
mod json;
mod lines;
mod listing;
mod log;
mod parquet;
mod prefix;
mod shape;
mod sniff;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

pub use classifier::{CsvClassifier, CsvHeader, CsvSerde};
#[cfg(feature = "aws")]
pub(super) use csv::{DELIMITERS, column_names};
use listing::Target;

use crate::problem::Problem;
use crate::schema::Table;

/// What a crawl found.
#[derive(Debug, Clone, Default)]
pub struct Crawl {
    pub tables: Vec<Table>,
    /// Files that could not be read; the tables they belong to are left out, so the catalog keeps no guess.
    pub problems: Vec<Problem>,
}

/// Crawls every folder of `lake` (one S3 target each); `prefix` is put before table names (`raw_`).
pub fn crawl(lake: &Path, database: &str, prefix: &str) -> Crawl {
    crawl_with(lake, database, prefix, &BTreeMap::new())
}

/// The same, with CSV classifiers by the name of the source's folder.
pub fn crawl_with(lake: &Path, database: &str, prefix: &str, classifiers: &BTreeMap<String, CsvClassifier>) -> Crawl {
    let mut found = Crawl::default();
    let targets = match listing::targets(lake, prefix, classifiers, &mut found.problems) {
        Ok(targets) => without_clashes(targets, &mut found.problems),
        Err(problem) => {
            found.problems.push(problem);
            return found;
        }
    };
    for outcome in crawl_all(&targets, database) {
        match outcome {
            Ok(table) => found.tables.extend(table),
            Err(problems) => found.problems.extend(problems),
        }
    }
    found.tables.sort_by(|a, b| a.name.cmp(&b.name));
    found.problems.sort();
    found
}

type Outcome = Result<Option<Table>, Vec<Problem>>;

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
fn without_clashes(targets: Vec<Target>, problems: &mut Vec<Problem>) -> Vec<Target> {
    let mut by_table: BTreeMap<String, Vec<Target>> = BTreeMap::new();
    for target in targets {
        by_table.entry(target.table.clone()).or_default().push(target);
    }
    let mut kept = Vec::new();
    for (table, mut same) in by_table {
        if same.len() == 1 {
            kept.append(&mut same);
            continue;
        }
        let folders: Vec<_> = same.iter().map(|target| format!("`{}`", target.shown)).collect();
        problems.push(Problem::new(
            same[0].shown.clone(),
            "",
            format!("folders {} would all be table `{table}`", folders.join(", ")),
            "rename the folders so that they differ in letters or digits",
        ));
    }
    kept
}
