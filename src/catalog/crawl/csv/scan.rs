//! One CSV file: its delimiter, its first row, and what the rows below it hold.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::super::lines::{self, Ends, Lines};
use super::super::listing::{SourceFile, Target, unreadable};
use super::super::log::Log;
use super::cells::{Quotes, cells};
use super::{open_csv, use_open_csv};
use crate::schema::reads_like_name;

/// Delimiters that are tried, the likeliest first.
pub(in crate::catalog) const DELIMITERS: [u8; 4] = [b',', b'\t', b'|', b';'];
/// How many lines vote on the delimiter, and how many bytes of them are held for it.
const VOTERS: usize = 64;
const VOTERS_BYTES: usize = 1024 * 1024;

/// What LazySimpleSerDe makes of an empty line in a file of several columns.
pub(super) const EMPTY_ROW: &str = "with nothing in its first column and NULL in the others";

/// What one file holds.
pub(in super::super) struct Scan {
    pub(super) delimiter: u8,
    /// OpenCSVSerde's quote; LazySimpleSerDe has none.
    quote: Option<u8>,
    pub(super) quoted: bool,
    pub(super) first: Vec<String>,
    pub(super) first_line: u64,
    /// Column by column, without the first row.
    pub(super) body: Vec<Cell>,
    pub(super) body_rows: u64,
    /// Column by column, the first line with a number in quotes, which LazySimpleSerDe takes for text.
    pub(super) quoted_numbers: Vec<Option<u64>>,
    /// The first line whose value LazySimpleSerDe leaves in its quotes.
    pub(super) quoted_line: Option<u64>,
    pub(super) ends: Ends,
    /// The last line, if it is empty.
    pub(super) empty: Option<u64>,
}

/// The narrowest type that holds a column's cells; Glue's CSV classifier knows these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Empty,
    BigInt,
    Double,
    String,
}

impl Cell {
    pub(super) fn of(text: &[u8]) -> Self {
        let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        match digits.first() {
            None if text.is_empty() => Self::Empty,
            // Hive writes NULL so.
            Some(b'\\') if text == b"\\N" => Self::Empty,
            Some(b'0'..=b'9' | b'.') => Self::number(text, digits),
            _ => Self::String,
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::BigInt | Self::Double)
    }

    fn number(text: &[u8], digits: &[u8]) -> Self {
        let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match &digits[whole..] {
            [] if digits.len() < 19 || parses::<i64>(text) => Self::BigInt,
            // Past bigint, text alone keeps every digit.
            [] => Self::String,
            // Most doubles are of this form; to read one takes longer than to know it.
            [b'.', part @ ..] if digits.len() > 1 && part.iter().all(u8::is_ascii_digit) => Self::Double,
            // `parse` takes no letter after a leading digit or point but an exponent's.
            _ if parses::<f64>(text) => Self::Double,
            _ => Self::String,
        }
    }

    /// The wider of two: each holds the values of those before it.
    pub(super) fn with(self, other: Self) -> Self {
        self.max(other)
    }
}

impl Scan {
    /// The built-in classifier's rule: at least two columns and two rows, names of text under 150 characters (the last
    /// may be empty), and one row below with something that is not text.
    pub(super) fn has_header(&self) -> bool {
        let Some((last, others)) = self.first.split_last() else { return false };
        let is_name = |cell: &String| Cell::of(cell.as_bytes()) == Cell::String && cell.chars().count() < 150;
        !others.is_empty()
            && self.body_rows > 0
            && others.iter().all(is_name)
            && (last.is_empty() || is_name(last))
            && self.body.iter().any(|cell| cell.is_number())
    }
}

