//! Where a local table's files are: written down so that a project can be moved or copied with them, and found again.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::schema::{ROWS, Table};

/// A location in the target's lake, and one in its warehouse, as a stored table has them.
const LAKE: &str = "${lake}/";
const WAREHOUSE: &str = "${warehouse}/";

/// The folders that move with a project.
pub(super) struct Places {
    /// `None` where nobody said which lake it is.
    lake: Option<PathBuf>,
    warehouse: PathBuf,
}

impl Places {
    /// The warehouse lies beside the catalog, in one state.
    pub(super) fn new(catalog: &Path, lake: Option<&Path>) -> Self {
        let warehouse = catalog.parent().unwrap_or(catalog).join("warehouse");
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Self { lake: lake.map(real), warehouse: real(&warehouse) }
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &Path)> + '_ {
        let lake = self.lake.iter().map(|lake| (LAKE, lake.as_path()));
        lake.chain([(WAREHOUSE, self.warehouse.as_path())])
    }

    /// A location as it is stored: what lies in the lake or the warehouse without where those are.
    pub(super) fn stored(&self, location: &str) -> String {
        let inside = self.named().find_map(|(name, folder)| Some(format!("{name}{}", inside(location, folder)?)));
        inside.unwrap_or_else(|| location.to_owned())
    }

    /// A stored location where it is now.
    pub(super) fn found(&self, stored: &str) -> String {
        for (name, folder) in self.named() {
            if let Some(rest) = stored.strip_prefix(name) {
                return format!("{}/{rest}", folder.display());
            }
        }
        self.moved(stored).unwrap_or_else(|| stored.to_owned())
    }

    /// Where a build is that was noted with its whole path, which the project has been moved or copied away from since.
    fn moved(&self, stored: &str) -> Option<String> {
        let (_, rest) = stored.split_once("/warehouse/")?;
        let is_build = rest.trim_end_matches('/').split('/').count() == 2;
        let here = self.warehouse.join(rest);
        (is_build && here.is_dir()).then(|| here.display().to_string())
    }
}

/// The rest of a location in a folder.
fn inside<'l>(location: &'l str, folder: &Path) -> Option<&'l str> {
    let path = location.strip_prefix("file://").unwrap_or(location);
    path.strip_prefix(folder.to_str()?.trim_end_matches('/'))?.strip_prefix('/')
}

/// What became of a local table's files, if they are gone: no rows are then no answer. `None` also for a table that is elsewhere.
pub fn gone(table: &Table) -> Option<String> {
    let location = table.location.as_deref()?;
    let path = location.strip_prefix("file://").unwrap_or(location);
    if path.contains("://") {
        return None;
    }
    let rows = table.parameters.get(ROWS).and_then(|rows| rows.parse::<u64>().ok());
    let is_gone = match has_files(Path::new(path)) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(any) => !any && rows.is_some_and(|rows| rows > 0),
    };
    let help = match rows {
        Some(_) => "put them back, or publish it anew with `crawlguard run`",
        None => "put them back, or run `crawlguard crawl`",
    };
    is_gone.then(|| format!("has lost its files, which were in `{path}`; {help}"))
}

/// Whether any file lies in a folder, however deep; hidden ones hold no rows.
fn has_files(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if !path.is_dir() || has_files(&path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_lake_or_the_warehouse_moves_with_it() {
        let root = tempfile::tempdir().unwrap();
        let places = |name: &str| {
            let folder = root.path().join(name);
            fs::create_dir_all(folder.join("lake")).unwrap();
            fs::create_dir_all(folder.join("state/warehouse/t/1-1")).unwrap();
            Places::new(&folder.join("state/catalog"), Some(&folder.join("lake")))
        };
        let (old, new) = (places("old"), places("new"));
        let real = root.path().canonicalize().unwrap();
        for (inside, stored) in [
            ("lake/o/", "${lake}/o/"),
            ("state/warehouse/t/1-1/", "${warehouse}/t/1-1/"),
            ("lakes/o/", ""),
            ("state/catalog/o/", ""),
        ] {
            let [before, after] = ["old", "new"].map(|name| format!("{}/{name}/{inside}", real.display()));
            let noted = old.stored(&before);
            let (expected, found) = if stored.is_empty() { (before.as_str(), &before) } else { (stored, &after) };
            assert_eq!((noted.as_str(), &new.found(&noted)), (expected, found), "{inside}");
            assert_eq!(old.found(&noted), before, "{inside}");
        }
        assert_eq!(old.stored("s3://b/o/"), "s3://b/o/");
        // As it was noted before: the whole path.
        let build = |project: &str, run: &str| format!("{}/{project}/state/warehouse/t/{run}/", real.display());
        assert_eq!(new.found(&build("old", "1-1")), build("new", "1-1"));
        assert_eq!(new.found(&build("old", "2-1")), build("old", "2-1"), "it did not come along");
    }
}
