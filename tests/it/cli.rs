//! The real binary: exit codes, stdout, stderr.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use crawlguard::plan::asking;
use serde_json::Value;

use crate::support::Lake;

mod accept;
mod again;
mod asked;
mod commands;
mod diff;
mod doctor;
mod documented;
mod elsewhere;
mod errors;
mod expected;
mod library;
mod newest;
mod offers;
mod rollback;
mod sources;
mod using;

fn crawlguard(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crawlguard"))
        .arg0("crawlguard")
        .current_dir(root)
        .env_remove("CRAWLGUARD_LOG")
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// Runs, demands the exit code, and returns stdout.
#[track_caller]
fn expect(root: &Path, code: i32, arguments: &[&str]) -> String {
    let output = crawlguard(root, arguments);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\nstdout: {stdout}\nstderr: {stderr}");
    stdout
}

#[track_caller]
fn json(root: &Path, code: i32, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--format", "json"]).collect();
    let text = expect(root, code, &arguments);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{text}"))
}

/// Runs, demands exit code 2, and returns stderr.
#[track_caller]
fn refused(root: &Path, arguments: &[&str]) -> String {
    let output = crawlguard(root, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}: a refusal has no result");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a printed line in a shell, as a user pastes it who has the program in the path.
fn paste(root: &Path, line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_crawlguard")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Command::new("sh").current_dir(root).env("PATH", path).args(["-c", line]).output().unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

const RENAMED: &str = "{\"Id\":1,\"City\":\"Rome\"}\n";

/// Every file under a folder.
fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}
