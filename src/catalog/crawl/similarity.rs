//! Whether Glue would make several tables of a folder, since its files have too few columns in common.
//! <https://repost.aws/knowledge-center/glue-crawler-detect-schema>

use std::collections::BTreeSet;

use crate::problem::Problem;

/// How many schemas may differ in one table.
const MOST: usize = 5;

/// The note, where schemas of files, oldest first, are not similar: not more than 70 % the same, or more than five.
pub(super) fn note(folder: &str, files: &[(String, BTreeSet<String>)]) -> Option<Problem> {
    let mut schemas: Vec<&(String, BTreeSet<String>)> = Vec::new();
    for file in files.iter().rev() {
        if schemas.iter().all(|(_, names)| *names != file.1) {
            schemas.push(file);
        }
    }
    let ((newest, names), others) = schemas.split_first()?;
    let alien = others.iter().find(|(_, other)| !are_similar(names, other));
    let what = match alien {
        Some((file, other)) => {
            let (common, most) = (names.intersection(other).count(), names.len().max(other.len()));
            format!("has {common} of {most} columns in common with `{file}`")
        }
        None if schemas.len() > MOST => format!("its folder's files have {} sets of columns", schemas.len()),
        None => return None,
    };
    let message = format!("{what}: a Glue crawler may make several tables of the folder");
    let help = "on AWS set the crawler's TableGroupingPolicy to CombineCompatibleSchemas, or give each kind of file a \
                folder of its own";
    Some(Problem::new(format!("{folder}/{newest}"), "", message, help))
}

/// Glue says "higher than 70 %" and not of what: here of the larger schema's names.
fn are_similar(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    a.intersection(b).count() * 10 > a.len().max(b.len()) * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[&str]) -> Option<String> {
        let names = |names: &str| names.split_whitespace().map(str::to_owned).collect();
        let files: Vec<_> = (1..).zip(files).map(|(number, file)| (number.to_string(), names(file))).collect();
        note("t", &files).map(|note| format!("{}: {}", note.file, note.message))
    }

    #[test]
    fn glue_splits_what_is_not_similar() {
        let splits = ": a Glue crawler may make several tables of the folder";
        for (files, expected) in [
            (vec!["a b"], None),
            (vec!["a b c d", "d c b a"], None),
            (vec!["a b c", "a b c d"], None),
            (vec!["a b c d e f g", "a b c d e f g h i j"], Some("t/2: has 7 of 10 columns in common with `1`")),
            (vec!["a b c d e f g h", "a b c d e f g h i j"], None),
            (vec!["a b", "c d"], Some("t/2: has 0 of 2 columns in common with `1`")),
            (vec!["a b", "c d", "c d"], Some("t/3: has 0 of 2 columns in common with `1`")),
            (
                vec!["a b c d e 1", "a b c d e 2", "a b c d e 3", "a b c d e 4", "a b c d e 5", "a b c d e 6"],
                Some("t/6: its folder's files have 6 sets of columns"),
            ),
            (vec!["a b c d e 1", "a b c d e 2", "a b c d e 3", "a b c d e 4", "a b c d e 5"], None),
        ] {
            assert_eq!(told(&files), expected.map(|expected| format!("{expected}{splits}")), "{files:?}");
        }
    }
}
