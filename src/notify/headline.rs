//! A finding in a few words, for a subject line.

/// What happened to a table, as the rest of a sentence that starts with its name: `lost column "county"`.
pub fn headline(rule: &str, path: &str) -> String {
    let (words, after) = match rule {
        "column-added-at-end" => ("gained column", ""),
        "column-added-in-middle" => ("gained column", "in the middle"),
        "column-back-in-newest" => ("has column", "again"),
        "column-case-changed" => ("writes column", "in other case"),
        "column-duplicated" => ("gained a second column", ""),
        "column-missing-in-newest" => ("lost column", "in the newest files"),
        "column-removed" => ("lost column", ""),
        "column-reordered" => ("moved column", ""),
        "compression-changed" => ("is compressed in another way", ""),
        "delimiter-changed" => ("has another delimiter", ""),
        "files-unreadable" => ("has files that cannot be read", ""),
        "format-changed" => ("has another file format", ""),
        "header-lines-changed" => ("has another number of header lines", ""),
        "header-lost" => ("lost its header", ""),
        "headers-differ" => ("has files with different headers", ""),
        "location-changed" => ("lies in another folder", ""),
        "partition-key-changed" => ("changed its partition keys", ""),
        "serde-changed" => ("is read by another SerDe", ""),
        "serde-parameter-changed" => ("has another SerDe parameter", ""),
        "stray-sibling" => ("may have been split off another table", ""),
        "struct-field-added" => ("gained field", ""),
        "struct-field-removed" => ("lost field", ""),
        "struct-field-reordered" => ("moved field", ""),
        "table-deprecated" => ("lost its files", ""),
        "table-kind-changed" => ("became another kind of table", ""),
        "table-missing" => ("is missing", ""),
        "table-new" => ("is new", ""),
        "type-incompatible" | "type-lossy" => ("changed the type of", ""),
        "type-narrowed" => ("narrowed the type of", ""),
        "type-shown" => ("has first values and so a type of", ""),
        "type-widened" => ("widened the type of", ""),
        "unclassified-change" => ("changed", ""),
        "unreadable" => ("cannot be read", ""),
        "values-quoted" => ("has values in quotes", ""),
        other => return format!("{}{}", other.replace('-', " "), quoted(path)),
    };
    let takes_path = words.ends_with("column") || words.ends_with("field") || words.ends_with("of");
    let path = if takes_path || words == "changed" { quoted(path) } else { String::new() };
    let after = if after.is_empty() { String::new() } else { format!(" {after}") };
    format!("{words}{path}{after}")
}

fn quoted(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" \"{path}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::RULES;

    /// A rule without words falls back to its id.
    #[test]
    fn every_rule_has_a_headline() {
        for rule in RULES {
            let words = headline(rule.id, "county");
            assert!(!words.starts_with(&rule.id.replace('-', " ")), "{}: {words}", rule.id);
        }
        assert_eq!(headline("column-removed", "county"), "lost column \"county\"");
        assert_eq!(headline("column-added-in-middle", "kind"), "gained column \"kind\" in the middle");
        assert_eq!(headline("header-lost", "county"), "lost its header");
    }
}
