//! What every catalog adapter does. Run it on each.

use crawlguard::catalog::Catalog;
use crawlguard::port::PortErrorKind;
use crawlguard::schema::{Column, DataType, Storage, Table};

/// Puts a table into the catalog the way a crawl or a CTAS would.
pub type Create<'a> = &'a (dyn Fn(&Table) + Sync);

/// A table as a CTAS leaves it.
pub fn a_table(name: &str, location: &str) -> Table {
    Table {
        database: "lake".to_owned(),
        name: name.to_owned(),
        columns: vec![Column::new("id", DataType::BigInt), Column::new("email address", DataType::String)],
        partition_keys: vec![Column::new("day", DataType::String)],
        storage: Storage {
            classification: Some("parquet".to_owned()),
            serde: Some(Storage::PARQUET.to_owned()),
            ..Storage::default()
        },
        location: Some(location.to_owned()),
        parameters: [("classification".to_owned(), "parquet".to_owned())].into(),
        ..Table::default()
    }
}

/// The behaviour of the port. The catalog is empty at the start.
pub async fn catalog_suite(catalog: &dyn Catalog, create: Create<'_>) {
    an_empty_catalog_holds_nothing(catalog).await;
    tables_are_listed_by_prefix_and_name(catalog, create).await;
    a_swap_publishes_and_keeps_the_version_before(catalog, create).await;
    a_swap_from_another_version_is_a_conflict(catalog, create).await;
    a_restored_version_is_a_new_one(catalog).await;
    a_forgotten_table_is_gone(catalog).await;
}

async fn an_empty_catalog_holds_nothing(catalog: &dyn Catalog) {
    assert_eq!(catalog.tables("").await.expect("listed"), []);
    assert_eq!(catalog.table("absent").await.expect("read"), None);
    assert_eq!(catalog.versions("absent").await.expect("listed"), []);
    catalog.forget("absent").await.expect("absent is fine");
    let error = catalog.swap("fact", "absent", None, &[]).await.expect_err("no staging");
    assert_eq!(error.kind, PortErrorKind::NotFound);
    let error = catalog.restore("absent", "1", &[]).await.expect_err("no table");
    assert_eq!(error.kind, PortErrorKind::NotFound);
}

async fn tables_are_listed_by_prefix_and_name(catalog: &dyn Catalog, create: Create<'_>) {
    for name in ["raw_b", "raw_a", "other"] {
        create(&a_table(name, &format!("s3://lake/{name}/")));
    }
    let raw = catalog.tables("raw_").await.expect("listed");
    assert_eq!(raw.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["raw_a", "raw_b"]);
    let read = catalog.table("raw_a").await.expect("read").expect("there");
    assert_eq!(read, raw[0]);
    let expected = a_table("raw_a", "s3://lake/raw_a/");
    assert_eq!(
        (read.columns, read.partition_keys, read.location),
        (expected.columns, expected.partition_keys, expected.location)
    );
    assert!(read.version.is_some());
}

async fn a_swap_publishes_and_keeps_the_version_before(catalog: &dyn Catalog, create: Create<'_>) {
    create(&a_table("stg_fact_1", "s3://lake/fact/run=1/"));
    let run = |id: &str| [("crawlguard.run".to_owned(), id.to_owned())];
    let first = catalog.swap("fact", "stg_fact_1", None, &run("1")).await.expect("published");
    assert_eq!((first.name.as_str(), first.location.as_deref()), ("fact", Some("s3://lake/fact/run=1/")));
    assert_eq!(first.parameters["crawlguard.run"], "1");
    assert_eq!(catalog.table("fact").await.expect("read"), Some(first.clone()));

    // Repeated after it took effect: nothing changes, whatever version is expected.
    for expected in [None, first.version.as_deref()] {
        let again = catalog.swap("fact", "stg_fact_1", expected, &run("1")).await.expect("done already");
        assert_eq!(again, first);
    }
    assert_eq!(catalog.versions("fact").await.expect("listed").len(), 1);

    create(&Table {
        columns: vec![Column::new("id", DataType::Int)],
        ..a_table("stg_fact_2", "s3://lake/fact/run=2/")
    });
    let second = catalog.swap("fact", "stg_fact_2", first.version.as_deref(), &run("2")).await.expect("published");
    assert_eq!(second.columns.len(), 1);
    assert_eq!(second.parameters["crawlguard.run"], "2");
    assert_eq!(catalog.versions("fact").await.expect("listed"), [second, first]);
}

async fn a_swap_from_another_version_is_a_conflict(catalog: &dyn Catalog, create: Create<'_>) {
    create(&a_table("stg_fact_3", "s3://lake/fact/run=3/"));
    let before = catalog.versions("fact").await.expect("listed");
    for expected in [None, before[1].version.as_deref(), Some("999")] {
        let error = catalog.swap("fact", "stg_fact_3", expected, &[]).await.expect_err("another version");
        assert_eq!(error.kind, PortErrorKind::Conflict);
    }
    let error = catalog.swap("new", "stg_fact_3", Some("1"), &[]).await.expect_err("the target does not exist");
    assert_eq!(error.kind, PortErrorKind::Conflict);
    assert_eq!(catalog.versions("fact").await.expect("listed"), before);
    assert_eq!(catalog.table("new").await.expect("read"), None);
}

async fn a_restored_version_is_a_new_one(catalog: &dyn Catalog) {
    let before = catalog.versions("fact").await.expect("listed");
    let [second, first] = before.as_slice() else { panic!("two versions") };
    let mark = [("crawlguard.restored".to_owned(), "1".to_owned())];
    let number = first.version.as_deref().expect("a version");
    let restored = catalog.restore("fact", number, &mark).await.expect("restored");
    let mut marked = first.clone();
    marked.parameters.extend(mark);
    assert_eq!(Table { version: first.version.clone(), ..restored.clone() }, marked);
    assert_eq!(catalog.table("fact").await.expect("read"), Some(restored.clone()));
    assert_eq!(catalog.versions("fact").await.expect("listed"), [restored.clone(), second.clone(), first.clone()]);
    let error = catalog.restore("fact", "999", &[]).await.expect_err("no such version");
    assert_eq!(error.kind, PortErrorKind::NotFound);
    let published = catalog.swap("fact", "stg_fact_3", restored.version.as_deref(), &[]).await.expect("published");
    assert_eq!(published.parameters.get("crawlguard.restored"), None, "it is a build of its own");
}

async fn a_forgotten_table_is_gone(catalog: &dyn Catalog) {
    catalog.forget("fact").await.expect("forgotten");
    catalog.forget("fact").await.expect("absent is fine");
    assert_eq!(catalog.table("fact").await.expect("read"), None);
    assert_eq!(catalog.versions("fact").await.expect("listed"), []);
    assert!(catalog.table("stg_fact_3").await.expect("read").is_some(), "others stay");
}
