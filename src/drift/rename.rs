//! Suggests which added column a removed one may have become. A suggestion only: nothing is judged by it.

use similar::TextDiff;

use super::{Change, ChangeKind};
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
}

impl std::fmt::Display for Rename {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Possible rename to `{}` (score {:.2}: {}).", self.path, self.score, self.reasons.join(", "))
    }
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
    }
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
