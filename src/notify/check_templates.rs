//! A project's templates tried out before an alert needs them.

use std::collections::BTreeMap;

use serde_json::json;

use super::render;
use crate::checks::{CheckResult, CheckStatus};
use crate::drift::{Decode, Finding, Level};
use crate::plan::{Alert, AlertKind, Told};
use crate::problem::Problems;
use crate::sql::Reader;

const KINDS: [AlertKind; 4] = [AlertKind::Breaking, AlertKind::ChecksFailed, AlertKind::Error, AlertKind::Resolved];

/// Every problem of `templates` (file name → text), found with a full and an empty alert of each kind.
pub fn check_templates(templates: &[(String, String)]) -> Result<(), Problems> {
    let mut found = Vec::new();
    for kind in KINDS {
        for alert in [full(kind), empty(kind)] {
            if let Err(Problems(problems)) = render(&alert, templates) {
                found.extend(problems);
            }
        }
    }
    found.sort();
    found.dedup();
    Problems::or(found, ())
}

fn empty(kind: AlertKind) -> Alert {
    Alert {
        kind,
        run_id: "run".to_owned(),
        slot: "2026-01-02T03:04:05Z".to_owned(),
        project: "project".to_owned(),
        target: "local".to_owned(),
        findings: Vec::new(),
        checks: Vec::new(),
        error: None,
        shown: BTreeMap::new(),
        crawl_age_days: None,
        accept: Vec::new(),
        details: "crawlguard --target local runs run".to_owned(),
        fingerprint: String::new(),
        resolves: None,
    }
}

fn full(kind: AlertKind) -> Alert {
    let finding = |level, decode| Finding {
        rule: "column-removed".to_owned(),
        level,
        table: "raw_orders".to_owned(),
        path: "id".to_owned(),
        before: Some("string".to_owned()),
        after: None,
        decode,
        models: vec![Reader { model: "int_orders".to_owned(), columns: vec!["id".to_owned()] }],
        message: "Column `id` is gone.".to_owned(),
        help: "Restore it.".to_owned(),
    };
    let check = |status, measured| CheckResult {
        table: "int_orders".to_owned(),
        check: "moved rows".to_owned(),
        column: Some("id".to_owned()),
        status,
        measured,
        bound: json!("no row lost"),
    };
    Alert {
        findings: vec![
            finding(Level::Breaking, Decode::Unsafe),
            finding(Level::Unknown, Decode::Unknown),
            finding(Level::Tolerated, Decode::Safe),
        ],
        checks: vec![
            check(CheckStatus::Fail, json!({ "in_place": 2, "lost": 1 })),
            check(CheckStatus::Inconclusive, json!(null)),
        ],
        error: Some("read table `raw_orders`: access denied".to_owned()),
        shown: [("int_orders".to_owned(), Some("run".to_owned())), ("fact_cities".to_owned(), None)].into(),
        crawl_age_days: Some(3),
        accept: vec!["crawlguard contracts update raw_orders".to_owned()],
        resolves: Some(Told {
            kind: AlertKind::Breaking,
            fingerprint: "0123456789abcdef".to_owned(),
            run_id: "run".to_owned(),
            slot: "2026-01-01T03:04:05Z".to_owned(),
        }),
        ..empty(kind)
    }
}
