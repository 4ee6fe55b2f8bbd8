//! Date patterns: MySQL's (`date_parse`, `date_format`) and Joda's (`parse_datetime`, `format_datetime`).
//!
//! <https://trino.io/docs/current/functions/datetime.html>

use std::fmt::Write as _;

/// One piece of a date pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A year in four digits.
    Year,
    /// A year in two digits; `lenient` takes any other number of digits as the year itself.
    ShortYear {
        lenient: bool,
    },
    /// A number, padded to two digits when written or not.
    Number {
        field: Field,
        padded: bool,
    },
    MonthName {
        full: bool,
    },
    WeekdayName {
        full: bool,
    },
    DayOfYear,
    /// Digits after the point: how many are written and how many are read at most.
    Fraction {
        written: u8,
        read: u8,
    },
    HalfDay,
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Month,
    Day,
    Hour,
    HourOfHalf,
    Minute,
    Second,
}

/// Reads MySQL's pattern; the error names the piece that is not supported.
pub(super) fn mysql(pattern: &str) -> Result<Vec<Piece>, String> {
    let number = |field, padded| Piece::Number { field, padded };
    let mut pieces = Pieces::default();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            pieces.text(c);
            continue;
        }
        match rest.next() {
            Some('Y') => pieces.push(Piece::Year),
            Some('y') => pieces.push(Piece::ShortYear { lenient: false }),
            Some('m') => pieces.push(number(Field::Month, true)),
            Some('c') => pieces.push(number(Field::Month, false)),
            Some('d') => pieces.push(number(Field::Day, true)),
            Some('e') => pieces.push(number(Field::Day, false)),
            Some('H') => pieces.push(number(Field::Hour, true)),
            Some('k') => pieces.push(number(Field::Hour, false)),
            Some('h' | 'I') => pieces.push(number(Field::HourOfHalf, true)),
            Some('l') => pieces.push(number(Field::HourOfHalf, false)),
            Some('i') => pieces.push(number(Field::Minute, true)),
            Some('s' | 'S') => pieces.push(number(Field::Second, true)),
            Some('f') => pieces.push(Piece::Fraction { written: 6, read: 9 }),
            Some('p') => pieces.push(Piece::HalfDay),
            Some('M') => pieces.push(Piece::MonthName { full: true }),
            Some('b') => pieces.push(Piece::MonthName { full: false }),
            Some('W') => pieces.push(Piece::WeekdayName { full: true }),
            Some('a') => pieces.push(Piece::WeekdayName { full: false }),
            Some('j') => pieces.push(Piece::DayOfYear),
            Some('T') => pieces.time(Field::Hour),
            Some('r') => {
                pieces.time(Field::HourOfHalf);
                pieces.text(' ');
                pieces.push(Piece::HalfDay);
            }
            Some('%') => pieces.text('%'),
            Some(other) => return Err(format!("%{other}")),
            None => return Err("%".to_owned()),
        }
    }
    Ok(pieces.0)
}

/// Reads Joda's pattern; the error names the piece that is not supported.
pub(super) fn joda(pattern: &str) -> Result<Vec<Piece>, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut pieces = Pieces::default();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c == '\'' {
            at = pieces.quoted(&chars, at).ok_or("an open quote")?;
            continue;
        }
        if !c.is_ascii_alphabetic() {
            pieces.text(c);
            at += 1;
            continue;
        }
        let length = chars[at..].iter().take_while(|next| **next == c).count();
        at += length;
        let number_follows = chars.get(at).is_some_and(|next| "yMdHhmsS".contains(*next));
        pieces.push(letter(c, length, number_follows).ok_or_else(|| c.to_string().repeat(length))?);
    }
    Ok(pieces.0)
}

