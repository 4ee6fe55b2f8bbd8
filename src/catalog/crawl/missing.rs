//! What the newest files lack that others have: in a union of files nothing else shows it.

use std::collections::BTreeMap;

use serde_json::json;

use super::listing::SourceFile;
use crate::schema::{LACKING_FILES, MISSING_IN_NEWEST, MISSING_IN_SOME};

/// Columns and nested fields, as paths.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// That none of the newest files has.
    all: Vec<String>,
    /// That some of them have.
    some: Vec<String>,
    /// Path → the first of the newest files that lacks it.
    files: BTreeMap<String, String>,
}

impl Missing {
    /// Adds what `file` lacks, the first of the newest that does; `by_all` if no other of them has it.
    pub(super) fn add(&mut self, path: String, file: &SourceFile, by_all: bool) {
        self.files.insert(path.clone(), file.relative.clone());
        if by_all { &mut self.all } else { &mut self.some }.push(path);
    }

    /// As table parameters; none where nothing is missing.
    pub(super) fn parameters(self) -> impl Iterator<Item = (String, String)> {
        let Self { all, some, files } = self;
        let lists = [
            (MISSING_IN_NEWEST, !all.is_empty(), json!(all)),
            (MISSING_IN_SOME, !some.is_empty(), json!(some)),
            (LACKING_FILES, !files.is_empty(), json!(files)),
        ];
        lists.into_iter().filter(|(_, is_there, _)| *is_there).map(|(key, _, list)| (key.to_owned(), list.to_string()))
    }
}
