//! Which of a source's files are the newest.
//!
//! By the days that their paths tell, then by the numbers where these tell it: a name outlives a copy, a checkout and a
//! `touch`. Else by the time of change, as S3's `LastModified` has it, which nothing but an upload sets.

use super::day::{self, Day};
use super::listing::SourceFile;

/// Sorts files, oldest first; equally old ones by path.
pub(super) fn sort(files: &mut [SourceFile]) {
    if is_told_by_numbers(files.iter().map(|file| file.relative.as_str())) {
        files.sort_by_cached_key(|file| (numbers(&file.relative), file.relative.clone()));
    } else {
        files.sort_by(|a, b| (a.modified, &a.relative).cmp(&(b.modified, &b.relative)));
    }
    if days(files).is_some() {
        files.sort_by_cached_key(|file| day::of(&file.relative));
    }
}

/// How many of the files, which are sorted, are the newest: those of the last day, where every path tells one, else one. What
/// is delivered in a day is one delivery, in however many files.
pub(super) fn newest(files: &[SourceFile]) -> usize {
    match days(files) {
        Some(days) => days.iter().rev().take_while(|day| Some(*day) == days.last()).count(),
        None => files.len().min(1),
    }
}

/// The day of each file, if every path tells one, to the day or to the month.
fn days(files: &[SourceFile]) -> Option<Vec<Day>> {
    let days: Vec<Day> = files.iter().map(|file| day::of(&file.relative)).collect::<Option<_>>()?;
    let months = days.iter().filter(|(_, _, day)| *day == 0).count();
    (months == 0 || months == days.len()).then_some(days)
}

/// True if the paths differ in numbers alone, and the first that differs is a count in the files' names or is part of a
/// date: a folder's other number is an id, and so is one that a date follows.
fn is_told_by_numbers<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> bool {
    let Some(first) = paths.clone().next() else { return false };
    if paths.clone().any(|path| words(path) != words(first)) {
        return false;
    }
    let rows: Vec<Vec<&str>> = paths.map(numbers_of).collect();
    let differs = |place: &usize| rows.iter().any(|row| row[*place] != rows[0][*place]);
    let dated = |place: usize| rows.iter().all(|row| is_date(row[place]));
    let Some(place) = (0..rows[0].len()).find(differs) else { return false };
    let days = rows.iter().filter(|row| row[place].len() >= 8 && is_date(row[place])).count();
    // What is a day in one path and none in another is an id in both.
    if (1..rows.len()).contains(&days) {
        return false;
    }
    let folders = first.rsplit_once('/').map_or(0, |(folders, _)| numbers_of(folders).len());
    (0..=place).any(dated) || (place >= folders && !(place + 1..rows[0].len()).any(dated))
}

/// A year, or what begins with one: `2026`, `202601`, `20260102`, `20260102030405`; `20265678` has no month and is an id.
fn is_date(number: &str) -> bool {
    let highest = ["12", "31", "23", "59", "60"];
    let is_part = |(place, highest): (usize, &str)| {
        let lowest = if place < 2 { "01" } else { "00" };
        number.get(4 + 2 * place..6 + 2 * place).is_none_or(|part| (lowest..=highest).contains(&part))
    };
    matches!(number.len(), 4 | 6 | 8 | 10 | 12 | 14)
        && (number.starts_with("19") || number.starts_with("20"))
        && highest.into_iter().enumerate().all(is_part)
}

/// The text between the numbers.
fn words(path: &str) -> Vec<&str> {
    path.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty()).collect()
}

fn numbers_of(path: &str) -> Vec<&str> {
    path.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect()
}

