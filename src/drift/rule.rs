//! What a rule is, and the one list of them.

use super::{Change, Level};

/// A drift rule: a static spec and a function, one file each in `rules/`.
#[derive(Debug)]
pub struct Rule {
    /// kebab-case; names the change seen. File, fixture folder and docs page bear the same name.
    pub id: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Markdown with fixed headings: What it does · Why it matters · Example · How to resolve · Known limits.
    pub docs: &'static str,
    /// Level if the bytes decode and a model names the column.
    pub level_read: Level,
    /// Level if the bytes decode and no model names it.
    pub level_unread: Level,
    /// Recognises a change and words it: (message, help). Knows no level.
    pub detect: fn(&Change) -> Option<(String, String)>,
}

/// The one list: listing, `explain`, docs and tests derive from it. Sorted by id.
pub static RULES: &[&Rule] = &[];
