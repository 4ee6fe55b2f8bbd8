//! The figures of docs/performance.md, as ratios within one run: `cargo bench --bench ratios`.
//!
//! Each line compares what crawlguard does with the plainest program that touches the same bytes, on this machine, now.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crawlguard::catalog::crawl::crawl;
use crawlguard::catalog::glue_json;
use crawlguard::contract::Document;
use crawlguard::drift::{diff, judge};
use crawlguard::schema::{Column, DataType, Storage, Table};

const ROUNDS: usize = 5;
/// Of each of four sources: enough for the engine to have something to do.
const ROWS: usize = 2_000_000;

fn main() {
    check_against_parsing();
    check_is_linear();
    check_memory();
    crawl_against_parsing();
    cold_start();
    run_overhead();
}

/// The median of a few rounds.
fn median(mut round: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn tables(count: usize) -> Vec<Table> {
    let columns: Vec<_> = (0..200).map(|index| Column::new(format!("column_{index}"), DataType::String)).collect();
    let storage =
        Storage { serde: Some(Storage::OPENX_JSON.into()), classification: Some("json".into()), ..Storage::default() };
    let table = |index| Table {
        name: format!("raw_{index:05}"),
        columns: columns.clone(),
        storage: storage.clone(),
        location: Some(format!("s3://example-lake/{index:05}/")),
        ..Table::default()
    };
    (0..count).map(table).collect()
}

/// Contracts and a dump as bytes: what `check --catalog` reads.
fn texts(count: usize) -> (Vec<String>, String) {
    let tables = tables(count);
    let contracts = tables.iter().map(|table| Document::for_table("contract.json", table).to_json()).collect();
    let list: Vec<_> = tables.iter().map(glue_json::to_value).collect();
    (contracts, serde_json::json!({"TableList": list}).to_string())
}

fn check(contracts: &[String], dump: &str) -> usize {
    let contracts: Vec<_> = contracts
        .iter()
        .map(|text| {
            Document::read("contract.json", text).and_then(|document| document.contract()).expect("it was written here")
        })
        .collect();
    let tables = glue_json::read("dump.json", dump).expect("it was written here");
    judge(&diff(&contracts, &tables), &contracts, None).len()
}

fn parse(contracts: &[String], dump: &str) {
    for text in contracts {
        black_box(serde_json::from_str::<serde_json::Value>(text).expect("it is JSON"));
    }
    black_box(serde_json::from_str::<serde_json::Value>(dump).expect("it is JSON"));
}

fn check_against_parsing() {
    let (contracts, dump) = texts(10_000);
    let checked = median(|| assert_eq!(black_box(check(&contracts, &dump)), 0));
    let parsed = median(|| parse(&contracts, &dump));
    let ratio = checked.as_secs_f64() / parsed.as_secs_f64();
    println!("check, 10,000 tables × 200 columns: {ratio:.2} × serde_json::Value on the same bytes (at most 2)");
}

fn check_is_linear() {
    let one = texts(2_500);
    let four = texts(10_000);
    let small = median(|| assert_eq!(black_box(check(&one.0, &one.1)), 0));
    let large = median(|| assert_eq!(black_box(check(&four.0, &four.1)), 0));
    let [parsed_small, parsed_large] = [&one, &four].map(|(contracts, dump)| median(|| parse(contracts, dump)));
    let times = |large: Duration, small: Duration| large.as_secs_f64() / small.as_secs_f64();
    let (checked, parsed) = (times(large, small), times(parsed_large, parsed_small));
    println!("check, 4 × the tables: {checked:.2} × the time, where parsing the same bytes takes {parsed:.2} ×");
}

/// The program's own peak: contracts in their files, the catalog as a dump.
fn check_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (contracts, dump) = texts(10_000);
    fs::create_dir(folder.path().join("contracts")).expect("a temporary folder");
    for (index, contract) in contracts.iter().enumerate() {
        fs::write(folder.path().join(format!("contracts/{index:05}.json")), contract).expect("a temporary file");
    }
    fs::write(folder.path().join("dump.json"), dump).expect("a temporary file");
    let settings =
        "project = \"figures\"\n[targets.local]\nkind = \"local\"\nlake = \"lake\"\ndatabase = \"figures\"\n";
    fs::write(folder.path().join("crawlguard.toml"), settings).expect("a temporary file");
    drop(contracts);
    let mut program = Command::new(env!("CARGO_BIN_EXE_crawlguard"));
    let mut child = program
        .current_dir(folder.path())
        .args(["check", "--quiet", "--catalog", "dump.json"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut peak = 0;
    let ended = loop {
        peak = peak_memory(child.id()).max(peak);
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        std::thread::yield_now();
    };
    assert!(ended.success());
    println!("check, 10,000 tables × 200 columns: {peak} MB at most (at most 500)");
}

/// A process's peak so far in MB, from the kernel; 0 where there is no /proc.
fn peak_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn crawl_against_parsing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut json = String::new();
    let mut csv = String::from("id,name,amount,city,note\n");
    for row in 0..200_000 {
        writeln!(json, "{{\"id\":{row},\"name\":\"name {row}\",\"amount\":{row}.5,\"city\":\"Rome\",\"note\":null}}")
            .expect("a String takes all");
        writeln!(csv, "{row},name {row},{row}.5,Rome,").expect("a String takes all");
    }
    let (json_lake, csv_lake) = (folder.path().join("json"), folder.path().join("csv"));
    let json_file = put(&json_lake, "rows.json", &json);
    let csv_file = put(&csv_lake, "rows.csv", &csv);
    let crawled = median(|| assert_eq!(crawl(&json_lake, "d", "raw_").tables.len(), 1));
    let parsed = median(|| {
        let text = fs::read_to_string(&json_file).expect("it was written");
        for line in text.lines() {
            black_box(serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"));
        }
    });
    println!(
        "crawl, JSON: {:.2} × the speed of reading and parsing (at least 0.5)",
        parsed.as_secs_f64() / crawled.as_secs_f64()
    );
    let crawled = median(|| assert_eq!(crawl(&csv_lake, "d", "raw_").tables.len(), 1));
    let parsed = median(|| {
        let mut reader = csv::Reader::from_path(&csv_file).expect("it was written");
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).expect("it is CSV") {
            black_box(&record);
        }
    });
    println!(
        "crawl, CSV: {:.2} × the speed of reading and parsing (at least 0.5)",
        parsed.as_secs_f64() / crawled.as_secs_f64()
    );
}

fn put(lake: &Path, file: &str, text: &str) -> std::path::PathBuf {
    let folder = lake.join("rows");
    fs::create_dir_all(&folder).expect("a temporary folder");
    let path = folder.join(file);
    fs::write(&path, text).expect("a temporary file");
    path
}

fn crawlguard(root: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_crawlguard")).current_dir(root).args(arguments).output().expect("the binary runs")
}

/// A project of four tables by `init`; returns its folder.
fn project(rows: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for table in ["a", "b", "c", "d"] {
        let text: String =
            (0..rows).map(|row| format!("{{\"id\":{row},\"name\":\"name {row}\",\"city\":\"Rome\"}}\n")).collect();
        let path = folder.path().join("lake").join(table);
        fs::create_dir_all(&path).expect("a temporary folder");
        fs::write(path.join("rows.json"), text).expect("a temporary file");
    }
    let made = crawlguard(folder.path(), &["init"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn cold_start() {
    let folder = project(10);
    let start = median(|| assert!(crawlguard(folder.path(), &["check"]).status.success()));
    let nothing = median(|| assert!(crawlguard(folder.path(), &["--version"]).status.success()));
    println!(
        "cold start to verdict, 4 tables: {:.1} ms (at most 20), of which the process itself {:.1} ms",
        millis(start),
        millis(nothing)
    );
}

fn run_overhead() {
    let folder = project(ROWS);
    let start = Instant::now();
    let run = crawlguard(folder.path(), &["run", "--no-crawl", "--format", "json", "--quiet"]);
    let wall = start.elapsed();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let run: serde_json::Value = serde_json::from_slice(&run.stdout).expect("a run is JSON");
    // The engine's own time along the longest chain: a build and then its check, or the check of a source.
    let steps = run["steps"].as_array().expect("a run has steps");
    let time = |name: &str| {
        let step = steps.iter().find(|step| step["name"] == name);
        step.and_then(|step| step["millis"].as_u64()).unwrap_or_default()
    };
    let chains = ["a", "b", "c", "d"].map(|table| {
        let built = time(&format!("build int_{table}")) + time(&format!("check int_{table}"));
        built.max(time(&format!("check raw_{table}")))
    });
    let engine = chains.into_iter().max().unwrap_or_default().max(1) as f64;
    println!("run, 4 × {ROWS} rows: {:.3} × the engine's own time (at most 1.05)", millis(wall) / engine);
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