fn letter(c: char, length: usize, number_follows: bool) -> Option<Piece> {
    let number = |field| (length <= 2).then_some(Piece::Number { field, padded: length == 2 });
    match (c, length) {
        ('y', 2) => Some(Piece::ShortYear { lenient: !number_follows }),
        ('y', 4) => Some(Piece::Year),
        ('M', 3) => Some(Piece::MonthName { full: false }),
        ('M', 4) => Some(Piece::MonthName { full: true }),
        ('M', _) => number(Field::Month),
        ('d', _) => number(Field::Day),
        ('H', _) => number(Field::Hour),
        ('h', _) => number(Field::HourOfHalf),
        ('m', _) => number(Field::Minute),
        ('s', _) => number(Field::Second),
        ('S', 3) => Some(Piece::Fraction { written: 3, read: 3 }),
        ('E', 1..=3) => Some(Piece::WeekdayName { full: false }),
        ('E', 4) => Some(Piece::WeekdayName { full: true }),
        ('a', 1) => Some(Piece::HalfDay),
        _ => None,
    }
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn push(&mut self, piece: Piece) {
        self.0.push(piece);
    }

    fn text(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.0.push(Piece::Text(c.to_string())),
        }
    }

    fn time(&mut self, hour: Field) {
        self.push(Piece::Number { field: hour, padded: true });
        for field in [Field::Minute, Field::Second] {
            self.text(':');
            self.push(Piece::Number { field, padded: true });
        }
    }

    /// Joda's quoted text from the quote at `at`; where it ends. Two quotes are one.
    fn quoted(&mut self, chars: &[char], at: usize) -> Option<usize> {
        if chars.get(at + 1) == Some(&'\'') {
            self.text('\'');
            return Some(at + 2);
        }
        let mut next = at + 1;
        loop {
            match (chars.get(next)?, chars.get(next + 1)) {
                ('\'', Some('\'')) => {
                    self.text('\'');
                    next += 2;
                }
                ('\'', _) => return Some(next + 1),
                (c, _) => {
                    self.text(*c);
                    next += 1;
                }
            }
        }
    }
}

/// A pattern as the regular expression that reads it, and which group holds which field (0: none).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub regex: String,
    pub year: usize,
    pub short_year: bool,
    pub lenient: bool,
    pub month: usize,
    pub day: usize,
    pub hour: usize,
    pub hour_of_half: usize,
    pub half: usize,
    pub minute: usize,
    pub second: usize,
    pub fraction: usize,
}

const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];

/// How text in this pattern is read; the error says what the pattern lacks or has too much of.
pub(super) fn reading(pieces: &[Piece]) -> Result<Reading, String> {
    let mut reading = Reading { regex: "^".to_owned(), ..Reading::default() };
    let mut groups = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let digits_follow = pieces.get(index + 1).is_some_and(|next| {
            matches!(
                next,
                Piece::Year | Piece::ShortYear { .. } | Piece::Number { .. } | Piece::Fraction { .. }
            )
        });
        if let Piece::Text(text) = piece {
            reading.regex.push_str(&regex::escape(text));
            continue;
        }
        groups += 1;
        let slot = group(&mut reading, piece).ok_or("a weekday or a day of the year, which cannot be read")?;
        if *slot != 0 {
            return Err("the same field twice".to_owned());
        }
        *slot = groups;
        reading.regex.push_str(&group_regex(piece, digits_follow));
    }
    reading.regex.push_str(r"\z");
    if reading.year == 0 || reading.month == 0 || reading.day == 0 {
        return Err("no year, month or day".to_owned());
    }
    Ok(reading)
}

fn group<'a>(reading: &'a mut Reading, piece: &Piece) -> Option<&'a mut usize> {
    if let Piece::ShortYear { lenient } = piece {
        reading.short_year = true;
        reading.lenient = *lenient;
    }
    Some(match piece {
        Piece::Year | Piece::ShortYear { .. } => &mut reading.year,
        Piece::MonthName { .. } => &mut reading.month,
        Piece::HalfDay => &mut reading.half,
        Piece::Fraction { .. } => &mut reading.fraction,
        Piece::Number { field, .. } => match field {
            Field::Month => &mut reading.month,
            Field::Day => &mut reading.day,
            Field::Hour => &mut reading.hour,
            Field::HourOfHalf => &mut reading.hour_of_half,
            Field::Minute => &mut reading.minute,
            Field::Second => &mut reading.second,
        },
        Piece::WeekdayName { .. } | Piece::DayOfYear | Piece::Text(_) => return None,
    })
}

