//! The layers hold, and the rooms stay small.

use std::collections::BTreeSet;
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
        let above: BTreeSet<&str> = CORE[rank + 1..].iter().chain(SHELLS.iter().copied().flatten()).copied().collect();
        offences.extend(uses_of(module, &above));
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
        let above: BTreeSet<&str> = SHELLS[rank + 1..].iter().copied().flatten().copied().collect();
        offences.extend(layer.iter().flat_map(|module| uses_of(module, &above)));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// The files of a module that use one of these modules.
fn uses_of(module: &str, others: &BTreeSet<&str>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for (path, text) in sources(module) {
        let here = path.strip_prefix(&root).unwrap().with_extension("");
        let here = here.to_string_lossy();
        let depth = here.trim_end_matches("/mod").split('/').count();
        let used = modules(&code(&text), depth);
        found.extend(
            used.iter().filter(|used| others.contains(used.as_str())).map(|used| format!("{here} uses {used}")),
        );
    }
    found
}

/// The modules of the crate's root that the code of a module at this depth names: by `crate::` or by `super::` up to the root,
/// in a path of its own or in the braces of a `use`.
fn modules(code: &str, depth: usize) -> BTreeSet<String> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::"].into_iter().flat_map(|start| code.match_indices(start).map(|(at, _)| at)) {
        let before = code[..start].chars().next_back();
        if before.is_none_or(|before| before != ':' && !before.is_alphanumeric() && before != '_') {
            expand(&code[start..], "", &mut paths);
        }
    }
    let of_root = |path: &String| {
        let segments: Vec<&str> = path.split("::").map(str::trim).collect();
        let ups = segments.iter().take_while(|segment| **segment == "super").count();
        let at = if segments[0] == "crate" { 1 } else { ups };
        (at > 0 && (segments[0] == "crate" || ups == depth))
            .then(|| segments.get(at).map(|it| (*it).to_owned()))
            .flatten()
    };
    paths.iter().filter_map(of_root).collect()
}

/// The paths that begin at the start of `text`, braces multiplied out; what is left of the text after them.
fn expand<'t>(text: &'t str, prefix: &str, paths: &mut Vec<String>) -> &'t str {
    let end = text.find(|sign: char| !sign.is_alphanumeric() && sign != '_' && sign != ':').unwrap_or(text.len());
    let (head, mut rest) = text.split_at(end);
    let path = format!("{prefix}{head}");
    let Some(inside) = rest.strip_prefix('{').filter(|_| head.ends_with("::")) else {
        paths.push(path);
        return rest;
    };
    rest = inside.trim_start();
    while !rest.is_empty() && !rest.starts_with('}') {
        rest = expand(rest, &path, paths);
        // What follows a name is a comma, the end, or `as` and another name.
        let next = rest.find([',', '}']).unwrap_or(rest.len());
        rest = rest[next..].trim_start_matches(',').trim_start();
    }
    rest.strip_prefix('}').unwrap_or(rest)
}

#[test]
fn a_use_is_seen_however_it_is_written() {
    let cases: [(&str, usize, &[&str]); 9] = [
        ("use crate::sql::Graph;", 2, &["sql"]),
        ("fn f(x: crate::plan::Plan) {}", 2, &["plan"]),
        ("use crate::{\n    sql::{Graph, ident::quote},\n    drift as d, plan,\n};", 2, &["drift", "plan", "sql"]),
        ("use super::super::cli::run;", 2, &["cli"]),
        ("use super::{Change, super::cli};", 2, &["cli"]),
        ("use super::{a::{b}, c};\nuse crate::sql;", 1, &["a", "c", "sql"]),
        ("use super::super::words;", 3, &[]),
        ("use super::cli;", 2, &[]),
        ("let my_crate::x = othersuper::y;", 1, &[]),
    ];
    for (code, depth, expected) in cases {
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(modules(code, depth), expected, "{code}");
    }
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
