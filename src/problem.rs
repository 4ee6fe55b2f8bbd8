//! What is wrong with an input, where, and how to mend it.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing wrong with something a person wrote or a file that arrived.
///
/// Readers collect every problem before they give up, so that one look mends them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file, as the user would type it; or a table or event where there is no file. Empty where the message says it.
    pub file: String,
    /// The place inside: `3:14`, `schema[0].properties[2]`, `line 7`. Empty for the whole file.
    pub place: String,
    /// What is wrong: a lowercase fragment, no full stop.
    pub message: String,
    /// What to do about it: imperative and short. Empty only where nothing can be advised.
    pub help: String,
}

impl Problem {
    pub fn new(
        file: impl Into<String>,
        place: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), place: place.into(), message: message.into(), help: help.into() }
    }
}

/// As a person lists them: by file, and by the places in it, `line 2` ahead of `line 10`.
impl Ord for Problem {
    fn cmp(&self, other: &Self) -> Ordering {
        let rest = |problem: &Self| (problem.message.clone(), problem.help.clone());
        numbered(&self.file, &other.file)
            .then_with(|| numbered(&self.place, &other.place))
            .then_with(|| rest(self).cmp(&rest(other)))
    }
}

impl PartialOrd for Problem {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares texts, and the numbers in them by their value.
fn numbered(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(u128, String)> {
        let is_digit = |c: char| c.is_ascii_digit();
        let mut parts = vec![String::new()];
        for character in text.chars() {
            match parts.last_mut() {
                Some(last) if last.chars().last().is_none_or(|before| is_digit(before) == is_digit(character)) => {
                    last.push(character);
                }
                _ => parts.push(character.to_string()),
            }
        }
        // Nothing stands ahead of every number, and a text behind them, as letters do behind digits.
        let value = |text: &str| text.parse().unwrap_or(if text.is_empty() { 0 } else { u128::MAX });
        parts.into_iter().map(|text| (value(&text), text)).collect()
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = [self.file.as_str(), self.place.as_str()].into_iter().filter(|part| !part.is_empty());
        let place = places.collect::<Vec<_>>().join(":");
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

/// Problems as texts, one each. What helps several in a row is said once, below the last of them.
pub fn texts(problems: &[Problem]) -> Vec<String> {
    let next = problems.iter().skip(1).map(Some).chain([None]);
    let text = |(problem, next): (&Problem, Option<&Problem>)| match next {
        Some(next) if next.help == problem.help => Problem { help: String::new(), ..problem.clone() }.to_string(),
        _ => problem.to_string(),
    };
    problems.iter().zip(next).map(text).collect()
}

/// Every problem found in one reading; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", texts(.0).join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `Ok(value)` if nothing was found, else the problems in a fixed order.
    pub fn or<T>(mut found: Vec<Problem>, value: T) -> Result<T, Self> {
        if found.is_empty() {
            return Ok(value);
        }
        found.sort();
        Err(Self(found))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// A word of a command that help names, as a POSIX shell takes it whole.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// The known name nearest to a mistyped one: at most a third of its letters off.
pub fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, best) = known.map(|other| (distance(name, other), other)).min()?;
    (distance <= name.chars().count().div_ceil(3)).then_some(best)
}

/// Levenshtein distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = (diagonal + usize::from(letter != *other)).min(above + 1).min(row[column] + 1);
            diagonal = above;
        }
    }
    row[right.len()]
}

/// Line and column from 1, in characters: serde_json counts bytes, and says column 0 of a line that ends the text.
pub fn json_place(text: &str, error: &serde_json::Error) -> String {
    let (mut number, mut column) = (error.line(), error.column());
    let line = |number: usize| text.split('\n').nth(number.saturating_sub(1)).unwrap_or_default();
    if column == 0 && number > 1 {
        number -= 1;
        column = line(number).len() + 1;
    }
    let before = line(number).as_bytes();
    let before = String::from_utf8_lossy(&before[..column.saturating_sub(1).min(before.len())]);
    format!("{number}:{}", before.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_a_file() {
        let at = |file: &str, place: &str| Problem::new(file, place, "bad", "");
        let mut all = [
            at("b-10.csv", "line 3"),
            at("b-9.csv", "line 10"),
            at("b-9.csv", "line 2"),
            at("b-9.csv", "1:1"),
            at("b-9.csv", ""),
            at("b-9.csv", "line 99999999999999999999999999999999999999999"),
        ];
        all.sort();
        let order: Vec<String> = all.iter().map(|problem| format!("{}:{}", problem.file, problem.place)).collect();
        assert_eq!(order[..4], ["b-9.csv:", "b-9.csv:1:1", "b-9.csv:line 2", "b-9.csv:line 10"]);
        assert_eq!(order[5], "b-10.csv:line 3");
    }

    #[test]
    fn help_that_several_share_is_said_once() {
        let problem = |place: &str, help: &str| Problem::new("a.csv", place, "bad", help);
        let all = [
            problem("1", "x"),
            problem("2", "x"),
            problem("3", "y"),
            problem("4", "x"),
            problem("5", ""),
            problem("6", ""),
        ];
        let expected = [
            "a.csv:1: bad",
            "a.csv:2: bad\n  help: x",
            "a.csv:3: bad\n  help: y",
            "a.csv:4: bad\n  help: x",
            "a.csv:5: bad",
            "a.csv:6: bad",
        ];
        assert_eq!(texts(&all), expected);
    }

    #[test]
    fn a_place_in_json_is_where_an_editor_shows_it() {
        for (text, expected) in [
            ("{\"a\": ", "1:6"),
            ("{\"a\": 1\n", "1:8"),
            ("{\n  \"a\": 1\n\n", "3:1"),
            ("{\"ä\": x}", "1:7"),
            ("", "1:1"),
            ("{}\nx", "2:1"),
        ] {
            let error = serde_json::from_str::<serde_json::Value>(text).expect_err("it is broken");
            assert_eq!(json_place(text, &error), expected, "{text:?}: {error}");
        }
    }
}
