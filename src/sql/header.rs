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
        let Some((start, end)) = block(text) else { return header };
        header.length = end;
        let mut seen: Vec<&str> = Vec::new();
        let first_line = text[..start].matches('\n').count() + 1;
        for (line_number, line) in (first_line..).zip(text[start..end - 2].lines()) {
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

/// The bytes after the word `crawlguard`, and the end of the block.
fn block(text: &str) -> Option<(usize, usize)> {
    let comment = text.len() - text.trim_start().len();
    let inner = text[comment..].strip_prefix("/*")?;
    let inner_start = comment + 2;
    let word = inner_start + (inner.len() - inner.trim_start().len());
    let rest = text[word..].strip_prefix("crawlguard")?;
    if !rest.starts_with(|c: char| c.is_whitespace() || c == '*') {
        return None;
    }
    let end = inner_start + inner.find("*/")? + 2;
    let start = word + "crawlguard".len();
    Some((start, end))
}
