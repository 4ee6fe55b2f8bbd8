//! A folder as a catalog: `<root>/<database>/<table>/<version>.json`, Glue-shaped; the highest version is current.

mod places;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

pub use places::gone;

use super::{Catalog, glue_json};
use crate::port::{PortError, PortErrorKind};
use crate::problem::Problems;
use crate::schema::{RESTORED, Table};
use places::Places;

/// What a crawl counts anew each time; a table that differs only here is the same table.
const VOLATILE: [&str; 5] = ["recordCount", "objectCount", "sizeKey", "averageRecordSize", "CRAWL_RUN_ID"];

type Reader = fn(&str, &str) -> Result<Vec<Table>, Problems>;

/// The local catalog.
#[derive(Debug, Clone)]
pub struct FilesCatalog {
    pub root: PathBuf,
    pub database: String,
    lake: Option<PathBuf>,
}

impl FilesCatalog {
    pub fn new(root: PathBuf, database: impl Into<String>) -> Self {
        Self { root, database: database.into(), lake: None }
    }

    /// The same, of a lake that may be moved: its tables are wherever it is.
    #[must_use]
    pub fn over(self, lake: &Path) -> Self {
        Self { lake: Some(lake.to_owned()), ..self }
    }

    fn places(&self) -> Places {
        Places::new(&self.root, self.lake.as_deref())
    }

    /// Writes a table as a new version if it differs from the current one (UPDATE_IN_DATABASE). Atomic: temporary file, then rename.
    pub fn put(&self, table: &Table) -> Result<Table, PortError> {
        match self.current(&table.name)? {
            Some(current) if is_same(&current, table) && self.is_noted_to_move(&current)? => Ok(current),
            current => self.write(table, current.as_ref()),
        }
    }

    /// Whether the table's location is written down as it would be now.
    fn is_noted_to_move(&self, table: &Table) -> Result<bool, PortError> {
        let (Some(location), Some(number)) = (&table.location, &table.version) else { return Ok(true) };
        let path = version_path(&self.folder(&table.name)?, number.parse().unwrap_or_default());
        let text = fs::read_to_string(&path).map_err(|error| PortError::io("read table", &path, error))?;
        let stored: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let stored = stored.pointer("/StorageDescriptor/Location").and_then(|stored| stored.as_str());
        Ok(stored == Some(self.places().stored(location).as_str()))
    }

    fn current(&self, name: &str) -> Result<Option<Table>, PortError> {
        self.numbers(name)?.last().map(|number| self.read(name, *number)).transpose()
    }

    /// Writes the version after `current`; whoever else wrote that version first wins.
    fn write(&self, table: &Table, current: Option<&Table>) -> Result<Table, PortError> {
        const OPERATION: &str = "write table";
        let number = current.and_then(|current| current.version.as_deref()?.parse::<u64>().ok()).unwrap_or(0) + 1;
        let folder = self.folder(&table.name)?;
        let path = version_path(&folder, number);
        let table = Table { database: self.database.clone(), version: Some(number.to_string()), ..table.clone() };
        let location = table.location.as_deref().map(|location| self.places().stored(location));
        let text = format!("{:#}\n", glue_json::to_value(&Table { location, ..table.clone() }));
        write_new(&folder, &path, &text).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                conflict(OPERATION, &table.name, format!("somebody else wrote version {number} first"))
            } else {
                PortError::io(OPERATION, &path, error)
            }
        })?;
        Ok(table)
    }

    fn read(&self, name: &str, number: u64) -> Result<Table, PortError> {
        self.read_by(glue_json::read, name, number)
    }

    fn read_by(&self, reader: Reader, name: &str, number: u64) -> Result<Table, PortError> {
        const OPERATION: &str = "read table";
        let path = version_path(&self.folder(name)?, number);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => invalid(OPERATION, &path, error.to_string()),
            _ => PortError::io(OPERATION, &path, error),
        })?;
        let shown = path.display().to_string();
        let tables = reader(&shown, &text).map_err(|problems| invalid(OPERATION, &path, problems.to_string()))?;
        match <[Table; 1]>::try_from(tables) {
            Ok([table]) => {
                let location = table.location.as_deref().map(|location| self.places().found(location));
                Ok(Table { version: Some(number.to_string()), location, ..table })
            }
            Err(tables) => Err(invalid(OPERATION, &path, format!("holds {} tables instead of one", tables.len()))),
        }
    }

    /// The version numbers of a table, rising.
    fn numbers(&self, name: &str) -> Result<Vec<u64>, PortError> {
        let number = |file: String| file.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = names_in(&self.folder(name)?)?.into_iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn database_folder(&self) -> Result<PathBuf, PortError> {
        Ok(self.root.join(plain(&self.database)?))
    }

    fn folder(&self, table: &str) -> Result<PathBuf, PortError> {
        Ok(self.database_folder()?.join(plain(&table.to_lowercase())?))
    }
}

#[async_trait]
impl Catalog for FilesCatalog {
    async fn tables(&self, prefix: &str) -> Result<Vec<Table>, PortError> {
        let mut names = names_in(&self.database_folder()?)?;
        names.retain(|name| name.starts_with(prefix));
        names.sort();
        let (mut tables, mut failures) = (Vec::new(), Vec::new());
        for name in names {
            let newest = self.numbers(&name)?.pop();
            match newest.map(|number| self.read_by(glue_json::read_any, &name, number)).transpose() {
                Ok(table) => tables.extend(table),
                Err(error) => failures.push(error),
            }
        }
        all_or_failures(tables, failures)
    }

