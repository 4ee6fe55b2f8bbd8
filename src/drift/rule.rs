//! What a rule is, and the one list of them.

use super::rules::{
    column_added_at_end, column_added_in_middle, column_back_in_newest, column_case_changed, column_duplicated,
    column_missing_in_newest, column_removed, column_reordered, compression_changed, delimiter_changed,
    files_unreadable, format_changed, header_lines_changed, header_lost, headers_differ, location_changed,
    partition_key_changed, serde_changed, serde_parameter_changed, stray_sibling, struct_field_added,
    struct_field_removed, struct_field_reordered, table_deprecated, table_kind_changed, table_missing, table_new,
    type_incompatible, type_lossy, type_narrowed, type_shown, type_widened, unclassified_change, unreadable,
    values_quoted,
};
use super::{Advice, Change, Level};

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
    pub accepted_by: AcceptedBy,
    /// Recognises a change and words it: what it means, and what to do about it. Knows no level.
    pub detect: fn(&Change) -> Option<(String, Advice)>,
}

/// Whether `contracts update` can make the contract say what a rule found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedBy {
    Update,
    /// Only the source or the catalog helps.
    Never,
    /// The source is gone: its contract can be retired, if no model stands on it.
    Retirement,
    /// Of the table itself, not of a column.
    OfTable,
    /// Of a column, not of the table itself.
    OfColumn,
}

impl Rule {
    /// The rule's page: `docs/rules/<id>.md`.
    pub fn page(&self) -> String {
        let Self { id, summary, docs, level_read, level_unread, .. } = self;
        let default = match level_read == level_unread {
            true => level_read.to_string(),
            false => format!("{level_read} if a model reads it, {level_unread} if none does"),
        };
        format!(
            "# {id}\n\n{summary}\n\nBy default {default}. Bytes that no longer \
             decode are breaking whatever a policy says.\n\n{docs}"
        )
    }

    /// The rule of this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        RULES.iter().copied().find(|rule| rule.id == id)
    }
}

/// The one list: listing, `explain`, docs and tests derive from it. Sorted by id.
pub static RULES: &[&Rule] = &[
    &column_added_at_end::RULE,
    &column_added_in_middle::RULE,
    &column_back_in_newest::RULE,
    &column_case_changed::RULE,
    &column_duplicated::RULE,
    &column_missing_in_newest::RULE,
    &column_removed::RULE,
    &column_reordered::RULE,
    &compression_changed::RULE,
    &delimiter_changed::RULE,
    &files_unreadable::RULE,
    &format_changed::RULE,
    &header_lines_changed::RULE,
    &header_lost::RULE,
    &headers_differ::RULE,
    &location_changed::RULE,
    &partition_key_changed::RULE,
    &serde_changed::RULE,
    &serde_parameter_changed::RULE,
    &stray_sibling::RULE,
    &struct_field_added::RULE,
    &struct_field_removed::RULE,
    &struct_field_reordered::RULE,
    &table_deprecated::RULE,
    &table_kind_changed::RULE,
    &table_missing::RULE,
    &table_new::RULE,
    &type_incompatible::RULE,
    &type_lossy::RULE,
    &type_narrowed::RULE,
    &type_shown::RULE,
    &type_widened::RULE,
    &unclassified_change::RULE,
    &unreadable::RULE,
    &values_quoted::RULE,
];
