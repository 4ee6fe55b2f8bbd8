//! The engine's library, which nothing needs that runs no SQL.

use std::fs;
use std::process::{Command, Output};

use crate::support::Lake;

#[test]
#[cfg(not(feature = "bundled"))]
fn only_what_runs_sql_needs_the_library() {
    let lake = Lake::new();
    let program = lake.path("crawlguard");
    fs::copy(env!("CARGO_BIN_EXE_crawlguard"), &program).unwrap();
    let alone = |arguments: &[&str]| -> Output {
        let mut command = Command::new(&program);
        for path in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
            command.env_remove(path);
        }
        command.current_dir(lake.root()).args(arguments).output().unwrap()
    };
    for arguments in [&["crawl"][..], &["check"], &["plan"]] {
        let output = alone(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let output = alone(&["run"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("libduckdb") && said.contains("keep the library beside the program"), "{said}");
}
