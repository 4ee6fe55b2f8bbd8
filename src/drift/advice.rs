//! What to do about a finding: mend what changed, or accept it.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::shell_word;

/// A rule's words for both ways. Which of them are open is known only once all of a table's findings are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Imperative, without a full stop: what makes the promise true again; empty if nothing has to be undone.
    mend: String,
    /// Imperative: what has to be done before the change is accepted; empty if nothing.
    first: String,
    /// What accepting does, as it follows the command: `to accept the change`; `None` if no update accepts it.
    accept: Option<String>,
}

impl Advice {
    /// Advice about what no update accepts.
    pub fn mend(mend: impl Into<String>) -> Self {
        Self { mend: mend.into(), first: String::new(), accept: None }
    }

    /// This, or the command that accepts.
    pub fn or_accept(self, to: impl Into<String>) -> Self {
        Self { accept: Some(to.into()), ..self }
    }

    /// Accepting has to wait until something is done.
    pub fn after(self, first: impl Into<String>) -> Self {
        Self { first: first.into(), ..self }
    }

    /// The advice as sentences, as far as `way` lets the table's drift be accepted.
    pub(super) fn words(&self, table: &str, way: &Way) -> String {
        let Some(to) = &self.accept else { return sentence(&self.mend) };
        let later = match way {
            Way::Shut(why) => return sentence(&joined("; ", [&self.mend, why])),
            Way::After(first) => first.as_str(),
            Way::Open => "",
        };
        let update = format!("run `{}` {to}", update(table));
        match joined(", ", [&self.first, later]) {
            first if first.is_empty() => sentence(&joined(", or ", [&self.mend, &update])),
            first => sentence(&joined("; or ", [&self.mend, &format!("{first}, then {update}")])),
        }
    }
}

/// Whether `contracts update` takes in what changed of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Once this is done: imperative.
    After(String),
    /// Not as things stand: why, as a clause.
    Shut(String),
}

/// What is known of accepting the drift of tables, beyond what the rules say; open where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ways {
    pub tables: BTreeMap<String, Way>,
    /// Renames (table, old name) that no update accepts, however likely they are.
    pub no_renames: BTreeSet<(String, String)>,
    /// The models whose own texts name a column that the newest files lack (table, column).
    pub namers: BTreeMap<(String, String), Vec<String>>,
}

impl Ways {
    pub(super) fn of(&self, table: &str) -> Way {
        self.tables.get(table).cloned().unwrap_or(Way::Open)
    }

    /// True if the rules' own words say it all: nothing stands in the way of any acceptance, and no model is to be named.
    pub fn add_nothing(&self) -> bool {
        self.tables.values().all(|way| *way == Way::Open) && self.no_renames.is_empty() && self.namers.is_empty()
    }
}

/// The command that accepts what the catalog shows of a table, ready to paste.
pub(super) fn update(table: &str) -> String {
    format!("crawlguard contracts update {}", shell_word(table))
}

fn joined(by: &str, parts: [&str; 2]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(by)
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_update_only_where_it_leads_somewhere() {
        let advice = Advice::mend("Restore it").or_accept("to accept it");
        let shut = Way::Shut("no update accepts it".to_owned());
        let after = Way::After("mend sql/a.sql".to_owned());
        let command = "`crawlguard contracts update raw_a` to accept it.";
        let cases = [
            (advice.clone(), Way::Open, format!("Restore it, or run {command}")),
            (advice.clone(), after.clone(), format!("Restore it; or mend sql/a.sql, then run {command}")),
            (advice.clone(), shut.clone(), "Restore it; no update accepts it.".to_owned()),
            (advice.after("look"), after, format!("Restore it; or look, mend sql/a.sql, then run {command}")),
            (Advice::mend("").or_accept("to accept it"), Way::Open, format!("Run {command}")),
            (Advice::mend("").or_accept("to accept it"), shut, "No update accepts it.".to_owned()),
            (Advice::mend("Restore it"), Way::Open, "Restore it.".to_owned()),
        ];
        for (advice, way, expected) in cases {
            assert_eq!(advice.words("raw_a", &way), expected);
        }
    }
}
