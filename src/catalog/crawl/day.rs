//! The day that a file's path tells.

use std::ops::Range;

/// Year, month and day; the day is 0 where the path tells a month alone.
pub(super) type Day = (u32, u32, u32);

/// The first date in a path: `2026-01-02`, `20260102030405`, `2026/01/02`, `year=2026/month=1`. A year alone may be any number.
pub(super) fn of(path: &str) -> Option<Day> {
    let numbers = numbers(path);
    (0..numbers.len()).find_map(|first| from(path, &numbers[first..]))
}

/// The date that begins with the first of the numbers.
fn from(path: &str, numbers: &[Range<usize>]) -> Option<Day> {
    let first = &path[numbers[0].clone()];
    let is_year = first.starts_with("19") || first.starts_with("20");
    if !is_year || !matches!(first.len(), 4 | 6 | 8 | 10 | 12 | 14) {
        return None;
    }
    let (year, rest) = first.split_at(4);
    let follows = |place: usize| {
        let (before, number) = (numbers.get(place.checked_sub(1)?)?, numbers.get(place)?);
        let text = &path[number.clone()];
        goes_on(&path[before.end..number.start], text).then_some(text)
    };
    let (month, next) = match rest.get(..2) {
        Some(month) => (month, 1),
        None => (follows(1)?, 2),
    };
    let month = part(month, 12)?;
    let day = match rest.get(2..4) {
        Some(day) => part(day, 31)?,
        None => follows(next).and_then(|day| part(day, 31)).unwrap_or(0),
    };
    Some((year.parse().ok()?, month, day))
}

/// Whether a number, after this text, is the next part of a date. In a folder or a file of its own it has two digits: `7.json`
/// counts files.
fn goes_on(between: &str, number: &str) -> bool {
    let letters: String = between.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let is_key = matches!(letters.as_str(), "m" | "mon" | "month" | "d" | "day");
    let is_apart = between.chars().all(|c| c.is_alphabetic() || "-_./=".contains(c));
    let is_new = between.contains('/') && !is_key;
    is_apart && (is_key || letters.is_empty()) && (number.len() == 2 || (number.len() == 1 && !is_new))
}

fn part(digits: &str, highest: u32) -> Option<u32> {
    digits.parse().ok().filter(|number| (1..=highest).contains(number))
}

/// Where the numbers of a path stand.
fn numbers(path: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in path.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at) {
        match found.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_known_in_every_common_form() {
        for path in [
            "2026-01-02.csv",
            "orders_20260102.csv.gz",
            "20260102030405-7.json",
            "dt=2026-01-02/eu.json",
            "2026/01/02/03/part-7.json",
            "year=2026/month=1/day=2/part-4.json",
            "Y=2026/M=01/D=02/a.json",
            "store=3/2026-01-02-late.csv",
            "export_2024/v2/2026_1_2.csv",
        ] {
            assert_eq!(of(path), Some((2026, 1, 2)), "{path}");
        }
        for path in ["2026-01/part-1.json", "2026-01/7.json", "202601.csv", "year=2026/month=01/a-2.csv"] {
            assert_eq!(of(path), Some((2026, 1, 0)), "{path}");
        }
    }

    #[test]
    fn what_only_begins_like_one_is_none() {
        for path in
            ["2026.csv", "12.csv", "a.csv", "31-12-2025.csv", "shop=20265678/a.csv", "2026 (1).csv", "2026/7.csv", ""]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