/// Joda takes as many digits as a field may have and never gives one back, so a field before a number has them all.
fn group_regex(piece: &Piece, digits_follow: bool) -> String {
    let digits = |most: u8| if digits_follow { format!("([0-9]{{{most}}})") } else { format!("([0-9]{{1,{most}}})") };
    match piece {
        Piece::Year => digits(4),
        Piece::ShortYear { lenient: true } => digits(9),
        Piece::ShortYear { lenient: false } => "([0-9]{2})".to_owned(),
        Piece::Number { .. } => digits(2),
        Piece::Fraction { read, .. } => digits(*read),
        Piece::HalfDay => "(AM|PM|am|pm)".to_owned(),
        Piece::MonthName { .. } => {
            let mut names = Vec::new();
            for month in MONTHS {
                for name in [month, &month[..3]] {
                    names.extend([name.to_owned(), name.to_lowercase(), name.to_uppercase()]);
                }
            }
            format!("({})", names.join("|"))
        }
        Piece::WeekdayName { .. } | Piece::DayOfYear | Piece::Text(_) => String::new(),
    }
}

/// The `strftime` format that writes this pattern.
pub(super) fn format(pieces: &[Piece]) -> String {
    let mut format = String::new();
    for piece in pieces {
        let code = match piece {
            Piece::Text(text) => {
                format.push_str(&text.replace('%', "%%"));
                continue;
            }
            Piece::Year => "Y",
            Piece::ShortYear { .. } => "y",
            Piece::MonthName { full: true } => "B",
            Piece::MonthName { full: false } => "b",
            Piece::WeekdayName { full: true } => "A",
            Piece::WeekdayName { full: false } => "a",
            Piece::DayOfYear => "j",
            Piece::HalfDay => "p",
            Piece::Fraction { written: 3, .. } => "g",
            Piece::Fraction { .. } => "f",
            Piece::Number { field, padded } => {
                let _ = write!(format, "%{}{}", if *padded { "" } else { "-" }, code(*field));
                continue;
            }
        };
        format.push('%');
        format.push_str(code);
    }
    format
}

fn code(field: Field) -> char {
    match field {
        Field::Month => 'm',
        Field::Day => 'd',
        Field::Hour => 'H',
        Field::HourOfHalf => 'I',
        Field::Minute => 'M',
        Field::Second => 'S',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_regular_expressions_and_formats() {
        let pieces = joda("M/d/yy h:mm a").expect("known pieces");
        let reading = reading(&pieces).expect("a whole date");
        assert_eq!(
            reading.regex,
            r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{1,9}) ([0-9]{1,2}):([0-9]{1,2}) (AM|PM|am|pm)\z"
        );
        assert_eq!((reading.month, reading.day, reading.year, reading.hour_of_half, reading.half), (1, 2, 3, 4, 6));
        assert_eq!(format(&pieces), "%-m/%-d/%y %-I:%M %p");
        assert_eq!(format(&joda("yyyy-MM-dd'T'HH''").expect("quotes")), "%Y-%m-%dT%H'");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(joda("yyyy-ww").unwrap_err(), "ww");
        assert_eq!(mysql("%Y-%U").unwrap_err(), "%U");
        assert_eq!(joda("'open").unwrap_err(), "an open quote");
        assert_eq!(reading(&mysql("%Y-%m").expect("known")).unwrap_err(), "no year, month or day");
        assert!(reading(&mysql("%j %Y").expect("known")).is_err());
    }
}
