//! Data files as one side of a comparison.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::super::args::Globals;
use super::super::world::absolute;
use crate::catalog::crawl::{Classifiers, CsvClassifier, crawl_with};
use crate::config::{self, Target};
use crate::problem::{Problem, Problems};
use crate::schema::Table;

/// What the project at hand says of CSV: the one named, else the nearest at or above a side, else above the working folder.
pub(super) struct Settings {
    target: String,
    classifiers: BTreeMap<String, CsvClassifier>,
}

impl Settings {
    pub(super) fn of(globals: &Globals, paths: [&Path; 2]) -> Result<Self, Problems> {
        let places = paths.into_iter().chain([Path::new(".")]).map(absolute);
        let beside = || {
            let mut folders = places.flat_map(|path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>());
            folders.find(|folder| folder.join(config::FILE).is_file())
        };
        let Some(root) = globals.project.clone().or_else(beside) else {
            return Ok(Self { target: "local".to_owned(), classifiers: BTreeMap::new() });
        };
        let settings = config::Settings::read(&absolute(&root))?;
        let (target, kind) = settings.target(globals.target.as_deref())?;
        let classifiers = match kind {
            Target::Local(local) => local.classifiers.clone(),
            Target::Aws(_) => BTreeMap::new(),
        };
        Ok(Self { target: target.to_owned(), classifiers })
    }

    /// A data file or folder, crawled as the one source of a lake of its own. `or` is how its CSV is read where the project
    /// does not say.
    pub(super) fn read(&self, path: &Path, or: Option<&CsvClassifier>) -> Result<Vec<Table>, Problems> {
        let path = absolute(path);
        let file = path.display().to_string();
        let io = |error: std::io::Error| Problem::new(&file, "", error.to_string(), "Make it readable.");
        let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        let mut names = folder.ancestors().filter_map(|folder| folder.file_name()?.to_str());
        let known = names.clone().find(|name| self.classifiers.contains_key(*name));
        let name = known.or_else(|| names.next()).unwrap_or("data");
        let lake = tempfile::tempdir().map_err(io)?;
        // A folder's name may say that Athena passes over it; the one that was named is meant.
        let shown_name = name.trim_start_matches(['_', '.']);
        let source = lake.path().join(shown_name);
        if path.is_dir() {
            link(&path, &source).map_err(io)?;
        } else {
            fs::create_dir(&source).map_err(io)?;
            link(&path, &source.join(path.file_name().unwrap_or_default())).map_err(io)?;
        }
        let classifier = self.classifiers.get(name).or(or).cloned();
        let by_source = classifier.map(|classifier| (shown_name.to_owned(), classifier)).into_iter().collect();
        let crawled = crawl_with(lake.path(), "diff", "", &Classifiers { target: &self.target, by_source });
        let (inside, outside) = (source.display().to_string(), folder.display().to_string());
        let shown = |mut problem: Problem| {
            problem.file = problem.file.replacen(&inside, &outside, 1);
            problem
        };
        let mut tables = crawled.tables;
        for table in &mut tables {
            table.location = Some(outside.clone() + "/");
            table.parameters.values_mut().for_each(|value| *value = value.replace(&inside, &outside));
        }
        Problems::or(crawled.problems.into_iter().map(shown).collect(), tables)
    }
}

/// A file's beginning, as far as it is text.
pub(super) fn head(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        link(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
