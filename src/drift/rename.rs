//! Suggests which added column a removed one may have become. A suggestion only: nothing is judged by it.

use similar::TextDiff;

use super::advice::{Ways, update};
use super::{Change, ChangeKind};
use crate::problem::shell_word;
use crate::schema::path;
use crate::sql::ident;

/// Below this a suggestion would mislead more often than help.
const WORTH_SAYING: f32 = 0.5;

/// A column that a removed one may be called now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rename {
    path: String,
    /// From 0 to 1.
    score: f32,
    reasons: Vec<&'static str>,
    names: Names,
}

/// What is done about a column that goes by another name.
#[derive(Debug, Clone, PartialEq)]
enum Names {
    /// Old and new name, which `contracts update` may take for one.
    One(String, String),
    /// Both are there: older files have the first, and the newest the second.
    Both(String, String),
    /// It is no whole column, or of another type.
    Unknown,
}

impl Rename {
    /// The suggestion in words, with the command that accepts it where one does.
    pub(super) fn words(&self, table: &str, ways: &Ways) -> String {
        let said =
            format!("Possible rename to `{}` (score {:.2}: {}).", self.path, self.score, self.reasons.join(", "));
        match &self.names {
            Names::One(from, to) if !ways.no_renames.contains(&(table.to_owned(), from.clone())) => {
                let pair = shell_word(&format!("{from}={to}"));
                format!("{said} To accept it as one, run `{} --rename {pair}`.", update(table))
            }
            Names::Both(from, to) => {
                let models = ways.namers.get(&(table.to_owned(), from.clone())).into_iter().flatten();
                let place = match models.map(|model| format!("`{model}`")).collect::<Vec<_>>() {
                    models if models.is_empty() => "the models".to_owned(),
                    models => models.join(", "),
                };
                let [from, to] = [from, to].map(|name| ident::plain(name));
                format!(
                    "{said} Older files have the old name, so `--rename` cannot take the two for one: if it is one column, accept, \
                     and before the next run write `coalesce({to}, {from})` for `{from}` in {place}."
                )
            }
            _ => said,
        }
    }
}

/// The renames whose commands [`super::judge()`] suggests: table, old name, new name.
pub fn likely_renames(changes: &[Change]) -> Vec<(String, String, String)> {
    let of_table = |beside: &[Change]| {
        let names = |removed: &Change| match suggest(removed, beside)?.names {
            Names::One(from, to) => Some((removed.table.clone(), from, to)),
            _ => None,
        };
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
    let beside = || changes.iter().filter(|other| other.table == removed.table);
    let candidates = || beside().filter(|added| are_siblings(removed, added));
    let is_of_type = |added: &&Change| removed.before == added.after && removed.came.contains(&added.path);
    let is_like = |other: &&Change| {
        other.kind == removed.kind && other.before == removed.before && parent(&other.path) == parent(&removed.path)
    };
    let is_only = candidates().filter(is_of_type).count() == 1 && beside().filter(is_like).count() == 1;
    let scored = candidates().map(|added| score(removed, added, is_only)).filter(|rename| rename.score >= WORTH_SAYING);
    scored.max_by(|a, b| a.score.total_cmp(&b.score).then_with(|| b.path.cmp(&a.path)))
}

/// True if the second was added where the first stands, or stood.
pub(super) fn are_siblings(removed: &Change, added: &Change) -> bool {
    use ChangeKind::{ColumnAddedAtEnd, ColumnAddedInMiddle, FieldAdded};
    matches!(added.kind, ColumnAddedAtEnd | ColumnAddedInMiddle | FieldAdded)
        && parent(&removed.path).eq_ignore_ascii_case(parent(&added.path))
}

fn parent(path: &str) -> &str {
    path::split(path).0
}

/// `is_only`: of its type, nothing else came where it went.
fn score(removed: &Change, added: &Change, is_only: bool) -> Rename {
    let same_type = removed.before == added.after;
    let same_place = removed.place.is_some() && removed.place == added.place;
    let same_files = is_only && same_type && removed.came.contains(&added.path);
    let alike = likeness(path::split(&removed.path).1, path::split(&added.path).1);
    let told = [
        (same_type, "same type"),
        (same_place, "same place"),
        (same_files, "new where it is gone"),
        (alike >= 0.6, "similar name"),
    ];
    Rename {
        path: added.path.clone(),
        score: 0.3 * f32::from(u8::from(same_type)) + 0.3 * f32::from(u8::from(same_place || same_files)) + 0.4 * alike,
        reasons: told.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect(),
        names: if same_type { names(removed, added) } else { Names::Unknown },
    }
}

/// Both names, where a shell's prompt takes them as they are.
fn names(removed: &Change, added: &Change) -> Names {
    let is_whole = |change: &Change| change.column().filter(|column| path::column(column) == change.path);
    match (is_whole(removed), is_whole(added)) {
        (Some(from), Some(to)) if !(from.clone() + &to).contains(char::is_control) => match removed.kind {
            ChangeKind::ColumnRemoved => Names::One(from, to),
            _ => Names::Both(from, to),
        },
        _ => Names::Unknown,
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