impl Scan {
    /// Whether the first row reads like names, where the classifier's rule sees none: different words without a number or a
    /// sentence; the first may be empty, as above a row number. Data can read so too.
    pub(super) fn may_have_header(&self) -> bool {
        let names: BTreeSet<String> = self.first.iter().map(|cell| cell.to_lowercase()).collect();
        let named = match self.first.split_first() {
            Some((first, others)) if first.is_empty() && !others.is_empty() => others,
            _ => &self.first,
        };
        named.iter().all(|cell| reads_like_name(cell)) && names.len() == self.first.len()
    }
}

/// Reads a whole file; `None` if nothing can be said of it, and then the log says why.
pub(super) fn scan(target: &Target, file: &SourceFile, gzip: bool, log: &mut Log<'_>) -> Option<Scan> {
    let reader = match lines::open(file, gzip) {
        Ok(reader) => reader,
        Err(error) => {
            log.push("", unreadable(&file.path, &error).message, "copy it again, or take it away");
            return None;
        }
    };
    let mut lines = Lines::new(reader);
    let (mut head, mut held) = (Vec::new(), 0);
    while head.len() < VOTERS
        && held < VOTERS_BYTES
        && let Some((line, text)) = lines.next(log)
    {
        held += text.len();
        head.push((line, text.to_vec()));
    }
    let given = target.classifier.as_ref().and_then(|classifier| u8::try_from(classifier.delimiter?).ok());
    let Some(delimiter) = given.or_else(|| delimiter(&head)) else {
        log.at_line(
            1,
            "one column only, or none of `,`, tab, `|` and `;` divides the cells",
            format!("write CSV or JSON Lines, or {}", target.classify(&["delimiter = \",\""])),
        );
        return None;
    };
    let mut scan = Scan::new(delimiter, target);
    for (line, text) in &head {
        scan.row(*line, text, target, log);
    }
    while let Some((line, text)) = lines.next(log) {
        scan.row(line, text, target, log);
    }
    scan.ends = lines.ends();
    match scan.quote {
        // How OpenCSVSerDe reads it is nowhere said.
        Some(_) => scan.report_empty(log),
        None => scan.body_rows += u64::from(scan.empty.is_some()),
    }
    Some(scan)
}

impl Scan {
    fn new(delimiter: u8, target: &Target) -> Self {
        let classifier = target.classifier.as_ref().filter(|classifier| classifier.is_open_csv());
        Self {
            delimiter,
            quote: classifier.and_then(|classifier| u8::try_from(classifier.quote_char()).ok()),
            quoted: false,
            first: Vec::new(),
            first_line: 1,
            body: Vec::new(),
            body_rows: 0,
            quoted_numbers: Vec::new(),
            quoted_line: None,
            ends: Ends::default(),
            empty: None,
        }
    }

    fn row(&mut self, line: u64, text: &[u8], target: &Target, log: &mut Log<'_>) {
        self.report_empty(log);
        if !is_sound(line, text, log) {
            return;
        }
        if text.is_empty() && self.body.len() > 1 {
            self.empty = Some(line);
            return;
        }
        match self.quote {
            Some(quote) => self.open_csv_row(line, text, quote, log),
            None => self.lazy_simple_row(line, text, target, log),
        }
    }

    /// Reports an empty line that was not the last one.
    fn report_empty(&mut self, log: &mut Log<'_>) {
        if let Some(line) = self.empty.take() {
            log.at_line(
                line,
                format!("the line is empty: Athena reads a row from it, {EMPTY_ROW}"),
                "take the empty line out",
            );
        }
    }

    /// Takes a row as the first if there is none yet; true if it is one below the first.
    fn begin(&mut self, line: u64, cells: impl FnOnce() -> Vec<String>) -> bool {
        if self.first.is_empty() {
            self.first_line = line;
            self.first = cells();
            self.body = vec![Cell::Empty; self.first.len()];
            self.quoted_numbers = vec![None; self.first.len()];
            return false;
        }
        self.body_rows += 1;
        true
    }

