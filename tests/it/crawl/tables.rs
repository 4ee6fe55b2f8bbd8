//! Which folders become which tables.

use super::lake::Lake;

const RECORD: &[u8] = b"{\"a\":1}\n";

#[test]
fn each_folder_is_a_table_named_as_glue_names_it() {
    let mut lake = Lake::new();
    for folder in ["Source_1", "salesforce-leads", "étoile 2024"] {
        lake.add(&format!("{folder}/a.json"), RECORD);
    }
    std::fs::create_dir_all(lake.path().join("empty/deep")).expect("a folder");
    lake.add("_staging/a.json", b"broken");
    lake.add(".hidden/a.json", b"broken");
    lake.add("README.md", b"about the lake");
    let crawl = lake.crawl();
    let messages: Vec<_> = crawl.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["the folder holds no data file"]);
    let names: Vec<_> = crawl.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["raw__toile_2024", "raw_salesforce_leads", "raw_source_1"]);
}

#[test]
fn folders_below_are_partitions_and_hidden_files_are_none() {
    let mut lake = Lake::new();
    lake.add("t/year=2024/05/a.json", RECORD);
    lake.add("t/year=2025/06/b.json", RECORD);
    lake.add("t/year=2025/06/_SUCCESS", b"");
    lake.add("t/_temporary/x.json", b"broken");
    lake.add("t/year=2025/06/.b.json.crc", b"\0\0");
    let table = lake.table();
    let keys: Vec<_> = table.partition_keys.iter().map(|key| format!("{} {}", key.name, key.data_type)).collect();
    assert_eq!(keys, ["year string", "partition_1 string"]);
    assert_eq!(table.parameters["objectCount"], "2");
}

#[test]
fn a_table_left_out_leaves_the_others_in() {
    let mut lake = Lake::new();
    lake.add("bad/a.json", b"{\"a\":\n");
    lake.add("good/a.json", RECORD);
    lake.add("worse/a.json", b"[]");
    let crawl = lake.crawl();
    assert_eq!(crawl.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["raw_good"]);
    assert_eq!(crawl.problems.len(), 2);
}

#[test]
fn a_crawl_repeated_gives_the_same() {
    let mut lake = Lake::new();
    for table in 0..40 {
        lake.add(&format!("t{table}/a.json"), format!("{{\"c{table}\":1}}").as_bytes());
        lake.add(&format!("t{table}/b.csv"), b"x");
    }
    let (first, second) = (lake.crawl(), lake.crawl());
    assert_eq!(first.tables, second.tables);
    assert_eq!(first.problems, second.problems);
    assert!(!first.problems.is_empty());
}
