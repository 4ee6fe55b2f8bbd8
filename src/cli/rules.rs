//! `rules` and `explain`, from the one list.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Globals;
use super::{exit, print};
use crate::drift::{RULES, Rule};
use crate::problem::{Problem, Problems, closest};
use crate::report::human;

pub fn rules(globals: &Globals) -> anyhow::Result<ExitCode> {
    let rows = || {
        RULES.iter().map(|rule| json!({"rule": rule.id, "summary": rule.summary, "level_read": rule.level_read, "level_unread": rule.level_unread}))
    };
    print(globals, || json!({"schema_version": 1, "rules": rows().collect::<Vec<_>>()}), || human::rules(RULES))?;
    Ok(ExitCode::from(exit::CLEAN))
}

pub fn explain(globals: &Globals, id: &str) -> anyhow::Result<ExitCode> {
    let Some(rule) = Rule::by_id(id) else {
        let help = match closest(id, RULES.iter().map(|rule| rule.id)) {
            Some(known) => format!("Did you mean `{known}`? `crawlguard rules` lists them all."),
            None => "`crawlguard rules` lists them.".to_owned(),
        };
        return Err(Problems::from(Problem::new("", "", format!("no rule `{id}`"), help)).into());
    };
    let page = || format!("# {}\n\n{}\n\n{}\n", rule.id, rule.summary, rule.docs.trim());
    print(globals, || page_as_json(rule), page)?;
    Ok(ExitCode::from(exit::CLEAN))
}

/// The rule, and each section of its page under its heading in snake_case: `what_it_does`, `example`, ….
fn page_as_json(rule: &Rule) -> Value {
    let mut value = json!({"schema_version": 1, "rule": rule.id, "summary": rule.summary, "level_read": rule.level_read, "level_unread": rule.level_unread});
    for section in rule.docs.split("## ").filter(|section| !section.trim().is_empty()) {
        let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
        value[heading.trim().to_lowercase().replace(' ', "_")] = text.trim().into();
    }
    value
}
