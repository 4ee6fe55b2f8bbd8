//! `rules` and `explain`, from the one list.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::json;

use super::args::Globals;
use super::{exit, print};
use crate::drift::RULES;
use crate::report::human;

pub fn rules(globals: &Globals) -> anyhow::Result<ExitCode> {
    let rows = || {
        RULES.iter().map(|rule| json!({"rule": rule.id, "summary": rule.summary, "level_read": rule.level_read, "level_unread": rule.level_unread}))
    };
    print(globals, || json!({"schema_version": 1, "rules": rows().collect::<Vec<_>>()}), || human::rules(RULES))?;
    Ok(ExitCode::from(exit::CLEAN))
}

pub fn explain(id: &str) -> anyhow::Result<ExitCode> {
    let Some(rule) = RULES.iter().find(|rule| rule.id == id) else {
        bail!("no rule `{id}`; `crawlguard rules` lists them");
    };
    println_result(&format!("# {}\n\n{}\n\n{}\n", rule.id, rule.summary, rule.docs.trim()))?;
    Ok(ExitCode::from(exit::CLEAN))
}

fn println_result(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    anstream::stdout().write_all(text.as_bytes())
}
