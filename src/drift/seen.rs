//! What somebody has seen of a table, in a few digits.

use super::Finding;
use crate::digest::sha256_hex;

/// Short enough for a phone; of those who accept by them, one in sixteen million is deceived.
const DIGITS: usize = 6;

/// 6 hex digits over all that is found of a table, for `contracts update --expect`: the same as long as the same facts are
/// judged alike. What is tolerated counts, since an update takes that in, too; wording and readers do not.
pub fn seen(findings: &[Finding], table: &str) -> String {
    let mut facts: Vec<_> =
        findings.iter().filter(|finding| finding.table == table).map(|finding| finding.judged_fact()).collect();
    facts.sort();
    facts.dedup();
    let text = serde_json::to_vec(&facts).expect("tuples of strings are JSON");
    sha256_hex(text)[..DIGITS].to_owned()
}

/// Whether a word can be one that [`seen()`] gave.
pub fn is_seen(word: &str) -> bool {
    word.len() == DIGITS && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
