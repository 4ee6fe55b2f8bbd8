//! Alert → subject and body, by the templates of alerts/.

use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

use super::filters;
use crate::plan::{Alert, AlertKind};
use crate::problem::{Problem, Problems};

/// SNS takes subjects under 100 characters. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const LONGEST_SUBJECT: usize = 99;
/// A longer parenthesis is part of what is said.
const BRACKET: usize = 40;
/// SNS takes 256 KiB with attributes: this leaves room for them.
const LONGEST_BODY: usize = 200_000;
/// Instructions a template may take: built-in ones need a few thousand.
const FUEL: u64 = 1_000_000;

/// The text that stdout shows and the SNS email carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// 1–99 printable ASCII characters, the first not a space (what SNS takes).
    pub subject: String,
    pub body: String,
}

impl fmt::Display for Rendered {
    /// As a mail reads: the subject's line, an empty one, the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject: {}\n\n{}", self.subject, self.body)
    }
}

/// Renders with `templates` (file name → text, of alerts/); the built-in ones stand in for what is missing.
///
/// A template is one minijinja text: `Subject: …`, an empty line, the body. It sees the alert's fields
/// (`alerts/alert.schema.json`) and the filters of `docs/alerts.md`.
pub fn render(alert: &Alert, templates: &[(String, String)]) -> Result<Rendered, Problems> {
    let (name, built_in) = built_in(alert.kind);
    let own = templates.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str());
    let text = environment().render_named_str(name, own.unwrap_or(built_in), Serde(fields(alert)));
    let text = text.map_err(|error| Problems::from(problem(name, &error)))?.replace("\r\n", "\n");
    let Some((subject, body)) = split(&text) else {
        return Err(Problem::new(
            format!("alerts/{name}"),
            "1",
            "the text is not a `Subject: …` line, an empty line and a body",
            "start the template with `Subject: …` and an empty line",
        )
        .into());
    };
    Ok(Rendered { subject: clean_subject(subject), body: clean_body(body) })
}

/// A kind's template: its file in alerts/, and the text that stands in for it.
fn built_in(kind: AlertKind) -> (&'static str, &'static str) {
    match kind {
        AlertKind::Breaking => ("breaking.txt", include_str!("../../alerts/breaking.txt")),
        AlertKind::ChecksFailed => ("checks_failed.txt", include_str!("../../alerts/checks_failed.txt")),
        AlertKind::Error => ("error.txt", include_str!("../../alerts/error.txt")),
        AlertKind::Resolved => ("resolved.txt", include_str!("../../alerts/resolved.txt")),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    filters::add(&mut environment);
    environment
}

/// The alert as templates see it: no control characters, so that a name cannot break a line. Only an error and the help of
/// a finding have lines, and an error without a word is none.
fn fields(alert: &Alert) -> Value {
    let mut fields = serde_json::to_value(alert).expect("an alert is strings, numbers and lists");
    let error = alert.error.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let error = error.map(without_controls);
    blank_controls(&mut fields);
    fields["error"] = error.into();
    fields
}

/// The text's lines as they are, and no other control character.
fn without_controls(text: &str) -> String {
    text.replace(|char: char| char.is_control() && char != '\n', " ")
}

fn blank_controls(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(char::is_control) => *text = text.replace(char::is_control, " "),
        Value::Array(items) => items.iter_mut().for_each(blank_controls),
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| match value {
            Value::String(help) if key == "help" => *help = without_controls(help),
            value => blank_controls(value),
        }),
        _ => {}
    }
}

fn split(text: &str) -> Option<(&str, &str)> {
    let (subject, body) = text.strip_prefix("Subject:")?.split_once("\n\n")?;
    let whole = !subject.trim().is_empty() && !subject.contains('\n') && !body.trim().is_empty();
    whole.then_some((subject.trim(), body))
}

fn problem(name: &str, error: &minijinja::Error) -> Problem {
    let line = error.line().map(|line| line.to_string()).unwrap_or_default();
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    Problem::new(format!("alerts/{name}"), line, message, "mend the template, or remove it to use the built-in one")
}

fn clean_subject(text: &str) -> String {
    let printable = |char: char| if char == ' ' || char.is_ascii_graphic() { char } else { '?' };
    let mut subject: String = text.chars().map(printable).collect();
    if subject.len() > LONGEST_SUBJECT {
        subject.truncate(LONGEST_SUBJECT - 3);
        // What stands in parentheses says nothing by half.
        if let Some(open) =
            subject.rfind('(').filter(|open| !subject[*open..].contains(')') && open + BRACKET > LONGEST_SUBJECT)
        {
            subject.truncate(open);
        }
        subject.truncate(subject.trim_end().len());
        subject.push_str("...");
    }
    subject
}

fn clean_body(text: &str) -> String {
    let mut body = text.trim().to_owned();
    if body.len() > LONGEST_BODY {
        let cut = "\n... (the rest is left out)";
        body.truncate(body.floor_char_boundary(LONGEST_BODY - cut.len() - 1));
        body.push_str(cut);
    }
    body.push('\n');
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_subject_ends_before_a_parenthesis_that_it_cannot_close() {
        let long = |before: usize, after: &str| clean_subject(&format!("{}{after}", "x".repeat(before)));
        assert_eq!(long(80, " (12 models), +3 more"), format!("{} (12 models), +3...", "x".repeat(80)));
        assert_eq!(long(88, " (12 models), +3 more"), format!("{}...", "x".repeat(88)));
        assert_eq!(long(85, " (12 models)"), format!("{} (12 models)", "x".repeat(85)), "it fits");
        // All that is said stands in this one.
        let all = format!("a ({}", "y".repeat(200));
        assert_eq!(clean_subject(&all), format!("{}...", &all[..96]));
    }
}
