//! A line's cells as OpenCSVSerde divides it. <https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html>

use std::borrow::Cow;

/// What escapes a quote or itself inside quotes.
const ESCAPE: u8 = b'\\';

/// The cells of a line, quotes and escapes resolved; the error says what cannot be read the same way everywhere.
pub(super) fn cells(line: &[u8], delimiter: u8, quote: u8) -> Result<Vec<Cow<'_, [u8]>>, &'static str> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) =
            if rest.first() == Some(&quote) { quoted(rest, quote)? } else { bare(rest, delimiter, quote)? };
        found.push(cell);
        match after {
            [] => return Ok(found),
            [next, after @ ..] if *next == delimiter => rest = after,
            _ => return Err("text follows a closing quote"),
        }
    }
}

type Cell<'a> = (Cow<'a, [u8]>, &'a [u8]);

fn quoted(rest: &[u8], quote: u8) -> Result<Cell<'_>, &'static str> {
    let mut text = Vec::new();
    let mut at = 1;
    loop {
        match (rest.get(at), rest.get(at + 1)) {
            (None, _) | (Some(&ESCAPE), None) => return Err("a quoted cell does not end on its line"),
            (Some(&ESCAPE), Some(next)) => {
                text.push(*next);
                at += 2;
            }
            (Some(here), Some(next)) if *here == quote && *next == quote => {
                text.push(quote);
                at += 2;
            }
            (Some(here), _) if *here == quote => return Ok((Cow::Owned(text), &rest[at + 1..])),
            (Some(here), _) => {
                text.push(*here);
                at += 1;
            }
        }
    }
}

/// Outside quotes the escape character is dropped.
fn bare(rest: &[u8], delimiter: u8, quote: u8) -> Result<Cell<'_>, &'static str> {
    let end = rest.iter().position(|byte| *byte == delimiter).unwrap_or(rest.len());
    let (cell, after) = rest.split_at(end);
    if cell.contains(&quote) {
        return Err("a quote stands inside a cell that does not start with one");
    }
    let text = match cell.contains(&ESCAPE) {
        true => Cow::Owned(cell.iter().copied().filter(|byte| *byte != ESCAPE).collect()),
        false => Cow::Borrowed(cell),
    };
    Ok((text, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_divided_as_opencsv_divides_them() {
        for (line, expected) in [
            ("", Ok(vec![""])),
            ("a,,b,", Ok(vec!["a", "", "b", ""])),
            (r#""a,b",c"#, Ok(vec!["a,b", "c"])),
            (r#""say ""hi""","\"x\\",C:\d"#, Ok(vec![r#"say "hi""#, r#""x\"#, "C:d"])),
            (r#""""#, Ok(vec![""])),
            (r#""a\n""#, Ok(vec!["an"])),
            (r#"K" Street,x"#, Err("a quote stands inside a cell that does not start with one")),
            (r#"a, "b""#, Err("a quote stands inside a cell that does not start with one")),
            (r#""a" b,c"#, Err("text follows a closing quote")),
            (r#"x,"cut"#, Err("a quoted cell does not end on its line")),
            (r#"x,"cut\""#, Err("a quoted cell does not end on its line")),
        ] {
            let found = cells(line.as_bytes(), b',', b'"');
            let found =
                found.map(|cells| cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
            assert_eq!(
                found,
                expected.map(|cells: Vec<&str>| cells.iter().map(ToString::to_string).collect::<Vec<_>>())
            );
        }
    }
}