    async fn table(&self, name: &str) -> Result<Option<Table>, PortError> {
        self.current(name)
    }

    async fn swap(
        &self,
        target: &str,
        staging: &str,
        expected: Option<&str>,
        parameters: &[(String, String)],
    ) -> Result<Table, PortError> {
        const OPERATION: &str = "swap table";
        let staged = self.current(staging)?.ok_or_else(|| not_found(OPERATION, staging, "there is no such table"))?;
        let current = self.current(target)?;
        if let Some(current) = &current
            && current.location.is_some()
            && current.location == staged.location
        {
            return Ok(current.clone());
        }
        let version = current.as_ref().and_then(|current| current.version.as_deref());
        if version != expected {
            let [found, wanted] = [version, expected].map(|version| version.unwrap_or("none"));
            return Err(conflict(OPERATION, target, format!("is at version {found}, not {wanted}")));
        }
        let mut table = Table { name: target.to_lowercase(), ..staged };
        if let Some(current) = &current {
            for (key, value) in current.parameters.iter().filter(|(key, _)| *key != RESTORED) {
                table.parameters.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        table.parameters.extend(parameters.iter().cloned());
        self.write(&table, current.as_ref())
    }

    async fn versions(&self, name: &str) -> Result<Vec<Table>, PortError> {
        self.numbers(name)?.into_iter().rev().map(|number| self.read(name, number)).collect()
    }

    async fn restore(&self, name: &str, version: &str, parameters: &[(String, String)]) -> Result<Table, PortError> {
        let known = self.numbers(name)?;
        let number = known.iter().find(|number| number.to_string() == version);
        let number =
            *number.ok_or_else(|| not_found("restore table", name, &format!("there is no version {version}")))?;
        let mut earlier = self.read(name, number)?;
        if known.last() == Some(&number) {
            return Ok(earlier);
        }
        earlier.parameters.extend(parameters.iter().cloned());
        self.write(&earlier, self.current(name)?.as_ref())
    }

    async fn prune(&self, name: &str, keep: usize) -> Result<(), PortError> {
        let folder = self.folder(name)?;
        let numbers = self.numbers(name)?;
        for number in &numbers[..numbers.len().saturating_sub(keep.max(1))] {
            let path = version_path(&folder, *number);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(PortError::io("drop version", &path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn forget(&self, name: &str) -> Result<(), PortError> {
        let folder = self.folder(name)?;
        let failed = |error| PortError::io("forget table", &folder, error);
        if !folder.try_exists().map_err(failed)? {
            return Ok(());
        }
        // Moved first: half-removed versions would make an old one current.
        let away = tempfile::tempdir_in(self.database_folder()?).map_err(failed)?;
        fs::rename(&folder, away.path().join("forgotten")).map_err(failed)?;
        away.close().map_err(failed)
    }
}

fn version_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.json"))
}

/// Creates `path` with `text` in one step; fails with `AlreadyExists` if it is there.
fn write_new(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    // The name must survive a power cut too, not only the bytes.
    File::open(folder)?.sync_all()
}

/// What a folder holds, hidden entries aside; nothing if there is no such folder.
fn names_in(folder: &Path) -> Result<Vec<String>, PortError> {
    let failed = |error| PortError::io("list tables", folder, error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 is none that `folder` made.
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.retain(|name| !name.starts_with('.'));
    Ok(names)
}

/// A name that stays inside its folder.
fn plain(name: &str) -> Result<&str, PortError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        let message = "a name may not be empty, start with a dot or hold a slash";
        return Err(PortError::new(
            PortErrorKind::Invalid,
            "find table",
            format!("`{}`", name.escape_debug()),
            message,
        ));
    }
    Ok(name)
}

fn is_same(current: &Table, table: &Table) -> bool {
    let lasting = |table: &Table| {
        let mut table = Table { version: None, database: String::new(), ..table.clone() };
        table.parameters.retain(|key, _| !VOLATILE.contains(&key.as_str()));
        glue_json::to_value(&table)
    };
    lasting(current) == lasting(table)
}

fn all_or_failures(tables: Vec<Table>, mut failures: Vec<PortError>) -> Result<Vec<Table>, PortError> {
    if failures.len() < 2 {
        return failures.pop().map_or(Ok(tables), Err);
    }
    let messages: Vec<_> = failures.iter().map(ToString::to_string).collect();
    let first = failures.swap_remove(0);
    Err(PortError { message: messages.join("\n"), ..first })
}

fn not_found(operation: &'static str, table: &str, message: &str) -> PortError {
    PortError::new(PortErrorKind::NotFound, operation, format!("`{table}`"), message)
}

fn conflict(operation: &'static str, table: &str, message: String) -> PortError {
    PortError::new(PortErrorKind::Conflict, operation, format!("`{table}`"), message)
}

fn invalid(operation: &'static str, path: &Path, message: String) -> PortError {
    PortError::new(PortErrorKind::Invalid, operation, format!("`{}`", path.display()), message)
}
