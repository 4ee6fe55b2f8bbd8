//! A line's cells.

/// One cell, without the quotes around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) struct RawCell<'a> {
    pub(in crate::catalog) bytes: &'a [u8],
    pub(in crate::catalog) quotes: Quotes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum Quotes {
    None,
    Closed,
    /// It starts with a quote that no other quote on the line closes.
    Open,
}

impl RawCell<'_> {
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(self.bytes);
        if self.quotes == Quotes::Closed { text.replace("\"\"", "\"") } else { text.into_owned() }
    }
}

/// Divides a line at `delimiter`, save inside quotes.
pub(in crate::catalog) fn cells(line: &[u8], delimiter: u8) -> Cells<'_> {
    Cells { rest: Some(line), delimiter }
}

pub(in crate::catalog) struct Cells<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Iterator for Cells<'a> {
    type Item = RawCell<'a>;

    fn next(&mut self) -> Option<RawCell<'a>> {
        let rest = self.rest?;
        let mut quotes = Quotes::None;
        if rest.first() == Some(&b'"') {
            match self.quoted(rest) {
                Some(cell) => return Some(cell),
                None => quotes = Quotes::Open,
            }
        }
        let end = rest.iter().position(|byte| *byte == self.delimiter);
        self.rest = end.map(|end| &rest[end + 1..]);
        Some(RawCell { bytes: &rest[..end.unwrap_or(rest.len())], quotes })
    }
}

impl<'a> Cells<'a> {
    /// The cell between the quote that `rest` starts with and the one before a delimiter or the line's end.
    fn quoted(&mut self, rest: &'a [u8]) -> Option<RawCell<'a>> {
        let mut at = 1;
        while at < rest.len() {
            match (rest[at], rest.get(at + 1)) {
                (b'"', Some(b'"')) => at += 2,
                (b'"', next) if next.is_none_or(|next| *next == self.delimiter) => {
                    self.rest = next.map(|_| &rest[at + 2..]);
                    return Some(RawCell { bytes: &rest[1..at], quotes: Quotes::Closed });
                }
                _ => at += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[(&str, Quotes)]) {
        let found: Vec<_> = cells(line.as_bytes(), b',').map(|cell| (cell.text(), cell.quotes)).collect();
        let expected: Vec<_> = expected.iter().map(|(text, quotes)| ((*text).to_owned(), *quotes)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn cells_end_at_delimiters_outside_quotes() {
        use Quotes::{Closed, None, Open};
        check("", &[("", None)]);
        check("a,,b,", &[("a", None), ("", None), ("b", None), ("", None)]);
        check(r#""a,b",c"#, &[("a,b", Closed), ("c", None)]);
        check(r#""say ""hi""",x"#, &[(r#"say "hi""#, Closed), ("x", None)]);
        check(r#""""#, &[("", Closed)]);
        check(r#"K" Street,x"#, &[(r#"K" Street"#, None), ("x", None)]);
        check(r#"x,"cut"#, &[("x", None), (r#""cut"#, Open)]);
    }
}
