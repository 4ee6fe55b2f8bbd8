//! Suggests which added column a removed one may have become. A suggestion only: nothing is judged by it.

use similar::TextDiff;

use super::advice::{Ways, update};
use super::{Change, ChangeKind};
use crate::problem::shell_word;
use crate::schema::path;

/// Below this a suggestion would mislead more often than help.
const WORTH_SAYING: f32 = 0.5;

/// A column that a removed one may be called now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rename {
    path: String,
    /// From 0 to 1.
    score: f32,
    reasons: Vec<&'static str>,
    /// Old and new name of a whole column that `contracts update` may take for one; none for anything else.
    names: Option<(String, String)>,
}

impl Rename {
    /// The suggestion in words, with the command that accepts it where one does.
    pub(super) fn words(&self, table: &str, ways: &Ways) -> String {
        let said =
            format!("Possible rename to `{}` (score {:.2}: {}).", self.path, self.score, self.reasons.join(", "));
        match &self.names {
            Some((from, to)) if !ways.no_renames.contains(&(table.to_owned(), from.clone())) => {
                let pair = shell_word(&format!("{from}={to}"));
                format!("{said} To accept it as one, run `{} --rename {pair}`.", update(table))
            }
            _ => said,
        }
    }
}

/// The renames whose commands [`super::judge()`] suggests: table, old name, new name.
pub fn likely_renames(changes: &[Change]) -> Vec<(String, String, String)> {
    let of_table = |beside: &[Change]| {
        let names =
            |removed: &Change| suggest(removed, beside)?.names.map(|(from, to)| (removed.table.clone(), from, to));
        beside.iter().filter_map(names).collect::<Vec<_>>()
    };
    changes.chunk_by(|a, b| a.table == b.table).flat_map(of_table).collect()
}

/// The likeliest new name of a removed column or field among all facts about its table, if one is worth saying.
pub(super) fn suggest(removed: &Change, changes: &[Change]) -> Option<Rename> {
    use ChangeKind::{ColumnMissingInNewest, ColumnRemoved, FieldRemoved};
    if !matches!(removed.kind, ColumnRemoved | FieldRemoved | ColumnMissingInNewest) {
        return None;
    }
    let candidates = changes.iter().filter(|added| added.table == removed.table && siblings(removed, added));
    let scored = candidates.map(|added| score(removed, added)).filter(|rename| rename.score >= WORTH_SAYING);
    scored.max_by(|a, b| a.score.total_cmp(&b.score).then_with(|| b.path.cmp(&a.path)))
}

fn siblings(removed: &Change, added: &Change) -> bool {
    use ChangeKind::{ColumnAddedAtEnd, ColumnAddedInMiddle, FieldAdded};
    matches!(added.kind, ColumnAddedAtEnd | ColumnAddedInMiddle | FieldAdded)
        && path::split(&removed.path).0.eq_ignore_ascii_case(path::split(&added.path).0)
}

fn score(removed: &Change, added: &Change) -> Rename {
    let same_type = removed.before == added.after;
    let same_place = removed.place.is_some() && removed.place == added.place;
    let alike = likeness(path::split(&removed.path).1, path::split(&added.path).1);
    let told = [(same_type, "same type"), (same_place, "same place"), (alike >= 0.6, "similar name")];
    Rename {
        path: added.path.clone(),
        score: 0.3 * f32::from(u8::from(same_type)) + 0.3 * f32::from(u8::from(same_place)) + 0.4 * alike,
        reasons: told.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect(),
        names: (same_type && removed.kind == ChangeKind::ColumnRemoved).then(|| names(removed, added)).flatten(),
    }
}

/// Both names, where a shell's prompt takes them as they are.
fn names(removed: &Change, added: &Change) -> Option<(String, String)> {
    let (from, to) = (removed.column()?, added.column()?);
    (!(from.clone() + &to).contains(char::is_control)).then_some((from, to))
}

/// How alike two names are: by letters, or by words where one has more of them.
fn likeness(a: &str, b: &str) -> f32 {
    let words = |name: &str| -> Vec<String> {
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let (a, b) = (words(a), words(b));
    let letters = TextDiff::from_chars(a.concat().as_str(), b.concat().as_str()).ratio();
    letters.max(TextDiff::from_slices(&borrowed(&a), &borrowed(&b)).ratio())
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}
