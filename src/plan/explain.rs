//! A plan in words.

use std::fmt::Write;

use super::{Action, Plan};

/// One line a step, numbered as they may run, with what each waits for.
pub fn explain(plan: &Plan) -> String {
    let mut text = format!("run {} (slot {})\n", plan.run_id, plan.slot);
    for (index, step) in plan.steps.iter().enumerate() {
        let what = match &step.action {
            Action::Build { staging, partitioned_by, .. } if partitioned_by.is_empty() => format!("into {staging}"),
            Action::Build { staging, partitioned_by, .. } => {
                format!("into {staging}, partitioned by {}", partitioned_by.join(", "))
            }
            Action::Check { checks, columns, .. } => {
                let types = (!columns.is_empty()).then_some("column types");
                let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).chain(types).collect();
                if names.is_empty() { "not empty".into() } else { names.join(", ") }
            }
            Action::Publish { tables } => {
                let names: Vec<_> = tables.iter().map(|(table, _)| table.as_str()).collect();
                names.join(", ")
            }
        };
        let all = step.after.len() == index && index > 0;
        let waits: Vec<_> = step.after.iter().map(|after| (after + 1).to_string()).collect();
        let after = match waits.len() {
            0 => String::new(),
            _ if all => "  (after all)".into(),
            _ => format!("  (after {})", waits.join(", ")),
        };
        writeln!(text, "{:>3}. {}: {what}{after}", index + 1, step.name).expect("a String takes all");
    }
    text
}