/// The numbers, to be compared as such: without leading zeros, the longer is the greater.
fn numbers(path: &str) -> Vec<(usize, String)> {
    let number = |digits: &str| {
        let digits = digits.trim_start_matches('0');
        (digits.len(), digits.to_owned())
    };
    numbers_of(path).into_iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// The paths in order; the first is the last that was written.
    fn sorted(paths: &[&str]) -> Vec<String> {
        files(paths).into_iter().map(|file| file.relative).collect()
    }

    fn files(paths: &[&str]) -> Vec<SourceFile> {
        let mut files: Vec<_> = (0..)
            .zip(paths)
            .map(|(age, path)| SourceFile {
                path: PathBuf::new(),
                shown: String::new(),
                relative: (*path).to_owned(),
                bytes: 1,
                modified: SystemTime::UNIX_EPOCH + Duration::from_secs(100 - age),
            })
            .collect();
        sort(&mut files);
        files
    }

    #[test]
    fn the_files_of_the_last_day_are_the_newest() {
        for (paths, expected) in [
            (&["dt=2026-01-01/eu.json", "dt=2026-01-02/eu.json", "dt=2026-01-02/us.json"][..], 2),
            (&["2026/01/01/part-9.json", "2026/01/02/part-0.json", "2026/01/02/part-1.json"], 2),
            (&["eu_20260102.csv", "eu_20260103.csv", "us_20260103.csv"], 2),
            (&["2026-01/a.csv", "2026-02/a.csv", "2026-02/b.csv"], 2),
            // A month is no day.
            (&["2026-02/a.csv", "2026-02-01/a.csv"], 1),
            (&["1.csv", "2.csv", "10.csv"], 1),
            (&["a.csv", "2026-01-02.csv"], 1),
            (&[], 0),
        ] {
            assert_eq!(newest(&files(paths)), expected, "{paths:?}");
        }
    }

    #[test]
    fn a_day_counts_before_the_time_of_change() {
        for paths in [
            ["store=2/2026-01-01.csv", "store=3/2026-01-02.csv", "store=1/2026-01-03.csv"],
            ["dt=2026-01-01/us.json", "dt=2026-01-02/b.json", "dt=2026-01-03/a.json"],
        ] {
            assert_eq!(sorted(&paths), paths);
        }
        // Of one day the last that was written is the newest.
        let same_day = ["2026-01-02-late.csv", "2026-01-02.csv", "2026-01-01.csv"];
        assert_eq!(sorted(&same_day), ["2026-01-01.csv", "2026-01-02.csv", "2026-01-02-late.csv"]);
    }

    #[test]
    fn numbers_tell_the_age_where_they_count_or_are_dates() {
        for paths in [
            ["1.csv", "2.csv", "10.csv"],
            ["2026-01-31.csv", "2026-02-01.csv", "2026-10-01.csv"],
            ["orders_20251231.csv.gz", "orders_20260101.csv.gz", "orders_20260102.csv.gz"],
            ["dt=2026-01-01/part-9.json", "dt=2026-01-02/part-0.json", "dt=2026-01-02/part-1.json"],
            ["2026/01/02/a.csv", "2026/01/03/a.csv", "2026/02/01/a.csv"],
            ["day=20251231/a.csv", "day=20260101/a.csv", "day=20260102/a.csv"],
            ["20260102030405.csv", "20260102235960.csv", "20261231000000.csv"],
            ["1999.csv", "2500.csv", "10000.csv"],
        ] {
            assert_eq!(sorted(&paths), paths);
        }
    }

    #[test]
    fn else_the_time_of_change_does() {
        for paths in [
            ["a.csv", "b.csv", "c.csv"],
            ["part-0-3f2a.csv", "part-0-77c1.csv", "part-1-aa00.csv"],
            // A store is no age, and in a date written backwards the day comes first.
            ["store=1/orders.csv", "store=2/orders.csv", "store=3/orders.csv"],
            ["01-02-2026.csv", "02-01-2026.csv", "31-12-2025.csv"],
            // An id that begins like a year and goes on like no date, and ids of which one happens to be a date.
            ["shop=20265678/a.csv", "shop=20265679/a.csv", "shop=20269900/a.csv"],
            ["12345678.csv", "20260102.csv", "20265678.csv"],
            ["shop=12345678/a.csv", "shop=20260102/a.csv", "shop=20260103/a.csv"],
        ] {
            let mut written = paths;
            written.reverse();
            assert_eq!(sorted(&paths), written);
        }
    }
}
