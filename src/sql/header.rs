//! The comment block on top of a model.

use super::Materialization;
use crate::problem::Problem;

/// What the block says; the defaults where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub materialization: Materialization,
    pub partitioned_by: Vec<String>,
    pub primary_key: Vec<String>,
    pub carries_additions: bool,
    /// Bytes of the text that the block takes, 0 if there is none.
    pub length: usize,
}

const KEYS: [&str; 4] = ["materialized", "partitioned_by", "primary_key", "additions"];

impl Header {
    /// Reads the block; problems are added to `problems`.
    pub fn read(file: &str, text: &str, problems: &mut Vec<Problem>) -> Self {
        let mut header = Self {
            materialization: Materialization::Table,
            partitioned_by: Vec::new(),
            primary_key: Vec::new(),
            carries_additions: false,
            length: 0,
        };
        if text.starts_with('\u{feff}') {
            problems.push(Problem::new(file, "1:1", "a byte order mark", "save the file as UTF-8 without one"));
        }
        let Some(start) = start(text) else { return header };
        let Some(end) = text[start..].find("*/").map(|length| start + length) else {
            problems.push(Problem::new(file, "1:1", "the header block does not end", "close it with `*/`"));
            return header;
        };
        header.length = end + 2;
        let mut seen: Vec<&str> = Vec::new();
        let first_line = text[..start].matches('\n').count() + 1;
        for (line_number, line) in (first_line..).zip(text[start..end].lines()) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let mut problem = |message: String, help: &str| {
                problems.push(Problem::new(file, format!("line {line_number}"), message, help));
            };
            let Some((key, value)) = line.split_once(':').map(|(key, value)| (key.trim(), value.trim())) else {
                problem(format!("`{line}` is not `key: value`"), "write one `key: value` a line");
                continue;
            };
            if seen.contains(&key) {
                problem(format!("`{key}` is given twice"), "keep one of the two");
            }
            seen.push(key);
            if let Err((message, help)) = header.set(key, value) {
                problem(message, &help);
            }
        }
        header
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), (String, String)> {
        let one_of = |choices: &str| (format!("`{key}` is `{value}`"), format!("write {choices}"));
        match key {
            "materialized" => {
                self.materialization = match value {
                    "table" => Materialization::Table,
                    "iceberg" => Materialization::Iceberg,
                    _ => return Err(one_of("`table` or `iceberg`")),
                }
            }
            "additions" => {
                self.carries_additions = match value {
                    "carry" => true,
                    "ignore" => false,
                    _ => return Err(one_of("`carry` or `ignore`")),
                }
            }
            "partitioned_by" => self.partitioned_by = names(key, value)?,
            "primary_key" => self.primary_key = names(key, value)?,
            _ => return Err((format!("unknown key `{key}`"), format!("use one of {}", KEYS.join(", ")))),
        }
        Ok(())
    }
}

/// Where the block gives a key: `line 3`.
pub(super) fn place_of(text: &str, key: &str) -> String {
    let is_key = |line: &str| line.split_once(':').is_some_and(|(name, _)| name.trim() == key);
    let found = text.lines().position(is_key);
    found.map_or_else(String::new, |index| format!("line {}", index + 1))
}

fn names(key: &str, value: &str) -> Result<Vec<String>, (String, String)> {
    let names: Vec<String> = value.split(',').map(|name| name.trim().trim_matches('"').to_lowercase()).collect();
    if names.iter().any(String::is_empty) {
        return Err((format!("`{key}` has an empty name"), "list column names with commas between".to_owned()));
    }
    let repeated = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    match repeated {
        Some((_, name)) => Err((format!("`{key}` names `{name}` twice"), "name each column once".to_owned())),
        None => Ok(names),
    }
}

/// The byte after the block's word `crawlguard`, if the text starts with such a block.
fn start(text: &str) -> Option<usize> {
    let inside = text.trim_start().strip_prefix("/*")?;
    let rest = inside.trim_start().strip_prefix("crawlguard")?;
    rest.starts_with(|c: char| c.is_whitespace() || c == '*').then_some(text.len() - rest.len())
}
