//! A lake in a temporary folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crawlguard::catalog::crawl::{Crawl, crawl};
use crawlguard::problem::Problem;
use crawlguard::schema::{Evidence, Table};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

pub struct Lake {
    root: TempDir,
    files: u64,
}

impl Lake {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary folder"), files: 0 }
    }

    /// A lake with one table `raw_t` of these files, oldest first.
    pub fn of(files: &[(&str, &[u8])]) -> Self {
        let mut lake = Self::new();
        for (name, bytes) in files {
            lake.add(&format!("t/{name}"), bytes);
        }
        lake
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// Adds a file that is newer than all before it.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("inside the lake")).expect("a folder");
        let mut file = File::create(&path).expect("a file");
        file.write_all(bytes).expect("written");
        self.files += 1;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + self.files)).expect("a time");
        path
    }

    pub fn crawl(&self) -> Crawl {
        crawl(self.path(), "lake", "raw_")
    }

    /// The one table, and no problem.
    #[track_caller]
    pub fn table(&self) -> Table {
        let Crawl { mut tables, problems, .. } = self.crawl();
        assert_eq!(problems, [], "no problem");
        assert_eq!(tables.len(), 1, "one table");
        tables.remove(0)
    }

    /// The problems, as `file:place: message` with the file inside the lake; and no table.
    #[track_caller]
    pub fn problems(&self) -> Vec<String> {
        let Crawl { tables, problems, .. } = self.crawl();
        assert_eq!(tables, [], "no table");
        assert!(problems.iter().all(|problem| !problem.help.is_empty()), "every problem has a help");
        let root = format!("{}/", self.path().display());
        let show = |problem: Problem| Problem { help: String::new(), ..problem }.to_string().replace(&root, "");
        problems.into_iter().map(show).collect()
    }
}

/// `name type` of each column, a `?` where there is no evidence.
pub fn columns(table: &Table) -> Vec<String> {
    let show = |column: &crawlguard::schema::Column| {
        let doubt = if column.evidence == Evidence::None { "?" } else { "" };
        format!("{} {}{doubt}", column.name, column.data_type)
    };
    table.columns.iter().map(show).collect()
}

#[track_caller]
pub fn check_columns(files: &[(&str, &str)], expected: &[&str]) -> Table {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let table = Lake::of(&files).table();
    assert_eq!(columns(&table), expected);
    table
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}
