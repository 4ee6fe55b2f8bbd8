//! The catalog on files.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use crawlguard::catalog::{Catalog, FilesCatalog};
use crawlguard::port::PortErrorKind;
use crawlguard::schema::{Column, DataType, Table};

use super::catalog_suite::{a_table, catalog_suite};
use super::lake::Lake;

fn catalog(root: &Path) -> FilesCatalog {
    FilesCatalog::new(root.to_owned(), "lake")
}

#[tokio::test]
async fn behaves_as_a_catalog() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = catalog(root.path());
    catalog_suite(&catalog, &|table| drop(catalog.put(table).expect("written"))).await;
}

#[test]
fn put_writes_a_version_only_if_the_table_differs() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = catalog(root.path());
    let mut table = a_table("raw_t", "data/");
    let version = |table: &Table| catalog.put(table).expect("written").version;
    assert_eq!(version(&table).as_deref(), Some("1"));
    assert_eq!(version(&table).as_deref(), Some("1"));
    for counted in ["recordCount", "objectCount", "sizeKey", "averageRecordSize", "CRAWL_RUN_ID"] {
        table.parameters.insert(counted.to_owned(), "7".to_owned());
        assert_eq!(version(&table).as_deref(), Some("1"), "{counted}");
    }
    table.columns.push(Column::new("new", DataType::Double));
    assert_eq!(version(&table).as_deref(), Some("2"));
    table.parameters.insert("crawlguard.mixed_headers".to_owned(), "[]".to_owned());
    assert_eq!(version(&table).as_deref(), Some("3"));
    let mut files: Vec<_> = fs::read_dir(root.path().join("lake/raw_t"))
        .expect("the table's folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["000001.json", "000002.json", "000003.json"]);
}

#[test]
fn a_table_of_the_lake_is_noted_so_that_both_can_move() {
    let root = tempfile::tempdir().expect("a folder");
    let lake = root.path().canonicalize().expect("a path").join("lake");
    fs::create_dir_all(lake.join("t")).expect("a folder");
    let table = a_table("raw_t", &format!("{}/t/", lake.display()));
    let stored = |version: u32| {
        let path = root.path().join(format!("catalog/lake/raw_t/{version:06}.json"));
        fs::read_to_string(path).expect("the version")
    };
    // As an older program noted it; the next crawl mends that, once.
    catalog(&root.path().join("catalog")).put(&table).expect("written");
    assert!(stored(1).contains(&format!("{}/t/", lake.display())), "{}", stored(1));
    for _ in 0..2 {
        let put = catalog(&root.path().join("catalog")).over(&lake).put(&table).expect("written");
        assert_eq!((put.version.as_deref(), put.location.as_deref()), (Some("2"), table.location.as_deref()));
    }
    assert!(stored(2).contains("${lake}/t/") && !stored(2).contains(&*lake.to_string_lossy()), "{}", stored(2));
}

#[tokio::test]
async fn a_crawl_survives_the_catalog() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = catalog(root.path());
    let mut lake = Lake::new();
    lake.add("j/day=1/a.json", b"{\"Email Address\":null,\"o\":{\"X y\":[1.5]}}\n");
    lake.add("c/a.csv", b"id;name;\n1;x;\n");
    lake.add("p/a.parquet", &super::parquet::parquet("required int64 id; optional int32 d (DECIMAL(9,2));"));
    let crawled = lake.crawl();
    assert_eq!(crawled.problems, []);
    for table in &crawled.tables {
        catalog.put(table).expect("written");
        let again = catalog.put(table).expect("the same");
        assert_eq!(again.version.as_deref(), Some("1"));
    }
    let read = catalog.tables("raw_").await.expect("listed");
    let without_version = |table: Table| Table { version: None, ..table };
    assert_eq!(read.into_iter().map(without_version).collect::<Vec<_>>(), crawled.tables);
}

#[test]
fn of_two_writers_one_wins() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = catalog(root.path());
    let writers = 8;
    let start = Barrier::new(writers);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let write = |writer: usize| {
            let (catalog, start) = (&catalog, &start);
            scope.spawn(move || {
                start.wait();
                catalog.put(&a_table("raw_t", &format!("data/{writer}/")))
            })
        };
        let handles: Vec<_> = (0..writers).map(write).collect();
        handles.into_iter().map(|handle| handle.join().expect("no panic")).collect()
    });
    // Each version has one writer; the others were refused and wrote nothing.
    let mut written: Vec<_> = outcomes.iter().flatten().filter_map(|table| table.version.clone()).collect();
    written.sort();
    let expected: Vec<_> = (1..=written.len()).map(|version| version.to_string()).collect();
    assert_eq!(written, expected);
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(refused.clone().all(|error| error.kind == PortErrorKind::Conflict));
    assert_eq!(refused.count() + written.len(), writers);
    assert_eq!(fs::read_dir(root.path().join("lake/raw_t")).expect("the table's folder").count(), written.len());
}

#[tokio::test]
async fn what_cannot_be_read_is_never_absent() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = catalog(root.path());
    for name in ["raw_a", "raw_b", "raw_c"] {
        catalog.put(&a_table(name, "data/")).expect("written");
    }
    fs::write(root.path().join("lake/raw_a/000002.json"), "{\"Name\":").expect("written");
    fs::write(root.path().join("lake/raw_c/000002.json"), b"\xff").expect("written");
    let error = catalog.table("raw_a").await.expect_err("broken");
    assert_eq!(error.kind, PortErrorKind::Invalid);
    assert!(error.to_string().contains("000002.json"), "{error}");
    let error = catalog.tables("raw_").await.expect_err("two are broken");
    assert_eq!(error.kind, PortErrorKind::Invalid);
    assert!(error.to_string().contains("raw_a") && error.to_string().contains("raw_c"), "{error}");
    assert_eq!(catalog.tables("raw_b").await.expect("sound").len(), 1);
    let error = catalog.put(&a_table("raw_a", "data/")).expect_err("the current version is broken");
    assert_eq!(error.kind, PortErrorKind::Invalid);
}

#[tokio::test]
async fn a_name_does_not_leave_the_folder() {
    let root = tempfile::tempdir().expect("a folder");
    let catalog = catalog(&root.path().join("catalog"));
    fs::create_dir_all(root.path().join("outside")).expect("a folder");
    for name in ["", ".", "..", "../../outside", "a/b", "a\\b", ".hidden", "a\0b", "/etc"] {
        let kinds = [
            catalog.put(&a_table(name, "data/")).expect_err("refused").kind,
            catalog.table(name).await.expect_err("refused").kind,
            catalog.forget(name).await.expect_err("refused").kind,
        ];
        assert_eq!(kinds, [PortErrorKind::Invalid; 3], "{name:?}");
    }
    let escaped = FilesCatalog::new(root.path().join("catalog"), "..");
    assert_eq!(escaped.tables("").await.expect_err("refused").kind, PortErrorKind::Invalid);
    assert!(root.path().join("outside").exists());
}
