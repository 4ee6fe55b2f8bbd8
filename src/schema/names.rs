//! What a name looks like, where a row of data may stand for a header.

use super::same_name;

/// True if a text reads like a column's name: words without a number in front, a sentence, or signs that are rare in names.
/// Data can read so too.
pub fn reads_like_name(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || " _-./()#%".contains(c);
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().count() <= 64 && text.chars().all(word)
}

/// True if what stands for a header reads like a row of data: no name is known, and one is none.
pub fn reads_like_row(header: &[&str], known: &[&str]) -> bool {
    let is_known = |name: &str| known.iter().any(|other| same_name(name, other));
    !header.iter().any(|name| is_known(name)) && !header.iter().all(|name| reads_like_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shares_no_name_and_has_what_is_none() {
        assert!(["id", "_id", "Größe (cm)", "unit-price"].into_iter().all(reads_like_name));
        assert!(!["", "1", "-5", "2026-01-02", "a@b.org", "Help, 1", "say \"hi\""].into_iter().any(reads_like_name));
        assert!(!reads_like_name(&"a".repeat(65)));
        assert!(reads_like_row(&["1", "ann"], &["id", "name"]));
        assert!(!reads_like_row(&["1", "NAME"], &["id", "name"]), "one is known");
        assert!(!reads_like_row(&["nr", "label"], &["id", "name"]), "all may be names");
    }
}
