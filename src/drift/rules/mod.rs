//! One rule a file.

pub(super) mod column_added_at_end;
pub(super) mod column_added_in_middle;
pub(super) mod column_case_changed;
pub(super) mod column_removed;
pub(super) mod column_reordered;
pub(super) mod compression_changed;
pub(super) mod delimiter_changed;
pub(super) mod files_unreadable;
pub(super) mod format_changed;
pub(super) mod header_lines_changed;
pub(super) mod header_lost;
pub(super) mod headers_differ;
pub(super) mod location_changed;
pub(super) mod partition_key_changed;
pub(super) mod serde_changed;
pub(super) mod serde_parameter_changed;
pub(super) mod stray_sibling;
pub(super) mod struct_field_added;
pub(super) mod struct_field_removed;
pub(super) mod struct_field_reordered;
pub(super) mod table_deprecated;
pub(super) mod table_kind_changed;
pub(super) mod table_missing;
pub(super) mod table_new;
pub(super) mod type_incompatible;
pub(super) mod type_lossy;
pub(super) mod type_narrowed;
pub(super) mod type_widened;
pub(super) mod unclassified_change;
pub(super) mod unreadable;
mod words;

pub(super) use words::shell_word;