    fn open_csv_row(&mut self, line: u64, text: &[u8], quote: u8, log: &mut Log<'_>) {
        self.quoted |= text.contains(&quote);
        let cells = match open_csv::cells(text, self.delimiter, quote) {
            Ok(cells) => cells,
            Err(message) => {
                log.at_line(line, message, "quote the whole cell on one line, and double quotes inside it");
                return;
            }
        };
        if self.begin(line, || cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()) {
            for (known, cell) in self.body.iter_mut().zip(&cells) {
                *known = known.with(Cell::of(cell));
            }
        }
        self.report_count(line, cells.len(), log);
    }

    fn report_count(&self, line: u64, count: usize, log: &mut Log<'_>) {
        if count != self.body.len() {
            let cells = if count == 1 { "cell" } else { "cells" };
            let message = format!("{count} {cells} in a file of {} columns", self.body.len());
            log.at_line(line, message, "write as many cells as the first line has");
        }
    }

    fn lazy_simple_row(&mut self, line: u64, text: &[u8], target: &Target, log: &mut Log<'_>) {
        let delimiter = self.delimiter;
        let is_body = self.begin(line, || cells(text, delimiter).map(|cell| cell.text()).collect());
        let (mut count, mut open, mut torn) = (0, false, false);
        for cell in cells(text, self.delimiter) {
            if cell.quotes == Quotes::Closed {
                self.quoted = true;
                self.quoted_line = self.quoted_line.or(is_body.then_some(line));
            }
            open |= cell.quotes == Quotes::Open;
            torn |= cell.quotes == Quotes::Closed && cell.bytes.contains(&self.delimiter);
            if is_body
                && let Some(known) = self.body.get_mut(count)
                && *known != Cell::String
            {
                let here = Cell::of(cell.bytes);
                *known = known.with(here);
                if here.is_number() && cell.quotes == Quotes::Closed {
                    self.quoted_numbers[count].get_or_insert(line);
                }
            }
            count += 1;
        }
        if open {
            log.at_line(
                line,
                "a quoted cell does not end on its line",
                "take line breaks out of cells: Athena splits there",
            );
        } else if torn {
            log.at_line(
                line,
                "a quoted cell holds the delimiter: LazySimpleSerDe, which a crawler chooses for CSV, splits there",
                use_open_csv(target),
            );
        } else {
            self.report_count(line, count, log);
        }
    }
}

fn parses<T: FromStr>(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<T>().is_ok())
}

/// Logs what makes a line unreadable.
fn is_sound(line: u64, text: &[u8], log: &mut Log<'_>) -> bool {
    if is_plain(text) {
        return true;
    }
    if let Err(invalid) = std::str::from_utf8(text) {
        log.push(format!("{line}:{}", invalid.valid_up_to() + 1), "invalid UTF-8", "write the file in UTF-8");
        return false;
    }
    if lines::has_lone_cr(text) {
        lines::report_lone_cr(line, log);
        return false;
    }
    !lines::report_nul(line, text, log)
}

/// True of ASCII without a carriage return and without a NUL, as most lines are.
fn is_plain(text: &[u8]) -> bool {
    // Every byte is looked at, so that the compiler may look at many at once.
    text.iter().fold(true, |plain, byte| plain & byte.is_ascii() & (*byte != b'\r') & (*byte != 0))
}

/// The delimiter that divides most of the first lines into as many cells as the first of them.
fn delimiter(head: &[(u64, Vec<u8>)]) -> Option<u8> {
    let votes = |delimiter: u8| {
        let width = |text: &[u8]| cells(text, delimiter).count();
        let (_, first) = head.first()?;
        let expected = width(first);
        let agreeing = head.iter().filter(|(_, text)| width(text) == expected).count();
        (expected > 1).then_some((agreeing, expected))
    };
    // `max_by_key` takes the last of equals, so the likeliest goes last.
    DELIMITERS.into_iter().rev().filter(|d| votes(*d).is_some()).max_by_key(|d| votes(*d))
}
