//! Which folders are tables, and which files are in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::age;
use super::classifier::{Classifiers, CsvClassifier};
use super::sniff::OTHER_PACKINGS;
use crate::problem::Problem;

/// One folder of the lake: one table.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) folder: PathBuf,
    /// The folder as the user would type it.
    pub(super) shown: String,
    pub(super) table: String,
    /// Where `crawlguard.toml` says how the source's CSV is read: `targets.local.classifiers.orders`.
    pub(super) setting: String,
    pub(super) classifier: Option<CsvClassifier>,
}

impl Target {
    /// The lines of `crawlguard.toml` that make these the source's settings.
    pub(super) fn classify(&self, settings: &[&str]) -> String {
        let start = match self.classifier {
            Some(_) => format!("write below `[{}]` in crawlguard.toml:", self.setting),
            None => format!("append to crawlguard.toml:\n    [{}]", self.setting),
        };
        settings.iter().fold(start, |text, setting| format!("{text}\n    {setting}"))
    }
}

/// One data file of a target.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    /// The path inside the target, with `/`.
    pub(super) relative: String,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

impl SourceFile {
    /// The folders between the target and the file: its partition.
    pub(super) fn levels(&self) -> impl Iterator<Item = &str> {
        let (folders, _) = self.relative.rsplit_once('/').unwrap_or_default();
        folders.split('/').filter(|level| !level.is_empty())
    }
}

/// The lake's folders, by name. Loose data files and classifiers of no folder are problems.
pub(super) fn targets(
    lake: &Path,
    prefix: &str,
    classifiers: &Classifiers<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Target> {
    let found = match entries(lake) {
        Ok(found) => found,
        Err(problem) => {
            problems.push(problem);
            return Vec::new();
        }
    };
    let (folders, files): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, path)| path.is_dir());
    for (_, file) in files.iter().filter(|(name, _)| is_data(name)) {
        let help = "move it into a folder of its own: each folder of the lake is a table";
        problems.push(Problem::new(file.display().to_string(), "", "a data file lies in no source's folder", help));
    }
    let is_folder = |name: &&String| folders.iter().any(|(source, _)| source == *name);
    for name in classifiers.by_source.keys().filter(|name| !is_folder(name)) {
        let message = format!("the lake `{}` has no folder `{name}`", lake.display());
        let setting = classifiers.setting(name);
        let help = format!(
            "bring the folder back or name the right one; if the source is gone for good, remove `[{setting}]`"
        );
        problems.push(Problem::new("crawlguard.toml", setting, message, help));
    }
    let target = |(source, folder): (String, PathBuf)| Target {
        shown: folder.display().to_string(),
        table: table_name(prefix, &source),
        setting: classifiers.setting(&source),
        classifier: classifiers.by_source.get(&source).cloned(),
        folder,
    };
    folders.into_iter().map(target).collect()
}

pub(super) fn is_data(file: &str) -> bool {
    let name = file.to_ascii_lowercase();
    let name = OTHER_PACKINGS.iter().chain(&[".gz"]).find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".orc", ".avro"].iter().any(|end| name.ends_with(end))
}

/// Glue keeps letters, digits and `_` of a folder's name, at most 128 characters of it.
fn table_name(prefix: &str, folder: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    prefix.chars().map(|c| c.to_ascii_lowercase()).chain(folder.chars().map(plain)).take(128).collect()
}

/// All files of a target, oldest first.
pub(super) fn files(target: &Target, problems: &mut Vec<Problem>) -> Vec<SourceFile> {
    let mut found = Vec::new();
    list(&target.folder, "", &mut found, problems);
    age::sort(&mut found);
    found
}

fn list(folder: &Path, inside: &str, found: &mut Vec<SourceFile>, problems: &mut Vec<Problem>) {
    let entries = match entries(folder) {
        Ok(entries) => entries,
        Err(problem) => return problems.push(problem),
    };
    for (name, path) in entries {
        let relative = format!("{inside}{name}");
        let shown = path.display().to_string();
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => list(&path, &format!("{relative}/"), found, problems),
            Ok(meta) => {
                let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(SourceFile { path, shown, relative, bytes: meta.len(), modified });
            }
            Err(error) => problems.push(unreadable(&path, &error)),
        }
    }
}

/// A folder's entries by name, without those that Athena hides (`_SUCCESS`, `.crc`).
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, Problem> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let Ok(name) = entry.file_name().into_string() else {
            let shown = entry.path().display().to_string();
            return Err(Problem::new(shown, "", "the name is not UTF-8", "rename it"));
        };
        if !name.starts_with(['_', '.']) {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let help = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "give this user read permission",
        std::io::ErrorKind::NotFound => "check the path",
        _ => "copy it again, or take it away",
    };
    Problem::new(path.display().to_string(), "", format!("cannot be read: {error}"), help)
}
