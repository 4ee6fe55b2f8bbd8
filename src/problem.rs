//! What is wrong with an input, where, and how to mend it.

use std::fmt;

use serde::Serialize;

/// One thing wrong with something a person wrote or a file that arrived.
///
/// Readers collect every problem before they give up, so that one look mends them all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file, as the user would type it; or a table or event where there is no file.
    pub file: String,
    /// The place inside: `3:14`, `schema[0].properties[2]`, `line 7`. Empty for the whole file.
    pub place: String,
    /// What is wrong: a lowercase fragment, no full stop.
    pub message: String,
    /// What to do about it: imperative and short. Empty only where nothing can be advised.
    pub help: String,
}

impl Problem {
    pub fn new(
        file: impl Into<String>,
        place: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), place: place.into(), message: message.into(), help: help.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if !self.place.is_empty() {
            write!(f, ":{}", self.place)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

/// Every problem found in one reading; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `Ok(value)` if nothing was found, else the problems in a fixed order.
    pub fn or<T>(mut found: Vec<Problem>, value: T) -> Result<T, Self> {
        if found.is_empty() {
            return Ok(value);
        }
        found.sort();
        Err(Self(found))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// A word of a command that help names, as a POSIX shell takes it whole.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
