//! Changes of a text at byte ranges.

use std::ops::Range;

/// Puts `text` in the place of `bytes`; an insertion if the range is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub bytes: Range<usize>,
    pub text: String,
}

impl Edit {
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { bytes: at..at, text: text.into() }
    }
}

/// The edited text, and where in it each edit's text stands. Edits at one place keep their order.
pub(super) fn apply(text: &str, edits: &[Edit]) -> (String, Vec<Range<usize>>) {
    let mut order: Vec<&Edit> = edits.iter().collect();
    order.sort_by_key(|edit| edit.bytes.start);
    let mut edited = String::with_capacity(text.len());
    let mut inserted = Vec::with_capacity(edits.len());
    let mut copied = 0;
    for edit in order {
        edited.push_str(&text[copied..edit.bytes.start.max(copied)]);
        let start = edited.len();
        edited.push_str(&edit.text);
        inserted.push(start..edited.len());
        copied = edit.bytes.end.max(copied);
    }
    edited.push_str(&text[copied..]);
    (edited, inserted)
}
