//! A small project in a folder of its own, driven through the library.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crawlguard::catalog::crawl::crawl;
use crawlguard::catalog::{Catalog, FilesCatalog};
use crawlguard::config::Settings;
use crawlguard::contract::Document;
use crawlguard::pipeline::Project;
use crawlguard::store::FsStore;

pub const SLOT: &str = "2026-01-02T03:04:05Z";

/// Orders in JSON Lines, a model that cleans them, and a model that counts them.
pub struct Lake {
    folder: tempfile::TempDir,
}

impl Lake {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Self { folder };
        lake.write(
            "crawlguard.toml",
            "project = \"shop\"\n[targets.local]\nkind = \"local\"\nlake = \"lake\"\ndatabase = \"shop\"\n",
        );
        lake.write(
            "lake/orders/1.json",
            "{\"Id\":1,\"Ship City\":\" Rome \"}\n{\"Id\":2,\"Ship City\":\"Oslo\"}\n{\"Id\":3,\"Ship City\":\"\"}\n",
        );
        lake.write(
            "sql/int_orders.sql",
            "/* crawlguard\nprimary_key: id\nadditions: carry\n*/\nSELECT\n    id,\n    nullif(trim(\"ship city\"), '') AS city\nFROM raw_orders\n",
        );
        lake.write(
            "sql/fact_cities.sql",
            "SELECT city, count(*) AS orders FROM int_orders WHERE city IS NOT NULL GROUP BY city\n",
        );
        lake.crawl();
        lake.write_contracts();
        lake
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.root().join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn catalog(&self) -> Arc<FilesCatalog> {
        Arc::new(FilesCatalog::new(self.path(".crawlguard/catalog"), "shop"))
    }

    pub fn store(&self) -> FsStore {
        FsStore::new(self.path(".crawlguard"))
    }

    pub fn project(&self) -> Project {
        Project::read(Settings::read(self.root()).unwrap()).unwrap()
    }

    /// What `crawlguard crawl` does, where nothing is wrong.
    pub fn crawl(&self) {
        let found = crawl(&self.path("lake"), "shop", "raw_");
        assert_eq!(found.problems, []);
        for table in &found.tables {
            self.catalog().put(table).unwrap();
        }
    }

    fn write_contracts(&self) {
        let tables = raw_tables(self.catalog().as_ref());
        for table in tables {
            let file = format!("contracts/{}.json", table.name);
            self.write(&file, &Document::for_table(&file, &table).to_json());
        }
    }
}

/// On a thread of its own: the caller may be inside a runtime already.
fn raw_tables(catalog: &dyn Catalog) -> Vec<crawlguard::schema::Table> {
    let read =
        || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(catalog.tables("raw_")).unwrap();
    std::thread::scope(|scope| scope.spawn(read).join().unwrap())
}
