//! Findings and the verdict they add up to.

use serde::{Deserialize, Serialize};

use super::{AcceptedBy, Change, Decode, Rule};
use crate::sql::Reader;

/// How grave a finding is. The order makes a verdict a maximum; unknown is the gravest: there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Tolerated,
    Breaking,
    Unknown,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tolerated => "tolerated",
            Self::Breaking => "breaking",
            Self::Unknown => "unknown",
        })
    }
}

/// The answer to "may this build go on?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[must_use]
pub enum Verdict {
    Clean,
    Tolerated,
    Breaking,
    Unknown,
}

impl Verdict {
    pub fn of(findings: &[Finding]) -> Self {
        findings.iter().map(|finding| finding.level).max().map_or(Self::Clean, |level| match level {
            Level::Tolerated => Self::Tolerated,
            Level::Breaking => Self::Breaking,
            Level::Unknown => Self::Unknown,
        })
    }
}

/// One judged fact: the JSON of `check` and `diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub level: Level,
    pub table: String,
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub decode: Decode,
    pub models: Vec<Reader>,
    /// A sentence: what changed, both sides, what it means downstream.
    pub message: String,
    /// Imperative and short.
    pub help: String,
}

impl Finding {
    /// True if this is what was found of `change`.
    pub fn is_of(&self, change: &Change) -> bool {
        self.table == change.table
            && self.path == change.path
            && self.before == change.before
            && self.after == change.after
    }

    /// What was found and how it was judged, without who reads it and in which words.
    pub fn judged_fact(&self) -> (&str, &str, Option<&str>, Option<&str>, Level, Decode) {
        (&self.rule, &self.path, self.before.as_deref(), self.after.as_deref(), self.level, self.decode)
    }

    /// True if the source itself is gone: there is no schema to accept, but its contract can be retired.
    pub fn is_gone(&self) -> bool {
        self.accepted_by() == AcceptedBy::Retirement
    }

    /// True if `contracts update` can make the contract say what was found; else only the source or the catalog helps.
    pub fn is_acceptable(&self) -> bool {
        match self.accepted_by() {
            AcceptedBy::Update => true,
            // What a policy tolerates stands in nobody's way.
            AcceptedBy::Never => self.level == Level::Tolerated,
            AcceptedBy::Retirement => self.models.is_empty(),
            AcceptedBy::OfTable => self.path.is_empty(),
            AcceptedBy::OfColumn => !self.path.is_empty(),
        }
    }

    fn accepted_by(&self) -> AcceptedBy {
        Rule::by_id(&self.rule).map_or(AcceptedBy::Never, |rule| rule.accepted_by)
    }
}
