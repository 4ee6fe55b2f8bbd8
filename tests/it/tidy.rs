//! The layers hold, and the rooms stay small.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the pure core, in order: each may use only itself and those before it.
const CORE: &[&str] = &["digest", "problem", "schema", "sql", "checks", "contract", "drift", "plan"];

/// What no core module may mention.
const FORBIDDEN: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::io",
    "std::process",
    "std::time",
    "tokio",
    "async fn",
    "async_trait",
    "duckdb::",
    "aws_",
    "println!",
    "eprintln!",
    "Timestamp::now",
];

/// No source file is longer.
const LONGEST: usize = 500;

#[test]
fn the_core_does_no_io() {
    let mut offences = Vec::new();
    for module in CORE {
        for (path, text) in sources(module) {
            for word in FORBIDDEN {
                if code(&text).contains(word) {
                    offences.push(format!("{}: {word}", path.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn core_modules_use_only_what_stands_above_them() {
    let mut offences = Vec::new();
    for (rank, module) in CORE.iter().enumerate() {
        for (path, text) in sources(module) {
            for other in CORE[rank + 1..].iter().chain(SHELLS.iter().copied().flatten()) {
                if code(&text).contains(&format!("crate::{other}")) {
                    offences.push(format!("{} uses {other}", path.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// What stands around the core, innermost first; modules of one layer may use each other.
const SHELLS: [&[&str]; 8] = [
    &["port"],
    &["aws"],
    &["catalog", "engine", "notify", "store"],
    &["config"],
    &["cloud"],
    &["pipeline"],
    &["report", "sample"],
    &["cli", "lambda"],
];

#[test]
fn shells_use_only_what_they_stand_around() {
    let mut offences = Vec::new();
    for (rank, layer) in SHELLS.iter().enumerate() {
        for (path, text) in layer.iter().flat_map(|module| sources(module)) {
            for other in SHELLS[rank + 1..].iter().copied().flatten() {
                if code(&text).contains(&format!("crate::{other}")) {
                    offences.push(format!("{} uses {other}", path.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn identifiers_are_quoted_in_one_place() {
    let mut offences = Vec::new();
    for (path, text) in all_sources() {
        let quotes = code(&text).contains(r#"replace('"', "\"\"")"#);
        // A column path is shown to people and never becomes SQL.
        if quotes && !path.ends_with("sql/ident.rs") && !path.ends_with("schema/path.rs") {
            offences.push(path.display().to_string());
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn files_stay_small() {
    let long: Vec<_> = all_sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LONGEST)
        .map(|(path, text)| format!("{}: {}", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// The text up to the inline tests, without comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root.join(module), &mut found);
    let file = root.join(format!("{module}.rs"));
    if file.exists() {
        found.push((file.clone(), fs::read_to_string(&file).unwrap()));
    }
    assert!(!found.is_empty(), "no module {module}");
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}
